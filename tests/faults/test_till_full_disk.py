"""A till on a real disk that is full: nothing is half sold, quotes go on, and the same sale succeeds when there is room."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import StoreFullError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import QuoteRequest
from tests.faults.disk import fill
from tests.shop import Shop, make_basket


def test_a_full_disk_sells_nothing_and_keeps_everything(small_disk: Path) -> None:
    shop = Shop(small_disk)
    try:
        sold = [shop.sell("sale-0").receipt_no]
        filler = fill(small_disk)
        request = None
        with pytest.raises(StoreFullError, match="disk is full"):
            for number in range(1, 1000):
                request = replace(shop.ask(redeem=100), sale_id=f"sale-{number}", complete=True)
                sold.append(shop.till.authorise(request, f"key {number}").receipt_no)
        assert request is not None
        assert shop.till.quote(QuoteRequest(basket=make_basket())).due_minor == 27_000
        stored = [row[0] for row in shop.db.execute("SELECT receipt_no FROM sale ORDER BY receipt_no")]
        assert stored == sorted(sold)
        filler.unlink()
        answer = shop.till.authorise(request, "key again")
        assert answer.state == "completed" and answer.receipt_no not in sold
        assert verify(shop.db) == ()
    finally:
        shop.close()
