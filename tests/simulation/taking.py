"""Snapshots without HTTP: head office's shelf and a line that may be cut at any byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.values import encode
from sync.server.snapshots import SnapshotShelf, build
from sync.snapshot_files import SnapshotFiles
from sync.snapshot_wire import Manifest
from sync.taking import advance
from sync.wire import Reply
from tests.simulation.shop import NOW, OFFICE, HeadOffice, Till, json_reply


class Source:
    """Gives the newest snapshot; ``cut_after`` bytes the line goes dead, once."""

    def __init__(self, office: HeadOffice) -> None:
        self.shelf = SnapshotShelf(office.path, OFFICE.private_key)
        self.cut_after: int | None = None
        self.given = 0

    def snapshot(self) -> Reply:
        newest = self.shelf.newest()
        assert newest is not None
        return json_reply(200, encode(newest))

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        _, path = self.shelf.chunk(snapshot_id, n)
        data = path.read_bytes()[start:]
        if self.cut_after is not None and len(data) > self.cut_after:
            cut, self.cut_after = self.cut_after, None
            keep(start, data[:cut])
            raise HeadOfficeGoneError("cut")
        self.given += len(data)
        keep(start, data)


def built(office: HeadOffice) -> Manifest:
    """A snapshot of head office as it is now."""
    return build(office.path, SnapshotShelf(office.path, OFFICE.private_key).folder, OFFICE.private_key, NOW)


def files_of(till: Till) -> SnapshotFiles:
    return SnapshotFiles(till.path)


def take(till: Till, source: Source) -> None:
    """The whole snapshot."""
    while not advance(till.db, till.here, files_of(till), source, lambda: NOW).is_over:
        pass


def snapshot_folder(till: Till) -> Path:
    return till.path.with_name(till.path.name + ".snapshot")
