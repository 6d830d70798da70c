"""Entries of a sale: reserve, settle, release, reverse, expire; folded by a few lines of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pos_loyalty.engine import expire, quote, release, reserve, reverse, settle
from pos_loyalty.engine.model import Entry, Lot, Quote
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme

DAY = timedelta(days=1)
PROGRAMME = programme("""
[points]
lifetime_days = 30
[redeem]
limit = "50%"
[[rule]]
id = "base"
then = [{ do = "points", rate = "10%" }]
""")
LOTS = (lot("soon", 2000, expires_at=NOW + DAY), lot("late", 9000, expires_at=NOW + 9 * DAY))
REF = "T1/0001"


def ask(redeem: object = "max", lots: tuple[Lot, ...] = LOTS) -> Quote:
    return quote(basket(line("1", 10_000), redeem=redeem), member(lots=lots), PROGRAMME, NOBODY, NOW)


def balances(entries: Iterable[Entry]) -> dict[str, int]:
    """Credits less debits, by account; accounts at nothing left out."""
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.credit] = sums.get(entry.credit, 0) + entry.amount
        sums[entry.debit] = sums.get(entry.debit, 0) - entry.amount
    return {account: amount for account, amount in sums.items() if amount}


def folded(lots: Iterable[Lot], entries: Iterable[Entry]) -> dict[str, int]:
    """What each lot holds after the entries."""
    held: dict[str, int] = {each.lot_id: each.centi for each in lots}
    for entry in entries:
        if entry.credit.startswith("member:"):
            assert entry.lot_id is not None
            held[entry.lot_id] = held.get(entry.lot_id, 0) + entry.amount
        if entry.debit.startswith("member:"):
            assert entry.lot_id is not None
            held[entry.lot_id] -= entry.amount
    assert all(centi >= 0 for centi in held.values())
    return held


def as_lots(held: dict[str, int], made: Iterable[Entry] = ()) -> tuple[Lot, ...]:
    dates = {each.lot_id: (each.usable_from, each.expires_at) for each in (*LOTS, *made) if each.lot_id}
    return tuple(
        Lot(lot_id=lot_id, centi=centi, usable_from=dates[lot_id][0], expires_at=dates[lot_id][1])  # type: ignore[arg-type]
        for lot_id, centi in held.items()
    )


def test_reserving_sets_points_aside_lot_by_lot() -> None:
    entries = reserve(ask(), REF)
    assert [(e.kind, e.debit, e.credit, e.lot_id, e.amount) for e in entries] == [
        ("redeem", "member:M1", "held:T1/0001", "soon", 2000),
        ("redeem", "member:M1", "held:T1/0001", "late", 3000),
    ]


def test_settling_redeems_and_accrues() -> None:
    answer = ask()
    done = reserve(answer, REF) + settle(answer, REF, NOW)
    assert balances(done) == {
        "member:M1": -5000 + 500, "programme:trial:redeemed": 5000, "programme:trial:issued": -500,
    }  # fmt: skip
    accrued = [e for e in done if e.kind == "accrue"]
    assert [(e.lot_id, e.rule, e.usable_from, e.expires_at) for e in accrued] == [
        ("T1/0001:base", "base", NOW, answer.accruals[0].expires_at)
    ]
    assert folded(LOTS, done) == {"soon": 0, "late": 6000, "T1/0001:base": 500}


def test_releasing_leaves_nothing() -> None:
    answer = ask()
    done = reserve(answer, REF) + release(answer, REF)
    assert balances(done) == {}
    assert folded(LOTS, done) == {"soon": 2000, "late": 9000}
    assert {e.kind for e in release(answer, REF)} == {"reverse"}


def test_without_a_member_there_are_no_entries() -> None:
    answer = quote(basket(line("1")), None, PROGRAMME, NOBODY, NOW)
    assert reserve(answer, REF) == settle(answer, REF, NOW) == release(answer, REF) == ()


def test_reversing_a_sale_leaves_nothing() -> None:
    answer = ask()
    done = reserve(answer, REF) + settle(answer, REF, NOW)
    back = reverse(done, as_lots(folded(LOTS, done), done), REF, NOW)
    assert balances(done + back) == {}
    assert folded(LOTS, done + back) == {"soon": 2000, "late": 9000, "T1/0001:base": 0}
    assert {e.kind for e in back} == {"reverse"}


def test_what_was_redeemed_meanwhile_comes_from_other_lots_and_then_is_owed() -> None:
    answer = ask(redeem=None)
    done = reserve(answer, REF) + settle(answer, REF, NOW)  # 1000 earned
    now_held = (
        lot(f"{REF}:base", 100),
        lot("soon", 50, expires_at=NOW + DAY),
        lot("lost", 900, expires_at=NOW),
        lot("late", 849),
    )
    back = reverse(done, now_held, REF, NOW)
    assert [(e.debit, e.lot_id, e.amount) for e in back] == [
        ("member:M1", f"{REF}:base", 100),
        ("member:M1", "soon", 50),
        ("member:M1", "late", 849),
        ("owed:M1", None, 1),
    ]
    assert balances(back)["programme:trial:issued"] == 1000


def test_points_given_back_are_there_to_be_taken() -> None:
    answer = ask()
    done = reserve(answer, REF) + settle(answer, REF, NOW)  # 5000 redeemed, 500 earned
    back = reverse(done, (), REF, NOW)
    assert folded((), back) == {"soon": 2000, "late": 2500}  # emptied lots come without dates, so by id
    assert "owed:M1" not in balances(back)


def test_a_reversal_answers_for_its_own_sale_only() -> None:
    answer = ask()
    other = reserve(answer, "T1/0002")
    assert reverse(other, LOTS, REF, NOW) == ()


def test_expiring_takes_what_is_past() -> None:
    held = (lot("a", 5, expires_at=NOW), lot("b", 0, expires_at=NOW), lot("c", 7, expires_at=NOW + DAY), lot("d", 9))
    entries = expire("M1", held, "trial", NOW)
    assert [(e.kind, e.debit, e.credit, e.lot_id, e.amount) for e in entries] == [
        ("expire", "member:M1", "programme:trial:expired", "a", 5)
    ]
