"""The ``[receipt]`` table of config.toml: which sections a receipt has and in which order, and the shop's own words on it."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from pos_loyalty.errors import ConfigError
from pos_loyalty.values import Value

Section = Literal[
    "logo", "header", "details", "lines", "totals", "vat", "points", "tier", "expiring", "words", "coupons", "referral", "code",
    "survey", "feedback", "footer",
]  # fmt: skip
SECTIONS: tuple[Section, ...] = (
    "logo", "header", "details", "lines", "totals", "vat", "points", "tier", "expiring", "words", "coupons", "referral", "code",
    "survey", "feedback", "footer",
)  # fmt: skip
Tongue = Literal["ru", "en"]
Sentence = Annotated[str, Meta(max_length=256)]
Paragraph = Annotated[str, Meta(max_length=4096)]
Lines = Annotated[tuple[Sentence, ...], Meta(max_length=8)]
HOLES = ("{store}", "{till}", "{receipt}")
URL_SIGNS_MAX = 160


class ReceiptConfig(Value):
    """How receipts look. Texts stand once for all languages, or as a table by language."""

    language: Tongue = "ru"
    sections: Annotated[tuple[Section, ...], Meta(min_length=1)] = SECTIONS
    """In the order of the paper; a section that is not named is not printed."""
    sale: Literal["whole", "loyalty"] = "whole"
    """``loyalty``: the host's fiscal printer prints the sale, ours a slip with the loyalty part alone."""
    header: Lines | dict[Tongue, Lines] = ()
    """The shop's name first; it is shown large. Without one the name of ``[store]`` stands."""
    footer: Lines | dict[Tongue, Lines] = ()
    logo: str | None = None
    """A PNG or BMP file."""
    coupon_symbol: Literal["qr", "bars"] = "qr"
    """``bars``: EAN-13 for 13 digits with their check digit, else Code 128; QR where the bars are wider than the paper."""
    referral: Sentence | dict[Tongue, Sentence] = ""
    """Stands above a member's own code."""
    survey: Sentence | dict[Tongue, Sentence] = ""
    feedback: Sentence | dict[Tongue, Sentence] = ""
    """Stands under the QR symbol of ``feedback_url``."""
    feedback_url: Annotated[str, Meta(max_length=URL_SIGNS_MAX)] | None = None
    """``{store}``, ``{till}`` and ``{receipt}`` are filled in."""
    consent_slip: bool = False
    """Print what a new member agreed to, to be signed; the texts stand in ``[consent]``."""
    font: str | None = None
    """A monospaced TrueType file with Cyrillic for PNG; None looks for DejaVu Sans Mono."""


class ConsentConfig(Value):
    """Which text a person agrees to at this till, by purpose, as its version is called; and the texts themselves."""

    data: Sentence = "1"
    advertising: Sentence = "1"
    data_text: Paragraph | dict[Tongue, Paragraph] = ""
    advertising_text: Paragraph | dict[Tongue, Paragraph] = ""


def words_in(said: str | dict[Tongue, str], language: Tongue) -> str:
    """A text in the language, or in another one."""
    if isinstance(said, str):
        return said
    return said.get(language) or next(iter(said.values()), "")


def lines_in(said: tuple[str, ...] | dict[Tongue, tuple[str, ...]], language: Tongue) -> tuple[str, ...]:
    """Lines in the language, or in another one."""
    if isinstance(said, tuple):
        return said
    return said.get(language) or next(iter(said.values()), ())


def check_receipt(place: str, config: ReceiptConfig) -> None:
    """Raise ConfigError for a template that no receipt can be made by."""
    for section in config.sections:
        if config.sections.count(section) > 1:
            raise ConfigError(f"{place}.sections", f'"{section}" stands twice')
    url = config.feedback_url
    if url is None:
        return
    if urlsplit(url).scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise ConfigError(
            f"{place}.feedback_url", f'"{url}" is not an address; write one such as "https://example.org/?r={{receipt}}"'
        )
    rest = url
    for hole in HOLES:
        rest = rest.replace(hole, "")
    if "{" in rest or "}" in rest:
        raise ConfigError(f"{place}.feedback_url", f"only {', '.join(HOLES)} are filled in")
