"""What granting rights asks of a store, over every store: whom a restored head office waits for, and what is held."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty.clock import new_id
from pos_loyalty.engine.gift_ledger import gift_account, load
from pos_loyalty.engine.model import CouponTaken, Entry
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.decision_facts import CaseClosedFact
from pos_loyalty.store.facts import GENESIS, Fact, SaleEnd
from pos_loyalty.store.gift_card_facts import GiftCardFact, GiftCardMade
from pos_loyalty.store.right_facts import GiveBackFact, GrantFact, RightHolder, RightLine
from pos_loyalty.store.till_facts import Place, TillKeyFact
from pos_loyalty.values import Minor, Points
from sync.identity import Holder
from sync.rights import LogKnown, RightsRequest
from sync.server.calls import Calls
from sync.server.ledger_store import LedgerStore
from sync.server.right_store import UNKNOWN
from sync.server.rights import Granting, RightTerms, answer
from tests.contract.test_ledger_stores import fact, lots_of, member, open_again, posting, sale, store
from tests.simulation.shop import NOW

__all__ = ["open_again", "store"]
CARD_ID, LOT = "c" * 32, "opening:M1"
EVENED = f"head-office/{'ab' * 16}.1000.0.1900000000000:0"
"""A lot by which head office evened a member out: ten points that end in 2030."""


def enrolled(store: LedgerStore, *tills: str) -> None:
    with store.write():
        for till in tills:
            said = TillKeyFact(till=till, epoch=1, store="S1", state="active", public_key="ab" * 32)
            store.keys.book(said, NOW)


def grant_of(centi: int, lot: str = LOT, number: int = 1) -> GrantFact:
    line = RightLine(lot_id=lot, member_id="M1", centi=Points(centi))
    return GrantFact(grant_id=f"{number:032x}", till="T1", epoch=1, lease_until=NOW + timedelta(days=30), lines=(line,))


def test_a_restored_head_office_waits_for_all_that_it_knows_and_was_told_of(store: LedgerStore) -> None:
    with store.write():
        assert not store.rights.has_tills()
    enrolled(store, "T1", "T2")
    with store.write():
        assert store.rights.has_tills() and store.rights.waits_for() == ()
        store.rights.begin_anew(2, ("T9", UNKNOWN), NOW)
        assert store.rights.waits_for() == (UNKNOWN, "T1", "T2", "T9")
        assert store.rights.lets_wait("T1")
        for till in ("T1", "T2", "T9"):
            store.rights.heard_hello(till)
        assert store.rights.is_waiting()
        waits = [store.rights.lets_wait("T1") for _ in range(201)]
        assert (waits.count(True), waits[-1]) == (200, False), "a person's word is not waited for for ever"
        store.rights.heard_hello(UNKNOWN)
        assert not store.rights.is_waiting() and not store.rights.lets_wait("T1")


def test_a_log_that_does_not_move_on_is_not_waited_for_for_ever(store: LedgerStore) -> None:
    with store.write():
        waits = [store.rights.awaits("T1") for _ in range(601)]
        assert (waits.count(True), waits[-1]) == (600, False)
        assert store.rights.awaits("T2"), "of each log its own count"
        store.rights.came("T1")
        assert store.rights.awaits("T1")
        store.rights.has_no_more("T1")
        assert not store.rights.awaits("T1") and store.rights.awaits("T2")
        store.rights.has_no_more("T1")
        assert store.rights.awaits("T1"), "the next that waits may wait for what came since"


def test_what_is_granted_is_held_until_it_comes_back(store: LedgerStore) -> None:
    enrolled(store, "T1")
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        assert not store.rights.is_too_much(grant_of(1_000)) and store.rights.is_too_much(grant_of(1_001))
        store.rights.book(grant_of(600), NOW)
        assert (store.rights.held_by_all(LOT), store.rights.held("T1", 1, (LOT,), NOW)) == (600, {LOT: 600})
        assert store.rights.held_in_all("T1", 1) == 600
        assert store.rights.leases_end("T1", 1) == NOW + timedelta(days=30)
        assert store.rights.leases_end("T2", 1) is None
        assert not store.rights.is_too_much(grant_of(600)), "known"
        assert store.rights.is_too_much(grant_of(401, number=2)) and not store.rights.is_too_much(grant_of(400, number=2))
        assert not store.rights.is_merged("M1")
        (told,) = store.rights.on_their_way("T1", 1, 10)
        assert told.lines == grant_of(600).lines


def test_money_of_a_card_is_held_by_who_sold_it(store: LedgerStore) -> None:
    made = GiftCardMade(series="standard", kind="bought", currency="RUB", code_hash="d" * 64)
    body = GiftCardFact(card_id=CARD_ID, act="sold", amount_minor=Minor(500), made=made)
    sold = fact(1, kind="gift_card.changed", gift_card=body, entries=(load(CARD_ID, "gifts:sold", 500, "RUB"),))
    account = gift_account(CARD_ID)
    with store.write():
        store.add(posting(store, sold))
        assert store.rights.held_by_all(account) == 500
        assert store.rights.gift(CARD_ID) is None and store.rights.gift("e" * 64) is None
        assert store.rights.is_too_much(grant_of(1, account))
        assert store.truth.stops_of("S1") == ()


def test_a_code_is_held_by_one_till_at_a_time(store: LedgerStore) -> None:
    """Of a print run by the till that made it, of a file by nobody; from the grant on by who got it, until it came back."""
    enrolled(store, "T1", "T2")
    run = CouponsFact(series="flyer", codes=("MADE-1", "MADE-2"), origin="made")
    file = CouponsFact(series="flyer", codes=("FILE-1", "MADE-1"), expires_at=NOW + timedelta(days=1))
    with store.write():
        store.add(posting(store, fact(1, kind="coupons.added", coupons=file)))
        store.add(posting(store, fact(2, kind="coupons.added", coupons=run)))
        free = [code for code in ("FILE-1", "MADE-1", "MADE-2", "OTHER") if store.rights.is_code_free(code, NOW)]
        assert free == ["FILE-1"]
        assert not store.rights.is_code_free("FILE-1", NOW + timedelta(days=1)), "it ended"
        assert store.rights.held("T1", 1, ("coupon:MADE-1",), NOW) == {"coupon:MADE-1": 1}
    lent = grant_of(1, "coupon:FILE-1")
    with store.write():
        assert not store.rights.is_too_much(lent)
        store.rights.book(lent, NOW)
        assert not store.rights.is_code_free("FILE-1", NOW)
        assert store.rights.held_by_all("coupon:FILE-1") == 1 and store.rights.held_in_all("T1", 1) == 0, "it is no point"
        store.add(posting(store, fact(3, kind="rights.taken", grant=lent)))
        lines = tuple(RightLine(lot_id=f"coupon:{code}", member_id=code, centi=Points(1)) for code in ("FILE-1", "MADE-2"))
        store.add(posting(store, fact(4, kind="rights.returned", give_back=GiveBackFact(lines=lines))))
        assert store.rights.is_code_free("FILE-1", NOW) and store.rights.is_code_free("MADE-2", NOW)
        assert store.rights.held("T1", 1, ("coupon:FILE-1", "coupon:MADE-1"), NOW) == {"coupon:MADE-1": 1}


def taking(till: str, seq: int, sale_id: str, *codes: str) -> Fact:
    """A sale that takes these codes."""
    said = sale(seq, sale_id)
    assert said.sale is not None
    quote = replace(said.sale.quote, coupons=tuple(CouponTaken(code=code, series="flyer") for code in codes))
    return replace(said, till=till, receipt_no=f"{till}-{seq}", sale=replace(said.sale, quote=quote))


def voiding(till: str, seq: int, sale_id: str) -> Fact:
    return fact(seq, till=till, kind="sale.reversed", receipt_no=None, member="M1", end=SaleEnd(sale_id=sale_id))


def test_a_code_that_two_sales_took_is_at_rest_when_one_of_them_came_off(store: LedgerStore) -> None:
    """A restored head office hears first of the sale that took the code last, by a right that it had granted and forgot."""
    enrolled(store, "T1", "T2")
    name = "coupon:FILE-1"
    lent = replace(grant_of(1, name), till="T2")
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        store.add(posting(store, fact(1, kind="coupons.added", coupons=CouponsFact(series="flyer", codes=("FILE-1", "FILE-2")))))
        for said in (fact(2, till="T2", kind="rights.taken", grant=lent), taking("T2", 3, "late", "FILE-1", "FILE-2")):
            store.add(posting(store, said))
        assert store.rights.held_by_all(name) == 0, "its sale has used the right"
        for said in (taking("T1", 4, "early", "FILE-1"), taking("T1", 5, "other", "FILE-2")):
            store.add(posting(store, said))
    with store.write():
        cases = [case.name for case in store.truth.cases(10)]
        assert [(case.till, case.seq, case.reason) for case in cases] == [("T1", 4, "coupon.twice"), ("T1", 5, "coupon.twice")]
        assert store.truth.coupons_at_rest("T1", "early") == store.truth.coupons_at_rest("T2", "late") == (), "both stand"
        store.add(posting(store, voiding("T1", 6, "early")))
        assert store.truth.coupons_at_rest("T1", "early") == (cases[0],), "of the other code nothing was said"
        said = CaseClosedFact(till="T1", epoch=1, seq=4, reason="coupon.twice", note="used once", by="head office")
        store.truth.close_case(said, NOW)
    with store.write():
        assert store.truth.coupons_at_rest("T1", "early") == (), "it is closed"
        assert [case.name for case in store.truth.cases(10)] == [cases[1]]
        assert not store.rights.is_code_free("FILE-1", NOW), "the late sale has it"
        store.add(posting(store, voiding("T2", 7, "late")))
        assert store.truth.coupons_at_rest("T2", "late") == (cases[1],)
        assert store.rights.held("T2", 1, (name,), NOW) == {name: 1}, "its right is with it again"
        assert not store.rights.is_code_free("FILE-1", NOW)


def test_a_hub_is_told_that_another_store_wants_what_its_tills_hold(store: LedgerStore) -> None:
    """They do not ask head office: it calls the card from them. Nobody else of the store is told."""
    enrolled(store, "T1", "T2", "HUB")
    made = GiftCardMade(series="standard", kind="bought", currency="RUB", code_hash="d" * 64)
    body = GiftCardFact(card_id=CARD_ID, act="sold", amount_minor=Minor(500), made=made)
    sold = fact(1, kind="gift_card.changed", gift_card=body, entries=(load(CARD_ID, "gifts:sold", 500, "RUB"),))
    begins = fact(1, kind="rights.returned", give_back=GiveBackFact(), till="HUB", id="e" * 32)
    account, granting = gift_account(CARD_ID), Granting(RightTerms(), Calls())
    with store.write():
        store.keys.book(TillKeyFact(till="T9", epoch=1, store="S2", state="active", public_key="ab" * 32), NOW)
        store.add(posting(store, sold))
        store.add(posting(store, begins))
        assert dict(store.rights.holders(account)) == {("T1", 1): 500}

    def told(till: str, *gifts: str) -> dict[str, int]:
        asked = RightsRequest(ask_id="a" * 32, head=Place(epoch=1, seq=0, hash=GENESIS.hex()), gifts=gifts)
        said = answer(store, Holder(till=till, epoch=1), asked, granting, new_id, NOW)
        assert said.grants == ()
        return {line.lot_id: line.centi for line in said.back}

    assert told("HUB") == {}, "nobody wants it"
    assert told("T9", CARD_ID) == {}
    assert told("HUB") == told("T1") == {account: 500}
    assert told("T2") == told("T9") == {}


def test_what_a_log_gave_back_to_a_hub_is_told_from_the_fact_that_the_hub_knows_on(store: LedgerStore) -> None:
    """To this hub in this epoch alone; so many facts at once; of a log without any, when it had better not be looked at again."""
    enrolled(store, "T1", "HUB")
    line = RightLine(lot_id=LOT, member_id="M1", centi=Points(7))
    to = [RightHolder(till="HUB", epoch=epoch) for epoch in (1, 2)] + [RightHolder(till="HUB2", epoch=1)]
    backs = [GiveBackFact(lines=(line,), to=hub) for hub in (to[0], to[1], to[2], to[0])] + [GiveBackFact(lines=(line,))]
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        for seq, back in enumerate(backs, start=1):
            store.add(posting(store, fact(seq, kind="rights.returned", give_back=back)))

    def told(
        hub: str, after: int, limit: int = 10, till: str = "T1", epoch: int = 1, heard: int = 0
    ) -> tuple[int, list[int]] | None:
        with store.write():
            said = store.rights.given_back(hub, 1, LogKnown(till=till, epoch=epoch, seq=after, heard=heard), limit)
        assert said is None or all(each.lines == (line,) for each in said.given)
        return None if said is None else (said.seq, [each.seq for each in said.given])

    assert told("HUB", 0) == (5, [1, 4]) and told("HUB", 1) == (5, [4]) and told("HUB2", 0) == (5, [3])
    assert told("HUB", 0, limit=1) == (1, [1]) and told("HUB", 1, limit=1) == (4, [4])
    assert told("HUB", 4) is None and told("HUB", 5) is None
    assert told("HUB", 4, limit=1) == (5, []) and told("HUB9", 0, limit=5) == (5, [])
    assert told("HUB", 0, epoch=2) is None and told("HUB", 0, till="T9") is None
    assert told("HUB", 9) == told("HUB", 5, heard=6) == told("HUB", 4, heard=6) == (5, []), "it ends before that"
    assert told("HUB", 0, heard=6) == (5, [1, 4]) and told("HUB", 4, heard=5) is None
    assert told("HUB", 3, till="T9") == told("HUB", 0, till="T9", heard=3) == (0, [])
    with store.write():
        assert store.rights.gave_back("HUB", 1, 9) == [("T1", 1)] and store.rights.gave_back("HUB", 3, 9) == []


def test_what_a_log_gave_back_is_told_a_page_of_lines_at_a_time(store: LedgerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fact of a till with forged software may have so many that an answer of 500 such facts is too long to be read."""
    monkeypatch.setattr("sync.server.sqlite_rights.LINES_MAX", 5)
    enrolled(store, "T1", "HUB")
    sizes = (3, 2, 1, 9, 1)
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        for seq, size in enumerate(sizes, start=1):
            lines = tuple(RightLine(lot_id=f"L{n}", member_id="M1", centi=Points(1)) for n in range(size))
            back = GiveBackFact(lines=lines, to=RightHolder(till="HUB", epoch=1))
            store.add(posting(store, fact(seq, kind="rights.returned", give_back=back)))
    after, pages = 0, list[tuple[list[int], bool]]()
    with store.write():
        while (said := store.rights.given_back("HUB", 1, LogKnown(till="T1", epoch=1, seq=after), 500)) is not None:
            pages.append(([each.seq for each in said.given], bool(said.goes_on)))
            after = said.seq
    assert pages == [([1, 2], True), ([3], True), ([4], True), ([5], False)]


def test_a_card_that_is_named_twice_is_lent_once(store: LedgerStore) -> None:
    """By its id and by the hash of its code; and a code in two spellings."""
    enrolled(store, "T1", "T2")
    made = GiftCardMade(series="standard", kind="bought", currency="RUB", code_hash="d" * 64)
    body = GiftCardFact(card_id=CARD_ID, act="sold", amount_minor=Minor(500), made=made)
    sold = fact(1, kind="gift_card.changed", gift_card=body, entries=(load(CARD_ID, "gifts:sold", 500, "RUB"),))
    back = GiveBackFact(lines=(RightLine(lot_id=gift_account(CARD_ID), member_id=CARD_ID, centi=Points(500)),))
    with store.write():
        store.add(posting(store, sold))
        store.add(posting(store, fact(2, kind="rights.returned", give_back=back)))
        store.add(posting(store, fact(3, kind="coupons.added", coupons=CouponsFact(series="flyer", codes=("FILE-1",)))))
    asked = RightsRequest(
        ask_id="a" * 32, head=Place(epoch=1, seq=0, hash=GENESIS.hex()), gifts=(CARD_ID, "d" * 64), coupons=("FILE-1", " file-1")
    )
    said = answer(store, Holder(till="T2", epoch=1), asked, Granting(RightTerms(), Calls()), new_id, NOW)
    (grant,) = said.grants
    assert {line.lot_id: line.centi for line in grant.lines} == {gift_account(CARD_ID): 500, "coupon:FILE-1": 1}
    assert [word.card_id for word in grant.cards] == [CARD_ID]


def test_a_lot_that_a_restored_head_office_made_and_forgot_is_known_again(store: LedgerStore) -> None:
    """By the first fact of a till that names it, once, and all of it; what the till does with it is booked as ever."""
    enrolled(store, "T1")
    taken = fact(1, kind="rights.taken", grant=grant_of(600, EVENED))
    used = fact(2, kind="points.adjusted", member="M1", entries=(out_of(EVENED, 600),))
    with store.write():
        store.add_members([member("M1", "2000000000015", 1_000)], NOW)
        assert store.rights.know_again(taken, NOW) == (), "a head office that forgot nothing made no such lot"
        store.rights.begin_anew(2, (), NOW)
    with store.write():
        store.expect((taken, used))
        assert store.rights.know_again(taken, NOW) == ("M1",)
        assert store.rights.know_again(taken, NOW) == ()
        store.add(posting(store, taken))
        assert store.rights.know_again(used, NOW) == ()
        booked = posting(store, used)
        assert booked.cases == ()
        store.add(booked)
        store.touch(("M1",))
    with store.write():
        assert lots_of(store, "M1") == {LOT: 1_000, EVENED: 400}
        assert store.rights.held_by_all(EVENED) == 0


@pytest.mark.parametrize(
    "lot", ["T1/1:base", f"T1/{'ab' * 16}.1000.0.0:0", f"head-office/{'ab' * 16}:0", EVENED.replace(".1000.", ".0.")]
)
def test_no_other_lot_is_taken_for_one(store: LedgerStore, lot: str) -> None:
    enrolled(store, "T1")
    with store.write():
        store.rights.begin_anew(2, (), NOW)
        assert store.rights.know_again(fact(1, kind="rights.taken", grant=grant_of(600, lot)), NOW) == ()


def out_of(lot: str, centi: int) -> Entry:
    return Entry(kind="adjust", debit="member:M1", credit="adjustment", amount=centi, member_id="M1", lot_id=lot)


def test_who_told_all_and_who_is_a_hub(store: LedgerStore) -> None:
    enrolled(store, "T1", "T2")
    gave = grant_of(300)
    gave = replace(gave, giver=RightHolder(till="HUB", epoch=3))
    with store.write():
        said = [store.rights.said_at(till, 1) for till in ("T1", "T2")]
        assert said == [(1, 1), (1, 2)] and store.rights.told_at("T1", 1) is None
        store.rights.note_told("T1", 1, store.rights.own_head())
        assert (store.rights.told_at("T1", 1), store.rights.told_at("T1", 2)) == ((1, 2), None)
        store.rights.begin_anew(2, (), NOW)
        store.rights.note_told("T1", 1, store.rights.own_head())
        assert store.rights.told_at("T1", 1) == (2, store.rights.own_head().seq)
        store.rights.note_told("T1", 1, Place(epoch=1, seq=2, hash="0" * 64))
        assert store.rights.told_at("T1", 1) == (2, store.rights.own_head().seq), "that question was overtaken"
        assert not store.rights.is_hub("HUB") and store.rights.named_hub("HUB") is None
        store.add(posting(store, fact(1, kind="rights.taken", grant=gave)))
        back = GiveBackFact(lines=(RightLine(lot_id=LOT, member_id="M1", centi=Points(1)),), to=RightHolder(till="HUB2", epoch=1))
        store.add(posting(store, fact(2, kind="rights.returned", give_back=back)))
        assert [store.rights.is_hub(each) for each in ("HUB", "HUB2", "T1", "T2")] == [True, True, False, False]
        assert (store.rights.named_hub("HUB"), store.rights.named_hub("HUB2")) == ((3, "S1"), (1, "S1"))
        first = fact(1, kind="rights.returned", give_back=GiveBackFact(), till="T2", id="e" * 32)
        store.add(posting(store, first))
        assert store.rights.is_hub("T2") and store.rights.named_hub("T2") is None, "a hub's log begins so"
        store.asked("T1", NOW)
        store.asked("T2", NOW)
        store.rights.note_hub("T2", 7)
        seen = store.truth.overview(0, NOW, Points(100))
        assert [(hub.hub, hub.waiting, hub.held_centi) for hub in seen.hubs] == [("T2", 7, 0)]
        assert ([till.till for till in seen.tills], seen.exposure.tills, seen.exposure.twice_centi) == (["T1"], 1, 0)
        store.rights.heard_hello("T1")
        store.rights.begin_anew(3, (), NOW)
        assert store.rights.waits_for() == ("T1", "T2")
