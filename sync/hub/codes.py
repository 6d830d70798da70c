"""A unique code as the hub tells it: head office's word, with what the store's tills did since on top. Values in, values out.

Rule: a view decides nothing: under ``[coupons] offline = "escrow"`` a right does, and head office's own word replaces it as soon
as that counts the same facts. Codes of files and print runs are told by head office alone: there may be very many.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.model import Issue
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.issues import each_one, take_rows
from sync.hub.view import Authorised
from sync.wire import CouponChange

ENDS = ("sale.cancelled", "sale.reversed")


def with_facts(word: CouponChange | None, code: str, facts: Sequence[Fact], authorised: Authorised) -> CouponChange | None:
    """The word with facts that head office's figures do not count, in the order in which they came; None when nobody tells what
    code it is."""
    told = word
    for fact in facts:
        told = _with(told, code, fact, authorised)
    return told


def _with(told: CouponChange | None, code: str, fact: Fact, authorised: Authorised) -> CouponChange | None:
    if fact.award is not None:
        issue = _issued(fact).get(code)
        return told if issue is None else _made(told, code, issue, is_live=True)
    if fact.returned is not None:
        first = authorised(fact.returned.sale_till, fact.returned.sale_id)
        return _withdrawn(told, code, first, fact.returned.withdrawn)
    about = fact.sale or fact.end
    if about is None:
        return told
    first = fact if fact.sale is not None else authorised(fact.till, about.sale_id)
    if first is None:
        return told
    issue, takes = _issued(first).get(code), any(row[0] == code for row in take_rows(first))
    if issue is not None:
        told = _made(told, code, issue, is_live=fact.kind == "sale.completed")
    if told is None or not takes:
        return told
    taken = (told.taken_till, told.taken_sale)
    if fact.kind in ENDS:
        return replace(told, taken_till=None, taken_sale=None) if taken == (fact.till, about.sale_id) else told
    return replace(told, taken_till=fact.till, taken_sale=about.sale_id) if told.taken_sale is None else told


def _made(told: CouponChange | None, code: str, issue: Issue, *, is_live: bool) -> CouponChange:
    if told is not None:
        return replace(told, is_live=is_live)
    return CouponChange(
        code=code, series=issue.series, is_live=is_live, usable_from=issue.usable_from, expires_at=issue.expires_at
    )  # fmt: skip


def _withdrawn(told: CouponChange | None, code: str, first: Fact | None, numbers: Sequence[int]) -> CouponChange | None:
    """Goods came back: some of what their sale issued is no more."""
    if told is None or first is None or first.sale is None:
        return told
    made = iter(first.sale.coupons_made)
    codes = [next(made, "") if issue.kind == "coupon" else "" for issue in each_one(first.sale.quote.issued)]
    is_gone = any(n < len(codes) and spelled(codes[n]) == code for n in numbers)
    return replace(told, is_live=False) if is_gone else told


def _issued(fact: Fact) -> dict[str, Issue]:
    """Coupons that a fact issues, by code."""
    if fact.sale is not None:
        issued, made = fact.sale.quote.issued, fact.sale.coupons_made
    elif fact.award is not None:
        issued, made = fact.award.award.issued, fact.award.coupons_made
    else:
        return {}
    coupons = (issue for issue in each_one(issued) if issue.kind == "coupon")
    return {spelled(code): issue for code, issue in zip(made, coupons, strict=False)}
