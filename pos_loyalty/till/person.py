"""A member's sealed fields, sealed and opened with the keys of this till. What is opened goes to who asked, and nowhere else."""

from __future__ import annotations

import re

from msgspec.structs import replace

from pos_loyalty.engine.model import Member, Refusal
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store import members, profiles, seal
from pos_loyalty.store.member_changes import NAME, PHONE
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.member_model import Person
from pos_loyalty.till.wants import Wants

WORD = re.compile(r"\w+")
NAME_MIN = 3
"""Signs of a name that is looked for: a letter alone is an initial."""
PHONE_END = 7
"""Of a phone: without country and town."""
DAYS_LEFT = "days:"
"""In what a refusal has, however deep the condition stands: how far a day of the person's own is."""
DAY_SIGNS = 5
"""Of a date: its month and day, without a year."""


class Sealer:
    """Seals fields of one member. The key is made when none is here, and kept with the fact: see ``keep``."""

    def __init__(self, desk: Desk, member_id: str) -> None:
        self._desk = desk
        self._member_id = member_id
        self._made: bytes | None = None
        sealed = members.sealed_key(desk.db, member_id)
        self._key = None if sealed is None else seal.open_key(member_id, sealed, desk.secrets.master_key)

    def field(self, place: str, text: str) -> str:
        """The field, sealed for its place."""
        return seal.seal_field(self._member_id, place, text, self._held_key())

    def secret(self, secret: bytes) -> str:
        """What confirms the member's redemptions, sealed."""
        return seal.seal_secret(self._member_id, secret, self._held_key())

    def keep(self) -> None:
        """Store the key that was made. Called inside the transaction of the fact."""
        if self._made is not None:
            members.add_key(
                self._desk.db, self._member_id, seal.seal_key(self._member_id, self._made, self._desk.secrets.master_key)
            )

    def _held_key(self) -> bytes:
        if self._key is None:
            self._key = self._made = seal.make_key()
        return self._key


def person_of(desk: Desk, member_id: str) -> Person | None:
    """All that opens here; None without a key."""
    keys = [seal.open_key(member_id, sealed, desk.secrets.master_key) for sealed in members.sealed_keys(desk.db, member_id)]
    if not keys:
        return None
    found: dict[str, dict[str, str]] = {"self": {}, "attribute": {}, "date": {}}
    personal = members.personal(desk.db, member_id)
    enrolled = seal.Personal() if personal is None else _personal(member_id, personal, keys)
    for each in profiles.attributes_of(desk.db, member_id):
        text = _opened(member_id, each.place, each.sealed, keys)
        if text is not None:
            found[each.kind][each.name] = text
    return Person(
        name=found["self"].get(NAME, enrolled.name),
        phone=found["self"].get(PHONE, enrolled.phone),
        attributes=found["attribute"],
        dates=found["date"],
    )


def with_profile(desk: Desk, member: Member, wants: Wants) -> Member:
    """The member with attributes and named dates, when the programme asks for them and their key is here."""
    if not wants.profile:
        return member
    person = person_of(desk, member.member_id)
    if person is None:
        return member
    return replace(member, profile=person.attributes, dates={name: day[-DAY_SIGNS:] for name, day in person.dates.items()})


def check_reason(desk: Desk, member_id: str, reason: str) -> None:
    """A reason stays in the log when the member is erased. Raises InputError when it names them, as far as this till knows."""
    person = person_of(desk, member_id) if reason else None
    if person is None:
        return
    words = set(WORD.findall(reason.casefold()))
    digits = "".join(sign for sign in reason if sign in seal.ASCII_DIGITS)
    own = "".join(sign for sign in person.phone if sign in seal.ASCII_DIGITS)[-PHONE_END:]
    names = (word for word in WORD.findall(person.name.casefold()) if len(word) >= NAME_MIN)
    if any(name in words for name in names) or (len(own) == PHONE_END and own in digits):
        raise InputError("$.reason", "names the member, and stays in the log when they are erased; say it without name and phone")


def without_days(refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """What may be logged of why rules did not apply: who reads how many days are left to a birthday knows the day."""
    return tuple(each for each in refusals if DAYS_LEFT not in each.have)


def _personal(member_id: str, sealed: bytes, keys: list[bytes]) -> seal.Personal:
    for key in keys:
        try:
            return seal.open_personal(member_id, sealed, key)
        except StoreError:
            continue
    return seal.Personal()


def _opened(member_id: str, place: str, sealed: bytes, keys: list[bytes]) -> str | None:
    for key in keys:
        try:
            return seal.open_field(member_id, place, sealed, key)
        except StoreError:
            continue
    return None
