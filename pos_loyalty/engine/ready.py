"""Rules made ready to be asked: conditions and effects know the numbers of their selectors, groups the number of their pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from pos_loyalty.engine import conditions
from pos_loyalty.engine.compatibility import NO_GROUP, stage_of
from pos_loyalty.engine.conditions import (
    BasketAmount,
    BasketQty,
    Budget,
    Condition,
    Contains,
    Counter,
    Coupon,
    History,
    Not,
    Term,
    Uses,
    When,
)
from pos_loyalty.engine.effects import (
    Act,
    Amount,
    AmountEach,
    Bundle,
    Effect,
    FixedPrice,
    Gift,
    GivePoints,
    Ladder,
    NForM,
    Percent,
    RedeemFor,
    RoundTotal,
)
from pos_loyalty.engine.gift_cards import GIFT_CARD, sold_by_sku
from pos_loyalty.engine.needs import needs_of
from pos_loyalty.engine.order_shares import Share, share_of
from pos_loyalty.engine.rules import FloorsTable, GiftCard, Limits, RoundingTable, Rule, Stage
from pos_loyalty.engine.selectors import ALL, Selector, sieve_of
from pos_loyalty.engine.zones import zone
from pos_loyalty.values import Value

ITEMS, CUSTOMERS, RECEIPT, LATER = range(4)
"""When a rule is asked whether it holds: with the pools of item offers, the other pools, the receipt, after the prices."""
TURNS: Mapping[Stage, int] = {
    "item": ITEMS, "customer": CUSTOMERS, "order": RECEIPT, "payment": LATER, "points": LATER, "act": LATER,
}  # fmt: skip
MONEY = (Percent, AmountEach, FixedPrice, Amount, NForM, Bundle, Gift, Ladder, RedeemFor, RoundTotal)


class ReadyRule(Value):
    """A rule made ready. ``pool`` numbers the rules that compete with it; pools act in the order of their numbers."""

    id: str
    stage: Stage
    group: str
    priority: int
    pool: int
    turn: int
    """Rules of stage customer that compete with item offers have their turn with these."""
    terms: tuple[Term, ...]
    money: tuple[Act, ...]
    shares: tuple[Share | None, ...]
    """Stage order: what each of ``money`` takes off before the rule's budget; None where a ladder says it."""
    points: tuple[Act, ...]
    later: tuple[Act, ...]
    """Effects that are neither money nor points."""
    limits: Limits | None
    budget: int | None
    pilot_bp: int | None
    control_bp: int | None
    needs_member: bool
    """Gives points only: there must be somebody to give them to."""
    has_gate: bool
    """Whether limits, a budget, a pilot or a control group are to be looked at."""
    has_allowance: bool
    """Whether it may only act so often, or for so much money."""
    is_plain: bool
    """Only percentages of whole lines: the best of them on a line needs no search."""
    counter: Term | None
    """The condition that limits the rule to every nth unit."""
    is_moving: bool
    """Whether what earlier stages left may change the answer of its conditions."""
    series: tuple[str, ...]
    """Coupon series that its conditions ask for."""
    suggests: bool
    act: str = ""


class Numbers:
    """Gives equal selectors one number and equal conditions one, in the order they are first met."""

    def __init__(self, exponent: int, floors: FloorsTable, rounding: RoundingTable, gift_cards: Sequence[GiftCard] = ()) -> None:
        self.exponent = exponent
        self.rounding = rounding
        self.restricted = {"alcohol": floors.alcohol.on, "tobacco": floors.tobacco.on}
        self.hidden = tuple(kind for kind in self.restricted if getattr(floors, kind).treat == "restricted")
        """Kinds that no condition sees, not even among what was bought before."""
        sold = tuple(sold_by_sku(gift_cards))
        if sold:
            self.restricted[GIFT_CARD] = Selector(sku=sold)
            self.hidden += (GIFT_CARD,)
        self.selectors: dict[Selector, int] = {}
        self.conditions: dict[tuple[Condition, str], int] = {}
        self.measured: set[int] = set()

    def of(self, selector: Selector) -> int:
        """The number of a selector."""
        return self.selectors.setdefault(selector, len(self.selectors))


def turns_of(rules: Sequence[Rule], pools: Mapping[str, int]) -> dict[str, int]:
    """Rule id to its turn."""
    item_pools = {pools[rule.id] for rule in rules if stage_of(rule) == "item"}
    return {rule.id: ITEMS if pools[rule.id] in item_pools else TURNS[stage_of(rule)] for rule in rules}


def ready_rule(rule: Rule, pool: int, turn: int, numbers: Numbers) -> ReadyRule:
    """Make one rule ready."""
    acts = [_act(effect, numbers) for effect in rule.then]
    numbers.measured.update(act.selector for act in acts if isinstance(act.effect, Ladder))
    terms = tuple(_term(condition, rule.id, numbers) for condition in rule.when)
    money = tuple(act for act in acts if isinstance(act.effect, MONEY))
    points = tuple(act for act in acts if isinstance(act.effect, GivePoints))
    has_budget = rule.budget is not None or any(_asks_budget(term) for term in terms)
    limits = rule.limits if rule.limits != Limits() else None
    return ReadyRule(
        id=rule.id,
        stage=stage_of(rule),
        group=rule.group or NO_GROUP,
        priority=rule.priority,
        pool=pool,
        turn=turn,
        terms=terms,
        money=money,
        shares=tuple(_share(act.effect, numbers.rounding) for act in money) if turn == RECEIPT else (),
        points=points,
        later=tuple(act for act in acts if not isinstance(act.effect, (*MONEY, GivePoints))),
        limits=limits,
        budget=rule.budget if rule.budget is not None else -1 if has_budget else None,
        pilot_bp=rule.pilot,
        control_bp=rule.control,
        needs_member=not money and len(points) == len(acts),
        has_gate=limits is not None or has_budget or rule.pilot is not None or rule.control is not None,
        has_allowance=limits is not None or has_budget or any(_counts_uses(term) for term in terms),
        is_plain=not has_budget and all(_is_plain(act.effect) for act in money) and _counter(terms) is None,
        counter=_counter(terms),
        is_moving=any(is_moving(condition) for condition in rule.when),
        series=tuple(sorted(_series(rule.when))),
        suggests=rule.suggest,
        act=rule.act or "",
    )


def _share(effect: Effect, rounding: RoundingTable) -> Share | None:
    return share_of(effect, 0, rounding) if isinstance(effect, Percent | Amount) else None


def _is_plain(effect: Effect) -> bool:
    return (
        isinstance(effect, Percent | AmountEach | FixedPrice)
        and effect.max_amount is None
        and effect.max_units is None
        and effect.max_units_per_line is None
    )


def is_moving(condition: Condition) -> bool:
    """Whether what earlier stages left may change the answer."""
    match condition:
        case Not(of=inner):
            return is_moving(inner)
        case conditions.All(of=parts) | conditions.Any(of=parts):
            return any(is_moving(part) for part in parts)
        case BasketAmount(base="running"):
            return True
        case Contains(goods=goods):
            return any(each.on.not_discounted or each.on.discounted for each in goods)
        case _:
            on = getattr(condition, "on", None)
            return isinstance(on, Selector) and (on.not_discounted or on.discounted)


def _counts_uses(term: Term) -> bool:
    return isinstance(term.condition, Uses) or any(_counts_uses(part) for part in term.parts)


def _series(parts: Sequence[Condition]) -> set[str]:
    """Series asked for; one that must not be there is not."""
    found: set[str] = set()
    for part in parts:
        match part:
            case Coupon(series=series):
                found.add(series)
            case conditions.All(of=of) | conditions.Any(of=of):
                found |= _series(of)
            case _:
                pass
    return found


def _asks_budget(term: Term) -> bool:
    return isinstance(term.condition, Budget) or any(_asks_budget(part) for part in term.parts)


def _counter(terms: Sequence[Term]) -> Term | None:
    return next((term for term in terms if isinstance(term.condition, Counter)), None)


def _act(effect: Effect, numbers: Numbers) -> Act:
    wanted: tuple[int, ...] = ()
    if isinstance(effect, Bundle):
        wanted = tuple(numbers.of(slot.on) for slot in effect.slots)
        return Act(effect=effect, selector=wanted[0], wanted=wanted)
    if isinstance(effect, Gift):
        wanted = tuple(numbers.of(slot.on) for slot in effect.buy)
    if isinstance(effect, RedeemFor):
        return Act(effect=effect, selector=numbers.of(effect.on if effect.on is not None else effect.off))
    return Act(effect=effect, selector=numbers.of(getattr(effect, "on", ALL)), wanted=wanted)


def _term(condition: Condition, rule: str, numbers: Numbers) -> Term:
    word = str(condition.__struct_config__.tag)
    mine = rule if _depends_on_rule(condition) else ""
    number = numbers.conditions.setdefault((condition, mine), len(numbers.conditions))
    term = Term(number=number, word=word, condition=condition, rule=mine, needs=needs_of(condition, numbers.exponent))
    match condition:
        case BasketAmount():
            selector = numbers.of(condition.on)
            numbers.measured.add(selector)
            return replace(term, selector=selector)
        case BasketQty() | Counter():
            return replace(term, selector=numbers.of(condition.on))
        case History():
            return replace(term, goods=sieve_of(condition.on, numbers.restricted, numbers.hidden))
        case Contains(goods=goods):
            return replace(term, selectors=tuple(numbers.of(each.on) for each in goods))
        case When(zone=str(name)):
            return replace(term, zone=zone(name))
        case Not(of=inner):
            return replace(term, parts=(_term(inner, rule, numbers),))
        case conditions.All(of=parts) | conditions.Any(of=parts):
            return replace(term, parts=tuple(_term(part, rule, numbers) for part in parts))
        case _:
            return term


def _depends_on_rule(condition: Condition) -> bool:
    """Whether the answer is another one for another rule, so that equal conditions are not one."""
    match condition:
        case Uses() | Budget():
            return True
        case Not(of=inner):
            return _depends_on_rule(inner)
        case conditions.All(of=parts) | conditions.Any(of=parts):
            return any(_depends_on_rule(part) for part in parts)
        case _:
            return False


def places_by_selector(rules: Sequence[ReadyRule]) -> dict[int, tuple[int, ...]]:
    """Selector number to the places of the rules that act on it."""
    places: dict[int, list[int]] = {}
    for place, rule in enumerate(rules):
        if rule.stage == "act":
            continue
        for selector in sorted(set(_selectors(rule))):
            places.setdefault(selector, []).append(place)
    return {selector: tuple(found) for selector, found in places.items()}


def _selectors(rule: ReadyRule) -> Iterator[int]:
    for act in (*rule.money, *rule.points, *rule.later):
        yield act.selector
        yield from act.wanted
