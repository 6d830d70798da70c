"""Phones verified by a code: through a real gateway server over loopback; who is not verified earns and does not redeem."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty import log
from pos_loyalty.config import load_config
from pos_loyalty.errors import ConfigError, ConflictError, NotFoundError
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.member_model import ChangeRequest, CodeRequest, SetPhone, VerifyRequest
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest
from tests.emulators.code_gateway import CodeGateway
from tests.shop import CARD, CONFIG, MEMBER, OTHER_CARD, Shop

PHONE = "+7 900 123-45-67"
LONG_S, SHORT_S = 60.0, 0.5
GATEWAY = """
[phone]
verify = true
[phone.gateway]
url = "{url}"
headers = {{ Authorization = "Bearer {{token}}" }}
body = '{{"to": "{{phone}}", "text": "Код: {{code}}"}}'
timeout_s = {timeout_s}
"""


@pytest.fixture
def gateway() -> Iterator[CodeGateway]:
    with CodeGateway() as gateway:
        yield gateway


@pytest.fixture
def shop(tmp_path: Path, gateway: CodeGateway, request: pytest.FixtureRequest) -> Iterator[Shop]:
    shop = Shop(tmp_path, CONFIG + GATEWAY.format(url=gateway.url, timeout_s=getattr(request, "param", LONG_S)))
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(secrets.read_text() + 'gateway_token = "hush"\n')
    shop.reopen()
    yield shop
    shop.close()


def enrolled(shop: Shop) -> str:
    return shop.till.enrol(EnrolRequest(card=OTHER_CARD, phone=PHONE, consents=("data",)), "enrol").member_id


def told(message: str) -> str:
    text = json.loads(message)
    assert text["to"] == "+79001234567"
    found = re.fullmatch(r"Код: ([0-9]{6})", text["text"])
    assert found
    return found.group(1)


def state_in_time(shop: Shop, member: str) -> str:
    end = time.monotonic() + LONG_S
    while (state := shop.till.code_state(member).state) == "sending" and time.monotonic() < end:
        time.sleep(0.02)
    return state


def test_the_code_that_was_told_makes_the_phone_theirs(shop: Shop, gateway: CodeGateway) -> None:
    member = enrolled(shop)
    answer = shop.till.send_code(member, CodeRequest(), "code")
    assert (answer.state, answer.phone, answer.tries_left) == ("sending", "unverified", 5)
    code = told(gateway.wait(1))
    assert gateway.messages[0][0]["authorization"] == "Bearer hush"
    assert state_in_time(shop, member) == "sent"
    assert shop.till.send_code(member, CodeRequest(), "code") == answer and len(gateway.messages) == 1, "once a key"
    assert shop.till.verify_phone(member, VerifyRequest(code=code), "verify").phone == "verified"
    assert shop.till.identify(IdentifyRequest(phone=PHONE)).phone == "verified"
    with pytest.raises(ConflictError, match="may not be used any more"):
        shop.till.verify_phone(member, VerifyRequest(code=code), "again")
    assert verify(shop.db) == ()


def test_who_is_not_verified_earns_and_does_not_redeem(shop: Shop, gateway: CodeGateway) -> None:
    """The member of the shop has 500 points and no phone: they may redeem until they give one that nobody has verified."""
    assert shop.ask(redeem="max").due_minor < 27_000
    shop.till.change(MEMBER, ChangeRequest(changes=(SetPhone(phone=PHONE),)), "phone")
    assert shop.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0
    sale = shop.sell(redeem="max")
    assert (sale.quote.redemption.centi, sale.quote.due_minor) == (0, 27_000)
    assert shop.usable_centi() == 50_000 + sum(accrual.centi for accrual in sale.quote.accruals) > 50_000
    shop.till.send_code(MEMBER, CodeRequest(), "code")
    shop.till.verify_phone(MEMBER, VerifyRequest(code=told(gateway.wait(1))), "verify")
    assert shop.sell("sale-2", redeem="max").quote.redemption.centi == 13_500


def test_a_quote_made_while_verified_may_not_be_paid_after_the_phone_changed(shop: Shop) -> None:
    request = shop.ask(redeem="max")
    shop.till.change(MEMBER, ChangeRequest(changes=(SetPhone(phone=PHONE),)), "phone")
    with pytest.raises(ConflictError):
        shop.till.authorise(request, "sale")
    assert shop.usable_centi() == 50_000


def test_members_without_a_phone_may_be_kept_from_redeeming_too(tmp_path: Path, gateway: CodeGateway) -> None:
    strict = GATEWAY.format(url=gateway.url, timeout_s=LONG_S).replace("verify = true", 'verify = true\nwithout = "earn"')
    shop = Shop(tmp_path, CONFIG + strict)
    assert shop.till.identify(IdentifyRequest(card=CARD)).redeemable_centi == 0
    shop.close()


def test_five_wrong_tries_or_ten_minutes_end_a_code(shop: Shop, gateway: CodeGateway) -> None:
    member = enrolled(shop)
    shop.till.send_code(member, CodeRequest(), "code")
    code = told(gateway.wait(1))
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for n in range(5):
        with pytest.raises(ConflictError, match=f"tries left: {4 - n}" if n < 4 else "send a new one"):
            shop.till.verify_phone(member, VerifyRequest(code=wrong), f"try {n}")
        shop.reopen()
    with pytest.raises(ConflictError, match="may not be used any more"):
        shop.till.verify_phone(member, VerifyRequest(code=code), "right but late")
    shop.till.send_code(member, CodeRequest(), "code 2")
    code = told(gateway.wait(2))
    shop.now += timedelta(minutes=10)
    with pytest.raises(ConflictError, match="may not be used any more"):
        shop.till.verify_phone(member, VerifyRequest(code=code), "too late")
    assert shop.till.profile(member).phone == "unverified"


def test_nobodys_phone_gets_more_than_five_codes_a_day(shop: Shop, gateway: CodeGateway) -> None:
    member = enrolled(shop)
    for n in range(5):
        shop.till.send_code(member, CodeRequest(), f"code {n}")
    with pytest.raises(ConflictError, match="within a day"):
        shop.till.send_code(member, CodeRequest(), "code 6")
    gateway.wait(5)
    shop.now += timedelta(days=1)
    shop.till.send_code(member, CodeRequest(), "next day")
    gateway.wait(6)


@pytest.mark.parametrize(("answers", "shop"), [("refused", LONG_S), ("never", SHORT_S)], indirect=["shop"])
def test_a_gateway_that_fails_leaves_a_member_who_is_not_verified(shop: Shop, gateway: CodeGateway, answers: str) -> None:
    gateway.answers = answers  # type: ignore[assignment]
    member = enrolled(shop)
    answer = shop.till.send_code(member, CodeRequest(), "code")
    assert answer.state == "sending", "the till does not wait for the gateway"
    assert state_in_time(shop, member) == "failed"
    assert any("Codes do not reach phones" in problem for problem in shop.till.health().problems)
    assert shop.till.profile(member).phone == "unverified"
    assert shop.sell("sale-9").state == "completed"


def test_without_a_gateway_nothing_is_sent_and_it_is_said(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    member = enrolled(shop)
    with pytest.raises(ConflictError, match="No code gateway"):
        shop.till.send_code(member, CodeRequest(), "code")
    with pytest.raises(NotFoundError):
        shop.till.verify_phone(member, VerifyRequest(code="123456"), "verify")
    shop.close()


def test_a_new_phone_is_not_verified_by_the_code_of_the_old_one(shop: Shop, gateway: CodeGateway) -> None:
    member = enrolled(shop)
    shop.till.send_code(member, CodeRequest(), "code")
    code = told(gateway.wait(1))
    shop.till.change(member, ChangeRequest(changes=(SetPhone(phone="+7 900 765-43-21"),)), "phone")
    with pytest.raises(NotFoundError):
        shop.till.verify_phone(member, VerifyRequest(code=code), "verify")
    assert shop.till.profile(member).phone == "unverified"


def test_a_phone_that_was_shown_to_be_theirs_gives_way_to_a_persons_word_only(shop: Shop, gateway: CodeGateway) -> None:
    """Else who has the card gives it a phone of their own, gets the codes, and spends."""
    member = enrolled(shop)
    shop.till.send_code(member, CodeRequest(), "code")
    shop.till.verify_phone(member, VerifyRequest(code=told(gateway.wait(1))), "verify")
    boss = Approval(person="boss", pin="8642")
    staff.add(shop.db, boss.person, "cashier", boss.pin, shop.till._desk.secrets.pepper)
    for phone in ("+7 900 765-43-21", None):
        with pytest.raises(ConflictError, match="name and a PIN"):
            shop.till.change(member, ChangeRequest(changes=(SetPhone(phone=phone),)), f"phone {phone}")
    assert shop.till.profile(member).phone == "verified"
    answer = shop.till.change(member, ChangeRequest(changes=(SetPhone(phone="+7 900 765-43-21"),), by=boss), "by")
    assert answer.phone == "unverified"


def test_no_code_and_no_phone_in_file_or_log(shop: Shop, gateway: CodeGateway) -> None:
    said = io.StringIO()
    log.setup(stream=said)
    member = enrolled(shop)
    shop.till.send_code(member, CodeRequest(), "code")
    code = told(gateway.wait(1))
    state_in_time(shop, member)
    shop.till.verify_phone(member, VerifyRequest(code=code), "verify")
    kept = b"".join(bytes(row[0]) for row in shop.db.execute("SELECT answer FROM idempotency"))
    kept += b"".join(bytes(row[0]) for row in shop.db.execute("SELECT payload FROM txn"))
    shop.close()
    assert '"event":"code.sent"' in said.getvalue()
    assert code not in said.getvalue() and "9001234567" not in said.getvalue()
    assert code.encode() not in kept
    assert all(b"9001234567" not in file.read_bytes() for file in shop.folder.iterdir())
    shop.open()


REFUSED = {
    '[phone.gateway]\nurl = "http://sms.example.org/send"\n': "https only",
    '[phone.gateway]\nurl = "ftp://127.0.0.1/send"\n': "https only",
    '[phone.gateway]\nurl = "https://sms.example.org"\nbody = "{phone}"\n': "{code} is missing",
    'own_prefix = "23"\nsymbologies = ["qr"]\n': "does not begin",
    'own_prefix = "22911111"\nsymbologies = ["qr"]\n': "run out",
    'own_prefix = "2291"\n': 'add "qr"',
}


@pytest.mark.parametrize("more", REFUSED)
def test_a_config_that_would_leak_or_could_not_work_is_refused(tmp_path: Path, more: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG + more, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(REFUSED[more])):
        load_config(path)
