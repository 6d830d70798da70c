"""Gift cards at head office: two tills that never overdraw, the same rows as at the till, and forged facts that become cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from pos_loyalty.engine.gift_ledger import load, reserve, unload
from pos_loyalty.engine.model import Basket, Entry
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import follow, ledger
from pos_loyalty.store.db import Connection
from pos_loyalty.store.gift_card_facts import GiftCardFact
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardAnswer
from pos_loyalty.till.model import CancelRequest, VoidRequest
from pos_loyalty.values import Minor
from sync.local import Here
from tests.gifts import GIFT_PROGRAMME, IVANOVA, add_ivanova, basket_of, cash, completed, gift, line, on_card, sell, sold_card
from tests.shop import CONFIG, NOW, Shop
from tests.simulation.shop import KEY, OFFICE_PUBLIC, HeadOffice, push_all, signer_of

DUE = 45_000
OFFICE = '[head_office]\nurl = "http://127.0.0.1:1"\n'
CARDS = "SELECT * FROM gift_card ORDER BY id"
MONEY = "SELECT account, amount FROM balance WHERE account LIKE 'gift%' ORDER BY account"


class TillShop(Shop):
    """A till with gift cards that knows a head office which does not answer. Each till makes ids of its own."""

    def __init__(self, folder: Path, name: str, base: int) -> None:
        folder.mkdir()
        self._base = base
        config = CONFIG.replace('id = "T1"', f'id = "{name}"') + OFFICE
        super().__init__(folder, config, "")
        self.name = name
        self.publish(GIFT_PROGRAMME)
        add_ivanova(self)

    def add_member(self, member_id: str, card: str, centi: int) -> None:
        """None is needed."""

    def new_id(self) -> UUID:
        """Ids in an order of this till."""
        return UUID(int=super().new_id().int + (self._base << 30))


@dataclass
class Sender:
    """What the sync of the simulation asks of a till."""

    name: str
    db: Connection

    @property
    def here(self) -> Here:
        return Here(till=self.name, master_key=KEY, signer=signer_of(self.name), head_office_key=OFFICE_PUBLIC)


def goods(till: str) -> Basket:
    return basket_of(line("1", "4601", 50_000), till=till)


def card_at(shop: TillShop, amount_minor: int = 100_000) -> GiftCardAnswer:
    return sell(shop, basket_of(line("1", "GC", amount_minor), till=shop.name), f"card-{shop.name}").gift_cards[0]


def send(shop: TillShop, office: HeadOffice) -> None:
    state = push_all(Sender(shop.name, shop.db), office)  # type: ignore[arg-type]
    assert state.trouble is None, state.trouble


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


def test_two_tills_cut_off_never_spend_the_same_money(tmp_path: Path, office: HeadOffice) -> None:
    one, two = TillShop(tmp_path / "1", "T1", 1), TillShop(tmp_path / "2", "T2", 2)
    mine, other = card_at(one), card_at(two)
    sell(one, goods("T1"), "a", (gift(DUE, mine.code),))
    for presented in (mine.code, mine.card_id):
        with pytest.raises(NotFoundError, match="not sold at this till"):
            sell(two, goods("T2"), "b", (gift(DUE, presented),))
    sell(two, goods("T2"), "c", (gift(DUE, other.code),), complete=False)
    for shop in (two, one):
        send(shop, office)
    assert office.rows("SELECT reason FROM suspense_case WHERE reason LIKE 'gift%'") == []
    assert office.rows(CARDS) == sorted(one.db.execute(CARDS).fetchall() + two.db.execute(CARDS).fetchall())
    assert dict(office.rows(MONEY)) == {
        f"gift:{mine.card_id}": 100_000 - DUE,
        f"gift:{other.card_id}": 100_000 - DUE,
        "gifts:held:T2/c": DUE,
        "gifts:redeemed": DUE,
        "gifts:sold": -200_000,
    }
    assert verify(office.db) == () == verify(one.db)
    one.close()
    two.close()


def test_every_act_makes_the_same_rows_at_head_office(tmp_path: Path, office: HeadOffice) -> None:
    shop = TillShop(tmp_path / "1", "T1", 1)
    card, spare = card_at(shop), sold_card(shop, 50_000)
    sell(shop, goods("T1"), "a", (gift(DUE, card.code),), complete=False)
    shop.till.cancel("a", CancelRequest(), "a cancel")
    completed(shop, "a")
    sell(shop, basket_of(line("1", "GC", 50_000)), "top", top_ups={"1": card.code})
    sell(shop, goods("T1"), "v", (gift(10_000, card.code), cash(DUE - 10_000)))
    shop.till.void("v", VoidRequest(), "v void")
    shop.till.void("card", VoidRequest(), "card void")
    shop.till.freeze_gift_card(FreezeRequest(card=card.card_id, by=IVANOVA, reason="r"), "f")
    send(shop, office)
    assert office.rows(CARDS) == shop.db.execute(CARDS).fetchall()
    assert office.rows(MONEY) == shop.db.execute(MONEY).fetchall()
    assert office.rows("SELECT state FROM gift_card ORDER BY state") == [("frozen",), ("void",)]
    assert verify(office.db) == () == verify(shop.db) and on_card(shop, spare) == 0
    shop.close()


def forged(shop: TillShop, kind: str, entries: tuple[Entry, ...], body: GiftCardFact | None = None) -> None:
    """A fact that no till of ours writes: the till's own checks are not asked."""
    from pos_loyalty.store.db import write

    shop.db.execute("PRAGMA ignore_check_constraints = ON")
    before = ledger.GIFT
    ledger.GIFT = "nothing:"  # type: ignore[misc]
    try:
        with write(shop.db):
            draft = ledger.Draft(id=shop.new_id(), kind=kind, store="S1", entries=entries, body=body)  # type: ignore[arg-type]
            follow.book(shop.db, draft, NOW)
    finally:
        ledger.GIFT = before  # type: ignore[misc]


def test_an_overdraft_goes_to_suspense_with_a_case(tmp_path: Path, office: HeadOffice) -> None:
    one, two = TillShop(tmp_path / "1", "T1", 1), TillShop(tmp_path / "2", "T2", 2)
    card = card_at(one, 50_000)
    forged(two, "points.adjusted", (unload(card.card_id, "adjust", "gifts:paid_back", 30_000, "RUB"),))
    sell(one, goods("T1"), "a", (gift(DUE, card.code),))
    for shop in (one, two):
        send(shop, office)
    money = dict(office.rows("SELECT account, amount FROM balance WHERE unit = 'RUB'"))
    assert money == {"gifts:sold": -50_000, "gifts:redeemed": DUE, "gifts:paid_back": 30_000, "suspense": -25_000}
    assert office.rows("SELECT till, reason FROM suspense_case") == [("T2", "gift_card.overdrawn")]
    assert verify(office.db) == ()
    one.close()
    two.close()


def test_what_suspense_lent_for_a_sale_goes_back_to_suspense(tmp_path: Path, office: HeadOffice) -> None:
    one, two = TillShop(tmp_path / "1", "T1", 1), TillShop(tmp_path / "2", "T2", 2)
    card = card_at(one, 50_000)
    forged(two, "points.adjusted", (unload(card.card_id, "adjust", "gifts:paid_back", 30_000, "RUB"),))
    send(one, office)
    send(two, office)
    sell(one, goods("T1"), "a", (gift(DUE, card.code),), complete=False)
    send(one, office)
    assert dict(office.rows(MONEY)).get(f"gift:{card.card_id}") is None
    assert office.rows("SELECT amount FROM balance WHERE account = 'suspense'") == [(20_000 - DUE,)]
    one.till.cancel("a", CancelRequest(), "cancel")
    sell(one, goods("T1"), "b", (gift(DUE, card.code),))
    one.till.void("b", VoidRequest(), "void")
    send(one, office)
    assert dict(office.rows("SELECT account, amount FROM balance WHERE unit = 'RUB'")) == {
        "gifts:sold": -50_000,
        "gifts:paid_back": 30_000,
        f"gift:{card.card_id}": 20_000,
    }
    assert verify(office.db) == ()
    one.close()
    two.close()


def test_contradictions_become_cases_and_the_first_row_stands(tmp_path: Path, office: HeadOffice) -> None:
    one, two = TillShop(tmp_path / "1", "T1", 1), TillShop(tmp_path / "2", "T2", 2)
    card = card_at(one)
    fact = next(
        each.gift_card
        for (txn,) in one.db.execute("SELECT id FROM txn WHERE kind = 'gift_card.changed'")
        if (each := ledger.by_id(one.db, UUID(bytes=txn))) is not None
    )
    assert fact is not None
    forged(two, "gift_card.changed", (load(card.card_id, "gifts:sold", 100_000, "RUB"),), fact)
    forged(two, "gift_card.changed", (), GiftCardFact(card_id="nobody", act="frozen", amount_minor=Minor(0), by="I", reason="r"))
    forged(two, "gift_card.changed", (), GiftCardFact(card_id=card.card_id, act="topped_up", amount_minor=Minor(5)))
    forged(two, "points.adjusted", reserve((gift(1, card.card_id),), "T2/x", "RUB"))
    for shop in (one, two):
        send(shop, office)
    reasons = [reason for (reason,) in office.rows("SELECT reason FROM suspense_case ORDER BY id")]
    assert reasons == ["gift_card.twice", "gift_card.unknown", "gift_card.amount"]
    assert office.rows(CARDS) == one.db.execute(CARDS).fetchall()
    assert [sentence for sentence in verify(office.db) if "held:T2/x" not in sentence] == []
    one.close()
    two.close()
