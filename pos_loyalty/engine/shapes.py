"""Faults of the shape of a programme file: unknown keys and words, wrong kinds of values. Every one, each with its mend.

The walk is that of misfits; what is said in a file's own words stands here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from msgspec import inspect

from pos_loyalty.engine.coupons import PREFIX_PATTERN
from pos_loyalty.engine.rules import NAME_PATTERN, ProgrammeText
from pos_loyalty.engine.selectors import CONTROL, PLAIN_PATTERN
from pos_loyalty.misfits import Fault, Read, Wording, instead, misfits, one_of, shown, whole_number

DEEPEST = 48
"""Tables that stand deeper inside one another than this are not looked at."""
SENTENCE_OF = {
    NAME_PATTERN: 'a name is small letters, digits, "-" and "_", at most 64, and begins with a letter or a digit',
    PREFIX_PATTERN: 'a prefix is capital letters, digits and "-", at most 16',
    PLAIN_PATTERN: CONTROL,
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})", re.ASCII)


def shape_faults(raw: Mapping[str, object], read: Read) -> Iterator[Fault]:
    """Every fault of the shape, in the order of the tables. A file of another format has only that one."""
    wording = Wording(read, _inside, _fault, _of_several, _unknown, _too_few)
    whole = inspect.type_info(ProgrammeText)
    assert isinstance(whole, inspect.StructType)
    form = next(field for field in whole.fields if field.encode_name == "format")
    other = list(misfits(form.type, raw["format"], "format", wording)) if "format" in raw else []
    for place, sentence in other or misfits(whole, raw, "", wording):
        yield place or "programme", sentence


def _of_several(ways: Sequence[inspect.Type], given: object, place: str, wording: Wording) -> Iterator[Fault]:
    """Words with their own tables are told apart by ``is`` or ``do``; else one name or a list of names may stand."""
    tables = [each for each in ways if isinstance(each, inspect.StructType)]
    if tables:
        return _word_faults(tables, given, place, wording)
    is_list = isinstance(given, list)
    way = next(each for each in ways if isinstance(each, inspect.VarTupleType) is is_list)
    return misfits(way, given, place, wording)


def _word_faults(tables: Sequence[inspect.StructType], given: object, place: str, wording: Wording) -> Iterator[Fault]:
    key = str(tables[0].tag_field)
    of_word = {str(each.tag): each for each in tables}
    if not isinstance(given, dict):
        yield place, f'write a table: {{ {key} = "{next(iter(of_word))}", … }}'
    elif key not in given:
        yield place, f'"{key}" is missing; it is {one_of(of_word)}'
    elif given[key] not in list(of_word):
        yield f"{place}.{key}", _not_a_word(given[key], list(of_word))
    else:
        yield from misfits(of_word[given[key]], given, place, wording)


def _unknown(near: str | None, fields: Mapping[str, object]) -> str:
    others = f"what may stand here: {', '.join(fields)}" if fields else "no other key may stand here"
    mend = f'did you mean "{near}"?' if near is not None else f"leave it out; {others}"
    return f"is not a key that may stand here; {mend}"


def _too_few(count: int, needed: int) -> str:
    return f"an empty list does nothing; write {needed} or more"


def _fault(kind: inspect.Type, given: object, place: str) -> str | None:
    match kind:
        case inspect.StructType():
            return _table_fault(given, place)
        case inspect.VarTupleType():
            return None if isinstance(given, list) else _not_a_list(kind.item_type, given, place)
        case inspect.DictType():
            return None if isinstance(given, dict) else _not_a_dict(kind.key_type)
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
    wanted = f"write {whole_number(kind)}"
    if isinstance(given, bool) or not isinstance(given, int):
        return f"{wanted}, without quotation marks" if isinstance(given, str) else wanted
    if (kind.ge is not None and given < kind.ge) or (kind.le is not None and given > kind.le):
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
    said = f'"{_shown(given)}"' if isinstance(given, str) else _shown(given)
    return f"{said} is not one of the words that may stand here; {instead(given, words)}"


def _table_fault(given: object, place: str) -> str | None:
    if isinstance(given, Mapping):
        return "tables stand too deep inside one another" if place.count(".") > DEEPEST else None
    if not isinstance(given, list):
        return "write a table: { … = … }"
    if "[" in place:
        return "write one table { … }, not a list"
    last = place.rpartition(".")[2]
    return f"stands once: write [{place}] or {last} = {{ … }}, not a list"


def _not_a_list(item: inspect.Type, given: object, place: str) -> str:
    last = place.rpartition(".")[2]
    is_of_tables = isinstance(item, inspect.StructType | inspect.UnionType)
    if isinstance(given, dict) and "[" not in place:
        return f"may stand several times: write [[{place}]] with two brackets"
    if is_of_tables:
        return f"write a list: {last} = [{{ … }}]"
    return f'write a list: {last} = ["{_shown(given)}"]' if isinstance(given, str) else f'write a list: {last} = ["…"]'


def _not_a_dict(key: inspect.Type) -> str:
    names = [str(word) for word in reversed(key.values)] if isinstance(key, inspect.LiteralType) else ["…"]
    example = ", ".join(f'{name} = "…"' for name in names)
    return f"write {{ {example} }}"


def _inside(kind: inspect.Type, place: str, key: str) -> str:
    name = key if _BARE_KEY.fullmatch(key) else f'"{shown(key)}"'
    return f"{place}.{name}" if place else name


def _shown(given: object) -> str:
    return shown(str(given).lower() if isinstance(given, bool) else str(given))
