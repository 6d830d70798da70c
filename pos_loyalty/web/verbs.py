"""What the web asks of a till: its verbs, and the shop that the cashier page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from pos_loyalty.config import CardConfig, Language
from pos_loyalty.engine.model import Id, Label, Money, Quote, Rate, Text
from pos_loyalty.till.model import (
    AwardAnswer,
    AwardRequest,
    CancelRequest,
    CompleteRequest,
    EnrolRequest,
    Health,
    IdentifyRequest,
    MemberAnswer,
    PrintAnswer,
    PrintRequest,
    QuoteRequest,
    SaleAnswer,
    SaleRequest,
    Told,
    VoidRequest,
)
from pos_loyalty.till.tier_model import TierAnswer, TierRequest
from pos_loyalty.values import Minor, Value

PRODUCTS_MAX = 20_000


class Verbs(Protocol):
    """A till, as far as HTTP needs it. Its verbs are called from one thread, one at a time."""

    def identify(self, request: IdentifyRequest) -> MemberAnswer: ...
    def quote(self, request: QuoteRequest) -> Quote: ...
    def told(self, quote_id: str, language: Language, goods: Mapping[str, str]) -> Told: ...
    def authorise(self, request: SaleRequest, key: str) -> SaleAnswer: ...
    def complete(self, sale_id: str, request: CompleteRequest, key: str) -> SaleAnswer: ...
    def cancel(self, sale_id: str, request: CancelRequest, key: str) -> SaleAnswer: ...
    def void(self, sale_id: str, request: VoidRequest, key: str) -> SaleAnswer: ...
    def enrol(self, request: EnrolRequest, key: str) -> MemberAnswer: ...
    def award(self, member_id: str, request: AwardRequest, key: str) -> AwardAnswer: ...
    def set_tier(self, member_id: str, request: TierRequest, key: str) -> TierAnswer: ...
    def sale(self, sale_id: str) -> SaleAnswer: ...
    def print_again(self, sale_id: str, request: PrintRequest, key: str) -> PrintAnswer: ...
    def health(self) -> Health: ...
    def receipt_text(self, sale_id: str, language: Language | None = None) -> str: ...
    def receipt_png(self, sale_id: str, language: Language | None = None) -> bytes: ...


class Product(Value):
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


class Shop(Value):
    """What the cashier page must know besides the till. The first language is the one that it opens in."""

    store: Id
    till: Id
    name: Text = ""
    cashier: Label = ""
    currency: str = "RUB"
    languages: Annotated[tuple[Language, ...], Meta(min_length=1)] = ("ru", "en")
    timezone: str = "Europe/Moscow"
    """The zone whose times the page shows, whatever the computer's own clock says."""
    products: Annotated[tuple[Product, ...], Meta(max_length=PRODUCTS_MAX)] = ()
    cards: tuple[CardConfig, ...] = ()
    """The shop's own card ranges: what else looks like a bank card is taken for one."""
