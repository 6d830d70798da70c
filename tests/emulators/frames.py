"""A camera without a camera: folders of pictures, MJPG files, frames that are blank, black, broken, upside down or doubled, and
a source that is lost and comes back. For our tests, and for integrators who have no camera at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from drivers.ports import Frame
from pos_loyalty.errors import DeviceGoneError
from tests.emulators.camera import Kind, Shot, card_picture, draw_card, photograph

SIZE = (1280, 720)
BROKEN_JPEG = b"\xff\xd8\xff\xe0" + b"torn off" * 20


def gray_of(picture: bytes) -> Any:
    """The grey pixels of a JPEG or PNG."""
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)


def card_frame(number: str, seed: int = 1, kind: Kind = "ean13", shot: Shot | None = None) -> Any:
    """A frame with one card, as ``card_picture`` takes it, or by a shot of your own."""
    return gray_of(card_picture(number, seed, kind) if shot is None else photograph(draw_card(number, kind), seed, shot))


def upside_down(frame: Any) -> Any:
    """The frame turned by 180 degrees."""
    return np.ascontiguousarray(frame[::-1, ::-1])


def two_cards(first: str, second: str, kind: Kind = "ean13") -> Any:
    """A frame with two cards side by side."""
    both = Image.new("L", SIZE, 120)
    for left, number in ((10, first), (650, second)):
        both.paste(draw_card(number, kind).resize((620, 391)), (left, 160))
    return np.asarray(both)


def plain(level: int, size: tuple[int, int] = SIZE) -> Any:
    """Nothing at all: 0 is a covered lens, 255 a lamp in it."""
    return np.full((size[1], size[0]), level, np.uint8)


def table(seed: int, noise: float = 6.0) -> Any:
    """An empty counter with a sensor's noise; another seed is another moment."""
    random = np.random.default_rng(seed)
    still = cv2.resize(np.random.default_rng(1).uniform(60, 150, (6, 8)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    return np.clip(still + random.normal(0, noise, still.shape), 0, 255).astype(np.uint8)


def write_video(path: Path, frames: Sequence[Any], fps: float = 15.0) -> Path:
    """A Motion-JPEG file, as cheap cameras record."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def write_folder(folder: Path, frames: Sequence[Any]) -> Path:
    """A folder of PNGs; None becomes a file that is no picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        if frame is None:
            (folder / f"{number:05d}.jpg").write_bytes(BROKEN_JPEG)
        else:
            cv2.imwrite(str(folder / f"{number:05d}.png"), frame)
    return folder


class LosingFrames:
    """Implements FrameSource: is lost after each run of frames but the last, as by a loose cable. ``openings`` counts."""

    def __init__(self, runs: Sequence[Sequence[Any]], device: str = "camera") -> None:
        self.device = device
        self.openings = 0
        self._runs = list(runs)

    def frames(self) -> Iterator[Frame]:
        """The next run; then DeviceGoneError, or the end after the last."""
        self.openings += 1
        run = self._runs.pop(0)
        for pixels in run:
            yield Frame(pixels)
        if self._runs:
            raise DeviceGoneError(self.device, "the cable is loose")

    def close(self) -> None:
        """Nothing is held."""
