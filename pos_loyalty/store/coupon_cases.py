"""Cases of codes that two sales took: when one of the sales comes off again, the code was used once, and nobody need settle it.

A head office that was restored from a backup hears of a sale again before it hears that the sale was voided, and by then another
one may stand that took the code after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from pos_loyalty.engine.coupons import spelled
from pos_loyalty.store import ledger
from pos_loyalty.store.cases import OPEN, CaseName
from pos_loyalty.store.db import Connection

TWICE = "coupon.twice"
STANDING = ("authorised", "completed")


class _Use(NamedTuple):
    """A sale that took a code. ``txn``: the fact that began it."""

    till: str
    sale_id: str
    txn: bytes
    state: str


def at_rest(db: Connection, till: str, sale_id: str) -> tuple[CaseName, ...]:
    """Open cases about sales that took a code of this sale, which stands no longer, where no code of theirs is taken by two
    sales that stand."""
    row = db.execute("SELECT txn, state FROM sale WHERE till = ? AND sale_id = ?", (till, sale_id)).fetchone()
    if row is None or row[1] in STANDING:
        return ()
    found: dict[bytes, _Use] = {use.txn: use for code in _codes(db, bytes(row[0])) for use in _uses(db, code)}
    named = ((use, name) for use in found.values() for name in _open_case(db, use.txn))
    return tuple(name for use, name in named if not _is_twice(db, use))


def _is_twice(db: Connection, sale: _Use) -> bool:
    if sale.state not in STANDING:
        return False
    uses = (use for code in _codes(db, sale.txn) for use in _uses(db, code))
    return any(use.txn != sale.txn and use.state in STANDING for use in uses)


def _codes(db: Connection, txn: bytes) -> Iterable[str]:
    fact = ledger.by_id(db, UUID(bytes=txn))
    return [] if fact is None or fact.sale is None else [spelled(taken.code) for taken in fact.sale.quote.coupons]


def _uses(db: Connection, code: str) -> list[_Use]:
    return [_Use(till, sale_id, bytes(txn), state) for till, sale_id, txn, state in db.execute(USES_SELECT, {"code": code})]


def _open_case(db: Connection, txn: bytes) -> list[CaseName]:
    rows = db.execute(CASE_SELECT, {"txn": txn})
    return [CaseName(till=till, epoch=epoch, seq=seq, reason=TWICE) for till, epoch, seq in rows]


USES_SELECT = """SELECT u.till, u.sale_id, s.txn, s.state
FROM coupon_use AS u JOIN sale AS s ON s.till = u.till AND s.sale_id = u.sale_id WHERE u.code = :code ORDER BY s.txn"""
CASE_SELECT = f"""SELECT DISTINCT c.till, c.epoch, c.seq FROM txn AS t CROSS JOIN suspense_case AS c
WHERE t.id = :txn AND c.till = t.till AND c.epoch = t.epoch AND c.seq = t.seq AND c.reason = '{TWICE}' AND {OPEN}"""
