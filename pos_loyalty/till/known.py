"""What the till knows for a quote besides the basket: the member's past, uses, budgets, coupons. Rule: only its own file.

What other tills did counts as far as head office has told it: see docs/security.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.model import Basket, CouponState, Member, State
from pos_loyalty.store import coupon_words, habits, issues, rule_stops, uses
from pos_loyalty.store.coupon_words import KnownCoupon
from pos_loyalty.store.db import Connection
from pos_loyalty.store.issues import Held
from pos_loyalty.store.trusted_time import Trusted
from pos_loyalty.till.coupon_rights import Gate
from pos_loyalty.till.wants import Wants


class Here(NamedTuple):
    """How it stands at this till now: trusted time, and which codes that are good may be taken here."""

    trusted: Trusted | None = None
    gate: Gate = lambda _: None


HERE = Here()
"""Nothing is known of it: what was sold before is asked again."""


def state_of(
    db: Connection, basket: Basket, member_id: str | None, biz_day: int, wants: Wants, here: Here = HERE
) -> State:  # fmt: skip
    """Uses, budgets and coupons. ``biz_day`` is that of the basket. What no rule asks for is not looked up.

    A coupon that has lapsed by trusted time is not revived by an earlier ``opened_at``.
    """
    given = uses.given_minor(db) if wants.budgets else {}
    return State(
        uses=uses.so_far(db, member_id, biz_day) if wants.uses else {},
        budgets={rule: max(0, budget - given.get(rule, 0)) for rule, budget in wants.budgets.items()},
        coupons=_coupons(db, basket, wants, here) if basket.coupons else {},
        stopped=rule_stops.here(db),
    )


def with_past(db: Connection, member: Member, biz_day: int, wants: Wants) -> Member:
    """The member with counters, days, purchases and plans, as far as the programme asks for them."""
    counters = uses.counters_of(db, member.member_id) if wants.counters else None
    # The programme's zone may be a day ahead of the store's: a day more is looked up, and the engine takes what it asked for.
    days = habits.days_of(db, member.member_id, biz_day - wants.days_back) if wants.days_back else None
    back = wants.purchases_back
    purchases = habits.purchases_of(db, member.member_id, biz_day - back) if back else None
    if counters is None and days is None and purchases is None and not wants.plans:
        return member
    paid_until = paid_until_of(issues.held(db, member.member_id)) if wants.plans else member.paid_until
    return replace(member, counters=counters, days=days, purchases=purchases, paid_until=paid_until)


def paid_until_of(held: tuple[Held, ...]) -> datetime | None:
    """When the last plan that the member bought runs out; None when they bought none."""
    ends = [each.expires_at for each in held if each.kind == "plan" and each.expires_at is not None]
    return max(ends, default=None)


def privileges_of(held: tuple[Held, ...], now: datetime) -> tuple[Held, ...]:
    """Privileges that hold now; one that ends with its sale is none."""
    return tuple(each for each in held if each.kind == "privilege" and each.expires_at is not None and _is_in(each, now))


def _coupons(db: Connection, basket: Basket, wants: Wants, here: Here) -> dict[str, CouponState]:
    """Those with a code of their own, by the code as it was presented and in its own spelling."""
    codes = dict.fromkeys(spelled(code) for code in basket.coupons if spelled(code) not in wants.shared_codes)
    states = {code: _state(each, basket.opened_at, here) for code, each in coupon_words.known(db, codes).items()}
    return states | {code: states[spelled(code)] for code in basket.coupons if spelled(code) in states}


def _state(coupon: KnownCoupon, at: datetime, here: Here) -> CouponState:
    usable = coupon.is_live and coupon.taken_sale is None and _is_in(coupon, at) and not _has_lapsed(coupon, here.trusted)
    why_not = here.gate(coupon) if usable else None
    if why_not is not None:
        return CouponState(series=coupon.series, usable=False, why_not=why_not)
    return CouponState(series=coupon.series, usable=usable)


def _has_lapsed(coupon: KnownCoupon, trusted: Trusted | None) -> bool:
    """With a clock that is wrong by more than a day no coupon with an end can be told from a lapsed one."""
    if trusted is None or coupon.expires_at is None:
        return False
    return trusted.is_lost or coupon.expires_at <= trusted.at


def _is_in(term: Held | KnownCoupon, at: datetime) -> bool:
    return (term.usable_from is None or term.usable_from <= at) and (term.expires_at is None or at < term.expires_at)
