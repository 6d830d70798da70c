"""The JSON Schema of a programme file, made from the types that read it, so that an editor helps and nothing is told twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from pos_loyalty.engine.figures import (
    MinuteFigure,
    MoneyFigure,
    MultiplierFigure,
    PointsFigure,
    PointsRateFigure,
    RateFigure,
    minute_text,
    money_text,
    points_text,
)
from pos_loyalty.engine.meanings import meaning_of
from pos_loyalty.engine.rules import ProgrammeText
from pos_loyalty.values import Thousandths, Value

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RATE_DIGITS = 2
PLAIN = (bool, int, str)

Schema = dict[str, Any]


class Figure(Value):
    """How a figure is written: its pattern, what it is, and a text for a default."""

    pattern: str
    description: str
    examples: tuple[str, ...]
    text: Callable[[int], str]


def _rate_text(rate_bp: int) -> str:
    return f"{money_text(rate_bp, RATE_DIGITS).rstrip('0').rstrip('.')}%"


FIGURES: Mapping[type, Figure] = {
    MoneyFigure: Figure(
        pattern=r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,3})?$",
        description="Money, with at most as many digits after the point as the currency has.",
        examples=("150.00", "150"),
        text=str,
    ),
    RateFigure: Figure(
        pattern=r"^0*(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)%$",
        description='A share from "0%" to "100%".',
        examples=("7.5%",),
        text=_rate_text,
    ),
    PointsRateFigure: Figure(
        pattern=r"^[0-9]{1,6}(\.[0-9]{1,2})?%$",
        description='A rate of points from "0%" to "10000%" of money.',
        examples=("3%", "50%"),
        text=_rate_text,
    ),
    PointsFigure: Figure(
        pattern=r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,2})?$",
        description="Points.",
        examples=("100", "0.5"),
        text=points_text,
    ),
    MultiplierFigure: Figure(
        pattern=r"^(100(\.0{1,2})?|[1-9]?[0-9](\.[0-9]{1,2})?)$",
        description='How many times, up to "100".',
        examples=("2", "1.5"),
        text=points_text,
    ),
    MinuteFigure: Figure(
        pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        description='A time of day; "24:00" is the end of the day.',
        examples=("17:00",),
        text=minute_text,
    ),
}
QUANTITY = {
    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?$"}],
    "description": 'A quantity: 2, "2" or "0.345".',
}


def programme_schema() -> Schema:
    """The schema of a programme file. Every table and every word stands under ``$defs`` by its name."""
    made: dict[str, Schema] = {}
    whole = _schema(inspect.type_info(ProgrammeText), made)
    return {"$schema": DIALECT, "title": "A programme of pos_loyalty", **whole, "$defs": dict(sorted(made.items()))}


def _schema(kind: inspect.Type, made: dict[str, Schema]) -> Schema:
    match kind:
        case inspect.StructType():
            return _reference(kind, made)
        case inspect.UnionType(types=types):
            ways = [_schema(each, made) for each in types if not isinstance(each, inspect.NoneType)]
            return ways[0] if len(ways) == 1 else {"anyOf": ways}
        case inspect.VarTupleType():
            return _trimmed(
                {
                    "type": "array",
                    "items": _schema(kind.item_type, made),
                    "minItems": kind.min_length,
                    "maxItems": kind.max_length,
                }
            )
        case inspect.DictType():
            names = _schema(kind.key_type, made)
            return {"type": "object", "propertyNames": names, "additionalProperties": _schema(kind.value_type, made)}
        case inspect.CustomType(cls=cls):
            return _figure(cls)
        case inspect.Metadata(type=inner):
            return _schema(inner, made)
        case _:
            return _plain(kind)


def _plain(kind: inspect.Type) -> Schema:
    match kind:
        case inspect.StrType():
            return _trimmed(
                {"type": "string", "minLength": kind.min_length, "maxLength": kind.max_length, "pattern": kind.pattern}
            )
        case inspect.IntType():
            return _trimmed({"type": "integer", "minimum": kind.ge, "maximum": kind.le})
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.DateType():
            return {"type": "string", "format": "date", "description": "A date such as 2026-12-31, inclusive."}
        case inspect.LiteralType(values=values):
            return {"enum": list(values)}
        case _:
            raise TypeError(f"{kind!r} has no schema")


def _figure(cls: type) -> Schema:
    if cls is Thousandths:
        return QUANTITY
    figure = FIGURES[cls]
    return {
        "type": "string",
        "pattern": figure.pattern,
        "description": figure.description,
        "examples": list(figure.examples),
    }


def _reference(kind: inspect.StructType, made: dict[str, Schema]) -> Schema:
    name = kind.cls.__name__
    if name not in made:
        made[name] = {}  # a condition may stand inside itself
        made[name] = _object(kind, made)
    return {"$ref": f"#/$defs/{name}"}


def _object(kind: inspect.StructType, made: dict[str, Schema]) -> Schema:
    properties: dict[str, Schema] = {}
    required: list[str] = []
    if kind.tag_field is not None:
        properties[kind.tag_field] = {"const": kind.tag, "description": meaning_of((), kind.tag_field)}
        required.append(kind.tag_field)
    for field in kind.fields:
        properties[field.encode_name] = _told(_field(field, made), kind.cls, field.encode_name)
        if field.required:
            required.append(field.encode_name)
    return _trimmed(
        {
            "type": "object",
            "description": _description(kind.cls),
            "properties": properties,
            "required": required or None,
            "additionalProperties": False,
        }
    )


def _field(field: inspect.Field, made: dict[str, Schema]) -> Schema:
    schema = _schema(field.type, made)
    default = field.default
    if default is msgspec.NODEFAULT or default is None:
        return schema
    figure = FIGURES.get(type(default))
    if figure is not None:
        return schema if isinstance(default, MoneyFigure) else schema | {"default": figure.text(default)}
    return schema | {"default": default} if type(default) in PLAIN else schema


def _told(schema: Schema, cls: type, key: str) -> Schema:
    """With what the key means, and then how its value is written."""
    meaning = meaning_of(tuple(each.__name__ for each in cls.__mro__), key)
    texts = (meaning, schema.get("description"))
    return schema | {"description": " ".join(text for text in texts if text)}


def _description(cls: type) -> str:
    """The docstring of a table or word, and those of what it is made of, in one line."""
    texts = [each.__doc__ for each in cls.__mro__ if issubclass(each, Value) and each is not Value and each.__doc__]
    return " ".join(" ".join(texts).replace("``", "`").split())


def _trimmed(schema: Mapping[str, object]) -> Schema:
    return {key: value for key, value in schema.items() if value is not None}
