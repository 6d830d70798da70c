"""Report ``acts``: what people did by hand, who and with whose word, when and why; read from the log by its view ``act``."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from io import StringIO
from pathlib import Path
from typing import Any

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.errors import InputError
from pos_loyalty.reports.source import ibis, reading, rows
from pos_loyalty.values import Points, Value

DAYS_MAX = 3660
ROWS_MAX = 100_000
DEFINITION = (
    "Acts that a person answers for, by the till's clock: voids, returns, forgotten cards, points by hand, merges, changes of "
    "members, tiers, gift cards and coupons. Points are those given (+) or taken (-) by hand or claimed."
)
COLUMNS = ("wall_ms", "till", "seq", "kind", "by", "approved_by", "member", "sale_id", "about", "centi", "reason")
CSV_HEADING = ("at", "till", "seq", "kind", "by", "approved_by", "member", "about", "centi", "reason")


class ActLine(Value):
    """One act. ``about``: the sale, or the member who stays."""

    at: datetime
    till: str
    seq: int
    kind: str
    by: str
    approved_by: str
    member: str | None
    about: str
    centi: Points
    reason: str


class ActsReport(Value):
    """The whole answer, oldest first."""

    report: str
    definition: str
    first: date
    last: date
    row_count: int
    acts: tuple[ActLine, ...]


def acts_report(path: Path, first: date, last: date, zone: tzinfo) -> ActsReport:
    """Acts from ``first`` to ``last``, both included, days of the store's zone. Raises InputError for the period."""
    if last < first or (last - first).days >= DAYS_MAX:
        raise InputError("--to", f"a report covers 1 to {DAYS_MAX} days, the earlier day after --from")
    low = to_ms(datetime.combine(first, time.min, zone))
    high = to_ms(datetime.combine(last + timedelta(days=1), time.min, zone))
    with reading(path) as backend:
        found = [_line(dict(zip(COLUMNS, row, strict=True))) for row in rows(backend, _between(backend, low, high))]
    return ActsReport(
        report="acts", definition=DEFINITION, first=first, last=last, row_count=len(found), acts=tuple(found)
    )  # fmt: skip


def as_csv(report: ActsReport) -> str:
    """One row an act: instants in UTC, hundredths."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADING)
    for act in report.acts:
        writer.writerow("" if value is None else value for value in (getattr(act, name) for name in CSV_HEADING))
    return out.getvalue()


def as_lines(report: ActsReport, zone: tzinfo) -> str:
    """A line an act, for people."""
    told = [f"Report acts, {report.first} to {report.last}", report.definition, ""]
    for act in report.acts:
        word = f" with {act.approved_by}" if act.approved_by else ""
        parts = [f"{act.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", act.kind, f"by {act.by or '-'}{word}"]
        parts += [part for part in (act.member, act.about) if part]
        parts += [_points(act.centi)] if act.centi else []
        told.append("  ".join([*parts, act.reason]).rstrip())
    return "\n".join((*told, "", f"Rows: {report.row_count}.", ""))


def _points(centi: int) -> str:
    whole, rest = divmod(abs(centi), 100)
    return f"{'-' if centi < 0 else '+'}{whole}.{rest:02d}"


def _between(backend: Any, low: int, high: int) -> Any:
    act = backend.table("act")
    order = [ibis().asc("wall_ms"), ibis().asc("till"), ibis().asc("seq")]
    return act.filter(act.wall_ms >= low, act.wall_ms < high).order_by(order).limit(ROWS_MAX).select(*COLUMNS)


def _line(row: dict[str, Any]) -> ActLine:
    return ActLine(
        at=from_ms(row["wall_ms"]).astimezone(UTC),
        till=row["till"],
        seq=row["seq"],
        kind=row["kind"],
        by=row["by"],
        approved_by=row["approved_by"],
        member=row["member"],
        about=row["about"] or row["sale_id"] or "",
        centi=Points(int(row["centi"])),
        reason=row["reason"],
    )
