"""The commands by which a person closes cases, stops a rule, and takes a programme back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pos_loyalty import wiring
from pos_loyalty.cli.main import main
from pos_loyalty.store import ledger
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.verify import verify
from tests.shop import CONFIG, NOW, PROGRAMME, Shop, make_basket
from tests.simulation.shop import Till

BOTH = CONFIG + '[server]\ndatabase = "office.db"\nidentity = "office.identity.json"\n'


class Place:
    """A folder with a config, a head office's file with one case in it, and a till's."""

    def __init__(self, folder: Path) -> None:
        self.shop = Shop(folder, BOTH)
        self.office = folder / "office.db"
        db = open_store(self.office, role="head_office", owner="head-office", now=NOW)
        with write(db):
            fact = Till(folder, "T4").enrol("M1", "2000000000015")
            ledger.store_fact(db, fact, *self._bytes(fact))
            ledger.open_case(db, reason="member.twice", detail="member M1 is enrolled already", fact=fact)
        db.close()

    def run(self, *args: str) -> int:
        return main([*args, "--config", str(self.shop.config)])

    @staticmethod
    def _bytes(fact: ledger.Fact) -> Sequence[bytes]:
        from pos_loyalty.store.facts import GENESIS, chain, payload_of

        payload = payload_of(fact)
        return payload, GENESIS, chain(GENESIS, payload)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.shop.close()


def test_a_case_is_listed_shown_and_closed(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.run("case", "list") == 0
    assert "T4/1/1/member.twice  member.enrolled" in capsys.readouterr().out
    assert place.run("case", "show", "T4/1/1/member.twice", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["details"] == ["member M1 is enrolled already"] and told["closed"] is None
    assert place.run("case", "close", "T4/1/1/member.twice", "--reason", "one person", "--by", "M9") == 0
    assert place.run("case", "close", "T4/1/1/member.twice", "--reason", "again", "--by", "M9") == 1
    assert "was closed by M9" in capsys.readouterr().err
    assert place.run("case", "list") == 0
    assert capsys.readouterr().out == "no case waits\n"
    assert place.run("case", "list", "--all") == 0
    assert "closed by M9" in capsys.readouterr().out
    assert place.run("case", "show", "T4/1/9/member.twice") == 1
    assert place.run("case", "show", "nonsense") == 2


def test_a_rule_is_stopped_and_resumed_beside_a_till_that_sells(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--store", "S1", "--by", "M9")
    assert place.shop.ask(make_basket()).due_minor == 27_000
    assert place.run("programme", "stop", "coffee", *asked, "--till", "T1", "--reason", "leaflet") == 0
    assert place.shop.ask(make_basket()).due_minor == 30_000, "the till that runs heard of it at once"
    assert place.run("programme", "stop", "coffee", *asked) == 0
    assert "was already" in capsys.readouterr().out
    assert place.run("programme", "resume", "coffee", *asked) == 0
    assert place.shop.ask(make_basket()).due_minor == 27_000
    assert place.run("programme", "stop", "cofee", *asked) == 1
    assert "did you mean coffee" in capsys.readouterr().err
    assert place.run("programme", "stop", "coffee", "--store", "S2", "--by", "M9") == 2
    assert place.run("programme", "stop", "coffee", *asked, "--till", "T2") == 2
    assert verify(place.shop.db) == ()


def test_the_chain_goes_back_by_command(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    known = wiring.settings(place.shop.config)
    for version in ("version = 1", "version = 2"):
        wiring.publish(known, place.office, PROGRAMME.replace("version = 1", version).encode())
    assert place.run("programme", "back", "--by", "M9", "--reason", "margins") == 0
    assert "version 1 is in force again instead of 2" in capsys.readouterr().out
    assert place.run("programme", "back", "--by", "M9") == 1
    assert "no version before" in capsys.readouterr().err


def test_the_password_is_told_and_stays(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.run("keys", "password") == 0
    first = capsys.readouterr().out
    assert place.run("keys", "password") == 0
    assert capsys.readouterr().out == first and len(first.strip()) == 39
