"""A past sale: a basket that somebody else sold, with the card that was shown, and the shop it is replayed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pos_loyalty.config import CardConfig
from pos_loyalty.engine.model import Basket
from pos_loyalty.errors import InputError
from pos_loyalty.values import Value


class Shop(Value):
    """Where past receipts are sold again. A time without an offset is the shop's; one that comes twice, its first pass."""

    store: str
    till: str
    currency: str
    timezone: str

    def at(self, local: datetime) -> datetime:
        """An instant from a time that may lack its offset."""
        return local if local.tzinfo else local.replace(tzinfo=ZoneInfo(self.timezone))


class PastSale(Value):
    """One receipt. ``sale_id`` is made from the receipt's own number, so importing twice sells once."""

    sale_id: str
    card: str | None
    basket: Basket


def redeeming(sales: Iterable[PastSale], every: int) -> Iterator[PastSale]:
    """The same sales, where each card redeems all it may on every ``every``-th of its receipts. 0: nobody redeems."""
    seen: dict[str, int] = {}
    for sale in sales:
        if every and sale.card is not None:
            seen[sale.card] = seen.get(sale.card, 0) + 1
            if seen[sale.card] % every == 0:
                yield replace(sale, basket=replace(sale.basket, redeem="max"))
                continue
        yield sale


def card_number(number: int, card: CardConfig) -> str:
    """A card of the shop's range for a foreign member number. Raises InputError when the range is too short for it."""
    digits = card.length - len(card.prefix) - (card.check != "none")
    body = str(number)
    if len(body) > digits:
        raise InputError(
            "card", f'member {number} needs {len(body)} digits, cards "{card.prefix}…" have {digits}; configure a longer card'
        )
    body = card.prefix + body.zfill(digits)
    if card.check == "none":
        return body
    if not body.isdigit():
        raise InputError("card.prefix", f'"{card.prefix}" has letters, so a check digit cannot stand; write check = "none"')
    return body + str(_gtin_check(body) if card.check == "gtin" else _luhn_check(body))


def _gtin_check(body: str) -> int:
    """**Source:** GS1 General Specifications, 7.9: weights 3 and 1 from the right."""
    return -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))) % 10


def _luhn_check(body: str) -> int:
    """**Source:** ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10
