"""Returns: what is refunded, which points go back and which are taken, worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import CounterMove, FiscalPosition, Line, LotUse, Quote, QuoteLine, SalesSoFar
from pos_loyalty.engine.returned_lines import Back, paid_share, shape_of, share
from pos_loyalty.engine.returns import Returned, ReturnLine, TakenBack, return_of
from pos_loyalty.errors import InputError
from pos_loyalty.values import Minor, Points, Thousandths
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme

DAY = timedelta(days=1)
LOTS = (lot("soon", 3000, expires_at=NOW + DAY), lot("late", 90_000, expires_at=NOW + 9 * DAY))
TEN = '[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "10%" }]\n'


def rule(name: str, then: str, more: str = "") -> str:
    return f'[[rule]]\nid = "{name}"\n{more}\nthen = [{{ {then} }}]\n'


def sold(tables: str, *lines: Line, redeem: object = None, **who: object) -> Quote:
    choices = who.pop("choices", {})
    person = member(**({"lots": LOTS} | who))
    return quote(basket(*lines, redeem=redeem, choices=choices), person, programme(tables), NOBODY, NOW)


def part(line_id: str, quantity: str = "1", *units: int) -> ReturnLine:
    whole, _, rest = quantity.partition(".")
    return ReturnLine(
        line_id=line_id, quantity_milli=Thousandths(int(whole) * 1000 + int(rest.ljust(3, "0") or "0")), units=units
    )


def in_turn(answer: Quote, *parts: ReturnLine) -> list[Returned]:
    """One return after another."""
    done: list[Returned] = []
    for each in parts:
        done.append(return_of(answer, done, [each]))
    return done


def taken(returned: Returned) -> dict[str, int]:
    return {each.rule: each.centi for each in returned.taken_back}


def shown(returned: Returned) -> list[tuple[str, int]]:
    return [(p.quantity_milli.text, p.price_minor) for each in returned.lines for p in each.fiscal]


def test_a_returned_line_takes_its_share_of_the_discount_along() -> None:
    answer = sold(rule("off", 'do = "amount", amount = "10.00"', 'stage = "order"'), line("A", 5000), line("B", 1000))
    first = return_of(answer, (), [part("A")])
    assert first.refund_minor == 4167  # 50.00 less 8.33
    assert return_of(answer, [first], [part("B")]).refund_minor == 833


def test_each_unit_costs_what_the_fiscal_receipt_says() -> None:
    answer = sold(rule("off", 'do = "amount", amount = "1.00"', 'stage = "order"'), line("1", 1000, "3"))  # 9.66, 9.67, 9.67
    done = in_turn(answer, part("1"), part("1"), part("1"))
    assert [each.refund_minor for each in done] == [966, 967, 967]
    assert [shown(each) for each in done] == [[("1", 966)], [("1", 967)], [("1", 967)]]
    two = return_of(answer, (), [part("1", "2")])
    assert (two.refund_minor, shown(two)) == (1933, [("1", 966), ("1", 967)])


def test_marked_units_come_back_by_name() -> None:
    marked = line("1", 1000, "3", marks=("a", "b", "c"))
    answer = sold(rule("off", 'do = "amount", amount = "1.00"', 'stage = "order"'), marked)
    done = in_turn(answer, part("1", "1", 2), part("1", "1"), part("1", "1", 1))
    assert [(each.refund_minor, each.lines[0].units) for each in done] == [(967, (2,)), (966, (0,)), (967, (1,))]
    single = sold("", line("1", 1000, marks=("a",)))
    assert return_of(single, (), [part("1", "1", 0)]).refund_minor == 1000


def test_weighed_goods_come_back_by_weight() -> None:
    answer = sold(rule("ten", 'do = "percent", percent = "10%"', 'stage = "item"'), line("1", 9990, "2.345", measure="weight"))
    paid = answer.lines[0].net_minor
    price = answer.lines[0].fiscal[0].price_minor
    done = in_turn(answer, part("1", "1"), part("1", "0.5"), part("1", "0.845"))
    assert done[0].refund_minor == price
    assert sum(each.refund_minor for each in done) == paid
    assert shown(done[0]) == [("1", price)]


def test_two_kilograms_are_not_two_pieces() -> None:
    answer = sold(TEN + rule("cup", 'do = "points", fixed = "1", per = "unit"'), line("1", 1000, "2", measure="weight"))
    first = return_of(answer, (), [part("1", "0.5")])
    assert (first.refund_minor, taken(first)) == (500, {"base": 50})
    rest = return_of(answer, [first], [part("1", "1.5")])
    assert (rest.refund_minor, taken(rest)) == (1500, {"base": 150, "cup": 100})


def test_points_that_paid_go_back_to_the_lots_that_last_longest_first() -> None:
    answer = sold('[redeem]\nlimit = "50%"\n', line("1", 5000), line("2", 5000), redeem="max")
    assert [(use.lot_id, use.centi) for use in answer.redemption.lots] == [("soon", 3000), ("late", 2000)]
    first = return_of(answer, (), [part("1")])
    assert (first.refund_minor, first.points_minor) == (2500, 2500)
    assert first.restored == (LotUse(lot_id="late", centi=Points(2000)), LotUse(lot_id="soon", centi=Points(500)))
    rest = return_of(answer, [first], [part("2")])
    assert rest.restored == (LotUse(lot_id="soon", centi=Points(2500)),)


def test_points_that_do_not_divide_come_back_with_the_last_of_the_goods() -> None:
    tables = '[points]\nvalue = "3.00"\n[redeem]\nlimit = "100%"\n'  # a hundredth pays 3 kopecks
    answer = sold(tables, line("1", 100), line("2", 101), line("3", 102), redeem=101)
    assert [each.points_minor for each in answer.lines] == [100, 101, 102]
    done = in_turn(answer, part("1"), part("2"), part("3"))
    assert [sum(use.centi for use in each.restored) for each in done] == [33, 34, 34]


def test_a_tender_of_points_goes_back_as_one() -> None:
    tables = '[redeem]\nlimit = "100%"\nform = "counter_provision"\n'
    answer = sold(tables, line("1", 334, "3"), redeem=500)  # 3.34 each; points pay 1.66, 1.67, 1.67
    done = in_turn(answer, part("1"), part("1", "2"))
    assert [(each.refund_minor, each.points_minor) for each in done] == [(168, 166), (334, 334)]
    assert [shown(each) for each in done] == [[("1", 334)], [("2", 334)]]


def test_what_stays_keeps_its_points() -> None:
    tables = '[points]\nstep = "1"\n' + TEN
    answer = sold(tables, line("1", 1000, "10"))  # 10 points
    done = in_turn(answer, *[part("1")] * 10)
    assert [taken(each).get("base", 0) for each in done] == [100] * 10
    odd = sold(tables, line("1", 150, "10"))  # 15.00: 1 point
    done = in_turn(odd, *[part("1")] * 10)
    assert [taken(each).get("base", 0) for each in done] == [0, 0, 0, 100, 0, 0, 0, 0, 0, 0]  # 10.50 kept keeps it, 9.00 does not


@pytest.mark.parametrize(("refund", "kept", "each_return"), [(100, 100, 0), (500, 100, 0), (2000, 200, 200)])
def test_each_return_may_be_rounded_by_itself(refund: int, kept: int, each_return: int) -> None:
    """One point for each full 10.00, of a sale of 100.00."""
    lines = (line("1", refund), line("2", 10_000 - refund))
    tables = '[points]\nstep = "1"\n' + TEN
    assert taken(return_of(sold(tables, *lines), (), [part("1")])).get("base", 0) == kept
    by_itself = tables.replace("[points]\n", '[points]\ntake_back = "each_return"\n')
    assert taken(return_of(sold(by_itself, *lines), (), [part("1")])).get("base", 0) == each_return


def test_rounded_by_itself_ten_small_returns_keep_a_point() -> None:
    answer = sold('[points]\nstep = "1"\ntake_back = "each_return"\n' + TEN, line("1", 100, "100"))
    done = in_turn(answer, *[part("1", "5")] * 20)
    assert [taken(each) for each in done] == [{}] * 20
    whole = return_of(answer, (), [part("1", "100")])
    assert taken(whole) == {"base": 1000}


def test_multipliers_and_points_for_units_are_taken_back_by_their_rates() -> None:
    tables = TEN + rule("cup", 'do = "points", fixed = "1", per = "unit", on = { sku = "c" }')
    tables += rule("x2", 'do = "points", multiplier = "2", on = { sku = "c" }')
    answer = sold(tables, line("1", 1000, "2", sku="c"), line("2", 500))
    assert {each.rule: each.centi for each in answer.accruals} == {"base": 250, "cup": 200, "x2": 400}
    assert taken(return_of(answer, (), [part("1")])) == {"base": 100, "cup": 100, "x2": 200}
    assert taken(return_of(answer, (), [part("2")])) == {"base": 50}


def test_points_for_the_receipt_go_with_the_last_of_their_goods() -> None:
    tables = TEN + rule("welcome", 'do = "points", fixed = "50", on = { sku = "c" }')
    answer = sold(tables, line("1", 1000, sku="c"), line("2", 1000, sku="c"), line("3", 1000, sku="t"))
    first, second, third = in_turn(answer, part("1"), part("2"), part("3"))
    assert [taken(each) for each in (first, second, third)] == [{"base": 100}, {"base": 100, "welcome": 5000}, {"base": 100}]


def test_limits_hold_for_what_is_kept_too() -> None:
    tables = '[points]\nper_receipt = "15"\n' + rule("base", 'do = "points", rate = "10%", max_points = "20"')
    answer = sold(tables, *[line(str(n), 10_000) for n in range(3)])  # 30.00, at most 20.00, at most 15.00
    done = in_turn(answer, part("0"), part("1"), part("2"))
    assert [taken(each).get("base", 0) for each in done] == [0, 500, 1000]


def test_a_referral_is_undone_with_the_whole_sale() -> None:
    tables = TEN + '[referral]\nreferrer = "300"\nfriend = "100"\n'
    answer = sold(tables, line("1", 1000, "2"), referred_by="M7", sales=SalesSoFar())
    first, second = in_turn(answer, part("1"), part("1"))
    assert taken(first) == {"base": 100}
    assert second.taken_back == (
        TakenBack(rule="base", centi=Points(100)),
        TakenBack(rule="referral", centi=Points(10_000)),
        TakenBack(rule="referral", centi=Points(30_000), member_id="M7"),
    )


def test_counters_fall_by_what_came_back() -> None:
    tables = rule("a", 'do = "counter_add", key = "coffee", on = { category = "coffee" }')
    tables += rule("b", 'do = "counter_add", key = "visits", per = "receipt"')
    kilo = line("2", 100, "0.300", category="coffee", measure="weight")
    answer = sold(tables, line("1", 100, "3", category="coffee"), kilo, line("3", 100))
    done = in_turn(answer, part("1", "2"), part("2", "0.1"), part("2", "0.2"), part("3"), part("1"))
    assert [each.counters for each in done] == [
        (CounterMove(key="coffee", add=-2),),
        (),
        (CounterMove(key="coffee", add=-1),),
        (),
        (CounterMove(key="coffee", add=-1), CounterMove(key="visits", add=-1)),
    ]


def test_the_tier_s_progress_falls_too() -> None:
    answer = sold(rule("t", 'do = "tier_progress", on = { sku = "c" }'), line("1", 1000, "2", sku="c"), line("2", 500))
    assert [each.tier_progress_minor for each in in_turn(answer, part("2"), part("1"), part("1"))] == [0, 1000, 1000]


def test_goods_bought_with_points_give_their_points_back() -> None:
    mug = rule("mug", 'do = "redeem_for", points = "50", on = { sku = "mug" }', 'stage = "payment"')
    answer = sold(mug, line("1", 3000, sku="mug"), line("2", 1000), choices={"mug": "1"})
    back = return_of(answer, (), [part("1")])
    assert (back.refund_minor, sum(use.centi for use in back.restored)) == (0, 5000)
    assert return_of(answer, [back], [part("2")]).restored == ()


def test_a_bought_coupon_stays_bought() -> None:
    tables = '[[coupon]]\nid = "next"\n' + rule("buy", 'do = "redeem_for", points = "50", coupon = "next"', 'stage = "payment"')
    answer = sold(tables, line("1", 1000), choices={"buy": "yes"})
    assert answer.redemption.centi == 5000
    assert return_of(answer, (), [part("1")]).restored == ()


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ([], "return.lines"),
        ([part("9")], "return.lines[0].line_id"),
        ([part("1"), part("1")], "return.lines[1].line_id"),
        ([part("1", "0")], "return.lines[0].quantity"),
        ([part("1", "4")], "return.lines[0].quantity"),
        ([part("2", "0.345"), part("1", "0.5")], "return.lines[1].quantity"),
        ([part("2", "0.346")], "return.lines[0].quantity"),
        ([part("1", "1", 0)], "return.lines[0].units"),
        ([part("3", "1", 2)], "return.lines[0].units"),
        ([part("3", "2", 1, 1)], "return.lines[0].units"),
        ([part("3", "2", 1)], "return.lines[0].units"),
    ],
)
def test_what_cannot_come_back_is_refused_with_its_place(parts: list[ReturnLine], place: str) -> None:
    weighed = line("2", 1000, "0.345", measure="weight")
    answer = sold("", line("1", 1000, "3"), weighed, line("3", 1000, "2", marks=("a", "b")))
    with pytest.raises(InputError) as caught:
        return_of(answer, (), parts)
    assert caught.value.place == place


def test_nothing_comes_back_twice() -> None:
    answer = sold("", line("1", 1000, "2"), line("3", 1000, "2", marks=("a", "b")))
    done = in_turn(answer, part("1", "2"), part("3", "1", 1))
    for again in (part("1"), part("3", "1", 1), part("3", "2")):
        with pytest.raises(InputError):
            return_of(answer, done, [again])


def test_things_and_money_are_restored_each_by_its_own_goods() -> None:
    mug = rule("mug", 'do = "redeem_for", points = "50", on = { sku = "mug" }', 'stage = "payment"')
    answer = sold(
        mug + '[redeem]\nlimit = "50%"\n', line("1", 3000, sku="mug"), line("2", 1000), choices={"mug": "1"}, redeem="max"
    )
    assert (answer.redemption.centi, answer.redemption.off_minor) == (5500, 500)
    done = in_turn(answer, part("2"), part("1"))
    assert [(each.refund_minor, sum(use.centi for use in each.restored)) for each in done] == [(500, 500), (0, 5000)]


def test_a_single_piece_and_a_weighed_line_write_their_price_beside_a_tender_of_points() -> None:
    tables = '[redeem]\nlimit = "50%"\nform = "counter_provision"\n'
    answer = sold(tables, line("1", 1001), line("2", 999, "1", measure="weight"), redeem="max")
    done = in_turn(answer, part("1"), part("2", "0.4"), part("2", "0.6"))
    assert [shown(each) for each in done] == [[("1", 1001)], [("0.4", 999)], [("0.6", 999)]]
    assert [each.refund_minor + each.points_minor for each in done] == [1001, 400, 599]
    assert sum(each.refund_minor for each in done) == answer.due_minor


def test_the_quantity_of_marked_units_is_kept() -> None:
    answer = sold("", line("1", 1000, "3", marks=("a", "b", "c")))
    done = in_turn(answer, part("1", "1", 1), part("1", "2"))
    assert [(each.lines[0].quantity_milli, each.lines[0].units) for each in done] == [(1000, (1,)), (2000, (0, 2))]


@pytest.mark.parametrize("tables", ["", '[redeem]\nlimit = "30%"\n', '[redeem]\nlimit = "30%"\nform = "counter_provision"\n'])
def test_every_part_of_a_weight_multiplies_out_to_its_refund(tables: str) -> None:
    ten = rule("ten", 'do = "percent", percent = "10%"', 'stage = "item"')
    answer = sold(ten + tables, line("1", 12_345, "3.217", measure="weight"), redeem="max" if tables else None)
    kept = "counter" in tables
    for first in range(1, 3217, 13):
        done = in_turn(answer, part("1", f"0.{first:03d}" if first < 1000 else f"{first / 1000:.3f}"))
        rest = ReturnLine(line_id="1", quantity_milli=Thousandths(3217 - first))
        done.append(return_of(answer, done, [rest]))
        for each in done:
            (back,) = each.lines
            written = sum((2 * p.price_minor * p.quantity_milli + 1000) // 2000 for p in back.fiscal)
            assert written == back.refund_minor + (back.points_minor if kept else 0)
        assert sum(each.refund_minor for each in done) == answer.due_minor


def test_points_that_stand_as_a_tender_part_with_a_weighed_line_by_weight() -> None:
    """1.000 kg for 1.00, of which 0.33 in points: half of the 0.67 paid is 0.335, half up 0.34; points 0.165, half up 0.17."""
    fiscal = (FiscalPosition(quantity_milli=Thousandths(1000), price_minor=Minor(100)),)
    sold_line = QuoteLine(
        line_id="1",
        gross_minor=Minor(100),
        net_minor=Minor(100),
        points_minor=Minor(33),
        vat_minor=Minor(0),
        adjustments=(),
        fiscal=fiscal,
    )
    shape = shape_of(sold_line)
    assert [paid_share(sold_line, shape, Back(quantity_milli=grams)) for grams in (0, 500, 1000)] == [0, 34, 67]
    assert [share(sold_line.points_minor, shape, Back(quantity_milli=grams)) for grams in (0, 500, 1000)] == [0, 17, 33]


def test_a_counter_for_the_receipt_falls_with_the_last_of_its_goods() -> None:
    answer = sold(
        rule("visit", 'do = "counter_add", key = "visits", per = "receipt"'),
        line("1", 1000),
        line("2", 500),
        counters={"visits": 4},
    )
    assert answer.counters == (CounterMove(key="visits", add=1),)
    first = return_of(answer, (), [part("1")])
    assert first.counters == ()
    assert return_of(answer, [first], [part("2")]).counters == (CounterMove(key="visits", add=-1),)


def test_points_for_a_friend_go_with_the_last_of_the_goods() -> None:
    tables = '[referral]\nreferrer = "300"\nfriend = "100"\nmin_amount = "5.00"\n'
    answer = sold(tables, line("1", 1000), line("2", 500), referred_by="M7", sales=SalesSoFar(count=0))
    first = return_of(answer, (), [part("1")])
    assert first.taken_back == ()
    assert [(each.centi, each.member_id) for each in return_of(answer, [first], [part("2")]).taken_back] == [
        (10_000, None),
        (30_000, "M7"),
    ]
