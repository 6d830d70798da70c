"""Stage 7: things bought with points, points that pay, and the due rounded to a whole step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_loyalty.engine.chain import Off
from pos_loyalty.engine.effects import RoundTotal
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.model import Basket, Issue, Member, Redemption, Refusal, Tender
from pos_loyalty.engine.money import allocate, rest_in
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.ready import ReadyRule
from pos_loyalty.engine.redeem import Payable, Redeemed, Things, purse_of, redeem
from pos_loyalty.engine.redeem_for import redeem_for
from pos_loyalty.engine.selectors import names_of
from pos_loyalty.values import Minor, Points, Value

NO_REDEMPTION = Redemption(centi=Points(0), off_minor=Minor(0), max_centi=Points(0))


class Paid(Value):
    """What stage 7 decided. ``parts``: what points pay of each calculation line; ``offs``: what came off by rules of the stage.

    ``due_min_minor``: so much must stay in money. With ``tenders`` points stand as a tender and the lines keep their price.
    """

    offs: tuple[Off, ...]
    parts: tuple[int, ...]
    redemption: Redemption
    tenders: tuple[Tender, ...]
    issues: tuple[Issue, ...]
    privileges: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    acting: frozenset[str]
    due_min_minor: int


def pay(rules: Sequence[ReadyRule], basket: Basket, goods: Payable, who: tuple[Member | None, Programme, datetime]) -> Paid:
    """Redeem and round. ``rules`` hold and are of stage payment; ``who``: the member, the programme and the instant."""
    member, programme, at = who
    if not rules and (member is None or programme.redeem is None) and basket.redeem is None:
        return _nothing_paid(len(goods.lines))
    purse = purse_of(member, programme, at)
    buying = [rule for rule in rules if not any(isinstance(act.effect, RoundTotal) for act in rule.money)]
    things = redeem_for(buying, basket.choices, goods, purse, programme, at) if buying else Things(goods=goods, purse=purse)
    redeemed = redeem(basket.redeem, programme, things)
    rounding = [rule for rule in rules if rule not in buying]
    offs, refusals = _rounded(rounding, basket, things.goods, redeemed, programme.exponent) if rounding else ((), ())
    due = sum(things.goods.left_minor) - redeemed.redemption.off_minor - sum([off.off_minor for off in offs])
    least = programme.redeem.minimum_money if programme.redeem is not None and redeemed.redemption.off_minor else 0
    return Paid(
        offs=things.offs + offs,
        parts=redeemed.parts,
        redemption=redeemed.redemption,
        tenders=redeemed.tenders,
        issues=things.issues,
        privileges=things.privileges,
        refusals=things.refusals + redeemed.refusals + refusals,
        acting=frozenset([thing.rule for thing in things.things]) | frozenset([off.rule for off in offs]),
        due_min_minor=min(int(least), due),
    )


def _nothing_paid(size: int) -> Paid:
    """Nobody redeems and nothing is rounded."""
    return Paid(
        offs=(),
        parts=(0,) * size,
        redemption=NO_REDEMPTION,
        tenders=(),
        issues=(),
        privileges=(),
        refusals=(),
        acting=frozenset(),
        due_min_minor=0,
    )


def _rounded(
    rules: Sequence[ReadyRule], basket: Basket, goods: Payable, redeemed: Redeemed, exponent: int
) -> tuple[tuple[Off, ...], tuple[Refusal, ...]]:
    """The first rule by priority whose tenders are planned lets the due fall to its step; the others have nothing left."""
    refusals: list[Refusal] = []
    left = list(goods.left_minor)
    for rule in sorted(rules, key=lambda each: (-each.priority, each.id)):
        effect = rule.money[0].effect
        assert isinstance(effect, RoundTotal)
        kinds = names_of(effect.tenders)
        if kinds and not (basket.tenders and all(tender.kind in kinds for tender in basket.tenders)):
            have = "|".join(sorted({tender.kind for tender in basket.tenders}))
            refusals.append(
                Refusal(
                    rule=rule.id, condition="tender", have=f"tender:{have}" if have else "none", need=f"tender:{'|'.join(kinds)}"
                )
            )
            continue
        paid = [each - part for each, part in zip(left, redeemed.parts, strict=True)]
        excess = rest_in(sum(paid), effect.step)
        rooms = [
            max(0, min(pays, pays - line.floor_minor)) if not redeemed.tenders else max(0, min(pays, each - line.floor_minor))
            for pays, each, line in zip(paid, left, goods.lines, strict=True)
        ]
        may = sum(rooms) if goods.cap_minor is None else min(sum(rooms), goods.cap_minor - redeemed.redemption.off_minor)
        if not excess or may < excess:
            word = "nothing_left" if not excess else "floor"
            refusals.append(
                Refusal(
                    rule=rule.id, condition=word, have=money_text(max(0, may), exponent), need=money_text(excess or 1, exponent)
                )
            )
            continue
        parts = allocate(paid, excess, rooms)
        return (
            tuple([Off(place=place, rule=rule.id, off_minor=part) for place, part in enumerate(parts) if part]),
            tuple(refusals),
        )
    return (), tuple(refusals)
