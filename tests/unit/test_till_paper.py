"""Receipts on their way to paper: queued with the sale, never in its way, copies marked, what failed is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import prints
from pos_loyalty.store.db import write
from pos_loyalty.till.model import PrintRequest, QuoteRequest, SaleRequest
from tests.shop import CARD, CONFIG, Shop, make_basket

PRINTER = CONFIG + '\n[printer]\nkind = "file"\npath = "printed.bin"\n'


def test_a_sale_queues_its_receipt_in_its_own_write(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    shop.sell(complete=False)
    assert prints.waiting(shop.db) == 0
    shop.sell("sale-2")
    job = prints.next_queued(shop.db)
    assert job is not None and prints.waiting(shop.db) == 1
    assert job.receipt_no.encode() in shop.slips()[0][1]


def test_a_copy_is_marked_and_counted(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    answer = shop.sell()
    copy = shop.till.print_again("sale-1", PrintRequest(), "key print")
    assert (copy.receipt_no, copy.copy_no, copy.state) == (answer.receipt_no, 1, "queued")
    assert shop.till.print_again("sale-1", PrintRequest(), "key print") == copy
    bodies = [body for _, body in shop.slips()]
    assert "КОПИЯ".encode("cp866") not in bodies[0] and "КОПИЯ".encode("cp866") in bodies[1]


def test_without_a_printer_a_copy_says_so(shop: Shop) -> None:
    shop.sell()
    with pytest.raises(ConflictError, match="No printer stands"):
        shop.till.print_again("sale-1", PrintRequest(), "key print")


def test_a_sign_that_cannot_be_printed_never_stops_a_sale(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    basket = make_basket()
    basket = replace(basket, lines=(replace(basket.lines[0], name="抹茶"),))
    quote = shop.till.quote(QuoteRequest(basket=basket, card=CARD))
    assert quote.quote_id is not None
    request = SaleRequest(sale_id="sale-1", quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True)
    assert shop.till.authorise(request, "key").state == "completed"
    ((_, body),) = shop.slips()
    assert b"4601" in body and b"?" not in body


def test_what_may_not_be_on_paper_is_told_until_a_copy_is_made(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    receipt_no = shop.sell().receipt_no
    job = prints.next_queued(shop.db)
    assert job is not None
    with write(shop.db):
        prints.move(shop.db, job.job_id, "sending", shop.now)
        prints.move(shop.db, job.job_id, "uncertain", shop.now, "no answer")
    assert [text for text in shop.till.health().problems if receipt_no in text]
    shop.till.print_again("sale-1", PrintRequest(), "key print")
    assert not [text for text in shop.till.health().problems if receipt_no in text]
