"""Gift cards out of a table: their money pays at this till, once, and nobody finds their codes in the file or the export."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty import wiring
from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store import programmes
from pos_loyalty.store.db import write
from pos_loyalty.till.gift_card_model import GiftCardRequest
from tests.gifts import GIFT_PROGRAMME
from tests.shop import NOW
from tests.tables import CHAIN, Folder, taken

YES = ("--yes", "--by", "olga")
HEADING = ("Gift card", "Balance", "PIN", "Kind", "Series", "Expires")
LONG = "Old-2019-ABCDEFGHIJKLMNOPQRSTUVWX"
NUMBER = "900100200300"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def put_programme(folder: Folder, more: str = "") -> None:
    till = wiring.open_till(folder.config)
    with write(till._desk.db):
        programmes.add(till._desk.db, "test", 1, (GIFT_PROGRAMME + more).encode(), NOW)
    till.close()


def test_money_comes_from_the_adjustment_account_onto_a_card_each(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    table = folder.csv([HEADING, (LONG, "1 000,50", "", "", "", ""), (NUMBER, "5", "4321", "", "", ""), ("7" * 39, "0", "")])
    looked = taken(folder, capsys, "gift-cards", table)
    assert (looked["accepted"], looked["stood"], folder.rows("SELECT COUNT(*) FROM txn")) == (2, 1, [(0,)])
    assert taken(folder, capsys, "gift-cards", table, *YES)["accepted"] == 2
    entries = folder.rows("SELECT kind, debit_acct, substr(credit_acct, 1, 5), amount, unit FROM entry ORDER BY amount")
    assert entries == [("adjust", "adjustment", "gift:", 500, "RUB"), ("adjust", "adjustment", "gift:", 100_050, "RUB")]
    assert folder.rows("SELECT kind, series, state, expires_ms FROM gift_card") == [("bought", "imported", "active", None)] * 2
    assert folder.rows("SELECT DISTINCT by, reason FROM act") == [("olga", "import")]
    before = folder.rows("SELECT id, hash FROM txn ORDER BY seq")
    again = taken(folder, capsys, "gift-cards", table, *YES)
    assert (again["accepted"], again["stood"], folder.rows("SELECT id, hash FROM txn ORDER BY seq")) == (0, 3, before)
    assert folder.differences() == ()


def test_the_card_pays_however_its_code_is_typed_and_only_with_its_pin(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    put_programme(folder)
    rows = [HEADING, (LONG, "10", "", "", "", ""), (NUMBER, "5", "4321", "", "", "")]
    assert taken(folder, capsys, "gift-cards", folder.csv(rows), *YES)["accepted"] == 2
    till = wiring.open_till(folder.config)
    for typed in (LONG, LONG.lower(), LONG.replace("-", " ")):
        assert till.gift_card(GiftCardRequest(card=typed)).balance_minor == 1_000
    assert till.gift_card(GiftCardRequest(card="9001 0020 0300", pin="4321")).balance_minor == 500
    with pytest.raises(InputError, match="PIN"):
        till.gift_card(GiftCardRequest(card=NUMBER))
    with pytest.raises(ConflictError, match="wrong"):
        till.gift_card(GiftCardRequest(card=NUMBER, pin="1234"))
    till.close()


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (("AB12-CD34", "5"), "pin", "short enough to be guessed"),
        (("1" * 38, "5"), "pin", "short enough to be guessed"),
        (("A" * 25, "5"), "pin", "short enough to be guessed"),
        (("0123456789" * 2, "5"), "pin", "short enough to be guessed"),
        ((NUMBER, "5", "123"), "pin", "4 to 16"),
        (("4111 1111 1111 1111", "5", "4321"), "gift_card", "payment card"),
        (("-----------", "5", "4321"), "gift_card", "fewer than 6"),
        (("0123456789abcdef" * 2, "5", "4321"), "gift_card", "looks like an id"),
        (("код карты", "5", "4321"), "gift_card", "not a code"),
        (("", "5", "4321"), "gift_card", "is empty"),
        ((NUMBER, "", "4321"), "amount", "is empty"),
        ((NUMBER, "5,001", "4321"), "amount", "at most 2"),
        ((NUMBER, "5", "4321", "lent"), "kind", "bought or gratis"),
        ((NUMBER, "5", "4321", "gratis", "standard"), "kind", "are bought"),
        ((NUMBER, "5", "4321", "", "standart"), "series", 'did you mean "standard"'),
        ((NUMBER, "5", "4321", "", "", "31.12.2099"), "expires", "does not expire"),
        ((NUMBER, "5", "4321", "gratis", "", "01.01.2020"), "expires", "in the past"),
        ((LONG.lower(), "5"), "gift_card", "row 2 already"),
    ],
)
def test_refused(folder: Folder, capsys: pytest.CaptureFixture[str], row: tuple[str, ...], column: str, said: str) -> None:
    put_programme(folder)
    outcome = taken(folder, capsys, "gift-cards", folder.csv([HEADING, (LONG, "5"), row]))
    (refused,) = outcome["refused"]
    assert (outcome["accepted"], refused["row"], refused["column"]) == (1, 3, column) and said in refused["reason"]
    assert not row[0] or row[0] not in refused["reason"], "no code in a message"


def test_only_a_gratis_card_runs_out_unless_the_law_lets_others(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    put_programme(folder, "\n[gift_cards]\nbought_expire = true\n")
    rows = [HEADING, (LONG, "5", "", "", "thanks", "31.12.2099"), (NUMBER, "5", "4321", "", "", "31.12.2099")]
    assert taken(folder, capsys, "gift-cards", folder.csv(rows), *YES)["accepted"] == 2
    kinds = folder.rows("SELECT kind, series, expires_ms IS NOT NULL FROM gift_card ORDER BY kind")
    assert kinds == [("bought", "imported", 1), ("gratis", "thanks", 1)]


def test_another_figure_for_a_card_that_is_open_is_refused(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert taken(folder, capsys, "gift-cards", folder.csv([HEADING, (LONG, "5")]), *YES)["accepted"] == 1
    outcome = taken(folder, capsys, "gift-cards", folder.csv([HEADING, (LONG, "6")]), *YES)
    assert outcome["taken"] == 1 and "opened with 5.00 before" in outcome["refused"][0]["reason"]
    assert folder.rows("SELECT SUM(amount) FROM balance WHERE account LIKE 'gift:%'") == [(500,)]


def test_head_office_takes_none_for_no_till_could_spend_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pos_loyalty.clock import utc_now
    from pos_loyalty.store.db import open_store

    folder = Folder(tmp_path, CHAIN)
    open_store(tmp_path / "office.db", role="head_office", owner=wiring.HEAD_OFFICE, now=utc_now()).close()
    outcome = taken(folder, capsys, "gift-cards", folder.csv([HEADING, (LONG, "5")]), *YES)
    assert outcome["wrong"] == 1 and "stands alone" in outcome["refused"][0]["reason"]


def test_an_export_shows_what_stands_and_opens_nothing(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [HEADING, (LONG, "10", "", "gratis", "", "31.12.2099"), (NUMBER, "5", "4321", "", "", "")]
    assert taken(folder, capsys, "gift-cards", folder.csv(rows), *YES)["accepted"] == 2
    target = folder.path / "out.csv"
    assert folder.run("export", "gift-cards", target, "--language", "en") == 0
    told = target.read_text(encoding="utf-8-sig").splitlines()
    assert told[0] == "Label;Amount;Kind;Series;Expires;State;Currency"
    labels = [line.split(";")[0] for line in told[1:]]
    ids = [card for (card,) in folder.rows("SELECT id FROM gift_card ORDER BY id")]
    assert labels == [card[-6:].upper() for card in ids]
    assert sorted(line.partition(";")[2] for line in told[1:]) == [
        "10.00;gratis;imported;2099-12-31;active;RUB",
        "5.00;bought;imported;;active;RUB",
    ]
    stored = b"".join(path.read_bytes() for path in folder.path.iterdir() if path.name.startswith(("till.db", "out")))
    for secret in (LONG, LONG.upper(), LONG.replace("-", "").upper(), NUMBER, *ids):
        assert secret.encode() not in target.read_bytes()
    for secret in (LONG, LONG.upper(), LONG.replace("-", "").upper(), NUMBER):
        assert secret.encode() not in stored
