"""Whether a unique code that is good may be redeemed at this till now.

Rule: under ``coupons.offline = "escrow"`` only while this till holds the right to it, on line or cut off; one that it does not
hold is asked for beside the checkout, which waits for nothing; of the store's hub while head office is silent too. Under
``"refuse"`` only while head office answers. Under ``"series"`` while head office is silent, as the series says. A till that
stands alone knows all codes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from pos_loyalty.config import Config
from pos_loyalty.engine.lots import NEVER
from pos_loyalty.store import coupon_rights
from pos_loyalty.store.coupon_words import KnownCoupon
from pos_loyalty.store.trusted_time import Trusted
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.wants import Wants

ASKS: Final = "coupon:"
"""Before a code: no member is asked for so."""
WhyNot = Literal["silent", "asking", "elsewhere"]
Gate = Callable[[KnownCoupon], WhyNot | None]
"""Why a code that is good is not taken here now; None: it is."""


def is_lending(config: Config) -> bool:
    """Whether codes go from till to till by rights."""
    return config.head_office.url is not None and config.coupons.offline == "escrow"


def gate(desk: Desk, wants: Wants, trusted: Trusted, *, silent: bool, asks: bool) -> Gate:
    """By the setting of all tills. ``asks``: what is not held is asked for."""
    if is_lending(desk.config):
        return lambda coupon: _held(desk, coupon, wants, trusted, silent=silent, asks=asks)
    if not silent:
        return lambda _: None
    if desk.config.coupons.offline == "refuse":
        return lambda coupon: "silent" if coupon.series in wants.unique else None
    return lambda coupon: "silent" if coupon.series in wants.refused_offline and not coupon.is_ours else None


def _held(desk: Desk, coupon: KnownCoupon, wants: Wants, trusted: Trusted, *, silent: bool, asks: bool) -> WhyNot | None:
    """While the clock is wrong by more than a day nobody can tell whether a lease has ended: what came with one is left out."""
    if coupon.series not in wants.unique:
        return None
    if coupon_rights.holds(desk.db, desk.config.till.id, coupon.code, NEVER if trusted.is_lost else trusted.at):
        return None
    if silent and desk.config.hub.address is None:
        return "silent"
    if asks and desk.reserver is not None and desk.reserver.wake(ASKS + coupon.code):
        return "asking"
    return "silent" if silent else "elsewhere"
