"""A till's file made again from its log alone, and compared with the first one, table by table, byte for byte.

Rule: what follows from the log is equal to the byte. What does not is named in NOT_OF_THE_LOG, with its reason. Keys of members
are lent to the new file, for facts hold a person only sealed; an erased one has none, and folds as one who never told anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from pos_loyalty.store import awards, follow, ledger, members, sales
from pos_loyalty.store.db import Connection, meta, open_store, write
from pos_loyalty.store.facts import Fact, fact_of

OF_THE_LOG: Mapping[str, str] = {
    "txn": "till, epoch, seq",
    "entry": "txn, n",
    "lot": "id",
    "balance": "account, unit",
    "sale": "till, sale_id",
    "sale_line": "till, sale_id, line_id",
    "adjustment": "till, sale_id, line_id, rule",
    "issue": "txn, n",
    "coupon_use": "code, till, sale_id",
    "rule_use": "scope, key, rule",
    "member_counter": "member, key",
    "member": "id",
    "card": "number",
    "member_consent": "txn, n",
    "member_attribute": "member, kind, name",
    "sale_claim": "till, sale_id",
    "gift_card": "id",
    "sale_return": "till, return_id",
    "return_line": "till, return_id, line_id",
    "withdrawn": "till, return_id, n",
    "member_tier": "txn",
    "coupon_code": "code",
    "coupon_made": "txn, code",
    "till_key": "till, epoch",
    "right_grant": "id",
    "right_line": "grant_id, lot",
    "right_return": "txn, lot",
    "rule_stop": "txn",
    "case_closed": "till, epoch, seq, reason",
    "meta": "key",
}
"""Each table with its key. ``meta`` is given to the new file: whose it is, its epoch, its build, when it was made."""
NOT_OF_THE_LOG: Mapping[str, str] = {
    "sync_state": "how far head office confirmed the log",
    "attempt": "private: ids that were taken before a try, also of sales that never came about",
    "idempotency": "private: answers kept for a host that asks again",
    "programme": "what head office published, or this shop's file said; the log names versions only",
    "print_job": "private: slips and how far the printer came with them",
    "drawer_kick": "private: when the drawer was asked to open",
    "till": "head office's: how far it holds each till's log",
    "version_mark": "head office's: numbers of its changes",
    "suspense_case": "what a person has to settle, and has settled",
    "enrol_code": "head office's, private: codes that wait",
    "hub_wait": "head office's, private: how often a log waited for another till's",
    "even_due": "head office's, private: what it evens out when all have said hello",
    "told": "head office's, private: who said hello with a whole log, and when",
    "relay_right": "a hub's: what tills gave back to it, out of their logs, which it need not keep",
    "relay_start": "a hub's: up to which fact of a till's log it knows that",
    "relay_known": "a hub's: the same for sure, as head office told, of each machine",
    "relay_card": "a hub's: gift cards that its tills' logs tell of",
    "relay_rest": "a hub's: since when it may hold rights to a gift card or a code",
    "hello_due": "head office's, private: whom it waits for since it was restored",
    "recompute_mark": "head office's: how far it asked the engine again",
    "sale_recomputed": "head office's: facts whose figures differ",
    "member_key": "private: the member's data key stands in no fact, and may be destroyed",
    "phone_code": "private: codes on their way to phones",
    "phone_todo": "private: imported phones that wait for their slow hash",
    "staff": "private: who may answer for acts here, and wrong PINs",
    "confirm_try": "private: tries to confirm redemptions",
    "gift_try": "private: wrong PINs and codes",
    "trusted_time": "private: how far time has come at this machine",
    "run": "private: when the till was opened and closed",
    "publication": "what head office published, and from when on",
    "snapshot_apply": "private: how far a snapshot of head office is taken in",
    "tier_word": "head office's word",
    "tier_look": "a cache of when tiers were looked at last; it may be lost",
    "coupon_word": "head office's word",
    "coupon_version": "head office's: numbers of its changes",
    "member_word": "head office's word",
    "witness": "sums of the rows of tables that no fact proves",
}
PULLED_MEMBERS = "SELECT id FROM member WHERE version > 0"
"""Of whom head office has spoken. Their own row, their cards and their lots are its word with our later facts on top: they are
left out on both sides. The log says nothing of what it did not make. All else of theirs is compared: entries, accounts, sales."""
KEYS_SELECT = "SELECT member, till, sealed FROM member_key"
OF_A_MEMBER: Mapping[str, str] = {"member": "id", "card": "member", "lot": "member"}


def refold(source: Connection, path: Path) -> Connection:
    """A new store at ``path``, with the facts of ``source`` in the order in which they came."""
    made_at = datetime.fromisoformat(meta(source, "made_at") or "")
    db = _empty(path, meta(source, "owner") or "", made_at, source.master_key)
    with write(db):
        db.executemany("INSERT INTO member_key (member, till, sealed) VALUES (?, ?, ?)", source.execute(KEYS_SELECT).fetchall())
        db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (meta(source, "epoch"),))
        for payload, prev_hash, hash_ in source.execute("SELECT payload, prev_hash, hash FROM txn ORDER BY rowid"):
            fact = fact_of(payload)
            ledger.store_fact(db, fact, payload, prev_hash, hash_)
            _rows(db, fact)
    return db


def _empty(path: Path, owner: str, made_at: datetime, master_key: str | None) -> Connection:
    """A new store; one that was made at the same moment for the same till is the same to the byte."""
    path.write_bytes(_made(path, owner, made_at))
    return open_store(path, role="till", owner=owner, now=made_at, master_key=master_key)


@lru_cache(maxsize=4)
def _made(path: Path, owner: str, made_at: datetime) -> bytes:
    open_store(path, role="till", owner=owner, now=made_at).close()
    return path.read_bytes()


def _rows(db: Connection, fact: Fact) -> None:
    """What a fact brings, as at head office when nothing contradicts."""
    if fact.sale is not None:
        sales.add(db, fact)
    if fact.end is not None:
        sales.end(db, fact)
    if fact.award is not None:
        awards.add(db, fact)
    if fact.enrolment is not None:
        members.add(db, fact.enrolment, None, fact.at)
    follow.follow(db, fact)


def differences(source: Connection, path: Path) -> list[str]:
    """A sentence for each table that a re-fold into a new file at ``path`` makes otherwise; none when all are equal."""
    pulled = {member for (member,) in source.execute(PULLED_MEMBERS)}
    again = refold(source, path)
    try:
        return [found for table in OF_THE_LOG if (found := _difference(source, again, table, pulled))]
    finally:
        again.close()


def _difference(source: Connection, again: Connection, table: str, pulled: set[str]) -> str:
    stored, folded = _content(source, table, pulled), _content(again, table, pulled)
    if stored == folded:
        return ""
    more = [row for row in stored if row not in folded]
    less = [row for row in folded if row not in stored]
    return f"{table}: {len(more)} rows are stored otherwise than the log makes them. Stored: {more[:3]}; by the log: {less[:3]}"


def _content(db: Connection, table: str, pulled: set[str]) -> list[tuple[object, ...]]:
    """All columns of all rows by key; the types count too, so that 1 is not 1.0 nor text bytes."""
    found = db.execute(f"SELECT * FROM {table} ORDER BY {OF_THE_LOG[table]}")
    names = [column[0] for column in found.description]
    rows = [tuple((type(value).__name__, value) for value in row) for row in found]
    if table not in OF_A_MEMBER:
        return list(rows)
    place = names.index(OF_A_MEMBER[table])
    return [row for row in rows if row[place][1] not in pulled]
