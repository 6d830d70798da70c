"""Check digits of printed codes: the last digit says whether the others were read right. Pure; digits 0 to 9 only."""

from __future__ import annotations

import re

DIGITS = re.compile("[0-9]+")
DAMM_TABLE = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
"""**Source:** H. Michael Damm, Total anti-symmetrische Quasigruppen (2004), the quasigroup of order 10."""


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


def damm_holds(digits: str) -> bool:
    """The last digit is the Damm check digit of those before it: every slip of one digit and every swap of two is seen."""
    return len(digits) >= 2 and DIGITS.fullmatch(digits) is not None and damm_digit(digits) == "0"


def damm_digit(digits: str) -> str:
    """The Damm check digit that belongs behind these digits."""
    interim = 0
    for digit in digits:
        interim = DAMM_TABLE[interim][int(digit)]
    return str(interim)
