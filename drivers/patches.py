"""Patches of parallel bars and blots of fine squares on a picture: where they are, and how they are turned upright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pos_loyalty.values import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]  # 8-bit grey; cv2's own types know no narrower one

COHERENCE_MIN = 0.55
ENERGY_MIN = 1000.0
PATCHES_MAX = 3
AREA_MIN = 600
"""In pixels of the small picture."""
BLOT_PERCENTILE = 85
BLOT_OPEN_BOX = (5, 5)
BLOTS_MAX = 2
BLOT_SIDE_MIN = 14
BLOT_SIDES_RATIO_MAX = 2.2
BLOT_QUIET_SHARE = 0.2
DENSE_ACROSS, DENSE_ACROSS_SHARE = 30, 0.25
DENSE_ALONG, DENSE_ALONG_SHARE = 8, 0.6
"""Pixels of the picture over which strokes are counted, and the share of the densest place that still belongs to the bars."""
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


class Box(Value):
    """An upright rectangle of the full picture; right and bottom are exclusive, and may lie outside."""

    left: int
    top: int
    right: int
    bottom: int


class Grain(NamedTuple):
    """How closely a picture is looked at: the width it is shrunk to, the box of the tensor, how far gaps are closed and what is
    opened away, and the energy that is needed: a share of that at a percentile."""

    width: int
    box: int
    close: int
    open: int
    energy: tuple[float, float]


COARSE = Grain(width=480, box=15, close=13, open=9, energy=(1.0, 80))
FINE = Grain(width=640, box=9, close=7, open=11, energy=(0.1, 99.5))
"""For small symbols, and for bars so near a card's edge that the coarse look takes both for one."""


class Fields(NamedTuple):
    """Where the picture, shrunk by ``shrink``, has edges, how strong they are, and whether they share a direction."""

    tensor: tuple[Any, Any, Any]
    energy: Any
    coherence: Any
    shrink: float
    grain: Grain


def fields_of(gray: Pixels, grain: Grain = COARSE) -> Fields:
    """The structure tensor of a small copy."""
    import cv2
    import numpy as np

    shrink = min(1.0, grain.width / gray.shape[1])
    small = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (3, 3), 0)
    gx, gy = cv2.Scharr(small, cv2.CV_32F, 1, 0), cv2.Scharr(small, cv2.CV_32F, 0, 1)
    jxx, jyy, jxy = (cv2.blur(product, (grain.box, grain.box)) for product in (gx * gx, gy * gy, gx * gy))
    energy = jxx + jyy
    coherence = np.sqrt((jxx - jyy) ** 2 + 4 * jxy**2) / (energy + 0.001)
    return Fields((jxx, jyy, jxy), energy, coherence, shrink, grain)


def find_patches(fields: Fields) -> list[Patch]:
    """The largest areas whose gradients share one direction, largest first."""
    import cv2
    import numpy as np

    energy, grain = fields.energy, fields.grain
    share, percentile = grain.energy
    strong = max(share * float(np.percentile(energy, percentile)), ENERGY_MIN)
    mask = ((fields.coherence > COHERENCE_MIN) & (energy > strong)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((grain.close, grain.close), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((grain.open, grain.open), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = sorted((c for c in contours if cv2.contourArea(c) >= AREA_MIN), key=cv2.contourArea, reverse=True)[:PATCHES_MAX]
    patches = [_patch(contour, fields.tensor, fields.shrink) for contour in large]
    return [patch for patch in patches if patch.width >= ACROSS_MIN and patch.height >= ALONG_MIN]


def find_blots(fields: Fields) -> list[Box]:
    """Areas that are full of edges in every direction, as a QR is; largest first, in pixels of the full picture."""
    import cv2
    import numpy as np

    energy, coherence = fields.energy, fields.coherence
    strong = max(float(np.percentile(energy, BLOT_PERCENTILE)), ENERGY_MIN / 4)
    mask = ((coherence < COHERENCE_MIN) & (energy > strong)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(BLOT_OPEN_BOX, np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((fields.grain.close, fields.grain.close), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    boxes = [cv2.boundingRect(contour) for contour in contours]
    square = [box for box in boxes if min(box[2:]) >= BLOT_SIDE_MIN and max(box[2:]) <= BLOT_SIDES_RATIO_MAX * min(box[2:])]
    square.sort(key=lambda box: box[2] * box[3], reverse=True)
    return [_widened(box, fields.shrink) for box in square[:BLOTS_MAX]]


def _widened(box: Sequence[int], shrink: float) -> Box:
    x, y, width, height = (side / shrink for side in box)
    quiet = BLOT_QUIET_SHARE * max(width, height)
    return Box(
        left=max(0, int(x - quiet)), top=max(0, int(y - quiet)), right=int(x + width + quiet), bottom=int(y + height + quiet)
    )


def corners(patch: Patch) -> tuple[tuple[int, int], ...]:
    """The patch's four corners in the picture, in order round it."""
    cos, sin = math.cos(patch.angle), math.sin(patch.angle)
    near, far = (patch.across, patch.along), (patch.across + patch.width, patch.along + patch.height)
    around = (near, (far[0], near[1]), far, (near[0], far[1]))
    return tuple((round(u * cos - v * sin), round(u * sin + v * cos)) for u, v in around)


def quiet_of(patch: Patch) -> float:
    """How much of the patch's width, on each side, was added for the quiet zones."""
    return QUIET_PIXELS + QUIET_SHARE * (patch.width - 2 * QUIET_PIXELS) / (1 + 2 * QUIET_SHARE)


def upright(gray: Pixels, patch: Patch) -> tuple[Pixels, float]:
    """The patch from the full picture, with its bars standing vertical, and how much it was enlarged."""
    import cv2
    import numpy as np

    k = min(max(UPRIGHT_WIDTH / patch.width, 1.0), ENLARGE_MAX)
    cos, sin = math.cos(patch.angle), math.sin(patch.angle)
    turn = k * np.array([[cos, sin, -patch.across], [-sin, cos, -patch.along]])
    height = min(max(k * patch.height, UPRIGHT_HEIGHT_MIN), UPRIGHT_HEIGHT_MAX)
    size = (round(k * patch.width), round(height))
    return cv2.warpAffine(gray, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), k


def tightened(bars: Pixels, patch: Patch, enlarged: float) -> Patch:
    """The patch without the edges of cards and the print about it that leaned on its bars: where strokes stand densely."""
    import cv2
    import numpy as np

    edges: Any = np.abs(cv2.Sobel(cv2.GaussianBlur(bars, (0, 0), enlarged), cv2.CV_32F, 1, 0))
    left, right = _dense(edges.mean(axis=0), round(DENSE_ACROSS * enlarged), DENSE_ACROSS_SHARE)
    top, bottom = _dense(edges[:, left:right].mean(axis=1), round(DENSE_ALONG * enlarged), DENSE_ALONG_SHARE)
    across = (right - left) / enlarged
    if across < ACROSS_MIN:
        return patch
    quiet = QUIET_SHARE * across + QUIET_PIXELS
    return Patch(
        angle=patch.angle,
        across=patch.across + left / enlarged - quiet,
        along=patch.along + top / enlarged,
        width=across + 2 * quiet,
        height=max(float(ALONG_MIN), (bottom - top) / enlarged),
    )


def _dense(edges: Any, reach: int, share: float) -> tuple[int, int]:
    """The longest run where the mean over ``reach`` is at least a share of the greatest."""
    import numpy as np

    reach = max(1, min(reach, edges.size // 2))
    mean = np.convolve(edges, np.ones(reach) / reach, "same")
    is_dense = np.concatenate([[False], mean >= share * mean.max(), [False]])
    turns = np.flatnonzero(np.diff(is_dense.astype(np.int8)))
    runs = turns.reshape(-1, 2)
    start, end = runs[int(np.argmax(runs[:, 1] - runs[:, 0]))]
    return int(start), int(end)


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
