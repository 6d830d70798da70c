"""Report ``coupons``: how many codes of each series there are, how many sales took one, which were used twice, money given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.conditions import Coupon, Not, Term
from pos_loyalty.engine.programme import Programme
from pos_loyalty.reports.source import ibis, reading, rows
from pos_loyalty.values import Minor, Value

DEFINITION = (
    "Made = codes given by completed sales and acts, imported or made for print. Reserved = by sales that wait for payment. "
    "Used = by completed sales. Twice = codes that more than one sale took: a person settles each. "
    "Given = money that the rules asking for the series took off in completed sales; of two series, for both. "
    "Unconfirmed = codes that sales of this till take and head office does not know of yet."
)
STANDING = ("authorised", "completed")
CENTI = 100


class SeriesRow(Value):
    """One series. A series with a shared code has no codes of its own: only its money is counted."""

    series: str
    made: int
    reserved: int
    used: int
    twice: int
    given_minor: Minor


class CouponReport(Value):
    """The whole answer, by series. Sales that were voided or cancelled are in no column."""

    report: str
    definition: str
    programme: str | None
    series: tuple[SeriesRow, ...]
    unconfirmed: int


def coupon_report(path: Path) -> CouponReport:
    """All that the file holds. Raises StoreError."""
    with reading(path) as backend:
        made = dict(rows(backend, _made(backend)))
        taken = {(series, state): count for series, state, count in rows(backend, _taken(backend))}
        twice = dict(rows(backend, _twice(backend)))
        given = dict(rows(backend, _given(backend)))
        programme = _programme(backend)
        unconfirmed = rows(backend, _unconfirmed(backend))[0][0]
    rules = {} if programme is None else _rules_by_series(programme)
    names = sorted({*made, *(series for series, _ in taken), *rules, *([] if programme is None else programme.series)})
    return CouponReport(
        report="coupons",
        definition=DEFINITION,
        programme=None if programme is None else programme.name,
        series=tuple(
            SeriesRow(
                series=name,
                made=made.get(name, 0),
                reserved=taken.get((name, "authorised"), 0),
                used=taken.get((name, "completed"), 0),
                twice=twice.get(name, 0),
                given_minor=Minor(sum(given.get(rule, 0) for rule in rules.get(name, ()))),
            )
            for name in names
        ),
        unconfirmed=unconfirmed,
    )


def as_lines(report: CouponReport, currency: str) -> str:
    """The report as an aligned table with its definition."""
    heads = ("series", "made", "reserved", "used", "twice", f"given, {currency}")
    cells = [heads, *(_words(row) for row in report.series)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(heads))]
    body = [
        "  ".join(cell.ljust(w) if n == 0 else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    return "\n".join(("Report coupons", report.definition, "", *body, "", f"Unconfirmed: {report.unconfirmed}."))


def _words(row: SeriesRow) -> tuple[str, ...]:
    money = f"{row.given_minor // CENTI}.{row.given_minor % CENTI:02d}"
    return row.series, str(row.made), str(row.reserved), str(row.used), str(row.twice), money


def _made(backend: Any) -> Any:
    codes = _codes(backend)
    return codes.group_by("series").aggregate(count=codes.code.nunique())


def _taken(backend: Any) -> Any:
    use = _uses(backend)
    return use.group_by(["series", "state"]).aggregate(count=use.code.nunique())


def _twice(backend: Any) -> Any:
    use = _uses(backend)
    by_code = use.group_by(["series", "code"]).aggregate(sales=use.sale_id.count())
    often = by_code.filter(by_code.sales > 1)
    return often.group_by("series").aggregate(count=often.code.count())


def _given(backend: Any) -> Any:
    sale, adjustment = backend.table("sale"), backend.table("adjustment")
    done = adjustment.join(sale.filter(sale.state == "completed").select("till", "sale_id"), ["till", "sale_id"])
    return done.group_by("rule").aggregate(off=done.off_minor.sum())


def _unconfirmed(backend: Any) -> Any:
    """Of a till under a head office; where nothing was ever confirmed there may be none."""
    txn, sale, state = backend.table("txn"), backend.table("sale"), backend.table("sync_state")
    meta = backend.table("meta")
    owner = meta.filter(meta.key == "owner").select(till="value")
    unsent = txn.join(owner, "till").cross_join(state.select("acked_seq", "heard_ms"))
    unsent = unsent.filter(unsent.seq > unsent.acked_seq, unsent.heard_ms.notnull()).select(txn="id")
    standing = sale.filter(sale.state.isin(STANDING)).select("till", "sale_id", "txn").join(unsent, "txn")
    return backend.table("coupon_use").join(standing, ["till", "sale_id"]).aggregate(count=lambda use: use.code.count())


def _codes(backend: Any) -> Any:
    """Codes that may be used, by series: imported or printed, and issued by what stands."""
    issue, sale, code = backend.table("issue"), backend.table("sale"), backend.table("coupon_code")
    coupons = issue.filter(issue.code.notnull())
    undone = sale.filter(sale.state != "completed").select("txn")
    return _named(coupons.anti_join(undone, "txn")).union(_named(code))


def _uses(backend: Any) -> Any:
    """Codes taken by sales that stand, each with the series that this file or head office's word gives it."""
    use, sale = backend.table("coupon_use"), backend.table("sale")
    standing = sale.filter(sale.state.isin(STANDING)).select("till", "sale_id", "state")
    issue, code, word = backend.table("issue"), backend.table("coupon_code"), backend.table("coupon_word")
    every = _named(issue.filter(issue.code.notnull())).union(_named(code)).union(_named(word)).distinct()
    return use.join(standing, ["till", "sale_id"]).join(every, "code")


def _named(table: Any) -> Any:
    """Two columns of one kind in every table: only then may tables be put together."""
    nullable = ibis().expr.datatypes.String(nullable=True)
    return table.select(code=table.code.cast(nullable), series=table.series.cast(nullable))


def _programme(backend: Any) -> Programme | None:
    programme = backend.table("programme")
    newest = rows(backend, programme.order_by(programme.arrival.desc()).select("body").limit(1))
    return load_programme(bytes(newest[0][0])) if newest else None


def _rules_by_series(programme: Programme) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for rule in programme.rules:
        for series in set(_series_of(rule.terms)):
            found.setdefault(series, []).append(rule.id)
    return found


def _series_of(terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        if isinstance(term.condition, Coupon):
            yield term.condition.series
        elif not isinstance(term.condition, Not):
            yield from _series_of(term.parts)
