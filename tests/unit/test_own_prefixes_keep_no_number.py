"""A table of the config with a long prefix opens no field for what stands behind the prefix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import Web, serving
from tests.shop import CONFIG, MEMBER, Shop

TABLES = """
[[code]]
kind = "coupon"
prefix = "SUMMER"
length = [8, 60]

[[code]]
kind = "coupon"
prefix = "GIFT2026"
length = [9, 60]

[[code]]
kind = "staff"
prefix = "STAFF-"
length = [8, 60]
"""
PAN = "4111111111111111"
LINE = {"line_id": "1", "sku": "4601", "name": "Кофе", "quantity": "2", "price_minor": 15_000, "category": "drinks/coffee"}
BASKET: dict[str, Any] = {
    "basket_id": "B1", "store": "S1", "till": "T1", "cashier": "C7", "opened_at": "2026-11-21T12:30:05+03:00", "currency": "RUB",
    "lines": [LINE],
}  # fmt: skip


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    shop = Shop(tmp_path, CONFIG + TABLES)
    with serving(shop.till, shop.till.rule_titles) as served:
        yield served
    assert all(PAN.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    shop.close()


def quoted(web: Web, **more: object) -> int:
    return web.post("/v1/quote", {"basket": BASKET | more, "member_id": MEMBER}).status


@pytest.mark.parametrize("prefix", ["SUMMER", "STAFF-", "GIFT2026"])
@pytest.mark.parametrize("form", ["{}", "-{}", "1{}1", "4111 1111 1111 1111", "4 111 111 111 111 111"])
def test_a_number_behind_a_prefix_is_refused_everywhere(web: Web, prefix: str, form: str) -> None:
    text = prefix + form.format(PAN)
    is_hidden_in_codes = form == "1{}1"
    for field, value in (("coupons", [text]), ("basket_id", text)):
        assert is_hidden_in_codes or quoted(web, **{field: value}) == 422
    assert quoted(web, cashier=text) == 422
    assert web.post("/v1/drawer", {"cashier": "C7", "reason": text}, "key").status == 422


def test_what_the_prefix_is_for_goes_on(web: Web) -> None:
    assert quoted(web, coupons=["SUMMER-20261122"], cashier="STAFF-0017") == 200
