"""ESC/POS bytes → commands, as Epson's reference has them. An unknown command is a JudgeError, never a guess."""

from __future__ import annotations

from typing import NamedTuple

from tests.emulators.symbols import JudgeError

PARAMETERS = {
    b"\x1b@": ("ESC @", 0),
    b"\x1bt": ("ESC t", 1),
    b"\x1ba": ("ESC a", 1),
    b"\x1bE": ("ESC E", 1),
    b"\x1bd": ("ESC d", 1),
    b"\x1bp": ("ESC p", 3),
    b"\x1d!": ("GS !", 1),
    b"\x1dh": ("GS h", 1),
    b"\x1dw": ("GS w", 1),
    b"\x1dH": ("GS H", 1),
    b"\x1dr": ("GS r", 1),
    b"\x1d:": ("GS :", 0),
    b"\x1d^": ("GS ^", 3),
    b"\x10\x04": ("DLE EOT", 1),
    b"\x10\x05": ("DLE ENQ", 1),
}
SINGLES = {0x09: "HT", 0x0A: "LF", 0x0D: "CR"}
AT_ONCE = (b"\x10\x04", b"\x10\x05", b"\x10\x14")
"""Acted on wherever they stand, in a picture too."""


class Token(NamedTuple):
    """One command or one run of text; ``raw`` is all of its bytes."""

    name: str
    args: bytes
    raw: bytes


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
    if head == b"\x1dk":
        return _bars_token(data, at)
    if head == b"\x1dv":
        return _image_token(data, at)
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


def _bars_token(data: bytes, at: int) -> Token | None:
    """Function B alone: a kind from 65 on, a length, so many bytes."""
    if len(data) < at + 4:
        return None
    if not 65 <= data[at + 2] <= 79:
        raise JudgeError(f"GS k {data[at + 2]} at {at}: no kind of function B")
    return _token("GS k", data, at, 2, 2 + data[at + 3])


def _image_token(data: bytes, at: int) -> Token | None:
    if len(data) < at + 8:
        return None
    if data[at + 2] != 0x30 or data[at + 3] not in (0, 48):
        raise JudgeError(f"GS v {data[at + 2]} {data[at + 3]} at {at} is no raster of one dot a bit")
    wide, high = data[at + 4] + 256 * data[at + 5], data[at + 6] + 256 * data[at + 7]
    if not wide or not high:
        raise JudgeError(f"GS v 0 at {at}: a picture without dots")
    token = _token("GS v 0", data, at, 3, 5 + wide * high)
    if token is not None and any(command in token.raw for command in AT_ONCE):
        raise JudgeError(f"GS v 0 at {at}: a printer would act on DLE bytes in the middle of it")
    return token
