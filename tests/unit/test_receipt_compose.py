"""What a receipt says of a sale, figure by figure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Accrual, Adjustment, Tender
from pos_loyalty.i18n import Language
from pos_loyalty.values import Minor, Points
from receipts.compose import compose
from receipts.elements import Cut, Qr, Text
from receipts.model import PointsAt, Receipt
from receipts.text import to_text
from tests.golden.samples import AT, SALE_ID, cancelled, copy, full, plain, reversed_sale


def _text(receipt: Receipt, language: Language = "ru") -> str:
    return to_text(compose(receipt, language), 48)


def _row(text: str, words: str) -> str:
    (row,) = [line for line in text.splitlines() if line.startswith(words)]
    return row[len(words) :].strip()


def test_totals_are_those_of_the_quote() -> None:
    receipt = full()
    text = _text(receipt)
    assert receipt.quote.gross_minor == 367_106
    assert receipt.quote.due_minor == 321_014
    assert _row(text, "Сумма") == "3 671,06"
    assert _row(text, "Скидки") == "−360,92"
    assert _row(text, "ИТОГО") == "3 310,14"
    assert _row(text, "Баллами") == "−100,00"
    assert _row(text, "К ОПЛАТЕ") == "3 210,14 ₽"
    assert _row(text, "Наличными") == "3 300,00"
    assert _row(text, "Сдача") == "89,86"
    assert _row(text, "Ваша выгода") == "460,92 ₽"


def test_every_reason_stands_under_its_line() -> None:
    lines = _text(full(), "en").splitlines()
    milk = lines.index("Молоко 3,2 % — 0,93 л")
    assert [line.split() for line in lines[milk + 1 : milk + 4]] == [
        ["3", "×", "99.00", "297.00"],
        ["Dairy", "day", "−29.70"],
        ["Cashier's", "discount", "−0.30"],
    ]


def test_what_was_taken_off_by_reasons_is_what_the_receipt_says_in_all() -> None:
    text = _text(full())
    start, end = text.index("Кофе"), text.index("Сумма")
    off = [line.split()[-1] for line in text[start:end].splitlines() if "−" in line.split()[-1]]
    assert sum(int(figure.removeprefix("−").replace(",", "")) for figure in off) == 36_092


def test_points_say_when_they_come_and_when_they_go() -> None:
    text = _text(full())
    assert _row(text, "Начислено") == "+160,5"
    assert _row(text, "Доступно с 22.11.2026") == "+22"
    assert _row(text, "Списано") == "−100"
    assert _row(text, "Баланс") == "1 234,5 балла"
    assert _row(text, "Сгорит 31.12.2026") == "21 балл"


def test_days_are_those_of_the_store_not_of_greenwich() -> None:
    late = datetime(2026, 12, 31, 22, 0, tzinfo=UTC)
    accrual = Accrual(rule="base", centi=Points(100), usable_from=late, expires_at=None)
    receipt = replace(full(), expiring=(PointsAt(centi=Points(100), at=late),), quote=replace(full().quote, accruals=(accrual,)))
    text = _text(receipt)
    assert "Сгорит 01.01.2027" in text
    assert "Доступно с 01.01.2027" in text


def test_points_usable_at_once_say_nothing_of_a_day() -> None:
    accrual = Accrual(rule="base", centi=Points(100), usable_from=AT, expires_at=None)
    assert _row(_text(replace(full(), quote=replace(full().quote, accruals=(accrual,)))), "Начислено") == "+1"


def test_without_a_member_there_are_no_points_and_without_savings_no_boast() -> None:
    text = _text(plain())
    for words in ("БАЛЛЫ", "Баланс", "Карта", "выгода", "Скидки", "Сумма", "Сдача"):
        assert words not in text
    assert _row(text, "К ОПЛАТЕ") == "180,00 ₽"


def test_points_paid_alone_are_savings_too() -> None:
    receipt = plain()
    paid = replace(receipt.quote, due_minor=Minor(17_000), redemption=full().quote.redemption)
    paid = replace(paid, redemption=replace(paid.redemption, off_minor=Minor(1_000), centi=Points(1_000)))
    text = _text(replace(receipt, quote=paid))
    assert _row(text, "Баллами") == "−10,00"
    assert _row(text, "Ваша выгода") == "10,00 ₽"


def test_a_copy_is_headed_as_one_and_carries_the_same_number() -> None:
    text = _text(copy())
    assert text.splitlines()[0].strip() == "КОПИЯ / повторная печать 1"
    assert _text(copy(), "en").splitlines()[0].strip() == "COPY / reprint 1"
    assert "T1-1-000123" in text
    assert "КОПИЯ" not in _text(full())


def test_an_offline_till_says_that_the_balance_is_provisional() -> None:
    assert "без связи" in _text(copy())
    assert "без связи" not in _text(full())


def test_a_reversed_sale_gives_money_and_points_back() -> None:
    text = _text(reversed_sale())
    assert "ВОЗВРАТ ВСЕГО ЧЕКА" in text
    assert _row(text, "К ВОЗВРАТУ") == "3 210,14 ₽"
    assert _row(text, "Возвращено") == "+100"
    assert _row(text, "Отозвано начисленное") == "−182,5"
    for words in ("К ОПЛАТЕ", "Сдача", "выгода", "Спасибо"):
        assert words not in text


def test_a_cancelled_sale_takes_no_money() -> None:
    text = _text(cancelled())
    assert "ПРОДАЖА ОТМЕНЕНА" in text
    assert "Деньги не приняты" in text
    for words in ("К ОПЛАТЕ", "Начислено", "Списано", "Сдача"):
        assert words not in text


@pytest.mark.parametrize("make", [full, plain, copy, reversed_sale, cancelled])
def test_every_slip_ends_with_a_cut_and_has_the_sale_id(make: object) -> None:
    assert callable(make)
    elements = compose(make(), "ru")
    assert isinstance(elements[-1], Cut)
    assert [element.content for element in elements if isinstance(element, Qr)] == [f"PL1|T1|{SALE_ID}"]


def test_a_title_falls_back_to_another_language_and_then_to_the_id() -> None:
    receipt = full()
    line = replace(receipt.quote.lines[0], adjustments=(Adjustment(rule="happy-coffee", off_minor=Minor(100)),))
    one = replace(receipt, quote=replace(receipt.quote, lines=(line, *receipt.quote.lines[1:])))
    assert "только по-русски" in _text(replace(one, titles={"happy-coffee": {"ru": "только по-русски"}}), "en")
    assert "happy-coffee" in _text(replace(one, titles={}), "en")


def test_rounding_against_the_buyer_is_shown_with_its_sign() -> None:
    receipt = plain()
    line = replace(receipt.quote.lines[0], adjustments=(Adjustment(rule="fiscal", off_minor=Minor(-1)),))
    assert _row(_text(replace(receipt, quote=replace(receipt.quote, lines=(line,)))), "    Округление") == "+0,01"


def test_an_unknown_tender_keeps_its_own_word() -> None:
    receipt = replace(plain(), tenders=(Tender(kind="bonus-bank", amount_minor=Minor(18_000)),))
    assert _row(_text(receipt), "bonus-bank") == "180,00"


def test_a_nameless_line_shows_its_sku() -> None:
    receipt = plain()
    (line,) = receipt.basket.lines
    assert _row(_text(replace(receipt, basket=replace(receipt.basket, lines=(replace(line, name=""),)))), line.sku) == "180,00"


def test_shop_name_first_and_large() -> None:
    first = compose(full(), "ru")[0]
    assert isinstance(first, Text)
    assert (first.text, first.size, first.align) == ("ЛАВКА «У РЕКИ»", "large", "centre")
