"""Goods come back whose points were used before their lot ended: what was used is taken back, what was lost with the lot is not.

Rule: ``settle_return`` and ``reverse`` know what a lot holds, not where the rest of it went. This adds what they let go.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.ledger import take_back
from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Entry, Instant, Lot
from pos_loyalty.values import Points, Value

ISSUED = ":issued"


class Lapsed(Value):
    """A lot that ended and is to be taken back. ``used_centi``: of its points, those that were used and not taken back so far."""

    entry: Entry
    """What is to be taken back, as an accrual of it."""
    used_centi: Points


def take_lapsed(lapsed: Sequence[Lapsed], done: Sequence[Entry], lots: Sequence[Lot], now: Instant) -> tuple[Entry, ...]:
    """What of the used points ``done`` did not take: from the member's lots that live, soonest to end first; the rest is owed.

    ``lots``: the member's as they stood before ``done``.
    """
    made: tuple[Entry, ...] = ()
    for each in lapsed:
        entry = each.entry
        got = sum(taken.amount for taken in done if taken.kind == "reverse" and _same(taken, entry))
        centi = Points(min(each.used_centi, entry.amount - got))
        if centi > 0:
            programme_id = entry.debit.removeprefix("programme:").removesuffix(ISSUED)
            held = tuple(_after(lot, (*done, *made)) for lot in lots)
            taken_back = take_back(entry.member_id or "", centi, held, programme_id, now)
            made += tuple(replace(taken, rule=entry.rule) for taken in taken_back)
    return made


def ended(entries: Sequence[Entry], lots: Sequence[Lot], now: Instant) -> tuple[Entry, ...]:
    """Of the accruals those whose lot has ended."""
    dead = {lot.lot_id for lot in lots if is_expired(lot, now)}
    return tuple(entry for entry in entries if entry.lot_id in dead)


def _same(taken: Entry, accrual: Entry) -> bool:
    return (taken.credit, taken.rule, taken.member_id) == (accrual.debit, accrual.rule, accrual.member_id)


def _after(lot: Lot, entries: Sequence[Entry]) -> Lot:
    account = "member:"
    moved = sum(
        entry.amount * (entry.credit.startswith(account) - entry.debit.startswith(account))
        for entry in entries
        if entry.lot_id == lot.lot_id
    )
    return replace(lot, centi=Points(lot.centi + moved)) if moved else lot
