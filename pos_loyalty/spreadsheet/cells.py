"""What stands in a cell, as people write it: money with a comma, dates, yes and no. Each raises ValueError with a sentence.

Rule: no float. Figures are brought into the one plain form and read by the same exact readers as a programme's.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from pos_loyalty.engine.figures import PointsFigure, RateFigure, money_figure, reader
from pos_loyalty.values import Minor, Points

TEXT_SIGNS_MAX = 256
SHOWN_MAX = 30
LOST = "#DIGITS!"
FAULTS = {
    LOST: "a number of more than 15 digits has lost its last ones; format the column as text and enter it again",
    **dict.fromkeys(
        ("#N/A", "#Н/Д", "#REF!", "#ССЫЛКА!", "#DIV/0!", "#ДЕЛ/0!", "#VALUE!", "#ЗНАЧ!", "#NAME?", "#ИМЯ?", "#NUM!", "#ЧИСЛО!"),
        "the formula in this cell gave an error; mend it",
    ),
}
YES = frozenset({"yes", "y", "true", "1", "+", "x", "да", "д", "истина", "х", "v", "✓"})
NO = frozenset({"", "no", "n", "false", "0", "-", "нет", "н", "ложь"})
YEAR_MIN, YEAR_MAX = 1900, 2200
LISTED_MAX = 64

_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": None, "\ufeff": None})
_MONEY_SIGN = re.compile(r"(?:₽|руб\.?|р\.?|rub)$", re.IGNORECASE)
_GROUPED = (
    re.compile(r"[0-9]{1,3}(?:[ ][0-9]{3})+(?:[.,][0-9]+)?", re.ASCII),
    re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+", re.ASCII),
    re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+", re.ASCII),
)
_PLAIN = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?", re.ASCII)
_TIME = (
    r"(?:[T ]+(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,6}))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DAYS = (
    re.compile(r"(?P<year>[0-9]{4})[-./](?P<month>[0-9]{1,2})[-./](?P<day>[0-9]{1,2})" + _TIME, re.ASCII),
    re.compile(r"(?P<day>[0-9]{1,2})[-./](?P<month>[0-9]{1,2})[-./](?P<year>[0-9]{4})(?: ?г\.?)?" + _TIME, re.ASCII),
)
_MONTH_DAYS = (
    re.compile(r"(?P<month>[0-9]{2})-(?P<day>[0-9]{2})", re.ASCII),
    re.compile(r"(?P<day>[0-9]{1,2})[./](?P<month>[0-9]{1,2})\.?", re.ASCII),
)
_READ = reader(2)


def trimmed(text: str) -> str:
    """A cell without blanks around it and such as cannot be seen; other blanks become plain ones."""
    return text.translate(_BLANKS).strip()


def words(text: str, signs_max: int = TEXT_SIGNS_MAX) -> str:
    """Plain words on one line."""
    if text in FAULTS:
        raise ValueError(FAULTS[text])
    if len(text) > signs_max:
        raise ValueError(f"has {len(text)} signs, more than the {signs_max} that may stand here")
    if not text.isprintable():
        raise ValueError("holds signs that cannot be printed, such as a line end; write it on one line")
    return text


def listed(text: str) -> tuple[str, ...]:
    """Words apart by ; , or |, each once."""
    parts = [part for part in (trimmed(part) for part in re.split(r"[;,|]", words(text, 4096))) if part]
    if len(parts) > LISTED_MAX:
        raise ValueError(f"lists {len(parts)}, more than the {LISTED_MAX} that may stand here")
    return tuple(dict.fromkeys(words(part, 128) for part in parts))


def money(text: str, exponent: int) -> Minor:
    """Money in minor units; more decimals than the currency has are refused, never rounded."""
    return Minor(int(money_figure(_decimal(text), exponent)))


def points(text: str) -> Points:
    """Hundredths of a point."""
    figure = _READ(PointsFigure, _decimal(text))
    assert isinstance(figure, int)
    return Points(int(figure))


def rate(text: str) -> int:
    """Basis points of a rate: "20%", "20". A bare part of one, such as 0.2, may be meant either way and is refused."""
    figure = _decimal(text.removesuffix("%"))
    if not text.endswith("%") and figure.startswith("0."):
        raise ValueError(f'"{text[:SHOWN_MAX]}" may be meant as a share or as per cent; write it with the sign, such as "20%"')
    bp = _READ(RateFigure, f"{figure}%")
    assert isinstance(bp, int)
    return int(bp)


def yes(text: str) -> bool:
    """Yes or no; empty is no."""
    word = words(text).casefold()
    if word in YES or word in NO:
        return word in YES
    raise ValueError(f'"{text[:SHOWN_MAX]}" is neither yes nor no')


def moment(text: str, zone: tzinfo) -> datetime:
    """An instant: a day begins at midnight of the shop's zone; a time stands in that zone when it names none."""
    for form in _DAYS:
        match = form.fullmatch(text)
        if match is not None:
            return _instant(match, text, zone)
    raise ValueError(f"{_shown(text)} is not a date; write it such as 21.11.2026 or 2026-11-21")


def end(text: str, zone: tzinfo) -> datetime:
    """The instant when something ends: a bare day is the last one on which it holds, so it ends with that day."""
    at = moment(text, zone)
    return at if ":" in text else _midnight(at.astimezone(zone).date() + timedelta(days=1), zone)


def moment_text(at: datetime, zone: tzinfo) -> str:
    """An instant so that ``moment`` reads it again; midnight as the day alone."""
    local = at.astimezone(zone)
    return local.date().isoformat() if _midnight(local.date(), zone) == local else _local_text(local)


def end_text(at: datetime, zone: tzinfo) -> str:
    """An end so that ``end`` reads it again; midnight as the day before it."""
    local = at.astimezone(zone)
    if _midnight(local.date(), zone) == local:
        return (local.date() - timedelta(days=1)).isoformat()
    return _local_text(local)


def month_day(text: str) -> str:
    """A birthday as "05-17"; a year is not kept."""
    for form in (*_MONTH_DAYS, *_DAYS):
        match = form.fullmatch(text)
        if match is not None:
            month, day = int(match["month"]), int(match["day"])
            _day(2000, month, day, text)
            return f"{month:02d}-{day:02d}"
    raise ValueError(f"{_shown(text)} is not a birthday; write it such as 17.05, 17.05.1990 or 05-17")


def _decimal(text: str) -> str:
    """A figure in its one plain form: digits, a point, digits."""
    bare = trimmed(_MONEY_SIGN.sub("", words(trimmed(text))))
    if bare.startswith(("-", "\u2212")):
        raise ValueError(f"{_shown(text)} is negative; only figures from 0 on are taken")
    for grouped in _GROUPED:
        if grouped.fullmatch(bare):
            whole, rest = re.fullmatch(r"(.+?)(?:[.,]([0-9]+))?", bare).groups()  # type: ignore[union-attr]
            bare = re.sub(r"[^0-9]", "", whole) + (f".{rest}" if rest else "")
            break
    match = _PLAIN.fullmatch(bare)
    if match is None:
        raise ValueError(f"{_shown(text)} is not a figure; write it such as 1234,50 or 1234.50")
    whole = match.group(1).lstrip("0") or "0"
    return f"{whole}.{match.group(2)}" if match.group(2) else whole


def _instant(match: re.Match[str], text: str, zone: tzinfo) -> datetime:
    day = _day(int(match["year"]), int(match["month"]), int(match["day"]), text)
    if match["hour"] is None:
        return _midnight(day, zone)
    try:
        at = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0), int((match["part"] or "").ljust(6, "0")))
    except ValueError as error:
        raise ValueError(f"{_shown(text)} names a time that there is not") from error
    offset = zone if match["zone"] is None else datetime.fromisoformat(f"2000-01-01T00:00:00{match['zone']}").tzinfo
    return datetime.combine(day, at, offset).astimezone(UTC)


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        if YEAR_MIN <= year <= YEAR_MAX:
            return date(year, month, day)
    except ValueError:
        pass
    raise ValueError(f"{_shown(text)} names a day that there is not")


def _local_text(at: datetime) -> str:
    """With its offset; milliseconds are all that is stored."""
    return at.isoformat(sep=" ", timespec="milliseconds" if at.microsecond else "seconds")


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _shown(text: str) -> str:
    return f'"{text[:SHOWN_MAX]}"'
