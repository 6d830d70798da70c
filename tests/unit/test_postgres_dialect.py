"""Each rewriting of a statement for PostgreSQL, by hand."""

from __future__ import annotations

import pytest

from sync.server.postgres_dialect import translated


@pytest.mark.parametrize(
    ("sqlite", "postgres"),
    [
        ("SELECT a FROM t WHERE b = :b AND c = ?", "SELECT a FROM t WHERE b = %(b)s AND c = %s"),
        ("SELECT a FROM t WHERE b LIKE 'x%'", "SELECT a FROM t WHERE b LIKE 'x%%'"),
        ("SELECT a FROM t WHERE b GLOB 'owed:*'", "SELECT a FROM t WHERE b LIKE 'owed:%%'"),
        ("SELECT a FROM t WHERE b GLOB 'a_b*'", "SELECT a FROM t WHERE b LIKE 'a\\_b%%'"),
        ("SELECT a IS NULL, b IS NOT NULL FROM t", "SELECT a IS NULL , b IS NOT NULL FROM t"),
        ("SELECT a IS :b, c IS NOT d FROM t", "SELECT a IS NOT DISTINCT FROM %(b)s , c IS DISTINCT FROM d FROM t"),
        ("SELECT max(a, min(b, 0)), MAX(c) FROM t", "SELECT GREATEST ( a , LEAST ( b , 0 ) ) , MAX ( c ) FROM t"),
        ("SELECT CAST(t.payload AS TEXT) ->> '$.a' FROM t", "SELECT read_text ( t . payload ) ->> '$.a' FROM t"),
        ("SELECT CAST(a AS INTEGER) FROM t", "SELECT CAST ( a AS bigint ) FROM t"),
        ("SELECT a FROM (SELECT 1 AS a) WHERE a = 1", "SELECT a FROM ( SELECT 1 AS a ) AS unnamed_1 WHERE a = 1"),
        ("SELECT a FROM (SELECT 1 AS a) AS b", "SELECT a FROM ( SELECT 1 AS a ) AS b"),
        ("INSERT OR IGNORE INTO t (a) SELECT b FROM c", "INSERT INTO t ( a ) SELECT b FROM c ON CONFLICT DO NOTHING"),
        ("SELECT a FROM lot INDEXED BY lot_by_end WHERE +b = 1", "SELECT a FROM lot WHERE b = 1"),
        ("INSERT INTO lot (id) VALUES (?) ON CONFLICT (id) DO NOTHING", "INSERT INTO lot ( id ) VALUES ( %s ) "
         "ON CONFLICT ( member , id ) DO NOTHING"),
        ("INSERT INTO entry (n, member) VALUES (?, ?)", "INSERT INTO entry ( n , member ) VALUES ( %s , coalesce ( %s , '' ) )"),
        ("BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL SERIALIZABLE"),
        ("PRAGMA busy_timeout = 5", ""),
        ("SELECT 1 -- why\nFROM t", "SELECT 1 FROM t"),
    ],
)  # fmt: skip
def test_a_statement_is_rewritten(sqlite: str, postgres: str) -> None:
    assert translated(sqlite) == postgres


def test_a_text_is_never_rewritten() -> None:
    assert translated("SELECT 'IS :b max(a, b) GLOB' FROM t") == "SELECT 'IS :b max(a, b) GLOB' FROM t"


def test_a_fact_keeps_its_number_apart_from_all_others() -> None:
    assert translated("INSERT INTO txn (id) VALUES (:id)").startswith("WITH placed AS ( INSERT INTO txn_place")
