"""Price tags: the lowest that holds, never a higher price, per unit."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, Member, Quote
from pos_loyalty.engine.shelf import parse_rows
from tests.worlds import NOBODY, NOW, basket, line, member, off_by_rule, programme

LIST = '''
[[price_list]]
id = "week"
title = { ru = "Неделя", en = "The week" }
rows = """
sku,store,since,until,price,member_price
milk,,2026-11-16,2026-11-22,89.90,79.90
milk,S2,,,50.00,
bread,,2026-11-22,,10.00,
cheese,S1,,2026-11-21,,599.00
tea,,,,999.00,
"""
'''


def ask(*lines: Line, tables: str = "", who: Member | None = None, store: str = "S1") -> Quote:
    return quote(basket(*lines, store=store), who, programme(LIST + tables), NOBODY, NOW)


@pytest.mark.parametrize(
    ("goods", "is_member", "store", "total"),
    [
        (line("1", 9_990, "3", sku="milk"), False, "S1", 26_970),
        (line("1", 9_990, "3", sku="milk"), True, "S1", 23_970),
        (line("1", 9_990, "3", sku="milk"), True, "S2", 15_000),
        (line("1", 5_000, sku="bread"), True, "S1", 5_000),  # from tomorrow on
        (line("1", 70_000, "0.345", sku="cheese", measure="weight"), True, "S1", 20_666),
        (line("1", 70_000, "0.345", sku="cheese", measure="weight"), False, "S1", 24_150),
        (line("1", 50_000, sku="tea"), True, "S1", 50_000),  # a tag never raises a price
    ],
)
def test_the_lowest_tag_holds(goods: Line, *, is_member: bool, store: str, total: int) -> None:
    answer = ask(goods, who=member() if is_member else None, store=store)
    assert answer.total_minor == total
    assert off_by_rule(answer).get("week", 0) == answer.gross_minor - total


def test_discounts_start_from_the_tag_and_know_that_it_reduced() -> None:
    tables = """
[[rule]]
id = "ten"
stage = "item"
then = [{ do = "percent", percent = "10%" }]
[[rule]]
id = "fresh"
stage = "customer"
then = [{ do = "percent", percent = "50%", on = { not_discounted = true } }]
"""
    answer = ask(line("1", 10_000, sku="milk"), tables=tables)
    assert off_by_rule(answer) == {"week": 1_010, "ten": 899}


def test_what_the_host_took_off_already_is_not_taken_twice() -> None:
    answer = ask(line("1", 10_000, sku="milk", prior_off_minor=600))
    assert off_by_rule(answer) == {"prior": 600, "week": 410}
    assert ask(line("1", 10_000, sku="milk", prior_off_minor=3_000)).total_minor == 7_000


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("sku,price\nmilk,1", "row 1"),
        ("sku,store,since,until,price,member_price\nmilk,,,,1.00", "row 2: has 5 cells"),
        ("sku,store,since,until,price,member_price\n\nmilk,,,,,", "row 3: gives neither"),
        ("sku,store,since,until,price,member_price\n,,,,1.00,", "row 2: names no SKU"),
        ("sku,store,since,until,price,member_price\nmilk,,1.12.2026,,1.00,", "not a date"),
        ("sku,store,since,until,price,member_price\nmilk,,2026-12-02,2026-12-01,1.00,", "is before"),
        ("sku,store,since,until,price,member_price\nmilk,,,,1.005,", "not money"),
        ('sku,store,since,until,price,member_price\n"milk,,,,1.00,', "row 2: .*quotation mark"),
        ("sku,store,since,until,price,member_price\nmilk,,,,0,", "row 2: .*gives goods away"),
        ("sku,store,since,until,price,member_price\nmilk,,,,1.00,2.00", "row 2: the member price is more"),
        ("sku,store,since,until,price,member_price\nmilk,,,,1.00,\nmilk,,,,2.00,", "row 3: .*row 2"),
    ],
)
def test_a_bad_row_is_named(rows: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_rows(rows, 2)


def test_cells_may_stand_in_quotation_marks() -> None:
    assert parse_rows('sku,store,since,until,price,member_price\n"milk","","","","50.00",""', 2)[0].sku == "milk"
