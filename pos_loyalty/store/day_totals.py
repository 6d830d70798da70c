"""Receipts of one business day as a host counts them: sales with what was to be paid, goods that came back below nothing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.values import Minor, Value

EPOCH_DAY = date(1970, 1, 1)


class DayReceipt(Value):
    """One receipt of ours. ``id``: of the sale, of the return, or of the sale that a void undid on a later day."""

    till: str
    id: str
    receipt_no: str
    total_minor: Minor


def receipts(db: Connection, day: date, zone: tzinfo, till: str | None) -> tuple[DayReceipt, ...]:
    """Every receipt of a day, by till and id. A sale that was undone on its own day is none."""
    start, end = (datetime.combine(day + timedelta(days=n), time.min, zone) for n in (0, 1))
    key = {"day": (day - EPOCH_DAY).days, "from": to_ms(start), "to": to_ms(end), "till": till}
    return tuple(
        DayReceipt(till=name, id=id_, receipt_no=receipt_no, total_minor=Minor(total))
        for name, id_, receipt_no, total in db.execute(SELECT, key)
    )


SELECT = """SELECT till, id, receipt_no, total FROM (
  SELECT s.till, s.sale_id AS id, s.receipt_no, s.due_minor AS total FROM sale AS s LEFT JOIN txn AS v ON v.id = s.reversed_txn
  WHERE s.biz_day = :day AND (s.state = 'completed' OR (s.state = 'reversed' AND v.wall_ms NOT BETWEEN :from AND :to - 1))
  UNION ALL SELECT s.till, s.sale_id, s.receipt_no, -s.due_minor FROM txn AS v JOIN sale AS s ON s.reversed_txn = v.id
  WHERE v.kind = 'sale.reversed' AND v.wall_ms BETWEEN :from AND :to - 1 AND s.state = 'reversed' AND s.biz_day <> :day
  UNION ALL SELECT r.till, r.return_id, r.receipt_no, -r.refund_minor FROM sale_return AS r WHERE r.biz_day = :day
) WHERE :till IS NULL OR till = :till ORDER BY till, id, total"""
