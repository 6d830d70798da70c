"""Members out of a table: each row is accepted, stands, or is refused with its reason; the same file again changes nothing."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty import wiring
from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.store import members, seal
from pos_loyalty.store.db import open_reader, open_store
from pos_loyalty.store.phone_hashes import hash_in_file
from sync.server import steps
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import ChangesRequest, Peer
from tests.tables import CHAIN, Folder, card_of, taken

PHONE = "8 (900) 123-45-67"
YES = ("--yes", "--by", "olga")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def table(*rows: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [
        ("Код участника", "Карта", "Телефон", "ФИО", "Дата рождения", "Сегменты", "Согласие на рекламу", "Дата регистрации"),
        *rows,
    ]


FULL = ("M-1", card_of(1), PHONE, "Анна Петрова", "17.05.1990", "vip; near", "да", "01.02.2020")


def test_without_yes_nothing_is_written(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder.csv(table(FULL))
    assert folder.run("import", "members", path) == 0
    said = capsys.readouterr().out
    assert "1 would be written" in said and "Nothing was written" in said
    assert folder.rows("SELECT (SELECT COUNT(*) FROM txn), (SELECT COUNT(*) FROM member)") == [(0, 0)]


def test_who_imports_is_named(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.run("import", "members", folder.csv(table(FULL)), "--yes") == 2
    assert "--by" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["csv", "cp1251", "xlsx"])
def test_a_member_is_as_the_row_says(folder: Folder, capsys: pytest.CaptureFixture[str], form: str) -> None:
    path = folder.xlsx(table(FULL)) if form == "xlsx" else folder.csv(table(FULL), encoding=form.replace("csv", "utf-8-sig"))
    assert taken(folder, capsys, "members", path, *YES)["accepted"] == 1
    known = wiring.settings(folder.config)
    secrets = wiring.secrets_of(known)
    assert hash_in_file(known.till_database, (secrets.pepper, secrets.master_key), 10, utc_now(), new_id).hashed == 1
    db = open_reader(known.till_database)
    member = members.by_card(db, card_of(1))
    assert member is not None and (member.member_id, member.birthday, member.segments) == ("M-1", "05-17", ("vip", "near"))
    assert member.joined_at is not None and member.joined_at.isoformat() == "2020-01-31T21:00:00+00:00"
    assert members.by_phone_index(db, seal.phone_index("+79001234567", secrets.pepper)) == member
    (sealed,), personal = members.sealed_keys(db, "M-1"), members.personal(db, "M-1")
    assert personal is not None
    opened = seal.open_personal("M-1", personal, seal.open_key("M-1", sealed, secrets.master_key))
    assert (opened.name, opened.phone) == ("Анна Петрова", "+79001234567")
    assert db.execute("SELECT purpose, given, channel, cashier FROM member_consent").fetchall() == [
        ("advertising", 1, "import", "olga")
    ]
    kinds = db.execute("SELECT kind, cashier, member FROM txn ORDER BY seq").fetchall()
    assert kinds == [("member.enrolled", "olga", "M-1"), ("member.changed", None, "M-1")]
    db.close()
    assert folder.differences() == ()
    stored = b"".join(file.read_bytes() for file in folder.path.glob("till.db*"))
    assert "Петрова".encode() not in stored and b"79001234567" not in stored and b"9001234567" not in stored


def test_the_same_rows_again_stand_in_any_form(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    rows = table(FULL, ("", card_of(2), "", "Б"), ("", "", "+7 900 765 43 21", "В"))
    assert taken(folder, capsys, "members", folder.csv(rows), *YES)["accepted"] == 3
    before = folder.rows("SELECT * FROM txn ORDER BY seq"), folder.rows("SELECT * FROM member"), folder.rows("SELECT * FROM card")
    again = [rows[0], *reversed(rows[1:])]
    for path in (folder.csv(rows), folder.xlsx(again), folder.csv(again, encoding="cp1251", sign=";")):
        outcome = taken(folder, capsys, "members", path, *YES)
        assert (outcome["stood"], outcome["accepted"]) == (3, 0), outcome
    assert before == (
        folder.rows("SELECT * FROM txn ORDER BY seq"), folder.rows("SELECT * FROM member"), folder.rows("SELECT * FROM card")
    )  # fmt: skip


REFUSED: list[tuple[tuple[str, ...], str, str]] = [
    (("", "", "", "Никто"), "card", "names nobody"),
    (("", "4111111111111111", ""), "card", "**************** is not a member card"),
    (("", card_of(3)[:-1] + "x", ""), "card", "is not a member card"),
    (("", "", "12"), "phone", "is not a phone number"),
    (("a b", card_of(3), ""), "member", "is not an id"),
    (("79001112233", "", "8 900 111-22-33"), "member", "may not be the phone"),
    (("", card_of(3), "", "А" * 300), "name", "has 300 signs"),
    (("", card_of(3), "", "", "31.02"), "birthday", "a day that there is not"),
    (("", card_of(3), "", "", "", "", "может"), "advertising_consent", "neither yes nor no"),
    (("", card_of(3), "", "", "", "", "", "01.01.2200"), "joined", "lies in the future"),
    (("", card_of(3), "", "", "", "", "", "", "лишнее"), "", "1 more cells than the heading"),
]


@pytest.mark.parametrize(("row", "column", "said"), REFUSED)
def test_a_row_is_refused_with_its_column_and_reason(
    folder: Folder, capsys: pytest.CaptureFixture[str], row: tuple[str, ...], column: str, said: str
) -> None:
    outcome = taken(folder, capsys, "members", folder.csv(table(row, FULL)), *YES)
    assert (outcome["accepted"], outcome["wrong"]) == (1, 1)
    (refused,) = outcome["refused"]
    assert (refused["row"], refused["column"]) == (2, column) and said in refused["reason"]


def test_doubles_inside_the_file_and_against_the_store(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    taken(folder, capsys, "members", folder.csv(table(FULL)), *YES)
    rows = [
        ("M-2", card_of(2), "", "А"),
        ("M-2", card_of(3), "", "twice by id"),
        ("", card_of(2), "", "twice by card"),
        ("M-3", card_of(1), "", "the card is of M-1"),
        ("M-4", card_of(4), PHONE, "the phone is of M-1"),
        ("M-1", card_of(5), "", "a further card"),
        ("", card_of(6), "+7 900 000 00 01", "good"),
        ("", card_of(7), "8-900-000-00-01", "twice by phone"),
        ("", "", "79001234567", "stands"),
    ]
    outcome = taken(folder, capsys, "members", folder.csv(table(*rows)), *YES)
    assert {key: outcome[key] for key in ("rows", "accepted", "stood", "wrong", "twice", "taken")} == {
        "rows": 9, "accepted": 2, "stood": 1, "wrong": 0, "twice": 3, "taken": 3,
    }  # fmt: skip
    assert [(one["row"], one["column"]) for one in outcome["refused"]] == [
        (3, "member"), (4, "card"), (5, "card"), (6, "phone"), (7, "card"), (9, "phone"),
    ]  # fmt: skip
    assert "stands in row 2 already" in outcome["refused"][0]["reason"]
    assert "belongs to member M-1" in outcome["refused"][2]["reason"]
    assert folder.differences() == ()


def test_refused_rows_are_a_table_to_mend_and_import(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder.csv(table(("", card_of(1), "", "=HYPERLINK(1)", "99.99"), ("", card_of(2), "", "Б", "1.1")))
    assert folder.run("import", "members", path, *YES) == 1
    assert "birthday" in capsys.readouterr().out
    refused = Path(f"{path}.refused.csv")
    assert stat.S_IMODE(refused.stat().st_mode) == 0o600
    with refused.open(encoding="utf-8-sig", newline="") as file:
        heading, row = list(csv.reader(file, delimiter=";"))
    assert row[:5] == ["", card_of(1), "", "'=HYPERLINK(1)", "99.99"] and row[-2] == "2"
    assert len(heading) == len(row) and "birthday" in row[-1]
    refused.write_text(refused.read_text("utf-8-sig").replace("99.99", "9.9"), encoding="utf-8")
    assert taken(folder, capsys, "members", refused, *YES)["accepted"] == 1
    assert taken(folder, capsys, "members", path, *YES)["refused"][0]["column"] == "birthday"
    path.write_bytes(path.read_bytes().replace(b"99.99", b"09.09"))
    assert taken(folder, capsys, "members", path)["stood"] == 2
    assert not refused.exists()


def test_a_file_that_breaks_at_its_end_writes_nothing(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder.csv(table(FULL))
    path.write_bytes(path.read_bytes() + b'"broken"x;\n')
    assert folder.run("import", "members", path, *YES) == 2
    assert "is not CSV" in capsys.readouterr().err
    assert folder.rows("SELECT COUNT(*) FROM member") == [(0,)]


def test_a_tier_is_one_of_the_programme_by_id_or_title(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    programme = """format = 1
id = "test"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
[[tier]]
id = "gold"
title = { ru = "Золото", en = "Gold" }
"""
    db = open_store(folder.path / "till.db", role="till", owner="T1", now=utc_now())
    from pos_loyalty.store import programmes
    from pos_loyalty.store.db import write

    with write(db):
        programmes.add(db, "test", 1, programme.encode(), utc_now())
    db.close()
    rows = [("Карта", "Уровень"), (card_of(1), "золото"), (card_of(2), "gold"), (card_of(3), "goldd"), (card_of(4), "")]
    outcome = taken(folder, capsys, "members", folder.csv(rows), *YES)
    assert outcome["accepted"] == 3 and 'did you mean "gold"' in outcome["refused"][0]["reason"]
    assert folder.rows("SELECT tier, COUNT(*) FROM member GROUP BY tier ORDER BY tier") == [(None, 1), ("gold", 2)]


# --- where it runs


def office(folder: Folder) -> SqliteLedgerStore:
    db = open_store(folder.path / "office.db", role="head_office", owner=wiring.HEAD_OFFICE, now=utc_now())
    return SqliteLedgerStore(db, bytes.fromhex(wiring.secrets_of(wiring.settings(folder.config)).master_key))


def test_at_a_till_of_a_chain_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = Folder(tmp_path, CHAIN)
    open_store(tmp_path / "till.db", role="till", owner="T1", now=utc_now()).close()
    path = chain.csv(table(FULL))
    for more in ((), ("--database", tmp_path / "till.db")):
        assert chain.run("import", "members", path, *YES, *more) == 2
        assert "has a head office" in capsys.readouterr().err
    assert chain.rows("SELECT COUNT(*) FROM member") == [(0,)]


def test_at_head_office_tills_fetch_who_was_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = Folder(tmp_path, CHAIN)
    office(chain).close()
    assert taken(chain, capsys, "members", chain.csv(table(FULL, ("", card_of(2), "", "Б"))), *YES)["accepted"] == 2
    points = [("Card", "Points", "Expires"), (card_of(1), "12,50", "31.12.2099"), (card_of(2), "3", "")]
    assert taken(chain, capsys, "balances", chain.csv(points), *YES)["accepted"] == 2
    store = office(chain)
    asked = ChangesRequest(peer=Peer(till="T9"), since=0, mark=None)
    page: Any = steps.changes(store, asked, utc_now(), "b")
    assert {member.member_id for member in page.members} >= {"M-1"} and len(page.members) == 2
    first = next(member for member in page.members if member.member_id == "M-1")
    assert [card.number for card in first.cards] == [card_of(1)] and [lot.centi for lot in first.lots] == [1250]
    assert first.segments == ("vip", "near")
    store.close()
    assert chain.differences("office.db") == ()
