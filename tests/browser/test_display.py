"""The buyer's screen as a buyer sees it: in both languages, at the sizes of real monitors, through a restart of the till."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from pos_loyalty.engine.model import Tender
from pos_loyalty.till.buyer import Buyer, BuyerLine, BuyerView, Seen
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, QuoteRequest, SaleRequest
from pos_loyalty.values import Minor, Points, quantity
from tests.browser.pages import COFFEE, CROISSANT, due, needs_browser, priced, typed, watched
from tests.browser.serving import Web, serving
from tests.shop import CARD, Shop, make_basket

pytestmark = needs_browser
SHOTS = os.environ.get("DISPLAY_SHOTS", "")
"""A folder to keep pictures of every view in, to be looked at."""
SIZES = ((1024, 600), (1920, 1080))


@contextmanager
def screen(
    browser: Browser, web: Web, language: str = "ru", size: tuple[int, int] = (1024, 600), scheme: str = "light"
) -> Iterator[Page]:
    """The buyer's screen in a window of its own."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{web.url}/display?language={language}")
    page.wait_for_selector("body[data-ready]")
    with watched(page):
        yield page
    context.close()


def seen(page: Page, phase: str) -> Page:
    """Wait until this is what stands there."""
    expect(page.locator("body")).to_have_attribute("data-phase", phase)
    expect(page.locator("main > section:visible")).to_have_count(1)
    return page


def test_a_sale_from_the_first_product_to_the_thanks(browser: Browser, web: Web, page: Page) -> None:
    with screen(browser, web) as buyer:
        seen(buyer, "greeting")
        expect(buyer.locator("#greeting p")).to_have_text("Добро пожаловать!")
        typed(page, CARD)
        seen(buyer, "member")
        expect(buyer.locator("#member .huge")).to_have_text("500\u00a0баллов")
        priced(page, COFFEE, CROISSANT)
        seen(buyer, "goods")
        expect(buyer.locator("#basket li")).to_have_count(2)
        expect(buyer.locator("#basket .added")).to_contain_text("Круассан с миндалём")
        expect(buyer.locator(".due dd")).to_have_text("311,50\u00a0₽")
        expect(buyer.locator("#goods .sums .saved dd")).to_have_text("−18,00\u00a0₽")
        expect(buyer.locator("#goods .points")).to_contain_text("500\u00a0баллов")
        page.keyboard.press("F9")
        seen(buyer, "thanks")
        expect(buyer.locator("#thanks .sums")).to_contain_text("311,50\u00a0₽")
        expect(buyer.locator("#thanks .points .saved")).to_contain_text("Начислено")
        expect(buyer.locator("#receipt-qr svg path")).to_be_attached()


def test_what_the_cashier_gives_up_is_gone(browser: Browser, web: Web, page: Page) -> None:
    with screen(browser, web) as buyer:
        priced(page, COFFEE)
        seen(buyer, "goods")
        page.keyboard.press("F4")
        seen(buyer, "greeting")
        priced(page, COFFEE)
        seen(buyer, "goods")
        page.keyboard.press("F10")
        page.keyboard.press("F10")
        seen(buyer, "greeting")


def test_english(browser: Browser, web: Web, shop: Shop) -> None:
    with screen(browser, web, "en") as buyer:
        expect(buyer.locator("#greeting p")).to_have_text("Welcome!")
        shop.till.quote(QuoteRequest(basket=make_basket(), card=CARD))
        seen(buyer, "goods")
        expect(buyer.locator("#basket li")).to_contain_text("×\u00a02")
        expect(buyer.locator("#goods")).to_contain_text("You will earn")
        assert not re.search("[а-яё]", buyer.locator("aside").inner_text(), re.IGNORECASE)


def test_it_lives_through_a_restart_of_the_till(browser: Browser, shop: Shop) -> None:
    with ExitStack() as first:
        web = first.enter_context(serving(shop.till))
        with screen(browser, web) as buyer:
            shop.till.quote(QuoteRequest(basket=make_basket()))
            seen(buyer, "goods")
            first.close()
            with serving(shop.reopen(), port=web.port):
                seen(buyer, "greeting")
                shop.till.quote(QuoteRequest(basket=make_basket()))
                seen(buyer, "goods")


def test_what_a_till_that_is_gone_said_does_not_stand(browser: Browser, shop: Shop) -> None:
    with ExitStack() as first:
        web = first.enter_context(serving(shop.till))
        with screen(browser, web) as buyer:
            shop.till.quote(QuoteRequest(basket=make_basket()))
            seen(buyer, "goods")
            first.close()
            seen(buyer, "greeting")


def test_nothing_can_be_pressed_or_typed(browser: Browser, web: Web, shop: Shop) -> None:
    with screen(browser, web) as buyer:
        assert buyer.locator("input, button, a, select, textarea, form, [tabindex], [contenteditable]").count() == 0
        asked: list[str] = []
        buyer.on("request", lambda request: asked.append(request.method))
        buyer.keyboard.type(CARD + "\n")
        buyer.mouse.click(300, 300)
        shop.till.identify(IdentifyRequest(card=CARD))
        seen(buyer, "member")
        assert set(asked) <= {"GET"}


def test_nothing_of_a_person_reaches_it(browser: Browser, web: Web, shop: Shop) -> None:
    card = "2200000000033"
    shop.till.enrol(EnrolRequest(card=card, name="Смирнова Ольга Петровна", phone="+79161234567", consents=("data",)), "e1")
    with screen(browser, web) as buyer:
        shop.till.quote(QuoteRequest(basket=make_basket(), card=card))
        seen(buyer, "goods")
        text = buyer.content()
        for secret in (card, card[-4:], "Смирнова", "Ольга", "4567"):
            assert secret not in text


IS_WHOLE = """() => {
  const frame = document.getElementById("basket").getBoundingClientRect();
  const parts = document.querySelectorAll("#basket li, #basket .sum, #basket .quantity, #basket #more:not([hidden])");
  return [...parts].every((part) => {
    const box = part.getBoundingClientRect();
    const isInside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    return isInside && part.scrollWidth <= part.clientWidth + 1;
  });
}"""


class Stage(Buyer):
    """Shows any view, as if a till had come to it."""

    def __init__(self) -> None:
        super().__init__("T1")
        self.view = BuyerView(phase="greeting")

    def put(self, view: BuyerView) -> None:
        """This is to be seen."""
        self.view = view
        self.clear()

    def seen(self) -> Seen:
        """It is seen for good."""
        return Seen(self.view, None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_everything_fits_the_monitor(browser: Browser, shop: Shop, size: tuple[int, int], scheme: str) -> None:
    stage = Stage()
    shop.till._desk.buyer = stage
    with serving(shop.till) as web, screen(browser, web, "ru", size, scheme) as buyer:
        for number, view in enumerate(VIEWS):
            stage.put(view)
            seen(buyer, view.phase)
            if 0 < len(view.lines) < 7:
                expect(buyer.locator("#basket li")).to_have_count(len(view.lines))
            if SHOTS:
                buyer.wait_for_timeout(500)
                buyer.screenshot(path=f"{SHOTS}/{number}-{view.phase}-{size[0]}-{scheme}.png")
            room = buyer.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            assert room[0] <= size[0] and room[1] <= size[1], view.phase
            for place in buyer.locator("main > section:visible dd, main > section:visible .figure").all():
                box = place.bounding_box()
                assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= size[0]), view.phase
                assert box is None or (box["y"] >= 0 and box["y"] + box["height"] <= size[1]), view.phase
            if view.phase == "goods":
                assert buyer.evaluate(IS_WHOLE)


def test_the_receipts_code_can_be_read_off_the_screen(browser: Browser, web: Web, shop: Shop) -> None:
    import zxingcpp
    from PIL import Image

    for scheme in ("light", "dark"):
        with screen(browser, web, scheme=scheme) as buyer:
            ask = shop.ask()
            request = SaleRequest(
                sale_id=f"sale-{scheme}", quote_id=ask.quote_id, due_minor=ask.due_minor, complete=True,
                tenders=(Tender(kind="cash", amount_minor=Minor(50_000)),),
            )  # fmt: skip
            shop.till.authorise(request, f"key {scheme}")
            seen(buyer, "thanks")
            expect(buyer.locator("#thanks .change")).to_contain_text("Сдача")
            buyer.wait_for_timeout(400)
            picture = Image.open(io.BytesIO(buyer.screenshot()))
            found = [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]
            assert found == [f"PL1|T1|sale-{scheme}"]


def _lines(count: int) -> tuple[BuyerLine, ...]:
    names = ("Капучино 0,4 л на овсяном молоке с сиропом «Солёная карамель»", "Круассан", "Яблоки")
    return tuple(
        BuyerLine(
            name=names[number % 3],
            quantity_milli=quantity("0.345" if number % 3 == 2 else str(number % 4 + 1)),
            measure="weight" if number % 3 == 2 else "piece",
            gross_minor=Minor(1_234_500 + number),
            sum_minor=Minor(1_034_500 + number),
        )
        for number in range(count)
    )


MUCH = {"gross_minor": 123_456_789, "saved_minor": 1_234_567, "points_minor": 987_654, "due_minor": 121_234_568}
RICH = {"balance_centi": Points(123_456_789), "earned_centi": Points(1_234_567)}
VIEWS = (
    BuyerView(phase="greeting"),
    BuyerView(phase="member", is_new_member=True, balance_centi=Points(123_456_789)),
    BuyerView(phase="goods", lines=_lines(60), hidden=240, added=59, **MUCH, **RICH),  # type: ignore[arg-type]
    BuyerView(phase="goods", lines=_lines(6), added=5, **MUCH),  # type: ignore[arg-type]
    BuyerView(phase="goods", lines=_lines(1), added=0, due_minor=Minor(100)),
    BuyerView(phase="paying", **MUCH, **RICH),  # type: ignore[arg-type]
    BuyerView(
        phase="thanks",
        **MUCH,
        **RICH,
        change_minor=Minor(12_345_678),
        receipt_no="T1-1-000001",  # type: ignore[arg-type]
        receipt_code="PL1|T1|sale-1",
        referral_code="ABCD2345",
    ),
    BuyerView(phase="returned", refund_minor=Minor(123_456_789)),
)


def test_a_price_that_waits_does_not_hide_the_next(browser: Browser, web: Web, page: Page) -> None:
    with screen(browser, web) as buyer:
        for code in (COFFEE, CROISSANT, COFFEE):
            typed(page, code)
        due(page, "473,50 ₽")
        expect(buyer.locator(".due dd")).to_have_text("473,50\u00a0₽")
