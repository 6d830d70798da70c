"""Gift cards in a basket: money paid in advance. A line that sells one costs its face; no rule, cashier or point touches it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pos_loyalty.engine.model import FiscalPosition, Line
from pos_loyalty.engine.rules import GiftCard, GiftCardsTable
from pos_loyalty.engine.zones import days_later

GIFT_CARD = "gift_card"
"""The floor of such a line, and the reason why one may not be sold so."""
Fault = tuple[str, str]


def sold_by_sku(gift_cards: Iterable[GiftCard]) -> dict[str, GiftCard]:
    """The series that lines sell, by SKU."""
    return {each.sku: each for each in gift_cards if each.sku is not None}


def face_refusal(line: Line, series: GiftCard) -> str:
    """Why a line may not sell a gift card so; empty when it may. What the host took off is looked at elsewhere."""
    return "" if line.measure == "piece" and is_face(line.price_minor, series) else GIFT_CARD


def is_face(amount_minor: int, series: GiftCard) -> bool:
    """Whether the series has gift cards of this amount."""
    if amount_minor in series.amounts:
        return True
    low, high = series.amount_from, series.amount_to
    return low is not None and high is not None and low <= amount_minor <= high


def expires_at(series: GiftCard, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which a gift card made at ``at`` is good no more; None when it always is."""
    return None if series.expires_days is None else days_later(at, series.expires_days, zone)


def advance(positions: Sequence[FiscalPosition]) -> tuple[FiscalPosition, ...]:
    """The positions as money paid in advance. Source: 54-FZ, sign of the way of settlement."""
    return tuple([replace(position, kind="advance") for position in positions])


def gift_card_faults(series: Sequence[GiftCard], table: GiftCardsTable, others: Mapping[str, str]) -> Iterator[Fault]:
    """Every fault of the gift cards. ``others``: SKU to what else it sells."""
    ids: dict[str, int] = {}
    skus = dict(others)
    for number, each in enumerate(series):
        place = f"gift_card[{number}]"
        if each.id in ids:
            yield f"{place}.id", f'"{each.id}" is already the id of gift_card[{ids[each.id]}]'
        ids.setdefault(each.id, number)
        yield from _sku_faults(each, place, skus)
        yield from _amount_faults(each, place)
        yield from _kind_faults(each, place, table)
        if each.sku is not None:
            skus.setdefault(each.sku, place)


def _sku_faults(each: GiftCard, place: str, skus: Mapping[str, str]) -> Iterator[Fault]:
    if each.kind == "gratis":
        if each.sku is not None:
            yield f"{place}.sku", "a gratis gift card is given by a person and never sold; leave the sku out"
        return
    if each.sku is None:
        yield f"{place}.sku", "is missing: a bought gift card is sold as a line of its sku"
        return
    if each.sku != each.sku.strip():
        yield f"{place}.sku", f'"{each.sku}" has spaces around it'
    if each.sku in skus:
        yield f"{place}.sku", f'"{each.sku}" already sells {skus[each.sku]}'


def _amount_faults(each: GiftCard, place: str) -> Iterator[Fault]:
    low, high = each.amount_from, each.amount_to
    if (low is None) != (high is None):
        yield place, "amount_from and amount_to are given together"
    elif bool(each.amounts) == (low is not None):
        yield place, "give a list of amounts, or amount_from and amount_to: one of the two"
    elif low is not None and high is not None and not 0 < low <= high:
        yield f"{place}.amount_to", "amount_from is more than nothing, and amount_to no less"
    if any(amount <= 0 for amount in each.amounts):
        yield f"{place}.amounts", "a gift card is worth more than nothing"


def _kind_faults(each: GiftCard, place: str, table: GiftCardsTable) -> Iterator[Fault]:
    if each.kind == "bought" and each.expires_days is not None and not table.bought_expire:
        yield (
            f"{place}.expires_days",
            "a bought gift card is the buyer's money and does not expire; where the law allows it, set gift_cards.bought_expire",
        )
    if each.kind == "gratis" and each.top_up:
        yield f"{place}.top_up", "a gratis gift card takes no money; leave it out"
