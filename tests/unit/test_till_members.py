"""Enrolment: the person is stored only sealed, the card is taken once, the phone finds the member."""

from __future__ import annotations

import pytest

from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest
from tests.shop import CARD, OTHER_CARD, Shop

NAME, PHONE = "Иван Грозный", "+7 900 123-45-67"


def test_a_new_member_is_found_by_card_and_phone_and_named_nowhere(shop: Shop) -> None:
    answer = shop.till.enrol(EnrolRequest(card=OTHER_CARD, name=NAME, phone=PHONE, consents=("data",)), "key")
    assert shop.till.identify(IdentifyRequest(card=OTHER_CARD)).member_id == answer.member_id
    assert shop.till.identify(IdentifyRequest(phone="8 (900) 123-45-67")).member_id == answer.member_id
    assert verify(shop.db) == ()
    shop.till.close()
    for file in shop.folder.iterdir():
        data = file.read_bytes()
        assert NAME.encode() not in data and b"9001234567" not in data and b"900 123" not in data, file.name


def test_a_card_is_taken_once(shop: Shop) -> None:
    before = shop.rows()
    with pytest.raises(ConflictError, match="belongs to a member already"):
        shop.till.enrol(EnrolRequest(card=CARD), "key")
    assert shop.rows() == before


def test_a_foreign_code_is_no_card(shop: Shop) -> None:
    with pytest.raises(InputError, match="not a member card of this shop"):
        shop.till.enrol(EnrolRequest(card="4601234567893"), "key")


def test_exactly_one_of_card_and_phone(shop: Shop) -> None:
    with pytest.raises(InputError, match="exactly one"):
        shop.till.identify(IdentifyRequest())
    with pytest.raises(InputError, match="exactly one"):
        shop.till.identify(IdentifyRequest(card=CARD, phone=PHONE))
