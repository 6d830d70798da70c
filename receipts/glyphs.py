"""Which signs reach the paper: stray signs are cleaned away everywhere, and what a code page lacks gets a stated substitute.

What has neither glyph nor substitute is an InputError that names the sign and the line. There is never a silent ``?``.
``docs/receipts.md`` lists the table; a test compares the two.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from unicodedata import category, combining, is_normalized, name, normalize

from pos_loyalty.errors import InputError

PAGES = ("cp866", "cp1251", "cp437", "cp858")
NO_BREAK = "\u00a0"
NO_BREAK_SPACES = "\u00a0\u202f\u2007"
SHOWN_SIGNS_MAX = 40
USUAL_SIGNS = "«»\u2212₽×—–•"
USUAL = len(USUAL_SIGNS)
SEPARATOR = "\n"
"""Between texts that are fitted together; a control sign, so that no clean text has it."""
SUBSTITUTES: dict[str, tuple[str, ...]] = {
    "₽": ("р", "RUB"),
    "€": ("EUR",),
    "№": ("No",),
    "«": ('"',),
    "»": ('"',),
    "“": ('"',),
    "”": ('"',),
    "„": ('"',),
    "‹": ("'",),
    "›": ("'",),
    "‘": ("'",),
    "’": ("'",),
    "‚": ("'",),
    "´": ("'",),
    "\u2010": ("-",),
    "\u2011": ("-",),
    "\u2012": ("-",),
    "–": ("-",),
    "—": ("-",),
    "\u2015": ("-",),
    "\u2212": ("-",),
    "─": ("-",),
    "═": ("=",),
    "…": ("...",),
    "•": ("*",),
    "·": ("*",),
    "×": ("x",),
    "÷": ("/",),
    "±": ("+-",),
    "≈": ("~",),
    "≤": ("<=",),
    "≥": (">=",),
    "→": ("->",),
    "←": ("<-",),
    "°": (" deg",),
    "‰": ("o/oo",),
    "½": ("1/2",),
    "¼": ("1/4",),
    "¾": ("3/4",),
    "²": ("2",),
    "³": ("3",),
    "™": ("(TM)",),
    "®": ("(R)",),
    "©": ("(C)",),
    "£": ("GBP",),
    "ß": ("ss",),
    "æ": ("ae",),
    "Æ": ("AE",),
    "ø": ("o",),
    "Ø": ("O",),
    "ё": ("е",),
    "Ё": ("Е",),
    "і": ("i",),
    "І": ("I",),
    "ґ": ("г",),
    "Ґ": ("Г",),
}
"""For a sign that the code page lacks: the first substitute that it has."""

UNDEFINED, NO_SIGN = "\ufffd", "\ufffe"
_MARKS = re.compile("[\u0300-\u036f\u200d\u20d0-\u20ff\ufe00-\ufe0f]")


def clean(text: str) -> str:
    """The text without signs that print nothing: control signs become spaces, marks of direction and joining go.

    Letters are composed (``й`` is one sign), every no-break space is U+00A0, every other space is a plain one.
    """
    if text.isascii() and text.isprintable():
        return text
    text = normalize("NFC", text)
    if text.replace(NO_BREAK, " ").isprintable() and _MARKS.search(text) is None:
        return text
    return "".join(map(_cleaned, text))


def fit(page: str, text: str, place: str) -> str:
    """Clean text that the code page can print. Raises InputError naming the sign and the place."""
    if text.isprintable() and _has(page, text):  # no page has a joining mark, so this is clean already
        return text
    text = clean(text)
    if _has(page, text):
        return text
    fitted = text.translate(_table(page))
    if _has(page, fitted):
        return fitted
    return "".join(sign if _has(page, sign) else _bare(sign, page, place, text) for sign in fitted)


def fit_at_once(page: str | None, texts: Sequence[str]) -> list[str] | None:
    """All texts fitted (without a page: cleaned) in one go, for the usual receipt; None when one needs a look of its own."""
    if not texts:
        return []
    joined = SEPARATOR.join(texts)
    if page is None:
        plain = joined.replace(SEPARATOR, "").replace(NO_BREAK, "")
        is_clean = len(plain) >= len(joined) - joined.count(NO_BREAK) - len(texts) + 1 and plain.isprintable()
        return joined.split(SEPARATOR) if is_clean and is_normalized("NFC", joined) and not _MARKS.search(joined) else None
    for sign, substitute in _pairs(page)[:USUAL]:
        joined = joined.replace(sign, substitute)
    try:
        data = encoded(page, joined)
    except UnicodeEncodeError:
        for sign, substitute in _pairs(page)[USUAL:]:
            joined = joined.replace(sign, substitute)
        if not _has(page, joined):
            return None
        data = encoded(page, joined)
    other = data.translate(None, _plain(page))
    return joined.split(SEPARATOR) if len(other) == len(texts) - 1 and other.count(b"\n") == len(other) else None


def check_page(page: str) -> None:
    """Raise InputError for a code page that receipts are not made for."""
    if page not in PAGES:
        raise InputError("printer.page", f'"{page[:20]}" is not one of {", ".join(PAGES)}')


def _cleaned(sign: str) -> str:
    if sign in NO_BREAK_SPACES:
        return NO_BREAK
    kind = category(sign)
    if kind in ("Cf", "Mn", "Me", "Cs"):
        return ""
    return " " if kind[0] in "ZC" else sign


def encoded(page: str, text: str) -> bytes:
    """The text on the page. Raises UnicodeEncodeError for a sign that it lacks."""
    return codecs.charmap_encode(text, "strict", _slots(page))[0]


@lru_cache(maxsize=len(PAGES))
def _slots(page: str) -> Any:
    """From sign to byte, in the form that Python encodes fastest by; some of its own pages have a slow one."""
    signs = bytes(range(256)).decode(page, "replace").replace(UNDEFINED, NO_SIGN)
    return codecs.charmap_build(signs)


def _has(page: str, text: str) -> bool:
    try:
        encoded(page, text)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=len(PAGES))
def _plain(page: str) -> bytes:
    """The bytes of the page that are a sign to print, or a space; what is clean has no others."""
    signs = bytes(range(256)).decode(page, "replace")
    return bytes(byte for byte, sign in enumerate(signs) if sign != UNDEFINED and (sign.isprintable() or sign == NO_BREAK))


@lru_cache(maxsize=len(PAGES))
def _pairs(page: str) -> tuple[tuple[str, str], ...]:
    """What the page lacks, with its substitutes: the signs that most receipts have come first."""
    table = _table(page)
    return tuple((chr(sign), table[sign]) for sign in sorted(table, key=lambda sign: USUAL_SIGNS.find(chr(sign)) % len(table)))


@lru_cache(maxsize=len(PAGES))
def _table(page: str) -> dict[int, str]:
    """For each sign that the page lacks, the first of its substitutes that the page has."""
    lacking = {sign: substitutes for sign, substitutes in SUBSTITUTES.items() if not _has(page, sign)}
    found = {sign: next((text for text in substitutes if _has(page, text)), None) for sign, substitutes in lacking.items()}
    return {ord(sign): text for sign, text in found.items() if text is not None}


def _bare(sign: str, page: str, place: str, text: str) -> str:
    """A letter without its accents. Raises InputError for what is no such letter."""
    bare = "".join(part for part in normalize("NFD", sign) if not combining(part))
    if bare and _has(page, bare):
        return bare
    shown = text if len(text) <= SHOWN_SIGNS_MAX else text[:SHOWN_SIGNS_MAX] + "…"
    called = name(sign, f"U+{ord(sign):04X}")
    raise InputError(place, f'code page {page} has no sign "{sign}" ({called}), which stands in "{shown}", and no substitute')
