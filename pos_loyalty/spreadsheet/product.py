"""A product of the cashier page's catalogue: what stands in the file that ``till.catalogue`` names."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import Id, Label, Money, Rate, Text
from pos_loyalty.values import Minor, Value

PRODUCTS_MAX = 20_000


class Product(Value, omit_defaults=True):
    """Something that the cashier page can put into a basket. Prices are gross, per unit or kilogram."""

    sku: Id
    name: Text
    price_minor: Money
    category: Label = ""
    brand: Label = ""
    tags: tuple[Label, ...] = ()
    measure: Literal["piece", "weight"] = "piece"
    cost_minor: Money | None = None
    floor_minor: Money = Minor(0)
    vat_bp: Rate | None = None
    volume_ml: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    strength_bp: Rate | None = None
    max_price_minor: Money | None = None
