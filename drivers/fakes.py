"""For each kind of device one that works and one that always fails: small working things that pass the real ones' tests."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from drivers.ports import UNKNOWN, CardRead, Delivery, Frame, Outcome, PrinterStatus, Progress
from pos_loyalty.errors import DeviceError, DeviceGoneError, InputError

PICTURE_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
PICTURE_BYTES_MAX = 12 * 1024 * 1024
NO_CAMERA = "no picture comes from the camera; check the cable"
PLUGGED_OUT = "no scanner here; check the cable"


class WorkingScanner:
    """Implements Scanner over a queue: what is ``put`` is read, in order."""

    def __init__(self, device: str = "scanner") -> None:
        self.device = device
        self._codes: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._is_closed = False

    def put(self, code: str) -> None:
        """Scan a code."""
        self._codes.put(code)

    def read(self, timeout_s: float) -> str | None:
        """Next code, or None when time is up or the scanner was closed."""
        if self._is_closed:
            return None
        try:
            return self._codes.get(timeout=timeout_s) if timeout_s > 0 else self._codes.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """Wake a waiting ``read``."""
        self._is_closed = True
        self._codes.put(None)


class FailingScanner:
    """Implements Scanner: always unplugged."""

    def __init__(self, device: str = "scanner") -> None:
        self.device = device

    def read(self, timeout_s: float) -> str | None:
        """Raises DeviceGoneError."""
        raise DeviceGoneError(self.device, PLUGGED_OUT)

    def close(self) -> None:
        """Nothing is held."""


class WorkingPrinter:
    """Implements Printer: keeps what it prints in ``jobs``."""

    def __init__(self, device: str = "printer") -> None:
        self.device = device
        self.jobs: list[bytes] = []
        self.kicks = 0

    def status(self) -> PrinterStatus:
        """Ready."""
        return PrinterStatus(online="yes", paper="ok", cover="closed", error="none")

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Print."""
        progress.sending()
        self.jobs.append(job)
        progress.awaiting_ack()
        return Delivery(outcome=Outcome.PRINTED)

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Open the drawer."""
        fired()
        self.kicks += 1
        return Delivery(outcome=Outcome.UNCONFIRMED)

    def close(self) -> None:
        """Nothing is held."""


class FailingPrinter:
    """Implements Printer: always off."""

    def __init__(self, device: str = "printer") -> None:
        self.device = device

    def status(self) -> PrinterStatus:
        """Nothing is heard."""
        return UNKNOWN

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Refuse; no byte goes out."""
        return Delivery(outcome=Outcome.REFUSED, note="no printer here")

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Refuse; no byte goes out."""
        return Delivery(outcome=Outcome.REFUSED, note="no printer here")

    def close(self) -> None:
        """Nothing is held."""


class TearingPrinter:
    """Implements Printer: the line breaks inside every job, after ``jobs`` has taken half of it."""

    def __init__(self, device: str = "printer") -> None:
        self.device = device
        self.jobs: list[bytes] = []

    def status(self) -> PrinterStatus:
        """Ready; it breaks later."""
        return PrinterStatus(online="yes", paper="ok", cover="closed", error="none")

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Take half of the job and break."""
        progress.sending()
        self.jobs.append(job[: len(job) // 2])
        return Delivery(outcome=Outcome.UNCERTAIN, note="the connection broke while printing")

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Break after the first byte."""
        fired()
        return Delivery(outcome=Outcome.UNCONFIRMED, note="the line broke while the drawer was told to open")

    def close(self) -> None:
        """Nothing is held."""


class WorkingDisplay:
    """Implements Display: what was shown is kept in ``shown``, newest last."""

    problem = None

    def __init__(self, device: str = "display") -> None:
        self.device = device
        self.shown: list[tuple[str, str]] = []
        self._wanted: tuple[str, str] | None = None

    def show(self, line1: str, line2: str) -> None:
        """To be seen."""
        self._wanted = (line1, line2)

    def clear(self) -> None:
        """Nothing is to be seen."""
        self.show("", "")

    def refresh(self) -> float:
        """Show it."""
        if self._wanted is not None and self.shown[-1:] != [self._wanted]:
            self.shown.append(self._wanted)
        return 1.0

    def close(self) -> None:
        """Empty it."""
        self.clear()
        self.refresh()


class FailingDisplay:
    """Implements Display: always unplugged."""

    problem = "no display here; check the cable"

    def __init__(self, device: str = "display") -> None:
        self.device = device

    def show(self, line1: str, line2: str) -> None:
        """Nobody sees it."""

    def clear(self) -> None:
        """Nothing is seen anyhow."""

    def refresh(self) -> float:
        """Nothing comes of it."""
        return 1.0

    def close(self) -> None:
        """Nothing is held."""


class WorkingCamera:
    """Implements Camera: knows which card stands on which picture."""

    def __init__(self, cards: Mapping[bytes, str], device: str = "camera") -> None:
        self.device = device
        self._cards = cards

    def read(self, picture: bytes) -> CardRead | None:
        """The card that was told at the start."""
        if len(picture) > PICTURE_BYTES_MAX or not picture.startswith(PICTURE_HEADS):
            raise InputError("picture", "is not a picture that can be read")
        card = self._cards.get(picture)
        if card is None:
            return None
        return CardRead(card=card, symbology=None, source="camera", device=self.device, confidence="verified")


class FailingCamera:
    """Implements Camera: its decoders are not installed."""

    def __init__(self, device: str = "camera") -> None:
        self.device = device

    def read(self, picture: bytes) -> CardRead | None:
        """Raises DeviceError."""
        raise DeviceError(self.device, "pictures cannot be read here")


class WorkingFrames:
    """Implements FrameSource: gives the pixels that it was told, once; None stands for a broken frame."""

    def __init__(self, frames: Sequence[Any], device: str = "camera") -> None:
        self.device = device
        self._frames = frames
        self._is_closed = False

    def frames(self) -> Iterator[Frame]:
        """Each in turn, from the first."""
        for pixels in self._frames:
            if self._is_closed:
                return
            yield Frame(pixels)

    def close(self) -> None:
        """End after the frame in hand."""
        self._is_closed = True


class FailingFrames:
    """Implements FrameSource: there is no camera."""

    def __init__(self, device: str = "camera") -> None:
        self.device = device

    def frames(self) -> Iterator[Frame]:
        """Raises DeviceGoneError."""
        raise DeviceGoneError(self.device, NO_CAMERA)

    def close(self) -> None:
        """Nothing is held."""
