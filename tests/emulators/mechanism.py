"""A receipt printer without a port: bytes come in over lines; paper, answers and drawer kicks come out; it can fail in many ways.

It is an emulator: what it says about resets, paper and answers rests on Epson's reference and one printer manual; no printer
was touched. ``tcp_printer.py`` and ``serial_printer.py`` put it behind a port; ``python -m tests.emulators.printer`` runs it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal, get_args

from tests.emulators.escpos import REAL_TIME, Judge, JudgeError, Slip, Token, next_token

Mode = Literal["ok", "near_end", "paper_out", "cover", "error", "silent", "asb", "slow"]
Macros = Literal["answered", "unanswered", "none"]
"""What a printer does with ``GS :`` and ``GS ^``: whether it answers while it learns a macro, or knows none."""
MODES: tuple[str, ...] = get_args(Mode)
READY = {1: 0x16, 2: 0x12, 3: 0x12, 4: 0x12}
STATUS: dict[str, dict[int, int]] = {
    "ok": READY,
    "asb": READY,
    "near_end": READY | {4: 0x1E},
    "paper_out": {1: 0x1E, 2: 0x32, 3: 0x12, 4: 0x7E},
    "cover": {1: 0x1E, 2: 0x16, 3: 0x12, 4: 0x12},
    "error": {1: 0x1E, 2: 0x52, 3: 0x1A, 4: 0x12},
}
"""Answers to ``DLE EOT n``. A mode without answers is silent."""
PRINTING = ("ok", "near_end", "silent", "asb")
NOISE = b"\x14\x00\x00\x0f"
"""An automatic status packet: its second byte looks like an answer to GS r."""
CLEAR = 2


class PaperLine:
    """One connection: what came over it and is not printed yet. ``send`` carries an answer back."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.send = send
        self.pending = bytearray()
        self.waiting: list[Token] = []
        self.taken = 0
        self.came = 0
        self.is_over = False

    @property
    def job_bytes(self) -> int:
        """Bytes that have come, real-time commands not counted."""
        return self.taken + (0 if self.pending.startswith(b"\x10") else len(self.pending))


class Mechanism:
    """The printer. ``mode`` says how it behaves; setting ``ok`` puts new paper in, closes the cover, clears the fault.

    ``ok``, ``near_end`` and ``asb`` (which chatters) print and answer; ``silent`` prints and answers nothing; ``paper_out``,
    ``cover`` and ``error`` answer ``DLE EOT`` and keep the rest; ``slow`` does not read any more. Triggers, each used up once:
    ``reset_at = k``: a line is reset when k bytes came over it, real-time commands not counted; ``reset_at_any``: the same, all
    bytes counted; ``stall_at``: it stops reading there (``slow``); ``rows_left``: the paper ends after so many rows.
    ``blip_at = k``: after k bytes it loses its power for a moment while its line stays: what it had not printed, its code page,
    its macro and the next ``blip_loses`` bytes are lost, and it goes on with what comes then.
    ``forgets``: bytes that came and were not printed before a reset are lost, as with a printer that prints only whole jobs.
    """

    def __init__(self, *, columns: int = 48, slots: dict[int, str] | None = None, mode: Mode = "ok") -> None:
        self.faults: list[str] = []
        self.heard = bytearray()
        """Every byte that came, in order, whoever sent it."""
        self.reset_at: int | None = None
        self.reset_at_any: int | None = None
        self.stall_at: int | None = None
        self.blip_at: int | None = None
        self.blip_loses = 0
        self.macros: Macros = "answered"
        self.initialise_s = 0.0
        """So long it takes for ESC @."""
        self.rows_left: int | None = None
        self.forgets = False
        self.answers_late = False
        self._mode: Mode = mode
        self._macro: list[Token] = []
        self._is_learning = False
        self._deaf = 0
        self._is_lost = False
        """Nothing that came since its power did began with ESC @: it may be the rest of a command."""
        self._changed = threading.Condition()
        self._judge = Judge(columns, slots)
        self._executed = bytearray()
        self._jobs: list[bytes] = []
        self._lines: list[PaperLine] = []

    @property
    def mode(self) -> Mode:
        """How the printer behaves."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            self._mode = mode
            if mode == "ok":
                self.rows_left = None
            for line in self._lines:
                self._print_waiting(line)
            self._tidy()
            self._changed.notify_all()

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

    def join(self, send: Callable[[bytes], None]) -> PaperLine:
        """A new line."""
        with self._changed:
            self._lines.append(PaperLine(send))
            return self._lines[-1]

    def leave(self, line: PaperLine) -> None:
        """A line is over. What it brought and was not printed for want of paper is printed later all the same."""
        with self._changed:
            line.is_over = True
            self._tidy()
            self._changed.notify_all()

    def wait_to_read(self) -> None:
        """Blocks while the printer does not read."""
        with self._changed:
            self._changed.wait_for(lambda: self._mode != "slow")

    def receive(self, line: PaperLine, chunk: bytes) -> bool:
        """Take bytes in. False when the line is over: whoever holds it resets it."""
        with self._changed:
            self.heard += chunk
            triggers = (self.reset_at, self.reset_at_any, self.stall_at, self.blip_at)
            is_whole = not any(triggers) and not self._deaf
            for piece in [chunk] if is_whole else [chunk[at : at + 1] for at in range(len(chunk))]:
                line.came += len(piece)
                if self._deaf:
                    self._deaf -= 1
                    continue
                line.pending += piece
                try:
                    self._take_tokens(line)
                except JudgeError as error:
                    self.faults.append(str(error))
                    return False
                if self._is_cut(line):
                    if self.forgets:
                        line.waiting.clear()
                    self._tear()
                    return False
            return True

    def lose_power(self) -> None:
        """Forget all that is not on paper."""
        with self._changed:
            self._lines.clear()
            self._forget()
            self._changed.notify_all()

    def _blip(self) -> None:
        """Its power goes and comes while its lines stay."""
        self.blip_at, self._deaf, self._is_lost = None, self.blip_loses, True
        self._forget()
        for line in self._lines:
            line.pending.clear()
            line.waiting.clear()

    def _forget(self) -> None:
        """All that a printer knows by its power alone."""
        self._tear()
        self._judge.execute(Token("ESC @", b"", b""))
        self._macro, self._is_learning = [], False

    def _tidy(self) -> None:
        before, self._lines = self._lines, [line for line in self._lines if line.waiting or not line.is_over]
        if before and not self._lines:
            self._tear()

    def _is_cut(self, line: PaperLine) -> bool:
        if self.blip_at is not None and line.came >= self.blip_at:
            self._blip()
        if self.stall_at is not None and line.came >= self.stall_at:
            self.stall_at, self._mode = None, "slow"
        if self.reset_at_any is not None and line.came >= self.reset_at_any:
            self.reset_at_any = None
            return True
        if self.reset_at is not None and line.job_bytes >= self.reset_at:
            self.reset_at = None
            return True
        return False

    def _take_tokens(self, line: PaperLine) -> None:
        while line.pending:
            try:
                token = next_token(bytes(line.pending), 0)
            except JudgeError:
                if not self._is_lost:
                    raise
                del line.pending[:1]
                continue
            if token is None:
                break
            del line.pending[: len(token.raw)]
            if token.name in REAL_TIME:
                self._at_once(line, token)
            else:
                line.taken += len(token.raw)
                line.waiting.append(token)
        self._print_waiting(line)

    def _print_waiting(self, line: PaperLine) -> None:
        while line.waiting and self._mode in PRINTING:
            self._do(line, line.waiting.pop(0))

    def _do(self, line: PaperLine, token: Token) -> None:
        if token.name in ("GS :", "GS ^"):
            self._do_macro(line, token)
            return
        if self._is_learning:
            self._macro.append(token)
        if token.name == "ESC @":
            self._is_lost = False
            time.sleep(self.initialise_s)
        try:
            self._judge.execute(token)
        except JudgeError:
            if not self._is_lost:
                raise
        if token.name in ("GS r", "GS ( H"):
            if not self._is_learning or self.macros == "answered":
                self._answer(line, b"\x00" if token.name == "GS r" else b'7"' + token.args[2:] + b"\x00")
            return
        if token.name == "ESC @" and self._judge.is_blank:
            self._executed.clear()
        self._executed += token.raw
        if token.name == "GS V":
            self._jobs.append(bytes(self._executed))
            self._executed.clear()
            self._changed.notify_all()
        if token.name == "LF" and self.rows_left is not None:
            self.rows_left -= 1
            if self.rows_left <= 0:
                self._mode = "paper_out"

    def _do_macro(self, line: PaperLine, token: Token) -> None:
        """What is learned is done too, as the manuals of Bixolon and Wincor have it."""
        if self.macros == "none":
            return
        if token.name == "GS :":
            self._is_learning = not self._is_learning
            self._macro = [] if self._is_learning else self._macro
        elif self._is_learning:
            self._macro, self._is_learning = [], False
        else:
            for learned in self._macro * token.args[0]:
                self._do(line, learned)

    def _at_once(self, line: PaperLine, token: Token) -> None:
        if token.name == "DLE ENQ" and token.args[0] == CLEAR:
            line.waiting.clear()
            if self._mode == "error":
                self._mode = "ok"
        if token.name == "DLE EOT" and self._mode in STATUS:
            answer = STATUS[self._mode].get(token.args[0])
            if answer is None:
                raise JudgeError(f"DLE EOT {token.args[0]}: no such status")
            self._answer(line, bytes([answer]))

    def _answer(self, line: PaperLine, data: bytes) -> None:
        """``answers_late``: over the newest line, as network cards do that know one line only."""
        if self._mode == "silent":
            return
        to = self._lines[-1] if self.answers_late and self._lines else line
        to.send(NOISE + data if self._mode == "asb" else data)

    def _tear(self) -> None:
        before = len(self._judge.slips)
        self._judge.tear()
        if len(self._judge.slips) > before:
            self._jobs.append(bytes(self._executed))
            self._changed.notify_all()
        self._executed.clear()
