"""Head office over PostgreSQL: several writers at once, whose database it is, and the commands that name it by its URL."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.errors import StoreError, StoreRaceError, StoreSchemaError
from pos_loyalty.store.db import meta, open_reader, write
from pos_loyalty.store.migrations import MIGRATIONS
from pos_loyalty.store.verify import verify
from pos_loyalty.store.versions import FILE_VERSION, FIRST_BUILD, STEPS_OF_1
from pos_loyalty.store.witness import WATCHED, differences, watched
from sync import push
from sync.local import next_batch
from sync.server import postgres_tables, steps
from sync.server.desk import Desk
from sync.server.postgres import Claims, add_months, as_store, open_ledger, open_postgres
from sync.server.postgres import open_reader as open_reader_there
from sync.server.postgres_copy import copied
from sync.server.sqlite import SqliteLedgerStore
from sync.server.tries import TRIES_MAX, again
from sync.wire import decode_batch
from tests.postgres import Server
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE_PUBLIC, Till
from tests.tables import CONFIG, Folder
from tests.worlds import HEAD

SALES, BATCH, QUESTIONS_MAX = 40, 10, 45
RULE = '[[rule]]\nid = "cups"\nwhen = [{ is = "customer", member = true }]\nthen = [{ do = "counter_add", key = "cups" }]\n'


def log_of(folder: Path, name: str) -> list[bytes]:
    """A till that sells to one member; all tills know the same one."""
    till = Till(folder, name)
    till.enrol(f"M-{name}", f"29000{name}")
    for n in range(SALES):
        till.sell(f"{name}-{n}", "M-A" if n % 2 else f"M-{name}", earn=10 + n)
    batches, seq = [], 0
    while (step := next_batch(till.db, till.here, push.begin(seq, BATCH, NOW), NOW)).send is not None:
        batches.append(step.send)
        seq += decode_batch(step.send).header.count
    till.db.close()
    return batches


def test_tills_that_send_at_once_to_two_processes_lose_nothing(postgres: Server, tmp_path: Path) -> None:
    logs = {name: log_of(tmp_path, name) for name in "AB"}
    url = postgres.new_database()
    open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW).close()
    failures: list[BaseException] = []

    def send(name: str) -> None:
        store = open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW)
        try:
            for batch in logs[name]:
                again(store, lambda store, batch=batch: steps.receive(store, name, batch, NOW, OFFICE_PUBLIC))
        except Exception as error:  # noqa: BLE001  # whatever a thread meets, the test tells
            failures.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=send, args=(name,)) for name in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    copied(url, tmp_path / "copy.db", NOW)
    db = open_reader(tmp_path / "copy.db", master_key=HEAD_OFFICE_KEY.hex())
    assert verify(db) == ()
    held = dict(db.execute("SELECT till, MAX(seq) FROM txn WHERE till IN ('A', 'B') GROUP BY till").fetchall())
    points = db.execute("SELECT SUM(remaining) FROM lot").fetchone()[0]
    db.close()
    assert held == {"A": SALES + 1, "B": SALES + 1}
    assert points == 2 * sum(10 + n for n in range(SALES))


def test_facts_of_sales_are_booked_with_few_questions(postgres: Server, tmp_path: Path) -> None:
    """By what libpq sent: a batch costs so many questions, however many facts it has."""
    first, *batches = log_of(tmp_path, "A")
    ledger = open_postgres(postgres.new_database(), "head-office", NOW)
    store = SqliteLedgerStore(as_store(ledger), HEAD_OFFICE_KEY, Claims(ledger), ledger)
    steps.receive(store, "A", first, NOW, OFFICE_PUBLIC)
    with (tmp_path / "trace").open("w+") as trace:
        ledger.raw.pgconn.trace(trace.fileno())
        for batch in batches:
            steps.receive(store, "A", batch, NOW, OFFICE_PUBLIC)
        ledger.raw.pgconn.untrace()
        trace.seek(0)
        asked = sum("\tExecute\t" in line for line in trace)
    store.close()
    assert asked <= QUESTIONS_MAX * len(batches)


def test_who_loses_every_race_is_told_after_a_bounded_number_of_tries(postgres: Server) -> None:
    store = open_ledger(postgres.new_database(), HEAD_OFFICE_KEY, "head-office", NOW)
    tried: list[int] = []

    def loses(_: object) -> None:
        tried.append(1)
        raise StoreRaceError("another was faster")

    with pytest.raises(StoreRaceError):
        again(store, loses)
    assert len(tried) == TRIES_MAX
    store.close()


def test_a_server_that_went_away_is_found_again(postgres: Server) -> None:
    url = postgres.new_database()
    desk = Desk(lambda: open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW))
    before = desk._run(steps.newest_version)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    answers: list[int] = []
    for _ in range(3):
        with suppress(StoreError):
            answers.append(desk._run(steps.newest_version))
    assert answers[-1] == before
    assert answers
    desk._forget()


def test_a_till_is_not_written_twice_at_once(postgres: Server) -> None:
    url = postgres.new_database()
    one = open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW)
    with one.write("T1"), psycopg.connect(url, autocommit=True) as other:
        lock = "SELECT pg_try_advisory_lock(hashtextextended(%s, 1))"
        assert other.execute(lock, ("T1",)).fetchone() == (False,)
        assert other.execute(lock, ("T2",)).fetchone() == (True,)
    one.close()


def test_a_database_of_another_order_or_owner_is_refused(postgres: Server) -> None:
    url = postgres.new_database()
    open_ledger(url, HEAD_OFFICE_KEY, "head-office", NOW).close()
    with pytest.raises(StoreSchemaError):
        open_postgres(url, "another", NOW)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as db:
        db.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(StoreSchemaError, match="CREATE DATABASE"):
        open_postgres(postgres.url("latin"), "head-office", NOW)
    with pytest.raises(StoreError, match="cannot be reached"):
        open_postgres(postgres.url("nowhere"), "head-office", NOW)


def test_months_are_added_as_time_goes_on(postgres: Server) -> None:
    url = postgres.new_database()
    db = open_postgres(url, "head-office", NOW)
    add_months(db, NOW + timedelta(days=120))
    names = {name for (name,) in db.raw.execute("SELECT inhrelid::regclass::text FROM pg_inherits").fetchall()}
    assert {"txn_2026_09", "txn_2027_06"} <= names
    late = bytes.fromhex("01bf") + bytes(14)  # of a month that nobody made in time
    row = {"id": late, "till": "T1", "receipt_no": None, "epoch": 1, "seq": 1, "kind": "k", "payload": b"", "hash": bytes(32)}
    row |= dict.fromkeys(("wall_ms", "mono_ns", "hlc"), 0) | {"boot_id": "", "engine_version": "", "prev_hash": bytes(32)}
    names_of = ", ".join(row)
    db.raw.execute(f"INSERT INTO txn ({names_of}) VALUES ({', '.join(['%s'] * len(row))})".encode(), tuple(row.values()))
    at = datetime.fromtimestamp(int.from_bytes(late[:6]) / 1000, UTC)
    add_months(db, at)
    assert db.raw.execute("SELECT COUNT(*) FROM txn_rest").fetchone() == (1,), "it stays where it is, and nothing stops"
    db.close()


def test_commands_take_a_url(postgres: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url, folder = postgres.new_database(), Folder(tmp_path / "office", CONFIG)
    programme = tmp_path / "programme.toml"
    programme.write_text(HEAD + RULE, encoding="utf-8")

    def run(*words: str) -> str:
        assert main([*words, "--database", url, "--config", str(folder.config)]) == 0
        return capsys.readouterr().out

    assert "is published" in run("programme", "publish", str(programme))
    assert "pos-loyalty sync --enrol" in run("keys", "code", "--till", "T1")
    assert "agree" in run("verify")
    shown = run("backup", "--to", str(tmp_path / "copy.db"))
    assert "?" not in shown, "what stands behind the name of a database may be a password"
    assert main(["verify", "--database", str(tmp_path / "copy.db"), "--config", str(folder.config)]) == 0


LATER = ("hub_head", "idle_seq", "coupon_idle_seq", "hub_life")


def test_tables_from_before_versions_were_counted_are_brought_up_and_newer_ones_are_left_alone(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    with monkeypatch.context() as before:
        before.setattr(postgres_tables, "MIGRATIONS", MIGRATIONS[:STEPS_OF_1])
        before.setitem(WATCHED, "sync_state", [column for column in WATCHED["sync_state"] if column not in LATER])  # type: ignore[arg-type]
        db = open_postgres(url, "head-office", NOW)
    db.raw.execute("COMMENT ON SCHEMA pos_loyalty IS NULL")
    with write(as_store(db)), watched(as_store(db), "meta", "TRUE", ()):
        db.execute("INSERT INTO meta (key, value) VALUES ('build', ?)", (FIRST_BUILD,))
    db.close()
    with pytest.raises(StoreSchemaError, match="older pos_loyalty"):
        open_reader_there(url)
    for _ in range(2):
        db = open_postgres(url, "head-office", NOW)
        assert (meta(as_store(db), "build"), list(differences(as_store(db)))) == (None, [])
        db.close()
    open_reader_there(url).close()
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute(f"COMMENT ON SCHEMA pos_loyalty IS 'pos_loyalty tables {FILE_VERSION + 1}'")
    with pytest.raises(StoreSchemaError, match=r"newer pos_loyalty .* nothing was changed"):
        open_postgres(url, "head-office", NOW)
