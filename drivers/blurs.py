"""What a blur makes of bars: a lens's bell and a hand's even stroke, in modules of the symbol."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Line = NDArray[Any]

POINTS = 3
"""Points of a line that are compared for each module."""
FINE = 12
"""Points for each module in which a blur is computed."""
REACH = 40
"""Modules on either side of one over which its blur is kept: more than a sign and its neighbour."""


class Blur(NamedTuple):
    """The width of a bell (its sigma) and of a stroke, in modules."""

    bell: float
    stroke: float


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


def blurred(modules: Line, blur: Blur, points: int = POINTS) -> Line:
    """These modules under the blur, so many points a module."""
    import numpy as np

    weights = kernel(blur)
    fine = np.convolve(np.repeat(modules, FINE), weights, "full")
    start = weights.size // 2
    shown: Line = fine[start : start + modules.size * FINE].reshape(-1, FINE // points).mean(axis=1)
    return shown


@cache
def one_module(blur: Blur) -> Line:
    """A single bar of one module, with REACH modules of paper on either side."""
    import numpy as np

    modules = np.zeros(2 * REACH + 1)
    modules[REACH] = 1
    return blurred(modules, blur)


def spread(width: int, first: int, count: int, blur: Blur) -> Any:
    """What each of ``width`` modules shows at ``count`` points, of which the first is told from the first module's begin."""
    import numpy as np

    bar, centre = one_module(blur), REACH * POINTS + first
    return np.array([bar[centre - each * POINTS : centre - each * POINTS + count] for each in range(width)])
