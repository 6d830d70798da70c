"""Changing what is held on a member: what was asked for, sealed where it is personal, becomes one fact."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from drivers.symbology import mask
from pos_loyalty.clock import random_bits
from pos_loyalty.engine.model import Member
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import follow, members, merges, profiles
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_facts import (
    AttributeChange,
    BirthdayChange,
    Change,
    ChangeFact,
    ConsentChange,
    DateChange,
    NameChange,
    PhoneChange,
    ReferralCode,
    SourceChange,
    StateChange,
)
from pos_loyalty.store.member_keys import BIRTHDAY_PLACE, CODE_PLACE, INDEX_PLACE
from pos_loyalty.store.profiles import Profile
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.enrolment import consent_of, index_of
from pos_loyalty.till.member_model import (
    CardShown,
    ChangeRequest,
    GiveConsent,
    MakeReferralCode,
    ProfileAnswer,
    SetAttribute,
    SetBirthday,
    SetDate,
    SetName,
    SetPhone,
    SetSource,
    SetState,
    Wish,
)
from pos_loyalty.till.person import Sealer, check_reason

CODE_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""None that is read for another."""
CODE_LENGTH = 8
TRIES_MAX = 100


class Word:
    """Who says so, for the fact: the cashier, and the person who answers for it."""

    def __init__(self, cashier: str, by: str, reason: str) -> None:
        self.cashier = cashier
        self.by = by
        self.reason = reason


def change(desk: Desk, member_id: str, request: ChangeRequest, keep: Keep[ProfileAnswer]) -> ProfileAnswer:
    """Change a member. Raises InputError, NotFoundError, ConflictError with the reason, NotAllowedError for a wrong PIN."""
    now = desk.now()
    profile = known(desk, member_id)
    check_reason(desk, member_id, request.reason)
    by = person_behind(desk, request.by)
    sealer = Sealer(desk, member_id)
    changes = tuple(_change_of(desk, profile, sealer, wish, by) for wish in request.changes)
    with write(desk.db):
        sealer.keep()
        book(desk, member_id, changes, Word(request.cashier, by, request.reason), now)
        return keep(of_profile(desk, member_id))


def known(desk: Desk, member_id: str) -> Profile:
    """The member, active or blocked. Raises NotFoundError, ConflictError for one who was erased or is another by now."""
    profile = profiles.by_id(desk.db, member_id)
    if profile is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    if profile.state == "erased":
        raise ConflictError("This member was erased: nothing is held on them any more; enrol them anew.")
    if profile.state == "merged":
        raise ConflictError(f"This member went over into {merges.current(desk.db, member_id)}; change that one.")
    return profile


def person_behind(desk: Desk, by: Approval | None) -> str:
    """The name of who gave their word, empty where nobody did. Raises NotAllowedError. Outside of a transaction, as ``check``."""
    return "" if by is None else staff.check(desk, by)


def book(desk: Desk, member_id: str, changes: tuple[Change, ...], word: Word, now: datetime) -> None:
    """One fact with all changes, inside the caller's transaction."""
    body = ChangeFact(member_id=member_id, by=word.by or word.cashier, reason=word.reason, changes=changes)
    draft = Draft(
        id=desk.new_id(),
        kind="member.changed",
        store=desk.config.store.id,
        member=member_id,
        cashier=word.cashier or None,
        body=body,
    )
    follow.book(desk.db, draft, now)


def of_profile(desk: Desk, member_id: str) -> ProfileAnswer:
    """A member as they stand now."""
    profile = profiles.by_id(desk.db, member_id)
    assert profile is not None
    cards = profiles.cards_of(desk.db, member_id)
    return ProfileAnswer(
        member_id=member_id,
        state=profile.state,
        phone=profile.phone,
        consents=profiles.consents_in_force(desk.db, member_id),
        cards=tuple(CardShown(card=mask(card.number), state=card.state) for card in cards),
        referral_code=profile.referral_code,
        has_birthday=profile.birthday is not None,
    )


def _change_of(desk: Desk, profile: Profile, sealer: Sealer, wish: Wish, by: str) -> Change:
    match wish:
        case GiveConsent(purpose=purpose, given=given, channel=channel, text_version=text):
            if given:
                return consent_of(desk, purpose, channel, text)
            return ConsentChange(purpose=purpose, given=False, text_version=text or "", channel=channel)
        case SetName(name=name):
            return NameChange(sealed=sealer.field("self:name", name))
        case SetPhone(phone=phone):
            made = _phone(desk, profile, sealer, phone)
            if profile.phone == "verified" and not made.verified and not by:
                raise ConflictError(
                    'The phone was shown to be theirs; send a name and a PIN in "by": a person answers for another.'
                )
            return made
        case SetAttribute(name=name, value=value):
            return AttributeChange(name=name, sealed=None if value is None else sealer.field(f"attribute:{name}", value))
        case SetDate(name=name, day=day):
            return DateChange(name=name, sealed=None if day is None else sealer.field(f"date:{name}", day))
        case SetBirthday(birthday=birthday):
            if profile.birthday not in (None, birthday) and not by:
                raise ConflictError(
                    'The birthday was entered before; send a name and a PIN in "by": a person answers for another one.'
                )
            return BirthdayChange(sealed=None if birthday is None else sealer.field(BIRTHDAY_PLACE, birthday))
        case SetState(state=state):
            if not by:
                raise InputError(
                    "$.by",
                    "send the name and the PIN of who answers for it: a member is blocked and let in again by a person's word",
                )
            return StateChange(state=state)
        case SetSource(origin=origin, drive=drive):
            return SourceChange(origin=origin, drive=drive)
        case MakeReferralCode(code=code):
            return ReferralCode(sealed=sealer.field(CODE_PLACE, _own_code(desk, profile, code)))
        case _:
            assert_never(wish)


def _phone(desk: Desk, profile: Profile, sealer: Sealer, phone: str | None) -> PhoneChange:
    if phone is None:
        return PhoneChange(sealed=sealer.field("self:phone", ""))
    index = index_of(desk, phone)
    other: Member | None = members.by_phone_index(desk.db, index)
    if other is not None and other.member_id != profile.member_id:
        raise ConflictError("This phone belongs to another member; find them by phone, or merge the two.")
    is_same = index == profile.phone_index and profile.phone == "verified"
    sealed_index = sealer.field(INDEX_PLACE, index.hex())
    return PhoneChange(sealed=sealer.field("self:phone", phone), index=sealed_index, verified=is_same)


def _own_code(desk: Desk, profile: Profile, wished: str | None) -> str:
    """The code that was wished for, the one that stands, or a new one."""
    if wished is None and profile.referral_code is not None:
        return profile.referral_code
    if wished is not None:
        if profiles.by_referral_code(desk.db, wished) not in (None, profile.member_id):
            raise ConflictError("This code is another member's; choose another one.")
        return wished
    for _ in range(TRIES_MAX):
        serial = random_bits(desk.new_id())
        code = "".join(CODE_SIGNS[serial >> 5 * n & 31] for n in range(CODE_LENGTH))
        if profiles.by_referral_code(desk.db, code) is None:
            return code
    raise ConflictError("No code was found that nobody has; name one.")
