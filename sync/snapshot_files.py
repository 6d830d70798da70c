"""Files of a snapshot on their way to a till: kept byte by byte as they come, so that a download goes on where it was cut.

Rule: a file is read only when its hash is the manifest's; one that is not is thrown away. A full disk gives back what it took.
"""

from __future__ import annotations

import errno
import shutil
from hashlib import sha256
from pathlib import Path

from pos_loyalty.errors import HeadOfficeGoneError, StoreError, StoreFullError
from sync.snapshot_wire import Chunk


class SnapshotFiles:
    """The folder beside a till's file, of one snapshot at a time."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + ".snapshot")

    def begin(self, snapshot_id: str) -> None:
        """Only files of this snapshot are kept."""
        if self._folder.is_dir():
            for old in self._folder.iterdir():
                if old.name.partition(".")[0] != snapshot_id:
                    old.unlink()

    def had(self, snapshot_id: str, chunk: Chunk) -> int:
        """Bytes of a file that are here; one that is larger than it may be is begun anew."""
        path = self._path(snapshot_id, chunk)
        size = path.stat().st_size if path.exists() else 0
        if size > chunk.bytes:
            path.unlink()
            return 0
        return size

    def keep(self, snapshot_id: str, chunk: Chunk, at: int, piece: bytes) -> None:
        """Put a piece where it belongs. Raises HeadOfficeGoneError when more comes than the manifest says, StoreError."""
        if at + len(piece) > chunk.bytes:
            raise HeadOfficeGoneError("head office's snapshot is longer than it said")
        path = self._path(snapshot_id, chunk)
        try:
            self._folder.mkdir(exist_ok=True)
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.seek(at)
                file.write(piece)
                file.truncate()
        except OSError as error:
            self.clear()
            if error.errno == errno.ENOSPC:
                raise StoreFullError("The disk is full: head office's snapshot does not fit. Sales go on; make room.") from error
            raise StoreError(f"The snapshot of head office cannot be kept: {error.strerror}") from error

    def whole(self, snapshot_id: str, chunk: Chunk) -> bytes:
        """The bytes of a whole file. Raises HeadOfficeGoneError when they are damaged: it is fetched again."""
        path = self._path(snapshot_id, chunk)
        data = path.read_bytes()
        if sha256(data).hexdigest() != chunk.sha256:
            path.unlink()
            raise HeadOfficeGoneError("a file of head office's snapshot came damaged")
        return data

    def done(self, snapshot_id: str, chunk: Chunk) -> None:
        """It is applied."""
        self._path(snapshot_id, chunk).unlink(missing_ok=True)

    def clear(self) -> None:
        """Nothing is needed any more."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, snapshot_id: str, chunk: Chunk) -> Path:
        return self._folder / f"{snapshot_id}.{chunk.n}"
