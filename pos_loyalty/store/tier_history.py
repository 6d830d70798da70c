"""What a member's tier is counted from: completed sales, what of them came back, and points for acts, by business day.

A sale that was voided is not there: it never was. A return counts against the day of its sale, from its own day on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pos_loyalty.engine.tiers import TierMove
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.merges import SAME_PERSON


def moves_of(db: Connection, member_id: str, after_seq: int = 0) -> tuple[TierMove, ...]:
    """All that this file knows, or what its own log says after a number."""
    key = {"member": member_id, "seq": after_seq}
    sold = [_sold(*row) for row in db.execute(SALES_SINCE_SELECT if after_seq else SALES_SELECT, key)]
    facts = [fact_of(payload) for (payload,) in db.execute(FACTS_SELECT, key)]
    return (*sold, *_other(db, facts))


def _sold(day: int, minor: int, centi: int) -> TierMove:
    return TierMove(day=day, told=day, spent_minor=minor, visits=1, centi=centi)


def _other(db: Connection, facts: list[Fact]) -> Iterator[TierMove]:
    back: Counter[tuple[str, str]] = Counter()
    for fact in facts:
        if fact.award is not None:
            centi = sum(accrual.centi for accrual in fact.award.award.accruals if accrual.member_id in (None, fact.member))
            yield TierMove(day=fact.award.biz_day, told=fact.award.biz_day, centi=centi)
        elif fact.claim is not None:
            centi = sum(accrual.centi for accrual in fact.claim.accruals)
            yield TierMove(day=fact.claim.biz_day, told=fact.claim.biz_day, centi=centi)
        elif fact.returned is not None and fact.returned.sale_id:
            yield from _returned(db, fact, back)


def _returned(db: Connection, fact: Fact, back: Counter[tuple[str, str]]) -> Iterator[TierMove]:
    """``back``: so much of each sale came back before. The visit is gone with the last of the goods."""
    assert fact.returned is not None
    returned, key = fact.returned, (fact.returned.sale_till, fact.returned.sale_id)
    row = db.execute(SALE_SELECT, {"till": key[0], "sale_id": key[1]}).fetchone()
    if row is not None and row[1] != "completed":
        return
    day, whole = (returned.biz_day, None) if row is None else (row[0], row[2])
    back[key] += sum(line.quantity_milli for line in returned.returned.lines)
    is_purchase = not returned.is_claimed  # a sale that was claimed later brought points alone
    yield TierMove(
        day=day,
        told=max(day, returned.biz_day),
        spent_minor=-returned.returned.tier_progress_minor if is_purchase else 0,
        visits=-1 if is_purchase and back[key] == whole else 0,
        centi=-sum(taken.centi for taken in returned.returned.taken_back if taken.member_id in (None, fact.member)),
    )


SALES_SELECT = f"""SELECT biz_day, progress_minor, accrued_centi FROM sale
WHERE member IN ({SAME_PERSON}) AND biz_day >= 0 AND state = 'completed'"""
SALES_SINCE_SELECT = f"""SELECT s.biz_day, s.progress_minor, s.accrued_centi
FROM sale AS s JOIN txn AS t ON t.id = s.completed_txn
WHERE s.member IN ({SAME_PERSON}) AND s.state = 'completed' AND t.seq > :seq"""
FACTS_SELECT = f"""SELECT payload FROM txn
WHERE member IN ({SAME_PERSON}) AND kind IN ('member.awarded', 'sale.claimed', 'sale.returned')
AND seq > :seq ORDER BY hlc, till"""
SALE_SELECT = """SELECT s.biz_day, s.state, (
  SELECT SUM(l.quantity_milli) FROM sale_line AS l WHERE l.till = s.till AND l.sale_id = s.sale_id
) FROM sale AS s WHERE s.till = :till AND s.sale_id = :sale_id"""
