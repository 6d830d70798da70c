"""A process that sells without pause to a few members of the whole chain, made to be killed: TRY before each act, ACK after it.

All follows from the number of an act, so the last one that was tried is done again first. ACK names sales and returns. Before an
act it looks for the file ``order`` beside its config: ``earn N`` enrols a member and sells them points, ``meet CARD`` waits until
points of that card can be redeemed here and redeems them, ``stop`` ends it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import NotFoundError, QuoteStaleError, StoreBusyError
from pos_loyalty.till import Till
from pos_loyalty.till.model import (
    CompleteRequest,
    EnrolRequest,
    IdentifyRequest,
    QuoteRequest,
    SaleAnswer,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, Thousandths
from pos_loyalty.wiring import open_till
from tests.faults.told import say
from tests.tables import card_of

CARDS = ("2200000000019", "2200000000026", "2200000000033", "2200000000040")
POINTS_SKU = "PTS"
"""What gives its buyer points, by the bank's programme."""
ACTS = ("redeem", "redeem", "redeem", "sale", "return", "void", "gift")
QUOTES_MAX = 5


T = TypeVar("T")
ORDERED = 1_000_000
"""An order's number comes after those of all acts, its member after those who are there."""


def main(config: Path, seed: int, first: int, last: int, pause_s: float) -> None:
    """Act from number ``first`` on to ``last``, or until killed or told to stop; so long a pause after each act."""
    till = open_till(config)
    name = till._desk.config.till.id
    for number in range(first, last + 1):
        if again(partial(obey, till, name, config.with_name("order"))) == "stop":
            break
        say(f"TRY {number}")
        said = ",".join(again(lambda number=number: act(till, name, number, Random(f"{name} {seed} {number}"))))
        say(f"ACK {number} {said}")
        time.sleep(pause_s)
    till.close()


def again(step: Callable[[], T]) -> T:
    """Do it, and again while another process holds the file for long: as the till says to its host."""
    while True:
        try:
            return step()
        except StoreBusyError:
            time.sleep(0.2)


def obey(till: Till, name: str, order: Path) -> str:
    """Do what is ordered; again when the last one who tried was killed."""
    if not order.exists():
        return ""
    word, _, what = order.read_text(encoding="utf-8").partition(" ")
    if word == "earn":
        card = card_of(ORDERED + int(what))
        till.enrol(EnrolRequest(card=card), f"enrol {what}")
        _sell(till, name, f"{name}-earn-{what}", (_line("0", POINTS_SKU, 10_000),), card=card, redeem=None)
        say(f"ACK {ORDERED + int(what)} sale.completed={name}-earn-{what}")
    elif word == "meet":
        card = card_of(ORDERED + int(what))
        while not _redeems(till, card):
            time.sleep(0.05)
        met = _sell(till, name, f"{name}-meet-{what}", (_line("0", "461", 90_000),), card=card, redeem="max")
        say(f"MET {what} {met.quote.redemption.centi if met.quote.redemption else 0}")
        say(f"ACK {ORDERED + int(what)} sale.completed={name}-meet-{what}")
    order.unlink()
    return word


def _redeems(till: Till, card: str) -> bool:
    try:
        return till.identify(IdentifyRequest(card=card)).redeemable_centi > 0
    except NotFoundError:  # nobody told of them yet
        return False


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
            basket_id=sale_id,
            store=till._desk.config.store.id,
            till=name,
            opened_at=utc_now(),
            currency="RUB",
            lines=lines,
            redeem=redeem,  # type: ignore[arg-type]
        )
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
    _config, _seed, _first, _last, _pause_s = sys.argv[1:]
    main(Path(_config), int(_seed), int(_first), int(_last), float(_pause_s))
