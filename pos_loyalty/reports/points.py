"""Report ``points``: what was issued, redeemed, expired and adjusted each day, what members owe, and what stands."""

from __future__ import annotations

from datetime import date, tzinfo
from pathlib import Path

from pos_loyalty.engine.model import POINT
from pos_loyalty.reports.flows import Flow, FlowReport, flow_report, flows, period
from pos_loyalty.reports.source import reading

DEFINITION = (
    "Points by the ledger, by the day of the till's clock. Taken back = of sales undone or returned. "
    "Given back = redeemed points that came back with the goods. Adjusted = by hand, opening balances included. "
    "Suspense = contradictions at head office. Outstanding = what members hold at the day's end, pending and set aside too. "
    "Owed = what members owe then. "
    "The change of outstanding less owed is issued, given back, adjusted and suspense less the other columns."
)
COLUMNS = (
    "issued_centi", "taken_back_centi", "redeemed_centi", "given_back_centi", "expired_centi", "adjusted_centi", "suspense_centi",
    "outstanding_centi", "owed_centi",
)  # fmt: skip
EXPONENT = 2
HOLD, OWED = ("member", "held"), "owed"
HOLDERS = (*HOLD, OWED)
COMES = {"issued": "issued_centi", "redeemed": "given_back_centi"}
GOES = {"issued": "taken_back_centi", "redeemed": "redeemed_centi", "expired": "expired_centi"}
NET = {"adjustment": "adjusted_centi"}
"""Points come from these accounts and go to them; what is in neither is suspense, and what revives has not expired."""


def points_report(path: Path, first: date, last: date, zone: tzinfo) -> FlowReport:
    """Every day from ``first`` to ``last``, both included. Raises InputError, StoreError."""
    days = period(first, last)
    with reading(path) as backend:
        moved = [(flow.day, _figures(flow)) for flow in flows(backend, POINT, zone)]
    return flow_report("points", DEFINITION, POINT, days, moved, COLUMNS[-2:])


def _figures(flow: Flow) -> dict[str, int]:
    comes, goes = flow.credit in HOLDERS, flow.debit in HOLDERS
    figures = {
        "outstanding_centi": flow.amount * ((flow.credit in HOLD) - (flow.debit in HOLD)),
        "owed_centi": flow.amount * ((flow.debit == OWED) - (flow.credit == OWED)),
    }
    if comes and not goes:
        if flow.debit == "expired":
            figures["expired_centi"] = -flow.amount
        else:
            figures[COMES.get(flow.debit) or NET.get(flow.debit, "suspense_centi")] = flow.amount
    if goes and not comes:
        column = GOES.get(flow.credit)
        figures[column or NET.get(flow.credit, "suspense_centi")] = flow.amount if column else -flow.amount
    return figures
