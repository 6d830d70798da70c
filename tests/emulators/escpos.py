"""A judge of ESC/POS bytes, standing in for a real receipt printer: bytes → commands → printer state → what is on the paper.

It shares nothing with ``receipts``: commands are read from Epson's reference. A command, a code page slot or a sign that it does
not know is a JudgeError, never a guess. No printer was touched: what a real firmware does beyond the reference is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.emulators import symbols
from tests.emulators.symbols import JudgeError
from tests.emulators.tokens import Token, next_token, tokens

SLOTS = {0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 46: "cp1251"}
"""Epson's slots of ``ESC t`` that this judge can read; a profile with other slots is an argument."""

TAB_COLUMNS = 8
REAL_TIME = ("DLE EOT", "DLE ENQ")
QR_LEVELS = {48: "l", 49: "m", 50: "q", 51: "h"}


__all__ = ["JudgeError", "next_token"]


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
class BarRow:
    """A bar code: ``content`` as a scanner reads it; its signs stand beneath when ``is_told``."""

    kind: str
    content: str
    module: int
    high: int
    is_told: bool
    align: int


@dataclass(frozen=True)
class ImageRow:
    """A raster picture: ``wide`` in bytes of eight dots."""

    wide: int
    high: int
    data: bytes
    align: int


@dataclass(frozen=True)
class FeedRow:
    """Blank lines fed by ``ESC d``."""

    lines: int


PaperRow = TextRow | QrRow | BarRow | ImageRow | FeedRow


@dataclass
class Slip:
    """What came out up to one cut, or was left hanging when ``is_cut`` is false."""

    columns: int
    rows: list[PaperRow] = field(default_factory=list)
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

    @property
    def bars(self) -> list[tuple[str, str]]:
        """Kind and content of the bar codes."""
        return [(row.kind, row.content) for row in self.rows if isinstance(row, BarRow)]

    def png(self) -> bytes:
        """The paper as a PNG of 12 dots a column: 576 dots for 48."""
        from tests.emulators.paper import draw

        return draw(self)

    def _text_of(self, row: PaperRow) -> str:
        match row:
            case FeedRow():
                return "\n" * (row.lines - 1)
            case TextRow():
                text, width = "".join(cell.sign for cell in row.cells), row.width
            case QrRow():
                text = f"[QR {row.content.decode()}]"
                width = len(text)
            case BarRow():
                text = f"[{row.kind} {row.content}]"
                width = len(text)
            case ImageRow():
                text = f"[{row.wide * 8} x {row.high}]"
                width = len(text)
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
        if token.name in ("GS h", "GS w", "GS H"):
            self._bar[token.name] = symbols.bar_setting(token.name, token.args[0])
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
            "GS k": self._bars,
            "GS v 0": self._image,
        }[token.name]
        verb(token.args)

    def tear(self) -> None:
        """Close the slip without a cut: the power went, or the job ended early. A line that was not fed is not on paper."""
        self._line = []
        if self._open is not None and not self.is_blank:
            self.slips.append(self._open)
        self._open = None

    @property
    def is_blank(self) -> bool:
        """Nothing stands on the paper since the last cut."""
        return self._open is None or not self._open.rows

    def _paper(self) -> Slip:
        if self._open is None:
            self._open = Slip(self.columns)
        return self._open

    def _reset(self) -> None:
        self._slot, self._align, self._bold, self._wide, self._high = 0, 0, False, 1, 1
        self._module, self._level, self._stored = 3, "l", b""
        self._bar = dict(symbols.BAR_SETTINGS)

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

    def _bars(self, args: bytes) -> None:
        self._at_line_start("GS k")
        kind, content = symbols.bars_of(args)
        is_told = self._bar["GS H"] != 0
        self._paper().rows.append(BarRow(kind, content, self._bar["GS w"], self._bar["GS h"], is_told, self._align))

    def _image(self, args: bytes) -> None:
        self._at_line_start("GS v 0")
        wide, high = args[1] + 256 * args[2], args[3] + 256 * args[4]
        self._paper().rows.append(ImageRow(wide, high, args[5:], self._align))

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


def judge(data: bytes, *, columns: int = 48, slots: dict[int, str] | None = None) -> Judge:
    """Print a whole job. What was not cut hangs as the last slip."""
    printer = Judge(columns, slots)
    for token in tokens(data):
        printer.execute(token)
    printer.tear()
    return printer


def _one_of(name: str, number: int, known: dict[int, int]) -> int:
    if number not in known:
        raise JudgeError(f"{name} {number}: no such mode")
    return known[number]
