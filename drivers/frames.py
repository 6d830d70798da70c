"""Codes out of a scanner's bytes, pure: any chunking gives the same codes. Half a code is never handed on."""

from __future__ import annotations

from typing import Literal

CODE_BYTES_MAX = 4096
GS = "\x1d"
"""The group separator of GS1 codes: the one control character that a code may hold."""

Suffix = Literal["cr", "lf", "crlf", "any"]


class LineFramer:
    """Cuts a stream at its suffix. ``any`` ends a code at CR, LF or CRLF.

    A code that is too long, is not UTF-8, lacks the prefix or holds another control character is refused whole:
    it is counted in ``refused`` and never shortened or mended.
    """

    def __init__(self, prefix: str = "", suffix: Suffix = "any") -> None:
        self._prefix = prefix.encode()
        self._suffix = suffix
        self._buffer = bytearray()
        self._is_skipping = False
        self.refused = 0

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; give back the codes that they complete, in order."""
        self._buffer += data
        *lines, rest = self._split(bytes(self._buffer))
        codes = [code for line in lines if (code := self._code(line)) is not None]
        self._buffer = bytearray(rest)
        if len(rest) > len(self._prefix) + CODE_BYTES_MAX + 1:  # one more, because it may be the CR of a CRLF
            self._is_skipping = True
            del self._buffer[:-1]
        return codes

    def reset(self) -> None:
        """Forget half a code, as after an unplugging."""
        if self._buffer or self._is_skipping:
            self.refused += 1
        self._buffer.clear()
        self._is_skipping = False

    def _split(self, data: bytes) -> list[bytes]:
        match self._suffix:
            case "cr":
                return data.split(b"\r")
            case "lf":
                return data.split(b"\n")
            case "crlf":
                return data.split(b"\r\n")
            case "any":
                return data.replace(b"\n", b"\r").split(b"\r")

    def _code(self, line: bytes) -> str | None:
        if self._is_skipping:
            self._is_skipping = False
            self.refused += 1
            return None
        if not line:
            return None
        text = _text(line.removeprefix(self._prefix)) if line.startswith(self._prefix) else None
        if text is None:
            self.refused += 1
        return text or None


def _text(line: bytes) -> str | None:
    if len(line) > CODE_BYTES_MAX:
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(sign == GS or sign.isprintable() for sign in text) else None
