"""Check digits: known codes, and what slips of the hand they see."""

from __future__ import annotations

import pytest

from pos_loyalty.engine.check_digits import CHECK_SIGNS, Check, checked, has_check

KNOWN: list[tuple[Check, str]] = [
    ("luhn", "79927398713"),  # ISO/IEC 7812-1's usual example
    ("luhn", "18"),
    ("mod10", "4006381333931"),  # an EAN-13
    ("mod10", "73513537"),  # an EAN-8
    ("mod97", "79444"),  # ISO/IEC 7064's example
]


@pytest.mark.parametrize(("check", "code"), KNOWN)
def test_known_codes_fit(check: Check, code: str) -> None:
    assert has_check(code, check)
    assert checked(code[: -CHECK_SIGNS[check]], check) == code


@pytest.mark.parametrize("check", ["luhn", "mod10", "mod97"])
def test_every_single_wrong_digit_is_seen(check: Check) -> None:
    code = checked("APP-0450713", check)
    for place, sign in enumerate(code):
        if sign.isdigit():
            assert not any(has_check(code[:place] + other + code[place + 1 :], check) for other in "0123456789" if other != sign)


def test_two_signs_see_every_swap_of_neighbours() -> None:
    code = checked("A0450713289", "mod97")
    for place in range(1, len(code) - 1):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert swapped == code or not has_check(swapped, "mod97")


def test_letters_count_in_mod97_only() -> None:
    assert checked("A1", "luhn")[2:] == checked("B1", "luhn")[2:]
    assert checked("A1", "mod97")[2:] != checked("B1", "mod97")[2:]


def test_check_digits_alone_are_no_code() -> None:
    assert not has_check("0", "luhn")
    assert not has_check("", "mod97")
