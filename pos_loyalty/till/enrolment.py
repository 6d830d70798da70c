"""Finding a member by card or phone, and making a new one. Card numbers and phones are masked before they are told or logged."""

from __future__ import annotations

from drivers.symbology import mask, member_card
from pos_loyalty.engine.model import Member
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import ledger, members, seal
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till import answers
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, MemberAnswer


def find(desk: Desk, request: IdentifyRequest) -> Member:
    """The member of a card or a phone. Raises InputError, NotFoundError."""
    if (request.card is None) == (request.phone is None):
        raise InputError("$", 'send exactly one of "card" and "phone"')
    if request.card is not None:
        number = _number(desk, request.card)
        member = members.by_card(desk.db, number)
        what = f"Card {mask(request.card)}"
        state = members.card_state(desk.db, number)
        if member is None and state != "unknown":
            raise ConflictError(f"{what} is {state}: it may not be used. Sell without it, or ask the shop's office.")
    else:
        member = members.by_phone_index(desk.db, _phone_index(desk, request.phone or ""))
        what = "This phone"
    if member is None:
        raise NotFoundError(f"{what} is not known here: sell without it, or enrol a new member.")
    return member


def masked(card: str | None) -> str | None:
    """The card with only its last signs readable."""
    return None if card is None else mask(card)


def enrol(desk: Desk, request: EnrolRequest, keep: Keep[MemberAnswer]) -> MemberAnswer:
    """A new member: personal fields only sealed under the member's own key; the key stands outside of the log."""
    now = desk.now()
    number = _number(desk, request.card)
    if members.card_state(desk.db, number) != "unknown":
        raise ConflictError(f"Card {mask(number)} belongs to a member already; take a new card.")
    member_id = desk.new_id().hex
    key = seal.make_key()
    personal = seal.Personal(name=request.name, phone=request.phone or "", consents=request.consents)
    phone_index = None if request.phone is None else _phone_index(desk, request.phone)
    if phone_index is not None and members.by_phone_index(desk.db, phone_index) is not None:
        raise ConflictError("This phone belongs to a member already; find them by phone.")
    referrer = None if request.referrer_card is None else find(desk, IdentifyRequest(card=request.referrer_card))
    fact = Enrolment(
        member_id=member_id,
        card=number,
        referred_by=None if referrer is None else referrer.member_id,
        birthday=request.birthday,
        phone_index=None if phone_index is None else phone_index.hex(),
        personal=seal.seal_personal(member_id, personal, key),
    )
    with write(desk.db):
        sealed_key = seal.seal_key(member_id, key, desk.secrets.master_key)
        members.add(desk.db, fact, sealed_key, now)
        draft = Draft(
            id=desk.new_id(),
            kind="member.enrolled",
            store=desk.config.store.id,
            member=member_id,
            cashier=request.cashier,
            body=fact,
        )
        ledger.append(desk.db, draft, now)
        member = members.by_id(desk.db, member_id)
        assert member is not None
        return keep(answers.of_member(desk, member, mask(number), now))


def _number(desk: Desk, code: str) -> str:
    """The card number in a code that was read or typed. Raises InputError when it is not one of our cards."""
    number = member_card(code, None, desk.config.card)
    if number is None:
        raise InputError("$.card", f"{mask(code)} is not a member card of this shop")
    return number


def _phone_index(desk: Desk, phone: str) -> bytes:
    return seal.phone_index(phone, desk.secrets.pepper)
