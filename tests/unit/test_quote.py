"""Quotes worked out by hand: stages, rounding, what beats what, and bad baskets."""

from __future__ import annotations

from datetime import datetime

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Basket, CouponState, Line, ManualOff, Quote, State
from pos_loyalty.errors import InputError
from pos_loyalty.values import Minor, Thousandths, encode
from tests.worlds import NOBODY, NOW, basket, line, lot, member, off_by_rule, offs, programme, why

NO_RULES = programme("")


def rule(name: str, stage: str, then: str, more: str = "") -> str:
    return f'[[rule]]\nid = "{name}"\nstage = "{stage}"\n{more}\nthen = [{{ {then} }}]\n'


def percent(name: str, stage: str, rate: str, on: str = "", more: str = "") -> str:
    return rule(name, stage, f'do = "percent", percent = "{rate}"' + (f", on = {{ {on} }}" if on else ""), more)


def ask(rules: str, *lines: Line, **more: object) -> Quote:
    return quote(basket(*lines, **more), None, programme(rules), NOBODY, NOW)


def lost(answer: Quote) -> list[tuple[str, str, int]]:
    return [(each.rule, each.by, each.difference_minor) for each in answer.beaten]


def test_a_plain_basket_costs_what_it_costs() -> None:
    answer = ask("", line("2", 10_000, "3", vat_bp=2000), line("1", 89_990, "0.345", measure="weight"))
    assert [each.line_id for each in answer.lines] == ["1", "2"]
    assert (answer.gross_minor, answer.total_minor, answer.due_minor) == (61_047, 61_047, 61_047)
    assert answer.lines[1].vat_minor == 5000
    assert (answer.applied, answer.refusals, answer.accruals, answer.member_id) == ((), (), (), None)
    assert (answer.at, answer.basket_id, answer.programme) == (NOW, "B1", NO_RULES.name)
    assert answer.proof.proven


def test_an_empty_basket_is_a_quote_too() -> None:
    answer = ask(percent("a", "order", "10%"))
    assert (answer.gross_minor, answer.lines, answer.applied) == (0, (), ())


def test_inside_a_stage_the_best_acts_on_each_line() -> None:
    hot, tea = percent("b-hot", "item", "15%", 'tag = "hot"'), percent("c-tea", "item", "5%", 'sku = "tea"')
    rules = percent("a-ten", "item", "10%") + hot + tea
    answer = ask(rules, line("coffee", 10_000, tags=("hot",)), line("tea", 10_000))
    assert offs(answer) == {"coffee": {"b-hot": 1500}, "tea": {"a-ten": 1000}}
    assert lost(answer) == [("c-tea", "a-ten", 500)]


def test_of_equal_rules_the_higher_priority_then_the_smaller_id_acts() -> None:
    assert ask(percent("a", "item", "10%") + percent("b", "item", "10%"), line("1")).applied == ("a",)
    assert ask(percent("a", "item", "10%") + percent("b", "item", "10%", more="priority = 1"), line("1")).applied == ("b",)
    assert ask(percent("a", "order", "10%") + percent("b", "order", "10%", more="priority = 1"), line("1")).applied == ("b",)


def test_stages_stack_and_the_chain_is_rounded_once() -> None:
    rules = percent("a", "item", "10%") + percent("b", "customer", "10%")
    answer = ask(rules, line("1", 95))  # 95 × 0.9 × 0.9 = 76.95: off 18.05, not 10 (9.5) and 9 (8.5)
    assert answer.total_minor == 77
    assert sum(offs(answer)["1"].values()) == 18
    assert offs(answer)["1"]["a"] == 10


def test_the_order_stage_sees_what_is_left_and_rounds_once_in_all() -> None:
    rules = percent("a", "item", "50%", 'sku = "1"') + percent("z", "order", "3%")
    answer = ask(rules, line("1", 1000), line("2", 625), line("3", 625))
    assert off_by_rule(answer) == {"a": 500, "z": 53}  # 3 % of 1750 is 52.5
    assert offs(answer)["2"]["z"] + offs(answer)["3"]["z"] in (37, 38)


def test_on_the_receipt_the_best_order_rule_acts_alone() -> None:
    steps = '{ from = "100.00", percent = "1%" }, { from = "300.00", percent = "20%" }'
    rules = (
        percent("ten", "order", "10%")
        + rule("fifty", "order", 'do = "amount", amount = "50.00"')
        + rule("ladder", "order", f'do = "ladder", steps = [{steps}]')
    )
    answer = ask(rules, line("1", 10_000, "3"))
    assert answer.applied == ("ladder",)
    assert lost(answer) == [("fifty", "ladder", 1000), ("ten", "ladder", 3000)]
    low = ask(rules, line("1", 9999))
    assert low.applied == ("fifty",)
    assert why(low, "ladder") == ("ladder", "99.99", "100.00")
    assert lost(low) == [("ten", "fifty", 4000)]


def test_a_sum_is_shared_by_price_and_never_more_than_the_goods_cost() -> None:
    fifty = rule("fifty", "order", 'do = "amount", amount = "50.00", on = { category = "set" }')
    answer = ask(fifty, line("cola", 1500, "2", category="set"), line("burger", 1000, "3", category="set"), line("x", 99_999))
    assert offs(answer) == {"burger": {"fifty": 2500}, "cola": {"fifty": 2500}, "x": {}}
    assert ask(fifty, line("1", 1234, category="set")).total_minor == 0


def test_a_ladder_takes_its_highest_step_and_at_most_its_base() -> None:
    steps = '{ from = "100.00", percent = "10%" }, { from = "200.00", amount = "70.00" }, { from = "500.00", percent = "20%" }'
    ladder = rule("l", "order", f'do = "ladder", steps = [{steps}], max_base = "600.00"')
    prices = (9999, 10_000, 19_999, 20_000, 50_000, 90_000)
    offs_at = {price: off_by_rule(ask(ladder, line("1", price))).get("l", 0) for price in prices}
    assert offs_at == {9999: 0, 10_000: 1000, 19_999: 2000, 20_000: 7000, 50_000: 10_000, 90_000: 12_000}


def test_a_cap_holds_the_whole_back() -> None:
    capped = percent("c", "order", "10%").replace("}]", ', max_amount = "25.00" }]')
    answer = ask(capped, line("1", 20_000), line("2", 30_000))
    assert offs(answer) == {"1": {"c": 1000}, "2": {"c": 1500}}


def test_everything_off_leaves_nothing() -> None:
    rules = percent("all", "order", "100%")
    answer = ask(rules, line("1", 333, "3"), line("2", 89_990, "1.345", measure="weight"), line("3", 1))
    assert answer.total_minor == 0
    assert [each.fiscal[0].price_minor for each in answer.lines] == [0, 0, 0]


def test_a_rule_that_can_take_nothing_says_so() -> None:
    answer = ask(percent("free", "item", "10%") + percent("round", "order", "1%"), line("1", 0), line("2", 4))
    assert why(answer, "free") == ("nothing_left", "0.00", "0.01")
    assert why(answer, "round") == ("nothing_left", "0.00", "0.01")


def test_free_goods_make_no_winner() -> None:
    answer = ask(percent("a", "item", "10%") + percent("b", "item", "5%"), line("1", 0))
    assert [each.condition for each in answer.refusals] == ["nothing_left", "nothing_left"]
    assert answer.beaten == ()


def test_equal_goods_with_and_without_the_host_s_off_stay_apart() -> None:
    answer = ask(percent("ten", "item", "10%"), line("1", 1000, sku="x", prior_off_minor=100), line("2", 1000, sku="x"))
    assert offs(answer) == {"1": {"prior": 100, "ten": 90}, "2": {"ten": 100}}


def test_a_rule_for_other_goods_is_not_spoken_of() -> None:
    assert ask(percent("tea", "item", "10%", 'sku = "tea"'), line("coffee")).refusals == ()


def test_what_the_host_took_off_comes_first() -> None:
    when = 'when = [{ is = "basket_amount", min = "81.00" }]'
    rules = percent("ten", "item", "10%") + percent("many", "order", "1%", more=when)
    answer = ask(rules, line("1", 10_000, prior_off_minor=2000))
    assert offs(answer) == {"1": {"prior": 2000, "ten": 800}}
    assert why(answer, "many") == ("basket_amount", "80.00", "81.00")
    over = ask(rules, line("1", 10_000, prior_off_minor=10_001))
    assert over.total_minor == 0
    assert why(over, "prior") == ("line", "100.00", "100.01")


def test_the_cashier_s_own_off_comes_after_the_rules_and_never_below_nothing() -> None:
    by_hand = (ManualOff(line_id="1", off_minor=Minor(100)), ManualOff(line_id="1", off_minor=Minor(50)))
    answer = ask(percent("ten", "order", "10%"), line("1", 1000), line("2", 1000), manual=by_hand)
    assert offs(answer) == {"1": {"manual": 150, "ten": 100}, "2": {"ten": 100}}
    over = ask("", line("1", 1000), manual=(ManualOff(line_id="1", off_minor=Minor(1001)),))
    assert over.total_minor == 0
    assert why(over, "manual") == ("line", "10.00", "10.01")


def test_each_stage_sees_what_the_one_before_it_left() -> None:
    half = percent("half", "order", "50%")
    by_hand = (ManualOff(line_id="1", off_minor=Minor(600)),)
    assert offs(ask(half, line("1", 1000), manual=by_hand)) == {"1": {"half": 500, "manual": 500}}
    rules = programme(half + '[redeem]\nlimit = "30%"\n')
    answer = quote(basket(line("1", 1000), redeem="max"), member(lots=(lot("a", 10_000),)), rules, NOBODY, NOW)
    assert answer.redemption.centi == 150


def test_a_rule_whose_money_does_not_act_gives_no_points_either() -> None:
    ladder = 'do = "ladder", steps = [{ from = "100.00", percent = "1%" }] }, { do = "points", rate = "1%"'
    rules = programme(rule("both", "order", ladder))
    little = quote(basket(line("1", 1000)), member(), rules, NOBODY, NOW)
    much = quote(basket(line("1", 10_000)), member(), rules, NOBODY, NOW)
    assert (little.applied, little.accruals, [each.rule for each in little.refusals]) == ((), (), ["both"])
    assert (much.applied, [each.centi for each in much.accruals]) == (("both",), [99])


def test_a_floor_in_the_basket_holds_against_all_and_says_so() -> None:
    rules = percent("half", "item", "50%") + rule("sum", "order", 'do = "amount", amount = "30.00"')
    answer = ask(rules, line("1", 1000, "2", floor_minor=800), line("2", 5000))
    assert offs(answer)["1"] == {"half": 400}
    assert offs(answer)["2"] == {"half": 2500, "sum": 2500}
    assert [(each.line_id, each.floor, each.stopped_minor) for each in answer.floors] == [("1", "shop", 600)]


def test_an_order_percentage_stopped_by_a_floor_is_not_moved_to_others() -> None:
    answer = ask(percent("ten", "order", "10%"), line("1", 1000, floor_minor=960), line("2", 1000))
    assert offs(answer) == {"1": {"ten": 40}, "2": {"ten": 100}}


def test_splitting_a_piece_line_changes_nothing() -> None:
    rules = percent("a", "item", "7.5%") + percent("b", "customer", "3%") + percent("c", "order", "1.23%")
    whole = ask(rules, line("1", 333, "5", sku="x"), line("9", 777))
    split = ask(rules, line("1", 333, "2", sku="x"), line("2", 333, "1", sku="x"), line("3", 333, "2", sku="x"), line("9", 777))
    assert off_by_rule(whole) == off_by_rule(split)
    assert sum(each.net_minor for each in split.lines[:3]) == whole.lines[0].net_minor


def test_several_effects_of_one_rule_act_one_after_another() -> None:
    two = rule("r", "order", 'do = "amount", amount = "10.00" }, { do = "percent", percent = "10%"')
    assert off_by_rule(ask(two, line("1", 11_000))) == {"r": 2000}


def test_a_beaten_rule_gives_no_points_either() -> None:
    rules = (
        '[[rule]]\nid = "weak"\nstage = "order"\n'
        'then = [{ do = "percent", percent = "1%" }, { do = "points", rate = "50%" }]\n' + percent("strong", "order", "2%")
    )
    answer = quote(basket(line("1")), member(), programme(rules), NOBODY, NOW)
    assert (answer.applied, answer.accruals) == (("strong",), ())
    assert [each.rule for each in answer.beaten] == ["weak"]


def test_the_order_of_lines_and_rules_does_not_matter() -> None:
    rules = [percent("a", "item", "7%"), percent("b", "item", "7%"), percent("c", "order", "3.33%")]
    lines = [line(str(n), 101 + n % 3, str(1 + n % 2), sku=f"s{n % 3}") for n in range(7)]
    one = encode(quote(basket(*lines), None, programme("".join(rules)), NOBODY, NOW))
    other = encode(quote(basket(*reversed(lines)), None, programme("".join(rules)), NOBODY, NOW))
    assert one == other


@pytest.mark.parametrize(
    ("bad", "place"),
    [
        (basket(line("1"), line("2"), line("1")), "basket.lines[2].line_id"),
        (basket(line("1", -1)), "basket.lines[0].price_minor"),
        (basket(line("1", quantity="0")), "basket.lines[0].quantity"),
        (basket(line("1", quantity="1.5")), "basket.lines[0].quantity"),
        (basket(line("1"), currency="USD"), "basket.currency"),
        (basket(*[line(str(n)) for n in range(1001)]), "basket.lines"),
        (basket(line("1", 10**13, "2")), "basket.lines"),
        (basket(line("1", quantity="2", marks=("m",))), "basket.lines[0].marks"),
        (basket(line("1", prior_off_minor=-1)), "basket.lines[0]"),
        (basket(line("1"), manual=(ManualOff(line_id="2", off_minor=Minor(1)),)), "basket.manual[0].line_id"),
        (basket(line("1"), manual=(ManualOff(line_id="1", off_minor=Minor(-1)),)), "basket.manual[0].off_minor"),
        (basket(line("1"), redeem=-1), "basket.redeem"),
    ],
)
def test_a_bad_basket_names_the_place(bad: Basket, place: str) -> None:
    with pytest.raises(InputError) as caught:
        quote(bad, None, NO_RULES, NOBODY, NOW)
    assert caught.value.place == place
    assert caught.value.message


def test_a_negative_quantity_is_refused() -> None:
    back = Line(line_id="1", sku="1", quantity_milli=Thousandths(-1000), price_minor=Minor(1))
    with pytest.raises(InputError, match="a return is its own verb"):
        quote(basket(back), None, NO_RULES, NOBODY, NOW)


def test_bad_members_and_times_are_refused() -> None:
    for lots in ((lot("a", 1), lot("a", 2)), (lot("a", -1),), (lot("a", 1, expires_at=datetime(2027, 1, 1)),)):
        with pytest.raises(InputError, match=r"^member\.lots"):
            quote(basket(line("1")), member(lots=lots), NO_RULES, NOBODY, NOW)
    with pytest.raises(InputError, match=r"^at: "):
        quote(basket(line("1")), None, NO_RULES, NOBODY, datetime(2026, 1, 1))


def test_a_state_that_names_unknown_things_is_no_harm() -> None:
    odd = State(coupons={"X": CouponState(series="unheard-of", usable=True)})
    answer = quote(basket(line("1"), coupons=("X",)), None, NO_RULES, odd, NOW)
    assert [each.have for each in answer.refusals] == ["no_series:X"]


def test_a_rule_of_two_effects_stands_once_on_a_line_though_a_later_group_acts() -> None:
    """The set takes 6 % of two units and 1 % of the others in one pool; the next pool finds the line settled."""
    text = '[[group]]\nid = "aa"\n[[group]]\nid = "bb"\n[compatibility.aa]\naa = "exclusive"\nbb = "stack"\n'
    text += '[compatibility.bb]\nbb = "exclusive"\n'
    drinks = 'on = { category = "drinks" }, count'
    three = f'{{ do = "bundle", slots = [{{ {drinks} = 3 }}], fixed = "24.39" }}'
    text += f'[[rule]]\nid = "r0"\nstage = "item"\ngroup = "bb"\nthen = [{three}]\n'
    both = f'{{ do = "bundle", slots = [{{  }}, {{ {drinks} = 1 }}], percent = "6%" }}, {{ do = "percent", percent = "1%" }}'
    text += f'[[rule]]\nid = "r1"\nstage = "item"\ngroup = "aa"\npriority = 1\nthen = [{both}]\n'
    goods = (line("1", 16_784, sku="s0", category="drinks"), line("2", 6_215, "4", sku="s3"))
    given = quote(basket(*goods), None, programme(text), NOBODY, NOW)
    assert [len({a.rule for a in each.adjustments}) == len(each.adjustments) for each in given.lines] == [True, True]


def test_a_points_rule_that_lost_is_not_refused_too() -> None:
    text = '[[rule]]\nid = "r0"\nstage = "order"\nthen = [{ do = "amount", amount = "1.00" }, { do = "points", rate = "50%" }]\n'
    text += '[[rule]]\nid = "r1"\nthen = [{ do = "points", rate = "50%" }]\n'
    goods = (line("1", 333, category="tobacco"), line("2", 14_628))
    given = quote(basket(*goods), member(), programme(text), NOBODY, NOW)
    assert ([each.rule for each in given.beaten], why(given, "r1")) == (["r1"], None)
