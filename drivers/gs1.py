"""GS1 element strings: application identifiers with their values, and «Честный знак» marks, which are kept whole.

**Source:** GS1 General Specifications, 3.2 and 7.8.6. ``FNC1`` inside a code arrives as GS (0x1D).
"""

from __future__ import annotations

import re

from drivers.check_digits import gtin_holds

GS = "\x1d"
ELEMENTS_MAX = 32
FIXED = {
    "00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "11": 6, "12": 6, "13": 6, "14": 6, "15": 6, "16": 6, "17": 6, "18": 6,
    "19": 6, "20": 2, "31": 6, "32": 6, "33": 6, "34": 6, "35": 6, "36": 6, "41": 13,
}  # fmt: skip
"""Value lengths of identifiers that need no separator, by their first two digits."""
IDENTIFIER_SIGNS = {
    **dict.fromkeys(("23", "24", "25", "40", "41", "42"), 3),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"), 4),
    "71": 3,
}
"""How long an identifier is, by its first two digits; 2 when it is not here."""
KNOWN = re.compile("0[0-4]|1[0-9]|2[0-5]|3[0-7]|39|4[0-3]|7[0-2]|8[0-2]|9[0-9]")
VALUE_MAX = 90
MARK = re.compile(r"01(?P<gtin>[0-9]{14})21(?P<rest>[!-~\x1d]{4,120})")
"""A mark of a unit: GTIN, serial, and what proves them. **Source:** the marking code's format of «Честный знак»."""
TOBACCO = re.compile(r"(?P<gtin>[0-9]{14})(?P<rest>[!-~]{15})")
"""A pack of cigarettes: GTIN, serial 7, price 4, proof 4, without identifiers."""
WEIGHT_KG = "310"


def read_elements(text: str) -> dict[str, str] | None:
    """Identifier to value; None when the text does not split into elements to its end, or one stands twice with two values."""
    elements: dict[str, str] = {}
    rest = text.removeprefix(GS)
    while rest:
        begin = rest[:2]
        if not KNOWN.fullmatch(begin) or len(elements) == ELEMENTS_MAX:
            return None
        signs = IDENTIFIER_SIGNS.get(begin, 2)
        identifier, rest = rest[:signs], rest[signs:]
        length = FIXED.get(begin)
        value, rest = (rest[:length], rest[length:].removeprefix(GS)) if length else _until_separator(rest)
        if not identifier.isdecimal() or not _is_value(value, length) or elements.setdefault(identifier, value) != value:
            return None
    return elements or None


def gtin_of(elements: dict[str, str]) -> str | None:
    """The product's number, without the noughts that fill it up to 14; None when there is none or its check digit is wrong."""
    gtin = elements.get("01", "")
    return shelf_number(gtin) if gtin_holds(gtin) else None


def shelf_number(gtin: str) -> str:
    """A GTIN as the shelf knows it: 14 digits that begin with a nought are an EAN-13; others stand."""
    return gtin[1:] if len(gtin) == 14 and gtin.startswith("0") else gtin


def weight_milli(elements: dict[str, str]) -> int | None:
    """Net weight in thousandths of a kilogram; None when it is not told, or finer than that."""
    for identifier, value in elements.items():
        if identifier.startswith(WEIGHT_KG):
            places = int(identifier[3])
            return int(value) * 10 ** (3 - places) if places <= 3 else None
    return None


def mark_gtin(text: str) -> str | None:
    """The product's number of a marked unit, with its separators or without them; None when it is not a mark."""
    found = MARK.fullmatch(text) or TOBACCO.fullmatch(text)
    if found is None or not gtin_holds(found["gtin"]):
        return None
    return shelf_number(found["gtin"])


def _until_separator(rest: str) -> tuple[str, str]:
    value, _, after = rest.partition(GS)
    return value, after


def _is_value(value: str, length: int | None) -> bool:
    if length:
        return len(value) == length and value.isdecimal() and value.isascii()
    return 0 < len(value) <= VALUE_MAX and all("!" <= sign <= "~" or sign == " " for sign in value)
