"""Why JSON could not be read as a value: the first fault, with its place and its mend. The walk is that of misfits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import inspect

from pos_loyalty.misfits import Fault, Read, Wording, instead, misfits, one_of, shown, whole_number
from pos_loyalty.values import DAY_OF_YEAR_PATTERN, DAY_PATTERN, MONTH_DAY_PATTERN

INSTANT = '"2026-11-21T12:30:05+03:00"'
_FORMS = {
    DAY_PATTERN: 'a day such as "2026-11-21"',
    MONTH_DAY_PATTERN: 'a month and a day such as "05-17" for 17 May',
    DAY_OF_YEAR_PATTERN: 'a month and a day such as "05-17" for 17 May',
}
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def misread(kind: object, given: object, read: Read) -> Fault | None:
    """The first fault: its place from ``$`` on, and a sentence. None when none is seen."""
    wording = Wording(read, _inside, _fault, _of_several, _unknown, _too_few)
    return next(misfits(inspect.type_info(kind), given, "$", wording), None)


def _of_several(ways: Sequence[inspect.Type], given: object, place: str, wording: Wording) -> Iterator[Fault]:
    """One that fits is enough; else all are told."""
    if all(any(misfits(way, given, place, wording)) for way in ways):
        yield place, f"write {' or '.join(_wanted(way) for way in ways)}"


def _unknown(near: str | None, fields: object) -> str:
    meant = f'did you mean "{near}"? Else ' if near is not None else ""
    return f"is not a field here; {meant}leave it out"


def _too_few(count: int, needed: int) -> str:
    return f"has {count}, fewer than the {needed} that are needed"


def _fault(kind: inspect.Type, given: object, place: str) -> str | None:
    match kind:
        case inspect.StructType() | inspect.DictType():
            return None if isinstance(given, Mapping) else f"write {_wanted(kind)}"
        case inspect.VarTupleType() | inspect.ListType():
            return None if isinstance(given, list | tuple) else f"write {_wanted(kind)}"
        case inspect.BoolType():
            return None if isinstance(given, bool) else f"write {_wanted(kind)}"
        case inspect.StrType():
            return _text_fault(kind, given)
        case inspect.IntType():
            return _number_fault(kind, given)
        case inspect.DateTimeType():
            return _instant_fault(kind, given)
        case inspect.LiteralType(values=values) if given not in values:
            said = f'"{_shown(given)}"' if isinstance(given, str) else _shown(given)
            return f"{said} is not a word that may stand here; {instead(given, [str(value) for value in values])}"
        case _:
            return None


def _text_fault(kind: inspect.StrType, given: object) -> str | None:
    if not isinstance(given, str):
        return f"write {_wanted(kind)}"
    if kind.min_length is not None and len(given) < kind.min_length:
        return (
            f"has {len(given)} signs, fewer than the {kind.min_length} that are needed" if given else "is empty; write something"
        )
    if kind.max_length is not None and len(given) > kind.max_length:
        return f"has {len(given)} signs, more than the {kind.max_length} that may stand here"
    if kind.pattern is None or re.search(kind.pattern, given) is not None:
        return None
    form = _FORMS.get(kind.pattern)
    return f'"{_shown(given)}" is not {form}' if form is not None else "has signs or a length that may not stand here"


def _number_fault(kind: inspect.IntType, given: object) -> str | None:
    wanted = f"write {_wanted(kind)}"
    if isinstance(given, str):
        return f"{wanted}, without quotation marks"
    if isinstance(given, bool) or not isinstance(given, int):
        return f"{_shown(given)} is not a whole number: {wanted}" if isinstance(given, float) else wanted
    is_low = (kind.ge is not None and given < kind.ge) or (kind.gt is not None and given <= kind.gt)
    is_high = (kind.le is not None and given > kind.le) or (kind.lt is not None and given >= kind.lt)
    if is_low and given < 0:
        return f"{_shown(given)} is negative: {wanted}"
    return f"{_shown(given)} is out of bounds: {wanted}" if is_low or is_high else None


def _instant_fault(kind: inspect.DateTimeType, given: object) -> str | None:
    if not isinstance(given, str | datetime):
        return f"write {_wanted(kind)}"
    try:
        at = given if isinstance(given, datetime) else msgspec.convert(given, datetime)
    except msgspec.ValidationError:
        return f'"{_shown(given)}" is not an instant: write one such as {INSTANT}'
    if kind.tz and at.tzinfo is None:
        return f'"{_shown(given)}" has no offset from UTC: write it such as {INSTANT}'
    return None


def _wanted(kind: inspect.Type) -> str:
    """What may stand in a place, in a few words."""
    match kind:
        case inspect.Metadata(type=inner):
            return _wanted(inner)
        case inspect.IntType():
            return whole_number(kind)
        case inspect.LiteralType(values=values):
            return one_of([str(value) for value in values])
        case inspect.BoolType():
            return "true or false, without quotation marks"
        case inspect.DateTimeType():
            return f"an instant such as {INSTANT}"
        case inspect.StructType() | inspect.DictType():
            return '{ "…": … }'
        case inspect.VarTupleType() | inspect.ListType():
            return "a list [ … ]"
        case inspect.StrType(pattern=pattern):
            return _FORMS.get(pattern or "", "a text in quotation marks")
        case _:
            return "another value"


def _inside(kind: inspect.Type, place: str, key: str) -> str:
    if isinstance(kind, inspect.StructType) and _BARE_KEY.fullmatch(key):
        return f"{place}.{key}"
    return f"{place}[{json.dumps(_shown(key), ensure_ascii=False)}]"


def _shown(given: object) -> str:
    return shown(given.isoformat() if isinstance(given, datetime) else str(given))
