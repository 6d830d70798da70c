"""Scanners that type: which keys were a scan and which a person's. Pure; ``static/wedge.js`` is the same for the page.

Rule: nothing is swallowed. What is no scan comes out as it was typed, in order. A key is a sign, or a name: ``Enter``, ``Tab``,
``Ctrl+]`` (GS), ``Alt+0`` to ``Alt+9`` (an Alt code, four digits), and any other, which no scanner sends.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from drivers.frames import CODE_BYTES_MAX, GS
from drivers.layouts import as_typed, recovered, tells_russian

SIGNS_MIN = 6
GAP_MEDIAN_MS, GAP_MAX_MS = 30, 100
TORN_SIGNS_MIN, TORN_PAUSE_MAX_MS = 3, 1000
"""A pause after so many signs at a scanner's speed is a slow computer's: what follows is the code's rest, no scan of its own."""
ENDS = ("Enter", "Tab")
ALT_DIGITS = 4


class Key(NamedTuple):
    """One key. ``us``: what the same key types under the US layout, where that is known; it settles every doubt of layout."""

    ms: float
    key: str
    us: str = ""


class Typed(NamedTuple):
    """What a person typed."""

    keys: tuple[str, ...]


class Scanned(NamedTuple):
    """What a scanner typed, its end included in ``keys`` and not in ``text``."""

    text: str
    keys: tuple[str, ...]


def read_keys(keys: Iterable[Key]) -> list[Typed | Scanned]:
    """Tell scans from typing. All ``keys`` of the answer together are the keys that came."""
    told: list[Typed | Scanned] = []
    waiting: list[str] = []
    wedge = Wedge()
    for key in keys:
        waiting.append(key.key)
        text = wedge.press(key)
        if text is not None:
            begin = len(waiting) - wedge.length
            told += [Typed(tuple(waiting[:begin]))] if begin else []
            told.append(Scanned(text, tuple(waiting[begin:])))
            waiting = []
    return told + ([Typed(tuple(waiting))] if waiting else [])


class Wedge:
    """Feeds on one key after another. ``length``: how many keys the run has, its end included. A run that a pause has torn
    stays typing, whole."""

    def __init__(self) -> None:
        self._run: list[Key] = []
        self._is_over = False

    @property
    def length(self) -> int:
        """Keys of the run that goes on, or has just ended."""
        return len(self._run)

    def press(self, key: Key) -> str | None:
        """The code, when this key ended a scan."""
        if self._is_over or (self._run and not 0 <= key.ms - self._run[-1].ms <= self._pause_max_ms(key)):
            self._run, self._is_over = [], False
        self._run.append(key)
        if key.key in ENDS:
            self._is_over = True
            return scan_in(self._run)
        if _sign(key.key) is None or len(self._run) > ALT_DIGITS * CODE_BYTES_MAX:
            self._is_over = True
        return None

    def _pause_max_ms(self, key: Key) -> int:
        if key.ms - self._run[-1].ms <= GAP_MAX_MS or len(self._run) < TORN_SIGNS_MIN:
            return GAP_MAX_MS
        return TORN_PAUSE_MAX_MS if median(_gaps(self._run)) <= GAP_MEDIAN_MS else GAP_MAX_MS


def scan_in(run: list[Key]) -> str | None:
    """The code that a run of keys with its end spells; None when a person typed it."""
    text, us = _spelt([key.key for key in run[:-1]]), _spelt([key.us or key.key for key in run[:-1]])
    if text is None or us is None or len(text) < SIGNS_MIN:
        return None
    gaps = _gaps(run)
    if max(gaps) > GAP_MAX_MS or median(gaps) > GAP_MEDIAN_MS:
        return None
    if tells_russian(text):
        return recovered(text)
    return us if all(key.us for key in run[:-1]) and as_typed(us) == text else text


def _gaps(run: list[Key]) -> list[float]:
    return [later.ms - earlier.ms for earlier, later in itertools.pairwise(run)]


def _spelt(keys: list[str]) -> str | None:
    signs, place = "", 0
    while place < len(keys):
        size = ALT_DIGITS if keys[place].startswith("Alt+") else 1
        group = keys[place : place + size]
        if len(group) < size or any(key.startswith("Alt+") != (size > 1) for key in group):
            return None
        sign = _alt_sign(group) if size > 1 else _sign(group[0])
        if not sign:
            return None
        signs += sign
        place += size
    return signs


def _alt_sign(group: list[str]) -> str | None:
    number = chr(int("".join(key[-1] for key in group)))
    return number if number == GS or " " <= number <= "~" else None


def _sign(key: str) -> str | None:
    """The sign of a key; empty for a digit of an Alt code, None for a key that no scanner sends."""
    if key in ("Ctrl+]", GS):
        return GS
    if len(key) == len("Alt+0") and key.startswith("Alt+") and key[-1] in "0123456789":
        return ""
    return key if len(key) == 1 and key.isprintable() else None
