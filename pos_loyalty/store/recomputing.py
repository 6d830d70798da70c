"""How far head office has recomputed the tills' sales. Rule: the mark moves in the transaction that notes what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

VERDICTS = ("agreed", "partly", "unknown", "differs")


class DueFact(Value):
    """A fact that may be about a sale. ``payload``: None for other kinds."""

    till: str
    epoch: int
    seq: int
    payload: bytes | None


def due(db: Connection, limit: int) -> tuple[DueFact, ...]:
    """The next facts of one till that were not looked at, in the order of its log; none when all were."""
    for till, epoch, seq in db.execute(BEHIND_SELECT).fetchall():
        rows = db.execute(DUE_SELECT, {"till": till, "epoch": epoch, "seq": seq, "limit": limit}).fetchall()
        if rows:
            return tuple(DueFact(till=till, epoch=each, seq=number, payload=payload) for each, number, payload in rows)
    return ()


def note(db: Connection, last: DueFact, verdicts: Mapping[str, int], differing: Mapping[tuple[int, int], str]) -> None:
    """All facts of a till up to this one are looked at. ``differing``: a sentence by epoch and number."""
    row = {"till": last.till, "epoch": last.epoch, "seq": last.seq} | {name: verdicts.get(name, 0) for name in VERDICTS}
    for (epoch, seq), detail in differing.items():
        place = {"till": last.till, "epoch": epoch, "seq": seq, "detail": detail}
        with watched(db, "sale_recomputed", "(till, epoch, seq) = (:till, :epoch, :seq)", place):
            db.execute(DIFFERS_INSERT, place)
    with watched(db, "recompute_mark", "till = :till", row):
        db.execute(MARK_UPSERT, row)


def verdicts(db: Connection) -> dict[str, int]:
    """How many facts of sales came out how, of all tills."""
    total: Counter[str] = Counter(dict.fromkeys(VERDICTS, 0))
    for row in db.execute(f"SELECT {', '.join(VERDICTS)} FROM recompute_mark"):
        total.update(dict(zip(VERDICTS, row, strict=True)))
    return dict(total)


BEHIND_SELECT = """SELECT h.id, coalesce(m.epoch, 0), coalesce(m.seq, 0)
FROM till AS h LEFT JOIN recompute_mark AS m ON m.till = h.id
WHERE h.epoch > 0 AND h.applied_seq > 0 AND (h.epoch, h.applied_seq) > (coalesce(m.epoch, 0), coalesce(m.seq, 0))
ORDER BY h.id"""
DUE_SELECT = """SELECT epoch, seq, CASE WHEN kind IN ('sale.authorised', 'sale.completed') THEN payload END FROM txn
WHERE till = :till AND (epoch, seq) > (:epoch, :seq) ORDER BY epoch, seq LIMIT :limit"""
DIFFERS_INSERT = """INSERT INTO sale_recomputed (till, epoch, seq, detail) VALUES (:till, :epoch, :seq, :detail)
ON CONFLICT (till, epoch, seq) DO NOTHING"""
MARK_UPSERT = """INSERT INTO recompute_mark (till, epoch, seq, agreed, partly, unknown, differs)
VALUES (:till, :epoch, :seq, :agreed, :partly, :unknown, :differs)
ON CONFLICT (till) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq,
  agreed = recompute_mark.agreed + excluded.agreed, partly = recompute_mark.partly + excluded.partly,
  unknown = recompute_mark.unknown + excluded.unknown, differs = recompute_mark.differs + excluded.differs"""
