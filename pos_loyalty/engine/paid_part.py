"""A sale that was paid in part brings its points in part, each rule's in the same proportion, so that nobody earns on money
that never came.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.model import Accrual, Quote, Tender
from pos_loyalty.engine.money import whole_in
from pos_loyalty.engine.returnable import Earning, PaidPart, PointsOf
from pos_loyalty.engine.returns import Returned
from pos_loyalty.values import Minor, Points


def missing_minor(paid: Sequence[Tender], due_minor: int) -> Minor:
    """What of a due was not paid. Tenders that are not told pay it all."""
    return Minor(max(0, due_minor - sum([tender.amount_minor for tender in paid])) if paid else 0)


def as_paid(quote: Quote, paid: Sequence[Tender]) -> Quote:
    """The quote of a completed sale with the points that the money brought; as it stands where the due was paid.

    ``quote`` is as it was authorised. Points that came to nothing are left out.
    """
    missing = missing_minor(paid, quote.due_minor)
    if not missing or not quote.accruals:
        return quote
    part = PaidPart(
        paid_minor=Minor(quote.due_minor - missing),
        due_minor=quote.due_minor,
        quoted=tuple([PointsOf(rule=each.rule, centi=each.centi) for each in quote.accruals]),
    )
    step_centi = 1 if quote.earning is None else quote.earning.step_centi
    accruals = [replace(each, centi=_centi(each, part, step_centi)) for each in quote.accruals]
    return replace(
        quote,
        accruals=tuple([each for each in accruals if each.centi]),
        earning=None if quote.earning is None else replace(quote.earning, part=part),
    )


def earning_as_paid(earning: Earning | None, quote: Quote, paid: Sequence[Tender]) -> Earning | None:
    """How points are counted that are claimed later of a sale: ``quote`` is that sale's, without a member."""
    missing = missing_minor(paid, quote.due_minor)
    if earning is None or not missing:
        return earning
    return replace(earning, part=PaidPart(paid_minor=Minor(quote.due_minor - missing), due_minor=quote.due_minor))


def refund_of(made: Returned, before: Sequence[Returned], never_minor: int) -> Minor:
    """What is paid back: the money of the goods, less what of the sale was never paid. That goes off the first money back, so
    that what stays is paid for, and all returns together pay back what was tendered. ``before``: the earlier returns."""
    before_minor = sum([each.refund_minor - each.charged_minor for each in before])
    back_minor = before_minor + made.refund_minor - made.charged_minor
    return Minor(max(0, back_minor - never_minor) - max(0, before_minor - never_minor))


def _centi(accrual: Accrual, part: PaidPart, step_centi: int) -> Points:
    """Points of others, in hundredths, know no steps."""
    step = step_centi if accrual.member_id is None else 1
    return Points(whole_in(accrual.centi * part.paid_minor, part.due_minor * step) * step)
