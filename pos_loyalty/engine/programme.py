"""A programme: the TOML that head office publishes, read strictly, checked, and made ready as one immutable value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from pos_loyalty.engine.checks import faults, size_fault
from pos_loyalty.engine.compatibility import Compatibility, compatibility_of, pools_of
from pos_loyalty.engine.coupons import Codes, Series, codes_of
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.engine.effects import TierProgress
from pos_loyalty.engine.figures import reader
from pos_loyalty.engine.floors import ReadyFloors, floors_of
from pos_loyalty.engine.ready import Numbers, ReadyRule, places_by_selector, ready_rule, turns_of
from pos_loyalty.engine.returnable import Earning
from pos_loyalty.engine.rules import (
    CapsTable,
    GiftCard,
    GiftCardsTable,
    HintsTable,
    Pilot,
    Plan,
    PointsTable,
    ProgrammeText,
    RedeemTable,
    Referral,
    ReturnsTable,
    RoundingTable,
    SearchTable,
)
from pos_loyalty.engine.selectors import Selector, SelectorIndex, index_of
from pos_loyalty.engine.shelf import Tag, tags_of
from pos_loyalty.engine.table_checks import Fault
from pos_loyalty.engine.tier_rules import TierRules, tier_rules
from pos_loyalty.engine.toml_text import tables_of
from pos_loyalty.engine.zones import tzdata_version, zone
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.values import Minor, Points, Value, prepare

PROGRAMME_BYTES_MAX = 16 * 1024 * 1024
TOO_DEEP = "tables stand too deep inside one another"


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
    pilot: Pilot | None
    points: PointsTable
    point_minor: int
    """What one point pays."""
    earning: Earning
    """How points are counted on a receipt without limits and fixed points."""
    points_selector: int
    redeem: RedeemTable | None
    redeem_selector: int
    rounding: RoundingTable
    search: SearchTable
    hints: HintsTable
    floors: ReadyFloors
    caps: CapsTable
    tags: Mapping[str, tuple[Tag, ...]]
    """SKU to its price tags."""
    referral: Referral | None
    returns: ReturnsTable
    plans: Mapping[str, Plan]
    """By the SKU that sells them."""
    gift_cards: GiftCardsTable
    gift_series: Mapping[str, GiftCard]
    """By id."""
    compatibility: Compatibility
    tiers: Mapping[str, int]
    tier_titles: dict[str, dict[str, str]]
    tier_rules: TierRules | None
    """How members move between tiers; None when only persons move them."""
    series: Mapping[str, Series]
    codes: Codes
    """What the series' codes look like."""
    titles: dict[str, dict[str, str]]
    """Rule id to language to words."""
    funded_by: Mapping[str, str]
    """Rule id to the partner who pays for it."""
    rules: tuple[ReadyRule, ...]
    rules_of: Mapping[int, tuple[int, ...]]
    """Selector number to the places in ``rules`` of the rules that act on it."""
    measured: frozenset[int]
    """Numbers of the selectors whose money a condition or a ladder looks at."""
    selectors: tuple[Selector, ...]
    """By number."""
    suggesting: tuple[ReadyRule, ...]
    """Rules that ask to be suggested when only their goods are missing."""
    has_running: bool
    """Whether a condition looks at what earlier stages left."""
    has_tier_rules: bool
    """Whether rules say what counts towards the tier."""
    has_dynamic: bool
    """Whether a selector asks if units were discounted before."""
    index: SelectorIndex


def load_programme(data: bytes) -> Programme:
    """Read a programme file. Raises ProgrammeError naming the place of the first fault."""
    text = read_text(data)
    fault = next(faults(text), None)
    if fault is not None:
        raise ProgrammeError(*fault)
    return _ready(text, data)


def read_text(data: bytes) -> ProgrammeText:
    """The words of a programme file. Raises ProgrammeError for what is not one; faults() finds what is wrong with the words."""
    return text_of(read_tables(data))


def read_tables(data: bytes) -> dict[str, Any]:
    """The tables of a programme file. Raises ProgrammeError for what is too large, or not TOML."""
    if len(data) > PROGRAMME_BYTES_MAX:
        raise ProgrammeError("programme", f"the file is larger than {PROGRAMME_BYTES_MAX // 1024 // 1024} MB")
    fault = size_fault(data)
    if fault is not None:
        raise ProgrammeError(*fault)
    try:
        return tables_of(data)
    except ValueError as error:
        raise ProgrammeError("programme", str(error)) from error
    except RecursionError as error:
        raise ProgrammeError("programme", TOO_DEEP) from error


def text_of(raw: Mapping[str, Any]) -> ProgrammeText:
    """Tables as the words of a programme. Raises ProgrammeError with the first fault of their shape."""
    try:
        prepare(ProgrammeText)
        return msgspec.convert(raw, ProgrammeText, dec_hook=_reader_of(raw))
    except RecursionError as error:
        raise ProgrammeError("programme", TOO_DEEP) from error
    except msgspec.ValidationError as error:
        fault = next(faults_of_shape(raw), ("programme", str(error)))
        raise ProgrammeError(*fault) from error


def faults_of_shape(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Every fault for which the tables could not be read as words."""
    from pos_loyalty.engine.shapes import shape_faults  # a sound file needs none of it

    return shape_faults(raw, _reader_of(raw))


def _reader_of(raw: Mapping[str, Any]) -> Callable[[type[Any], object], object]:
    currency = raw.get("currency")
    return reader(EXPONENTS.get(currency, 2) if isinstance(currency, str) else 2)


def _ready(text: ProgrammeText, data: bytes) -> Programme:
    numbers = Numbers(EXPONENTS[text.currency], text.floors, text.rounding, text.gift_card)
    compatibility = compatibility_of(text.compatibility, (group.id for group in text.group if group.force), text.rule)
    pools = pools_of(text.rule, compatibility.relations)
    turns = turns_of(text.rule, pools)
    in_order = sorted(text.rule, key=lambda rule: rule.id)
    rules = tuple(ready_rule(rule, pools[rule.id], turns[rule.id], numbers) for rule in in_order)
    redeem_selector = numbers.of(text.redeem.on) if text.redeem is not None else -1
    points_selector = numbers.of(text.points.on)
    exponent = EXPONENTS[text.currency]
    point_minor = text.points.value if text.points.value is not None else int(10**exponent)
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
        pilot=text.pilot,
        points=text.points,
        point_minor=point_minor,
        earning=_earning(text.points, exponent, point_minor),
        points_selector=points_selector,
        redeem=text.redeem,
        redeem_selector=redeem_selector,
        rounding=text.rounding,
        search=text.search,
        hints=text.hints,
        floors=floors_of(text.floors, text.gift_card),
        caps=text.caps,
        tags=tags_of(text.price_list, exponent),
        referral=text.referral,
        returns=text.returns,
        plans={plan.sku: plan for plan in text.plan},
        gift_cards=text.gift_cards,
        gift_series={each.id: each for each in text.gift_card},
        compatibility=compatibility,
        tiers={tier.id: rank for rank, tier in enumerate(text.tier)},
        tier_titles={tier.id: _words(tier.title) for tier in text.tier},
        tier_rules=tier_rules(text),
        series={series.id: series for series in text.coupon},
        codes=codes_of({series.id: series for series in text.coupon}),
        titles=_titles(text),
        funded_by={rule.id: rule.funded_by for rule in text.rule if rule.funded_by is not None},
        rules=rules,
        rules_of=places_by_selector(rules),
        measured=frozenset(numbers.measured),
        selectors=tuple(numbers.selectors),
        suggesting=tuple(rule for rule in rules if rule.suggests and rule.money),
        has_running=any(rule.is_moving for rule in rules),
        has_tier_rules=any(isinstance(act.effect, TierProgress) for rule in rules for act in rule.later),
        has_dynamic=any(on.not_discounted or on.discounted for on in numbers.selectors),
        index=index_of(tuple(numbers.selectors), numbers.restricted),
    )


def _earning(table: PointsTable, exponent: int, point_minor: int) -> Earning:
    return Earning(
        exponent=exponent,
        step_centi=Points(int(table.step)),
        round=table.round,
        take_back=table.take_back,
        owed=table.owed,
        point_minor=Minor(int(point_minor)),
    )


def _titles(text: ProgrammeText) -> dict[str, dict[str, str]]:
    titles = {rule.id: _words(rule.title) for rule in text.rule}
    titles |= {price_list.id: _words(price_list.title) for price_list in text.price_list}
    return titles | {plan.id: _words(plan.title) for plan in text.plan}


def _words(title: Mapping[Any, str]) -> dict[str, str]:
    return dict(title)
