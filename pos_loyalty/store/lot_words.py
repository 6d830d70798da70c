"""What head office last said of lots, against the words in which it told of their members. Rule: other lots have no base."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.engine.model import POINT
from pos_loyalty.store.db import Connection


def differences(db: Connection) -> Iterator[str]:
    """Lots that are not as they were told, and such as claim a word that nobody spoke."""
    for (lot,) in db.execute(TOLD_SELECT, {"unit": POINT}):
        yield f"Lot {lot} is not what head office told of it."
    for lot, base in db.execute(BASES_SELECT):
        yield f"Lot {lot} has a base of {base} that head office has not given."


def is_told(db: Connection, lot_id: str | None) -> bool:
    """Whether head office's last word on its member names the lot."""
    return db.execute(IS_TOLD_SELECT, {"lot": lot_id}).fetchone() is not None


IS_TOLD_SELECT = """SELECT 1 FROM lot AS l JOIN member_word AS w ON w.member = l.member,
  json_each(CAST(w.word AS TEXT), '$.lots') AS told
WHERE l.id = :lot AND told.value ->> '$.lot_id' = l.id"""
TOLD_SELECT = """SELECT told.value ->> '$.lot_id' AS id
FROM member_word AS w, json_each(CAST(w.word AS TEXT), '$.lots') AS told LEFT JOIN lot AS l ON l.id = told.value ->> '$.lot_id'
WHERE l.id IS NULL OR l.unit <> :unit OR (l.base_remaining, l.base_seq, l.member, l.amount, l.usable_from) <>
  (told.value ->> '$.remaining_centi', w.as_of_seq, w.member, told.value ->> '$.amount_centi',
   coalesce(told.value ->> '$.usable_from_ms', 0))
OR l.expires_at IS NOT told.value ->> '$.expires_at_ms'"""
BASES_SELECT = """SELECT l.id, l.base_remaining FROM lot AS l LEFT JOIN member_word AS w ON w.member = l.member
WHERE (w.member IS NULL AND (l.base_remaining <> 0 OR l.base_seq <> 0))
OR (l.base_remaining > l.amount) OR (l.base_remaining <> 0 AND NOT EXISTS (
  SELECT 1 FROM json_each(CAST(w.word AS TEXT), '$.lots') AS told WHERE told.value ->> '$.lot_id' = l.id
))
OR (l.base_seq <> w.as_of_seq AND NOT (
  l.base_seq = 0 AND coalesce((SELECT t.seq FROM txn AS t WHERE t.id = l.origin_txn), 0) > w.as_of_seq
))"""
"""A lot that was made since the word has no base yet."""
