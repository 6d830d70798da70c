"""The store's hub over HTTP: as head office, but each question is signed, without a token, and each answer is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pos_loyalty.store.till_facts import PublicKey
from sync import hub_wire
from sync.client import HttpHeadOffice
from sync.identity import Signer
from sync.wire import Reply

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

TIMEOUT_S: Final = 2.0
"""The hub is in the same room: one that takes longer is silent, and head office is asked instead."""


class HttpHub(HttpHeadOffice):
    """One keep-alive connection to the hub for one till. Not for two threads at once."""

    def __init__(self, url: str, signer: Signer, head_office_key: PublicKey, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(url, signer.credential.till, "", timeout_s)
        self._signer = signer
        self._head_office_key = head_office_key
        self._session.auth = _Signing(signer)

    def _check(self, response: Response, reply: Reply) -> None:
        """The hub's own signature for this question. Raises HeadOfficeGoneError."""
        header, question = response.headers.get(hub_wire.ANSWERED), response.request.headers[hub_wire.ASKED]
        hub_wire.check_answer(header, question, reply.status, reply.body, self._signer, self._head_office_key)


class _Signing:
    """The till's signature on every question."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        assert isinstance(body, bytes) and request.method is not None
        request.headers[hub_wire.ASKED] = hub_wire.stamp_question(self._signer, request.method, request.path_url, body)
        return request
