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
            visits=visits,
            earned_centi=Points(earned),
            redeemed_centi=Points(redeemed),
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
            net_minor=Minor(net),
        )
        for day, sku, category, brand, tags, milli, net in db.execute(PURCHASES_SELECT, key)
    )


def _day(days: int) -> str:
    return (EPOCH_DAY + timedelta(days=days)).isoformat()


DAYS_SELECT = f"""SELECT biz_day,
  SUM(CASE state WHEN 'completed' THEN total_minor - advance_minor ELSE 0 END), SUM(state = 'completed'),
  SUM(CASE state WHEN 'completed' THEN accrued_centi ELSE 0 END), SUM(redeemed_centi)
FROM sale WHERE member IN ({SAME_PERSON}) AND biz_day >= :since AND state IN ('authorised', 'completed')
GROUP BY biz_day ORDER BY biz_day"""
PURCHASES_SELECT = f"""SELECT s.biz_day, l.sku, l.category, l.brand, l.tags, l.quantity_milli, l.net_minor
FROM sale AS s JOIN sale_line AS l ON l.till = s.till AND l.sale_id = s.sale_id
WHERE s.member IN ({SAME_PERSON}) AND s.biz_day >= :since AND s.state = 'completed'
ORDER BY s.biz_day DESC, s.till, s.sale_id, l.line_id LIMIT :most"""
