"""Where a payment card's number stands in a text. Pure; the one place that knows. Nothing here keeps or says a number.

A number is 13 to 19 digits of an issuer's range, of a length that this issuer has, with a Luhn check digit. It is seen in any
digits of Unicode, in groups with up to three signs between them, percent-encoded, with noughts before it, with its expiry or its
three secret digits behind it, and twice in a row.

Rule: what shops write every day is not taken for one: GTIN-13 and GTIN-14 with their own check digit, marks of units, UUIDs and
hashes, instants, phones behind a plus, IMEIs. **Source:** ISO/IEC 7812-1 (ranges, Luhn); issuers' ranges and lengths as they
publish them; ISO/IEC 7813 (what stands behind a number).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

DIGITS_MIN, DIGITS_MAX = 13, 19
HIDDEN = "*"
PHONE_DIGITS_MAX = 14
"""Behind a plus. E.164 allows 15; nobody has them, and American Express does."""
MARK_DIGITS_MIN = 15
"""A serial behind a GTIN has up to 13 digits of its own choice."""
PERCENT = re.compile(r"%(?P<byte>[0-9A-Fa-f]{2})")
JOINED_MAX = 3
GROUP_MIN = 3
GS = "\x1d"
"""It ends an element of a GS1 code: digits on both sides are not one number."""
NOT_CARDS = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?=[0-9-]*[A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|(?=[0-9]*[a-f])(?:[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})"
    r"|20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:[+-][0-9]{2}:[0-9]{2})?"
    r"|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])20[0-9]{2}(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
    r")(?![0-9A-Za-z])"
)
"""UUIDs and hashes, which have a letter somewhere, and instants."""
MARK = re.compile(r"^\x1d?(?:01(?P<plain>[0-9]{14})21|\(01\)(?P<bracketed>[0-9]{14})\(21\))")
"""A marked unit: its GTIN, then its serial. **Source:** the marking code's format of «Честный знак»."""
EXPIRY = re.compile(r"(?:[2-4][0-9](?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])[2-4][0-9])")
"""Year and month as on a stripe, or month and year as on the plastic."""
SECRET_DIGITS = 3


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
USUAL_LENGTHS = (16, 15)
"""Looked for in the midst of other digits: windows of 13 or 14 in any long number fit one issuer or another by chance."""
LIKELY = re.compile(r"(?:\d[\W_]{0,3}){13}")
"""So many digits in groups: what has none of it is looked at no further."""


class _Sign(NamedTuple):
    """One sign as it is judged, and where it stands in the text: a digit, a blank that joins, or anything else."""

    sign: str
    start: int
    end: int


class _Group(NamedTuple):
    digits: str
    start: int
    end: int
    joined: bool
    """To the group before."""
    plus: bool
    """A plus stands right before it."""


def holds_number(text: str, *, closely: bool = False, fewest: int = DIGITS_MIN) -> bool:
    """Whether a payment card's number stands somewhere in a text.

    ``closely``: also in the midst of a longer row of digits: for words that people write, where such rows have no business. One
    long number in six is then taken for one by chance. ``fewest``: the fewest digits that are looked at.
    """
    return next(_spans(text, closely=closely, fewest=fewest), None) is not None


def without_numbers(text: str, *, closely: bool = False) -> str:
    """The text with every payment card's number hidden, sign by sign; as it was when there is none."""
    signs: list[str] | None = None
    for start, end in _spans(text, closely=closely, fewest=DIGITS_MIN):
        signs = signs or list(text)
        signs[start:end] = HIDDEN * (end - start)
    return text if signs is None else "".join(signs)


def is_number(digits: str) -> bool:
    """Whether these digits are a payment card's number: issuer, length and check digit."""
    return _has_issuer(digits) and luhn_holds(digits)


def luhn_holds(digits: str) -> bool:
    """The last digit is the Luhn check digit of those before it."""
    odd = sum(map(int, digits[-1::-2]))
    return (odd + sum(DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _has_issuer(digits: str) -> bool:
    length = len(digits)
    return any(length in issuer.lengths and issuer.first <= digits[: len(issuer.first)] <= issuer.last for issuer in ISSUERS)


def _spans(text: str, *, closely: bool, fewest: int) -> Iterator[tuple[int, int]]:
    """Where numbers stand, by start and end; they may overlap."""
    if not _may_hold(text):
        return
    mark = MARK.match(text)
    begin = 0
    if mark is not None and _gtin_holds(mark["plain"] or mark["bracketed"]):
        begin, fewest = mark.end(), max(fewest, MARK_DIGITS_MIN)
    blanked = NOT_CARDS.sub(lambda found: "x" * len(found.group()), text)
    readings = [_signs(blanked, begin)]
    if "%" in blanked:
        readings.append(_decoded(blanked, begin))
    for signs in readings:
        groups = _groups(signs)
        if sum(len(group.digits) for group in groups) >= fewest:
            yield from _numbers(groups, closely, fewest)


def _may_hold(text: str) -> bool:
    """A quick look: nearly every text ends here."""
    if len(text) < DIGITS_MIN:
        return False
    if text.isdecimal() and text.isascii() and _is_product(text):
        return False
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return LIKELY.search(plain) is not None or ("%" in plain and PERCENT.search(plain) is not None)


def _signs(text: str, begin: int) -> list[_Sign]:
    return [sign for place in range(begin, len(text)) for sign in _read(text[place], place, place + 1)]


def _decoded(text: str, begin: int) -> list[_Sign]:
    """As it reads once percent-encoding is taken away; what is no ASCII joins."""
    signs: list[_Sign] = []
    place = begin
    while place < len(text):
        found = PERCENT.match(text, place)
        if found is None:
            signs += _read(text[place], place, place + 1)
            place += 1
            continue
        byte = int(found["byte"], 16)
        signs += _read(chr(byte) if byte < 0x80 else " ", place, found.end())
        place = found.end()
    return signs


def _read(sign: str, start: int, end: int) -> Iterator[_Sign]:
    if sign.isascii():
        yield _Sign(_plain(sign), start, end)
        return
    for each in unicodedata.normalize("NFKC", sign):
        digit = unicodedata.decimal(each, None)
        yield _Sign(_plain(each) if digit is None else str(digit), start, end)


def _plain(sign: str) -> str:
    """A digit or a plus as it is; a blank for what may stand inside a number; a letter for what ends it."""
    if "0" <= sign <= "9" or sign == "+":
        return sign
    return "x" if sign.isalnum() or sign == GS else " "


def _groups(signs: list[_Sign]) -> list[_Group]:
    groups: list[_Group] = []
    place, between = 0, JOINED_MAX + 1
    while place < len(signs):
        last = place
        while last < len(signs) and signs[last].sign.isdecimal():
            last += 1
        if last > place:
            digits = "".join(sign.sign for sign in signs[place:last])
            plus = place > 0 and signs[place - 1].sign == "+"
            groups.append(_Group(digits, signs[place].start, signs[last - 1].end, 0 < between <= JOINED_MAX, plus))
            place, between = last, 0
            continue
        between = JOINED_MAX + 1 if signs[place].sign == "x" else between + 1
        place += 1
    return groups


def _numbers(groups: list[_Group], closely: bool, fewest: int) -> Iterator[tuple[int, int]]:
    for first, group in enumerate(groups):
        if len(group.digits) >= fewest and _within(group.digits, closely, fewest) and not _is_phone(group, len(group.digits)):
            yield group.start, group.end
        yield from _joined(groups, first, fewest)


def _within(digits: str, closely: bool, fewest: int) -> bool:
    """Whether one row of digits is a number, or has one at its beginning with what stands behind numbers."""
    if len(digits) <= DIGITS_MAX and _counts(digits):
        return True
    bare = digits.lstrip("0")
    if bare != digits and len(bare) >= fewest and _within(bare, closely, fewest):
        return True
    if any(_begins(digits, length) for length in range(DIGITS_MIN, min(len(digits), DIGITS_MAX + 1))):
        return True
    return closely and any(
        _is_usual(digits[start : start + length])
        for length in USUAL_LENGTHS
        for start in range(len(digits) - length + 1)
        if length >= fewest
    )


def _begins(digits: str, length: int) -> bool:
    """A number, and behind it the number again, its expiry and perhaps more, or its secret digits."""
    number, behind = digits[:length], digits[length:]
    if not is_number(number):
        return False
    if behind.startswith(number):
        return True
    if EXPIRY.match(behind) is not None and (length > USUAL_LENGTHS[0] or _is_usual(number)):
        return True
    return len(behind) == SECRET_DIGITS and _is_usual(number)


def _is_usual(digits: str) -> bool:
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


def _counts(digits: str) -> bool:
    return is_number(digits) and not (len(digits) <= 14 and _gtin_holds(digits))


def _joined(groups: list[_Group], first: int, fewest: int) -> Iterator[tuple[int, int]]:
    """Whole groups that stand side by side, from the first on. A product's number is joined to nothing."""
    sizes = [len(groups[first].digits)]
    digits = groups[first].digits
    if _is_product(digits):
        return
    for group in groups[first + 1 :]:
        if not group.joined or _is_product(group.digits) or len(digits) + len(group.digits) > DIGITS_MAX:
            return
        digits += group.digits
        sizes.append(len(group.digits))
        is_long = len(digits) >= fewest and not _is_phone(groups[first], len(digits))
        if is_long and _is_spaced_so(sizes) and _counts(digits):
            yield groups[first].start, group.end


def _is_spaced_so(sizes: list[int]) -> bool:
    """Groups as people make them of a card's number; phones have pairs among other groups, and dates too."""
    return min(sizes[:-1]) >= GROUP_MIN or (len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0])


def _is_phone(group: _Group, length: int) -> bool:
    return group.plus and length <= PHONE_DIGITS_MAX


def _is_product(digits: str) -> bool:
    return len(digits) in (12, 13, 14) and _gtin_holds(digits)


def _gtin_holds(digits: str) -> bool:
    """The last digit is the check digit of GS1. **Source:** GS1 General Specifications, 7.9.1."""
    return (3 * sum(map(int, digits[-2::-2])) + sum(map(int, digits[-1::-2]))) % 10 == 0
