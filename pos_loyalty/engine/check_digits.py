"""Check digits: a sign or two at the end of a code by which a slip of the hand is seen.

``luhn``: one digit; letters before it do not count. **Source:** ISO/IEC 7812-1, annex B.
``mod10``: one digit with weights 3 and 1 from the right, as in EAN-13; letters do not count. **Source:** GS1 General
Specifications, 7.9.1.
``mod97``: two digits; letters count as 10 to 35, as in an IBAN. **Source:** ISO/IEC 7064, MOD 97-10.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pos_loyalty.engine.money import rest_in

Check = Literal["luhn", "mod10", "mod97"]
CHECK_SIGNS: Mapping[Check, int] = {"luhn": 1, "mod10": 1, "mod97": 2}


def checked(text: str, check: Check) -> str:
    """The text with its check digits. ``text`` is Latin capitals, digits and hyphens."""
    return f"{text}{_signs(text, check)}"


def has_check(code: str, check: Check) -> bool:
    """Whether a code ends with its right check digits."""
    signs = CHECK_SIGNS[check]
    return len(code) > signs and code[-signs:] == _signs(code[:-signs], check)


def _signs(text: str, check: Check) -> str:
    digits = _digits(text)
    if check == "luhn":
        return _to_ten(sum(map(_doubled, digits[::2])) + sum(digits[1::2]))
    if check == "mod10":
        return _to_ten(3 * sum(digits[::2]) + sum(digits[1::2]))
    return f"{98 - rest_in(_number(text) * 100, 97):02d}"


def _to_ten(total: int) -> str:
    """What is missing to the next whole ten."""
    return str(rest_in(10 - rest_in(total, 10), 10))


def _digits(text: str) -> list[int]:
    """From the right."""
    return [int(sign) for sign in reversed(text) if sign in "0123456789"]


def _doubled(digit: int) -> int:
    return 2 * digit - 9 if digit > 4 else 2 * digit


def _number(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text if sign.isascii() and sign.isalnum()) or "0")
