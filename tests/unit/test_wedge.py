"""Scanners that type: the vectors that the page is held to as well, the 95 signs, and that no key is ever lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.layouts import as_typed, recovered, tells_russian
from drivers.wedge import Key, Scanned, Typed, read_keys

VECTORS = json.loads(Path(__file__).with_name("wedge_vectors.json").read_text(encoding="utf-8"))
PRINTABLE = [chr(sign) for sign in range(0x20, 0x7F)]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_vectors(vector) -> None:
    told = read_keys(Key(*key) for key in vector["keys"])
    plain = [
        {"scanned": one.text, "keys": list(one.keys)} if isinstance(one, Scanned) else {"typed": list(one.keys)} for one in told
    ]
    assert plain == vector["out"]


def test_95_of_95_signs_come_back_from_the_russian_layout() -> None:
    typed = [as_typed(sign) for sign in PRINTABLE]
    assert len(PRINTABLE) == len(set(typed)) == 95
    assert [recovered(sign) for sign in typed] == PRINTABLE


def test_each_sign_comes_back_out_of_a_scan_where_the_page_knows_the_keys() -> None:
    for sign in PRINTABLE:
        for code in (f"1234{sign}5", f"LC44{sign}7"):
            keys = [Key(10 * place, as_typed(one), one) for place, one in enumerate(code)]
            (scan,) = read_keys([*keys, Key(10 * len(code), "Enter")])
            assert isinstance(scan, Scanned) and scan.text == code, sign


def test_from_text_alone_only_seven_signs_between_digits_are_undecided() -> None:
    """Each stays as it stands: ``/`` was perhaps a dot. One letter in the code, or the keys, settles it."""
    undecided = {sign for sign in PRINTABLE if as_typed(sign) != sign and not tells_russian(as_typed(sign))}
    assert undecided == set("/?@$^&|")


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from([*"2кA/*\x1d", "Enter", "Tab", "Backspace", "Ctrl+]", "Alt+0", "Alt+2"])),
        max_size=60,
    )
)
def test_no_key_is_swallowed_doubled_or_moved(steps) -> None:
    ms, keys = 0, []
    for step, key in steps:
        ms += step
        keys.append(Key(ms, key))
    told = read_keys(keys)
    assert [key for one in told for key in one.keys] == [key.key for key in keys]
    assert all(isinstance(one, Typed | Scanned) for one in told)
