"""A member erased: their personal fields are nowhere, plain or sealed with a key that is left; the ledger stands."""

from __future__ import annotations

import io
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from pos_loyalty import log
from pos_loyalty.errors import ConflictError, InputError, NotFoundError, StoreError
from pos_loyalty.store import members, profiles, seal
from pos_loyalty.store.db import backup, open_to_write
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.verify import verify
from pos_loyalty.till.member_model import (
    ChangeRequest,
    CodeRequest,
    EraseRequest,
    SetAttribute,
    SetDate,
    SetName,
    SetPhone,
)
from pos_loyalty.till.model import CompleteRequest, EnrolRequest, IdentifyRequest
from pos_loyalty.till.staff_model import AdjustRequest
from pos_loyalty.values import Points
from tests.emulators.code_gateway import CodeGateway
from tests.shop import CONFIG, OTHER_CARD, Shop
from tests.unit.test_till_acts import BORIS, staffed

NAME, LATER_NAME = "Ksëniя-Ωmegå Щербацевич", "Ksëniя-Ωmegå Нежданова"
PHONE, LATER_PHONE = "+7 987 605-43-21", "+7 987 615-43-29"
ATTRIBUTE, DAY = "ßüßer-фунтик-ǂ", "2017-03-08"
SECRETS = (NAME, LATER_NAME, ATTRIBUTE, DAY, "9876054321", "9876154329", "605-43-21", "615-43-29")
GATEWAY = '[phone.gateway]\nurl = "{url}"\n[printer]\nkind = "file"\npath = "{paper}"\n'


def signs_of(text: str) -> list[bytes]:
    """A text as it may lie in bytes: plain, as JSON escapes, as UTF-16, in Base64."""
    escaped = text.encode("unicode_escape")
    return [text.encode(), escaped, text.encode("utf-16-le"), b64encode(text.encode())[:-3]]


def filled(shop: Shop) -> str:
    """A member with all that may be held on one, who has bought something."""
    request = EnrolRequest(card=OTHER_CARD, name=NAME, phone=PHONE, birthday="03-08", consents=("data", "advertising"))
    member = shop.till.enrol(request, "enrol").member_id
    changes = (SetAttribute(name="pet", value=ATTRIBUTE), SetDate(name="child", day=DAY), SetName(name=LATER_NAME))
    shop.till.change(member, ChangeRequest(changes=changes), "change")
    shop.till.send_code(member, CodeRequest(), "code")
    shop.till.authorise(shop.ask(card=OTHER_CARD), "sale")
    shop.till.complete("sale-1", CompleteRequest(), "done")
    shop.till.change(member, ChangeRequest(changes=(SetPhone(phone=LATER_PHONE),)), "phone")
    shop.till.send_code(member, CodeRequest(), "code 2")
    return member


@pytest.fixture
def said() -> io.StringIO:
    stream = io.StringIO()
    log.setup(stream=stream)
    return stream


def test_nothing_of_an_erased_member_is_left(tmp_path: Path, said: io.StringIO) -> None:
    with CodeGateway() as gateway:
        shop = staffed(Shop(tmp_path, CONFIG + GATEWAY.format(url=gateway.url, paper=tmp_path / "paper.bin")))
        before = tmp_path / "elsewhere"
        before.mkdir()
        member = filled(shop)
        gateway.wait(2)
        keys = members.sealed_keys(shop.db, member)
        index = seal.phone_index(LATER_PHONE, shop.till._desk.secrets.pepper)
        hashes = [row[0] for row in shop.db.execute("SELECT body_hash FROM idempotency WHERE verb LIKE 'enrol%'")]
        backup(shop.db, before / "old.db")
        assert shop.till.erase(member, EraseRequest(by=BORIS, reason="asked"), "erase").is_clean
        backup(shop.db, tmp_path / "new.db")
        assert (tmp_path / "till.db-wal").stat().st_size == 0
        held_columns = shop.db.execute(
            "SELECT state, personal, phone_index, birthday FROM member WHERE id = ?", (member,)
        ).fetchone()
        assert held_columns == ("erased", None, None, None)
        jobs = shop.db.execute("SELECT state, length(body) FROM print_job WHERE sale_id = 'sale-1'").fetchall()
        assert jobs == [("expired", 0)], "a receipt may carry their code for friends"
        assert verify(shop.db) == ()
        _check_payloads(shop, member, keys)
        shop.close()
    places = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    places["log"] = said.getvalue().encode()
    assert {"till.db", "new.db", "log"} <= places.keys()
    for name, data in places.items():
        for text in SECRETS:
            assert not any(signs in data for signs in signs_of(text)), f"{text} in {name}"
        assert not any(key in data for key in keys), f"a key in {name}"
    for name in ("till.db", "new.db"):
        assert hashes[0] not in places[name], "a hash of the enrolment's body is left"
        assert places[name].count(index) == 0, "the phone's hash is left in a table"
    assert any(key in (before / "old.db").read_bytes() for key in keys), "the grep finds what is there"


def _check_payloads(shop: Shop, member: str, gone: tuple[bytes, ...]) -> None:
    """Every sealed field of the log that is sent, tried with every key that the file or the key file still holds."""
    secrets = shop.till._desk.secrets
    rows = [fact_of(bytes(row[0])) for row in shop.db.execute("SELECT payload FROM txn ORDER BY seq")]
    sealed = [
        b64decode(text)
        for fact in rows
        if fact.member == member
        for text in (
            fact.enrolment.personal if fact.enrolment else None,
            *(getattr(change, "sealed", None) for change in (fact.change.changes if fact.change else ())),
        )
        if text is not None
    ]
    left = [bytes.fromhex(secrets.master_key), bytes.fromhex(secrets.pepper)]
    left += [
        seal.open_key(whose, bytes(stored), secrets.master_key)
        for whose, stored in shop.db.execute("SELECT member, sealed FROM member_key")
    ]
    places = ["self:name", "self:phone", "attribute:pet", "date:child"]
    assert len(sealed) == 5 and gone
    for field in sealed:
        for key in left:
            with pytest.raises(StoreError):
                seal.open_personal(member, field, key)
            for place in places:
                with pytest.raises(StoreError):
                    seal.open_field(member, place, field, key)


def test_the_ledger_and_the_consents_of_an_erased_member_stand(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path))
    member = shop.till.enrol(EnrolRequest(card=OTHER_CARD, name=NAME, phone=PHONE, consents=("data",)), "enrol").member_id
    shop.till.authorise(shop.ask(card=OTHER_CARD), "sale")
    shop.till.complete("sale-1", CompleteRequest(), "done")
    before = shop.rows()
    shop.till.erase(member, EraseRequest(by=BORIS), "erase")
    after = shop.rows()
    for table in ("entry", "lot", "balance", "sale", "member_consent", "card"):
        assert after[table] == before[table], table
    with pytest.raises(ConflictError, match="erased"):
        shop.till.identify(IdentifyRequest(card=OTHER_CARD))
    with pytest.raises(NotFoundError):
        shop.till.identify(IdentifyRequest(phone=PHONE))
    with pytest.raises(ConflictError, match="erased"):
        shop.till.change(member, ChangeRequest(changes=(SetName(name="X"),)), "later")
    held = shop.till.held_on(member)
    assert held.person is None and held.tables["member_consent"]
    facts = len(after["txn"])
    shop.till.erase(member, EraseRequest(by=BORIS), "again")
    assert len(shop.rows()["txn"]) == facts, "an erased member is erased once"
    with pytest.raises(ConflictError, match="used for another request"):
        shop.till.enrol(EnrolRequest(card=OTHER_CARD, name=NAME, phone=PHONE, consents=("data",)), "enrol")
    shop.close()


@pytest.mark.parametrize("reason", ["Щербацевич asked", "asked by ksëniя-ωmegå", "call 605-43-21", "call 8 (987) 605 43 21"])
def test_a_reason_that_names_the_member_is_refused_while_they_can_be_asked(tmp_path: Path, reason: str) -> None:
    shop = staffed(Shop(tmp_path))
    member = shop.till.enrol(EnrolRequest(card=OTHER_CARD, name=NAME, phone=PHONE), "enrol").member_id
    before = shop.rows()["txn"]
    by = {"by": BORIS, "reason": reason}
    with pytest.raises(InputError, match="names the member"):
        shop.till.erase(member, EraseRequest(**by), "erase")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="names the member"):
        shop.till.change(member, ChangeRequest(changes=(SetName(name="X"),), **by), "change")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="names the member"):
        shop.till.adjust(member, AdjustRequest(centi=Points(100), **by), "adjust")  # type: ignore[arg-type]
    assert shop.rows()["txn"] == before
    shop.till.erase(member, EraseRequest(by=BORIS, reason="letter 12 of 2026-11-21, by post"), "in order")
    shop.close()


def test_a_reader_in_the_way_is_told(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path))
    member = shop.till.enrol(EnrolRequest(card=OTHER_CARD, name=NAME), "enrol").member_id
    shop.db.execute("PRAGMA busy_timeout = 50")
    other = open_to_write(tmp_path / "till.db", now=shop.now)
    other.execute("BEGIN")
    other.execute("SELECT COUNT(*) FROM member").fetchone()
    assert not shop.till.erase(member, EraseRequest(by=BORIS), "erase").is_clean
    other.close()
    assert shop.till.erase(member, EraseRequest(by=BORIS), "erase again").is_clean
    assert profiles.by_id(shop.db, member) is not None
    shop.close()
