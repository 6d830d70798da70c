"""Codes out of a scanner's bytes, pure: any chunking gives the same codes. Half a code is never handed on."""

from __future__ import annotations

import re

from pos_loyalty.config_codes import Suffix

CODE_BYTES_MAX = 4096
GS = "\x1d"
"""The group separator of GS1 codes: the one control character that a code may hold."""
STX = b"\x02"
SUFFIXES: dict[Suffix, re.Pattern[bytes]] = {
    "cr": re.compile(b"([^\r]*)\r"),
    "lf": re.compile(b"([^\n]*)\n"),
    "crlf": re.compile(b"((?:[^\r]|\r(?!\n))*)\r\n"),
    "tab": re.compile(b"([^\t]*)\t"),
    "etx": re.compile(b"([^\x03]*)\x03"),
    "any": re.compile(b"(\x02[^\x02\x03\r\n\t]*)\x03|([^\r\n\t]*)[\r\n\t]|([^\r\n\t\x03]*\x02[^\r\n\t\x02\x03]*\x03)"),
}
SUFFIXES["none"] = SUFFIXES["any"]
"""A code and its end. ETX ends only what STX began, or a sign of noise would cut a code in two; the third form is such
a frame with noise before it, refused whole."""


class LineFramer:
    """Cuts a stream at its suffix. ``any``: CR, LF, CRLF, Tab, or ETX after STX; ``none``: these, and where nothing more comes.

    A code that is too long, is not UTF-8, lacks the prefix or holds another control character is refused whole:
    it is counted in ``refused`` and never shortened or mended. STX before a code is a part of no code.
    """

    def __init__(self, prefix: str = "", suffix: Suffix = "any") -> None:
        self._prefix = prefix.encode()
        self._ends = SUFFIXES[suffix]
        self._buffer = bytearray()
        self._is_skipping = False
        self.ends_in_silence = suffix == "none"
        self.refused = 0

    @property
    def is_waiting(self) -> bool:
        """Half a code is there."""
        return bool(self._buffer) or self._is_skipping

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; give back the codes that they complete, in order."""
        self._buffer += data
        lines, rest = self._split(bytes(self._buffer))
        codes = [code for line in lines if (code := self._code(line)) is not None]
        self._buffer = bytearray(rest)
        if len(rest) > len(STX) + len(self._prefix) + CODE_BYTES_MAX + 1:  # one more, because it may be the CR of a CRLF
            self._is_skipping = True
            self._buffer[:] = STX if rest.startswith(STX) else rest[-1:]
        return codes

    def silence(self) -> list[str]:
        """The stream has been silent for the gap: what is there is a code, when the scanner sends no suffix."""
        if not self.ends_in_silence or not self.is_waiting:
            return []
        line = bytes(self._buffer)
        self._buffer.clear()
        code = self._code(line)
        return [] if code is None else [code]

    def reset(self) -> None:
        """Forget half a code, as after an unplugging."""
        if self.is_waiting:
            self.refused += 1
        self._buffer.clear()
        self._is_skipping = False

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        lines, place = [], 0
        while (found := self._ends.match(data, place)) is not None:
            lines.append(next(part for part in found.groups() if part is not None))
            place = found.end()
        return lines, data[place:]

    def _code(self, line: bytes) -> str | None:
        if self._is_skipping:
            self._is_skipping = False
            self.refused += 1
            return None
        if not self._prefix.startswith(STX):
            line = line.removeprefix(STX)
        if not line:
            return None
        text = code_text(line.removeprefix(self._prefix)) if line.startswith(self._prefix) else None
        if text is None:
            self.refused += 1
        return text or None


def code_text(line: bytes) -> str | None:
    """A code out of its bytes; None when it is too long, not UTF-8, or holds a control character other than GS."""
    if len(line) > CODE_BYTES_MAX:
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(sign == GS or sign.isprintable() for sign in text) else None
