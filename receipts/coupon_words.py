"""What a slip tells of coupons when goods come back: which are good no more, and which may be used again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pos_loyalty.i18n import Language, tr
from receipts.elements import Element, Row, Rule, Text


def coupons_gone(codes: Sequence[str], used: Sequence[str], language: Language) -> Iterable[Element]:
    """Codes that are good no more, and which of them were used."""
    if not codes:
        return
    yield Rule()
    yield Text(text=tr(language, "return.withdrawn"), weight="bold")
    for code in codes:
        yield Row(left=code, right=tr(language, "return.used")) if code in used else Text(text=code)


def coupons_again(codes: Sequence[str], language: Language) -> Iterable[Element]:
    """Codes that may be used again."""
    if not codes:
        return
    yield Rule()
    yield Text(text=tr(language, "receipt.released"), weight="bold")
    for code in codes:
        yield Text(text=code)
