"""Laws of entries: nothing is made or lost, a lot never holds less than nothing, and a sale undone leaves nothing."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pos_loyalty.engine import expire, quote, release, reserve, reverse, settle
from pos_loyalty.engine.model import Basket, Entry, Lot, Member
from pos_loyalty.values import Points
from tests.property.random_worlds import DAY, baskets, members, other_tables, rule_tables
from tests.worlds import NOBODY, NOW, programme

LAW = settings(max_examples=200, deadline=None)
REF = "T/1"


def balances(entries: Iterable[Entry]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in entries:
        assert entry.amount > 0
        assert entry.debit != entry.credit
        sums[entry.credit] = sums.get(entry.credit, 0) + entry.amount
        sums[entry.debit] = sums.get(entry.debit, 0) - entry.amount
    return {account: amount for account, amount in sums.items() if amount}


def folded(lots: Iterable[Lot], entries: Iterable[Entry]) -> tuple[Lot, ...]:
    """The lots after the entries; asserts that none ever holds less than nothing."""
    held = {lot.lot_id: lot for lot in lots}
    for entry in entries:
        if entry.credit == "member:M":
            assert entry.lot_id is not None
            before = held.get(entry.lot_id)
            if before is None:
                assert entry.kind == "accrue"
                before = Lot(lot_id=entry.lot_id, centi=Points(0), usable_from=entry.usable_from, expires_at=entry.expires_at)
            held[entry.lot_id] = replace(before, centi=Points(before.centi + entry.amount))
        if entry.debit == "member:M":
            assert entry.lot_id is not None
            held[entry.lot_id] = replace(held[entry.lot_id], centi=Points(held[entry.lot_id].centi - entry.amount))
            assert held[entry.lot_id].centi >= 0
    return tuple(held.values())


def amounts(lots: Iterable[Lot]) -> dict[str, int]:
    return {lot.lot_id: lot.centi for lot in lots if lot.centi}


@LAW
@given(baskets(), members(), rule_tables(), other_tables())
def test_a_sale_undone_at_any_step_leaves_nothing(basket: Basket, member: Member | None, rules: list[str], tables: str) -> None:
    answer = quote(basket, member, programme(tables + "".join(rules)), NOBODY, NOW)
    lots = member.lots if member is not None else ()
    held = reserve(answer, REF)
    cancelled = held + release(answer, REF)
    assert balances(cancelled) == {}
    assert amounts(folded(lots, cancelled)) == amounts(lots)
    done = held + settle(answer, REF, NOW)
    assert balances(done).get(f"held:{REF}", 0) == 0
    assert balances(done).get("member:M", 0) == sum(each.centi for each in answer.accruals) - answer.redemption.centi
    undone = done + reverse(done, folded(lots, done), REF, NOW)
    assert balances(undone) == {}
    assert amounts(folded(lots, undone)) == amounts(lots)
    assert sum(balances(done).values()) == 0


@LAW
@given(baskets(), members(), rule_tables(), other_tables(), st.integers(0, 100), st.integers(0, 40))
def test_a_late_reversal_takes_what_is_there_and_the_rest_is_owed(
    basket: Basket, member: Member | None, rules: list[str], tables: str, percent_left: int, days: int
) -> None:
    answer = quote(basket, member, programme(tables + "".join(rules)), NOBODY, NOW)
    lots = member.lots if member is not None else ()
    done = reserve(answer, REF) + settle(answer, REF, NOW)
    later = tuple(replace(lot, centi=Points(lot.centi * percent_left // 100)) for lot in folded(lots, done))
    back = reverse(done, later, REF, NOW + days * DAY)
    folded(later, back)
    earned = sum(each.centi for each in answer.accruals)
    sums = balances(back)
    owed = -sums.get("owed:M", 0)
    assert 0 <= owed <= earned
    held = {lot.lot_id: lot.centi for lot in later}
    dead = [each for each in answer.accruals if each.expires_at is not None and each.expires_at <= NOW + days * DAY]
    let_go = sum(each.centi - held[f"{REF}:{each.rule}"] for each in dead)  # lost with its lot, and not taken again
    assert sums.get("member:M", 0) == answer.redemption.centi - earned + owed + let_go
    still = [lot.centi for lot in folded(later, back) if lot.expires_at is None or lot.expires_at > NOW + days * DAY]
    assert owed == 0 or sum(still) == 0


@LAW
@given(members(), st.integers(-5, 20))
def test_expiring_twice_expires_once(member: Member | None, days: int) -> None:
    lots = member.lots if member is not None else ()
    at = NOW + days * DAY
    gone = expire("M", lots, "trial", at)
    left = folded(lots, gone)
    assert expire("M", left, "trial", at) == ()
    assert all(lot.centi == 0 or lot.expires_at is None or lot.expires_at > at for lot in left)
