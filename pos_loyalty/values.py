"""The base of every value, the number types, and the one way in and out of JSON. Nothing here is a float."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any, NewType, TypeVar, dataclass_transform

import msgspec

from pos_loyalty.errors import InputError
from pos_loyalty.payment_cards import holds_number

Minor = NewType("Minor", int)
"""Money in minor units of the currency (kopecks)."""
Points = NewType("Points", int)
"""Points in hundredths."""
BasisPoints = NewType("BasisPoints", int)
"""Rates: 10,000 is 100 %."""

MILLI_PER_UNIT = 1000
BP_PER_UNIT = 10_000
CENTI_PER_POINT = 100
PARTS = ("$.basket", "$.member.", "$.state.")
"""Parts of a question: a place in them has one name, whatever they are sent in, such as ``basket.lines[0].quantity``."""
QUANTITY_PATTERN = re.compile(r"(0|[1-9][0-9]{0,6})(?:\.([0-9]{1,3}))?", re.ASCII)
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
MONTH_DAY_PATTERN = r"^[0-9]{2}-[0-9]{2}$"
DAY_OF_YEAR_PATTERN = (
    r"^(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))$"
)
"""A month and a day that there is in some year."""
_NEARLY_DECIMAL = re.compile(r"([-\u2212])?[0-9]{1,16}(?:[.,]([0-9]{1,16}))?%?", re.ASCII)

PAYMENT_CARD = "looks like a payment card's number, of which nothing may be kept: leave it out"

T = TypeVar("T")


class Thousandths(int):
    """A quantity in thousandths. In JSON it is a decimal string: ``"2"``, ``"0.345"``."""

    @property
    def text(self) -> str:
        """The shortest decimal string, as JSON and people see it."""
        whole, rest = divmod(int(self), MILLI_PER_UNIT)
        return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every value: frozen, built by keyword (mypy holds it), strict when decoded.

    A class whose required fields follow optional ones says ``kw_only=True`` itself: msgspec does not hand that down, and a
    metaclass that did would make every value three times as dear to build.
    """


def quantity(text: str) -> Thousandths:
    """Read a decimal string of at most seven whole and three decimal digits. Raises ValueError."""
    match = QUANTITY_PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text[:20]}" is not a quantity: {decimal_hint(text, 3)}write a decimal such as "2" or "0.345"')
    whole, rest = match.group(1), match.group(2) or ""
    return Thousandths(int(whole) * MILLI_PER_UNIT + int(rest.ljust(3, "0")))


def refuse_numbers(**words: str) -> None:
    """Raises InputError, with the name, for words of a person in which a payment card's number stands."""
    for name, text in words.items():
        if holds_number(text, closely=True):
            raise InputError(name, PAYMENT_CARD)


def decimal_hint(text: str, digits: int) -> str:
    """What is wrong with a decimal, for people, ready to stand before its mend; empty when it is none at all."""
    match = _NEARLY_DECIMAL.fullmatch(text)
    if match is None:
        return ""
    if match.group(1):
        return "it may not be negative; "
    if "," in text:
        return "the decimal sign is a point, not a comma; "
    if len(match.group(2) or "") > digits:
        return f"at most {digits} digits stand after the point; " if digits else "no digits stand after the point; "
    return ""


def prepare(kind: Any) -> None:
    """Have msgspec lay out a type before its first use: two threads that do it at once crash the process."""
    if kind not in _LAID_OUT:
        with _LAYING_OUT:
            msgspec.json.Decoder(kind)
            _LAID_OUT.add(kind)


def decode(data: bytes | str, kind: type[T], *, place: str = "$") -> T:
    """Decode strict JSON into a value. Raises InputError naming the place in the document; ``place`` is that of the whole."""
    prepare(kind)
    try:
        return msgspec.json.decode(data, type=kind, dec_hook=_from_json)
    except msgspec.ValidationError as error:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise _fault_of(error, kind, msgspec.json.decode(data), place) from error
        raise _placed(*_plainly(str(error)), place) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(place, f"is not JSON: {error}") from error


def convert(data: object, kind: type[T], *, place: str = "$") -> T:
    """Turn plain objects (TOML, JSON already read) into a value. Raises InputError naming the place."""
    prepare(kind)
    try:
        return msgspec.convert(data, type=kind, dec_hook=_from_json)
    except msgspec.MsgspecError as error:
        raise _fault_of(error, kind, data, place) from error


def encode(value: object) -> bytes:
    """Canonical JSON: fields in declared order, mappings sorted by key; the same value gives the same bytes."""
    return _ENCODER.encode(value)


def _from_json(kind: type[Any], data: object) -> object:
    if kind is Thousandths:
        if not isinstance(data, str):
            raise ValueError('a quantity is a decimal string such as "2" or "0.345"')
        return _known_quantity(data)
    raise TypeError(f"{kind!r} has no JSON form")


def _to_json(value: object) -> object:
    if isinstance(value, Thousandths):
        return _known_text(value)
    if isinstance(value, int):  # a figure of a programme that went into an answer
        return int(value)
    raise TypeError(f"{type(value)!r} has no JSON form")


_known_quantity = lru_cache(maxsize=4096)(quantity)
_known_text = lru_cache(maxsize=4096)(Thousandths.text.fget)  # type: ignore[attr-defined]
_LAID_OUT: set[Any] = set()
_LAYING_OUT = Lock()
_ENCODER = msgspec.json.Encoder(enc_hook=_to_json, order="deterministic")


def _fault_of(error: Exception, kind: object, given: object, place: str) -> InputError:
    from pos_loyalty.misread import misread  # what is sound needs none of it

    return _placed(*(misread(kind, given, _from_json) or _plainly(str(error))), place)


def _placed(where: str, message: str, place: str) -> InputError:
    if place == "$" and where.startswith(PARTS):
        return InputError(where.removeprefix("$."), message)
    return InputError(where.replace("$", place, 1), message)


def _plainly(text: str) -> tuple[str, str]:
    message, _, where = text.rpartition(" - at `")
    return (where.rstrip("`"), message) if message else ("$", text)
