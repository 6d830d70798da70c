"""What keeps our files whole from outside SQLite: one process a till, one SQLite a process, a local disk."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from pos_loyalty.errors import StoreBusyError, StoreError

REMOTE_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs"})
LIBRARY_MARKS = ("_sqlite3.", "libsqlite3", "apsw", "sqlcipher", "sqlean", "sqlite_scanner")
PID_DIGITS_MAX = 20
TURN_TRIES, TURN_WAIT_S = 200, 0.01
LOCK_PID_AT, LOCK_FILE_AT = 4, 5
"""**Source:** proc_locks(5): ``1: FLOCK ADVISORY WRITE 1234 08:02:5678 0 EOF``."""

_ours: set[str] = set()
"""Real paths that the stdlib's SQLite may not open. An audit hook cannot be taken back, so there is one for the process."""


class Owned:
    """The lock of one till process over one file. The system drops it when the process dies."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def close(self) -> None:
        """Give the file free. Twice does no harm."""
        self._file.close()

    def __enter__(self) -> Owned:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def own(path: Path) -> Owned:
    """Make this the only process that sells from the file. Raises StoreBusyError naming the other process."""
    lock_path = path.with_name(path.name + ".lock")
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    file = lock_path.open("a+b")
    try:
        _lock(file.fileno())
    except OSError as error:
        file.seek(0)
        holder = file.read(PID_DIGITS_MAX).decode("ascii", "replace").strip() or "unknown"
        file.close()
        raise StoreBusyError(f"Another process ({holder}) already works on {path}; stop it first.") from error
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return Owned(file)


def own_in_turn(path: Path) -> Owned:
    """Wait to be the only process that writes this file, for a moment: who has it lets go at once. Raises StoreBusyError."""
    for _ in range(TURN_TRIES - 1):
        try:
            return own(path)
        except StoreBusyError:
            time.sleep(TURN_WAIT_S)
    return own(path)


def seller_of(path: Path) -> int | None:
    """The process that sells from the file, by the system's list of locks, which is not touched; None when none is seen."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        inode, holder = str(lock_path.stat().st_ino), lock_path.read_text(encoding="ascii")
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    for fields in map(str.split, locks.splitlines()):
        is_flock = len(fields) > LOCK_FILE_AT and fields[1] == "FLOCK"
        if is_flock and fields[LOCK_PID_AT] == holder and fields[LOCK_FILE_AT].rpartition(":")[2] == inode:
            return int(holder)
    return None


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, PID_DIGITS_MAX, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def refuse_stdlib_opens(path: Path) -> None:
    """From now on Python's own sqlite3 may not open this file in this process."""
    if not _ours:
        sys.addaudithook(_audit)
    _ours.add(os.path.realpath(path))


def guard_single_copy() -> None:
    """Refuse to sell in a process that has a second SQLite loaded. Raises StoreError naming it. Linux only; else no check."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return
    second = second_copies(maps.read_text(), ours=_own_library())
    if second:
        raise StoreError(f"A second SQLite is loaded in this process ({second[0]}); it would break the locks of the database.")


def second_copies(maps: str, *, ours: str) -> tuple[str, ...]:
    """SQLite libraries in a memory map other than ours, by full path: two of them share one file name."""
    paths = {line.split(maxsplit=5)[5].strip() for line in maps.splitlines() if len(line.split(maxsplit=5)) == 6}
    names = ((path, os.path.basename(path)) for path in paths)
    return tuple(sorted(path for path, name in names if ".so" in name and path != ours and _is_sqlite(path, name)))


def check_local(path: Path) -> None:
    """SQLite's locks do not hold over a network. Raises StoreError."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return
    kind = file_system_of(os.path.realpath(path), mounts.read_text())
    if kind in REMOTE_FILE_SYSTEMS:
        raise StoreError(f"{path} lies on a network file system ({kind}); a till's database needs a local disk.")


def file_system_of(path: str, mounts: str) -> str:
    """The file system that holds an absolute path, by a table in the form of /proc/mounts."""
    best = kind = ""
    for line in mounts.splitlines():
        point, mounted = line.split()[1:3]
        point = point.replace("\\040", " ")
        if len(point) >= len(best) and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, kind = point, mounted
    return kind


def _is_sqlite(path: str, name: str) -> bool:
    return any(name.startswith(mark) for mark in LIBRARY_MARKS) or f"{os.sep}apsw{os.sep}" in path


def _own_library() -> str:
    from pysqlite3 import _sqlite3

    return os.path.realpath(str(_sqlite3.__file__))


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "sqlite3.connect" and arguments and _plain_path(arguments[0]) in _ours:
        raise StoreError("Python's own sqlite3 may not open a database of pos_loyalty; use pos_loyalty.store.db.")


def _plain_path(database: object) -> str | None:
    if not isinstance(database, (str, bytes, os.PathLike)):
        return None
    text = os.fsdecode(database)
    return os.path.realpath(unquote(urlsplit(text).path) if text.startswith("file:") else text)
