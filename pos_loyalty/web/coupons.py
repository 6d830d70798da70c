"""Which rules a coupon code turns on, so that the cashier page can say why a good coupon gives nothing yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pos_loyalty.engine.conditions import Coupon, Not, Term
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.programme import Programme


def coupon_rules(programme: Programme) -> dict[str, tuple[str, ...]]:
    """Shared code to the ids of its rules. Coupons with a code of their own are not listed: there may be millions."""
    asking = {rule.id: frozenset(_series_of(rule.terms)) for rule in programme.rules}
    return {
        spelled(series.code): tuple(rule for rule, asked in asking.items() if series.id in asked)
        for series in programme.series.values()
        if series.code is not None
    }


def _series_of(terms: Sequence[Term]) -> Iterator[str]:
    for term in terms:
        if isinstance(term.condition, Coupon):
            yield term.condition.series
        elif not isinstance(term.condition, Not):
            yield from _series_of(term.parts)
