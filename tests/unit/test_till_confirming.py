"""The holder's word that points are redeemed: PIN, one-time code, rotating QR, and a small limit without."""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import b32decode
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, NotAllowedError
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.confirming import CODES_MAX
from pos_loyalty.till.model import Confirmation, EnrolRequest, SaleRequest
from pos_loyalty.till.sender import CodeSender
from pos_loyalty.till.staff import ATTEMPTS_MAX, LOCK_MINUTES
from pos_loyalty.till.staff_model import AdjustRequest, ConfirmationRequest, SecretRequest
from pos_loyalty.till.totp import code_of
from pos_loyalty.values import Points
from tests.shop import OTHER_CARD, PROGRAMME, SENIOR, Shop, make_basket

CASHIER = Approval(person="C7", pin="1234")
PHONE = "+7 900 000-00-01"


def programme(mode: str, free: str = "") -> str:
    more = f'[redeem]\nconfirm = "{mode}"\n' + (f'confirm_free = "{free}"\n' if free else "")
    return PROGRAMME.replace("version = 1", "version = 2").replace("[redeem]\n", more)


@pytest.fixture
def member(shop: Shop) -> str:
    """A member whose key is here, with 500 points."""
    member_id = shop.till.enrol(EnrolRequest(card=OTHER_CARD, phone=PHONE), "enrol").member_id
    shop.till._desk.config = replace(shop.till._desk.config, acts=replace(shop.till._desk.config.acts, alone_up_to_centi=10**6))
    shop.till.adjust(member_id, AdjustRequest(centi=Points(50_000), reason="to begin with", by=shop.senior()), "give")
    return member_id


def paying(shop: Shop, sale_id: str, centi: int = 10_000, **word: str) -> SaleRequest:
    request = shop.ask(replace(make_basket(redeem=centi), opened_at=shop.now), card=OTHER_CARD)
    return replace(request, sale_id=sale_id, complete=True, confirmation=Confirmation(**word) if word else None)


def test_a_pin_confirms_and_nothing_else_does(shop: Shop, member: str) -> None:
    shop.publish(programme("pin"))
    shop.till.set_secret(member, SecretRequest(pin="2580", by=SENIOR), "s1")
    before = shop.db.execute("SELECT COUNT(*) FROM attempt").fetchone()
    for n, word in enumerate(({}, {"pin": "1111"}, {"code": "258000"})):
        with pytest.raises(NotAllowedError, match="PIN"):
            shop.till.authorise(paying(shop, "sale-1", **word), f"k{n}")
    assert shop.db.execute("SELECT COUNT(*) FROM attempt").fetchone() == before, "nothing was written of the sale"
    answer = shop.till.authorise(paying(shop, "sale-1", pin="2580"), "k9")
    assert answer.quote.redemption.centi == 10_000
    assert shop.till.authorise(paying(shop, "sale-2", centi=0), "k10").state == "completed", "no points, no word"
    assert verify(shop.db) == ()


def test_nobody_puts_a_pin_of_their_own_in_the_place_of_the_members(shop: Shop, member: str) -> None:
    """Else who has the card and reaches the till's HTTP gives it a new PIN, and spends."""
    shop.publish(programme("pin"))
    shop.till.set_secret(member, SecretRequest(pin="2580", by=SENIOR), "s1")
    for n, by in enumerate(
        (None, Approval(person=SENIOR.person, pin="1111"), Approval(person="nobody", pin=SENIOR.pin), CASHIER)
    ):
        for asked in (SecretRequest(pin="9999", by=by), SecretRequest(by=by)):
            with pytest.raises(NotAllowedError):
                shop.till.set_secret(member, asked, f"mine {n} {asked.pin}")
    with pytest.raises(NotAllowedError, match="not right"):
        shop.till.authorise(paying(shop, "sale-1", pin="9999"), "k1")
    assert shop.till.authorise(paying(shop, "sale-1", pin="2580"), "k2").quote.redemption.centi == 10_000
    shop.till.set_secret(member, SecretRequest(pin="1357", by=SENIOR), "forgot")
    assert shop.till.authorise(paying(shop, "sale-2", pin="1357"), "k3").quote.redemption.centi == 10_000
    assert [each.by for each in shop.till.acts().acts if each.reason == "confirmation"] == [SENIOR.person] * 2


def test_the_first_pin_is_set_on_a_persons_word_and_a_seniors_once_there_are_points(shop: Shop, member: str) -> None:
    """Else a cashier gives somebody's card its first PIN, and spends."""
    shop.publish(programme("pin"))
    staff.add(shop.db, CASHIER.person, "cashier", CASHIER.pin, shop.till._desk.secrets.pepper)
    for n, by in enumerate((None, CASHIER)):
        with pytest.raises(NotAllowedError, match="senior"):
            shop.till.set_secret(member, SecretRequest(pin="9999", by=by), f"mine {n}")
    new = shop.till.enrol(EnrolRequest(card="2200000000033"), "new").member_id
    with pytest.raises(NotAllowedError, match="a person on the staff"):
        shop.till.set_secret(new, SecretRequest(pin="9999"), "nobody's")
    assert shop.till.set_secret(new, SecretRequest(pin="2580", by=CASHIER), "at enrolment").pin
    with pytest.raises(NotAllowedError, match="senior"):
        shop.till.set_secret(new, SecretRequest(pin="9999", by=CASHIER), "again")
    assert [each.by for each in shop.till.acts().acts if each.reason == "confirmation"] == [CASHIER.person]


def test_wrong_pins_lock_the_points_and_not_the_sale(shop: Shop, member: str) -> None:
    shop.publish(programme("pin"))
    shop.till.set_secret(member, SecretRequest(pin="2580", by=SENIOR), "s1")
    for n in range(ATTEMPTS_MAX):
        with pytest.raises(NotAllowedError, match="not right"):
            shop.till.authorise(paying(shop, "sale-1", pin="1111"), f"k{n}")
    shop.reopen()
    with pytest.raises(NotAllowedError, match="wait until"):
        shop.till.authorise(paying(shop, "sale-1", pin="2580"), "k8")
    shop.now += timedelta(minutes=LOCK_MINUTES + 1)
    assert shop.till.authorise(paying(shop, "sale-1", pin="2580"), "k9").state == "completed"


def test_the_pin_stands_nowhere_and_goes_with_the_members_key(shop: Shop, member: str) -> None:
    shop.publish(programme("pin"))
    shop.till.set_secret(member, SecretRequest(pin="258025802580", by=SENIOR), "s1")
    shop.till.authorise(paying(shop, "sale-1", pin="258025802580"), "k1")
    assert "258025802580" not in repr(shop.rows())
    shop.db.execute("DELETE FROM member_key WHERE member = ?", (member,))
    with pytest.raises(NotAllowedError, match="holds no PIN"):
        shop.till.authorise(paying(shop, "sale-2", pin="258025802580"), "k2")


def test_a_little_needs_no_word_but_only_once_a_day(shop: Shop, member: str) -> None:
    shop.publish(programme("pin", "120"))
    shop.till.authorise(paying(shop, "sale-1", centi=7_000), "k1")
    with pytest.raises(NotAllowedError):
        shop.till.authorise(paying(shop, "sale-2", centi=7_000), "k2")
    shop.till.authorise(paying(shop, "sale-3", centi=5_000), "k3")
    shop.now += timedelta(days=1)
    shop.till.authorise(paying(shop, "sale-4", centi=12_000), "k4")


def totp(uri: str, at: datetime) -> str:
    """RFC 6238 in its own words."""
    words = parse_qs(urlsplit(uri).query)["secret"][0]
    key = b32decode(words + "=" * (-len(words) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(at.timestamp() // 30)), hashlib.sha1).digest()
    (number,) = struct.unpack(">I", mac[mac[19] % 16 : mac[19] % 16 + 4])
    return f"{number % 2**31 % 1_000_000:06d}"


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, the last six of its eight digits."""
    key = b"12345678901234567890"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert code_of(key, seconds // 30) == code


def test_a_rotating_qr_confirms_one_sale(shop: Shop, member: str) -> None:
    shop.publish(programme("qr"))
    shop.till.set_secret(member, SecretRequest(qr=True, by=SENIOR), "s1")
    uri = shop.till.qr_uri(member)
    assert parse_qs(urlsplit(uri).query)["secret"][0] not in repr(shop.rows())
    shown = f"PLQ1|{member}|{totp(uri, shop.now)}"
    assert shop.till.authorise(paying(shop, "sale-1", qr=shown), "k1").state == "completed"
    with pytest.raises(NotAllowedError, match="used before"):
        shop.till.authorise(paying(shop, "sale-2", qr=shown), "k2")
    with pytest.raises(NotAllowedError):
        shop.till.authorise(paying(shop, "sale-2", qr=shown.replace(member, "f" * 32)), "k3")
    shop.now += timedelta(seconds=30)
    assert shop.till.authorise(paying(shop, "sale-2", qr=f"PLQ1|{member}|{totp(uri, shop.now)}"), "k4").state == "completed"
    late = totp(uri, shop.now)
    shop.now += timedelta(seconds=90)
    with pytest.raises(NotAllowedError):
        shop.till.authorise(paying(shop, "sale-3", qr=f"PLQ1|{member}|{late}"), "k5")


class Gateway:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, phone: str, code: str) -> None:
        self.sent.append((phone, code))

    def close(self) -> None:
        """Nothing is open."""


def with_gateway(shop: Shop) -> Gateway:
    """The till's sender, before a gateway that keeps what it is given. Close the sender, and all is sent."""
    gateway = Gateway()
    shop.till._desk.sender = CodeSender(lambda: gateway)
    return gateway


def sent_to(shop: Shop, gateway: Gateway) -> list[tuple[str, str]]:
    """All that went out by now."""
    sender = shop.till._desk.sender
    assert sender is not None
    sender.close(10.0)
    shop.till._desk.sender = CodeSender(lambda: gateway)
    return gateway.sent


def test_a_code_goes_to_the_members_own_phone_and_confirms_one_sale(shop: Shop, member: str) -> None:
    shop.publish(programme("code"))
    with pytest.raises(ConflictError, match="No gateway"):
        shop.till.send_confirmation(member, ConfirmationRequest(phone=PHONE))
    gateway = with_gateway(shop)
    with pytest.raises(NotAllowedError, match="not the phone"):
        shop.till.send_confirmation(member, ConfirmationRequest(phone="+79000000002"))
    assert sent_to(shop, gateway) == []
    shop.till.send_confirmation(member, ConfirmationRequest(phone="8 900 000 00 01"))
    ((phone, code),) = sent_to(shop, gateway)
    assert phone == "+79000000001"
    assert code not in repr(shop.db.execute("SELECT * FROM confirm_try").fetchall())
    assert shop.till.authorise(paying(shop, "sale-1", code=code), "k1").state == "completed"
    with pytest.raises(NotAllowedError):
        shop.till.authorise(paying(shop, "sale-2", code=code), "k2")
    shop.till.send_confirmation(member, ConfirmationRequest(phone=PHONE))
    shop.now += timedelta(minutes=6)
    with pytest.raises(NotAllowedError):
        shop.till.authorise(paying(shop, "sale-2", code=sent_to(shop, gateway)[-1][1]), "k3")


def test_codes_are_not_sent_without_end(shop: Shop, member: str) -> None:
    with_gateway(shop)
    for _ in range(CODES_MAX):
        shop.till.send_confirmation(member, ConfirmationRequest(phone=PHONE))
    with pytest.raises(NotAllowedError, match="within an hour"):
        shop.till.send_confirmation(member, ConfirmationRequest(phone=PHONE))
    shop.now += timedelta(hours=1)
    shop.till.send_confirmation(member, ConfirmationRequest(phone=PHONE))


def test_verify_finds_a_secret_that_was_forged(shop: Shop, member: str) -> None:
    shop.till.set_secret(member, SecretRequest(pin="2580", by=SENIOR), "s1")
    shop.till.set_secret(member, SecretRequest(pin="2581", by=SENIOR), "s2")
    assert verify(shop.db) == ()
    shop.db.execute("UPDATE member SET secret = x'01' WHERE id = ?", (member,))
    assert any("confirms redemptions" in each for each in verify(shop.db))
    assert Path(shop.folder).exists()
