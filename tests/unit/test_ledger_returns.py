"""Entries of returns, of other members' points, and of what is forgiven; folded by a few lines of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pos_loyalty.engine import quote, reserve, reverse, settle
from pos_loyalty.engine.ledger import forgive, settle_return
from pos_loyalty.engine.model import Entry, Lot, Quote, SalesSoFar
from pos_loyalty.engine.returns import ReturnLine, return_of
from pos_loyalty.values import Thousandths
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme

DAY = timedelta(days=1)
REF = "T1/0001"
TEN = '[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "10%" }]\n'
REFERRAL = '[referral]\nreferrer = "300"\nfriend = "100"\n'
LOTS = (lot("soon", 2000, expires_at=NOW + DAY), lot("late", 9000))
ONE = [ReturnLine(line_id="1", quantity_milli=Thousandths(1000))]


def sold(tables: str, redeem: object = None, lots: tuple[Lot, ...] = LOTS) -> Quote:
    person = member(lots=lots, referred_by="M7", sales=SalesSoFar())
    return quote(basket(line("1", 10_000), redeem=redeem), person, programme(tables), NOBODY, NOW)


def balances(entries: Iterable[Entry]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in entries:
        sums[entry.credit] = sums.get(entry.credit, 0) + entry.amount
        sums[entry.debit] = sums.get(entry.debit, 0) - entry.amount
    return {account: amount for account, amount in sums.items() if amount}


def told(entries: Iterable[Entry]) -> list[tuple[str, str, str | None, int]]:
    return [(entry.kind, entry.debit, entry.lot_id, entry.amount) for entry in entries]


def test_a_referrer_s_points_make_their_own_lot() -> None:
    done = settle(sold(REFERRAL), REF, NOW)
    assert [(e.credit, e.member_id, e.lot_id, e.amount) for e in done] == [
        ("member:M1", "M1", "T1/0001:referral", 10_000),
        ("member:M7", "M7", "T1/0001:referral:M7", 30_000),
    ]


def test_a_void_takes_the_referrer_s_points_from_the_referrer() -> None:
    done = settle(sold(REFERRAL), REF, NOW)
    mine = (lot(f"{REF}:referral", 10_000), lot("mine", 99_999))
    theirs = {"M7": (lot(f"{REF}:referral:M7", 1_000), lot("other", 30_000))}
    back = reverse(done, mine, REF, NOW, others=theirs)
    assert told(back) == [
        ("reverse", "member:M1", "T1/0001:referral", 10_000),
        ("reverse", "member:M7", "T1/0001:referral:M7", 1_000),
        ("reverse", "member:M7", "other", 29_000),
    ]
    assert balances(done + back) == {}


def test_of_a_referrer_who_is_not_here_everything_is_owed() -> None:
    back = reverse(settle(sold(REFERRAL), REF, NOW), (lot(f"{REF}:referral", 10_000),), REF, NOW)
    assert told(back)[1:] == [("reverse", "owed:M7", None, 30_000)]


def test_a_return_restores_first_and_takes_then() -> None:
    answer = sold('[redeem]\nlimit = "50%"\n' + TEN, redeem="max")  # 50.00 paid by points; 5.00 earned
    done = reserve(answer, REF) + settle(answer, REF, NOW)
    back = settle_return(answer, return_of(answer, (), ONE), REF, (lot(f"{REF}:base", 100), lot("soon", 0), lot("late", 0)), NOW)
    assert told(back) == [
        ("reverse", "programme:trial:redeemed", "late", 3000),
        ("reverse", "programme:trial:redeemed", "soon", 2000),
        ("reverse", "member:M1", "T1/0001:base", 100),
        ("reverse", "member:M1", "late", 400),
    ]
    assert balances(done + back) == {}


def test_what_is_missing_after_a_return_is_owed() -> None:
    answer = sold(TEN)
    returned = return_of(answer, (), ONE)
    back = settle_return(answer, returned, REF, (lot("lost", 900, expires_at=NOW), lot("late", 300)), NOW)
    assert told(back) == [("reverse", "member:M1", "late", 300), ("reverse", "owed:M1", None, 700)]
    assert balances(back)["programme:trial:issued"] == 1000


def test_what_is_owed_may_be_forgiven_in_the_ledger() -> None:
    answer = sold('[points]\nowed = "forgive"\n' + TEN)
    back = settle_return(answer, return_of(answer, (), ONE), REF, (lot("late", 300),), NOW)
    assert told(back)[1:] == [("reverse", "owed:M1", None, 700), ("adjust", "adjustment", None, 700)]
    assert balances(back) == {"member:M1": -300, "programme:trial:issued": 1000, "adjustment": -700}
    assert forgive(settle(answer, REF, NOW)) == ()


def test_a_return_without_a_member_moves_no_points() -> None:
    answer = quote(basket(line("1")), None, programme(TEN), NOBODY, NOW)
    assert settle_return(answer, return_of(answer, (), ONE), REF, (), NOW) == ()


def test_what_is_restored_is_no_more_than_was_redeemed() -> None:
    answer = sold('[redeem]\nlimit = "1%"\n' + TEN, redeem="max")  # 1.00 redeemed, 9.90 earned
    done = reserve(answer, REF) + settle(answer, REF, NOW)
    back = reverse(done, (), REF, NOW)
    assert told(back)[1:] == [("reverse", "member:M1", "soon", 100), ("reverse", "owed:M1", None, 890)]
