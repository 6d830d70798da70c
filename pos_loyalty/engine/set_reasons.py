"""What is missing from a set, as a sentence: the goods by their place in it and, where the programme tells, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pos_loyalty.engine.conditions import Contains, Term, Wanted
from pos_loyalty.engine.effects import Bundle, Gift
from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.phrases import clause
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.saying import Language, all_listed, figure, listed, ordinal
from pos_loyalty.engine.selectors import Selector, names_of

NAMES_MAX = 3


def set_lacks(refusal: Refusal, programme: Programme, language: Language) -> str:
    """How many units of which goods are missing. Empty for a quantity of goods that have no name."""
    have, need = refusal.have, refusal.need
    counts, wanted = have.removeprefix("goods:").split("|"), need.removeprefix("goods:").split("|")
    is_list = need.startswith("goods:")
    is_whole = len(counts) == len(wanted) and all(count.isdecimal() for count in (*counts, *wanted))
    names = _names(refusal, wanted, programme, language) if is_whole else []
    if not is_list and names and names[0]:
        there, asked = figure(have, language), figure(need, language)
        return (
            f"нужно {asked} шт. ({names[0]}), в чеке {there}"
            if language == "ru"
            else f"needs {asked} ({names[0]}), the receipt has {there}"
        )
    if not is_list or not is_whole:
        return clause(need, programme, language) if refusal.condition == "contains" or is_list else ""
    return _all_missing(counts, wanted, names or [""] * len(wanted), language)


def _all_missing(counts: Sequence[str], wanted: Sequence[str], names: Sequence[str], language: Language) -> str:
    missing = [
        (at, int(one) - int(other), f" ({name})" if name else "")
        for at, (one, other, name) in enumerate(zip(wanted, counts, names, strict=True), start=1)
        if int(one) > int(other)
    ]
    if language == "ru":
        said = [f"{at}-го товара{name} — {count} шт." for at, count, name in missing]
        return f"в наборе не хватает: {all_listed(said, language)}"
    said = [f"{count} of the {ordinal(str(at), language)}{name}" for at, count, name in missing]
    return f"missing from the set: {all_listed(said, language)} goods"


def _names(refusal: Refusal, wanted: Sequence[str], programme: Programme, language: Language) -> list[str]:
    """What the goods of the set are called in the programme; nothing when the rule or the set is not there."""
    rule = next((rule for rule in programme.rules if rule.id == refusal.rule), None)
    if rule is None:
        return []
    for goods in _sets(rule, refusal.condition):
        if [str(each.count) for each in goods] == list(wanted):
            return [_named(each.on, language) for each in goods]
    return []


def _sets(rule: ReadyRule, condition: str) -> Iterator[tuple[Wanted, ...]]:
    if condition == "contains":
        yield from _contained(rule.terms)
        return
    for act in rule.money:
        if isinstance(act.effect, Bundle):
            yield act.effect.slots
        elif isinstance(act.effect, Gift):
            yield act.effect.buy


def _contained(terms: Iterable[Term]) -> Iterator[tuple[Wanted, ...]]:
    for term in terms:
        if isinstance(term.condition, Contains):
            yield term.condition.goods
        yield from _contained(term.parts)


def _named(on: Selector, language: Language) -> str:
    """Goods as the programme names them; empty when it names none, or too many to be said."""
    names = [name for each in (on.sku, on.category, on.brand, on.tag) for name in names_of(each)]
    return listed(names, language) if len(names) <= NAMES_MAX else ""
