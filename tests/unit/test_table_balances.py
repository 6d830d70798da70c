"""Opening balances: exactly the points of the file, once, whatever becomes of the import and however often it is made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pos_loyalty.spreadsheet import running
from tests.tables import Folder, card_of, taken

YES = ("--yes", "--by", "olga")
ROWS = 23


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    rows = [("Id", "Card"), *((f"M{n}", card_of(n)) for n in range(ROWS))]
    assert made.run("import", "members", made.csv(rows, name="members.csv"), *YES) == 0
    return made


def test_points_come_from_the_adjustment_account_as_one_lot_each(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        ("Card", "Id", "Points", "Usable from", "Expires"),
        (card_of(1), "", "100,05", "01.01.2020", "31.12.2099"),
        ("", "M1", "7", "", ""),
        ("", "M2", "0", "", ""),
    ]
    outcome = taken(folder, capsys, "balances", folder.csv(rows), *YES)
    assert (outcome["accepted"], outcome["stood"]) == (2, 1)
    assert folder.rows("SELECT member, amount, remaining, usable_from, expires_at FROM lot ORDER BY amount") == [
        ("M1", 700, 700, 0, None),
        ("M1", 10005, 10005, 1577826000000, 4102434000000),
    ]
    assert folder.rows("SELECT account, amount FROM balance ORDER BY 1") == [("adjustment", -10705), ("member:M1", 10705)]
    kinds = folder.rows("SELECT DISTINCT kind, debit_acct, credit_acct FROM entry")
    assert kinds == [("accrue", "adjustment", "member:M1")]
    assert folder.differences() == ()


def test_a_balance_is_opened_once_under_a_name(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    first = folder.csv([("Id", "Points"), ("M1", "5"), ("M2", "6")])
    assert taken(folder, capsys, "balances", first, *YES)["accepted"] == 2
    other = folder.xlsx([("Points", "Card"), (6, card_of(2)), (5.5, card_of(1)), (1, card_of(3))])
    outcome = taken(folder, capsys, "balances", other, *YES)
    assert (outcome["accepted"], outcome["stood"], outcome["taken"]) == (1, 1, 1)
    assert "opened with 5.00 before" in outcome["refused"][0]["reason"]
    assert taken(folder, capsys, "balances", first, *YES, "--name", "gift-2027")["accepted"] == 2
    assert folder.rows("SELECT SUM(remaining) FROM lot WHERE member = 'M1'") == [(1000,)]
    assert folder.differences() == ()


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (("M99", "", "1", "", ""), "member", "is unknown here"),
        (("", "", "1", "", ""), "member", "whose it is"),
        (("M1", card_of(2), "1", "", ""), "card", "belongs to member M2"),
        (("M1", "", "", "", ""), "points", "is empty"),
        (("M1", "", "-5", "", ""), "points", "negative"),
        (("M1", "", "1,234", "", ""), "points", "at most 2 digits"),
        (("M1", "", "99999999999999", "", ""), "points", "too much"),
        (("M1", "", "1", "", "01.01.2020"), "expires", "have expired"),
        (("M1", "", "1", "02.02.2099", "01.01.2099"), "expires", "before they may be used"),
        (("M0", "", "2", "", ""), "points", "stand in a row before"),
    ],
)
def test_refused(folder: Folder, capsys: pytest.CaptureFixture[str], row: tuple[str, ...], column: str, said: str) -> None:
    heading = ("Id", "Card", "Points", "Usable from", "Expires")
    outcome = taken(folder, capsys, "balances", folder.csv([heading, ("M0", "", "1", "", ""), row]), *YES)
    assert outcome["accepted"] == 1
    (refused,) = outcome["refused"]
    assert (refused["row"], refused["column"]) == (3, column) and said in refused["reason"]


KILLED = """
import os, signal, sys
from pos_loyalty.cli.main import main
from pos_loyalty.spreadsheet import running
from pos_loyalty.store import imports, ledger
running.BATCH_ROWS = 5
left = int(sys.argv[1])

def deadly(module, name):
    real = getattr(module, name)
    def act(*args, **more):
        global left
        done = real(*args, **more)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(module, name, act)

deadly(ledger, "store_fact")
deadly(imports, "open_balance")
deadly(imports, "enrol")
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("what", ["balances", "members"])
def test_killed_anywhere_and_run_again_nothing_is_lost_or_doubled(
    folder: Folder, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    new = range(100, 100 + ROWS)
    rows = [("Card", "Points"), *((card_of(n), str(n + 1)) for n in range(ROWS))]
    path = folder.csv(rows if what == "balances" else [("Card", "Name"), *((card_of(n), f"Имя {n}") for n in new)])
    command = ["import", what, str(path), *YES, "--config", str(folder.config)]
    kills = 0
    for left in (1, 2, 9, 11, 12, 13):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(left), *command],
            capture_output=True, env=os.environ | {"PYTHONPATH": os.getcwd()}, check=False,
        )  # fmt: skip
        kills += done.returncode == -signal.SIGKILL
    assert kills >= 5
    outcome = taken(folder, capsys, what, path, *YES)
    assert outcome["accepted"] + outcome["stood"] == ROWS and outcome["stood"] >= 5
    if what == "balances":
        points = folder.rows("SELECT member, SUM(remaining), COUNT(*) FROM lot GROUP BY member")
        assert sorted(points) == sorted((f"M{n}", 100 * (n + 1), 1) for n in range(ROWS))
    else:
        assert folder.rows("SELECT COUNT(*), COUNT(DISTINCT member) FROM card") == [(2 * ROWS, 2 * ROWS)]
        assert folder.rows("SELECT COUNT(*) FROM txn WHERE kind = 'member.enrolled'") == [(2 * ROWS,)]
    assert folder.differences() == ()


def test_fifty_thousand_rows_are_looked_at_and_a_batch_at_a_time_is_held(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 50_000
    rows = [("Card", "Points"), *((card_of(n), "1,25") for n in range(count))]
    outcome = taken(folder, capsys, "balances", folder.csv(rows))
    assert (outcome["rows"], outcome["accepted"], outcome["wrong"]) == (count, ROWS, count - ROWS)
    assert len(outcome["refused"]) == running.REFUSED_KEPT
    with Path(f"{folder.path}/table.csv.refused.csv").open(encoding="utf-8-sig") as file:
        assert sum(1 for _ in file) == count - ROWS + 1


def test_two_imports_at_once_are_one_too_many(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    from pos_loyalty.store.db import own

    with own(folder.path / "till.db.import"):
        assert folder.run("import", "balances", folder.csv([("Id", "Points"), ("M1", "5")]), *YES) == 1
    assert "already works on" in capsys.readouterr().err
