"""Receipts to look at, of every kind, width and language, with the template of a made-up shop.

``python -m tests.golden.samples`` writes the golden files anew; the pictures among them are looked at before they are committed.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from pos_loyalty.i18n import LANGUAGES, Language
from receipts.elements import Element
from receipts.escpos import to_escpos
from receipts.layout import COLUMNS
from receipts.logo import logo_of
from receipts.look import Look
from receipts.model import Receipt
from receipts.samples import AT as AT
from receipts.samples import KINDS, SALE_ID, Shop, sale_sample, sample
from receipts.self_test import LIKELY_SLOTS, self_test_bytes
from receipts.text import to_text
from tests.emulators.escpos import SLOTS, Judge, judge

__all__ = ["SALE_ID"]

HERE = Path(__file__).parent
FOLDER = HERE / "receipts"
PAGE, SLOT = "cp866", 17
EVERY = [(kind, language, columns) for kind in KINDS for language in LANGUAGES for columns in COLUMNS]
LOOK = Look(
    header=("ЛАВКА «У РЕКИ»", "Кострома, ул. Чайковского, 7"),
    footer=("Спасибо за покупку!", "Ждём вас снова каждый день с 8 до 22"),
)
SURVEY: dict[Language, str] = {
    "ru": "Что нам добавить на полки? Скажите кассиру.",
    "en": "What is missing on the shelves?",
}


def shop_of(kind: str, language: Language, columns: int) -> Shop:
    """Plain slips for most kinds; everything that a template can have where there is something to take along."""
    shop = Shop(look=LOOK, columns=columns, page=PAGE, slot=SLOT)
    if kind not in ("offers", "card"):
        return shop
    look = replace(LOOK, has_bars=True, survey=SURVEY[language], feedback_url="https://example.org/r/{store}/{receipt}")
    return replace(shop, look=look, logo=logo_of((HERE / "logo.bmp").read_bytes(), columns * 12, "logo.bmp"))


def full() -> Receipt:
    """Four lines, three reasons, points paid and earned, a tier ahead, an expiry, cash with change."""
    return _dressed("sale")


def plain() -> Receipt:
    """One line, no member, no discount."""
    return _dressed("plain")


def copy() -> Receipt:
    """The full receipt printed a second time, from an offline till."""
    return _dressed("copy")


def reversed_sale() -> Receipt:
    """The slip of a void."""
    return _dressed("reversed")


def cancelled() -> Receipt:
    """The slip of a sale that was not paid."""
    return _dressed("cancelled")


def offers() -> Receipt:
    """A sale with coupons, words and a friend's code."""
    return _dressed("offers")


def elements_of(kind: str, language: Language, columns: int) -> tuple[Element, ...]:
    """A sample as elements."""
    return sample(kind, shop_of(kind, language, columns), language)


def bytes_of(kind: str, language: Language, columns: int = 48) -> bytes:
    """A sample as ESC/POS bytes on CP866."""
    if kind == "self_test":
        return self_test_bytes(columns=columns, page=PAGE, slot=SLOT, language=language)
    return to_escpos(elements_of(kind, language, columns), columns=columns, page=PAGE, slot=SLOT)


def text_of(kind: str, language: Language, columns: int = 48) -> str:
    """A sample as text."""
    return to_text(elements_of(kind, language, columns), columns)


def judged(kind: str, data: bytes, columns: int) -> Judge:
    """The sample on the emulator's paper. The self-test tries slots that hold other pages, or none that letters come out of."""
    others = dict.fromkeys(LIKELY_SLOTS[PAGE], "cp437") if kind == "self_test" else {}
    return judge(data, columns=columns, slots=others | SLOTS)


def path_of(kind: str, language: Language, columns: int, ending: str) -> Path:
    """Where a golden file stands."""
    return FOLDER / f"{kind}.{language}.{columns}.{ending}"


def _dressed(kind: str) -> Receipt:
    return replace(sale_sample(kind), look=LOOK)


def main() -> None:
    """Write every golden file anew: look at the difference and at the pictures before you commit them."""
    FOLDER.mkdir(exist_ok=True)
    for kind, language, columns in EVERY:
        data = bytes_of(kind, language, columns)
        slips = judged(kind, data, columns).slips
        path_of(kind, language, columns, "txt").write_text(text_of(kind, language, columns), encoding="utf-8")
        path_of(kind, language, columns, "escpos").write_bytes(data)
        for number, slip in enumerate(slips):
            path_of(kind, language, columns, f"{number}.png" if number else "png").write_bytes(slip.png())


if __name__ == "__main__":
    main()
