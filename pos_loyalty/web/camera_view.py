"""What the camera sees, as a stream of JPEGs for the cashier page: to this machine alone, to few pages, some times a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from drivers.ports import LiveView, ViewPicture
from pos_loyalty.config import LOOPBACK

VIEWERS_MAX = 2
PERIOD_S = 0.2
BOUNDARY = "frame"
MEDIA = f"multipart/x-mixed-replace; boundary={BOUNDARY}"


class CameraView:
    """The endpoint of one camera, or of none. Pictures are made only while somebody looks."""

    def __init__(self, view: LiveView | None) -> None:
        self._view = view
        self._viewers = 0
        self._ended = False

    def end(self) -> None:
        """Let every stream end."""
        self._ended = True

    async def answer(self, request: Request) -> Response:
        """The stream; a problem for another machine, without a camera, or when too many look."""
        if request.client is None or request.client.host not in LOOPBACK:
            raise HTTPException(403, "The camera is shown on this till alone.")
        if self._view is None:
            raise HTTPException(404, "This till has no camera to show; name one as [camera] in config.toml.")
        if self._viewers >= VIEWERS_MAX:
            raise HTTPException(503, "Too many pages show the camera; close some.")
        return StreamingResponse(self._pictures(self._view), media_type=MEDIA)

    async def _pictures(self, view: LiveView) -> AsyncIterator[bytes]:
        if self._viewers >= VIEWERS_MAX:
            return
        self._viewers += 1
        number = -1
        try:
            while not self._ended:
                picture = await asyncio.to_thread(view.picture, number)
                if picture is not None:
                    number = picture.number
                    yield _part(picture)
                await asyncio.sleep(PERIOD_S)
        finally:
            self._viewers -= 1


def _part(picture: ViewPicture) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
    return head.encode("ascii") + picture.jpeg + b"\r\n"
