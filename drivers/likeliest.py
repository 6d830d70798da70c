"""The likeliest signs of a Code 128 under a known blur: every sequence of signs is compared with the line, by Viterbi's way.

A decoder that makes a line black and white first loses bars that are finer than the blur; their sum over a sign is still there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.blurs import POINTS, TAIL, Blur, SignTables, tables
from drivers.code128 import SIGN_MODULES, STARTS, STOP_MODULES

if TYPE_CHECKING:
    from drivers.blurs import Line

Ink = Callable[["Line"], "Line"]
"""How dark a line is at places of it: 0 is the paper, 1 a wide bar."""


class Place(NamedTuple):
    """Where a symbol begins on a line, how wide a module is, and how many signs stand before the stop."""

    start: float
    module: float
    signs: int

    @property
    def modules(self) -> int:
        """Modules from the first bar to the last."""
        return SIGN_MODULES * self.signs + STOP_MODULES


class Likeliest(NamedTuple):
    """The signs, and how far the line is from what they would show, as a share of the line's own variance."""

    signs: list[int]
    misfit: float
    margin: float
    """How much farther the next best signs are, by the same measure."""


def likeliest(ink: Ink, place: Place, blur: Blur) -> Likeliest:
    """The signs nearest to the line; the first is a start sign, and no other is."""
    import numpy as np

    known = tables(blur)
    width = SIGN_MODULES * POINTS
    at = (np.arange((place.modules + TAIL) * POINTS) - known.lag + 0.5) / POINTS
    line = ink(place.start + at * place.module).astype(np.float32)
    windows = line[: place.signs * width].reshape(place.signs, width)
    cost = np.full(known.own.shape[0], np.inf, np.float32)
    for sign in STARTS:
        cost[sign] = ((windows[0] - known.own[sign]) ** 2).sum()
    owns = known.own_power[:, None] - 2 * (known.own @ windows.T) + (windows**2).sum(axis=1)
    befores = known.before_power[:, None] - 2 * (known.before @ windows.T)
    forward, back, every = [cost], [], np.arange(cost.size)
    for number in range(1, place.signs):
        ways = known.crossed + (cost + befores[:, number])
        best = ways.argmin(axis=1)
        cost = ways[every, best] + owns[:, number]
        back.append(best)
        forward.append(cost)
    end = ((line[place.signs * width :] - known.stop - known.before_stop) ** 2).sum(axis=1)
    whole = cost + end
    signs = [int(whole.argmin())]
    for best in reversed(back):
        signs.append(int(best[signs[-1]]))
    signs.reverse()
    least, scale = float(whole.min()), float(line.var()) * line.size + 1e-9
    return Likeliest(signs, least / scale, (_next_best(known, forward, owns, befores, end, signs) - least) / scale)


def _next_best(known: SignTables, forward: list[Any], owns: Any, befores: Any, end: Any, signs: list[int]) -> float:
    """The least cost of any sequence that has another sign at some place."""
    import numpy as np

    behind, least = end, np.inf
    for number in range(len(signs) - 1, -1, -1):
        through = forward[number] + behind
        through[signs[number]] = np.inf
        least = min(least, float(through.min()))
        if number:
            ways = known.crossed + (owns[:, number] + behind)[:, None]
            behind = ways.min(axis=0) + befores[:, number]
    return least
