"""The ``[receipt]`` and ``[consent]`` tables: what is taken, and in which words the rest is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.config import Config, load_config
from pos_loyalty.config_receipt import SECTIONS
from pos_loyalty.errors import ConfigError
from receipts.look import look_of
from tests.shop import CONFIG


def _load(folder: Path, table: str) -> Config:
    path = folder / "config.toml"
    path.write_text(CONFIG + table, encoding="utf-8")
    return load_config(path)


def test_without_a_word_every_section_stands_and_the_shop_has_its_name(tmp_path: Path) -> None:
    receipt = _load(tmp_path, "").receipt
    assert receipt.sections == SECTIONS
    look = look_of(receipt, "Проба", "en")
    assert (look.header, look.footer, look.is_extra, look.has_bars) == (("Проба",), (), False, False)


def test_texts_stand_once_or_by_language(tmp_path: Path) -> None:
    table = '[receipt]\nheader = { ru = ["Лавка"], en = ["Shop"] }\nfooter = ["Спасибо"]\nsurvey = { ru = "Как?" }\n'
    table += 'referral = "Код"\n'
    receipt = _load(tmp_path, table).receipt
    russian, english = look_of(receipt, "", "ru"), look_of(receipt, "", "en")
    assert (russian.header, english.header) == (("Лавка",), ("Shop",))
    assert russian.footer == english.footer == ("Спасибо",)
    assert (russian.survey, english.survey) == ("Как?", "Как?")
    assert russian.referral == english.referral == "Код"


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('sections = ["lines", "totals", "lines"]', r'receipt\.sections: "lines" stands twice'),
        ('sections = ["lines", "vta"]', r"receipt\.sections\[1\]"),
        ("sections = []", r"receipt\.sections"),
        ('sale = "half"', r"receipt\.sale"),
        ('coupon_symbol = "ean"', r"receipt\.coupon_symbol"),
        ('feedback_url = "example.org"', r"receipt\.feedback_url.*is not an address"),
        ('feedback_url = "https://example.org/{sale}"', r"receipt\.feedback_url.*only {store}, {till}, {receipt} are filled in"),
        (f'feedback_url = "https://example.org/{"a" * 160}"', r"receipt\.feedback_url"),
        ('header = { de = ["Laden"] }', r"receipt\.header"),
        ("header = " + str(["x"] * 9).replace("'", '"'), r"receipt\.header"),
        ("logo = 7", r"receipt\.logo"),
        ("colour = 1", r"receipt.*colour"),
    ],
)
def test_what_is_refused_names_its_place(tmp_path: Path, table: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        _load(tmp_path, f"[receipt]\n{table}\n")
