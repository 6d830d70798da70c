"""An open way to a printer, with what came over it. Rule: an answer counts only to a question that was asked before it came."""

from __future__ import annotations

from drivers.ports import PrinterStatus, Transport
from drivers.replies import (
    CHALLENGE,
    DLE_EOT,
    Replies,
    answers,
    is_barrier_reply,
    is_real_time_reply,
    status_of,
)
from pos_loyalty.clock import monotonic_ns

RECEIVE_BYTES = 256
RECEIVED_MAX = 4096
"""Over one connection; a printer that says more is not listened to."""
STILL_S = 0.05
"""After the last answer of a job nothing more may come for so long."""
NS_PER_S = 1_000_000_000


class PrinterLine:
    """One connection, for one job. ``is_strange``: a byte came that no printer says; it stays so."""

    def __init__(self, transport: Transport, timeout_s: float) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        self._replies = Replies()
        self._received = 0
        self.is_bidirectional = transport.is_bidirectional
        self.is_strange = False
        self.close = transport.close

    def send(self, data: bytes, timeout_s: float | None = None) -> int:
        """Everything in one call; answers how much may have gone out."""
        return self._transport.write(data, deadline_ns(self._timeout_s if timeout_s is None else timeout_s))

    def finish(self, timeout_s: float) -> bool:
        """No more comes; false when surely not all was taken."""
        return self._transport.finish(deadline_ns(timeout_s))

    def status(self, wait_s: float) -> PrinterStatus:
        """Ask how the printer is; all answers together within so long."""
        until_ns = deadline_ns(wait_s)
        heard = []
        for question in DLE_EOT:
            self.forget()
            self.send(question)
            heard.append(self._real_time(until_ns))
        status = status_of(*heard)
        if self.is_strange and heard == [None, None, None]:
            return PrinterStatus(is_strange=True)
        return status

    def forget(self) -> None:
        """Drop what has come so far: it answers nothing that is asked from now on."""
        while self._next(0) is not None:
            continue

    def barriers(self, count: int, wait_s: float) -> int:
        """How many of ``GS r`` are answered before the line says something else, or the time is up. All answers must be the
        same: nothing is printed between them."""
        until_ns = deadline_ns(wait_s)
        first: int | None = None
        for number in range(count):
            byte = self._next(until_ns)
            if byte is None or not is_barrier_reply(byte) or (first is not None and byte != first):
                return number
            first = byte
        return count

    def late_barriers(self, still_s: float) -> int | None:
        """Let answers to ``GS r`` pass until the line is still for so long, and count them. None when anything else comes."""
        count = 0
        while (byte := self._next(deadline_ns(still_s))) is not None:
            if not is_barrier_reply(byte):
                return None
            count += 1
        return None if self._replies.is_torn else count

    def stands_challenge(self, wait_s: float) -> bool:
        """Whether each question is answered once, after it was asked and by its own kind of answer, with nothing before, between
        and behind. Noise that looked like the barrier's answer, and a printer that is not there any more, do not stand it."""
        for question in CHALLENGE:
            if self._next(0) is not None or self.send(question) != len(question):
                return False
            byte = self._next(deadline_ns(wait_s))
            if byte is None or not answers(question, byte):
                return False
        return self._next(deadline_ns(STILL_S)) is None and not self._replies.is_torn

    def wait_for(self, reply: bytes, timeout_s: float) -> bool:
        """Whether these very bytes come."""
        return self.wait_counting(reply, reply, timeout_s) is not None

    def wait_counting(self, reply: bytes, counted: bytes, timeout_s: float) -> int | None:
        """How often ``counted`` comes before these very bytes; None when they do not come."""
        until_ns = deadline_ns(timeout_s)
        while (count := self._replies.take_exactly(reply, counted)) is None:
            if not self._hear(until_ns):
                return None
        return count

    def _real_time(self, until_ns: int) -> int | None:
        """The answer to DLE EOT; late answers to a barrier may stand before it, and nothing else."""
        while (byte := self._next(until_ns)) is not None:
            if is_real_time_reply(byte):
                return byte
            if not is_barrier_reply(byte):
                return None
        self.is_strange = self.is_strange or self._replies.is_torn
        return None

    def _next(self, until_ns: int) -> int | None:
        while (byte := self._replies.next()) is None:
            if not self._hear(until_ns):
                return None
        self.is_strange = self.is_strange or not (is_real_time_reply(byte) or is_barrier_reply(byte))
        return byte

    def _hear(self, until_ns: int) -> bool:
        if self._received >= RECEIVED_MAX:
            return False
        chunk = self._transport.read(RECEIVE_BYTES, until_ns)
        self._received += len(chunk)
        self._replies.feed(chunk)
        return bool(chunk)


def deadline_ns(timeout_s: float) -> int:
    """The instant after so long."""
    return monotonic_ns() + int(timeout_s * NS_PER_S)


def left_s(until_ns: int) -> float:
    """Seconds until that instant; 0 when it is over."""
    return max(0, until_ns - monotonic_ns()) / NS_PER_S
