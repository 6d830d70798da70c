"""Head office over HTTP, with requests. Every wait has an end, and no redirect is followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from msgspec.structs import asdict

from pos_loyalty.clock import monotonic_ns
from pos_loyalty.errors import HeadOfficeGoneError, InputError, WireError
from pos_loyalty.values import decode, encode
from sync.identity import EnrolRequest
from sync.wire import ANSWER_BYTES_MAX, ChangesRequest, Reply, SaleQuestion, checked, inflate, wait_of

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

CHUNK_BYTES: Final = 64 * 1024
WHOLE_FACTOR: Final = 12
"""A whole exchange may last so many times the timeout of one wait: a reply that drips in is given up."""
NS_PER_S: Final = 1_000_000_000


class HttpHeadOffice:
    """One keep-alive connection to head office for one till. Not for two threads at once."""

    def __init__(self, url: str, till: str, token: str, timeout_s: float, *, whole_factor: int = WHOLE_FACTOR) -> None:
        import requests

        self._base = f"{url.rstrip('/')}/v1"
        self._till = f"/tills/{quote(till, safe='')}"
        self._timeout_s = timeout_s
        self._whole_s = timeout_s * whole_factor
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def push(self, batch: bytes) -> Reply:
        """Send a gzip batch. Raises HeadOfficeGoneError when no whole answer came: then it may have arrived all the same."""
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        return self._ask("POST", f"{self._till}/log", data=batch, headers=headers)

    def carry(self, till: str, batch: bytes) -> Reply:
        """Bring another till's batch, as it came. Raises HeadOfficeGoneError when no whole answer came."""
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        return self._ask("POST", f"/tills/{quote(till, safe='')}/log", data=batch, headers=headers)

    def changes(self, question: bytes) -> Reply:
        """Ask for changes. Raises HeadOfficeGoneError when no whole answer came."""
        try:
            asked = decode(question, ChangesRequest)
        except InputError as error:
            raise WireError(str(error)) from error
        params: dict[str, str | int] = {
            "since": asked.since,
            "protocol": asked.peer.protocol,
            "schema": asked.peer.schema,
        }
        if asked.peer.build is not None:
            params["build"] = asked.peer.build
        if asked.mark is not None:
            params["mark"] = asked.mark
        if asked.programmes is not None:
            params["programmes"] = asked.programmes
        if isinstance(asked.head, int):
            params["head"] = asked.head
        if asked.is_hub:
            params["is_hub"] = 1
        if isinstance(asked.waiting, int):
            params["waiting"] = asked.waiting
        if asked.hub:
            params |= {"hub_life": asked.hub.life, "hub_n": asked.hub.n}
        return self._ask("GET", f"{self._till}/changes", params=params)

    def snapshot(self) -> Reply:
        """Ask for the manifest of the newest snapshot. Raises HeadOfficeGoneError when no whole answer came."""
        return self._ask("GET", "/snapshot")

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        """Fetch a file of a snapshot from a byte on, piece by piece. Raises HeadOfficeGoneError, SnapshotGoneError, WireError."""
        with self._open("GET", f"/snapshot/{snapshot_id}/{n}", headers={"Range": f"bytes={start}-"}) as (response, deadline_ns):
            if response.status_code not in (200, 206):
                checked(_reply(response, deadline_ns))
                raise HeadOfficeGoneError("head office's answer has no file of a snapshot")
            at = start if response.status_code == 206 else 0
            if response.status_code == 206 and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise HeadOfficeGoneError("head office sends another part of the snapshot than was asked for")
            while piece := response.raw.read(CHUNK_BYTES, decode_content=False):
                if monotonic_ns() > deadline_ns:
                    raise HeadOfficeGoneError("head office's answer does not end")
                keep(at, piece)
                at += len(piece)

    def rights(self, question: bytes) -> Reply:
        """Ask for rights. Raises HeadOfficeGoneError when no whole answer came."""
        return self._ask("POST", f"{self._till}/rights", data=question, headers={"Content-Type": "application/json"})

    def sale(self, question: SaleQuestion) -> Reply:
        """Ask for a sale of any till. Raises HeadOfficeGoneError when no whole answer came."""
        fields = {name: str(value) for name, value in asdict(question).items() if value}
        return self._ask("GET", "/sales", params={**fields})

    def enrol(self, asked: EnrolRequest) -> Reply:
        """Ask to be enrolled. Raises HeadOfficeGoneError when no whole answer came: ask the same again."""
        return self._ask("POST", "/enrol", data=encode(asked), headers={"Content-Type": "application/json"})

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def _ask(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str | int] | None = None,
    ) -> Reply:
        with self._open(method, path, data=data, headers=headers, params=params) as (response, deadline_ns):
            reply = _reply(response, deadline_ns)
            self._check(response, reply)
            return reply

    def _check(self, response: Response, reply: Reply) -> None:
        """Whether it is who it should be: over TLS nobody else answers at head office's address."""

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str | int] | None = None,
    ) -> Iterator[tuple[Response, int]]:
        """The answer as it begins to come, and the instant of the machine's clock when it must have ended."""
        import requests
        import urllib3

        deadline_ns = monotonic_ns() + int(self._whole_s * NS_PER_S)
        try:
            with self._session.request(
                method,
                self._base + path,
                data=data,
                headers={"Accept-Encoding": "gzip", **(headers or {})},
                params=params,
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as response:
                yield response, deadline_ns
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise HeadOfficeGoneError(f"head office does not answer ({type(error).__name__})") from error


class _Bearer:
    """The till's token on every request, empty before it has one; given so, a .netrc file is not looked into."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _reply(response: Response, deadline_ns: int) -> Reply:
    parts, size = [], 0
    while part := response.raw.read(CHUNK_BYTES, decode_content=False):
        size += len(part)
        if size > ANSWER_BYTES_MAX or monotonic_ns() > deadline_ns:
            raise HeadOfficeGoneError("head office's answer does not end")
        parts.append(part)
    body = b"".join(parts)
    if response.headers.get("Content-Encoding", "").lower() == "gzip":
        body = _plain(body)
    return Reply(
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        body=body,
        retry_after_s=wait_of(response.headers.get("Retry-After")),
    )


def _plain(body: bytes) -> bytes:
    try:
        return inflate(body, ANSWER_BYTES_MAX)
    except WireError as error:
        raise HeadOfficeGoneError(f"head office's answer came damaged: {error}") from error
