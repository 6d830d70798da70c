"""What a code is, wherever it was read: scanner, keyboard, camera, stripe. One parser for every source.

A payment card's number leaves this file in no value, no error and no log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import field
from msgspec.structs import replace

from drivers import gs1, layouts, nomenclature
from drivers.check_digits import gtin_holds as gtin_holds
from drivers.check_digits import luhn_holds as luhn_holds
from drivers.nomenclature import member_card as member_card
from drivers.payment_cards import holds_number
from drivers.payment_cards import is_payment_card as is_payment_card
from drivers.ports import Symbology
from drivers.stripe import is_torn, read_swipe
from pos_loyalty.config import CardConfig, CodeConfig
from pos_loyalty.config_codes import code_of
from pos_loyalty.log import mask as mask
from pos_loyalty.values import Value

AIM = re.compile(r"\](?P<letter>[A-Za-z])(?P<modifier>[0-9A-Za-z])")
GS1_IDENTIFIERS = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
LETTERS: dict[str, Symbology] = {"C": "code128", "Q": "qr", "A": "code39", "d": "datamatrix", "L": "pdf417", "z": "aztec"}
"""**Source:** ISO/IEC 15424."""
EAN: dict[int, Symbology] = {13: "ean13", 12: "ean13", 8: "ean8"}
GTIN = re.compile("[0-9]{8}|[0-9]{12,14}")
OUR_RECEIPT = re.compile(r"PL1\|[A-Za-z0-9_-]{1,32}\|[!-~]{1,128}")
FISCAL_RECEIPT = re.compile(
    r"(?=(?:.*&)?fn=[0-9]{1,16}(?:&|$))(?=(?:.*&)?i=[0-9]+(?:&|$))(?=(?:.*&)?fp=[0-9]+(?:&|$))[!-~]{1,256}"
)
OUR_GIFT_CARD = re.compile(r"(?i:PLG1)\|[A-Za-z2-7 ]{26,40}")
SIGNED_CARD = re.compile(r"PL[12]:[!-~]{1,256}")

TORN_STRIPE = "stripe"
"""The rule by which a stripe, or a piece of one, is known that no table takes: nothing of it is kept."""
Kind = Literal["card", "coupon", "gift_card", "receipt", "staff", "product", "weight", "code", "payment"]


class Code(Value):
    """A code without its AIM identifier. ``symbology`` is None when the reader did not say."""

    text: str
    symbology: Symbology | None = None


class Scan(Value):
    """What was scanned. ``code``: no rule holds; ``payment``: a payment card, of which nothing is kept.

    ``text`` is the code; of ``receipt`` and ``staff`` codes that a table of the config names, what stands behind the prefix.
    """

    kind: Kind
    text: str
    symbology: Symbology | None = None
    rule: str = ""
    """Why: a table of the config in its own words, or what it was known by without one."""
    sku: str = ""
    """Of products and of labels by weight."""
    quantity_milli: int | None = None
    """The weight that the label or the GS1 code tells, in thousandths of a kilogram."""
    price_minor: int | None = None
    """The price of the whole package, in minor units."""
    mark: str = ""
    """«Честный знак»: the whole code of the unit, with its separators."""
    gs1: dict[str, str] = field(default_factory=dict)
    """GS1 elements by their identifiers."""
    is_mistyped: bool = False
    """A rule would hold but for the check digit."""


def scan_of(raw: str, rules: Sequence[CodeConfig | CardConfig]) -> Scan:
    """Judge what a reader sent. The text of a payment card is empty.

    A text with Russian letters is judged once more as the scanner meant it under another layout, when it is nothing as it stands.
    """
    long_forms = [code_of(rule) if isinstance(rule, CardConfig) else rule for rule in rules]
    scan = _judged(raw, long_forms)
    if scan.kind == "code" and layouts.tells_russian(raw):
        meant = _judged(layouts.recovered(raw), long_forms)
        return meant if meant.kind != "code" or meant.rule == TORN_STRIPE else scan
    return scan


def scan_of_read(code: Code, rules: Sequence[CodeConfig | CardConfig]) -> Scan:
    """Judge what a camera read: it knows the symbology, and no layout of keys stands between."""
    return _judged_code(code, [code_of(rule) if isinstance(rule, CardConfig) else rule for rule in rules])


def parse(raw: str) -> Code:
    """Strip the AIM identifier, when there is one. **Source:** ISO/IEC 15424."""
    match = AIM.match(raw)
    if match is None:
        return Code(text=raw)
    return Code(text=raw[match.end() :], symbology=_symbology(match.group(), raw[match.end() :]))


def _judged(raw: str, rules: Sequence[CodeConfig]) -> Scan:
    swipe = read_swipe(raw)
    if swipe is not None:
        return _swiped(raw, swipe.number, rules)
    code = parse(raw)
    if is_torn(raw) and _by_rule(code, rules) is None:
        return _swiped(raw, "", rules)
    return _judged_code(code, rules)


def _judged_code(code: Code, rules: Sequence[CodeConfig]) -> Scan:
    scan = _our_own(code.text, rules) or _by_rule(code, rules) or _by_gs1(code)
    if scan is None and (is_payment_card(code.text, code.symbology) or nomenclature.holds_behind(code.text, rules)):
        scan = Scan(kind="payment", text="")
    if scan is not None and scan.kind == "payment":
        return scan
    scan = scan or _by_gtin(code) or _unknown(code, rules)
    return replace(scan, symbology=code.symbology)


def _our_own(text: str, rules: Sequence[CodeConfig]) -> Scan | None:
    """Codes that we print ourselves, and the fiscal one: they say what they are. What they carry is no payment card's number."""
    for kind, rule, pattern in OWN:
        if pattern.fullmatch(text):
            return None if holds_number(text) and not _carries_ours(text, rules) else Scan(kind=kind, text=text, rule=rule)
    return None


def _carries_ours(text: str, rules: Sequence[CodeConfig]) -> bool:
    """A signed card of a range of the shop's own, with no other number beside its own."""
    if SIGNED_CARD.fullmatch(text) is None:
        return False
    begin, number, *rest = text.split(":")
    return nomenclature.holding(number, None, rules) is not None and not holds_number(":".join([begin, *rest]))


OWN: tuple[tuple[Kind, str, re.Pattern[str]], ...] = (
    ("receipt", "our receipt", OUR_RECEIPT),
    ("gift_card", "our gift card", OUR_GIFT_CARD),
    ("card", "signed card", SIGNED_CARD),
    ("receipt", "fiscal receipt", FISCAL_RECEIPT),
)


def _by_rule(code: Code, rules: Sequence[CodeConfig]) -> Scan | None:
    rule = nomenclature.holding(code.text, code.symbology, rules)
    if rule is None:
        return None
    scan = Scan(kind=rule.kind, text=code.text, rule=nomenclature.told(rule))
    match rule.kind:
        case "staff" | "receipt":
            return replace(scan, text=code.text[len(rule.prefix) :])
        case "product":
            return replace(scan, sku=code.text)
        case "weight":
            return _label(scan, rule)
        case "card" | "coupon" | "gift_card":
            return scan


def _label(scan: Scan, rule: CodeConfig) -> Scan | None:
    """A label by weight. The digit before a price that some shops print as its check is counted to nothing. None: not digits."""
    sku, weight, price = (_part(scan.text, places) for places in (rule.sku, rule.weight, rule.price))
    figure = weight or price
    if not figure.isdecimal() or int(figure) == 0:
        return None
    return replace(
        scan, sku=sku, quantity_milli=int(weight) if weight else None, price_minor=int(price) if price else None
    )  # fmt: skip


def _part(text: str, places: str) -> str:
    first, _, last = places.partition("-")
    return text[int(first) - 1 : int(last)] if places else ""


def _by_gs1(code: Code) -> Scan | None:
    """A mark, or elements that say so themselves: by the reader's word or by a separator; else digits are only digits."""
    text = code.text.removeprefix(gs1.GS)
    elements = gs1.read_elements(text)
    marked = gs1.mark_gtin(text) if code.symbology in (None, "gs1", "datamatrix", "other") else None
    if marked is not None and (elements is None or "21" in elements):
        if holds_number(text):
            return Scan(kind="payment", text="")
        return Scan(kind="product", text=text, rule="mark", sku=marked, mark=text, gs1=elements or {})
    if elements is None or not (code.symbology == "gs1" or gs1.GS in text):
        return None
    if any(holds_number(value) for identifier, value in elements.items() if identifier[:2] not in gs1.FIXED):
        return Scan(kind="payment", text="")
    sku = gs1.gtin_of(elements)
    if any(map(is_payment_card, text.split(gs1.GS)[sku is not None :])):
        return Scan(kind="payment", text="")
    if sku is None:
        return Scan(kind="code", text=text, rule="GS1", gs1=elements, is_mistyped="01" in elements)
    return Scan(kind="product", text=text, rule="GS1", sku=sku, gs1=elements, quantity_milli=gs1.weight_milli(elements))


def _by_gtin(code: Code) -> Scan | None:
    if not GTIN.fullmatch(code.text) or not gtin_holds(code.text) or code.symbology == "stripe":
        return None
    return Scan(kind="product", text=code.text, rule="GTIN", sku=gs1.shelf_number(code.text))


def _unknown(code: Code, rules: Sequence[CodeConfig]) -> Scan:
    return Scan(kind="code", text=code.text, is_mistyped=nomenclature.mistyped(code.text, code.symbology, rules))


def _swiped(raw: str, number: str, rules: Sequence[CodeConfig]) -> Scan:
    """Only a range of the shop's own is taken from a stripe; of any other nothing is kept."""
    own = [rule for rule in rules if "stripe" in rule.symbologies]
    scan = _by_rule(Code(text=number, symbology="stripe"), own) if number else None
    if scan is not None:
        return replace(scan, symbology="stripe")
    if is_payment_card(number) or is_payment_card(raw):
        return Scan(kind="payment", text="")
    return Scan(kind="code", text="", symbology="stripe", rule=TORN_STRIPE, is_mistyped=not number)


def _symbology(identifier: str, text: str) -> Symbology:
    if identifier in GS1_IDENTIFIERS:
        return "gs1"
    if identifier[1] == "E":
        return EAN.get(len(text), "other")
    return LETTERS.get(identifier[1], "other")
