"""Codes that a keyboard scanner typed while the Russian layout was on, given back as the scanner meant them.

The 95 printable signs of ASCII go to 95 different signs, both ways, so nothing is lost; see docs/devices.md for what text alone
cannot decide. **Source:** the standard Russian layout of Windows (KBDRU).
"""

from __future__ import annotations

US = "`qwertyuiop[]asdfghjkl;'zxcvbnm,./" + '~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?' + "@#$^&|"
RU = "ёйцукенгшщзхъфывапролджэячсмитьбю." + "ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ," + '"№;:?/'
MEANT = str.maketrans(RU, US)
TYPED = str.maketrans(US, RU)
TELLING = frozenset(sign for sign in RU if not sign.isascii())
"""Signs that no scanner sends out of plain ASCII: one of them tells the layout."""


def tells_russian(text: str) -> bool:
    """Whether a text that should be ASCII was typed under the Russian layout. Digits and ``.,;:?"/`` alone tell nothing."""
    return not TELLING.isdisjoint(text)


def recovered(text: str) -> str:
    """What the scanner meant, when the Russian layout was on. Signs that stand elsewhere on no key stay."""
    return text.translate(MEANT)


def as_typed(code: str) -> str:
    """What a page receives for a code under the Russian layout: the way back, for emulators and tests."""
    return code.translate(TYPED)
