"""Figures as people write them in a programme: "150.00", "7.5%", "17:00". Each becomes a whole number once, here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pos_loyalty.engine.model import CENTI_MAX, MINOR_MAX
from pos_loyalty.values import BP_PER_UNIT, Thousandths, decimal_hint, quantity

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * 60
MULTIPLIER_MAX = 100
SHOWN_MAX = 20

_PERCENT = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,2}))?%", re.ASCII)
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,15})(?:\.([0-9]{1,3}))?", re.ASCII)
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)


class MoneyFigure(int):
    """Minor units, written "150.00"."""


class RateFigure(int):
    """Basis points, 0 to 10,000, written "7.5%"."""


class PointsRateFigure(int):
    """Basis points of money that are given as points, 0 to 1,000,000, written "5%" or "1000%"."""


class PointsFigure(int):
    """Hundredths of a point, written "0.5"."""


class MultiplierFigure(int):
    """Hundredths of one time, written "2" or "1.5"."""


class MinuteFigure(int):
    """Minutes since midnight, 0 to 1440, written "17:00"; "24:00" is the end of the day."""


def reader(exponent: int) -> Callable[[type[Any], object], object]:
    """A msgspec decode hook for a currency with that many digits after the point. It raises ValueError with a sentence."""

    def read(kind: type[Any], data: object) -> object:
        if kind is Thousandths and isinstance(data, int):
            return quantity(str(data))
        if not isinstance(data, str):
            raise ValueError(f"{_shown(data)} is not {_EXAMPLES.get(kind, 'a figure')} in quotation marks")
        if kind is MoneyFigure:
            return _money(data, exponent)
        if kind is RateFigure:
            return RateFigure(_rate(data, BP_PER_UNIT, "100%"))
        if kind is PointsRateFigure:
            return PointsRateFigure(_rate(data, 100 * BP_PER_UNIT, "10000%"))
        if kind is PointsFigure:
            return PointsFigure(_decimal(data, 2, CENTI_MAX, ("points", 'write them such as "1" or "0.5"')))
        if kind is MultiplierFigure:
            wanted = f'write one from "0" to "{MULTIPLIER_MAX}"'
            return MultiplierFigure(_decimal(data, 2, MULTIPLIER_MAX * 100, ("a multiplier", wanted)))
        if kind is MinuteFigure:
            return _minute(data)
        if kind is Thousandths:
            return quantity(data)
        raise TypeError(f"{kind!r} has no text form")

    return read


_EXAMPLES = {
    MoneyFigure: 'money such as "150.00"',
    RateFigure: 'a rate such as "7.5%"',
    PointsRateFigure: 'a rate such as "5%"',
    PointsFigure: 'points such as "1" or "0.5"',
    MultiplierFigure: 'a multiplier such as "2"',
    MinuteFigure: 'a time such as "17:00"',
    Thousandths: 'a quantity such as "2"',
}


def money_figure(text: str, exponent: int) -> MoneyFigure:
    """Money as people write it, outside TOML. Raises ValueError with a sentence."""
    return _money(text, exponent)


def money_text(minor: int, exponent: int) -> str:
    """Minor units as people write them: 15000 is "150.00"."""
    return _text(minor, exponent)


def points_text(centi: int) -> str:
    """Hundredths of a point as people write them: always with two digits after the point."""
    return _text(centi, 2)


def quantity_text(milli: int) -> str:
    """Thousandths as the shortest decimal."""
    return Thousandths(milli).text


def minute_text(minute: int) -> str:
    """Minutes since midnight as "17:00"."""
    return f"{minute // MINUTES_PER_HOUR:02d}:{minute % MINUTES_PER_HOUR:02d}"


def _text(amount: int, exponent: int) -> str:
    if not exponent:
        return str(int(amount))
    digits = str(abs(amount)).zfill(exponent + 1)
    return f"{'-' if amount < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def _shown(data: object) -> str:
    return f'"{data[:SHOWN_MAX]}"' if isinstance(data, str) else str(data)[:SHOWN_MAX]


def _decimal(text: str, digits: int, highest: int, what: tuple[str, str]) -> int:
    """``what``: the name of such a figure, and how to write it."""
    match = _DECIMAL.fullmatch(text)
    rest = (match.group(2) or "") if match else ""
    if match is None or len(rest) > digits:
        raise ValueError(f"{_shown(text)} is not {what[0]}: {decimal_hint(text, digits)}{what[1]}")
    figure = int(match.group(1)) * int(10**digits) + int(rest.ljust(digits, "0") or "0")
    if figure > highest:
        raise ValueError(f"{_shown(text)} is too much")
    return figure


def _money(text: str, exponent: int) -> MoneyFigure:
    example = money_text(15_000, exponent) if exponent else "150"
    return MoneyFigure(_decimal(text, exponent, MINOR_MAX, ("money", f'write it such as "{example}"')))


def _rate(text: str, highest: int, shown: str) -> int:
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f'{_shown(text)} is not a rate: {decimal_hint(text, 2)}write it such as "7.5%"')
    rate_bp = int(match.group(1)) * 100 + int((match.group(2) or "").ljust(2, "0"))
    if rate_bp > highest:
        raise ValueError(f"{_shown(text)} is more than {shown}")
    return rate_bp


def _minute(text: str) -> MinuteFigure:
    match = _CLOCK.fullmatch(text)
    minute = int(match.group(1)) * MINUTES_PER_HOUR + int(match.group(2)) if match else MINUTES_PER_DAY + 1
    if minute > MINUTES_PER_DAY:
        raise ValueError(f'{_shown(text)} is not a time: write it such as "17:00"')
    return MinuteFigure(minute)
