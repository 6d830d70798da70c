"""The last figure that is allowed and the first that is not; which of two limits counts. All worked out by hand."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import LINES_MAX, MARKS_MAX, RECEIPT_MINOR_MAX, Line, ManualOff, Quote, SalesSoFar, State
from pos_loyalty.errors import InputError
from pos_loyalty.values import Minor
from tests.worlds import NOBODY, NOW, basket, line, member, off_by_rule, offs, programme, why

TEN = '[[rule]]\nid = "ten"\nstage = "item"\nthen = [{ do = "percent", percent = "10%" }]\n'


def ask(tables: str, *lines: Line, state: State = NOBODY) -> Quote:
    return quote(basket(*lines), None, programme(tables), state, NOW)


def test_a_receipt_may_cost_the_most_and_no_more() -> None:
    assert ask("", line("1", RECEIPT_MINOR_MAX)).due_minor == RECEIPT_MINOR_MAX
    with pytest.raises(InputError, match="costs more than a receipt may hold"):
        ask("", line("1", RECEIPT_MINOR_MAX), line("2", 1))


def test_a_basket_may_hold_the_most_lines_and_marks_and_no_more() -> None:
    full = [line(f"{number:04}", 100) for number in range(LINES_MAX)]
    assert len(ask("", *full).lines) == LINES_MAX
    with pytest.raises(InputError, match="more than"):
        ask("", *full, line("x", 100))
    marked = line("1", 100, str(MARKS_MAX), marks=tuple(f"m{number}" for number in range(MARKS_MAX)))
    assert len(ask("", marked).lines[0].fiscal) == MARKS_MAX
    with pytest.raises(InputError, match="marks"):
        ask("", marked, line("2", 100, marks=("one more",)))


def test_of_a_budget_and_a_maximum_the_smaller_counts() -> None:
    half = '{ do = "percent", percent = "50%", max_amount = "30.00" }'
    text = f'[[rule]]\nid = "r"\nstage = "order"\nbudget = "900.00"\nthen = [{half}]\n'

    def off(left_minor: int) -> int:
        return off_by_rule(ask(text, line("1", 20_000), state=State(budgets={"r": left_minor})))["r"]

    assert [off(2_999), off(3_000), off(50_000)] == [2_999, 3_000, 3_000]


def test_a_budget_is_one_for_two_effects_and_a_maximum_is_of_each() -> None:
    two = '{ do = "percent", percent = "50%", max_amount = "30.00" }, { do = "amount", amount = "25.00" }'
    text = f'[[rule]]\nid = "r"\nstage = "order"\nbudget = "900.00"\nthen = [{two}]\n'

    def off(left_minor: int) -> int:
        return off_by_rule(ask(text, line("1", 20_000), state=State(budgets={"r": left_minor})))["r"]

    assert [off(90_000), off(5_500), off(5_000), off(3_000), off(1_000)] == [5_500, 5_500, 5_000, 3_000, 1_000]


def test_units_are_limited_by_line_and_in_all() -> None:
    goods = (line("1", 1_000, "5"), line("2", 2_000, "5"))
    each = TEN.replace('"10%"', '"10%", max_units_per_line = 2')
    assert offs(ask(each, *goods)) == {"1": {"ten": 200}, "2": {"ten": 400}}
    both = TEN.replace('"10%"', '"10%", max_units_per_line = 2, max_units = 3, which = "dearest"')
    assert offs(ask(both, *goods)) == {"1": {"ten": 100}, "2": {"ten": 400}}
    cheap = TEN.replace('"10%"', '"10%", max_units_per_line = 2, max_units = 3, which = "cheapest"')
    assert offs(ask(cheap, *goods)) == {"1": {"ten": 200}, "2": {"ten": 200}}


@pytest.mark.parametrize(("choice", "given"), [("cheapest", {"g1": 500}), ("dearest", {"g3": 900})])
def test_a_gift_is_the_cheapest_or_the_dearest(choice: str, given: dict[str, int]) -> None:
    text = f"""[[rule]]
id = "g"
stage = "item"
then = [{{ do = "gift", buy = [{{ on = {{ sku = "tea" }}, count = 1 }}], on = {{ tag = "gift" }}, choice = "{choice}" }}]
"""
    gifts = [line(f"g{number}", price, tags=("gift",)) for number, price in ((1, 500), (2, 700), (3, 900))]
    got = offs(ask(text, line("1", 1_000, sku="tea"), *gifts))
    assert {line_id: sum(found.values()) for line_id, found in got.items() if found} == given


def test_two_percentages_in_a_row_on_a_line_are_exact() -> None:
    """1.05 less 10 % is 0.945, less 50 % of that is 0.4725: 0.5775 off, half up 0.58 in one rounding, not in two."""
    text = '[[group]]\nid = "a"\n[[group]]\nid = "b"\n[compatibility.a]\nb = "stack"\n'
    text += TEN.replace("stage", 'group = "a"\npriority = 2\nstage')
    text += TEN.replace("ten", "half").replace("10%", "50%").replace("stage", 'group = "b"\npriority = 1\nstage')
    answer = ask(text, line("1", 105))
    assert answer.total_minor == 105 - 58
    assert sum(off_by_rule(answer).values()) == 58


def test_a_price_tag_takes_off_what_the_host_left_above_it() -> None:
    text = '[[price_list]]\nid = "tags"\nrows = """\nsku,store,since,until,price,member_price\n1,,,,80.00,\n"""\n'
    given = ask(text, line("1", 10_000, prior_off_minor=500))
    assert given.total_minor == 8_000
    assert sum(off_by_rule(given).values()) == 2_000
    assert off_by_rule(given)["tags"] == 1_500


def test_the_chosen_gift_may_be_the_second_of_two_equal_lines() -> None:
    text = """[[rule]]
id = "g"
stage = "item"
then = [{ do = "gift", buy = [{ on = { sku = "ale" }, count = 1 }], on = { sku = "cup" }, choice = "cashier" }]
"""
    goods = (line("1", 1_000, sku="ale"), line("2", 500, sku="cup"), line("3", 500, sku="cup"))
    chosen = quote(basket(*goods, choices={"g": "3"}), None, programme(text), NOBODY, NOW)
    assert off_by_rule(chosen) == {"g": 500}
    asked = ask(text, *goods)
    assert [(each.condition, each.have) for each in asked.refusals] == [("choice", "none")]
    for other in ("1", "no such line"):
        wrong = quote(basket(*goods, choices={"g": other}), None, programme(text), NOBODY, NOW)
        assert [(each.condition, each.have, each.need) for each in wrong.refusals] == [("choice", f"line:{other}", "line")]
    cheapest = text.replace('"cashier"', '"cheapest"')
    assert [each.condition for each in ask(cheapest, goods[0]).refusals] == ["goods"]


@pytest.mark.parametrize(
    ("bounds", "strength_bp", "off"),
    [
        ("", None, 1_000),
        ('strength_from = "28%"', None, 0),
        ('strength_to = "40%"', None, 0),
        ('strength_from = "28%"', 2_799, 2_000),
        ('strength_from = "28%"', 2_800, 1_000),
        ('strength_to = "40%"', 4_000, 1_000),
        ('strength_to = "40%"', 4_001, 2_000),
        ('strength_from = "28%"\nstrength_to = "40%"', 3_000, 1_000),
    ],
)
def test_a_minimum_by_law_is_for_its_strengths_and_for_the_unknown(bounds: str, strength_bp: int | None, off: int) -> None:
    """20 % of 100.00 are 20.00; the minimum of 90.00 leaves 10.00 of it; what is not known costs as it stands."""
    law = f'[[floors.minimum]]\nkind = "vodka"\non = {{ category = "vodka" }}\nprice = "90.00"\n{bounds}\n'
    twenty = TEN.replace("10%", "20%")
    given = ask(law + twenty, line("1", 10_000, category="vodka", strength_bp=strength_bp))
    assert sum(off_by_rule(given).values()) == off


def test_offers_for_the_receipt_one_after_another_leave_the_floors_alone() -> None:
    """Two times 50 % of 100.00 with a floor at 60.00: the first takes 40.00, the second finds no room."""
    text = '[[group]]\nid = "g"\n[compatibility.g]\ng = "stack"\n'
    for name in ("a", "b"):
        text += f'[[rule]]\nid = "{name}"\nstage = "order"\ngroup = "g"\nthen = [{{ do = "percent", percent = "50%" }}]\n'
    given = ask(text, line("1", 10_000, floor_minor=6_000))
    assert off_by_rule(given) == {"a": 4_000}
    assert given.total_minor == 6_000


def test_a_cap_is_the_most_that_stacked_offers_take() -> None:
    text = '[caps]\npercent = "30%"\n[[group]]\nid = "g"\n[compatibility.g]\ng = "stack"\n'
    for name in ("a", "b"):
        text += f'[[rule]]\nid = "{name}"\nstage = "order"\ngroup = "g"\nthen = [{{ do = "percent", percent = "20%" }}]\n'
    assert ask(text, line("1", 10_000)).total_minor == 7_000


def test_outside_its_strengths_a_minimum_leaves_nothing_standing() -> None:
    law = '[[floors.minimum]]\nkind = "vodka"\non = { category = "vodka" }\nprice = "90.00"\nstrength_from = "28%"\n'
    given = ask(law + TEN.replace("10%", "100%"), line("1", 10_000, category="vodka", strength_bp=500))
    assert (given.total_minor, given.floors) == (0, ())


def test_a_kopeck_off_two_equal_lines_stands_on_one_of_them() -> None:
    text = '[[rule]]\nid = "r"\nstage = "order"\nthen = [{ do = "amount", amount = "0.01" }]\n'
    given = ask(text, line("1", 100, sku="s"), line("2", 100, sku="s"))
    assert sorted(len(each.adjustments) for each in given.lines) == [0, 1]


def test_goods_may_cost_the_shop_nothing_but_not_less() -> None:
    assert ask("", line("1", 100, cost_minor=0)).total_minor == 100
    with pytest.raises(InputError, match="cost_minor"):
        ask("", line("1", 100, cost_minor=-1))


def test_rules_that_compete_across_stages_act_where_the_first_of_them_stands() -> None:
    """20 % of the goods or 10 % of the person, the better one, first; the person's 10.00 comes after: 100 − 20 − 10."""
    text = "".join(f'[[group]]\nid = "{name}"\n' for name in "abc")
    text += '[compatibility.a]\nb = "best_of"\n[compatibility.b]\nc = "stack"\n[compatibility.c]\na = "stack"\n'
    for name, stage, then, priority in (
        ("a", "item", 'do = "percent", percent = "20%"', 0),
        ("b", "customer", 'do = "percent", percent = "10%"', 0),
        ("c", "customer", 'do = "amount_each", amount = "10.00"', 9),
    ):
        head = f'[[rule]]\nid = "{name}"\ngroup = "{name}"\nstage = "{stage}"\npriority = {priority}\n'
        text += f"{head}then = [{{ {then} }}]\n"
    assert off_by_rule(ask(text, line("1", 10_000))) == {"a": 2_000, "c": 1_000}


def test_the_hand_is_stopped_by_the_line_where_that_is_nearer_than_the_role() -> None:
    text = '[caps.manual]\ncashier = "5%"\n'
    hand = (ManualOff(line_id="1", off_minor=Minor(1_000), role="cashier"),)
    given = quote(basket(line("1", 10_000, floor_minor=9_700), manual=hand), None, programme(text), NOBODY, NOW)
    assert given.total_minor == 9_700
    assert why(given, "manual") == ("line", "3.00", "10.00")


@pytest.mark.parametrize(("after", "total_minor"), [("chain", 52), ("stage", 51)])
def test_rounding_after_the_stage_or_at_the_end_of_the_chain(after: str, total_minor: int) -> None:
    """1.15 less 10 % and less 50 %: in the chain 0.6325 off, rounded once; by stage 0.12 and then 0.52 of 1.03."""
    half = '[[rule]]\nid = "half"\nstage = "customer"\nthen = [{ do = "percent", percent = "50%" }]\n'
    assert ask(f'[rounding]\nafter = "{after}"\n{TEN}{half}', line("1", 115)).total_minor == total_minor


def test_of_two_fixed_prices_the_lower_one_and_of_two_sums_the_larger_one_acts() -> None:
    text = ""
    for name, then in (
        ("p30", 'do = "fixed_price", price = "30.00"'),
        ("p20", 'do = "fixed_price", price = "20.00"'),
        ("a5", 'do = "amount_each", amount = "5.00", on = { sku = "2" }'),
        ("a9", 'do = "amount_each", amount = "9.00", on = { sku = "2" }'),
    ):
        text += f'[[rule]]\nid = "{name}"\nstage = "item"\nthen = [{{ {then} }}]\n'
    assert offs(ask(text, line("1", 10_000), line("2", 2_100))) == {"1": {"p20": 8_000}, "2": {"a9": 900}}


@pytest.mark.parametrize(("by", "first", "off"), [("spent", "1000.00", 500), ("visits", "3", 500), ("visits", "4", 0)])
def test_a_ladder_climbs_by_what_was_spent_or_by_visits(by: str, first: str, off: int) -> None:
    ladder = f'{{ do = "ladder", by = "{by}", steps = [{{ from = "{first}", percent = "5%" }}] }}'
    text = f'[[rule]]\nid = "r"\nstage = "order"\nthen = [{ladder}]\n'
    who = member(sales=SalesSoFar(count=3, spent_minor=Minor(100_000)))
    answer = quote(basket(line("1", 10_000)), who, programme(text), NOBODY, NOW)
    assert answer.gross_minor - answer.total_minor == off


def test_under_a_cap_the_combination_that_pays_least_is_still_the_one_that_gives_most() -> None:
    """40 % against 25 % and 10 % together, with a cap of 30 %: all of them give 30 %; without the cap 40 % wins."""
    groups = (
        "".join(f'[[group]]\nid = "{name}"\n' for name in "ab")
        + '[compatibility.a]\nb = "best_of"\n[compatibility.b]\nb = "stack"\n'
    )
    rules = ""
    for name, group, share in (("big", "a", "40%"), ("mid", "b", "25%"), ("low", "b", "10%")):
        rules += (
            f'[[rule]]\nid = "{name}"\ngroup = "{group}"\nstage = "order"\nthen = [{{ do = "percent", percent = "{share}" }}]\n'
        )
    assert off_by_rule(ask(groups + rules, line("1", 10_000))) == {"big": 4_000}
    assert ask('[caps]\npercent = "30%"\n' + groups + rules, line("1", 10_000)).total_minor == 7_000
    assert off_by_rule(ask('[caps]\namount = "5.00"\n' + groups + rules, line("1", 10_000))) == {"big": 500}


def test_a_set_of_limited_units_takes_no_more_of_a_line_than_it_may() -> None:
    """Two prices of the same goods on two lines: one unit of each line, three in all, dearest first."""
    limited = TEN.replace('"10%"', '"10%", max_units_per_line = 1, max_units = 3, which = "dearest"')
    goods = tuple(line(str(number), 1_000 * number, "2") for number in (1, 2, 3, 4))
    assert offs(ask(limited, *goods)) == {"1": {}, "2": {"ten": 200}, "3": {"ten": 300}, "4": {"ten": 400}}


def test_of_two_combinations_under_a_cap_the_better_one_acts_and_of_equal_ones_the_shorter() -> None:
    """40 %, or 30 % and then 20 %, which is 44 %: below the cap the two act; where the cap makes them equal the one does."""
    groups = "".join(f'[[group]]\nid = "{name}"\n' for name in "ab")
    groups += '[compatibility.a]\nb = "best_of"\n[compatibility.b]\nb = "stack"\n'
    rules = ""
    for name, group, share in (("big", "a", "40%"), ("mid", "b", "30%"), ("low", "b", "20%")):
        head = f'[[rule]]\nid = "{name}"\ngroup = "{group}"\nstage = "order"\n'
        rules += f'{head}then = [{{ do = "percent", percent = "{share}" }}]\n'

    def under(cap: str) -> tuple[int, tuple[str, ...]]:
        given = ask(f'[caps]\npercent = "{cap}"\n{groups}{rules}', line("1", 10_000))
        return given.total_minor, given.applied

    assert under("50%") == (5_600, ("low", "mid"))
    assert under("20%") == (8_000, ("big",))


def test_units_of_a_line_are_limited_though_an_earlier_rule_split_it() -> None:
    """Three for 10.00; 1.00 off one of them; then 10 % of two units of a line, the cheapest first: 0.90 and 1.00."""
    text = "".join(f'[[group]]\nid = "{name}"\n' for name in "ab") + '[compatibility.a]\nb = "stack"\n'
    for name, then, priority in (
        ("a", 'do = "amount_each", amount = "1.00", max_units = 1', 9),
        ("b", 'do = "percent", percent = "10%", max_units_per_line = 2', 0),
    ):
        head = f'[[rule]]\nid = "{name}"\ngroup = "{name}"\nstage = "item"\npriority = {priority}\n'
        text += f"{head}then = [{{ {then} }}]\n"
    assert off_by_rule(ask(text, line("1", 1_000, "3"))) == {"a": 100, "b": 190}


def test_every_second_one_and_no_more_than_one() -> None:
    text = """[[rule]]
id = "r"
stage = "item"
when = [{ is = "counter", key = "c", n = 2, on = { sku = "1" } }]
then = [{ do = "percent", percent = "100%", max_units = 1, on = { sku = "1" } }]
"""
    six = basket(line("1", 1_000, "6"))
    assert off_by_rule(quote(six, member(counters={"c": 0}), programme(text), NOBODY, NOW)) == {"r": 1_000}
    more = text.replace("max_units = 1", "max_units = 9")
    assert off_by_rule(quote(six, member(counters={"c": 0}), programme(more), NOBODY, NOW)) == {"r": 3_000}


def test_groups_of_one_stage_and_priority_act_by_their_first_names() -> None:
    """20 % (a1) or 10 % (z9), then 10.00 (m): 100 − 20 − 10; were the last names to count it would be 100 − 10 − 18."""
    text = "".join(f'[[group]]\nid = "{name}"\n' for name in "gh") + '[compatibility.g]\nh = "stack"\n'
    for name, group, then in (
        ("a1", "g", 'do = "percent", percent = "20%"'),
        ("z9", "g", 'do = "percent", percent = "10%"'),
        ("m", "h", 'do = "amount_each", amount = "10.00"'),
    ):
        text += f'[[rule]]\nid = "{name}"\ngroup = "{group}"\nstage = "item"\nthen = [{{ {then} }}]\n'
    assert off_by_rule(ask(text, line("1", 10_000))) == {"a1": 2_000, "m": 1_000}


def test_shares_of_units_stay_exact_between_groups_and_sums_lie_on_whole_kopecks() -> None:
    """Seven units of 1.00 at 12.5 % off cost 6.125; half of one unit of 0.875 is 0.4375."""
    half = '{ do = "n_for_m", n = 4, percent = "50%", spread = "SPREAD" }'
    text = (
        '[[group]]\nid = "aa"\n[compatibility.aa]\naa = "stack"\n'
        '[[rule]]\nid = "a"\nstage = "item"\ngroup = "aa"\nthen = [{ do = "percent", percent = "12.5%" }]\n'
        f'[[rule]]\nid = "b"\nstage = "item"\ngroup = "aa"\nthen = [{half}]\n'
    )
    odd = line("1", 100, "7")
    assert ask(text.replace("SPREAD", "unit"), odd).total_minor == 569, "6.125 - 0.4375 = 5.6875"
    assert ask(text.replace("SPREAD", "set"), odd).total_minor == 568, "6.12 first, then half of 0.87 or 0.88"


def test_many_percentages_one_upon_another_leave_sets_their_right_price() -> None:
    """Thirteen times 2 % off, then pairs of which the dearer one is half off: all six units make three pairs."""
    text = '[[group]]\nid = "aa"\n[[group]]\nid = "bb"\n[compatibility.aa]\naa = "stack"\nbb = "stack"\n'
    text += "".join(
        f'[[rule]]\nid = "p{number:02}"\nstage = "item"\ngroup = "aa"\nthen = [{{ do = "percent", percent = "2%" }}]\n'
        for number in range(13)
    )
    pairs = '{ do = "n_for_m", n = 2, percent = "50%", which = "dearest", spread = "unit", partial_group = false }'
    text += f'[[rule]]\nid = "x"\nstage = "item"\ngroup = "bb"\nthen = [{pairs}]\n'
    answer = ask(text, line("1", 99_900, "3"), line("2", 99_900, "2"), line("3", 500_000))
    left = 0.98**13
    assert abs(answer.total_minor - (99_900 * 5 + 500_000 - (500_000 + 2 * 99_900) / 2) * left) < 5
    assert answer.proof.proven


def test_lines_are_rounded_unit_by_unit_so_that_the_cheapest_stays_the_cheapest() -> None:
    """Two of 100.00: one at half price, then one per cent off the other: 50.00 and 99.00. Of the two the cheaper one is free."""
    text = (
        '[[group]]\nid = "aa"\n[[group]]\nid = "bb"\n[[group]]\nid = "cc"\n'
        '[compatibility.aa]\nbb = "stack"\ncc = "stack"\n[compatibility.bb]\ncc = "stack"\n'
        '[[rule]]\nid = "a"\nstage = "item"\ngroup = "aa"\npriority = 3\n'
        'then = [{ do = "percent", percent = "50%", max_units = 1 }]\n'
        '[[rule]]\nid = "b"\nstage = "item"\ngroup = "bb"\npriority = 2\n'
        'then = [{ do = "percent", percent = "1%", on = { not_discounted = true } }]\n'
        '[[rule]]\nid = "c"\nstage = "item"\ngroup = "cc"\nthen = [{ do = "n_for_m", n = 2 }]\n'
    )
    assert ask(text, line("1", 10_000, "2")).total_minor == 9_900


def test_a_limit_of_money_holds_after_lines_are_rounded() -> None:
    """One unit is left at 10.00, the other at 99.00: 50.00 off each is 60.00, just the limit. c2 takes at most 1.00."""
    text = (
        '[[rule]]\nid = "i1"\nstage = "item"\nthen = [{ do = "percent", percent = "90%", max_units = 1, on = { sku = "s" } }]\n'
        '[[rule]]\nid = "i2"\nstage = "item"\nthen = [{ do = "percent", percent = "1%", on = { sku = "s" } }]\n'
        '[[rule]]\nid = "c1"\nstage = "customer"\n'
        'then = [{ do = "amount_each", amount = "50.00", max_amount = "60.00", on = { sku = "s" } }]\n'
        '[[rule]]\nid = "c2"\nstage = "customer"\n'
        'then = [{ do = "percent", percent = "10%", max_amount = "1.00", on = { sku = "t" } }]\n'
    )
    taken = off_by_rule(ask(text, line("s", 10_000, "2"), line("t", 5_000)))
    assert (taken["c1"], taken["c2"]) == (6_000, 100)
