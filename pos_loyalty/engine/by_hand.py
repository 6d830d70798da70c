"""Entries of acts by hand: points given or taken, and points carried from one member to another. No point is made or lost.

Accounts: ``adjustment`` bears what is given and taken; ``merge:{loser}`` stands between two members, at nothing after an act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from pos_loyalty.engine.earning import Life, life_of
from pos_loyalty.engine.ledger import ADJUSTMENT, member_account, owed_account
from pos_loyalty.engine.lots import in_order, is_expired, moved_name, take
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.programme import Programme

MERGE: Final = "merge:"
OWED: Final = "owed:"


def merge_account(loser: str) -> str:
    """Where points stand on their way from a member who goes over into another."""
    return f"{MERGE}{loser}"


def is_carrying(entry: Entry) -> bool:
    """Whether an entry moves something from one member to another, or half of the way."""
    return entry.debit.startswith(MERGE) or entry.credit.startswith(MERGE)


def carried_debtors(entries: Iterable[Entry]) -> frozenset[str]:
    """Whose debt goes over to another by these entries."""
    return frozenset(entry.credit.removeprefix(OWED) for entry in entries if is_carrying(entry) and entry.credit.startswith(OWED))


def life_by_hand(programme: Programme, at: datetime, alive_at: datetime) -> Life:
    """Points given by hand live as the programme's own do, and are good at once. ``alive_at``: trusted time; by a clock that is
    behind it, they would be lost before their time."""
    settings = replace(programme.points, delay_days=0)
    life = life_of(None, settings, at, programme.zone)
    return replace(life, expires_at=life_of(None, settings, max(at, alive_at), programme.zone).expires_at)


def give(member_id: str, centi: int, lot_id: str, life: Life) -> tuple[Entry, ...]:
    """Points given: a lot of their own."""
    return (
        Entry(
            kind="accrue",
            debit=ADJUSTMENT,
            credit=member_account(member_id),
            amount=centi,
            member_id=member_id,
            lot_id=lot_id,
            usable_from=life.usable_from,
            expires_at=life.expires_at,
        ),
    )


def takeable(lots: Iterable[Lot], at: datetime) -> tuple[Lot, ...]:
    """Lots that are not lost, pending ones too, soonest to expire first."""
    return in_order(lot for lot in lots if lot.centi > 0 and not is_expired(lot, at))


def take_away(member_id: str, lots: Iterable[Lot], centi: int, at: datetime) -> tuple[Entry, ...]:
    """Points taken, soonest to expire first; what the lots do not hold is owed."""
    uses = take(takeable(lots, at), centi)
    made = [
        Entry(
            kind="adjust",
            debit=member_account(member_id),
            credit=ADJUSTMENT,
            amount=use.centi,
            member_id=member_id,
            lot_id=use.lot_id,
        )
        for use in uses
    ]
    left = centi - sum(use.centi for use in uses)
    if left > 0:
        owed = owed_account(member_id)
        made.append(Entry(kind="adjust", debit=owed, credit=ADJUSTMENT, amount=left, member_id=member_id))
    return tuple(made)


def carry(
    loser: str, winner: str, lots: Iterable[Lot], owed_centi: int, ref: str, graced: Collection[str] = ()
) -> tuple[Entry, ...]:
    """Each of the lots, which are not lost, becomes a lot of the winner with the same dates; what is owed goes over too.

    ``ref`` names the act among all tills; ``graced``: lots whose points had their grace. Two entries for each: head office takes
    no entry that names two members.
    """
    between = merge_account(loser)
    made: list[Entry] = []
    for n, lot in enumerate(lots):
        out = Entry(
            kind="adjust", debit=member_account(loser), credit=between, amount=lot.centi, member_id=loser, lot_id=lot.lot_id
        )  # fmt: skip
        into = Entry(
            kind="accrue",
            debit=between,
            credit=member_account(winner),
            amount=lot.centi,
            member_id=winner,
            lot_id=moved_name(ref, n, is_graced=lot.lot_id in graced),
            usable_from=lot.usable_from,
            expires_at=lot.expires_at,
        )
        made += [out, into]
    if owed_centi > 0:
        made.append(Entry(kind="adjust", debit=between, credit=owed_account(loser), amount=owed_centi, member_id=loser))
        made.append(Entry(kind="adjust", debit=owed_account(winner), credit=between, amount=owed_centi, member_id=winner))
    return tuple(made)
