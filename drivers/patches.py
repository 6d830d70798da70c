"""Patches of parallel bars on a picture: found, turned upright, and cleaned along the bars, which leaves their edges sharp."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pos_loyalty.values import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]  # 8-bit grey; cv2's own types know no narrower one

SMALL_WIDTH = 480
TENSOR_BOX = (15, 15)
COHERENCE_MIN = 0.55
ENERGY_MIN = 1000.0
ENERGY_PERCENTILE = 80
CLOSE_BOX, OPEN_BOX = (13, 13), (9, 9)
PATCHES_MAX = 3
AREA_MIN = 600
"""In pixels of the small picture."""
QUIET_SHARE, QUIET_PIXELS = 0.15, 10
ACROSS_MIN, ALONG_MIN = 40, 10
UPRIGHT_WIDTH, UPRIGHT_HEIGHT_MAX, UPRIGHT_HEIGHT_MIN, ENLARGE_MAX = 1100, 500, 40, 3.0


class Patch(Value):
    """A turned rectangle: the angle across the bars in radians, the near corner in turned axes, and the extents in pixels."""

    angle: float
    across: float
    along: float
    width: float
    height: float


def find_patches(gray: Pixels) -> list[Patch]:
    """The largest areas whose gradients share one direction, largest first."""
    import cv2
    import numpy as np

    shrink = min(1.0, SMALL_WIDTH / gray.shape[1])
    small = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (3, 3), 0)
    gx, gy = cv2.Scharr(small, cv2.CV_32F, 1, 0), cv2.Scharr(small, cv2.CV_32F, 0, 1)
    jxx, jyy, jxy = (cv2.blur(product, TENSOR_BOX) for product in (gx * gx, gy * gy, gx * gy))
    energy = jxx + jyy
    coherence = np.sqrt((jxx - jyy) ** 2 + 4 * jxy**2) / (energy + 0.001)
    strong = max(float(np.percentile(energy, ENERGY_PERCENTILE)), ENERGY_MIN)
    mask = ((coherence > COHERENCE_MIN) & (energy > strong)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones(CLOSE_BOX, np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(OPEN_BOX, np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = sorted((c for c in contours if cv2.contourArea(c) >= AREA_MIN), key=cv2.contourArea, reverse=True)[:PATCHES_MAX]
    patches = [_patch(contour, (jxx, jyy, jxy), shrink) for contour in large]
    return [patch for patch in patches if patch.width >= ACROSS_MIN and patch.height >= ALONG_MIN]


def upright(gray: Pixels, patch: Patch) -> Pixels:
    """The patch from the full picture, with its bars standing vertical, enlarged when it is small."""
    import cv2
    import numpy as np

    k = min(max(UPRIGHT_WIDTH / patch.width, 1.0), ENLARGE_MAX)
    cos, sin = math.cos(patch.angle), math.sin(patch.angle)
    turn = k * np.array([[cos, sin, -patch.across], [-sin, cos, -patch.along]])
    height = min(max(k * patch.height, UPRIGHT_HEIGHT_MIN), UPRIGHT_HEIGHT_MAX)
    size = (round(k * patch.width), round(height))
    return cv2.warpAffine(gray, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def cleaned(bars: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Renderings of an upright patch with their names, cheapest first."""
    import cv2

    height = bars.shape[0]
    yield "raw", bars
    yield "averaged", cv2.blur(bars, (1, max(3, height // 4)))
    sharp = cv2.addWeighted(bars, 2.5, cv2.GaussianBlur(bars, (0, 0), 3), -1.5, 0)
    yield "sharp", cv2.blur(sharp, (1, max(3, height // 4)))
    wide = cv2.blur(bars, (3, max(3, height // 3)))
    yield "stretched", cv2.normalize(wide, wide, 0, 255, cv2.NORM_MINMAX)


def _patch(contour: Any, tensor: tuple[Any, Any, Any], shrink: float) -> Patch:
    import cv2
    import numpy as np

    jxx, jyy, jxy = tensor
    inside = np.zeros(jxx.shape, np.uint8)
    cv2.drawContours(inside, [contour], -1, 1, cv2.FILLED)
    where = inside.astype(bool)
    angle = 0.5 * math.atan2(2 * float(jxy[where].sum()), float((jxx[where] - jyy[where]).sum()))
    points = contour.reshape(-1, 2) / shrink
    u = points @ np.array([math.cos(angle), math.sin(angle)])
    v = points @ np.array([-math.sin(angle), math.cos(angle)])
    quiet = QUIET_SHARE * float(u.max() - u.min()) + QUIET_PIXELS
    return Patch(
        angle=angle,
        across=float(u.min()) - quiet,
        along=float(v.min()),
        width=float(u.max() - u.min()) + 2 * quiet,
        height=float(v.max() - v.min()),
    )
