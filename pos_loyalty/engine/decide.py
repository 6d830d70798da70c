"""All that a quote decides, before its reasons are written down: which rules act, what comes off, what points pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.combine import best_price
from pos_loyalty.engine.coupons import Presented, present
from pos_loyalty.engine.gates import allowance_of, in_pilot
from pos_loyalty.engine.lacks_basket import counter_units
from pos_loyalty.engine.lines import CalcLine, Shelf, calc_lines, check_basket, check_member, room_of
from pos_loyalty.engine.model import Basket, Line, Member, State
from pos_loyalty.engine.packing import Effort, Solved
from pos_loyalty.engine.payment import Paid, pay
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.question import Allowance, Found, Question
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.redeem import Payable
from pos_loyalty.engine.selectors import found_by
from pos_loyalty.engine.shelf import Place
from pos_loyalty.engine.situation import Situation
from pos_loyalty.engine.spread import LineMoney, line_money
from pos_loyalty.engine.stages import Priced
from pos_loyalty.engine.zones import days_later, instant
from pos_loyalty.values import Value


class Asked(Value):
    """The arguments of a quote, with the instant in UTC."""

    basket: Basket
    member: Member | None
    programme: Programme
    state: State
    at: datetime
    effort: Effort
    """How much may be searched."""


class Weighed(Value):
    """What the rules came to, before points pay."""

    asked: Asked
    lines: tuple[Line, ...]
    """The basket's lines by line_id."""
    calc: tuple[CalcLine, ...]
    question: Question
    situation: Situation
    coupons: Presented
    shelf: Shelf
    candidates: Sequence[ReadyRule]
    """Rules whose goods are in the basket, by id."""
    priced: Priced


class Decision(Value):
    """What was decided. ``money`` stands in the order of the basket's lines sorted by line_id."""

    weighed: Weighed
    paid: Paid
    money: tuple[LineMoney, ...]

    @property
    def total_minor(self) -> int:
        """After all discounts, before points."""
        return sum([line.net_minor for line in self.money])


def decide(basket: Basket, member: Member | None, programme: Programme, state: State, now: datetime) -> Decision:
    """Decide about a basket at an instant. Raises InputError naming the place, and nothing else."""
    at = instant(now, "at")
    check_basket(basket, programme.currency)
    check_member(member)
    effort = Effort(applications=programme.search.applications, nodes=programme.search.nodes)
    asked = Asked(basket=basket, member=member, programme=programme, state=state, at=at, effort=effort)
    return settled(weigh(asked, {}))


def weigh(asked: Asked, before: Mapping[int, Solved]) -> Weighed:
    """Stages 1 to 6: price tags, rules, the cashier's hand, floors and caps. The arguments were looked through before.

    ``before``: by pool, what was found for a basket like this one.
    """
    basket, programme = asked.basket, asked.programme
    local = asked.at.astimezone(programme.zone)
    lines = tuple(sorted(basket.lines, key=_line_id))
    place = Place(store=basket.store, day=local.date(), has_member=asked.member is not None)
    shelf = Shelf(tags=programme.tags, floors=programme.floors, place=place)
    calc = calc_lines(lines, basket.manual, shelf)
    hidden = [number for number, each in enumerate(calc) if each.floor.is_hidden]
    found = found_by(programme.index, [each.line for each in calc], hidden)
    coupons = present(basket.coupons, programme.codes, asked.state.coupons, local.date())
    situation = _situation(asked, calc, found, coupons, local)
    candidates = _candidates(found, programme, asked.member)
    question = _question(candidates, situation, programme, before)
    return Weighed(
        asked=asked,
        lines=lines,
        calc=calc,
        question=question,
        situation=situation,
        coupons=coupons,
        shelf=shelf,
        candidates=candidates,
        priced=best_price(candidates, situation, question, asked.effort),
    )


def settled(weighed: Weighed) -> Decision:
    """Stage 7 and the fiscal form: points pay, and every minor unit stands on a line of the basket."""
    asked, calc, priced = weighed.asked, weighed.calc, weighed.priced
    goods = Payable(
        lines=calc,
        found=weighed.question.found,
        left_minor=priced.left_minor,
        rooms_minor=[room_of(line, left) for line, left in zip(calc, priced.left_minor, strict=True)],
        cap_minor=priced.cap.points_minor,
        budgets_minor={
            rule: each.money_minor for rule, each in weighed.question.allowances.items() if each.money_minor is not None
        },
    )
    rules = [rule for rule in priced.held if rule.stage == "payment"]
    paid = pay(rules, asked.basket, goods, (asked.member, asked.programme, asked.at))
    money = line_money(weighed.lines, calc, priced.offs + paid.offs, paid)
    return Decision(weighed=weighed, paid=paid, money=money)


def _line_id(line: Line) -> str:
    return line.line_id


def _with_plan(basket: Basket, member: Member | None, programme: Programme, at: datetime) -> Member | None:
    """A plan that holds at once counts in the sale that buys it."""
    if member is None or not programme.plans:
        return member
    days = [plan.days for line in basket.lines if (plan := programme.plans.get(line.sku)) is not None and plan.at_once]
    if not days:
        return member
    start = max(member.paid_until or at, at)
    return replace(member, paid_until=max(start, days_later(start, max(days), programme.zone)))


def _situation(asked: Asked, calc: tuple[CalcLine, ...], found: Found, coupons: Presented, local: datetime) -> Situation:
    programme = asked.programme
    list_minor = [each.list_minor for each in calc]
    measured = programme.measured
    return Situation(
        lines=calc,
        found=found,
        running_minor=list_minor,
        list_sums={s: sum([list_minor[i] for i in places]) for s, places in found.items() if s in measured},
        member=_with_plan(asked.basket, asked.member, programme, asked.at),
        basket=asked.basket,
        state=asked.state,
        coupons=coupons.by_series,
        local=local,
        tiers=programme.tiers,
        exponent=programme.exponent,
    )


def _candidates(found: Found, programme: Programme, member: Member | None) -> list[ReadyRule]:
    """Rules whose goods are in the basket, by id."""
    if programme.pilot is not None and not in_pilot(programme.pilot, programme.id, member):
        return []
    rules_of, rules = programme.rules_of, programme.rules
    places: set[int] = set()
    for selector in found:
        places.update(rules_of.get(selector, ()))
    return [rules[place] for place in sorted(places)]


def _question(
    candidates: Sequence[ReadyRule], situation: Situation, programme: Programme, before: Mapping[int, Solved]
) -> Question:
    allowances: Mapping[str, Allowance] = {
        rule.id: allowance_of(rule, situation.state) for rule in candidates if rule.has_allowance
    }
    return Question(
        lines=situation.lines,
        found=situation.found,
        programme=programme,
        choices=situation.basket.choices,
        has_hand=bool(situation.basket.manual),
        allowances=allowances,
        nths=nths_of(candidates, situation),
        before=before,
    )


def nths_of(rules: Sequence[ReadyRule], situation: Situation) -> dict[str, int]:
    """For rules limited to every nth unit: how many units of the receipt those are."""
    return {rule.id: counter_units(rule.counter, situation) for rule in rules if rule.counter is not None}
