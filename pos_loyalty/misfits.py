"""Where something that was given does not fit the types that read it: one walk, told in the words of each kind of document.

It walks the types themselves, so it speaks of the same fields. It is asked only when reading failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import inspect

from pos_loyalty.near import nearest

Read = Callable[[type[Any], object], object]
"""How figures are read; it raises ValueError with a sentence."""
Fault = tuple[str, str]
"""A place and a sentence."""

Several = inspect.VarTupleType | inspect.ListType | inspect.DictType

SHOWN_MAX = 40


class Wording(NamedTuple):
    """What one kind of document says in its own way."""

    read: Read
    inside: Callable[[inspect.Type, str, str], str]
    """The place of a key: the type of its table, the table's place, the key."""
    fault: Callable[[inspect.Type, object, str], str | None]
    """What is wrong with a plain value, or with what should be a table or a list and is none."""
    of_several: Callable[[Sequence[inspect.Type], object, str, Wording], Iterator[Fault]]
    """Faults where several types may stand."""
    unknown: Callable[[str | None, Mapping[str, object]], str]
    """What to say of an unknown key: the field that was probably meant, and all fields."""
    too_few: Callable[[int, int], str]
    """What to say of a short list: how many there are, and how many are needed."""


def misfits(kind: inspect.Type, given: Any, place: str, wording: Wording) -> Iterator[Fault]:
    """Every fault, in the order of what was given. Where several types may stand, so may None."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from misfits(inner, given, place, wording)
        case inspect.UnionType(types=types):
            ways = [each for each in types if not isinstance(each, inspect.NoneType)]
            if len(ways) == 1 and given is not None:
                yield from misfits(ways[0], given, place, wording)
            elif given is not None:
                yield from wording.of_several(ways, given, place, wording)
        case inspect.CustomType(cls=cls):
            try:
                wording.read(cls, given)
            except ValueError as error:
                yield place, str(error)
        case _ if (sentence := wording.fault(kind, given, place)) is not None:
            yield place, sentence
        case inspect.StructType():
            yield from _of_fields(kind, given, place, wording)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _of_length(kind, len(given), place, wording)
            for number, each in enumerate(given):
                yield from misfits(kind.item_type, each, f"{place}[{number}]", wording)
        case inspect.DictType():
            yield from _of_length(kind, len(given), place, wording)
            for key, value in given.items():
                inside = wording.inside(kind, place, key)
                yield from misfits(kind.key_type, key, inside, wording)
                yield from misfits(kind.value_type, value, inside, wording)


def _of_fields(kind: inspect.StructType, given: Mapping[str, object], place: str, wording: Wording) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in kind.fields}
    meant = set()
    for key, value in given.items():
        if key in fields:
            yield from misfits(fields[key].type, value, wording.inside(kind, place, key), wording)
        elif key != kind.tag_field and kind.forbid_unknown_fields:
            near = nearest(key, [name for name in fields if name not in given])
            meant.add(near)
            yield wording.inside(kind, place, key), wording.unknown(near, fields)
    for name, field in fields.items():
        if field.required and name not in given and name not in meant:
            yield place, f'"{name}" is missing'


def _of_length(kind: Several, count: int, place: str, wording: Wording) -> Iterator[Fault]:
    if kind.min_length is not None and count < kind.min_length:
        yield place, wording.too_few(count, kind.min_length)
    if kind.max_length is not None and count > kind.max_length:
        yield place, f"{count} are more than the {kind.max_length} that may stand here"


def whole_number(kind: inspect.IntType) -> str:
    """Which numbers may stand."""
    low = kind.ge if kind.ge is not None else None if kind.gt is None else kind.gt + 1
    high = kind.le if kind.le is not None else None if kind.lt is None else kind.lt - 1
    return "a whole number" + (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "")


def instead(given: object, words: Sequence[str]) -> str:
    """What to write for a word that may not stand: perhaps the one that was meant, and all that may."""
    near = nearest(given, words) if isinstance(given, str) else None
    hint = f'did you mean "{near}"? ' if near is not None else ""
    return f"{hint}write {one_of(words)}"


def one_of(words: Iterable[str]) -> str:
    """The word that may stand, or all of them."""
    quoted = [f'"{word}"' for word in words]
    return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"


def shown(text: str) -> str:
    """The beginning of what was given, without signs that do not print."""
    return "".join(sign if sign.isprintable() else "�" for sign in text[:SHOWN_MAX])
