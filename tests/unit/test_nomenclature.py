"""What a code is, by the shop's own tables: one parser for every source, and payment cards refused wherever they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.check_digits import damm_digit, damm_holds, gtin_holds, luhn_holds
from drivers.symbology import Scan, is_payment_card, scan_of
from pos_loyalty.config import CodeConfig

RULES = (
    CodeConfig(kind="weight", prefix="23", length=13, check="gtin", sku="3-7", weight="8-12"),
    CodeConfig(kind="weight", prefix="24", length=13, check="gtin", sku="3-7", price="8-12"),
    CodeConfig(kind="card", prefix="29", length=13, check="gtin", symbologies=("ean13",)),
    CodeConfig(kind="card", prefix="770000", length=16, check="luhn", symbologies=("stripe", "code128")),
    CodeConfig(kind="card", prefix="88", length=(10, 12), check="damm"),
    CodeConfig(kind="coupon", prefix="FLY-", length=(6, 20)),
    CodeConfig(kind="gift_card", prefix="900", length=20),
    CodeConfig(kind="staff", prefix="ST:", length=(4, 40)),
    CodeConfig(kind="receipt", prefix="R#", length=(4, 60)),
)
BANKS = ["4111111111111111", "5555555555554444", "2200770212727079", "378282246310005", "4222222222222", "6011111111111117"]


def with_check(body: str, holds) -> str:
    return next(body + digit for digit in "0123456789" if holds(body + digit))


def test_each_kind_is_told_by_its_table() -> None:
    told = {
        "2900000000001": "card",
        "FLY-2026X": "coupon",
        "90012345678901234567": "gift_card",
        "ST:Anna": "staff",
        "R#0001-7": "receipt",
        with_check("88000001", damm_holds) + "": "code",  # nine signs: shorter than the range
        with_check("880000001", damm_holds): "card",
        with_check("88000000001", damm_holds): "card",
        "4601234567893": "product",
        "WELCOME10": "code",
        "PL1|T1|K1-000123": "receipt",
        "t=20261121T1230&s=300.00&fn=9999078900001234&i=12345&fp=1234567890&n=1": "receipt",
        "PLG1|ABCDEFGHIJKLMNOPQRSTUVWXYZ": "gift_card",
        "PL1:2900000000001:c2lnbmF0dXJl": "card",
    }
    assert {code: scan_of(code, RULES).kind for code in told} == told


def test_badges_and_foreign_receipts_tell_what_stands_behind_the_prefix() -> None:
    assert scan_of("ST:Anna", RULES).text == "Anna"
    assert scan_of("R#0001-7", RULES).text == "0001-7"


def test_a_label_by_weight_tells_the_goods_and_the_weight() -> None:
    label = scan_of(with_check("230012301500", gtin_holds), RULES)
    assert (label.kind, label.sku, label.quantity_milli, label.price_minor) == ("weight", "00123", 1500, None)


def test_a_label_by_price_tells_the_goods_and_the_price() -> None:
    label = scan_of("]E0" + with_check("240012301599", gtin_holds), RULES)
    assert (label.kind, label.sku, label.quantity_milli, label.price_minor) == ("weight", "00123", None, 1599)


def test_a_label_of_no_weight_or_with_a_wrong_check_digit_is_no_label() -> None:
    assert scan_of(with_check("230012300000", gtin_holds), RULES).kind == "product"
    wrong = with_check("230012301500", gtin_holds)
    wrong = wrong[:-1] + str((int(wrong[-1]) + 1) % 10)
    assert (scan_of(wrong, RULES).kind, scan_of(wrong, RULES).is_mistyped) == ("code", True)


@given(st.text("0123456789", min_size=3, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_damm_sees_every_changed_digit_and_every_swap(body: str, place: int, step: int) -> None:
    code = body + damm_digit(body)
    assert damm_holds(code)
    place %= len(code)
    assert not damm_holds(code[:place] + str((int(code[place]) + step) % 10) + code[place + 1 :])
    place = place % (len(code) - 1)
    if code[place] != code[place + 1]:
        assert not damm_holds(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


def test_gs1_elements_name_the_product_and_the_rest() -> None:
    scan = scan_of("]C10104601234567893172512311012345\x1d21ABC", RULES)
    assert (scan.kind, scan.sku) == ("product", "4601234567893")
    assert scan.gs1 == {"01": "04601234567893", "17": "251231", "10": "12345", "21": "ABC"}
    weighed = scan_of("]e001046012345678933103001500", RULES)
    assert weighed.quantity_milli == 1500


def test_a_gtin_with_a_wrong_check_digit_inside_gs1_is_no_product() -> None:
    scan = scan_of("]C10104601234567892", RULES)
    assert (scan.kind, scan.sku, scan.is_mistyped) == ("code", "", True)


@pytest.mark.parametrize("lead", ["", "]d2", "]d2\x1d", "\x1d"])
@pytest.mark.parametrize("gs", ["\x1d", ""])
def test_a_mark_is_kept_whole(lead: str, gs: str) -> None:
    mark = f'010460123456789321abcdef&hi"klm{gs}91EE05{gs}92{"x" * 43}='
    scan = scan_of(lead + mark, RULES)
    assert (scan.kind, scan.sku, scan.mark) == ("product", "4601234567893", mark)


def test_a_pack_of_cigarettes_is_a_mark_too() -> None:
    scan = scan_of("]d104601234567893ABC!efgACByAAAA", RULES)
    assert (scan.kind, scan.sku, scan.mark) == ("product", "4601234567893", "04601234567893ABC!efgACByAAAA")


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize(
    "around",
    ["{}", "]C0{}", "]Q1{}", "card {} thanks", "https://shop.example/c/{}", ";{}=25121010000?", "%B{}^IVANOV/IVAN^2512?",
     "%B{0}^I/I^2512?;{0}=2512?", "{}=2512", "{} 12/25", "№{}", "ж{}=2512,", "FLY-{}", "ST:{}", "R#{}"],
)  # fmt: skip
def test_a_payment_card_is_refused_in_any_text_around_it(bank: str, around: str) -> None:
    raw = around.format(bank)
    assert scan_of(raw, RULES) == Scan(kind="payment", text="") or bank not in repr(scan_of(raw, RULES))


@pytest.mark.parametrize("bank", ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111\u00a01111\u00a01111\u00a01111 12/25"])
def test_spaces_hide_no_payment_card(bank: str) -> None:
    for raw in (bank, f"pay {bank} now"):
        assert scan_of(raw, RULES) == Scan(kind="payment", text="")


def test_only_an_own_range_is_taken_from_a_stripe() -> None:
    own = with_check("770000123456789", luhn_holds)
    for raw in (f";{own}=2512?", f"%B{own}^IVANOV/I^2512?;{own}=2512?", f"%{own}?"):
        scan = scan_of(raw, RULES)
        assert (scan.kind, scan.text, scan.symbology) == ("card", own, "stripe")
        assert "IVANOV" not in repr(scan)
    other = scan_of(";12345?", RULES)
    assert (other.kind, other.text) == ("code", "")
    assert scan_of(f"%B{own}^I/I^2512?;4111111111111111=2512?", RULES) == Scan(kind="payment", text="")


def test_a_swipe_with_a_wrong_check_sign_is_not_read() -> None:
    own = with_check("770000123456789", luhn_holds)
    track = f";{own}=2512?"
    total = 0
    for sign in track:
        total ^= ord(sign) - 0x30
    assert scan_of(track + chr(total + 0x30), RULES).kind == "card"
    broken = scan_of(track + chr((total ^ 1) + 0x30), RULES)
    assert (broken.kind, broken.text) == ("payment", "")  # too like a bank's to be told apart


def test_an_nfc_id_is_a_plain_code() -> None:
    rules = (CodeConfig(kind="card", length=14, prefix="04"),)
    scan = scan_of("04A2B3C4D5E680", rules)
    assert (scan.kind, scan.text) == ("card", "04A2B3C4D5E680")


def test_a_code_under_the_russian_layout_is_what_the_scanner_meant() -> None:
    scan = scan_of("ъУ02900000000001", RULES)
    assert (scan.kind, scan.text, scan.symbology) == ("card", "2900000000001", "ean13")
    assert scan_of("Чек из магазина", RULES).text == "Чек из магазина"


@given(st.text(max_size=80))
def test_anything_at_all_has_one_answer_and_a_payment_card_none(raw: str) -> None:
    scan = scan_of(raw, RULES)
    assert scan == scan_of(raw, RULES)
    if is_payment_card(raw):
        assert scan.kind in ("payment", "product", "card", "weight", "receipt", "gift_card")
    assert (scan.kind == "payment") <= (scan == Scan(kind="payment", text=""))
