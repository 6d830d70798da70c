"""A till on a machine whose clock is set back and ahead: what has run out stays so, and nothing runs out by mistake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty import wiring
from pos_loyalty.clock import Reading
from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import QuoteStaleError
from pos_loyalty.store import trusted_time
from pos_loyalty.store.db import write
from pos_loyalty.till import Till
from pos_loyalty.till.model import IdentifyRequest, QuoteRequest
from tests.shop import CARD, NOW, OPENING_CENTI, PROGRAMME, Shop, make_basket

MINUTE, HOUR, DAY, YEAR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=365)
COUPONS = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[[coupon]]
id = "next"
prefix = "NEXT"
digits = 20
title = { ru = "−50 %", en = "50% off" }
[[rule]]
id = "issue"
when = [{ is = "basket_amount", min = "250.00" }]
then = [{ do = "issue_coupon", series = "next", count = 2, days = 10 }]
[[rule]]
id = "by-coupon"
stage = "order"
when = [{ is = "coupon", series = "next" }]
then = [{ do = "percent", percent = "50%" }]
"""
)


class ClockedShop(Shop):
    """A shop whose machine has an uptime of its own: ``now`` is only what the wall clock says."""

    ran = HOUR
    run = 1

    def open(self) -> Till:
        self.till = wiring.open_till(self.config, clock=lambda: self.now, ids=self.new_id, clocks=self.read)
        return self.till

    def read(self) -> Reading:
        return Reading(self.now, f"run {self.run}", int(self.ran / MINUTE) * 60 * 10**9)

    def passes(self, time: timedelta) -> None:
        """Time goes by while the machine runs."""
        self.now += time
        self.ran += time

    def off_for(self, time: timedelta) -> None:
        """The machine was off, and starts again."""
        self.close()
        self.now += time
        self.run += 1
        self.ran = MINUTE
        self.open()

    def quoted(self, *, coupons: tuple[str, ...] = ()) -> Quote:
        """A basket of the present, by the wall clock."""
        basket = replace(make_basket(redeem="max", coupons=coupons), opened_at=self.now)
        return self.till.quote(QuoteRequest(basket=basket, card=CARD))


@pytest.fixture
def clocked(tmp_path: Path) -> Iterator[ClockedShop]:
    shop = ClockedShop(tmp_path)
    yield shop
    shop.close()


def test_an_expired_lot_stays_expired_when_the_clock_is_turned_back(clocked: ClockedShop) -> None:
    for _ in range(40):
        clocked.off_for(10 * DAY)
    clocked.sell()
    clocked.now -= 300 * DAY
    seen = clocked.till.identify(IdentifyRequest(card=CARD))
    assert seen.usable_centi <= 1_350 and seen.redeemable_centi == 0
    assert clocked.quoted().redemption.centi == 0
    assert "clock is" in " ".join(clocked.till.health().problems)


def test_a_lapsed_coupon_stays_lapsed(clocked: ClockedShop) -> None:
    clocked.publish(COUPONS)
    code = clocked.sell().coupons[0].code
    assert clocked.quoted(coupons=(code,)).total_minor < 20_000
    clocked.passes(11 * DAY)
    clocked.sell("sale-2")
    clocked.now -= 5 * DAY
    assert clocked.quoted(coupons=(code,)).total_minor == 27_000


def test_a_quote_does_not_live_longer_when_the_clock_is_turned_back(clocked: ClockedShop) -> None:
    request = clocked.ask()
    clocked.passes(11 * MINUTE)
    clocked.now -= 11 * MINUTE
    with pytest.raises(QuoteStaleError, match="run out"):
        clocked.till.authorise(request, "key")


def test_ten_years_ahead_and_back_leave_everything_as_it_was(clocked: ClockedShop) -> None:
    clocked.now += 10 * YEAR
    clocked.till.nightly()
    seen = clocked.till.identify(IdentifyRequest(card=CARD))
    assert (seen.balance_centi, seen.redeemable_centi) == (OPENING_CENTI, 0)
    quote = clocked.quoted()
    assert quote.redemption.centi == 0
    assert ("redeem", "clock") in [(each.rule, each.condition) for each in quote.refusals]
    told = clocked.till.told(quote.quote_id or "", "en", {})
    assert any("clock is wrong by more than a day" in said.text for said in told.sentences)
    clocked.passes(5 * HOUR)
    clocked.till.nightly()
    assert clocked.db.execute("SELECT COUNT(*) FROM txn WHERE kind = 'points.expired'").fetchone() == (0,)
    clocked.now -= 10 * YEAR
    assert clocked.quoted().redemption.centi > 0
    assert clocked.till.health().problems == ()


def test_a_person_may_say_that_the_clock_is_right(clocked: ClockedShop) -> None:
    clocked.off_for(60 * DAY)
    assert clocked.quoted().redemption.centi == 0
    with write(clocked.db):
        trusted_time.confirm(clocked.db, clocked.read())
    assert clocked.quoted().redemption.centi > 0
    clocked.off_for(13 * DAY)
    assert clocked.quoted().redemption.centi > 0


def test_a_lone_till_books_what_expired_once_its_clock_has_proven_itself(clocked: ClockedShop) -> None:
    for _ in range(40):
        clocked.off_for(10 * DAY)
    waiting = {job.job: job.waits for job in clocked.till.nightly().jobs}
    assert waiting["expire"] is not None
    clocked.passes(3 * HOUR)
    assert {job.job: job.count for job in clocked.till.nightly().jobs}["expire"] == 1


def test_a_till_beside_another_clock_says_so_once(clocked: ClockedShop, capfd: pytest.CaptureFixture[str]) -> None:
    clocked.now += 6 * MINUTE
    for _ in range(3):
        clocked.till.health()
    assert clocked.till.health().problems != ()
    clocked.sell()
    assert clocked.till.health().problems == (), "a small step is followed"
    assert clocked.now > NOW
