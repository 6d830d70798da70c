"""The file: who may open it, how it is opened, and that a transaction is all or nothing."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from pos_loyalty.errors import LoyaltyError, StoreBusyError, StoreError, StoreSchemaError
from pos_loyalty.store import guard
from pos_loyalty.store.db import backup, checkpoint, meta, open_reader, open_store, own, wal_is_safe, write
from pos_loyalty.store.versions import FILE_VERSION
from tests.unit.store_facts import NOW, sell, till_store


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 6, 23), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_only_with_a_library_without_the_reset_bug(version: tuple[int, int, int], safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_this_library_gets_wal_and_full(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert db.execute("PRAGMA busy_timeout").fetchone()[0] >= 1000
    assert db.execute("PRAGMA application_id").fetchone() == (0x504F534C,)
    assert db.execute("PRAGMA user_version").fetchone() == (FILE_VERSION,)
    db.close()


def test_an_old_library_gets_delete_and_extra_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 51, 1))
    db = till_store(tmp_path / "till.db")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert db.execute("PRAGMA synchronous").fetchone() == (3,)
    assert [record.getMessage() for record in caplog.records] == ["store.wal_refused"]
    sell(db, 1)
    db.close()


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    sell(db, 1)
    db.close()
    db = till_store(tmp_path / "till.db")
    assert db.execute("SELECT COUNT(*) FROM txn").fetchone() == (1,)
    assert (meta(db, "owner"), meta(db, "role"), meta(db, "epoch")) == ("T1", "till", "1")
    db.close()


def _of_another_build(path: Path) -> None:
    db = till_store(path)
    db.execute("INSERT INTO meta (key, value) VALUES ('build', 'else')")
    db.execute("PRAGMA user_version = 0")
    db.close()


def _of_a_newer_version(path: Path) -> None:
    db = till_store(path)
    db.execute(f"PRAGMA user_version = {FILE_VERSION + 1}")
    db.close()


def _of_another_program(path: Path) -> None:
    db = dbapi2.connect(str(path))
    db.execute("CREATE TABLE theirs (x)")
    db.close()


def _with_another_mark(path: Path) -> None:
    db = dbapi2.connect(str(path), isolation_level=None)
    db.execute("PRAGMA application_id = 7")
    db.close()


def _of_another_till(path: Path) -> None:
    till_store(path, "T2").close()


def _of_head_office(path: Path) -> None:
    open_store(path, role="head_office", owner="T1", now=NOW).close()


def _no_database(path: Path) -> None:
    path.write_bytes(b"this is a text, and long enough to be no header at all" * 40)


@pytest.mark.parametrize(
    "make",
    [
        _of_another_build,
        _of_a_newer_version,
        _of_another_program,
        _with_another_mark,
        _of_another_till,
        _of_head_office,
        _no_database,
    ],
)
def test_a_file_that_is_not_ours_is_refused_in_one_sentence_and_left_alone(tmp_path: Path, make: object) -> None:
    path = tmp_path / "till.db"
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StoreSchemaError) as refusal:
        till_store(path)
    sentence = str(refusal.value)
    assert "\n" not in sentence and sentence.endswith(".") and str(path) in sentence
    assert path.read_bytes() == before


def test_a_reader_cannot_write_and_finds_no_file_made(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    with pytest.raises(StoreSchemaError):
        open_reader(path)
    assert not path.exists()
    db = till_store(path)
    sell(db, 1)
    reader = open_reader(path)
    assert reader.execute("SELECT COUNT(*) FROM txn").fetchone() == (1,)
    with pytest.raises(dbapi2.OperationalError):
        reader.execute("DELETE FROM meta")
    sell(db, 2)
    assert reader.execute("SELECT COUNT(*) FROM txn").fetchone() == (2,)
    reader.close()
    db.close()


def test_a_folder_that_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "till.db").mkdir()
    with pytest.raises(StoreError) as refusal:
        till_store(tmp_path / "till.db")
    assert "cannot be opened" in str(refusal.value)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    with pytest.raises(ZeroDivisionError), write(db):
        db.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')")
        _ = 1 // 0
    with pytest.raises(StoreError), write(db):
        db.execute("INSERT INTO meta (key, value) VALUES ('c', 'd')")
        db.execute("INSERT INTO meta (key, value) VALUES ('c', 'e')")
    assert (meta(db, "a"), meta(db, "c"), db.in_transaction) == (None, None, False)
    with write(db):
        db.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')")
    assert meta(db, "a") == "b"
    db.close()


def test_a_transaction_does_not_nest(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    with pytest.raises(AssertionError), write(db), write(db):
        pass
    db.close()


def test_another_writer_is_told_as_busy(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    first, second = till_store(path), till_store(path)
    second.execute("PRAGMA busy_timeout = 0")
    with write(first), pytest.raises(StoreBusyError), write(second):
        pass
    with write(second):
        second.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')")
    assert meta(first, "a") == "b"
    first.close()
    second.close()


def test_one_till_process_owns_a_file(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    lock = own(path)
    with pytest.raises(StoreBusyError) as refusal:
        own(path)
    assert str(os.getpid()) in str(refusal.value)
    lock.close()
    with own(path):
        pass


def test_the_stdlib_may_not_open_our_file_by_any_name(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    db = till_store(path)
    (tmp_path / "link.db").symlink_to(path)
    for name in (path, str(path), f"file:{path}?mode=ro", os.fsencode(path), tmp_path / "link.db", f"{tmp_path}/./till.db"):
        with pytest.raises(LoyaltyError):
            sqlite3.connect(name, uri=isinstance(name, str) and name.startswith("file:"))
    sqlite3.connect(tmp_path / "another.db").close()
    sell(db, 1)
    db.close()


def test_the_stdlib_may_not_open_a_file_that_we_opened_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    till_store(tmp_path / "link" / "till.db").close()
    with pytest.raises(LoyaltyError):
        sqlite3.connect(tmp_path / "disk" / "till.db")


OUR_LIBRARY = "/venv/pysqlite3/_sqlite3.cpython-311-x86_64-linux-gnu.so"
MAPS = f"""7f00-7f01 r-xp 00000000 08:01 11 {OUR_LIBRARY}
7f01-7f02 r-xp 00000000 08:01 12 /usr/lib/libc.so.6
7f02-7f03 rw-p 00000000 00:00 0
"""


@pytest.mark.parametrize(
    "second",
    [
        "/usr/lib/python3.11/lib-dynload/_sqlite3.cpython-311-x86_64-linux-gnu.so",
        "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0.8.6",
        "/venv/apsw/__init__.cpython-311-x86_64-linux-gnu.so",
    ],
)
def test_a_second_sqlite_in_the_process_is_seen_by_its_full_path(second: str) -> None:
    assert guard.second_copies(MAPS, ours=OUR_LIBRARY) == ()
    assert guard.second_copies(MAPS + f"7f04-7f05 r-xp 00000000 08:01 13 {second}\n", ours=OUR_LIBRARY) == (second,)


MOUNTS = """/dev/sda1 / ext4 rw 0 0
server:/shop /srv/shop nfs4 rw 0 0
tmpfs /srv/shop/local tmpfs rw 0 0
//nas/x /mnt/with\\040space cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/till.db", "ext4"),
        ("/srv/shop/till.db", "nfs4"),
        ("/srv/shopping/till.db", "ext4"),
        ("/srv/shop/local/till.db", "tmpfs"),
        ("/mnt/with space/till.db", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_longest_mount(path: str, kind: str) -> None:
    assert guard.file_system_of(path, MOUNTS) == kind


def test_a_checkpoint_waits_for_nobody(tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    db = till_store(path)
    reader = open_reader(path)
    sell(db, 1)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM txn").fetchone()
    sell(db, 2)
    assert checkpoint(db) > 0
    reader.execute("ROLLBACK")
    assert checkpoint(db) == 0
    reader.close()
    db.close()


def test_a_backup_of_a_working_till_is_whole(tmp_path: Path) -> None:
    db = till_store(tmp_path / "till.db")
    sell(db, 1)
    backup(db, tmp_path / "copy.db")
    sell(db, 2)
    copy = till_store(tmp_path / "copy.db")
    assert copy.execute("SELECT COUNT(*) FROM txn").fetchone() == (1,)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()
    with pytest.raises(StoreError):
        backup(db, tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    db.close()
