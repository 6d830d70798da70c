"""From the roles of an offer's units back to its applications, and from applications to what is taken, limits included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from pos_loyalty.engine.applications import (
    Application,
    Counts,
    application_of,
    basket_option,
    counted,
    merged,
    set_of,
    shares_of,
    tallied,
    unit_of,
)
from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf, Slot, Taken
from pos_loyalty.engine.steps import GIFT, REWARDED, SetsApart, Steps, WithinMoney

Roles = Sequence[tuple[int, int]]
"""(kind, role) of each unit that an offer uses, from the dearest to the cheapest."""


def regroup(kinds: Sequence[Kind], offer: Offer, steps: Steps[Any], roles: Roles) -> list[tuple[Application, int]]:
    """The applications, and how often each, that units in these roles of these steps make, in no order of value."""
    if isinstance(offer.shape, NOfGroup) and offer.shape.is_basket:
        return basket_groups(kinds, offer, roles[0][1])
    return [(one, 1) for one in _applications(kinds, offer, steps, roles)]


def _applications(kinds: Sequence[Kind], offer: Offer, steps: Steps[Any], roles: Roles) -> list[Application]:
    match offer.shape:
        case EachUnit(values=values):
            worth = dict(values)
            return [unit_of(kind, worth[kind]) for kind, _ in roles]
        case NOfGroup() as shape:
            offs = shares_of(kinds, [kind for kind, _ in roles], shape.rate_bp)
            return [application_of(offs, *group) for group in _groups(kinds, shape, roles)]
        case SetOf() as shape:
            apart = steps.steps if isinstance(steps, WithinMoney) else steps
            sets = apart.sets(roles) if isinstance(apart, SetsApart) else _alike(merged(shape.slots), roles)
            return [set_of(kinds, shape, counted(units)) for units in sets]
        case GiftOf() as shape:
            offs = shares_of(kinds, [kind for kind, _ in roles], shape.rate_bp)
            return [application_of(offs, *group) for group in _gift_groups(shape, roles)]
        case _:
            assert_never(offer.shape)


def basket_groups(kinds: Sequence[Kind], offer: Offer, groups: int) -> list[tuple[Application, int]]:
    """The groups of one basket option, (application, times); as one application where a group by itself would be worth nothing.

    All units of an option are claimed, whatever single groups are worth.
    """
    shape = offer.shape
    assert isinstance(shape, NOfGroup)
    option = basket_option(kinds, shape, groups)
    offs = shares_of(kinds, [kind for kind, _ in option[0]], shape.rate_bp)
    whole = application_of(offs, *option)
    if not all(offs.values()) or (offer.money is not None and whole.value > offer.money):
        return [(whole, 1)]
    rewarded, others = (list(counts) for counts in option)
    pay = shape.n - shape.k
    found = []
    while groups:
        often = max(1, min(rewarded[0][1] // shape.k, others[0][1] // pay if pay else groups, groups))
        gifts, paid = _first(rewarded, shape.k, often), _first(others, pay, often)
        found.append((application_of(offs, counted(gifts), counted(paid)), often))
        groups -= often
    return found


def _first(runs: list[tuple[int, int]], units: int, often: int) -> list[tuple[int, int]]:
    """Take so many units off the front, so many times if they are alike; what one time takes."""
    taken = []
    missing = units
    while missing:
        kind, count = runs[0]
        if count >= missing * often:
            taken.append((kind, missing))
            runs[0] = (kind, count - missing * often)
            missing = 0
        else:
            taken.append((kind, count))
            missing -= count
            runs[0] = (kind, 0)
        if not runs[0][1]:
            runs.pop(0)
    return taken


def _groups(kinds: Sequence[Kind], shape: NOfGroup, roles: Roles) -> list[tuple[Counts, Counts]]:
    """(rewarded, others) of each group, in the order in which steps.py begins them."""
    pay, k = shape.n - shape.k, shape.k
    if any(role for _, role in roles):
        rewarded, paid = ([kind for kind, role in roles if (role == REWARDED) is wanted] for wanted in (True, False))
        runs = _runs(roles, pay, k) if shape.is_dearest else _even_runs(len(rewarded), k)
    else:
        rewarded, paid = [], []
        for i, (kind, _) in enumerate(roles):
            (paid if i % shape.n < pay else rewarded).append(kind)
        runs = _even_runs(len(rewarded), k)
    groups, at = [], 0
    for i, run in enumerate(runs):
        if run:
            groups.append((tallied(rewarded[at : at + run]), tallied(paid[i * pay : (i + 1) * pay])))
            at += run
    return groups


def _even_runs(rewarded: int, k: int) -> list[int]:
    return [k] * (rewarded // k) + [rewarded % k]


def _runs(roles: Roles, pay: int, k: int) -> list[int]:
    """How many rewarded units each group of a dearest shape has."""
    runs: list[int] = []
    owed = open_ = 0
    for _, role in roles:
        if role != REWARDED:
            open_ = open_ if owed > pay else 0
            owed -= 1
        elif open_:
            runs[-1] += 1
            open_ -= 1
        else:
            runs.append(1)
            owed, open_ = owed + pay, k - 1
    return runs


def _alike(slots: Sequence[Slot], roles: Roles) -> list[Counts]:
    """Sets whose sum does not depend on how they are put together: the first units of every slot, the next ones, and so on."""
    held: list[list[int]] = [[] for _ in slots]
    for kind, role in roles:
        held[role].append(kind)
    sets = len(held[0]) // slots[0].count
    return [
        tallied([kind for slot, units in zip(slots, held, strict=True) for kind in units[i * slot.count :][: slot.count]])
        for i in range(sets)
    ]


def _gift_groups(shape: GiftOf, roles: Roles) -> list[tuple[Counts, Counts]]:
    gifts = [kind for kind, role in roles if role == GIFT]
    buy = merged(shape.buy)
    bought: list[list[int]] = [[] for _ in buy]
    for kind, role in roles:
        if role != GIFT:
            bought[role].append(kind)
    groups = []
    for i in range(-(-len(gifts) // shape.qty)):
        goods = [kind for slot, units in zip(buy, bought, strict=True) for kind in units[i * slot.count :][: slot.count]]
        groups.append((tallied(gifts[i * shape.qty :][: shape.qty]), tallied(goods)))
    return groups


def taken_of(offer: Offer, number: int, applications: Iterable[tuple[Application, int]]) -> list[Taken]:
    """What is taken of (application, times), the most valuable first, within the money of the offer."""
    times: dict[Application, int] = {}
    for application, often in applications:
        if application.value > 0:
            times[application] = times.get(application, 0) + often
    left = offer.money
    taken = []
    for one in sorted(times, key=lambda one: (-one.value, one.claimed, one.parts)):
        often = times[one]
        if left is not None:
            often = min(often, left // one.value if offer.is_whole else -(-left // one.value))
        if often > 0:
            value = one.value * often if left is None else min(one.value * often, left)
            taken.append(Taken(offer=number, times=often, claimed=one.claimed, parts=one.parts, value=value))
            left = left if left is None else left - value
    return taken
