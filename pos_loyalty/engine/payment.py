"""Stage 7: things bought with points, points that pay, and the due rounded to a whole step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.effects import RoundTotal
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.model import Basket, Issue, Member, Redemption, Refusal, Tender
from pos_loyalty.engine.money import NOTHING_MINOR, allocate, rest_in
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.redeem import Payable, Redeemed, Things, purse_of, redeem
from pos_loyalty.engine.redeem_for import redeem_for
from pos_loyalty.engine.selectors import names_of
from pos_loyalty.values import Minor, Points, Value

NO_REDEMPTION = Redemption(centi=Points(0), off_minor=Minor(0), max_centi=Points(0))


class Paid(Value):
    """What stage 7 decided. ``parts``: what points pay of each calculation line; ``offs``: what came off by rules of the stage.

    ``fall_max_minor``: so much the fiscal form may still take off the due; None when nothing bounds it. With ``tenders`` points
    stand as a tender and the lines keep their price.
    """

    offs: tuple[Off, ...]
    parts: tuple[Minor, ...]
    redemption: Redemption
    tenders: tuple[Tender, ...]
    issues: tuple[Issue, ...]
    privileges: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    acting: frozenset[str]
    fall_max_minor: int | None


class Rounded(Value):
    """The due on its way to a whole step. ``is_whole``: it is on one, and has to stay there."""

    offs: tuple[Off, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    is_whole: bool = False


def pay(rules: Sequence[ReadyRule], basket: Basket, goods: Payable, who: tuple[Member | None, Programme, datetime]) -> Paid:
    """Redeem and round. ``rules`` hold and are of stage payment; ``who``: the member, the programme and the instant."""
    member, programme, at = who
    if not rules and (member is None or programme.redeem is None) and basket.redeem is None:
        return _nothing_paid(len(goods.lines))
    purse = purse_of(member, programme, at)
    buying = [rule for rule in rules if not any(isinstance(act.effect, RoundTotal) for act in rule.money)]
    things = redeem_for(buying, basket.choices, goods, purse, programme, at) if buying else Things(goods=goods, purse=purse)
    redeemed = redeem(basket.redeem, programme, things)
    due = sum(things.goods.left_minor) - redeemed.redemption.off_minor
    spare = due - programme.redeem.minimum_money if programme.redeem is not None and redeemed.redemption.off_minor else None
    rounding = [rule for rule in rules if rule not in buying]
    rounded = _rounded(rounding, basket, things.goods, redeemed, spare, programme.exponent) if rounding else Rounded()
    return Paid(
        offs=things.offs + rounded.offs,
        parts=redeemed.parts,
        redemption=redeemed.redemption,
        tenders=redeemed.tenders,
        issues=things.issues,
        privileges=things.privileges,
        refusals=things.refusals + redeemed.refusals + rounded.refusals,
        acting=frozenset([thing.rule for thing in things.things]) | frozenset([off.rule for off in rounded.offs]),
        fall_max_minor=0 if rounded.is_whole else spare,
    )


def _nothing_paid(size: int) -> Paid:
    """Nobody redeems and nothing is rounded."""
    return Paid(
        offs=(),
        parts=(NOTHING_MINOR,) * size,
        redemption=NO_REDEMPTION,
        tenders=(),
        issues=(),
        privileges=(),
        refusals=(),
        acting=frozenset(),
        fall_max_minor=None,
    )


def _rounded(
    rules: Sequence[ReadyRule], basket: Basket, goods: Payable, redeemed: Redeemed, spare_minor: int | None, exponent: int
) -> Rounded:
    """The first rule by priority whose tenders are planned lets the due fall to its step; the others have nothing left.

    ``spare_minor``: what the due has above the least money, when points pay.
    """
    refusals: list[Refusal] = []
    is_whole = False
    paid = [each - part for each, part in zip(goods.left_minor, redeemed.parts, strict=True)]
    for rule in sorted(rules, key=lambda each: (-each.priority, each.id)):
        effect = rule.money[0].effect
        assert isinstance(effect, RoundTotal)
        lack = _tender_lack(rule.id, names_of(effect.tenders), basket)
        if lack is not None:
            refusals.append(lack)
            continue
        excess = rest_in(sum(paid), effect.step)
        rooms = _fall_rooms(paid, goods, redeemed)
        word, may = _most(rule.id, sum(rooms), goods, redeemed, spare_minor)
        if excess and may >= excess:
            parts = allocate(paid, excess, rooms)
            offs = tuple([Off(place=place, rule=rule.id, off_minor=part) for place, part in enumerate(parts) if part])
            return Rounded(offs=offs, refusals=tuple(refusals), is_whole=True)
        is_whole = is_whole or not excess
        have, need = money_text(max(0, may), exponent), money_text(excess or 1, exponent)
        refusals.append(Refusal(rule=rule.id, condition=word if excess else "nothing_left", have=have, need=need))
    return Rounded(refusals=tuple(refusals), is_whole=is_whole)


def _tender_lack(rule: str, kinds: Sequence[str], basket: Basket) -> Refusal | None:
    if not kinds or (basket.tenders and all(tender.kind in kinds for tender in basket.tenders)):
        return None
    have = "|".join(sorted({tender.kind for tender in basket.tenders}))
    return Refusal(
        rule=rule, condition="tender", have=f"tender:{have}" if have else "none", need=f"tender:{'|'.join(kinds)}"
    )  # fmt: skip


def _fall_rooms(paid: Sequence[int], goods: Payable, redeemed: Redeemed) -> list[int]:
    """How far each line may fall: to its floor, and never below what points pay of it."""
    prices = goods.left_minor if redeemed.tenders else paid
    return [
        max(0, min(pays, price - line.floor_minor)) for pays, price, line in zip(paid, prices, goods.lines, strict=True)
    ]  # fmt: skip


def _most(rule: str, rooms_minor: int, goods: Payable, redeemed: Redeemed, spare_minor: int | None) -> tuple[str, int]:
    """How far the due may fall, and what stops it there."""
    bounds = [("floor", rooms_minor)]
    if goods.cap_minor is not None:
        bounds.append(("cap", goods.cap_minor - redeemed.redemption.off_minor))
    if rule in goods.budgets_minor:
        bounds.append(("budget", goods.budgets_minor[rule]))
    if spare_minor is not None:
        bounds.append(("least_money", spare_minor))
    return min(bounds, key=lambda bound: bound[1])
