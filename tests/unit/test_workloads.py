"""The benches' own goods: what is drawn, how rules become a programme, and that the adversarial bench sees a wrong answer."""

import random
from collections import Counter
from dataclasses import replace as replaced

import pytest
from msgspec.structs import replace

from bench.adversarial import SEED, ask, faults_of, loaded, questions, run
from bench.workloads import KINDS, MEANINGS, MULTIBUYS, NO_HINTS, Meaning, Source, asked, programme, strangers, units_of
from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import State
from pos_loyalty.values import Minor

SOURCE = Source()
CALM = ["coupons", "exclusive-groups", "huge-quantities"]


def test_every_ten_rules_hold_each_kind_and_fewer_rules_are_a_prefix() -> None:
    rules = SOURCE.rules(100)
    assert [Counter(rule.kind for rule in rules[at : at + 10]) for at in range(0, 100, 10)] == [Counter(KINDS)] * 10
    assert SOURCE.rules(10) == rules[:10]
    assert sum(rule.kind in MULTIBUYS for rule in rules) == 40


def test_line_and_basket_rules_hold_no_multi_buy() -> None:
    rules = SOURCE.line_and_basket_rules(120)
    assert len(rules) == 120
    assert not any(rule.kind in MULTIBUYS for rule in rules)


def test_baskets_hold_no_sku_twice_at_the_prices_of_the_catalogue() -> None:
    prices = {item.sku: item.price for item in SOURCE.catalogue()}
    for basket in SOURCE.baskets(20, 30):
        assert len({line.sku for line in basket.lines}) == 20
        assert all(line.price == prices[line.sku] for line in basket.lines)


@pytest.mark.parametrize("meaning", MEANINGS)
def test_each_reading_of_the_rules_loads_and_its_multi_buys_act(meaning: Meaning) -> None:
    rules = SOURCE.rules(100)
    ready = load_programme(programme(rules, meaning, NO_HINTS).encode())
    assert {rule.id for rule in ready.rules} == {f"r{rule.id}" for rule in rules}
    multibuys = {f"r{rule.id}" for rule in rules if rule.kind in MULTIBUYS}
    basket, member = asked(SOURCE.baskets(20, 1)[0])
    assert multibuys & set(quote(basket, member, ready, State(), basket.opened_at).applied)


def test_rules_about_other_goods_match_nothing() -> None:
    given = SOURCE.baskets(20, 20)
    others = strangers(100)
    assert len(others) == len({rule.id for rule in others}) == 100
    assert not any(units_of(rule, basket) for rule in others for basket in given)


def test_adversarial_questions_bring_no_fault() -> None:
    tally = run(9, CALM, SEED)
    assert tally.faults == []
    assert sum(map(len, tally.times.values())) == 9


def test_a_line_below_its_floor_and_a_wrong_sum_are_seen() -> None:
    family, _, question = next(questions(1, ["coupons"], SEED))
    answer = ask(question, loaded(family, random.Random(1)))[1]
    assert list(faults_of(question, answer)) == []
    first = question.basket.lines[0]
    dear = replace(first, floor_minor=first.price_minor)
    floored = replaced(question, basket=replace(question.basket, lines=(dear, *question.basket.lines[1:])))
    low = next(line for line in answer.lines if line.line_id == first.line_id)
    cheaper = replace(low, net_minor=Minor(low.net_minor - 1))
    lines = tuple(cheaper if line.line_id == low.line_id else line for line in answer.lines)
    seen = " ".join(faults_of(floored, replace(answer, lines=lines)))
    assert "is below its floor" in seen
    assert "do not sum up" in seen
