"""The base of every value, the number types, and the one way in and out of JSON. Nothing here is a float."""

from __future__ import annotations

import re
from typing import Any, NewType, TypeVar, dataclass_transform

import msgspec

from pos_loyalty.errors import InputError

Minor = NewType("Minor", int)
"""Money in minor units of the currency (kopecks)."""
Points = NewType("Points", int)
"""Points in hundredths."""
BasisPoints = NewType("BasisPoints", int)
"""Rates: 10,000 is 100 %."""

MILLI_PER_UNIT = 1000
BP_PER_UNIT = 10_000
CENTI_PER_POINT = 100
QUANTITY_PATTERN = re.compile(r"(0|[1-9][0-9]{0,6})(?:\.([0-9]{1,3}))?", re.ASCII)

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
        raise ValueError(f'"{text[:20]}" is not a quantity: write a decimal such as "2" or "0.345"')
    whole, rest = match.group(1), match.group(2) or ""
    return Thousandths(int(whole) * MILLI_PER_UNIT + int(rest.ljust(3, "0")))


def decode(data: bytes | str, kind: type[T], *, place: str = "$") -> T:
    """Decode strict JSON into a value. Raises InputError naming the place in the document."""
    try:
        return msgspec.json.decode(data, type=kind, dec_hook=_from_json)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _input_error(error, place) from error


def convert(data: object, kind: type[T], *, place: str = "$") -> T:
    """Turn plain objects (TOML, JSON already read) into a value. Raises InputError naming the place."""
    try:
        return msgspec.convert(data, type=kind, dec_hook=_from_json)
    except msgspec.MsgspecError as error:
        raise _input_error(error, place) from error


def encode(value: object) -> bytes:
    """Canonical JSON: fields in declared order, mappings sorted by key; the same value gives the same bytes."""
    return _ENCODER.encode(value)


def _from_json(kind: type[Any], data: object) -> object:
    if kind is Thousandths:
        if not isinstance(data, str):
            raise ValueError('a quantity is a decimal string such as "2" or "0.345"')
        return quantity(data)
    raise TypeError(f"{kind!r} has no JSON form")


def _to_json(value: object) -> object:
    if isinstance(value, Thousandths):
        return value.text
    if isinstance(value, int):  # a figure of a programme that went into an answer
        return int(value)
    raise TypeError(f"{type(value)!r} has no JSON form")


_ENCODER = msgspec.json.Encoder(enc_hook=_to_json, order="deterministic")


def _input_error(error: Exception, place: str) -> InputError:
    text = str(error)
    message, found, where = text.rpartition(" - at `")
    if not found:
        return InputError(place, text)
    return InputError(where.rstrip("`").replace("$", place, 1), message)
