"""A process that sells without pause and says what it knows, made to be killed: TRY before each sale, ACK after its answer.

The last sale that was tried and not acknowledged is tried again first, under the same sale id, as a till's host does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.errors import NotFoundError
from pos_loyalty.till import Till
from pos_loyalty.till.model import CompleteRequest, QuoteRequest, SaleRequest
from pos_loyalty.values import Minor, quantity
from pos_loyalty.wiring import open_till


def main(config: Path, seed: int, first: int) -> None:
    """Sell from sale number ``first`` on, until killed."""
    random = Random(seed)
    till = open_till(config)
    number = first
    while True:
        sale_id = f"kill-{number:05d}"
        print(f"TRY {number}", flush=True)
        receipt_no = _sell(till, sale_id, random)
        print(f"ACK {number} {receipt_no}", flush=True)
        number += 1


def _sell(till: Till, sale_id: str, random: Random) -> str:
    lines = tuple(
        Line(
            line_id=str(n),
            sku=f"46{n}",
            quantity_milli=quantity(str(random.randint(1, 3))),
            price_minor=Minor(random.randint(100, 90_000)),
        )
        for n in range(random.randint(1, 4))
    )
    basket = Basket(
        basket_id=sale_id,
        store="S1",
        till="T1",
        opened_at=utc_now(),
        currency="RUB",
        lines=lines,
        redeem=random.choice((None, "max", 500)),
    )
    card = random.choice((None, "2200000000019", "2200000000026"))
    try:
        stored = till.sale(sale_id)
    except NotFoundError:
        quote = till.quote(QuoteRequest(basket=basket, card=card))
        assert quote.quote_id is not None
        in_one = random.random() < 0.5
        request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, complete=in_one)
        stored = till.authorise(request, f"key {sale_id} {quote.quote_id}")
    if stored.state == "authorised":
        stored = till.complete(sale_id, CompleteRequest(), f"complete {sale_id}")
    return stored.receipt_no


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
