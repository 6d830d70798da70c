"""A judge of ESC/POS bytes, standing in for a real receipt printer: bytes → commands → printer state → what is on the paper.

It shares nothing with ``receipts``: commands are read from Epson's reference. A command, a code page slot or a sign that it does
not know is a JudgeError, never a guess. No printer was touched: what a real firmware does beyond the reference is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

SLOTS = {0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 46: "cp1251"}
"""Epson's slots of ``ESC t`` that this judge can read; a profile with other slots is an argument."""

PARAMETERS = {
    b"\x1b@": ("ESC @", 0),
    b"\x1bt": ("ESC t", 1),
    b"\x1ba": ("ESC a", 1),
    b"\x1bE": ("ESC E", 1),
    b"\x1bd": ("ESC d", 1),
    b"\x1bp": ("ESC p", 3),
    b"\x1d!": ("GS !", 1),
    b"\x1dr": ("GS r", 1),
    b"\x10\x04": ("DLE EOT", 1),
    b"\x10\x05": ("DLE ENQ", 1),
}
SINGLES = {0x09: "HT", 0x0A: "LF", 0x0D: "CR"}
TAB_COLUMNS = 8
REAL_TIME = ("DLE EOT", "DLE ENQ")
QR_LEVELS = {48: "l", 49: "m", 50: "q", 51: "h"}


class JudgeError(Exception):
    """The bytes are not what a printer of this profile understands."""


class Token(NamedTuple):
    """One command or one run of text; ``raw`` is all of its bytes."""

    name: str
    args: bytes
    raw: bytes


class Cell(NamedTuple):
    """One printed sign."""

    sign: str
    bold: bool
    wide: int
    high: int


@dataclass(frozen=True)
class TextRow:
    """A printed line; ``align`` is 0 left, 1 centre, 2 right."""

    cells: tuple[Cell, ...]
    align: int

    @property
    def width(self) -> int:
        """Columns taken."""
        return sum(cell.wide for cell in self.cells)


@dataclass(frozen=True)
class QrRow:
    """A QR symbol: the printer adds no quiet zone."""

    content: bytes
    module: int
    level: str
    align: int


@dataclass(frozen=True)
class FeedRow:
    """Blank lines fed by ``ESC d``."""

    lines: int


@dataclass
class Slip:
    """What came out up to one cut, or was left hanging when ``is_cut`` is false."""

    columns: int
    rows: list[TextRow | QrRow | FeedRow] = field(default_factory=list)
    is_cut: bool = False
    switches: int = 0
    overflows: int = 0

    @property
    def text(self) -> str:
        """The paper as text, one row a line. A sign of double width takes one letter here, so that words stay words."""
        return "\n".join(self._text_of(row) for row in self.rows) + "\n"

    @property
    def codes(self) -> list[bytes]:
        """The contents of the QR symbols, as sent."""
        return [row.content for row in self.rows if isinstance(row, QrRow)]

    def png(self) -> bytes:
        """The paper as a PNG of 12 dots a column: 576 dots for 48."""
        from tests.emulators.paper import draw

        return draw(self)

    def _text_of(self, row: TextRow | QrRow | FeedRow) -> str:
        if isinstance(row, FeedRow):
            return "\n" * (row.lines - 1)
        text = f"[QR {row.content.decode()}]" if isinstance(row, QrRow) else "".join(cell.sign for cell in row.cells)
        width = len(text) if isinstance(row, QrRow) else row.width
        left = (0, (self.columns - width) // 2, self.columns - width)[row.align]
        return (" " * max(left, 0) + text).rstrip()


class Judge:
    """The printer: eats tokens, keeps its state, gives slips."""

    def __init__(self, columns: int = 48, slots: dict[int, str] | None = None) -> None:
        self.columns = columns
        self.slots = SLOTS if slots is None else slots
        self.slips: list[Slip] = []
        self.switches = self.cuts = self.kicks = self.resets = 0
        self._open: Slip | None = None
        self._line: list[Cell] = []
        self._reset()

    def execute(self, token: Token) -> None:
        """Do one command. Raises JudgeError when no printer should be sent this here."""
        if token.name in REAL_TIME or token.name in ("GS r", "GS ( H"):
            return
        if token.name == "text":
            self._write(token.args)
            return
        verb = {
            "LF": self._feed_line,
            "HT": self._tab,
            "CR": lambda _: None,
            "ESC @": lambda _: self._initialise(),
            "ESC t": self._switch,
            "ESC a": self._set_align,
            "ESC E": self._set_bold,
            "ESC d": self._feed,
            "ESC p": self._kick,
            "GS !": self._set_size,
            "GS V": self._cut,
            "GS ( k": self._qr,
        }[token.name]
        verb(token.args)

    def tear(self) -> None:
        """Close the slip without a cut: the power went, or the job ended early. A line that was not fed is not on paper."""
        self._line = []
        if self._open is not None and self._open.rows:
            self.slips.append(self._open)
        self._open = None

    def _paper(self) -> Slip:
        if self._open is None:
            self._open = Slip(self.columns)
        return self._open

    def _reset(self) -> None:
        self._slot, self._align, self._bold, self._wide, self._high = 0, 0, False, 1, 1
        self._module, self._level, self._stored = 3, "l", b""

    def _initialise(self) -> None:
        self.resets += 1
        self._line = []
        self._reset()

    def _switch(self, args: bytes) -> None:
        if args[0] not in self.slots:
            raise JudgeError(f"ESC t {args[0]}: this printer has no code page in that slot")
        self.switches += 1
        self._paper().switches += 1
        self._slot = args[0]

    def _write(self, run: bytes) -> None:
        try:
            text = run.decode(self.slots[self._slot])
        except UnicodeDecodeError as error:
            raise JudgeError(f"byte {run[error.start]:#04x} has no glyph in {self.slots[self._slot]}") from error
        for sign in text:
            if not sign.isprintable() and sign != "\u00a0":
                raise JudgeError(f"{sign!r} is not a sign to print")
            if sum(cell.wide for cell in self._line) + self._wide > self.columns:
                self._paper().overflows += 1
                self._feed_line(b"")
            self._line.append(Cell(sign, self._bold, self._wide, self._high))

    def _tab(self, _: bytes) -> None:
        column = sum(cell.wide for cell in self._line)
        stop = (column // TAB_COLUMNS + 1) * TAB_COLUMNS
        if stop >= self.columns:
            raise JudgeError(f"HT at column {column}: no tab stop is left on the line")
        self._line += [Cell(" ", self._bold, 1, self._high)] * (stop - column)

    def _feed_line(self, _: bytes) -> None:
        self._paper().rows.append(TextRow(tuple(self._line), self._align))
        self._line = []

    def _at_line_start(self, name: str) -> None:
        if self._line:
            raise JudgeError(f"{name} in the middle of a line: a printer ignores it or prints the line early")

    def _set_align(self, args: bytes) -> None:
        self._at_line_start("ESC a")
        self._align = _one_of("ESC a", args[0], {0: 0, 1: 1, 2: 2, 48: 0, 49: 1, 50: 2})

    def _set_bold(self, args: bytes) -> None:
        self._bold = bool(args[0] & 1)

    def _set_size(self, args: bytes) -> None:
        wide, high = (args[0] >> 4) + 1, (args[0] & 15) + 1
        if wide > 8 or high > 8:
            raise JudgeError(f"GS ! {args[0]}: a size above 8")
        self._wide, self._high = wide, high

    def _feed(self, args: bytes) -> None:
        self._at_line_start("ESC d")
        if args[0]:
            self._paper().rows.append(FeedRow(args[0]))

    def _kick(self, args: bytes) -> None:
        _one_of("ESC p", args[0], {0: 0, 1: 1, 48: 0, 49: 1})
        self.kicks += 1

    def _cut(self, _: bytes) -> None:
        self._at_line_start("GS V")
        self.cuts += 1
        paper = self._paper()
        paper.is_cut = True
        self.slips.append(paper)
        self._open = None

    def _qr(self, args: bytes) -> None:
        family, function, rest = args[0], args[1], args[2:]
        if family != 0x31:
            raise JudgeError(f"GS ( k: symbol family {family:#04x} is not QR")
        if function == 0x41 and rest in (b"\x31\x00", b"\x32\x00"):
            return
        if function == 0x43 and len(rest) == 1 and 1 <= rest[0] <= 16:
            self._module = rest[0]
        elif function == 0x45 and len(rest) == 1 and rest[0] in QR_LEVELS:
            self._level = QR_LEVELS[rest[0]]
        elif function == 0x50 and rest[:1] == b"0" and 1 < len(rest) <= 7090:
            self._stored = rest[1:]
        elif function == 0x51 and rest == b"0" and self._stored:
            self._at_line_start("GS ( k")
            self._paper().rows.append(QrRow(self._stored, self._module, self._level, self._align))
        else:
            raise JudgeError(f"GS ( k: function {function:#04x} with {rest!r} is not understood")


def next_token(data: bytes, at: int) -> Token | None:
    """The token that begins at ``at``, or None while its last bytes are missing. Raises JudgeError for an unknown command."""
    first = data[at]
    if 0x20 <= first != 0x7F:
        end = at + 1
        while end < len(data) and 0x20 <= data[end] != 0x7F:
            end += 1
        return Token("text", data[at:end], data[at:end])
    if first in SINGLES:
        return Token(SINGLES[first], b"", data[at : at + 1])
    if first not in (0x10, 0x1B, 0x1D):
        raise JudgeError(f"control byte {first:#04x} at {at}")
    if len(data) < at + 2:
        return None
    head = data[at : at + 2]
    if head in PARAMETERS:
        name, count = PARAMETERS[head]
        return _token(name, data, at, 2, count)
    if head == b"\x1d(":
        return _function(data, at)
    if head == b"\x1dV":
        return _cut_token(data, at)
    raise JudgeError(f"unknown command {head.hex(' ')} at {at}")


def tokens(data: bytes) -> list[Token]:
    """All tokens of a whole job. Raises JudgeError for an unknown command or a job that ends inside one."""
    found: list[Token] = []
    at = 0
    while at < len(data):
        token = next_token(data, at)
        if token is None:
            raise JudgeError(f"the job ends inside a command at {at}")
        found.append(token)
        at += len(token.raw)
    return found


def judge(data: bytes, *, columns: int = 48, slots: dict[int, str] | None = None) -> Judge:
    """Print a whole job. What was not cut hangs as the last slip."""
    printer = Judge(columns, slots)
    for token in tokens(data):
        printer.execute(token)
    printer.tear()
    return printer


def _token(name: str, data: bytes, at: int, head: int, count: int) -> Token | None:
    end = at + head + count
    return Token(name, data[at + head : end], data[at:end]) if len(data) >= end else None


def _function(data: bytes, at: int) -> Token | None:
    if len(data) < at + 5:
        return None
    name = {0x48: "GS ( H", 0x6B: "GS ( k"}.get(data[at + 2])
    if name is None:
        raise JudgeError(f"unknown command 1d 28 {data[at + 2]:02x} at {at}")
    count = data[at + 3] + 256 * data[at + 4]
    if count < 2:
        raise JudgeError(f"{name} at {at} carries {count} bytes")
    return _token(name, data, at, 5, count)


def _cut_token(data: bytes, at: int) -> Token | None:
    if len(data) < at + 3:
        return None
    count = {0: 1, 1: 1, 48: 1, 49: 1, 65: 2, 66: 2}.get(data[at + 2])
    if count is None:
        raise JudgeError(f"GS V {data[at + 2]} at {at} is no cut")
    return _token("GS V", data, at, 2, count)


def _one_of(name: str, number: int, known: dict[int, int]) -> int:
    if number not in known:
        raise JudgeError(f"{name} {number}: no such mode")
    return known[number]
