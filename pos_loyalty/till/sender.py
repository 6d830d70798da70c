"""Codes go out in a thread of their own: no sale waits for the gateway. They are kept in memory only, and forgotten with it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Literal, NamedTuple

from drivers.gateway import Gateway
from pos_loyalty import log
from pos_loyalty.errors import DeviceError

WAITING_MAX = 100
KNOWN_MAX = 1000
CodeState = Literal["sending", "sent", "failed", "unknown"]


class _Message(NamedTuple):
    member_id: str
    phone: str
    code: str


class CodeSender:
    """One gateway and the codes that wait for it. ``make`` opens the gateway at the first code."""

    def __init__(self, make: Callable[[], Gateway]) -> None:
        self._make = make
        self._waiting: queue.Queue[_Message | None] = queue.Queue(WAITING_MAX)
        self._states: dict[str, CodeState] = {}
        self._problem: str | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def submit(self, member_id: str, phone: str, code: str) -> None:
        """Send as soon as may be. A gateway that is far behind fails at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="codes", daemon=True)
            self._thread.start()
        try:
            self._note(member_id, "sending")
            self._waiting.put_nowait(_Message(member_id, phone, code))
        except queue.Full:
            self._note(member_id, "failed")

    def state(self, member_id: str) -> CodeState:
        """What became of the member's last code; unknown after a restart."""
        return self._states.get(member_id, "unknown")

    def problems(self) -> tuple[str, ...]:
        """Why codes do not go out, in a sentence; empty when they do."""
        return () if self._problem is None else (self._problem,)

    def close(self, wait_s: float = 1.0) -> None:
        """Send what waits, but not for long."""
        if self._thread is not None:
            try:
                self._waiting.put(None, timeout=wait_s)
            except queue.Full:
                return
            self._thread.join(wait_s)

    def _run(self) -> None:
        gateway: Gateway | None = None
        while (message := self._waiting.get()) is not None:
            try:
                gateway = gateway or self._make()
                gateway.send(message.phone, message.code)
                self._note(message.member_id, "sent")
                self._problem = None
                log.info("code.sent", member_id=message.member_id)
            except DeviceError as error:
                self._note(message.member_id, "failed")
                self._problem = f"Codes do not reach phones: {error}."
                log.warning("code.failed", member_id=message.member_id, reason=str(error))
        if gateway is not None:
            gateway.close()

    def _note(self, member_id: str, state: CodeState) -> None:
        with self._lock:
            self._states.pop(member_id, None)
            self._states[member_id] = state
            if len(self._states) > KNOWN_MAX:
                del self._states[next(iter(self._states))]
