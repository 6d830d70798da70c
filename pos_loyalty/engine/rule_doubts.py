"""Doubts about single rules whose parts do not fit together: what cannot act, and words that say nothing where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from pos_loyalty.engine.checks import parts_of
from pos_loyalty.engine.conditions import Budget, Counter, MemberIs
from pos_loyalty.engine.effects import AmountEach, CounterAdd, Effect, FixedPrice, GivePoints, Percent
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.rules import ProgrammeText, Rule
from pos_loyalty.engine.selectors import (
    CATEGORY_SEPARATOR,
    Selector,
    names_nothing,
    names_of,
    takes_out_all,
)
from pos_loyalty.engine.table_checks import Fault
from pos_loyalty.values import Value


class Whole(Value):
    """What the rules of a programme have together, gathered once."""

    has_plans: bool
    has_rates: bool
    """Whether a rule gives points by a rate or for units: what a multiplier multiplies."""
    counted: dict[str, tuple[Selector, ...]]
    """By counter: the goods that some rule adds to it."""


def whole_of(text: ProgrammeText) -> Whole:
    """What single rules are looked at against."""
    effects = [effect for rule in text.rule if rule.stage != "act" for effect in rule.then]
    counted: dict[str, tuple[Selector, ...]] = {}
    for effect in effects:
        if isinstance(effect, CounterAdd):
            counted[effect.key] = (*counted.get(effect.key, ()), effect.on)
    giving = [effect for effect in effects if isinstance(effect, GivePoints)]
    has_rates = any(each.rate is not None or each.steps or each.per == "unit" for each in giving)
    return Whole(has_plans=bool(text.plan), has_rates=has_rates, counted=counted)


def rule_doubts(rule: Rule, place: str, whole: Whole, known: Known) -> Iterator[Fault]:
    """Every doubt about one rule."""
    for number, condition in enumerate(rule.when):
        inside = f"{place}.when[{number}]"
        parts = tuple(parts_of(condition))
        if rule.budget is None and any(isinstance(part, Budget) for part in parts):
            yield inside, "this rule has no budget of which anything could be left; give it one, or take the condition out"
        if not whole.has_plans and any(isinstance(part, MemberIs) and part.paid for part in parts):
            yield inside, "asks for a paid membership, and there is no [[plan]] that sells one"
        if isinstance(condition, Counter):
            yield from _counter_doubts(condition, rule, inside, whole)
    for number, effect in enumerate(rule.then):
        yield from _effect_doubts(effect, f"{place}.then[{number}]", whole, known)


def _effect_doubts(effect: Effect, place: str, whole: Whole, known: Known) -> Iterator[Fault]:
    match effect:
        case FixedPrice(price=price, on=Selector(price_to=int(most))) if price >= most:
            shown = money_text(most, known.exponent)
            yield f"{place}.price", f"the goods cost {shown} or less already (price_to), so a piece never costs less by it"
        case GivePoints(multiplier=int()) if not whole.has_rates:
            yield f"{place}.multiplier", "no rule gives points by a rate or for units, so there is nothing to multiply"
        case _:
            pass
    if isinstance(effect, Percent | AmountEach | FixedPrice) and effect.which != "cheapest" and effect.max_units is None:
        yield f"{place}.which", "picks the units of max_units, and there is no max_units; give it, or leave which out"


def _counter_doubts(counter: Counter, rule: Rule, place: str, whole: Whole) -> Iterator[Fault]:
    for number, effect in enumerate(rule.then):
        if isinstance(effect, Percent | AmountEach | FixedPrice) and apart(counter.on, effect.on):
            sentence = f"the rule acts on units of its counter only, and none of them is among the goods of then[{number}]"
            yield f"{place}.on", f"{sentence}; name the same"
    added = whole.counted.get(counter.key, ())
    if added and all(apart(counter.on, each) for each in added):
        yield f"{place}.on", f'no rule adds these goods to the counter "{counter.key}"; name the same goods in counter_add'


def apart(one: Selector, other: Selector) -> bool:
    """Whether two selectors surely share no goods: by their names, their exceptions, or their prices."""
    for here, there in ((one, other), (other, one)):
        if here.exclude is not None and takes_out_all(replace(there, exclude=here.exclude)):
            return True
        if here.price_from is not None and there.price_to is not None and here.price_from > there.price_to:
            return True
    return _named_apart(one, other)


def _named_apart(one: Selector, other: Selector) -> bool:
    """A line has one SKU, one brand and one category, and any number of tags: only names of one such kind exclude others."""
    if names_nothing(one) or names_nothing(other):
        return False
    kinds = {kind for kind in ("sku", "category", "brand", "tag") for each in (one, other) if getattr(each, kind) is not None}
    match tuple(kinds):
        case ("sku" | "brand" as kind,):
            return set(names_of(getattr(one, kind))).isdisjoint(names_of(getattr(other, kind)))
        case ("category",):
            return not _categories_meet(names_of(one.category), names_of(other.category))
        case _:
            return False


def _categories_meet(some: Sequence[str], others: Sequence[str]) -> bool:
    return any(_is_under(one, other) or _is_under(other, one) for one in some for other in others)


def _is_under(name: str, root: str) -> bool:
    return name == root or name.startswith(root + CATEGORY_SEPARATOR)
