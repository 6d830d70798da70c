"""A receipt printer on a TCP port, standing in for hardware: it prints on paper that can be read as text or seen as PNG.

It is an emulator: what it says about resets, paper and answers rests on Epson's reference and one printer manual; no printer
was touched. ``python -m tests.emulators.tcp_printer --port 9100 --out slips/`` shows every receipt and keeps it as PNG.
"""

from __future__ import annotations

import argparse
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from tests.emulators.escpos import REAL_TIME, Judge, JudgeError, Slip, Token, next_token

Mode = Literal["ok", "paper_out", "silent"]
STATUS: dict[str, dict[int, int]] = {
    "ok": {1: 0x16, 2: 0x12, 3: 0x12, 4: 0x12},
    "paper_out": {1: 0x1E, 2: 0x32, 3: 0x12, 4: 0x7E},
}
"""Answers to ``DLE EOT n``."""
RECEIVE_BYTES = 4096
JOIN_S = 60.0


class TcpPrinter:
    """A printer on a free port of the loopback.

    ``ok`` prints and answers. ``paper_out`` answers ``DLE EOT``, and keeps the rest until ``mode`` is ``ok`` again. ``silent``
    prints and answers nothing. ``reset_at = k`` resets a connection once, when k bytes have come over it, real-time commands not
    counted; what had come is on the paper. ``power_off`` closes the port and forgets what was not printed.
    """

    def __init__(self, *, port: int = 0, columns: int = 48, slots: dict[int, str] | None = None, mode: Mode = "ok") -> None:
        self.faults: list[str] = []
        self.reset_at: int | None = None
        self._mode: Mode = mode
        self._changed = threading.Condition()
        self._judge = Judge(columns, slots)
        self._executed = bytearray()
        self._jobs: list[bytes] = []
        self._lines: dict[int, _Line] = {}
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self.port = port
        self.power_on()

    def __enter__(self) -> TcpPrinter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.power_off()
        if kind is None and self.faults:
            raise JudgeError("; ".join(self.faults))

    @property
    def mode(self) -> Mode:
        """How the printer behaves; setting ``ok`` after ``paper_out`` puts new paper in."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            self._mode = mode
            for line in self._lines.values():
                self._print_waiting(line)

    @property
    def jobs(self) -> list[bytes]:
        """The bytes printed up to each cut, oldest first; the rest of a torn job stands as one of its own."""
        with self._changed:
            return list(self._jobs)

    @property
    def receipts(self) -> list[Slip]:
        """What is on the paper, a slip for each job: ``.text`` and ``.png()``."""
        with self._changed:
            return list(self._judge.slips)

    @property
    def kicks(self) -> int:
        """How often the drawer was opened."""
        return self._judge.kicks

    def wait_for(self, count: int, timeout_s: float = 60.0) -> bool:
        """Wait until so many jobs are printed; false when the time is up."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._jobs) >= count, timeout_s)

    def power_on(self) -> None:
        """Open the port (the same one as before, after a power cut)."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        self._acceptor = threading.Thread(target=self._accept, args=(listener,), daemon=True, name="tcp-printer")
        self._acceptor.start()

    def power_off(self) -> None:
        """Close the port and reset every connection; lines not yet printed are lost."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        with self._changed:
            lines = list(self._lines.values())
            for line in lines:
                line.waiting.clear()
                line.reset()
            self._tear()
        for thread in [line.thread for line in lines] + [self._acceptor]:
            if thread is not None:
                thread.join(JOIN_S)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            line = _Line(connection)
            with self._changed:
                self._lines[id(line)] = line
            line.thread = threading.Thread(target=self._serve, args=(line,), daemon=True, name="tcp-printer-line")
            line.thread.start()

    def _serve(self, line: _Line) -> None:
        with suppress(OSError):
            while chunk := line.connection.recv(RECEIVE_BYTES):
                with self._changed:
                    if not self._receive(line, chunk):
                        break
        with self._changed:
            self._lines.pop(id(line), None)
            if not self._lines:
                self._tear()
            self._changed.notify_all()
        line.connection.close()

    def _receive(self, line: _Line, chunk: bytes) -> bool:
        """Take bytes in. False when the connection is over."""
        pieces = [chunk] if self.reset_at is None else [chunk[at : at + 1] for at in range(len(chunk))]
        for piece in pieces:
            line.pending += piece
            try:
                self._take_tokens(line)
            except JudgeError as error:
                self.faults.append(str(error))
                line.reset()
                return False
            if self.reset_at is not None and line.job_bytes >= self.reset_at:
                self.reset_at = None
                self._tear()
                line.reset()
                return False
        return True

    def _take_tokens(self, line: _Line) -> None:
        while line.pending:
            token = next_token(bytes(line.pending), 0)
            if token is None:
                break
            del line.pending[: len(token.raw)]
            if token.name in REAL_TIME:
                self._answer_status(line, token)
            else:
                line.taken += len(token.raw)
                line.waiting.append(token)
        self._print_waiting(line)

    def _print_waiting(self, line: _Line) -> None:
        while line.waiting and self._mode != "paper_out":
            token = line.waiting.pop(0)
            self._judge.execute(token)
            if token.name == "GS r":
                if self._mode == "ok":
                    line.send(b"\x00")
                continue
            self._executed += token.raw
            if token.name == "GS V":
                self._jobs.append(bytes(self._executed))
                self._executed.clear()
                self._changed.notify_all()

    def _answer_status(self, line: _Line, token: Token) -> None:
        if token.name == "DLE EOT" and self._mode in STATUS:
            answer = STATUS[self._mode].get(token.args[0])
            if answer is None:
                raise JudgeError(f"DLE EOT {token.args[0]}: no such status")
            line.send(bytes([answer]))

    def _tear(self) -> None:
        before = len(self._judge.slips)
        self._judge.tear()
        if len(self._judge.slips) > before:
            self._jobs.append(bytes(self._executed))
            self._changed.notify_all()
        self._executed.clear()


class _Line:
    """One connection: what came over it and is not printed yet."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.pending = bytearray()
        self.waiting: list[Token] = []
        self.taken = 0
        self.thread: threading.Thread | None = None

    @property
    def job_bytes(self) -> int:
        """Bytes that have come, real-time commands not counted."""
        return self.taken + (0 if self.pending.startswith(b"\x10") else len(self.pending))

    def send(self, data: bytes) -> None:
        with suppress(OSError):
            self.connection.sendall(data)

    def reset(self) -> None:
        """Close with RST, as a printer does that has lost its power."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()


def main() -> None:
    """Serve until Ctrl-C; show every receipt."""
    parser = argparse.ArgumentParser(description="A TCP receipt printer on paper of pixels.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--columns", type=int, default=48)
    parser.add_argument("--out", type=Path, default=None, help="folder for the PNG files")
    args = parser.parse_args()
    with TcpPrinter(port=args.port, columns=args.columns) as printer, suppress(KeyboardInterrupt):
        print(f"printer at 127.0.0.1:{printer.port}", flush=True)
        shown = 0
        while True:
            printer.wait_for(shown + 1, 1.0)
            for slip in printer.receipts[shown:]:
                shown += 1
                print(slip.text, flush=True)
                if args.out is not None:
                    args.out.mkdir(parents=True, exist_ok=True)
                    (args.out / f"receipt-{shown:03d}.png").write_bytes(slip.png())


if __name__ == "__main__":
    main()
