"""The programmes that a shop may start from: they load without a warning, and every basket costs what was worked out by hand."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.acts import Done, award
from pos_loyalty.engine.model import Basket, Member, Quote, State, UsesSoFar
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.warnings import looked_through
from pos_loyalty.values import decode
from tests.scenarios.scenario import differences_of
from tests.scenarios.seen import seen_in

HERE = Path(__file__).parents[1] / "demo" / "programmes"
NAMES = ("apparel", "cafe", "grocery", "pharmacy")
EXPECTED: dict[str, list[dict[str, Any]]] = {
    name: tomllib.loads((HERE / name / "expected.toml").read_text(encoding="utf-8"))["sale"] for name in NAMES
}
HALF = 500
"""Of a thousandth, for weighed goods: half a kopeck goes up."""
SALES = [(name, number) for name in NAMES for number in range(1, len(EXPECTED[name]) + 1)]


def programme_of(name: str) -> Programme:
    return load_programme((HERE / f"{name}.toml").read_bytes())


def answer_of(name: str, number: int) -> Quote:
    """The quote of one basket, read from its files as ``pos-loyalty quote`` reads them."""
    files = [HERE / name / kind / f"{number}.json" for kind in ("baskets", "members", "states")]
    basket = decode(files[0].read_bytes(), Basket)
    member = decode(files[1].read_bytes(), Member) if files[1].exists() else None
    state = decode(files[2].read_bytes(), State) if files[2].exists() else State()
    return quote(basket, member, programme_of(name), state, basket.opened_at)


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_without_a_warning(name: str) -> None:
    body = (HERE / f"{name}.toml").read_bytes()
    found = looked_through(body)
    assert (found.faults, found.warnings) == ((), ())


@pytest.mark.parametrize(("name", "number"), SALES, ids=[f"{name} {number}" for name, number in SALES])
def test_a_sale_comes_to_what_was_worked_out(name: str, number: int) -> None:
    assert differences_of(seen_in(answer_of(name, number)), EXPECTED[name][number - 1]["expect"]) == {}


@pytest.mark.parametrize(("name", "number"), SALES, ids=[f"{name} {number}" for name, number in SALES])
def test_figures_written_down_agree_with_one_another(name: str, number: int) -> None:
    expect = EXPECTED[name][number - 1]["expect"]
    basket = json.loads((HERE / name / "baskets" / f"{number}.json").read_text(encoding="utf-8"))
    gross = sum((_milli(line["quantity"]) * line["price_minor"] + HALF) // 1000 for line in basket["lines"])
    off = sum(_minor(amount) for amount in expect.get("off", {}).values())
    if "total" in expect:  # what points pay stands between the total and the due
        assert _minor(expect["total"]) == gross - off
        off += _minor(expect["redeemed"])
    assert _minor(expect["due"]) == gross - off


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_acts_in_some_basket(name: str) -> None:
    seen = set()
    for number in range(1, len(EXPECTED[name]) + 1):
        answer = answer_of(name, number)
        seen |= set(answer.applied) | {off.rule for line in answer.lines for off in line.adjustments}
    text = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    buying = {rule["id"] for rule in text["rule"] if rule.get("stage") != "act"}
    assert buying | {each["id"] for each in text.get("price_list", [])} <= seen


ACTS = [
    ("cafe", "review", {"review": 3000}),
    ("pharmacy", "profile", {"profile-filled": 5000}),
    ("pharmacy", "survey", {"survey": 2000}),
]


@pytest.mark.parametrize(("name", "act", "brings"), ACTS)
def test_an_act_brings_its_points_once(name: str, act: str, brings: dict[str, int]) -> None:
    done = Done(act_id="a-1", act=act, store="S1", till="T1")
    at = datetime.fromisoformat("2026-11-21T12:30:00+03:00")
    fresh = award(programme_of(name), done, Member(member_id="M1"), State(uses={}), at)
    assert {each.rule: each.centi for each in fresh.accruals} == brings
    worn = State(uses={rule: UsesSoFar(member=12) for rule in brings})
    assert award(programme_of(name), done, Member(member_id="M1"), worn, at).accruals == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_title_in_both_languages(name: str) -> None:
    text = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))
    for table in ("rule", "tier", "coupon", "price_list", "plan"):
        for each in text.get(table, []):
            assert set(each.get("title", {})) == {"ru", "en"}, each["id"]


@pytest.mark.parametrize("name", NAMES)
def test_baskets_are_made_of_the_catalogue(name: str) -> None:
    goods = {each["sku"]: each for each in json.loads((HERE / name / "catalogue.json").read_text(encoding="utf-8"))}
    files = sorted((HERE / name / "baskets").glob("*.json"))
    assert len(goods) >= 25
    assert len(files) == len(EXPECTED[name]) >= 8
    for path in files:
        for line in json.loads(path.read_text(encoding="utf-8"))["lines"]:
            product = {key: value for key, value in line.items() if key not in ("line_id", "quantity")}
            assert product == goods[line["sku"]], f"{path.name}: {line['sku']}"


def _milli(quantity: str) -> int:
    whole, _, rest = quantity.partition(".")
    return int(whole) * 1000 + int(rest.ljust(3, "0"))


def _minor(amount: str) -> int:
    whole, _, rest = amount.partition(".")
    return int(whole) * 100 + int(rest)
