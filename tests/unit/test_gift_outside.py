"""Gift cards from outside: HTTP, the command, the slip on paper, the receipt's line, and faults of a programme."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty import wiring
from pos_loyalty.cli.main import main
from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.i18n import NO_BREAK
from pos_loyalty.values import Minor, encode
from receipts.gift_slip import GiftPaper, GiftSlip, compose_gifts
from receipts.text import to_text
from tests.browser.serving import serving
from tests.gifts import GIFT_PROGRAMME, IVANOVA, basket_of, cash, gift, gift_shop, line, sell, sold_card
from tests.shop import NOW, Shop

GOODS = basket_of(line("1", "4601", 50_000))
DUE = 45_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = gift_shop(tmp_path)
    yield made
    made.close()


def test_over_http_from_the_sale_to_the_last_kopeck(shop: Shop) -> None:
    with serving(shop.till, shop.till.rule_titles) as web:
        quote = web.post("/v1/quote", json.loads(encode(basket_of(line("1", "GC", 100_000))))).json
        body: dict[str, object] = {"sale_id": "card", "quote_id": quote["quote_id"], "due_minor": 100_000, "complete": True}
        (card,) = web.post("/v1/sales", body, "1").json["gift_cards"]
        shown = web.post("/v1/gift-cards/lookup", {"card": card["code"]}).json
        assert (shown["balance_minor"], shown["code"], shown["label"]) == (100_000, None, card["label"])
        quote = web.post("/v1/quote", json.loads(encode(GOODS))).json
        tenders = [{"kind": "gift", "amount_minor": DUE, "card": card["code"]}]
        body = {"sale_id": "s", "quote_id": quote["quote_id"], "due_minor": DUE, "tenders": tenders, "complete": True}
        paid = web.post("/v1/sales", body, "2").json
        assert paid["tenders"] == [{"kind": "gift", "amount_minor": DUE, "card": card["card_id"], "fiscal": "advance_tender"}]
        act = {"card": card["code"], "by": {"person": "Ivanova", "pin": "998877"}, "reason": "asked"}
        wrong = act | {"by": {"person": "Ivanova", "pin": "998878"}}
        assert web.post("/v1/gift-cards/freeze", wrong, "2b").status == 403
        assert web.post("/v1/gift-cards/freeze", act, "3").json["state"] == "frozen"
        refused = web.post("/v1/gift-cards/pay-back", act, "4")
        assert (refused.status, card["code"][5:] in refused.body.decode()) == (409, False)
        assert web.post("/v1/gift-cards/unfreeze", act, "5").json["state"] == "active"
        back = web.post("/v1/gift-cards/pay-back", act, "6").json
        assert (back["paid_minor"], back["balance_minor"], back["state"]) == (100_000 - DUE, 0, "spent")


def test_the_command_shows_gives_and_stops(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.till.close()
    config = ("--config", str(shop.config), "--json")

    def word(pin: str = IVANOVA.pin) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(pin + "\n"))

    person = ("--by", "Ivanova", "--reason", "a broken cup")
    word()
    assert main(["gift-card", "issue", "--series", "thanks", "--amount", "300.00", *person, "--key", "1", *config]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["balance_minor"] == 30_000 and card["code"].startswith("PLG1|")
    monkeypatch.setattr("sys.stdin", io.StringIO(card["code"] + "\n"))
    assert main(["gift-card", "show", "--card", "-", *config]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "active"
    word()
    assert main(["gift-card", "freeze", "--card", card["card_id"], *person, *config]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "frozen"
    word()
    assert main(["gift-card", "unfreeze", "--card", card["card_id"], *person, *config]) == 0
    capsys.readouterr()
    word()
    assert main(["gift-card", "pay-back", "--card", card["card_id"], *person, *config]) == 1
    word()
    assert main(["gift-card", "issue", "--series", "thanks", "--amount", "much", *person, *config]) == 2
    assert wiring.verify(shop.folder / "till.db") == ()
    shop.open()


def test_the_receipt_tells_what_is_left(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(20_000, card.code), cash(DUE - 20_000)))
    text = shop.till.receipt_text("s", "en").replace(NO_BREAK, " ")
    assert f"Left on card {card.label}" in text and "800.00" in text and "Gift card" in text
    assert (card.code or "")[5:] not in text


def test_the_slip_has_the_code_and_its_terms() -> None:
    qr = GiftPaper(
        label="0000AB", title={"en": "Thank you"}, amount_minor=Minor(30_000), currency="RUB", code="PLG1|" + "ABCD" * 6 + "EF",
        pin=None, expires_at=NOW + timedelta(days=30), is_bought=False,
    )  # fmt: skip
    pin = GiftPaper(
        label="0000AC", amount_minor=Minor(100_000), currency="RUB", code="12345678901234567890", pin="654321", expires_at=None,
        is_bought=True,
    )  # fmt: skip
    elements = compose_gifts(GiftSlip(header=("Shop",), receipt_no="T1-1-000007", at=NOW, papers=(qr, pin)), "en")
    text = to_text(elements, 48).replace(NO_BREAK, " ")
    for words in ("GIFT CERTIFICATE", "Thank you", "300.00", "ABCD ABCD ABCD ABCD ABCD ABCD EF", "Good until", "0000AB"):
        assert words in text
    assert "PIN 654321" in text and "1234 5678 9012 3456 7890" in text and "GIFT CARD" in text
    assert [element.content for element in elements if hasattr(element, "content")] == [qr.code]


HEAD = 'format = 1\nid = "t"\nversion = 1\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'


@pytest.mark.parametrize(
    ("tables", "place"),
    [
        ('[[gift_card]]\nid = "a"\namounts = ["5"]\n', "gift_card[0].sku"),
        ('[[gift_card]]\nid = "a"\nsku = "x"\n', "gift_card[0]"),
        ('[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["5"]\namount_from = "1"\n', "gift_card[0]"),
        ('[[gift_card]]\nid = "a"\nsku = "x"\namount_from = "9"\namount_to = "1"\n', "gift_card[0].amount_to"),
        ('[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["0"]\n', "gift_card[0].amounts"),
        ('[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["5"]\nexpires_days = 9\n', "gift_card[0].expires_days"),
        ('[[gift_card]]\nid = "a"\nsku = "x"\nkind = "gratis"\namounts = ["5"]\n', "gift_card[0].sku"),
        ('[[gift_card]]\nid = "a"\nkind = "gratis"\namounts = ["5"]\ntop_up = true\n', "gift_card[0].top_up"),
        ('[[plan]]\nid = "p"\nsku = "x"\ndays = 3\n[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["5"]\n', "gift_card[0].sku"),
        (
            '[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["5"]\n[[gift_card]]\nid = "a"\nsku = "y"\namounts = ["5"]\n',
            "gift_card[1].id",
        ),
        (
            '[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["5"]\n[[gift_card]]\nid = "b"\nsku = "x"\namounts = ["5"]\n',
            "gift_card[1].sku",
        ),
    ],
)
def test_faults_of_gift_cards_are_named(tables: str, place: str) -> None:
    with pytest.raises(ProgrammeError) as caught:
        load_programme((HEAD + tables).encode())
    assert caught.value.place == place


def test_bought_cards_expire_where_the_law_allows_it() -> None:
    table = '[[gift_card]]\nid = "a"\nsku = "x"\namounts = ["5"]\nexpires_days = 9\n'
    assert load_programme((HEAD + "[gift_cards]\nbought_expire = true\n" + table).encode()).gift_series["a"].expires_days == 9
    assert load_programme(GIFT_PROGRAMME.encode()).gift_cards.pay_back
