"""Whose range digits are of, and which check digit they have: payment cards and products. Pure; nothing here keeps a number.

**Source:** ISO/IEC 7812-1 (ranges, Luhn); issuers' ranges and lengths as they publish them; GS1 General Specifications, 7.9.1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DIGITS_MIN, DIGITS_MAX = 13, 19
BEGINNING = 4
"""So many first digits tell the issuer."""
DOUBLED = bytes(2 * (sign - 48) - 9 * (sign > 52) if 48 <= sign < 58 else 0 for sign in range(256))
NOUGHT = 48


class Issuer(NamedTuple):
    """The first digits of a range, both ends included, and how long its numbers are."""

    first: str
    last: str
    lengths: tuple[int, ...]


ANY = tuple(range(DIGITS_MIN, DIGITS_MAX + 1))
LONG = (16, 17, 18, 19)
ISSUERS = (
    Issuer("4", "4", (13, 16, 19)),  # Visa
    Issuer("51", "55", (16,)),  # Mastercard
    Issuer("2221", "2720", (16,)),
    Issuer("34", "34", (15,)),  # American Express
    Issuer("37", "37", (15,)),
    Issuer("300", "305", (14, 16, 19)),  # Diners Club
    Issuer("3095", "3095", (14, 16, 19)),
    Issuer("36", "36", (14, 16, 19)),
    Issuer("38", "39", (14, 16, 19)),
    Issuer("3528", "3589", LONG),  # JCB
    Issuer("2200", "2204", LONG),  # Mir
    Issuer("50", "50", ANY),  # Maestro, RuPay
    Issuer("56", "58", ANY),  # Maestro, Uzcard
    Issuer("6", "6", ANY),  # Maestro, Discover, UnionPay, RuPay, Troy
    Issuer("8100", "8171", LONG),  # UnionPay
    Issuer("8600", "8600", (16,)),  # Uzcard
    Issuer("9860", "9860", (16,)),  # Humo
    Issuer("9112", "9112", (16,)),  # Belkart
    Issuer("9417", "9417", (16,)),  # Elcart
    Issuer("9051", "9051", (16,)),  # ArCa
    Issuer("9792", "9792", (16,)),  # Troy
)


def is_number(digits: str) -> bool:
    """Whether these digits are a payment card's number: issuer, length and check digit."""
    return len(digits) in lengths_of(digits[:BEGINNING]) and luhn_holds(digits)


def is_usual(digits: str) -> bool:
    """A number of the length that nearly all of its issuer's have."""
    match len(digits):
        case 16:
            return is_number(digits)
        case 15:
            return digits.startswith(("34", "37")) and luhn_holds(digits)
        case 14:
            return digits.startswith("3") and is_number(digits)
        case _:
            return False


def luhn_holds(digits: str) -> bool:
    """The last digit is the Luhn check digit of those before it."""
    signs = digits.encode()
    alone = signs[-1::-2]
    return (sum(alone) - NOUGHT * len(alone) + sum(signs[-2::-2].translate(DOUBLED))) % 10 == 0


def is_product(digits: str) -> bool:
    """Whether these digits are the number of an article, GTIN-12, 13 or 14, by their check digit."""
    return len(digits) in (12, 13, 14) and gtin_holds(digits)


def gtin_holds(digits: str) -> bool:
    """The last digit is the check digit of GS1."""
    return (3 * sum(map(int, digits[-2::-2])) + sum(map(int, digits[-1::-2]))) % 10 == 0


@lru_cache(maxsize=10_000)
def lengths_of(beginning: str) -> tuple[int, ...]:
    """How long numbers are that begin with these four digits; empty when nobody issues such."""
    issuers = (issuer for issuer in ISSUERS if issuer.first <= beginning[: len(issuer.first)] <= issuer.last)
    return tuple(sorted({length for issuer in issuers for length in issuer.lengths}))
