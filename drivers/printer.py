"""The one driver of receipt printers: whatever the way to them, a job goes in one piece and is confirmed by a barrier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drivers.ports import UNKNOWN, Delivery, Outcome, PrinterStatus, Progress, Transport
from drivers.replies import (
    CLEAR_AFTER_ERROR,
    DLE_EOT,
    GS_R,
    PROCESS_IDS,
    Replies,
    gs_h,
    is_barrier_reply,
    is_real_time_reply,
    status_of,
)
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

STATUS_WAIT_S = 1.0
"""For all three answers to DLE EOT together."""
ACK_WAIT_S = 10.0
"""For the answer to the barrier: a long receipt is slow, and paper may be changed."""
QUIET_S = 0.2
"""After the answer that ends an older job nothing follows for so long, when it was the last one."""
RECEIVE_BYTES = 256
RECEIVED_MAX = 4096
"""Over one connection; a printer that says more is not listened to."""
HEAD_BYTES, SLOT_AT = 5, 4
HEAD = b"\x1b@\x1bt"
CUT = b"\x1dV\x01"
FEED_INSTEAD_OF_CUT = b"\x1bd\x02"
KICK = b"\x1bp\x00\x19\xfa"
"""ESC p: pin 2, 50 ms on, 500 ms off, in units of 2 ms."""
NS_PER_S = 1_000_000_000
NEVER_SAYS = "this printer does not say whether it has printed"
NOT_CONFIRMED = "the printer did not confirm the receipt: look whether it came out"
STILL_BUSY = "the printer is still at the receipt before"


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
        self._number = monotonic_ns() % PROCESS_IDS

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    def status(self) -> PrinterStatus:
        """Open and ask; unknown when the printer is out of reach, silent, or cannot be heard."""
        try:
            with self._line() as line:
                return self._ask(line) if line.is_bidirectional else UNKNOWN
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
            return Delivery(outcome=Outcome.REFUSED, note=str(error))

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Open the drawer. A printer that is not ready would keep the command and open it much later: it gets none."""
        try:
            with self._line() as line:
                if line.is_bidirectional and self._config.barrier != "none":
                    status = self._ask(line)
                    if not status.is_ready:
                        return Delivery(outcome=Outcome.REFUSED, note=status.sentence)
                fired()
                sent = line.send(KICK, self._config.timeout_s)
                line.finish(min(QUIET_S, self._config.timeout_s))
                note = None if sent == len(KICK) else "the line broke while the drawer was told to open"
                return Delivery(outcome=Outcome.UNCONFIRMED, note=note)
        except DeviceGoneError as error:
            return Delivery(outcome=Outcome.REFUSED, note=str(error))

    def close(self) -> None:
        """Nothing is held between jobs."""

    @contextmanager
    def _line(self) -> Iterator[_Line]:
        line = _Line(self._open())
        try:
            yield line
        finally:
            line.close()

    def _obstacle(self, line: _Line) -> str | None:
        status = self._ask(line)
        if status.error == "error" and self._config.clear_after_error:
            line.send(CLEAR_AFTER_ERROR, self._config.timeout_s)
            status = self._ask(line)
        if not status.is_ready:
            return status.sentence
        if not self._is_clear and self._config.barrier == "gs_r" and not self._cleared(line):
            return STILL_BUSY
        line.forget()
        return None

    def _cleared(self, line: _Line) -> bool:
        """Whether what an earlier job left behind is over. All answers to ``GS r`` look alike, and one may be on its way still:
        a barrier of its own is answered after it, with nothing printed between the two."""
        line.forget()
        line.send(GS_R, self._config.timeout_s)
        if line.wait(is_barrier_reply, self._status_wait_s) is None:
            return False
        while line.wait(is_barrier_reply, min(QUIET_S, self._status_wait_s)) is not None:
            continue
        self._is_clear = True
        return True

    def _ask(self, line: _Line) -> PrinterStatus:
        deadline_ns = monotonic_ns() + int(self._status_wait_s * NS_PER_S)
        answers: list[int | None] = []
        for question in DLE_EOT:
            line.send(question, self._config.timeout_s)
            answers.append(line.wait_until(is_real_time_reply, deadline_ns))
        return status_of(*answers)

    def _confirmed(self, line: _Line, job: bytes, progress: Progress) -> Delivery:
        self._number += 1
        barrier, answer = (GS_R, None) if self._config.barrier == "gs_r" else gs_h(self._number)
        whole = job + barrier
        carry_s = self._config.carry_s(len(whole))
        sent = line.send(whole, self._config.timeout_s + carry_s)
        if sent == 0:
            return Delivery(outcome=Outcome.REFUSED, note="the line broke before the receipt went out")
        self._is_clear = False
        if sent < len(whole):
            return _torn(sent, len(whole))
        progress.awaiting_ack()
        wait_s = self._ack_wait_s + carry_s
        has_come = line.wait(is_barrier_reply, wait_s) is not None if answer is None else line.wait_for(answer, wait_s)
        if not has_come:
            return Delivery(outcome=Outcome.UNCERTAIN, note=NOT_CONFIRMED)
        self._is_clear = True
        return Delivery(outcome=Outcome.PRINTED)

    def _unconfirmed(self, line: _Line, job: bytes) -> Delivery:
        wait_s = self._config.timeout_s + self._config.carry_s(len(job))
        sent = line.send(job, wait_s)
        is_taken = line.finish(wait_s)
        if sent == 0:
            return Delivery(outcome=Outcome.REFUSED, note="the printer took no byte of the receipt")
        if sent < len(job) or not is_taken:
            return _torn(sent, len(job))
        return Delivery(outcome=Outcome.UNCONFIRMED, note=NEVER_SAYS)


class _Line:
    """An open transport, with what came over it and is not used yet."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._replies = Replies()
        self._received = 0
        self.is_bidirectional = transport.is_bidirectional
        self.close = transport.close

    def send(self, data: bytes, timeout_s: float) -> int:
        """Everything in one call; answers how much may have gone out."""
        return self._transport.write(data, _deadline_ns(timeout_s))

    def finish(self, timeout_s: float) -> bool:
        """No more comes; false when surely not all was taken."""
        return self._transport.finish(_deadline_ns(timeout_s))

    def wait(self, is_reply: Callable[[int], bool], timeout_s: float) -> int | None:
        """The next answer of this kind; None when time is up or the line is over."""
        return self.wait_until(is_reply, _deadline_ns(timeout_s))

    def wait_until(self, is_reply: Callable[[int], bool], deadline_ns: int) -> int | None:
        """The same, up to an instant."""
        while (answer := self._replies.take(is_reply)) is None:
            if not self._hear(deadline_ns):
                return None
        return answer

    def wait_for(self, reply: bytes, timeout_s: float) -> bool:
        """Whether these very bytes come."""
        deadline_ns = _deadline_ns(timeout_s)
        while not self._replies.take_exactly(reply):
            if not self._hear(deadline_ns):
                return False
        return True

    def forget(self) -> None:
        """Drop what has come so far: it answers nothing that is asked from now on."""
        while self._hear(0):
            continue
        self._replies.take(lambda byte: False)

    def _hear(self, deadline_ns: int) -> bool:
        if self._received >= RECEIVED_MAX:
            return False
        chunk = self._transport.read(RECEIVE_BYTES, deadline_ns)
        self._received += len(chunk)
        self._replies.feed(chunk)
        return bool(chunk)


def fitted(job: bytes, config: PrinterConfig) -> bytes:
    """A job as this printer takes it: its own slot for the page; without a knife, more paper in the place of the last cut."""
    if job.startswith(HEAD) and len(job) >= HEAD_BYTES:
        job = job[:SLOT_AT] + bytes((config.slot,)) + job[HEAD_BYTES:]
    if not config.cutter and job.endswith(CUT):
        job = job.removesuffix(CUT) + FEED_INSTEAD_OF_CUT
    return job


def _torn(sent: int, count: int) -> Delivery:
    return Delivery(outcome=Outcome.UNCERTAIN, note=f"the line broke while printing: {sent} of {count} bytes went out")


def _deadline_ns(timeout_s: float) -> int:
    return monotonic_ns() + int(timeout_s * NS_PER_S)
