"""Is what was read a payment card? Then the whole of it is refused. Nothing here keeps or says a number."""

from __future__ import annotations

import re

from drivers.check_digits import gtin_holds, luhn_holds
from drivers.ports import Symbology
from pos_loyalty.payment_cards import DIGITS_MAX, DIGITS_MIN
from pos_loyalty.payment_cards import holds_number as holds_number

PAYMENT_DIGITS = re.compile(f"[0-9]{{{DIGITS_MIN},{DIGITS_MAX}}}")
GTIN_DIGITS_MAX = 14
IMEI_DIGITS = 15
"""A telephone's own number has a Luhn digit too."""
ISSUED_WITH_15 = ("34", "37", "1", "2131", "50", "56", "57", "58", "6")
"""American Express, UATP, JCB of old, Maestro. No IMEI begins so: they begin with 01, 35, 86, 91, 98 or 99."""
BANK_STRIPE = re.compile(r"%?B[0-9]{12,19}\^|;[0-9]{12,19}=")
"""Tracks 1 and 2, wherever they stand. **Source:** ISO/IEC 7813."""


def is_payment_card(code: str, symbology: Symbology | None = None) -> bool:
    """13 to 19 digits with a Luhn check digit, a bank card's stripe, or an issuer's number in a text around it.

    A product is not one: what the reader calls EAN, or 13 or 14 digits with a GTIN check digit. Spaces and dashes hide nothing.
    Ask only when no nomenclature of the shop holds.
    """
    if symbology in ("ean13", "ean8"):
        return False
    digits = code.replace(" ", "").replace("-", "")
    whole = PAYMENT_DIGITS.fullmatch(digits) is not None and _is_number(digits)
    return whole or BANK_STRIPE.search(code) is not None or holds_number(code)


def _is_number(digits: str) -> bool:
    if len(digits) == IMEI_DIGITS and not digits.startswith(ISSUED_WITH_15):
        return False
    return luhn_holds(digits) and (len(digits) > GTIN_DIGITS_MAX or not gtin_holds(digits))
