"""A programme: the TOML that head office publishes, read strictly, checked, and made ready as one immutable value."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from pos_loyalty.engine import conditions
from pos_loyalty.engine.checks import faults
from pos_loyalty.engine.conditions import BasketAmount, BasketQty, Condition, Not, Term, When
from pos_loyalty.engine.coupons import Series
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.engine.effects import Act, GivePoints, Ladder
from pos_loyalty.engine.figures import reader
from pos_loyalty.engine.rules import PointsTable, ProgrammeText, RedeemTable, Rule, Stage
from pos_loyalty.engine.selectors import Selector, SelectorIndex, index_of
from pos_loyalty.engine.zones import tzdata_version, zone
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.values import Value

PROGRAMME_BYTES_MAX = 16 * 1024 * 1024


class ReadyRule(Value):
    """A rule made ready: its conditions and effects know the numbers of their selectors."""

    id: str
    stage: Stage
    priority: int
    terms: tuple[Term, ...]
    money: tuple[Act, ...]
    points: tuple[Act, ...]


class Programme(Value):
    """A published programme. ``name`` is ``id@version#sha256:…`` over the file's bytes and the version of the zone data."""

    name: str
    id: str
    version: int
    title: dict[str, str]
    currency: str
    exponent: int
    timezone: str
    zone: ZoneInfo
    points: PointsTable
    point_minor: int
    """What one point pays."""
    redeem: RedeemTable | None
    redeem_selector: int
    tiers: Mapping[str, int]
    tier_titles: dict[str, dict[str, str]]
    series: Mapping[str, Series]
    titles: dict[str, dict[str, str]]
    """Rule id to language to words."""
    rules: tuple[ReadyRule, ...]
    rules_of: Mapping[int, tuple[int, ...]]
    """Selector number to the places in ``rules`` of the rules that act on it."""
    measured: frozenset[int]
    """Numbers of the selectors whose money a condition or a ladder looks at."""
    index: SelectorIndex


def load_programme(data: bytes) -> Programme:
    """Read a programme file. Raises ProgrammeError naming the place of the first fault."""
    if len(data) > PROGRAMME_BYTES_MAX:
        raise ProgrammeError("programme", f"the file is larger than {PROGRAMME_BYTES_MAX // 1024 // 1024} MB")
    try:
        text = _read(data)
        fault = next(faults(text), None)
    except RecursionError as error:
        raise ProgrammeError("programme", "tables stand too deep inside one another") from error
    if fault is not None:
        raise ProgrammeError(*fault)
    return _ready(text, data)


def _read(data: bytes) -> ProgrammeText:
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        raise ProgrammeError("programme", f"is not TOML in UTF-8: {str(error)[:200]}") from error
    currency = raw.get("currency")
    exponent = EXPONENTS.get(currency, 2) if isinstance(currency, str) else 2
    try:
        return msgspec.convert(raw, ProgrammeText, dec_hook=reader(exponent))
    except msgspec.ValidationError as error:
        raise _fault_of(error) from error


def _fault_of(error: msgspec.ValidationError) -> ProgrammeError:
    message, _, where = str(error).rpartition(" - at `")
    place = where.rstrip("`").removeprefix("$").removeprefix(".") if message else ""
    message = message or str(error)
    if message.startswith("Invalid value "):
        message = f"{message.removeprefix('Invalid value ')} is not one of the words that may stand here"
    elif message.startswith("Invalid enum value "):
        message = f"{message.removeprefix('Invalid enum value ')} is not one of the words that may stand here"
    return ProgrammeError(place or "programme", re.sub("^Object ", "the table ", message))


class _Numbers:
    """Gives equal selectors one number and equal conditions one, in the order they are first met."""

    def __init__(self) -> None:
        self.selectors: dict[Selector, int] = {}
        self.conditions: dict[Condition, int] = {}
        self.measured: set[int] = set()

    def of(self, selector: Selector) -> int:
        return self.selectors.setdefault(selector, len(self.selectors))


def _ready(text: ProgrammeText, data: bytes) -> Programme:
    numbers = _Numbers()
    rules = tuple(_ready_rule(rule, numbers) for rule in sorted(text.rule, key=lambda rule: rule.id))
    redeem_selector = numbers.of(text.redeem.on) if text.redeem is not None else -1
    exponent = EXPONENTS[text.currency]
    digest = hashlib.sha256(data + b"\0tzdata " + tzdata_version().encode()).hexdigest()
    return Programme(
        name=f"{text.id}@{text.version}#sha256:{digest}",
        id=text.id,
        version=text.version,
        title=_words(text.title),
        currency=text.currency,
        exponent=exponent,
        timezone=text.timezone,
        zone=zone(text.timezone),
        points=text.points,
        point_minor=text.points.value if text.points.value is not None else 10**exponent,
        redeem=text.redeem,
        redeem_selector=redeem_selector,
        tiers={tier.id: rank for rank, tier in enumerate(text.tier)},
        tier_titles={tier.id: _words(tier.title) for tier in text.tier},
        series={series.id: series for series in text.coupon},
        titles={rule.id: _words(rule.title) for rule in text.rule},
        rules=rules,
        rules_of=_rules_of(rules),
        measured=frozenset(numbers.measured),
        index=index_of(tuple(numbers.selectors)),
    )


def _words(title: Mapping[Any, str]) -> dict[str, str]:
    return dict(title)


def _ready_rule(rule: Rule, numbers: _Numbers) -> ReadyRule:
    acts = [Act(effect=effect, selector=numbers.of(effect.on)) for effect in rule.then]
    numbers.measured.update(act.selector for act in acts if isinstance(act.effect, Ladder))
    return ReadyRule(
        id=rule.id,
        stage=rule.stage or "points",
        priority=rule.priority,
        terms=tuple(_term(condition, numbers) for condition in rule.when),
        money=tuple(act for act in acts if not isinstance(act.effect, GivePoints)),
        points=tuple(act for act in acts if isinstance(act.effect, GivePoints)),
    )


def _term(condition: Condition, numbers: _Numbers) -> Term:
    word = str(condition.__struct_config__.tag)
    number = numbers.conditions.setdefault(condition, len(numbers.conditions))
    match condition:
        case BasketAmount() | BasketQty():
            selector = numbers.of(condition.on)
            numbers.measured.add(selector)
            return Term(number=number, word=word, condition=condition, selector=selector)
        case When(zone=str(name)):
            return Term(number=number, word=word, condition=condition, zone=zone(name))
        case Not(of=inner):
            return Term(number=number, word=word, condition=condition, parts=(_term(inner, numbers),))
        case conditions.All(of=parts) | conditions.Any(of=parts):
            return Term(number=number, word=word, condition=condition, parts=tuple(_term(part, numbers) for part in parts))
        case _:
            return Term(number=number, word=word, condition=condition)


def _rules_of(rules: Sequence[ReadyRule]) -> dict[int, tuple[int, ...]]:
    places: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        for selector in sorted({act.selector for act in rule.money + rule.points}):
            places.setdefault(selector, []).append(place)
    return {selector: tuple(found) for selector, found in places.items()}
