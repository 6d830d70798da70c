"""At a till: which gift cards and unique codes its own facts moved, so that what nobody needs here can go back to its hub.

A code that was issued again and again is everybody's: nobody asks for a right to it, and it stays out.
"""

from __future__ import annotations

from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_moves import COUPON, GIFT


def since(db: Connection, till: str, epoch: int, seq: int) -> list[tuple[str, str, int, str, int]]:
    """Cards and codes that own facts after a number moved, brought or took rights of: lot, its name, number, kind and instant."""
    key = {"till": till, "epoch": epoch, "seq": seq}
    return [(str(lot), str(name), n, str(kind), ms) for lot, name, n, kind, ms in db.execute(SINCE_SELECT, key)]


OURS = "t.till = :till AND t.epoch = :epoch AND t.seq > :seq"
ONCE = "NOT EXISTS (SELECT 1 FROM issue AS o WHERE o.code = i.code AND (o.txn, o.n) <> (i.txn, i.n))"
SINCE_SELECT = f"""SELECT e.lot, substr(e.lot, {len(GIFT) + 1}) AS name, t.seq, t.kind, t.wall_ms
FROM txn AS t JOIN entry AS e ON e.txn = t.id WHERE {OURS} AND e.lot GLOB '{GIFT}*'
UNION SELECT r.lot, r.member, t.seq, t.kind, t.wall_ms FROM txn AS t
JOIN right_line AS r ON r.grant_id = CAST(t.payload AS TEXT) ->> '$.grant.grant_id'
WHERE {OURS} AND t.kind = 'rights.taken' AND (r.lot GLOB '{GIFT}*' OR r.lot GLOB '{COUPON}*')
UNION SELECT '{COUPON}' || i.code, i.code, t.seq, t.kind, t.wall_ms FROM txn AS t JOIN issue AS i ON i.txn = t.id
WHERE {OURS} AND i.code IS NOT NULL AND {ONCE}
UNION SELECT '{COUPON}' || m.code, m.code, t.seq, t.kind, t.wall_ms FROM txn AS t JOIN coupon_made AS m ON m.txn = t.id
WHERE {OURS}
UNION SELECT '{COUPON}' || u.code, u.code, t.seq, t.kind, t.wall_ms FROM txn AS t
JOIN coupon_use AS u ON u.till = t.till AND u.sale_id = t.sale_id
WHERE {OURS} AND t.kind IN ('sale.cancelled', 'sale.reversed')
ORDER BY 3, 1"""
