"""A member stands here and this till holds rights to part of their points: the rest is asked for beside the checkout.

Rule: the verb only wakes who asks; it waits for nothing. What comes is there at the next quote.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.holdings import is_escrow
from pos_loyalty.till.model import MemberAnswer

AGAIN_AT_HUB_NS: Final = 2 * 10**9
"""A hub is near, and what it lacks now another till gives back."""
WAITING_MAX: Final = 20
AGAIN_AFTER_NS: Final = 30 * 10**9
"""A member for whom was asked is not asked for again so soon."""
KNOWN_MAX: Final = 1_000


class Reserver:
    """One thread that asks, one member after another. ``ask`` is called in it; ``close`` there too, at the end."""

    def __init__(self, ask: Callable[[str], None], close: Callable[[], None], again_after_ns: int = AGAIN_AFTER_NS) -> None:
        self._again_after_ns = again_after_ns
        self._ask = ask
        self._close = close
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING_MAX)
        self._asking: set[str] = set()
        self._asked_ns: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def wake(self, member_id: str) -> bool:
        """Ask for this member as soon as may be; answers whether an answer is on its way."""
        with self._lock:
            if member_id in self._asking:
                return True
            since_ns = monotonic_ns() - self._asked_ns.get(member_id, -self._again_after_ns)
            if since_ns < self._again_after_ns:
                return False
            try:
                self._waiting.put_nowait(member_id)
            except queue.Full:
                return False
            self._asking.add(member_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rights", daemon=True)
                self._thread.start()
            return True

    def close(self, wait_s: float = 1.0) -> None:
        """Ask no more; an answer on its way is waited for, but not long."""
        if self._thread is not None:
            try:
                self._waiting.put(None, timeout=wait_s)
            except queue.Full:
                return
            self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            while (member_id := self._waiting.get()) is not None:
                try:
                    self._ask(member_id)
                except LoyaltyError as error:
                    log.warning("rights.failed", reason=str(error))
                finally:
                    self._note(member_id)
        finally:
            self._close()

    def _note(self, member_id: str) -> None:
        with self._lock:
            self._asking.discard(member_id)
            if len(self._asked_ns) >= KNOWN_MAX:
                self._asked_ns.clear()
            self._asked_ns[member_id] = monotonic_ns()


def standing(desk: Desk, answer: MemberAnswer) -> MemberAnswer:
    """The answer about a member who stands here; more of their points is asked for when this till holds too few."""
    whole_centi = max(0, answer.usable_centi - answer.owed_centi)
    if desk.reserver is None or not is_escrow(desk.config) or answer.redeemable_centi >= whole_centi:
        return answer
    return replace(answer, asking=desk.reserver.wake(answer.member_id))
