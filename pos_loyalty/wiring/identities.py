"""Identity files: head office's own keys, and what a till was enrolled as. Mode 0600, written whole or not at all."""

from __future__ import annotations

import os
import secrets as randomness
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.config import SECRETS_MODE
from pos_loyalty.errors import ConfigError, TokenError, WireError
from pos_loyalty.store import epochs
from pos_loyalty.store.db import own
from pos_loyalty.values import Value, decode, encode
from pos_loyalty.wiring.files import Settings, made_folder, till_store

if TYPE_CHECKING:
    from sync.identity import EnrolAnswer, EnrolRequest, Identity, Office

T = TypeVar("T", bound=Value)
NOT_ENROLLED = (
    "this machine is not enrolled as {till}: ask head office for a code (pos-loyalty keys code --till {till}), "
    "then run: pos-loyalty {command} --enrol CODE"
)


class Pending(Value):
    """A key pair that waits for head office's word: the same code is tried again with the same key."""

    code: str
    private_key: str


def office_of(known: Settings) -> Office:
    """Head office's keys; made at its first start."""
    from sync.identity import Office, make_key

    path = known.file(known.config.server.identity)
    if not path.exists():
        _write(path, Office(private_key=make_key(), token_secret=randomness.token_hex(32)))
    return _read(path, Office)


def identity_of(known: Settings, command: str = "sync") -> Identity:
    """What this till was enrolled as. Raises TokenError, with the mend, when it was not; ConfigError. ``command``: which enrols
    it."""
    from sync.identity import Identity

    path = known.file(known.config.till.identity)
    if not path.exists():
        raise TokenError(NOT_ENROLLED.format(till=known.config.till.id, command=command))
    identity = _read(path, Identity)
    named = identity.signer.credential.till
    if named != known.config.till.id:
        raise ConfigError(
            str(path), f"is of till {named}, not of till {known.config.till.id}: every machine is enrolled by itself"
        )
    return identity


def enrol(known: Settings, code: str, ask: Callable[[EnrolRequest], EnrolAnswer]) -> Identity:
    """Become the till of a code: a new one, or the next epoch of one that was. The till must not run meanwhile.

    Raises StoreBusyError while it runs, TokenError for a code that is not good, ConflictError, HeadOfficeGoneError. The same code
    may be tried again.
    """
    from sync import identity as words

    path = known.file(known.config.till.identity)
    pending = _pending(path, code)
    with own(made_folder(known.till_database)):
        db = till_store(known, utc_now)
        try:
            request = words.EnrolRequest(
                code=code,
                till=known.config.till.id,
                store=known.config.store.id,
                public_key=words.public_of(pending.private_key),
                head=epochs.place_of(db),
            )
            answer = ask(request)
            credential = answer.credential
            if (credential.till, credential.public_key) != (request.till, request.public_key):
                raise WireError("head office answered for another till")
            words.check_credential(credential, answer.head_office_key)
            epochs.begin(db, credential.epoch, credential.continues, store=known.config.store.id, fact_id=new_id(), now=utc_now())
        finally:
            db.close()
    signer = words.Signer(credential=credential, private_key=pending.private_key)
    made = words.Identity(signer=signer, token=answer.token, head_office_key=answer.head_office_key)
    _write(path, made)
    _pending_path(path).unlink()
    return made


def _pending(path: Path, code: str) -> Pending:
    from sync.identity import code_hash, make_key

    waiting = _pending_path(path)
    if waiting.exists():
        pending = _read(waiting, Pending)
        if pending.code == code_hash(code):
            return pending
    made = Pending(code=code_hash(code), private_key=make_key())
    _write(waiting, made)
    return made


def _pending_path(path: Path) -> Path:
    return path.with_name(path.name + ".pending")


def _read(path: Path, kind: type[T]) -> T:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(str(path), f"other users may read this key file; run: chmod 600 {path}")
    return decode(path.read_bytes(), kind, place=str(path))


def _write(path: Path, value: Value) -> None:
    """Durably, in place of what stood there."""
    part = made_folder(path).with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRETS_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode(value))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
