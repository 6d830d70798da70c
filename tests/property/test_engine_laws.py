"""Laws of a quote over random baskets, members and programmes. Each is checked by arithmetic of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Basket, Line, Member, Quote
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.values import Minor, Thousandths, convert, decode, encode
from tests.property.random_worlds import a_line, baskets, members, other_tables, rule_tables
from tests.worlds import NOBODY, NOW, off_by_rule, programme

LAW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def ask(basket: Basket, member: Member | None, rules: list[str], tables: str) -> Quote:
    return quote(basket, member, programme(tables + "".join(rules)), NOBODY, NOW)


def half_up(price_minor: int, milli: int) -> int:
    whole, rest = divmod(price_minor * milli, 1000)
    return whole + (1 if rest >= 500 else 0)


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_money_adds_up_on_every_line_and_in_all(basket: Basket, member: Member | None, rules: list[str], tables: str) -> None:
    answer = ask(basket, member, rules, tables)
    lines = {line.line_id: line for line in basket.lines}
    assert [each.line_id for each in answer.lines] == sorted(lines)
    for each in answer.lines:
        line = lines[each.line_id]
        assert each.gross_minor == half_up(line.price_minor, line.quantity_milli)
        assert each.gross_minor - each.net_minor == sum(a.off_minor for a in each.adjustments)
        assert 0 <= each.points_minor <= each.net_minor <= each.gross_minor
        assert all(a.off_minor > 0 or a.rule == "fiscal" for a in each.adjustments)
        assert len({a.rule for a in each.adjustments}) == len(each.adjustments)
    assert answer.gross_minor == sum(each.gross_minor for each in answer.lines)
    assert answer.total_minor == sum(each.net_minor for each in answer.lines) >= 0
    assert answer.due_minor == sum(each.net_minor - each.points_minor for each in answer.lines) >= 0


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_the_fiscal_form_multiplies_out(basket: Basket, member: Member | None, rules: list[str], tables: str) -> None:
    lines = {line.line_id: line for line in basket.lines}
    for each in ask(basket, member, rules, tables).lines:
        line = lines[each.line_id]
        paid = each.net_minor - each.points_minor
        assert sum(half_up(position.price_minor, position.quantity_milli) for position in each.fiscal) == paid
        assert sum(position.quantity_milli for position in each.fiscal) == line.quantity_milli
        assert all(position.price_minor >= 0 for position in each.fiscal)
        if line.measure == "piece":
            prices = {position.price_minor for position in each.fiscal}
            assert max(prices) - min(prices) <= 1
        if line.marks:
            assert [position.quantity_milli for position in each.fiscal] == [1000] * len(line.marks)
        rate = line.vat_bp or 0
        assert abs(each.vat_minor * (10_000 + rate) - paid * rate) * 2 <= 10_000 + rate


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_points_paid_come_from_lots_and_stay_in_their_limits(
    basket: Basket, member: Member | None, rules: list[str], tables: str
) -> None:
    answer = ask(basket, member, rules, tables)
    redemption = answer.redemption
    assert redemption.off_minor == sum(each.points_minor for each in answer.lines)
    assert redemption.centi == sum(use.centi for use in redemption.lots) <= redemption.max_centi
    if basket.redeem is None:
        assert redemption.centi == 0
    elif isinstance(basket.redeem, int):
        assert redemption.centi <= basket.redeem
    if member is None or "[redeem]" not in tables:
        assert redemption.max_centi == 0
        return
    usable = [lot for lot in member.lots if (lot.usable_from or NOW) <= NOW and (lot.expires_at is None or lot.expires_at > NOW)]
    held = {lot.lot_id: lot.centi for lot in usable}
    assert all(0 < use.centi <= held[use.lot_id] for use in redemption.lots)
    assert redemption.centi <= max(0, sum(held.values()) - member.owed_centi)
    assert member.redeemable_centi is None or redemption.centi <= member.redeemable_centi
    least = int(tables.split('minimum_money = "')[1].split('"')[0].split(".")[0]) * 100
    assert redemption.centi == 0 or answer.due_minor >= least
    for each, line in zip(answer.lines, sorted(basket.lines, key=lambda line: line.line_id), strict=True):
        assert each.points_minor == 0 or line.category != "household"


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_a_floor_stops_every_rule(basket: Basket, member: Member | None, rules: list[str], tables: str) -> None:
    lines = {line.line_id: line for line in basket.lines}
    for each in ask(basket, member, rules, tables).lines:
        line = lines[each.line_id]
        prior = sum(a.off_minor for a in each.adjustments if a.rule == "prior")
        floor = half_up(line.floor_minor, line.quantity_milli)
        by_rules = any(a.rule not in ("prior", "fiscal") for a in each.adjustments)
        slack = 0 if line.measure == "piece" else 10
        if by_rules or each.points_minor:
            assert each.net_minor - each.points_minor + slack >= min(floor, each.gross_minor - prior)


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_every_rule_with_goods_here_acts_or_says_why_not(
    basket: Basket, member: Member | None, rules: list[str], tables: str
) -> None:
    answer = ask(basket, member, rules, tables)
    spoken = [*answer.applied, *(each.rule for each in answer.refusals), *(each.rule for each in answer.beaten)]
    of_rules = sorted(name for name in spoken if name.startswith("r") and name != "redeem")
    assert len(set(of_rules)) == len(of_rules), "one answer a rule"
    for number, rule in enumerate(rules):
        if basket.lines and " on = " not in rule:
            assert f"r{number}" in of_rules
    names = {adjustment.rule for each in answer.lines for adjustment in each.adjustments}
    assert names - {"prior", "manual", "fiscal"} <= set(answer.applied)
    assert {accrual.rule for accrual in answer.accruals} <= set(answer.applied)
    assert list(answer.applied) == sorted(answer.applied)


@LAW
@given(baskets(), members(), rule_tables(), other_tables(), st.randoms(use_true_random=False))
def test_the_order_of_lines_rules_and_lots_does_not_matter(
    basket: Basket, member: Member | None, rules: list[str], tables: str, chance: Any
) -> None:
    def shuffled(values: Any) -> Any:
        mixed = list(values)
        chance.shuffle(mixed)
        return mixed

    other_basket = replace(basket, lines=tuple(shuffled(basket.lines)), coupons=tuple(shuffled(basket.coupons)))
    other_member = None if member is None else replace(member, lots=tuple(shuffled(member.lots)))
    one = ask(basket, member, rules, tables)
    other = ask(other_basket, other_member, shuffled(rules), tables)
    assert encode(replace(one, programme="")) == encode(replace(other, programme=""))
    assert encode(ask(basket, member, rules, tables)) == encode(one), "asking again changes nothing"


@LAW
@given(baskets(), members(), rule_tables(), other_tables(), a_line("x-0"), st.integers(1, 6))
def test_splitting_a_piece_line_changes_no_sum(
    basket: Basket, member: Member | None, rules: list[str], tables: str, line: Line, pieces: int
) -> None:
    first, rest = (
        replace(line, line_id=f"x-{n}", measure="piece", sku="s0", prior_off_minor=Minor(0), marks=(), quantity_milli=each)
        for n, each in enumerate((Thousandths(1000 * pieces), Thousandths(2000)))
    )
    both = replace(first, quantity_milli=Thousandths(1000 * pieces + 2000))
    pieces_only = tuple(each for each in basket.lines if each.measure == "piece")  # a weight moves kopecks between lines
    manual = tuple(off for off in basket.manual if off.line_id in {each.line_id for each in pieces_only})
    whole = ask(replace(basket, lines=(*pieces_only, both), manual=manual), member, rules, tables)
    split = ask(replace(basket, lines=(*pieces_only, first, rest), manual=manual), member, rules, tables)
    assert (whole.gross_minor, whole.total_minor, whole.due_minor) == (split.gross_minor, split.total_minor, split.due_minor)
    assert off_by_rule(whole) == off_by_rule(split)
    assert (whole.redemption, whole.accruals, whole.refusals) == (split.redemption, split.accruals, split.refusals)


@LAW
@given(baskets(), members(), st.sampled_from(("item", "customer", "order")))
def test_everything_off_leaves_exactly_nothing(basket: Basket, member: Member | None, stage: str) -> None:
    bare = replace(basket, lines=tuple(replace(line, floor_minor=0) for line in basket.lines))
    free = f'[[rule]]\nid = "r0"\nstage = "{stage}"\nthen = [{{ do = "percent", percent = "100%" }}]\n'
    answer = ask(bare, member, [free], "")
    assert (answer.total_minor, answer.due_minor) == (0, 0)


@LAW
@given(baskets(), st.integers(1, 100), st.integers(1, 100))
def test_a_better_rule_beside_another_never_costs_more(basket: Basket, rate: int, other: int) -> None:
    rules = [
        f'[[rule]]\nid = "r{n}"\nstage = "order"\nthen = [{{ do = "percent", percent = "{each}%" }}]\n'
        for n, each in enumerate((rate, other))
    ]
    pieces = replace(basket, lines=tuple(line for line in basket.lines if line.measure == "piece"), manual=())
    alone, both = ask(pieces, None, rules[:1], ""), ask(pieces, None, rules, "")
    assert both.total_minor <= alone.total_minor
    best = max(rate, other)
    exact = sum((each.gross_minor - _prior(pieces.lines, each.line_id)) * best for each in alone.lines)
    floored = any(line.floor_minor for line in pieces.lines)
    assert floored or sum(off_by_rule(both).get(f"r{n}", 0) for n in range(2)) == (2 * exact + 100) // 200


def _prior(lines: tuple[Line, ...], line_id: str) -> int:
    line = next(line for line in lines if line.line_id == line_id)
    return min(line.prior_off_minor, half_up(line.price_minor, line.quantity_milli))


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_a_quote_goes_through_json_and_back(basket: Basket, member: Member | None, rules: list[str], tables: str) -> None:
    answer = ask(basket, member, rules, tables)
    data = encode(answer)
    assert decode(data, Quote) == answer
    assert b"." not in b"".join(part.encode() for part in _numbers(json.loads(data, parse_float=lambda text: 1 / 0)))


def _numbers(data: object) -> list[str]:
    if isinstance(data, Mapping):
        return [text for value in data.values() for text in _numbers(value)]
    if isinstance(data, list):
        return [text for value in data for text in _numbers(value)]
    return [str(data)] if isinstance(data, int) else []


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.sampled_from(["1e3", "-1", "0.0001", "NaN", "2"])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
KEYS = (
    "line_id",
    "sku",
    "quantity",
    "price_minor",
    "category",
    "tags",
    "measure",
    "floor_minor",
    "vat_bp",
    "marks",
    "prior_off_minor",
)


@LAW
@given(baskets(), members(), st.sampled_from(KEYS), JUNK, rule_tables(), other_tables())
def test_bad_input_raises_nothing_but_ours(
    basket: Basket, member: Member | None, key: str, junk: object, rules: list[str], tables: str
) -> None:
    assume(basket.lines)
    raw = json.loads(encode(basket))
    raw["lines"][0][key] = junk
    try:
        ask(convert(raw, Basket), member, rules, tables)
    except LoyaltyError as error:
        assert str(error)
