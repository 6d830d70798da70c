"""Where a payment card's number stands in a text. Pure; the one place that knows. Nothing here keeps or says a number.

A number is 13 to 19 digits of an issuer's range, of a length that this issuer has, with a Luhn check digit. It is seen in any
digits of Unicode, in groups with up to three signs between them, percent-encoded, with noughts before it, with its expiry or its
three secret digits behind it, and twice in a row.

Rule: what shops write every day is not taken for one: GTIN-13 and GTIN-14 with their own check digit, marks of units, UUIDs and
hashes, instants, phones behind a plus, IMEIs. The time it takes grows as the text does. **Source:** ISO/IEC 7813 (what stands
behind a number); whose a number is: ``payment_issuers.py``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from pos_loyalty.payment_issuers import BEGINNING, gtin_holds, is_product, is_usual, lengths_of
from pos_loyalty.payment_issuers import DIGITS_MAX as DIGITS_MAX
from pos_loyalty.payment_issuers import DIGITS_MIN as DIGITS_MIN
from pos_loyalty.payment_issuers import is_number as is_number

HIDDEN = "*"
PHONE_DIGITS_MAX = 14
"""Behind a plus. E.164 allows 15; nobody has them, and American Express does."""
PERCENT = re.compile(r"%(?P<byte>[0-9A-Fa-f]{2})")
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
ELEMENTS = re.compile(r"(?:\x1d|\([0-9]{2,4}\))")
IDENTIFIER_SIGNS = (0, 2, 3, 4)
SERIAL = re.compile(r"[0-9]{13}9[1-3]|[0-9]{7}8005|[0-9]{6}93")
"""A mark's serial of digits alone, with the element behind it, as a scanner sends them that loses separators."""
NEXT_ELEMENT = re.compile(r"9[1-3]|8005")
EXPIRY = re.compile(r"(?:[2-4][0-9](?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])[2-4][0-9])")
"""Year and month as on a stripe, or month and year as on the plastic."""
SECRET_DIGITS = 3
USUAL_LENGTHS = (16, 15)
"""Looked for in the midst of other digits: windows of 13 or 14 in any long number fit one issuer or another by chance."""
LIKELY = re.compile("(?:[0-9][ +]{0,3}){12}[0-9]")
"""So many digits in groups: what has none of it is looked at no further."""
ROW = re.compile("[0-9]+")
ROW_SIGNS = re.compile("[0-9]")
OWN_DIGITS_MIN = 6
"""A range of the shop's own names so many digits; so many name a bank."""
JOINS = re.compile("[ +]{1,3}")
DAY = re.compile(
    "(?<![0-9])(?:(?:0[1-9]|[12][0-9]|3[01]) (?:0[1-9]|1[0-2]) 20[0-9]{2}"
    "|20[0-9]{2} (?:0[1-9]|1[0-2]) (?:0[1-9]|[12][0-9]|3[01]))(?![0-9])"
)
KNOWN_SIGNS_MAX = 4096


class _Plain(dict[int, str]):
    """Signs as they are judged: a digit or a plus; a blank for what may stand inside a number; a letter for what ends it."""

    def __missing__(self, code: int) -> str:
        plain = "".join(_plain(sign) for sign in unicodedata.normalize("NFKC", chr(code)))
        if len(self) < KNOWN_SIGNS_MAX:
            self[code] = plain
        return plain


def _plain(sign: str) -> str:
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    if sign == "+":
        return sign
    return "x" if sign.isalnum() or sign == GS else " "


PLAIN = _Plain()


class _Reading(NamedTuple):
    """A text as it is judged, and where each of its signs stands in the text itself; None: where it stands here."""

    plain: str
    places: list[tuple[int, int]] | None


def holds_number(text: str, *, closely: bool = False, fewest: int = DIGITS_MIN) -> bool:
    """Whether a payment card's number stands somewhere in a text.

    ``closely``: also in the midst of a longer row of digits, and in groups of any size: for words that people write, where such
    rows have no business. One long number in six is then taken for one by chance. ``fewest``: the fewest digits looked at.
    """
    return next(_spans(text, closely=closely, fewest=fewest), None) is not None


def without_numbers(text: str, *, closely: bool = False) -> str:
    """The text with every payment card's number hidden, sign by sign; as it was when there is none."""
    signs: list[str] | None = None
    for start, end in _spans(text, closely=closely, fewest=DIGITS_MIN):
        signs = signs or list(text)
        signs[start:end] = HIDDEN * (end - start)
    return text if signs is None else "".join(signs)


def holds_foreign(text: str, prefix: str, *, closely: bool = False) -> bool:
    """Whether a text that begins with a prefix of the shop's own holds a number all the same.

    A number is the shop's own when it begins with at least six digits of the prefix. What stands behind the prefix is looked at
    by itself.
    """
    for start, _ in _spans(text, closely=closely, fewest=DIGITS_MIN):
        if len(ROW_SIGNS.findall(prefix[start:])) < OWN_DIGITS_MIN:
            return True
    digits = [found.start() for found in ROW_SIGNS.finditer(prefix)]
    begin = digits[-OWN_DIGITS_MIN] + 1 if closely and len(digits) >= OWN_DIGITS_MIN else len(prefix)
    return holds_number(text[begin:], closely=closely, fewest=USUAL_LENGTHS[-1])


def _spans(text: str, *, closely: bool, fewest: int) -> Iterator[tuple[int, int]]:
    """Where numbers stand, by start and end; they may overlap."""
    if len(text) < DIGITS_MIN or (text.isdecimal() and text.isascii() and is_product(text)):
        return
    mark = MARK.match(text)
    if mark is not None and gtin_holds(mark["plain"] or mark["bracketed"]):
        yield from _in_mark(text, mark.end())
        return
    if "%" not in text and LIKELY.search(text.translate(PLAIN)) is None:
        return
    blanked = NOT_CARDS.sub(lambda found: "x" * len(found.group()), text)
    readings = [_read(blanked)]
    if "%" in blanked:
        readings.append(_decoded(blanked))
    for plain, places in readings:
        if LIKELY.search(plain) is None:
            continue
        for start, end in _numbers(plain, closely, fewest):
            yield (start, end) if places is None else (places[start][0], places[end - 1][1])


def _read(text: str) -> _Reading:
    plain = text.translate(PLAIN)
    if len(plain) == len(text):
        return _Reading(plain, None)
    return _Reading(plain, [(place, place + 1) for place, sign in enumerate(text) for _ in PLAIN[ord(sign)]])


def _decoded(text: str) -> _Reading:
    """As it reads once percent-encoding is taken away; what is no ASCII joins."""
    signs: list[str] = []
    places: list[tuple[int, int]] = []
    place = 0
    while place < len(text):
        found = PERCENT.match(text, place)
        byte = int(found["byte"], 16) if found else ord(text[place])
        end = found.end() if found else place + 1
        plain = " " if found and byte >= 0x80 else PLAIN[byte]
        signs.append(plain)
        places += [(place, end)] * len(plain)
        place = end
    return _Reading("".join(signs), places)


def _in_mark(text: str, begin: int) -> Iterator[tuple[int, int]]:
    """Numbers that fill an element of a marked unit, or begin its serial: a serial has up to 13 digits of its own choice."""
    place = begin
    for separator in [*ELEMENTS.finditer(text, begin), None]:
        end = len(text) if separator is None else separator.start()
        element = text[place:end]
        if len(element) >= USUAL_LENGTHS[-1] and _is_in_element(element, is_serial=place == begin):
            yield place, end
        place = end if separator is None else separator.end()


def _is_in_element(element: str, *, is_serial: bool) -> bool:
    for reading in (_read(element), _decoded(element)) if "%" in element else (_read(element),):
        bare = reading.plain.replace(" ", "").replace("+", "")
        values = [bare[signs:] for signs in ((0,) if is_serial else IDENTIFIER_SIGNS)]
        if bare.isdecimal() and any(len(value) in USUAL_LENGTHS and is_usual(value) for value in values):
            return True
        row = ROW.match(bare)
        if is_serial and row is not None and SERIAL.match(bare) is None and _begins_serial(row.group()):
            return True
    return False


def _begins_serial(row: str) -> bool:
    for length in USUAL_LENGTHS:
        number, behind = row[:length], row[length:]
        if is_usual(number) and (not behind or NEXT_ELEMENT.match(behind) is not None or _begins(row, length)):
            return True
    return False


def _numbers(plain: str, closely: bool, fewest: int) -> Iterator[tuple[int, int]]:
    rows = [found.span() for found in ROW.finditer(plain)]
    for start, end in rows:
        if end - start >= fewest and _within(plain[start:end], closely, fewest) and not _is_phone(plain, start, end - start):
            yield start, end
    for run in _runs(plain, rows, closely):
        if run[-1][1] - run[0][0] > fewest:
            yield from _joined(plain, run, closely, fewest)


def _within(digits: str, closely: bool, fewest: int) -> bool:
    """Whether one row of digits is a number, or has one at its beginning with what stands behind numbers."""
    if len(digits) <= DIGITS_MAX and _counts(digits):
        return True
    bare = digits.lstrip("0")
    if bare != digits and len(bare) >= fewest and _within(bare, closely, fewest):
        return True
    if any(length < len(digits) and _begins(digits, length) for length in lengths_of(digits[:BEGINNING])):
        return True
    return closely and any(
        length in lengths_of(digits[start : start + BEGINNING]) and is_usual(digits[start : start + length])
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
    if EXPIRY.match(behind) is not None and (length > USUAL_LENGTHS[0] or is_usual(number)):
        return True
    return len(behind) == SECRET_DIGITS and is_usual(number)


def _counts(digits: str) -> bool:
    return is_number(digits) and not (len(digits) <= 14 and gtin_holds(digits))


def _runs(plain: str, rows: list[tuple[int, int]], closely: bool) -> Iterator[list[tuple[int, int]]]:
    """Groups of digits that stand side by side. A product's number is joined to nothing; in words 12 digits are no product."""
    run: list[tuple[int, int]] = []
    for start, end in rows:
        if run and JOINS.fullmatch(plain, run[-1][1], start) is None:
            if len(run) > 1:
                yield run
            run = []
        if end - start > 11 + closely and is_product(plain[start:end]):
            if len(run) > 1:
                yield run
            run = []
            continue
        run.append((start, end))
    if len(run) > 1:
        yield run


def _joined(plain: str, run: list[tuple[int, int]], closely: bool, fewest: int) -> Iterator[tuple[int, int]]:
    """Numbers that whole groups make, wherever they begin."""
    digits = "".join([plain[start:end] for start, end in run])
    begins: list[int] = []
    ends: dict[int, int] = {}
    total = 0
    for place, (start, end) in enumerate(run):
        begins.append(total)
        total += end - start
        ends[total] = place
    for first, begin in enumerate(begins):
        for length in lengths_of(digits[begin : begin + BEGINNING]):
            last = ends.get(begin + length)
            if last is None or last == first or length < fewest or not _counts(digits[begin : begin + length]):
                continue
            groups = run[first : last + 1]
            is_spaced = _is_spaced_so(groups) or (closely and length in USUAL_LENGTHS and _is_close(plain, groups, length))
            if is_spaced and not _is_phone(plain, groups[0][0], length):
                yield groups[0][0], groups[-1][1]


def _is_spaced_so(groups: list[tuple[int, int]]) -> bool:
    """Groups as people make them of a card's number, or a spreadsheet of any; phones have pairs among other groups, dates too."""
    sizes = [end - start for start, end in groups]
    if min(sizes[:-1]) >= GROUP_MIN or (len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]):
        return True
    return sizes[0] <= GROUP_MIN and set(sizes[1:]) == {GROUP_MIN}


def _is_close(plain: str, groups: list[tuple[int, int]], length: int) -> bool:
    """Groups of any size with one sign between them, and no day among them."""
    stands = plain[groups[0][0] : groups[-1][1]]
    return len(stands) == length + len(groups) - 1 and DAY.search(stands) is None


def _is_phone(plain: str, start: int, length: int) -> bool:
    return length <= PHONE_DIGITS_MAX and plain[start - 1 : start] == "+"
