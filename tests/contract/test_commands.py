"""The commands as a new cashier would run them: what they print, how they end, and what they say to wrong input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pos_loyalty.values import encode
from tests.shop import CARD, PROGRAMME, Shop, make_basket

ROOT = Path(__file__).parents[2]


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pos_loyalty.cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "p.toml").write_text(PROGRAMME, encoding="utf-8")
    (tmp_path / "b.json").write_bytes(encode(make_basket(redeem="max")))
    member = {"member_id": "m", "lots": [{"lot_id": "l", "centi": 5000}]}
    (tmp_path / "m.json").write_text(json.dumps(member))
    return tmp_path


def test_quote_answers_as_the_house_says(files: Path) -> None:
    done = run("quote", "--programme", f"{files}/p.toml", "--basket", f"{files}/b.json", "--member", f"{files}/m.json", "--json")
    assert done.returncode == 0, done.stderr
    quote = json.loads(done.stdout)
    assert (quote["gross_minor"], quote["total_minor"], quote["due_minor"]) == (30_000, 27_000, 22_000)
    assert quote["lines"][0]["fiscal"] == [{"quantity": "2", "price_minor": 11_000}]
    lots = [{"lot_id": "l", "centi": 5000}]
    assert quote["redemption"] == {"centi": 5000, "off_minor": 5000, "max_centi": 5000, "lots": lots, "things": []}
    names = {
        "basket_id",
        "programme",
        "lines",
        "accruals",
        "counters",
        "issued",
        "tenders",
        "applied",
        "refusals",
        "beaten",
        "hints",
        "proof",
    }
    assert names <= quote.keys()
    assert quote["proof"]["proven"] is True


def test_quote_is_a_table_with_reasons_for_people(files: Path) -> None:
    asked = ("quote", "--programme", f"{files}/p.toml", "--basket", f"{files}/b.json", "--member", f"{files}/m.json")
    english, russian = run(*asked), run(*asked, "--language", "ru")
    assert english.returncode == russian.returncode == 0, english.stderr
    rows = english.stdout.splitlines()
    assert next(row for row in rows if row.startswith("Gross")).endswith("300.00")
    assert next(row for row in rows if row.startswith("To pay")).endswith("220.00")
    assert "- Points paid 50.00 (50\u00a0points)" in rows
    assert next(row for row in russian.stdout.splitlines() if row.startswith("К оплате")).endswith("220,00")


def test_check_lists_every_fault_and_every_doubt(files: Path) -> None:
    twice = PROGRAMME + '[[rule]]\nid = "x"\nthen = [{ do = "points", fixed = "0" }]\n' * 2
    (files / "bad.toml").write_text(twice, encoding="utf-8")
    done = run("programme", "check", f"{files}/bad.toml", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1 and found["programme"] is None
    assert len([fault for fault in found["faults"] if "already the id" in fault["text"]]) == 1
    assert len([fault for fault in found["faults"] if fault["place"].endswith("fixed")]) == 2
    (files / "doubtful.toml").write_text(PROGRAMME + '[[coupon]]\nid = "nobodys"\n', encoding="utf-8")
    done = run("programme", "check", f"{files}/doubtful.toml")
    assert done.returncode == 0 and 'warning: no rule asks for a coupon of "nobodys"' in done.stdout


def test_the_schema_is_json(files: Path) -> None:
    done = run("programme", "schema")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["$ref"] == "#/$defs/ProgrammeText"


def test_ndjson_answers_line_by_line_and_marks_the_bad_one(files: Path) -> None:
    good = (files / "b.json").read_text()
    bad = good.replace('"quantity":"2"', '"quantity":"1e3"')
    asked = json.dumps({"basket": json.loads(good), "member": {"member_id": "m"}, "at": "2026-11-21T12:30:05+03:00"})
    done = run(
        "quote", "--programme", f"{files}/p.toml", "--basket", "-", "--json", stdin=f"{good}\n{bad}\n\n{asked}\nnot json\n"
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [("error" in answer) for answer in answers] == [False, True, False, True]
    assert answers[1]["line"] == 2 and answers[1]["place"] == "basket.lines[0].quantity"
    assert answers[2]["at"] == "2026-11-21T09:30:05Z"


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (
            ["quote", "--programme", "nowhere.toml", "--basket", "b.json"],
            2,
            "nowhere.toml: cannot be read: No such file or directory",
        ),
        (["programme", "check", "{files}/bad.toml"], 1, 'bad.toml: rule[0].then[0].percent: "120%" is more than 100%'),
        (["till", "--config", "{files}/none.toml"], 2, "none.toml: cannot be read"),
        (["verify", "--database", "{files}/none.db"], 1, "There is no database at"),
        (["report", "day", "--from", "2026-13-01", "--to", "2026-11-30"], 2, "2026-13-01"),
        (["quote", "--programme", "p", "--basket", "b", "--at", "yesterday"], 2, "is not an instant"),
        (["programme", "publish", "p.toml", "--from", "9999-12-31T23:59:59-14:00"], 2, "is not an instant"),
        (["keys", "revoke", "--till", "T\udcff", "--by", "M9"], 2, "'T\\udcff' is not UTF-8"),
        (["keys", "revoke", "--till", "T1", "--by", " "], 2, "argument --by: is empty"),
        (["keys", "code", "--till", ""], 2, "argument --till: is empty"),
        (["nonsense"], 2, "invalid choice: 'nonsense'"),
        (["memebr", "show"], 2, "there is no 'memebr'; did you mean 'member'?"),
        (["report", "poinst"], 2, "there is no 'poinst'; did you mean 'points'?"),
    ],
)
def test_wrong_input_is_one_sentence(files: Path, arguments: list[str], status: int, sentence: str) -> None:
    (files / "bad.toml").write_text(PROGRAMME.replace('percent = "10%"', 'percent = "120%"'), encoding="utf-8")
    done = run(*(argument.format(files=files) for argument in arguments))
    assert done.returncode == status
    assert sentence in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


@pytest.mark.parametrize("words", [["report", "day"], ["clock"], ["member", "hash-phones"]], ids=" ".join)
def test_a_database_that_is_read_as_a_file_is_told_without_its_password(words: list[str]) -> None:
    done = run(*words, "--database", "postgresql://u:secret@host/shop")
    assert done.returncode == 2 and done.stdout == ""
    assert "postgresql://host/shop is read as a file" in done.stderr and "pos-loyalty backup" in done.stderr
    assert "secret" not in done.stderr


def test_a_sale_from_a_file_is_sold_once(shop: Shop, files: Path) -> None:
    shop.close()
    try:
        arguments = ("sale", "--basket", f"{files}/b.json", "--card", CARD, "--config", str(shop.config), "--json")
        first, second = run(*arguments), run(*arguments)
        assert first.returncode == 0, first.stderr
        assert json.loads(first.stdout)["receipt_no"] == json.loads(second.stdout)["receipt_no"]
        assert run("verify", "--config", str(shop.config)).returncode == 0
        shown = run("member", "show", "--card", CARD, "--config", str(shop.config), "--json")
        assert json.loads(shown.stdout)["balance_centi"] == json.loads(first.stdout)["balance_centi"]
    finally:
        shop.open()


def test_verify_names_a_planted_difference(shop: Shop) -> None:
    shop.sell()
    shop.db.execute("UPDATE lot SET remaining = remaining - 1 WHERE id LIKE 'opening%'")
    done = run("verify", "--config", str(shop.config), "--json")
    assert done.returncode == 1
    differences = json.loads(done.stdout)["differences"]
    assert len(differences) == 1 and "opening-member-1" in differences[0]


def test_a_member_is_looked_up_while_the_till_sells(shop: Shop) -> None:
    done = run("member", "show", "--card", CARD, "--config", str(shop.config), "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["balance_centi"] == 50_000


def test_a_backup_of_a_working_till_verifies(shop: Shop, tmp_path: Path) -> None:
    shop.sell()
    target = tmp_path / "copy.db"
    assert run("backup", "--to", str(target), "--config", str(shop.config)).returncode == 0
    done = run("verify", "--database", str(target), "--config", str(shop.config))
    assert done.returncode == 0 and "not compared" not in done.stdout
    keyless = run("verify", "--database", str(target), "--config", str(tmp_path / "none.toml"))
    assert keyless.returncode == 0 and "what is sealed was not compared" in keyless.stdout
    again = run("backup", "--to", str(target), "--config", str(shop.config))
    assert again.returncode == 1 and "exists already" in again.stderr


def test_every_command_explains_itself() -> None:
    for command in (
        "demo",
        "till",
        "head-office",
        "sync",
        "quote",
        "sale",
        "member",
        "programme",
        "report",
        "import",
        "verify",
        "backup",
        "config",
    ):
        done = run(command, "--help")
        assert done.returncode == 0 and "usage: pos-loyalty" in done.stdout, command
