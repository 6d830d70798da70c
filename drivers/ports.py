"""What the rest of the house asks of a device: Protocols, and the values that they answer with. Nothing here opens a port."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Protocol

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

    @property
    def is_ready(self) -> bool:
        """Every part was heard and none stands in the way; paper near its end still prints."""
        return self.online == "yes" and self.paper in ("ok", "near_end") and self.cover == "closed" and self.error == "none"

    @property
    def sentence(self) -> str:
        """The state in words that a cashier may read; the most useful cause first."""
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
        """Send one whole job, when nothing stands in the way. Only what ``progress`` raises is raised."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called twice."""
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
