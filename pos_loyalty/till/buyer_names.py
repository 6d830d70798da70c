"""What of a member may turn to the buyer. Rule: points always; a first name only where the shop wants it, the member agreed, and
it is plain which word it is; nothing that cannot be read here stops a price.
"""

from __future__ import annotations

import re

from pos_loyalty.engine.model import Member, Quote
from pos_loyalty.errors import StoreError
from pos_loyalty.store import profiles
from pos_loyalty.till.buyer import Priced
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.till.person import person_of

WORDS_MAX, SIGNS_MAX = 4, 20
NAME = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
PATRONYMIC = re.compile(r"(?:[оеё]вич|[оеё]вна|ична|инична|ильич|кузьмич|лукич|фомич)$", re.IGNORECASE)


def priced(desk: Desk, request: QuoteRequest, quote: Quote, member: Member | None) -> Priced:
    """A price, as the buyer's displays are told of it."""
    if member is None:
        return Priced(request.basket, quote, None)
    try:
        name, code = _shown_name(desk, member.member_id), _referral(desk, member.member_id)
    except StoreError:
        name = code = ""
    return Priced(request.basket, quote, member.lots, name, code)


def _shown_name(desk: Desk, member_id: str) -> str:
    display = desk.config.display
    if display is None or not display.first_name or "data" not in profiles.consents_in_force(desk.db, member_id):
        return ""
    person = person_of(desk, member_id)
    return "" if person is None else first_name(person.name)


def _referral(desk: Desk, member_id: str) -> str:
    """The member's own code for friends, where the shop's receipts tell of it."""
    profile = profiles.by_id(desk.db, member_id) if desk.config.receipt.referral else None
    return "" if profile is None else profile.referral_code or ""


def first_name(name: str) -> str:
    """The first name in a whole one: a name of one word, or the word before a patronymic. A surname is never taken for it."""
    words = name.split()
    if len(words) > WORDS_MAX or not all(NAME.fullmatch(word) for word in words):
        return ""
    if len(words) == 1:
        return words[0] if len(words[0]) <= SIGNS_MAX else ""
    places = [place for place, word in enumerate(words) if place and PATRONYMIC.search(word)]
    return words[places[-1] - 1][:SIGNS_MAX] if places else ""
