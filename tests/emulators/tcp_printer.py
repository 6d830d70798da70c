"""The emulated receipt printer on a TCP port. ``power_off`` closes the port and forgets what was not printed."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType

from tests.emulators.escpos import JudgeError
from tests.emulators.mechanism import Mechanism, Mode

RECEIVE_BYTES = 4096
WINDOW_BYTES = 4096
JOIN_S = 60.0


class TcpPrinter(Mechanism):
    """A printer on a free port of the loopback; the modes and faults are those of Mechanism."""

    def __init__(self, *, port: int = 0, columns: int = 48, slots: dict[int, str] | None = None, mode: Mode = "ok") -> None:
        super().__init__(columns=columns, slots=slots, mode=mode)
        self.port = port
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.power_on()

    def __enter__(self) -> TcpPrinter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.power_off()
        if kind is None and self.faults:
            raise JudgeError("; ".join(self.faults))

    def power_on(self) -> None:
        """Open the port (the same one as before, after a power cut)."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        self._start(self._accept, listener)

    def power_off(self) -> None:
        """Close the port and reset every connection; lines not yet printed are lost."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        if self.mode == "slow":
            self.mode = "ok"
        self.lose_power()
        for connection in list(self._connections):
            _reset(connection)
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.join(JOIN_S)

    def power_cycle(self) -> None:
        """Off, and on again."""
        self.power_off()
        self.power_on()

    def _start(self, target: object, argument: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(argument,), daemon=True, name="tcp-printer")  # type: ignore[arg-type]
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        def send(data: bytes) -> None:
            with suppress(OSError):
                connection.sendall(data)

        line = self.join(send)
        with suppress(OSError):
            while True:
                self.wait_to_read()
                chunk = connection.recv(RECEIVE_BYTES)
                if not chunk:
                    break
                if not self.receive(line, chunk):
                    _reset(connection)
                    break
        self.leave(line)
        connection.close()
        with suppress(ValueError):
            self._connections.remove(connection)


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a printer does that has lost its power."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    connection.close()
