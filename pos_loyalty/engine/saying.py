"""How figures and days are said in Russian and English, from the texts that stand in a quote. Money has the currency's digits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from pos_loyalty.engine.figures import money_text, points_text

Language = Literal["ru", "en"]
NO_BREAK = "\u00a0"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS_RU = {"mon": "пн", "tue": "вт", "wed": "ср", "thu": "чт", "fri": "пт", "sat": "сб", "sun": "вс"}

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})")
_MONTH_DAY = re.compile(r"([0-9]{2})-([0-9]{2})")


def figure(text: str, language: Language) -> str:
    """A figure as it stands in a quote, in the language's form: "1234.50" is "1 234,50" or "1,234.50". Other text stays."""
    number = _NUMBER.fullmatch(text)
    if number is not None:
        sign, whole, rest = number.groups()
        grouped = f"{int(whole):,}"
        grouped = grouped.replace(",", NO_BREAK) if language == "ru" else grouped
        point = "," if language == "ru" else "."
        return f"{'−' if sign else ''}{grouped}{point + rest if rest else ''}"
    moment = _MOMENT.fullmatch(text)
    if moment is not None:
        return f"{day(moment.group(1), language)} {moment.group(2)}"
    return day(text, language)


def is_figure(text: str) -> bool:
    """Whether a token is a bare number, a day or a moment."""
    return any(pattern.fullmatch(text) is not None for pattern in (_NUMBER, _DAY, _MOMENT, _MONTH_DAY))


def money(minor: int, exponent: int, language: Language) -> str:
    """Money without its currency: "1 234,50"."""
    return figure(money_text(minor, exponent), language)


def points(centi: int, language: Language) -> str:
    """Points with their word: "1 балл", "1,5 балла". **Source:** Unicode CLDR, plural rules of ru and en."""
    text = points_text(centi)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if language == "en":
        return f"{figure(text, language)}{NO_BREAK}{'point' if centi == 100 else 'points'}"
    return f"{figure(text, language)}{NO_BREAK}{_form(text, ('балл', 'балла', 'баллов'))}"


def days(number: str, language: Language) -> str:
    """Days with their word: "1 день", "3 дня", "45 days"."""
    if language == "en":
        return f"{number} {'day' if number == '1' else 'days'}"
    return f"{number} {_form(number, ('день', 'дня', 'дней'))}"


def _form(number: str, forms: tuple[str, str, str]) -> str:
    """The Russian word that goes with one, with two to four and with fractions, with all others."""
    is_teen = len(number) > 1 and number[-2] == "1"
    if "." in number or (number[-1:] in ("2", "3", "4") and not is_teen):
        return forms[1]
    return forms[0] if number[-1:] == "1" and not is_teen else forms[2]


def day(text: str, language: Language) -> str:
    """A day such as 2026-11-21 or 05-17 in the language's form; other text stays."""
    whole = _DAY.fullmatch(text)
    if whole is not None:
        year, month, number = whole.groups()
        return f"{number}.{month}.{year}" if language == "ru" else f"{int(number)} {_month(month)} {year}"
    short = _MONTH_DAY.fullmatch(text)
    if short is not None:
        month, number = short.groups()
        return f"{number}.{month}" if language == "ru" else f"{int(number)} {_month(month)}"
    return text


def day_of(moment: datetime | date, language: Language) -> str:
    """The day of a moment in the zone that it carries."""
    return day(f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}", language)


def weekday(name: str, language: Language) -> str:
    """A day of the week."""
    return WEEKDAYS_RU.get(name, name) if language == "ru" else name.capitalize()


def ordinal(number: str, language: Language) -> str:
    """The third thing: "3-я", "3rd"."""
    if language == "ru":
        return f"{number}-я"
    ends: Mapping[str, str] = {"1": "st", "2": "nd", "3": "rd"}
    return f"{number}{'th' if number[-2:] in ('11', '12', '13') else ends.get(number[-1:], 'th')}"


def quoted(text: str, language: Language) -> str:
    """A title in quotation marks."""
    return f"«{text}»" if language == "ru" else f"“{text}”"


def listed(names: Sequence[str], language: Language) -> str:
    """Alternatives: "a, b или c"."""
    return _joined(names, "или" if language == "ru" else "or")


def all_listed(names: Sequence[str], language: Language) -> str:
    """One and all: "a, b и c"."""
    return _joined(names, "и" if language == "ru" else "and")


def _joined(names: Sequence[str], last: str) -> str:
    return "".join(names) if len(names) < 2 else f"{', '.join(names[:-1])} {last} {names[-1]}"


def _month(number: str) -> str:
    index = int(number) - 1
    return MONTHS[index] if 0 <= index < len(MONTHS) else number
