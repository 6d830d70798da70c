"""The table of a quote for people: lines in the order bought, points of others apart, nothing that moves a terminal's cursor."""

from __future__ import annotations

from pos_loyalty.cli.quote_table import quote_table
from pos_loyalty.engine import quote
from pos_loyalty.engine.model import SalesSoFar
from pos_loyalty.values import Minor
from tests.worlds import NOBODY, NOW, basket, line, member, programme

SHOP = programme(
    """
[referral]
friend = "50"
referrer = "100"
[[rule]]
id = "lounge"
then = [{ do = "privilege", name = "lounge", days = 3, title = { ru = "Зал", en = "The lounge" } }]
[[rule]]
id = "ten"
stage = "item"
title = { ru = "Десять", en = "Ten" }
then = [{ do = "percent", percent = "10%" }]
"""
)


def test_lines_stand_as_they_were_bought() -> None:
    bought = basket(*[line(line_id) for line_id in ("1", "2", "10", "3")])
    rows = quote_table(quote(bought, None, SHOP, NOBODY, NOW), bought, SHOP, "en").splitlines()
    assert [row.split(".")[0] for row in rows if row[:1].isdigit()] == ["1", "2", "10", "3"]


def test_points_of_the_friend_who_invited_are_not_the_buyers() -> None:
    friend = member(referred_by="M2", sales=SalesSoFar(count=0, spent_minor=Minor(0)))
    bought = basket(line("1"))
    answer = quote(bought, friend, SHOP, NOBODY, NOW)
    rows = [" ".join(row.split()) for row in quote_table(answer, bought, SHOP, "en").splitlines()]
    assert [row for row in rows if "points" in row] == ["Earns: Bring a friend 50 points", "The friend who invited: 100 points"]
    russian = [" ".join(row.split()) for row in quote_table(answer, bought, SHOP, "ru").splitlines()]
    assert "Другу, который пригласил: 100 баллов" in russian


def test_a_privilege_is_told_once_and_the_proof_in_plain_words() -> None:
    bought = basket(line("1"))
    table = quote_table(quote(bought, None, SHOP, NOBODY, NOW), bought, SHOP, "ru")
    assert [row for row in table.splitlines() if "Зал" in row] == ["- Привилегия: Зал, с 21.11.2026 по 23.11.2026"]
    assert "Скидки на товары" in table and "доказано: лучше сочетания нет" in table


def test_names_cannot_move_the_cursor_or_turn_the_writing() -> None:
    bought = basket(line("1", name="Сыр\x1b[31m\r\n\u2028\u202eтвёрдый\x9b"))
    table = quote_table(quote(bought, None, SHOP, NOBODY, NOW), bought, SHOP, "ru")
    assert not any(sign in table for sign in "\x1b\r\u2028\u202e\x9b")
    assert table.splitlines()[0].startswith("1. Сыр [31m   твёрдый")
