"""What the programme in force lets the cashier do, as far as the page must know it before it asks the till."""

from __future__ import annotations

from typing import Literal

from pos_loyalty.engine.programme import Programme
from pos_loyalty.values import Value


class GiftSeries(Value):
    """Gift cards that are sold here: of these amounts, or of any between two."""

    id: str
    sku: str
    title: dict[str, str]
    amounts_minor: tuple[int, ...]
    from_minor: int | None
    to_minor: int | None
    top_up: bool


class Terms(Value):
    """``confirm``: how holders confirm a redemption. ``claim_days``: how long a forgotten card is made good; 0: never."""

    confirm: Literal["none", "pin", "code", "qr"] = "none"
    without_receipt: bool = False
    claim_days: int = 0
    gift_cards: tuple[GiftSeries, ...] = ()


def terms_of(programme: Programme) -> Terms:
    """The terms of a programme."""
    return Terms(
        confirm="none" if programme.redeem is None else programme.redeem.confirm,
        without_receipt=programme.returns.without_receipt == "approved",
        claim_days=programme.points.claim_days,
        gift_cards=tuple(
            GiftSeries(
                id=series.id,
                sku=series.sku,
                title={str(language): words for language, words in series.title.items()},
                amounts_minor=tuple(int(amount) for amount in series.amounts),
                from_minor=None if series.amount_from is None else int(series.amount_from),
                to_minor=None if series.amount_to is None else int(series.amount_to),
                top_up=series.top_up,
            )
            for series in programme.gift_series.values()
            if series.sku is not None
        ),
    )
