"""Code 128 as its signs: 11 modules each, a start sign, a check sign, and a stop of 13. **Source:** ISO/IEC 15417."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.patches import Pixels

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
SIGN_MODULES, STOP_MODULES = 11, 13
CHECK_MODULUS = 103
CLEAN_MODULE, CLEAN_QUIET, CLEAN_ROWS = 3, 12, 24
"""Pixels of a module, modules of quiet and rows of a clean picture."""


@cache
def sign_modules() -> Any:
    """A row of 11 modules for each sign but the stop; 1 is a bar."""
    import numpy as np

    return np.array([_modules(widths) for widths in WIDTHS], np.float32)


@cache
def stop_modules() -> Any:
    """The 13 modules of the stop."""
    import numpy as np

    return np.array(_modules(STOP), np.float32)


def modules_of(signs: Sequence[int]) -> Any:
    """All modules of a symbol, the stop included."""
    import numpy as np

    return np.concatenate([*sign_modules()[list(signs)], stop_modules()])


def check_holds(signs: Sequence[int]) -> bool:
    """The last sign is the check of those before it."""
    start, *others, check = signs
    return start in STARTS and (start + sum(place * sign for place, sign in enumerate(others, 1))) % CHECK_MODULUS == check


def clean_picture(signs: Sequence[int]) -> Pixels:
    """The symbol as a printer would draw it, for a decoder that knows what the signs mean."""
    import numpy as np

    quiet = np.zeros(CLEAN_QUIET, np.float32)
    row = np.concatenate([quiet, modules_of(signs), quiet])
    light = (255 * (1 - np.repeat(row, CLEAN_MODULE))).astype(np.uint8)
    return np.repeat(light[None, :], CLEAN_ROWS, axis=0)


def _modules(widths: str) -> list[int]:
    return [1 - place % 2 for place, width in enumerate(widths) for _ in range(int(width))]
