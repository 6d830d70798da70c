"""The one driver of receipt printers: whatever the way to them, a job goes in one piece and is confirmed by a barrier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drivers.barriers import INITIALISE, Question, asked_for_macros, barrier_of, question_of
from drivers.ports import UNKNOWN, Delivery, Outcome, PrinterStatus, Progress, Transport
from drivers.printer_line import PrinterLine
from drivers.replies import CLEAR_AFTER_ERROR, CLEARING_ANSWERS, GS_R, PROCESS_IDS
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

STATUS_WAIT_S = 1.0
"""For all three answers to DLE EOT together."""
ACK_WAIT_S = 10.0
"""For the answer to the barrier: a long receipt is slow, and paper may be changed."""
QUIET_S = 0.2
"""After the answer that ends an older job nothing follows for so long, when it was the last one."""
HEAD_BYTES, SLOT_AT = 5, 4
HEAD = INITIALISE + b"\x1bt"
CUT = b"\x1dV\x01"
FEED_INSTEAD_OF_CUT = b"\x1bd\x02"
KICK = b"\x1bp\x00\x19\xfa"
"""ESC p: pin 2, 50 ms on, 500 ms off, in units of 2 ms."""
NEVER_SAYS = "this printer does not say whether it has printed"
STILL_BUSY = "the printer is still at the receipt before"
NO_BARRIER = 'the printer does not answer each GS r: if it stays so, set barrier = "none"'
NO_MACROS = (
    "the printer answers now this, now that, or nothing, where it was asked about macros: if it stays so, set macro = false"
)


class EscposPrinter:
    """Implements Printer over one open Transport a job, so that another till may print in between.

    ``open_transport`` raises DeviceGoneError when the printer is out of reach.
    """

    def __init__(
        self,
        config: PrinterConfig,
        open_transport: Callable[[], Transport],
        *,
        status_wait_s: float = STATUS_WAIT_S,
        ack_wait_s: float = ACK_WAIT_S,
    ) -> None:
        self._config = config
        self._open = open_transport
        self._status_wait_s = status_wait_s
        self._ack_wait_s = ack_wait_s
        self._is_clear = False
        """All that was ever sent is answered: no late answer can be taken for that of the next job."""
        self._early: int | None = None
        """How many answers it gives while it learns a macro that asks; None: it knows no macros, or was not asked."""
        self._number = monotonic_ns() % PROCESS_IDS
        self._jobs = 0

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    def status(self) -> PrinterStatus:
        """Open and ask; unknown when the printer is out of reach, silent, or cannot be heard."""
        try:
            with self._line() as line:
                return line.status(self._status_wait_s) if line.is_bidirectional else UNKNOWN
        except DeviceGoneError:
            return UNKNOWN

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Pre-check, the whole job in one piece, the barrier, its answer: all over one line.

        Without a barrier the printer is taken for one that cannot answer: it is not asked before either.
        """
        try:
            with self._line() as line:
                answers = line.is_bidirectional and self._config.barrier != "none"
                obstacle = self._obstacle(line) if answers else None
                if obstacle is not None:
                    return Delivery(outcome=Outcome.REFUSED, note=obstacle)
                progress.sending()
                whole = fitted(job, self._config)
                return self._confirmed(line, whole, progress) if answers else self._unconfirmed(line, whole)
        except DeviceGoneError as error:
            self._is_clear = False
            return Delivery(outcome=Outcome.REFUSED, note=str(error))

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Open the drawer. A printer that is not ready would keep the command and open it much later: it gets none."""
        try:
            with self._line() as line:
                if line.is_bidirectional and self._config.barrier != "none":
                    status = line.status(self._status_wait_s)
                    if not status.is_ready:
                        return Delivery(outcome=Outcome.REFUSED, note=status.sentence)
                fired()
                sent = line.send(KICK)
                line.finish(min(QUIET_S, self._config.timeout_s))
                note = None if sent == len(KICK) else "the line broke while the drawer was told to open"
                return Delivery(outcome=Outcome.UNCONFIRMED, note=note)
        except DeviceGoneError as error:
            return Delivery(outcome=Outcome.REFUSED, note=str(error))

    def close(self) -> None:
        """Nothing is held between jobs."""

    @contextmanager
    def _line(self) -> Iterator[PrinterLine]:
        line = PrinterLine(self._open(), self._config.timeout_s)
        try:
            yield line
        finally:
            line.close()

    def _obstacle(self, line: PrinterLine) -> str | None:
        status = line.status(self._status_wait_s)
        if status.error == "error" and self._config.clear_after_error:
            line.send(CLEAR_AFTER_ERROR)
            status = line.status(self._status_wait_s)
        if not status.is_ready:
            self._is_clear = False
            return status.sentence
        obstacle = None if self._is_clear else self._uncleared(line)
        self._is_clear = obstacle is None
        line.forget()
        return obstacle

    def _uncleared(self, line: PrinterLine) -> str | None:
        """What an earlier job left behind, or what the printer does not say of itself; None when all is said. All answers to
        ``GS r`` look alike, and some may be on their way still: a barrier of its own is answered after them, with nothing printed
        between the two."""
        line.forget()
        if self._config.barrier == "gs_r":
            line.send(GS_R * CLEARING_ANSWERS)
            answered = line.barriers(CLEARING_ANSWERS, self._status_wait_s)
            if answered < CLEARING_ANSWERS:
                return NO_BARRIER if answered else STILL_BUSY
            if line.late_barriers(min(QUIET_S, self._status_wait_s)) is None:
                return STILL_BUSY
        self._early = None
        if self._config.macro:
            macros = asked_for_macros(line, self._question, self._status_wait_s)
            self._early = macros.early
            return None if macros.is_settled else NO_MACROS
        return None

    def _question(self) -> Question:
        self._number += 1
        return question_of(self._config.barrier, self._number)

    def _confirmed(self, line: PrinterLine, job: bytes, progress: Progress) -> Delivery:
        self._jobs += 1
        barrier = barrier_of(self._question(), self._early, self._jobs)
        whole = barrier.around(job)
        carry_s = self._config.carry_s(len(whole))
        sent = line.send(whole, self._config.timeout_s + carry_s)
        if sent == 0:
            return Delivery(outcome=Outcome.REFUSED, note="the line broke before the receipt went out")
        self._is_clear = False
        if sent < len(whole):
            return _torn(sent, len(whole))
        progress.awaiting_ack()
        note = barrier.doubt(line, self._ack_wait_s + carry_s, self._status_wait_s)
        if note is not None:
            return Delivery(outcome=Outcome.UNCERTAIN, note=note)
        self._is_clear = True
        return Delivery(outcome=Outcome.PRINTED)

    def _unconfirmed(self, line: PrinterLine, job: bytes) -> Delivery:
        wait_s = self._config.timeout_s + self._config.carry_s(len(job))
        sent = line.send(job, wait_s)
        is_taken = line.finish(wait_s)
        if sent == 0:
            return Delivery(outcome=Outcome.REFUSED, note="the printer took no byte of the receipt")
        if sent < len(job) or not is_taken:
            return _torn(sent, len(job))
        return Delivery(outcome=Outcome.UNCONFIRMED, note=NEVER_SAYS)


def fitted(job: bytes, config: PrinterConfig) -> bytes:
    """A job as this printer takes it: its own slot for the page; without a knife, more paper in the place of the last cut."""
    if job.startswith(HEAD) and len(job) >= HEAD_BYTES:
        job = job[:SLOT_AT] + bytes((config.slot,)) + job[HEAD_BYTES:]
    if not config.cutter and job.endswith(CUT):
        job = job.removesuffix(CUT) + FEED_INSTEAD_OF_CUT
    return job


def _torn(sent: int, count: int) -> Delivery:
    return Delivery(outcome=Outcome.UNCERTAIN, note=f"the line broke while printing: {sent} of {count} bytes went out")
