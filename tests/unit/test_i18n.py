"""Both languages say everything, and numbers are written as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_loyalty.i18n import (
    LANGUAGES,
    WORDS,
    Language,
    amount,
    catalogue,
    day_text,
    money,
    number,
    points,
    quantity_text,
    time_text,
    tr,
)

ROOT = Path(__file__).parents[2]
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_have_the_same_holes_and_words(key: str) -> None:
    ru, en = WORDS[key]
    assert ru.strip() == ru != ""
    assert en.strip() == en != ""
    assert sorted(re.findall(r"\{.*?\}", ru)) == sorted(re.findall(r"\{.*?\}", en))
    if re.search("[a-z]", re.sub(r"\{.*?\}", "", en)):
        assert CYRILLIC.search(ru)
    assert not CYRILLIC.search(en)


def test_a_catalogue_has_every_key_in_its_language() -> None:
    assert catalogue("ru").keys() == catalogue("en").keys()
    assert catalogue("ru")["receipt.due"] == "К ОПЛАТЕ"
    assert catalogue("en")["receipt.due"] == "TO PAY"


def test_every_key_that_code_asks_for_is_there() -> None:
    asked: set[str] = set()
    for folder in ("pos_loyalty", "receipts"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".html"):
                asked |= set(re.findall(r"""\btr\((?:language, )?["']([a-z_.-]+)["'][,)]""", path.read_text(encoding="utf-8")))
    assert len(asked) > 10
    assert asked - WORDS.keys() == set()


def test_a_hole_without_a_value_is_our_fault() -> None:
    assert tr("en", "receipt.number", number="7") == "Receipt 7"
    with pytest.raises(KeyError):
        tr("en", "receipt.number")


def test_a_value_with_braces_is_not_read_again() -> None:
    assert tr("en", "receipt.number", number="{cashier}") == "Receipt {cashier}"


@pytest.mark.parametrize(
    ("whole", "word"),
    [
        (0, "баллов"),
        (1, "балл"),
        (2, "балла"),
        (4, "балла"),
        (5, "баллов"),
        (10, "баллов"),
        (11, "баллов"),
        (12, "баллов"),
        (14, "баллов"),
        (20, "баллов"),
        (21, "балл"),
        (22, "балла"),
        (25, "баллов"),
        (101, "балл"),
        (104, "балла"),
        (111, "баллов"),
        (112, "баллов"),
        (121, "балл"),
        (1011, "баллов"),
        (1021, "балл"),
    ],
)
def test_russian_points_have_their_word(whole: int, word: str) -> None:
    assert points("ru", whole * 100).split("\u00a0")[-1] == word
    assert points("ru", -whole * 100).split("\u00a0")[-1] == word


@pytest.mark.parametrize(
    ("centi", "ru", "en"),
    [
        (0, "0 баллов", "0 points"),
        (100, "1 балл", "1 point"),
        (150, "1,5 балла", "1.5 points"),
        (105, "1,05 балла", "1.05 points"),
        (50, "0,5 балла", "0.5 points"),
        (1100, "11 баллов", "11 points"),
        (123_456_789, "1 234 567,89 балла", "1,234,567.89 points"),
        (-10_000, "−100 баллов", "−100 points"),
    ],
)
def test_points(centi: int, ru: str, en: str) -> None:
    assert points("ru", centi).replace("\u00a0", " ") == ru
    assert points("en", centi).replace("\u00a0", " ") == en


@pytest.mark.parametrize(
    ("minor", "ru", "en"),
    [
        (0, "0,00 ₽", "0.00 RUB"),
        (5, "0,05 ₽", "0.05 RUB"),
        (123_450, "1 234,50 ₽", "1,234.50 RUB"),
        (-100, "−1,00 ₽", "−1.00 RUB"),
        (-1, "−0,01 ₽", "−0.01 RUB"),
        (100_000_000, "1 000 000,00 ₽", "1,000,000.00 RUB"),
    ],
)
def test_money(minor: int, ru: str, en: str) -> None:
    assert money("ru", minor, "RUB").replace("\u00a0", " ") == ru
    assert money("en", minor, "RUB").replace("\u00a0", " ") == en


def test_another_currency_keeps_its_code() -> None:
    assert money("ru", 100, "KZT") == "1,00\u00a0KZT"


@given(st.integers(-(10**13), 10**13), st.sampled_from(LANGUAGES))
def test_an_amount_reads_back(minor: int, language: Language) -> None:
    digits = re.sub("[\u00a0,.]", "", amount(language, minor)).replace("−", "-")
    assert int(digits) == minor
    assert "\n" not in amount(language, minor)


@given(st.integers(0, 10**9))
def test_hundredths_have_no_needless_zero(centi: int) -> None:
    text = number("en", centi).replace(",", "")
    whole, point, rest = text.partition(".")
    assert int(whole) * 100 + int(rest.ljust(2, "0")) == centi
    assert not (point and text.endswith("0"))


def test_quantities() -> None:
    assert quantity_text("ru", 345) == "0,345"
    assert quantity_text("en", 1500) == "1.5"
    assert quantity_text("ru", 2000) == "2"


def test_dates_are_shown_in_the_zone_they_carry() -> None:
    at = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
    assert time_text("ru", at) == "21.11.2026 22:05"
    assert day_text("ru", at.astimezone(timezone(timedelta(hours=3)))) == "22.11.2026"
    assert day_text("en", at).replace("\u00a0", " ") == "21 Nov 2026"
