"""A member's cards: one more, one made at once, one lost, one found. A lost card finds nobody, and the member's others go on."""

from __future__ import annotations

from msgspec.structs import replace

from drivers.symbology import mask
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError
from pos_loyalty.store import profiles
from pos_loyalty.store.db import write
from pos_loyalty.store.member_facts import CardAdded, CardStateChange, Change
from pos_loyalty.till import card_numbers, profile
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.enrolment import free_number, number_of
from pos_loyalty.till.member_model import CardRequest, ProfileAnswer

CARDS_MAX = 64
"""Of one member: so many go over the line."""


def change_cards(desk: Desk, member_id: str, request: CardRequest, keep: Keep[ProfileAnswer]) -> ProfileAnswer:
    """Change a member's cards. Raises InputError, NotFoundError, ConflictError with the reason, NotAllowedError."""
    now = desk.now()
    profile.known(desk, member_id)
    if request.found is not None and request.by is None:
        raise NotAllowedError("A lost card acts again on a person's word: send a name and a PIN in by.")
    by = profile.person_behind(desk, request.by)
    changes: list[Change] = []
    if request.lost is not None:
        changes.append(CardStateChange(card=_own(desk, member_id, request.lost), state="lost"))
    if request.found is not None:
        changes.append(CardStateChange(card=_own(desk, member_id, request.found), state="active"))
    if request.card is not None:
        changes.append(CardAdded(card=free_number(desk, request.card)))
    if not changes and not request.new_card:
        raise InputError("$", 'name a "card" to add, one that is "lost" or "found", or ask for a "new_card"')
    if len(profiles.cards_of(desk.db, member_id)) + len(changes) >= CARDS_MAX:
        raise ConflictError(f"A member has at most {CARDS_MAX} cards.")
    made: str | None = None
    with write(desk.db):
        if request.new_card:
            made = card_numbers.make(desk)
            changes.append(CardAdded(card=made))
            card_numbers.queue_slip(desk, made)
        profile.book(desk, member_id, tuple(changes), profile.Word(request.cashier, by, request.reason), now)
        return keep(replace(profile.of_profile(desk, member_id), made_card=made))


def _own(desk: Desk, member_id: str, code: str) -> str:
    """A card of the member, by its number or as it is shown: a lost card's number is with who found it."""
    shown = [card.number for card in profiles.cards_of(desk.db, member_id) if mask(card.number) == code]
    if len(shown) > 1:
        raise ConflictError(f"Several cards of this member look like {code}; name the whole number.")
    number = shown[0] if shown else number_of(desk, code)
    if profiles.by_card(desk.db, number) != member_id:
        raise ConflictError(f"Card {mask(number)} is not a card of this member.")
    return number
