"""Corners where money hides: a quote sold twice, a member blocked in between, a late payment that is voided, dead lots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from pysqlite3 import dbapi2

from pos_loyalty.errors import CommitUnknownError, ConflictError, InputError, NotFoundError
from pos_loyalty.store import db as store_db
from pos_loyalty.store import ledger, members
from pos_loyalty.store.db import write
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, CompleteRequest, IdentifyRequest, PrintRequest, SaleRequest, VoidRequest
from pos_loyalty.values import decode
from tests.shop import CARD, CONFIG, MEMBER, OPENING_CENTI, Shop, make_basket


def test_a_quote_is_sold_once(shop: Shop) -> None:
    request = replace(shop.ask(), complete=True)
    shop.till.authorise(request, "key 1")
    before = shop.rows()
    with pytest.raises(ConflictError, match="became sale sale-1 already"):
        shop.till.authorise(replace(request, sale_id="sale-2"), "key 2")
    assert shop.rows() == before


def test_a_member_blocked_after_the_quote_redeems_nothing(shop: Shop) -> None:
    request = shop.ask(redeem="max")
    with write(shop.db):
        shop.db.execute("UPDATE member SET state = 'blocked'")
    before = shop.rows()
    with pytest.raises(ConflictError, match="not known at this till"):
        shop.till.authorise(request, "key")
    assert shop.rows()["txn"] == before["txn"]


def test_cancelled_paid_late_and_voided_leaves_nothing_open(shop: Shop) -> None:
    shop.sell(redeem=10_000, complete=False)
    shop.till.cancel("sale-1", CancelRequest(), "key cancel")
    shop.till.complete("sale-1", CompleteRequest(), "key complete")
    shop.till.void("sale-1", VoidRequest(), "key void")
    balances = dict(shop.db.execute("SELECT account, amount FROM balance"))
    assert balances == {f"member:{MEMBER}": OPENING_CENTI, "programme:test:issued": -OPENING_CENTI}
    assert verify(shop.db) == ()


def test_expired_points_stand_in_no_balance(shop: Shop) -> None:
    shop.now += timedelta(days=366)
    answer = shop.sell()
    member = shop.till.identify(IdentifyRequest(card=CARD))
    assert shop.usable_centi() == OPENING_CENTI + 1_350  # still in the lots: nobody has booked the end of either
    assert (answer.balance_centi, member.balance_centi) == (0, 0)
    assert "513,5" not in shop.till.receipt_text("sale-1")


@pytest.mark.parametrize("sale_id", ["2026/11/000123", "a\nb", "..", "", "x" * 65, "чек", "a b", "a%2Fb"])
def test_a_sale_id_that_cannot_stand_in_a_link_is_refused_before_anything(shop: Shop, sale_id: str) -> None:
    request = shop.ask()
    before = shop.rows()
    with pytest.raises(InputError, match="sale_id"):
        shop.till.authorise(replace(request, sale_id=sale_id), "key")
    with pytest.raises(InputError, match="sale_id"):
        decode(f'{{"sale_id":{sale_id!r},"quote_id":"q","due_minor":0}}'.replace("'", '"'), SaleRequest)
    assert shop.rows() == before


def test_the_key_of_a_repeated_sale_is_kept_too(shop: Shop) -> None:
    request = replace(shop.ask(), complete=True)
    shop.till.authorise(request, "key 1")
    assert shop.till.authorise(request, "key 2").sale_id == "sale-1"
    with pytest.raises(ConflictError, match="Idempotency-Key was used"):
        shop.till.authorise(replace(shop.ask(), sale_id="sale-2"), "key 2")


def test_a_bar_code_typed_for_a_price_is_refused(shop: Shop) -> None:
    with pytest.raises(InputError, match="bar code typed as a price"):
        shop.ask(make_basket(price_minor=4_601_234_567_893))


def test_what_head_office_overdrew_can_still_be_voided(shop: Shop) -> None:
    seen = ledger.head(shop.db).seq
    shop.sell("sale-a", redeem="max")
    poor = members.PulledLot(lot_id=f"opening-{MEMBER}", amount_centi=OPENING_CENTI, remaining_centi=1_000)  # type: ignore[arg-type]
    with write(shop.db):
        pulled = members.PulledMember(member_id=MEMBER, version=1, cards=(members.PulledCard(number=CARD),), lots=(poor,))
        members.put_pulled(shop.db, [pulled], as_of_seq=seen)
    shop.sell("sale-b", redeem="max")
    assert shop.till.void("sale-a", VoidRequest(), "key void").state == "reversed"
    assert verify(shop.db) == ()


def test_a_void_never_takes_expired_points_twice(shop: Shop) -> None:
    shop.sell()  # 13.50 points for 180 days
    (earned,) = shop.db.execute("SELECT id FROM lot WHERE id NOT LIKE 'opening%'").fetchone()
    shop.now += timedelta(days=200)
    with write(shop.db):  # head office has booked the expiry, and said so
        shop.db.execute("UPDATE lot SET base_remaining = base_remaining - amount, remaining = 0 WHERE id = ?", (earned,))
    shop.till.void("sale-1", VoidRequest(approval=shop.senior()), "key void")
    assert shop.usable_centi() == OPENING_CENTI


@contextmanager
def _commits_that_fail(numbers: set[int]) -> Iterator[None]:
    """A connection whose n-th COMMIT reports an I/O error and leaves the transaction open."""
    count = 0

    class Failing(store_db.Connection):
        def execute(self, sql: str, *values: Any) -> Any:
            nonlocal count
            if sql == "COMMIT":
                count += 1
                if count in numbers:
                    raise dbapi2.OperationalError("disk I/O error")
            return super().execute(sql, *values)

    real = store_db.dbapi2.connect
    store_db.dbapi2.connect = lambda *args, **named: real(*args, **(named | {"factory": Failing}))
    try:
        yield
    finally:
        store_db.dbapi2.connect = real


def test_a_commit_that_fails_twice_leaves_no_connection_to_trust(shop: Shop) -> None:
    with _commits_that_fail({3, 4}):  # the till is opened, the attempt stands, the sale fails, and fails again
        shop.reopen()
        request = replace(shop.ask(redeem=100), complete=True)
        with pytest.raises(CommitUnknownError):
            shop.till.authorise(request, "key")
        with pytest.raises(NotFoundError):
            shop.till.sale("sale-1")
        assert shop.till.authorise(request, "key").state == "completed"
    assert shop.reopen().sale("sale-1").state == "completed"
    assert verify(shop.db) == ()


def test_a_late_payment_is_accepted_after_the_cancelled_slip_was_printed(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(CONFIG + '\n[printer]\nkind = "file"\npath = "printed.bin"\n')
    shop.sell(complete=False)
    shop.till.cancel("sale-1", CancelRequest(), "key cancel")
    shop.till.print_again("sale-1", PrintRequest(), "key print")
    assert shop.till.complete("sale-1", CompleteRequest(), "key complete").state == "completed"
    kinds = shop.db.execute("SELECT kind, copy FROM print_job ORDER BY id").fetchall()
    assert kinds == [("cancelled", 0), ("sale", 0)]
    assert verify(shop.db) == ()


def test_a_quote_is_sold_once_also_when_the_commit_was_unknown(shop: Shop) -> None:
    class Standing(store_db.Connection):
        failed = False

        def execute(self, sql: str, *values: Any) -> Any:
            done = super().execute(sql, *values)
            if sql == "COMMIT" and not Standing.failed and self.execute("SELECT COUNT(*) FROM sale").fetchone()[0]:
                Standing.failed = True
                raise dbapi2.OperationalError("disk I/O error")
            return done

    real = store_db.dbapi2.connect
    store_db.dbapi2.connect = lambda *args, **named: real(*args, **(named | {"factory": Standing}))
    try:
        shop.reopen()
        request = replace(shop.ask(), complete=True)
        assert shop.till.authorise(request, "key 1").state == "completed" and Standing.failed
        with pytest.raises(ConflictError, match="became sale sale-1 already"):
            shop.till.authorise(replace(request, sale_id="sale-2"), "key 2")
    finally:
        store_db.dbapi2.connect = real
    assert shop.db.execute("SELECT COUNT(*) FROM sale").fetchone() == (1,)
