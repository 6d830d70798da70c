"""The other half of ``verify``: what is kept beside the log (lots, balances, uses, print jobs, cards) against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter

from pos_loyalty.log import mask
from pos_loyalty.store.db import Connection
from pos_loyalty.store.ledger import LOT_FOLD

FOLDED, STORED = 0, 1
"""Which side a row of an account is on."""


class Weights:
    """A random weight for each name, the same through one check: two sides whose weighted sums are equal agree in every name.

    Weights have 64 bits of SipHash under a key of this run. So nothing has to be sorted, and SQLite sorts in memory here.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32).hex()

    def __call__(self, *name: str) -> int:
        return hash(self._key + "\n".join(name))


def _lots(db: Connection) -> Iterator[str]:
    for lot, amount, remaining, folded in db.execute(LOTS_SELECT):
        expected = min(amount, max(0, folded))
        if remaining != expected:
            yield f"Lot {lot} holds {remaining}, by the log it holds {expected}."
    for lot, origin in db.execute(ORIGINLESS_SELECT):
        yield f"Lot {lot} names a fact that is missing ({bytes(origin).hex()})."


def _balances(db: Connection) -> Iterator[str]:
    weigh = Weights()
    folded = sum(amount * (weigh(credit, unit) - weigh(debit, unit)) for debit, credit, unit, amount in db.execute(MOVES_SELECT))
    stored = sum(amount * weigh(account, unit) for account, unit, _, amount in db.execute(BALANCES_SELECT))
    if folded != stored:
        yield from _balances_one_by_one(db)


def _balances_one_by_one(db: Connection) -> Iterator[str]:
    """Both sides come sorted by account and unit and are gone through side by side."""
    both = merge(db.execute(FOLD_SELECT), db.execute(BALANCES_SELECT))
    for (account, _), rows in groupby(both, key=itemgetter(0, 1)):
        sides = {side: amount for _, _, side, amount in rows}
        expected, amount = sides.get(FOLDED, 0), sides.get(STORED)
        if amount is None:
            yield f"Account {account} has no balance, by its entries it stands at {expected}."
        elif amount != expected:
            yield f"Account {account} stands at {amount}, by its entries it stands at {expected}."


def _uses(db: Connection) -> Iterator[str]:
    weigh, made, stored = Weights(), 0, 0
    for member, day, rule, times, minor in db.execute(EACH_USE_SELECT):
        for scope, key in (("all", ""), ("member", member), ("day", day)):
            if key is not None:
                made += times * weigh(scope, key, rule) + minor * weigh("minor", scope, key, rule)
    for scope, key, rule, times, minor in db.execute("SELECT scope, key, rule, times, given_minor FROM rule_use"):
        stored += times * weigh(scope, key, rule) + minor * weigh("minor", scope, key, rule)
    if made != stored or db.execute("SELECT 1 FROM rule_use WHERE times = 0 AND given_minor = 0").fetchone():
        yield from _uses_one_by_one(db)


def _uses_one_by_one(db: Connection) -> Iterator[str]:
    for scope, key, rule, times, minor, expected, expected_minor in db.execute(USES_SELECT):
        whose = {"all": "in all", "member": f"by member {key}", "day": f"on day {key}"}.get(scope, f"by {scope} {key}")
        yield (
            f"Rule {rule} counts {times or 0} uses and {minor or 0} given {whose}, "
            f"by the log it is {expected or 0} and {expected_minor or 0}."
        )


def _counters(db: Connection) -> Iterator[str]:
    weigh = Weights()
    made = sum(units * weigh(member, key) for member, key, units in db.execute(EACH_COUNT_SELECT))
    stored = sum(units * weigh(member, key) for member, key, units in db.execute("SELECT member, key, units FROM member_counter"))
    if made != stored or db.execute("SELECT 1 FROM member_counter WHERE units = 0").fetchone():
        yield from _counters_one_by_one(db)


def _counters_one_by_one(db: Connection) -> Iterator[str]:
    for member, key, units, expected in db.execute(COUNTERS_SELECT):
        yield f"Counter {key} of member {member} stands at {units or 0}, by the sales it is {expected or 0}."


def _sales(db: Connection) -> Iterator[str]:
    for till, receipt_no, count in db.execute(RECEIPTS_SELECT):
        yield f"Till {till}: receipt number {receipt_no} stands in {count} facts."
    for (sale_id,) in db.execute(ATTEMPTS_SELECT):
        yield f"Sale {sale_id} was stored under another id than its attempt."


def _print_jobs(db: Connection) -> Iterator[str]:
    count, newest = db.execute("SELECT COUNT(*), coalesce(MAX(id), 0) FROM print_job").fetchone()
    given = db.execute("SELECT coalesce(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'print_job'").fetchone()[0]
    if count != max(newest, given):
        yield f"Print jobs are missing: {max(newest, given)} were queued, {count} are here."
    for job, receipt_no in db.execute(STRAY_JOBS_SELECT):
        yield f"Print job {job} is for receipt {receipt_no}, which is not that of its sale."
    for job, copy, receipt_no in db.execute(STRAY_COPIES_SELECT):
        yield f"Print job {job} is copy {copy} of receipt {receipt_no}, but the one before it is missing."


def _cards(db: Connection) -> Iterator[str]:
    for (number,) in db.execute("SELECT number FROM card WHERE NOT EXISTS (SELECT 1 FROM member WHERE id = card.member)"):
        yield f"Card {mask(number)} belongs to a member who is missing."


CACHE_CHECKS = (_lots, _balances, _uses, _counters, _sales, _print_jobs, _cards)
LOTS_SELECT = f"SELECT id, amount, remaining, {LOT_FOLD} FROM lot"
ORIGINLESS_SELECT = """SELECT id, origin_txn FROM lot
WHERE origin_txn IS NOT NULL AND NOT EXISTS (SELECT 1 FROM txn WHERE txn.id = lot.origin_txn)"""
MOVES_SELECT = "SELECT debit_acct, credit_acct, unit, amount FROM entry"
BALANCES_SELECT = f"SELECT account, unit, {STORED}, amount FROM balance ORDER BY account, unit"
FOLD_SELECT = f"""SELECT account, unit, {FOLDED}, SUM(amount) FROM (
  SELECT credit_acct AS account, unit, amount FROM entry UNION ALL SELECT debit_acct AS account, unit, -amount FROM entry
) GROUP BY account, unit HAVING SUM(amount) <> 0 ORDER BY account, unit"""
USED_SELECT = """SELECT s.member, s.biz_day, u.value ->> 'rule' AS rule, u.value ->> 'times' AS times, (
    SELECT coalesce(SUM(a.off_minor), 0) FROM adjustment AS a
    WHERE a.till = s.till AND a.sale_id = s.sale_id AND a.rule = u.value ->> 'rule'
  ) + (
    SELECT coalesce(SUM((p.value ->> 'centi' * coalesce(CAST(s.quote AS TEXT) ->> '$.earning.point_minor', 0) + 99) / 100), 0)
    FROM json_each(CAST(s.quote AS TEXT), '$.accruals') AS p WHERE p.value ->> 'rule' = u.value ->> 'rule'
  ) AS minor
  FROM sale AS s, json_each(CAST(s.quote AS TEXT), '$.uses') AS u WHERE s.state IN ('authorised', 'completed')
  AND instr(s.quote, CAST('"uses":[{' AS BLOB))
  UNION ALL
  SELECT s.member, s.biz_day, u.value ->> 'rule', -(u.value ->> 'times'), -(u.value ->> 'minor')
  FROM sale_return AS r JOIN sale AS s ON s.till = r.sale_till AND s.sale_id = r.sale_id,
    json_each(CAST(r.body AS TEXT), '$.uses') AS u WHERE s.state IN ('authorised', 'completed')
  UNION ALL
  SELECT t.member, CAST(t.payload AS TEXT) ->> '$.award.biz_day', u.value ->> 'rule', u.value ->> 'times', 0
  FROM txn AS t, json_each(CAST(t.payload AS TEXT), '$.award.award.uses') AS u WHERE t.kind = 'member.awarded'"""
EACH_USE_SELECT = f"""WITH used (member, biz_day, rule, times, minor) AS ({USED_SELECT})
SELECT member, CAST(coalesce(biz_day, '') AS TEXT), CAST(coalesce(rule, '') AS TEXT), CAST(coalesce(times, 0) AS INTEGER),
  CAST(coalesce(minor, 0) AS INTEGER) FROM used"""
USES_SELECT = f"""WITH used (member, biz_day, rule, times, minor) AS ({USED_SELECT}), scoped AS (
  SELECT 'all' AS scope, '' AS key, rule, times, minor FROM used
  UNION ALL SELECT 'member', member, rule, times, minor FROM used WHERE member IS NOT NULL
  UNION ALL SELECT 'day', CAST(biz_day AS TEXT), rule, times, minor FROM used
), expected AS (
  SELECT scope, key, rule, SUM(times) AS times, SUM(minor) AS minor FROM scoped GROUP BY scope, key, rule
  HAVING SUM(times) <> 0 OR SUM(minor) <> 0
)
SELECT coalesce(e.scope, r.scope), coalesce(e.key, r.key), coalesce(e.rule, r.rule), r.times, r.given_minor, e.times, e.minor
FROM expected AS e FULL JOIN rule_use AS r ON r.scope = e.scope AND r.key = e.key AND r.rule = e.rule
WHERE r.times IS NOT e.times OR r.given_minor IS NOT e.minor"""
COUNTED_SELECT = """SELECT s.member, c.value ->> 'key' AS key, c.value ->> 'add' AS units
  FROM sale AS s, json_each(CAST(s.quote AS TEXT), '$.counters') AS c
  WHERE s.state IN ('authorised', 'completed') AND +s.member IS NOT NULL AND instr(s.quote, CAST('"counters":[{' AS BLOB))
  UNION ALL
  SELECT s.member, c.value ->> 'key', c.value ->> 'add'
  FROM sale_return AS r JOIN sale AS s ON s.till = r.sale_till AND s.sale_id = r.sale_id,
    json_each(CAST(r.body AS TEXT), '$.counters') AS c
  WHERE s.state IN ('authorised', 'completed') AND s.member IS NOT NULL"""
EACH_COUNT_SELECT = f"""WITH moved (member, key, units) AS ({COUNTED_SELECT})
SELECT member, CAST(coalesce(key, '') AS TEXT), CAST(coalesce(units, 0) AS INTEGER) FROM moved"""
COUNTERS_SELECT = f"""WITH moved (member, key, units) AS ({COUNTED_SELECT}), expected AS (
  SELECT member, key, SUM(units) AS units FROM moved GROUP BY member, key HAVING SUM(units) <> 0
)
SELECT coalesce(e.member, m.member), coalesce(e.key, m.key), m.units, e.units
FROM expected AS e FULL JOIN member_counter AS m ON m.member = e.member AND m.key = e.key
WHERE m.units IS NOT e.units"""
RECEIPTS_SELECT = """SELECT till, receipt_no, COUNT(*) FROM txn WHERE receipt_no IS NOT NULL
GROUP BY till, receipt_no HAVING COUNT(*) > 1"""
FACTLESS_SALES_SELECT = """SELECT sale.till, sale.sale_id FROM sale LEFT JOIN txn ON txn.id = sale.txn
WHERE txn.id IS NULL OR txn.till <> sale.till OR txn.sale_id IS NOT sale.sale_id
OR txn.kind NOT IN ('sale.authorised', 'sale.completed')"""
ATTEMPTS_SELECT = """SELECT sale.sale_id FROM attempt JOIN sale ON sale.sale_id = attempt.sale_id
WHERE sale.till = (SELECT value FROM meta WHERE key = 'owner') AND sale.txn <> attempt.txn"""
STRAY_JOBS_SELECT = """SELECT id, receipt_no FROM print_job AS job WHERE sale_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM txn WHERE txn.till = (SELECT value FROM meta WHERE key = 'owner')
  AND txn.receipt_no = job.receipt_no AND txn.sale_id = job.sale_id
)"""
STRAY_COPIES_SELECT = """SELECT id, copy, receipt_no FROM print_job AS job WHERE copy > 0 AND NOT EXISTS (
  SELECT 1 FROM print_job AS other
  WHERE other.receipt_no = job.receipt_no AND other.kind = job.kind AND other.copy = job.copy - 1
)"""
