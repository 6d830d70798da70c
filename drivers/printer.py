"""Receipt printers: TCP port 9100 with status and a barrier, and a file. The parsers of status bytes are pure.

**Source** of the byte patterns: Epson's ESC/POS reference, DLE EOT, GS r and GS a (automatic status back).
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal

from drivers.ports import UNKNOWN, Delivery, Outcome, PrinterStatus, Progress
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import PrinterConfig

STATUS_WAIT_S = 1.0
"""For all three answers to DLE EOT together."""
ACK_WAIT_S = 10.0
"""For the answer to the barrier: a long receipt is slow, and paper may be changed."""
ASB_BYTES = 4
RECEIVE_BYTES = 256
RECEIVED_MAX = 4096
"""Over one connection; a printer that says more is not listened to."""
DLE_EOT = (b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04")
"""Printer, cause of being off line, paper roll: executed at once, even off line."""
GS_R = b"\x1dr\x01"
OFFLINE_BIT, COVER_BIT, PAPER_END_BIT, ERROR_BIT = 0x08, 0x04, 0x20, 0x40
NEAR_END_BITS, OUT_BITS = 0x0C, 0x60
NS_PER_S = 1_000_000_000
NEVER_SAYS = "this printer does not say whether it has printed"


class TcpPrinter:
    """Implements Printer over one connection a job, so that another till may print in between."""

    def __init__(self, config: PrinterConfig, *, status_wait_s: float = STATUS_WAIT_S, ack_wait_s: float = ACK_WAIT_S) -> None:
        self._config = config
        self._status_wait_s = status_wait_s
        self._ack_wait_s = ack_wait_s

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    def status(self) -> PrinterStatus:
        """Connect and ask; unknown when the printer is out of reach or silent."""
        try:
            with self._connect() as line:
                return self._ask(line)
        except OSError:
            return UNKNOWN

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Pre-check, the whole job in one piece, the barrier, its answer: all on one connection.

        Under ``barrier = "none"`` the printer is taken for one that cannot answer: it is not asked before either.
        """
        try:
            line = self._connect()
        except OSError as error:
            return Delivery(outcome=Outcome.REFUSED, note=self._why_gone(error))
        with line:
            obstacle = self._obstacle(line)
            if obstacle is not None:
                return Delivery(outcome=Outcome.REFUSED, note=obstacle)
            progress.sending()
            try:
                return self._send(line, job, progress)
            except OSError as error:
                return Delivery(outcome=Outcome.UNCERTAIN, note=f"the connection broke while printing ({_cause(error)})")

    def close(self) -> None:
        """Nothing is held between jobs."""

    def _connect(self) -> _Line:
        try:
            return _Line(self._config.host, self._config.port, self._config.timeout_s)
        except UnicodeError as error:
            raise OSError(errno.EINVAL, "this is not a host name") from error

    def _obstacle(self, line: _Line) -> str | None:
        if self._config.barrier == "none":
            return None
        try:
            status = self._ask(line)
            line.forget()
        except OSError as error:
            return self._why_gone(error)
        return None if status.is_ready else status.sentence

    def _ask(self, line: _Line) -> PrinterStatus:
        deadline_ns = monotonic_ns() + int(self._status_wait_s * NS_PER_S)
        answers: list[int | None] = []
        for question in DLE_EOT:
            line.send(question, self._config.timeout_s)
            answers.append(line.wait(is_real_time_reply, deadline_ns))
        return status_of(*answers)

    def _send(self, line: _Line, job: bytes, progress: Progress) -> Delivery:
        if self._config.barrier == "none":
            line.send(job, self._config.timeout_s)
            line.finish(monotonic_ns() + int(self._config.timeout_s * NS_PER_S))
            return Delivery(outcome=Outcome.UNCONFIRMED, note=NEVER_SAYS)
        line.send(job + GS_R, self._config.timeout_s)
        progress.awaiting_ack()
        answer = line.wait(is_barrier_reply, monotonic_ns() + int(self._ack_wait_s * NS_PER_S))
        if answer is None:
            return Delivery(outcome=Outcome.UNCERTAIN, note="the printer did not confirm the receipt: look whether it came out")
        return Delivery(outcome=Outcome.PRINTED)

    def _why_gone(self, error: OSError) -> str:
        return f"no printer at {self._config.host}:{self._config.port} ({_cause(error)})"


class FilePrinter:
    """Implements Printer by appending each job to a file or to a write-only device such as /dev/usb/lp0."""

    def __init__(self, config: PrinterConfig) -> None:
        self._config = config
        self._path = Path(config.path)

    @property
    def device(self) -> str:
        """The configured name."""
        return self._config.name

    def status(self) -> PrinterStatus:
        """A file says nothing."""
        return UNKNOWN

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Write the job; no answer can come."""
        try:
            file = self._path.open("ab", buffering=0)
        except OSError as error:
            return Delivery(outcome=Outcome.REFUSED, note=self._why_closed(error))
        with file:
            progress.sending()
            try:
                written = file.write(job)
            except OSError as error:
                return Delivery(outcome=Outcome.UNCERTAIN, note=f"writing to {self._path} broke off ({_cause(error)})")
        if written != len(job):
            return Delivery(outcome=Outcome.UNCERTAIN, note=f"only {written} of {len(job)} bytes went to {self._path}")
        return Delivery(outcome=Outcome.UNCONFIRMED, note=NEVER_SAYS)

    def close(self) -> None:
        """Nothing is held between jobs."""

    def _why_closed(self, error: OSError) -> str:
        return f"{self._path} cannot be written ({_cause(error)})"


class Replies:
    """Answers among the bytes that a printer sends, pure: any chunking gives the same answers.

    An automatic status packet is skipped as a whole, because its later bytes look like answers; any other byte is skipped alone.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pending += data

    def take(self, is_reply: Callable[[int], bool]) -> int | None:
        """The first answer of this kind and what stands before it are used up; None while it has not come."""
        while self._pending:
            byte = self._pending[0]
            unit = ASB_BYTES if byte & 0x93 == 0x10 else 1
            if len(self._pending) < unit:
                return None
            del self._pending[:unit]
            if unit == 1 and is_reply(byte):
                return byte
        return None


def is_real_time_reply(byte: int) -> bool:
    """The fixed bits of an answer to DLE EOT: ``0xx1xx10``."""
    return byte & 0x93 == 0x12


def is_barrier_reply(byte: int) -> bool:
    """The fixed bits of an answer to GS r: ``0xx0xxxx``."""
    return byte & 0x90 == 0x00


def status_of(printer: int | None, cause: int | None, roll: int | None) -> PrinterStatus:
    """Read the answers to DLE EOT 1, 2 and 4. A missing answer leaves its part unknown."""
    if printer is None and cause is None and roll is None:
        return UNKNOWN
    return PrinterStatus(
        online="unknown" if printer is None else "no" if printer & OFFLINE_BIT else "yes",
        paper=_paper(cause, roll),
        cover="unknown" if cause is None else "open" if cause & COVER_BIT else "closed",
        error="unknown" if cause is None else "error" if cause & ERROR_BIT else "none",
    )


def _paper(cause: int | None, roll: int | None) -> Literal["ok", "near_end", "out", "unknown"]:
    if (cause is not None and cause & PAPER_END_BIT) or (roll is not None and roll & OUT_BITS):
        return "out"
    if roll is None:
        return "unknown"
    return "near_end" if roll & NEAR_END_BITS else "ok"


class _Line:
    """One connection, with what came over it and is not used yet."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = Replies()
        self._received = 0

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def send(self, data: bytes, timeout_s: float) -> None:
        """Everything in one call. Raises OSError, and then how much went out is unknown."""
        self._socket.settimeout(timeout_s)
        self._socket.sendall(data)

    def wait(self, is_reply: Callable[[int], bool], deadline_ns: int) -> int | None:
        """The next answer of this kind; None when time is up or the printer hung up. Raises OSError when the line breaks."""
        while (answer := self._replies.take(is_reply)) is None and self._received < RECEIVED_MAX:
            chunk = self._receive(deadline_ns)
            if not chunk:
                return None
            self._replies.feed(chunk)
        return answer

    def forget(self) -> None:
        """Drop what has come so far: it answers nothing that is asked from now on."""
        while chunk := self._receive(0):
            self._replies.feed(chunk)
        self._replies.take(lambda byte: False)

    def finish(self, deadline_ns: int) -> None:
        """Say that no more comes and wait until the printer hangs up: closing earlier may cut the job off."""
        self._socket.shutdown(socket.SHUT_WR)
        while self._receive(deadline_ns):
            continue

    def _receive(self, deadline_ns: int) -> bytes:
        if self._received >= RECEIVED_MAX:
            return b""
        self._socket.settimeout(max(deadline_ns - monotonic_ns(), 0) / NS_PER_S)
        try:
            chunk = self._socket.recv(RECEIVE_BYTES)
        except (TimeoutError, BlockingIOError):
            return b""
        self._received += len(chunk)
        return chunk


def _cause(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or type(error).__name__
