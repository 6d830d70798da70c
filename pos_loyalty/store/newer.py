"""Facts that a newer program wrote: what of them this one knows. The bytes stay as they came; only reading passes over."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect

from pos_loyalty.errors import InputError
from pos_loyalty.values import convert

T = TypeVar("T")


def known_of(payload: bytes, kind: type[T]) -> T:
    """The value without the fields that its types do not have. Raises InputError naming the place."""
    return convert(_known(_shape(cast(Any, kind)), _read(payload)), kind)


def is_plain(payload: bytes) -> bool:
    """JSON without spaces, doubled fields or second ways to write a sign or a number."""
    try:
        return msgspec.json.encode(_read(payload)) == payload
    except InputError:
        return False


@cache
def _shape(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _read(payload: bytes) -> object:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("$", f"is not JSON: {error}") from error


def _known(kind: inspect.Type, given: object) -> object:
    match kind:
        case inspect.Metadata(type=inner):
            return _known(inner, given)
        case inspect.UnionType(types=types):
            way = _way(types, given)
            return given if way is None else _known(way, given)
        case inspect.StructType() if isinstance(given, Mapping):
            fields = {field.encode_name: field.type for field in kind.fields}
            return {
                name: _known(fields[name], value) if name in fields else value
                for name, value in given.items()
                if name in fields or name == kind.tag_field
            }
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner) if isinstance(given, list):
            return [_known(inner, each) for each in given]
        case inspect.DictType(value_type=inner) if isinstance(given, Mapping):
            return {key: _known(inner, value) for key, value in given.items()}
        case _:
            return given


def _way(types: tuple[inspect.Type, ...], given: object) -> inspect.Type | None:
    """Which of several types may stand here: the tagged one, or the only one besides null."""
    ways = [each for each in types if not isinstance(each, inspect.NoneType)]
    if len(ways) == 1:
        return ways[0]
    if not isinstance(given, Mapping):
        return None
    tagged = (each for each in ways if isinstance(each, inspect.StructType) and each.tag_field is not None)
    return next((each for each in tagged if given.get(each.tag_field) == each.tag), None)
