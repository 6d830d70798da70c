"""The list of programmes that head office tells: signed there, checked at the till."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.store import programmes, publications
from pos_loyalty.store.db import Connection
from pos_loyalty.store.publications import Publication
from sync import identity
from sync.wire import PROGRAMMES_AHEAD_MAX, ProgrammeBody


class Published(Protocol):
    """Who knows what was published."""

    def publications(self) -> tuple[Publication, ...]:
        """All, by number."""

    def programme(self, sha: bytes) -> ProgrammeBody:
        """The body of one."""


def told(store: Published, now: datetime, office_key: str | None) -> tuple[ProgrammeBody, ...]:
    """At head office: the one in force, the one before it and the next dated ones, each signed."""
    made = []
    for one in publications.of_interest(store.publications(), now, PROGRAMMES_AHEAD_MAX):
        body = replace(store.programme(one.sha256), number=one.number, effective_from=from_ms(one.effective_ms))
        made.append(body if office_key is None else signed(body, office_key))
    return tuple(made)


def news(store: Published, now: datetime, office_key: str | None, known: str | None) -> tuple[ProgrammeBody, ...] | None:
    """The same for who has the list of this digest; None when that is the list, as it is all day: no body is read then."""
    one_by_one = publications.of_interest(store.publications(), now, PROGRAMMES_AHEAD_MAX)
    listed = _digest([(one.number, one.effective_ms, one.sha256.hex()) for one in one_by_one])
    return None if listed in (None, known) else told(store, now, office_key)


def signed(programme: ProgrammeBody, office_key: str) -> ProgrammeBody:
    """With head office's signature."""
    return replace(programme, signature=identity.sign(_said_of(programme), office_key))


def digest_of(programmes: Iterable[ProgrammeBody]) -> str | None:
    """By which both sides see that they have the same list; None for an empty one."""
    return _digest([(one.number, to_ms(one.effective_from), one.sha256) for one in programmes])


def digest_here(db: Connection) -> str | None:
    """That of the list in a till's file."""
    return _digest([(one.number, one.effective_ms, one.sha256.hex()) for one in publications.listed(db)])


def checked(programmes: Sequence[ProgrammeBody], head_office_key: str) -> tuple[ProgrammeBody, ...]:
    """At a till: those that head office signed and that can be sold by. Others are left out, and told in the log."""
    return tuple(one for one in programmes if _is_sound(one, head_office_key))


def put(db: Connection, programmes_told: Sequence[ProgrammeBody], now: datetime) -> None:
    """At a till, in a transaction: take the checked list in the place of the one that was here. An empty one changes nothing."""
    if not programmes_told:
        return
    for one in programmes_told:
        programmes.keep(db, one.id, one.version, one.body, now)
    publications.put_list(
        db,
        [
            Publication(number=one.number, sha256=bytes.fromhex(one.sha256), effective_ms=to_ms(one.effective_from))
            for one in sorted(programmes_told, key=lambda one: one.number)
        ],
    )


def _is_sound(sent: ProgrammeBody, head_office_key: str) -> bool:
    try:
        if sha256(sent.body).hexdigest() != sent.sha256:
            raise ProgrammeError("", "the programme came damaged")
        if not identity.is_signed(_said_of(sent), sent.signature, head_office_key):
            raise ProgrammeError("", "the programme is not signed by the head office that enrolled this till")
        load_programme(sent.body)
    except ProgrammeError as error:
        log.error("programme.refused", programme=sent.id, version=sent.version, reason=str(error))
        return False
    return True


def _said_of(programme: ProgrammeBody) -> bytes:
    return identity.programme_said(programme.sha256, to_ms(programme.effective_from))


def _digest(rows: list[tuple[int, int, str]]) -> str | None:
    if not rows:
        return None
    return sha256("".join(f"{number} {ms} {sha}\n" for number, ms, sha in sorted(rows)).encode()).hexdigest()
