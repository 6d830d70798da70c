"""A day report as people and spreadsheets read it: an aligned table, or CSV of whole numbers. No figure is "–", never 0."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, tzinfo
from io import StringIO

from pos_loyalty.reports.day import DayReport, DayRow

NOTHING = "–"
CENTI = 100
HEADING_OF_FIELD = {
    "day": "day",
    "sales": "sales",
    "with_card": "with card",
    "gross_minor": "gross",
    "saved_minor": "saved",
    "redeemed_centi": "points redeemed",
    "points_minor": "by points",
    "due_minor": "due",
    "accrued_centi": "points earned",
    "average_minor": "average",
    "reversed_sales": "reversed",
    "reversed_due_minor": "reversed due",
    "returns": "returns",
    "refunded_minor": "refunded",
    "turnover_minor": "turnover",
    "gift_cards_minor": "gift cards",
    "by_gift_card_minor": "by gift card",
}


def as_table(report: DayReport, currency: str, zone: tzinfo) -> str:
    """The report with its definition, period, row count and "data as of" in the store's zone."""
    cells = [tuple(HEADING_OF_FIELD.values()), *(_words(row) for row in report.days), _words(report.total)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADING_OF_FIELD))]
    rule = "  ".join("-" * width for width in widths)
    body = [_aligned(row, widths) for row in cells]
    known = ", ".join(f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S} ({one.till})" for one in report.as_of) or NOTHING
    return "\n".join(
        (
            f"Report {report.report}, {report.first} to {report.last}, money in {currency}",
            report.definition,
            "",
            body[0],
            rule,
            *body[1:-1],
            rule,
            body[-1],
            "",
            f"Rows: {report.row_count} sales, reversed ones included. Data as of: {known}.",
            "",
        )
    )


def as_csv(report: DayReport) -> str:
    """One row a day, without a total: minor units and hundredths, an empty cell where there is no figure."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADING_OF_FIELD)
    for row in report.days:
        writer.writerow("" if value is None else value for value in (getattr(row, name) for name in HEADING_OF_FIELD))
    return out.getvalue()


def _words(row: DayRow) -> tuple[str, ...]:
    return tuple(_cell(name, getattr(row, name)) for name in HEADING_OF_FIELD)


def _cell(name: str, value: date | int | None) -> str:
    if name == "day":
        return str(value or "total")
    if value is None:
        return NOTHING
    assert isinstance(value, int)
    return _decimal(value) if name.endswith(("_minor", "_centi")) else str(value)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = row
    return "  ".join(
        (first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)))
    ).rstrip()


def _decimal(hundredths: int) -> str:
    whole, rest = divmod(abs(hundredths), CENTI)
    return f"{'-' if hundredths < 0 else ''}{whole}.{rest:02d}"
