"""The rows of a till follow from its log: whatever was done, a file made again from the log is the same to the byte."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from pos_loyalty.store import members
from pos_loyalty.store.db import write
from pos_loyalty.store.members import PulledCard, PulledLot, PulledMember
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import FreezeRequest
from pos_loyalty.till.member_model import CardRequest, ChangeRequest, SetAttribute, SetName
from pos_loyalty.till.model import AwardRequest, CancelRequest, CompleteRequest, EnrolRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest
from pos_loyalty.values import Points, Thousandths
from tests import refold
from tests.gifts import GIFT_PROGRAMME, IVANOVA, basket_of, gift, line, sell, sold_card
from tests.shop import CARD, MEMBER, NOW, OTHER_CARD, Shop

BORIS = Approval(person="S2", pin="112233")
ACTS = """
[[rule]]
id = "review"
stage = "act"
act = "review"
then = [{ do = "points", fixed = "10" }]
[[rule]]
id = "cups"
when = [{ is = "customer", member = true }]
then = [{ do = "counter_add", key = "cups" }]
[tiers]
months = 12
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
from_spent = "100.00"
"""
PROGRAMME = GIFT_PROGRAMME.replace("[points]", "[points]\nclaim_days = 14") + ACTS


def test_every_table_follows_from_the_log_or_says_why_it_does_not(shop: Shop) -> None:
    tables = {str(name) for (name,) in shop.db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    ours = {name for name in tables if not name.startswith("sqlite_")}
    assert ours == set(refold.OF_THE_LOG) | set(refold.NOT_OF_THE_LOG)
    assert not set(refold.OF_THE_LOG) & set(refold.NOT_OF_THE_LOG)


def _staffed(folder: Path) -> Shop:
    shop = Shop(folder, programme=PROGRAMME)
    for person in (IVANOVA, BORIS):
        staff.add(shop.db, person.person, "senior", person.pin, shop.till._desk.secrets.pepper)
    return shop


def test_a_day_of_every_verb_is_made_again_from_its_log(tmp_path: Path) -> None:
    shop = _staffed(tmp_path)
    till = shop.till
    shop.add_member("member-2", OTHER_CARD, 7_000)
    till.enrol(
        EnrolRequest(card="2200000000040", phone="+79991234567", consents=("data",), birthday="05-17", origin="street"), "e"
    )
    till.change(MEMBER, ChangeRequest(changes=(SetName(name="Анна"), SetAttribute(name="pet", value="cat"))), "change")
    till.change_cards(MEMBER, CardRequest(card="2200000000033"), "card")
    till.award(MEMBER, AwardRequest(act="review"), "award")
    shop.sell("s1", redeem="max")
    shop.sell("s2", redeem=500, complete=False)
    till.complete("s2", CompleteRequest(), "c2")
    shop.sell("s3", redeem=500, complete=False)
    till.cancel("s3", CancelRequest(), "x3")
    part = ReturnRequest(return_id="r1", lines=(LineBack(line_id="1", quantity_milli=Thousandths(1000)),))
    till.return_goods("s1", part, "r1")
    till.void("s2", VoidRequest(cashier="C7"), "v2")
    card = sold_card(shop)
    sell(shop, basket_of(line("1", "tea", 30_000)), "g", (gift(20_000, card.card_id), gift(7_000, card.card_id)))
    till.claim("g", ClaimRequest(card=CARD, by="C7", approval=IVANOVA), "claim")
    till.freeze_gift_card(FreezeRequest(card=card.card_id, by=IVANOVA, reason="lost"), "freeze")
    till.adjust(MEMBER, AdjustRequest(centi=Points(-900_000), reason="by mistake", by=IVANOVA, approval=BORIS, owe=True), "a")
    till.merge("member-2", MergeRequest(into=MEMBER, reason="one person", by=IVANOVA, approval=BORIS), "m")
    shop.now = NOW + timedelta(days=400)
    till.nightly()
    kinds = {str(kind) for (kind,) in shop.db.execute("SELECT DISTINCT kind FROM txn")}
    assert len(kinds) >= 13, kinds
    assert refold.differences(shop.db, tmp_path / "again.db") == []
    shop.close()


def test_a_row_that_no_fact_made_is_told(tmp_path: Path) -> None:
    shop = _staffed(tmp_path)
    shop.sell("s1")
    with write(shop.db):
        shop.db.execute("UPDATE member_counter SET units = units + 1")
        shop.db.execute("UPDATE sale SET ended_ms = ended_ms + 1")
    found = refold.differences(shop.db, tmp_path / "again.db")
    assert [each.partition(":")[0] for each in found] == ["sale", "member_counter"]
    shop.close()


def test_what_head_office_said_of_a_member_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    shop = _staffed(tmp_path)
    lot = PulledLot(lot_id="there", amount_centi=Points(9_000), remaining_centi=Points(9_000))
    word = PulledMember(member_id="member-7", version=3, cards=(PulledCard(number=OTHER_CARD),), lots=(lot,))
    with write(shop.db):
        members.put_pulled(shop.db, [word], 0)
    asked = shop.ask(card=OTHER_CARD, redeem="max")
    shop.till.authorise(replace(asked, sale_id="s1", complete=True), "s1")
    shop.sell("s2")
    assert refold.differences(shop.db, tmp_path / "again.db") == []
    with write(shop.db):
        shop.db.execute("UPDATE balance SET amount = amount + 1 WHERE account = 'member:member-7'")
    assert [each.partition(":")[0] for each in refold.differences(shop.db, tmp_path / "again2.db")] == ["balance"]
    shop.close()
