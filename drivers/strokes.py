"""One line across upright bars: rows averaged along the bars, the blur taken back, the contrast made even.

Averaging rows lowers noise by about the square root of their number and leaves the edges sharp; no filter of a picture does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.patches import Pixels

BANDS = 4
SHIFT_MAX = 10
"""Pixels that the bars may wander from one band of rows to the next."""
ROWS = 24
"""A line is repeated so often, because decoders want to see it more than once."""
BLURS = ((0.7, 0.05), (1.4, 0.05), (1.0, 0.01), (2.0, 0.01), (2.6, 0.004))
"""Blurs that are taken back, mildest first: widths of a bell in pixels of the camera's picture, and the noise as a share of the
signal's power; the larger it is, the less is taken back."""
FINER = 2
"""Lines have so many times the points that their patch is wide: bars of a pixel need room before they are black and white."""
EVEN_SHARE = 0.14
"""Contrast is made even over such a share of the line: about a dozen modules of an EAN-13."""


def straightened(bars: Pixels) -> Pixels:
    """The patch with its bars exactly vertical: what a tilt that is left shifts from band to band is sheared back."""
    import cv2
    import numpy as np

    height, width = bars.shape
    if height < 2 * BANDS:
        return bars
    bands = np.array_split(bars, BANDS)
    lines = [np.diff(cv2.blur(band, (3, 1)).mean(axis=0)) for band in bands]
    slope = sum(_shift(above, below) for above, below in pairwise(lines)) / (height * (BANDS - 1) / BANDS)
    if abs(slope) * height < 1:
        return bars
    shear = np.array([[1.0, slope, -slope * height / 2], [0.0, 1.0, 0.0]])
    return cv2.warpAffine(
        bars, shear, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def lines_of(bars: Pixels, enlarged: float) -> Iterator[tuple[str, Pixels]]:
    """Small pictures of one line each, with names, most hopeful first. ``enlarged``: how much larger the patch is than it was."""
    import numpy as np

    height = bars.shape[0]
    whole = bars.mean(axis=0, dtype=np.float32)
    yield "averaged", _picture(_even(whole))
    fine, enlarged = _finer(whole), FINER * enlarged
    for blur, noise in BLURS:
        yield f"sharp {blur}", _picture(_even(_unblurred(fine, blur * enlarged, noise)))
    blur, noise = BLURS[0]
    for name, start in (("upper", 0), ("middle", height // 3), ("lower", 2 * height // 3)):
        part = bars[start : start + max(2, height // 3)].mean(axis=0, dtype=np.float32)
        yield name, _picture(_even(part))
        yield f"{name} sharp", _picture(_even(_unblurred(_finer(part), blur * enlarged, noise)))


def thirds_of(bars: Pixels) -> Iterator[tuple[str, Pixels]]:
    """All rows, then thirds of them that overlap none of the edges: bars that fan out are straight in a third."""
    height = bars.shape[0]
    yield "all", bars
    for name, start in (("middle", 0.35), ("upper", 0.1), ("lower", 0.6)):
        top = int(start * height)
        yield name, bars[top : top + max(1, int(0.3 * height))]


def _shift(above: Any, below: Any) -> int:
    import numpy as np

    middle = above[SHIFT_MAX:-SHIFT_MAX]
    if middle.size < SHIFT_MAX:
        return 0
    return int(np.argmax(np.correlate(below, middle, "valid"))) - SHIFT_MAX


def _finer(line: Any) -> Any:
    import cv2

    return cv2.resize(line.reshape(1, -1), None, fx=FINER, fy=1, interpolation=cv2.INTER_CUBIC).ravel()


def _unblurred(line: Any, sigma: float, noise: float) -> Any:
    """Wiener's filter against a bell of this width."""
    import numpy as np

    padded = np.concatenate([line, line[::-1]])
    frequency = np.fft.rfftfreq(padded.size)
    bell = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    return np.fft.irfft(np.fft.rfft(padded) * bell / (bell**2 + noise), padded.size)[: line.size].astype(np.float32)


def _even(line: Any) -> Any:
    """Between 0 and 1 everywhere, by the darkest and lightest nearby."""
    import cv2
    import numpy as np

    reach = max(3, int(EVEN_SHARE * line.size)) | 1
    row = line.reshape(1, -1)
    box = np.ones((1, reach), np.uint8)
    low = cv2.blur(cv2.erode(row, box), (reach, 1))
    high = cv2.blur(cv2.dilate(row, box), (reach, 1))
    floor = 0.15 * float(high.max() - low.min()) + 1e-3
    return np.clip((row - low) / np.maximum(high - low, floor), 0, 1)


def _picture(row: Any) -> Pixels:
    import numpy as np

    return np.repeat((row * 255).astype(np.uint8), ROWS, axis=0)
