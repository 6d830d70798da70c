"""A checkout does not slow down as the log grows: no statement on its way reads a whole table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.clock import from_ms
from pos_loyalty.store import ledger, members, outbox, prints, programmes, sales
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import SaleEnd
from tests.unit.store_facts import NOW, sale_draft, till_store

SMALL = ("CONSTANT ROW", "sync_state", "(subquery", "programme", "publication", "same", "json_each")
"""Tables of one row, of a handful, and intermediate results, such as the ids of one person."""
NOT_ASKED = ("JOB_SELECT",)
"""A part of others."""
STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": text
    for module in (ledger, sales, members, outbox, prints, programmes)
    for name, text in vars(module).items()
    if name.isupper() and isinstance(text, str) and re.match(r"\s*(SELECT|UPDATE|DELETE)\b", text) and name not in NOT_ASKED
} | {
    "prints.next_queued": f"{prints.JOB_SELECT} WHERE state = 'queued' ORDER BY id LIMIT 1",
    "prints.waiting": "SELECT COUNT(*) FROM print_job WHERE state IN ('queued', 'sending', 'awaiting_ack')",
    "sales.unfinished": "SELECT sale_id FROM sale WHERE state = 'authorised' ORDER BY authorised_ms, sale_id",
}


def _plan(db: Connection, statement: str) -> list[str]:
    names = set(re.findall(r":(\w+)", statement))
    arguments = dict.fromkeys(names, 1) if names else [1] * statement.count("?")
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_whole_table(tmp_path: Path, name: str) -> None:
    db = till_store(tmp_path / "till.db")
    scans = [step for step in _plan(db, STATEMENTS[name]) if step.startswith("SCAN ")]
    scans = [step for step in scans if not step.removeprefix("SCAN ").startswith(SMALL) and "sale_offline" not in step]
    assert scans == []
    db.close()


def test_facts_of_a_sale_are_found_by_the_sale(tmp_path: Path) -> None:
    """Verify asks so for each sale: by the log's own index it would read all of it each time."""
    db = till_store(tmp_path / "till.db")
    expected = ["SEARCH txn USING INDEX txn_by_sale (till=? AND sale_id=?)"]
    assert _plan(db, ledger.SALE_FACTS_SELECT) == expected
    with write(db):
        for n in range(2000):
            ledger.append(db, replace(sale_draft(n), body=SaleEnd(sale_id=f"sale-{n}"), receipt_no=None), NOW)
    assert _plan(db, ledger.SALE_FACTS_SELECT) == expected
    steps: list[int] = []
    db.set_progress_handler(lambda: steps.append(1), 50)
    assert len(ledger.sale_facts(db, "T1", "sale-1999")) == 1
    db.set_progress_handler(None, 50)
    assert len(steps) <= 2, "some steps for the one row, not for the 2000"
    db.close()


def test_the_night_costs_by_what_has_ended_and_not_by_what_lives_on(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    plan = _plan(db, ledger.EXPIRED_SELECT)
    assert "SEARCH lot USING INDEX lot_by_end (expires_at<?)" in plan
    steps: list[int] = []
    made = [(f"lot-{n}", f"M{n}", 1_000 + n) for n in range(3_000)]
    with write(db):
        db.executemany(
            "INSERT INTO lot (id, member, unit, usable_from, expires_at, amount, remaining) VALUES (?, ?, 'P', 0, ?, 5, 5)", made
        )
        db.execute("INSERT INTO lot (id, member, unit, usable_from, amount, remaining) VALUES ('for-ever', 'M7', 'P', 0, 5, 5)")
    db.set_progress_handler(lambda: steps.append(1), 50)
    assert ledger.expired(db, from_ms(999), 50) == {}
    assert set(ledger.expired(db, from_ms(1_003), 50)) == {"M0", "M1", "M2", "M3"}
    assert len(ledger.expired(db, from_ms(9_999), 50)) == 50
    db.set_progress_handler(None, 50)
    assert len(steps) <= 80, "some steps for each that has ended, not for the 3000"
    db.close()


def test_the_last_fact_is_found_without_counting(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    for statement in (ledger.LAST_SELECT, outbox.COUNT_SELECT):
        assert not any("B-TREE" in step for step in _plan(db, statement))
    db.close()
