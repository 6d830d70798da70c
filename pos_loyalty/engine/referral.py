"""Points for a friend brought: both sides get theirs when the friend's first sale is completed."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.engine.earning import Life, life_of
from pos_loyalty.engine.effects import GivePoints
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.gates import in_pilot
from pos_loyalty.engine.model import Accrual, Member, Refusal
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.rules import Referral
from pos_loyalty.values import Points, Value

REFERRAL = "referral"


class Referred(Value):
    """What the first sale of a referred member brings: the friend's points, then the referrer's, or why none."""

    accruals: tuple[Accrual, ...] = ()
    refusals: tuple[Refusal, ...] = ()


NOBODY_REFERRED = Referred()


def referral(member: Member | None, paid_minor: int, programme: Programme, at: datetime) -> Referred:
    """Points under [referral]. ``paid_minor``: money paid for all that is not restricted by law.

    Nothing is said of members whom nobody referred, who have bought before, or for whom the programme on trial is not. The
    referrer's accrual names them.
    """
    table = programme.referral
    if table is None or member is None or member.referred_by is None or member.referred_by == member.member_id:
        return NOBODY_REFERRED
    if programme.pilot is not None and not in_pilot(programme.pilot, programme.id, member):
        return NOBODY_REFERRED
    if member.sales is None:
        return _refused("first_purchase", "unknown", "1")
    if member.sales.count > 0:
        return NOBODY_REFERRED
    if paid_minor < max(1, table.min_amount):
        exponent = programme.exponent
        return _refused("basket_amount", money_text(paid_minor, exponent), money_text(max(1, table.min_amount), exponent))
    life = _life(table, programme, at)
    sides = ((table.friend, None), (table.referrer, member.referred_by))
    return Referred(accruals=tuple([_accrual(centi, life, who) for centi, who in sides if centi]))


def _refused(condition: str, have: str, need: str) -> Referred:
    return Referred(refusals=(Refusal(rule=REFERRAL, condition=condition, have=have, need=need),))


def _accrual(centi: int, life: Life, member_id: str | None) -> Accrual:
    return Accrual(
        rule=REFERRAL,
        centi=Points(centi),
        usable_from=life.usable_from,
        expires_at=life.expires_at,
        member_id=member_id,
    )


def _life(table: Referral, programme: Programme, at: datetime) -> Life:
    own = GivePoints(delay_days=table.delay_days, lifetime_days=table.lifetime_days)
    return life_of(own, programme.points, at, programme.zone)
