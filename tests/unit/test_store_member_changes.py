"""Changes to members at head office and at other tills; what verify finds; phones hashed bit by bit."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from uuid import UUID

import pytest

from pos_loyalty.store import follow, ledger, members, phone_hashes, profiles, seal
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.facts import Enrolment, fact_of
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_facts import (
    AttributeChange,
    BirthdayChange,
    CardAdded,
    CardStateChange,
    Change,
    ChangeFact,
    ConsentChange,
    PhoneChange,
    PhoneVerified,
    ReferralCode,
    StateChange,
)
from pos_loyalty.store.verify import verify
from tests.simulation.shop import KEY, NOW, HeadOffice, Till, pull_all, push_all

INDEX = "ab" * 32
PEPPER = "a1" * 32


def held_key(db: Connection, member: str) -> bytes:
    """The key under which a till seals a member's fields, made when there is none."""
    sealed = members.sealed_key(db, member)
    if sealed is not None:
        return seal.open_key(member, sealed, KEY.hex())
    key = seal.make_key()
    with write(db):
        members.add_key(db, member, seal.seal_key(member, key, KEY.hex()))
    return key


def phone(db: Connection, member: str, sealed: str | None = None) -> PhoneChange:
    """A phone of one and the same slow hash."""
    return PhoneChange(sealed=sealed, index=seal.seal_field(member, "self:phone_index", INDEX, held_key(db, member)))


def friend_code(db: Connection, member: str, code: str) -> ReferralCode:
    """The member's own code."""
    return ReferralCode(sealed=seal.seal_field(member, "self:referral_code", code, held_key(db, member)))


def change(db: Connection, n: int, member: str, *changes: Change) -> None:
    """A change as a till books it, with a fixed id."""
    owner = db.execute("SELECT value FROM meta WHERE key = 'owner'").fetchone()[0]
    id_ = UUID(int=int.from_bytes(owner.encode()) << 64 | 0xC << 32 | n)
    body = ChangeFact(member_id=member, by="boss", changes=changes)
    with write(db):
        follow.book(db, Draft(id=id_, kind="member.changed", store="S1", cashier="C7", member=member, body=body), NOW)


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


@pytest.fixture
def tills(tmp_path: Path) -> tuple[Till, Till]:
    return Till(tmp_path, "T1"), Till(tmp_path, "T2")


def test_what_one_till_changed_the_other_hears(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, other = tills
    one.enrol("M1", "2900000000018")
    change(
        one.db,
        1,
        "M1",
        phone(one.db, "M1", b64encode(b"x").decode()),
        PhoneVerified(index=seal.seal_field("M1", "self:phone_index", INDEX, held_key(one.db, "M1"))),
        CardAdded(card="2900000000025"),
        CardStateChange(card="2900000000018", state="lost"),
        friend_code(one.db, "M1", "FRIEND22"),
        ConsentChange(purpose="data", given=True, text_version="2"),
    )
    push_all(one, office)
    pull_all(other, office)
    found = profiles.by_id(other.db, "M1")
    assert found is not None and (found.phone, found.referral_code) == ("verified", "FRIEND22")
    assert [members.card_state(other.db, card) for card in ("2900000000018", "2900000000025")] == ["lost", "active"]
    change(other.db, 1, "M1", StateChange(state="blocked"))
    push_all(other, office)
    pull_all(one, office)
    assert members.by_id(one.db, "M1") is None
    for db in (one.db, other.db, office.db):
        assert verify(db) == ()
    change(one.db, 2, "M1", StateChange(state="active"))
    push_all(one, office)
    assert office.rows("SELECT reason FROM suspense_case") == []
    assert office.rows("SELECT state FROM member") == [("active",)]
    assert office.rows("SELECT purpose, given, text_version, cashier FROM member_consent") == [("data", 1, "2", "C7")]


def test_a_change_that_is_not_sent_yet_stays_on_top_of_a_page(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, other = tills
    one.enrol("M1", "2900000000018")
    push_all(one, office)
    pull_all(other, office)
    change(other.db, 1, "M1", StateChange(state="blocked"), CardStateChange(card="2900000000018", state="lost"))
    one.sell("S1", "M1", earn=100)
    push_all(one, office)
    pull_all(other, office)
    assert members.card_state(other.db, "2900000000018") == "lost"
    assert other.db.execute("SELECT state FROM member").fetchone()[0] == "blocked"
    assert verify(other.db) == ()


def test_an_erased_member_is_erased_everywhere_and_stays_so(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, other = tills
    one.enrol("M1", "2900000000018")
    push_all(one, office)
    pull_all(other, office)
    key = seal.make_key()
    with write(other.db):
        members.add_key(other.db, "M1", seal.seal_key("M1", key, KEY.hex()))
    change(other.db, 1, "M1", AttributeChange(name="pet", sealed=seal.seal_field("M1", "attribute:pet", "dog", key)))
    push_all(other, office)
    gone = members.sealed_keys(office.db, "M1")
    assert len(gone) == 2, "each till seals under a key of its own"
    change(one.db, 1, "M1", StateChange(state="erased"))
    change(other.db, 2, "M1", AttributeChange(name="late", sealed=seal.seal_field("M1", "attribute:late", "cat", key)))
    push_all(one, office)
    push_all(other, office)
    pull_all(other, office)
    for db in (one.db, other.db, office.db):
        assert db.execute("SELECT state, personal, phone_index FROM member").fetchone() == ("erased", None, None)
        assert db.execute("SELECT COUNT(*) FROM member_key").fetchone()[0] == 0
        assert db.execute("SELECT COUNT(*) FROM member_attribute").fetchone()[0] == 0
        assert verify(db) == ()
    assert office.rows("SELECT till, reason FROM suspense_case") == [("T2", "member.erased")]
    left = b"".join(Path(f"{office.path}{end}").read_bytes() for end in ("", "-wal"))
    assert not any(sealed in left for sealed in gone), "a destroyed key lies nowhere in head office's file or journal"


def test_what_contradicts_is_booked_and_a_case(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    one, other = tills
    one.enrol("M1", "2900000000018")
    push_all(one, office)
    other.enrol("M2", "2900000000025")
    change(other.db, 1, "M2", CardAdded(card="2900000000018"), phone(other.db, "M2"), friend_code(other.db, "M2", "SAME"))
    change(other.db, 2, "M9", ConsentChange(purpose="data", given=True))
    change(one.db, 1, "M1", phone(one.db, "M1"), friend_code(one.db, "M1", "SAME"))
    push_all(one, office)
    push_all(other, office)
    reasons = {row[0] for row in office.rows("SELECT reason FROM suspense_case")}
    assert reasons == {"card.taken", "phone.taken", "referral_code.taken", "member.unknown"}
    assert office.rows("SELECT member FROM card WHERE number = '2900000000018'") == [("M1",)]
    assert verify(office.db) == ()


def test_what_no_key_opens_stops_no_log(office: HeadOffice, tills: tuple[Till, Till]) -> None:
    """A key of another length, fields that are no Base64, of another member, and what is no phone hash and no day."""
    one, other = tills
    one.enrol("M1", "2900000000018")
    push_all(one, office)
    pull_all(other, office)
    with write(other.db):
        members.add_key(other.db, "M1", seal.seal_key("M1", bytes(20), KEY.hex()))
    key = seal.make_key()
    change(other.db, 1, "M1", PhoneChange(index=seal.seal_field("M1", "self:phone_index", INDEX, key)))
    change(
        one.db, 1, "M1", PhoneChange(index="no base64!"), BirthdayChange(sealed=seal.seal_field("M1", "self:name", "05-17", key))
    )
    key = held_key(one.db, "M1")
    change(one.db, 2, "M1", PhoneChange(index=seal.seal_field("M1", "self:phone_index", "zz", key)))
    change(one.db, 3, "M1", BirthdayChange(sealed=seal.seal_field("M1", "self:birthday", "1990-05-17", key)))
    push_all(other, office)
    push_all(one, office)
    pull_all(one, office)
    for db in (one.db, other.db, office.db):
        assert db.execute("SELECT phone_index, birthday FROM member").fetchone() == (None, None)
        assert verify(db) == ()


def test_the_log_of_an_erased_member_folds_again_without_any_key(tmp_path: Path, tills: tuple[Till, Till]) -> None:
    """The rows are the same as those that stand, though nobody can open what the facts hold."""
    one = tills[0]
    one.enrol("M1", "2900000000018")
    key = held_key(one.db, "M1")
    birthday = BirthdayChange(sealed=seal.seal_field("M1", "self:birthday", "05-17", key))
    change(one.db, 1, "M1", phone(one.db, "M1"), friend_code(one.db, "M1", "FRIEND22"), birthday)
    assert one.db.execute("SELECT phone_index, birthday, referral_code FROM member").fetchone() == (
        bytes.fromhex(INDEX), "05-17", "FRIEND22",
    )  # fmt: skip
    change(one.db, 2, "M1", StateChange(state="erased"))
    again = open_store(tmp_path / "again.db", role="till", owner="T1", now=NOW)
    with write(again):
        for payload, prev_hash, hash_ in one.db.execute("SELECT payload, prev_hash, hash FROM txn ORDER BY seq").fetchall():
            fact = fact_of(payload)
            ledger.store_fact(again, fact, payload, prev_hash, hash_)
            if fact.enrolment is not None:
                members.add(again, fact.enrolment, None, fact.at)
            follow.follow(again, fact)
    for table in ("member", "member_key", "member_attribute", "member_consent", "card", "txn"):
        rows = f"SELECT * FROM {table} ORDER BY 1"
        assert again.execute(rows).fetchall() == one.db.execute(rows).fetchall(), table
    assert verify(again) == ()
    again.close()


FORGED = {
    "INSERT INTO member_consent SELECT txn, 1, member, 'advertising', 1, '1', 'till', at_ms, '' FROM member_consent": "Consents",
    "UPDATE member_consent SET given = 1 WHERE n = 0": "Consents",
    "DELETE FROM member_consent": "Consents",
    "INSERT INTO member_consent SELECT id, 0, 'M1', 'data', 1, '', '', 0, '' FROM txn WHERE kind = 'sale.completed'": "A consent",
    "UPDATE member SET state = 'active'": "state is not",
    "UPDATE member SET phone_verified = 1": "phone_verified is not",
    "UPDATE card SET state = 'active'": "is not lost",
    "UPDATE member_attribute SET sealed = x'00'": "Attributes of",
    "DELETE FROM member_attribute": "Attributes of",
    "UPDATE member_attribute SET txn = (SELECT id FROM txn WHERE kind = 'sale.completed')": "names a fact",
}


@pytest.mark.parametrize("forgery", FORGED)
def test_verify_finds_what_was_forged(tills: tuple[Till, Till], forgery: str) -> None:
    till = tills[0]
    till.enrol("M1", "2900000000018")
    till.sell("S1", "M1")
    sealed = b64encode(b"sealed").decode()
    consents = (ConsentChange(purpose="advertising", given=False),)
    change(till.db, 1, "M1", *consents, AttributeChange(name="pet", sealed=sealed), phone(till.db, "M1", sealed))
    change(till.db, 2, "M1", CardStateChange(card="2900000000018", state="lost"), StateChange(state="blocked"))
    assert verify(till.db) == ()
    with write(till.db):
        till.db.execute(forgery)
    found = verify(till.db)
    assert found and any(FORGED[forgery] in sentence for sentence in found), found


def test_whom_this_till_erased_stays_erased_where_head_office_forgot_them(tills: tuple[Till, Till]) -> None:
    """Put back, it does not know the member, nor that they were erased: whoever is unknown there is told as blocked."""
    till = tills[0]
    till.enrol("M1", "2900000000018")
    change(till.db, 1, "M1", phone(till.db, "M1"), StateChange(state="erased"))
    for state in ("blocked", "active"):
        word = members.PulledMember(member_id="M1", version=0, state=state, phone_index=INDEX)
        with write(till.db):
            members.put_pulled(till.db, [word], as_of_seq=ledger.head(till.db).seq)
        assert till.db.execute("SELECT state, personal, phone_index FROM member").fetchone() == ("erased", None, None)
        assert verify(till.db) == ()


def test_a_forged_leftover_of_an_erased_member_is_found(tills: tuple[Till, Till]) -> None:
    till = tills[0]
    till.enrol("M1", "2900000000018")
    change(till.db, 1, "M1", StateChange(state="erased"))
    with write(till.db):
        till.db.execute("UPDATE member SET phone_index = x'00'")
    assert any("something of them is left" in sentence for sentence in verify(till.db))


def test_imported_phones_are_hashed_bit_by_bit_and_none_twice(tills: tuple[Till, Till]) -> None:
    db = tills[0].db
    for n in range(3):
        member, key = f"M{n}", seal.make_key()
        enrolment = Enrolment(member_id=member, card=f"290000000001{n}")
        with write(db):
            members.add(db, enrolment, seal.seal_key(member, key, KEY.hex()), NOW)
            draft = Draft(id=UUID(int=n + 1), kind="member.enrolled", store="S1", member=member, body=enrolment)
            ledger.append(db, draft, NOW)
            text = f"+7900000000{n}" if n < 2 else "no phone"
            sealed = seal.seal_field(member, phone_hashes.PLACE, text, key)
            phone_hashes.put_phone_todo(db, member, b64decode(sealed), verified=n == 1)
    assert members.by_card(db, "2900000000010") is not None, "usable by card at once"
    assert [profiles.phone_of(db, f"M{n}") for n in range(3)] == ["unverified"] * 3
    made = iter(range(100, 200))

    def some(limit: int) -> phone_hashes.Hashing:
        return phone_hashes.hash_some(db, (PEPPER, KEY.hex()), limit, NOW, lambda: UUID(int=next(made)))

    assert (some(1).waiting, some(1).waiting) == (2, 1)
    assert some(10) == phone_hashes.Hashing(hashed=0, refused=1, waiting=0) and some(10).hashed == 0
    for n in range(2):
        found = members.by_phone_index(db, seal.phone_index(f"8900000000{n}", PEPPER))
        assert found is not None and found.member_id == f"M{n}"
    assert [profiles.phone_of(db, f"M{n}") for n in range(3)] == ["unverified", "verified", "none"]
    assert verify(db) == ()
