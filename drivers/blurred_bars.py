"""EAN-13 and Code 128 out of a line that is too blurred or too fine to be made black and white.

The known parts of a symbol tell where it lies; then the likeliest signs under a few blurs are asked for; then light, place and
module are fitted to them and the signs asked for again. What does not fit closely, or would fit other signs nearly as well, is
nothing: a check digit alone lets one wrong symbol of ten pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from drivers.blurs import POINTS, Blur, blurred
from drivers.likeliest import Ink, Layout, Likeliest, likeliest
from drivers.symbol_places import Candidate, candidates

if TYPE_CHECKING:
    from drivers.blurs import Line
    from drivers.patches import Pixels

SYMBOLOGIES = ("ean13", "code128")
BLURS = (
    Blur(0.6, 1.5), Blur(0.35, 1.5), Blur(0.35, 0), Blur(0.9, 0), Blur(0.35, 2.5), Blur(0.9, 1.5), Blur(1.3, 0),
    Blur(0.35, 3.5), Blur(0.9, 2.5), Blur(0.6, 4.5), Blur(0.9, 3.5),
)  # fmt: skip
BLURS_FITTED = 2
ROUNDS = 3
QUIET = 4
MISFIT_MAX = 0.05
GAIN_MIN, SHIFT_MAX = 0.1, 1.0
CLEAN_MODULE, CLEAN_QUIET, CLEAN_ROWS = 3, 12, 24
"""Pixels of a module, modules of quiet and rows of a clean picture."""


def clean_picture(line: Line, enlarged: float, quiet: float, symbologies: Sequence[str]) -> Pixels | None:
    """The symbol on the line as a printer would draw it, for a decoder that knows what its signs mean; None: there is none.

    ``enlarged``: points of the line for each pixel of the camera. ``quiet``: about so many points stand before and behind it.
    """
    import numpy as np

    for fit, layout in fits(line, enlarged, quiet, symbologies):
        if is_close(fit, layout):
            paper = np.zeros(CLEAN_QUIET, np.float32)
            row = np.concatenate([paper, layout.drawn(fit.forms), paper])
            light = (255 * (1 - np.repeat(row, CLEAN_MODULE))).astype(np.uint8)
            return np.repeat(light[None, :], CLEAN_ROWS, axis=0)
    return None


def is_close(fit: Likeliest, layout: Layout) -> bool:
    """It may be believed as one read."""
    return fit.misfit <= MISFIT_MAX and fit.margin >= layout.margin_min and layout.holds(fit.forms)


def fits(line: Line, enlarged: float, quiet: float, symbologies: Sequence[str]) -> Iterator[tuple[Likeliest, Layout]]:
    """What the line may be, most hopeful first."""
    for candidate in candidates(line, enlarged, quiet, symbologies):
        ink, place, layout = candidate
        rough = sorted(((likeliest(ink, place, layout, blur), blur) for blur in BLURS), key=lambda each: each[0].misfit)
        for first, blur in rough[:BLURS_FITTED]:
            yield _fitted(first, candidate, blur), layout


def _fitted(first: Likeliest, candidate: Candidate, blur: Blur) -> Likeliest:
    """Light, darkness and place, each as a curve over the symbol, fitted to the signs; then the signs anew."""
    best, ink = first, candidate.ink
    for _ in range(ROUNDS):
        ink = _refitted(best.forms, ink, candidate, blur)
        best = likeliest(ink, candidate.place, candidate.layout, blur)
        if is_close(best, candidate.layout):
            break
    return best


def _refitted(forms: list[int], ink: Ink, candidate: Candidate, blur: Blur) -> Ink:
    import numpy as np

    (start, module), layout = candidate.place, candidate.layout
    paper = np.zeros(QUIET, np.float32)
    shown = blurred(np.concatenate([paper, layout.drawn(forms), paper]), blur)
    at = (np.arange(shown.size) + 0.5) / POINTS - QUIET
    across = at / layout.modules * 2 - 1
    slope = np.gradient(shown) * POINTS
    curves = np.array([across**0, across, across**2])
    parts = np.concatenate([curves, curves * shown, curves * slope]).T
    light, dark, shift = np.linalg.lstsq(parts, ink(start + at * module), rcond=None)[0].reshape(3, 3)

    def fitted(places: Line) -> Line:
        x = np.clip((places - start) / module / layout.modules * 2 - 1, -1.2, 1.2)
        curve = np.array([x**0, x, x**2])
        gain = np.maximum(dark @ curve, GAIN_MIN)
        moved = np.clip(shift @ curve / gain, -SHIFT_MAX, SHIFT_MAX)
        seen: Line = (ink(places - moved * module) - light @ curve) / gain
        return seen

    return fitted
