"""Ids that hosts make: of sales and of returns."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

SALE_ID_PATTERN = "^[A-Za-z0-9_~:-][A-Za-z0-9._~:-]{0,63}$"
SaleId = Annotated[str, Meta(pattern=SALE_ID_PATTERN)]
"""It stands in URLs and in the QR of the receipt: Latin letters, digits and ._~:- only."""
