"""Why JSON could not be read as a value: the first fault, with its place and its mend. It is asked only when reading failed.

It walks the types that read the document, so it speaks of the same fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import inspect

from pos_loyalty.near import nearest
from pos_loyalty.values import DAY_OF_YEAR_PATTERN, DAY_PATTERN, MONTH_DAY_PATTERN

Read = Callable[[type[Any], object], object]
"""How figures are read; it raises ValueError with a sentence."""
Fault = tuple[str, str]

SHOWN_MAX = 40
INSTANT = '"2026-11-21T12:30:05+03:00"'
_FORMS = {
    DAY_PATTERN: 'a day such as "2026-11-21"',
    MONTH_DAY_PATTERN: 'a month and a day such as "05-17" for 17 May',
    DAY_OF_YEAR_PATTERN: 'a month and a day such as "05-17" for 17 May',
}
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def misread(kind: object, given: object, read: Read) -> Fault | None:
    """The first fault: its place from ``$`` on, and a sentence. None when none is seen."""
    return next(_faults(inspect.type_info(kind), given, "$", read), None)


def _faults(kind: inspect.Type, given: object, place: str, read: Read) -> Iterator[Fault]:
    match kind:
        case inspect.Metadata(type=inner):
            yield from _faults(inner, given, place, read)
        case inspect.UnionType(types=types):
            yield from _union_faults([each for each in types if not isinstance(each, inspect.NoneType)], given, place, read)
        case inspect.StructType():
            yield from _struct_faults(kind, given, place, read)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _list_faults(kind, given, place, read)
        case inspect.DictType():
            yield from _map_faults(kind, given, place, read)
        case inspect.CustomType(cls=cls):
            try:
                read(cls, given)
            except ValueError as error:
                yield place, str(error)
        case _:
            sentence = _plain_fault(kind, given)
            if sentence is not None:
                yield place, sentence


def _union_faults(ways: Sequence[inspect.Type], given: object, place: str, read: Read) -> Iterator[Fault]:
    """None may always stand. Of several other ways one that fits is enough; else all are told."""
    if given is None:
        return
    if len(ways) == 1:
        yield from _faults(ways[0], given, place, read)
        return
    if all(next(_faults(way, given, place, read), None) is not None for way in ways):
        yield place, f"write {' or '.join(_wanted(way) for way in ways)}"


def _struct_faults(kind: inspect.StructType, given: object, place: str, read: Read) -> Iterator[Fault]:
    if not isinstance(given, Mapping):
        yield place, f"write {_wanted(kind)}"
        return
    fields = {field.encode_name: field for field in kind.fields}
    for key, value in given.items():
        if key in fields:
            yield from _faults(fields[key].type, value, _inside(place, key), read)
        elif key != kind.tag_field and kind.forbid_unknown_fields:
            near = nearest(key, [name for name in fields if name not in given])
            meant = f'did you mean "{near}"? Else ' if near is not None else ""
            yield _inside(place, key), f"is not a field here; {meant}leave it out"
    for name, field in fields.items():
        if field.required and name not in given:
            yield place, f'"{name}" is missing'


def _list_faults(kind: inspect.VarTupleType | inspect.ListType, given: object, place: str, read: Read) -> Iterator[Fault]:
    if not isinstance(given, list | tuple):
        yield place, f"write {_wanted(kind)}"
        return
    yield from _length_faults(kind, len(given), place)
    for number, each in enumerate(given):
        yield from _faults(kind.item_type, each, f"{place}[{number}]", read)


def _map_faults(kind: inspect.DictType, given: object, place: str, read: Read) -> Iterator[Fault]:
    if not isinstance(given, Mapping):
        yield place, f"write {_wanted(kind)}"
        return
    yield from _length_faults(kind, len(given), place)
    for key, value in given.items():
        inside = f"{place}[{json.dumps(_shown(key), ensure_ascii=False)}]"
        yield from _faults(kind.key_type, key, inside, read)
        yield from _faults(kind.value_type, value, inside, read)


def _length_faults(kind: inspect.VarTupleType | inspect.ListType | inspect.DictType, count: int, place: str) -> Iterator[Fault]:
    if kind.min_length is not None and count < kind.min_length:
        yield place, f"has {count}, fewer than the {kind.min_length} that are needed"
    if kind.max_length is not None and count > kind.max_length:
        yield place, f"{count} are more than the {kind.max_length} that may stand here"


def _plain_fault(kind: inspect.Type, given: object) -> str | None:
    match kind:
        case inspect.StrType():
            return _text_fault(kind, given)
        case inspect.IntType():
            return _number_fault(kind, given)
        case inspect.BoolType():
            return None if isinstance(given, bool) else f"write {_wanted(kind)}"
        case inspect.DateTimeType():
            return _instant_fault(kind, given)
        case inspect.LiteralType(values=values):
            return None if given in values else _not_a_word(given, [str(value) for value in values])
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


def _not_a_word(given: object, words: Sequence[str]) -> str:
    near = nearest(given, words) if isinstance(given, str) else None
    hint = f'did you mean "{near}"? ' if near is not None else ""
    said = f'"{_shown(given)}"' if isinstance(given, str) else _shown(given)
    return f"{said} is not a word that may stand here; {hint}write {_one_of(words)}"


def _one_of(words: Sequence[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"


def _wanted(kind: inspect.Type) -> str:
    """What may stand in a place, in a few words."""
    match kind:
        case inspect.Metadata(type=inner):
            return _wanted(inner)
        case inspect.IntType():
            low = kind.ge if kind.ge is not None else None if kind.gt is None else kind.gt + 1
            high = kind.le if kind.le is not None else None if kind.lt is None else kind.lt - 1
            bounds = (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "")
            return f"a whole number{bounds}"
        case inspect.LiteralType(values=values):
            return _one_of([str(value) for value in values])
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


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if _BARE_KEY.fullmatch(key) else f"{place}[{json.dumps(_shown(key), ensure_ascii=False)}]"


def _shown(given: object) -> str:
    text = given.isoformat() if isinstance(given, datetime) else str(given)
    return "".join(sign if sign.isprintable() else "�" for sign in text[:SHOWN_MAX])
