"""Names that programs give to sales stop none; a torn stripe is kept in no code of a request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.layouts import as_typed
from tests.browser.serving import Web, serving
from tests.shop import CONFIG, MEMBER, Shop
from tests.unit.test_own_prefixes_keep_no_number import BASKET, LINE

TORN = (
    "411111111111^IVANOV/IVAN^28122011000?",
    "%B411111111111",
    "1111111111^IVANOV/IVAN^28122011000000000000?",
    "411111111111=2512?",
)
NAMES = ("basket_id", "line_id")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    shop = Shop(tmp_path, CONFIG)
    with serving(shop.till, shop.till.rule_titles) as served:
        yield served
    assert all(b"411111111111" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    shop.close()


def luhn(number: str) -> bool:
    digits = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in digits) % 10 == 0


def checked(body: str) -> str:
    return next(body + digit for digit in "0123456789" if luhn(body + digit))


def quoted(web: Web, **more: Any) -> int:
    return web.post("/v1/quote", {"basket": BASKET | more, "member_id": MEMBER}).status


@pytest.mark.parametrize(
    "name", [checked("410000000001"), checked("561234567890"), checked("261121123005001"), checked("251130235959123")]
)
def test_names_that_programs_give_stop_no_sale(web: Web, name: str) -> None:
    assert quoted(web, basket_id=name) == 200
    assert quoted(web, lines=[LINE | {"line_id": name}]) == 200


@pytest.mark.parametrize(
    "name", [checked("261340123005001"), checked("261121250000001"), checked("230112101010123"), checked("411111111111111")]
)
def test_what_is_no_instant_of_late_is_refused(web: Web, name: str) -> None:
    assert quoted(web, basket_id=name) == 422
    assert quoted(web, coupons=[checked("261121123005001")]) == 422


@pytest.mark.parametrize("piece", TORN)
@pytest.mark.parametrize("typed", [str, as_typed])
def test_no_code_of_a_request_keeps_a_torn_stripe(web: Web, piece: str, typed: Any) -> None:
    assert quoted(web, coupons=[typed(piece)]) == 422
    assert web.post("/v1/identify", {"card": typed(piece)}).status == 422


def test_coupons_that_look_like_a_piece_of_one_go_on(web: Web) -> None:
    assert quoted(web, coupons=["SUMMER^2026", "A=B", "NEW YEAR 2026!"]) == 200
