"""Report ``day``: what each business day turned over, saved and gave in points. Nothing that comes later changes a day that was.

Money for gift cards is paid in advance: it is no turnover, and stands in a column of its own. What a card pays is a tender.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from pos_loyalty.clock import from_ms
from pos_loyalty.engine.gift_ledger import REDEEMED
from pos_loyalty.errors import InputError
from pos_loyalty.reports.source import ibis, reading, rows
from pos_loyalty.values import Minor, Points, Value

DAYS_MAX = 3660
EPOCH_DAY = date(1970, 1, 1)
DAY_MS = 86_400_000
DEFINITION = (
    "Completed sales of goods by business day; a receipt of gift cards alone is none. Saved = gross less total after rules. "
    "By points = what of the total points paid. Due = total less points. Average = due / sales, half up. "
    "Reversed sales were undone on the day they were sold; they are in no other column. "
    "Returns and sales undone on a later day stand on the day the goods came back. Turnover = due less refunded. "
    "Gift cards = money paid in advance for them less what was given back for them: no turnover. "
    "By gift card = what of the due gift cards paid, a tender."
)


class DayRow(Value):
    """One business day, or all of them together. ``average_minor`` is None when nothing was sold."""

    day: date | None
    sales: int
    with_card: int
    gross_minor: Minor
    saved_minor: Minor
    redeemed_centi: Points
    points_minor: Minor
    due_minor: Minor
    accrued_centi: Points
    average_minor: Minor | None
    reversed_sales: int
    reversed_due_minor: Minor
    returns: int
    refunded_minor: Minor
    turnover_minor: Minor
    gift_cards_minor: Minor
    by_gift_card_minor: Minor


class AsOf(Value):
    """How far this file knows a till: the instant of its newest fact here."""

    till: str
    at: datetime


class DayReport(Value):
    """The whole answer. ``row_count`` is how many sales it was made of, reversed ones included."""

    report: str
    definition: str
    first: date
    last: date
    as_of: tuple[AsOf, ...]
    row_count: int
    days: tuple[DayRow, ...]
    total: DayRow


def day_report(path: Path, first: date, last: date, zone: tzinfo) -> DayReport:
    """Every day from ``first`` to ``last``, both included, of the store's zone. Raises InputError, StoreError."""
    _check_period(first, last)
    low, high = _number(first), _number(last)
    sums = {number: Counter[str]() for number in range(low, high + 1)}
    with reading(path) as backend:
        as_of = tuple(AsOf(till=till, at=from_ms(ms).astimezone(UTC)) for till, ms in rows(backend, _newest_facts(backend)))
        for columns, found in ((SOLD, _sold(backend, low, high)), (BACK, _back(backend, low, high))):
            for number, *figures in rows(backend, found):
                sums[number].update(dict(zip(columns, figures, strict=True)))
        for number, is_undone, ended_ms, amount in rows(backend, _paid(backend, low, high)):
            if not is_undone or _ended(number, ended_ms, zone) > number:
                sums[number].update(by_gift_card_minor=amount)
        for undone in rows(backend, _undone(backend, low, high)):
            _add_undone(sums, dict(zip(UNDONE, undone, strict=True)), zone)
    total = sum(sums.values(), Counter[str]())
    return DayReport(
        report="day",
        definition=DEFINITION,
        first=first,
        last=last,
        as_of=as_of,
        row_count=total["receipts"],
        days=tuple(_row(EPOCH_DAY + timedelta(days=number), one) for number, one in sums.items()),
        total=_row(None, total),
    )


SUMS = ("gross_minor", "total_minor", "due_minor", "redeemed_centi", "accrued_centi", "advance_minor")
SOLD = ("receipts", "sales", "with_card", *SUMS)
BACK = ("returns", "refunded_minor", "advance_back_minor")
PAID = ("biz_day", "undone", "ended_ms", "amount")
UNDONE = ("biz_day", "ended_ms", "has_card", *SUMS)


def _sold(backend: Any, first: int, last: int) -> Any:
    """One row a business day: the day, then SOLD."""
    sale = backend.table("sale")
    kept = sale.filter(sale.biz_day >= first, sale.biz_day <= last, sale.state == "completed")
    of_goods = (kept.advance_minor == 0) | (kept.gross_minor > kept.advance_minor)
    return (
        kept.group_by("biz_day")
        .aggregate(
            receipts=kept.count(),
            sales=of_goods.ifelse(1, 0).sum(),
            with_card=(of_goods & kept.member.notnull()).ifelse(1, 0).sum(),
            **{name: kept[name].sum() for name in SUMS},
        )
        .select("biz_day", *SOLD)
    )


def _back(backend: Any, first: int, last: int) -> Any:
    """One row a business day on which goods came back: the day, then BACK."""
    back = backend.table("sale_return")
    kept = back.filter(back.biz_day >= first, back.biz_day <= last)
    sums = kept.group_by("biz_day").aggregate(
        returns=kept.count(),
        refunded_minor=(kept.refund_minor - kept.advance_minor).sum(),
        advance_back_minor=kept.advance_minor.sum(),
    )
    return sums.select("biz_day", *BACK)


def _paid(backend: Any, first: int, last: int) -> Any:
    """What gift cards paid of the period's sales, by the ledger, by day and by when the sale was undone: PAID."""
    entry, txn, sale = backend.table("entry"), backend.table("txn"), backend.table("sale")
    paid = entry.filter(entry.credit_acct == REDEEMED).select("amount", id="txn").join(txn.select("id", "till", "sale_id"), "id")
    kept = sale.filter(sale.biz_day >= first, sale.biz_day <= last, sale.state.isin(["completed", "reversed"]))
    kept = kept.mutate(undone=kept.state == "reversed").select("till", "sale_id", "biz_day", "undone", "ended_ms")
    found = paid.join(kept, ["till", "sale_id"])
    return found.group_by(["biz_day", "undone", "ended_ms"]).aggregate(amount=found.amount.sum()).select(*PAID)


def _undone(backend: Any, first: int, last: int) -> Any:
    """Each reversed sale that was sold in the period, or before it and may have been undone in it: UNDONE."""
    sale = backend.table("sale")
    kept = sale.filter(sale.biz_day <= last, sale.state == "reversed")
    kept = kept.filter((kept.biz_day >= first) | (kept.ended_ms >= (first - 1) * DAY_MS))
    return kept.mutate(has_card=kept.member.notnull().ifelse(1, 0)).select(*UNDONE)


def _add_undone(sums: dict[int, Counter[str]], sale: dict[str, int], zone: tzinfo) -> None:
    """A sale undone at once stands apart; one undone later was sold on its day, and comes back on the other."""
    sold, advance = sale["biz_day"], sale["advance_minor"]
    ended = _ended(sold, sale["ended_ms"], zone)
    money = sale["due_minor"] - advance
    if ended <= sold:
        sums[sold].update(receipts=1, reversed_sales=1, reversed_due_minor=money)
        return
    is_of_goods = not advance or sale["gross_minor"] > advance
    if sold in sums:
        figures = {name: sale[name] for name in SUMS}
        sums[sold].update(figures | {"receipts": 1, "sales": is_of_goods, "with_card": is_of_goods and sale["has_card"]})
    if ended in sums:
        sums[ended].update(returns=1, refunded_minor=money, advance_back_minor=advance)


def _ended(sold: int, ended_ms: int | None, zone: tzinfo) -> int:
    """The day on which a sale was undone."""
    return sold if ended_ms is None else _number(from_ms(ended_ms).astimezone(zone).date())


def _newest_facts(backend: Any) -> Any:
    """For each till, when its newest fact in this file happened: found by the log's index, not by reading the log."""
    txn = backend.table("txn")
    last = txn.group_by(["till", "epoch"]).aggregate(seq=txn.seq.max())
    newest = txn.join(last, ["till", "epoch", "seq"])
    return newest.group_by("till").aggregate(at_ms=newest.wall_ms.max()).order_by(ibis().asc("till"))


def _row(day: date | None, one: Counter[str]) -> DayRow:
    sales, advance = one["sales"], one["advance_minor"]
    due = one["due_minor"] - advance
    return DayRow(
        day=day,
        sales=sales,
        with_card=one["with_card"],
        gross_minor=Minor(one["gross_minor"] - advance),
        saved_minor=Minor(one["gross_minor"] - one["total_minor"]),
        redeemed_centi=Points(one["redeemed_centi"]),
        points_minor=Minor(one["total_minor"] - one["due_minor"]),
        due_minor=Minor(due),
        accrued_centi=Points(one["accrued_centi"]),
        average_minor=Minor((due * 2 + sales) // (sales * 2)) if sales else None,
        reversed_sales=one["reversed_sales"],
        reversed_due_minor=Minor(one["reversed_due_minor"]),
        returns=one["returns"],
        refunded_minor=Minor(one["refunded_minor"]),
        turnover_minor=Minor(due - one["refunded_minor"]),
        gift_cards_minor=Minor(advance - one["advance_back_minor"]),
        by_gift_card_minor=Minor(one["by_gift_card_minor"]),
    )


def _number(day: date) -> int:
    return (day - EPOCH_DAY).days


def _check_period(first: date, last: date) -> None:
    if last < first:
        raise InputError("--to", f"{last} is before {first}; write the earlier day after --from")
    if (last - first).days >= DAYS_MAX:
        raise InputError("--to", f"a report covers at most {DAYS_MAX} days; ask for a shorter period")
