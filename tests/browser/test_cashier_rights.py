"""The page while head office is asked for rights to more of a member's points: it answers slowly, or not at all. Nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

from playwright.sync_api import Browser, Page, expect

from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.store import epochs, follow
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GrantFact, RightLine
from pos_loyalty.till.reserving import Reserver
from pos_loyalty.values import Points
from tests.browser.pages import COFFEE, due, needs_browser, opened, sales, typed, watched
from tests.browser.serving import serving
from tests.shop import CARD, MEMBER, OPENING_CENTI, Shop
from tests.unit.test_till_escrow import ESCROW, gets, gives_up

pytestmark = needs_browser
LOT = f"opening-{MEMBER}"


class Office:
    """Head office as the till's own thread asks it: it answers when the test lets it, with all that is free, or never."""

    def __init__(self, shop: Shop, *, is_dead: bool) -> None:
        self.shop, self.is_dead = shop, is_dead
        self.may_answer, self.asked = threading.Event(), threading.Event()

    def ask(self, whom: str) -> None:
        self.asked.set()
        assert self.may_answer.wait(60)
        if self.is_dead:
            raise HeadOfficeGoneError("head office does not answer")
        now = self.shop.now
        line = RightLine(lot_id=LOT, member_id=MEMBER, centi=Points(OPENING_CENTI - 10_000))
        with closing(open_store(self.shop.folder / "till.db", role="till", owner="T1", now=now)) as db, write(db):
            grant = GrantFact(
                grant_id="a" * 32, till="T1", epoch=epochs.epoch_of(db), lease_until=now + timedelta(days=9), lines=(line,)
            )
            follow.book(db, Draft(id=self.shop.new_id(), kind="rights.taken", store="S1", body=grant), now)


@contextmanager
def page_of(make_shop: Callable[..., Shop], browser: Browser, *, is_dead: bool) -> Iterator[tuple[Page, Shop, Office]]:
    """A member of 500 points, of which this till holds 100."""
    shop = make_shop(ESCROW)
    gives_up(shop, OPENING_CENTI)
    gets(shop, 10_000)
    office = Office(shop, is_dead=is_dead)
    shop.till._desk.reserver = Reserver(office.ask, lambda: None)
    with serving(shop.till, shop.till.rule_titles) as web, watched(opened(browser, web)) as page:
        yield page, shop, office
    office.may_answer.set()


def test_more_points_come_while_the_cashier_goes_on(make_shop: Callable[..., Shop], browser: Browser) -> None:
    with page_of(make_shop, browser, is_dead=False) as (page, _, office):
        typed(page, CARD)
        expect(page.locator("#member .balance")).to_contain_text("500")
        assert office.asked.wait(10) and not office.may_answer.is_set(), "the card is welcome before head office answered"
        typed(page, COFFEE)
        typed(page, COFFEE)
        due(page, "324,00 ₽")
        page.locator("#redeem").click()
        due(page, "224,00 ₽")
        office.may_answer.set()
        due(page, "162,00 ₽")
        expect(page.locator("#notice")).to_contain_text("больше баллов")


def test_a_dead_head_office_is_not_waited_for(make_shop: Callable[..., Shop], browser: Browser) -> None:
    with page_of(make_shop, browser, is_dead=True) as (page, shop, office):
        typed(page, CARD)
        typed(page, COFFEE)
        due(page, "162,00 ₽")
        page.locator("#redeem").click()
        due(page, "81,00 ₽")
        office.may_answer.set()
        page.locator("#pay-cash").click()
        expect(page.get_by_role("heading", name="Оплачено 81,00")).to_be_visible()
        assert [row for row in sales(shop) if row[0] == "completed"] == [("completed", 8_100, 8_100)]


def test_the_next_sale_is_not_touched_by_what_was_asked_for_the_one_before(
    make_shop: Callable[..., Shop], browser: Browser
) -> None:
    with page_of(make_shop, browser, is_dead=False) as (page, _, office):
        looks: list[str] = []
        with page.expect_response(lambda answer: "identify" in answer.url and (looks.append(answer.url) or len(looks) == 2)):
            typed(page, CARD)
            expect(page.locator("#member .balance")).to_contain_text("500")
            page.locator("#clear").click()
            typed(page, COFFEE)
            office.may_answer.set()
        due(page, "162,00 ₽")
        expect(page.locator("#member .balance")).not_to_be_visible()
