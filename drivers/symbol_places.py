"""Where a symbol may lie on a line across it: by its edges, and by its start and stop, whose blurred shape is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers import code128, ean13
from drivers.blurs import Blur, blurred
from drivers.likeliest import Ink, Layout, Place, misfits

if TYPE_CHECKING:
    from drivers.blurs import Line

WIDTH_MIN = 60
MODULE_MIN = 0.75
"""Pixels of the camera's picture; below it there is too little to see."""
EDGE_SHARE = 0.35
"""Of the darkest ink: the first and last such place are the edges."""
PAPER_SHARE = 0.14
PAPER_REACH = 0.02, 0.08
"""Shares of the symbol's width, outward from its edges, where the paper's light is measured."""
SIGNS_MIN, SIGNS_MAX = 4, 26
"""Of a Code 128 before its stop: start, data, check."""
SHAPE_BLURS = (Blur(0.6, 0), Blur(0.8, 2.5))
SHAPE_QUIET, SHAPE_POINTS, SHAPE_REACH, SHAPE_STEP = 4, 2, 4.0, 0.5
"""Modules of quiet beside a start or stop, points of a module, and how far and finely they are looked for about the edges."""
ENDS_MIN = 1.7
"""Correlation of the start and of the stop with their shapes, added."""
EDGE_SHIFTS = (0.0, -0.6, 0.6)
"""Modules by which the edges of an EAN-13 may be off; guards are too fine to be found by their shape."""
EAN13_MISFIT_MAX = 0.5
ROUGH_BLUR = Blur(0.6, 1.5)
CANDIDATES_MAX = 2
"""Of each symbology."""
UNKNOWN = 9
"""Modules beside a shape of which it is only known that bars and spaces go on there."""


class Candidate(NamedTuple):
    """A symbol that may lie there."""

    ink: Ink
    place: Place
    layout: Layout


def candidates(line: Line, enlarged: float, quiet: float, symbologies: Sequence[str]) -> list[Candidate]:
    """What may lie on the line, either way round. ``quiet``: about so many points stand before and behind it."""
    left, right = _edges(line, quiet)
    least = enlarged * MODULE_MIN
    if right - left < WIDTH_MIN:
        return []
    flat = _flat(line, left, right)
    scored: dict[str, list[tuple[float, Candidate]]] = {"code128": [], "ean13": []}
    for row, near, far in ((flat, left, right), (flat[::-1], line.size - right, line.size - left)):
        ink = _ink_of(row)
        if "code128" in symbologies:
            scored["code128"] += _code128(ink, near, far, least)
        if "ean13" in symbologies and right - left >= least * ean13.LAYOUT.modules:
            scored["ean13"] += _ean13(ink, near, far)
    best = (sorted(some, key=lambda each: -each[0])[:CANDIDATES_MAX] for some in scored.values())
    return [candidate for some in best for _, candidate in some]


def _edges(line: Line, quiet: float) -> tuple[float, float]:
    """The first and last dark places; the quiet about the symbol may end at a card's edge, which is fainter than bars."""
    import cv2
    import numpy as np

    row = line.reshape(1, -1).astype(np.float32)
    reach = max(3, int(PAPER_SHARE * line.size)) | 1
    paper = cv2.blur(cv2.dilate(row, np.ones((1, reach), np.uint8)), (reach, 1))
    ink = cv2.blur(1 - row / np.maximum(paper, 1), (3, 1)).ravel()
    begin, end = int(0.6 * quiet), int(line.size - 0.6 * quiet)
    if end - begin < WIDTH_MIN:
        return 0.0, 0.0
    dark = np.flatnonzero(ink[begin:end] > EDGE_SHARE * np.percentile(ink[begin:end], 90)) + begin
    return (float(dark[0]), float(dark[-1] + 1)) if dark.size else (0.0, 0.0)


def _flat(line: Line, left: float, right: float) -> Line:
    """Ink over paper whose light is measured on both sides; bars are about half of any symbol, which tells their darkness."""
    import numpy as np

    near, far = (share * (right - left) for share in PAPER_REACH)
    before = line[max(0, int(left - far)) : max(1, int(left - near))]
    behind = line[min(line.size - 1, int(right + near)) : int(right + far) + 1]
    paper = np.interp(np.arange(line.size), [left, right], [np.median(before), np.median(behind)])
    ink: Line = 1 - line / np.maximum(paper, 1)
    ink /= max(2 * float(ink[int(left) : int(right)].mean()), 0.02)
    return ink


def _ink_of(row: Line) -> Ink:
    import numpy as np

    at = np.arange(row.size) + 0.5
    return lambda places: np.interp(places, at, row)


def _code128(ink: Ink, left: float, right: float, module_min: float) -> Iterator[tuple[float, Candidate]]:
    """For each number of signs, where start and stop fit best."""
    import numpy as np

    counts = np.arange(SIGNS_MIN, SIGNS_MAX + 1)
    widths = code128.SIGN_MODULES * counts + code128.STOP_MODULES
    is_seen = (right - left) / widths >= module_min
    counts, widths = counts[is_seen], widths[is_seen]
    modules = (right - left) / widths
    starts, stops = _ends()
    shifts = _shifts()
    start_scores = _scores(ink, left + shifts * modules[:, None], modules, -SHAPE_QUIET, starts)
    stop_scores = _scores(ink, right + shifts * modules[:, None], modules, -code128.STOP_MODULES - 1, stops)
    for row, count in enumerate(counts):
        score = float(start_scores[row].max() + stop_scores[row].max())
        begin = left + shifts[start_scores[row].argmax()] * modules[row]
        end = right + shifts[stop_scores[row].argmax()] * modules[row]
        if score >= ENDS_MIN:
            place = Place(float(begin), float((end - begin) / widths[row]))
            yield score, Candidate(ink, place, code128.layout(int(count)))


def _ean13(ink: Ink, left: float, right: float) -> Iterator[tuple[float, Candidate]]:
    """Edges about the ones seen between which an EAN-13 fits roughly."""
    total = ean13.LAYOUT.modules
    module = (right - left) / total
    places = [Place(left + near * module, module * (1 + (far - near) / total)) for near, far in product(EDGE_SHIFTS, EDGE_SHIFTS)]
    for place, misfit in zip(places, misfits(ink, places, ean13.LAYOUT, ROUGH_BLUR), strict=True):
        if misfit <= EAN13_MISFIT_MAX:
            yield -float(misfit), Candidate(ink, place, ean13.LAYOUT)


def _shifts() -> Line:
    import numpy as np

    return np.arange(-SHAPE_REACH, SHAPE_REACH + SHAPE_STEP / 2, SHAPE_STEP)


def _scores(ink: Ink, begins: Any, modules: Line, first: int, shapes: Any) -> Any:
    """Correlation with the best of the shapes, which begin ``first`` modules from each of ``begins``: a row for each module."""
    import numpy as np

    at = (np.arange(shapes.shape[1]) + 0.5) / SHAPE_POINTS + first
    places = begins[:, :, None] + at * modules[:, None, None]
    shown = ink(places.ravel()).reshape(places.shape)
    shown = shown - shown.mean(axis=2, keepdims=True)
    shown /= np.linalg.norm(shown, axis=2, keepdims=True) + 1e-3
    return (shown @ shapes.T).max(axis=2)


@cache
def _ends() -> tuple[Any, Any]:
    """The starts and the stop of a Code 128."""
    quiet = "0" * SHAPE_QUIET
    starts = [quiet + form + "1" for form in code128.START_CELL.forms]
    return _shapes(starts, "0", "01"), _shapes(["0" + code128.STOP_CELL.forms[0] + quiet], "10", "0")


def _shapes(shapes: Sequence[str], before: str, behind: str) -> Any:
    """Each under each blur, of mean 0 and length 1. ``before`` and ``behind`` go on beside it, half seen."""
    import numpy as np

    known = []
    for shape, blur in product(shapes, SHAPE_BLURS):
        about = (before * UNKNOWN)[-UNKNOWN:] + shape + (behind * UNKNOWN)[:UNKNOWN]
        shown = blurred(np.array([float(module) for module in about]), blur, SHAPE_POINTS)
        part = shown[UNKNOWN * SHAPE_POINTS : -UNKNOWN * SHAPE_POINTS]
        part = part - part.mean()
        known.append(part / np.linalg.norm(part))
    return np.array(known)
