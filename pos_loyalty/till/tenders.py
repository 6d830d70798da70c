"""How a sale is paid, against how it was planned to be: only the kinds matter to a price."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.model import Basket, Tender


def as_planned(basket: Basket, paid: Sequence[Tender]) -> bool:
    """Whether what is paid is of the kinds that the basket plans. Tenders that are not told are those of the plan."""
    return not paid or _kinds(paid) == _kinds(basket.tenders)


def named(tenders: Sequence[Tender]) -> str:
    """The kinds, for a sentence."""
    return " and ".join(sorted(_kinds(tenders))) or "no plan"


def _kinds(tenders: Sequence[Tender]) -> set[str]:
    return {tender.kind for tender in tenders if tender.amount_minor}
