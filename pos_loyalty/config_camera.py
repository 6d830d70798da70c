"""The ``[camera]`` table: where frames come from, how many a second are looked at, and what is looked for."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.values import Value

CameraFormat = Literal["ean13", "ean8", "code128", "qr", "code39", "datamatrix", "aztec", "pdf417"]


class CardQrConfig(Value):
    """Member cards as a QR that changes with time."""

    drift_steps: Annotated[int, Meta(ge=0, le=2)] = 1
    """A phone's clock may be so many steps of 30 seconds before or behind the till's."""


class CameraConfig(Value):
    """A camera over the counter. ``path``: /dev/video0 or a by-id link, a video file, or a folder of pictures."""

    kind: Literal["v4l", "file", "folder"]
    path: Annotated[str, Meta(min_length=1, max_length=4096)]
    name: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")] = "camera"
    fps: Annotated[float, Meta(ge=1, le=60)] = 15.0
    width: Annotated[int, Meta(ge=320, le=1920)] = 1280
    height: Annotated[int, Meta(ge=240, le=1200)] = 720
    formats: tuple[CameraFormat, ...] = ()
    """Beside QR and those of the ``[[card]]`` tables. ITF, Codabar and UPC-E are never read: they are misread too easily."""
    budget_ms: Annotated[int, Meta(ge=10, le=500)] = 50
    """What is not found in so many milliseconds of a frame is looked for in the next one."""
    view: bool = True
    """Whether the cashier page may show what the camera sees."""
