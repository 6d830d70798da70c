"""What a member owes is settled by points that come to them later, new ones or such as a lot gets back. The entries follow
in the same fact, and no point is made or lost.

Rule: at once, out of pending points too. A debt that waited for them to become usable would meet them only by a fact of its own,
which two tills could make; and points that settled something are none that could be redeemed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from pos_loyalty.engine.ledger import member_account, owed_account
from pos_loyalty.engine.lots import take
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.values import Points

SETTLES = "points.owed"
"""Stands as the rule of entries that settle what is owed; no rule can be called so."""


def is_settling(entry: Entry) -> bool:
    """Whether an entry settles what its member owes."""
    member_id = entry.member_id or ""
    return entry.rule == SETTLES and (entry.debit, entry.credit) == (member_account(member_id), owed_account(member_id))


def lessened_members(entries: Iterable[Entry]) -> frozenset[str]:
    """Whose debt these entries lessen."""
    return frozenset(who for entry in entries if (who := entry.member_id) is not None and entry.credit == owed_account(who))


def is_unsettling(entry: Entry) -> bool:
    """Whether a lot gets back by an entry what it settled."""
    member_id = entry.member_id or ""
    return entry.rule == SETTLES and (entry.debit, entry.credit) == (owed_account(member_id), member_account(member_id))


def settled_by(entries: Iterable[Entry], member_id: str | None) -> Points:
    """How much of what a member owed these entries settle."""
    return Points(sum(entry.amount for entry in entries if is_settling(entry) and entry.member_id == member_id))


def gainers(entries: Iterable[Entry]) -> frozenset[str]:
    """Members who get points by these entries: new ones, or ones that go back to their lots."""
    return frozenset(entry.member_id for entry in entries if entry.member_id is not None and _gives(entry))


def settle_owed(entries: Iterable[Entry], owed_centi: Mapping[str, int], dead: Collection[str]) -> tuple[Entry, ...]:
    """What the points that entries bring settle, to stand after them: each lot as far as it gained by them, in their order.

    ``owed_centi``: by member, what they owe before the entries; others settle nothing. ``dead``: lots that have expired.
    """
    left = dict(owed_centi)
    gained: dict[tuple[str, str], int] = {}
    for entry in entries:
        member_id, owed = entry.member_id or "", owed_account(entry.member_id or "")
        if member_id not in left:
            continue
        left[member_id] += entry.amount * ((entry.debit == owed) - (entry.credit == owed))
        if entry.lot_id is not None and entry.lot_id not in dead:
            sign = _gives(entry) - (entry.debit == member_account(member_id))
            gained[member_id, entry.lot_id] = gained.get((member_id, entry.lot_id), 0) + sign * entry.amount
    made: list[Entry] = []
    for (member_id, lot_id), centi in gained.items():
        part = min(centi, left[member_id])
        if part > 0:
            left[member_id] -= part
            made.append(_settling(member_id, lot_id, part))
    return tuple(made)


def _gives(entry: Entry) -> bool:
    return entry.credit == member_account(entry.member_id or "")


def settle_from_lots(member_id: str, lots: Sequence[Lot], owed_centi: int) -> tuple[Entry, ...]:
    """What lots settle, in the order given: for members who have become one."""
    return tuple(_settling(member_id, use.lot_id, use.centi) for use in take(lots, owed_centi))


def _settling(member_id: str, lot_id: str, centi: int) -> Entry:
    return Entry(
        kind="adjust",
        debit=member_account(member_id),
        credit=owed_account(member_id),
        amount=Points(centi),
        member_id=member_id,
        lot_id=lot_id,
        rule=SETTLES,
    )


def unsettle(member_id: str, lot_id: str, centi: int) -> Entry:
    """A lot gets back what it settled, because it was not owed in the end."""
    entry = _settling(member_id, lot_id, centi)
    return replace(entry, debit=entry.credit, credit=entry.debit)
