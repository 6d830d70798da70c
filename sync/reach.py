"""Whether somebody answers at an address: one short question, for who looks at a till and sends nothing."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from pos_loyalty.errors import HeadOfficeGoneError

ANSWER_BYTES_MAX: Final = 256 * 1024


class Reached(NamedTuple):
    """Its answer, and the time by its clock, to the second; None when it does not say."""

    status: int
    body: bytes
    at: datetime | None


def reach(url: str, timeout_s: float) -> Reached:
    """Ask ``/healthz``. Raises HeadOfficeGoneError when nobody answers within the time of each wait."""
    import requests

    try:
        with requests.Session() as session:
            asked = session.get(f"{url.rstrip('/')}/healthz", timeout=timeout_s, allow_redirects=False, stream=True)
            body = next(asked.iter_content(ANSWER_BYTES_MAX), b"")
    except requests.RequestException as error:
        raise HeadOfficeGoneError(f"nobody answers at {url}") from error
    return Reached(asked.status_code, body, _date(asked.headers.get("Date")))


def _date(text: str | None) -> datetime | None:
    try:
        return None if text is None else parsedate_to_datetime(text)
    except ValueError:
        return None
