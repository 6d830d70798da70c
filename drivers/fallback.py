"""Two printers as one: receipts go to the fallback while the main one takes none. A receipt goes to one of them, never both."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from drivers.ports import Delivery, Outcome, Printer, PrinterStatus, Progress
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.errors import LoyaltyError

FAILURES_MAX = 2
"""So often in a row the main printer may fail before the circuit opens."""
REST_S = 30.0
"""An open circuit tries the main printer again after so long."""
NS_PER_S = 1_000_000_000


class FallbackPrinter:
    """Implements Printer: a circuit breaker. Each job is offered to one printer; a refused one may go to the other next time."""

    def __init__(self, main: Printer, fallback: Printer, *, now_ns: Callable[[], int] = monotonic_ns) -> None:
        self._main = main
        self._fallback = fallback
        self._now_ns = now_ns
        self._failures = 0
        self._rests_until_ns = 0
        self._reason: str | None = None

    @property
    def device(self) -> str:
        """The main printer's name."""
        return self._main.device

    def status(self) -> PrinterStatus:
        """The main printer's."""
        return self._main.status()

    def submit(self, job: bytes, progress: Progress) -> Delivery:
        """To the main printer; to the fallback while the main one rests."""
        if self._now_ns() >= self._rests_until_ns:
            return self._at_main(job, progress)
        delivery = self._fallback.submit(job, progress)
        if delivery.outcome in (Outcome.REFUSED, Outcome.UNCERTAIN):
            self._rests_until_ns = 0  # whichever of the two comes back first is found
        return replace(delivery, detour=f"receipts are printed at {self._fallback.device}: {self._reason}")

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """The drawer hangs on the main printer."""
        return self._main.pulse(fired)

    def close(self) -> None:
        """Both."""
        self._main.close()
        self._fallback.close()

    def _at_main(self, job: bytes, progress: Progress) -> Delivery:
        """A driver that breaks has failed too; what it had sent is not offered to anybody again."""
        try:
            delivery = self._main.submit(job, progress)
        except LoyaltyError:
            raise  # the till's own file, not the printer
        except Exception as error:
            self._failed(f"its driver is at fault ({type(error).__name__})")
            raise
        if delivery.outcome in (Outcome.REFUSED, Outcome.UNCERTAIN):
            self._failed(delivery.note)
        else:
            self._failures, self._reason = 0, None
        return delivery

    def _failed(self, reason: str | None) -> None:
        self._failures += 1
        self._reason = reason
        if self._failures >= FAILURES_MAX:
            self._rests_until_ns = self._now_ns() + int(REST_S * NS_PER_S)
