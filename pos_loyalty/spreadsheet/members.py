"""Members out of a table: each an enrolment of its own, personal fields sealed under a fresh key as at the till."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.clock import new_id
from pos_loyalty.near import nearest
from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.later import later_phone
from pos_loyalty.spreadsheet.model import RefusedError, Row, Setting
from pos_loyalty.spreadsheet.people import SEVERAL, People, card_number, member_id, read
from pos_loyalty.store import imports, seal
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.member_facts import ConsentChange, Purpose
from pos_loyalty.values import Value

CONSENTS: tuple[Purpose, ...] = ("data", "advertising")
CHANNEL = "import"
COME_LATER = "bring further cards with import cards"


class NewMember(Value):
    """A member as a row says. ``member_id`` is None until it is known whose the row is."""

    member_id: str | None
    card: str | None
    phone: str | None
    personal: seal.Personal
    tier: str | None = None
    segments: tuple[str, ...] = ()
    joined_at: datetime | None = None
    referred_by: str | None = None
    consents: tuple[Purpose, ...] = ()


class MemberWork:
    """The Work of members."""

    def __init__(self, db: Connection, people: People) -> None:
        self._db = db
        self._people = people
        self._setting: Setting = people.setting

    def read(self, row: Row) -> NewMember:
        """Whose the row is, and what it says of them."""
        named, card = read(row, "member", member_id), card_number(row, "card", self._setting)
        phone = read(row, "phone", seal.normal_phone)
        if named is None and card is None and phone is None:
            raise RefusedError("card", "the row names nobody; fill in a member, a card or a phone")
        if named is not None and phone is not None and _is_phone(named, phone):
            raise RefusedError("member", "an id stands in links and logs and may not be the phone; leave it empty to get one")
        if (read(row, "state", str.casefold) or "active") not in ("active", "активен", "действует"):
            raise RefusedError("state", "only active members are imported")
        consents = tuple(kind for kind in CONSENTS if read(row, f"{kind}_consent", cells.yes))
        return NewMember(
            member_id=named,
            card=card,
            phone=phone,
            personal=seal.Personal(
                name=read(row, "name", cells.words) or "", phone=phone or "", birthday=read(row, "birthday", cells.month_day)
            ),
            tier=read(row, "tier", self._tier),
            segments=read(row, "segments", cells.listed) or (),
            joined_at=read(row, "joined", self._past),
            referred_by=read(row, "referred_by", member_id),
            consents=consents,
        )

    def is_new(self, row: int, one: NewMember) -> bool:
        """Whether nobody has the id, the card and the phone; who has all that are named stands already."""
        keys = {"member": one.member_id, "card": one.card, "phone": one.phone}
        self._people.check_once(keys)
        is_new = self._is_nobody(one)
        self._people.note(row, keys)
        return is_new

    def _is_nobody(self, one: NewMember) -> bool:
        by_card = self._people.holder_of_card(one.card)
        by_phone = self._people.holder_of_phone(one.phone)
        if by_phone == SEVERAL:
            raise RefusedError("phone", "several members share this phone already", "taken")
        who = one.member_id or by_card or by_phone
        if who is None:
            return True
        if by_card not in (None, who):
            raise RefusedError("card", f"belongs to member {by_card} already", "taken")
        if by_phone not in (None, who):
            raise RefusedError("phone", f"belongs to member {by_phone} already", "taken")
        state = self._people.state(who)
        if state is None:
            return True
        if state == "erased":
            raise RefusedError("member", "was erased, and may not come back under this id", "taken")
        if one.card is not None and by_card is None:
            raise RefusedError("card", f"member {who} is here without this card; {COME_LATER}", "taken")
        return False

    def ready(self, one: NewMember) -> NewMember:
        """Give an id."""
        given = one.member_id or (new_id().hex if one.card is None else imports.member_of_card(one.card))
        return replace(one, member_id=given)

    def write(self, batch: Sequence[NewMember]) -> None:
        """Enrol."""
        booking = self._people.booking()
        with write(self._db):
            for one in batch:
                key = seal.make_key()
                enrolment = self._enrolment(one, key)
                sealed_key = seal.seal_key(enrolment.member_id, key, self._setting.master_key)
                imports.enrol(self._db, enrolment, sealed_key, booking)
                if one.phone is not None:
                    later_phone(self._db, enrolment.member_id, one.phone, key)

    def _enrolment(self, one: NewMember, key: bytes) -> Enrolment:
        assert one.member_id is not None
        return Enrolment(
            member_id=one.member_id,
            card=one.card,
            tier=one.tier,
            referred_by=one.referred_by,
            personal=seal.seal_personal(one.member_id, one.personal, key),
            segments=one.segments,
            joined_at=one.joined_at,
            consents=tuple(ConsentChange(purpose=purpose, given=True, channel=CHANNEL) for purpose in one.consents),
        )

    def _tier(self, text: str) -> str:
        tiers = self._setting.tiers
        if tiers is None:
            return cells.words(text, 128)
        found = tiers.get(text.casefold())
        if found is None:
            near = nearest(text, tiers)
            hint = "" if near is None else f'; did you mean "{near}"?'
            raise ValueError(f'"{text[: cells.SHOWN_MAX]}" is not a tier of the programme{hint}')
        return found

    def _past(self, text: str) -> datetime:
        at = cells.moment(text, self._setting.zone)
        if at > self._setting.now():
            raise ValueError("lies in the future")
        return at


def _is_phone(text: str, phone: str) -> bool:
    digits = "".join(sign for sign in text if sign.isdigit())
    return len(digits) >= seal.RUSSIAN_DIGITS and phone.endswith(digits[-seal.RUSSIAN_DIGITS :])
