"""What head office tells tills of tiers and coupons, out of its SQLite file."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.tier_rules import to_day
from pos_loyalty.store import coupon_words, tiers
from pos_loyalty.store.db import Connection
from pos_loyalty.store.tier_due import Place, look_at, state_of
from sync.server.ledger_store import CouponAt
from sync.wire import CouponChange, MemberChange, TierChange


def with_word(db: Connection, member: MemberChange, at: Place | None, now: datetime) -> MemberChange:
    """The member with what head office counts towards the tier today."""
    rules = None if at is None else at.programme.tier_rules
    if at is None or rules is None or member.state != "active":
        return member
    look = look_at(db, member.member_id, at, to_day(now.astimezone(at.zone).date()))
    if look is None:
        return member
    state = state_of(look, rules)
    last = look.recorded[-1] if look.recorded else None
    word = TierChange(
        biz_day=look.today,
        since=look.base.since if last is None else last.since,
        until=look.base.until if last is None else last.until,
        is_warned=look.base.is_warned if last is None else last.is_warned,
        frozen_until=look.frozen_until if look.is_frozen else None,
        have=state.have,
        clock=tiers.last_clock(db, member.member_id),
    )
    return replace(member, tier_word=word)


def changed_coupons(db: Connection, since: int, limit: int) -> tuple[CouponAt, ...]:
    """Coupons of a version above ``since``, by rising version."""
    return tuple(
        CouponAt(version=version, coupon=as_change(known)) for version, known in coupon_words.changed_since(db, since, limit)
    )


def as_change(known: coupon_words.KnownCoupon) -> CouponChange:
    """What a till is told of a code."""
    return CouponChange(
        code=known.code,
        series=known.series,
        is_live=known.is_live,
        usable_from=known.usable_from,
        expires_at=known.expires_at,
        taken_till=known.taken_till,
        taken_sale=known.taken_sale,
    )
