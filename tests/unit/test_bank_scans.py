"""Nothing of a payment card leaves the parser, however it was read: whole, doubled, with its expiry, in odd signs, or torn."""

from __future__ import annotations

import re

import pytest

from drivers.layouts import as_typed
from drivers.symbology import Code, parse, scan_of, scan_of_read
from pos_loyalty.config import CardConfig, CodeConfig
from pos_loyalty.web.scans import ScanBoard, ScanRequest

RULES = (
    CardConfig(prefix="22", length=13, check="gtin", symbologies=("ean13",)),
    CodeConfig(kind="card", prefix="770000", length=16, check="luhn", symbologies=("stripe", "code128", "qr")),
    CodeConfig(kind="coupon", prefix="FLY", length=(6, 40)),
)
PANS = ("4111111111111111", "2200770212727079", "378282246310005", "5555555555554444", "6200000000000005")
FORMS = (
    "{}2512", "{}2512101", "{0}{0}", "00{}", "X{}Y", "B{}", "{}=2512", "{}|12|25|123", "https://pay.example/?pan={}&x=1",
    "%B{}^IVANOV/IVAN^2512101?", "%B{}&IVANOV/IVAN&2512101?", ";{}=25121010000012345?", "%И{}:ШМФТЩМ.ШМФТ:2512101?", "ж{}=2512?",
    "PL1:{}:ABCDEFGHIJKLMNOP", "PL2:{}:123456", "PL1|T1|{}", "FLY{}", "FLY-{}", "]Q1pay {} now", "]C1(10){}", "]C110{}",
    "]d2010460123456789321{}\x1d91EE05",
)  # fmt: skip
JOINERS = (".", "_", "+", "/", "%20", " ", "  ", "-", "\u2011", "\u2013", "\u00a0", "\u2007", "\u202f", "\u200b", "\u3000")
TORN = (
    ";41111111", ";4111111111111111", "11111111=2512?", "=25121010000?", ";4111111111111111=", "%B41111111",
    "%B4111111111111111^IVA", "^IVANOV/IVAN^2512101?", "IVANOV/IVAN^25121010000?", "%B4111111111111111^IVANOV/IVAN^25121",
    ";4111111111111111=2512", "1111=25121010000012345?",
)  # fmt: skip


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_lets_a_number_through(pan: str, form: str) -> None:
    raw = form.format(pan)
    board = ScanBoard(RULES)
    bare = Code(text=parse(raw).text, symbology=parse(raw).symbology or "qr")
    for told in (
        scan_of(raw, RULES),
        scan_of_read(bare, RULES),
        board.understand(ScanRequest(code=raw)),
    ):
        assert pan not in repr(told) and pan[-4:] not in repr(told), told


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("joiner", JOINERS)
def test_no_separator_lets_a_number_through(pan: str, joiner: str) -> None:
    raw = joiner.join(re.findall(".{1,4}", pan))
    assert scan_of(raw, RULES).kind == "payment"
    assert ScanBoard(RULES).understand(ScanRequest(code=raw)).kind == "payment"


GS1_PANS = (
    *PANS, "4000000000000000006", "2223003122003222", "2200000000000000004", "2204310000000003", "3530111333300000",
    "30569309025904",
)  # fmt: skip
"""Of these most split into GS1 elements by their first digits: 411 and 22, 37, 353 are identifiers."""


@pytest.mark.parametrize(
    "form", ["]C1{}", "]d2{}", "]Q3{}", "{}\x1d", "\x1d{}", "\x1d{}\x1d", "]C1{}\x1d10X", "]C10104601234567893\x1d{}"]
)
@pytest.mark.parametrize("pan", GS1_PANS)
def test_no_element_of_gs1_lets_a_number_through(pan: str, form: str) -> None:
    raw = form.format(pan)
    assert scan_of(raw, RULES).text == "" and pan not in repr(scan_of(raw, RULES)), raw
    assert scan_of_read(Code(text=parse(raw).text, symbology="gs1"), RULES).text == ""


@pytest.mark.parametrize("code", ["0104601234567893\x1d10AB12", "01046012345678933103000500", "01046012345678931727123110AB12"])
def test_products_of_gs1_go_through(code: str) -> None:
    assert scan_of(f"]C1{code}", RULES).sku == "4601234567893"


@pytest.mark.parametrize("nought", [0x0660, 0x0966, 0xFF10, 0x1D7CE, 0x1D7F6])
def test_digits_of_other_scripts_let_none_through(nought: int) -> None:
    for pan in PANS:
        assert scan_of("".join(chr(nought + int(digit)) for digit in pan), RULES).kind == "payment"


@pytest.mark.parametrize("piece", TORN)
def test_of_a_torn_stripe_nothing_is_kept(piece: str) -> None:
    scan = scan_of(piece, RULES)
    assert scan.text == "" and not re.search("[0-9]{4}|IVA", repr(scan)), scan
    assert ScanBoard(RULES).understand(ScanRequest(code=piece)).code == ""


@pytest.mark.parametrize("piece", TORN)
def test_a_torn_stripe_under_the_russian_layout_is_not_kept(piece: str) -> None:
    typed = as_typed(piece)
    scan = scan_of(typed, RULES)
    assert scan.text == "" and not re.search("[0-9]{4}|IVA|ШМФ", repr(scan)), scan
    assert ScanBoard(RULES).understand(ScanRequest(code=typed)).code == ""


@pytest.mark.parametrize("code", ["50=2026", "50=20261122", "WIN^2026", "WIN^12345678", "%202611", "%B7788"])
def test_a_table_of_the_shop_comes_before_a_torn_stripe(code: str) -> None:
    tables = [CodeConfig(kind="coupon", prefix=prefix, length=(4, 20)) for prefix in ("50=", "WIN^", "%")]
    scan = scan_of(code, tables)
    assert (scan.kind, scan.text) == ("coupon", code)
    assert scan_of("1234=251210100", tables).text == ""


@pytest.mark.parametrize("piece", ["50=4111111111111111", "%4111111111111111", "%B4111111111111111", "WIN^4111111111111111"])
def test_a_table_takes_no_bank_card_out_of_a_stripe(piece: str) -> None:
    tables = [CodeConfig(kind="coupon", prefix=prefix, length=(4, 40)) for prefix in ("50=", "WIN^", "%")]
    assert scan_of(piece, tables).text == ""


def test_a_telephones_number_is_no_payment_card() -> None:
    for imei in ("490154203237518", "353918052107062", "862771038123455", "013887008888880"):
        assert scan_of(imei, RULES).kind == "code", imei
    for pan in ("378282246310005", "343434343434343"):
        assert scan_of(pan, RULES).kind == "payment"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [("2200000000019", "card"), ("7700000000000008", "card"), (";7700000000000008=2512?", "card"), ("FLY-SUMMER", "coupon"),
     ("4601234567893", "product"), ("PL1|T1|sale-1", "receipt"), ("PL1:7700000000000008:ABCDEFGHIJKLMNOP", "card"),
     ("t=20261121T1230&s=270.00&fn=9289000100123456&i=12345&fp=1234567890&n=1", "receipt"), ("a=b", "code"), ("12=34", "code"),
     ("https://shop.example/?a=1234", "code"), ("SUMMER^2026", "code"), (";-)", "code"), ("%DISCOUNT", "code")],
)  # fmt: skip
def test_what_the_shop_has_goes_through(raw: str, kind: str) -> None:
    scan = scan_of(raw, RULES)
    assert scan.kind == kind and scan.text != "", scan


OWN = (
    CodeConfig(kind="coupon", prefix="SUMMER", length=(6, 60)),
    CodeConfig(kind="receipt", prefix="https://shop.example/r/", length=(20, 80)),
    CodeConfig(kind="staff", prefix="STAFF-", length=(8, 60)),
    CodeConfig(kind="gift_card", prefix="GIFT2026-", length=(8, 60)),
    CodeConfig(kind="coupon", prefix="770011", length=(10, 60)),
    CodeConfig(kind="card", prefix="770000", length=16, check="luhn"),
)
"""Tables with a prefix of six signs and more."""


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("prefix", [rule.prefix for rule in OWN if rule.kind != "card"])
@pytest.mark.parametrize("joiner", ["", " ", "-"])
def test_no_prefix_of_the_shop_lets_a_number_through(pan: str, prefix: str, joiner: str) -> None:
    for number in (pan, joiner.join(re.findall(".{1,4}", pan))):
        told = scan_of(prefix + joiner + number, OWN)
        assert told.kind == "payment" and told.text == "", told


@pytest.mark.parametrize("pan", PANS)
def test_no_signed_card_carries_a_second_number(pan: str) -> None:
    for raw in (f"PL1:7700000000000008:{pan}", f"PL2:7700000000000008:123456:{pan}", f"PL2:7700000000000008:a-{pan}"):
        assert pan not in repr(scan_of(raw, OWN))


@pytest.mark.parametrize("raw", ["SUMMER-2026-11", "STAFF-00017", "GIFT2026-000123", "7700119876543210", "7700000000000008"])
def test_what_a_prefix_is_for_goes_through(raw: str) -> None:
    assert scan_of(raw, OWN).kind not in ("code", "payment")
