"""What a programme may say and probably does not mean: rules that never act, names that nobody uses, discounts without words.

A doubt stops nothing: the programme sells as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from pos_loyalty.engine.checks import faults, parts_of, takes_money
from pos_loyalty.engine.combine import SCENARIOS_MAX
from pos_loyalty.engine.condition_checks import condition_warnings
from pos_loyalty.engine.conditions import BasketAmount, Counter, Coupon, MemberIs, When
from pos_loyalty.engine.effects import CounterAdd, GivePoints, IssueCoupon, Ladder, RedeemFor, Step, TierProgress
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.outdone import outdone
from pos_loyalty.engine.programme import faults_of_shape, load_programme, read_tables, text_of
from pos_loyalty.engine.rule_doubts import Whole, rule_doubts, whole_of
from pos_loyalty.engine.rules import ProgrammeText, Restricted, Rule
from pos_loyalty.engine.selectors import ALL, CATEGORY_SEPARATOR, Selector, has_control, names_nothing, names_of
from pos_loyalty.engine.table_checks import Fault
from pos_loyalty.engine.tier_checks import tier_doubts
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.values import BP_PER_UNIT, Value

_RULE = re.compile(r"rule\[([0-9]+)\]")
FAULTS_MAX = 100
"""More faults than this are not listed: the first ones are enough to begin with."""
DIGITS_MIN = 8
"""Of a unique code that nobody should guess at a till."""
EXCLUSIVE_MAX = 8
"""Pairs of groups of which one acts: each may double the choices, and a quote tries SCENARIOS_MAX."""


class Doubt(Value, gc=False):
    """A place in the file and a sentence about it."""

    place: str
    text: str
    rule: str | None = None
    """The id of the rule that the place is in."""


class Used(Value):
    """Names that the rules of a programme use, and what they have together."""

    series: frozenset[str]
    counters: frozenset[str]
    tiers: frozenset[str]
    groups: frozenset[str]
    asks_paid: bool
    whole: Whole


class Findings(Value):
    """All that is wrong with a programme file, or all that is doubtful. ``name``: in full, when nothing is wrong."""

    name: str | None
    faults: tuple[Doubt, ...] = ()
    warnings: tuple[Doubt, ...] = ()
    more_faults: int = 0
    """So many besides those that are listed."""


def looked_through(data: bytes) -> Findings:
    """Read a programme file for faults and doubts. What is not a programme at all has one fault: where reading stopped."""
    try:
        raw = read_tables(data)
    except ProgrammeError as error:
        return Findings(name=None, faults=(Doubt(place=error.place, text=error.message),))
    try:
        text = text_of(raw)
    except ProgrammeError as error:
        return _faulty(faults_of_shape(raw), raw) or _faulty([(error.place, error.message)], raw) or Findings(name=None)
    found = _faulty(faults(text), raw)
    if found is not None:
        return found
    doubts = _doubts(((each.place, each.text) for each in warnings_of(text)), raw)
    return Findings(name=load_programme(data).name, warnings=doubts)


def _faulty(found: Iterable[Fault], raw: Mapping[str, Any]) -> Findings | None:
    """None when nothing is wrong."""
    each = iter(found)
    listed = _doubts(islice(each, FAULTS_MAX), raw)
    return Findings(name=None, faults=listed, more_faults=sum(1 for _ in each)) if listed else None


def _doubts(found: Iterable[Fault], raw: Mapping[str, Any]) -> tuple[Doubt, ...]:
    """With the ids of the rules, so that nobody has to count."""
    return tuple(Doubt(place=place, text=sentence, rule=_rule_at(place, raw)) for place, sentence in found)


def _rule_at(place: str, raw: Mapping[str, Any]) -> str | None:
    match = _RULE.match(place)
    rules = raw.get("rule")
    if match is None or not isinstance(rules, list):
        return None
    table = rules[int(match.group(1))]
    name = table.get("id") if isinstance(table, dict) else None
    return name if isinstance(name, str) and not has_control(name) else None


def warnings_of(text: ProgrammeText) -> tuple[Doubt, ...]:
    """Every doubt about a programme without faults, table by table and then rule by rule."""
    known = Known(text)
    used = _used(text)
    rules = (_of_rule(at, text, known, used) for at in range(len(text.rule)))
    return tuple(chain(_of_tables(text, used), _of_points(text), chain.from_iterable(rules), _beaten(text)))


def _beaten(text: ProgrammeText) -> Iterator[Doubt]:
    for each in outdone(text):
        rule = text.rule[each.place].id
        yield Doubt(
            place=f"rule[{each.place}]", text=f'"{rule}" never acts: "{each.by}" holds whenever it does and takes no less off'
        )


def _used(text: ProgrammeText) -> Used:
    asked = [part for rule in text.rule for condition in rule.when for part in parts_of(condition)]
    order = [tier.id for tier in text.tier]
    tiers: set[str] = set()
    for each in asked:
        if isinstance(each, MemberIs):
            tiers.update(names_of(each.tier))
            tiers.update(order[order.index(each.tier_from) :] if each.tier_from in order else ())
    return Used(
        series=frozenset(each.series for each in asked if isinstance(each, Coupon)),
        counters=frozenset(each.key for each in asked if isinstance(each, Counter)),
        tiers=frozenset(tiers),
        groups=frozenset(rule.group for rule in text.rule if rule.group is not None),
        asks_paid=any(isinstance(each, MemberIs) and each.paid is not None for each in asked),
        whole=whole_of(text),
    )


def _of_tables(text: ProgrammeText, used: Used) -> Iterator[Doubt]:
    for number, tier in enumerate(text.tier):
        if number and tier.id not in used.tiers:  # everybody may stand on the lowest
            yield Doubt(place=f"tier[{number}]", text=f'no rule mentions the tier "{tier.id}"')
    yield from (Doubt(place=place, text=sentence) for place, sentence in tier_doubts(text))
    for number, series in enumerate(text.coupon):
        if series.id not in used.series:
            yield Doubt(place=f"coupon[{number}]", text=f'no rule asks for a coupon of "{series.id}"')
        if series.unique and series.digits is not None and series.digits < DIGITS_MIN:
            text_of_it = f"unique codes of {series.digits} digits are soon guessed; give {DIGITS_MIN} or more"
            yield Doubt(place=f"coupon[{number}].digits", text=text_of_it)
    yield from _of_exclusive(text)
    for number, group in enumerate(text.group):
        if group.id not in used.groups:
            yield Doubt(place=f"group[{number}]", text=f'no rule stands in the group "{group.id}"')
    for number, price_list in enumerate(text.price_list):
        if len(price_list.rows.strip().splitlines()) < 2:
            yield Doubt(place=f"price_list[{number}].rows", text="has no price")
    if text.plan and not used.asks_paid:
        yield Doubt(place="plan[0]", text="a membership is sold, but no rule asks for paid = true")


def _of_points(text: ProgrammeText) -> Iterator[Doubt]:
    gives = any(isinstance(effect, GivePoints) for rule in text.rule for effect in rule.then) or text.referral is not None
    spends = text.redeem is not None or any(isinstance(effect, RedeemFor) for rule in text.rule for effect in rule.then)
    if gives and not spends:
        yield Doubt(
            place="redeem", text="points are given, but nothing can be had for them: there is no [redeem] and no redeem_for"
        )
    if text.redeem is not None and not gives:
        yield Doubt(place="redeem", text="points pay, but no rule gives any")
    for number, rule in enumerate(text.rule):
        for place, effect in enumerate(rule.then):
            if isinstance(effect, TierProgress) and not text.tier:
                yield Doubt(place=f"rule[{number}].then[{place}]", text="counts towards a tier, and there are none")


def _of_exclusive(text: ProgrammeText) -> Iterator[Doubt]:
    pairs = {frozenset((one, other)) for one, row in text.compatibility.items() for other in row if row[other] == "exclusive"}
    if len(pairs) > EXCLUSIVE_MAX:
        sentence = f"{len(pairs)} exclusive pairs: the till tries {SCENARIOS_MAX} choices and may miss the best; make them fewer"
        yield Doubt(place="compatibility", text=sentence)


def _of_rule(at: int, text: ProgrammeText, known: Known, used: Used) -> Iterator[Doubt]:
    rule, place = text.rule[at], f"rule[{at}]"
    if not rule.title and any(takes_money(effect) for effect in rule.then):
        yield Doubt(place=f"{place}.title", text=f'takes money off without a title: the receipt will say "{rule.id}"')
    for number, condition in enumerate(rule.when):
        for where, sentence in condition_warnings(condition, f"{place}.when[{number}]", known):
            yield Doubt(place=where, text=sentence)
    for where, sentence in rule_doubts(rule, place, used.whole, known):
        yield Doubt(place=where, text=sentence)
    yield from _dates(rule, place, text)
    for number, effect in enumerate(rule.then):
        inside = f"{place}.then[{number}]"
        match effect:
            case IssueCoupon(series=series):
                yield from _issued(series, inside, text, used)
            case CounterAdd(key=key) if key not in used.counters:
                yield Doubt(place=f"{inside}.key", text=f'no rule asks for the counter "{key}"')
            case Ladder():
                yield from _steps(effect, rule, inside, known)
            case GivePoints():
                yield from _generous(effect, inside, text, known)
            case _:
                pass
        on = getattr(effect, "on", None)
        if isinstance(on, Selector) and _all_restricted(on, text):
            yield Doubt(
                place=f"{inside}.on", text="names only goods that the law restricts, so it never acts on them: see [floors]"
            )


def _generous(effect: GivePoints, place: str, text: ProgrammeText, known: Known) -> Iterator[Doubt]:
    """Rates by which the points are worth more than what was paid for them."""
    unit = int(10**known.exponent)
    value = unit if text.points.value is None else text.points.value
    rates = [(effect.rate, f"{place}.rate")]
    rates += [(step.rate, f"{place}.steps[{number}].rate") for number, step in enumerate(effect.steps)]
    for rate, where in rates:
        if rate is not None and rate * value > BP_PER_UNIT * unit:
            yield Doubt(place=where, text="is more than 100%: the points are worth more than what was paid")


def _issued(series: str, place: str, text: ProgrammeText, used: Used) -> Iterator[Doubt]:
    if series not in used.series:
        yield Doubt(place=f"{place}.series", text=f'issues coupons of "{series}", and no rule asks for one')
    if any(each.id == series and each.code is not None for each in text.coupon):
        yield Doubt(place=f"{place}.series", text=f'"{series}" has one code for all: whoever knows it needs no issued coupon')


def _dates(rule: Rule, place: str, text: ProgrammeText) -> Iterator[Doubt]:
    """A window of the rule and the dates of a coupon it asks for that never meet."""
    bounds = [(each.since, each.until) for each in rule.when if isinstance(each, When)]
    if not bounds:
        return
    asked = {each.series for each in rule.when if isinstance(each, Coupon)}
    for series in text.coupon if asked else ():
        if series.id not in asked:
            continue
        for since, until in bounds:
            too_late = since is not None and series.until is not None and since > series.until
            too_early = until is not None and series.since is not None and until < series.since
            if too_late or too_early:
                yield Doubt(place=f"{place}.when", text=f'the coupon "{series.id}" is never good in the window of the rule')
                return


def _steps(ladder: Ladder, rule: Rule, place: str, known: Known) -> Iterator[Doubt]:
    """Steps that cannot be reached, or that give less than the one before."""
    most = min(
        (
            each.max
            for each in rule.when
            if isinstance(each, BasketAmount) and each.max is not None and each.on in (ALL, ladder.on)
        ),
        default=None,
    )
    before = None
    for number, step in enumerate(ladder.steps):
        if most is not None and ladder.by == "basket" and step.from_ > most:
            text = f"cannot be reached: the rule holds up to {money_text(most, known.exponent)} only"
            yield Doubt(place=f"{place}.steps[{number}].from", text=text)
        if before is not None and _takes_less(step, before, ladder):
            word = "amount" if step.percent is None else "percent"
            yield Doubt(place=f"{place}.steps[{number}].{word}", text="is less than the step before gives")
        before = step


def _takes_less(step: Step, before: Step, ladder: Ladder) -> bool:
    """Whether a step takes less than the one before would, where it begins."""
    if step.percent is not None and before.percent is not None:
        return step.percent < before.percent
    if step.amount is not None and before.amount is not None:
        return step.amount < before.amount
    if ladder.by != "basket":
        return False
    base = step.from_ if ladder.max_base is None else min(step.from_, ladder.max_base)
    return _off(step, base) < _off(before, base)


def _off(step: Step, base_minor: int) -> int:
    """What a step takes off so much, in ten thousandths of a minor unit."""
    return step.percent * base_minor if step.percent is not None else (step.amount or 0) * BP_PER_UNIT


def _all_restricted(on: Selector, text: ProgrammeText) -> bool:
    """Whether all goods of a selector surely stand under a restriction that forbids discounts everywhere."""
    if names_nothing(on):
        return False
    for table in (text.floors.alcohol, text.floors.tobacco):
        if table.treat == "restricted" and table.only_in is None and table.on.exclude is None and _inside(on, table):
            return True
    return False


def _inside(on: Selector, table: Restricted) -> bool:
    roots = names_of(table.on.category)
    in_category = all(
        any(name == root or name.startswith(root + CATEGORY_SEPARATOR) for root in roots) for name in names_of(on.category)
    )
    pairs = ((on.sku, table.on.sku), (on.brand, table.on.brand), (on.tag, table.on.tag))
    return in_category and all(set(names_of(one)) <= set(names_of(other)) for one, other in pairs)
