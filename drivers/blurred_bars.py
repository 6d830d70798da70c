"""Code 128 out of a line that is too blurred or too fine to be made black and white.

Start and stop are found by their shape, which tells the module and how many signs there are; then the likeliest signs under a
few blurs; then light, place and module are fitted to them and the signs asked for again. What does not fit closely, or would
fit other signs nearly as well, is nothing: the check sign alone lets one wrong symbol of a hundred pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers.blurs import FINE, POINTS, Blur, blurred, kernel
from drivers.code128 import SIGN_MODULES, STARTS, STOP_MODULES, check_holds, modules_of, sign_modules, stop_modules
from drivers.likeliest import Ink, Likeliest, Place, likeliest

if TYPE_CHECKING:
    from drivers.blurs import Line

SIGNS_MIN, SIGNS_MAX = 4, 26
"""Before the stop: start, data, check."""
MODULE_MIN = 0.75
"""Pixels of the camera's picture; below it there is too little to see."""
WIDTH_MIN = 60
END_BLURS = (Blur(0.6, 0), Blur(0.8, 2.5))
END_QUIET, END_POINTS, END_REACH, END_STEP = 4, 2, 4.0, 0.5
"""Modules of quiet beside a start or stop, points of a module, and how far and finely they are looked for about the edges."""
ENDS_MIN = 1.7
"""Correlation of the start and of the stop with their shapes, added."""
PLACES_TRIED = 2
BLURS = (
    Blur(0.6, 1.5), Blur(0.35, 1.5), Blur(0.35, 0), Blur(0.9, 0), Blur(0.35, 2.5), Blur(0.9, 1.5), Blur(1.3, 0),
    Blur(0.35, 3.5), Blur(0.9, 2.5), Blur(0.6, 4.5), Blur(0.9, 3.5),
)  # fmt: skip
BLURS_FITTED = 2
ROUNDS = 3
FIT_QUIET = 4
MISFIT_MAX = 0.05
MARGIN_MIN = 0.005
EDGE_SHARE = 0.35
"""Of the darkest ink: the first and last such place are the edges."""
PAPER_SHARE = 0.14
PAPER_REACH = 0.02, 0.08
"""Shares of the symbol's width, outward from its edges, where the paper's light is measured."""
GAIN_MIN, SHIFT_MAX = 0.1, 1.0


def signs_of(line: Line, enlarged: float, quiet: float) -> list[int] | None:
    """The signs of the Code 128 on a line, or None. ``quiet``: about so many points stand before and behind it."""
    found = next((fit for fit in fits(line, enlarged, quiet) if is_close(fit)), None)
    return None if found is None else found.signs


def is_close(fit: Likeliest) -> bool:
    """It may be believed as one read."""
    return fit.misfit <= MISFIT_MAX and fit.margin >= MARGIN_MIN and check_holds(fit.signs)


def fits(line: Line, enlarged: float, quiet: float) -> Iterator[Likeliest]:
    """What the line may be, most hopeful first."""
    left, right = _edges(line, quiet)
    if right - left < max(WIDTH_MIN, enlarged * MODULE_MIN * SIGN_MODULES * (SIGNS_MIN + 1)):
        return
    flat = _flat(line, left, right)
    ways = []
    for row, near, far in ((flat, left, right), (flat[::-1], line.size - right, line.size - left)):
        ink = _ink_of(row)
        ways += [(score, ink, place) for score, place in _places(ink, near, far, enlarged * MODULE_MIN)]
    ways.sort(key=lambda way: -way[0])
    for score, ink, place in ways[:PLACES_TRIED]:
        if score < ENDS_MIN:
            return
        rough = sorted(((likeliest(ink, place, blur), blur) for blur in BLURS), key=lambda each: each[0].misfit)
        for first, blur in rough[:BLURS_FITTED]:
            yield _fitted(first, ink, place, blur)


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


class _Ends(NamedTuple):
    starts: Any
    stops: Any


@cache
def _ends() -> _Ends:
    """Starts and stops as they look under two blurs, of mean 0 and length 1."""
    import numpy as np

    starts = [_end_shape([0] * END_QUIET, [*sign_modules()[start], 1], blur) for blur in END_BLURS for start in STARTS]
    stops = [_end_shape([0], [*stop_modules(), *[0] * END_QUIET], blur) for blur in END_BLURS]
    return _Ends(np.array(starts), np.array(stops))


def _end_shape(before: list[int], modules: list[int], blur: Blur) -> Line:
    import numpy as np

    shown = [*before, *modules]
    about = np.array([before[0]] * 9 + shown + [modules[-1]] * 9, np.float32)
    if before[0] == 0 and len(before) == 1:
        about[:9] = [1, 0, 1, 0, 1, 0, 1, 0, 1]
    else:
        about[-9:] = [0, 1, 0, 1, 0, 1, 0, 1, 0]
    weights = kernel(blur)
    fine = np.convolve(np.repeat(about, FINE), weights, "same").reshape(-1, FINE // END_POINTS).mean(axis=1)
    shape: Line = fine[9 * END_POINTS : -9 * END_POINTS]
    shape = shape - shape.mean()
    shape /= np.linalg.norm(shape)
    return shape


def _places(ink: Ink, left: float, right: float, module_min: float) -> list[tuple[float, Place]]:
    """For each number of signs, where start and stop fit best, and how well."""
    import numpy as np

    counts = np.arange(SIGNS_MIN, SIGNS_MAX + 1)
    modules = (right - left) / (SIGN_MODULES * counts + STOP_MODULES)
    counts, modules = counts[modules >= module_min], modules[modules >= module_min]
    shifts = np.arange(-END_REACH, END_REACH + END_STEP / 2, END_STEP)
    ends = _ends()
    start_scores = _scores(ink, left, modules, shifts, -END_QUIET, ends.starts)
    stop_scores = _scores(ink, right, modules, shifts, -STOP_MODULES - 1, ends.stops)
    found = []
    for number, (count, module) in enumerate(zip(counts, modules, strict=True)):
        starts, stops = start_scores[number], stop_scores[number]
        begin, end = left + shifts[starts.argmax()] * module, right + shifts[stops.argmax()] * module
        place = Place(float(begin), float((end - begin) / (SIGN_MODULES * count + STOP_MODULES)), int(count))
        found.append((float(starts.max() + stops.max()), place))
    return found


def _scores(ink: Ink, edge: float, modules: Line, shifts: Line, first: int, shapes: Any) -> Any:
    """Correlation with the best of the shapes, by number of signs and shift."""
    import numpy as np

    at = (np.arange(shapes.shape[1]) + 0.5) / END_POINTS + first
    places = edge + (shifts[None, :, None] + at[None, None, :]) * modules[:, None, None]
    shown = ink(places.ravel()).reshape(places.shape)
    shown = shown - shown.mean(axis=2, keepdims=True)
    shown /= np.linalg.norm(shown, axis=2, keepdims=True) + 1e-3
    return (shown @ shapes.T).max(axis=2)


def _fitted(first: Likeliest, ink: Ink, place: Place, blur: Blur) -> Likeliest:
    """Light, darkness and place, each as a curve over the symbol, fitted to the signs; then the signs anew, until they stay."""
    best = first
    for _ in range(ROUNDS):
        ink = _refitted(best.signs, ink, place, blur)
        best = likeliest(ink, place, blur)
        if is_close(best):
            break
    return best


def _refitted(signs: list[int], ink: Ink, place: Place, blur: Blur) -> Ink:
    import numpy as np

    quiet = np.zeros(FIT_QUIET, np.float32)
    shown = blurred(np.concatenate([quiet, modules_of(signs), quiet]), blur)
    at = (np.arange(shown.size) + 0.5) / POINTS - FIT_QUIET
    across = at / place.modules * 2 - 1
    slope = np.gradient(shown) * POINTS
    curves = np.array([across**0, across, across**2])
    parts = np.concatenate([curves, curves * shown, curves * slope]).T
    light, dark, shift = np.linalg.lstsq(parts, ink(place.start + at * place.module), rcond=None)[0].reshape(3, 3)

    def fitted(places: Line) -> Line:
        x = np.clip((places - place.start) / place.module / place.modules * 2 - 1, -1.2, 1.2)
        curve = np.array([x**0, x, x**2])
        gain = np.maximum(dark @ curve, GAIN_MIN)
        moved = np.clip(shift @ curve / gain, -SHIFT_MAX, SHIFT_MAX)
        fitted_ink: Line = (ink(places - moved * place.module) - light @ curve) / gain
        return fitted_ink

    return fitted
