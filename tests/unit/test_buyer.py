"""What turns to the buyer, asked of a real till: what changed last, what is to pay, the thanks; nothing that names a person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.fakes import FailingDisplay, WorkingDisplay
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.till.buyer import Buyer, BuyerView, Known
from pos_loyalty.till.buyer_display import CRASHED, BuyerDisplay
from pos_loyalty.till.buyer_lines import Look, lines_of
from pos_loyalty.till.buyer_names import first_name
from pos_loyalty.till.devices import TillDevices
from pos_loyalty.till.model import (
    CancelRequest,
    CompleteRequest,
    EnrolRequest,
    IdentifyRequest,
    QuoteRequest,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.values import Minor, Points, encode, quantity
from tests.shop import CARD, CONFIG, MEMBER, NOW, Shop

RU = Look("ru", "cp866", 20, "")
EN = Look("en", "cp866", 20, "")
NS = 1_000_000_000
LATTE, BUN = ("Латте", 20_000, "drinks/coffee"), ("Булочка с корицей и изюмом", 9_000, "bakery")
PATIENCE_S = 60


def basket(*goods: tuple[str, int, str], counts: tuple[str, ...] = (), redeem: str | None = None, name: str = "K1") -> Basket:
    lines = tuple(
        Line(
            line_id=str(place),
            sku=str(place),
            name=title,
            price_minor=Minor(price),
            category=category,
            quantity_milli=quantity(counts[place] if place < len(counts) else "1"),
        )
        for place, (title, price, category) in enumerate(goods)
    )
    return Basket(basket_id=name, store="S1", till="T1", opened_at=NOW, currency="RUB", lines=lines, redeem=redeem)  # type: ignore[arg-type]


def seen(shop: Shop) -> BuyerView:
    return shop.till.buyer.seen().view


def two(shop: Shop, look: Look = RU) -> tuple[str, str]:
    lines = lines_of(seen(shop), look)
    assert all(len(line) <= look.columns for line in lines)
    return lines


def test_the_last_line_and_what_is_to_pay(shop: Shop) -> None:
    assert two(shop) == (" Добро пожаловать!", "")
    shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    assert two(shop) == ("Латте         180,00", "К оплате      180,00")
    shop.till.quote(QuoteRequest(basket=basket(LATTE, BUN)))
    assert two(shop) == ("Булочка с кори 90,00", "К оплате      270,00")
    shop.till.quote(QuoteRequest(basket=basket(LATTE, BUN, counts=("3",))))
    assert two(shop) == ("3x Латте      540,00", "К оплате      630,00")
    shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    assert two(shop) == ("Скидка        -20,00", "К оплате      180,00")
    assert two(shop, EN) == ("You save      -20.00", "To pay        180.00")


def test_a_member_is_greeted_by_points_alone(shop: Shop) -> None:
    shop.till.identify(IdentifyRequest(card=CARD))
    assert two(shop) == ("Здравствуйте!", "Ваши баллы       500")
    shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    shop.till.quote(QuoteRequest(basket=basket(LATTE), card=CARD))
    assert two(shop) == ("Ваши баллы       500", "К оплате      180,00")
    shop.till.quote(QuoteRequest(basket=basket(LATTE, redeem="max"), card=CARD))
    assert two(shop) == ("Баллами       -90,00", "К оплате       90,00")


def test_a_look_at_a_card_does_not_break_a_sale_off(shop: Shop) -> None:
    shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    shop.till.identify(IdentifyRequest(card=CARD))
    assert seen(shop).phase == "goods" and seen(shop).balance_centi is None


def test_a_sale_is_paid_and_thanked_for(shop: Shop) -> None:
    quote = shop.till.quote(QuoteRequest(basket=basket(LATTE, redeem="max"), card=CARD))
    assert quote.quote_id is not None
    tenders = (Tender(kind="cash", amount_minor=Minor(10_000)),)
    request = SaleRequest(sale_id="s1", quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders)
    shop.till.authorise(request, "k1")
    assert two(shop) == ("Скидка        -20,00", "К оплате       90,00")
    assert seen(shop).receipt_code == ""
    shop.till.complete("s1", CompleteRequest(), "k2")
    assert two(shop) == ("Сдача          10,00", "Начислено       +4,5")
    view = seen(shop)
    assert (view.points_minor, view.saved_minor, view.change_minor) == (9_000, 2_000, 1_000)
    assert view.receipt_code == "PL1|T1|s1" and view.receipt_no
    shop.till.void("s1", VoidRequest(), "k3")
    assert two(shop) == ("Возврат", "               90,00")


def test_a_cancelled_sale_is_the_basket_again(shop: Shop) -> None:
    quote = shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    assert quote.quote_id is not None
    shop.till.authorise(SaleRequest(sale_id="s1", quote_id=quote.quote_id, due_minor=quote.due_minor), "k1")
    shop.till.cancel("s1", CancelRequest(), "k2")
    assert two(shop) == ("Скидка        -20,00", "К оплате      180,00")


def test_who_buys_without_a_card_is_thanked(shop: Shop) -> None:
    quote = shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    assert quote.quote_id is not None
    request = SaleRequest(sale_id="s1", quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True)
    shop.till.authorise(request, "k1")
    assert two(shop) == ("Спасибо за покупку!", "Оплачено      180,00")
    assert two(shop, EN) == ("Thank you!", "Paid          180.00")


def test_nothing_stands_for_ever() -> None:
    now = [0]
    buyer = Buyer("T1", thanks_s=15, now_ns=lambda: now[0])
    assert buyer.seen().left_s is None
    buyer.tell(Known(Points(100)))
    now[0] = 59 * NS
    assert buyer.seen().view.phase == "member" and buyer.seen().left_s == 1
    now[0] = 60 * NS
    assert buyer.seen() == (BuyerView(phase="greeting"), None)


def test_a_view_has_no_place_for_a_person(shop: Shop) -> None:
    """Whatever is held of a member, what turns to the buyer does not have it."""
    enrolled = shop.till.enrol(
        EnrolRequest(card="2200000000033", name="Смирнова Ольга Петровна", phone="+79161234567", consents=("data",)), "e1"
    )
    shop.till.quote(QuoteRequest(basket=basket(LATTE), card="2200000000033"))
    shown = encode(seen(shop)).decode()
    for secret in (enrolled.member_id, "2200000000033", "0033", "Смирнова", "Ольга", "9161234567", MEMBER):
        assert secret not in shown


@pytest.fixture
def friendly(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path, CONFIG + '[display]\nkind = "screen"\nfirst_name = true\n[receipt]\nreferral = "Другу"\n')
    yield shop
    shop.close()


def test_a_first_name_needs_the_shop_and_the_member(friendly: Shop) -> None:
    for place, consents in enumerate(((), ("data",))):
        card = ("2200000000033", "2200000000040")[place]
        friendly.till.enrol(EnrolRequest(card=card, name="Смирнова Ольга Петровна", consents=consents), f"e{place}")  # type: ignore[arg-type]
        friendly.till.quote(QuoteRequest(basket=basket(LATTE, name=card)))
        friendly.till.quote(QuoteRequest(basket=basket(LATTE, name=card), card=card))
        assert seen(friendly).first_name == ("", "Ольга")[place]
    assert two(friendly) == ("Ольга              0", "К оплате      180,00")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Анна", "Анна"),
        ("Смирнова Ольга Петровна", "Ольга"),
        ("Ольга Петровна Смирнова", "Ольга"),
        ("Иван Ильич", "Иван"),
        ("Анна Смирнова", ""),
        ("Смирнова Анна", ""),
        ("John Smith", ""),
        ("Мария-Луиза Карловна", "Мария-Луиза"),
        ("+7 916 123-45-67", ""),
        ("anna@example.org", ""),
        ("Петрович", "Петрович"),
        ("", ""),
        ("а б в г д е", ""),
    ],
)
def test_a_surname_is_never_taken_for_a_first_name(name: str, first: str) -> None:
    assert first_name(name) == first


@pytest.mark.parametrize("page", ["cp866", "cp1251", "cp437", "cp858"])
def test_any_goods_fit_in_any_page(page: str) -> None:
    names = ("Ёлка — «звезда» №1", "日本茶", "Crème brûlée × 2…", "\x1b@\n\x00", "", "Э" * 300, "₽" * 9)
    for name in names:
        for columns in (16, 20):
            view = _view_of(name)
            for line in lines_of(view, Look("ru", page, columns, name)):
                assert len(line) <= columns and "?" not in line and line.isprintable()
                line.encode(page)


def _view_of(name: str) -> BuyerView:
    from pos_loyalty.till.buyer import BuyerLine

    line = BuyerLine(name=name, quantity_milli=quantity("2"), measure="piece", gross_minor=Minor(1), sum_minor=Minor(123_456_789))
    return BuyerView(phase="goods", lines=(line,), added=0, due_minor=Minor(123_456_789))


def test_an_amount_is_never_cut() -> None:
    upper, lower = lines_of(_view_of("Кофе"), Look("ru", "cp866", 16, ""))
    assert upper.endswith(" 1 234 567,89") and lower.endswith(" 1 234 567,89")


def test_a_greeting_is_the_shops_own_on_two_lines() -> None:
    look = replace_look(RU, greeting="Добро пожаловать в кофейню на углу!")
    assert lines_of(BuyerView(phase="greeting"), look) == (" Добро пожаловать в", "  кофейню на углу!")


def replace_look(look: Look, **changes: str) -> Look:
    return look._replace(**changes)


def test_the_display_shows_what_happens_and_the_thanks_go_by_themselves(shop: Shop) -> None:
    display = WorkingDisplay()
    shown = BuyerDisplay(display, shop.till.buyer, RU)
    assert shown.round() > 0
    shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    assert shown.round() > 0
    assert display.shown == [(" Добро пожаловать!", ""), ("Латте         180,00", "К оплате      180,00")]
    assert shown.problem is None


def test_the_display_looks_again_when_the_view_has_lived_its_time() -> None:
    now = [0]
    buyer = Buyer("T1", now_ns=lambda: now[0])
    buyer.tell(Known(Points(100)))
    now[0] = 59 * NS + NS // 2
    display = WorkingDisplay()
    assert BuyerDisplay(display, buyer, RU).round() == 0.5
    assert display.shown == [("Здравствуйте!", "Ваши баллы         1")]


def test_the_thread_is_woken_by_the_till_and_leaves_nothing_behind(shop: Shop) -> None:
    display = WorkingDisplay()
    devices = TillDevices(None, [], ())
    devices.put_display(BuyerDisplay(display, shop.till.buyer, RU))
    devices.start(lambda *_: None)
    pause = threading.Event()
    shop.till.quote(QuoteRequest(basket=basket(LATTE)))
    for _ in range(PATIENCE_S * 100):
        if display.shown and display.shown[-1][0].startswith("Латте"):
            break
        pause.wait(0.01)
    assert display.shown[-1] == ("Латте         180,00", "К оплате      180,00")
    devices.close()
    assert display.shown[-1] == ("", "")
    assert shop.till.buyer._wakes == ()


class Stuck(WorkingDisplay):
    """Hangs in every refresh until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def refresh(self) -> float:
        self.let_go.wait(PATIENCE_S)
        return 0.0


class Broken(WorkingDisplay):
    """A driver with a fault of its own."""

    def refresh(self) -> float:
        raise RuntimeError("a fault of the driver")


@pytest.mark.parametrize("kind", [FailingDisplay, Stuck, Broken])
def test_no_display_changes_a_sale(shop: Shop, kind: type[WorkingDisplay]) -> None:
    display = kind()
    devices = TillDevices(None, [], ())
    devices.put_display(BuyerDisplay(display, shop.till.buyer, RU))
    devices.start(lambda *_: None)
    for number in range(50):
        assert shop.sell(f"sale-{number}").state == "completed"
    assert seen(shop).phase == "thanks"
    if kind is not Stuck:
        pause = threading.Event()
        for _ in range(PATIENCE_S * 100):
            if devices.problems():
                break
            pause.wait(0.01)
        assert devices.problems() == ((CRASHED if kind is Broken else FailingDisplay.problem),)
    else:
        display.let_go.set()  # type: ignore[attr-defined]
    devices.close()


def test_a_price_comes_though_a_name_cannot_be_opened(friendly: Shop) -> None:
    friendly.till.enrol(EnrolRequest(card="2200000000033", name="Ольга", consents=("data",)), "e1")
    friendly.db.execute("UPDATE member_key SET sealed = zeroblob(60)")
    quote = friendly.till.quote(QuoteRequest(basket=basket(LATTE), card="2200000000033"))
    assert quote.due_minor == 18_000 and seen(friendly).first_name == ""


def test_lives_come_from_the_config(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG + '[display]\nkind = "screen"\nthanks_s = 3\n')
    shop.sell()
    left_s = shop.till.buyer.seen().left_s
    assert left_s is not None and 0 < left_s <= 3
    shop.close()


def test_replace_keeps_the_lines_of_a_long_basket_bounded(shop: Shop) -> None:
    long = basket(*[LATTE] * 300)
    shop.till.quote(QuoteRequest(basket=replace(long, redeem=None)))
    view = seen(shop)
    assert len(view.lines) == 60 and view.hidden == 240 and view.added == 59
