"""The till: identify, quote, authorise, complete, cancel, void, enrol. It acts; the engine decides.

Rule: the id of a sale is stored as an attempt before the first try; one transaction then holds all of the sale; nothing
here waits for the network, the printer or head office.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.config import Language
from pos_loyalty.engine import Programme
from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import InputError
from pos_loyalty.store import profiles
from pos_loyalty.till import (
    acts,
    adjusting,
    answers,
    awards,
    cards,
    checkout,
    claiming,
    codes,
    confirming,
    copies,
    drawer,
    enrolment,
    erasure,
    gift_card_model,
    gift_cards,
    gift_sales,
    member_model,
    merging,
    nightly,
    pricing,
    profile,
    reserving,
    return_preview,
    returns,
    said,
    screening,
    shown_cards,
    slips,
    staff,
    staff_model,
    telling,
    tier_model,
    tiers,
    unfinished,
)
from pos_loyalty.till.attached import Devices as Devices
from pos_loyalty.till.attached import NoDevices as NoDevices
from pos_loyalty.till.buyer import Buyer, CameBack, Known, Sold
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.gift_card_model import GiftCardAnswer
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
from pos_loyalty.till.nightly_model import NightReport
from pos_loyalty.till.own_slips import OwnSlips
from pos_loyalty.till.returns_model import ReturnAnswer, ReturnPreview, ReturnRequest
from pos_loyalty.till.unfinished import Unfinished


@screening.screened
class Till:
    """One till over its own database. Not for several threads at once: its owner calls it from one."""

    def __init__(self, desk: Desk, devices: Devices, release: Callable[[], None]) -> None:
        self._desk = desk
        self._devices = devices
        self._release = release
        self.own_slips = OwnSlips(desk, devices.wake_printer)

    @property
    def buyer(self) -> Buyer:
        """What turns to the buyer, for displays."""
        return self._desk.buyer

    def close(self) -> None:
        """Close the database. Held quotes are forgotten; everything else is stored."""
        self._desk.end()
        self._release()

    def identify(self, request: IdentifyRequest) -> MemberAnswer:
        """Who the card or the phone belongs to. Raises InputError, NotFoundError."""
        member = enrolment.find(self._desk, shown_cards.taken(self._desk, request))
        answer = answers.of_member(self._desk, member, enrolment.masked(request.card), self._desk.now())
        self._desk.buyer.tell(Known(answer.usable_centi))
        return reserving.standing(self._desk, answer)

    def quote(self, request: QuoteRequest) -> Quote:
        """Price a basket and hold the answer under a quote_id. Nothing is written. Raises InputError, NotFoundError."""
        pricing.check_ours(self._desk, request.basket)
        if request.card is not None:
            found = enrolment.find(self._desk, IdentifyRequest(card=request.card))
            if request.member_id not in (None, found.member_id):
                raise InputError("$.card", "belongs to another member than member_id; send one of the two")
            request = QuoteRequest(basket=request.basket, member_id=found.member_id)
        elif request.member_id is not None:
            request = replace(request, member_id=merging.current(self._desk, request.member_id))
        return pricing.ask(self._desk, request, self._desk.now())

    def told(self, quote_id: str, language: Language, goods: Mapping[str, str]) -> Told:
        """What a held quote says to the cashier. ``goods``: SKU to name. Raises NotFoundError when it is not held."""
        return telling.tell(self._desk, quote_id, language, goods)

    def authorise(self, request: SaleRequest, key: str) -> SaleAnswer:
        """Reserve what the held quote takes; with ``complete``, settle it in the same step.

        Raises QuoteStaleError with a new quote when the due, the programme or the member's points moved; ConflictError when
        the sale id stands for another sale; StoreError when the disk fails. In all these cases nothing was sold.
        """
        kept = said.kept_of(self._desk, request)
        act = partial(checkout.authorise, self._desk, kept, said.said_in(request))
        return self._stored(self._desk.once(key, "sale", kept, SaleAnswer, act))

    def complete(self, sale_id: str, request: CompleteRequest, key: str) -> SaleAnswer:
        """Settle an authorised sale. Money was taken, so what contradicts becomes a case, never a refusal."""
        kept = gift_sales.complete_request(self._desk, request)
        act = partial(checkout.complete, self._desk, sale_id, kept)
        return self._stored(self._desk.once(key, f"complete {sale_id}", kept, SaleAnswer, act))

    def cancel(self, sale_id: str, request: CancelRequest, key: str) -> SaleAnswer:
        """Give back all that an authorised sale reserved. Raises ConflictError when it was completed."""
        act = partial(checkout.cancel, self._desk, sale_id, request)
        return self._stored(self._desk.once(key, f"cancel {sale_id}", request, SaleAnswer, act))

    def void(self, sale_id: str, request: VoidRequest, key: str) -> SaleAnswer:
        """Reverse a completed sale as a whole: spent points return to their lots, earned points go. Raises as returns do."""
        act = partial(checkout.void, self._desk, sale_id, request)
        return self._stored(self._desk.once(key, f"void {sale_id}", staff.hidden(request, "approval"), SaleAnswer, act))

    def return_goods(self, sale_id: str | None, request: ReturnRequest, key: str) -> ReturnAnswer:
        """Take goods back: of the sale named here, in the request or by its receipt; or without a receipt.

        Raises NotAllowedError, InputError, NotFoundError, ConflictError; then nothing was written.
        """
        kept = returns.kept_of(self._desk, returns.with_sale_id(request, sale_id))
        act = partial(returns.return_goods, self._desk, kept, request.approval)
        answer = self._desk.once(key, f"return {request.return_id}", kept, ReturnAnswer, act)
        log.info("sale.returned", return_id=answer.return_id, sale_id=answer.sale_id, refund_minor=answer.refund_minor)
        self._desk.buyer.tell(CameBack(answer.refund_minor))
        self._devices.wake_printer()
        return answer

    def return_by_receipt(self, request: ReturnRequest, key: str) -> ReturnAnswer:
        """The same where the address names no sale."""
        return self.return_goods(None, request, key)

    def preview_return(self, request: ReturnRequest) -> ReturnPreview:
        """The sale, what is left of it, and what a return would do. Raises InputError, NotFoundError, ConflictError."""
        return return_preview.preview(self._desk, request)

    def return_text(self, return_id: str, language: Language | None = None) -> str:
        """The slip of a return of this till as text. Raises NotFoundError."""
        return slips.return_text(self._desk, return_id, language)

    def sale(self, sale_id: str) -> SaleAnswer:
        """A stored sale as it stands. Raises NotFoundError."""
        return answers.of_sale(self._desk, sale_id)

    def enrol(self, request: EnrolRequest, key: str) -> MemberAnswer:
        """A new member, with a card or a phone. Raises InputError for a card that is not ours, ConflictError for a taken one."""
        act = partial(enrolment.enrol, self._desk, request)
        answer = self._desk.once(key, "enrol", request, MemberAnswer, act)
        self._devices.wake_printer()
        return answer

    def change(self, member_id: str, request: member_model.ChangeRequest, key: str) -> member_model.ProfileAnswer:
        """Change what is held on a member: consents, phone, state. Raises InputError, NotFoundError, ConflictError."""
        act = partial(profile.change, self._desk, member_id, request)
        return self._desk.once(key, f"change {member_id}", staff.hidden(request, "by"), member_model.ProfileAnswer, act)

    def let_in(self, request: member_model.LetInRequest, key: str) -> member_model.ProfileAnswer:
        """A blocked member may act again, by their card. Raises NotAllowedError, InputError, NotFoundError, ConflictError."""
        act = partial(profile.let_in, self._desk, request)
        return self._desk.once(key, "let in", staff.hidden(request, "by"), member_model.ProfileAnswer, act)

    def change_cards(self, member_id: str, request: member_model.CardRequest, key: str) -> member_model.ProfileAnswer:
        """Add a card, make one, mark one lost or found. Raises InputError, NotFoundError, ConflictError."""
        act = partial(cards.change_cards, self._desk, member_id, request)
        answer = self._desk.once(key, f"cards {member_id}", staff.hidden(request, "by"), member_model.ProfileAnswer, act)
        self._devices.wake_printer()
        return answer

    def send_code(self, member_id: str, request: member_model.CodeRequest, key: str) -> member_model.CodeAnswer:
        """Send a code to the member's phone; it goes out beside this. Raises NotFoundError, ConflictError."""
        act = partial(codes.send, self._desk, member_id, request)
        return self._desk.once(key, f"code {member_id}", request, member_model.CodeAnswer, act)

    def code_state(self, member_id: str) -> member_model.CodeAnswer:
        """Whether the code went out. Raises NotFoundError, ConflictError."""
        return codes.state(self._desk, member_id)

    def verify_phone(self, member_id: str, request: member_model.VerifyRequest, key: str) -> member_model.ProfileAnswer:
        """The phone is theirs, when the code is right. Raises NotFoundError, ConflictError."""
        act = partial(codes.verify, self._desk, member_id, request)
        return self._desk.once(key, f"verify {member_id}", request, member_model.ProfileAnswer, act)

    def profile(self, member_id: str) -> member_model.ProfileAnswer:
        """A member, blocked ones too. Raises NotFoundError, ConflictError for one who was erased."""
        profile.known(self._desk, member_id)
        return profile.of_profile(self._desk, member_id)

    def member_of(self, request: IdentifyRequest) -> str:
        """Whose card or phone it is, blocked members and lost cards too. Raises InputError, NotFoundError."""
        if request.card is not None and request.phone is None:
            found = profiles.by_card(self._desk.db, enrolment.number_of(self._desk, request.card))
            if found is not None:
                return found
        return enrolment.find(self._desk, request).member_id

    def held_on(self, member_id: str) -> member_model.Held:
        """All that is held on a member, personal fields opened. Raises NotFoundError."""
        return erasure.held_on(self._desk, member_id)

    def erase(self, member_id: str, request: member_model.EraseRequest, key: str) -> member_model.EraseAnswer:
        """Erase a member for ever, here and by the log at head office. Raises NotFoundError."""
        act = partial(erasure.erase, self._desk, member_id, request)
        kept = staff.hidden(request, "by")
        return erasure.cleaned(self._desk, self._desk.once(key, f"erase {member_id}", kept, member_model.EraseAnswer, act))

    def award(self, member_id: str, request: AwardRequest, key: str) -> AwardAnswer:
        """What the programme gives a member for an act other than buying. Raises InputError, NotFoundError, ConflictError."""
        act = partial(awards.award, self._desk, member_id, request)
        answer = self._desk.once(key, f"award {member_id}", request, AwardAnswer, act)
        log.info("member.awarded", member_id=member_id, act=request.act, accrued_centi=answer.accrued_centi)
        return answer

    def adjust(self, member_id: str, request: staff_model.AdjustRequest, key: str) -> staff_model.AdjustAnswer:
        """Points given or taken by hand. Raises NotAllowedError, InputError, NotFoundError, ConflictError."""
        act = partial(adjusting.adjust, self._desk, member_id, request)
        answer = self._desk.once(
            key, f"adjust {member_id}", staff.hidden(request, "by", "approval"), staff_model.AdjustAnswer, act
        )
        log.info("points.adjusted", member_id=member_id, centi=answer.centi, owed_centi=answer.owed_centi)
        return answer

    def claim(self, sale_id: str, request: staff_model.ClaimRequest, key: str) -> staff_model.ClaimAnswer:
        """Points for a receipt whose card was forgotten, on a senior's word. Raises as ``adjust`` does."""
        act = partial(claiming.claim, self._desk, sale_id, request)
        answer = self._desk.once(key, f"claim {sale_id}", staff.hidden(request, "approval"), staff_model.ClaimAnswer, act)
        log.info("sale.claimed", sale_id=sale_id, member_id=answer.member_id, accrued_centi=answer.accrued_centi)
        return answer

    def merge(self, member_id: str, request: staff_model.MergeRequest, key: str) -> staff_model.MergeAnswer:
        """One member goes over into another, on the word of two persons. Raises as ``adjust`` does."""
        act = partial(merging.merge, self._desk, member_id, request)
        answer = self._desk.once(key, f"merge {member_id}", staff.hidden(request, "by", "approval"), staff_model.MergeAnswer, act)
        log.info("member.merged", member_id=member_id, into=answer.into, moved_centi=answer.moved_centi)
        return answer

    def set_secret(self, member_id: str, request: staff_model.SecretRequest, key: str) -> staff_model.SecretAnswer:
        """What confirms the member's redemptions from now on. Raises NotFoundError, ConflictError."""
        plain = staff.hidden(replace(request, pin=None), "by")
        act = partial(confirming.set_secret, self._desk, member_id, request)
        return self._desk.once(key, f"secret {member_id}", plain, staff_model.SecretAnswer, act)

    def send_confirmation(self, member_id: str, request: staff_model.ConfirmationRequest) -> staff_model.ConfirmationAnswer:
        """Send a code that confirms one redemption. Raises NotAllowedError, ConflictError, NotFoundError."""
        return confirming.send(self._desk, member_id, request)

    def qr_uri(self, member_id: str) -> str:
        """The otpauth address of the member's rotating QR, for their phone. It is a secret: show it to the member only."""
        return confirming.qr_uri(self._desk, member_id)

    def card_qrs(self, member_id: str) -> tuple[str, ...]:
        """The texts of the signed QRs of the member's cards, for plastic and paper. They do not change."""
        return shown_cards.fixed_texts(self._desk, member_id)

    def acts(self, before: tuple[int, str, int] | None = None) -> staff_model.Acts:
        """Acts that a person answers for, newest first, from before a place on."""
        return acts.acts_of(self._desk.db, before)

    def gift_card(self, request: gift_card_model.GiftCardRequest) -> gift_card_model.GiftCardAnswer:
        """What a gift card holds. Raises InputError for a missing PIN, NotFoundError, ConflictError when it is locked."""
        return gift_cards.lookup(self._desk, request)

    def issue_gift_card(self, request: gift_card_model.IssueRequest, key: str) -> gift_card_model.GiftCardAnswer:
        """Give a gratis gift card; a person answers for it. Raises NotAllowedError, InputError, NotFoundError."""
        act = partial(gift_cards.issue, self._desk, request)
        answer = self._desk.once(key, "gift card issue", staff.hidden(request, "by"), gift_card_model.GiftCardAnswer, act)
        self._devices.wake_printer()
        return self._desk.gift_codes.told(self._turned("issued", answer))

    def freeze_gift_card(self, request: gift_card_model.FreezeRequest, key: str) -> gift_card_model.GiftCardAnswer:
        """Stop a gift card. Raises NotAllowedError, NotFoundError, ConflictError."""
        kept = replace(request, card=gift_cards.masked(self._desk, request.card))
        act = partial(gift_cards.freeze, self._desk, kept)
        return self._turned("frozen", self._desk.once(key, "gift card freeze", staff.hidden(kept, "by"), GiftCardAnswer, act))

    def unfreeze_gift_card(self, request: gift_card_model.FreezeRequest, key: str) -> gift_card_model.GiftCardAnswer:
        """Let a frozen gift card pay again. Raises NotAllowedError, NotFoundError, ConflictError."""
        kept = replace(request, card=gift_cards.masked(self._desk, request.card))
        act = partial(gift_cards.unfreeze, self._desk, kept)
        return self._turned("unfrozen", self._desk.once(key, "gift card unfreeze", staff.hidden(kept, "by"), GiftCardAnswer, act))

    def pay_back_gift_card(self, request: gift_card_model.PayBackRequest, key: str) -> gift_card_model.GiftCardAnswer:
        """Pay the unspent money of a bought gift card out. Raises NotAllowedError, InputError, NotFoundError, ConflictError."""
        kept = replace(request, card=gift_cards.masked(self._desk, request.card), pin=None)
        act = partial(gift_cards.pay_back, self._desk, kept, request.pin)
        answer = self._desk.once(key, "gift card pay back", staff.hidden(kept, "by"), GiftCardAnswer, act)
        return self._turned("paid_back", answer)

    def expire_gift_cards(self) -> int:
        """Book the money of gift cards that have run out; answers how many. Again changes nothing."""
        return gift_cards.expire_due(self._desk).count

    def set_tier(self, member_id: str, request: tier_model.TierRequest, key: str) -> tier_model.TierAnswer:
        """A senior's decision on a member's tier. Raises NotAllowedError, InputError, NotFoundError."""
        act = partial(tiers.set_tier, self._desk, member_id, request)
        answer = self._desk.once(key, f"tier {member_id}", staff.hidden(request, "by"), tier_model.TierAnswer, act)
        log.info("member.tier_set", member_id=member_id, tier=answer.tier)
        return answer

    def print_again(self, sale_id: str, request: PrintRequest, key: str) -> PrintAnswer:
        """Queue a receipt once more, as a marked copy. Raises NotFoundError."""
        act = partial(copies.of_sale, self._desk, sale_id, request)
        return self._queued(self._desk.once(key, f"print {sale_id}", request, PrintAnswer, act))

    def print_return(self, return_id: str, request: PrintRequest, key: str) -> PrintAnswer:
        """Queue the slip of a return of this till once more, as a marked copy. Raises NotFoundError, ConflictError."""
        act = partial(copies.of_return, self._desk, return_id, request)
        return self._queued(self._desk.once(key, f"print return {return_id}", request, PrintAnswer, act))

    def _queued(self, answer: PrintAnswer) -> PrintAnswer:
        self._devices.wake_printer()
        return answer

    def open_drawer(self, request: drawer.DrawerRequest, key: str) -> drawer.DrawerAnswer:
        """Ask the cash drawer to open. Raises ConflictError when none hangs on this till's printer."""
        answer = drawer.open_now(self._desk, request, key)
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
        sender, logo = self._desk.sender, self._desk.logo_problem
        problems = (*self._devices.problems(), *(sender.problems() if sender is not None else ()), *((logo,) if logo else ()))
        return health_of(self._desk, problems)

    def _turned(self, act: str, answer: gift_card_model.GiftCardAnswer) -> gift_card_model.GiftCardAnswer:
        log.info("gift_card.changed", act=act, card_id=answer.card_id, balance_minor=answer.balance_minor)
        return answer

    def unfinished(self) -> Unfinished:
        """What was left unfinished here, and what to do about each thing."""
        return unfinished.unfinished(self._desk)

    def nightly(self) -> NightReport:
        """Run the nightly jobs now. Twice, or with nights missed, the file is as after one run."""
        return NightReport(jobs=nightly.run(self._desk))

    def _stored(self, answer: SaleAnswer) -> SaleAnswer:
        due_minor, receipt_no = answer.quote.due_minor, answer.receipt_no
        log.info("sale.stored", sale_id=answer.sale_id, state=answer.state, due_minor=due_minor, receipt_no=receipt_no)
        self._desk.buyer.tell(Sold(answer))
        self._devices.wake_printer()
        if not answer.gift_cards:
            return answer
        return replace(answer, gift_cards=tuple(self._desk.gift_codes.told(card) for card in answer.gift_cards))
