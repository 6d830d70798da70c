"""The likeliest signs of bars under a known blur: every sequence of signs is compared with the line, by Viterbi's way.

A decoder that makes a line black and white first loses bars that are finer than the blur; their sum over a sign is still there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.blurs import POINTS, Blur, spread

if TYPE_CHECKING:
    from drivers.blurs import Line

LAG_MAX = 3.5
"""Modules. Cells are twice as wide, so that a blur reaches into a cell's window from the cell before and from no other."""
TAIL = 4
"""Modules of quiet behind the last cell that are compared too."""

Ink = Callable[["Line"], "Line"]
"""How dark a line is at places of it: 0 is the paper, 1 a wide bar."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A stretch of a symbol and the forms that it may have, all equally wide: modules as "1" for a bar and "0"."""

    forms: tuple[str, ...]
    is_last: bool = False

    @property
    def width(self) -> int:
        """In modules."""
        return len(self.forms[0])


class Layout(NamedTuple):
    """The cells of a symbol in order, and whether the forms of all cells, by number, make a valid one.

    ``margin_min``: how much farther the next best forms must be; the weaker the symbol's own check, the more.
    """

    cells: tuple[Cell, ...]
    holds: Callable[[list[int]], bool]
    margin_min: float

    @property
    def modules(self) -> int:
        """From the first bar to the last."""
        return sum(cell.width for cell in self.cells)

    def drawn(self, forms: list[int]) -> Line:
        """All modules of the symbol; 1 is a bar."""
        import numpy as np

        text = "".join(cell.forms[form] for cell, form in zip(self.cells, forms, strict=True))
        return np.array([float(module) for module in text], np.float32)


class Place(NamedTuple):
    """Where a symbol begins on a line, and how wide a module is."""

    start: float
    module: float


class Likeliest(NamedTuple):
    """The form of each cell, and how far the line is from what they would show, as a share of the line's own variance."""

    forms: list[int]
    misfit: float
    margin: float
    """How much farther the next best forms are, by the same measure."""


class _Tables(NamedTuple):
    """What a cell's window shows, form by form. A window begins ``lag`` points before its cell: ``own`` is the cell's part in it,
    ``before`` that of the cell before, ``crossed`` twice the products of a form (row) with a form before it."""

    own: Any
    own_power: Any
    before: Any
    before_power: Any
    crossed: Any


def likeliest(ink: Ink, place: Place, layout: Layout, blur: Blur) -> Likeliest:
    """The forms nearest to the line."""
    import numpy as np

    lag = _lag(blur)
    at = (np.arange((layout.modules + TAIL) * POINTS) - lag + 0.5) / POINTS
    line = ink(place.start + at * place.module).astype(np.float32)
    cost, forward, back, steps = np.zeros(1, np.float32), [], [], []
    begin, cell_before = 0, None
    for cell in layout.cells:
        known = _tables(cell_before, cell, blur)
        window = line[begin : begin + known.own.shape[1]]
        own = known.own_power - 2 * (known.own @ window) + window @ window
        before = known.before_power - 2 * (known.before @ window)
        ways = known.crossed + (cost + before)
        best = ways.argmin(axis=1)
        cost = ways[np.arange(best.size), best] + own
        back.append(best)
        forward.append(cost)
        steps.append((known.crossed, own, before))
        begin, cell_before = begin + window.size, cell
    forms = [int(cost.argmin())]
    for best in back[:0:-1]:
        forms.append(int(best[forms[-1]]))
    forms.reverse()
    least, scale = float(cost.min()), float(line.var()) * line.size + 1e-9
    return Likeliest(forms, least / scale, (_next_best(forward, steps, forms) - least) / scale)


def misfits(ink: Ink, places: Sequence[Place], layout: Layout, blur: Blur) -> Line:
    """The least misfit at each of many places, in one go: for small cells."""
    import numpy as np

    at = (np.arange((layout.modules + TAIL) * POINTS) - _lag(blur) + 0.5) / POINTS
    where = np.array([place.start + at * place.module for place in places])
    lines = ink(where.ravel()).reshape(where.shape).astype(np.float32)
    cost, begin, cell_before = np.zeros((len(places), 1), np.float32), 0, None
    for cell in layout.cells:
        known = _tables(cell_before, cell, blur)
        windows = lines[:, begin : begin + known.own.shape[1]]
        own = known.own_power - 2 * (windows @ known.own.T) + (windows**2).sum(axis=1, keepdims=True)
        before = known.before_power - 2 * (windows @ known.before.T)
        cost = (known.crossed + (cost + before)[:, None, :]).min(axis=2) + own
        begin, cell_before = begin + known.own.shape[1], cell
    least: Line = cost.min(axis=1) / (lines.var(axis=1) * at.size + 1e-9)
    return least


def _next_best(forward: list[Any], steps: list[tuple[Any, Any, Any]], forms: list[int]) -> float:
    """The least cost of any sequence that has another form at some place."""
    import numpy as np

    behind, least = np.zeros(forward[-1].size, np.float32), np.inf
    for number in range(len(forms) - 1, -1, -1):
        through = forward[number] + behind
        through[forms[number]] = np.inf
        least = min(least, float(through.min()))
        crossed, own, before = steps[number]
        behind = (crossed + (own + behind)[:, None]).min(axis=0) + before
    return least


def _lag(blur: Blur) -> int:
    return round(min(LAG_MAX, 1.5 * blur.bell + blur.stroke / 2) * POINTS)


@cache
def _tables(before: Cell | None, cell: Cell, blur: Blur) -> _Tables:
    import numpy as np

    lag = _lag(blur)
    count = (cell.width + (TAIL if cell.is_last else 0)) * POINTS
    own = _matrix(cell) @ spread(cell.width, -lag, count, blur)
    reached = (
        np.zeros((1, count))
        if before is None
        else _matrix(before) @ spread(before.width, before.width * POINTS - lag, count, blur)
    )
    known = (own, (own**2).sum(axis=1), reached, (reached**2).sum(axis=1), 2 * own @ reached.T)
    return _Tables(*(each.astype(np.float32) for each in known))


def _matrix(cell: Cell) -> Any:
    import numpy as np

    return np.array([[float(module) for module in form] for form in cell.forms])
