"""Who speaks: a till's key pair, head office's word on it, and the signature over each batch. Bytes only; no files, no sockets.

**Source:** Ed25519 (RFC 8032). Head office knows every till that it ever enrolled by its own key alone, even after its database
was restored from an old backup.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from pos_loyalty.engine.model import Id
from pos_loyalty.errors import TokenError, WireError
from pos_loyalty.store.till_facts import Epoch, Place, PublicKey
from pos_loyalty.values import Value, encode

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

CODE_BYTES: Final = 20
"""160 bits: nobody guesses a code in the two days that it lives."""
CODE_GROUP: Final = 4
CODE_SIGNS: Final = CODE_BYTES * 8 // 5
EPOCH_DIGITS: Final = 10

Signature = Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


class Credential(Value):
    """Head office's word that this key signs for this till in this epoch. ``continues``: the last fact before the epoch."""

    till: Id
    epoch: Epoch
    store: Id
    public_key: PublicKey
    continues: Place | None = None
    signature: Signature = "0" * 128


class Signer(Value):
    """What a till signs with."""

    credential: Credential
    private_key: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Identity(Value):
    """A till's own identity file: made when it is enrolled, mode 0600. ``head_office_key``: whose word on programmes counts."""

    signer: Signer
    token: Annotated[str, Meta(min_length=16, max_length=128)]
    head_office_key: PublicKey


class Holder(Value):
    """Who shows a token: a till, in the epoch that it was given in."""

    till: str
    epoch: int


class Office(Value):
    """Head office's own identity file, mode 0600. ``token_secret``: every till's token follows from it."""

    private_key: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    token_secret: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class EnrolRequest(Value):
    """A till asks to be enrolled. ``head``: the last fact in its file; seq 0 when it has none."""

    code: Annotated[str, Meta(max_length=128)]
    till: Id
    store: Id
    public_key: PublicKey
    head: Place


class EnrolAnswer(Value):
    """What the till is from now on."""

    credential: Credential
    token: str
    head_office_key: PublicKey


def make_key() -> str:
    """A new private key, hex of 32 bytes."""
    return secrets.token_hex(32)


def public_of(private_key: str) -> str:
    """The public half, hex."""
    return _private(private_key).public_key().public_bytes_raw().hex()


def certify(credential: Credential, head_office_key: str) -> Credential:
    """The credential with head office's signature."""
    return replace(credential, signature=sign(_said_of(credential), head_office_key))


def check_credential(credential: Credential, head_office_public: str) -> None:
    """Raises WireError unless head office itself wrote it."""
    if not is_signed(_said_of(credential), credential.signature, head_office_public):
        raise WireError(f"the credential of till {credential.till} is not this head office's: enrol the till again")


def head_said(till: str, epoch: int, last_seq: int, head_hash: str) -> bytes:
    """What a till signs for a batch: the hash of its last fact stands for all before it."""
    return f"pos-loyalty log 1\n{till}\n{epoch}\n{last_seq}\n{head_hash}".encode()


def programme_said(sha256_hex: str, effective_ms: int) -> bytes:
    """What head office signs for a publication: which bytes are in force from when on."""
    return f"pos-loyalty programme 1\n{sha256_hex}\n{effective_ms}".encode()


def sign(said: bytes, private_key: str) -> str:
    """The signature, hex of 64 bytes; the same bytes give the same one."""
    return _private(private_key).sign(said).hex()


def is_signed(said: bytes, signature: str, public_key: str) -> bool:
    """Whether the holder of the private half signed exactly these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def token_of(secret: str, till: str, epoch: int) -> str:
    """What a till of this epoch shows with every request. Head office stores none of them: they follow from its secret."""
    digest = hmac.digest(bytes.fromhex(secret), f"pos-loyalty token 1\n{till}\n{epoch}".encode(), "sha256")
    return f"{_base64(till.encode())}.{epoch}.{_base64(digest)}"


def holder_of(token: str, secret: str) -> Holder:
    """Whom head office gave this token. Raises TokenError when nobody."""
    match token.split("."):
        case [name, epoch, _] if epoch.isascii() and epoch.isdigit() and len(epoch) <= EPOCH_DIGITS:
            try:
                till = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
            except ValueError:
                till = ""
            if hmac.compare_digest(token.encode("utf-8", "replace"), token_of(secret, till, int(epoch)).encode()):
                return Holder(till=till, epoch=int(epoch))
    raise TokenError("this till's token is not one that head office gave")


def make_code() -> str:
    """An enrolment code, as a person types it: eight groups of four letters and digits."""
    signs = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode()
    return "-".join(signs[n : n + CODE_GROUP] for n in range(0, CODE_SIGNS, CODE_GROUP))


def code_hash(code: str) -> str:
    """What head office keeps of a code; groups, spaces and small letters do not matter. Raises WireError for what is no code."""
    signs = "".join(sign for sign in code.upper() if sign.isalnum()).replace("0", "O").replace("1", "I").replace("8", "B")
    if len(signs) != CODE_SIGNS or not signs.isascii():
        raise WireError(f"an enrolment code is {CODE_SIGNS} letters and digits; read it again")
    return sha256(f"pos-loyalty code 1\n{signs}".encode()).hexdigest()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _said_of(credential: Credential) -> bytes:
    return b"pos-loyalty credential 1\n" + encode(replace(credential, signature="0" * 128))


def _private(private_key: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private_key))
