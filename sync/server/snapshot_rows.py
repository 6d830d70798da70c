"""All members and codes of head office's SQLite file, in order, for a snapshot: one pass over each table, side by side.

Rule: a line says what ``sqlite_members.changed`` says of the same member; fields that hold their default are left out. Figures
that few members have (mergers, tiers) are asked for one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from pos_loyalty.clock import from_ms
from pos_loyalty.store import coupon_words
from pos_loyalty.store.db import Connection
from pos_loyalty.store.tier_due import Place
from pos_loyalty.values import encode
from sync.server import sqlite_members, sqlite_tiers
from sync.snapshot_wire import Hold

Row = Sequence[Any]


def holds(db: Connection) -> Iterator[bytes]:
    """How far the log of each till is held, in each of its epochs."""
    for till, epoch, seq, hash_ in db.execute(HOLDS_SELECT):
        yield encode(Hold(till=till, epoch=epoch, seq=seq, hash=bytes(hash_).hex()))


def coupons(db: Connection) -> Iterator[bytes]:
    """Every code with a version, by code."""
    for (code,) in db.execute("SELECT code FROM coupon_version ORDER BY code"):
        found = coupon_words.known(db, [code]).get(code)
        if found is not None:
            yield encode(sqlite_tiers.as_change(found))


def member_lines(db: Connection, at: Place | None, now: datetime) -> Iterator[bytes]:
    """Every member with a version, by id. ``at``: the programme in force, for what counts towards tiers."""
    rules = None if at is None else at.programme.tier_rules
    special = {member for (member,) in db.execute("SELECT DISTINCT merged_into FROM member WHERE merged_into IS NOT NULL")}
    parts = [_Rows(db.execute(select)) for select in (CARDS_SELECT, LOTS_SELECT, SALES_SELECT, RETURNS_SELECT, OWED_SELECT)]
    for row in db.execute(MEMBERS_SELECT):
        member_id = row[0]
        found = [part.of(member_id) for part in parts]
        if member_id in special or (rules is not None and row[STATE] == "active"):
            change = sqlite_members.one(db, member_id)
            yield encode(sqlite_tiers.with_word(db, change, at, now))
        else:
            yield encode(_line(row, *found))


class _Rows:
    """Rows of a select in the order of members, taken member by member."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, itemgetter(0))
        self._next = next(self._groups, None)

    def of(self, member_id: str) -> list[Row]:
        """Those of the member; rows of members who are not here are passed over."""
        while self._next is not None and self._next[0] < member_id:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != member_id:
            return []
        found = [*self._next[1]]
        self._next = next(self._groups, None)
        return found


def _line(row: Row, cards: list[Row], lots: list[Row], sales: list[Row], returns: list[Row], owed: list[Row]) -> dict[str, Any]:
    line: dict[str, Any] = {"member_id": row[0], "version": row[STATE + 1]}
    line |= {name: value for name, value in zip(PLAIN, row[1:], strict=False) if value}
    if row[SEGMENTS] != "[]":
        line["segments"] = json.loads(row[SEGMENTS])
    for name, ms in (("birthday_set_at", row[SEGMENTS + 1]), ("joined_at", row[SEGMENTS + 2])):
        if ms is not None:
            line[name] = from_ms(ms)
    count = row[SEGMENTS + 3] + sum(one[1] for one in sales) - sum(one[1] for one in returns)
    spent = row[SEGMENTS + 4] + sum(one[2] for one in sales) - sum(one[2] for one in returns)
    if count > 0 or spent > 0:
        line["sales"] = {"count": max(0, count), "spent_minor": max(0, spent)}
    owed_centi = row[SEGMENTS + 5] + sum(one[1] for one in owed)
    if owed_centi > 0:
        line["owed_centi"] = owed_centi
    if row[STATE] != "active":
        line["state"] = row[STATE]
    if row[STATE + 2] is not None:
        line["phone_index"] = bytes(row[STATE + 2]).hex()
    for name, flag in (("staff", row[STATE + 3]), ("phone_verified", row[STATE + 4])):
        if flag:
            line[name] = True
    if cards:
        line["cards"] = [
            {"number": number} if state == "active" else {"number": number, "state": state} for _, number, state in cards
        ]
    if lots:
        line["lots"] = [_lot(lot) for lot in sorted(lots, key=itemgetter(1))]
    return line


def _lot(lot: Row) -> dict[str, Any]:
    _, lot_id, amount, remaining, usable_from, expires_at = lot
    made: dict[str, Any] = {"lot_id": lot_id, "centi": remaining, "amount_centi": amount}
    if usable_from:
        made["usable_from"] = from_ms(usable_from)
    if expires_at is not None:
        made["expires_at"] = from_ms(expires_at)
    return made


PLAIN = ("tier", "birthday", "referred_by", "merged_into", "referral_code")
SEGMENTS = len(PLAIN) + 1
STATE = SEGMENTS + 6
MEMBERS_SELECT = f"""SELECT id, {", ".join(PLAIN)}, segments, birthday_set_ms, joined_ms, sales_count, spent_minor, owed_centi,
  state, version, phone_index, staff, phone_verified FROM member WHERE version > 0 ORDER BY id"""
CARDS_SELECT = "SELECT member, number, state FROM card ORDER BY member, number"
LOTS_SELECT = "SELECT member, id, amount, remaining, usable_from, expires_at FROM lot WHERE remaining > 0 ORDER BY member"
SALES_SELECT = """SELECT member, COUNT(*), coalesce(SUM(total_minor - advance_minor), 0) FROM sale
WHERE member IS NOT NULL AND state = 'completed' GROUP BY member ORDER BY member"""
RETURNS_SELECT = """SELECT member, COUNT(DISTINCT CASE WHEN is_last THEN sale_till || '/' || sale_id END),
  coalesce(SUM(refund_minor + points_minor - advance_minor), 0)
FROM sale_return WHERE member IS NOT NULL AND NOT is_claimed GROUP BY member ORDER BY member"""
OWED_SELECT = """SELECT member, SUM(CASE WHEN debit_acct = 'owed:' || member THEN amount ELSE -amount END) FROM entry
WHERE member IS NOT NULL AND (debit_acct = 'owed:' || member OR credit_acct = 'owed:' || member)
AND (debit_acct GLOB 'owed:*' OR credit_acct GLOB 'owed:*') GROUP BY member ORDER BY member"""
HOLDS_SELECT = """SELECT t.till, t.epoch, t.seq, t.hash FROM txn AS t JOIN (
  SELECT till, epoch, MAX(seq) AS seq FROM txn GROUP BY till, epoch
) AS last ON last.till = t.till AND last.epoch = t.epoch AND last.seq = t.seq ORDER BY t.till, t.epoch"""
