"""Tracks of a magnetic stripe as readers send them: ``%…?`` and ``;…=…?``, with or without the check sign (LRC) behind each.

Rule: only the number is taken, never a name or what stands behind the number; whose it is, the nomenclature decides.
**Source:** ISO/IEC 7811-2 and 7813.
"""

from __future__ import annotations

import re

from pos_loyalty.values import Value

TRACKS = re.compile(
    r"(?:%(?P<first>[ -$&->@-_]{1,76})\?(?P<first_check>[ -_])??)?"
    r"(?:;(?P<second>[0-9:<=>]{1,37})\?(?P<second_check>[0-?])??)?"
    r"(?:[+;](?P<third>[0-9:<=>]{0,104})\?[0-?]?)?"
)
FIRST_NUMBER = re.compile(r"B?(?P<number>[0-9A-Z]{1,19})(?:\^.*)?")
SECOND_NUMBER = re.compile(r"(?P<number>[0-9]{1,19})(?:=.*)?")
TORN = re.compile(
    r"(?:%?B?[0-9]{2,19})?\^[^^?]{2,26}\^[0-9]{0,40}\??.?"
    r"|%?B[0-9]{2,19}\^[^^?]{0,26}"
    r"|[^^?]{0,26}\^(?:[0-9]{4,40}\?.?|[0-9]{7,40})"
    r"|%B?[0-9]{2,19}"
    r"|;[0-9]{2,19}=?[0-9]{0,20}\??.?"
    r"|[0-9]{1,19}=[0-9]{4,20}\??.?"
    r"|=?[0-9]{4,20}\?.?"
    r"|=[0-9]{4,20},"
)
"""A piece of a stripe: its beginning, its end, or what stands between. A comma is a question mark under the Russian layout."""


class Swipe(Value):
    """One swipe. ``number``: what both tracks call the card; empty when they do not agree or a check sign is wrong."""

    number: str


def read_swipe(text: str) -> Swipe | None:
    """What a stripe says; None when the text is no stripe."""
    found = TRACKS.fullmatch(text)
    if found is None or not (found["first"] or found["second"]):
        return None
    if not _lrc_holds(f"%{found['first']}?", found["first_check"], bits=6, base=0x20):
        return Swipe(number="")
    if not _lrc_holds(f";{found['second']}?", found["second_check"], bits=4, base=0x30):
        return Swipe(number="")
    numbers = {
        "" if number is None else number["number"]
        for track, number in (
            (found["first"], FIRST_NUMBER.fullmatch(found["first"] or "")),
            (found["second"], SECOND_NUMBER.fullmatch(found["second"] or "")),
        )
        if track
    }
    return Swipe(number=numbers.pop() if len(numbers) == 1 else "")


def is_torn(text: str) -> bool:
    """A piece of a stripe without the rest, as after a bad swipe: nothing of it may be kept."""
    return TORN.fullmatch(text) is not None


def _lrc_holds(track: str, check: str | None, *, bits: int, base: int) -> bool:
    """Every bit of the check sign makes its column even; a reader that strips it is believed."""
    if check is None:
        return True
    total = 0
    for sign in track:
        total ^= (ord(sign) - base) & ((1 << bits) - 1)
    return check == chr(total + base)
