"""Who may speak for a till: enrolment, signatures, epochs, tills that were restored, cloned or revoked."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, LogForkError, TokenError, WireError
from pos_loyalty.store import epochs, ledger, outbox
from pos_loyalty.store.till_facts import Place
from pos_loyalty.store.verify import verify
from sync import identity, push
from sync.identity import Credential, EnrolAnswer, EnrolRequest
from sync.local import begin_push, keep_ack, next_batch
from sync.server import enrol
from sync.wire import decode_batch, deflate, plain_batch, read_ack
from tests.simulation.shop import (
    NOW,
    OFFICE,
    HeadOffice,
    Till,
    half,
    pull_all,
    token_of,
)

PRIVATE = "5c" * 32
PUBLIC = identity.public_of(PRIVATE)


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


def asked(till: Till, code: str, private_key: str = PRIVATE) -> EnrolRequest:
    return EnrolRequest(
        code=code, till=till.name, store="S1", public_key=identity.public_of(private_key), head=epochs.place_of(till.db)
    )


def enrolled(office: HeadOffice, till: Till, private_key: str = PRIVATE) -> EnrolAnswer:
    """By a new code, as ``pos-loyalty sync --enrol`` does it."""
    answer = enrol.enrol(office.store, asked(till, enrol.make_code(office.store, till.name, NOW), private_key), OFFICE, NOW)
    credential = answer.credential
    epochs.begin(till.db, credential.epoch, credential.continues, store="S1", fact_id=id_of(credential), now=NOW)
    till.here = replace(till.here, signer=identity.Signer(credential=credential, private_key=private_key))
    return answer


def sync_fully(till: Till, office: HeadOffice, cap: int = 500) -> None:
    """All there is, both ways. Raises what head office says instead."""
    state = begin_push(till.db, cap, NOW)
    for _ in range(100):
        step = next_batch(till.db, till.here, state, NOW)
        if step.send is None:
            break
        reply = office.push(till.name, step.send)
        if reply.status != 409 or b"log-gap" not in reply.body:
            read_ack(reply)
        step = push.received(state, reply, NOW, half)
        if step.held is not None:
            keep_ack(till.db, step.held)
        state = step.state
    else:
        raise AssertionError("sending does not end")
    for page in pull_all(till, office):
        if page.as_of_seq < state.seq:  # head office was restored: the daemon sends again
            return sync_fully(till, office, cap)
    return None


def id_of(credential: Credential) -> UUID:
    return UUID(bytes=sha256(credential.public_key.encode()).digest()[:16])


def copy_of(till: Till, path: Path) -> None:
    till.db.execute("VACUUM INTO ?", (str(path),))


def restored(till: Till, saved: Path) -> None:
    till.db.close()
    for tail in ("", "-wal", "-shm"):
        till.path.with_name(till.path.name + tail).unlink(missing_ok=True)
    till.path.write_bytes(saved.read_bytes())
    till.open()


def test_a_code_makes_one_machine_a_till(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    till.sell("S1")
    answer = enrolled(office, till)
    assert (answer.credential.epoch, answer.credential.continues) == (1, None), "all that it sold before is its first epoch"
    assert answer.token == token_of("T1")
    assert answer.head_office_key == identity.public_of(OFFICE.private_key)
    sync_fully(till, office)
    assert office.rows("SELECT epoch, applied_seq FROM till") == [(1, 1)]
    assert verify(office.db) == ()


def test_the_same_request_again_gets_the_same_answer_and_another_machine_none(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    code = enrol.make_code(office.store, "T1", NOW)
    first = enrol.enrol(office.store, asked(till, code), OFFICE, NOW)
    later = NOW + timedelta(days=30)
    assert enrol.enrol(office.store, asked(till, code), OFFICE, later) == first, "a lost answer is asked for again"
    with pytest.raises(TokenError, match="keys code --till T1"):
        enrol.enrol(office.store, asked(till, code, "5d" * 32), OFFICE, NOW)
    assert office.rows("SELECT till, epoch FROM till_key") == [("T1", 1)]


def test_a_code_is_read_as_a_person_types_it_and_ends_after_two_days(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    code = enrol.make_code(office.store, "T1", NOW)
    assert len(code.replace("-", "")) == 32
    assert code not in str(office.rows("SELECT * FROM enrol_code")), "head office keeps only its hash"
    typed = replace(asked(till, code), code=f"  {code.replace('-', ' ').lower()}\n")
    with pytest.raises(TokenError):
        enrol.enrol(office.store, typed, OFFICE, NOW + timedelta(hours=48, milliseconds=1))
    with pytest.raises(TokenError):
        enrol.enrol(office.store, replace(typed, till="T2"), OFFICE, NOW)
    with pytest.raises(WireError, match="32 letters and digits"):
        enrol.enrol(office.store, replace(typed, code=code[:-1]), OFFICE, NOW)
    assert enrol.enrol(office.store, typed, OFFICE, NOW + timedelta(hours=48)).credential.epoch == 1


def test_a_batch_is_taken_only_as_the_till_signed_it(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    till.sell("S1")
    till.sell("S2")
    step = next_batch(till.db, till.here, begin_push(till.db, 500, NOW), NOW)
    assert step.send is not None
    batch = decode_batch(step.send)
    other = Till(tmp_path, "T2").here.signer
    stranger = identity.sign(identity.head_said("T1", 1, 2, batch.header.head_hash), "77" * 32)
    own_word = identity.certify(replace(batch.header.credential, public_key=identity.public_of("77" * 32)), "77" * 32)
    forged = (
        replace(batch.header, signature=stranger),
        replace(batch.header, signature="0" * 128),
        replace(batch.header, credential=other.credential),
        replace(batch.header, credential=own_word, signature=stranger),
        replace(batch.header, credential=replace(batch.header.credential, epoch=2)),
    )
    for header in forged:
        assert office.push("T1", deflate(plain_batch(header, batch.payloads))).status == 422
    shorter = replace(batch.header, count=1, head_hash=sha256(bytes(32) + batch.payloads[0]).hexdigest())
    assert office.push("T1", deflate(plain_batch(shorter, batch.payloads[:1]))).status == 422, (
        "the signature is over the last fact"
    )
    assert office.rows("SELECT COUNT(*) FROM txn") == [(0,)]
    assert office.push("T1", step.send).status == 200


def test_a_revoked_till_is_not_heard_until_it_is_enrolled_again(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    till.sell("S1")
    sync_fully(till, office)
    assert enrol.revoke(office.store, "T1", "boss", NOW) == 1
    till.sell("S2")
    with pytest.raises(TokenError, match="revoked"):
        sync_fully(till, office)
    assert outbox.unsent_count(till.db) == 1, "the sale waits"
    enrolled(office, till, "5d" * 32)
    assert epochs.epoch_of(till.db) == 2
    till.sell("S3")
    sync_fully(till, office)
    assert outbox.unsent_count(till.db) == 0
    assert office.rows("SELECT sale_id FROM sale ORDER BY 1") == [("S1",), ("S2",), ("S3",)]
    assert office.rows("SELECT epoch, seq FROM txn WHERE till = 'T1' ORDER BY 1, 2") == [(1, 1), (1, 2), (2, 3), (2, 4)]
    assert verify(office.db) == verify(till.db) == ()


def test_a_till_restored_from_a_backup_goes_on_and_loses_nothing(office: HeadOffice, tmp_path: Path) -> None:
    """Sent, then restored to an older file: what it had sent stays at head office, what it sells from then on is added."""
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=1_000)
    sync_fully(till, office)
    copy_of(till, tmp_path / "saved.db")
    till.sell("S2", "M1", earn=500)
    till.sell("S3", "M1", spend=700)
    sync_fully(till, office)
    restored(till, tmp_path / "saved.db")
    till.sell("S4", "M1", earn=30)
    with pytest.raises(LogForkError):
        sync_fully(till, office)
    assert office.rows("SELECT COUNT(*) FROM sale") == [(3,)]
    with pytest.raises(LogForkError, match="two machines went on from one copy"):
        enrolled(office, till, "5d" * 32)


def test_a_till_enrolled_right_after_its_restore_counts_on_from_there(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=1_000)
    sync_fully(till, office)
    copy_of(till, tmp_path / "saved.db")
    till.sell("S2", "M1", earn=500)
    till.sell("S3", "M1", spend=700)
    sync_fully(till, office)
    restored(till, tmp_path / "saved.db")
    answer = enrolled(office, till, "5d" * 32)
    assert answer.credential.continues == Place(epoch=1, seq=2, hash=ledger_hash(till, 2))
    till.sell("S4", "M1", earn=30)
    sync_fully(till, office)
    assert office.rows("SELECT sale_id FROM sale ORDER BY 1") == [("S1",), ("S2",), ("S3",), ("S4",)]
    earned_less_spent = 1_000 + 500 - 700 + 30
    assert till.balance("M1") == earned_less_spent, "it hears of what it forgot"
    assert sum(lot.centi for lot in ledger.lots_of(office.db, "M1")) == earned_less_spent
    assert verify(office.db) == verify(till.db) == ()
    sync_fully(till, office)
    assert till.balance("M1") == earned_less_spent


def test_a_copy_of_a_till_is_not_heard_after_the_till_was_enrolled_anew(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    till.sell("S1")
    sync_fully(till, office)
    (tmp_path / "clone").mkdir()
    copy_of(till, tmp_path / "clone" / "T1.db")
    clone = Till(tmp_path / "clone", "T1")
    clone.here = till.here
    enrolled(office, till, "5d" * 32)
    clone.sell("S9")
    with pytest.raises(TokenError, match="not that till any more"):
        sync_fully(clone, office)
    till.sell("S2")
    sync_fully(till, office)
    assert office.rows("SELECT sale_id FROM sale ORDER BY 1") == [("S1",), ("S2",)]


def test_what_was_unsent_before_a_new_epoch_is_sent_with_it(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    till.sell("S1")
    sync_fully(till, office)
    for n in range(2, 6):
        till.sell(f"S{n}")
    enrolled(office, till, "5d" * 32)
    till.sell("S6")
    enrolled(office, till, "5e" * 32)
    till.sell("S7")
    sync_fully(till, office, cap=2)
    assert office.rows("SELECT sale_id FROM sale ORDER BY 1") == [(f"S{n}",) for n in range(1, 8)]
    assert outbox.unsent_count(till.db) == 0
    assert verify(office.db) == verify(till.db) == ()


@pytest.mark.parametrize("at", range(5))
def test_head_office_restored_from_any_day_knows_its_tills_and_takes_all_again(tmp_path: Path, at: int) -> None:
    """The backup may be older than the till's enrolment, or lie between its epochs: the credentials tell."""
    office, till = HeadOffice(tmp_path), Till(tmp_path, "T1")
    saved: list[Path] = []

    def backup() -> None:
        saved.append(tmp_path / f"saved{len(saved)}.db")
        office.db.execute("VACUUM INTO ?", (str(saved[-1]),))

    backup()
    enrolled(office, till)
    backup()
    till.enrol("M1", "2000000000015")
    till.sell("S1", "M1", earn=1_000)
    sync_fully(till, office)
    backup()
    enrolled(office, till, "5d" * 32)
    till.sell("S2", "M1", spend=300)
    sync_fully(till, office)
    backup()
    enrolled(office, till, "5e" * 32)
    till.sell("S3", "M1", earn=7)
    sync_fully(till, office)
    backup()
    office.restore(saved[at])
    till.sell("S4", "M1", earn=1)
    sync_fully(till, office)
    sync_fully(till, office)
    assert office.rows("SELECT sale_id FROM sale ORDER BY 1") == [("S1",), ("S2",), ("S3",), ("S4",)]
    assert till.balance("M1") == sum(lot.centi for lot in ledger.lots_of(office.db, "M1")) == 1_000 - 300 + 7 + 1
    assert verify(office.db) == verify(till.db) == ()


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("sold", [0, 2])
def test_no_machine_gets_the_number_of_one_that_head_office_forgot(tmp_path: Path, is_known: bool, sold: int) -> None:
    """It was put back to before that one was enrolled, and knows it; what that one sold came to the store's hub alone, say."""
    office, till, watcher = HeadOffice(tmp_path), Till(tmp_path, "T1"), Till(tmp_path, "T2")
    enrolled(office, watcher)
    if is_known:
        enrolled(office, till)
    saved = tmp_path / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    (tmp_path / "other").mkdir()
    forgotten = Till(tmp_path / "other", "T1")
    enrolled(office, forgotten, "5d" * 32)
    office.restore(saved)
    with office.store.write():  # as the mark beside its file, or a till that knows more, tells it
        office.store.rights.begin_anew(2, (), NOW)
    for n in range(sold):
        till.sell(f"S{n}")
    enrolled(office, till, "5e" * 32)
    assert till.here.signer.credential.epoch > forgotten.here.signer.credential.epoch
    till.sell("last")
    sync_fully(till, office)
    assert len(office.rows("SELECT sale_id FROM sale")) == sold + 1
    assert verify(office.db) == verify(till.db) == ()


def test_a_till_that_sold_while_it_was_enrolled_is_told_to_do_it_again(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    till.sell("S1")
    request = asked(till, enrol.make_code(office.store, "T1", NOW), "5d" * 32)
    credential = enrol.enrol(office.store, request, OFFICE, NOW).credential
    till.sell("S2")
    with pytest.raises(ConflictError, match="enrol it again"):
        epochs.begin(till.db, credential.epoch, credential.continues, store="S1", fact_id=id_of(credential), now=NOW)
    assert epochs.epoch_of(till.db) == 1


def test_a_token_names_its_till_and_cannot_be_made_from_another() -> None:
    token = token_of("Касса 1", 3)
    assert identity.holder_of(token, OFFICE.token_secret) == identity.Holder(till="Касса 1", epoch=3)
    name, epoch, mac = token.split(".")
    for forged in (f"{name}.4.{mac}", f"{name}.{epoch}.{mac[:-1]}", "", "a.b.c", "..", f"{name}.{epoch}", "é.1.x", "x" * 9000):
        with pytest.raises(TokenError):
            identity.holder_of(forged, OFFICE.token_secret)


def test_verify_sees_a_turned_key(office: HeadOffice, tmp_path: Path) -> None:
    till = Till(tmp_path, "T1")
    enrolled(office, till)
    enrol.revoke(office.store, "T1", "boss", NOW)
    for change in (
        f"UPDATE till_key SET public_key = '{'0' * 64}'",
        "UPDATE till_key SET state = 'active'",
        "UPDATE till_key SET continues_seq = 7, continues_epoch = 1, continues_hash = 'x'",
        "DELETE FROM till_key",
    ):
        office.db.execute("SAVEPOINT forged")
        office.db.execute(change)
        assert any("Till T1: its key" in sentence for sentence in verify(office.db)), change
        office.db.execute("ROLLBACK TO forged")
        office.db.execute("RELEASE forged")
    assert verify(office.db) == ()


def ledger_hash(till: Till, seq: int) -> str:
    return str(till.db.execute("SELECT lower(hex(hash)) FROM txn WHERE seq = ?", (seq,)).fetchone()[0])
