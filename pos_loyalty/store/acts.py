"""Acts that a person answers for, read from the log: a view, no table."""

from __future__ import annotations

from pos_loyalty.store.db import Connection

OF_ACTS = """kind IN (
  'sale.reversed', 'sale.returned', 'sale.claimed', 'member.changed', 'member.merged', 'member.tiered', 'points.adjusted',
  'gift_card.changed', 'coupons.added'
)"""
"""Which facts the index ``txn_of_acts`` holds. Said beside ``kind = '…'``, word for word, it spares a look at every sale."""
Place = tuple[int, str, int]
"""When (milliseconds since 1970), which till, which number of its log."""
COLUMNS = (
    "till",
    "epoch",
    "seq",
    "wall_ms",
    "kind",
    "member",
    "sale_id",
    "receipt_no",
    "by",
    "approved_by",
    "reason",
    "about",
    "centi",
)


def newest(db: Connection, before: Place | None, limit: int) -> list[dict[str, object]]:
    """Acts, newest first, from before a place on."""
    wall_ms, till, seq = before or (2**62, "", 0)
    rows = db.execute(ACTS_SELECT, {"wall_ms": wall_ms, "till": till, "seq": seq, "limit": limit})
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


ACTS_SELECT = f"""SELECT {", ".join(COLUMNS)} FROM act
WHERE wall_ms <= :wall_ms AND (wall_ms, till, seq) < (:wall_ms, :till, :seq)
ORDER BY wall_ms DESC, till DESC, seq DESC LIMIT :limit"""
