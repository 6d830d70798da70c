"""The right to redeem a unique code: one unit, held by one till at a time. What moves it stands in right_moves.py.

Rule: a till gives back what nobody used there for a while, each code once after the last fact of ours that brought it: issued,
printed, granted, or good again because its sale was cancelled or voided.
"""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.store import coupon_words, epochs, right_asking, right_holds
from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_facts import LINES_MAX, RightLine
from pos_loyalty.store.right_moves import COUPON, coupon_lot
from pos_loyalty.values import Points

FACTS_MAX = 20_000
"""Of our own that one look goes through."""


def line_of(code: str) -> RightLine:
    """The right to a code, in a grant or a give-back."""
    return RightLine(lot_id=coupon_lot(code), member_id=spelled(code), centi=Points(1))


def is_free(db: Connection, code: str, now: datetime) -> bool:
    """At head office: whether a code may be granted: it is good, no sale that stands takes it, and no till holds it."""
    found = coupon_words.known(db, (code,)).get(code)
    if found is None or not found.is_live or found.taken_sale is not None:
        return False
    if found.expires_at is not None and found.expires_at <= now:
        return False
    return right_holds.held_by_all(db, coupon_lot(code)) == 0


def holds(db: Connection, till: str, code: str, now: datetime) -> bool:
    """Whether this till may redeem a code by itself now."""
    lot = coupon_lot(code)
    held = right_holds.held(db, till, epochs.epoch_of(db), (lot,), now).get(lot)
    return held is not None and held.usable_centi > 0


def idle(db: Connection, till: str, before: datetime, now: datetime) -> tuple[RightLine, ...]:
    """Codes that the till holds and that none of its facts touched since an instant; stands inside ``write()``. What is told is
    given back in the same transaction.

    A fact from beyond now is of a clock that was wrong, and as old as any.
    """
    epoch, begin = epochs.epoch_of(db), right_asking.coupon_idle_seq(db)
    end = min(begin + FACTS_MAX, epochs.place_of(db).seq)
    found: dict[str, RightLine] = {}
    for txn, seq, wall_ms in _touching(db, till, epoch, begin, end):
        if to_ms(before) < wall_ms <= to_ms(now):
            end = seq - 1
            break
        codes = [code for (code,) in db.execute(TOUCHED_SELECT, {"txn": txn, "till": till, "epoch": epoch})]
        held = [code for code in codes if code not in found and _is_held(db, till, epoch, code, now)]
        found |= {code: line_of(code) for code in held[: LINES_MAX - len(found)]}
        if not found.keys() >= set(held):  # more than one fact tells: the next look goes on here
            end = seq - 1
            break
    if end > begin:
        right_asking.put_coupon_idle_seq(db, end)
    return tuple(found[code] for code in sorted(found))


def _touching(db: Connection, till: str, epoch: int, begin: int, end: int) -> list[tuple[bytes, int, int]]:
    key = {"till": till, "epoch": epoch, "begin": begin, "end": end}
    return list(db.execute(TOUCHING_SELECT, key).fetchall())


def _is_held(db: Connection, till: str, epoch: int, code: str, now: datetime) -> bool:
    return bool(right_holds.held(db, till, epoch, (coupon_lot(code),), now)) and not _is_shared(db, code)


def _is_shared(db: Connection, code: str) -> bool:
    """A code that was issued again and again is everybody's: nobody asks for a right to it."""
    return len(db.execute("SELECT 1 FROM issue WHERE code = :code LIMIT 2", {"code": code}).fetchall()) > 1


TOUCHING_SELECT = """SELECT t.id, t.seq, t.wall_ms FROM txn AS t
WHERE t.till = :till AND t.epoch = :epoch AND t.seq > :begin AND t.seq <= :end AND (
  t.kind IN ('rights.taken', 'coupons.added', 'sale.cancelled', 'sale.reversed')
  OR EXISTS (SELECT 1 FROM issue AS i WHERE i.txn = t.id AND i.code IS NOT NULL)
) ORDER BY t.seq"""
TOUCHED_SELECT = f"""SELECT code FROM issue WHERE txn = :txn AND code IS NOT NULL
UNION SELECT code FROM coupon_made WHERE txn = :txn
UNION SELECT l.member FROM right_grant AS g JOIN right_line AS l ON l.grant_id = g.id
WHERE g.till = :till AND g.epoch = :epoch AND g.taken = :txn AND l.lot GLOB '{COUPON}*'
UNION SELECT u.code FROM txn AS t JOIN coupon_use AS u ON u.till = t.till AND u.sale_id = t.sale_id
WHERE t.id = :txn AND t.kind IN ('sale.cancelled', 'sale.reversed') ORDER BY 1"""
