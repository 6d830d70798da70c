"""Where a camera's frames come from: a V4L device, a video file, a folder of pictures. One at a time, never a queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drivers.ports import Frame
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config_camera import CameraConfig
from pos_loyalty.errors import DeviceError, DeviceGoneError

BROKEN_MAX = 10
"""So many frames in a row that cannot be read are a camera that is gone."""
STALE_FRAMES_MAX = 4
"""Frames that wait in a device's buffer after a pause; they are dropped unlooked at."""
NS_PER_S = 1_000_000_000
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
PICTURE_BYTES_MAX = 12 * 1024 * 1024
FOLDER_MAX = 100_000
GONE = "no picture comes from the camera; check the cable, and that no other program uses it"
NOT_INSTALLED = "the camera cannot be used here: install pos-loyalty[camera] ({} is missing)"


class VideoSource:
    """Implements FrameSource over OpenCV: a V4L device, which never ends, or a video file, which does."""

    def __init__(self, config: CameraConfig) -> None:
        self.device = config.name
        self._config = config
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Open, and give frame after frame; see FrameSource."""
        cv2 = _cv2(self.device)
        video = self._opened(cv2)
        try:
            yield from self._read(cv2, video)
        except cv2.error as error:
            raise DeviceGoneError(self.device, GONE) from error
        finally:
            video.release()

    def close(self) -> None:
        """End ``frames`` after the frame in hand."""
        self._closed.set()

    def _opened(self, cv2: Any) -> Any:
        path = self._config.path
        if self._config.kind == "v4l":
            video = cv2.VideoCapture(int(path) if path.isdigit() else path, cv2.CAP_V4L2)
            video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            video.set(cv2.CAP_PROP_FRAME_WIDTH, self._config.width)
            video.set(cv2.CAP_PROP_FRAME_HEIGHT, self._config.height)
            video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        else:
            video = cv2.VideoCapture(path)
        if not video.isOpened():
            video.release()
            raise DeviceGoneError(self.device, GONE)
        return video

    def _read(self, cv2: Any, video: Any) -> Iterator[Frame]:
        is_live = self._config.kind == "v4l"
        period_ns = int(NS_PER_S / self._config.fps)
        broken, given_ns = 0, monotonic_ns()
        while not self._closed.is_set():
            late = (monotonic_ns() - given_ns) // period_ns if is_live else 0
            for _ in range(min(int(late), STALE_FRAMES_MAX)):
                video.grab()
            done, picture = video.read()
            given_ns = monotonic_ns()
            if done and picture is not None:
                broken = 0
                yield Frame(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture)
                continue
            if not is_live:
                return
            broken += 1
            if broken >= BROKEN_MAX:
                raise DeviceGoneError(self.device, GONE)
            yield Frame(None)


class FolderSource:
    """Implements FrameSource over the pictures of a folder, in the order of their names, once."""

    def __init__(self, config: CameraConfig) -> None:
        self.device = config.name
        self._folder = Path(config.path)
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Each picture; one that cannot be read is a broken frame."""
        cv2 = _cv2(self.device)
        try:
            paths = sorted(path for path in self._folder.iterdir() if path.suffix.lower() in PICTURES)[:FOLDER_MAX]
        except OSError as error:
            raise DeviceGoneError(self.device, f"the folder {self._folder} cannot be read") from error
        for path in paths:
            if self._closed.is_set():
                return
            yield Frame(self._picture(cv2, path))

    def close(self) -> None:
        """End ``frames`` after the frame in hand."""
        self._closed.set()

    def _picture(self, cv2: Any, path: Path) -> Any:
        import numpy as np

        try:
            with path.open("rb") as file:
                data = file.read(PICTURE_BYTES_MAX + 1)
        except OSError as error:
            raise DeviceGoneError(self.device, f"the picture {path.name} cannot be read") from error
        if not data or len(data) > PICTURE_BYTES_MAX:
            return None
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        except cv2.error:
            return None


def _cv2(device: str) -> Any:
    try:
        import cv2
        import zxingcpp  # noqa: F401  one look for all that reading cards needs
    except ImportError as error:
        raise DeviceError(device, NOT_INSTALLED.format(error.name)) from error
    return cv2
