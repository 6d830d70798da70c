"""No sign reaches the paper that was not meant to, and none is lost without a word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pos_loyalty.errors import InputError
from receipts.glyphs import PAGES, SUBSTITUTES, check_page, clean, fit

DOCS = Path(__file__).parents[2] / "docs" / "receipts.md"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("100 ₽", "100 р"),
        ("«Ёлка» № 5", '"Ёлка" № 5'),
        ("a–b—c−d‑e", "a-b-c-d-e"),
        ("да… 2×3", "да... 2x3"),
        ("• · °", "* · °"),
        ("Nescafé crème", "Nescafe creme"),
        ("1\u202f000\u00a0р", "1\u00a0000\u00a0р"),
        ("и\u0306е\u0308", "йё"),
    ],
)
def test_cp866(text: str, told: str) -> None:
    assert fit("cp866", text, "here") == told


def test_a_page_keeps_what_it_has() -> None:
    assert fit("cp1251", "«—…•» №", "here") == "«—…•» №"
    assert fit("cp1251", "₽", "here") == "р"
    assert fit("cp437", "café 10 ₽", "here") == "café 10 RUB"


def test_control_signs_become_spaces_and_marks_go() -> None:
    assert clean("A\x1b@B\r\nC\x00D\x7fE\x85F\u2028G") == "A @B  C D E F G"
    assert clean("a\u200bb\u202ec\ufeffd\u00ade\ufe0f") == "abcde"


@pytest.mark.parametrize(("text", "sign"), [("Кофе 😀", "😀"), ("漢字", "漢"), ("Ω", "Ω")])
def test_what_cannot_be_printed_is_named_with_its_sign_and_line(text: str, sign: str) -> None:
    with pytest.raises(InputError, match="receipt line 7") as caught:
        fit("cp866", text, "receipt line 7")
    assert f'"{sign}"' in str(caught.value)
    assert text in str(caught.value)


def test_cyrillic_is_refused_by_a_page_without_it() -> None:
    with pytest.raises(InputError, match="CYRILLIC SMALL LETTER KA"):
        fit("cp437", "кофе", "here")


def test_an_unknown_page_is_refused() -> None:
    with pytest.raises(InputError, match="cp866, cp1251, cp437"):
        check_page("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_no_question_mark_is_ever_made(page: str) -> None:
    made = []
    for sign in map(chr, range(1, 0x3000)):
        if sign == "?" or 0xD800 <= ord(sign) < 0xE000:
            continue
        try:
            made.append(fit(page, sign, "here"))
        except InputError:
            continue
    assert len(made) > 200
    assert not any("?" in text for text in made)
    printed = b"".join(text.encode(page) for text in made)
    assert not re.search(rb"[\x00-\x1f\x7f]", printed)


def test_the_table_in_the_docs_is_the_table() -> None:
    rows = re.findall(r"^\| `(.+?)` U\+([0-9A-F]{4}) \| (.+?) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    told = {chr(int(code, 16)): tuple(re.findall(r"`(.+?)`", substitutes)) for _, code, substitutes in rows}
    assert told == SUBSTITUTES
    assert all(sign == chr(int(code, 16)) for sign, code, _ in rows)
