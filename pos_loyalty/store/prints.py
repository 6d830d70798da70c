"""The print spool: receipts wait here for a printer. Rule: what may be on paper already is never printed again silently."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from msgspec.structs import asdict

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.errors import ConflictError
from pos_loyalty.store.db import Connection
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

PrintState = Literal["queued", "sending", "awaiting_ack", "printed", "sent_unconfirmed", "uncertain", "failed", "expired"]

ERASED = "the member was erased"
SECRET_KIND = "gift_card"
"""Slips that hold the codes of gift cards. Their bytes are wiped when nothing more will be sent; there are no copies."""
ENDED = "'printed', 'sent_unconfirmed', 'uncertain', 'failed', 'expired'"

NEXT_STATES: dict[PrintState, frozenset[PrintState]] = {
    "queued": frozenset({"sending", "expired", "failed"}),
    "sending": frozenset({"awaiting_ack", "sent_unconfirmed", "uncertain", "queued", "expired", "failed"}),
    "awaiting_ack": frozenset({"printed", "uncertain"}),
    "printed": frozenset(),
    "sent_unconfirmed": frozenset(),
    "uncertain": frozenset({"failed"}),
    "failed": frozenset(),
    "expired": frozenset(),
}


class PrintJob(Value):
    """One receipt on its way to paper. ``copy`` 0 is the original, 1 the first marked copy.

    ``is_made``: ``body`` is bytes for the printer; else what they are made of.
    """

    job_id: int
    sale_id: str | None
    receipt_no: str
    kind: str
    copy: int
    state: PrintState
    body: bytes
    is_made: bool
    queued_at: datetime
    moved_at: datetime
    attempts: int
    note: str | None


class PrintDraft(Value):
    """A receipt to print. ``body``: what the printer will be sent, or is made of; without it the job is born ``failed``."""

    sale_id: str | None
    receipt_no: str
    kind: str
    body: bytes
    copy: int = 0
    state: Literal["queued", "failed"] = "queued"
    note: str | None = None
    is_made: bool = True


def enqueue(db: Connection, draft: PrintDraft, now: datetime) -> int:
    """Queue a job; answers its id. Raises ConflictError when this copy of the receipt was queued before."""
    row = asdict(draft)
    known = db.execute("SELECT 1 FROM print_job WHERE receipt_no = :receipt_no AND kind = :kind AND copy = :copy", row).fetchone()
    if known is not None:
        raise ConflictError(f"Copy {draft.copy} of receipt {draft.receipt_no} is in the print queue already.")
    with watched(db, "print_job", "receipt_no = :receipt_no AND kind = :kind AND copy = :copy", row):
        return int(db.execute(JOB_INSERT, row | {"now": to_ms(now)}).lastrowid)


def next_queued(db: Connection, behind: Collection[int] = ()) -> PrintJob | None:
    """The oldest job of which no byte was sent. ``behind``: jobs that wait until no other is left, in this order."""
    first = _job(db.execute(NEXT_SELECT, {"behind": f"[{', '.join(map(str, behind))}]"}).fetchone())
    if first is not None:
        return first
    return next((by_job_id(db, job_id) for job_id in behind if is_queued(db, job_id)), None)


def is_queued(db: Connection, job_id: int) -> bool:
    """Whether a job waits to be printed."""
    row = db.execute(
        "SELECT 1 FROM print_job WHERE id = :job AND state = 'queued' AND length(body) > 0", {"job": job_id}
    ).fetchone()
    return row is not None


def by_job_id(db: Connection, job_id: int) -> PrintJob | None:
    """The job with this id."""
    return _job(db.execute(f"{JOB_SELECT} WHERE id = :job", {"job": job_id}).fetchone())


def of_receipt(db: Connection, receipt_no: str, kind: str) -> tuple[PrintJob, ...]:
    """The original and all copies of a receipt, in order."""
    key = {"receipt_no": receipt_no, "kind": kind}
    rows = db.execute(f"{JOB_SELECT} WHERE receipt_no = :receipt_no AND kind = :kind ORDER BY copy", key)
    return tuple(job for row in rows if (job := _job(row)) is not None)


def next_copy(db: Connection, receipt_no: str, kind: str) -> int:
    """The number of the next print of a receipt: 0 when it was never queued."""
    select = "SELECT COUNT(*) FROM print_job WHERE receipt_no = :receipt_no AND kind = :kind"
    return int(db.execute(select, {"receipt_no": receipt_no, "kind": kind}).fetchone()[0])


def move(db: Connection, job_id: int, state: PrintState, now: datetime, note: str | None = None) -> None:
    """Move a job to its next state; ``sending`` counts as an attempt. The job must exist and the step be one of the table."""
    job = by_job_id(db, job_id)
    assert job is not None, f"no print job {job_id}"
    assert state in NEXT_STATES[job.state], f"print job {job_id} cannot go from {job.state} to {state}"
    row = {"job": job_id, "state": state, "now": to_ms(now), "note": note, "tried": int(state == "sending")}
    with watched(db, "print_job", "id = :job", row):
        db.execute(JOB_MOVE, row)


def begin(db: Connection, job_id: int, body: bytes, now: datetime) -> bool:
    """The bytes of a job go out next, and are its bytes from here on. False, and nothing is changed, when it waits no more: the
    member was erased, or it was given up, since it was chosen."""
    job = by_job_id(db, job_id)
    if job is None or job.state != "queued":
        return False
    if not job.is_made:
        made(db, job_id, body)
    move(db, job_id, "sending", now)
    return True


def give_back(db: Connection, job_id: int, now: datetime, note: str | None) -> PrintState:
    """No byte of a job has gone out after all: it waits again. When its member was erased meanwhile there is nothing left to
    wait for. Answers its state."""
    job = by_job_id(db, job_id)
    state: PrintState = "queued" if job is not None and job.body else "expired"
    move(db, job_id, state, now, note if state == "queued" else ERASED)
    return state


def made(db: Connection, job_id: int, body: bytes) -> None:
    """The bytes of a job that was not made yet, as they go out now: from here on it is sent so and never made again."""
    row = {"job": job_id, "body": body}
    with watched(db, "print_job", "id = :job", row):
        db.execute("UPDATE print_job SET body = :body, is_made = 1 WHERE id = :job AND is_made = 0", row)


def wipe(db: Connection, member_id: str) -> None:
    """A member is erased: their receipts carry their code for friends. What was not printed yet is not printed any more."""
    row = {"member": member_id}
    with watched(db, "print_job", OF_MEMBER, row):
        db.execute(JOBS_WIPE, row | {"nothing": b""})


def waiting(db: Connection) -> int:
    """How many jobs are not at an end."""
    return int(db.execute("SELECT COUNT(*) FROM print_job WHERE state IN ('queued', 'sending', 'awaiting_ack')").fetchone()[0])


def in_hand(db: Connection) -> int:
    """How many jobs may be on the wire now."""
    return int(db.execute("SELECT COUNT(*) FROM print_job WHERE state IN ('sending', 'awaiting_ack')").fetchone()[0])


def waits_since(db: Connection) -> datetime | None:
    """When the oldest job that is still to be printed was queued; None when none waits."""
    row = db.execute("SELECT MIN(queued_ms) FROM print_job WHERE state = 'queued'").fetchone()
    return None if row[0] is None else from_ms(int(row[0]))


def not_on_paper(db: Connection, since: datetime, limit: int) -> tuple[PrintJob, ...]:
    """Jobs that ended without surely being printed, and were not queued again since; the newest first."""
    rows = db.execute(NOT_ON_PAPER_SELECT, {"since": to_ms(since), "limit": limit}).fetchall()
    return tuple(job for row in rows if (job := _job(row)) is not None)


def restart(db: Connection, now: datetime) -> int:
    """After a start: what was on the wire when the till died may be on paper. Answers how many jobs became uncertain.

    A job of an erased member that waits without its bytes, as earlier builds left some, is given up.
    """
    jobs = db.execute(f"SELECT json_group_array(id) FROM print_job WHERE {ON_THE_WIRE} OR {HOLLOW}").fetchone()
    with watched(db, "print_job", AMONG, jobs):
        db.execute(HOLLOW_EXPIRE, {"now": to_ms(now)})
        return int(db.execute(JOB_RESTART, {"now": to_ms(now), "state": "uncertain"}).rowcount)


def expire(db: Connection, before: datetime, now: datetime) -> int:
    """Give up jobs that were queued before an instant, so that paper brings no flood. Answers how many."""
    row = {"before": to_ms(before), "now": to_ms(now)}
    jobs = db.execute(f"SELECT json_group_array(id) FROM print_job WHERE {STALE}", row).fetchone()
    with watched(db, "print_job", AMONG, jobs):
        return int(db.execute(JOB_EXPIRE, row).rowcount)


def _job(row: tuple[object, ...] | None) -> PrintJob | None:
    if row is None:
        return None
    seen: dict[str, object] = dict(zip(SEEN, row, strict=True))
    instants = {name: from_ms(int(str(seen.pop(old)))) for name, old in (("queued_at", "queued_ms"), ("moved_at", "moved_ms"))}
    return PrintJob(job_id=seen.pop("id"), is_made=bool(seen.pop("is_made")), **seen, **instants)  # type: ignore[arg-type]


SEEN = ("id", "sale_id", "receipt_no", "kind", "copy", "state", "body", "is_made", "queued_ms", "moved_ms", "attempts", "note")
JOB_SELECT = f"SELECT {', '.join(SEEN)} FROM print_job"
NEXT_SELECT = f"""{JOB_SELECT} WHERE state = 'queued' AND length(body) > 0 AND id NOT IN (SELECT value FROM json_each(:behind))
ORDER BY id LIMIT 1"""
JOB_INSERT = """INSERT INTO print_job (sale_id, receipt_no, kind, copy, state, body, is_made, queued_ms, moved_ms, note)
VALUES (:sale_id, :receipt_no, :kind, :copy, :state, :body, :is_made, :now, :now, :note)"""
BODY_AFTER = f"CASE WHEN kind = '{SECRET_KIND}' AND :state IN ({ENDED}) THEN zeroblob(0) ELSE body END"
JOB_MOVE = f"""UPDATE print_job SET
  state = :state, moved_ms = :now, note = :note, attempts = attempts + :tried, body = {BODY_AFTER}
WHERE id = :job"""
ON_THE_WIRE = "state IN ('sending', 'awaiting_ack')"
JOB_RESTART = f"""UPDATE print_job SET
  state = :state, moved_ms = :now, note = 'the till stopped while printing', body = {BODY_AFTER}
WHERE {ON_THE_WIRE}"""
HOLLOW = "state = 'queued' AND length(body) = 0"
HOLLOW_EXPIRE = f"UPDATE print_job SET state = 'expired', moved_ms = :now, note = '{ERASED}' WHERE {HOLLOW}"
AMONG = "id IN (SELECT value FROM json_each(?))"
STALE = f"state = 'queued' AND queued_ms < :before AND kind <> '{SECRET_KIND}'"
JOB_EXPIRE = f"""UPDATE print_job SET state = 'expired', moved_ms = :now, note = 'no printer in time'
WHERE {STALE}"""
"""A gift card's slip waits for ever: its code is nowhere else."""
OF_MEMBER = "sale_id IS NOT NULL AND receipt_no IN (SELECT receipt_no FROM sale WHERE member = :member)"
JOBS_WIPE = f"""UPDATE print_job SET body = :nothing,
  note = CASE state WHEN 'queued' THEN '{ERASED}' ELSE note END, state = replace(state, 'queued', 'expired')
WHERE {OF_MEMBER}"""
NOT_ON_PAPER_SELECT = f"""{JOB_SELECT} AS job WHERE state IN ('uncertain', 'failed', 'expired') AND queued_ms >= :since
AND NOT EXISTS (
  SELECT 1 FROM print_job AS later WHERE later.receipt_no = job.receipt_no AND later.kind = job.kind AND later.copy > job.copy
)
ORDER BY id DESC LIMIT :limit"""
