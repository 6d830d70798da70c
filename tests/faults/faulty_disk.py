"""A file system of SQLite's (a VFS of apsw) that counts what goes to the disk, and fails at the n-th time: once, or for ever.

A write that fails has written its first half. After a power cut (``cut``) nothing reaches the disk any more, and what was
written and not synced may be gone: ``fall_back`` takes all or some of it away, by a seed.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

import apsw

from tests.faults.apsw_dbapi2 import VFS

Mode = Literal["once", "ever", "cut"]


class Undo(NamedTuple):
    """What stood at a place before a write that was not synced."""

    offset: int
    before: bytes
    size: int


class FaultyDisk(apsw.VFS):
    """Only files whose name begins with ``watched`` are counted and fail."""

    def __init__(self) -> None:
        super().__init__(VFS, "")
        self.count = 0
        self.met: Counter[str] = Counter()
        """Faults that were met since ``arm``, by kind."""
        self._mode: Mode | None = None
        self._watched = ""
        self._at = 0
        self._unsynced: dict[str, list[Undo]] = defaultdict(list)

    def arm(self, watched: Path, at: int, mode: Mode) -> None:
        """Fail at the ``at``-th write, sync, truncation or deletion from now on; 0 only counts."""
        self._watched, self._at, self._mode = str(watched), at, mode
        self.count = 0
        self.met.clear()
        self._unsynced.clear()

    def disarm(self) -> None:
        """A good disk again."""
        self._mode = None

    def fall_back(self, chance: Random) -> None:
        """The power was cut: take unsynced writes away, all of them or some. No connection may be open."""
        takes_all = chance.random() < 0.5
        for name, undos in self._unsynced.items():
            if not os.path.exists(name):
                continue
            with open(name, "r+b") as file:
                for undo in reversed(undos):
                    if takes_all or chance.random() < 0.5:
                        file.seek(undo.offset)
                        file.write(undo.before)
                        file.truncate(undo.size)
        self._unsynced.clear()

    def step(self, name: str, kind: str) -> None:
        """Something goes to the disk. Raises what SQLite takes for a failing disk."""
        if self._mode is None or not name.startswith(self._watched):
            return
        self.count += 1
        if not self._at or (self.count != self._at if self._mode == "once" else self.count < self._at):
            return
        is_full = kind == "write" and self._mode != "cut" and self._at // 2 % 2 == 1
        self.met[f"{kind} {'ENOSPC' if is_full else 'EIO'}"] += 1
        raise _failed(kind, is_full)

    def note(self, name: str, undo: Undo) -> None:
        """A write that is not synced yet."""
        if self._mode == "cut" and name.startswith(self._watched):
            self._unsynced[name].append(undo)

    def synced(self, name: str) -> None:
        """All of the file is on the disk."""
        self._unsynced.pop(name, None)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        """A file that fails with this disk."""
        return FaultyFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        """The end of a transaction with a rollback journal."""
        self.step(filename, "delete")
        super().xDelete(filename, syncdir)


class FaultyFile(apsw.VFSFile):
    """One open file."""

    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)

    def xWrite(self, data: bytes, offset: int) -> None:
        """Half of it when it fails."""
        try:
            self._disk.step(self._name, "write")
        except apsw.Error:
            if self._disk._mode == "once":
                super().xWrite(data[: len(data) // 2], offset)
            raise
        size = super().xFileSize()
        before = super().xRead(min(len(data), size - offset), offset) if offset < size else b""
        self._disk.note(self._name, Undo(offset, before, size))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        """Nothing is sure when it fails."""
        self._disk.step(self._name, "sync")
        super().xSync(flags)
        self._disk.synced(self._name)

    def xTruncate(self, newsize: int) -> None:
        """Counts like a write."""
        self._disk.step(self._name, "truncate")
        super().xTruncate(newsize)


def _failed(kind: str, is_full: bool) -> apsw.Error:
    codes = {"write": apsw.SQLITE_IOERR_WRITE, "sync": apsw.SQLITE_IOERR_FSYNC, "delete": apsw.SQLITE_IOERR_DELETE}
    error: apsw.Error = apsw.FullError("database or disk is full") if is_full else apsw.IOError("disk I/O error")
    error.result = apsw.SQLITE_FULL if is_full else apsw.SQLITE_IOERR
    error.extendedresult = apsw.SQLITE_FULL if is_full else codes.get(kind, apsw.SQLITE_IOERR_TRUNCATE)
    return error
