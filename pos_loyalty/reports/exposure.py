"""Report ``exposure``: how much of what members have could be redeemed here twice, told before it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pos_loyalty.config import Config
from pos_loyalty.engine.figures import points_text
from pos_loyalty.reports.source import ibis, reading, rows
from pos_loyalty.values import Points, Value

DEFINITION = (
    "Exposure = what this till may redeem of points that others may redeem too, on one business day while it is cut off: under "
    "allowance the cap of each member, as far as they have points; nothing under escrow, under refuse and without a head office. "
    "Open = points redeemed so that head office does not hold yet. Each till has its own; the chain's is the sum."
)


class ExposureReport(Value):
    """The whole answer. ``cap_centi``: of one member on one day."""

    report: str
    definition: str
    policy: str
    cap_centi: Points
    members: int
    exposure_centi: Points
    open_centi: Points


def exposure_report(path: Path, config: Config) -> ExposureReport:
    """Of a till\'s file, by its config. Raises StoreError."""
    is_exposed = config.head_office.url is not None and config.offline.policy == "allowance"
    cap = config.offline.cap_centi if is_exposed else 0
    with reading(path) as backend:
        members, exposed = rows(backend, _exposed(backend, cap))[0]
        open_centi = rows(backend, _open(backend))[0][0]
    return ExposureReport(
        report="exposure",
        definition=DEFINITION,
        policy="none" if config.head_office.url is None else config.offline.policy,
        cap_centi=Points(cap),
        members=members,
        exposure_centi=Points(exposed or 0),
        open_centi=Points(open_centi or 0),
    )


def as_lines(report: ExposureReport) -> str:
    """The report as sentences with its definition."""
    told = (
        f"Policy {report.policy}, cap {points_text(report.cap_centi)} points.",
        f"Exposure: {points_text(report.exposure_centi)} points of {report.members} members.",
        f"Open: {points_text(report.open_centi)} points.",
    )
    return "\n".join(("Report exposure", report.definition, "", *told))


def _exposed(backend: Any, cap_centi: int) -> Any:
    lot = backend.table("lot")
    held = lot.filter(lot.remaining > 0).group_by("member").aggregate(centi=lot.remaining.sum())
    return held.aggregate(members=held.count(), exposed=ibis().least(held.centi, cap_centi).sum())


def _open(backend: Any) -> Any:
    txn, sale, state = backend.table("txn"), backend.table("sale"), backend.table("sync_state")
    told = sale.filter(sale.offline_centi > 0, sale.state.isin(("authorised", "completed"))).join(txn, sale.txn == txn.id)
    return told.cross_join(state.select("acked_seq")).filter(lambda row: row.seq > row.acked_seq).offline_centi.sum().as_table()
