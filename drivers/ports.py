"""What the rest of the house asks of a device: Protocols, and the values that they answer with. Nothing here opens a port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

from pos_loyalty.values import Value

Symbology = Literal["ean13", "ean8", "code128", "code39", "qr", "datamatrix", "pdf417", "aztec", "stripe", "gs1", "other"]
"""What a reader said a code is printed as. ``gs1`` is any code that carries GS1 element strings."""


class CardRead(Value):
    """A member card that a device has read. ``card`` has passed the nomenclature and, from a camera, the vote."""

    card: str
    symbology: Symbology | None
    source: Literal["scanner", "camera"]
    device: str
    confidence: Literal["verified", "single"]
    """``verified``: error correction or two equal reads stand behind it. ``single``: one read with a check digit."""


class PrinterStatus(Value):
    """What a printer says of itself. What it does not say is ``unknown``, and unknown is never ready."""

    online: Literal["yes", "no", "unknown"] = "unknown"
    paper: Literal["ok", "near_end", "out", "unknown"] = "unknown"
    cover: Literal["closed", "open", "unknown"] = "unknown"
    error: Literal["none", "error", "unknown"] = "unknown"
    is_strange: bool = False
    """Something answers that does not speak as a printer does."""

    @property
    def is_ready(self) -> bool:
        """Every part was heard and none stands in the way; paper near its end still prints."""
        return self.online == "yes" and self.paper in ("ok", "near_end") and self.cover == "closed" and self.error == "none"

    @property
    def sentence(self) -> str:
        """The state in words that a cashier may read; the most useful cause first."""
        if self.is_strange:
            return "what answers there is no printer"
        if self == UNKNOWN:
            return "the printer does not say how it is"
        if self.cover == "open":
            return "the printer's cover is open"
        if self.paper == "out":
            return "the printer is out of paper"
        if self.error == "error":
            return "the printer reports a fault"
        if self.online == "no":
            return "the printer is off line"
        if not self.is_ready:
            return "the printer tells only a part of its state"
        return "the paper is near its end" if self.paper == "near_end" else "the printer is ready"


UNKNOWN = PrinterStatus()
"""Nothing was heard."""


class Outcome(StrEnum):
    """How far a job came."""

    PRINTED = "printed"
    """The printer has answered after the job's last byte was executed."""
    UNCONFIRMED = "unconfirmed"
    """All bytes are written; this device cannot answer."""
    UNCERTAIN = "uncertain"
    """A first byte may have gone out and no answer came: it may be on paper. Never send it again unmarked."""
    REFUSED = "refused"
    """No byte of the job has gone out; it may be tried again."""


class Delivery(Value):
    """The outcome of one job, and a sentence when it is not printed."""

    outcome: Outcome
    note: str | None = None
    detour: str | None = None
    """Why it went to the fallback printer; None when it went where it should."""


class Scanner(Protocol):
    """Reads codes as text; an AIM identifier, when the scanner sends one, stands before the payload."""

    @property
    def device(self) -> str:
        """The configured name."""
        ...

    def read(self, timeout_s: float) -> str | None:
        """Next code, or None when time is up. Raises DeviceGoneError when unplugged; the next call tries to reopen."""
        ...

    def close(self) -> None:
        """Let go of the port; may be called twice, and from another thread."""
        ...


class Transport(Protocol):
    """One open way to a printer. It is opened for one job and closed after it. Deadlines are ``monotonic_ns`` instants.

    Opening raises DeviceGoneError; after that the world's failing is answered by short counts, never raised.
    """

    @property
    def is_bidirectional(self) -> bool:
        """The printer can be heard."""
        ...

    def write(self, data: bytes, deadline_ns: int) -> int:
        """Hand the whole of it over. Answers how many bytes may have gone out: fewer than all when the line broke or was
        stuck, 0 only when surely none did."""
        ...

    def read(self, count: int, deadline_ns: int) -> bytes:
        """At most so many bytes, as soon as there are any; empty when the time is up or the line is over."""
        ...

    def finish(self, deadline_ns: int) -> bool:
        """Say that nothing more comes, and give the device time to take the rest: closing earlier may cut a job off. False when
        surely not all was taken."""
        ...

    def close(self) -> None:
        """Let go; may be called twice."""
        ...


class Progress(Protocol):
    """Told by a printer how far one job is, in this order and at most once each."""

    def sending(self) -> None:
        """The first byte goes out next. When this raises, no byte goes out."""
        ...

    def awaiting_ack(self) -> None:
        """The last byte is written and the printer's answer is awaited. Not told by a device that cannot answer."""
        ...


class Printer(Protocol):
    """Takes finished jobs, one at a time. The world's failing is answered, not raised."""

    @property
    def device(self) -> str:
        """The configured name."""
        ...

    def status(self) -> PrinterStatus:
        """Ask now. What is not heard in time is unknown."""
        ...

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """Send one whole job, when nothing stands in the way. Only what ``progress`` raises is raised.

        REFUSED after ``sending`` was told: surely no byte of the job has gone out.
        """
        ...

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Open the drawer, at most once: ``fired`` is called before the first byte goes out, and when it raises, none does.

        UNCONFIRMED: the command is out; a drawer does not answer. REFUSED without ``fired``: it may be asked again.
        """
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        ...


class Display(Protocol):
    """Two lines that the buyer reads. The world's failing is told by ``problem``, never raised, and nobody waits for it."""

    @property
    def device(self) -> str:
        """The configured name."""
        ...

    @property
    def problem(self) -> str | None:
        """Why nothing is shown, as a sentence; None when the last frame was taken."""
        ...

    def show(self, line1: str, line2: str) -> None:
        """These are to be seen, cut to the display's columns; the newest wins. Returns at once; from any thread."""
        ...

    def clear(self) -> None:
        """Nothing is to be seen. Returns at once; from any thread."""
        ...

    def refresh(self) -> float:
        """Bring the display up to what is to be seen. Answers after how many seconds, at the latest, to come again."""
        ...

    def close(self) -> None:
        """Empty the display where it still listens, and let go of it; may be called twice."""
        ...


class Camera(Protocol):
    """Finds a member card on a picture."""

    @property
    def device(self) -> str:
        """The configured name."""
        ...

    def read(self, picture: bytes) -> CardRead | None:
        """The one card on a JPEG, PNG or WebP; None when there is none, or more than one, or doubt.

        Raises InputError when the bytes are no picture or too large, DeviceError when the decoders are not installed.
        """
        ...


class Frame(NamedTuple):
    """One frame of a camera: grey pixels of 8 bits in rows, or None when it came broken."""

    gray: Any


class FrameSource(Protocol):
    """Gives frames, always the newest."""

    @property
    def device(self) -> str:
        """The configured name."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Open, and give frames as they are asked for; each call opens anew. Ends with a file or a folder, or after ``close``.

        Raises DeviceGoneError when there is no camera or it is lost, DeviceError when the decoders are not installed.
        """
        ...

    def close(self) -> None:
        """End ``frames`` after the frame in hand; may be called twice, and from another thread."""
        ...


class Judged(NamedTuple):
    """A code that the shop's nomenclature holds for."""

    card: str
    """The number, by which reads are told apart."""
    text: str
    """What is handed on: the number, or a QR that the till has yet to prove."""
    is_signed: bool
    """Its signature holds, so that one read is enough."""


class ViewPicture(NamedTuple):
    """A JPEG of what the camera sees, and which frame it is."""

    number: int
    jpeg: bytes


class LiveView(Protocol):
    """What a page may show of a camera."""

    def picture(self, after: int) -> ViewPicture | None:
        """The newest frame with what was found drawn round; None when none is newer than ``after``. From any thread."""
        ...


class Watcher(LiveView, Protocol):
    """A camera that is watched frame after frame."""

    @property
    def device(self) -> str:
        """The configured name."""
        ...

    def watch(self) -> Iterator[CardRead | None]:
        """One answer for each whole frame, in the camera's pace. Ends and raises as FrameSource.frames does."""
        ...

    def close(self) -> None:
        """End ``watch``; may be called twice, and from another thread."""
        ...
