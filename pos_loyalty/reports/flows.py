"""What moved in the ledger by day and by the kinds of account: the reports of points and gift cards are made of it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta, tzinfo
from io import StringIO
from typing import Any

from pos_loyalty.clock import from_ms
from pos_loyalty.errors import InputError
from pos_loyalty.reports.source import ibis, rows
from pos_loyalty.values import Value

DAYS_MAX = 3660
BUCKET_MS = 900_000
"""A quarter of an hour: every zone is so many of them from UTC, so a day begins with one."""
STANDING = ("outstanding", "owed")
"""Columns that say what stands, not what moved."""
COLUMNS = ("bucket", "kind", "debit", "credit", "makes_card", "amount")


class DayFlows(Value):
    """One day, or all of them together: figures by column in whole hundredths or minor units. What stands is as of its end."""

    day: date | None
    figures: dict[str, int]


class FlowReport(Value):
    """The whole answer. ``unit``: "point" or a currency."""

    report: str
    definition: str
    unit: str
    first: date
    last: date
    days: tuple[DayFlows, ...]
    total: DayFlows


class Flow(Value):
    """What entries of one kind moved on one day. ``debit``, ``credit``: "member" for ``member:7``, "issued" for
    ``programme:shop:issued``, else the account. ``makes_card``: the fact that made the gift card."""

    day: date
    kind: str
    debit: str
    credit: str
    makes_card: bool
    amount: int


def flows(backend: Any, unit: str, zone: tzinfo) -> Iterator[Flow]:
    """Everything in this unit that the file holds, day by day of the zone and by the tills' clocks."""
    entry, txn, card = backend.table("entry"), backend.table("txn"), backend.table("gift_card")
    made = card.select(made="txn").distinct()
    found = entry.filter(entry.unit == unit).select("kind", "amount", "debit_acct", "credit_acct", id="txn")
    found = found.join(txn.select("id", "wall_ms"), "id")
    found = found.left_join(made, found.id == made.made)
    found = found.mutate(
        bucket=found.wall_ms // BUCKET_MS,
        debit=_account(found.debit_acct),
        credit=_account(found.credit_acct),
        makes_card=found.made.notnull().ifelse(1, 0),
    )
    keys = COLUMNS[:-1]
    summed = found.group_by(list(keys)).aggregate(amount=found.amount.sum()).select(*COLUMNS).order_by(list(keys))
    for bucket, kind, debit, credit, makes_card, amount in rows(backend, summed):
        day = from_ms(bucket * BUCKET_MS).astimezone(zone).date()
        yield Flow(day=day, kind=kind, debit=debit, credit=credit, makes_card=bool(makes_card), amount=amount)


def period(first: date, last: date) -> tuple[date, ...]:
    """The days from ``first`` to ``last``, both included. Raises InputError."""
    if last < first:
        raise InputError("--to", f"{last} is before {first}; write the earlier day after --from")
    if (last - first).days >= DAYS_MAX:
        raise InputError("--to", f"a report covers at most {DAYS_MAX} days; ask for a shorter period")
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def flow_report(
    name: str,
    definition: str,
    unit: str,
    days: tuple[date, ...],
    moved: Iterable[tuple[date, dict[str, int]]],
    stand: tuple[str, ...],
) -> FlowReport:
    """Each day's sums of what ``moved`` says. Columns in ``stand`` are summed from the beginning of the file to the day's end."""
    by_day: dict[date, Counter[str]] = {day: Counter() for day in days}
    standing, before = Counter[str](), sorted(moved, key=lambda one: one[0])
    at = 0
    for day in days:
        while at < len(before) and before[at][0] <= day:
            when, figures = before[at]
            if when == day:
                by_day[day].update({column: figure for column, figure in figures.items() if column not in stand})
            standing.update({column: figure for column, figure in figures.items() if column in stand})
            at += 1
        by_day[day].update({column: standing[column] for column in stand})
    total = Counter[str]()
    for figures in by_day.values():
        total.update({column: figure for column, figure in figures.items() if column not in stand})
    total.update({column: standing[column] for column in stand})
    rows_of_days = tuple(DayFlows(day=day, figures=dict(figures)) for day, figures in by_day.items())
    ends = {"first": days[0], "last": days[-1]}
    return FlowReport(
        report=name, definition=definition, unit=unit, days=rows_of_days, total=DayFlows(day=None, figures=dict(total)), **ends
    )  # fmt: skip


def as_csv(report: FlowReport, columns: tuple[str, ...]) -> str:
    """One row a day, whole hundredths or minor units."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("day", *columns))
    for row in report.days:
        writer.writerow((row.day, *(row.figures.get(column, 0) for column in columns)))
    return out.getvalue()


def as_lines(report: FlowReport, columns: tuple[str, ...], exponent: int) -> str:
    """An aligned table with the definition; days on which nothing moved are left out."""
    moves = [column for column in columns if not column.startswith(STANDING)]
    quiet = [row for row in report.days if not any(row.figures.get(column) for column in moves)]
    shown = [row for row in report.days if row not in quiet]
    cells = [("day", *(column.rpartition("_")[0].replace("_", " ") for column in columns))]
    for row in (*shown, report.total):
        cells.append((str(row.day or "total"), *(_figure(row.figures.get(column, 0), exponent) for column in columns)))
    widths = [max(len(line[n]) for line in cells) for n in range(len(cells[0]))]
    body = ["  ".join((line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:]))).rstrip() for line in cells]
    head = f"Report {report.report}, {report.first} to {report.last}, in {'points' if report.unit == 'point' else report.unit}"
    return "\n".join((head, report.definition, "", *body, "", f"Days without a move are left out: {len(quiet)}.", ""))


def _figure(figure: int, exponent: int) -> str:
    digits = str(abs(figure)).zfill(exponent + 1)
    sign = "-" if figure < 0 else ""
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


def _account(column: Any) -> Any:
    """The kind of an account. Only ``programme:{id}:issued`` has its kind at the end."""
    cases = [(column.startswith(f"{kind}:"), kind) for kind in ("member", "held", "owed", "gift")]
    cases += [(column.startswith("gifts:held:"), "gifts:held")]
    cases += [(column.startswith("programme:") & column.endswith(f":{kind}"), kind) for kind in ("issued", "redeemed", "expired")]
    return ibis().cases(*cases, else_=column)
