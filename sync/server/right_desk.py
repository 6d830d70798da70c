"""Granting rights with the mark beside head office's file: how far its own log had come when it last answered.

Rule: the mark is on disk before the answer goes out, and is no part of a backup. So a head office that was restored finds out by
itself, when it opens its file, that it told of facts which are not there.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pos_loyalty import log
from pos_loyalty.clock import NewId
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import decode, encode
from sync.identity import Holder
from sync.rights import RightsAnswer, RightsRequest
from sync.server import rights
from sync.server.ledger_store import LedgerStore
from sync.server.rights import RightTerms


class Mark(Protocol):
    """A place in head office's own log, kept apart from its database."""

    def read(self) -> Place | None:
        """The place; None when there is none. Raises StoreError when it cannot be read."""

    def put(self, place: Place) -> None:
        """Keep a place, on disk when this returns. Raises StoreError."""


class NoMark:
    """Nothing beside the database: a restore is found out by what tills were told."""

    def read(self) -> Place | None:
        """None."""
        return None

    def put(self, place: Place) -> None:
        """Kept nowhere."""


class FileMark:
    """In a file beside the database's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: Place | None = None

    def read(self) -> Place | None:
        """The file's word. One that is damaged stands in the way: whether anything was forgotten is not known without it."""
        try:
            return decode(self._path.read_bytes(), Place)
        except FileNotFoundError:
            return None
        except (OSError, InputError) as error:
            raise StoreError(f"{self._path} cannot be read ({error}); mend it, or take it away if it was not restored") from error

    def put(self, place: Place) -> None:
        """A new file in the place of the old one."""
        if place == self._last:
            return
        new = self._path.with_name(self._path.name + ".new")
        try:
            with new.open("wb") as file:
                file.write(encode(place))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error
        self._last = place


class RightDesk:
    """On which terms rights are granted, and where the mark is."""

    def __init__(self, terms: RightTerms, mark: Mark) -> None:
        self.terms = terms
        self.mark = mark

    def opened(self, store: LedgerStore, now: datetime) -> LedgerStore:
        """The store, just opened: if it lacks what was told, it goes on as one that was restored."""
        told = self.mark.read()
        if told is not None:
            with store.write():
                before = store.rights.own_head()
                rights.look_back(store, told, now)
                after = store.rights.own_head()
            if after.epoch != before.epoch:
                log.warning("head_office.restored", epoch=after.epoch, told_seq=told.seq, held_seq=before.seq)
        return store

    def answer(self, store: LedgerStore, holder: Holder, asked: RightsRequest, new_id: NewId, now: datetime) -> RightsAnswer:
        """As ``rights.answer``, and the mark is kept."""
        said = rights.answer(store, holder, asked, self.terms, new_id, now)
        self.mark.put(said.head)
        return said


def _sync_folder(folder: Path) -> None:
    """So that the new name outlives a power cut; where folders cannot be opened the file system sees to it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
