"""The print worker: takes queued receipts to the printer, one at a time, and opens the drawer. Rule: what may be on paper is
never sent again silently, and the drawer is told once.

A job is ``sending`` in the store before its first byte goes out; what a crash leaves on the wire becomes ``uncertain``.
Nothing here reaches the checkout: the till only queues rows and calls ``wake``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from drivers.ports import Delivery, Outcome, Printer
from pos_loyalty import log
from pos_loyalty.clock import Clock
from pos_loyalty.errors import InputError, LoyaltyError
from pos_loyalty.store import drawer, prints
from pos_loyalty.store.db import Connection, write

PAUSE_FIRST_S = 0.5
PAUSE_MAX_S = 30.0
KICK_LIFE = timedelta(seconds=10)
"""A drawer that opens later than this opens when nobody stands there: it is not told any more."""
CLOSE_WAIT_S = 3.0
"""A job on the wire for longer than this when the till closes is found uncertain at the next start."""

END_STATES: dict[Outcome, prints.PrintState] = {
    Outcome.PRINTED: "printed",
    Outcome.UNCONFIRMED: "sent_unconfirmed",
    Outcome.UNCERTAIN: "uncertain",
}


class Spool:
    """One thread with a connection of its own. ``round`` is the thread's one step; tests call it without a thread."""

    def __init__(
        self,
        printer: Printer,
        open_db: Callable[[], Connection],
        *,
        make: Callable[[bytes], bytes],
        clock: Clock,
        job_life_s: int,
    ) -> None:
        """``make``: the bytes of a job that holds what they are made of; raises InputError for what cannot be printed."""
        self._printer = printer
        self._open_db = open_db
        self._make = make
        self._clock = clock
        self._job_life = timedelta(seconds=job_life_s)
        self._db: Connection | None = None
        self._pause_s = PAUSE_FIRST_S
        self._problem: str | None = None
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="print-spool", daemon=True)

    @property
    def problem(self) -> str | None:
        """Why receipts wait, as a sentence; None when nothing stands in the way."""
        if self._thread.ident is not None and not self._thread.is_alive() and not self._closing.is_set():
            return "the print worker has stopped; start the till again"
        return self._problem

    def start(self) -> None:
        """Begin to print; jobs that were on the wire when the till stopped become uncertain first."""
        self._thread.start()

    def wake(self) -> None:
        """A job was queued. Returns at once."""
        self._wake.set()

    def close(self) -> None:
        """Stop after the job in hand, or leave it to the next start. May be called twice."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_WAIT_S)

    def round(self) -> float | None:
        """Bring the oldest job one attempt further; answers how long to wait then, None for until woken."""
        try:
            if self._db is None:
                self._db = self._opened()
            self._kick(self._db)
            delivery = self._attempt(self._db)
        except LoyaltyError as error:
            self._release()
            return self._hindered(str(error))
        if delivery is None:
            return None
        if delivery.outcome in (Outcome.REFUSED, Outcome.UNCERTAIN):
            return self._hindered(delivery.note)
        if delivery.detour is None and self._problem is not None:
            log.info("printer.recovered", device=self._printer.device)
        self._problem = delivery.detour
        self._pause_s = PAUSE_FIRST_S
        return 0.0

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._wake.clear()
                wait_s = self.round()
                if not self._closing.is_set():
                    self._wake.wait(wait_s)
        finally:
            self._release()
            self._printer.close()

    def _opened(self) -> Connection:
        """A fresh connection finds in-flight rows only when nobody is printing them: they are left from a crash or a fault."""
        db = self._open_db()
        try:
            with write(db):
                prints.restart(db, self._clock())
        except BaseException:
            db.close()
            raise
        return db

    def _attempt(self, db: Connection) -> Delivery | None:
        """None when no job is left to print."""
        while (job := self._next(db)) is not None:
            body = self._made(db, job)
            if body is not None:
                return self._sent(db, job, body)
        self._problem = None
        return None

    def _sent(self, db: Connection, job: prints.PrintJob, body: bytes) -> Delivery:
        progress = _Progress(db, job.job_id, self._clock, None if job.is_made else body)
        delivery = self._printer.submit(body, progress)
        state = END_STATES.get(delivery.outcome)
        if state is None and progress.is_sending:
            with write(db):
                prints.move(db, job.job_id, "queued", self._clock(), delivery.note)
        elif state is not None:
            with write(db):
                prints.move(db, job.job_id, state, self._clock(), delivery.note)
            log.info("print.ended", receipt_no=job.receipt_no, kind=job.kind, copy=job.copy, state=state)
        return delivery

    def _made(self, db: Connection, job: prints.PrintJob) -> bytes | None:
        """What goes to the printer; None when nothing can: then the job has failed and says why. Others are not held up by it."""
        if job.is_made:
            return job.body
        try:
            return self._make(job.body)
        except InputError as error:
            note = str(error)
        except Exception as error:  # noqa: BLE001 - a fault in one receipt may not stop all paper; the job says so
            log.error("print.unmade", receipt_no=job.receipt_no, error=type(error).__name__)
            note = "it could not be composed"
        with write(db):
            prints.move(db, job.job_id, "failed", self._clock(), note)
        return None

    def _kick(self, db: Connection) -> None:
        """Tell the drawer to open for each asking that is fresh, and once only."""
        while (kick := drawer.next_asked(db)) is not None:
            now, kick_id = self._clock(), kick.kick_id
            if not timedelta(0) <= now - kick.asked_at <= KICK_LIFE:
                self._end_kick(db, kick_id, "expired", "the printer was busy or away for too long")
                continue
            fired = partial(self._end_kick, db, kick_id, "fired")
            delivery = self._printer.pulse(fired)
            if delivery.outcome is Outcome.REFUSED:
                self._end_kick(db, kick_id, "failed", delivery.note)

    def _end_kick(self, db: Connection, kick_id: int, state: drawer.KickState, note: str | None = None) -> None:
        with write(db):
            drawer.move(db, kick_id, state, self._clock(), note)
        log.info("drawer.ended", kick=kick_id, state=state, note=note)

    def _next(self, db: Connection) -> prints.PrintJob | None:
        """The oldest job that is still worth printing. Nothing is locked unless jobs expire: the till sells meanwhile."""
        now = self._clock()
        oldest = prints.next_queued(db)
        if oldest is None or oldest.queued_at >= now - self._job_life:
            return oldest
        with write(db):
            expired = prints.expire(db, now - self._job_life, now)
            oldest = prints.next_queued(db)
        log.warning("print.expired", jobs=expired)
        return oldest

    def _hindered(self, reason: str | None) -> float:
        if reason != self._problem:
            log.warning("printer.failed", device=self._printer.device, reason=reason)
        self._problem = reason
        wait_s, self._pause_s = self._pause_s, min(self._pause_s * 2, PAUSE_MAX_S)
        return wait_s

    def _release(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()


class _Progress:
    """Implements Progress by moving the job's row, each step committed before the printer goes on."""

    def __init__(self, db: Connection, job_id: int, clock: Clock, made: bytes | None) -> None:
        self._db = db
        self._job_id = job_id
        self._clock = clock
        self._made = made
        self.is_sending = False

    def sending(self) -> None:
        with write(self._db):
            if self._made is not None:
                prints.made(self._db, self._job_id, self._made)
            prints.move(self._db, self._job_id, "sending", self._clock())
        self.is_sending = True

    def awaiting_ack(self) -> None:
        with write(self._db):
            prints.move(self._db, self._job_id, "awaiting_ack", self._clock())
