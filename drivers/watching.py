"""A camera over the counter: frame after frame through the motion gate, the cascade and the vote, until a card is believed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers import believing, zbar
from drivers.decode import Cascade, Outline, Symbol
from drivers.frame_sources import FolderSource, VideoSource
from drivers.motion import MotionGate
from drivers.ports import CardRead, FrameSource, Judged, Symbology, ViewPicture
from pos_loyalty import log
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config_camera import CameraConfig
from pos_loyalty.errors import DeviceGoneError

if TYPE_CHECKING:
    from drivers.patches import Pixels

NS_PER_MS = 1_000_000
MS_PER_S = 1000
IDLE_FRAMES_PER_S = 4.0
"""While nothing moves so many frames a second are looked at for motion."""
VIEW_WIDTH = 640
VIEW_QUALITY = 70
GREEN, YELLOW = (60, 200, 60), (40, 200, 230)

Judge = Callable[[str, Symbology | None], Judged | None]
"""What the shop says of a code; None when it is none of the shop's."""


class _Shown(NamedTuple):
    """The last frame for the live view; ``is_card``: a card was believed in it."""

    number: int
    gray: Any
    outlines: tuple[Outline, ...]
    is_card: bool


class CameraWatch:
    """Implements Watcher over a frame source. ``now_ms`` and ``wait`` are the machine's unless a test gives others."""

    def __init__(
        self,
        source: FrameSource,
        config: CameraConfig,
        symbologies: Sequence[str],
        judge: Judge,
        *,
        now_ms: Callable[[], int] | None = None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._source = source
        self._config = config
        self._cascade = Cascade(symbologies)
        self._judge = judge
        self._closed = threading.Event()
        self._now_ms = now_ms or (lambda: monotonic_ns() // NS_PER_MS)
        self._wait = wait or self._closed.wait
        self._votes = believing.NO_VOTES
        self._shown: _Shown | None = None
        self._is_told = False

    @property
    def device(self) -> str:
        """The configured name."""
        return self._source.device

    def watch(self) -> Iterator[CardRead | None]:
        """See Watcher. What was believed stays mute over an unplugging; what was read once is forgotten."""
        gate = MotionGate()
        self._tell_decoders()
        self._votes = believing.Votes(None, self._votes.muted)
        begun_ms = self._now_ms()
        for number, frame in enumerate(self._source.frames()):
            if self._closed.is_set():
                return
            at_ms = self._now_ms()
            is_open = False
            if frame.gray is not None:
                is_open = gate.is_open(frame.gray, at_ms)
                card = self._look(frame.gray, number, at_ms) if is_open else None
                if not is_open:
                    self._votes = believing.still(self._votes, at_ms)
                    self._shown = _Shown(number, frame.gray, (), is_card=False)
                yield card
            begun_ms = self._rest(begun_ms, self._config.fps if is_open else min(self._config.fps, IDLE_FRAMES_PER_S))

    def picture(self, after: int) -> ViewPicture | None:
        """The newest frame, shrunk; green round a card that was just believed, yellow round anything else that was read."""
        shown = self._shown
        if shown is None or shown.number == after:
            return None
        import cv2
        import numpy as np

        scale = min(1.0, VIEW_WIDTH / shown.gray.shape[1])
        small = cv2.resize(shown.gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        drawn: Any = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        for outline in shown.outlines:
            points: Any = np.array([[(x * scale, y * scale) for x, y in outline]], np.int32)
            cv2.polylines(drawn, points, True, GREEN if shown.is_card else YELLOW, 2)
        done, data = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, VIEW_QUALITY])
        return ViewPicture(shown.number, data.tobytes()) if done else None

    def close(self) -> None:
        """End ``watch`` after the frame in hand."""
        self._closed.set()
        self._source.close()

    def _look(self, gray: Pixels, number: int, at_ms: int) -> CardRead | None:
        import cv2

        deadline_ns = monotonic_ns() + self._config.budget_ms * NS_PER_MS
        try:
            symbols = self._cascade.look(gray, deadline_ns, lambda symbol: self._judged(symbol) is not None)
        except cv2.error as error:
            raise DeviceGoneError(self.device, "a picture of the camera could not be read; it is opened anew") from error
        seen: dict[str, bool] = {}
        texts: dict[str, tuple[str, Symbology | None]] = {}
        for symbol in symbols:
            judged = self._judged(symbol)
            if judged is not None:
                seen[judged.card] = seen.get(judged.card, False) or judged.is_signed
                texts[judged.card] = (judged.text, symbol.symbology)
        self._votes, card = believing.step(self._votes, seen, at_ms)
        self._shown = _Shown(number, gray, tuple(symbol.outline for symbol in symbols if symbol.outline), card is not None)
        if card is None:
            return None
        text, symbology = texts[card]
        return CardRead(card=text, symbology=symbology, source="camera", device=self.device, confidence="verified")

    def _tell_decoders(self) -> None:
        reason = zbar.missing()
        if reason is not None and not self._is_told:
            self._is_told = True
            log.warning("camera.zbar_missing", reason=reason)

    def _judged(self, symbol: Symbol) -> Judged | None:
        return self._judge(symbol.text, symbol.symbology)

    def _rest(self, begun_ms: int, frames_per_s: float) -> int:
        """Wait for the next frame's time, which is given back; time that is behind is not caught up."""
        next_ms = begun_ms + int(MS_PER_S / frames_per_s)
        left_ms = next_ms - self._now_ms()
        if left_ms > 0:
            self._wait(left_ms / MS_PER_S)
            return next_ms
        return self._now_ms()


def watcher_of(config: CameraConfig, symbologies: Sequence[str], judge: Judge) -> CameraWatch:
    """The camera that the config names. Nothing is opened yet."""
    source: FrameSource = FolderSource(config) if config.kind == "folder" else VideoSource(config)
    return CameraWatch(source, config, symbologies, judge)
