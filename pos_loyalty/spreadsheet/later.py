"""Two seams: what an import hands on to the parts that own it. Each is one function, so that it is wired in one place.

``later_phone`` puts a phone into the queue of those that wait for their slow hash, ``add_cards`` books cards of members.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence

from pos_loyalty.clock import new_id
from pos_loyalty.store import follow, members, seal
from pos_loyalty.store.db import Connection
from pos_loyalty.store.imports import Booking
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_facts import CardAdded, CardStateChange, Change, ChangeFact
from pos_loyalty.store.phone_hashes import PLACE, put_phone_todo
from pos_loyalty.values import Value


class NewCard(Value):
    """A card of a member who is here."""

    number: str
    member_id: str
    state: str


def later_phone(db: Connection, member_id: str, phone: str, key: bytes) -> None:
    """The phone of a new member waits for its slow hash, sealed; until then they are found by card. Inside ``write()``."""
    put_phone_todo(db, member_id, b64decode(seal.seal_field(member_id, PLACE, phone, key)))


def add_cards(db: Connection, cards: Sequence[NewCard], booking: Booking) -> None:
    """Book cards by facts "member.changed", inside ``write()``."""
    for card in cards:
        changes: tuple[Change, ...] = (CardAdded(card=card.number),)
        if card.state == "lost":
            changes += (CardStateChange(card=card.number, state="lost"),)
        body = ChangeFact(member_id=card.member_id, by=booking.by, reason="import", changes=changes)
        draft = Draft(
            id=new_id(), kind="member.changed", store=booking.store, cashier=booking.by, member=card.member_id, body=body
        )
        follow.book(db, draft, booking.now)
        if booking.is_office:
            members.touch(db, card.member_id)
