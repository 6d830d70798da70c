"""What the state machine puts into baskets, pays with and takes back, chosen by plain numbers; answers as the books keep them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from pos_loyalty.clock import to_ms
from pos_loyalty.engine.model import Accrual, Basket, Line, Tender
from pos_loyalty.till.gift_card_model import GiftCardAnswer
from pos_loyalty.till.model import SaleAnswer, SaleRequest
from pos_loyalty.till.returns_model import LineBack
from pos_loyalty.values import Minor, Points, Thousandths, Value, encode
from tests.faults.books import Books, SaleBook

A = TypeVar("A", bound=Value)
GIFT_SKU = "GC"
GOODS = {
    "coffee": ("drinks", "piece", 15_000),
    "tea": ("drinks", "piece", 9_999),
    "bun": ("bread", "piece", 3_337),
    "apples": ("fruit", "weight", 12_345),
    GIFT_SKU: ("", "piece", 50_000),
}
"""Category, measure, price."""


def basket_of(items: list[tuple[str, int]], points: int, at: datetime) -> Basket:
    """``points`` below nothing: none are spent."""
    lines = tuple(_line(str(n), sku, amount) for n, (sku, amount) in enumerate(items, 1))
    return Basket(
        basket_id="B", store="S1", till="T1", cashier="C7", opened_at=at, currency="RUB", lines=lines,
        redeem=None if points < 0 else Points(points),
    )  # fmt: skip


def _line(line_id: str, sku: str, amount: int) -> Line:
    category, measure, price = GOODS[sku]
    milli = amount if measure == "weight" else 1000 if sku == GIFT_SKU else 1000 * (1 + amount % 4)
    return Line(
        line_id=line_id, sku=sku, quantity_milli=Thousandths(milli), price_minor=Minor(price), category=category, measure=measure  # type: ignore[arg-type]
    )  # fmt: skip


def tenders_of(books: Books, due_minor: int, number: int) -> tuple[Tender, ...]:
    """Nothing told, cash, or one or two gift cards and the rest in cash."""
    if number % 3 == 0:
        return ()
    rest = due_minor
    paid = []
    full = [card for card in sorted(books.cards) if books.on_card(card) > 0]
    for card in full[: number % 3 * (1 + number % 2) - 1]:
        part = min(rest, books.on_card(card) // (1 + number % 2))
        if part:
            paid.append(Tender(kind="gift", amount_minor=Minor(part), card=card))
            rest -= part
    return (*paid, Tender(kind="cash", amount_minor=Minor(rest)))


def top_ups_of(books: Books, basket: Basket, number: int) -> dict[str, str]:
    """The first line of a gift card adds to one that was bought before, every other time."""
    line = next((line.line_id for line in basket.lines if line.sku == GIFT_SKU), None)
    bought = [card for card, book in sorted(books.cards.items()) if book.kind == "bought"]
    return {line: bought[number % len(bought)]} if line is not None and bought and number % 2 else {}


def part_of(sale: SaleBook, number: int) -> list[LineBack]:
    """Something of what is left: nothing, all, half or a little of each line; gift cards whole."""
    lines = []
    for n, (line_id, (sku, milli)) in enumerate(sorted(sale.lines.items())):
        left, how = milli - sale.back[line_id], number // 4**n % 4
        unit = 1 if GOODS[sku][1] == "weight" else 1000
        part = (0, left, left // 2 // unit * unit, min(left, unit * (1 + (number % 300 if unit == 1 else 0))))[how]
        part = left if part and sku == GIFT_SKU else part
        if part:
            lines.append(LineBack(line_id=line_id, quantity_milli=Thousandths(part)))
    return lines


def sale_book(answer: SaleAnswer, request: SaleRequest, basket: Basket) -> SaleBook:
    """A sale as it was authorised."""
    quote = answer.quote
    prices = {line.line_id: int(line.price_minor) for line in basket.lines}
    return SaleBook(
        sale_id=answer.sale_id,
        member=quote.member_id,
        due_minor=quote.due_minor,
        at_ms=to_ms(answer.authorised_at),
        lines={line.line_id: (line.sku, int(line.quantity_milli)) for line in basket.lines},
        uses=[(use.lot_id, int(use.centi)) for use in quote.redemption.lots],
        accruals=accruals_of(quote.accruals),
        gifts=[[each.card or "", int(each.amount_minor), 0] for each in answer.tenders if each.kind == "gift"],
        top_ups={line: (card, prices[line]) for line, card in request.top_ups.items()},
    )


def cards_of(sale: SaleBook, answer: SaleAnswer) -> list[tuple[str, str, int]]:
    """What the completed sale loads onto cards."""
    new = [(card.card_id, card.line_id or "", int(card.face_minor)) for card in answer.gift_cards]
    return new + [(card, line, minor) for line, (card, minor) in sale.top_ups.items()]


def accruals_of(accruals: Iterable[Accrual]) -> list[tuple[str, int, int, int | None]]:
    """Points with their dates."""
    return [
        (
            each.rule,
            int(each.centi),
            0 if each.usable_from is None else to_ms(each.usable_from),
            None if each.expires_at is None else to_ms(each.expires_at),
        )
        for each in accruals
    ]


def plain(answer: A) -> bytes:
    """An answer without the codes of new gift cards, which are told only while the process lives."""
    if isinstance(answer, SaleAnswer):
        return encode(replace(answer, gift_cards=tuple(_without_code(card) for card in answer.gift_cards)))
    return encode(_without_code(answer) if isinstance(answer, GiftCardAnswer) else answer)


def _without_code(card: GiftCardAnswer) -> GiftCardAnswer:
    return replace(card, code=None, pin=None)
