"""The shop's template: which sections stand on a receipt, in which order, with whose words."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from msgspec.structs import replace

from pos_loyalty.config_receipt import SECTIONS, Section
from pos_loyalty.i18n import Language
from pos_loyalty.values import Minor, Points
from receipts.compose import compose, has_loyalty
from receipts.elements import Barcode, Cut, Image, Qr, Row, Rule
from receipts.look import Look
from receipts.model import PointsAt, Receipt, TierProgress
from receipts.text import to_text
from tests.golden.samples import AT, LOOK, full, offers, plain

MARKS: dict[Section, str] = {
    "header": "ЛАВКА", "details": "Кассир", "lines": "Хлеб", "totals": "К ОПЛАТЕ", "vat": "НДС", "points": "БАЛЛЫ",
    "tier": "Ваш уровень", "expiring": "Сгорит", "words": "дегустация", "coupons": "КУПОН", "referral": "ANNA-7K3M",
    "code": "PL1|", "survey": "Какой хлеб?", "feedback": "example.org", "footer": "Спасибо",
}  # fmt: skip
"""Words by which a section is known on paper."""


def _whole() -> Receipt:
    """A receipt that has something to say in every section."""
    receipt, more = full(), offers()
    look = replace(LOOK, survey="Какой хлеб?", feedback_url="https://example.org/{store}/{till}/{receipt}")
    quote = replace(receipt.quote, messages=more.quote.messages)
    return replace(more, basket=receipt.basket, quote=quote, look=look)


def _text(receipt: Receipt, language: Language = "ru") -> str:
    return to_text(compose(receipt, language), 48)


@pytest.mark.parametrize("section", list(MARKS))
def test_a_section_that_is_switched_off_is_gone_and_no_other(section: Section) -> None:
    receipt = _whole()
    left = tuple(each for each in SECTIONS if each != section)
    text = _text(replace(receipt, look=replace(receipt.look, sections=left)))
    assert {name for name, mark in MARKS.items() if mark not in text} == {section}


def test_sections_stand_in_the_order_of_the_template() -> None:
    receipt = _whole()
    for order in (SECTIONS, tuple(reversed(SECTIONS)), ("footer", "coupons", "lines", "points", "code", "header", "totals")):
        text = _text(replace(receipt, look=replace(receipt.look, sections=order)))
        places = [text.index(MARKS[section]) for section in order if section in MARKS]
        assert places == sorted(places)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_two_lines_across_the_paper_follow_one_another(language: Language) -> None:
    for start in range(len(SECTIONS)):
        receipt = _whole()
        elements = compose(replace(receipt, look=replace(receipt.look, sections=SECTIONS[start:] + SECTIONS[:start])), language)
        kinds = [type(element) for element in elements]
        assert all((one, two) != (Rule, Rule) for one, two in pairwise(kinds))
        assert kinds[-1] is Cut and kinds.count(Cut) == 1


def test_vat_stands_by_rate_and_adds_up_to_the_quotes() -> None:
    receipt = full()
    rows = {row.left: row.right for row in compose(receipt, "ru") if isinstance(row, Row) and "НДС" in row.left}
    assert rows == {"НДС 22\u00a0%": "468,69", "НДС 10\u00a0%": "55,55"}
    assert sum(line.vat_minor for line in receipt.quote.lines) == 46_869 + 5_555
    assert "НДС" not in _text(replace(receipt, basket=replace(receipt.basket, lines=_rates(receipt, None, None, None, None))))
    mixed = _text(replace(receipt, basket=replace(receipt.basket, lines=_rates(receipt, 2200, None, 0, None))), "en")
    paid = [line.net_minor - line.points_minor for line in receipt.quote.lines]
    assert [line.split()[-1] for line in mixed.splitlines() if "VAT" in line] == [
        "468.69",
        _money(paid[2]),
        _money(paid[1] + paid[3]),
    ]


def _rates(receipt: Receipt, *rates: int | None) -> tuple[object, ...]:
    return tuple(replace(line, vat_bp=rate) for line, rate in zip(receipt.basket.lines, rates, strict=True))


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def test_what_waits_is_told_by_date_unless_this_sale_alone_brought_it() -> None:
    receipt = full()
    assert "из них" not in _text(receipt)
    later = PointsAt(centi=Points(700), at=AT.replace(day=28))
    assert "  из них с 28.11.2026                          7" in _text(replace(receipt, waiting=(*receipt.waiting, later)))


def test_a_debt_and_what_settled_it_are_told() -> None:
    assert "Долг по баллам" not in _text(full())
    text = _text(replace(full(), owed_centi=Points(1_250), settled_centi=Points(600)))
    assert text.split("Долг по баллам")[1].split()[0] == "12,5"
    assert text.split("В счёт долга")[1].split()[0] == "−6"


@pytest.mark.parametrize(
    ("tier", "told"),
    [
        (
            TierProgress(next_title={"ru": "Золото"}, missing=124_000, by=date(2026, 12, 31)),
            "Осталось до «Золото» по 31.12.2026 1 240,00 ₽",
        ),
        (TierProgress(next_title={"ru": "Золото"}, missing=3, measure="visits"), "Осталось до «Золото» 3 покуп."),
        (TierProgress(next_title={"en": "Gold"}, missing=150, measure="points"), "Осталось до «Gold» 1,5 балла"),
        (TierProgress(title={"ru": "Платина"}), "Ваш уровень Платина"),
    ],
)
def test_the_way_to_the_next_tier(tier: TierProgress, told: str) -> None:
    assert told in " ".join(_text(replace(full(), tier=tier)).split())


def test_a_member_without_tiers_hears_nothing_of_them() -> None:
    text = _text(replace(full(), tier=TierProgress()))
    assert "уровень" not in text and "Осталось" not in text


def test_beside_the_hosts_receipt_the_goods_are_not_told_again() -> None:
    receipt = replace(_whole(), look=replace(_whole().look, is_extra=True))
    text = _text(receipt)
    assert {name for name, mark in MARKS.items() if mark not in text} == {"lines", "totals", "vat"}
    assert "БОНУСНЫЙ ЧЕК" in text
    assert "T1-1-000123" in text
    assert "460,92" in text.split("Ваша выгода")[1].splitlines()[0]


def test_who_gets_a_slip_beside_the_hosts_receipt() -> None:
    extra = replace(LOOK, is_extra=True)
    assert has_loyalty(replace(full(), look=extra))
    assert not has_loyalty(replace(plain(), look=extra))
    assert has_loyalty(replace(offers(), balance_centi=None, look=extra))
    assert not has_loyalty(replace(offers(), balance_centi=None, look=replace(extra, sections=("points", "code"))))


def test_coupons_as_bars_and_as_qr() -> None:
    bars = [each for each in compose(replace(offers(), look=replace(LOOK, has_bars=True)), "ru") if isinstance(each, Barcode)]
    assert [(each.kind, each.content) for each in bars] == [("code128", "NEXT-7K3M-9QXD-R"), ("ean13", "2200000000019")]
    squares = [each.content for each in compose(offers(), "ru") if isinstance(each, Qr)]
    assert squares[:2] == ["NEXT-7K3M-9QXD-R", "2200000000019"]


def test_the_feedback_address_names_the_receipt() -> None:
    contents = [each.content for each in compose(_whole(), "ru") if isinstance(each, Qr)]
    assert contents[-1] == "https://example.org/S1/T1/T1-1-000123"


def test_an_exchange_names_the_receipt_of_the_goods_that_came_back() -> None:
    text = _text(replace(plain(), exchanged_no="T1-1-000119"))
    assert "ОБМЕН" in text and "Принято обратно по чеку T1-1-000119" in text
    assert "ОБМЕН" not in _text(plain())


def test_the_logo_stands_first() -> None:
    logo = Image(wide=8, high=1, rows=b"\xff")
    assert compose(replace(plain(), logo=logo), "ru")[0] == logo
    assert logo not in compose(replace(plain(), logo=logo, look=Look(sections=("header", "lines"))), "ru")


def test_a_receipt_of_nothing_is_a_cut() -> None:
    assert compose(replace(plain(), look=Look(sections=("survey",))), "ru") == (Cut(),)


def test_a_total_of_nothing_is_told_once() -> None:
    receipt = plain()
    free = replace(receipt.quote, gross_minor=Minor(0), total_minor=Minor(0), due_minor=Minor(0))
    assert _text(replace(receipt, quote=free, tenders=())).count("0,00 ₽") == 1
