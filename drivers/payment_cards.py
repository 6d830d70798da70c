"""Is there a payment card's number in what was read? Then the whole of it is refused. Nothing here keeps or says a number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from drivers.check_digits import gtin_holds, luhn_holds
from drivers.ports import Symbology

DIGITS_MIN, DIGITS_MAX = 13, 19
PAYMENT_DIGITS = re.compile(f"[0-9]{{{DIGITS_MIN},{DIGITS_MAX}}}")
GTIN_DIGITS_MAX = 14
GROUPS = re.compile(r"[0-9]+(?:[ \u00a0-][0-9]+)*")
"""Digits, and single spaces or dashes between them, as a number is printed."""
BANK_STRIPE = re.compile(r"%?B[0-9]{12,19}\^|;[0-9]{12,19}=")
"""Tracks 1 and 2, wherever they stand. **Source:** ISO/IEC 7813."""
BANK_STARTS = ((2200, 2204), (2221, 2720), (3000, 6999))
"""The first four digits that issuers of payment cards have: Mir, Mastercard's second range, and all that begins with 3 to 6."""


def is_payment_card(code: str, symbology: Symbology | None = None) -> bool:
    """13 to 19 digits with a Luhn check digit, a bank card's stripe, or such a number in a text around it.

    A product is not one: what the reader calls EAN, or 13 or 14 digits with a GTIN check digit. Spaces and dashes hide nothing.
    Ask only when no nomenclature of the shop holds.
    """
    if symbology in ("ean13", "ean8"):
        return False
    digits = code.replace(" ", "").replace("-", "")
    whole = PAYMENT_DIGITS.fullmatch(digits) is not None and _is_number(digits)
    return whole or BANK_STRIPE.search(code) is not None or has_bank_number(code)


def has_bank_number(text: str) -> bool:
    """Somewhere in it stand 13 to 19 digits, perhaps in groups, as a bank numbers its cards."""
    return any(begins_as_bank(digits) and _is_number(digits) for digits in _runs(text))


def begins_as_bank(digits: str) -> bool:
    """Whether a number that begins so can be a payment card's; fewer than four digits leave it open."""
    low, high = int(digits[:4].ljust(4, "0")), int(digits[:4].ljust(4, "9"))
    return any(low <= last and first <= high for first, last in BANK_STARTS)


def _is_number(digits: str) -> bool:
    return luhn_holds(digits) and (len(digits) > GTIN_DIGITS_MAX or not gtin_holds(digits))


def _runs(text: str) -> Iterator[str]:
    """Every way in which whole groups that stand side by side make 13 to 19 digits."""
    for match in GROUPS.finditer(text):
        groups = re.split("[^0-9]", match.group())
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > DIGITS_MAX:
                    break
                if len(digits) >= DIGITS_MIN:
                    yield digits
