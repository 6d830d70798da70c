"""Coupons that were presented: which series they belong to, and whether they are good."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from msgspec import Meta, field

from pos_loyalty.engine.model import CouponState
from pos_loyalty.values import Value


class Series(Value):
    """A series of coupons. With ``code`` all share one; without, each coupon is unique and its state is known."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(?!\n)$")]
    code: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    since: date | None = None
    until: date | None = None
    title: dict[str, str] = field(default_factory=dict)


class CouponUse(Value):
    """A presented coupon, judged."""

    code: str
    is_good: bool
    have: str = ""
    need: str = ""


class Presented(Value):
    """All coupons of a basket: by series, the good one first; and those that no series knows, sorted."""

    by_series: Mapping[str, CouponUse]
    unknown: tuple[str, ...]


def spelled(code: str) -> str:
    """One spelling for a code: people type small letters and spaces."""
    return code.strip().upper()


def present(codes: tuple[str, ...], series: Mapping[str, Series], state: Mapping[str, CouponState], today: date) -> Presented:
    """Judge the codes of a basket on a local day. Their order does not matter."""
    shared = {spelled(s.code): s for s in series.values() if s.code is not None}
    judged: dict[str, CouponUse] = {}
    unknown = []
    for code in sorted({spelled(code): code for code in sorted(codes)}.values()):
        held = state.get(code)
        mine = shared.get(spelled(code)) or (series.get(held.series) if held is not None else None)
        if mine is None:
            unknown.append(code)
            continue
        use = _judge(code, mine, held, today)
        before = judged.get(mine.id)
        if before is None or (use.is_good and not before.is_good):
            judged[mine.id] = use
    return Presented(by_series=judged, unknown=tuple(unknown))


def _judge(code: str, series: Series, held: CouponState | None, today: date) -> CouponUse:
    if series.since is not None and today < series.since:
        return _bad(code, f"begins on {series.since.isoformat()}", "a coupon that has begun")
    if series.until is not None and today > series.until:
        return _bad(code, f"ended on {series.until.isoformat()}", "a coupon in its dates")
    if held is not None and not held.usable:
        return _bad(code, "is used up", "an unused coupon")
    return CouponUse(code=code, is_good=True)


def _bad(code: str, fault: str, need: str) -> CouponUse:
    return CouponUse(code=code, is_good=False, have=f"{code} {fault}", need=need)
