"""Points given or taken by hand, for ``verify``: the entries of such a fact come to what it says."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection


def differences(db: Connection) -> Iterator[str]:
    """Facts whose entries give or take another amount. Suspense may stand in a member's place; the sum stays."""
    for till, seq, says, moved in db.execute(MOVED_SELECT):
        yield f"Till {till}, fact {seq}: it adjusts by {says}, its entries by {moved}."


MOVED_SELECT = f"""SELECT f.till, f.seq, f.centi, f.moved FROM (
  SELECT t.till, t.seq, CAST(t.payload AS TEXT) ->> '$.adjustment.centi' AS centi, (
    SELECT coalesce(SUM(CASE 'adjustment' WHEN e.debit_acct THEN e.amount WHEN e.credit_acct THEN -e.amount END), 0)
    FROM entry AS e WHERE e.txn = t.id
  ) AS moved
  FROM txn AS t WHERE t.kind = 'points.adjusted' AND t.{OF_ACTS} AND +t.member IS NOT NULL
) AS f WHERE f.centi IS NOT NULL AND f.centi <> f.moved"""
