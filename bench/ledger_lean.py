"""Till files to look members up in, of any size: straight SQL, and the log's payloads are stubs.

All else is as a till writes it: ``differences`` asks the parts of ``verify`` that read no payload (lots, balances, cards, receipt
numbers). Each round every buyer buys once; in each second round they redeem the lot of the round before, and nine in ten of the
lots of that round have run out since.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.shop import CARD, NOW
from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import open_store
from pos_loyalty.store.folds import CACHE_CHECKS

CENTI = 5_000
ENTRIES = {"plain": 1, "kept": 3, "run_out": 4}
ROUNDS_A_LOT_IS_KEPT = 20
ROWS_AT_ONCE = 500_000
CACHE_KB = 262_144


def buyer_of(number: int, members: int, entries: int) -> int:
    """The number-th member who bought: where there are more members than entries they stand evenly among all."""
    return number * max(1, members // entries) % members


def buyers(members: int, entries: int) -> int:
    """How many members bought."""
    return min(members, entries)


def write_lean(path: Path, members: int, entries: int) -> None:
    """A till's file of so many members, each with a card, and at least so many entries."""
    db = open_store(path, role="till", owner="T1", now=NOW)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KB}"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN")
    for first in range(0, members, ROWS_AT_ONCE):
        numbers = {"first": first, "count": min(members - first, ROWS_AT_ONCE)}
        for statement in PEOPLE:
            db.execute(NUMBERS + statement, numbers | {"prefix": CARD.prefix, "digits": CARD.length - len(CARD.prefix) - 1})
    for numbers in _rounds(members, entries):
        for statement in SALES:
            db.execute(NUMBERS + statement, numbers)
    db.execute(BALANCES)
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def differences(path: Path) -> list[str]:
    """What is wrong with such a file."""
    db = open_store(path, role="till", owner="T1", now=NOW)
    try:
        return [each for check in CACHE_CHECKS for each in check(db)]
    finally:
        db.close()


def _rounds(members: int, entries: int) -> Iterator[dict[str, Any]]:
    """What a round's statements are told, until there are entries enough."""
    many = buyers(members, entries)
    kinds = []
    left = entries
    while left > 0:
        number = len(kinds)
        kind = "plain" if number % 2 == 0 else "kept" if number % ROUNDS_A_LOT_IS_KEPT == 1 else "run_out"
        kinds.append(kind)
        left -= ENTRIES[kind] * many
    for number, kind in enumerate(kinds):
        is_held = kind == "kept" or (kind == "plain" and number == len(kinds) - 1)
        yield {
            "first": number * many,
            "count": many,
            "before": many,
            "step": max(1, members // entries),
            "members": members,
            "redeems": kind != "plain",
            "runs_out": kind == "run_out",
            "remaining": CENTI if is_held else 0,
            "centi": CENTI,
            "ms": to_ms(NOW),
            "end": to_ms(NOW) + 180 * 86_400_000,
        }


NUMBERS = """WITH RECURSIVE number (n) AS (
  SELECT :first UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :first + :count
) """
BODY = ":prefix || substr('000000000000' || n, -:digits)"
PLACES = " + ".join(f"{3 if place % 2 == 0 else 1} * substr(body, {place}, 1)" for place in range(1, CARD.length))
PEOPLE = (
    "INSERT INTO member (id, version) SELECT printf('m%08d', n), 1 FROM number",
    f"INSERT INTO card (number, member) SELECT body || ((10 - ({PLACES}) % 10) % 10), who"
    f" FROM (SELECT printf('m%08d', n) AS who, {BODY} AS body FROM number)",
)
"""The last digit of a card is that of a GTIN: from the right the digits weigh 3, 1, 3 and so on."""
TXN = "CAST(printf('%016d', n) AS BLOB)"
WHO = "printf('m%08d', (n % :before) * :step % :members)"
SALE = "printf('s%08d', n)"
HELD = "printf('held:T1/s%08d', n)"
LOT = "printf('T1/s%08d:base', n)"
BEFORE = "printf('T1/s%08d:base', n - :before)"
SALES = (
    f"""INSERT INTO txn (id, till, epoch, seq, kind, wall_ms, boot_id, mono_ns, hlc, engine_version, receipt_no, member, sale_id,
  payload, prev_hash, hash)
  SELECT {TXN}, 'T1', 1, n + 1, 'sale.completed', :ms + n, 'b', 0, n, '1', printf('T1-1-%08d', n), {WHO}, {SALE}, X'7b7d',
  zeroblob(32), zeroblob(32) FROM number""",
    f"""INSERT INTO sale (till, sale_id, txn, state, receipt_no, store, cashier, member, biz_day, ts_s, authorised_ms,
  gross_minor, total_minor, due_minor, redeemed_centi, offline_centi, accrued_centi, programme, basket, quote, tenders,
  completed_txn)
  SELECT 'T1', {SALE}, {TXN}, 'completed', printf('T1-1-%08d', n), 'S1', 'C1', {WHO}, 20778, 0, :ms + n, 100, 100, 100, 0,
  0, :centi, 'p', X'', X'', X'', {TXN} FROM number""",
    f"""INSERT INTO lot (id, member, origin_txn, unit, usable_from, expires_at, amount, remaining)
  SELECT {LOT}, {WHO}, {TXN}, 'point', 0, :end + n, :centi, :remaining FROM number""",
    f"""INSERT INTO entry (txn, n, kind, debit_acct, credit_acct, amount, unit, lot, member, rule)
  SELECT {TXN}, 0, 'accrue', 'programme:bench:issued', 'member:' || {WHO}, :centi, 'point', {LOT}, {WHO}, 'base' FROM number
  UNION ALL SELECT {TXN}, 1, 'redeem', 'member:' || {WHO}, {HELD}, :centi, 'point', {BEFORE}, {WHO}, NULL
  FROM number WHERE :redeems
  UNION ALL SELECT {TXN}, 2, 'redeem', {HELD}, 'programme:bench:redeemed', :centi, 'point', {BEFORE}, {WHO}, NULL
  FROM number WHERE :redeems
  UNION ALL SELECT {TXN}, 3, 'expire', 'member:' || {WHO}, 'programme:bench:expired', :centi, 'point', {LOT}, {WHO}, NULL
  FROM number WHERE :runs_out""",
)
BALANCES = """INSERT INTO balance (account, unit, amount) SELECT account, 'point', SUM(amount) FROM (
  SELECT credit_acct AS account, amount FROM entry UNION ALL SELECT debit_acct, -amount FROM entry
) GROUP BY account HAVING SUM(amount) <> 0"""
