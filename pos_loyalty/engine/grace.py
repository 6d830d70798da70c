"""Grace: points that come back to a lot which has expired, or soon will, stay usable for a term. They move on to a new lot.

Rule: a lot keeps its own dates, so that what is stored of it follows from the entry that made it; what it holds besides stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.lapsed import is_forgiving
from pos_loyalty.engine.ledger import ADJUSTMENT, GRACE, member_account, owed_account
from pos_loyalty.engine.lots import in_order, moved_name, take
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.values import Points, Value


class Grace(Value):
    """A term: points that come back stay usable until ``until`` at least.

    ``ref`` names the act that brings them back and stands once: its lots are called by ``moved_name``.
    """

    until: datetime
    ref: str
    used_up: frozenset[str] = frozenset()
    """Lots whose points had their grace before: they keep their end. Points get a grace once."""


def graced(entries: Sequence[Entry], lots: Sequence[Lot], grace: Grace | None) -> tuple[Entry, ...]:
    """The entries of a release, a reverse or a return, and after them what moves the points on by way of the adjustment account.

    ``lots``: the member's as they stood before the entries. A debt that the entries made is first paid out of what moves on.
    """
    done = tuple(entries)
    if grace is None:
        return done
    held = _after(done, lots)
    moved, made = _move_on(done, held, grace)
    if not moved or any(is_forgiving(entry) for entry in done):  # there is nothing to pay
        return done + moved
    kept, paid = _pay(done, list(made), moved[0].member_id or "")
    return kept + moved + paid


def _after(entries: Sequence[Entry], lots: Sequence[Lot]) -> dict[str, Lot]:
    held = {lot.lot_id: lot for lot in lots}
    for entry in entries:
        lot = held.get(entry.lot_id or "")
        account = member_account(entry.member_id or "")
        if lot is not None and account in (entry.debit, entry.credit):
            sign = 1 if entry.credit == account else -1
            held[lot.lot_id] = replace(lot, centi=Points(lot.centi + sign * entry.amount))
    return held


def _move_on(entries: Sequence[Entry], held: dict[str, Lot], grace: Grace) -> tuple[tuple[Entry, ...], tuple[Lot, ...]]:
    """The moves, and the lots that they make."""
    back: dict[str, int] = {}
    for entry in entries:
        if entry.kind == "reverse" and entry.lot_id is not None and entry.credit == member_account(entry.member_id or ""):
            back[entry.lot_id] = back.get(entry.lot_id, 0) + entry.amount
    members = {entry.lot_id: entry.member_id for entry in entries}
    moves: list[Entry] = []
    made: list[Lot] = []
    for lot in in_order(held[lot_id] for lot_id in back if lot_id in held):
        centi = min(back[lot.lot_id], lot.centi)
        if centi <= 0 or lot.lot_id in grace.used_up or lot.expires_at is None or lot.expires_at >= grace.until:
            continue
        made.append(
            replace(lot, lot_id=moved_name(grace.ref, len(made), is_graced=True), centi=Points(centi), expires_at=grace.until)
        )
        moves += _pair(lot, made[-1], members[lot.lot_id] or "")
    return tuple(moves), tuple(made)


def _pair(lot: Lot, new: Lot, member_id: str) -> tuple[Entry, Entry]:
    account = member_account(member_id)
    out = Entry(
        kind="adjust", debit=account, credit=ADJUSTMENT, amount=new.centi, member_id=member_id, lot_id=lot.lot_id, rule=GRACE
    )
    dates = {"usable_from": new.usable_from, "expires_at": new.expires_at}
    return out, replace(out, kind="accrue", debit=ADJUSTMENT, credit=account, lot_id=new.lot_id, **dates)


def _pay(entries: Sequence[Entry], lots: list[Lot], member_id: str) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The entries with smaller debts of this member, and what the member's lots pay of them."""
    kept: list[Entry] = []
    paid: list[Entry] = []
    for entry in entries:
        if entry.kind != "reverse" or entry.member_id != member_id or entry.debit != owed_account(member_id):
            kept.append(entry)
            continue
        uses = take(lots, entry.amount)
        for use in uses:
            place = next(n for n, lot in enumerate(lots) if lot.lot_id == use.lot_id)
            lots[place] = replace(lots[place], centi=Points(lots[place].centi - use.centi))
            debit = member_account(member_id)
            paid.append(replace(entry, debit=debit, lot_id=use.lot_id, amount=use.centi))
        left = entry.amount - sum(use.centi for use in uses)
        if left:
            kept.append(replace(entry, amount=left))
    return tuple(kept), tuple(paid)
