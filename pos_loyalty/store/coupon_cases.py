"""Cases of codes that two sales took: when one of the sales comes off again, the code was used once, and nobody need settle it.

A head office that was restored from a backup hears of a sale again before it hears that the sale was voided, and by then another
one may stand that took the code after it.
"""

from __future__ import annotations

from pos_loyalty.store.cases import OPEN, CaseName
from pos_loyalty.store.db import Connection

TWICE = "coupon.twice"


def at_rest(db: Connection, till: str, sale_id: str) -> tuple[CaseName, ...]:
    """Open cases about sales that took a code of this sale, where no code is taken by two sales that stand."""
    names = []
    key = {"till": till, "sale_id": sale_id}
    for of_till, epoch, seq, of_sale in db.execute(CASES_SELECT, key).fetchall():
        if db.execute(STILL_TWICE_SELECT, {"till": of_till, "sale_id": of_sale}).fetchone() is None:
            names.append(CaseName(till=of_till, epoch=epoch, seq=seq, reason=TWICE))
    return tuple(names)


STANDS = "state IN ('authorised', 'completed')"
CASES_SELECT = f"""SELECT DISTINCT c.till, c.epoch, c.seq, s.sale_id
FROM coupon_use AS mine JOIN coupon_use AS u ON u.code = mine.code
JOIN sale AS s ON s.till = u.till AND s.sale_id = u.sale_id JOIN txn AS t ON t.id = s.txn
JOIN suspense_case AS c ON c.till = t.till AND c.epoch = t.epoch AND c.seq = t.seq AND c.reason = '{TWICE}'
WHERE mine.till = :till AND mine.sale_id = :sale_id
AND NOT EXISTS (SELECT 1 FROM sale AS x WHERE x.till = :till AND x.sale_id = :sale_id AND x.{STANDS})
AND {OPEN} ORDER BY c.till, c.epoch, c.seq"""
STILL_TWICE_SELECT = f"""SELECT 1 FROM coupon_use AS a JOIN sale AS s ON s.till = a.till AND s.sale_id = a.sale_id
JOIN coupon_use AS b ON b.code = a.code AND NOT (b.till = a.till AND b.sale_id = a.sale_id)
JOIN sale AS o ON o.till = b.till AND o.sale_id = b.sale_id
WHERE a.till = :till AND a.sale_id = :sale_id AND s.{STANDS} AND o.{STANDS} LIMIT 1"""
