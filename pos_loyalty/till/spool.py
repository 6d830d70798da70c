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
from pos_loyalty.errors import ConflictError, InputError, LoyaltyError, StoreError
from pos_loyalty.store import drawer, prints
from pos_loyalty.store.db import Connection, reads, write

PAUSE_FIRST_S = 0.5
PAUSE_MAX_S = 30.0
KICK_LIFE = timedelta(seconds=10)
"""A drawer that opens later than this opens when nobody stands there: it is not told any more."""
GRACE_S = 0.02
"""The checkout that woke the worker gets its answer out before receipts are composed in the same process."""
REST_S = 1.0
"""A printer that takes nothing is not asked more often than this, however many sales wake the worker."""
BREAKS_MAX = 3
"""So often a job may break the worker; then it is set aside as failed, and the others are printed."""
CLOSE_WAIT_S = 3.0
"""A job on the wire for longer than this when the till closes is found uncertain at the next start."""

PASSING = (MemoryError, OSError)
"""What this machine lacks for a while. It is no fault of the job that was in hand: that waits behind the others."""

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
        self._drawer_problem: str | None = None
        self._job: prints.PrintJob | None = None
        """The job that is being made or sent: only what breaks then is its fault."""
        self._unsent: int | None = None
        """A job of which surely no byte went out, though the file may say that it is being sent."""
        self._composed: tuple[int, bytes] | None = None
        """The job that was composed last, and its bytes: a printer that is away is offered the same ones again."""
        self._breaks: dict[int, int] = {}
        """How often a job broke the worker before its first byte."""
        self._behind: dict[int, str] = {}
        """Jobs that broke it and may not be lost, in the order in which they are tried again, and what they are called."""
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="print-spool", daemon=True)

    @property
    def problem(self) -> str | None:
        """Why receipts wait or the drawer stays shut, as a sentence; None when nothing stands in the way."""
        if self._thread.ident is not None and not self._thread.is_alive() and not self._closing.is_set():
            return "the print worker has stopped; start the till again"
        return self._problem or self._drawer_problem

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
        elif self._thread.ident is None:
            self._release()

    def round(self) -> float | None:
        """Bring the oldest job one attempt further; answers how long to wait then, None for until woken."""
        self._job = None
        try:
            with reads():
                self._see_to_drawer(self._ready())
                delivery = self._attempt(self._ready())
        except LoyaltyError as error:
            self._release()
            return self._hindered(str(error))
        except Exception as error:  # noqa: BLE001 - whatever breaks over one job, the jobs after it are printed
            return self._broken(error)
        if delivery is None:
            return None if self._drawer_problem is None else self._pause()
        if delivery.outcome in (Outcome.REFUSED, Outcome.UNCERTAIN):
            return self._hindered(delivery.note)
        problem = delivery.detour or self._kept_back()
        if problem is None and self._problem is not None:
            log.info("printer.recovered", device=self._printer.device)
        self._problem = problem
        self._pause_s = PAUSE_FIRST_S
        return 0.0

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._wake.clear()
                wait_s = self.round()
                if self._closing.is_set():
                    break
                if wait_s is None:
                    self._wake.wait()
                    self._closing.wait(GRACE_S)
                elif wait_s > 0:
                    self._closing.wait(min(wait_s, REST_S))
                    self._wake.wait(max(wait_s - REST_S, 0))
        finally:
            self._release()
            self._printer.close()

    def _ready(self) -> Connection:
        if self._db is None:
            self._db = self._opened()
        return self._db

    def _opened(self) -> Connection:
        """A fresh connection finds in-flight rows only when nobody is printing them: they are left from a crash or a fault."""
        db = self._open_db()
        try:
            with write(db):
                self._take_back(db)
                prints.restart(db, self._clock())
        except BaseException:
            db.close()
            raise
        self._unsent = None
        return db

    def _take_back(self, db: Connection) -> None:
        """A commit that was said to fail and stands all the same makes nothing uncertain: no byte followed it."""
        job = None if self._unsent is None else prints.by_job_id(db, self._unsent)
        if job is not None and job.state == "sending":
            prints.give_back(db, job.job_id, self._clock(), "the till's file failed before the first byte")

    def _attempt(self, db: Connection) -> Delivery | None:
        """None when no job is left to print."""
        while (job := self._next(db)) is not None:
            if self._breaks.get(job.job_id, 0) >= BREAKS_MAX:
                self._set_aside(db, job)
                continue
            self._job = job
            body = self._made(db, job)
            delivery = None if body is None else self._sent(db, job, body)
            self._job = None
            if delivery is not None:
                self._breaks.clear()
                if delivery.outcome is not Outcome.REFUSED:
                    self._behind.pop(job.job_id, None)
                return delivery
        self._behind.clear()
        self._problem = None
        return None

    def _sent(self, db: Connection, job: prints.PrintJob, body: bytes) -> Delivery | None:
        """None when the job was withdrawn before its first byte: then nothing went out."""
        progress = _Progress(db, job.job_id, self._clock, body)
        try:
            delivery = self._printer.submit(body, progress)
        except ConflictError:
            if progress.is_withdrawn:
                return None
            raise
        except StoreError:
            self._unsent = None if progress.is_sending else job.job_id
            raise
        state = END_STATES.get(delivery.outcome)
        if state is None and progress.is_sending:
            self._unsent = job.job_id
            with write(db):
                prints.give_back(db, job.job_id, self._clock(), delivery.note)
            self._unsent = None
        elif state is not None:
            with write(db):
                prints.move(db, job.job_id, state, self._clock(), delivery.note)
            log.info("print.ended", receipt_no=job.receipt_no, kind=job.kind, copy=job.copy, state=state)
        return delivery

    def _broken(self, error: Exception) -> float:
        """A fault of the program's own. What was on the wire is found uncertain when the file is opened anew."""
        job, self._job = self._job, None
        log.error("print.broken", job=None if job is None else job.job_id, error=type(error).__name__)
        self._release()
        is_behind = job is not None and job.job_id in self._behind
        if job is not None and (isinstance(error, PASSING) or (is_behind and job.kind == prints.SECRET_KIND)):
            self._put_behind(job)
        elif job is not None:
            self._breaks = {job.job_id: self._breaks.get(job.job_id, 0) + 1}
        if is_behind:
            return self._hindered(self._kept_back())
        return self._hindered(f"printing broke off by a fault of the till's own ({type(error).__name__})")

    def _set_aside(self, db: Connection, job: prints.PrintJob) -> None:
        """A slip with codes is never given up: they are nowhere else."""
        self._breaks.clear()
        if job.kind == prints.SECRET_KIND:
            self._put_behind(job)
            return
        with write(db):
            prints.move(db, job.job_id, "failed", self._clock(), "printing it broke the print worker again and again")

    def _put_behind(self, job: prints.PrintJob) -> None:
        """Behind all others, those too that stand there already: none of them keeps the next one from its try."""
        self._behind.pop(job.job_id, None)
        is_secret = job.kind == prints.SECRET_KIND
        self._behind[job.job_id] = f"{'the slip of gift cards of ' if is_secret else ''}receipt {job.receipt_no}"

    def _kept_back(self) -> str | None:
        """The sentence about jobs that wait behind all others; None when there are none."""
        if not self._behind:
            return None
        verbs = ("waits", "it") if len(self._behind) == 1 else ("wait", "them")
        return f"{', '.join(self._behind.values())} {verbs[0]} behind all others: a fault of the till's own stops {verbs[1]}"

    def _made(self, db: Connection, job: prints.PrintJob) -> bytes | None:
        """What goes to the printer; None when nothing can: then the job has failed and says why. Others are not held up by it."""
        if job.is_made:
            return job.body
        if self._composed is not None and self._composed[0] == job.job_id:
            return self._composed[1]
        try:
            self._composed = (job.job_id, self._make(job.body))
            return self._composed[1]
        except InputError as error:
            note = str(error)
        except PASSING:
            raise
        except Exception as error:  # noqa: BLE001 - a fault in one receipt may not stop all paper; the job says so
            log.error("print.unmade", receipt_no=job.receipt_no, error=type(error).__name__)
            note = "it could not be composed"
        with write(db):
            prints.move(db, job.job_id, "failed", self._clock(), note)
        return None

    def _see_to_drawer(self, db: Connection) -> None:
        """Whatever breaks over it, receipts are printed; the file is opened anew, as a commit may have failed."""
        try:
            with reads():
                self._kick(db)
        except Exception as error:  # noqa: BLE001 - a drawer may not stop receipts
            is_told = isinstance(error, LoyaltyError)
            reason = str(error) if is_told else f"a fault of the till's own ({type(error).__name__})"
            problem = f"the drawer cannot be told to open: {reason}"
            if problem != self._drawer_problem:
                log.error("drawer.broken", kick=None, error=type(error).__name__)
            self._drawer_problem = problem
            self._release()
        else:
            self._drawer_problem = None

    def _kick(self, db: Connection) -> None:
        """Tell the drawer to open for each asking that is fresh, and once only."""
        while (kick := drawer.next_asked(db)) is not None:
            now, kick_id = self._clock(), kick.kick_id
            if not timedelta(0) <= now - kick.asked_at <= KICK_LIFE:
                self._end_kick(db, kick_id, "expired", "the printer was busy or away for too long")
                continue
            note = self._pulsed(db, kick_id)
            asked = drawer.by_kick_id(db, kick_id)
            if note is not None and asked is not None and asked.state == "asked":
                self._end_kick(db, kick_id, "failed", note)

    def _pulsed(self, db: Connection, kick_id: int) -> str | None:
        """Why the drawer was not told; None when it was."""
        try:
            delivery = self._printer.pulse(partial(self._end_kick, db, kick_id, "fired"))
        except LoyaltyError:
            raise
        except Exception as error:  # noqa: BLE001 - a drawer may not stop receipts; the kick says so
            log.error("drawer.broken", kick=kick_id, error=type(error).__name__)
            return f"a fault of the till's own ({type(error).__name__})"
        return (delivery.note or "refused") if delivery.outcome is Outcome.REFUSED else None

    def _end_kick(self, db: Connection, kick_id: int, state: drawer.KickState, note: str | None = None) -> None:
        with write(db):
            drawer.move(db, kick_id, state, self._clock(), note)
        log.info("drawer.ended", kick=kick_id, state=state, note=note)

    def _next(self, db: Connection) -> prints.PrintJob | None:
        """The oldest job that is still worth printing. Nothing is locked unless jobs expire: the till sells meanwhile."""
        now = self._clock()
        if self._behind:
            self._behind = {job_id: told for job_id, told in self._behind.items() if prints.is_queued(db, job_id)}
        oldest = prints.next_queued(db, self._behind)
        if oldest is None or oldest.queued_at >= now - self._job_life:
            return oldest
        with write(db):
            expired = prints.expire(db, now - self._job_life, now)
            oldest = prints.next_queued(db, self._behind)
        if expired:
            log.warning("print.expired", jobs=expired)
        return oldest

    def _hindered(self, reason: str | None) -> float:
        if reason != self._problem:
            log.warning("printer.failed", device=self._printer.device, reason=reason)
        self._problem = reason
        return self._pause()

    def _pause(self) -> float:
        wait_s, self._pause_s = self._pause_s, min(self._pause_s * 2, PAUSE_MAX_S)
        return wait_s

    def _release(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()


class _Progress:
    """Implements Progress by moving the job's row, each step committed before the printer goes on."""

    def __init__(self, db: Connection, job_id: int, clock: Clock, body: bytes) -> None:
        self._db = db
        self._job_id = job_id
        self._clock = clock
        self._body = body
        self.is_sending = False
        self.is_withdrawn = False

    def sending(self) -> None:
        with write(self._db):
            has_begun = prints.begin(self._db, self._job_id, self._body, self._clock())
        if not has_begun:
            self.is_withdrawn = True
            raise ConflictError("The receipt is not to be printed any more.")
        self.is_sending = True

    def awaiting_ack(self) -> None:
        with write(self._db):
            prints.move(self._db, self._job_id, "awaiting_ack", self._clock())
