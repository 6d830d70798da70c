"""The network cable between till and head office: a small TCP proxy that can be cut. While it is cut, connections are refused."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

CHUNK_BYTES = 64 * 1024
CONNECT_S = 5.0


class Cable:
    """Listens on a free port of its own from the start; ``lay`` says where the far end is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._target: tuple[str, int] | None = None
        self._listener: socket.socket | None = self._listen(0)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Cable:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cut()

    def lay(self, host: str, port: int) -> None:
        """Say where the far end is, and connect."""
        self._target = (host, port)
        self.plug()

    def plug(self) -> None:
        """Connect both ends, on the same port as before the cut."""
        with self._lock:
            if self._listener is None:
                self._listener = self._listen(self.port)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True, name="cable").start()

    def cut(self) -> None:
        """Refuse new connections and break those that stand, in the middle of whatever they carry."""
        with self._lock:
            listener, self._listener = self._listener, None
            ends, self._ends = self._ends, set()
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for end in ends:
            _close(end)

    @staticmethod
    def _listen(port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                assert self._target is not None
                far = socket.create_connection(self._target, timeout=CONNECT_S)
            except OSError:
                _close(near)
                continue
            far.settimeout(None)
            with self._lock:
                is_whole = self._listener is listener
                if is_whole:
                    self._ends |= {near, far}
            if not is_whole:
                _close(near)
                _close(far)
                return
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True, name="cable").start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                sink.sendall(data)
        for end in (source, sink):
            _close(end)
        with self._lock:
            self._ends -= {source, sink}


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
