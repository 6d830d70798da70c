"""What the web asks of a till: its verbs, and the shop that the cashier page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Protocol

from msgspec import Meta

from pos_loyalty.config import CardConfig, Language
from pos_loyalty.engine.model import Id, Label, Quote, Text
from pos_loyalty.spreadsheet.product import PRODUCTS_MAX
from pos_loyalty.spreadsheet.product import Product as Product
from pos_loyalty.till.member_model import CardRequest, ChangeRequest, CodeAnswer, CodeRequest, ProfileAnswer, VerifyRequest
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
from pos_loyalty.till.staff_model import (
    Acts,
    AdjustAnswer,
    AdjustRequest,
    ClaimAnswer,
    ClaimRequest,
    ConfirmationAnswer,
    ConfirmationRequest,
    MergeAnswer,
    MergeRequest,
    SecretAnswer,
    SecretRequest,
)
from pos_loyalty.values import Value


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
    def profile(self, member_id: str) -> ProfileAnswer: ...
    def change(self, member_id: str, request: ChangeRequest, key: str) -> ProfileAnswer: ...
    def change_cards(self, member_id: str, request: CardRequest, key: str) -> ProfileAnswer: ...
    def send_code(self, member_id: str, request: CodeRequest, key: str) -> CodeAnswer: ...
    def code_state(self, member_id: str) -> CodeAnswer: ...
    def verify_phone(self, member_id: str, request: VerifyRequest, key: str) -> ProfileAnswer: ...
    def award(self, member_id: str, request: AwardRequest, key: str) -> AwardAnswer: ...
    def adjust(self, member_id: str, request: AdjustRequest, key: str) -> AdjustAnswer: ...
    def claim(self, sale_id: str, request: ClaimRequest, key: str) -> ClaimAnswer: ...
    def merge(self, member_id: str, request: MergeRequest, key: str) -> MergeAnswer: ...
    def set_secret(self, member_id: str, request: SecretRequest, key: str) -> SecretAnswer: ...
    def send_confirmation(self, member_id: str, request: ConfirmationRequest) -> ConfirmationAnswer: ...
    def acts(self) -> Acts: ...
    def sale(self, sale_id: str) -> SaleAnswer: ...
    def print_again(self, sale_id: str, request: PrintRequest, key: str) -> PrintAnswer: ...
    def health(self) -> Health: ...
    def receipt_text(self, sale_id: str, language: Language | None = None) -> str: ...
    def receipt_png(self, sale_id: str, language: Language | None = None) -> bytes: ...


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
    verifies_phones: bool = False
    """Codes can be sent to phones here."""
