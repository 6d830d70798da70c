"""Finding a member by card or phone, and making a new one. Card numbers and phones are masked before they are told or logged."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from drivers.symbology import mask
from pos_loyalty.engine.model import Member
from pos_loyalty.errors import ConflictError, InputError, MemberBlockedError, NotFoundError
from pos_loyalty.store import follow, members, profiles, seal, snapshot_state
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_facts import ConsentChange, Purpose
from pos_loyalty.store.phone_hashes import hash_some
from pos_loyalty.till import answers, card_numbers, card_qr, consent_slips
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, MemberAnswer
from pos_loyalty.till.nightly_model import JobDone
from pos_loyalty.till.shown_cards import number_of as number_of

PHONES_IN_NIGHT = 500
"""Some 100 ms each, in a thread of their own."""


def find(desk: Desk, request: IdentifyRequest) -> Member:
    """The member of a card or a phone. Raises InputError, NotFoundError."""
    if (request.card is None) == (request.phone is None):
        raise InputError("$", 'send exactly one of "card" and "phone"')
    if request.card is not None:
        number = number_of(desk, request.card)
        member = members.by_card(desk.db, number)
        what = f"Card {masked(request.card)}"
        state = members.card_state(desk.db, number)
        if state == "blocked":
            raise MemberBlockedError(
                f"{what} is blocked: it may not be used. Sell without it, or let them in on a person's word."
            )
        if member is None and state != "unknown":
            raise ConflictError(f"{what} is {state}: it may not be used. Sell without it, or ask the shop's office.")
    else:
        member = members.by_phone_index(desk.db, index_of(desk, request.phone or ""))
        what = "This phone"
    if member is None and snapshot_state.standing(desk.db) is not None:
        raise NotFoundError(f"{what} is not known here yet, members are still coming: sell without it, or try again in a minute.")
    if member is None:
        raise NotFoundError(f"{what} is not known here: sell without it, or enrol a new member.")
    return member


def masked(card: str | None) -> str | None:
    """The card with only its last signs readable, however it was shown."""
    shown = None if card is None else card_qr.parsed(card)
    return None if card is None else mask(card if shown is None else shown.card)


def enrol(desk: Desk, request: EnrolRequest, keep: Keep[MemberAnswer]) -> MemberAnswer:
    """A new member: personal fields only sealed under the member's own key; the key stands outside of the log.

    Without a card of any kind it is a lead: known by phone, until a card is added.
    """
    now = desk.now()
    if request.card is not None and request.new_card:
        raise InputError("$.new_card", "a card is given already; send one of the two")
    if request.card is None and not request.new_card and request.phone is None:
        raise InputError("$.card", "give a card or a phone, or let a card be made: else nobody could find the member again")
    number = None if request.card is None else free_number(desk, request.card)
    member_id, key = desk.new_id().hex, seal.make_key()
    fact = _fact_of(desk, request, member_id, number, key)
    with write(desk.db):
        if request.new_card:
            number = card_numbers.make(desk)
            fact = replace(fact, card=number)
        members.add(desk.db, fact, seal.seal_key(member_id, key, desk.secrets.master_key), now)
        draft = Draft(
            id=desk.new_id(),
            kind="member.enrolled",
            store=desk.config.store.id,
            member=member_id,
            cashier=request.cashier,
            body=fact,
        )
        follow.book(desk.db, draft, now)
        consent_slips.queue(desk, fact, masked(number), request.cashier)
        return keep(_answer(desk, request, member_id, number, now))


def free_number(desk: Desk, code: str) -> str:
    """A card number that nobody has. Raises InputError, ConflictError."""
    number = number_of(desk, code)
    if members.card_state(desk.db, number) != "unknown":
        raise ConflictError(f"Card {mask(number)} belongs to a member already; take a new card.")
    return number


def index_of(desk: Desk, phone: str) -> bytes:
    """The slow hash of a phone. Raises InputError."""
    return seal.phone_index(phone, desk.secrets.pepper)


def consent_of(desk: Desk, purpose: Purpose, channel: str, text_version: str | None = None) -> ConsentChange:
    """A consent to the text that is in force at this till, or to the one named."""
    texts = {"data": desk.config.consent.data, "advertising": desk.config.consent.advertising}
    return ConsentChange(purpose=purpose, given=True, text_version=text_version or texts[purpose], channel=channel)


def _fact_of(desk: Desk, request: EnrolRequest, member_id: str, number: str | None, key: bytes) -> Enrolment:
    phone_index = None if request.phone is None else index_of(desk, request.phone)
    if phone_index is not None and members.by_phone_index(desk.db, phone_index) is not None:
        raise ConflictError("This phone belongs to a member already; find them by phone.")
    personal = seal.Personal(
        name=request.name,
        phone=request.phone or "",
        phone_index=None if phone_index is None else phone_index.hex(),
        birthday=request.birthday,
    )
    return Enrolment(
        member_id=member_id,
        card=number,
        referred_by=_referrer(desk, request),
        personal=seal.seal_personal(member_id, personal, key),
        consents=tuple(consent_of(desk, purpose, request.channel) for purpose in dict.fromkeys(request.consents)),
        origin=request.origin,
        drive=request.drive,
    )


def _referrer(desk: Desk, request: EnrolRequest) -> str | None:
    """Who brought the new member, by card or by their own code."""
    if request.referrer_card is not None and request.referrer_code is not None:
        raise InputError("$.referrer_code", "a card of who brought them is given already; send one of the two")
    if request.referrer_card is not None:
        return find(desk, IdentifyRequest(card=request.referrer_card)).member_id
    if request.referrer_code is None:
        return None
    found = profiles.by_referral_code(desk.db, request.referrer_code.strip().upper())
    if found is None:
        raise NotFoundError("This friend's code is not known here: enrol without it, or ask for the friend's card.")
    return found


def _answer(desk: Desk, request: EnrolRequest, member_id: str, number: str | None, now: datetime) -> MemberAnswer:
    member = members.by_id(desk.db, member_id)
    assert member is not None
    answer = answers.of_member(desk, member, masked(number), now)
    if request.new_card and number is not None:
        card_numbers.queue_slip(desk, number)
        return replace(answer, made_card=number)
    return answer


def hash_waiting(desk: Desk) -> JobDone:
    """Hash imported phones that wait, a nightly job. What is cut off goes on with the next phone."""
    done = hash_some(desk.db, (desk.secrets.pepper, desk.secrets.master_key), PHONES_IN_NIGHT, desk.now(), desk.new_id)
    return JobDone(count=done.hashed)
