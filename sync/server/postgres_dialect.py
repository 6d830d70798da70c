"""SQLite's SQL as PostgreSQL reads it, for what the store files write. Rule: one table of rewritings, no second SQL.

A statement is cut into tokens and rewritten token by token; what this cannot do is written in the store in words that both know
(``docs/store.md``, PostgreSQL). The answer of ``translated`` is kept by the text of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

STATEMENTS_MAX: Final = 1024
WHOLE: Final[Mapping[str, str]] = {
    "BEGIN IMMEDIATE": "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "BEGIN": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "PRAGMA wal_checkpoint(TRUNCATE)": "SELECT 0, 0, 0",
}
"""Statements that are words of their own. PostgreSQL empties its own journal."""
PRAGMA_WORD: Final = "PRAGMA"
TYPES: Final[Mapping[str, str]] = {"INTEGER": "bigint", "BLOB": "bytea", "TEXT": "text"}
BYTES: Final = frozenset(
    {"payload", "answer", "fiscal", "word", "quote", "basket", "tenders", "body", "personal"}
)  # fmt: skip
"""Columns of bytes that hold JSON: ``CAST(… AS TEXT)`` of them reads the bytes as UTF-8."""
CONFLICTS: Final[Mapping[str, str]] = {"lot": "member, id"}
"""Where a table's key is another one than SQLite's, because it holds the column that the table is divided by."""
NEVER_NULL: Final[Mapping[str, str]] = {"entry": "member"}
"""A column that a table is divided by is never NULL: '' stands for nobody."""
PLACED: Final = (
    "WITH placed AS ( INSERT INTO txn_place ( till , epoch , seq , id , receipt_no ) "
    "VALUES ( %(till)s , %(epoch)s , %(seq)s , %(id)s , %(receipt_no)s ) )"
)
"""The log is divided by month, so that its own keys could not hold numbers apart: ``txn_place`` does, in the same statement."""
TOKEN: Final = re.compile(r"\s+|--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|:?[A-Za-z_]\w*|\d+|->>|\|\||<>|<=|>=|.", re.DOTALL)
CLAUSES: Final = frozenset({"WHERE", "GROUP", "ORDER", "UNION", "LIMIT", "HAVING", "JOIN", "LEFT", "ON", ")", ","})

Tokens = list[str]


@lru_cache(STATEMENTS_MAX)
def translated(sql: str) -> str:
    """The statement for PostgreSQL, with psycopg's placeholders. '' for one that PostgreSQL does not need."""
    whole = WHOLE.get(sql.strip())
    if whole is not None or sql.lstrip().startswith(PRAGMA_WORD):
        return whole or ""
    words = tokens(sql)
    for rewrite in REWRITES:
        words = rewrite(words)
    text = " ".join(map(_placed_holder, words))
    return f"{PLACED} {text}" if words[:3] == ["INSERT", "INTO", "txn"] else text


def tokens(sql: str) -> Tokens:
    """The words and signs of a statement, without spaces and comments."""
    return [word for word in TOKEN.findall(sql) if not word.isspace() and not word.startswith("--")]


def closing(words: Tokens, start: int) -> int:
    """Where the bracket closes that opens at ``start``."""
    depth = 0
    for at in range(start, len(words)):
        depth += (words[at] == "(") - (words[at] == ")")
        if depth == 0:
            return at
    raise AssertionError("a bracket stays open")


def globs(words: Tokens) -> Tokens:
    """``GLOB 'owed:*'`` as LIKE; a star is all that our patterns know."""
    out: Tokens = []
    for at, word in enumerate(words):
        if at and words[at - 1] == "GLOB":
            word = word.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%").replace("*", "%")
        out.append("LIKE" if word == "GLOB" else word)
    return out


def types(words: Tokens) -> Tokens:
    """Types of columns and casts; a cast of JSON's bytes reads them as text."""
    out: Tokens = []
    at = 0
    while at < len(words):
        if words[at] == "CAST" and words[at + 1] == "(":
            end = closing(words, at + 1)
            if words[end - 1] == "TEXT" and words[end - 3] in BYTES and end - at <= 7:
                out += ["read_text", "(", *words[at + 2 : end - 2], ")"]
                at = end + 1
                continue
        out.append(TYPES.get(words[at], words[at]))
        at += 1
    return out


def _ignores(words: Tokens) -> Tokens:
    if words[:3] != ["INSERT", "OR", "IGNORE"]:
        return words
    return ["INSERT", *words[3:], "ON", "CONFLICT", "DO", "NOTHING"]


def _hints(words: Tokens) -> Tokens:
    """Without ``INDEXED BY name``, and without the + that keeps SQLite from an index."""
    out: Tokens = []
    for at, word in enumerate(words):
        if "INDEXED" in words[max(0, at - 2) : at + 1]:
            continue
        if word == "+" and words[at - 1] in ("AND", "WHERE", "OR") and words[at + 1][0].isalpha():
            continue
        out.append(word)
    return out


def _sameness(words: Tokens) -> Tokens:
    """``IS`` and ``IS NOT`` between values."""
    out: Tokens = []
    at = 0
    while at < len(words):
        is_not = words[at : at + 2] == ["IS", "NOT"]
        after = words[at + 1 + is_not] if at + 1 + is_not < len(words) else ""
        if words[at] == "IS" and after not in ("NULL", "TRUE", "FALSE", "DISTINCT"):
            out += ["IS", "DISTINCT", "FROM"] if is_not else ["IS", "NOT", "DISTINCT", "FROM"]
            at += 1 + is_not
            continue
        out.append(words[at])
        at += 1
    return out


def _extremes(words: Tokens) -> Tokens:
    """``max(a, b)`` of one row; ``MAX(a)`` stays what it is."""
    out = list(words)
    for at, word in enumerate(words[:-1]):
        if word in ("max", "min") and words[at + 1] == "(":
            out[at] = "GREATEST" if word == "max" else "LEAST"
    return out


def _names(words: Tokens) -> Tokens:
    """A select within FROM needs a name."""
    out = list(words)
    named = 0
    for at in range(len(words) - 1, -1, -1):
        if words[at] != "(" or words[at - 1] not in ("FROM", "JOIN") or words[at + 1] not in ("SELECT", "WITH"):
            continue
        end = closing(out, at)
        if end + 1 == len(out) or out[end + 1] in CLAUSES:
            named += 1
            out[end + 1 : end + 1] = ["AS", f"unnamed_{named}"]
    return out


def _keys(words: Tokens) -> Tokens:
    """What a table's rows are told apart by."""
    if words[:2] != ["INSERT", "INTO"] or words[2] not in CONFLICTS:
        return words
    for at in range(len(words) - 2):
        if words[at : at + 3] == ["ON", "CONFLICT", "("]:
            end = closing(words, at + 2)
            return [*words[: at + 3], *tokens(CONFLICTS[words[2]]), *words[end:]]
    return words


def _nobody(words: Tokens) -> Tokens:
    if words[:2] != ["INSERT", "INTO"] or words[2] not in NEVER_NULL:
        return words
    end = closing(words, 3)
    place = [word for word in words[4:end] if word != ","].index(NEVER_NULL[words[2]])
    at = end + 3 + 2 * place
    return [*words[:at], "coalesce", "(", words[at], ",", "''", ")", *words[at + 1 :]]


def _placed_holder(word: str) -> str:
    if word == "?":
        return "%s"
    if word[0] == ":":
        return f"%({word[1:]})s"
    return word.replace("%", "%%")


REWRITES: Final[tuple[Callable[[Tokens], Tokens], ...]] = (
    _ignores, _hints, globs, _names, _sameness, _extremes, types, _keys, _nobody,
)  # fmt: skip
"""In this order: names before sameness, which brings a FROM of its own."""
