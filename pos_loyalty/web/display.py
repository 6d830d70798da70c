"""What turns to the buyer, for a monitor of its own: the page ``/display`` and the stream that fills it. It takes no input.

The stream says at once what is to be seen and then whenever it changes; a page that was away catches up by asking again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import lru_cache, partial

import msgspec
from jinja2 import Template
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pos_loyalty.config import Language
from pos_loyalty.i18n import SIGNS, catalogue, tr
from pos_loyalty.till.buyer import Buyer, BuyerView
from pos_loyalty.values import Value, encode
from pos_loyalty.web.verbs import Shop

VIEWERS_MAX = 4
PERIOD_S = 0.2
"""At most five views a second; the newest wins."""
HEARTBEAT_S = 15.0
RETRY_MS = 1000
PREFIX = "display."
SCRIPT_WORDS = (PREFIX, "point.")
QR_SIGNS_MAX = 512


class DisplayShown(Value):
    """One event of the stream. QR symbols come as rows of dark (1) and light (0) squares; none where there is no code."""

    view: BuyerView
    receipt_qr: tuple[str, ...] = ()
    referral_qr: tuple[str, ...] = ()


class BuyerScreen:
    """The stream's endpoint."""

    def __init__(self, buyer: Buyer) -> None:
        self._buyer = buyer
        self._wakes: set[Callable[[], None]] = set()
        self._ended = False

    @property
    def viewers(self) -> int:
        """How many pages look."""
        return len(self._wakes)

    def end(self) -> None:
        """Let every stream end. Called in the server's loop."""
        self._ended = True
        for wake in tuple(self._wakes):
            wake()

    async def answer(self, request: Request) -> Response:
        """The stream; a problem when too many look."""
        if self.viewers >= VIEWERS_MAX:
            raise HTTPException(503, "Too many pages show the buyer's screen; close some.")
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[bytes]:
        changed, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                loop.call_soon_threadsafe(changed.set)

        self._wakes.add(wake)
        leave = self._buyer.listen(wake)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            shown: BuyerView | None = None
            while not self._ended:
                changed.clear()
                view, left_s = self._buyer.seen()
                if view != shown:
                    shown = view
                    yield b"event: view\ndata: " + encode(await asyncio.to_thread(_shown, view)) + b"\n\n"
                    await asyncio.sleep(PERIOD_S)
                elif left_s is None:
                    yield b": still here\n\n"
                with suppress(TimeoutError):
                    async with asyncio.timeout(HEARTBEAT_S if left_s is None else min(left_s, HEARTBEAT_S)):
                        await changed.wait()
        finally:
            leave()
            self._wakes.discard(wake)


def render_display(template: Template, shop: Shop, language: Language) -> str:
    """The page, which its script fills."""
    words = {key.removeprefix(PREFIX): text for key, text in catalogue(language).items() if key.startswith(SCRIPT_WORDS)}
    return template.render(
        tr=partial(tr, language),
        language=language,
        shop=shop,
        sign=SIGNS.get(shop.currency, shop.currency) if language == "ru" else shop.currency,
        greeting=shop.greetings.get(language) or tr(language, "display.greeting"),
        words=msgspec.json.encode(words).decode(),
    )


def _shown(view: BuyerView) -> DisplayShown:
    return DisplayShown(view=view, receipt_qr=_rows(view.receipt_code), referral_qr=_rows(view.referral_code))


@lru_cache(maxsize=8)
def _rows(text: str) -> tuple[str, ...]:
    """A QR symbol without its quiet zone, which the page leaves free."""
    if not 0 < len(text) <= QR_SIGNS_MAX:
        return ()
    import segno

    code = segno.make_qr(text, error="m", boost_error=False)
    return tuple("".join("1" if dark else "0" for dark in row) for row in code.matrix)
