"""What displays of two lines are told, as tables of bytes: Epson's and CD5220's. Pure: a frame is bytes, and no port is known.

A frame rewrites every sign of both lines and clears nothing, so that nothing flickers. An opening first ends whatever a torn
frame may have begun. **Source:** Epson's DM-D110 reference; Partner's CD5220 manual and the P07303 manual, page 20, by which a
display that took ``ESC Q`` hears nothing else until CLR or CAN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pos_loyalty.config_display import DisplayConfig, Select

SELECTS: Mapping[Select, bytes] = {"esc_t": b"\x1bt", "esc_c": b"\x1bc", "esc_f": b"\x1bf", "none": b""}
"""The bytes before the slot."""


class Commands(NamedTuple):
    """One command table. What stands before and after the text of each line, and how a display is begun with."""

    opening: bytes
    set_up: bytes
    """Overwrite mode, no cursor: after the page is chosen."""
    upper: bytes
    lower: bytes
    end: bytes
    """After each line's text."""
    hears_pages: bool
    """A page is chosen anew in every frame, so that one that was switched off and on is right again by itself."""


TABLES: Mapping[str, Commands] = {
    "epson": Commands(
        opening=b"\x1b@\x1b@",  # torn in a command, the first is its argument
        set_up=b"\x1f\x01\x1fC\x00",
        upper=b"\x1f$\x01\x01",
        lower=b"\x1f$\x01\x02",
        end=b"",
        hears_pages=True,
    ),
    "cd5220": Commands(
        opening=b"\x18\x0c\x1b@",  # CAN ends a string or is a torn command's argument, CLR then does it again
        set_up=b"\x1b\x11\x1b_\x00",
        upper=b"\x1bQA",
        lower=b"\x1bQB",
        end=b"\r",
        hears_pages=False,
    ),
}


def opening_of(display: DisplayConfig) -> bytes:
    """What a display is begun with, whatever it has heard before."""
    commands = TABLES[display.kind]
    return commands.opening + _select(display) + commands.set_up


def frame_of(display: DisplayConfig, upper: str, lower: str) -> bytes:
    """Both lines, from the first column to the last."""
    commands = TABLES[display.kind]
    again = _select(display) if commands.hears_pages else b""
    lines = ((commands.upper, upper), (commands.lower, lower))
    return again + b"".join(begin + _signs(display, text) + commands.end for begin, text in lines)


def _select(display: DisplayConfig) -> bytes:
    begin = SELECTS[display.page_select]
    return begin + bytes((display.page_slot,)) if begin else b""


def _signs(display: DisplayConfig, text: str) -> bytes:
    """Exactly as many bytes as columns. What the page lacks, and what would be a command, is a space: never a ``?``."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text[: display.columns])
    signs = (sign.encode(display.page, "ignore") or b" " for sign in shown)
    return b"".join(signs).ljust(display.columns)
