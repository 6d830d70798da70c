"""The commands of acts: PINs from standard input, two persons, and what the report says afterwards."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from pos_loyalty.cli.main import main
from tests.shop import MEMBER, NOW, OTHER_CARD, Shop


def run(shop: Shop, monkeypatch: pytest.MonkeyPatch, pins: str, *words: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(pins))
    return main([*words, "--config", str(shop.config)])


def test_staff_acts_and_the_report(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    machine = SimpleNamespace(now=lambda zone: NOW + timedelta(hours=1), fromtimestamp=datetime.fromtimestamp)
    monkeypatch.setattr("pos_loyalty.clock.datetime", machine)  # commands go by the machine's clock, and points live for a year
    assert run(shop, monkeypatch, "1234\n", "staff", "add", "C7") == 0, "beside a till that sells"
    assert run(shop, monkeypatch, "998877\n", "staff", "add", "S1", "--role", "senior") == 0
    assert run(shop, monkeypatch, "12\n", "staff", "add", "S2") == 2
    assert run(shop, monkeypatch, "", "staff", "block", "S9") == 1
    shop.add_member("member-2", OTHER_CARD, 700)
    shop.close()
    capsys.readouterr()
    assert run(shop, monkeypatch, "", "staff", "list", "--json") == 0
    assert [one["role"] for one in json.loads(capsys.readouterr().out)] == ["cashier", "senior"]
    two = ("--by", "C7", "--approval", "S1", "--reason", "one person")
    assert run(shop, monkeypatch, "1234\n1111\n", "member", "merge", "member-2", MEMBER, *two) == 1
    assert run(shop, monkeypatch, "1234\n998877\n", "member", "merge", "member-2", MEMBER, "--key", "1", *two, "--json") == 0
    assert json.loads(capsys.readouterr().out)["moved_centi"] == 700
    adjust = ("member", "adjust", "--member", MEMBER, "--centi", "-1250", *two)
    assert run(shop, monkeypatch, "1234\n998877\n", *adjust) == 0
    assert run(shop, monkeypatch, "", "verify") == 0
    capsys.readouterr()
    days = ("--from", "2020-01-01", "--to", "2029-12-31")
    assert run(shop, monkeypatch, "", "report", "acts", *days, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(act["kind"], act["by"], act["approved_by"], act["centi"]) for act in told["acts"]][-2:] == [
        ("member.merged", "C7", "S1", 0),
        ("points.adjusted", "C7", "S1", -1250),
    ]
    assert run(shop, monkeypatch, "", "report", "acts", *days) == 0
    assert "-12.50  one person" in capsys.readouterr().out
    assert NOW.year == 2026
