"""Tries a camera: one picture is taken and thrown away. A camera that the till watches is not opened."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

from drivers import zbar
from drivers.doctor import held, no_rights
from drivers.frame_sources import FolderSource, VideoSource
from drivers.ports import FrameSource
from drivers.probes import Probe, Subject, cause_of
from pos_loyalty.config_camera import CameraConfig
from pos_loyalty.errors import DeviceError

FRAMES_MAX = 20
TWO_COPIES = ("opencv-python", "opencv-python-headless")
"""Both own the module ``cv2``: the last one installed wins, and taking either away breaks the other."""


def camera(config: CameraConfig, seller: int | None) -> Probe:
    """A picture comes, and both decoders are there."""
    subject = Subject(part="camera", name=config.name, where=config.path)
    path = Path(f"/dev/video{config.path}" if config.kind == "v4l" and config.path.isdigit() else config.path)
    taken = held(subject, str(path), seller)
    if taken is not None:
        return taken
    if not path.exists():
        return subject.probe("fault", "port.absent")
    if not os.access(path, os.R_OK):
        return no_rights(subject, str(path))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    source: FrameSource = FolderSource(config) if config.kind == "folder" else VideoSource(config)
    try:
        return _seen(subject, source)
    except DeviceError as error:
        if cause_of(error) == "package":
            return subject.probe("fault", "package.camera")
        return subject.probe("fault", "camera.silent")
    finally:
        source.close()


def _seen(subject: Subject, source: FrameSource) -> Probe:
    for number, frame in enumerate(source.frames()):
        if frame.gray is not None:
            high, wide = frame.gray.shape[:2]
            return _doubted(subject) or subject.probe("works", "camera.works", wide=wide, high=high)
        if number >= FRAMES_MAX:
            break
    return subject.probe("fault", "camera.silent")


def _doubted(subject: Subject) -> Probe | None:
    if zbar.missing() is not None:
        return subject.probe("doubt", "camera.one_decoder")
    if all(_is_installed(name) for name in TWO_COPIES):
        return subject.probe("doubt", "camera.two_copies")
    return None


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
