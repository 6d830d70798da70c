"""Faults of conditions and selectors: each names its place and says how to mend it. And what only deserves a warning."""

from __future__ import annotations

import tomllib

import msgspec
import pytest

from pos_loyalty.engine.condition_checks import condition_faults, condition_warnings, counter_faults
from pos_loyalty.engine.conditions import Condition
from pos_loyalty.engine.figures import reader
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.rules import ProgrammeText

TABLES = """
format = 1
id = "trial"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
[[tier]]
id = "gold"
[[coupon]]
id = "welcome"
[[rule]]
id = "count"
then = [{ do = "counter_add", key = "coffee" }]
"""
KNOWN = Known(msgspec.convert(tomllib.loads(TABLES), ProgrammeText, dec_hook=reader(2)))


QTY = 'is = "basket_qty", min = 1'


def read(condition: str) -> Condition:
    found: Condition = msgspec.convert(tomllib.loads(f"c = {{ {condition} }}")["c"], Condition, dec_hook=reader(2))
    return found


def faults(condition: str) -> list[tuple[str, str]]:
    return list(condition_faults(read(condition), "when[0]", KNOWN))


def warnings(condition: str) -> list[tuple[str, str]]:
    return list(condition_warnings(read(condition), "when[0]", KNOWN))


@pytest.mark.parametrize(
    ("condition", "place", "sentence"),
    [
        ('is = "basket_amount"', "", "give min, max or both"),
        ('is = "basket_amount", min = "2", max = "1.99"', ".max", "exchange them"),
        ('is = "basket_amount", min = "1", on = { sku = [] }', ".on.sku", "leave it out"),
        ('is = "basket_qty", min = 0', ".min", "more than 0"),
        ('is = "basket_qty", min = "1.5"', ".min", 'measure = "weight"'),
        ('is = "contains", goods = []', ".goods", "needs nothing"),
        ('is = "contains", goods = [{}, { on = { tag = " x" } }]', ".goods[1].on.tag", "spaces"),
        ('is = "customer"', "", "says nothing"),
        ('is = "customer", member = false, paid = true', ".member", "asks for nobody"),
        ('is = "customer", tier = []', ".tier", "leave it out"),
        ('is = "customer", tier = ["gold", "god"]', ".tier", '"god" is not among the [[tier]] tables'),
        ('is = "customer", tier_from = "god"', ".tier_from", "not among"),
        ('is = "customer", segment = ["a", ""]', ".segment", "leave it out"),
        ('is = "profile", key = "pet", value = []', ".value", "leave it out"),
        ('is = "counter", key = "coffee", n = 6, on = { sku = "" }', ".on.sku", "is empty"),
        ('is = "history"', "", "give amount, visits or bought"),
        ('is = "history", amount = "0"', ".amount", "more than 0"),
        ('is = "history", visits = 1, days = 1, period = "month"', ".period", "one window"),
        ('is = "history", bought = false, visits = 1', ".bought", "leave them out"),
        ('is = "history", bought = true, on = { sku = "1", price_from = "1" }', ".on.price_from", "leave it out"),
        ('is = "history", bought = true, on = { not_discounted = true }', ".on.not_discounted", "leave it out"),
        ('is = "coupon", series = "w"', ".series", '"w" is not among the [[coupon]] series'),
        ('is = "when"', "", "names no dates"),
        ('is = "when", zone = "Europe/Moscow"', "", "names no dates"),
        ('is = "when", from = "17:00"', "", "stand together"),
        ('is = "when", from = "17:00", to = "17:00"', ".from", "not where it ends"),
        ('is = "when", from = "24:00", to = "17:00"', ".from", "not where it ends"),
        ('is = "when", since = "2026-02-02", until = "2026-02-01"', ".until", "2026-02-01 is before 2026-02-02"),
        ('is = "when", since = "2026-02-02", until = "2026-02-04", weekdays = ["sun"]', ".weekdays", "none of these days"),
        ('is = "when", weekdays = ["mon"], zone = "Moscow"', ".zone", '"Moscow" is not a time zone'),
        ('is = "store", store = []', ".store", "give one name"),
        ('is = "store", store = ["S1", ""]', ".store", "leave it out"),
        ('is = "till", till = ""', ".till", "leave it out"),
        ('is = "tender", kind = []', ".kind", "give one name"),
        ('is = "any", of = []', ".of", "1 to 100"),
        ('is = "all", of = []', ".of", "1 to 100"),
        ('is = "all", of = [{ is = "customer", member = true }, { is = "coupon", series = "x" }]', ".of[1].series", "not among"),
        ('is = "not", of = { is = "basket_qty", min = 0 }', ".of.min", "more than 0"),
        ('is = "not", of = { is = "uses", scope = "customer", max = 1 }', ".of", "take it out of not"),
        ('is = "not", of = { is = "budget" }', ".of", "take it out of not"),
        ('is = "all", of = [{ is = "not", of = { is = "budget" } }]', ".of[0].of", "take it out of not"),
        ('is = "not", of = { is = "any", of = [{ is = "budget" }] }', ".of.of[0]", "take it out of not"),
        (f'is = "any", of = [{{ {QTY} }}, {{ is = "counter", key = "coffee", n = 6 }}]', ".of[1]", "by itself"),
        ('is = "all", of = [{ is = "counter", key = "coffee", n = 6 }]', ".of[0]", "by itself"),
    ],
)
def test_a_fault_names_its_place_and_the_mend(condition: str, place: str, sentence: str) -> None:
    ((where, told), *_) = faults(condition)
    assert where == f"when[0]{place}"
    assert sentence in told


@pytest.mark.parametrize(
    ("on", "place", "sentence"),
    [
        ('price_from = "2", price_to = "1"', "price_to", "exchange them"),
        ("discounted = true, not_discounted = true", "discounted", "leave one out"),
        ('not_restricted = "beer"', "not_restricted", 'write "alcohol", "tobacco" or both'),
        ("not_restricted = []", "not_restricted", "leave it out"),
        ("except = {}", "except", "names no goods"),
        ("except = { brand = [] }", "except.brand", "leave it out"),
        ('category = "a/"', "category", "begins or ends"),
    ],
)
def test_faults_of_selectors(on: str, place: str, sentence: str) -> None:
    ((where, told),) = faults(f"{QTY}, on = {{ {on} }}")
    assert where == f"when[0].on.{place}"
    assert sentence in told


@pytest.mark.parametrize(
    "condition",
    [
        'is = "basket_amount", min = "1", max = "1"',
        'is = "basket_qty", min = "0.5", measure = "weight"',
        'is = "when", since = "2026-02-02", until = "2026-02-08", weekdays = ["sun"]',
        'is = "when", since = "2026-02-08", until = "2026-02-08", weekdays = ["sun"]',
        'is = "when", from = "22:00", to = "06:00"',
        'is = "not", of = { is = "not", of = { is = "budget" } }',
        'is = "any", of = [{ is = "not", of = { is = "budget" } }, { is = "customer", member = true }]',
        'is = "not", of = { is = "all", of = [{ is = "budget" }, { is = "customer", member = true }] }',
        'is = "history", bought = false, days = 30, on = { not_restricted = ["alcohol", "tobacco"] }',
        f'{QTY}, on = {{ price_from = "1", price_to = "1" }}',
        'is = "uses", scope = "day", max = 5',
        'is = "not", of = { is = "counter", key = "coffee", n = 6 }',
    ],
)
def test_what_may_hold_is_no_fault(condition: str) -> None:
    assert faults(condition) == []
    assert warnings(condition) == []


def test_a_rule_counts_by_one_counter() -> None:
    one, other = (read(f'is = "counter", key = "coffee", n = {n}') for n in (6, 9))
    assert list(counter_faults([one, read(QTY)], "when")) == []
    assert [place for place, _ in counter_faults([one, read(QTY), other], "when")] == ["when[2]"]


def test_conditions_stand_eight_deep_at_most() -> None:
    eight = '{ is = "not", of = ' * 7 + "{ " + QTY + " }" + " }" * 7
    assert faults(eight[1:-1]) == []
    ((place, told),) = faults(f'is = "not", of = {eight}')
    assert place == "when[0]" + ".of" * 8
    assert "more than 8 deep" in told


@pytest.mark.parametrize(
    ("condition", "place", "sentence"),
    [
        ('is = "basket_amount", min = "0"', "", "always holds"),
        ('is = "when", from = "00:00", to = "24:00"', "", "always holds"),
        ('is = "when", weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]', "", "always holds"),
        ('is = "not", of = { is = "basket_amount", min = "0" }', "", "never holds"),
        (f'is = "not", of = {{ is = "any", of = [{{ {QTY} }}, {{ is = "basket_amount", min = "0" }}] }}', "", "never holds"),
        (f'is = "all", of = [{{ {QTY} }}, {{ is = "basket_amount", min = "0" }}]', ".of[1]", "always holds"),
        ('is = "birthday", before = 200, after = 165', "", "every day"),
        ('is = "named_date", key = "x", after = 365', "", "every day"),
        ('is = "nth_purchase", n = 1, every = true', ".n", "every purchase"),
        ('is = "counter", key = "coffee", n = 1', ".n", "every unit"),
        ('is = "counter", key = "tea", n = 6', ".key", 'no rule adds to the counter "tea"'),
        ('is = "not", of = { is = "counter", key = "tea", n = 6 }', ".of.key", "no rule adds"),
    ],
)
def test_what_says_nothing_is_warned_about_and_let_pass(condition: str, place: str, sentence: str) -> None:
    assert faults(condition) == []
    ((where, told),) = warnings(condition)
    assert where == f"when[0]{place}"
    assert sentence in told


@pytest.mark.parametrize("key", ["Pet", "", "pet food", "-pet", "питомец", "pet\\n", "x" * 65])
def test_a_badly_spelled_key_is_refused(key: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="key"):
        read(f'is = "profile", key = "{key}"')
