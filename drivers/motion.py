"""Whether anything moves before the camera: a difference of tiny copies, so that an idle camera costs almost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.patches import Pixels

TINY = (64, 36)
STRIDE_FROM = 640
"""Wider pictures are thinned before they are shrunk: every second row and column suffices for this."""
MOVED_GREY = 10
"""Grey levels that a cell must change by; sensor noise averages out far below it."""
MOVED_CELLS = 6
AWAKE_MS = 3000
"""Frames are looked at for so long after the last motion."""


class MotionGate:
    """Open while something moves, and a little longer."""

    def __init__(self) -> None:
        self._before: Any = None
        self._moved_ms: int | None = None

    def is_open(self, gray: Pixels, at_ms: int) -> bool:
        """Take the next frame; whether it is worth looking at. The first frame always is."""
        import cv2
        import numpy as np

        thin = gray[::2, ::2] if gray.shape[1] >= STRIDE_FROM else gray
        tiny = cv2.resize(thin, TINY, interpolation=cv2.INTER_AREA).astype(np.int16)
        if self._before is None or int((np.abs(tiny - self._before) > MOVED_GREY).sum()) >= MOVED_CELLS:
            self._moved_ms = at_ms
            self._before = tiny
        return self._moved_ms is not None and at_ms - self._moved_ms < AWAKE_MS
