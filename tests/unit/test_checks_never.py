"""Rules that can never act, and groups that contradict one another: refused when the programme is loaded."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

import pytest

from pos_loyalty.engine.warnings import looked_through
from tests.worlds import HEAD

TIERS = '[[tier]]\nid = "bronze"\n[[tier]]\nid = "silver"\n[[tier]]\nid = "gold"\n'


def faults_of(toml: str) -> dict[str, str]:
    """Place to sentence."""
    return {each.place: each.text for each in looked_through((HEAD + toml).encode()).faults}


def rule(when: str, then: str = '{ do = "percent", percent = "5%" }', more: str = "") -> str:
    stage = "" if '"points"' in then else 'stage = "item"'
    return f'{TIERS}[[coupon]]\nid = "c"\n[[rule]]\nid = "r"\n{stage}\n{more}\nwhen = [{when}]\nthen = [{then}]\n'


NO_TIME = "no time lies in all the windows"
NEVER = [
    # windows
    ('{ is = "when", weekdays = ["mon"] }, { is = "when", weekdays = ["tue", "wed"] }', NO_TIME),
    ('{ is = "when", since = 2026-02-01 }, { is = "when", until = 2026-01-31 }', NO_TIME),
    ('{ is = "when", from = "10:00", to = "12:00" }, { is = "when", from = "12:00", to = "15:00" }', NO_TIME),
    ('{ is = "when", weekdays = ["fri"], from = "22:00", to = "06:00" }, { is = "when", weekdays = ["sat"], from = "06:00", to = "22:00" }', NO_TIME),
    ('{ is = "when", weekdays = ["mon"] }, { is = "when", since = 2026-11-21, until = 2026-11-22 }', NO_TIME),
    ('{ is = "when", weekdays = ["mon"] }, { is = "not", of = { is = "when", weekdays = ["mon", "tue"] } }', NO_TIME),
    ('{ is = "when", zone = "Asia/Tokyo", weekdays = ["mon"] }, { is = "when", zone = "Asia/Tokyo", weekdays = ["tue"] }', NO_TIME),
    ('{ is = "all", of = [{ is = "when", weekdays = ["mon"] }] }, { is = "when", weekdays = ["tue"] }', NO_TIME),
    ('{ is = "any", of = [{ is = "when", weekdays = ["mon"] }, { is = "when", weekdays = ["tue"] }] }, { is = "when", weekdays = ["sun"] }', NO_TIME),
    # the member
    ('{ is = "customer", member = false }, { is = "birthday" }', "without a card"),
    ('{ is = "customer", member = false }, { is = "customer", staff = true }', "without a card"),
    ('{ is = "customer", member = false }, { is = "counter", key = "k", n = 6 }', "without a card"),
    ('{ is = "not", of = { is = "customer", member = true } }, { is = "first_purchase" }', "without a card"),
    ('{ is = "customer", tier = "gold" }, { is = "customer", tier = ["silver", "bronze"] }', "no tier"),
    ('{ is = "customer", tier = "bronze" }, { is = "customer", tier_from = "silver" }', "no tier"),
    ('{ is = "customer", staff = true }, { is = "customer", staff = false }', "staff is asked for and excluded"),
    ('{ is = "customer", paid = true }, { is = "customer", paid = false }', "paid is asked for and excluded"),
    ('{ is = "first_purchase" }, { is = "nth_purchase", n = 5 }', "not the 1. and the 5."),
    ('{ is = "nth_purchase", n = 3 }, { is = "nth_purchase", n = 5 }', "not the 3. and the 5."),
    ('{ is = "nth_purchase", n = 7 }, { is = "nth_purchase", n = 5, every = true }', "the 7. sale is not every 5. one"),
    ('{ is = "first_purchase" }, { is = "history", visits = 1 }', "before the first sale"),
    ('{ is = "first_purchase" }, { is = "history", amount = "5" }', "before the first sale"),
    ('{ is = "nth_purchase", n = 1 }, { is = "not", of = { is = "first_purchase" } }', "asked for and excluded"),
    ('{ is = "history", bought = true, on = { sku = "a" }, days = 5 }, { is = "history", bought = false, on = { sku = "a" }, days = 9 }', "bought and were not"),
    # goods and places
    ('{ is = "basket_amount", min = "10" }, { is = "basket_amount", max = "9.99" }', "at least 10.00 is more than at most 9.99"),
    ('{ is = "basket_amount", min = "10", on = { sku = "a" } }, { is = "basket_amount", max = "9.99" }', "at least 10.00"),
    ('{ is = "store", store = ["S1", "S2"] }, { is = "store", store = "S3" }', "no store is in all the lists"),
    ('{ is = "store", store = "S1" }, { is = "not", of = { is = "store", store = ["S1", "S2"] } }', "no store"),
    ('{ is = "till", till = "T1" }, { is = "till", till = "T2" }', "no till"),
    ('{ is = "tender", kind = "cash" }, { is = "tender", kind = "card" }', "no tender"),
    ('{ is = "coupon", series = "c" }, { is = "not", of = { is = "coupon", series = "c" } }', '"coupon" is asked for and excluded'),
    ('{ is = "coupon", series = "c" }, { is = "not", of = { is = "any", of = [{ is = "coupon", series = "c" }, { is = "first_purchase" }] } }', '"coupon" is asked'),
]  # fmt: skip


@pytest.mark.parametrize(("when", "sentence"), NEVER, ids=[when for when, _ in NEVER])
def test_a_rule_that_can_never_act(when: str, sentence: str) -> None:
    found = faults_of(rule(when))
    assert found["rule[0].when"].startswith("can never hold all at once: ")
    assert sentence in found["rule[0].when"]
    assert found["rule[0].when"].endswith("; take one of the conditions out")


COUNTED = '{ is = "counter", key = "k", n = 6, on = { sku = ["a", "b"] } }'
NO_GOODS = [
    (rule(COUNTED, '{ do = "percent", percent = "5%", on = { sku = "c" } }'), "rule[0].then[0].on", "none of them is among these goods"),
    (rule("", '{ do = "percent", percent = "5%", on = { sku = "a", except = { sku = ["b", "a"] } } }'), "rule[0].then[0].on.except", "takes out all"),
    (rule("", '{ do = "percent", percent = "5%", on = { category = "a/b", except = { category = "a" } } }'), "rule[0].then[0].on.except", "takes out all"),
    (rule("", '{ do = "percent", percent = "5%", on = { sku = "s", tag = "t", except = { sku = "s", tag = "t" } } }'), "rule[0].then[0].on.except", "takes out all"),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "place", "sentence"), NO_GOODS)
def test_a_rule_whose_goods_are_none(toml: str, place: str, sentence: str) -> None:
    found = faults_of(toml)
    assert list(found) == [place] and sentence in found[place]


@pytest.mark.parametrize(
    ("when", "on"),
    [
        (COUNTED, '{ sku = ["c", "b"] }'),
        (COUNTED, '{ sku = "c", tag = "t" }'),
        (COUNTED, '{ category = "c" }'),
        (COUNTED, "{}"),
        ("", '{ category = "a", except = { category = "a/b" } }'),
        ("", '{ category = "ab", except = { category = "a" } }'),
        ("", '{ sku = ["a", "b"], except = { sku = "a" } }'),
        ("", '{ sku = "a", tag = "t", except = { sku = "a" } }'),
        ("", '{ except = { sku = "a" } }'),
    ],
)
def test_a_rule_that_may_find_goods(when: str, on: str) -> None:
    assert faults_of(rule(when, f'{{ do = "percent", percent = "5%", on = {on} }}')) == {}


MAY = [
    '{ is = "when", weekdays = ["fri"], from = "22:00", to = "06:00" }, { is = "when", weekdays = ["sat"], from = "05:59", to = "22:00" }',
    '{ is = "when", weekdays = ["mon"] }, { is = "when", since = 2026-11-21, until = 2026-11-23 }',
    '{ is = "when", since = 2026-01-01, until = 2026-03-31 }, { is = "when", weekdays = ["mon"], from = "23:00", to = "01:00" }',
    '{ is = "when", zone = "Asia/Tokyo", weekdays = ["mon"] }, { is = "when", weekdays = ["tue"] }',
    '{ is = "any", of = [{ is = "when", weekdays = ["mon"] }, { is = "when", weekdays = ["tue"] }] }, { is = "when", weekdays = ["tue"] }',
    '{ is = "when", from = "10:00", to = "12:00" }, { is = "not", of = { is = "when", from = "10:30", to = "12:00" } }',
    '{ is = "customer", member = true }, { is = "birthday" }',
    '{ is = "customer", tier = ["bronze", "gold"] }, { is = "customer", tier_from = "silver" }',
    '{ is = "nth_purchase", n = 10 }, { is = "nth_purchase", n = 5, every = true }',
    '{ is = "nth_purchase", n = 4, every = true }, { is = "nth_purchase", n = 6, every = true }',
    '{ is = "first_purchase" }, { is = "history", bought = false, on = { sku = "a" } }',
    '{ is = "history", bought = true, on = { sku = "a" }, days = 9 }, { is = "history", bought = false, on = { sku = "a" }, days = 5 }',
    '{ is = "basket_amount", min = "10" }, { is = "basket_amount", max = "10" }',
    '{ is = "basket_amount", min = "10" }, { is = "basket_amount", max = "5", on = { sku = "a" } }',
    '{ is = "basket_amount", min = "10" }, { is = "basket_amount", max = "5", base = "running" }',
    '{ is = "store", store = ["S1", "S2"] }, { is = "store", store = "S2" }',
    '{ is = "store", store = ["S1", "S2"] }, { is = "not", of = { is = "store", store = "S1" } }',
    '{ is = "not", of = { is = "not", of = { is = "coupon", series = "c" } } }, { is = "coupon", series = "c" }',
]  # fmt: skip


@pytest.mark.parametrize("when", MAY)
def test_a_rule_that_may_act_is_let_pass(when: str) -> None:
    assert faults_of(rule(when)) == {}


def test_nobody_cannot_be_drawn_or_given_points() -> None:
    alone = '{ is = "customer", member = false }'
    assert "nobody gets points" in faults_of(rule(alone, '{ do = "points", rate = "1%" }'))["rule[0].when"]
    for more in ('pilot = "5%"', 'control = "5%"', "limits = { member = 1 }"):
        assert "no member to draw" in faults_of(rule(alone, more=more))["rule[0].when"]
    assert faults_of(rule(alone)) == {}


def test_a_counter_stands_by_itself_and_once() -> None:
    counter = '{ is = "counter", key = "k", n = 6 }'
    assert "counts by one counter" in faults_of(rule(f"{counter}, {counter}"))["rule[0].when[1]"]
    for around in ('{ is = "not", of = %s }', '{ is = "any", of = [%s] }', '{ is = "all", of = [{ is = "not", of = %s }] }'):
        assert "by itself" in faults_of(rule(around % counter))["rule[0].when[0]"]


def test_more_alternatives_than_are_looked_through_are_let_pass() -> None:
    mondays = ", ".join(['{ is = "when", weekdays = ["mon"] }'] * 65)
    assert faults_of(rule(f'{{ is = "any", of = [{mondays}] }}, {{ is = "when", weekdays = ["tue"] }}')) == {}


def groups(*names: str, force: tuple[str, ...] = (), **relations: dict[str, str]) -> str:
    """Groups, their relations, and one rule in each."""
    text = "".join(f'[[group]]\nid = "{name}"\nforce = {str(name in force).lower()}\n' for name in names)
    for one, others in relations.items():
        text += f"[compatibility.{one}]\n" + "".join(f'{other} = "{word}"\n' for other, word in others.items())
    return text + "".join(one_rule(f"in-{name}", name) for name in names)


def one_rule(name: str, group: str = "", stage: str = "item") -> str:
    in_group = f'group = "{group}"\n' if group else ""
    return f'[[rule]]\nid = "{name}"\nstage = "{stage}"\n{in_group}then = [{{ do = "percent", percent = "5%" }}]\n'


def test_a_relation_is_said_once() -> None:
    found = faults_of(groups("a", "b", a={"b": "stack"}, b={"a": "exclusive"}))
    assert found == {"compatibility.b.a": 'says "exclusive", but compatibility.a.b says "stack"; write the pair once'}
    assert faults_of(groups("a", "b", a={"b": "stack"}, b={"a": "stack"})) == {}


def test_relations_name_groups() -> None:
    found = faults_of(groups("a", a={"x": "stack"}, y={"a": "stack"}))
    assert found["compatibility.a.x"] == '"x" is not among the [[group]] tables'
    assert found["compatibility.y"] == '"y" is not among the [[group]] tables'


def test_two_groups_do_not_both_win_by_force() -> None:
    found = faults_of(groups("a", "b", force=("a", "b"), b={"a": "exclusive"}))
    assert "both win by force" in found["compatibility.a.b"]
    assert faults_of(groups("a", "b", force=("a",), b={"a": "exclusive"})) == {}
    assert faults_of(groups("a", "b", force=("a", "b"), b={"a": "best_of"})) == {}


def test_best_of_carries_over_and_the_three_rules_are_named() -> None:
    found = faults_of(groups("a", "b", "c", a={"c": "stack"}))
    assert list(found) == ["rule[2].group"]
    assert '"in-a" and "in-c" stack, but best_of joins both to "in-b"' in found["rule[2].group"]
    assert faults_of(groups("a", "b", "c", a={"c": "stack", "b": "stack"})) == {}
    assert faults_of(groups("a", "b", "c", a={"c": "exclusive"})) == {}


def test_a_rule_without_a_group_is_best_of_with_all_of_its_stage() -> None:
    pair = groups("a", "b", a={"b": "stack"})
    assert faults_of(pair) == {}
    assert '"in-a" and "in-b" stack, but best_of joins both to "lone"' in faults_of(pair + one_rule("lone"))["rule[1].group"]
    assert faults_of(pair + one_rule("lone", stage="customer")) == {}
    assert faults_of(pair + one_rule("lone", stage="order")) == {}


def test_rules_of_a_group_that_stack_are_best_of_with_nobody() -> None:
    both = groups("a", a={"a": "stack"}) + one_rule("second", "a")
    assert faults_of(both) == {}
    assert '"in-a" and "second" stack' in faults_of(both + one_rule("lone"))["rule[1].group"]


def test_best_of_across_stages_carries_over_too() -> None:
    text = groups("a", "b", a={"b": "best_of"}).replace('id = "in-b"\nstage = "item"', 'id = "in-b"\nstage = "customer"')
    assert faults_of(text) == {}
    assert '"in-b"' in faults_of(text + one_rule("lone"))["rule[2].group"]
