"""Lots: which points are usable at an instant, which are redeemed first, what is lost next. Dates decide; nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

from pos_loyalty.engine.model import Lot, LotUse
from pos_loyalty.values import Points, Value

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
SOON = timedelta(days=30)
"""Points that are lost within it are expiring."""

GRACED = re.compile(r"[^/]*/[0-9a-f]{32}(\.[0-9]+)*\+grace:[0-9]+")
"""No lot of a sale is called so: there is no plus in a sale's id, nor in a rule's."""

Phase = Literal["pending", "usable", "expiring", "expired"]


class Expiry(Value):
    """Points that are lost at an instant."""

    at: datetime
    centi: Points


class Dated(Value):
    """Points with the same dates. ``usable_from`` None: always; ``expires_at`` None: never."""

    phase: Phase
    centi: Points
    usable_from: datetime | None
    expires_at: datetime | None


def is_usable(lot: Lot, now: datetime) -> bool:
    """Whether a lot may be redeemed: ``usable_from`` is inclusive, ``expires_at`` is the first instant no longer valid."""
    return lot.centi > 0 and (lot.usable_from is None or lot.usable_from <= now) and not is_expired(lot, now)


def is_expired(lot: Lot, now: datetime) -> bool:
    """Whether the lot's last instant has passed."""
    return lot.expires_at is not None and lot.expires_at <= now


def in_order(lots: Iterable[Lot]) -> tuple[Lot, ...]:
    """Soonest to expire first, then oldest, then by id: the order of redemption."""
    return tuple(sorted(lots, key=_rank))


def _rank(lot: Lot) -> tuple[object, ...]:
    since = lot.usable_from
    return lot.expires_at or NEVER, since is not None, since or NEVER, lot.lot_id


def usable(lots: Iterable[Lot], now: datetime) -> tuple[Lot, ...]:
    """The lots that may be redeemed now, in the order of redemption."""
    return in_order(lot for lot in lots if is_usable(lot, now))


def usable_centi(lots: Iterable[Lot], now: datetime) -> Points:
    """Points that may be redeemed now."""
    return Points(sum(lot.centi for lot in lots if is_usable(lot, now)))


def total_centi(lots: Iterable[Lot], now: datetime) -> Points:
    """All points that are not lost: usable and pending."""
    return Points(sum(lot.centi for lot in lots if not is_expired(lot, now)))


def next_expiry(lots: Iterable[Lot], now: datetime) -> Expiry | None:
    """The soonest loss ahead and all points lost at that instant; None when nothing expires."""
    ahead = [(lot.expires_at, lot.centi) for lot in lots if lot.centi > 0 and lot.expires_at is not None and lot.expires_at > now]
    if not ahead:
        return None
    soonest = min(at for at, _ in ahead)
    return Expiry(at=soonest, centi=Points(sum(centi for at, centi in ahead if at == soonest)))


def phase_of(lot: Lot, now: datetime) -> Phase:
    """Where a lot stands in its life; expiring points are usable too."""
    if is_expired(lot, now):
        return "expired"
    if lot.usable_from is not None and lot.usable_from > now:
        return "pending"
    return "expiring" if lot.expires_at is not None and lot.expires_at - now <= SOON else "usable"


def dated(lots: Iterable[Lot], now: datetime) -> tuple[Dated, ...]:
    """What lots hold, by their dates, in the order of redemption: lots with the same dates are one. Expired ones come first."""
    sums: dict[tuple[Phase, datetime | None, datetime | None], int] = {}
    for lot in in_order(lots):
        if lot.centi > 0:
            key = (phase_of(lot, now), lot.usable_from, lot.expires_at)
            sums[key] = sums.get(key, 0) + lot.centi
    return tuple(
        Dated(phase=phase, centi=Points(centi), usable_from=usable_from, expires_at=expires_at)
        for (phase, usable_from, expires_at), centi in sums.items()
    )


def take(lots: Iterable[Lot], centi: int) -> tuple[LotUse, ...]:
    """Points taken from lots in the given order, as far as they hold."""
    uses = []
    left = centi
    for lot in lots:
        part = min(lot.centi, left)
        if part > 0:
            uses.append(LotUse(lot_id=lot.lot_id, centi=Points(part)))
            left -= part
    return tuple(uses)


def moved_name(ref: str, n: int, *, is_graced: bool) -> str:
    """What a lot is called to which points move on. ``ref``: ``{till}/{act}``, the act by 32 signs; ``is_graced``: they had their
    grace, which all tills are to know that hear of the lot."""
    return f"{ref}+grace:{n}" if is_graced else f"{ref}:{n}"


def says_grace(lot_id: str) -> bool:
    """Whether a lot is called as one whose points had their grace."""
    return GRACED.fullmatch(lot_id) is not None
