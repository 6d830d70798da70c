"""Gift cards and unique codes by a store's hub. Laws: no card pays more than was sold on it and no code pays twice, whatever is
cut, crashes, burns or is put back; at quiet all sides agree; and what one till of the store sold is good at the next one at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, LoyaltyError, NotFoundError
from pos_loyalty.store import coupon_words, db, relay_cards, relay_income, right_holds, witness
from pos_loyalty.store.right_facts import RightLine
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import FreezeRequest
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Points
from sync.hub import lending, telling
from tests.simulation.coupons import given, imported, takes
from tests.simulation.lending import LendingWorld, account_of, check_now, check_quiet, held, held_by, show_card, show_code
from tests.simulation.test_gift_card_rights import FACE, pay, sold_card

SEEDS = range(int(os.environ.get("LENDING_WORLDS", "8")))
EVENTS = 120


def run(world: LendingWorld, events: int = EVENTS) -> None:
    world.is_faulty = True
    for _ in range(events):
        world.step()
        check_now(world)
    world.quiet()
    check_quiet(world)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_card_and_no_code_pays_twice_and_all_sides_agree(tmp_path: Path, seed: int) -> None:
    world = LendingWorld(tmp_path, seed)
    run(world)
    for _ in range(3):
        world.quiet(2)
    third = world.counters["T3"]
    for code in world.cards:
        show_card(third, code)
    assert all(held_by(third.db, third, account) == amount for account, amount in on_cards_alive(world).items()), "none is stuck"
    world.close()


def on_cards_alive(world: LendingWorld) -> dict[str, int]:
    alive = "SELECT account, amount FROM balance JOIN gift_card ON account = 'gift:' || id WHERE amount > 0 AND state = 'active'"
    return {str(account): int(str(amount)) for account, amount in world.office.rows(alive)}


def test_a_card_sold_at_one_till_pays_at_the_next_while_the_line_is_cut(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    first, second = world.counters["T1"], world.counters["T2"]
    world.is_cut = True
    code = sold_card(first)
    first.go()
    world.pass_s(1)
    show_card(second, code)
    pay(second, code, FACE - 1_000)
    with pytest.raises(ConflictError):
        pay(first, code, 1_000)
    second.go()
    world.pass_s(1)
    show_card(first, code)
    pay(first, code, 1_000)
    world.is_cut = False
    world.quiet()
    check_quiet(world)
    assert world.cases() == []
    world.close()


def test_a_code_issued_at_one_till_is_good_at_the_next_while_the_line_is_cut(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    first, second = world.counters["T1"], world.counters["T2"]
    world.is_cut = True
    world.pass_s(3_600)
    code = given(first)
    first.go()
    world.pass_s(1)
    show_code(second, code)
    assert takes(second, code) and not takes(first, code)
    world.quiet()
    check_quiet(world)
    assert world.cases() == []
    world.close()


def test_what_rests_at_the_hub_goes_back_to_head_office_and_sooner_when_it_is_called(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    first, third = world.counters["T1"], world.counters["T3"]
    rested, called = sold_card(first), sold_card(first)
    accounts = [account_of(first, code) for code in (rested, called)]
    first.go()
    world.line_go()
    assert [held(world, account) for account in accounts] == [FACE, FACE], "both are at the hub"
    show_card(third, called)
    assert held_by(third.db, third, accounts[1]) == 0
    world.pass_s(5)
    world.line_go()
    show_card(third, called)
    assert held_by(third.db, third, accounts[1]) == FACE, "it was called back"
    assert held(world, accounts[0]) == FACE
    world.pass_s(3_600)
    world.line_go()
    assert held(world, accounts[0]) == 0, "an hour is over"
    world.quiet()
    check_quiet(world)
    world.close()


def test_what_stands_at_a_till_behind_its_hub_is_called_by_another_store(tmp_path: Path) -> None:
    """A card was looked at, and a code, and neither was paid with: within seconds both are good elsewhere."""
    world = LendingWorld(tmp_path, 0)
    first, second, third = world.counters.values()
    code, coupon = sold_card(first), given(first)
    first.go()
    show_card(second, code)
    show_code(second, coupon)
    for _ in range(2):
        second.go()
        world.line_go()
    account = account_of(first, code)
    assert held_by(second.db, second, account) == FACE and held_by(second.db, second, f"coupon:{coupon}") == 1
    world.pass_s(61)  # else who presented it here comes first
    for _ in range(6):
        show_card(third, code)
        show_code(third, coupon)
        for who in (world.line_go, first.go, second.go, world.line_go):
            world.pass_s(1)
            who()
    assert held_by(third.db, third, account) == FACE and held_by(third.db, third, f"coupon:{coupon}") == 1
    assert held_by(second.db, second, account) == 0
    pay(third, code, FACE)
    assert takes(third, coupon) and not takes(second, coupon)
    world.quiet()
    check_quiet(world)
    world.close()


def test_what_a_card_paid_is_booked_after_the_log_that_sold_it(tmp_path: Path) -> None:
    """The hub burns down with all that it kept, and the till that took the card speaks first."""
    world = LendingWorld(tmp_path, 0)
    first, second = world.counters["T1"], world.counters["T2"]
    world.is_cut = True
    code = sold_card(first)
    first.go()
    world.pass_s(1)
    show_card(second, code)
    pay(second, code, FACE)
    world.hub.burn()
    world.is_cut, world.is_hub_silent = False, True
    world.pass_s(60)
    second.go()
    paid = "SELECT COUNT(*) FROM entry WHERE debit_acct GLOB 'gift:*'"
    assert world.office.rows(paid) == [(0,)], "it waits"
    for counter in (first, second):
        world.pass_s(60)
        counter.go()
    assert world.office.rows(paid) == [(1,)] and world.cases() == []
    world.quiet()
    check_quiet(world)
    world.close()


def test_a_hub_gives_nothing_of_a_card_that_was_frozen_at_its_till(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    first, second = world.counters["T1"], world.counters["T2"]
    boss = Approval(person="S1", pin="998877")
    staff.add(first.db, boss.person, "senior", boss.pin or "", first.till._desk.secrets.pepper)
    world.is_cut = True
    code = sold_card(first)
    first.go()
    first.till.freeze_gift_card(FreezeRequest(card=code, by=boss, reason="lost"), "f")
    first.go()
    world.pass_s(1)
    show_card(second, code)
    with pytest.raises(NotFoundError):
        pay(second, code, 100)
    first.till.unfreeze_gift_card(FreezeRequest(card=code, by=boss, reason="found"), "u")
    first.go()
    world.pass_s(60)
    show_card(second, code)
    pay(second, code, 100)
    world.is_cut = False
    world.quiet()
    check_quiet(world)
    world.close()


def test_a_hub_that_was_put_back_lends_nothing_and_gives_nothing_back(tmp_path: Path) -> None:
    world = LendingWorld(tmp_path, 0)
    first, second, third = world.counters.values()
    code = sold_card(first)
    first.go()
    saved = world.hub.backup()
    world.pass_s(1)
    show_card(second, code)
    world.hub.restore(saved)
    assert world.hub.node.is_restored
    world.pass_s(7_200)
    world.line_go()
    show_card(third, code)
    assert held_by(third.db, third, account_of(first, code)) == 0
    pay(second, code, FACE)
    world.is_restored = True
    world.quiet()
    check_quiet(world)
    world.close()


def test_a_hub_that_was_put_back_to_before_it_gave_back_gives_that_to_nobody(tmp_path: Path) -> None:
    """No till asked it since: only head office was told, which lent the card's money to another store."""
    world = LendingWorld(tmp_path, 0)
    first, second, third = world.counters.values()
    code = sold_card(first)
    lot = account_of(first, code)
    for _ in range(4):
        world.pass_s(1_200)
        first.go()
        if held_by(first.db, first, lot) == 0:
            break
    second.go()
    saved = world.hub.backup()
    world.pass_s(7_200)
    world.line_go()
    world.line_go()
    show_card(third, code)
    pay(third, code, FACE)
    third.go()
    world.hub.restore(saved)
    world.is_cut = True
    show_card(second, code)
    assert held_by(second.db, second, lot) == 0
    assert world.hub.node.is_restored
    world.is_cut, world.is_restored = False, True
    world.quiet()
    check_quiet(world)
    world.close()


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


def test_money_of_a_card_that_the_hub_does_not_know_goes_on_to_head_office(tmp_path: Path) -> None:
    """Its till sold it before it had a hub."""
    world = LendingWorld(tmp_path, 0)
    first, third = world.counters["T1"], world.counters["T3"]
    code = sold_card(first)
    first.go()
    account = account_of(first, code)
    for table in ("relay_card", "relay_rest"):
        with db.write(world.hub.node.db), witness.watched(world.hub.node.db, table, "TRUE", ()):
            world.hub.node.db.execute(f"DELETE FROM {table}")
    with db.write(world.hub.node.db):
        relay_cards.rests(world.hub.node.db, [account, "gift:none of ours", "gift:" + "z" * 64], world.now)
    world.line_go()
    assert held(world, account) == 0
    show_card(third, code)
    pay(third, code, FACE)
    world.quiet()
    check_quiet(world)
    world.close()


def _the_hub_gives_what_it_gave_before(patch: pytest.MonkeyPatch) -> None:
    """Its own sum of cards and codes forgets what it gave its tills."""
    honest = lending.held

    def held(db: Any, hub: Any, found: Any, now: Any) -> Any:
        lines = {line.lot_id: (line, one) for line, one in honest(db, hub, found, now)}
        for one in found:
            key = {"till": hub.till, "epoch": hub.epoch, "lot": one.lot_id}
            (given,) = db.execute(GIVEN, key).fetchone()
            if given:
                before = lines[one.lot_id][0].centi if one.lot_id in lines else 0
                lines[one.lot_id] = (RightLine(lot_id=one.lot_id, member_id=one.name, centi=Points(before + given)), one)
        return tuple(lines.values())

    patch.setattr(lending, "held", held)


def _the_hub_takes_a_give_back_in_twice(patch: pytest.MonkeyPatch) -> None:
    honest = relay_income.add

    def add(db: Any, by: Any, *what: Any) -> None:
        honest(db, by, *what)
        honest(db, replace(by, seq=by.seq + 1_000_000), *what)

    patch.setattr(relay_income, "add", add)


def _head_office_lends_what_the_hub_holds(patch: pytest.MonkeyPatch) -> None:
    honest = right_holds.held_by_all

    def held_by_all(db: Any, lot: str) -> int:
        hubs = sum(centi for (till, _), centi in right_holds.holders(db, lot).items() if till.startswith("HUB"))
        return honest(db, lot) - hubs

    patch.setattr(right_holds, "held_by_all", held_by_all)


GIVEN = """SELECT coalesce(SUM(l.centi), 0) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
WHERE g.giver = :till AND g.giver_epoch = :epoch AND l.lot = :lot"""
PLANTED = (
    _the_hub_gives_what_it_gave_before,
    _the_hub_takes_a_give_back_in_twice,
    _head_office_lends_what_the_hub_holds,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[..., None]) -> None:
    plant(monkeypatch)
    for seed in SEEDS:
        (tmp_path / f"{seed}").mkdir()
        world = LendingWorld(tmp_path / f"{seed}", seed)
        try:
            run(world)
        except (AssertionError, LoyaltyError):
            return
        finally:
            world.close()
    pytest.fail("the laws hold all the same")
