"""A process that sells without pause and says what it knows, made to be killed: TRY before each act, ACK after its answers.

An act is a sale, or a sale with what a shop does about it afterwards: goods that come back or are exchanged, a void, points that
are claimed or given by hand, gift cards, a new member. All its requests and keys follow from its number, so the last act that
was tried and not acknowledged is done again first, as a till's host does. ACK names the facts that must stand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import NotFoundError, QuoteStaleError
from pos_loyalty.till import Till, staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import IssueRequest
from pos_loyalty.till.model import CompleteRequest, EnrolRequest, QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest
from pos_loyalty.values import Minor, Points, Thousandths, quantity
from pos_loyalty.wiring import open_till
from tests.faults.told import say
from tests.gifts import GIFT_PROGRAMME
from tests.shop import CONFIG, Shop
from tests.tables import card_of

CARDS = ("2200000000019", "2200000000026")
CASHIER, SENIOR = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
ACTS = ("sale", "sale", "sale", "return", "exchange", "void", "claim", "adjust", "gift", "issue", "enrol")
QUOTES_MAX = 5
Said = Iterator[tuple[str, str]]
"""Kinds of facts that stand now, each with the word by which it is known."""


def shop_of(folder: Path, config: str = "") -> Path:
    """The config of a shop in which the seller has all it needs; nobody has its file open."""
    shop = Shop(folder, CONFIG + config, GIFT_PROGRAMME.replace("[points]", "[points]\nclaim_days = 14"))
    shop.add_member("member-2", CARDS[1], 70_000)
    pepper = shop.till._desk.secrets.pepper
    staff.add(shop.db, CASHIER.person, "cashier", CASHIER.pin, pepper)
    staff.add(shop.db, SENIOR.person, "senior", SENIOR.pin, pepper)
    shop.till.close()
    return shop.config


def main(config: Path, seed: int, first: int, last: int) -> None:
    """Act from number ``first`` on to ``last``, or until killed."""
    till = open_till(config)
    number = first
    while number <= last:
        say(f"TRY {number}")
        said = ",".join(f"{kind}={word}" for kind, word in act(till, number, Random(f"{seed} {number}")))
        say(f"ACK {number} {said}")
        number += 1
    till.close()


def act(till: Till, number: int, random: Random) -> Said:
    """One act. Its sale is paid in one step or in two."""
    kind, sale_id = random.choice(ACTS), f"kill-{number:05d}"
    if kind in ("adjust", "issue", "enrol"):
        yield from _without_sale(till, kind, number, random)
        return
    card = None if kind == "claim" else random.choice((None, *CARDS))
    sold = _sell(till, sale_id, _goods(random), random, card=card)
    yield "sale.completed", sale_id
    match kind:
        case "return":
            part = LineBack(line_id="0", quantity_milli=Thousandths(1000))
            till.return_goods(sale_id, ReturnRequest(return_id=f"back-{number}", lines=(part,)), f"return {number}")
            yield "sale.returned", f"back-{number}"
        case "exchange":
            back = ReturnRequest(return_id=f"swap-{number}", sale_id=sale_id, all=True)
            _sell(till, f"new-{number}", _goods(random), random, card=card, returns=back, in_one=True, redeem=None)
            yield "sale.returned", f"swap-{number}"
            yield "sale.completed", f"new-{number}"
        case "void":
            till.void(sale_id, VoidRequest(reason="wrong"), f"void {number}")
            yield "sale.reversed", sale_id
        case "claim":
            till.claim(sale_id, ClaimRequest(card=CARDS[0], by="C7", approval=SENIOR), f"claim {number}")
            yield "sale.claimed", sale_id
        case "gift":
            yield from _by_gift_card(till, number, random)
    assert sold.receipt_no


def _by_gift_card(till: Till, number: int, random: Random) -> Said:
    bought = _sell(till, f"gift-{number}", (_line("0", "GC", 50_000),), random, card=None, redeem=None)
    yield "sale.completed", f"gift-{number}"
    paid = Tender(kind="gift", amount_minor=Minor(100), card=bought.gift_cards[0].card_id)
    _sell(till, f"by-gift-{number}", _goods(random), random, card=None, redeem=None, paid=(paid,))
    yield "sale.completed", f"by-gift-{number}"


def _without_sale(till: Till, kind: str, number: int, random: Random) -> Said:
    reason = f"kill {number}"
    if kind == "adjust":
        member = random.choice(("member-1", "member-2"))
        centi = Points(random.choice((-500, 100, 1_000)))
        asked = AdjustRequest(centi=centi, reason=reason, by=CASHIER, approval=SENIOR, owe=True)
        till.adjust(member, asked, f"adjust {number}")
        yield "points.adjusted", reason
    elif kind == "issue":
        till.issue_gift_card(
            IssueRequest(series="thanks", amount_minor=Minor(30_000), by=SENIOR, reason=reason), f"issue {number}"
        )
        yield "gift_card.changed", reason
    else:
        till.enrol(EnrolRequest(card=card_of(10_000 + number)), f"enrol {number}")
        yield "member.enrolled", card_of(10_000 + number)


def _line(line_id: str, sku: str, price_minor: int, count: int = 1) -> Line:
    return Line(line_id=line_id, sku=sku, quantity_milli=quantity(str(count)), price_minor=Minor(price_minor))


def _goods(random: Random) -> tuple[Line, ...]:
    return tuple(_line(str(n), f"46{n}", random.randint(100, 90_000), random.randint(1, 3)) for n in range(random.randint(1, 4)))


def _sell(
    till: Till,
    sale_id: str,
    lines: tuple[Line, ...],
    random: Random,
    *,
    card: str | None,
    returns: ReturnRequest | None = None,
    in_one: bool | None = None,
    paid: tuple[Tender, ...] = (),
    **more: Any,
) -> SaleAnswer:
    redeem = random.choice((None, "max", 500))
    is_one = random.random() < 0.5 if in_one is None else in_one
    basket = Basket(
        basket_id=sale_id,
        store="S1",
        till="T1",
        opened_at=utc_now(),
        currency="RUB",
        lines=lines,
        redeem=more.get("redeem", redeem),
    )
    try:
        stored = till.sale(sale_id)
    except NotFoundError:
        stored = _authorised(till, sale_id, QuoteRequest(basket=basket, card=card), paid, complete=is_one, returns=returns)
    if stored.state == "authorised":
        stored = till.complete(sale_id, CompleteRequest(), f"complete {sale_id}")
    return stored


def _authorised(till: Till, sale_id: str, asked: QuoteRequest, paid: tuple[Tender, ...], **more: Any) -> SaleAnswer:
    """Head office may fall silent between the quote and the sale: then a new price is asked for, as a host does."""
    for _ in range(QUOTES_MAX):
        quote = till.quote(asked)
        assert quote.quote_id is not None
        left = quote.due_minor - sum(tender.amount_minor for tender in paid) - _refund_of(till, more.get("returns"))
        is_told = paid or more.get("returns") is not None
        tenders = (*paid, Tender(kind="cash", amount_minor=Minor(max(0, left)))) if is_told else ()
        request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders, **more)
        try:
            return till.authorise(request, f"key {sale_id} {quote.quote_id}")
        except QuoteStaleError:
            continue
    raise AssertionError(f"no quote of {sale_id} stood long enough")


def _refund_of(till: Till, back: ReturnRequest | None) -> int:
    """What the goods of an exchange pay."""
    would = None if back is None else till.preview_return(back).would
    return 0 if would is None else would.refund_minor


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else sys.maxsize)
