"""The way to a printer over the network: TCP, port 9100."""

from __future__ import annotations

import socket
from contextlib import suppress

from drivers.descriptors import left_s
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import DeviceGoneError

DRAIN_BYTES = 256
STEP_S = 0.001


class TcpTransport:
    """Implements Transport. Raises DeviceGoneError when nobody answers at the address."""

    def __init__(self, config: PrinterConfig) -> None:
        try:
            self._socket = socket.create_connection((config.host, config.port), timeout=config.timeout_s)
        except (OSError, UnicodeError) as error:
            reason = "this is not a host name" if isinstance(error, UnicodeError) else cause(error)
            raise DeviceGoneError(config.name, f"no printer at {config.host}:{config.port} ({reason})") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_bidirectional(self) -> bool:
        """The network carries answers."""
        return True

    def write(self, data: bytes, deadline_ns: int) -> int:
        """What the system has taken. It may lie in a buffer: that all of it was taken says nothing of paper."""
        sent = 0
        with suppress(OSError):
            while sent < len(data):
                self._socket.settimeout(max(left_s(deadline_ns), STEP_S))
                sent += self._socket.send(data[sent:])
                if monotonic_ns() >= deadline_ns:
                    break
        return sent

    def read(self, count: int, deadline_ns: int) -> bytes:
        """What comes first; empty when the time is up, or after a reset."""
        self._socket.settimeout(left_s(deadline_ns))
        try:
            return self._socket.recv(count)
        except OSError:
            return b""

    def finish(self, deadline_ns: int) -> bool:
        """Half-close, and wait until the printer hangs up; many never do, so the deadline says nothing."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        while self.read(DRAIN_BYTES, deadline_ns):
            continue
        return True

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def cause(error: OSError) -> str:
    """Why, in a few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or type(error).__name__
