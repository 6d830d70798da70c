"""Receipts that a sale has laid into the spool and that the print worker composes. Rule: all that a receipt says is said by the
sale's own instant (balance, dates, words); only the bytes are made later, so that the checkout does not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pos_loyalty.config import Config, Language
from pos_loyalty.errors import ConfigError, InputError
from pos_loyalty.till.desk import logo_of
from pos_loyalty.values import Value, decode, encode
from receipts.compose import compose
from receipts.elements import Element, Image
from receipts.escpos import to_escpos
from receipts.model import Receipt


class Unmade(Value):
    """A receipt without its logo, which is read again. ``zone`` gives the instants back the shop's time of other days."""

    language: Language
    zone: str
    has_logo: bool
    receipt: Receipt


def kept(receipt: Receipt, language: Language, zone: str) -> bytes:
    """What a job holds of a receipt until it is printed: what paper tells, without the quote's reasons."""
    rules = {each.rule for line in receipt.quote.lines for each in line.adjustments}
    titles = {rule: receipt.titles[rule] for rule in rules if rule in receipt.titles}
    quote = replace(receipt.quote, refusals=(), beaten=(), hints=(), floors=(), line_refusals=())
    bare = replace(receipt, logo=None, quote=quote, titles=titles)
    return encode(Unmade(language=language, zone=zone, has_logo=receipt.logo is not None, receipt=bare))


def tries(receipt: Receipt, language: Language) -> Iterable[Iterable[Element]]:
    """The receipt; and with SKUs for names, when a name has a sign that the page lacks."""
    yield compose(receipt, language)
    basket = replace(receipt.basket, lines=tuple(replace(line, name="") for line in receipt.basket.lines), cashier="")
    coupons = tuple(replace(coupon, title={}) for coupon in receipt.coupons)
    quote = replace(receipt.quote, messages=())
    yield compose(replace(receipt, basket=basket, quote=quote, titles={}, notes=(), coupons=coupons, tier=None), language)


class SlipMaker:
    """Makes the bytes of what jobs hold, for the printer of the config: the same job gives the same bytes."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def __call__(self, body: bytes) -> bytes:
        """Raises InputError for a sign that the code page lacks, and for a job of another version of the till."""
        printer = self._config.printer
        assert printer is not None
        held = decode(body, Unmade)
        receipt = held.receipt
        logo = self._logo if held.has_logo else None
        receipt = replace(receipt, logo=logo, at=receipt.at.astimezone(ZoneInfo(held.zone)))
        fault: InputError | None = None
        for elements in tries(receipt, held.language):
            try:
                return to_escpos(elements, columns=printer.columns, page=printer.page, slot=printer.slot)
            except InputError as error:
                fault = fault or error
        assert fault is not None
        raise fault

    @cached_property
    def _logo(self) -> Image | None:
        try:
            return logo_of(self._config)
        except ConfigError:
            return None  # the till has told of it
