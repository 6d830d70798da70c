"""Report ``gift-cards``: money that came onto gift cards and left them each day, and what stands: an advance, no turnover."""

from __future__ import annotations

from datetime import date, tzinfo
from pathlib import Path

from pos_loyalty.engine.gift_ledger import EXPIRED, GRATIS, PAID_BACK, REDEEMED, SOLD
from pos_loyalty.reports.flows import Flow, FlowReport, flow_report, flows, period
from pos_loyalty.reports.source import reading

DEFINITION = (
    "Money of gift cards by the ledger, by the day of the till's clock. Given = gratis. Opened = brought by an import. "
    "Undone = sales and top-ups of cards that were taken back. Given back = to cards that had paid, with the goods. "
    "Suspense = contradictions at head office. Outstanding = what all cards hold at the day's end, set aside for open sales too."
)
COLUMNS = (
    "sold_minor", "topped_up_minor", "given_minor", "opened_minor", "undone_minor", "redeemed_minor", "given_back_minor",
    "paid_out_minor", "expired_minor", "suspense_minor", "outstanding_minor",
)  # fmt: skip
CARD = ("gift", "gifts:held")
OPENED = "adjustment"
COMES = {GRATIS: "given_minor", REDEEMED: "given_back_minor", OPENED: "opened_minor"}
GOES = {
    SOLD: "undone_minor", GRATIS: "undone_minor", REDEEMED: "redeemed_minor", PAID_BACK: "paid_out_minor",
    EXPIRED: "expired_minor",
}  # fmt: skip


def gift_card_report(path: Path, first: date, last: date, zone: tzinfo, currency: str) -> FlowReport:
    """Every day from ``first`` to ``last``, both included. Raises InputError, StoreError."""
    days = period(first, last)
    with reading(path) as backend:
        moved = [(flow.day, _figures(flow)) for flow in flows(backend, currency, zone)]
    return flow_report("gift-cards", DEFINITION, currency, days, moved, COLUMNS[-1:])


def _figures(flow: Flow) -> dict[str, int]:
    comes, goes = flow.credit in CARD, flow.debit in CARD
    figures = {"outstanding_minor": flow.amount * (comes - goes)}
    if comes and not goes:
        sold = "sold_minor" if flow.makes_card else "topped_up_minor"
        figures[sold if flow.debit == SOLD else COMES.get(flow.debit, "suspense_minor")] = flow.amount
    if goes and not comes:
        column = GOES.get(flow.credit)
        figures[column or "suspense_minor"] = flow.amount if column else -flow.amount
    return figures
