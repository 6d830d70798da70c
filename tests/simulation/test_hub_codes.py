"""Unique codes as a store's hub tells its tills of them: what the others did, while the outside line is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.store import coupon_words
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from sync.hub import telling
from tests.simulation.coupons import given, imported, takes
from tests.simulation.lending import LendingWorld, check_quiet, show_code


def test_codes_that_the_other_till_took_are_told_while_the_line_is_cut(tmp_path: Path) -> None:
    """Each word on a code: it was issued, taken, let go by a void, withdrawn with the goods that brought it."""
    world = LendingWorld(tmp_path, 0)
    first, second = world.counters["T1"], world.counters["T2"]
    world.is_cut = True

    def told(code: str) -> tuple[bool, str | None] | None:
        first.go()
        world.pass_s(1)
        second.go()
        known = coupon_words.known(second.db, (code,)).get(code)
        return None if known is None else (known.is_live, known.taken_till)

    before = set(first.sold)
    code = given(first)
    (issuing,) = set(first.sold) - before
    assert told(code) == (True, None)
    show_code(first, code)
    assert takes(first, code)
    assert told(code) == (True, "T1")
    using = next(sale_id for sale_id in first.sold if sale_id not in {*before, issuing})
    first.till.void(using, VoidRequest(), "void")
    assert told(code) == (True, None)
    first.till.return_goods(issuing, ReturnRequest(return_id="r", all=True), "r")
    assert told(code) == (False, None)
    world.is_cut = False
    world.quiet()
    check_quiet(world)
    world.close()


def test_a_till_that_head_office_told_more_than_the_hub_hears_of_codes_too(tmp_path: Path) -> None:
    """The hub's line was cut first, or it is new. What head office told the till is not taken back by what the hub knows."""
    world = LendingWorld(tmp_path, 0)
    first, second, third = (world.counters[name] for name in ("T1", "T2", "T3"))
    used = given(first)
    for _ in range(4):
        first.go()
        world.line_go()
        show_code(third, used)
        world.pass_s(30)
    assert takes(third, used)
    third.go()
    second.road().go_straight()
    second.go()
    assert coupon_words.known(second.db, (used,))[used].taken_till == "T3"
    world.is_cut = True
    world.pass_s(60)
    code = given(first)
    first.go()
    world.pass_s(1)
    second.go()
    assert coupon_words.known(second.db, (used,))[used].taken_till == "T3"
    show_code(second, code)
    assert takes(second, code) and not takes(first, code)
    world.is_cut = False
    world.quiet()
    check_quiet(world)
    world.close()


def test_more_codes_than_a_page_holds_are_told_in_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = LendingWorld(tmp_path, 0)
    second = world.counters["T2"]
    second.go()
    monkeypatch.setattr(telling, "COUPONS_MAX", 2)
    codes = [f"LATE-{n}" for n in range(5)]
    for code in codes:
        imported(world, code)
        world.pass_s(5)
        world.line_go()
    second.go()
    assert set(coupon_words.known(second.db, codes)) == set(codes)
    world.close()


def test_more_codes_than_a_page_holds_are_told_to_a_till_that_head_office_told_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of a hub that cannot tell from where the till is bears codes alone, and there is more."""
    world = LendingWorld(tmp_path, 0)
    first, second = world.counters["T1"], world.counters["T2"]
    given(first)
    first.go()
    world.line_go()
    imported(world, "LATE-1")
    second.road().go_straight()
    second.go()
    world.is_cut = True
    world.pass_s(60)
    monkeypatch.setattr(telling, "CODES_MAX", 2)
    codes = [given(first) for _ in range(5)]
    first.go()
    world.pass_s(1)
    second.go()
    assert set(coupon_words.known(second.db, codes)) == set(codes)
    world.is_cut = False
    world.quiet()
    check_quiet(world)
    world.close()
