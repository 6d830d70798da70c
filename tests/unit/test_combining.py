"""Groups that stack, compete or exclude one another; pools; priority mode; what the engine says of it."""

from __future__ import annotations

from random import Random

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.combine import scenarios_most
from pos_loyalty.engine.compatibility import largest_sets
from pos_loyalty.engine.model import Line, ManualOff, Quote
from pos_loyalty.values import Minor
from tests.worlds import NOBODY, NOW, basket, line, member, off_by_rule, programme, why


def rule(name: str, then: str, group: str = "", stage: str = "item", more: str = "") -> str:
    label = f'group = "{group}"\n' if group else ""
    return f'[[rule]]\nid = "{name}"\nstage = "{stage}"\n{label}{more}\nthen = [{{ {then} }}]\n'


def groups(*names: str, force: str = "") -> str:
    return "".join(f'[[group]]\nid = "{name}"\n' + ("force = true\n" if name == force else "") for name in names)


def ask(tables: str, *lines: Line) -> Quote:
    return quote(basket(*lines), None, programme(tables), NOBODY, NOW)


TEN_EACH = 'do = "amount_each", amount = "10.00"'
TWENTY = 'do = "percent", percent = "20%"'
THREE_FOR_TWO = 'do = "n_for_m", n = 3'


def test_rules_that_stack_act_one_after_another_by_priority() -> None:
    tables = groups("g") + '[compatibility.g]\ng = "stack"\n'
    first = tables + rule("ten", TEN_EACH, "g", more="priority = 1") + rule("twenty", TWENTY, "g", more="priority = 4")
    assert off_by_rule(ask(first, line("1", 10_000))) == {"twenty": 2_000, "ten": 1_000}
    second = tables + rule("ten", TEN_EACH, "g", more="priority = 5") + rule("twenty", TWENTY, "g", more="priority = 4")
    assert off_by_rule(ask(second, line("1", 10_000))) == {"ten": 1_000, "twenty": 1_800}


def test_an_exclusive_rule_acts_alone_or_not_at_all() -> None:
    tables = groups("alone", "rest") + '[compatibility.alone]\nrest = "exclusive"\n'
    tables += rule("alone", TWENTY, "alone") + rule("a", 'do = "percent", percent = "15%"', "rest")
    tables += rule("b", 'do = "amount", amount = "10.00"', "rest", stage="order")
    many = ask(tables, line("1", 30_000))
    assert off_by_rule(many) == {"alone": 6_000}
    assert [(each.rule, each.by, each.difference_minor) for each in many.beaten] == [("a", "alone", 500), ("b", "alone", 500)]
    few = ask(tables, line("1", 10_000))
    assert off_by_rule(few) == {"a": 1_500, "b": 1_000}
    assert [(each.rule, each.by, each.difference_minor) for each in few.beaten] == [("alone", "a", 500)]
    assert few.proof.proven


def test_a_group_with_force_wins_although_it_is_worse() -> None:
    tables = groups("alone", "rest", force="alone") + '[compatibility.rest]\nalone = "exclusive"\n'
    tables += rule("alone", 'do = "percent", percent = "1%"', "alone") + rule("a", TWENTY, "rest")
    assert off_by_rule(ask(tables, line("1", 10_000))) == {"alone": 100}


def test_a_rule_that_does_not_hold_excludes_nobody() -> None:
    tables = groups("alone", "rest", force="alone") + '[compatibility.rest]\nalone = "exclusive"\n'
    tables += rule("alone", TWENTY, "alone", more='when = [{ is = "basket_amount", min = "500.00" }]')
    tables += rule("a", 'do = "percent", percent = "1%"', "rest")
    assert off_by_rule(ask(tables, line("1", 10_000))) == {"a": 100}


def test_a_card_percentage_that_competes_with_offers_enters_their_packing() -> None:
    stacked = rule("set", THREE_FOR_TWO) + rule("card", TWENTY, stage="customer")
    goods = (line("1", 1_000, "3"), line("2", 2_000))
    assert off_by_rule(ask(stacked, *goods)) == {"set": 1_000, "card": 800}
    tables = groups("sets", "cards") + '[compatibility.sets]\ncards = "best_of"\n'
    competing = tables + rule("set", THREE_FOR_TWO, "sets") + rule("card", TWENTY, "cards", stage="customer")
    assert off_by_rule(ask(competing, *goods)) == {"set": 1_000, "card": 400}


def test_best_of_with_an_order_rule_is_on_the_whole_receipt() -> None:
    tables = groups("i", "o") + '[compatibility.i]\no = "best_of"\n'
    tables += rule("item", TWENTY, "i") + rule("sum", 'do = "amount", amount = "30.00"', "o", stage="order")
    assert off_by_rule(ask(tables, line("1", 10_000))) == {"sum": 3_000}
    assert off_by_rule(ask(tables, line("1", 20_000))) == {"item": 4_000}


def test_order_rules_need_not_compete_with_everybody() -> None:
    tables = groups("c") + '[compatibility.c]\nc = "stack"\n'
    tables += rule("third", 'do = "percent", percent = "33.33%"', stage="order")
    tables += rule("a", 'do = "amount", amount = "100.00"', "c", stage="order")
    tables += rule("b", 'do = "amount", amount = "10.00"', "c", stage="order")
    assert off_by_rule(ask(tables, line("1", 20_000))) == {"a": 10_000, "b": 1_000}
    assert off_by_rule(ask(tables, line("1", 50_000))) == {"third": 16_665}


def test_the_best_combination_and_not_the_greedy_one() -> None:
    tables = rule("pair", 'do = "bundle", slots = [{ on = { tag = "a" } }, { on = { tag = "b" } }], amount = "60.00"')
    tables += rule("left", 'do = "amount_each", amount = "50.00", on = { tag = "a" }')
    tables += rule("right", 'do = "amount_each", amount = "50.00", on = { tag = "b" }')
    answer = ask(tables, line("1", 10_000, tags=("a",)), line("2", 10_000, tags=("b",)))
    assert off_by_rule(answer) == {"left": 5_000, "right": 5_000}
    assert (answer.proof.value_minor, answer.proof.bound_minor, answer.proof.proven) == (10_000, 10_000, True)
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("pair", "left", 4_000)]


def test_priority_order_searches_nothing_and_claims_nothing() -> None:
    tables = '[search]\nmode = "priority"\n'
    tables += rule("small", 'do = "percent", percent = "5%"', more="priority = 9") + rule("large", TWENTY)
    answer = ask(tables, line("1", 10_000))
    assert off_by_rule(answer) == {"small": 500}
    assert not answer.proof.proven


@pytest.mark.parametrize(
    ("rivals", "sets"),
    [
        ([set(), set(), set()], {(0, 1, 2)}),
        ([{1}, {0, 2}, {1}], {(0, 2), (1,)}),
        ([{1, 2}, {0, 2}, {0, 1}], {(0,), (1,), (2,)}),
        ([{1}, {0}, {3}, {2}], {(0, 2), (0, 3), (1, 2), (1, 3)}),
    ],
)
def test_largest_sets(rivals: list[set[int]], sets: set[tuple[int, ...]]) -> None:
    found = list(largest_sets(range(len(rivals)), [frozenset(each) for each in rivals]))
    assert {tuple(sorted(each)) for each in found} == sets
    assert len(found) == len(sets)


def test_more_choices_than_are_tried_are_chosen_one_by_one_and_claim_nothing() -> None:
    names = [f"{side}{n}" for n in range(9) for side in "ab"]
    tables = groups(*names) + "".join(f'[compatibility.a{n}]\nb{n} = "exclusive"\n' for n in range(9))
    for n in range(9):
        for side, rate in (("a", "1%"), ("b", "50%")):
            on = f'do = "percent", percent = "{rate}", on = {{ tag = "t{n}" }}'
            tables += rule(f"{side}{n}", on, f"{side}{n}", more=f"priority = {1 if side == 'a' else 0}")
    answer = ask(tables, *(line(str(n), 10_000, tags=(f"t{n}",)) for n in range(9)))
    assert answer.total_minor == 45_000
    assert not answer.proof.proven
    assert answer.proof.bound_minor == 90_000
    assert len(answer.beaten) == 9


EXCLUDING = groups("g1", "g2") + '[compatibility.g1]\ng2 = "exclusive"\n'
TEN_POINTS = 'do = "points", rate = "10%"'


def test_a_rule_that_takes_nothing_excludes_nobody() -> None:
    tables = EXCLUDING + rule("a-order", 'do = "percent", percent = "10%"', "g1", stage="order")
    tables += rule("z-points", TEN_POINTS, "g2", stage="points")
    at_floor = quote(basket(line("1", 10_000, floor_minor=10_000)), member(), programme(tables), NOBODY, NOW)
    assert [(each.rule, each.centi) for each in at_floor.accruals] == [("z-points", 1_000)]
    acting = quote(basket(line("1", 10_000)), member(), programme(tables), NOBODY, NOW)
    assert (acting.applied, acting.accruals, why(acting, "z-points")) == (("a-order",), (), ("exclusive", "a-order", "none"))


def test_the_choice_between_order_rules_knows_the_cashiers_hand() -> None:
    tables = rule("half", 'do = "percent", percent = "50%"', stage="order")
    tables += rule("hot", 'do = "percent", percent = "69%", on = { tag = "hot" }', stage="order")
    goods = (line("1", 9_990), line("2", 18_716, tags=("hot",)))
    plain = quote(basket(*goods), None, programme(tables), NOBODY, NOW)
    assert (plain.applied, plain.total_minor) == (("half",), 14_353)
    by_hand = (ManualOff(line_id="1", off_minor=Minor(90_000)),)
    answer = quote(basket(*goods, manual=by_hand), None, programme(tables), NOBODY, NOW)
    assert (answer.applied, answer.total_minor) == (("hot",), 5_802)


def test_every_nth_unit_is_one_of_the_goods_counted() -> None:
    counted = 'is = "counter", key = "coffee", n = 6, on = { tag = "coffee" }'
    tables = rule("sixth", 'do = "percent", percent = "100%"', more=f"when = [{{ {counted} }}]")
    tables += rule("count", 'do = "counter_add", key = "coffee", on = { tag = "coffee" }', stage="points")
    goods = (line("tea", 100), line("coffee", 1_000, "2", tags=("coffee",)))
    answer = quote(basket(*goods), member(counters={"coffee": 5}), programme(tables), NOBODY, NOW)
    assert off_by_rule(answer) == {"sixth": 1_000}
    assert [(each.key, each.add) for each in answer.counters] == [("coffee", 2)]


@pytest.mark.parametrize(
    ("lines", "rules", "most"), [(1, 1, 256), (10, 10, 256), (40, 10, 75), (20, 100, 15), (500, 100, 8), (0, 9, 256)]
)
def test_all_scenarios_together_look_at_thirty_thousand_lines_under_rules(lines: int, rules: int, most: int) -> None:
    assert scenarios_most(lines, rules) == most


@pytest.mark.parametrize("seed", range(4))
def test_all_pools_together_visit_no_more_nodes_than_the_programme_allows(seed: int) -> None:
    """Two groups of sets that fight for the same units, one group after the other: alone they would visit hundreds of nodes."""
    chance = Random(seed)
    rules = ""
    for number in range(10):
        skus = ", ".join(f'"{sku}"' for sku in sorted(chance.sample(range(16), 8)))
        then = f'do = "bundle", slots = [{{ on = {{ sku = [{skus}] }}, count = 3 }}], fixed = "{chance.randrange(10, 60)}.00"'
        rules += rule(f"r{number}", then, "a" if number < 5 else "b")
    goods = [line(str(number), chance.randrange(1_000, 6_000)) for number in range(16)]
    tables = groups("a", "b") + '[compatibility.a]\nb = "stack"\n' + rules
    assert ask(tables, *goods).proof.nodes > 200
    assert ask("[search]\nnodes = 30\n" + tables, *goods).proof.nodes <= 30
