"""Code 128 as its signs: 11 modules each, a start sign, a check sign, and a stop of 13. **Source:** ISO/IEC 15417."""

from __future__ import annotations

from functools import cache

from drivers.likeliest import Cell, Layout

WIDTHS = (  # noqa: SIM905 — one text reads better than a hundred
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 "
    "123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 "
    "131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 "
    "213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 "
    "141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 "
    "124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 "
    "411131 211412 211214 211232"
).split()
"""Bar, space, bar … in modules, by the value of the sign."""
STOP = "2331112"
STARTS = (103, 104, 105)
CHECK_MODULUS = 103
MARGIN_MIN = 0.01
SIGN_MODULES, STOP_MODULES = 11, 13


def modules(widths: str) -> str:
    """Bar, space, bar … as modules: "1" for a bar, "0" for a space."""
    return "".join("10"[place % 2] * int(width) for place, width in enumerate(widths))


START_CELL = Cell(tuple(modules(WIDTHS[start]) for start in STARTS))
SIGN_CELL = Cell(tuple(modules(widths) for widths in WIDTHS[: STARTS[0]]))
STOP_CELL = Cell((modules(STOP),), is_last=True)


@cache
def layout(signs: int) -> Layout:
    """The symbol of so many signs before the stop: the start, the data, the check."""
    return Layout((START_CELL, *[SIGN_CELL] * (signs - 1), STOP_CELL), check_holds, MARGIN_MIN)


def check_holds(forms: list[int]) -> bool:
    """The sign before the stop is the check of those before it."""
    start, *others, check, _ = forms
    return (STARTS[start] + sum(place * sign for place, sign in enumerate(others, 1))) % CHECK_MODULUS == check
