"""What a code is: its symbology by AIM identifier, a member card by the shop's nomenclature, or a payment card, which is refused.

A payment card's number leaves this file in no value, no error and no log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from drivers.ports import Symbology
from pos_loyalty.config import CardConfig
from pos_loyalty.log import mask as mask
from pos_loyalty.values import Value

DIGITS = re.compile("[0-9]+")
CARD_SIGNS = re.compile("[0-9A-Z]+")
PAYMENT_DIGITS = re.compile("[0-9]{13,19}")
GTIN_DIGITS_MAX = 14
BANK_STRIPE = re.compile(r"%B[0-9]{12,19}\^|;[0-9]{12,19}=")
"""Tracks 1 and 2. **Source:** ISO/IEC 7813."""
AIM = re.compile(r"\](?P<letter>[A-Za-z])(?P<modifier>[0-9A-Za-z])")
GS1_IDENTIFIERS = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})


class Code(Value):
    """A code without its AIM identifier. ``symbology`` is None when the reader did not say."""

    text: str
    symbology: Symbology | None = None


class Scan(Value):
    """What was scanned: a member card, any other code, or a payment card, of which nothing is kept."""

    kind: Literal["card", "code", "payment"]
    text: str
    symbology: Symbology | None = None


def scan_of(raw: str, cards: Sequence[CardConfig]) -> Scan:
    """Judge what a scanner sent. The text of a payment card is empty."""
    code = parse(raw)
    card = member_card(code.text, code.symbology, cards)
    if card is not None:
        return Scan(kind="card", text=card, symbology=code.symbology)
    if is_payment_card(code.text, code.symbology):
        return Scan(kind="payment", text="")
    return Scan(kind="code", text=code.text, symbology=code.symbology)


def parse(raw: str) -> Code:
    """Strip the AIM identifier, when there is one. **Source:** ISO/IEC 15424."""
    match = AIM.match(raw)
    if match is None:
        return Code(text=raw)
    return Code(text=raw[match.end() :], symbology=_symbology(match.group(), raw[match.end() :]))


def member_card(code: str, symbology: Symbology | None, cards: Sequence[CardConfig]) -> str | None:
    """The card number, when a nomenclature of the shop holds: symbology, prefix, length, check digit. Else None.

    A reader that does not tell its symbology is believed on the rest alone.
    """
    return code if any(_holds(card, code, symbology) for card in cards) else None


def is_payment_card(code: str, symbology: Symbology | None = None) -> bool:
    """13 to 19 digits with a Luhn check digit, or a bank card's stripe. Ask only when ``member_card`` gave None.

    A product is not one: what the reader calls EAN, or 13 or 14 digits with a GTIN check digit. Spaces and dashes hide nothing.
    """
    if BANK_STRIPE.match(code):
        return True
    digits = code.replace(" ", "").replace("-", "")
    if symbology in ("ean13", "ean8") or not PAYMENT_DIGITS.fullmatch(digits) or not luhn_holds(digits):
        return False
    return len(digits) > GTIN_DIGITS_MAX or not gtin_holds(digits)


def gtin_holds(digits: str) -> bool:
    """The last digit is the GTIN check digit of those before it. **Source:** GS1 General Specifications, 7.9."""
    if len(digits) < 2 or not DIGITS.fullmatch(digits):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def luhn_holds(digits: str) -> bool:
    """The last digit is the Luhn check digit of those before it. **Source:** ISO/IEC 7812-1, annex B."""
    if len(digits) < 2 or not DIGITS.fullmatch(digits):
        return False
    return sum(sum(divmod(int(digit) * (2 if place % 2 else 1), 10)) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _holds(card: CardConfig, code: str, symbology: Symbology | None) -> bool:
    if symbology is not None and symbology not in card.symbologies:
        return False
    if len(code) != card.length or not code.startswith(card.prefix) or not CARD_SIGNS.fullmatch(code):
        return False
    match card.check:
        case "gtin":
            return gtin_holds(code)
        case "luhn":
            return luhn_holds(code)
        case "none":
            return True


def _symbology(identifier: str, text: str) -> Symbology:
    if identifier in GS1_IDENTIFIERS:
        return "gs1"
    match identifier[1]:
        case "E":
            return {13: "ean13", 8: "ean8"}.get(len(text), "other")  # type: ignore[return-value]
        case "C":
            return "code128"
        case "Q":
            return "qr"
        case _:
            return "other"
