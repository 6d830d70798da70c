"""What config.toml says of scanners and codes, ``[[scanner]]``, ``[[card]]`` and ``[[code]]``, and what cannot be meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from pos_loyalty.errors import ConfigError
from pos_loyalty.values import Value

GTIN_LENGTHS = (8, 12, 13, 14)
PAYMENT_LENGTHS = range(13, 20)
ISSUER_DIGITS = 6
BANK_STARTS = ((2200, 2204), (2221, 2720), (3000, 6999))
OWN_DIGITS_MIN = 5

DeviceName = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")]
Length = Annotated[int, Meta(ge=4, le=64)]
CodeLength = Annotated[int, Meta(ge=1, le=512)]
LengthRange = Annotated[tuple[CodeLength, ...], Meta(min_length=2, max_length=2)]
"""A tuple of fixed length beside a bounded int breaks msgspec 0.22: it reads foreign memory."""
Places = Annotated[str, Meta(pattern="^([1-9][0-9]?-[1-9][0-9]?)?$")]
"""Signs of a code, counted from 1, both ends included: "3-7"."""
CardSymbology = Literal["ean13", "ean8", "code128", "qr", "stripe"]
CodeSymbology = Literal["ean13", "ean8", "code128", "code39", "qr", "datamatrix", "pdf417", "aztec", "stripe"]
CodeKind = Literal["card", "coupon", "gift_card", "receipt", "staff", "product", "weight"]
Suffix = Literal["cr", "lf", "crlf", "tab", "etx", "any", "none"]


class ScannerConfig(Value):
    """One reader. ``path`` should stand under /dev/serial/by-id or /dev/input/by-id: other names change at the next plugging.

    ``hid``: a scanner that is a keyboard, read under the layout and away from the page. ``stripe``: a serial reader of magnetic
    stripes; what it sends that is no stripe is refused.
    """

    path: str
    name: DeviceName = "scanner"
    kind: Literal["serial", "hid", "stripe"] = "serial"
    baud: Annotated[int, Meta(ge=300, le=921_600)] = 9600
    prefix: str = ""
    suffix: Suffix = "any"
    gap_ms: Annotated[int, Meta(ge=50, le=1000)] = 80
    """Under ``suffix = "none"``: so long a silence ends a code."""


class CardConfig(Value):
    """Which codes are member cards: symbology, prefix, length and check. The short form of ``[[code]]`` with kind "card"."""

    prefix: Annotated[str, Meta(pattern="^[0-9A-Z]*$", max_length=16)]
    length: Length
    check: Literal["gtin", "luhn", "damm", "none"] = "gtin"
    symbologies: Annotated[tuple[CardSymbology, ...], Meta(min_length=1)] = ("ean13",)
    own_prefix: Annotated[str, Meta(pattern="^[0-9]*$", max_length=16)] = ""
    """Numbers that begin so are made by this till, for cards shown as QR: by no other till. Empty: it makes none."""


class CodeConfig(Value):
    """Which codes are of one kind. The first table that holds for all of a code decides."""

    kind: CodeKind
    length: CodeLength | LengthRange
    """How many signs, or the fewest and the most."""
    prefix: Annotated[str, Meta(pattern="^[!-~]*$", max_length=32)] = ""
    check: Literal["gtin", "luhn", "damm", "hmac", "none"] = "none"
    """``hmac``: signed under a key of the key file, which the till checks where the code is used."""
    symbologies: tuple[CodeSymbology, ...] = ()
    """Empty: however it is printed."""
    own_prefix: Annotated[str, Meta(pattern="^[0-9]*$", max_length=16)] = ""
    sku: Places = ""
    weight: Places = ""
    """Grams."""
    price: Places = ""
    """Minor units for the whole package."""

    @property
    def lengths(self) -> tuple[int, int]:
        """The fewest and the most signs."""
        return (self.length[0], self.length[1]) if isinstance(self.length, tuple) else (self.length, self.length)


def code_of(card: CardConfig) -> CodeConfig:
    """The long form of a ``[[card]]`` table."""
    return CodeConfig(
        kind="card", length=card.length, prefix=card.prefix, check=card.check, symbologies=card.symbologies,
        own_prefix=card.own_prefix,
    )  # fmt: skip


def cards_among(codes: Sequence[CodeConfig]) -> tuple[CardConfig, ...]:
    """Tables of kind "card" in the short form, one for each length; signed codes are not numbers and have none."""
    return tuple(
        CardConfig(
            prefix=code.prefix,
            length=length,
            check=code.check,
            symbologies=tuple(one for one in code.symbologies if one in CARD_SYMBOLOGIES) or CARD_SYMBOLOGIES,
            own_prefix=code.own_prefix,
        )
        for code in codes
        if code.kind == "card" and code.check != "hmac"
        for length in range(code.lengths[0], code.lengths[1] + 1)
    )


CARD_SYMBOLOGIES: tuple[CardSymbology, ...] = ("ean13", "ean8", "code128", "qr", "stripe")


def check_card(place: str, card: CardConfig) -> None:
    """Raises ConfigError, with the place, for a table that cannot be meant."""
    if len(card.prefix) >= card.length:
        raise ConfigError(f"{place}.prefix", f'"{card.prefix}" leaves no room for a number in {card.length} signs')
    _check_check(place, code_of(card))
    if card.own_prefix:
        _check_own(place, card)


def check_code(place: str, code: CodeConfig) -> None:
    """Raises ConfigError, with the place, for a table that cannot be meant."""
    fewest, most = code.lengths
    if fewest > most:
        raise ConfigError(f"{place}.length", f"[{fewest}, {most}] is no range; write the smaller number first")
    if len(code.prefix) >= fewest:
        raise ConfigError(f"{place}.prefix", f'"{code.prefix}" leaves no room for a number in {fewest} signs')
    if code.kind == "card" and code.check != "hmac":
        if (not code.prefix.isalnum() and code.prefix) or code.prefix != code.prefix.upper() or fewest < 4 or most > 64:
            raise ConfigError(f"{place}.prefix", "a member card has 4 to 64 digits and capital letters")
        if code.own_prefix and fewest != most:
            raise ConfigError(f"{place}.own_prefix", "cards that the till makes have one length; write one number")
        for card in cards_among((replace(code, length=fewest),)):
            check_card(place, card)
    elif code.own_prefix:
        raise ConfigError(f"{place}.own_prefix", 'only cards are made by the till; drop it, or write kind = "card"')
    _check_check(place, code)
    _check_places(place, code)


def _check_check(place: str, code: CodeConfig) -> None:
    fewest, most = code.lengths
    if code.check == "gtin" and any(length not in GTIN_LENGTHS for length in (fewest, most)):
        raise ConfigError(f"{place}.length", f"a GTIN check digit goes with a length of {', '.join(map(str, GTIN_LENGTHS))}")
    has_bank_length = fewest <= PAYMENT_LENGTHS[-1] and most >= PAYMENT_LENGTHS[0]
    if code.check != "gtin" and has_bank_length and _takes_in_banks(code.prefix):
        raise ConfigError(
            f"{place}.prefix", f'"{code.prefix}" takes in payment cards; name at least {ISSUER_DIGITS} digits of your own range'
        )


def _takes_in_banks(prefix: str) -> bool:
    if not prefix.isdecimal() or len(prefix) >= ISSUER_DIGITS:
        return False
    low, high = int(prefix[:4].ljust(4, "0")), int(prefix[:4].ljust(4, "9"))
    return any(low <= last and first <= high for first, last in BANK_STARTS)


def _check_places(place: str, code: CodeConfig) -> None:
    given = {name: text for name, text in (("sku", code.sku), ("weight", code.weight), ("price", code.price)) if text}
    if code.kind != "weight":
        if given:
            raise ConfigError(f"{place}.{next(iter(given))}", 'only a label by weight has it; write kind = "weight"')
        return
    if "sku" not in given or len(given) != 2:
        raise ConfigError(f"{place}.sku", 'a label by weight names its sku and either weight or price, as "3-7" and "8-12"')
    taken: set[int] = set()
    for name, text in given.items():
        first, last = map(int, text.split("-"))
        signs = set(range(first, last + 1))
        if not signs or last > code.lengths[0] or signs & taken:
            raise ConfigError(f"{place}.{name}", f'"{text}" lies outside of the label or over another part of it')
        taken |= signs


def _check_own(place: str, card: CardConfig) -> None:
    if not card.own_prefix.startswith(card.prefix):
        raise ConfigError(f"{place}.own_prefix", f'"{card.own_prefix}" does not begin with the prefix "{card.prefix}"')
    if card.length - len(card.own_prefix) < OWN_DIGITS_MIN + 1:
        raise ConfigError(
            f"{place}.own_prefix", f"leaves less than {OWN_DIGITS_MIN} digits and the check digit: numbers would run out"
        )
    if "qr" not in card.symbologies:
        raise ConfigError(f"{place}.symbologies", 'a card that the till makes is shown as QR; add "qr"')
