"""What the till asks of the devices that hang on it."""

from __future__ import annotations

from typing import Protocol


class Devices(Protocol):
    """What hangs on this till."""

    def problems(self) -> tuple[str, ...]:
        """Why receipts wait or codes do not come, in sentences; empty when all is well."""
        ...

    def wake_printer(self) -> None:
        """There may be something to print."""
        ...


class NoDevices:
    """A till without devices of its own: the host has them."""

    def problems(self) -> tuple[str, ...]:
        """Nothing can fail."""
        return ()

    def wake_printer(self) -> None:
        """Nothing waits."""
