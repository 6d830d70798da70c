"""Answers that come late: real requests to a real till, kept back on their way until a test lets them go."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, Route

from tests.browser.pages import PATIENCE_MS, intercepted

HEARD_MS = 50
"""What an answer does to the page has begun by then."""
NEVER_GIVES_UP = "AbortSignal.timeout = () => new AbortController().signal"
"""The page waits for as long as the test takes, on the slowest machine too."""


class Late:
    """Requests to an address wait, or the first few (``times``), until they may go on."""

    def __init__(self, page: Page, address: str | re.Pattern[str], times: int | None = None) -> None:
        self._page = page
        self._address = address
        self._held: list[Route] = []
        self._waits = True
        page.add_init_script(NEVER_GIVES_UP)
        page.evaluate(NEVER_GIVES_UP)
        intercepted(page, address, self._hold, times)

    def _hold(self, route: Route) -> None:
        if self._waits:
            self._held.append(route)
        else:
            route.continue_()

    def asked(self) -> None:
        """Wait until the page has asked."""
        until = time.monotonic() + PATIENCE_MS / 1000
        while not self._held:
            assert time.monotonic() < until, f"nobody asked for {self._address}"
            self._page.wait_for_timeout(10)

    def arrive(self) -> None:
        """What was asked is answered, and from now on everything at once. Comes back when the page has heard the last answer."""
        self.asked()
        self._waits = False
        held, self._held = self._held, []
        for route in held:
            with self._page.expect_response(lambda answer, route=route: answer.request == route.request) as came:  # type: ignore[misc]
                route.continue_()
            came.value.finished()
        self._page.wait_for_timeout(HEARD_MS)
