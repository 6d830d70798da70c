"""The member commands over a till's own file: each does what it says, and says what it did."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.cli.main import main
from tests.shop import CONFIG, OTHER_CARD, Shop

THIRD_CARD = "2200000000033"
PHONE = "+7 900 123-45-67"


@pytest.fixture
def config(tmp_path: Path) -> str:
    shop = Shop(tmp_path, CONFIG)
    shop.close()
    return str(tmp_path / "config.toml")


def said(capsys: pytest.CaptureFixture[str], config: str, *words: str, exit_status: int = 0, pin: str = "") -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(pin))
        assert main(["member", *words, "--config", config, "--json"]) == exit_status
    out = capsys.readouterr().out
    return json.loads(out) if out else None


def test_a_member_from_enrolment_to_erasure(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("8642"))
    assert main(["staff", "add", "boss", "--role", "senior", "--config", config]) == 0
    capsys.readouterr()
    asked = ("--card", OTHER_CARD, "--phone", PHONE, "--name", "Анна", "--consent", "data", "--consent", "advertising")
    made = said(capsys, config, "add", *asked)
    assert (made["consents"], made["phone"]) == (["advertising", "data"], "unverified")
    who = ("--member", made["member_id"])
    changed = said(capsys, config, "change", *who, "--withdraw", "advertising", "--attribute", "pet=dog", "--referral-code")
    assert changed["consents"] == ["data"] and changed["referral_code"]
    cards = said(capsys, config, "card", "--phone", PHONE, "--lost", OTHER_CARD, "--add", THIRD_CARD, "--by", "boss", pin="8642")[
        "cards"
    ]
    assert [card["state"] for card in cards] == ["lost", "active"]
    held = said(capsys, config, "export", "--card", OTHER_CARD)
    assert held["person"] == {"name": "Анна", "phone": PHONE, "attributes": {"pet": "dog"}, "dates": {}}
    said(capsys, config, "block", *who, exit_status=2)
    assert said(capsys, config, "block", *who, "--by", "boss", pin="8642")["state"] == "blocked"
    assert said(capsys, config, "show", "--card", THIRD_CARD)["state"] == "blocked"
    assert said(capsys, config, "block", *who, "--unblock", "--by", "boss", pin="8642")["state"] == "active"
    assert said(capsys, config, "show", "--card", THIRD_CARD)["member_id"] == made["member_id"]
    said(capsys, config, "erase", *who, "--by", "boss", exit_status=2, pin="8642")
    assert said(capsys, config, "erase", *who, "--by", "boss", "--yes", pin="8642")["is_clean"]
    assert said(capsys, config, "export", *who)["person"] is None
    said(capsys, config, "show", *who, exit_status=1)
    assert said(capsys, config, "hash-phones") == {"hashed": 0, "refused": 0, "waiting": 0}
    assert main(["verify", "--config", config]) == 0


@pytest.mark.parametrize("words", [("change", "--member", "M"), ("change", "--member", "M", "--attribute", "pet"), ("add",)])
def test_what_is_asked_wrongly_is_told(config: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main(["member", *words, "--config", config]) == 2
    assert "pos-loyalty: " in capsys.readouterr().err
