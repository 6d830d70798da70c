"""Codes of the coupons that a sale issues. They are made with its first fact and may be used once it is completed."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.clock import random_bits
from pos_loyalty.engine.coupons import Series, coupon_code, spelled
from pos_loyalty.engine.model import Issue
from pos_loyalty.errors import ConflictError
from pos_loyalty.payment_cards import holds_foreign
from pos_loyalty.store import coupon_words
from pos_loyalty.till.desk import Desk

TRIES_MAX = 1000
PICKY_TRIES = 500
"""So many codes are passed over that tills would take for a payment card. A series that has no others issues them all the same:
no sale is refused for that."""


def made(desk: Desk, issued: Sequence[Issue]) -> tuple[str, ...]:
    """A new code for each coupon that is issued, in order. Called inside the transaction of its fact."""
    if not issued:
        return ()
    series = desk.shelf.current(desk.db).series
    codes: list[str] = []
    for issue in issued:
        for _ in range(issue.count if issue.kind == "coupon" else 0):
            codes.append(_code(desk, series[issue.series], codes))
    return tuple(codes)


def _code(desk: Desk, series: Series, taken: Sequence[str]) -> str:
    """The series' own code when all its coupons share one, else one that this till has not given. Raises ConflictError."""
    if series.code is not None:
        return spelled(series.code)
    for tried in range(TRIES_MAX):
        code = spelled(coupon_code(series, random_bits(desk.new_id())))
        is_read = tried >= PICKY_TRIES or not holds_foreign(code, spelled(series.prefix))
        if is_read and code not in taken and not coupon_words.known(desk.db, (code,)):
            return code
    raise ConflictError(
        f"Coupon series {series.id} has hardly a code left to give; give its codes more digits. Nothing was sold."
    )
