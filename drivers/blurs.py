"""What a blur makes of bars: a lens's bell and a hand's even stroke, in modules of the symbol."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.code128 import SIGN_MODULES, STARTS, STOP_MODULES, sign_modules, stop_modules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Line = NDArray[Any]

POINTS = 3
"""Points of a line that are compared for each module."""
FINE = 12
"""Points for each module in which a blur is computed."""
LAG_MAX = 5.5
TAIL = 4
"""Modules of quiet behind the stop that are compared too."""


class Blur(NamedTuple):
    """The width of a bell (its sigma) and of a stroke, in modules."""

    bell: float
    stroke: float


class SignTables(NamedTuple):
    """What the points of one sign's window show, sign by sign: a window begins ``lag`` points before its sign, so that a blur
    reaches into it from this sign (``own``) and from the one before (``before``), and from no other.

    No sign but the first is a start: their power as others is without end.
    """

    lag: int
    own: Any
    before: Any
    own_power: Any
    before_power: Any
    crossed: Any
    """Twice the products of each sign with each sign before it: a row for each sign."""
    stop: Any
    before_stop: Any


@cache
def kernel(blur: Blur) -> Line:
    """The blur as weights, FINE a module, of sum 1."""
    import numpy as np

    half = int(np.ceil((3 * blur.bell + blur.stroke / 2) * FINE)) + 1
    at = np.arange(-half, half + 1) / FINE
    weights: Line = np.exp(-0.5 * (at / blur.bell) ** 2)
    if blur.stroke:
        stroke = np.clip((blur.stroke / 2 - np.abs(at)) * FINE + 0.5, 0, 1)
        weights = np.convolve(weights, stroke, "same")
    weights /= weights.sum()
    return weights


def blurred(modules: Line, blur: Blur) -> Line:
    """These modules under the blur, POINTS a module."""
    import numpy as np

    weights = kernel(blur)
    fine = np.convolve(np.repeat(modules, FINE), weights, "full")
    start = weights.size // 2
    shown: Line = fine[start : start + modules.size * FINE].reshape(-1, FINE // POINTS).mean(axis=1)
    return shown


@cache
def tables(blur: Blur) -> SignTables:
    """The tables of one blur; a few kilobytes, kept."""
    import numpy as np

    around = np.zeros((SIGN_MODULES, 3 * SIGN_MODULES), np.float32)
    around[:, SIGN_MODULES : 2 * SIGN_MODULES] = np.eye(SIGN_MODULES)
    spread = np.array([blurred(row, blur) for row in around])
    width = SIGN_MODULES * POINTS
    lag = round(min(LAG_MAX, 1.5 * blur.bell + blur.stroke / 2) * POINTS)
    own = sign_modules() @ spread[:, width - lag : 2 * width - lag]
    before = sign_modules() @ spread[:, 2 * width - lag : 3 * width - lag]
    quiet = np.zeros(SIGN_MODULES, np.float32)
    stop = blurred(np.concatenate([quiet, stop_modules(), quiet]), blur)[width - lag :][: (STOP_MODULES + TAIL) * POINTS]
    before_stop = np.zeros((own.shape[0], stop.size), np.float32)
    before_stop[:, :width] = before
    own_power = (own**2).sum(1)
    own_power[list(STARTS)] = np.inf
    known = (own, before, own_power, (before**2).sum(1), 2 * own @ before.T, stop, before_stop)
    return SignTables(lag, *(each.astype(np.float32) for each in known))
