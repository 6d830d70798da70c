"""Member cards as QR that prove themselves: a fixed one by its signature, a rotating one by a code that is good once here."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import b32decode, b32encode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pos_loyalty.errors import InputError, NotAllowedError
from pos_loyalty.till import card_qr
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, QuoteRequest
from pos_loyalty.till.staff_model import SecretRequest
from pos_loyalty.wiring.camera import judge_of
from tests.shop import CARD, OTHER_CARD, Shop, make_basket

KEY = bytes(range(32))
MEMBER_KEY = bytes(range(20))
CARDS = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=40)


def code_at(key: bytes, step: int) -> str:
    """RFC 6238, written out once more."""
    mac = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
    return f"{struct.unpack('>I', mac[mac[-1] & 15 :][:4])[0] % 2**31 % 10**6:06d}"


@given(CARDS)
def test_a_fixed_qr_is_believed_as_it_was_made(card: str) -> None:
    shown = card_qr.parsed(card_qr.fixed(card, KEY))
    assert shown is not None and (shown.kind, shown.card) == ("PL1", card)
    assert card_qr.is_signed(shown, KEY)
    assert not card_qr.is_signed(shown, KEY[::-1])


def test_the_signature_is_what_the_handbook_says() -> None:
    mac = hmac.new(KEY, b"PL1:2900000001237", hashlib.sha256).digest()
    assert card_qr.fixed("2900000001237", KEY) == f"PL1:2900000001237:{b32encode(mac[:10]).decode()}"


@given(CARDS, st.integers(0, 200), st.sampled_from("0123456789ABCXYZ"))
def test_one_changed_sign_anywhere_is_not_believed(card: str, place: int, sign: str) -> None:
    text = card_qr.fixed(card, KEY)
    place %= len(text)
    changed = text[:place] + sign + text[place + 1 :]
    shown = card_qr.parsed(changed)
    assert changed == text or shown is None or not card_qr.is_signed(shown, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PL1",
        "PL1|T1|sale",
        "PL3:2900:ABCDEF",
        "PL1:29:ABCDEF",
        "PL1:2900000001237",
        "pl1:2900:ABCDEF",
        "PL2:2900:12345",
        "PL2:2900:123456\n",
    ],
)
def test_other_texts_are_no_card_qr(text: str) -> None:
    assert card_qr.parsed(text) is None


@pytest.mark.parametrize(
    ("off", "drift", "holds"), [(0, 0, True), (1, 0, False), (-1, 1, True), (1, 1, True), (2, 1, False), (-2, 2, True)]
)
def test_a_phone_may_be_so_many_steps_off_and_no_more(off: int, drift: int, holds: bool) -> None:
    shown = card_qr.CardQr("PL2", "2900", code_at(MEMBER_KEY, 1000 + off))
    assert card_qr.rotating_step(shown, MEMBER_KEY, 1000, None, drift) == (1000 + off if holds else None)


def test_a_code_and_all_before_it_are_used_up() -> None:
    shown = [card_qr.CardQr("PL2", "2900", code_at(MEMBER_KEY, step)) for step in (999, 1000, 1001)]
    taken = [card_qr.rotating_step(each, MEMBER_KEY, 1000, used=1000) for each in shown]
    assert taken == [None, None, 1001]


@pytest.fixture
def key(shop: Shop) -> bytes:
    """The key that the phone of OTHER_CARD's member holds."""
    member = shop.till.enrol(EnrolRequest(card=OTHER_CARD), "enrol").member_id
    shop.till.set_secret(member, SecretRequest(qr=True, by=shop.senior()), "secret")
    words = parse_qs(urlsplit(shop.till.qr_uri(member)).query)["secret"][0]
    return b32decode(words + "=" * (-len(words) % 8))


def rotating(shop: Shop, key: bytes, off: int = 0) -> str:
    return f"PL2:{OTHER_CARD}:{code_at(key, int(shop.now.timestamp()) // 30 + off)}"


def test_a_rotating_qr_finds_its_member_once_and_the_next_one_again(shop: Shop, key: bytes) -> None:
    member = shop.till.identify(IdentifyRequest(card=OTHER_CARD)).member_id
    first = IdentifyRequest(card=rotating(shop, key))
    answer = shop.till.identify(first)
    assert answer.member_id == member
    assert answer.card is not None and OTHER_CARD[-4:] in answer.card and OTHER_CARD not in answer.card
    with pytest.raises(NotAllowedError, match="has run out or was shown here before"):
        shop.till.identify(first)
    shop.now += timedelta(seconds=30)
    assert shop.till.identify(IdentifyRequest(card=rotating(shop, key))).member_id == member


def test_a_picture_of_it_is_worth_nothing_a_little_later(shop: Shop, key: bytes) -> None:
    text = rotating(shop, key)
    shop.now += timedelta(seconds=90)
    with pytest.raises(NotAllowedError):
        shop.till.identify(IdentifyRequest(card=text))


def test_the_clock_may_be_off_as_far_as_the_config_says(shop: Shop, key: bytes) -> None:
    desk = shop.till._desk
    desk.config = replace(desk.config, card_qr=replace(desk.config.card_qr, drift_steps=0))
    with pytest.raises(NotAllowedError):
        shop.till.identify(IdentifyRequest(card=rotating(shop, key, off=1)))
    shop.till.identify(IdentifyRequest(card=rotating(shop, key)))


def test_a_quote_takes_the_member_not_the_code(shop: Shop, key: bytes) -> None:
    with pytest.raises(InputError, match="good once"):
        shop.till.quote(QuoteRequest(basket=make_basket(), card=rotating(shop, key)))


def test_a_member_without_a_key_is_not_found_by_a_rotating_qr(shop: Shop) -> None:
    with pytest.raises(NotAllowedError, match="holds no rotating QR"):
        shop.till.identify(IdentifyRequest(card=f"PL2:{CARD}:123456"))


def test_a_fixed_qr_finds_its_member_as_often_as_it_is_shown_and_in_a_quote(shop: Shop) -> None:
    member = shop.till.identify(IdentifyRequest(card=CARD)).member_id
    (text,) = shop.till.card_qrs(member)
    for _ in range(2):
        assert shop.till.identify(IdentifyRequest(card=text)).member_id == member
    assert shop.till.quote(QuoteRequest(basket=make_basket(), card=text)).member_id == member


def test_a_fixed_qr_of_another_shop_is_refused_without_its_number(shop: Shop) -> None:
    text = card_qr.fixed(CARD, KEY)
    with pytest.raises(InputError, match="signature is wrong") as caught:
        shop.till.identify(IdentifyRequest(card=text))
    assert CARD not in str(caught.value)


def test_the_camera_believes_a_signed_qr_at_once_a_rotating_one_not_and_a_forged_one_never(shop: Shop) -> None:
    config, secrets = shop.till._desk.config, shop.till._desk.secrets
    judge = judge_of(config, secrets)
    signed = card_qr.fixed(CARD, card_qr.key_of(secrets.master_key))
    assert judge(signed, "qr") == (CARD, signed, True)
    assert judge(f"PL2:{CARD}:123456", "qr") == (CARD, f"PL2:{CARD}:123456", False)
    assert judge(card_qr.fixed(CARD, KEY), "qr") is None
    assert judge("PL2:9999:123456", "qr") is None
    assert judge(CARD, "ean13") == (CARD, CARD, False)
    assert judge("4601234567893", "ean13") is None
