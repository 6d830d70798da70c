"""What a host system and a cashier do at a till, and what they remember of it: every answer they got is kept for the laws."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any

from pos_loyalty.engine.model import Basket, Line, Quote, Tender
from pos_loyalty.errors import ConflictError, NotFoundError
from pos_loyalty.till.model import (
    CancelRequest,
    CompleteRequest,
    EnrolRequest,
    IdentifyRequest,
    QuoteRequest,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, Thousandths
from tests.simulation.counter import Counter
from tests.simulation.template import MEMBERS, STORES

PIECES = 4_000


ANYBODY = (None, *MEMBERS, *MEMBERS)


def sell(counter: Counter, chance: Random, whom: Sequence[str | None] = ANYBODY) -> None:
    """Quote, authorise, and mostly complete in the same step."""
    sale_id = f"{counter.name}-{_next(counter)}"
    line = Line(line_id="1", sku="1", quantity_milli=Thousandths(PIECES), price_minor=Minor(chance.randrange(500, 5_000)))
    basket = _basket(counter, sale_id, line, redeem=chance.choice((None, "max", "max", chance.randrange(1, 9_000))))
    quote = counter.till.quote(QuoteRequest(basket=basket, member_id=chance.choice(whom)))
    _pay(counter, chance, sale_id, quote)


def sell_sku(
    counter: Counter, chance: Random, sku: str, price: Minor, tenders: tuple[Tender, ...] = (), coupons: tuple[str, ...] = ()
) -> None:
    """One piece of something to somebody without a card; what the tenders do not pay comes in cash."""
    sale_id = f"{counter.name}-{_next(counter)}"
    line = Line(line_id="1", sku=sku, quantity_milli=Thousandths(1_000), price_minor=price)
    quote = counter.till.quote(QuoteRequest(basket=_basket(counter, sale_id, line, coupons=coupons)))
    _pay(counter, chance, sale_id, quote, tenders)


def price(counter: Counter, price: Minor, coupons: tuple[str, ...]) -> None:
    """A quote that nobody pays: what it needs is asked for."""
    line = Line(line_id="1", sku="3", quantity_milli=Thousandths(1_000), price_minor=price)
    counter.till.quote(QuoteRequest(basket=_basket(counter, f"{counter.name}-{_next(counter)}", line, coupons=coupons)))


def _basket(counter: Counter, sale_id: str, line: Line, **more: Any) -> Basket:
    return Basket(
        basket_id=sale_id,
        store=STORES[counter.name],
        till=counter.name,
        opened_at=counter.machine.wall(),
        currency="RUB",
        lines=(line,),
        **more,
    )


def _pay(counter: Counter, chance: Random, sale_id: str, quote: Quote, tenders: tuple[Tender, ...] = ()) -> None:
    till, complete = counter.till, chance.random() < 0.7
    rest = Minor(quote.due_minor - sum(tender.amount_minor for tender in tenders))
    cash = (Tender(kind="cash", amount_minor=rest),) if rest or not tenders else ()
    request = SaleRequest(
        sale_id=sale_id,
        quote_id=quote.quote_id or "",
        due_minor=quote.due_minor,
        tenders=(*tenders, *cash),
        complete=complete,
    )
    counter.unsure.append(sale_id)
    answer = till.authorise(request, f"sell {sale_id}")
    counter.unsure.remove(sale_id)
    counter.world.chronicle.sold(counter, answer)
    (counter.done_sales if complete else counter.open_sales).append(sale_id)
    if chance.random() < 0.1:  # the host did not hear, and asks again
        again = till.authorise(request, f"sell {sale_id}")
        assert again == answer, "the same request gets the same answer"


def end(counter: Counter, chance: Random) -> None:
    """Complete or cancel an open sale."""
    if not counter.open_sales:
        return
    sale_id = counter.open_sales[chance.randrange(len(counter.open_sales))]
    counter.open_sales.remove(sale_id)
    counter.unsure.append(sale_id)
    if chance.random() < 0.5:
        counter.world.chronicle.sold(counter, counter.till.cancel(sale_id, CancelRequest(), f"cancel {sale_id}"))
    else:
        counter.world.chronicle.sold(counter, counter.till.complete(sale_id, CompleteRequest(), f"complete {sale_id}"))
        counter.done_sales.append(sale_id)
    counter.unsure.remove(sale_id)


def stand(counter: Counter, chance: Random) -> None:
    """A card is shown."""
    show(counter, chance.choice(list(MEMBERS)))


def show(counter: Counter, member_id: str) -> None:
    """A member shows the card."""
    answer = counter.till.identify(IdentifyRequest(card=MEMBERS[member_id]))
    counter.world.say(f"  {answer.member_id} may redeem {answer.redeemable_centi} of {answer.usable_centi}")


def take_back(counter: Counter, of: Counter, chance: Random) -> None:
    """All or a part of a sale comes back; on its day it may be voided."""
    if not of.done_sales:
        return
    sale_id = chance.choice(of.done_sales)
    n = _next(counter)
    if of is counter and chance.random() < 0.3:
        with suppress(ConflictError):
            answer = counter.till.void(sale_id, VoidRequest(), f"void {sale_id} {n}")
            counter.world.chronicle.sold(counter, answer)
            _came_back(of, sale_id)
            return
    whole = chance.random() < 0.4
    part = () if whole else (LineBack(line_id="1", quantity_milli=Thousandths(1_000)),)
    receipt = "" if of is counter else f"PL1|{of.name}|{sale_id}"
    request = ReturnRequest(return_id=f"{counter.name}r{n}", all=whole, lines=part, receipt=receipt)
    counter.till.return_goods(None if receipt else sale_id, request, f"return {n}")
    if whole:
        _came_back(of, sale_id)


def _came_back(of: Counter, sale_id: str) -> None:
    """All of a sale did; another till may have seen to that meanwhile."""
    if sale_id in of.done_sales:
        of.done_sales.remove(sale_id)


def join(counter: Counter, chance: Random) -> None:
    """A new member, whose name must stand nowhere in the open."""
    n = _next(counter)
    name, phone = counter.world.chronicle.person(counter, n)
    request = EnrolRequest(new_card=True, name=name, phone=phone if chance.random() < 0.2 else None)
    counter.world.chronicle.joined.append(counter.till.enrol(request, f"enrol {counter.name} {n}").member_id)


def look_up(counter: Counter) -> None:
    """Of each sale whose answer nobody heard: whether it stands. A host does so before it sells on."""
    for sale_id in list(counter.unsure):
        try:
            answer = counter.till.sale(sale_id)
        except NotFoundError:
            counter.world.chronicle.not_sold(counter, sale_id)
        else:
            counter.world.chronicle.sold(counter, answer)
            if answer.state == "authorised":
                counter.open_sales.append(sale_id)
            elif answer.state == "completed":
                counter.done_sales.append(sale_id)
        counter.unsure.remove(sale_id)


def _next(counter: Counter) -> int:
    counter.made += 1
    return counter.made
