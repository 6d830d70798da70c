"""Nobody can read of an erased person anywhere: not in plain and not with a key that is left, at no till and not at head office.

The law: take every byte that the shop still has, and every key that it still has. No name, phone in any spelling, slow hash of
a phone, birthday, attribute, date or own code stands there in plain; and whatever is sealed opens with none of the keys.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from hashlib import scrypt
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.spreadsheet.later import later_phone
from pos_loyalty.store import imports, seal
from pos_loyalty.store.db import Connection, backup, write
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.phone_hashes import hash_some
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import IssueRequest
from pos_loyalty.till.member_model import (
    ChangeRequest,
    CodeRequest,
    EraseRequest,
    MakeReferralCode,
    SetAttribute,
    SetBirthday,
    SetDate,
    SetName,
    SetPhone,
)
from pos_loyalty.till.model import AwardRequest, EnrolRequest, PrintRequest, QuoteRequest, SaleRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, SecretRequest
from pos_loyalty.values import Points, quantity
from sync.local import Here
from tests.emulators.code_gateway import CodeGateway
from tests.gifts import GIFT_PROGRAMME, basket_of, cash, line
from tests.shop import CONFIG, OTHER_CARD, Shop
from tests.simulation.shop import HEAD_OFFICE_KEY, KEY, HeadOffice, Till, pull_all, push_all
from tests.unit.test_till_acts import ANNA, BORIS, staffed

THIRD_CARD = "2200000000033"
NAME, LATER_NAME = "Ksëniя-Ωmegå Щербацевич", "Ksëniя-Ωmegå Нежданова"
PHONE, LATER_PHONE = "+7 987 605-43-21", "8 (987) 615-43-29"
BIRTHDAY, LATER_BIRTHDAY = "07-19", "08-23"
ATTRIBUTE, DAY, CODE = "ßüßer-фунтик-ǂ", "2017-06-14", "KSENIA1907"
DAYS_LEFT = (240, 275, 205)
"""From the day of the sale to the two birthdays and the child's day."""
RULES = """
[[rule]]
id = "feast"
stage = "customer"
title = { ru = "Праздник", en = "Feast" }
when = [{ is = "birthday" }]
then = [{ do = "percent", percent = "5%" }]
[[rule]]
id = "child"
stage = "customer"
title = { ru = "Ребёнку", en = "For the child" }
when = [{ is = "any", of = [{ is = "named_date", key = "child" }, { is = "profile", key = "pet", value = ["cat"] }] }]
then = [{ do = "percent", percent = "5%" }]
[[rule]]
id = "review"
stage = "act"
act = "review"
title = { ru = "Отзыв", en = "A review" }
then = [{ do = "points", fixed = "10" }]
[[rule]]
id = "review-feast"
stage = "act"
act = "review"
title = { ru = "Отзыв в праздник", en = "A review on a feast" }
when = [{ is = "birthday" }]
then = [{ do = "points", fixed = "10" }]
"""
GATEWAY = '[phone.gateway]\nurl = "{url}"\n[printer]\nkind = "file"\npath = "{paper}"\n'
SEALED_BYTES_MIN = 29
"""A version, a nonce and a tag."""
COLUMNS = "SELECT state, personal, birthday, phone_index, referral_code, secret FROM member WHERE id = ?"
TEXTS = re.compile(rb"[A-Za-z0-9+/]{38,}={0,2}")


class SendingTill:
    """The shop's own till, as the sync sees it."""

    def __init__(self, shop: Shop) -> None:
        self.name = "T1"
        self.db: Connection = shop.db
        self.here = Here(till="T1", master_key=bytes.fromhex(shop.till._desk.secrets.master_key))


def programme() -> str:
    return GIFT_PROGRAMME.replace("[points]", "[points]\nclaim_days = 14") + RULES


@pytest.fixture
def said() -> io.StringIO:
    stream = io.StringIO()
    log.setup(stream=stream)
    return stream


def filled(shop: Shop, gateway: CodeGateway) -> str:
    """A person with all that a shop may come to know of them, and all acts in which they may stand."""
    till = shop.till
    consents = ("data", "advertising")
    asked = EnrolRequest(card=OTHER_CARD, name=NAME, phone=PHONE, birthday=BIRTHDAY, consents=consents)  # type: ignore[arg-type]
    member = till.enrol(asked, "enrol").member_id
    wishes = (SetAttribute(name="pet", value=ATTRIBUTE), SetDate(name="child", day=DAY), SetName(name=LATER_NAME))
    till.change(member, ChangeRequest(changes=wishes), "change")
    till.change(member, ChangeRequest(changes=(MakeReferralCode(code=CODE),)), "own code")
    till.send_code(member, CodeRequest(), "code")
    gateway.wait(1)
    till.set_secret(member, SecretRequest(pin="2580", qr=True, by=ANNA), "secret")
    goods = basket_of(line("1", "4601", 50_000), line("2", "GC", 50_000))
    sell(shop, "with-card", goods, member)
    back = LineBack(line_id="1", quantity_milli=quantity("1"))
    till.return_goods("with-card", ReturnRequest(return_id="R", lines=(back,), cashier="C7"), "return")
    till.change(member, ChangeRequest(changes=(SetBirthday(birthday=LATER_BIRTHDAY),), by=ANNA), "birthday")
    sell(shop, "once-more", basket_of(line("1", "4601", 30_000)), member)
    till.print_again("once-more", PrintRequest(), "print")
    shop.now = shop.now.replace(hour=12)
    sell(shop, "forgotten", basket_of(line("1", "4601", 90_000)), None)
    till.claim("forgotten", ClaimRequest(member_id=member, by="C7", approval=BORIS), "claim")
    till.adjust(member, AdjustRequest(centi=Points(5_000), reason="a till was down", by=ANNA, approval=BORIS), "adjust")
    till.award(member, AwardRequest(act="review"), "award")
    till.issue_gift_card(IssueRequest(series="thanks", amount_minor=30_000, reason="thanks", by=BORIS), "gift")  # type: ignore[arg-type]
    till.change(member, ChangeRequest(changes=(SetPhone(phone=LATER_PHONE),)), "phone")
    till.send_code(member, CodeRequest(), "code 2")
    gateway.wait(2)
    return member


def sell(shop: Shop, sale_id: str, goods: object, member: str | None) -> None:
    quote = shop.till.quote(QuoteRequest(basket=replace(goods, basket_id=sale_id), member_id=member))  # type: ignore[type-var]
    assert quote.quote_id is not None
    if member is not None:
        assert any("days:" in each.have for each in quote.refusals), "who asks is told how far the day is"
    request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=(cash(quote.due_minor),))
    shop.till.authorise(replace(request, complete=True), f"key {sale_id}")


def imported(shop: Shop) -> tuple[str, str]:
    """Two persons out of a table: the phone of one waits for its hash, that of the other has it."""
    secrets = shop.till._desk.secrets
    booking = imports.Booking(store="S1", by="office", is_office=False, now=shop.now)
    for member, birthday in (("m-hashed", BIRTHDAY), ("m-waiting", None)):
        key = seal.make_key()
        known = seal.Personal(name=NAME, phone=PHONE, birthday=birthday)
        enrolment = Enrolment(member_id=member, personal=seal.seal_personal(member, known, key), segments=("vip",))
        with write(shop.db):
            imports.enrol(shop.db, enrolment, seal.seal_key(member, key, secrets.master_key), booking)
            later_phone(shop.db, member, f"+7 987 605-43-2{len(member) % 7}", key)
    hash_some(shop.db, (secrets.pepper, secrets.master_key), 1, shop.now, shop.new_id)
    return "m-hashed", "m-waiting"


def slow_hash(digits: str, pepper: str) -> bytes:
    """As the notes on security describe it."""
    return scrypt(f"+7{digits}".encode(), salt=bytes.fromhex(pepper), n=2**14, r=8, p=1, maxmem=64 * 2**20, dklen=32)


def signs(pepper: str) -> Iterator[bytes]:
    """Whatever would give the person away, as it may lie in bytes."""
    texts = [NAME, LATER_NAME, BIRTHDAY, LATER_BIRTHDAY, ATTRIBUTE, DAY, DAY[-5:], CODE]
    for digits in ("9876054321", "9876154329", "9876054322", "9876054321"):
        groups = f"{digits[3:6]}-{digits[6:8]}-{digits[8:]}"
        texts += [digits, groups, groups.replace("-", " "), f"{digits[:3]} {groups}", f"({digits[:3]}) {groups}"]
        index = slow_hash(digits, pepper)
        yield from (index, index.hex().encode(), index.hex().upper().encode(), b64encode(index)[:-2])
    for text in texts:
        yield from (text.encode(), text.encode("utf-16-le"), json.dumps(text).strip('"').encode())
        if len(text) > 6:
            yield from (b64encode(text.encode())[: len(text) // 3 * 4], text.encode("unicode_escape"))
    yield from (f'"days:{days}'.encode() for days in DAYS_LEFT)


def keys_left(*stores: tuple[Connection, bytes]) -> list[bytes]:
    """Of every file the keys that its master key opens, that key itself, and the keys beside the files."""
    found = []
    for db, master in stores:
        found.append(master)
        for member, sealed in db.execute("SELECT member, sealed FROM member_key"):
            found.append(opened(bytes(sealed), master, ("member_key", member, "sealed")) or b"")
    return found


def opened(sealed: bytes, key: bytes, place: tuple[str, str, str]) -> bytes | None:
    if len(sealed) < SEALED_BYTES_MIN or len(key) != 32 or sealed[:1] != b"1":
        return None
    try:
        return AESGCM(key).decrypt(sealed[1:13], sealed[13:], "|".join((*place, "1")).encode())
    except InvalidTag:
        return None


def blobs(db: Connection) -> Iterator[bytes]:
    """Every value of every table that may be sealed: bytes, and what may be Base64 in texts and bytes."""
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for row in db.execute(f"SELECT * FROM {table}"):
            for value in row:
                data = value.encode() if isinstance(value, str) else value
                if not isinstance(data, bytes):
                    continue
                yield data
                for text in TEXTS.findall(data):
                    try:
                        yield b64decode(text)
                    except Base64Error:
                        continue


def places(member: str) -> list[tuple[str, str, str]]:
    """All that a member's key seals anything for."""
    fields = ("self:name", "self:phone", "self:phone_index", "self:birthday", "self:referral_code", "attribute:pet", "date:child")
    own = [("member", member, "personal"), ("member", member, "secret")]
    return own + [("member_attribute", member, field) for field in fields]


def opens(db: Connection, keys: list[bytes], members: tuple[str, ...]) -> int:
    """How many sealed values of these members open with some of the keys."""
    count = 0
    for data in set(blobs(db)):
        if len(data) >= SEALED_BYTES_MIN and data[:1] == b"1":
            tried = ((key, place) for key in keys for member in members for place in places(member))
            count += any(opened(data, key, place) is not None for key, place in tried)
    return count


def test_nothing_of_an_erased_person_can_be_read_anywhere(tmp_path: Path, said: io.StringIO) -> None:
    here = tmp_path / "here"
    here.mkdir()
    office, other = HeadOffice(here), Till(here, "T2")
    with CodeGateway() as gateway:
        shop = staffed(Shop(here, CONFIG + GATEWAY.format(url=gateway.url, paper=here / "paper.bin"), programme()))
        secrets = shop.till._desk.secrets
        member = filled(shop, gateway)
        everybody = (member, *imported(shop))
        one = SendingTill(shop)
        push_all(one, office)  # type: ignore[arg-type]
        pull_all(other, office)
        stores = ((shop.db, one.here.master_key), (office.db, HEAD_OFFICE_KEY), (other.db, KEY))
        asked = "SELECT birthday, phone_index FROM member WHERE id = ?"
        index = slow_hash("9876154329", secrets.pepper)
        for db, _ in stores:
            assert db.execute(asked, (member,)).fetchone() == (LATER_BIRTHDAY, index), "every till knows them while they are here"
        keys = keys_left(*stores)
        known = opens(shop.db, keys, everybody), opens(office.db, keys, everybody)
        assert known[0] > 10 and known[1] > 10, "the search finds what is there"
        assert index in b"".join(each.read_bytes() for each in here.iterdir()), "and so does the look at the bytes"
        for each in everybody:
            assert shop.till.erase(each, EraseRequest(by=BORIS, reason="asked"), f"erase {each}").is_clean
        push_all(one, office)  # type: ignore[arg-type]
        pull_all(other, office)
        anew = tmp_path / "anew"
        anew.mkdir()
        restored = HeadOffice(anew)
        shop.db.execute("UPDATE sync_state SET acked_seq = 0, acked_hash = zeroblob(32)")
        push_all(one, restored)  # type: ignore[arg-type]
        backup(shop.db, here / "new.db")
        backup(office.db, here / "new office.db")
        stores += ((restored.db, HEAD_OFFICE_KEY),)
        keys = [*keys_left(*stores), bytes.fromhex(secrets.pepper), bytes.fromhex(secrets.token)]
        for db, _ in stores:
            assert opens(db, keys, everybody) == 0, "a sealed field opens with a key that is left"
            for each in everybody:
                assert db.execute(COLUMNS, (each,)).fetchone() == ("erased", None, None, None, None, None)
            assert verify(db) == ()
        shop.close()
    for db, _ in stores[1:]:
        db.close()
    (here / "secrets.toml").unlink()
    held = {path: path.read_bytes() for folder in (here, anew) for path in folder.iterdir()}
    held[Path("log")] = said.getvalue().encode()
    assert len(held) >= 8
    for path, data in held.items():
        for sign in signs(secrets.pepper):
            assert sign not in data, f"{sign!r} in {path.name}"
