"""A keyboard scanner as the kernel shows it: packed ``input_event`` structs on a named pipe, with shifts, keypads and Alt codes.

``python -m tests.emulators.hid --path /tmp/keys`` types each line of standard input for a ``[[scanner]]`` of kind "hid".
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from types import TracebackType

from drivers.hid_events import EVENT, KEYPAD, PLAIN, SHIFTED
from tests.emulators.links import make_pipe, remove_pipe
from tests.emulators.program import running

SHIFT, CTRL, ALT, CAPS, ENTER, TAB, BRACKET = 42, 29, 56, 58, 28, 15, 27
US_CODES = {sign: (code, False) for code, sign in PLAIN.items()} | {sign: (code, True) for code, sign in SHIFTED.items()}
PAD_CODES = {sign: code for code, sign in KEYPAD.items() if sign.isdecimal()}


def key(code: int, value: int) -> bytes:
    """One key event with its report."""
    return EVENT.pack(0, 0, 4, 4, code) + EVENT.pack(0, 0, 1, code, value) + EVENT.pack(0, 0, 0, 0, 0)


def press(code: int) -> bytes:
    """Down and up."""
    return key(code, 1) + key(code, 0)


def strokes(text: str, *, end: int | None = ENTER, keypad: bool = False, gs: str = "ctrl") -> bytes:
    """The events of a code. ``gs``: "ctrl" for Ctrl+], "alt" for Alt+0029."""
    out = b""
    for sign in text:
        if sign == "\x1d":
            alt = key(ALT, 1) + b"".join(press(PAD_CODES[digit]) for digit in "0029") + key(ALT, 0)
            out += alt if gs == "alt" else key(CTRL, 1) + press(BRACKET) + key(CTRL, 0)
        elif keypad and sign in PAD_CODES:
            out += press(PAD_CODES[sign])
        else:
            code, shifted = US_CODES[sign]
            out += key(SHIFT, 1) + press(code) + key(SHIFT, 0) if shifted else press(code)
    return out + (b"" if end is None else press(end))


class PipeKeyboard:
    """Plugged in when built; ``path`` is what a driver opens, as a /dev/input/by-id name would be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wire: int | None = None
        self.plug()

    def __enter__(self) -> PipeKeyboard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    @property
    def is_plugged(self) -> bool:
        """Whether it is there."""
        return self._wire is not None

    def plug(self) -> None:
        """Appear under the path."""
        make_pipe(self.path)
        self._wire = os.open(self.path, os.O_RDWR)

    def unplug(self) -> None:
        """Vanish: who reads gets an end."""
        remove_pipe(self.path)
        if self._wire is not None:
            os.close(self._wire)
        self._wire = None

    def send(self, data: bytes) -> None:
        """Events as they are."""
        assert self._wire is not None, "the scanner is not plugged in"
        while data:
            data = data[os.write(self._wire, data) :]

    def scan(self, code: str) -> None:
        """A code and Enter."""
        self.send(strokes(code))


def main() -> None:
    """Type each line of standard input until it ends; ``!unplug`` and ``!plug`` do what they say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--path", required=True, type=Path, help="the pipe to make")
    args = parser.parse_args()
    with running(parser), PipeKeyboard(args.path) as keyboard:
        for line in sys.stdin:
            code = line.rstrip("\n")
            if code in ("!unplug", "!plug"):
                _move(keyboard, code)
            elif keyboard.is_plugged:
                _type(keyboard, code)


def _move(keyboard: PipeKeyboard, word: str) -> None:
    if word == "!unplug" and keyboard.is_plugged:
        keyboard.unplug()
    elif word == "!plug" and not keyboard.is_plugged:
        keyboard.plug()


def _type(keyboard: PipeKeyboard, code: str) -> None:
    try:
        keyboard.scan(code)
    except KeyError as error:
        print(f"no key has {error}", flush=True)


if __name__ == "__main__":
    main()
