"""How a sale is paid, against how it was planned to be: only the kinds matter to a price; and how a refund goes back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.model import MINOR_MAX, Basket, Tender
from pos_loyalty.engine.money import allocate
from pos_loyalty.engine.paid_part import missing_minor
from pos_loyalty.errors import InputError, PaidShortError
from pos_loyalty.values import Minor

CASH, EXCHANGE = "cash", "exchange"


def check(asked: Sequence[Tender]) -> None:
    """Tenders are money that came or goes, and an exchange is made by the till alone. Raises InputError."""
    check_amounts(asked)
    for number, tender in enumerate(asked):
        if tender.kind == EXCHANGE:
            raise InputError(f"$.tenders[{number}].kind", f'"{EXCHANGE}" is made by the till alone, of goods that come back')


def check_amounts(asked: Sequence[Tender]) -> None:
    """What a decoder checks, for callers in this process. Raises InputError."""
    for number, tender in enumerate(asked):
        if not 0 <= tender.amount_minor <= MINOR_MAX:
            raise InputError(f"$.tenders[{number}].amount_minor", "is out of range: money that goes out is a return")


def check_paid(paid: Sequence[Tender], due_minor: Minor) -> None:
    """In one step nothing is sold for less than its due: nobody was told yet that it is sold. Raises PaidShortError."""
    missing = missing_minor(paid, due_minor)
    if missing:
        raise PaidShortError(
            f"What was paid is {missing} minor units less than the due of {due_minor}; nothing was sold. "
            "Take the rest and send the sale again with all of its tenders."
        )


def told(asked: Sequence[Tender]) -> tuple[Tender, ...]:
    """The tenders that the host tells after the payment: an exchange that the till did not make brought no money."""
    return tuple(replace(tender, amount_minor=Minor(0)) if tender.kind == EXCHANGE else tender for tender in asked)


def as_planned(basket: Basket, paid: Sequence[Tender]) -> bool:
    """Whether what is paid is of the kinds that the basket plans. Tenders that are not told are those of the plan."""
    return not paid or _kinds(paid) == _kinds(basket.tenders)


def named(tenders: Sequence[Tender]) -> str:
    """The kinds, for a sentence."""
    return " and ".join(sorted(_kinds(tenders))) or "no plan"


def _kinds(tenders: Sequence[Tender]) -> set[str]:
    return {tender.kind for tender in tenders if tender.amount_minor}


def exchanged(refund_minor: int, due_minor: int) -> tuple[Tender, ...]:
    """What of a refund pays the sale that goods are exchanged for."""
    amount = min(refund_minor, due_minor)
    return (Tender(kind=EXCHANGE, amount_minor=Minor(amount)),) if amount else ()


def check_refund(asked: Sequence[Tender], refund_minor: Minor) -> None:
    """Tenders of a refund make it exactly; none at all are right too. Raises InputError that tells the refund."""
    check(asked)
    total = sum(tender.amount_minor for tender in asked)
    if asked and total != refund_minor:
        raise InputError("$.tenders", f"make {total}, the refund to pay out is {refund_minor} (minor units)")


def as_paid(paid: Sequence[Tender], due_minor: int, before: Sequence[Tender], refund_minor: int) -> tuple[Tender, ...]:
    """A refund in the proportion in which the sale was paid, less what went back before; nothing when that was not told.

    Raises InputError for a sale that an exchange paid: only a person knows how the first goods were paid.
    """
    left = _kept(paid, due_minor)
    for tender in before:
        if tender.kind in left:
            left[tender.kind] = max(0, left[tender.kind] - tender.amount_minor)
    kinds = [kind for kind, amount in left.items() if amount]
    parts = allocate([left[kind] for kind in kinds], refund_minor, [left[kind] for kind in kinds])
    if not kinds or sum(parts) < refund_minor:
        return ()
    if any(part for kind, part in zip(kinds, parts, strict=True) if kind == EXCHANGE):
        raise InputError("$.tenders", f"are missing: this sale was paid by an exchange; say how {refund_minor} is paid out")
    return tuple(Tender(kind=kind, amount_minor=Minor(part)) for kind, part in zip(kinds, parts, strict=True) if part)


def _kept(paid: Sequence[Tender], due_minor: int) -> dict[str, int]:
    """By kind what the shop kept of what it was given: change went back in cash, else in what was given last."""
    kept: dict[str, int] = {}
    for tender in paid:
        kept[tender.kind] = kept.get(tender.kind, 0) + tender.amount_minor
    change = max(0, sum(kept.values()) - due_minor)
    for kind in (CASH, *reversed(list(kept))):
        part = min(change, kept.get(kind, 0))
        if part:
            kept[kind] -= part
            change -= part
    return kept
