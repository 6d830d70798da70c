"""What the commands say: places of one name, a tier that nobody knows, faults beyond the list, a birthday at enrolment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.values import encode
from tests.shop import CARD, OTHER_CARD, Shop
from tests.worlds import HEAD, basket, line

TIERS = '[[tier]]\nid = "silver"\n[[tier]]\nid = "gold"\n'


def quoted(folder: Path, bought: dict[str, object], member: dict[str, object]) -> int:
    (folder / "p.toml").write_text(HEAD + TIERS)
    (folder / "b.json").write_text(json.dumps(bought))
    (folder / "m.json").write_text(json.dumps({"member_id": "M1"} | member))
    files = ("--programme", f"{folder}/p.toml", "--basket", f"{folder}/b.json", "--member", f"{folder}/m.json")
    return main(["quote", *files, "--json"])


GOOD = json.loads(encode(basket(line("1"))))


@pytest.mark.parametrize("quantity", ["1e3", "0.5"])
def test_a_place_is_named_the_same_by_the_decoder_and_by_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quantity: str
) -> None:
    assert quoted(tmp_path, GOOD | {"lines": [GOOD["lines"][0] | {"quantity": quantity}]}, {}) == 2
    assert f"{tmp_path}/b.json: basket.lines[0].quantity: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("member", "place"),
    [
        ({"birthday": "02-30"}, "member.birthday"),
        ({"counters": {"k": -1}}, 'member.counters["k"]'),
        ({"lots": [{"lot_id": "l", "centi": 1}] * 2}, "member.lots[1].lot_id"),
    ],
)
def test_an_impossible_member_is_refused_with_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], member: dict[str, object], place: str
) -> None:
    assert quoted(tmp_path, GOOD, member) == 2
    assert f"{tmp_path}/m.json: {place}: " in capsys.readouterr().err


@pytest.mark.parametrize(("tier", "said"), [("golt", 'did you mean "gold"?'), ("platinum", "so no condition on tiers holds")])
def test_an_unknown_tier_of_a_member_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tier: str, said: str
) -> None:
    assert quoted(tmp_path, GOOD, {"tier": tier}) == 0
    told = capsys.readouterr()
    assert f'm.json: member.tier: "{tier}" is not among' in told.err and said in told.err
    assert quoted(tmp_path, GOOD, {"tier": "gold"}) == 0
    assert capsys.readouterr().err == ""


def test_faults_beyond_the_list_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.toml"
    path.write_text(HEAD + '[[rule]]\nid = "r"\nstage = "item"\nthen = [{ do = "percent", percent = "x" }]\n' * 103)
    assert main(["programme", "check", str(path)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"{path}: and 3 more faults, not listed; mend these first"
    assert main(["programme", "check", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["more_faults"] == 3


def test_a_member_is_enrolled_with_a_birthday_and_a_referrer(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.close()
    try:
        asked = ["member", "add", "--card", OTHER_CARD, "--config", str(shop.config), "--json"]
        assert main([*asked, "--birthday", "02-30"]) == 2
        assert 'member add.birthday: "02-30" is not a month and a day' in capsys.readouterr().err
        assert main([*asked, "--birthday", "05-17", "--referrer-card", CARD]) == 0
        member_id = json.loads(capsys.readouterr().out)["member_id"]
    finally:
        shop.open()
    row = shop.db.execute("SELECT birthday, referred_by FROM member WHERE id = :id", {"id": member_id}).fetchone()
    assert tuple(row) == ("05-17", "member-1")
