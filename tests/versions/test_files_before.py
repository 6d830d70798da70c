"""A file of the version before is brought up when it is opened, wherever that is cut short; a newer one is left alone."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2

from pos_loyalty import wiring
from pos_loyalty.errors import StoreSchemaError
from pos_loyalty.store import db as store_db
from pos_loyalty.store import relay_income, versions, witness
from pos_loyalty.store.db import Connection, open_reader, open_store
from pos_loyalty.store.migrations import MIGRATIONS
from pos_loyalty.store.right_facts import LogPart, RightLine
from pos_loyalty.store.verify import verify
from pos_loyalty.values import Points
from tests.simulation.shop import NOW
from tests.versions.before_files import MASTER_KEY, OWNERS, SAID, put, rows_of

KILLS = 40
NEXT = """
-- A table, a column of a table that is summed up, rows that move.
CREATE TABLE later (name TEXT PRIMARY KEY, told TEXT NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE sync_state ADD COLUMN later_word TEXT;
INSERT INTO later (name, told) SELECT till || '/' || seq, kind FROM txn;
CREATE INDEX later_by_word ON later (told);
"""
both = pytest.mark.parametrize("name", list(OWNERS))


def opened(path: Path, name: str) -> Connection:
    role, owner = OWNERS[name]
    return open_store(path, role=role, owner=owner, now=NOW, master_key=MASTER_KEY.hex())  # type: ignore[arg-type]


def version_of(path: Path) -> int:
    db = dbapi2.connect(str(path))
    (version,) = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return int(version)


@pytest.fixture
def as_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """This program as the version after it will be: one step more, and one column more that is summed up."""
    monkeypatch.setattr(versions, "MIGRATIONS", (*MIGRATIONS, NEXT))
    for module in (versions, store_db):
        monkeypatch.setattr(module, "FILE_VERSION", versions.FILE_VERSION + 1 if module is versions else versions.FILE_VERSION)
    watched = {**witness.WATCHED, "sync_state": (*witness.WATCHED["sync_state"], "later_word")}
    monkeypatch.setattr(witness, "WATCHED", watched)
    monkeypatch.setattr(versions, "WATCHED", watched)


def test_what_has_landed_is_never_changed() -> None:
    first = "\n".join(MIGRATIONS[: versions.STEPS_OF_1])
    assert sha256(first.encode()).hexdigest() == SAID["build"] == versions.FIRST_BUILD, "add a step at the end instead"


@both
def test_a_file_of_the_version_before_is_brought_up_and_says_the_same(tmp_path: Path, name: str) -> None:
    path = put(name, tmp_path)
    before = rows_of(path)
    opened(path, name).close()
    after = rows_of(path)
    assert version_of(path) == versions.FILE_VERSION
    assert {key for key, _ in before["meta"]} - {key for key, _ in after["meta"]} == {"build"}
    for table in before.keys() - {"meta", "witness"}:
        old = before[table]
        assert [row[: len(old[0])] for row in after[table]] == old if old else True, table
    reader = open_reader(path, master_key=MASTER_KEY.hex())
    assert verify(reader) == ()
    reader.close()


@both
def test_a_new_file_and_one_that_was_brought_up_have_the_same_tables(tmp_path: Path, name: str) -> None:
    old, new = put(name, tmp_path), tmp_path / "new.db"
    shapes = []
    for path in (old, new):
        db = opened(path, name)
        shapes.append(sorted(db.execute("SELECT type, name, tbl_name FROM sqlite_schema").fetchall()))
        shapes[-1] += [tuple(row) for _, table, _ in shapes[-1][:] for row in db.execute(f"PRAGMA table_info({table})")]
        db.close()
    assert shapes[0] == shapes[1]


@both
@pytest.mark.usefixtures("as_next")
def test_two_versions_behind_it_goes_up_step_by_step(tmp_path: Path, name: str) -> None:
    path = put(name, tmp_path)
    db = opened(path, name)
    assert db.execute("SELECT COUNT(*) FROM later").fetchone() == db.execute("SELECT COUNT(*) FROM txn").fetchone()
    assert list(witness.differences(db)) == []
    db.close()
    assert version_of(path) == versions.FILE_VERSION


@pytest.mark.usefixtures("as_next")
def test_a_row_that_a_hand_changed_before_is_still_told_after(tmp_path: Path) -> None:
    path = put("till.db", tmp_path)
    raw = dbapi2.connect(str(path), isolation_level=None)
    raw.execute("UPDATE sync_state SET pulled_version = pulled_version + 1")
    raw.close()
    db = opened(path, "till.db")
    assert [each for each in witness.differences(db) if "sync_state" in each]
    db.close()


@both
@pytest.mark.usefixtures("as_next")
def test_killed_at_any_instruction_the_next_opening_goes_on(tmp_path: Path, name: str) -> None:
    whole = put(name, tmp_path)
    steps = _instructions(whole, name)
    assert steps > KILLS
    expected = rows_of(whole)
    seen = set()
    for n in range(KILLS):
        folder = tmp_path / str(n)
        folder.mkdir()
        path = put(name, folder)
        assert _killed_after(path, name, 1 + n * steps // KILLS)
        version = version_of(path)
        seen.add(version)
        assert ("later" in rows_of(path)) is (version == versions.FILE_VERSION)
        opened(path, name).close()
        assert rows_of(path) == expected
    assert len(seen) > 1, "the kills lie on both sides of a step"


@both
def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = put(name, tmp_path)
    db = opened(path, name)
    db.execute(f"PRAGMA user_version = {versions.FILE_VERSION + 1}")
    db.close()
    before = path.read_bytes()
    for open_it in (
        lambda: opened(path, name),
        lambda: open_reader(path),
        lambda: wiring.offices.backup(path, tmp_path / "copy.db"),
    ):
        with pytest.raises(StoreSchemaError, match=r"newer pos_loyalty .* nothing was changed"):
            open_it()
    assert path.read_bytes() == before


def test_who_only_reads_brings_nothing_up_and_a_backup_is_of_the_old_version(tmp_path: Path) -> None:
    path = put("till.db", tmp_path)
    with pytest.raises(StoreSchemaError, match="older pos_loyalty"):
        open_reader(path)
    wiring.offices.backup(path, tmp_path / "copy.db")
    assert (version_of(path), version_of(tmp_path / "copy.db")) == (0, 0)
    assert rows_of(tmp_path / "copy.db") == rows_of(path)


def test_another_tills_file_is_not_brought_up(tmp_path: Path) -> None:
    path = put("till.db", tmp_path)
    with pytest.raises(StoreSchemaError, match="of till T1, not of till T2"):
        open_store(path, role="till", owner="T2", now=NOW)
    assert version_of(path) == 0


@pytest.mark.usefixtures("as_next")
def test_a_step_that_fails_leaves_the_file_at_the_version_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put("till.db", tmp_path)
    monkeypatch.setattr(versions, "MIGRATIONS", (*MIGRATIONS, NEXT + "INSERT INTO later (name, told) VALUES ('x', NULL);\n"))
    with pytest.raises(Exception, match="NOT NULL"):
        opened(path, "till.db")
    assert version_of(path) == versions.FILE_VERSION - 1
    monkeypatch.setattr(versions, "MIGRATIONS", (*MIGRATIONS, NEXT))
    opened(path, "till.db").close()
    assert version_of(path) == versions.FILE_VERSION


@pytest.mark.usefixtures("as_next")
def test_processes_that_open_it_at_once_bring_it_up_once(tmp_path: Path) -> None:
    path = put("till.db", tmp_path)
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                opened(path, "till.db").close()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    db = opened(path, "till.db")
    assert (version_of(path), list(witness.differences(db))) == (versions.FILE_VERSION, [])
    db.close()


def _instructions(path: Path, name: str) -> int:
    """How many of SQLite's instructions it takes to bring the file up, which is done."""
    count = [0]

    def look() -> int:
        count[0] += 1
        return 0

    _opened_with(path, name, look).close()
    return count[0]


def _killed_after(path: Path, name: str, steps: int) -> bool:
    """A process opens the file and is gone after so many instructions. Whether it was killed, not done before."""
    left = [steps]

    def look() -> int:
        left[0] -= 1
        if left[0] <= 0:
            os._exit(9)
        return 0

    child = os.fork()
    if child == 0:
        try:
            _opened_with(path, name, look)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def _opened_with(path: Path, name: str, look: Any) -> Connection:
    """Opened by a library that tells each instruction."""
    connect = dbapi2.connect

    def telling(*args: Any, **kwargs: Any) -> Any:
        db = connect(*args, **kwargs)
        db.set_progress_handler(look, 1)
        return db

    dbapi2.connect = telling
    try:
        db = opened(path, name)
    finally:
        dbapi2.connect = connect
    db.set_progress_handler(None, 0)
    return db


def test_what_a_till_had_asked_for_it_has_heard_in_a_head_office_that_was_brought_up(tmp_path: Path) -> None:
    """Else one that is off for weeks would hold up whatever was given back to lots in years."""
    path = put("office.db", tmp_path)
    opened(path, "office.db").close()
    db = dbapi2.connect(str(path))
    told = db.execute("SELECT asked_ms, knows_ms FROM till").fetchall()
    db.close()
    assert any(asked for asked, _ in told) and all(asked == knows for asked, knows in told)


def test_a_hub_that_was_brought_up_asks_about_all_logs_that_gave_it_something_back(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    line = RightLine(lot_id="T1/1:base", member_id="M1", centi=Points(100))

    def hub() -> Connection:
        return open_store(path, role="till", owner="HUB", now=NOW)

    db = hub()
    with store_db.write(db):
        for epoch, seq in ((1, 5), (2, 9)):
            relay_income.add(db, LogPart(till="T1", epoch=epoch, seq=seq), (line,), 1)
        relay_income.put_known_from(db, "T1", 2, 7)
        relay_income.put_known_from(db, "T2", 1, 3)
        with witness.watched(db, "relay_known", "TRUE", ()):
            db.execute("DELETE FROM relay_known")
    for column in ("told_version", "told_ms", "knows_ms"):
        db.execute(f"ALTER TABLE till DROP COLUMN {column}")
    db.execute("DROP INDEX till_key_by_store")
    db.execute("PRAGMA user_version = 7")
    db.close()
    db = hub()
    assert relay_income.known(db, 9) == [("T1", 2, 0, 9), ("T1", 1, 0, 5), ("T2", 1, 0, 0)]
    assert list(witness.differences(db)) == []
    db.close()
