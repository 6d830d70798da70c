"""What a member did at the tills of this file: business days and goods bought, read from the sales themselves."""

from __future__ import annotations

import json
from datetime import date, timedelta

from pos_loyalty.engine.model import MemberDay, Purchase
from pos_loyalty.store.db import Connection
from pos_loyalty.store.merges import SAME_PERSON
from pos_loyalty.values import Minor, Points, Thousandths

EPOCH_DAY = date(1970, 1, 1)
PURCHASES_MAX = 2000
"""The newest lines bought; a member who bought more is known by these."""


def days_of(db: Connection, member_id: str, since_day: int) -> tuple[MemberDay, ...]:
    """Business days from ``since_day`` on (days since 1970), ascending. Points held by an open sale count as redeemed."""
    return tuple(
        MemberDay(
            day=_day(day),
            net_minor=Minor(max(0, net)),
            visits=max(0, visits),
            earned_centi=Points(max(0, earned)),
            redeemed_centi=Points(max(0, redeemed)),
        )
        for day, net, visits, earned, redeemed in db.execute(DAYS_SELECT, {"member": member_id, "since": since_day})
    )


def purchases_of(db: Connection, member_id: str, since_day: int) -> tuple[Purchase, ...]:
    """Lines of completed sales from ``since_day`` on, newest first, at most PURCHASES_MAX."""
    key = {"member": member_id, "since": since_day, "most": PURCHASES_MAX}
    return tuple(
        Purchase(
            day=_day(day),
            sku=sku,
            category=category,
            brand=brand,
            tags=tuple(json.loads(tags)) if tags else (),
            quantity_milli=Thousandths(milli),
            net_minor=Minor(max(0, net)),
        )
        for day, sku, category, brand, tags, milli, net in db.execute(PURCHASES_SELECT, key)
    )


def _day(days: int) -> str:
    return (EPOCH_DAY + timedelta(days=days)).isoformat()


DAYS_SELECT = f"""SELECT biz_day, SUM(net), SUM(visits), SUM(earned), SUM(redeemed) FROM (
  SELECT biz_day, CASE state WHEN 'completed' THEN total_minor - advance_minor ELSE 0 END AS net, state = 'completed' AS visits,
    CASE state WHEN 'completed' THEN accrued_centi ELSE 0 END AS earned, redeemed_centi AS redeemed
  FROM sale WHERE member IN ({SAME_PERSON}) AND biz_day >= :since AND state IN ('authorised', 'completed')
  UNION ALL
  SELECT s.biz_day, r.advance_minor - r.refund_minor - r.points_minor, -r.is_last, -r.taken_centi, -r.restored_centi
  FROM sale_return AS r JOIN sale AS s ON s.till = r.sale_till AND s.sale_id = r.sale_id
  WHERE s.member IN ({SAME_PERSON}) AND s.biz_day >= :since AND s.state = 'completed'
) GROUP BY biz_day ORDER BY biz_day"""
"""What came back is taken off the day on which it was bought."""
_BACK = "FROM return_line AS b WHERE b.sale_till = l.till AND b.sale_id = l.sale_id AND b.line_id = l.line_id"
PURCHASES_SELECT = f"""SELECT biz_day, sku, category, brand, tags, quantity_milli - back_milli, net_minor - back_minor FROM (
  SELECT s.biz_day, s.till, s.sale_id, l.line_id, l.sku, l.category, l.brand, l.tags, l.quantity_milli, l.net_minor,
    coalesce((SELECT SUM(b.quantity_milli) {_BACK}), 0) AS back_milli,
    coalesce((SELECT SUM(b.net_minor) {_BACK}), 0) AS back_minor
  FROM sale AS s JOIN sale_line AS l ON l.till = s.till AND l.sale_id = s.sale_id
  WHERE s.member IN ({SAME_PERSON}) AND s.biz_day >= :since AND s.state = 'completed'
) WHERE quantity_milli > back_milli ORDER BY biz_day DESC, till, sale_id, line_id LIMIT :most"""
