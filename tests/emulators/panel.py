"""Two lines of signs that understand what a till sends: the bytes of Epson's and of CD5220's commands become a grid of text.

What is not understood is kept in ``faults``, never guessed at. Pure: tests feed it bytes in any chunks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal["epson", "cd5220"]
ROWS = 2
UNKNOWN = "\ufffd"
"""A sign of a page that the display does not have."""
SLOTS: Mapping[Kind, Mapping[int, str]] = {
    "epson": {0: "cp437", 16: "cp1252", 17: "cp866", 19: "cp858"},
    "cd5220": {ord("A"): "cp437", ord("L"): "cp852", ord("R"): "cp866"},
}
ESC, US, CLR, CAN, CR, LF, BS, HT = 0x1B, 0x1F, 0x0C, 0x18, 0x0D, 0x0A, 0x08, 0x09
SELECTORS = (ord("t"), ord("c"), ord("f"))


class Panel:
    """A display without its port. ``selector`` is the byte after ESC by which it hears of pages."""

    def __init__(self, kind: Kind, *, columns: int = 20, slots: Mapping[int, str] | None = None, selector: str = "") -> None:
        self.kind = kind
        self.columns = columns
        self.slots = dict(SLOTS[kind] if slots is None else slots)
        self.selector = ord(selector or ("t" if kind == "epson" else "c"))
        self.faults: list[str] = []
        self.resets = 0
        self.switch_on()

    @property
    def lines(self) -> tuple[str, str]:
        """What is seen, each line in its whole width."""
        upper, lower = ("".join(row) for row in self._rows)
        return upper, lower

    def switch_on(self) -> None:
        """As it is when it gets its power: empty, cursor at the beginning, the first page."""
        self._rows = [[" "] * self.columns for _ in range(ROWS)]
        self._at = 0
        self._page: str | None = self.slots.get(0, "cp437")
        self._in_string = False
        self._string_row: int | None = None
        self._held = b""
        self.cursor_on = True

    def feed(self, data: bytes) -> None:
        """Understand bytes; what is not whole yet waits."""
        self._held += data
        while self._held:
            used = self._one(self._held)
            if not used:
                return
            self._held = self._held[used:]

    def _one(self, data: bytes) -> int:
        """Do the first command or sign; answers how many bytes it has, 0 when they are not all there."""
        first = data[0]
        if first in (CLR, CAN):
            self._clear(whole=first == CLR)
            return 1
        if self._string_row is not None and first not in (ESC, US):
            self._string_sign(first)
            return 1
        self._string_row = None
        if first == ESC:
            return self._escape(data)
        if self._in_string:
            return 1  # by the manual, a display that took a string hears nothing else until CLR or CAN
        if first == US:
            return self._unit(data)
        self._sign(first)
        return 1

    def _escape(self, data: bytes) -> int:
        if len(data) < 2:
            return 0
        letter = data[1]
        size = 3 if letter in (*SELECTORS, ord("Q"), ord("_")) else 2
        if len(data) < size:
            return 0
        argument = data[2] if size == 3 else 0
        if self.kind == "cd5220" and letter == ord("Q") and argument in b"AB":
            self._in_string, self._string_row = True, b"AB".index(argument)
            self._at = self._string_row * self.columns
        elif self._in_string:
            return size
        elif letter == ord("@"):
            held, self._held = self._held, b""
            self.switch_on()
            self.resets += 1
            self._held = held
        elif letter == self.selector:
            self._choose(argument)
        elif self.kind == "cd5220" and letter == ord("_"):
            self.cursor_on = argument == 1
        elif not (self.kind == "cd5220" and letter == 0x11):
            self.faults.append(f"ESC {letter:02X}")
        return size

    def _unit(self, data: bytes) -> int:
        if len(data) < 2:
            return 0
        letter = data[1]
        size = {ord("$"): 4, ord("C"): 3}.get(letter, 2)
        if len(data) < size:
            return 0
        if letter == ord("$") and 1 <= data[2] <= self.columns and 1 <= data[3] <= ROWS:
            self._at = (data[3] - 1) * self.columns + data[2] - 1
        elif letter == ord("C"):
            self.cursor_on = data[2] == 1
        elif letter != 0x01:
            self.faults.append(f"US {data[1:size].hex(' ')}")
        return size

    def _choose(self, slot: int) -> None:
        self._page = self.slots.get(slot)
        if self._page is None:
            self.faults.append(f"no page in slot {slot}")

    def _sign(self, byte: int) -> None:
        if byte < 0x20:
            self.faults.append(f"{byte:02X}")
            return
        cells = ROWS * self.columns
        self._rows[self._at // self.columns][self._at % self.columns] = self._decoded(byte)
        self._at = (self._at + 1) % cells

    def _string_sign(self, byte: int) -> None:
        if byte == CR or self._string_row is None:
            self._string_row = None
        elif self._at // self.columns == self._string_row and byte >= 0x20:
            at = self._at % self.columns
            self._rows[self._string_row][at] = self._decoded(byte)
            self._at += 1
        else:
            self.faults.append(f"{byte:02X} in a string")

    def _decoded(self, byte: int) -> str:
        return bytes((byte,)).decode(self._page or "ascii", "replace")

    def _clear(self, *, whole: bool) -> None:
        rows = range(ROWS) if whole else (self._at // self.columns % ROWS,)
        for row in rows:
            self._rows[row] = [" "] * self.columns
        self._at = 0 if whole else self._at // self.columns % ROWS * self.columns
        self._in_string, self._string_row = False, None
