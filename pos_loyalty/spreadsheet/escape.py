"""Cells that a spreadsheet would run as a formula. They are written with an apostrophe before them, and read without it."""

from __future__ import annotations

import re

_RUNS = re.compile(r"'*[=+\-@\t\r]")
"""**Source:** OWASP, CSV Injection. Apostrophes before such a sign are counted, so that reading takes away what writing put."""


def guarded(text: str) -> str:
    """A cell that is safe to open in a spreadsheet."""
    return f"'{text}" if _RUNS.match(text) else text


def bare(text: str) -> str:
    """The cell again."""
    return text[1:] if text.startswith("'") and _RUNS.match(text) else text
