"""Granting rights with the mark beside head office's file: how far its own log had come when it last answered, and every till
that was ever granted anything.

Rule: the mark is on disk before the answer goes out, and is no part of a backup; processes over one database may share it. So a
head office that was restored finds out by itself, when it opens its file, that it told of facts which are not there, and which
tills it has to wait for. A file that knows of tills and has no mark beside it is taken for a restored one, and who else holds
rights is then a person's word.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pos_loyalty import log
from pos_loyalty.clock import NewId
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store.guard import own_in_turn
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Value, decode, encode
from sync.identity import Holder
from sync.rights import RightsAnswer, RightsRequest
from sync.server import rights
from sync.server.calls import Calls
from sync.server.ledger_store import LedgerStore
from sync.server.right_store import UNKNOWN
from sync.server.rights import Granting, RightTerms


class Told(Value):
    """The newest fact of head office's own log that anybody was told of, and all tills that were ever granted rights."""

    head: Place
    tills: tuple[str, ...] = ()


class Mark(Protocol):
    """What was told, kept apart from head office's database."""

    @property
    def is_kept(self) -> bool:
        """Whether ``put`` is more than a word."""

    def read(self) -> Told | None:
        """What was told; None when there is no mark. Raises StoreError when it cannot be read."""

    def put(self, told: Told) -> None:
        """Keep it, on disk when this returns. Raises StoreError."""

    def add(self, told: Told) -> None:
        """The same, with what another process told meanwhile. Raises StoreError."""


class NoMark:
    """Nothing beside the database: a restore is found out by what tills were told."""

    is_kept = False

    def read(self) -> Told | None:
        """None."""
        return None

    def put(self, told: Told) -> None:
        """Kept nowhere."""

    def add(self, told: Told) -> None:
        """Kept nowhere."""


class FileMark:
    """In a file beside the database's."""

    is_kept = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: Told | None = None

    def read(self) -> Told | None:
        """The file's word. One that is damaged stands in the way: whether anything was forgotten is not known without it."""
        try:
            return decode(self._path.read_bytes(), Told)
        except FileNotFoundError:
            return None
        except (OSError, InputError) as error:
            raise StoreError(
                f"{self._path} cannot be read ({error}); take it away, and head office waits for every till as after a restore"
            ) from error

    def put(self, told: Told) -> None:
        """A new file in the place of the old one."""
        if told == self._last:
            return
        new = self._path.with_name(self._path.name + ".new")
        try:
            with new.open("wb") as file:
                file.write(encode(told))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error
        self._last = told

    def add(self, told: Told) -> None:
        """What stands in the file stays: the later place, and the tills of both."""
        if told == self._last:
            return
        with own_in_turn(self._path):
            self.put(_joined(self.read(), told))
        self._last = told


class RightDesk:
    """On which terms rights are granted, and where the mark is."""

    def __init__(self, terms: RightTerms, mark: Mark) -> None:
        self.terms = terms
        self.mark = mark
        self.calls = Calls()
        self._tills: frozenset[str] = frozenset()

    def opened(self, store: LedgerStore, now: datetime) -> LedgerStore:
        """The store, just opened: if it lacks what was told, or nobody knows what was, it goes on as one that was restored."""
        told = self.mark.read()
        self._tills = frozenset(told.tills if told else ())
        with store.write():
            before = store.rights.own_head()
            if told is not None:
                here = rights.look_back(store, told.head, told.tills, now)
                if told.head.epoch < before.epoch == here.epoch and not store.rights.is_own(told.head):
                    # Another process found out first, and may not know whom this one granted something.
                    store.rights.begin_anew(here.epoch + 1, told.tills, now)
            elif self.mark.is_kept and store.rights.has_tills():
                store.rights.begin_anew(before.epoch + 1, (UNKNOWN,), now)
            after = store.rights.own_head()
        if after.epoch != before.epoch:
            log.warning("head_office.restored", epoch=after.epoch, told_seq=told.head.seq if told else None, held_seq=before.seq)
        if told is None or after.epoch != before.epoch:
            self.mark.add(Told(head=after, tills=tuple(sorted(self._tills))))
        return store

    def answer(self, store: LedgerStore, holder: Holder, asked: RightsRequest, new_id: NewId, now: datetime) -> RightsAnswer:
        """As ``rights.answer``, and the mark is kept."""
        said = rights.answer(store, holder, asked, Granting(self.terms, self.calls), new_id, now)
        if said.grants:
            self._tills |= {holder.till}
        self.mark.add(Told(head=said.head, tills=tuple(sorted(self._tills))))
        return said


def _joined(known: Told | None, told: Told) -> Told:
    if known is None:
        return told
    head = max(known.head, told.head, key=lambda place: (place.epoch, place.seq))
    return Told(head=head, tills=tuple(sorted({*known.tills, *told.tills})))


def _sync_folder(folder: Path) -> None:
    """So that the new name outlives a power cut; where folders cannot be opened the file system sees to it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
