"""Snapshots of head office on disk: built in a process of their own beside the ledger, kept until there are two newer ones.

Rule: a snapshot is there whole or not at all. It is built in a folder of another name, which gets its own when everything in it,
the signed manifest included, is on the disk.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from pos_loyalty import log
from pos_loyalty.clock import monotonic_ns, new_id
from pos_loyalty.errors import SnapshotGoneError, StoreError
from pos_loyalty.store import members, publications
from pos_loyalty.store.db import open_reader, own, snapshot
from pos_loyalty.values import decode, encode
from sync import programme_list
from sync.server import snapshot_rows, sqlite_members, sqlite_programmes
from sync.snapshot_wire import CHUNK_PLAIN_BYTES, CHUNKS_MAX, LINES_MAX, Chunk, ChunkKind, Manifest, signed

if TYPE_CHECKING:
    from pos_loyalty.store.db import Connection
    from pos_loyalty.store.publications import Publication
    from sync.wire import ProgrammeBody

KEPT: Final = 2
NICE: Final = 10
GZIP_LEVEL: Final = 3
"""Twice as fast as 6, for a tenth more bytes."""
MANIFEST: Final = "manifest.json"
PART: Final = ".part"
DIGITS: Final = 9
NS_PER_MS: Final = 1_000_000


class Copied(NamedTuple):
    """A database that is read as a copy: its URL, and what copies it to a new file."""

    url: str
    copy: Callable[[str, Path, datetime], None]


class SnapshotShelf:
    """The folder of one head office's snapshots. What it gives may be asked for by several threads."""

    def __init__(self, database: Path | Copied, office_key: str, folder: Path | None = None) -> None:
        """``folder``: where they stand, for a database that is no file; else beside it."""
        self._database = database
        self._office_key = office_key
        if folder is None:
            assert isinstance(database, Path)
            folder = folder_of(database)
        self.folder = folder

    def newest(self) -> Manifest | None:
        """The one that was built last, of those that are whole."""
        folders = self._whole()
        return self._read(folders[-1]) if folders else None

    def chunk(self, snapshot_id: str, n: int) -> tuple[Chunk, Path]:
        """A chunk with its file. Raises SnapshotGoneError."""
        folder = next((folder for folder in self._whole() if folder.suffix == f".{snapshot_id}"), None)
        manifest = None if folder is None else self._read(folder)
        if folder is None or manifest is None or not 0 <= n < len(manifest.chunks):
            raise SnapshotGoneError("head office does not keep that snapshot any more: ask for the newest")
        return manifest.chunks[n], folder / str(n)

    def build(self, now: datetime) -> None:
        """Build one in a process of its own, and let older ones go. Raises StoreError when it did not come about."""
        spawning = multiprocessing.get_context("spawn")
        child = spawning.Process(target=_build_apart, args=(self._database, self.folder, self._office_key, now), daemon=True)
        child.start()
        child.join()
        if child.exitcode != 0:
            raise StoreError(f"the snapshot of head office was not built (status {child.exitcode})")
        self._let_go()

    def _whole(self) -> list[Path]:
        """In the order in which they were built."""
        return [folder for folder in _numbered(self.folder) if (folder / MANIFEST).is_file()]

    @staticmethod
    def _read(folder: Path) -> Manifest | None:
        try:
            return decode((folder / MANIFEST).read_bytes(), Manifest)
        except FileNotFoundError:
            return None

    def _let_go(self) -> None:
        for folder in self._whole()[:-KEPT]:
            shutil.rmtree(folder, ignore_errors=True)


def forget(folder: Path) -> None:
    """Somebody is erased: no snapshot that may name them stays, finished or not. Tills that were at it begin anew."""
    for left in (*_numbered(folder), *folder.glob("*" + PART)):
        shutil.rmtree(left, ignore_errors=True)


def folder_of(database: Path) -> Path:
    """Where the snapshots of a file stand."""
    return database.with_name(database.name + ".snapshots")


def build(database: Path | Copied, folder: Path, office_key: str, now: datetime) -> Manifest:
    """One snapshot of the tables as they are now, by a read connection of its own; of a PostgreSQL database by a copy as a file,
    which is gone afterwards. Raises StoreBusyError while another is built."""
    folder.mkdir(parents=True, exist_ok=True)
    with own(folder / "building"):
        return _built(database, folder, office_key, now)


def _built(database: Path | Copied, folder: Path, office_key: str, now: datetime) -> Manifest:
    began_ns = monotonic_ns()
    made_id = new_id().hex
    part = folder / (made_id + PART)
    _sweep(folder)
    part.mkdir(parents=True)
    numbers = [int(other.stem) for other in _numbered(folder)]
    name = f"{max(numbers, default=0) + 1:0{DIGITS}}.{made_id}"
    with _file_of(database, now) as path, closing(open_reader(path)) as db, snapshot(db):
        manifest = _written(db, part, made_id, office_key, now)
    _put(part / MANIFEST, encode(manifest))
    _sync(part)
    os.replace(part, folder / name)
    _sync(folder)
    ms = (monotonic_ns() - began_ns) // NS_PER_MS
    log.info("snapshot.built", version=manifest.version, members=manifest.members, chunks=len(manifest.chunks), ms=ms)
    return manifest


@contextmanager
def _file_of(database: Path | Copied, now: datetime) -> Iterator[Path]:
    if isinstance(database, Path):
        yield database
        return
    with TemporaryDirectory(prefix="pos-loyalty-") as folder:
        database.copy(database.url, Path(folder) / "head_office.db", now)
        yield Path(folder) / "head_office.db"


def _build_apart(database: Path | Copied, folder: Path, office_key: str, now: datetime) -> None:
    """In the child: it gives way to the ledger."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    build(database, folder, office_key, now)


def _written(db: Connection, part: Path, made_id: str, office_key: str, now: datetime) -> Manifest:
    sha = publications.in_force(db, now)
    place = None if sha is None else sqlite_programmes.place(db, sha)
    told = programme_list.told(_Published(db), now, office_key)
    version = members.newest_version(db)
    chunks: list[Chunk] = []
    counts: dict[str, int] = {}
    for first, whole in (("holds", snapshot_rows.holds(db)), ("programmes", (encode(one) for one in told))):
        chunks.append(_put_chunk(part, len(chunks), cast(ChunkKind, first), b"\n".join((*whole, b""))))
    streams: tuple[tuple[ChunkKind, Iterator[bytes]], ...] = (
        ("members", snapshot_rows.member_lines(db, place, now)),
        ("coupons", snapshot_rows.coupons(db)),
    )
    for kind, lines in streams:
        for plain, count in _packed(lines):
            chunks.append(_put_chunk(part, len(chunks), kind, plain))
            counts[kind] = counts.get(kind, 0) + count
    assert len(chunks) <= CHUNKS_MAX
    manifest = Manifest(
        id=made_id,
        version=version,
        mark=sqlite_members.mark_of(db, version),
        members=counts.get("members", 0),
        chunks=tuple(chunks),
    )
    return signed(manifest, office_key)


class _Published:
    """What was published, by a read connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def publications(self) -> tuple[Publication, ...]:
        """The list."""
        return publications.listed(self._db)

    def programme(self, sha: bytes) -> ProgrammeBody:
        """A body."""
        return sqlite_programmes.body(self._db, sha)


def _packed(lines: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines, as many as make a chunk, and their number."""
    taken: list[bytes] = []
    size = 0
    for line in lines:
        taken.append(line)
        size += len(line)
        if size >= CHUNK_PLAIN_BYTES or len(taken) >= LINES_MAX:
            yield b"\n".join((*taken, b"")), len(taken)
            taken, size = [], 0
    if taken:
        yield b"\n".join((*taken, b"")), len(taken)


def _put_chunk(part: Path, n: int, kind: ChunkKind, plain: bytes) -> Chunk:
    packed = gzip.compress(plain, GZIP_LEVEL, mtime=0)
    _put(part / str(n), packed)
    return Chunk(n=n, kind=kind, sha256=sha256(packed).hexdigest(), bytes=len(packed))


def _put(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    """What a build left that did not come to its end."""
    if folder.is_dir():
        for left in folder.glob("*" + PART):
            shutil.rmtree(left, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _numbered(folder: Path) -> list[Path]:
    """Folders of snapshots are numbered as they are built, whatever the clock says."""
    return sorted(found for found in folder.glob("[0-9]*.*") if found.stem.isdigit()) if folder.is_dir() else []
