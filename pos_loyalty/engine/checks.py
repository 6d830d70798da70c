"""What a programme file may not say although every word in it is right. Each fault is (place, sentence with the mend)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import get_args

from pos_loyalty.engine import conditions
from pos_loyalty.engine.condition_checks import condition_faults, counter_faults
from pos_loyalty.engine.conditions import Budget, Condition, Counter, Not, Uses
from pos_loyalty.engine.coupons import pattern_faults
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.engine.effect_checks import effect_faults
from pos_loyalty.engine.effects import (
    AmountEach,
    Effect,
    FixedPrice,
    Gift,
    GivePoints,
    ItemMoney,
    Ladder,
    OrderMoney,
    PaymentMoney,
    Percent,
    RedeemFor,
)
from pos_loyalty.engine.fireable import never_fires
from pos_loyalty.engine.group_checks import group_faults
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.rules import RULES_MAX, Limits, ProgrammeText, Rule, Stage
from pos_loyalty.engine.selectors import Selector, names_nothing, names_of
from pos_loyalty.engine.table_checks import Fault, dates_fault, table_faults

RESERVED = ("coupon", "fiscal", "manual", "prior", "redeem", "referral")
"""Names that stand in a quote beside rule ids."""

_THEN = re.compile(rb"""\bthen["']?\s*=""")
_MONEY = (*get_args(ItemMoney), *get_args(OrderMoney), *get_args(PaymentMoney))
_CUSTOMER_WORDS = ("percent", "amount_each", "fixed_price")
_WORDS_OF: dict[Stage, frozenset[str]] = {
    "item": frozenset(str(kind.__struct_config__.tag) for kind in get_args(ItemMoney)),
    "customer": frozenset(_CUSTOMER_WORDS),
    "order": frozenset(str(kind.__struct_config__.tag) for kind in get_args(OrderMoney)),
    "payment": frozenset(str(kind.__struct_config__.tag) for kind in get_args(PaymentMoney)),
    "points": frozenset(),
    "act": frozenset(),
}
_OF_AN_ACT = frozenset({"points", "issue_coupon", "privilege", "message"})


def size_fault(data: bytes) -> Fault | None:
    """A fault when a file holds far too many rules, told before it is read, for reading them all takes long."""
    count = sum(1 for _ in _THEN.finditer(data))
    if count <= RULES_MAX:
        return None
    return "rule", f"{count} rules are more than the {RULES_MAX} that a programme may hold; put prices into a [[price_list]]"


def faults(text: ProgrammeText) -> Iterator[Fault]:
    """Every fault, in the order of the file's tables."""
    known = Known(text)
    if text.currency not in EXPONENTS:
        yield "currency", f'"{text.currency[:8]}" is not a currency of ISO 4217'
    fault = known.zone_fault(text.timezone)
    if fault is not None:
        yield "timezone", fault
    yield from _twice_faults(text)
    yield from table_faults(text, known)
    yield from _series_faults(text)
    yield from group_faults(text, known)
    for number, rule in enumerate(text.rule):
        yield from _rule_faults(rule, f"rule[{number}]", known)


def _twice_faults(text: ProgrammeText) -> Iterator[Fault]:
    """Ids are taken once in their table. What stands in a quote as a rule shares one name space."""
    yield from _twice((f"tier[{number}]", tier.id) for number, tier in enumerate(text.tier))
    yield from _twice((f"group[{number}]", group.id) for number, group in enumerate(text.group))
    yield from _twice((f"coupon[{number}]", series.id) for number, series in enumerate(text.coupon))
    in_a_quote = chain(
        ((f"plan[{number}]", plan.id) for number, plan in enumerate(text.plan)),
        ((f"price_list[{number}]", price_list.id) for number, price_list in enumerate(text.price_list)),
        ((f"rule[{number}]", rule.id) for number, rule in enumerate(text.rule)),
    )
    named = tuple(in_a_quote)
    for place, name in named:
        if name in RESERVED:
            yield f"{place}.id", f'"{name}" is a word of the quote; choose another id'
    yield from _twice(named)


def _twice(named: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for place, name in named:
        if name in first:
            yield f"{place}.id", f'"{name}" is already the id of {first[name]}'
        first.setdefault(name, place)


def _series_faults(text: ProgrammeText) -> Iterator[Fault]:
    first: dict[str, int] = {}
    alike: dict[tuple[str, int], int] = {}
    for number, series in enumerate(text.coupon):
        place = f"coupon[{number}]"
        if series.code is not None:
            code = series.code.strip().upper()
            if not code or code in first:
                yield f"{place}.code", f'"{series.code}" is empty or already the code of another series'
            first.setdefault(code, number)
        for field, sentence in pattern_faults(series):
            yield f"{place}.{field}", sentence
        if series.digits is not None and not series.unique:
            other = alike.setdefault((series.prefix, series.digits), number)
            if other != number:
                yield (
                    f"{place}.prefix",
                    f"codes of coupon[{other}] look the same, so nobody could tell them apart; change one",
                )
        yield from dates_fault(series.since, series.until, place)


def _rule_faults(rule: Rule, place: str, known: Known) -> Iterator[Fault]:
    yield from _stage_faults(rule, place)
    yield from _once_faults(rule, place)
    yield from _nested_counter_faults(rule, place)
    yield from _order_faults(rule, place)
    yield from _limit_faults(rule, place)
    if rule.group is not None and rule.group not in known.groups:
        yield f"{place}.group", f'"{rule.group}" is not among the [[group]] tables'
    is_sound = True
    for number, condition in enumerate(rule.when):
        for fault in condition_faults(condition, f"{place}.when[{number}]", known):
            is_sound = False
            yield fault
    yield from counter_faults(rule.when, f"{place}.when")
    for number, effect in enumerate(rule.then):
        yield from effect_faults(effect, f"{place}.then[{number}]", known)
    if is_sound:
        yield from never_fires(rule, place, known)


def word_of(effect: Effect) -> str:
    """The word after ``do``."""
    return str(effect.__struct_config__.tag)


def takes_money(effect: Effect) -> bool:
    """Whether the effect takes money off."""
    return isinstance(effect, _MONEY)


def _stage_faults(rule: Rule, place: str) -> Iterator[Fault]:
    """Every effect acts in the rule's stage, or later."""
    money = [effect for effect in rule.then if takes_money(effect)]
    if money and rule.stage in (None, "points"):
        yield f"{place}.stage", f"a rule that takes money off says when it acts: {_stages_of(word_of(money[0]))}"
        return
    if not money and rule.stage not in (None, "points", "act"):
        yield f"{place}.stage", 'a rule that takes no money off acts in stage "points"; leave stage out'
        return
    for number, effect in enumerate(rule.then):
        word = word_of(effect)
        if takes_money(effect) and word not in _WORDS_OF[rule.stage or "points"]:
            yield (
                f"{place}.then[{number}].do",
                f'"{word}" acts in stage {_stages_of(word)}, not in "{rule.stage}"; a rule takes money off in one stage: write '
                "another rule, or another stage",
            )
    yield from _act_faults(rule, place)


def _stages_of(word: str) -> str:
    return " or ".join(f'"{stage}"' for stage, words in _WORDS_OF.items() if word in words)


def _act_faults(rule: Rule, place: str) -> Iterator[Fault]:
    if (rule.act is None) == (rule.stage == "act"):
        yield f"{place}.act", 'a rule with an act acts in stage "act", and one of that stage names its act, such as "review"'
    if rule.stage != "act":
        return
    for number, effect in enumerate(rule.then):
        inside = f"{place}.then[{number}]"
        if word_of(effect) not in _OF_AN_ACT and not takes_money(effect):
            yield f"{inside}.do", f'"{word_of(effect)}" counts what was bought; an act buys nothing'
        elif isinstance(effect, GivePoints) and (effect.fixed is None or effect.per == "unit"):
            yield inside, "an act buys nothing to count by: give a fixed number of points"


def _once_faults(rule: Rule, place: str) -> Iterator[Fault]:
    """Effects that a rule has once, for the basket and the ledger name them by the rule alone."""
    asked: list[int] = []
    giving: list[int] = []
    for number, effect in enumerate(rule.then):
        if isinstance(effect, GivePoints):
            giving.append(number)
        elif isinstance(effect, RedeemFor) or (isinstance(effect, Gift) and effect.choice == "cashier"):
            asked.append(number)
    if len(giving) > 1:
        yield f"{place}.then[{giving[1]}]", "a rule gives points once, for they share one lot; write a second rule"
    if len(asked) > 1:
        yield f"{place}.then[{asked[1]}]", "a rule asks for one choice, for the basket names it by the rule; write a second rule"


def _nested_counter_faults(rule: Rule, place: str) -> Iterator[Fault]:
    """A counter says on which units the rule acts, so it stands by itself."""
    for number, condition in enumerate(rule.when):
        if not isinstance(condition, Counter) and any(isinstance(part, Counter) for part in parts_of(condition)):
            yield f"{place}.when[{number}]", '"counter" says on which units the rule acts; write it in when by itself'
    if any(isinstance(condition, Counter) for condition in rule.when):
        for number, effect in enumerate(rule.then):
            if takes_money(effect) and (rule.stage == "order" or not isinstance(effect, Percent | AmountEach | FixedPrice)):
                yield (
                    f"{place}.then[{number}]",
                    'every nth unit gets "percent", "amount_each" or "fixed_price" in stage "item" or "customer"',
                )
    for counter in (condition for condition in rule.when if isinstance(condition, Counter)):
        for number, effect in enumerate(rule.then):
            if isinstance(effect, Percent | AmountEach | FixedPrice) and _apart(counter.on, effect.on):
                sentence = (
                    "the rule acts on the units that its counter counts, and none of them is among these goods; name the same"
                )
                yield f"{place}.then[{number}].on", sentence


def _apart(one: Selector, other: Selector) -> bool:
    """Whether two selectors surely share no goods: both name SKUs and nothing else, and no SKU is in both."""
    names_skus_only = all(each.sku and each.category is None and each.brand is None and each.tag is None for each in (one, other))
    return names_skus_only and set(names_of(one.sku)).isdisjoint(names_of(other.sku))


def parts_of(condition: Condition) -> Iterator[Condition]:
    """A condition and all that stand inside it."""
    yield condition
    match condition:
        case Not(of=inner):
            yield from parts_of(inner)
        case conditions.All(of=parts) | conditions.Any(of=parts):
            for part in parts:
                yield from parts_of(part)
        case _:
            pass


def _order_faults(rule: Rule, place: str) -> Iterator[Fault]:
    """On the whole receipt units are not told apart, and ladders over the same goods would both act."""
    ladders: list[tuple[int, Ladder]] = []
    for number, effect in enumerate(rule.then):
        if rule.stage == "order" and isinstance(effect, Percent):
            for word in ("max_units", "max_units_per_line", "whole"):
                if getattr(effect, word):
                    yield (
                        f"{place}.then[{number}].{word}",
                        'is about units; on the receipt use max_amount, or stage = "item"',
                    )
        if isinstance(effect, Ladder):
            for other, before in ladders:
                if _overlap(before, effect):
                    yield (
                        f"{place}.then[{number}]",
                        f"acts on the goods of the ladder in then[{other}] too; write their steps into one ladder",
                    )
            ladders.append((number, effect))


def _overlap(one: Ladder, other: Ladder) -> bool:
    """Whether two ladders surely share goods."""
    if one.on == other.on or names_nothing(one.on) or names_nothing(other.on):
        return True
    kinds = ("sku", "category", "brand", "tag")
    return any(set(names_of(getattr(one.on, kind))) & set(names_of(getattr(other.on, kind))) for kind in kinds)


def _limit_faults(rule: Rule, place: str) -> Iterator[Fault]:
    if rule.pilot is not None and rule.pilot <= 0:
        yield f"{place}.pilot", 'with "0%" of the members nobody has the rule; leave the rule out'
    if rule.control is not None and not 0 < rule.control < 10_000:
        yield f"{place}.control", 'the control group is a part of the members: more than "0%" and less than "100%"'
    has_money = any(takes_money(effect) for effect in rule.then)
    if rule.budget is not None and not has_money and not any(isinstance(effect, GivePoints) for effect in rule.then):
        yield f"{place}.budget", "a budget is money, and this rule gives neither money nor points; use limits instead"
    elif rule.budget is not None and rule.budget <= 0:
        yield f"{place}.budget", "with no budget the rule never acts; leave the rule out"
    yield from _shared_limit_faults(rule, place)
    if rule.suggest and not has_money:
        yield f"{place}.suggest", "a rule that takes no money off has no goods to hint at"


def _shared_limit_faults(rule: Rule, place: str) -> Iterator[Fault]:
    """Uses and money of a limited rule are counted for its offer, so it has one."""
    asked = (part for condition in rule.when for part in parts_of(condition))
    is_limited = rule.limits != Limits() or rule.budget is not None or any(isinstance(part, Uses | Budget) for part in asked)
    money = [number for number, effect in enumerate(rule.then) if takes_money(effect)]
    if is_limited and rule.stage in ("item", "customer") and len(money) > 1:
        yield f"{place}.then[{money[1]}]", "a rule with limits or a budget takes money off by one effect; write a second rule"
