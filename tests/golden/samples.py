"""Receipts to look at: a sale with everything on it, a plain one, a copy, a reversed and a cancelled one.

``python -m tests.golden.samples [FOLDER FOR PICTURES]`` writes the golden files anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pos_loyalty.engine.model import (
    Accrual,
    Adjustment,
    Basket,
    Line,
    Message,
    Proof,
    Quote,
    QuoteLine,
    Redemption,
    Tender,
)
from pos_loyalty.engine.returns import ReturnedLine
from pos_loyalty.i18n import LANGUAGES, Language
from pos_loyalty.values import Minor, Points, Thousandths
from receipts.compose import PaperCoupon, Receipt, compose
from receipts.compose_return import ReturnSlip, compose_return
from receipts.elements import Element
from receipts.escpos import to_escpos
from receipts.png import to_png
from receipts.text import to_text
from tests.emulators.escpos import judge

HERE = Path(__file__).parent
NARROW = (42, 32)
MOSCOW = ZoneInfo("Europe/Moscow")
AT = datetime(2026, 11, 21, 12, 30, 5, tzinfo=MOSCOW)
SALE_ID = "01968f2a-7c31-7d52-9b1e-5f3a44c0de21"
TITLES = {
    "happy-coffee": {"ru": "Счастливый час для участников клуба «Речной»: −10 %", "en": "Happy hour of the River club: −10%"},
    "dairy": {"ru": "Молочный день", "en": "Dairy day"},
    "base": {"ru": "Баллы за покупку", "en": "Points for the purchase"},
}


def full() -> Receipt:
    """Four lines, three reasons, points paid and earned, an expiry, cash with change."""
    lines = (
        _line("1", "Кофе в зёрнах «Арабика Сантос», тёмная обжарка, пакет с клапаном, 1 кг", 2000, 149_950),
        _line("2", "Хлеб бородинский", 1000, 6_490),
        _line("3", "Сыр «Костромской» 45 %", 345, 89_900, "weight"),
        _line("4", "Молоко 3,2 % — 0,93 л", 3000, 9_900),
    )
    priced = (
        _quoted("1", 299_900, {"happy-coffee": 29_990}, 10_000),
        _quoted("2", 6_490, {}, 0),
        _quoted("3", 31_016, {"dairy": 3_102}, 0),
        _quoted("4", 29_700, {"dairy": 2_970, "manual": 30}, 0),
    )
    return Receipt(
        header=("ЛАВКА «У РЕКИ»", "Кострома, ул. Чайковского, 7"),
        footer=("Спасибо за покупку!", "Ждём вас снова каждый день с 8 до 22"),
        receipt_no="S1-T1-000123",
        sale_id=SALE_ID,
        at=AT,
        basket=_basket(lines),
        quote=_quote(
            priced,
            redemption=Redemption(centi=Points(10_000), off_minor=Minor(10_000), max_centi=Points(93_000)),
            accruals=(
                Accrual(rule="base", centi=Points(16_050), usable_from=AT, expires_at=None),
                Accrual(rule="bonus", centi=Points(2_200), usable_from=_day(2026, 11, 22), expires_at=None),
            ),
        ),
        titles=TITLES,
        tenders=(Tender(kind="cash", amount_minor=Minor(330_000)),),
        card="•••• 4821",
        balance_centi=Points(123_450),
        expiring_centi=Points(2_100),
        expiring_at=_day(2026, 12, 31),
    )


def plain() -> Receipt:
    """One line, no member, no discount."""
    return replace(
        full(),
        basket=_basket((_line("1", "Эспрессо двойной", 1000, 18_000),)),
        quote=_quote((_quoted("1", 18_000, {}, 0),)),
        tenders=(Tender(kind="card", amount_minor=Minor(18_000)),),
        card=None,
        balance_centi=None,
        expiring_at=None,
    )


def copy() -> Receipt:
    """The full receipt printed a second time, from an offline till."""
    return replace(full(), copy_no=1, is_offline=True)


def reversed_sale() -> Receipt:
    """The slip of a void."""
    return replace(full(), kind="reversed", balance_centi=Points(115_200), expiring_at=None)


def cancelled() -> Receipt:
    """The slip of a sale that was not paid."""
    return replace(full(), kind="cancelled", tenders=(), balance_centi=Points(115_200))


def gifted() -> Receipt:
    """A sale that says something, gives a privilege and issues two coupons."""
    said = Message(rule="news", where="both", text={"ru": "В субботу — дегустация сыров!", "en": "Cheese tasting on Saturday!"})
    unsaid = Message(rule="till", where="screen", text={"ru": "Предложите пакет", "en": "Offer a bag"})
    title = {"ru": "−15 % на весь чек", "en": "15% off the whole receipt"}
    coupons = (
        PaperCoupon(code="NEXT-7K3M-9QXD-R", title=title, usable_from=_day(2026, 11, 22), expires_at=_day(2026, 12, 22)),
        PaperCoupon(code="COFFEE-2B4F-T", usable_from=AT, expires_at=_day(2027, 1, 1)),
    )
    return replace(
        plain(),
        quote=replace(plain().quote, messages=(said, unsaid)),
        notes=("Бесплатная доставка — по 21.11.2027",),
        coupons=coupons,
    )


def owing() -> Receipt:
    """A member whose points of this sale settled a part of what they owed."""
    return replace(full(), settled_centi=Points(600), owed_centi=Points(1_250), balance_centi=Points(0), expiring_at=None)


def came_back() -> ReturnSlip:
    """A part of the full sale came back, and the coupons that it brought with it; one had been used."""
    lines = (
        _back("1", 1000, 129_955, 5_000),
        _back("4", 3000, 26_700, 0),
    )
    return ReturnSlip(
        header=full().header,
        receipt_no="S1-T1-000131",
        sale_till="T1",
        sale_id=SALE_ID,
        at=AT,
        cashier="Ольга К.",
        currency="RUB",
        names={line.line_id: line.name for line in full().basket.lines},
        lines=lines,
        charged_minor=Minor(0),
        unpaid_minor=Minor(0),
        refund_minor=Minor(156_655),
        tenders=(Tender(kind="cash", amount_minor=Minor(156_655)),),
        restored_centi=Points(5_000),
        taken_back_centi=Points(8_000),
        owed_centi=Points(1_250),
        balance_centi=Points(0),
        withdrawn=("NEXT-7K3M-9QXD-R", "COFFEE-2B4F-T"),
        withdrawn_used=("COFFEE-2B4F-T",),
    )


SAMPLES: dict[str, Callable[[], Receipt | ReturnSlip]] = {
    "came_back": came_back,
    "owing": owing,
    "gifted": gifted,
    "full": full,
    "plain": plain,
    "copy": copy,
    "reversed": reversed_sale,
    "cancelled": cancelled,
}


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=MOSCOW)


def _line(line_id: str, name: str, milli: int, price: int, measure: str = "piece") -> Line:
    return Line(
        line_id=line_id,
        sku=f"46000000000{line_id}",
        name=name,
        quantity_milli=Thousandths(milli),
        price_minor=Minor(price),
        measure="weight" if measure == "weight" else "piece",
    )


def _quoted(line_id: str, gross: int, off: dict[str, int], points: int) -> QuoteLine:
    return QuoteLine(
        line_id=line_id,
        gross_minor=Minor(gross),
        net_minor=Minor(gross - sum(off.values())),
        points_minor=Minor(points),
        vat_minor=Minor(0),
        adjustments=tuple(Adjustment(rule=rule, off_minor=Minor(minor)) for rule, minor in off.items()),
        fiscal=(),
    )


def _back(line_id: str, milli: int, refund: int, points: int) -> ReturnedLine:
    return ReturnedLine(
        line_id=line_id,
        quantity_milli=Thousandths(milli),
        units=(),
        refund_minor=Minor(refund),
        points_minor=Minor(points),
        progress_minor=Minor(0),
        fiscal=(),
    )


def _basket(lines: tuple[Line, ...]) -> Basket:
    return Basket(basket_id="T1-000123", store="S1", till="T1", opened_at=AT, currency="RUB", lines=lines, cashier="Ольга К.")


def _quote(lines: tuple[QuoteLine, ...], redemption: Redemption | None = None, accruals: tuple[Accrual, ...] = ()) -> Quote:
    total = sum(line.net_minor for line in lines)
    redemption = redemption or Redemption(centi=Points(0), off_minor=Minor(0), max_centi=Points(0))
    return Quote(
        basket_id="T1-000123",
        programme="shop@7#sha256:00",
        at=AT,
        member_id="M1",
        gross_minor=Minor(sum(line.gross_minor for line in lines)),
        total_minor=Minor(total),
        due_minor=Minor(total - redemption.off_minor),
        lines=lines,
        redemption=redemption,
        accruals=accruals,
        applied=(),
        refusals=(),
        proof=Proof(value_minor=Minor(0), bound_minor=Minor(0), proven=True, nodes=0),
    )


def composed(name: str, language: Language) -> tuple[Element, ...]:
    """A sample as elements."""
    sample = SAMPLES[name]()
    return compose_return(sample, language) if isinstance(sample, ReturnSlip) else compose(sample, language)


def bytes_of(name: str, language: Language, columns: int = 48) -> bytes:
    """A sample as ESC/POS bytes on CP866."""
    return to_escpos(composed(name, language), columns=columns, page="cp866", slot=17)


def text_of(name: str, language: Language, columns: int = 48) -> str:
    """A sample as text."""
    return to_text(composed(name, language), columns)


def main() -> None:
    """Write every golden file anew: look at the difference, and at the pictures in the folder given, before you commit it."""
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for name in SAMPLES:
        for language in LANGUAGES:
            data = bytes_of(name, language)
            (HERE / f"{name}.{language}.txt").write_text(text_of(name, language), encoding="utf-8")
            (HERE / f"{name}.{language}.escpos").write_bytes(data)
            slip = judge(data).slips[0]
            (HERE / f"{name}.{language}.paper.txt").write_text(slip.text, encoding="utf-8")
            if pictures is not None:
                (pictures / f"{name}.{language}.paper.png").write_bytes(slip.png())
                (pictures / f"{name}.{language}.png").write_bytes(to_png(composed(name, language), 48))
    for columns in NARROW:
        (HERE / f"full.ru.{columns}.txt").write_text(text_of("full", "ru", columns), encoding="utf-8")


if __name__ == "__main__":
    main()
