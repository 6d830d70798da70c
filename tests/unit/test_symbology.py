"""Nomenclature, check digits, AIM identifiers, and payment cards, of which nothing may be kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.symbology import Code, Scan, gtin_holds, is_payment_card, luhn_holds, mask, member_card, parse, scan_of
from pos_loyalty.config import CardConfig

PLASTIC = CardConfig(prefix="29", length=13, check="gtin", symbologies=("ean13",))
PAPER = CardConfig(prefix="LC", length=12, check="none", symbologies=("code128", "qr"))
LUHN = CardConfig(prefix="77", length=16, check="luhn", symbologies=("code128",))
CARDS = (PLASTIC, PAPER, LUHN)
CARD = "2900000000001"


@pytest.mark.parametrize("code", ["4006381333931", "96385074", "2900000000001", "036000291452", "4601234567893"])
def test_published_gtins_hold(code):
    assert gtin_holds(code)


@pytest.mark.parametrize("code", ["4111111111111111", "5555555555554444", "378282246310005", "4222222222222", "79927398713"])
def test_published_luhn_numbers_hold(code):
    assert luhn_holds(code)


@given(st.text("0123456789", min_size=7, max_size=18), st.integers(0, 18), st.integers(1, 9))
def test_one_check_digit_fits_and_a_changed_digit_is_seen(body, place, step):
    for holds in (gtin_holds, luhn_holds):
        fitting = [digit for digit in "0123456789" if holds(body + digit)]
        assert len(fitting) == 1
        code = body + fitting[0]
        place %= len(code)
        assert not holds(code[:place] + str((int(code[place]) + step) % 10) + code[place + 1 :])


@pytest.mark.parametrize("code", ["", "0", "A", "29000000000O1", "٢٩٠٠٠٠٠٠٠٠٠٠١"])
def test_what_is_not_digits_has_no_check_digit(code):
    assert not gtin_holds(code)
    assert not luhn_holds(code)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (CARD, Code(text=CARD)),
        ("]E0" + CARD, Code(text=CARD, symbology="ean13")),
        ("]E496385074", Code(text="96385074", symbology="ean8")),
        ("]C0LC0000000001", Code(text="LC0000000001", symbology="code128")),
        ("]C101046012345678931", Code(text="01046012345678931", symbology="gs1")),
        ("]Q1LC0000000001", Code(text="LC0000000001", symbology="qr")),
        ("]Q30104601234567893", Code(text="0104601234567893", symbology="gs1")),
        ("]d2010460", Code(text="010460", symbology="gs1")),
        ("]A0X", Code(text="X", symbology="code39")),
        ("]E0036000291452", Code(text="036000291452", symbology="ean13")),
        ("]X0X", Code(text="X", symbology="other")),
        ("]", Code(text="]")),
        ("]я1", Code(text="]я1")),
    ],
)
def test_the_aim_identifier_is_stripped(raw, code):
    assert parse(raw) == code


def test_a_card_of_the_shop_is_known_with_and_without_its_symbology():
    assert member_card(CARD, None, CARDS) == CARD
    assert member_card(CARD, "ean13", CARDS) == CARD
    assert member_card("LC0000000001", "qr", CARDS) == "LC0000000001"


@pytest.mark.parametrize(
    ("code", "symbology"),
    [
        ("2900000000002", "ean13"),  # check digit
        ("2800000000004", "ean13"),  # prefix, with a fitting check digit
        ("290000000001", None),  # length
        (CARD, "code128"),  # symbology
        (CARD, "gs1"),
        ("LC000000000é", None),
        ("lc0000000001", None),
        (" " + CARD, None),
        (CARD + "\n", None),
        ("", None),
    ],
)
def test_what_breaks_one_part_of_the_nomenclature_is_no_card(code, symbology):
    assert member_card(code, symbology, CARDS) is None


def test_without_a_nomenclature_nothing_is_a_card():
    assert member_card(CARD, None, ()) is None


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "4222222222222", "2200770212727079",
     "%B4111111111111111^IVANOV/I^2512", ";4111111111111111=2512"],
)  # fmt: skip
def test_payment_cards_are_refused_and_nothing_of_them_is_kept(number):
    assert is_payment_card(number)
    assert scan_of(number, CARDS) == Scan(kind="payment", text="")
    assert scan_of("]C0" + number, CARDS) == Scan(kind="payment", text="")


def test_our_own_luhn_cards_are_not_payment_cards():
    card = "7700000000000008"
    assert luhn_holds(card)
    scan = scan_of(card, CARDS)
    assert (scan.kind, scan.text) == ("card", card)


def test_one_product_in_ten_has_a_luhn_digit_and_is_still_a_product():
    products = [f"46012345{number:04d}" for number in range(200)]
    eans = [body + digit for body in products for digit in "0123456789" if gtin_holds(body + digit)]
    assert any(luhn_holds(code) for code in eans)
    assert {scan_of(raw, CARDS).kind for code in eans for raw in (code, "]E0" + code)} == {"product"}


def test_other_codes_pass_through():
    assert scan_of("]Q1https://shop.example/r/1", CARDS) == Scan(kind="code", text="https://shop.example/r/1", symbology="qr")


@pytest.mark.parametrize(("card", "shown"), [(CARD, "*********0001"), ("1234", "****"), ("", "")])
def test_a_masked_card_shows_four_signs_at_most(card, shown):
    assert mask(card) == shown
