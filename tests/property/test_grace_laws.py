"""Points that come back to dead lots: nothing is made or lost, a live lot is left alone, and a debt is paid first."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pos_loyalty.engine.grace import Grace, graced
from pos_loyalty.engine.ledger import reverse
from pos_loyalty.engine.model import Entry, Lot
from tests.worlds import NOW, lot

DAY = timedelta(days=1)
HELD, REF = "held:T1/1", "T1/1"
GRACE = Grace(until=NOW + 7 * DAY, ref="T1/void-1")

amounts = st.integers(1, 10_000)
ends = st.one_of(st.none(), st.integers(-30, 30).map(lambda days: NOW + days * DAY))


@st.composite
def voided(draw: st.DrawFn) -> tuple[tuple[Lot, ...], tuple[Entry, ...]]:
    """Lots as they stand now, and the entries of a sale that redeemed from them and brought points, partly used since."""
    count = draw(st.integers(1, 4))
    lots = [lot(f"L{n}", draw(st.integers(0, 5_000)), expires_at=draw(ends)) for n in range(count)]
    done = []
    for each in lots:
        centi = draw(amounts)
        done.append(Entry(kind="redeem", debit="member:M1", credit=HELD, amount=centi, member_id="M1", lot_id=each.lot_id))
        done.append(
            Entry(kind="redeem", debit=HELD, credit="programme:p:redeemed", amount=centi, member_id="M1", lot_id=each.lot_id)
        )
    earned = draw(amounts)
    own = f"{REF}:base"
    done.append(
        Entry(
            kind="accrue", debit="programme:p:issued", credit="member:M1", amount=earned, member_id="M1", lot_id=own, rule="base"
        )
    )
    lots.append(lot(own, draw(st.integers(0, earned)), expires_at=NOW + 90 * DAY))
    return tuple(lots), tuple(done)


def fold(lots: tuple[Lot, ...], entries: tuple[Entry, ...]) -> tuple[dict[str, int], dict[str, object], dict[str, int]]:
    """What every lot holds and when it ends, and the accounts, after the entries, by hand."""
    holds = {each.lot_id: int(each.centi) for each in lots}
    ending: dict[str, object] = {each.lot_id: each.expires_at for each in lots}
    accounts: dict[str, int] = {}
    for entry in entries:
        accounts[entry.debit] = accounts.get(entry.debit, 0) - entry.amount
        accounts[entry.credit] = accounts.get(entry.credit, 0) + entry.amount
        assert entry.lot_id is not None or "member:M1" not in (entry.debit, entry.credit)
        name = entry.lot_id or ""
        if entry.credit == "member:M1":
            if entry.kind == "accrue":
                assert name not in holds
                ending[name] = entry.expires_at
            holds[name] = holds.get(name, 0) + entry.amount
        elif entry.debit == "member:M1":
            holds[name] -= entry.amount
            assert holds[name] >= 0, "no lot gives more than it holds"
    return holds, ending, accounts


@given(voided())
def test_grace_moves_points_and_makes_none(world: tuple[tuple[Lot, ...], tuple[Entry, ...]]) -> None:
    lots, done = world
    plain = reverse(done, lots, REF, NOW)
    with_grace = graced(plain, lots, GRACE)
    before, after = fold(lots, plain)[2], fold(lots, with_grace)[2]
    assert after.get("adjustment", 0) == 0
    assert sum(after.values()) == 0
    owed, owed_before = -after.get("owed:M1", 0), -before.get("owed:M1", 0)
    assert owed <= owed_before
    assert after["member:M1"] - owed == before["member:M1"] - owed_before
    assert after["programme:p:issued"] == before["programme:p:issued"]
    assert after["programme:p:redeemed"] == before["programme:p:redeemed"]


@given(voided())
def test_what_came_back_is_usable_to_the_end_of_the_grace(world: tuple[tuple[Lot, ...], tuple[Entry, ...]]) -> None:
    lots, done = world
    entries = graced(reverse(done, lots, REF, NOW), lots, GRACE)
    holds, ending, accounts = fold(lots, entries)
    back = sum(entry.amount for entry in done if entry.debit == HELD)
    for each in lots:
        if each.expires_at is not None and each.expires_at <= NOW:
            assert holds[each.lot_id] == each.centi, "a dead lot holds what it held before"
            assert ending[each.lot_id] == each.expires_at
    new = holds.keys() - {each.lot_id for each in lots}
    assert all(ending[name] == GRACE.until for name in new)
    dead = {each.lot_id for each in lots if each.expires_at is not None and each.expires_at <= NOW}
    alive = sum(centi for name, centi in holds.items() if name not in dead)
    then = sum(each.centi for each in lots if each.lot_id not in dead)
    earned = next(entry.amount for entry in done if entry.kind == "accrue")
    assert alive + accounts.get("owed:M1", 0) == then + back - earned


@given(voided())
def test_without_a_term_nothing_moves(world: tuple[tuple[Lot, ...], tuple[Entry, ...]]) -> None:
    lots, done = world
    plain = reverse(done, lots, REF, NOW)
    assert graced(plain, lots, None) == plain
    late = tuple(each for each in lots if each.expires_at is None or each.expires_at >= GRACE.until)
    if len(late) == len(lots):
        assert graced(plain, lots, GRACE) == plain
