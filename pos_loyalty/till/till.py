"""The till: identify, quote, authorise, complete, cancel, void, enrol. It acts; the engine decides.

Rule: the id of a sale is stored as an attempt before the first try; one transaction then holds all of the sale; nothing
here waits for the network, the printer or head office.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from pos_loyalty import log
from pos_loyalty.config import Language
from pos_loyalty.engine import Programme
from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import InputError
from pos_loyalty.store.db import write
from pos_loyalty.till import answers, awards, checkout, enrolment, pricing, slips, telling, tiers
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.health import health_of
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


class Devices(Protocol):
    """What hangs on this till."""

    def problems(self) -> tuple[str, ...]:
        """Why receipts wait or codes do not come, in sentences; empty when all is well."""
        ...

    def wake_printer(self) -> None:
        """There may be something to print."""
        ...


class NoDevices:
    """A till without devices of its own: the host has them."""

    def problems(self) -> tuple[str, ...]:
        """Nothing can fail."""
        return ()

    def wake_printer(self) -> None:
        """Nothing waits."""


class Till:
    """One till over its own database. Not for several threads at once: its owner calls it from one."""

    def __init__(self, desk: Desk, devices: Devices, release: Callable[[], None]) -> None:
        self._desk = desk
        self._devices = devices
        self._release = release

    def close(self) -> None:
        """Close the database. Held quotes are forgotten; everything else is stored."""
        self._desk.close()
        self._release()

    def identify(self, request: IdentifyRequest) -> MemberAnswer:
        """Who the card or the phone belongs to. Raises InputError, NotFoundError."""
        member = enrolment.find(self._desk, request)
        return answers.of_member(self._desk, member, enrolment.masked(request.card), self._desk.now())

    def quote(self, request: QuoteRequest) -> Quote:
        """Price a basket and hold the answer under a quote_id. Nothing is written. Raises InputError, NotFoundError."""
        pricing.check_ours(self._desk, request.basket)
        if request.card is not None:
            found = enrolment.find(self._desk, IdentifyRequest(card=request.card))
            if request.member_id not in (None, found.member_id):
                raise InputError("$.card", "belongs to another member than member_id; send one of the two")
            request = QuoteRequest(basket=request.basket, member_id=found.member_id)
        return pricing.ask(self._desk, request, self._desk.now())

    def told(self, quote_id: str, language: Language, goods: Mapping[str, str]) -> Told:
        """What a held quote says to the cashier. ``goods``: SKU to name. Raises NotFoundError when it is not held."""
        return telling.tell(self._desk, quote_id, language, goods)

    def authorise(self, request: SaleRequest, key: str) -> SaleAnswer:
        """Reserve what the held quote takes; with ``complete``, settle it in the same step.

        Raises QuoteStaleError with a new quote when the due, the programme or the member's points moved; ConflictError when
        the sale id stands for another sale; StoreError when the disk fails. In all these cases nothing was sold.
        """

        def act(keep: Keep[SaleAnswer]) -> SaleAnswer:
            return checkout.authorise(self._desk, request, keep)

        return self._stored(self._desk.once(key, "sale", request, SaleAnswer, act))

    def complete(self, sale_id: str, request: CompleteRequest, key: str) -> SaleAnswer:
        """Settle an authorised sale. Money was taken, so what contradicts becomes a case, never a refusal."""

        def act(keep: Keep[SaleAnswer]) -> SaleAnswer:
            return checkout.complete(self._desk, sale_id, request, keep)

        return self._stored(self._desk.once(key, f"complete {sale_id}", request, SaleAnswer, act))

    def cancel(self, sale_id: str, request: CancelRequest, key: str) -> SaleAnswer:
        """Give back all that an authorised sale reserved. Raises ConflictError when it was completed."""

        def act(keep: Keep[SaleAnswer]) -> SaleAnswer:
            return checkout.cancel(self._desk, sale_id, request, keep)

        return self._stored(self._desk.once(key, f"cancel {sale_id}", request, SaleAnswer, act))

    def void(self, sale_id: str, request: VoidRequest, key: str) -> SaleAnswer:
        """Reverse a completed sale as a whole: spent points return to their lots, earned points go."""

        def act(keep: Keep[SaleAnswer]) -> SaleAnswer:
            return checkout.void(self._desk, sale_id, request, keep)

        return self._stored(self._desk.once(key, f"void {sale_id}", request, SaleAnswer, act))

    def sale(self, sale_id: str) -> SaleAnswer:
        """A stored sale as it stands. Raises NotFoundError."""
        return answers.of_sale(self._desk, sale_id)

    def enrol(self, request: EnrolRequest, key: str) -> MemberAnswer:
        """A new member with this card. Raises InputError for a card that is not ours, ConflictError for one that is taken."""

        def act(keep: Keep[MemberAnswer]) -> MemberAnswer:
            return enrolment.enrol(self._desk, request, keep)

        return self._desk.once(key, "enrol", request, MemberAnswer, act)

    def award(self, member_id: str, request: AwardRequest, key: str) -> AwardAnswer:
        """What the programme gives a member for an act other than buying. Raises InputError, NotFoundError, ConflictError."""

        def act(keep: Keep[AwardAnswer]) -> AwardAnswer:
            return awards.award(self._desk, member_id, request, keep)

        answer = self._desk.once(key, f"award {member_id}", request, AwardAnswer, act)
        log.info("member.awarded", member_id=member_id, act=request.act, accrued_centi=answer.accrued_centi)
        return answer

    def set_tier(self, member_id: str, request: TierRequest, key: str) -> TierAnswer:
        """A person's decision on a member's tier. Raises InputError, NotFoundError."""

        def act(keep: Keep[TierAnswer]) -> TierAnswer:
            return tiers.set_tier(self._desk, member_id, request, keep)

        answer = self._desk.once(key, f"tier {member_id}", request, TierAnswer, act)
        log.info("member.tier_set", member_id=member_id, tier=answer.tier)
        return answer

    def print_again(self, sale_id: str, request: PrintRequest, key: str) -> PrintAnswer:
        """Queue a receipt once more, as a marked copy. Raises NotFoundError."""

        def act(keep: Keep[PrintAnswer]) -> PrintAnswer:
            with write(self._desk.db):
                return keep(slips.queue_copy(self._desk, answers.stored_sale(self._desk, sale_id), request.language))

        answer = self._desk.once(key, f"print {sale_id}", request, PrintAnswer, act)
        self._devices.wake_printer()
        return answer

    def receipt_text(self, sale_id: str, language: Language | None = None) -> str:
        """The receipt as text, in the printer's columns. Raises NotFoundError."""
        return slips.text_of(self._desk, answers.stored_sale(self._desk, sale_id), language)

    def receipt_png(self, sale_id: str, language: Language | None = None) -> bytes:
        """The receipt as a PNG picture. Raises NotFoundError."""
        return slips.png_of(self._desk, answers.stored_sale(self._desk, sale_id), language)

    def programme(self) -> Programme:
        """The programme in force. Raises NotFoundError when there is none."""
        return self._desk.shelf.current(self._desk.db)

    def rule_titles(self) -> Mapping[str, Mapping[str, str]]:
        """Titles of the rules in force, by rule id and language."""
        return self.programme().titles

    def health(self) -> Health:
        """How the till is, for the page and for monitors."""
        return health_of(self._desk, self._devices.problems())

    def _stored(self, answer: SaleAnswer) -> SaleAnswer:
        log.info(
            "sale.stored",
            sale_id=answer.sale_id,
            state=answer.state,
            due_minor=answer.quote.due_minor,
            receipt_no=answer.receipt_no,
        )
        self._devices.wake_printer()
        return answer
