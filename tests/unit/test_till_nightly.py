"""The nightly jobs: points that end, reservations that nobody finished; whatever nights are missed, cut or run twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos_loyalty.errors import StoreError
from pos_loyalty.store import outbox
from pos_loyalty.store.db import write
from pos_loyalty.store.verify import verify
from pos_loyalty.till import expiry, nightly
from pos_loyalty.till.model import CancelRequest, CompleteRequest, IdentifyRequest, VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from tests.shop import CARD, CONFIG, MEMBER, NOW, OPENING_CENTI, PROGRAMME, Shop

DAY = timedelta(days=1)
WITH_GRACE = PROGRAMME.replace("version = 1", "version = 2").replace("days = 180", "days = 180\ngrace_days = 14")


def balances(shop: Shop) -> dict[str, int]:
    return dict(shop.db.execute("SELECT account, amount FROM balance").fetchall())


def kinds(shop: Shop) -> list[str]:
    return [kind for (kind,) in shop.db.execute("SELECT kind FROM txn ORDER BY seq")]


def counts(shop: Shop) -> dict[str, int]:
    return {job.job: job.count for job in shop.till.nightly().jobs}


def test_a_night_books_what_has_ended_once(shop: Shop) -> None:
    shop.sell()
    assert counts(shop) == {"reservations": 0, "merges": 0, "expire": 0, "tiers": 0, "gift_cards": 0, "phones": 0}
    shop.now += 366 * DAY
    assert counts(shop)["expire"] == 1
    assert balances(shop)["programme:test:expired"] == OPENING_CENTI + 1_350
    assert f"member:{MEMBER}" not in balances(shop)
    before = kinds(shop)
    assert counts(shop)["expire"] == 0
    assert kinds(shop) == before and before.count("points.expired") == 1
    assert verify(shop.db) == ()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nights=st.lists(st.integers(0, 420), max_size=4))
def test_any_nights_leave_what_one_night_leaves(make_shop: Callable[..., Shop], nights: list[int]) -> None:
    many, one = make_shop(), make_shop()
    for shop in (many, one):
        shop.add_member("member-2", "2200000000026", 7_000)
        shop.sell(redeem="max")
    for day in sorted(nights):
        many.now = NOW + day * DAY
        many.till.nightly()
    for shop in (many, one):
        shop.now = NOW + 420 * DAY
        shop.till.nightly()
    assert balances(many) == balances(one)
    assert many.db.execute("SELECT id, remaining FROM lot ORDER BY id").fetchall() == (
        one.db.execute("SELECT id, remaining FROM lot ORDER BY id").fetchall()
    )


def test_a_night_that_is_cut_goes_on_where_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        shop.add_member(f"more-{n}", f"22000000001{n:02}", 100)
    shop.now += 366 * DAY
    monkeypatch.setattr(expiry, "MEMBERS_MAX", 2)
    calls = 0

    def book_or_fail(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise StoreError("the disk fails")
        return booked(*arguments)  # type: ignore[arg-type]

    booked = expiry.book
    monkeypatch.setattr(expiry, "book", book_or_fail)
    report = {job.job: job for job in shop.till.nightly().jobs}
    assert report["expire"].trouble == "the disk fails"
    assert kinds(shop).count("points.expired") == 2, "the second batch is undone as a whole"
    assert counts(shop)["expire"] == 4
    assert balances(shop)["programme:test:expired"] == OPENING_CENTI + 500
    assert verify(shop.db) == ()


def test_a_failing_job_does_not_keep_the_next_from_running(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> object:
        raise StoreError("no")

    monkeypatch.setattr(nightly, "JOBS", {"broken": fail, **nightly.JOBS})
    shop.now += 366 * DAY
    jobs = shop.till.nightly().jobs
    assert [(job.job, job.count, job.trouble) for job in jobs] == [
        ("broken", 0, "no"),
        ("reservations", 0, None),
        ("merges", 0, None),
        ("expire", 1, None),
        ("tiers", 0, None),
        ("gift_cards", 0, None),
        ("phones", 0, None),
    ]


def test_head_office_expires_for_its_tills(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(CONFIG + '[head_office]\nurl = "http://127.0.0.1:9"\n')
    shop.now += 366 * DAY
    assert counts(shop)["expire"] == 0


def test_an_old_reservation_is_let_go_and_a_late_payment_is_a_case(shop: Shop) -> None:
    first = shop.sell(redeem=10_000, complete=False)
    assert shop.usable_centi() == OPENING_CENTI - 10_000
    shop.now += timedelta(hours=71)
    assert counts(shop)["reservations"] == 0
    shop.now += timedelta(hours=2)
    assert counts(shop)["reservations"] == 1
    assert shop.till.sale(first.sale_id).state == "cancelled"
    assert shop.usable_centi() == OPENING_CENTI
    (end,) = shop.db.execute("SELECT CAST(payload AS TEXT) ->> '$.end.reason' FROM txn WHERE kind = 'sale.cancelled'").fetchone()
    assert end == "life"
    assert counts(shop)["reservations"] == 0
    late = shop.till.complete(first.sale_id, CompleteRequest(), "late")
    assert late.state == "completed"
    assert shop.db.execute("SELECT COUNT(*) FROM suspense_case").fetchone() == (1,)
    assert balances(shop)["suspense"] == -10_000
    assert f"held:T1/{first.sale_id}" not in balances(shop)
    assert verify(shop.db) == ()


def test_a_completed_sale_is_never_let_go(shop: Shop) -> None:
    shop.sell(redeem="max")
    shop.now += 30 * DAY
    assert counts(shop)["reservations"] == 0


def test_points_of_a_void_stay_usable_for_the_grace(shop: Shop) -> None:
    shop.publish(WITH_GRACE)
    shop.sell(redeem=10_000)
    shop.now += 366 * DAY
    shop.till.nightly()
    shop.till.void("sale-1", VoidRequest(approval=shop.senior()), "void")
    seen = shop.till.identify(IdentifyRequest(card=CARD))
    assert (seen.balance_centi, seen.usable_centi, seen.owed_centi) == (10_000, 10_000, 0)
    assert [(lot.phase, lot.centi, lot.expires_at) for lot in seen.lots] == [("expiring", 10_000, shop.now + 14 * DAY)]
    assert shop.sell("sale-2", redeem="max").quote.redemption.centi == 10_000
    assert verify(shop.db) == ()
    shop.now += 15 * DAY
    assert shop.till.identify(IdentifyRequest(card=CARD)).usable_centi == 0


def test_a_released_reservation_has_the_grace_too(shop: Shop) -> None:
    shop.publish(WITH_GRACE)
    shop.now = NOW + 364 * DAY
    shop.sell(redeem=10_000, complete=False)
    shop.now += 4 * DAY
    shop.till.nightly()
    assert shop.till.identify(IdentifyRequest(card=CARD)).usable_centi == 10_000
    shop.till.complete("sale-1", CompleteRequest(), "late")
    assert verify(shop.db) == ()


def test_points_have_a_grace_once(shop: Shop) -> None:
    shop.publish(WITH_GRACE)
    shop.now = NOW + 364 * DAY
    shop.sell("first", redeem=10_000, complete=False)
    shop.now += 2 * DAY
    shop.till.cancel("first", CancelRequest(), "first")
    end = shop.now + 14 * DAY
    for n in range(3):
        shop.now += 4 * DAY
        shop.sell(f"again-{n}", redeem=9_000, complete=False)
        shop.till.cancel(f"again-{n}", CancelRequest(), f"again-{n}")
        seen = shop.till.identify(IdentifyRequest(card=CARD))
        assert [(lot.centi, lot.expires_at) for lot in seen.lots if lot.phase != "expired"] == [(10_000, end)]
    shop.now = end
    assert shop.till.identify(IdentifyRequest(card=CARD)).usable_centi == 0


def test_the_answer_to_a_return_counts_graced_points_once(shop: Shop) -> None:
    shop.publish(WITH_GRACE)
    shop.sell(redeem=10_000)
    shop.now += 366 * DAY
    answer = shop.till.return_goods("sale-1", ReturnRequest(return_id="r", all=True, cashier="C7"), "r")
    assert answer.restored_centi == 10_000


def test_a_member_s_points_are_told_by_date(shop: Shop) -> None:
    shop.sell()
    shop.now += 340 * DAY
    seen = shop.till.identify(IdentifyRequest(card=CARD))
    assert [(lot.phase, lot.centi) for lot in seen.lots] == [("expired", 1_350), ("expiring", OPENING_CENTI)]
    assert (seen.expired_centi, seen.expiring_centi, seen.pending_centi) == (1_350, OPENING_CENTI, 0)
    ends = [lot.expires_at for lot in seen.lots if lot.expires_at is not None]
    assert all(first <= second for first, second in pairwise(ends))


def test_a_heard_head_office_is_not_needed_for_a_lone_till(shop: Shop) -> None:
    with write(shop.db):
        outbox.heard(shop.db, shop.now)
    shop.now += 366 * DAY
    assert counts(shop)["expire"] == 1
