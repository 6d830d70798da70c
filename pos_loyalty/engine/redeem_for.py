"""Stage 7, before points pay: points that buy a thing. A thing is bought when the basket's choices name its rule.

A unit of goods becomes free down to its floor, a sum or a share comes off matching lines, or a coupon or a privilege is issued.
What comes off stands as adjustments of the rule, so that total = gross − adjustments; the points used stand in the redemption.
Goods and sums are bought as often as the rule, the points and the basket allow; a share, a coupon or a privilege once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import field
from msgspec.structs import replace

from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.effects import Act, RedeemFor
from pos_loyalty.engine.figures import money_text, points_text
from pos_loyalty.engine.issue import coupon_issue, privilege_issue
from pos_loyalty.engine.model import Issue, Refusal
from pos_loyalty.engine.money import allocate, half_up, split_evenly, whole_in
from pos_loyalty.engine.needs import token
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.redeem import Payable, Purse, Things, taken_from
from pos_loyalty.engine.returnable import PointsFor
from pos_loyalty.values import BP_PER_UNIT, Minor, Points, Value

CHOICE, CAP, BUDGET = "choice", "cap", "budget"


class Bought(Value):
    """What one rule sells: how often, and what comes off which places. ``times`` 0: nothing, for the reason given."""

    times: int = 0
    offs: Mapping[int, int] = field(default_factory=dict)
    condition: str = ""
    have: str = ""
    need: str = ""


def redeem_for(
    rules: Sequence[ReadyRule], choices: Mapping[str, str], goods: Payable, purse: Purse, programme: Programme, at: datetime
) -> Things:
    """Buy what was chosen, rule by rule in the order given. ``rules`` hold; those without ``redeem_for`` are passed over."""
    done = Things(goods=goods, purse=purse)
    for rule in rules:
        for act in rule.money:
            if isinstance(act.effect, RedeemFor):
                done = _with(done, rule, act, choices.get(rule.id), programme, at)
    return done


def _with(done: Things, rule: ReadyRule, act: Act, choice: str | None, programme: Programme, at: datetime) -> Things:
    effect = act.effect
    assert isinstance(effect, RedeemFor)
    bought = _within_budget(rule.id, effect, act.selector, choice, done, programme.exponent)
    if not bought.times:
        refusal = Refusal(rule=rule.id, condition=bought.condition, have=bought.have, need=bought.need)
        return replace(done, refusals=(*done.refusals, refusal))
    centi = effect.points * bought.times
    uses, purse = taken_from(done.purse, centi)
    off_minor = sum(bought.offs.values())
    issues = _issues(rule.id, effect, programme, at)
    return replace(
        done,
        goods=_less(done.goods, bought.offs),
        purse=purse,
        offs=done.offs + tuple([Off(place=place, rule=rule.id, off_minor=off) for place, off in sorted(bought.offs.items())]),
        things=(*done.things, PointsFor(rule=rule.id, times=bought.times, centi=Points(centi), off_minor=Minor(off_minor))),
        lots=done.lots + uses,
        issues=done.issues + issues,
        privileges=done.privileges + ((effect.privilege,) if effect.privilege is not None else ()),
    )


def _within_budget(rule: str, effect: RedeemFor, selector: int, choice: str | None, done: Things, exponent: int) -> Bought:
    """What the rule sells while its budget lasts, which is a cap of its own."""
    budget, cap = done.goods.budgets_minor.get(rule), done.goods.cap_minor
    if budget is None or (cap is not None and cap <= budget):
        return _bought(effect, selector, choice, done, exponent)
    tight = replace(done, goods=replace(done.goods, cap_minor=budget))
    bought = _bought(effect, selector, choice, tight, exponent)
    return replace(bought, condition=BUDGET) if bought.condition == CAP else bought


def _bought(effect: RedeemFor, selector: int, choice: str | None, done: Things, exponent: int) -> Bought:
    need = points_text(effect.points)
    if choice is None:
        return Bought(condition=CHOICE, have="none", need=need)
    if done.purse.have:
        return Bought(condition=done.purse.by, have=done.purse.have, need=done.purse.need)
    times = min(effect.max_times, whole_in(done.purse.centi, effect.points))
    if not times:
        return Bought(condition="points", have=points_text(done.purse.centi), need=need)
    if effect.on is not None:
        place = _place_of(choice, selector, done.goods)
        if place is None:
            return Bought(condition=CHOICE, have=token("line", choice), need="goods")
        return _units(place, min(times, _units_of(choice, place, done.goods)), done.goods, exponent)
    if effect.amount is not None:
        return _amounts(effect.amount, selector, times, done.goods, exponent)
    if effect.percent is not None:
        return _share(effect.percent, selector, done.goods, exponent)
    return Bought(times=1)


def _place_of(choice: str, selector: int, goods: Payable) -> int | None:
    """The calculation line that holds the chosen one, when it is among the goods of the rule."""
    return next((place for place in goods.found.get(selector, ()) if choice in goods.lines[place].line_ids), None)


def _units_of(choice: str, place: int, goods: Payable) -> int:
    """How many units the chosen line has of the equal ones that were joined with it."""
    line = goods.lines[place]
    if len(line.line_ids) == 1 or not line.line.price_minor:
        return line.units
    return whole_in(line.grosses[line.line_ids.index(choice)], line.line.price_minor)


def _units(place: int, times: int, goods: Payable, exponent: int) -> Bought:
    """Units of the chosen line, the dearer ones where they differ by a minor unit."""
    room = goods.rooms_minor[place]
    each, dearer = split_evenly(room, goods.lines[place].units)
    highest = each + 1 if dearer else each
    if not highest:
        return _no_room(goods.left_minor[place], room, 1, goods, exponent)
    times = min(times, goods.lines[place].units if each else dearer)
    if goods.cap_minor is not None:
        times = min(times, whole_in(goods.cap_minor, highest))
    if not times:
        return _no_room(goods.left_minor[place], room, highest, goods, exponent)
    return Bought(times=times, offs={place: each * times + min(times, dearer)})


def _amounts(amount_minor: int, selector: int, times: int, goods: Payable, exponent: int) -> Bought:
    """Whole sums only: points are not given for less than they buy."""
    places = goods.found.get(selector, ())
    left, rooms = [goods.left_minor[i] for i in places], [goods.rooms_minor[i] for i in places]
    times = min(times, whole_in(_within_cap(sum(rooms), goods), amount_minor))
    if not times:
        return _no_room(sum(left), sum(rooms), amount_minor, goods, exponent)
    return _spread(times, allocate(left, amount_minor * times, rooms), places)


def _share(rate_bp: int, selector: int, goods: Payable, exponent: int) -> Bought:
    """A share, rounded half up once, capped line by line."""
    places = goods.found.get(selector, ())
    rooms = [goods.rooms_minor[i] for i in places]
    exact = [min(goods.left_minor[i] * rate_bp, room * BP_PER_UNIT) for i, room in zip(places, rooms, strict=True)]
    off = _within_cap(half_up(sum(exact), BP_PER_UNIT), goods)
    if not off:
        return _no_room(sum([goods.left_minor[i] for i in places]), sum(rooms), 1, goods, exponent)
    return _spread(1, allocate(exact, off, rooms), places)


def _spread(times: int, parts: Sequence[int], places: Sequence[int]) -> Bought:
    return Bought(times=times, offs={place: part for place, part in zip(places, parts, strict=True) if part})


def _within_cap(off_minor: int, goods: Payable) -> int:
    return off_minor if goods.cap_minor is None else min(off_minor, goods.cap_minor)


def _no_room(left_minor: int, room_minor: int, need_minor: int, goods: Payable, exponent: int) -> Bought:
    """What keeps it from coming off: there is too little money, a floor, or the cap of the receipt."""
    need = money_text(need_minor, exponent)
    if left_minor < need_minor:
        return Bought(condition="nothing_left", have=money_text(left_minor, exponent), need=need)
    if room_minor < need_minor:
        return Bought(condition="floor", have=money_text(room_minor, exponent), need=need)
    return Bought(condition=CAP, have=money_text(_within_cap(room_minor, goods), exponent), need=need)


def _less(goods: Payable, offs: Mapping[int, int]) -> Payable:
    left, rooms = list(goods.left_minor), list(goods.rooms_minor)
    for place, off in offs.items():
        left[place] -= off
        rooms[place] -= off
    cap = None if goods.cap_minor is None else goods.cap_minor - sum(offs.values())
    return replace(goods, left_minor=left, rooms_minor=rooms, cap_minor=cap)


def _issues(rule: str, effect: RedeemFor, programme: Programme, at: datetime) -> tuple[Issue, ...]:
    if effect.coupon is not None:
        return (coupon_issue(rule, effect.coupon, count=1, days=(0, effect.days), programme=programme, at=at),)
    if effect.privilege is not None and effect.days is not None:
        return (privilege_issue(rule, effect.privilege, effect.days, programme, at),)
    return ()
