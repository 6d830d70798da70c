"""The thread that keeps a display of two lines at what the buyer is to see.

Rule: nothing that a display does reaches the till.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from drivers.ports import Display
from pos_loyalty import log
from pos_loyalty.till.buyer import Buyer
from pos_loyalty.till.buyer_lines import Look, lines_of

CLOSE_WAIT_S = 3.0
PAUSE_S = 1.0
CRASHED = "the buyer's display stopped by a fault of the program; it is started again"


class BuyerDisplay:
    """One thread. ``round`` is its one step; tests call it without a thread."""

    def __init__(self, display: Display, buyer: Buyer, look: Look) -> None:
        self._display = display
        self._buyer = buyer
        self._look = look
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._problem: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"display {display.device}", daemon=True)

    @property
    def problem(self) -> str | None:
        """Why the buyer sees nothing, as a sentence; None when all is well."""
        return self._problem

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def close(self) -> None:
        """Leave an empty display behind. A display that hangs does not hold the till up."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_WAIT_S)

    def round(self) -> float:
        """Show what is to be seen now; answers how many seconds to wait unless something happens."""
        seen = self._buyer.seen()
        self._display.show(*lines_of(seen.view, self._look))
        wait_s = self._display.refresh()
        self._note(self._display.problem)
        return wait_s if seen.left_s is None else min(wait_s, seen.left_s)

    def _run(self) -> None:
        leave = self._buyer.listen(self._wake.set)
        try:
            while not self._closing.is_set():
                self._wake.clear()
                self._wake.wait(self._guarded(self.round))
        finally:
            leave()
            self._guarded(self._let_go)

    def _let_go(self) -> float:
        self._display.close()
        return 0.0

    def _guarded(self, step: Callable[[], float]) -> float:
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - the display may not end the till; it goes on, and says why
            if self._problem != CRASHED:
                log.error("display.crashed", device=self._display.device, kind=type(error).__name__)
            self._problem = CRASHED
            return PAUSE_S

    def _note(self, problem: str | None) -> None:
        if problem != self._problem:
            if problem is None:
                log.info("device.back", device=self._display.device)
            else:
                log.warning("device.lost", device=self._display.device, reason=problem)
        self._problem = problem
