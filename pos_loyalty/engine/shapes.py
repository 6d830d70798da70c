"""Faults of the shape of a programme file: unknown keys and words, wrong kinds of values. Every one, each with its mend.

It walks the types that read the file, so it speaks of the same tables. It is asked only when a file could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Any

from msgspec import inspect

from pos_loyalty.engine.coupons import PREFIX_PATTERN
from pos_loyalty.engine.rules import NAME_PATTERN, ProgrammeText
from pos_loyalty.engine.selectors import CONTROL, PLAIN_PATTERN
from pos_loyalty.engine.table_checks import Fault
from pos_loyalty.near import nearest

Read = Callable[[type[Any], object], object]
"""How figures are read; it raises ValueError with a sentence."""

DEEPEST = 48
"""Tables that stand deeper inside one another than this are not looked at."""
SHOWN_MAX = 40
SENTENCE_OF = {
    NAME_PATTERN: 'a name is small letters, digits, "-" and "_", at most 64, and begins with a letter or a digit',
    PREFIX_PATTERN: 'a prefix is capital letters, digits and "-", at most 16',
    PLAIN_PATTERN: CONTROL,
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})", re.ASCII)


def shape_faults(raw: Mapping[str, object], read: Read) -> Iterator[Fault]:
    """Every fault of the shape, in the order of the tables. A file of another format has only that one."""
    whole = inspect.type_info(ProgrammeText)
    assert isinstance(whole, inspect.StructType)
    form = next(field for field in whole.fields if field.encode_name == "format")
    other = list(_faults(form.type, raw["format"], "format", read)) if "format" in raw else []
    yield from other or _struct_faults(whole, raw, "", read)


def _faults(kind: inspect.Type, given: object, place: str, read: Read) -> Iterator[Fault]:
    match kind:
        case inspect.Metadata(type=inner):
            yield from _faults(inner, given, place, read)
        case inspect.UnionType(types=types):
            yield from _union_faults([each for each in types if not isinstance(each, inspect.NoneType)], given, place, read)
        case inspect.StructType():
            yield from _struct_faults(kind, given, place, read)
        case inspect.VarTupleType():
            yield from _list_faults(kind, given, place, read)
        case inspect.DictType():
            yield from _dict_faults(kind, given, place, read)
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
    """Words with their own tables are told apart by ``is`` or ``do``; else one name or a list of names may stand."""
    tables = [each for each in ways if isinstance(each, inspect.StructType)]
    if len(ways) == 1:
        yield from _faults(ways[0], given, place, read)
    elif tables:
        yield from _word_faults(tables, given, place, read)
    elif isinstance(given, list):
        yield from _faults(next(each for each in ways if isinstance(each, inspect.VarTupleType)), given, place, read)
    else:
        yield from _faults(next(each for each in ways if not isinstance(each, inspect.VarTupleType)), given, place, read)


def _word_faults(tables: Sequence[inspect.StructType], given: object, place: str, read: Read) -> Iterator[Fault]:
    key = str(tables[0].tag_field)
    of_word = {str(each.tag): each for each in tables}
    if not isinstance(given, dict):
        yield place, f'write a table: {{ {key} = "{next(iter(of_word))}", … }}'
    elif key not in given:
        yield place or "programme", f'"{key}" is missing; it is {_one_of(of_word)}'
    elif given[key] not in list(of_word):
        yield f"{place}.{key}", _not_a_word(given[key], list(of_word))
    else:
        yield from _struct_faults(of_word[given[key]], given, place, read)


def _struct_faults(kind: inspect.StructType, given: object, place: str, read: Read) -> Iterator[Fault]:
    if not isinstance(given, Mapping):
        yield place, _not_a_table(given, place)
        return
    if place.count(".") > DEEPEST:
        yield place, "tables stand too deep inside one another"
        return
    fields = {field.encode_name: field for field in kind.fields}
    meant = set()
    for key, value in given.items():
        if key in fields:
            yield from _faults(fields[key].type, value, _inside(place, key), read)
        elif key != kind.tag_field:
            near = nearest(key, [name for name in fields if name not in given])
            meant.add(near)
            mend = f'did you mean "{near}"?' if near is not None else _keys_of(fields)
            yield _inside(place, key), f"is not a key that may stand here; {mend}"
    for name, field in fields.items():
        if field.required and name not in given and name not in meant:
            yield place or "programme", f'"{name}" is missing'


def _list_faults(kind: inspect.VarTupleType, given: object, place: str, read: Read) -> Iterator[Fault]:
    if not isinstance(given, list):
        yield place, _not_a_list(kind.item_type, given, place)
        return
    if kind.min_length is not None and len(given) < kind.min_length:
        yield place, f"an empty list does nothing; write {kind.min_length} or more"
    if kind.max_length is not None and len(given) > kind.max_length:
        yield place, f"{len(given)} are more than the {kind.max_length} that may stand here"
    for number, each in enumerate(given):
        yield from _faults(kind.item_type, each, f"{place}[{number}]", read)


def _dict_faults(kind: inspect.DictType, given: object, place: str, read: Read) -> Iterator[Fault]:
    if not isinstance(given, dict):
        names = _words_of(kind.key_type)
        example = ", ".join(f'{name} = "…"' for name in names) if names else '… = "…"'
        yield place, f"write {{ {example} }}"
        return
    for key, value in given.items():
        inside = _inside(place, key)
        yield from chain(_faults(kind.key_type, key, inside, read), _faults(kind.value_type, value, inside, read))


def _plain_fault(kind: inspect.Type, given: object) -> str | None:
    match kind:
        case inspect.StrType():
            return _text_fault(kind, given)
        case inspect.IntType():
            return _number_fault(kind, given)
        case inspect.BoolType():
            return None if isinstance(given, bool) else "write true or false, without quotation marks"
        case inspect.DateType():
            return _date_fault(given)
        case inspect.LiteralType(values=values):
            if any(given == value and type(given) is type(value) for value in values):
                return None
            if isinstance(values[0], int):
                return f"this version reads format {values[0]}"
            return _not_a_word(given, [str(value) for value in values])
        case _:
            return None


def _text_fault(kind: inspect.StrType, given: object) -> str | None:
    if not isinstance(given, str):
        if isinstance(given, dict | list):
            return "write a text in quotation marks"
        return f'write it in quotation marks: "{_shown(given)}"'
    if kind.min_length is not None and len(given) < kind.min_length:
        return "is empty; write something, or leave it out"
    if kind.max_length is not None and len(given) > kind.max_length:
        return f"has {len(given)} signs, more than the {kind.max_length} that may stand here"
    if kind.pattern is not None and re.search(kind.pattern, given) is None:
        return SENTENCE_OF.get(kind.pattern, "holds a sign that may not stand here")
    return None


def _number_fault(kind: inspect.IntType, given: object) -> str | None:
    low, high = kind.ge, kind.le
    bounds = f"from {low}" if low is not None else ""
    bounds = f"{bounds} to {high}".strip() if high is not None else bounds
    wanted = f"write a whole number {bounds}".rstrip()
    if isinstance(given, bool) or not isinstance(given, int):
        return f"{wanted}, without quotation marks" if isinstance(given, str) else wanted
    if (low is not None and given < low) or (high is not None and given > high):
        return f"{_shown(given)} is out of bounds: {wanted}"
    return None


def _date_fault(given: object) -> str | None:
    if isinstance(given, datetime):
        return f"a date has no time of day: write {given.date().isoformat()}"
    if isinstance(given, date):
        return None
    if not isinstance(given, str):
        return f"{_shown(given)} is not a date: write one such as 2026-12-31"
    if _is_day(given):
        return None
    match = _DAY_FIRST.fullmatch(given)
    turned = f"{match.group(3)}-{match.group(2):0>2}-{match.group(1):0>2}" if match is not None else ""
    return f'"{_shown(given)}" is not a date: write {turned if _is_day(turned) else "one such as 2026-12-31"}'


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-12-31") and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _not_a_word(given: object, words: Sequence[str]) -> str:
    near = nearest(given, words) if isinstance(given, str) else None
    hint = f'did you mean "{near}"? ' if near is not None else ""
    said = f'"{_shown(given)}"' if isinstance(given, str) else _shown(given)
    return f"{said} is not one of the words that may stand here; {hint}write {_one_of(words)}"


def _not_a_table(given: object, place: str) -> str:
    if not isinstance(given, list):
        return "write a table: { … = … }"
    last = place.rpartition(".")[2]
    if "[" in place:
        return "write one table { … }, not a list"
    return f"stands once: write [{place}] or {last} = {{ … }}, not a list"


def _not_a_list(item: inspect.Type, given: object, place: str) -> str:
    last = place.rpartition(".")[2]
    is_of_tables = isinstance(item, inspect.StructType | inspect.UnionType)
    if isinstance(given, dict) and "[" not in place:
        return f"may stand several times: write [[{place}]] with two brackets"
    if is_of_tables:
        return f"write a list: {last} = [{{ … }}]"
    return f'write a list: {last} = ["{_shown(given)}"]' if isinstance(given, str) else f'write a list: {last} = ["…"]'


def _keys_of(fields: Mapping[str, object]) -> str:
    return f"leave it out; what may stand here: {', '.join(fields)}" if fields else "leave it out; no other key may stand here"


def _words_of(kind: inspect.Type) -> tuple[str, ...]:
    return tuple(str(word) for word in reversed(kind.values)) if isinstance(kind, inspect.LiteralType) else ()


def _one_of(words: Sequence[str] | Mapping[str, object]) -> str:
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"


def _inside(place: str, key: str) -> str:
    shown = key if _BARE_KEY.fullmatch(key) else f'"{_shown(key)}"'
    return f"{place}.{shown}" if place else shown


def _shown(given: object) -> str:
    text = str(given).lower() if isinstance(given, bool) else str(given)
    return "".join(sign if sign.isprintable() else "�" for sign in text[:SHOWN_MAX])
