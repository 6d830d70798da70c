"""The spool: an order, states that only go forward, and nothing printed twice in silence."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pos_loyalty.errors import ConflictError
from pos_loyalty.store import prints
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.prints import PrintDraft
from tests.unit.store_facts import NOW, till_store


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    return till_store(tmp_path / "till.db")


def _queue(db: Connection, receipt: str, copy: int = 0) -> int:
    with write(db):
        return prints.enqueue(
            db, PrintDraft(sale_id=None, receipt_no=receipt, kind="sale", body=receipt.encode(), copy=copy), NOW
        )


def _move(db: Connection, job: int, *states: str) -> None:
    for state in states:
        with write(db):
            prints.move(db, job, state, NOW + timedelta(seconds=1), f"now {state}")  # type: ignore[arg-type]


def test_jobs_wait_in_the_order_they_came(db: Connection) -> None:
    jobs = [_queue(db, f"R{n}") for n in range(3)]
    assert jobs == sorted(jobs) and prints.waiting(db) == 3
    first = prints.next_queued(db)
    assert first is not None and (first.job_id, first.body, first.state) == (jobs[0], b"R0", "queued")
    _move(db, jobs[0], "sending", "awaiting_ack")
    second = prints.next_queued(db)
    assert second is not None and second.job_id == jobs[1] and prints.waiting(db) == 3
    _move(db, jobs[0], "printed")
    done = prints.by_job_id(db, jobs[0])
    assert done is not None and (done.state, done.attempts, done.note, done.moved_at) == (
        "printed",
        1,
        "now printed",
        NOW + timedelta(seconds=1),
    )
    assert prints.waiting(db) == 2


@pytest.mark.parametrize(
    "path",
    [
        ("printed",),
        ("awaiting_ack",),
        ("sending", "printed"),
        ("sending", "awaiting_ack", "queued"),
        ("sending", "uncertain", "queued"),
        ("sending", "uncertain", "sending"),
        ("sending", "awaiting_ack", "printed", "sending"),
        ("expired", "queued"),
        ("failed", "sending"),
    ],
)
def test_a_job_never_steps_aside(db: Connection, path: tuple[str, ...]) -> None:
    job = _queue(db, "R1")
    _move(db, job, *path[:-1])
    with pytest.raises(AssertionError):
        _move(db, job, path[-1])


def test_what_was_on_the_wire_at_a_crash_is_uncertain(db: Connection) -> None:
    jobs = [_queue(db, f"R{n}") for n in range(4)]
    _move(db, jobs[0], "sending")
    _move(db, jobs[1], "sending", "awaiting_ack")
    _move(db, jobs[2], "sending", "sent_unconfirmed")
    with write(db):
        assert prints.restart(db, NOW) == 2
    states = [job.state for n in jobs if (job := prints.by_job_id(db, n))]
    assert states == ["uncertain", "uncertain", "sent_unconfirmed", "queued"]
    with write(db):
        assert prints.restart(db, NOW) == 0


def test_copies_are_numbered_and_no_copy_is_queued_twice(db: Connection) -> None:
    assert prints.next_copy(db, "R1", "sale") == 0
    _queue(db, "R1")
    _queue(db, "R1", prints.next_copy(db, "R1", "sale"))
    with pytest.raises(ConflictError):
        _queue(db, "R1", 1)
    assert prints.next_copy(db, "R1", "sale") == 2 and prints.next_copy(db, "R1", "void") == 0
    assert [job.copy for job in prints.of_receipt(db, "R1", "sale")] == [0, 1]


def test_old_jobs_expire_and_young_ones_do_not(db: Connection) -> None:
    old = _queue(db, "R1")
    with write(db):
        young = prints.enqueue(db, PrintDraft(sale_id=None, receipt_no="R2", kind="sale", body=b"x"), NOW + timedelta(minutes=5))
        assert prints.expire(db, NOW + timedelta(minutes=5), NOW + timedelta(minutes=20)) == 1
    states = [job.state for n in (old, young) if (job := prints.by_job_id(db, n))]
    assert states == ["expired", "queued"]


def test_a_job_without_bytes_may_be_born_failed(db: Connection) -> None:
    with write(db):
        job = prints.enqueue(
            db, PrintDraft(sale_id=None, receipt_no="R1", kind="sale", body=b"", state="failed", note="no glyph"), NOW
        )
    kept = prints.by_job_id(db, job)
    assert kept is not None and (kept.state, kept.note) == ("failed", "no glyph")
    assert prints.next_queued(db) is None and prints.waiting(db) == 0
