"""What is told of JSON that is no basket, member or state: the place, what is wrong and how to mend it."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

import json
from typing import Any

import pytest

from pos_loyalty.engine.model import Basket, Member, State
from pos_loyalty.errors import InputError
from pos_loyalty.till.model import EnrolRequest, QuoteRequest
from pos_loyalty.values import convert, decode, encode
from tests.worlds import basket, line

GOOD: dict[str, Any] = json.loads(encode(basket(line("1"))))
LINE: dict[str, Any] = GOOD["lines"][0]


def told(given: object, kind: type[Any], place: str = "$") -> tuple[str, str]:
    """(place, sentence), the same whether JSON or plain objects are read."""
    with pytest.raises(InputError) as caught:
        decode(json.dumps(given), kind, place=place)
    with pytest.raises(InputError) as again:
        convert(given, kind, place=place)
    assert str(again.value) == str(caught.value)
    return caught.value.place, caught.value.message


AN_INSTANT = '"2026-11-21T12:30:05+03:00"'
BASKETS = [
    ({"lines": [LINE | {"measure": "pieces"}]}, "lines[0].measure", '"pieces" is not a word that may stand here; did you mean "piece"? write one of "piece", "weight"'),
    ({"lines": [LINE | {"measure": 3}]}, "lines[0].measure", '3 is not a word that may stand here; write one of "piece", "weight"'),
    ({"lines": [LINE | {"price_minor": -1}]}, "lines[0].price_minor", "-1 is negative: write a whole number from 0 to 10000000000000"),
    ({"lines": [LINE | {"price_minor": 150.5}]}, "lines[0].price_minor", "150.5 is not a whole number: write a whole number from 0 to 10000000000000"),
    ({"lines": [LINE | {"price_minor": "150"}]}, "lines[0].price_minor", "write a whole number from 0 to 10000000000000, without quotation marks"),
    ({"lines": [LINE | {"vat_bp": 10_001}]}, "lines[0].vat_bp", "10001 is out of bounds: write a whole number from 0 to 10000"),
    ({"lines": [LINE | {"quantity": "1.2345"}]}, "lines[0].quantity", '"1.2345" is not a quantity: at most 3 digits stand after the point; write a decimal such as "2" or "0.345"'),
    ({"lines": [LINE | {"quantity": "1,5"}]}, "lines[0].quantity", '"1,5" is not a quantity: the decimal sign is a point, not a comma; write a decimal such as "2" or "0.345"'),
    ({"lines": [LINE | {"quantity": "-1"}]}, "lines[0].quantity", '"-1" is not a quantity: it may not be negative; write a decimal such as "2" or "0.345"'),
    ({"lines": [LINE | {"quantitty": "2"}]}, "lines[0].quantitty", "is not a field here; leave it out"),
    ({"lines": [{name: value for name, value in LINE.items() if name != "quantity"} | {"quantitty": "2"}]}, "lines[0].quantitty", 'is not a field here; did you mean "quantity"? Else leave it out'),
    ({"lines": [{name: value for name, value in LINE.items() if name != "sku"}]}, "lines[0]", '"sku" is missing'),
    ({"lines": [LINE | {"line_id": ""}]}, "lines[0].line_id", "is empty; write something"),
    ({"lines": [LINE | {"sku": "s" * 65}]}, "lines[0].sku", "has 65 signs, more than the 64 that may stand here"),
    ({"lines": {"1": LINE}}, "lines", "write a list [ … ]"),
    ({"lines": [7]}, "lines[0]", 'write { "…": … }'),
    ({"opened_at": "yesterday"}, "opened_at", f'"yesterday" is not an instant: write one such as {AN_INSTANT}'),
    ({"opened_at": "2026-11-21T12:00:00"}, "opened_at", f'"2026-11-21T12:00:00" has no offset from UTC: write it such as {AN_INSTANT}'),
    ({"opened_at": True}, "opened_at", f"write an instant such as {AN_INSTANT}"),
    ({"redeem": "all"}, "redeem", 'write a whole number from 0 to 10000000000000 or "max"'),
    ({"choices": {"r1": ""}}, 'choices["r1"]', "is empty; write something"),
    ({"currency": "RU"}, "currency", "has 2 signs, fewer than the 3 that are needed"),
    ({"coupons": ["c"] * 33}, "coupons", "33 are more than the 32 that may stand here"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "place", "sentence"), BASKETS, ids=[f"{place} {text}"[:50] for _, place, text in BASKETS])
def test_a_basket_is_told_its_place_and_its_mend(change: dict[str, Any], place: str, sentence: str) -> None:
    assert told(GOOD | change, Basket, "basket") == (f"basket.{place}", sentence)


def test_a_place_in_a_basket_has_one_name_bare_or_not() -> None:
    bad = GOOD | {"lines": [LINE | {"quantity": 2}]}
    assert told(bad, Basket, "basket") == told({"basket": bad}, QuoteRequest)
    assert told({"basket": GOOD, "card": "1"}, QuoteRequest)[0] == "$.card"
    assert told({"basket": 3}, QuoteRequest)[0] == "basket"


MONTH_DAY = 'is not a month and a day such as "05-17" for 17 May'
OTHERS = [
    (Member, {"birthday": "02-30"}, "$.birthday", f'"02-30" {MONTH_DAY}'),
    (Member, {"birthday": "04-31"}, "$.birthday", f'"04-31" {MONTH_DAY}'),
    (Member, {"birthday": "1990-05-17"}, "$.birthday", f'"1990-05-17" {MONTH_DAY}'),
    (Member, {"dates": {"wedding": "13-01"}}, '$.dates["wedding"]', f'"13-01" {MONTH_DAY}'),
    (Member, {"counters": {"coffee": -1}}, '$.counters["coffee"]', "-1 is negative: write a whole number from 0"),
    (Member, {"days": [{"day": "21.11.2026"}]}, "$.days[0].day", '"21.11.2026" is not a day such as "2026-11-21"'),
    (Member, {"staff": "yes"}, "$.staff", "write true or false, without quotation marks"),
    (Member, {"member_id": None}, "$.member_id", "write a text in quotation marks"),
    (State, {"uses": {"r1": {"total": -1}}}, '$.uses["r1"].total', "-1 is negative: write a whole number from 0"),
    (State, {"coupons": {'a"b': {"series": "s", "usable": 1}}}, '$.coupons["a\\"b"].usable', "write true or false, without quotation marks"),
    (EnrolRequest, {"birthday": "02-30"}, "$.birthday", f'"02-30" {MONTH_DAY}'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "place", "sentence"), OTHERS)
def test_a_member_and_a_state_too(kind: type[Any], given: dict[str, Any], place: str, sentence: str) -> None:
    more = {Member: {"member_id": "M1"}, EnrolRequest: {"card": "2200000000019"}}.get(kind, {})
    assert told(more | given, kind) == (place, sentence)


@pytest.mark.parametrize("day", ["02-29", "01-31", "12-31", "04-30"])
def test_every_day_of_some_year_is_a_birthday(day: str) -> None:
    assert convert({"member_id": "M1", "birthday": day, "dates": {"d": day}, "counters": {"c": 0}}, Member).birthday == day


@pytest.mark.parametrize("text", [b'{"basket_id": 1e400}', b'{"basket_id": 7, "x": "\xff"}', b'{"basket_id": ' + b"[" * 5000])
def test_what_cannot_be_read_twice_is_told_plainly(text: bytes) -> None:
    with pytest.raises(InputError) as caught:
        decode(text, Basket, place="basket")
    assert caught.value.place.startswith("basket") and "\n" not in str(caught.value)


def test_what_is_no_json_says_so() -> None:
    with pytest.raises(InputError) as caught:
        decode(b"{", Basket, place="basket")
    assert str(caught.value).startswith("basket: is not JSON: ")
