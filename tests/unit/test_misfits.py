"""The walk over types: which places it finds, whatever the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest
from msgspec import Meta, inspect

from pos_loyalty.misfits import Fault, Wording, instead, misfits, shown, whole_number
from pos_loyalty.values import Value


class Leaf(Value, forbid_unknown_fields=False):
    count: int
    text: str | None = None


class Tree(Value):
    leaves: Annotated[tuple[Leaf, ...], Meta(min_length=1, max_length=2)]
    by_name: dict[str, Leaf] | None = None
    either: int | str | None = None


CLASSES = {
    inspect.StructType: dict,
    inspect.DictType: dict,
    inspect.VarTupleType: list,
    inspect.IntType: int,
    inspect.StrType: str,
}


def no_several(ways: object, given: object, place: str, wording: Wording) -> Iterator[Fault]:
    yield place, "several"


BRIEF = Wording(
    read=lambda kind, given: given,
    inside=lambda kind, place, key: f"{place}/{key}",
    fault=lambda kind, given, place: None if isinstance(given, CLASSES[type(kind)]) else "kind",
    of_several=no_several,
    unknown=lambda near, fields: f"unknown {near}",
    too_few=lambda count, needed: f"few {count} {needed}",
)
LEAF = {"count": 1}


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"leaves": [LEAF, LEAF], "by_name": {"a": LEAF}, "either": None}, []),
        (3, [("", "kind")]),
        ({}, [("", '"leaves" is missing')]),
        ({"leave": [LEAF]}, [("/leave", "unknown leaves")]),
        ({"leaves": [LEAF], "zebra": 1}, [("/zebra", "unknown None")]),
        ({"leaves": [LEAF | {"zebra": 1}]}, []),
        ({"leaves": []}, [("/leaves", "few 0 1")]),
        (
            {"leaves": [LEAF, {"count": "1"}, {}]},
            [
                ("/leaves", "3 are more than the 2 that may stand here"),
                ("/leaves[1]/count", "kind"),
                ("/leaves[2]", '"count" is missing'),
            ],
        ),
        ({"by_name": {"a": {"count": 1, "text": 2}}, "leaves": 1}, [("/by_name/a/text", "kind"), ("/leaves", "kind")]),
        ({"leaves": [LEAF | {"text": None}], "either": 1}, [("/either", "several")]),
    ],
)
def test_every_place_is_found_in_the_order_given(given: object, faults: list[Fault]) -> None:
    assert list(misfits(inspect.type_info(Tree), given, "", BRIEF)) == faults


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Meta(), "a whole number"),
        (Meta(ge=0, le=9), "a whole number from 0 to 9"),
        (Meta(gt=0, lt=9), "a whole number from 1 to 8"),
    ],
)
def test_bounds_are_told_as_the_numbers_that_may_stand(bounds: Meta, words: str) -> None:
    kind = inspect.type_info(Annotated[int, bounds])
    assert isinstance(kind, inspect.IntType)
    assert whole_number(kind) == words


def test_a_word_is_mended_and_what_is_shown_is_short_and_prints() -> None:
    assert instead("pieces", ["piece", "weight"]) == 'did you mean "piece"? write one of "piece", "weight"'
    assert instead(3, ["piece"]) == 'write "piece"'
    assert shown("a\tb" + "c" * 90) == "a�b" + "c" * 37
