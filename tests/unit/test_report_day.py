"""Report ``day``: figures worked out by hand, the forms it is printed in, and that it reads beside a writer with one SQLite."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pos_loyalty.errors import InputError, StoreSchemaError
from pos_loyalty.reports.day import DayReport
from pos_loyalty.reports.table import as_csv, as_table
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.values import decode

NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
NOW_MS = 1_795_264_205_000
MONDAY = 20_774  # 2026-11-17: 20,774 days after 1970-01-01

# state, member, biz_day, gross, total, due, redeemed, accrued
SALES = [
    ("completed", "m1", MONDAY, 10_000, 9_000, 8_500, 50_000, 425),
    ("completed", None, MONDAY, 5_000, 5_000, 5_000, 0, 0),
    ("completed", "m2", MONDAY, 1_001, 1_001, 1_001, 100, 50),
    ("reversed", "m1", MONDAY, 7_000, 6_000, 6_000, 0, 300),
    ("cancelled", "m1", MONDAY, 90_000, 90_000, 90_000, 0, 0),
    ("authorised", "m1", MONDAY, 80_000, 80_000, 80_000, 0, 0),
    ("reversed", None, MONDAY + 1, 200, 200, 200, 0, 0),
    ("completed", "m1", MONDAY + 2, 333, 333, 333, 0, 16),
    ("completed", "m1", MONDAY + 3, 999_999, 999_999, 999_999, 0, 0),
]


def put_sale(db: Connection, seq: int, sale: tuple[object, ...], wall_ms: int = NOW_MS) -> None:
    """One sale with its log row, written by hand."""
    state, member, day, gross, total, due, redeemed, accrued = sale
    txn = seq.to_bytes(16, "big")
    with write(db):
        db.execute(
            "INSERT INTO txn (id, till, epoch, seq, kind, wall_ms, boot_id, mono_ns, hlc, engine_version,"
            " payload, prev_hash, hash)"
            " VALUES (?, 'T1', 1, ?, 'sale.completed', ?, 'b', 0, 0, '0', x'00', zeroblob(32), zeroblob(32))",
            (txn, seq, wall_ms + seq),
        )
        db.execute(
            "INSERT INTO sale (till, sale_id, txn, state, receipt_no, store, cashier, member, biz_day, ts_s, authorised_ms,"
            " gross_minor, total_minor, due_minor, redeemed_centi, offline_centi, accrued_centi, programme, basket,"
            " quote, tenders) VALUES ('T1', ?, ?, ?, ?, 'S1', 'C1', ?, ?, 0, 0, ?, ?, ?, ?, 0, ?, 'p', x'00', x'00', x'00')",
            (f"s{seq}", txn, state, f"R{seq}", member, day, gross, total, due, redeemed, accrued),
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_shop(tmp_path_factory.mktemp("shop"))


def new_shop(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text('[store]\nid = "S1"\nname = "Shop"\n[till]\nid = "T1"\ndatabase = "till.db"\n')
    db = open_store(tmp_path / "till.db", role="till", owner="T1", now=NOW)
    for seq, sale in enumerate(SALES, start=1):
        put_sale(db, seq, sale)
    db.close()
    return tmp_path


@lru_cache
def report(shop: Path, first: str, last: str) -> DayReport:
    """The report, made in a process of its own as the command does."""
    said = in_process(
        "import sys; from datetime import date; from pathlib import Path; from zoneinfo import ZoneInfo\n"
        "from pos_loyalty.reports.day import day_report; from pos_loyalty.values import encode\n"
        f"made = day_report(Path({str(shop / 'till.db')!r}), date.fromisoformat({first!r}), date.fromisoformat({last!r}),"
        " ZoneInfo('Europe/Moscow'))\n"
        "print(encode(made).decode())"
    )
    return decode(said, DayReport)


def in_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_day_counts_completed_sales_and_shows_reversed_ones_apart(shop: Path) -> None:
    made = report(shop, "2026-11-17", "2026-11-19")
    monday, tuesday, wednesday = made.days
    assert (monday.day, monday.sales, monday.with_card) == (date(2026, 11, 17), 3, 2)
    assert (monday.gross_minor, monday.saved_minor, monday.points_minor, monday.due_minor) == (16_001, 1_000, 500, 14_501)
    assert (monday.redeemed_centi, monday.accrued_centi) == (50_100, 475)
    assert monday.average_minor == 4_834  # 14,501 / 3 = 4,833.67
    assert (monday.reversed_sales, monday.reversed_due_minor) == (1, 6_000)
    assert (tuesday.sales, tuesday.average_minor, tuesday.reversed_sales) == (0, None, 1)
    assert (wednesday.sales, wednesday.due_minor, wednesday.average_minor) == (1, 333, 333)


def test_the_total_is_of_the_period_alone(shop: Path) -> None:
    made = report(shop, "2026-11-17", "2026-11-19")
    assert (made.total.day, made.total.sales, made.total.due_minor, made.total.reversed_due_minor) == (None, 4, 14_834, 6_200)
    assert made.total.average_minor == 3_709  # 14,834 / 4 = 3,708.5
    assert made.row_count == 6


def test_it_says_how_new_its_data_is(shop: Path) -> None:
    made = report(shop, "2026-11-17", "2026-11-17")
    assert [(one.till, one.at) for one in made.as_of] == [("T1", NOW.replace(microsecond=9_000))]


def test_a_period_without_sales_is_all_dashes_not_an_error(shop: Path) -> None:
    made = report(shop, "2020-01-01", "2020-01-02")
    assert [row.average_minor for row in (*made.days, made.total)] == [None, None, None]
    assert as_table(made, "RUB", ZoneInfo("Europe/Moscow")).count("–") == 3


def test_the_table_has_definition_period_count_and_freshness(shop: Path) -> None:
    words = as_table(report(shop, "2026-11-17", "2026-11-19"), "RUB", ZoneInfo("Europe/Moscow"))
    assert "2026-11-17 to 2026-11-19, money in RUB" in words
    assert "Average = due / sales" in words
    assert "Rows: 6 sales, reversed ones included. Data as of: 2026-11-21 15:30:05 (T1)." in words
    monday = next(line for line in words.splitlines() if line.startswith("2026-11-17"))
    assert monday.split() == [
        "2026-11-17",
        "3",
        "2",
        "160.01",
        "10.00",
        "501.00",
        "5.00",
        "145.01",
        "4.75",
        "48.34",
        "1",
        "60.00",
        "0",
        "0.00",
        "145.01",
        "0.00",
        "0.00",
    ]


def test_the_csv_has_whole_numbers_and_an_empty_cell_for_no_figure(shop: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(report(shop, "2026-11-17", "2026-11-18")))))
    assert [row["due_minor"] for row in rows] == ["14501", "0"]
    assert [row["average_minor"] for row in rows] == ["4834", ""]


def test_it_reads_what_was_committed_while_another_connection_is_writing(tmp_path: Path) -> None:
    shop = new_shop(tmp_path)
    db = open_store(shop / "till.db", role="till", owner="T1", now=NOW)
    put_sale(db, 100, ("completed", "m1", MONDAY, 1, 1, 1, 0, 0))
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE sale SET due_minor = 0")
    assert report(shop, "2026-11-17", "2026-11-17").total.due_minor == 14_502
    db.execute("ROLLBACK")
    db.close()


def test_a_report_process_maps_one_sqlite(shop: Path) -> None:
    said = in_process(
        "import sys, json; from datetime import UTC, date; from pathlib import Path\n"
        "from pos_loyalty.reports.day import day_report\n"
        f"day_report(Path({str(shop / 'till.db')!r}), date(2026, 11, 17), date(2026, 11, 17), UTC)\n"
        "maps = Path('/proc/self/maps')\n"
        "found = {line.split()[-1] for line in maps.read_text().splitlines() if 'sqlite3' in line} if maps.exists() else set()\n"
        "print(json.dumps([len(found), sys.modules['sqlite3'].__name__]))"
    )
    copies, library = json.loads(said)
    assert copies <= 1
    assert library == "pysqlite3"


@pytest.mark.parametrize(
    ("first", "last", "mend"), [("2026-11-02", "2026-11-01", "before"), ("2000-01-01", "2026-01-01", "at most")]
)
def test_an_impossible_period_is_one_sentence(first: str, last: str, mend: str, tmp_path: Path) -> None:
    from pos_loyalty.reports.day import day_report

    with pytest.raises(InputError, match=mend):
        day_report(tmp_path / "none.db", date.fromisoformat(first), date.fromisoformat(last), UTC)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    from pos_loyalty.reports.day import day_report

    with pytest.raises(StoreSchemaError, match="no database"):
        day_report(tmp_path / "none.db", date(2026, 11, 1), date(2026, 11, 1), UTC)


def test_the_command_prints_json_for_machines(shop: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pos_loyalty.cli.main",
        "report",
        "day",
        "--from",
        "2026-11-17",
        "--to",
        "2026-11-18",
        "--json",
    ]
    done = subprocess.run(
        [*command, "--config", str(shop / "config.toml")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [row["sales"] for row in json.loads(done.stdout)["days"]] == [3, 0]
