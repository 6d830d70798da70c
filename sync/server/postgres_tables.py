"""The tables of head office in PostgreSQL, made from the same numbered steps as the SQLite file's.

Rule: a table that grows is divided by one column (DIVIDED), which stands in every unique key of it, so that a distributed engine
may keep the parts apart. The log lies in months besides: a fact's id begins with its time (UUIDv7), so ranges of ids are months.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from typing import Final, NamedTuple

from pos_loyalty.clock import to_ms
from pos_loyalty.store.migrations import MIGRATIONS
from sync.server.postgres_dialect import Tokens, closing, globs, tokens, types

SCHEMA_NAME: Final = "pos_loyalty"
MONTHS_AHEAD: Final = 3
MONTHS_BACK: Final = 2
TIME_BYTES: Final = 6
"""Of an id: milliseconds since 1970."""
ID_BYTES: Final = 16
DIVIDED: Final[Mapping[str, str]] = {
    "txn": "till", "txn_place": "till", "sale": "till", "sale_line": "till", "adjustment": "till", "coupon_use": "till",
    "sale_claim": "till", "sale_return": "till", "return_line": "till", "withdrawn": "till", "right_grant": "till",
    "right_return": "till", "suspense_case": "till", "till_key": "till", "till": "id", "hello_due": "till", "hub_wait": "till",
    "told": "till", "even_due": "txn",
    "rule_stop": "till", "case_closed": "till", "recompute_mark": "till", "sale_recomputed": "till",
    "entry": "member", "lot": "member", "balance": "account", "member": "id", "member_key": "member",
    "member_consent": "member", "member_attribute": "member", "member_tier": "member", "tier_word": "member",
    "tier_look": "member", "member_word": "member", "member_counter": "member", "phone_code": "member",
    "phone_todo": "member", "confirm_try": "member", "right_line": "member", "rule_use": "key", "card": "number",
    "issue": "txn", "gift_card": "id", "gift_try": "card", "coupon_code": "code", "coupon_word": "code", "idempotency": "key",
    "coupon_made": "code",
}  # fmt: skip
"""By which column a table is divided: the log and what stands beside it by till, the ledger by member, look-ups by their key."""
WHOLE: Final[Mapping[str, str]] = {
    "meta": "a few rows", "sync_state": "one row", "trusted_time": "one row", "run": "one row",
    "publication": "what was published", "snapshot_apply": "of a till", "witness": "a row a table",
    "relay_right": "of a hub", "relay_start": "of a hub", "relay_known": "of a hub", "relay_card": "of a hub",
    "relay_rest": "of a hub",
    "version_mark": "a row an opening", "programme": "what was published", "enrol_code": "codes that live for days",
    "staff": "of a till", "drawer_kick": "of a till", "print_job": "of a till", "attempt": "of a till",
    "coupon_version": "one order of changes over all codes, by which tills ask",
}  # fmt: skip
"""Tables that stay in one piece, and why."""
OF_ANY_LENGTH: Final = frozenset({"sale_by_fiscal"})
"""Indexes over what a host gives: a page of an ordered one holds no long text."""
PASSED_OVER: Final = frozenset({"idempotency_by_member", "act"})
"""An index and a view of what only tills have; ``report acts`` reads a copy of the tables."""
TOGETHER: Final = frozenset({"sale", "sale_return"})
"""Tables whose rows lie beside those that refer to them, by the same column. Others cross the parts: ``verify`` looks."""
MARK, NUL_MARK, MARK_MARK = "\ue000", "\ue000\ue001", "\ue000\ue002"
"""A sign of nobody's language; with it U+0000 is written, and the sign itself."""
READ_TEXT: Final = (
    "CREATE OR REPLACE FUNCTION read_text (bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT "
    r"CASE WHEN pg_catalog.position($1, '\x5c7530303030'::bytea) = 0 AND pg_catalog.position($1, '\xee8080'::bytea) = 0 "
    "THEN pg_catalog.convert_from($1, 'UTF8') ELSE pg_catalog.regexp_replace("
    f"pg_catalog.replace(pg_catalog.convert_from($1, 'UTF8'), '{MARK}', '{MARK_MARK}'), "
    rf"'(?<!\\)((?:\\\\)*)\\u0000', '\1{NUL_MARK}', 'g') END $$"
)
"""JSON's bytes as text, with its U+0000, which no JSON of PostgreSQL may hold, written as in all text here."""
FUNCTIONS: Final = (
    # SUM of whole numbers is a whole number, and an overflow is an error: as in SQLite.
    "CREATE AGGREGATE sum (bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE)",
    READ_TEXT,
    "CREATE FUNCTION json_at (text, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
    "AS $$ SELECT $1::json #>> string_to_array(regexp_replace($2, '^\\$\\.', ''), '.') $$",
    "CREATE OPERATOR ->> (LEFTARG = text, RIGHTARG = text, FUNCTION = json_at)",
    "CREATE FUNCTION json_each (text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
    "AS $$ SELECT json_array_elements_text($1::json) $$",
    "CREATE FUNCTION instr (text, text) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
    "AS $$ SELECT strpos($1, $2)::bigint $$",
    "CREATE SEQUENCE txn_arrival",
)  # fmt: skip
"""What SQLite knows by itself."""
LOG_KEYS: Final = (
    "CREATE TABLE txn_place (till text NOT NULL, epoch bigint NOT NULL, seq bigint NOT NULL, id bytea NOT NULL, receipt_no text, "
    "PRIMARY KEY (till, epoch, seq), UNIQUE (till, id), UNIQUE (till, receipt_no))",
    "CREATE INDEX txn_by_place ON txn (till, epoch, seq)",
    "CREATE TABLE txn_rest PARTITION OF txn DEFAULT",
)
"""The log's numbers are held apart over all months by ``txn_place``."""


def statements() -> Iterator[str]:
    """All that makes the tables, in order."""
    yield from FUNCTIONS
    for step in MIGRATIONS:
        yield from statements_of(step)
    yield from LOG_KEYS


def statements_of(step: str) -> Iterator[str]:
    """One numbered step."""
    for statement in _split(tokens(step)):
        if not PASSED_OVER & set(statement[:3]):
            yield " ".join(_made(statement))


class Month(NamedTuple):
    """A part of the log: its table, and its ids from ``first_id`` (in it) to ``end_id`` (not in it)."""

    name: str
    first_id: bytes
    end_id: bytes

    @property
    def statement(self) -> str:
        """What makes it."""
        ids = f"FROM ('\\x{self.first_id.hex()}') TO ('\\x{self.end_id.hex()}')"
        return f"CREATE TABLE {self.name} PARTITION OF txn FOR VALUES {ids}"


def months(now: datetime) -> Iterator[Month]:
    """The months of the log from some time ago to some time ahead."""
    first = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1 - MONTHS_BACK
    for month in range(first, first + MONTHS_BACK + 1 + MONTHS_AHEAD):
        yield Month(f"txn_{month // 12:04d}_{month % 12 + 1:02d}", _first_id(month), _first_id(month + 1))


def _first_id(month: int) -> bytes:
    begins = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return to_ms(begins).to_bytes(TIME_BYTES).ljust(ID_BYTES, b"\0")


def _split(words: Tokens) -> Iterator[Tokens]:
    rest = iter(words)
    while statement := list(takewhile(lambda word: word != ";", rest)):
        yield statement


def _made(words: Tokens) -> Tokens:
    words = types(globs(words))
    if words[:2] == ["CREATE", "INDEX"] and words[2] in OF_ANY_LENGTH:
        return [*words[:5], "USING", "hash", *words[5:]]
    if words[:2] != ["CREATE", "TABLE"]:
        return words
    table, end = words[2], closing(words, 3)
    columns = [_column(table, part) for part in _parts(words[4:end])]
    keys = [part for column in columns for part in column[1:]]
    body = ", ".join(" ".join(part) for part in [column[0] for column in columns if column[0]] + keys)
    if table != "txn":
        return ["CREATE TABLE", table, "(", body, ")"]
    return ["CREATE TABLE", table, "(", body, ", rowid bigint NOT NULL DEFAULT nextval('txn_arrival') ) PARTITION BY RANGE (id)"]


def _column(table: str, part: Tokens) -> list[Tokens]:
    """A column or a constraint, and the keys that follow from it."""
    by = DIVIDED.get(table)
    if part[0] in ("PRIMARY", "UNIQUE"):
        at = part.index("(")
        names = [word for word in part[at + 1 : closing(part, at)] if word != ","]
        if table == "txn":
            return [[]]
        return [[*part[:at], "(", ", ".join(_with(by, names)), ")"]]
    if part[0] == "FOREIGN" and part[part.index("REFERENCES") + 1] not in TOGETHER:
        return [[]]
    if part[0] in ("FOREIGN", "CHECK"):
        return [part]
    return _typed(table, by, part)


def _typed(table: str, by: str | None, part: Tokens) -> list[Tokens]:
    name, found = part[0], [part]
    if "REFERENCES" in part:
        at = part.index("REFERENCES")
        part = found[0] = part[:at] + part[closing(part, at + 2) + 1 :]
    if part[1:4] == ["bigint", "PRIMARY", "KEY"]:
        rest = [word for word in part[2:] if word != "AUTOINCREMENT"]
        part = found[0] = [name, "bigint", *["GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"], *rest]
    for key in (["PRIMARY", "KEY"], ["UNIQUE"]):
        at = next((n for n in range(len(part)) if part[n : n + len(key)] == key), -1)
        if at >= 0:
            part = found[0] = [*part[:at], *part[at + len(key) :]]
            found.append([*key, "(", ", ".join(_with(by, [name])), ")"])
    if table == "entry" and name == by:
        found[0] = [*found[0], "NOT", "NULL", "DEFAULT", "''"]
    return found


def _with(by: str | None, names: list[str]) -> list[str]:
    return names if by is None or by in names else [*names, by]


def _parts(words: Tokens) -> Iterator[Tokens]:
    """What stands between the commas."""
    part: Tokens = []
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            yield part
            part = []
        else:
            part.append(word)
    yield part
