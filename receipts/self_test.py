"""The self-test page: ruler, letters, symbols, and the same words under every likely slot, so that one can see which is right."""

from __future__ import annotations

from collections.abc import Iterable

from pos_loyalty.i18n import Language, tr
from receipts.elements import Barcode, Cut, Element, Feed, Qr, Row, Rule, Text
from receipts.escpos import printed_bytes, to_escpos
from receipts.glyphs import encoded, fit
from receipts.heading import title

LIKELY_SLOTS = {
    "cp866": (7, 10, 11, 12, 17, 37, 59),
    "cp1251": (6, 34, 46, 73),
    "cp437": (0,),
    "cp858": (13, 19),
}
"""**Source:** escpos-printer-db, 50 profiles."""
CYRILLIC = ("cp866", "cp1251")
RULER = "1234567890"
EAN_SAMPLE, CODE_SAMPLE = "2200000000019", "PL-TEST-128"
SAMPLE_SIGNS = 24


def compose_self_test(columns: int, page: str, slot: int, language: Language) -> tuple[Element, ...]:
    """The page without the slots: what it looks like where the page is right. A page without Cyrillic is told of in English."""
    language = language if page in CYRILLIC else "en"
    return (*_head(columns, page, slot, language), *_tail())


def self_test_bytes(*, columns: int, page: str, slot: int, language: Language) -> bytes:
    """The page for a printer. It switches the code page for every likely slot, which no receipt does."""
    language = language if page in CYRILLIC else "en"
    out = to_escpos(_head(columns, page, slot, language), columns=columns, page=page, slot=slot)
    out += printed_bytes((Text(text=tr(language, "test.slots")),), columns=columns, page=page)
    words = fit(page, tr("ru" if page in CYRILLIC else "en", "test.sample"), "self-test")[:SAMPLE_SIGNS]
    for likely in sorted({*LIKELY_SLOTS[page], slot}):
        out += b"\x1bt" + bytes((likely,)) + encoded(page, f"{likely:>4}  {words}\n")
    out += b"\x1bt" + bytes((slot,))
    return out + printed_bytes(_tail(), columns=columns, page=page)


def _head(columns: int, page: str, slot: int, language: Language) -> Iterable[Element]:
    yield from title(tr(language, "test.title"))
    yield Text(text=tr(language, "test.columns", columns=columns))
    yield Text(text=(RULER * 5)[:columns])
    yield Rule()
    yield Text(text=tr(language, "test.page", page=page, slot=slot), weight="bold")
    yield Text(text=tr(language, "test.sample"))
    yield Row(left="№ — «»", right="−1 234,50 ₽")
    yield Text(text=tr(language, "test.look"))
    yield Rule()


def _tail() -> Iterable[Element]:
    yield Rule()
    yield Barcode(content=EAN_SAMPLE, kind="ean13")
    yield Feed()
    yield Barcode(content=CODE_SAMPLE, kind="code128")
    yield Qr(content="PL-TEST-QR")
    yield Cut()
