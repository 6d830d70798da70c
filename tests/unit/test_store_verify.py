"""``verify`` says nothing of a sound file and finds every difference that is planted."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Entry, LotUse
from pos_loyalty.store import ledger, members, prints, sales
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection, open_reader, open_store, write
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.members import PulledLot, PulledMember
from pos_loyalty.store.verify import verify
from pos_loyalty.values import Points
from tests.unit.store_facts import NOW, accrue, end_draft, enrol, release, sale_draft, sell, settle, till_store

USE = (LotUse(lot_id="T1/sale-2:base", centi=Points(120)),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "till.db"


@pytest.fixture
def db(path: Path) -> Connection:
    """Eight facts: an enrolment, sales with and without a member, one in two steps, one cancelled, one reversed, a pull."""
    db = till_store(path)
    enrol(db, 1, "M1", "2900000000018")
    sell(db, 2, "M1")
    sell(db, 3, "M1", USE)
    sell(db, 4)
    for n in (5, 6):
        with write(db):
            sales.put_attempt(db, sale_id=f"sale-{n}", txn=sale_draft(n).id, content_hash=bytes(32), now=NOW)
            sales.add(db, ledger.append(db, sale_draft(n, "M1", USE, completed=False), NOW))
    _end(db, 7, 5, "sale.completed", (settle("M1", "T1/sale-2:base", 120, "T1/sale-5"), accrue("M1", "T1/sale-5:base", 500)))
    _end(db, 8, 6, "sale.cancelled", (release("M1", "T1/sale-2:base", 120, "T1/sale-6"),))
    back = Entry(
        kind="reverse",
        debit="programme:shop:redeemed",
        credit="member:M1",
        amount=120,
        member_id="M1",
        lot_id="T1/sale-2:base",
    )
    _end(db, 9, 3, "sale.reversed", (back,))
    pulled = PulledMember(
        member_id="M1",
        version=1,
        lots=(
            PulledLot(lot_id="T1/sale-2:base", amount_centi=Points(500), remaining_centi=Points(380)),
            PulledLot(lot_id="T9/far:base", amount_centi=Points(70), remaining_centi=Points(70)),
        ),
    )
    with write(db):
        members.put_pulled(db, [pulled], as_of_seq=3)
        copy = prints.PrintDraft(sale_id="sale-2", receipt_no="T1-1-000002", kind="sale", body=b"slip", copy=1)
        prints.enqueue(db, copy, NOW)
        last = db.execute("SELECT seq, hash FROM txn WHERE seq = 6").fetchone()
        db.execute("UPDATE sync_state SET acked_seq = ?, acked_hash = ?", last)
    return db


def _end(db: Connection, fact: int, sale: int, kind: str, entries: tuple[Entry, ...]) -> None:
    with write(db):
        sales.end(db, ledger.append(db, end_draft(fact, sale, kind, entries, "M1"), NOW))


def _rehash(db: Connection, seq: int) -> None:
    """Chain the log anew from a fact on, as a forger would."""
    prev = bytes(db.execute("SELECT prev_hash FROM txn WHERE seq = ?", (seq,)).fetchone()[0])
    for number, payload in db.execute("SELECT seq, payload FROM txn WHERE seq >= ? ORDER BY seq", (seq,)).fetchall():
        hash_ = sha256(prev + payload).digest()
        db.execute("UPDATE txn SET prev_hash = ?, hash = ? WHERE seq = ?", (prev, hash_, number))
        prev = hash_


def _forge(db: Connection, seq: int, find: bytes, put: bytes) -> None:
    payload = bytes(db.execute("SELECT payload FROM txn WHERE seq = ?", (seq,)).fetchone()[0])
    assert payload.count(find) >= 1
    db.execute("UPDATE txn SET payload = ? WHERE seq = ?", (payload.replace(find, put, 1), seq))
    _rehash(db, seq)


def test_a_sound_file_says_nothing_to_its_owner_and_to_a_reader_beside_a_writer(db: Connection, path: Path) -> None:
    assert verify(db) == ()
    reader = open_reader(path)
    with write(db):
        db.execute("UPDATE lot SET remaining = 0")
        assert verify(reader) == ()
    assert verify(reader) != () and not reader.in_transaction
    reader.close()


SQL: dict[str, tuple[str, str]] = {
    "a changed byte of a payload": ("UPDATE txn SET payload = replace(payload, 'Кофе', 'Коfе') WHERE seq = 4", "fact 4"),
    "a changed hash": ("UPDATE txn SET hash = randomblob(32) WHERE seq = 4", "fact 4"),
    "the hash of the last fact": ("UPDATE txn SET hash = randomblob(32) WHERE seq = 9", "fact 9"),
    "a changed previous hash": ("UPDATE txn SET prev_hash = randomblob(32) WHERE seq = 4", "fact 4"),
    "a changed column": ("UPDATE txn SET cashier = 'C8' WHERE seq = 4", "cashier"),
    "a changed instant": ("UPDATE txn SET wall_ms = wall_ms + 1 WHERE seq = 4", "wall_ms"),
    "a changed receipt number of a fact": ("UPDATE txn SET receipt_no = 'T1-1-7' WHERE seq = 4", "receipt_no"),
    "a missing receipt number of a fact": ("UPDATE txn SET receipt_no = NULL WHERE seq = 4", "receipt_no"),
    "a changed receipt number of a sale": ("UPDATE sale SET receipt_no = 'X' WHERE sale_id = 'sale-4'", "receipt_no"),
    "a removed entry": ("DELETE FROM entry WHERE n = 1 AND txn = (SELECT id FROM txn WHERE seq = 3)", "fact 3"),
    "a changed amount of an entry": ("UPDATE entry SET amount = amount + 1 WHERE lot = 'T1/sale-5:base'", "fact 7"),
    "an entry from nowhere": (
        "INSERT INTO entry VALUES ((SELECT id FROM txn WHERE seq = 4), 0, 'adjust', 'a', 'b', 5, 'point', NULL, NULL, NULL)",
        "fact 4",
    ),
    "an entry to another account": ("UPDATE entry SET credit_acct = 'held:x' WHERE credit_acct = 'held:T1/sale-5'", "fact 5"),
    "points spent that suspense never lent": (
        "UPDATE entry SET debit_acct = 'suspense' WHERE debit_acct = 'held:T1/sale-5'",
        "fact 7",
    ),
    "a lot with more": ("UPDATE lot SET remaining = remaining + 1 WHERE id = 'T1/sale-2:base'", "T1/sale-2:base"),
    "a pulled lot with more": ("UPDATE lot SET remaining = remaining - 1 WHERE id = 'T9/far:base'", "T9/far:base"),
    "a removed lot": ("DELETE FROM lot WHERE id = 'T1/sale-5:base'", "T1/sale-5:base"),
    "a lot that burns later": ("UPDATE lot SET expires_at = expires_at + 1 WHERE id = 'T1/sale-5:base'", "T1/sale-5:base"),
    "a lot of another member": ("UPDATE lot SET member = 'M2' WHERE id = 'T1/sale-5:base'", "T1/sale-5:base"),
    "a lot without its fact": ("UPDATE lot SET origin_txn = zeroblob(16) WHERE id = 'T1/sale-5:base'", "T1/sale-5:base"),
    "a changed balance": ("UPDATE balance SET amount = amount + 1 WHERE account = 'member:M1'", "member:M1"),
    "a removed balance": ("DELETE FROM balance WHERE account = 'programme:shop:issued'", "programme:shop:issued"),
    "a balance of nobody": ("INSERT INTO balance VALUES ('member:M9', 'point', 5)", "member:M9"),
    "a changed total": ("UPDATE sale SET total_minor = total_minor - 1 WHERE sale_id = 'sale-4'", "total_minor"),
    "a changed due": ("UPDATE sale SET due_minor = due_minor - 1 WHERE sale_id = 'sale-3'", "due_minor"),
    "a changed state": ("UPDATE sale SET state = 'completed' WHERE sale_id = 'sale-6'", "state"),
    "a changed business day": ("UPDATE sale SET biz_day = biz_day - 1 WHERE sale_id = 'sale-2'", "biz_day"),
    "a changed quote": ("UPDATE sale SET quote = X'7b7d' WHERE sale_id = 'sale-2'", "quote"),
    "a changed line": ("UPDATE sale_line SET net_minor = net_minor + 1 WHERE sale_id = 'sale-4' AND line_id = '001'", "sale-4"),
    "a removed line": ("DELETE FROM sale_line WHERE sale_id = 'sale-4' AND line_id = '001'", "sale-4"),
    "a changed adjustment": ("UPDATE adjustment SET off_minor = 1 WHERE sale_id = 'sale-4' AND line_id = '001'", "sale-4"),
    "a removed adjustment": ("DELETE FROM adjustment WHERE sale_id = 'sale-4' AND line_id = '000'", "sale-4"),
    "a sale under another id than its attempt": ("UPDATE attempt SET txn = zeroblob(16) WHERE sale_id = 'sale-5'", "sale-5"),
    "a removed print job": ("DELETE FROM print_job WHERE receipt_no = 'T1-1-000003'", "Print jobs are missing"),
    "the last print job removed": ("DELETE FROM print_job WHERE copy = 1", "Print jobs are missing"),
    "a print job of another receipt": ("UPDATE print_job SET receipt_no = 'X' WHERE receipt_no = 'T1-1-000003'", "Print job 2"),
    "a copy without its original": ("UPDATE print_job SET copy = 5 WHERE copy = 1", "copy 5"),
    "a use that nobody made": ("INSERT INTO rule_use VALUES ('member', 'M1', 'gone', 1, 5)", "by member M1"),
    "a use of nothing": ("INSERT INTO rule_use VALUES ('day', '20778', 'gone', 0, 0)", "on day 20778"),
    "money that no use gave": ("INSERT INTO rule_use VALUES ('all', '', 'gone', 0, -5)", "in all"),
    "a count that no sale made": ("INSERT INTO member_counter VALUES ('M1', 'coffee', 2)", "Counter coffee"),
    "a count of nothing": ("INSERT INTO member_counter VALUES ('M1', 'coffee', 0)", "Counter coffee"),
    "a removed member": ("DELETE FROM member WHERE id = 'M1'", "M1"),
    "a card of nobody": ("INSERT INTO card (number, member) VALUES ('2900000000025', 'M9')", "0025"),
    "a confirmation of what is not here": ("UPDATE sync_state SET acked_seq = 99", "99"),
    "a confirmation of another log": ("UPDATE sync_state SET acked_hash = zeroblob(32)", "confirmed fact 6"),
}


@pytest.mark.parametrize("planted", SQL)
def test_every_planted_difference_is_named(db: Connection, planted: str) -> None:
    sql, named = SQL[planted]
    db.execute("PRAGMA foreign_keys = OFF")
    assert (
        db.execute(sql.replace("replace(payload, 'Кофе', 'Коfе')", "CAST(replace(payload, 'Кофе', 'Коfе') AS BLOB)")).rowcount > 0
    )
    sentences = verify(db)
    assert any(named in sentence for sentence in sentences), sentences
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in sentences)


def _remove(db: Connection, *seqs: int) -> None:
    for seq in seqs:
        for table, column in (("entry", "txn"), ("sale", "txn")):
            db.execute(f"DELETE FROM {table} WHERE {column} = (SELECT id FROM txn WHERE seq = ?)", (seq,))
        db.execute("DELETE FROM txn WHERE seq = ?", (seq,))


def _broken_check(db: Connection) -> None:
    db.execute("PRAGMA ignore_check_constraints = ON")
    db.execute("UPDATE print_job SET state = 'gone' WHERE id = 1")
    db.execute("PRAGMA ignore_check_constraints = OFF")


def _no_unique(db: Connection) -> None:
    """The same receipt number twice, in a log table whose constraint was taken away."""
    db.execute("CREATE TABLE other AS SELECT * FROM txn")
    db.execute("PRAGMA legacy_alter_table = ON")  # a view reads the table that is swapped
    db.execute("DROP TABLE txn")
    db.execute("ALTER TABLE other RENAME TO txn")
    db.execute("UPDATE txn SET receipt_no = 'T1-1-000003' WHERE seq = 4")


def _clock_stands_still(db: Connection) -> None:
    before, now = (db.execute("SELECT hlc FROM txn WHERE seq = ?", (seq,)).fetchone()[0] for seq in (3, 4))
    db.execute("UPDATE txn SET hlc = ? WHERE seq = 4", (before,))
    _forge(db, 4, f'"hlc":{now}'.encode(), f'"hlc":{before}'.encode())


FORGERIES: dict[str, tuple[Callable[[Connection], None], str]] = {
    "the first fact removed": (lambda db: _remove(db, 1), "fact 1 is missing"),
    "a fact removed": (lambda db: _remove(db, 4), "fact 4 is missing"),
    "the confirmed tail removed": (lambda db: _remove(db, 9, 8, 7, 6), "confirmed fact 6"),
    "a payload forged and chained anew": (lambda db: _forge(db, 4, b'"cashier":"C7"', b'"cashier":"C9"'), "cashier"),
    "points forged and chained anew": (lambda db: _forge(db, 7, b'"amount":500', b'"amount":900'), "fact 7"),
    "a total forged and chained anew": (lambda db: _forge(db, 4, b'"total_minor":27000', b'"total_minor":26000'), "total_minor"),
    "a line forged and chained anew": (lambda db: _forge(db, 4, b'"net_minor":13500', b'"net_minor":13400'), "lines"),
    "a clock forged and chained anew": (lambda db: _forge(db, 4, b'"hlc":', b'"hlc":1'), "hlc"),
    "a clock that stands still": (_clock_stands_still, "logical clock"),
    "a payload that is no fact": (
        lambda db: _forge(db, 4, b'"kind":"sale.completed"', b'"kind":"sale.forgotten"'),
        "cannot be read",
    ),
    "a print job in no state": (_broken_check, "print_job"),
    "one receipt number twice": (_no_unique, "stands in 2 facts"),
    "a constraint taken away": (_no_unique, "table txn"),
    "an index taken away": (lambda db: db.execute("DROP INDEX lot_by_member"), "index lot_by_member"),
}


@pytest.mark.parametrize("planted", FORGERIES)
def test_every_forgery_is_named(db: Connection, planted: str) -> None:
    plant, named = FORGERIES[planted]
    db.execute("PRAGMA foreign_keys = OFF")
    plant(db)
    sentences = verify(db)
    assert any(named in sentence for sentence in sentences), sentences


CARDS: dict[str, tuple[str, str]] = {
    "a card that leads to another": ("UPDATE card SET member = 'M2' WHERE number = '2900000000018'", "leads to member M2"),
    "another number for a card": ("UPDATE card SET number = '2900000000094' WHERE member = 'M1'", "0018 of member M1 is missing"),
    "a card removed": ("DELETE FROM card WHERE member = 'M1'", "0018 of member M1 is missing"),
    "a card from nowhere": ("INSERT INTO card (number, member) VALUES ('2900000000094', 'M1')", "0094 of member M1 is active"),
    "a card lost by nobody": ("UPDATE card SET state = 'lost' WHERE member = 'M1'", "0018 of member M1 is lost"),
    "a debt that is less": ("UPDATE member SET owed_centi = -9000 WHERE id = 'M1'", "M1: owed_centi is not"),
    "more spent": ("UPDATE member SET spent_minor = 9000000 WHERE id = 'M1'", "M1: spent_minor is not"),
    "a segment": ("""UPDATE member SET segments = '["vip"]' WHERE id = 'M1'""", "M1: segments is not"),
    "staff": ("UPDATE member SET staff = 1 WHERE id = 'M1'", "M1: staff is not"),
    "a friend": ("UPDATE member SET referred_by = 'M2' WHERE id = 'M1'", "M1: referred_by is not"),
    "a phone that nobody verified": ("UPDATE member SET phone_verified = 1 WHERE id = 'M1'", "M1: phone_verified is not"),
    "a block by nobody": ("UPDATE member SET state = 'blocked' WHERE id = 'M1'", "M1: state is not"),
    "a merge by nobody": ("UPDATE member SET state = 'merged', merged_into = 'M2' WHERE id = 'M1'", "M1: merged_into is not"),
}


@pytest.mark.parametrize("planted", CARDS)
def test_cards_and_members_are_those_of_the_log(path: Path, planted: str) -> None:
    db = till_store(path)
    enrol(db, 1, "M1", "2900000000018")
    enrol(db, 2, "M2", "2900000000025")
    assert verify(db) == ()
    sql, named = CARDS[planted]
    assert db.execute(sql).rowcount == 1
    sentences = verify(db)
    assert any(named in sentence for sentence in sentences), sentences
    assert all("2900000000" not in sentence for sentence in sentences)
    db.close()


def test_a_sale_without_a_receipt_number_is_named(path: Path) -> None:
    db = till_store(path)
    with write(db):
        sales.add(db, ledger.append(db, replace(sale_draft(1), receipt_no=None), NOW))
    assert verify(db) == ("Till T1, fact 1: sale sale-1 has no receipt number.",)


def test_every_balance_is_compared_and_one_of_nobody_too(db: Connection) -> None:
    db.execute("UPDATE balance SET amount = amount + 1")
    count = db.execute("SELECT COUNT(*) FROM balance").fetchone()[0]
    db.execute("INSERT INTO balance VALUES ('a', 'point', 5), ('𝔻', 'point', 5), ('�', 'point', 5)")
    told = [sentence for sentence in verify(db) if sentence.startswith("Account ")]
    assert len(told) == count + 3, "names sort alike in SQLite and here"


@pytest.mark.parametrize("kind", ["sale.returned", "member.changed", "points.adjusted", "gift_card.changed"])
def test_facts_of_acts_are_found_without_a_look_at_every_sale(db: Connection, kind: str) -> None:
    plan = db.execute(f"EXPLAIN QUERY PLAN SELECT payload FROM txn WHERE kind = '{kind}' AND {OF_ACTS}").fetchall()
    assert [row[3] for row in plan] == ["SCAN txn USING INDEX txn_of_acts"]


def _copied(till: Connection, office: Connection, splits: bool = False) -> None:
    for payload, prev_hash, hash_ in till.execute("SELECT payload, prev_hash, hash FROM txn ORDER BY seq").fetchall():
        fact = fact_of(payload)
        booked = replace(fact, entries=_halved(fact.entries)) if splits else fact
        with write(office):
            ledger.store_fact(office, booked, payload, prev_hash, hash_)
            if fact.sale is not None:
                sales.add(office, fact)
            elif fact.end is not None:
                sales.end(office, fact)
            elif fact.enrolment is not None:
                members.add(office, fact.enrolment, None, NOW)
            office.execute(
                "INSERT INTO till (id, epoch, applied_seq, applied_hash, heard_ms) VALUES (?, 1, ?, ?, 0)"
                " ON CONFLICT (id) DO UPDATE SET applied_seq = excluded.applied_seq, applied_hash = excluded.applied_hash",
                (fact.till, fact.seq, hash_),
            )


def _halved(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Entries that take from a member, as head office books them when the lot gives only half."""
    halves: list[Entry] = []
    for entry in entries:
        if not entry.debit.startswith("member:"):
            halves.append(entry)
            continue
        half = entry.amount // 2
        halves.append(replace(entry, amount=half))
        halves.append(replace(entry, amount=entry.amount - half, debit="suspense"))
    return tuple(halves)


@pytest.mark.parametrize("splits", [False, True])
def test_head_office_with_the_logs_of_two_tills_is_sound_and_watched(tmp_path: Path, db: Connection, splits: bool) -> None:
    office = open_store(tmp_path / "office.db", role="head_office", owner="HO", now=NOW)
    _copied(db, office, splits)
    other = till_store(tmp_path / "t2.db", "T2")
    for n in (101, 102):
        with write(other):
            sales.add(other, ledger.append(other, sale_draft(n, "M1", till="T2"), NOW))
    _copied(other, office)
    assert verify(office) == ()
    for sql, named in (
        ("UPDATE entry SET amount = amount + 1 WHERE debit_acct = 'member:M1'", "fact 3"),
        ("UPDATE till SET applied_seq = 1 WHERE id = 'T2'", "Till T2"),
        ("DELETE FROM till WHERE id = 'T1'", ""),
        ("UPDATE lot SET base_remaining = 1 WHERE id = 'T1/sale-2:base'", "T1/sale-2:base"),
    ):
        office.execute("BEGIN")
        office.execute(sql)
        sentences = verify(office)
        assert not named or any(named in sentence for sentence in sentences), sentences
        office.execute("ROLLBACK")
    office.close()
    other.close()


def test_no_more_sentences_than_a_person_can_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pos_loyalty.store import verify as module

    monkeypatch.setattr(module, "DIFFERENCES_MAX", 3)
    db = till_store(path)
    for n in range(1, 6):
        sell(db, n)
    db.execute("UPDATE sale SET total_minor = 1")
    assert len(module.verify(db)) == 3
    db.close()
