"""Report ``day``: what each business day sold, saved and gave in points. Completed sales count; reversed ones stand apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pos_loyalty.clock import from_ms
from pos_loyalty.errors import InputError
from pos_loyalty.reports.source import ibis, reading, rows
from pos_loyalty.values import Minor, Points, Value

DAYS_MAX = 3660
EPOCH_DAY = date(1970, 1, 1)
DEFINITION = (
    "Completed sales by business day. Saved = gross less total after rules. By points = what of the total points paid. "
    "Due = total less points. Average = due / sales, half up. "
    "Reversed sales are in no other column; they stand on the day they were sold. "
    "Returns stand on the day on which the goods came back; no other column knows of them."
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


def day_report(path: Path, first: date, last: date) -> DayReport:
    """Every day from ``first`` to ``last``, both included. Raises InputError for the period, StoreError for the file."""
    _check_period(first, last)
    with reading(path) as backend:
        as_of = tuple(AsOf(till=till, at=from_ms(ms).astimezone(UTC)) for till, ms in rows(backend, _newest_facts(backend)))
        found = {row[0]: row[1:] for row in rows(backend, _by_day(backend, _number(first), _number(last)))}
        back = {row[0]: row[1:] for row in rows(backend, _back_by_day(backend, _number(first), _number(last)))}
    wanted = range(_number(first), _number(last) + 1)
    sums = {number: (*found.get(number, NO_SALES), *back.get(number, (0, 0))) for number in wanted}
    total = tuple(sum(column) for column in zip(*sums.values(), strict=True))
    return DayReport(
        report="day",
        definition=DEFINITION,
        first=first,
        last=last,
        as_of=as_of,
        row_count=total[0] + total[COLUMNS.index("reversed_sales")],
        days=tuple(_row(EPOCH_DAY + timedelta(days=number), one) for number, one in sums.items()),
        total=_row(None, total),
    )


COLUMNS = (
    "sales",
    "with_card",
    "gross_minor",
    "total_minor",
    "due_minor",
    "redeemed_centi",
    "accrued_centi",
    "reversed_sales",
    "reversed_due_minor",
    "returns",
    "refunded_minor",
)
SALE_COLUMNS = COLUMNS[:-2]
NO_SALES = (0,) * len(SALE_COLUMNS)


def _by_day(backend: Any, first: int, last: int) -> Any:
    """One row a business day: the day, then SALE_COLUMNS."""
    sale = backend.table("sale")
    kept = sale.filter(sale.biz_day >= first, sale.biz_day <= last, sale.state.isin(["completed", "reversed"]))
    done, undone = kept.state == "completed", kept.state == "reversed"

    def summed(column: Any, where: Any) -> Any:
        return where.ifelse(column, 0).sum()

    return (
        kept.group_by("biz_day")
        .aggregate(
            sales=summed(1, done),
            with_card=summed(1, done & kept.member.notnull()),
            gross_minor=summed(kept.gross_minor, done),
            total_minor=summed(kept.total_minor, done),
            due_minor=summed(kept.due_minor, done),
            redeemed_centi=summed(kept.redeemed_centi, done),
            accrued_centi=summed(kept.accrued_centi, done),
            reversed_sales=summed(1, undone),
            reversed_due_minor=summed(kept.due_minor, undone),
        )
        .select("biz_day", *SALE_COLUMNS)
        .order_by("biz_day")
    )


def _back_by_day(backend: Any, first: int, last: int) -> Any:
    """One row a business day on which goods came back: the day, how many returns, what was refunded."""
    back = backend.table("sale_return")
    kept = back.filter(back.biz_day >= first, back.biz_day <= last)
    sums = kept.group_by("biz_day").aggregate(returns=kept.count(), refunded_minor=kept.refund_minor.sum())
    return sums.select("biz_day", "returns", "refunded_minor").order_by("biz_day")


def _newest_facts(backend: Any) -> Any:
    """For each till, when its newest fact in this file happened: found by the log's index, not by reading the log."""
    txn = backend.table("txn")
    last = txn.group_by(["till", "epoch"]).aggregate(seq=txn.seq.max())
    newest = txn.join(last, ["till", "epoch", "seq"])
    return newest.group_by("till").aggregate(at_ms=newest.wall_ms.max()).order_by(ibis().asc("till"))


def _row(day: date | None, sums: tuple[int, ...]) -> DayRow:
    one = dict(zip(COLUMNS, sums, strict=True))
    sales, due = one["sales"], one["due_minor"]
    return DayRow(
        day=day,
        sales=sales,
        with_card=one["with_card"],
        gross_minor=Minor(one["gross_minor"]),
        saved_minor=Minor(one["gross_minor"] - one["total_minor"]),
        redeemed_centi=Points(one["redeemed_centi"]),
        points_minor=Minor(one["total_minor"] - due),
        due_minor=Minor(due),
        accrued_centi=Points(one["accrued_centi"]),
        average_minor=Minor((due * 2 + sales) // (sales * 2)) if sales else None,
        reversed_sales=one["reversed_sales"],
        reversed_due_minor=Minor(one["reversed_due_minor"]),
        returns=one["returns"],
        refunded_minor=Minor(one["refunded_minor"]),
    )


def _number(day: date) -> int:
    return (day - EPOCH_DAY).days


def _check_period(first: date, last: date) -> None:
    if last < first:
        raise InputError("--to", f"{last} is before {first}; write the earlier day after --from")
    if (last - first).days >= DAYS_MAX:
        raise InputError("--to", f"a report covers at most {DAYS_MAX} days; ask for a shorter period")
