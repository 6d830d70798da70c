"""A machine's disk in the simulator: real files, and a plan of what goes wrong with the next writes.

Rule: what a COMMIT answered stands. Of what the last one wrote and did not answer any sectors may be missing; all that came
before it was synced. An image is what the next start finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Literal

from pysqlite3 import dbapi2

from pos_loyalty.store.db import Connection

SECTOR = 512
HEADER = 32
"""Of a journal. SQLite syncs it before it writes what follows, where a journal begins anew: else frames of before would count
again (https://www.sqlite.org/src/info/ff5be73dee)."""
WRITES = ("INSERT", "UPDATE", "DELETE")
WAL = "-wal"
SUFFIXES = ("", WAL, "-shm")
ONE_PROCESS = "vfs=unix-excl"
"""Nobody else opens these files: SQLite keeps its locks and the index of the journal in memory (https://www.sqlite.org/vfs.html)."""

EXECUTE = dbapi2.Connection.execute

Trouble = Literal["die", "die in commit", "lost commit", "ghost commit", "full"]
"""The machine dies at a statement, or while it commits; COMMIT fails and does not stand, or does stand; the disk is full."""


class DiedError(BaseException):
    """The process is gone: no line of its code may catch this."""


class Disk:
    """The files of one machine's databases, whose ``trouble`` comes after ``left`` more statements (or COMMITs).

    ``also``: how the names of databases beside the first one end.
    """

    def __init__(self, path: Path, *also: str) -> None:
        self.path = path
        self.stems = ("", *also)
        self.trouble: Trouble | None = None
        self.left = 0
        self.for_ever = False
        self.is_dead = False
        self.met: list[str] = []
        self.commits = 0
        self.when_written: Callable[[], None] = _nobody
        """Told of the next COMMIT, and once."""
        self._chance = Random(0)
        self._image: dict[str, bytes] | None = None

    def plan(self, trouble: Trouble, left: int, chance: Random, *, for_ever: bool = False) -> None:
        """What goes wrong next."""
        self.trouble, self.left, self._chance, self.for_ever = trouble, left, chance, for_ever

    def heal(self) -> None:
        """A good disk again."""
        self.trouble = None

    @contextmanager
    def at_peace(self) -> Iterator[None]:
        """While the laws look, nothing goes wrong."""
        before, self.trouble = self.trouble, None
        try:
            yield
        finally:
            self.trouble = before

    def cut_power(self) -> None:
        """Now, between two statements."""
        self._die(self._files())

    def restart(self) -> None:
        """The files are what the power cut left; nobody may have them open."""
        if self._image is not None:
            self.lay(self._image)
        self._image, self.is_dead, self.trouble = None, False, None

    def lay(self, files: dict[str, bytes]) -> None:
        """Put these files in the place of what there is."""
        for stem in self.stems:
            for suffix in SUFFIXES:
                self._of(stem + suffix).unlink(missing_ok=True)
        for suffix, data in files.items():
            self._of(suffix).write_bytes(data)

    def execute(self, run: Callable[..., Any], sql: str, args: tuple[Any, ...]) -> Any:
        """A statement while there is a plan, or after the machine died."""
        if self.is_dead:
            if sql == "ROLLBACK":
                return run(sql)
            raise DiedError
        is_commit = sql == "COMMIT"
        if self.trouble is None or sql == "ROLLBACK" or ("commit" in self.trouble and not is_commit):
            return run(sql, *args)
        if self.trouble == "full" and not (is_commit or sql.lstrip().startswith(WRITES)):
            return run(sql, *args)
        self.left -= 1
        if self.left > 0:
            return run(sql, *args)
        trouble = self.trouble
        if not self.for_ever:
            self.trouble = None
        self.met.append(trouble)
        match trouble:
            case "die":
                self.trouble = None
                self._die(self._files())
                raise DiedError
            case "die in commit":
                self.trouble = None
                before = self._files()
                run(sql)
                self._die(self._torn(before, self._files()))
                raise DiedError
            case "lost commit":
                raise _failed("disk I/O error", dbapi2.SQLITE_IOERR)
            case "ghost commit":
                run(sql)
                raise _failed("disk I/O error", dbapi2.SQLITE_IOERR)
            case "full":
                raise _failed("database or disk is full", dbapi2.SQLITE_FULL)

    def tell(self) -> None:
        """A COMMIT was asked for: whoever naps until then is told."""
        self.commits += 1
        told, self.when_written = self.when_written, _nobody
        told()

    def _die(self, image: dict[str, bytes]) -> None:
        self._image, self.is_dead = image, True

    def _files(self) -> dict[str, bytes]:
        names = [stem + suffix for stem in self.stems for suffix in ("", WAL)]
        return {name: self._of(name).read_bytes() for name in names if self._of(name).exists()}

    def _torn(self, before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, bytes]:
        """Some sectors of a journal are as they were, or nothing but zeros where there was nothing."""
        kept = self._chance.choice((0.0, 0.5, 0.9, 1.0))
        journals = [name for name in after if name.endswith(WAL)]
        return after | {name: self._spoilt(before.get(name, b""), after[name], kept) for name in journals}

    def _spoilt(self, old: bytes, new: bytes, kept: float) -> bytes:
        made = bytearray(new)
        for at in range(0, len(new), SECTOR):
            if new[at : at + SECTOR] != old[at : at + SECTOR] and self._chance.random() >= kept:
                made[at : at + SECTOR] = old[at : at + SECTOR].ljust(len(new[at : at + SECTOR]), b"\0")
        return new[:HEADER] + bytes(made[HEADER:])

    def _of(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def _nobody() -> None:
    """Nobody waits for a COMMIT."""


def _failed(reason: str, code: int) -> Exception:
    error: Exception = dbapi2.OperationalError(reason)
    error.sqlite_errorcode = code  # type: ignore[attr-defined]
    return error


class WatchedConnection(Connection):
    """A connection whose statements pass by the disk of the machine that opened it."""

    disk: Disk | None = None

    @classmethod
    def on(cls, disk_of: Callable[[], Disk]) -> Callable[..., WatchedConnection]:
        """What opens connections."""

        class Made(cls):  # type: ignore[misc, valid-type]
            def __init__(self, path: str, *args: Any, **more: Any) -> None:
                super().__init__(f"{path}&{ONE_PROCESS}", *args, **more)
                self.disk = disk_of()
                own = self.disk.path.parent
                assert Path(path.removeprefix("file://")).parent in (own, own.parent), f"{path}: opened by the machine of {own}"

        return Made

    def execute(self, sql: str, *args: Any) -> Any:
        disk = self.disk
        if disk is None:
            return EXECUTE(self, sql, *args)
        if sql == "COMMIT":
            disk.tell()
        if disk.trouble is None and not disk.is_dead:
            return EXECUTE(self, sql, *args)
        return disk.execute(super().execute, sql, args)
