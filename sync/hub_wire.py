"""How a till and its store's hub know each other: both show head office's word on their key and sign what they say.

Rule: no token of a till's ever goes to a hub, and nothing counts as the hub's that a credential of the till's own store did not
sign for this very question. A question that is caught and asked again changes nothing: batches and grants count once.
"""

from __future__ import annotations

import base64
import secrets
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta

from pos_loyalty.errors import HeadOfficeGoneError, InputError, TokenError, WireError
from pos_loyalty.store.till_facts import PublicKey
from pos_loyalty.values import Value, decode, encode
from sync import identity
from sync.identity import Credential, Signature, Signer

ASKED: Final = "Pos-Loyalty-Asked"
ANSWERED: Final = "Pos-Loyalty-Answered"
"""Headers of a question and of its answer: Base64 of a Stamp."""
STAMP_BYTES_MAX: Final = 4096


class Stamp(Value):
    """Who speaks. ``nonce``: of chance, made for the question; the answer repeats it."""

    credential: Credential
    nonce: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    signature: Signature


def stamp_question(signer: Signer, method: str, target: str, body: bytes) -> str:
    """The header of a question. ``target``: path and query as they are sent."""
    nonce = secrets.token_hex(16)
    return _packed(signer, nonce, _asked(method, target, body, nonce))


def stamp_answer(signer: Signer, nonce: str, status: int, body: bytes) -> str:
    """The header of an answer; ``body`` before it is packed for the line."""
    return _packed(signer, nonce, _answered(nonce, status, body))


def asker(header: str | None, method: str, target: str, body: bytes, head_office_key: PublicKey) -> Stamp:
    """Who asks. Raises TokenError unless a till of this head office signed exactly this question."""
    try:
        stamp = _read(header)
        identity.check_credential(stamp.credential, head_office_key)
    except WireError as error:
        raise TokenError(str(error)) from error
    if not identity.is_signed(_asked(method, target, body, stamp.nonce), stamp.signature, stamp.credential.public_key):
        raise TokenError(f"the question is not signed by the key of till {stamp.credential.till}")
    return stamp


def check_answer(header: str | None, question: str, status: int, body: bytes, signer: Signer, head_office_key: PublicKey) -> str:
    """The hub's name. Raises HeadOfficeGoneError unless a machine of the same store, by head office's word, answered this."""
    try:
        stamp, asked = _read(header), _read(question)
        identity.check_credential(stamp.credential, head_office_key)
    except WireError as error:
        raise HeadOfficeGoneError(f"something else answers in the hub's place ({error})") from error
    said = _answered(asked.nonce, status, body)
    if stamp.nonce != asked.nonce or not identity.is_signed(said, stamp.signature, stamp.credential.public_key):
        raise HeadOfficeGoneError("something else answers in the hub's place: the answer is not signed")
    if stamp.credential.store != signer.credential.store:
        raise HeadOfficeGoneError(f"the hub that answers is of store {stamp.credential.store}")
    return stamp.credential.till


def _asked(method: str, target: str, body: bytes, nonce: str) -> bytes:
    return f"pos-loyalty ask 1\n{method}\n{target}\n{sha256(body).hexdigest()}\n{nonce}".encode()


def _answered(nonce: str, status: int, body: bytes) -> bytes:
    return f"pos-loyalty answer 1\n{nonce}\n{status}\n{sha256(body).hexdigest()}".encode()


def _packed(signer: Signer, nonce: str, said: bytes) -> str:
    stamp = Stamp(credential=signer.credential, nonce=nonce, signature=identity.sign(said, signer.private_key))
    return base64.b64encode(encode(stamp)).decode()


def _read(header: str | None) -> Stamp:
    if not header or len(header) > STAMP_BYTES_MAX:
        raise WireError("nobody signed it")
    try:
        return decode(base64.b64decode(header, validate=True), Stamp, place="stamp")
    except (ValueError, InputError) as error:
        raise WireError("its signature cannot be read") from error
