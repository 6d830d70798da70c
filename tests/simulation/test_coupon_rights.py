"""The right to a unique code, one case at a time: who has it at once, who gets it, who is refused and in which word."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.clock import new_id
from pos_loyalty.errors import ConflictError, SyncError
from pos_loyalty.store import coupon_rights
from pos_loyalty.store.coupon_import import Row
from pos_loyalty.values import encode
from sync import right_round, rights
from sync.rights import Asks
from sync.server import enrol
from sync.wire import Reply, problem
from tests.simulation.coupons import (
    PRICE,
    book,
    check,
    given,
    hear,
    imported,
    listen,
    made,
    printed,
    sell,
    stand,
    takes,
    used_once,
    why,
)
from tests.simulation.escrow import STORES, Counter, World
from tests.simulation.shop import json_reply


def test_a_code_is_good_at_the_till_that_holds_it_and_at_no_other(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, third = world.counters.values()
    code = given(first)
    assert why(first, code) == "", "who gave it holds it at once"
    assert why(second, code) == "unknown"
    world.quiet(2)
    hear(world)
    assert why(second, code) == "asking", "it went back to head office"
    assert why(second, code) == "elsewhere", "it was asked for and did not come"
    stand(second, code)
    stand(third, code)
    assert (why(third, code), why(first, code)) == ("asking", "asking"), "one of them got it"
    assert takes(second, code) and not takes(third, code)
    assert why(second, code) == "used"
    world.quiet(2)
    stand(third, code)
    assert not takes(third, code)
    check(world)
    assert world.cases() == []
    world.close()


def test_what_is_held_is_good_while_the_line_is_cut_and_the_rest_is_refused_at_once(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    imported(world, "PAPER-1", "PAPER-2")
    own, *_ = printed(second, 3)
    first.go()
    stand(first, "PAPER-1")
    world.now += timedelta(hours=1)  # nobody answers any more
    assert why(first, "PAPER-2") == "silent"
    assert first.till._desk.reserver.asked == [], "a line that is cut is not asked"  # type: ignore[union-attr]
    answer = sell(first, ("PAPER-2", "summer"))
    assert answer.quote.total_minor == PRICE - 100, "the sale goes on, and everybody's code with it"
    assert takes(first, "PAPER-1")
    assert takes(second, own), "who printed it holds it at once"
    world.quiet(2)
    check(world)
    world.close()


def test_what_was_taken_from_a_file_is_held_by_nobody(tmp_path: Path) -> None:
    """Two tills take in the same file: the codes are in other hands already."""
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    for counter in (first, second):
        rows = [Row(line=1, code="PAPER-1")]
        book(counter.db, world, STORES[counter.name]).take_in("thanks", rows, (None, None), dry_run=False)
        counter.go()
        assert why(counter, "PAPER-1") == "asking"
    world.quiet(1)
    stand(first, "PAPER-1")
    stand(second, "PAPER-1")
    assert takes(first, "PAPER-1") and not takes(second, "PAPER-1")
    world.quiet(1)
    check(world)
    world.close()


def test_a_print_run_that_head_office_took_in_from_a_file_is_the_printers(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    (code,) = printed(first, 1)
    imported(world, code)  # head office's row names its own fact
    first.go()
    second.go()
    assert not takes_after_asking(second, code)
    assert takes(first, code)
    world.quiet(1)
    check(world)
    world.close()


def takes_after_asking(counter: Counter, code: str) -> bool:
    stand(counter, code)
    return takes(counter, code)


def test_a_code_that_all_share_needs_no_right(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    for _ in range(3):
        given(first)
    world.quiet(2)
    sent = world.office.rows("SELECT COUNT(*) FROM right_return WHERE lot = 'coupon:SUMMER'")[0][0]
    assert sent in (0, 1), "what everybody has is nobody's to give back"
    listen(world)
    assert sell(second, ("SUMMER",)).quote.total_minor == PRICE - 100
    assert second.till._desk.reserver.asked == []  # type: ignore[union-attr]
    world.close()


def test_a_lost_till_frees_its_codes_after_the_lease_and_no_sooner(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    imported(world, "PAPER-1")
    first.go()
    stand(first, "PAPER-1")
    with pytest.raises(ConflictError, match="may redeem by itself until"):
        enrol.lose(world.office.store, "T1", None, "Boss", world.now)
    world.now = world.office.now = world.now + timedelta(days=12)
    second.go()
    stand(second, "PAPER-1")
    assert not takes(second, "PAPER-1"), "the lease ended, and nobody said that the till is lost"
    enrol.lose(world.office.store, "T1", None, "Boss", world.now)
    stand(second, "PAPER-1")
    assert not takes(first, "PAPER-1") and takes(second, "PAPER-1")
    used_once(world)
    world.close()


def test_a_restored_head_office_gives_no_code_until_every_till_said_hello(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, third = world.counters.values()
    imported(world, "PAPER-1")
    world.quiet(1)
    backup = tmp_path / "night.db"
    world.office.db.execute("VACUUM INTO ?", (str(backup),))
    stand(first, "PAPER-1")
    world.office.restore(backup)
    second.go()
    stand(second, "PAPER-1")
    third.go()
    stand(second, "PAPER-1")
    assert not takes(second, "PAPER-1")
    first.go()
    stand(second, "PAPER-1")
    assert not takes(second, "PAPER-1"), "it is known again who holds it"
    assert takes(first, "PAPER-1")
    world.quiet(2)
    check(world)
    assert world.cases() == []
    world.close()


def test_refuse_takes_no_code_while_head_office_is_silent(tmp_path: Path) -> None:
    world = made(tmp_path, config='[coupons]\noffline = "refuse"')
    first = world.counters["T1"]
    code = given(first)
    first.go()
    assert why(first, code) == ""
    world.now += timedelta(hours=1)
    assert why(first, code) == "silent", "not even its own"
    assert sell(first, ("SUMMER",)).quote.total_minor == PRICE - 100
    world.close()


def test_a_print_run_goes_back_in_portions_until_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupon_rights, "LINES_MAX", 40)
    world = made(tmp_path)
    first = world.counters["T1"]
    codes = printed(first, 100)
    assert left(world, codes) == 100, "it was made just now"
    world.quiet(3)
    assert left(world, codes) == 0
    assert world.office.rows("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM right_return GROUP BY txn)") == [(40,)]
    sent = world.office.rows("SELECT COUNT(*) FROM txn WHERE kind = 'rights.returned' AND till = 'T1'")
    world.quiet(2)
    assert sent == world.office.rows("SELECT COUNT(*) FROM txn WHERE kind = 'rights.returned' AND till = 'T1'"), "once"
    check(world)
    world.close()


def left(world: World, codes: list[str]) -> int:
    """Codes that head office could give to nobody."""
    world.counters["T1"].go()
    with world.office.store.write():
        return sum(not world.office.store.rights.is_code_free(code, world.now) for code in codes)


def test_a_question_without_codes_says_nothing_of_them(tmp_path: Path) -> None:
    """So a head office of the version before is asked as ever; it refuses a question about a code, and the sale goes on."""
    world = made(tmp_path)
    first = world.counters["T1"]
    imported(world, "PAPER-1")
    first.go()
    hello = rights.question(first.db, new_id(), Asks())
    assert b"coupons" not in encode(hello) and b"gifts" not in encode(hello)
    asked: list[bytes] = []

    class Before:
        def rights(self, question: bytes) -> Reply:
            asked.append(question)
            return json_reply(422, encode(problem("wire", 422, "no such field")))

    with pytest.raises(SyncError):
        right_round.ask_for(first.db, first.here, Before(), "coupon:PAPER-1", world.now)
    assert b'"coupons":["PAPER-1"]' in asked[0]
    assert sell(first, ("PAPER-1",)).quote.total_minor == PRICE
    world.close()
