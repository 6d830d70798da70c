"""A process that sells without pause to a few members of the whole chain, made to be killed: TRY before each act, ACK after it.

All follows from the number of an act, so the last one that was tried is done again first. ACK names sales and returns.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import NotFoundError, QuoteStaleError
from pos_loyalty.till import Till
from pos_loyalty.till.model import CompleteRequest, IdentifyRequest, QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, Thousandths
from pos_loyalty.wiring import open_till

CARDS = ("2200000000019", "2200000000026", "2200000000033", "2200000000040")
ACTS = ("redeem", "redeem", "redeem", "sale", "return", "void", "gift")
QUOTES_MAX = 5


def main(config: Path, seed: int, first: int, last: int) -> None:
    """Act from number ``first`` on to ``last``, or until killed."""
    till = open_till(config)
    name = till._desk.config.till.id
    for number in range(first, last + 1):
        print(f"TRY {number}", flush=True)
        said = ",".join(act(till, name, number, Random(f"{name} {seed} {number}")))
        print(f"ACK {number} {said}", flush=True)
    till.close()


def act(till: Till, name: str, number: int, random: Random) -> list[str]:
    """One act; what must stand of it."""
    kind, card = random.choice(ACTS), random.choice(CARDS)
    if till.identify(IdentifyRequest(card=card)).asking:
        time.sleep(0.1)  # the member puts the goods down: rights may come meanwhile
    sale_id, goods = f"{name}-{number:05d}", _goods(random)
    _sell(till, name, sale_id, goods, card=card, redeem=None if kind in ("sale", "gift") else random.choice(("max", 700)))
    said = [f"sale.completed={sale_id}"]
    if kind == "return":
        part = LineBack(line_id="0", quantity_milli=Thousandths(1000))
        till.return_goods(sale_id, ReturnRequest(return_id=f"back-{sale_id}", lines=(part,)), f"return {number}")
        said.append(f"sale.returned=back-{sale_id}")
    elif kind == "void":
        till.void(sale_id, VoidRequest(reason="wrong"), f"void {number}")
        said.append(f"sale.reversed={sale_id}")
    elif kind == "gift":
        bought = _sell(till, name, f"{sale_id}-card", (_line("0", "GC", 50_000),), card=None, redeem=None)
        paid = Tender(kind="gift", amount_minor=Minor(random.randint(1, 900)), card=bought.gift_cards[0].card_id)
        _sell(till, name, f"{sale_id}-by-card", goods, card=None, redeem=None, paid=paid)
        said += [f"sale.completed={sale_id}-card", f"sale.completed={sale_id}-by-card"]
    return said


def _sell(
    till: Till, name: str, sale_id: str, lines: tuple[Line, ...], *, card: str | None, redeem: object, paid: Tender | None = None
) -> SaleAnswer:
    try:
        stored = till.sale(sale_id)
    except NotFoundError:
        basket = Basket(
            basket_id=sale_id, store="S1", till=name, opened_at=utc_now(), currency="RUB", lines=lines, redeem=redeem  # type: ignore[arg-type]
        )  # fmt: skip
        stored = _authorised(till, sale_id, QuoteRequest(basket=basket, card=card), paid)
    return till.complete(sale_id, CompleteRequest(), f"complete {sale_id}") if stored.state == "authorised" else stored


def _authorised(till: Till, sale_id: str, asked: QuoteRequest, paid: Tender | None) -> SaleAnswer:
    """What head office told meanwhile may change the price: then a new one is asked for, as a host does."""
    for _ in range(QUOTES_MAX):
        quote = till.quote(asked)
        assert quote.quote_id is not None
        rest = Tender(kind="cash", amount_minor=Minor(quote.due_minor - (paid.amount_minor if paid else 0)))
        tenders = (paid, rest) if paid else ()
        request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders)
        try:
            return till.authorise(request, f"key {sale_id} {quote.quote_id}")
        except QuoteStaleError:
            continue
    raise AssertionError(f"no quote of {sale_id} stood long enough")


def _goods(random: Random) -> tuple[Line, ...]:
    return tuple(_line(str(n), f"46{n}", random.randint(1_000, 90_000)) for n in range(random.randint(1, 3)))


def _line(line_id: str, sku: str, price_minor: int) -> Line:
    return Line(line_id=line_id, sku=sku, quantity_milli=Thousandths(1000), price_minor=Minor(price_minor))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else sys.maxsize)
