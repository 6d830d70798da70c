"""What moves who holds a lot, by till and epoch, as SQL over the rows that the logs make: sums of it are what a till holds.

A lot here is points of a member, the money of a gift card (``gift:{card}``), or a unique code (``coupon:{code}``), of which there
is one unit: who issued it in a sale or an award, or made it for print, holds the right to it, and a sale that stands takes it.
Codes that were imported are in other hands too: nobody holds them until they are granted.
"""

from __future__ import annotations

from typing import Final

from pos_loyalty.engine.coupons import spelled

GIFT: Final = "gift:"
COUPON: Final = "coupon:"


def coupon_lot(code: str) -> str:
    """What stands for the lot of a unique code."""
    return COUPON + spelled(code)


def is_coupon(lot_id: str) -> bool:
    """Whether a lot is a unique code."""
    return lot_id.startswith(COUPON)


def is_lent(lot_id: str) -> bool:
    """Whether a lot is a gift card or a unique code, and no points."""
    return lot_id.startswith((GIFT, COUPON))


def held_select(lot_id: str) -> str:
    """What a till holds of a lot, and how much of it came with grants whose lease ended."""
    return COUPON_HELD_SELECT if is_coupon(lot_id) else HELD_SELECT


def holders_select(lot_id: str) -> str:
    """What each till holds of a lot, where it is more than nothing; lost ones hold nothing."""
    return COUPON_HOLDERS_SELECT if is_coupon(lot_id) else HOLDERS_SELECT


def _held(moves: str) -> str:
    return f"""SELECT coalesce((SELECT SUM(centi) FROM ({moves}) WHERE till = :till AND epoch = :epoch), 0), coalesce((
  SELECT SUM(l.centi) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  WHERE l.lot = :lot AND g.till = :till AND g.epoch = :epoch AND g.lease_ms <= :now AND g.closed IS NULL
), 0)"""


def _holders(moves: str) -> str:
    return f"""SELECT m.till, m.epoch, SUM(m.centi) AS held FROM ({moves}) AS m
WHERE NOT EXISTS (SELECT 1 FROM till_key AS k WHERE k.till = m.till AND k.epoch = m.epoch AND k.state = 'lost')
GROUP BY m.till, m.epoch HAVING SUM(m.centi) > 0 ORDER BY m.till, m.epoch"""


VOID = """g.taken IS NULL AND g.giver IS NULL AND EXISTS (
    SELECT 1 FROM told AS d JOIN txn AS f ON f.id = g.txn WHERE d.till = g.till AND d.epoch = g.epoch AND d.own_epoch > f.epoch
  )"""
"""A grant of head office's that its till never took: it said hello, with all of its log here, since head office began anew."""
GIVEN = f"""
  UNION ALL SELECT g.till, g.epoch, l.centi FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  WHERE l.lot = :lot AND NOT ({VOID})
  UNION ALL SELECT till, epoch, -centi FROM right_return WHERE lot = :lot
  UNION ALL SELECT g.giver, g.giver_epoch, -l.centi FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  WHERE l.lot = :lot AND g.giver IS NOT NULL
  UNION ALL SELECT to_till, to_epoch, centi FROM right_return WHERE lot = :lot AND to_till IS NOT NULL
  UNION ALL SELECT (SELECT value FROM meta WHERE key = 'owner'), to_epoch, centi FROM relay_right WHERE lot = :lot"""
"""What was granted and given back. ``relay_right`` has rows at a hub alone."""
OF_TILL = """t.till IS NOT (SELECT value FROM meta WHERE key = 'owner' AND EXISTS (
    SELECT 1 FROM meta WHERE key = 'role' AND value = 'head_office'
  ))"""
"""What head office itself books moves what is free."""
MOVES = f"""
  SELECT t.till, t.epoch, CASE WHEN e.credit_acct GLOB 'member:*' OR e.credit_acct GLOB 'gift:*' THEN e.amount ELSE 0 END
    - CASE WHEN e.debit_acct GLOB 'member:*' OR e.debit_acct GLOB 'gift:*' THEN e.amount ELSE 0 END AS centi
  FROM entry AS e JOIN txn AS t ON t.id = e.txn WHERE e.lot = :lot AND {OF_TILL}{GIVEN}"""
CODE = "code = substr(CAST(:lot AS TEXT), 8)"
COUPON_MOVES = f"""
  SELECT t.till, t.epoch, 1 AS centi FROM issue AS i JOIN txn AS t ON t.id = i.txn WHERE i.{CODE} AND {OF_TILL}
  UNION ALL SELECT t.till, t.epoch, 1 FROM coupon_made AS m JOIN txn AS t ON t.id = m.txn WHERE m.{CODE} AND {OF_TILL}
  UNION ALL SELECT t.till, t.epoch, -1 FROM coupon_use AS u JOIN sale AS s ON s.till = u.till AND s.sale_id = u.sale_id
  JOIN txn AS t ON t.id = s.txn WHERE u.{CODE} AND s.state IN ('authorised', 'completed'){GIVEN}"""
HELD_SELECT, COUPON_HELD_SELECT = _held(MOVES), _held(COUPON_MOVES)
HOLDERS_SELECT, COUPON_HOLDERS_SELECT = _holders(MOVES), _holders(COUPON_MOVES)
