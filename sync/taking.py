"""Taking in a snapshot of head office at a till that sells: file by file, in small transactions, from wherever it was left.

Rule: what is applied and how far it is applied are one transaction, so a kill at any instruction goes on from there. Each member
is applied as of the number of our own log that head office held when the snapshot was taken; our later facts stay on top.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.errors import SnapshotGoneError, WireError
from pos_loyalty.store import coupon_words, member_bulk, outbox, right_asking, snapshot_state
from pos_loyalty.store.db import Connection, scrub, write
from pos_loyalty.store.snapshot_state import Applied
from pos_loyalty.values import Value, decode, encode
from sync import programme_list
from sync.local import Here, known_of, pulled_of
from sync.snapshot_files import SnapshotFiles
from sync.snapshot_wire import CHUNK_BYTES_MAX, Chunk, ChunkKind, Hold, Manifest, read_manifest
from sync.wire import CouponChange, MemberChange, ProgrammeBody, Reply, inflate, value_of

PORTION: Final = 1_000
"""Lines of one transaction: a sale waits for no more than that."""
UNNAMED_MAX: Final = 500
CACHE_KB: Final = 32 * 1024
"""Pages that one transaction touches stay in memory until it ends: cards come in no order."""


class Source(Protocol):
    """Who gives snapshots. Both raise HeadOfficeGoneError when no whole answer came."""

    def snapshot(self) -> Reply:
        """The manifest of the newest."""

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        """Fetch a file from a byte on; ``keep`` is given each piece with its place, as it comes. Raises SnapshotGoneError."""


class Part(Value):
    """A file of the snapshot, or (None) the end of a kind, where those go whom no file of it named."""

    kind: ChunkKind
    chunk: Chunk | None


class Advance(Value):
    """What one step did. ``is_over``: the whole snapshot is applied."""

    members: int
    is_over: bool = False


class _Line(NamedTuple):
    """Where files come from and where they wait."""

    files: SnapshotFiles
    source: Source
    snapshot_id: str

    def fetched(self, chunk: Chunk) -> list[bytes]:
        """The lines of a file, fetched as far as it is not here."""
        had = self.files.had(self.snapshot_id, chunk)
        if had < chunk.bytes:
            self.source.chunk(
                self.snapshot_id, chunk.n, had, lambda at, piece: self.files.keep(self.snapshot_id, chunk, at, piece)
            )
        return inflate(self.files.whole(self.snapshot_id, chunk), CHUNK_BYTES_MAX).splitlines()


def advance(db: Connection, here: Here, files: SnapshotFiles, source: Source, clock: Callable[[], datetime]) -> Advance:
    """Take in one more file of the snapshot that was begun, or begin with the newest.

    Raises SyncError when head office does not give it now, StoreError; the next call goes on where this one ended.
    """
    db.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    applied = snapshot_state.standing(db) or _begin(db, here, files, source)
    manifest = decode(applied.manifest, Manifest)
    parts = _parts(manifest)
    if applied.step == len(parts):
        with write(db):
            outbox.pulled(db, manifest.version, manifest.mark)
            right_asking.ask_anew(db)
            snapshot_state.put(db, None)
        files.clear()
        scrub(db)
        log.info("snapshot.applied", version=manifest.version, members=manifest.members)
        return Advance(members=0, is_over=True)
    try:
        return Advance(members=_apply_part(db, here, parts[applied.step], applied, _Line(files, source, manifest.id), clock))
    except SnapshotGoneError:
        with write(db):
            snapshot_state.put(db, None)
        raise


def _apply_part(db: Connection, here: Here, part: Part, applied: Applied, line: _Line, clock: Callable[[], datetime]) -> int:
    """All of a file, or of those whom none named; how many members it had."""
    lines = None if part.chunk is None else line.fetched(part.chunk)
    step = applied.step
    while applied.step == step:
        applied = _end_kind(db, part.kind, applied) if lines is None else _apply(db, here, part.kind, lines, applied, clock())
    if part.chunk is not None:
        line.files.done(line.snapshot_id, part.chunk)
    return len(lines) if lines is not None and part.kind == "members" else 0


def _begin(db: Connection, here: Here, files: SnapshotFiles, source: Source) -> Applied:
    manifest = read_manifest(source.snapshot(), here.head_office_key)
    files.begin(manifest.id)
    applied = Applied(manifest=encode(manifest))
    with write(db):
        snapshot_state.put(db, applied)
    return applied


def _parts(manifest: Manifest) -> list[Part]:
    """All files in order; after the last of members, and of coupons, be there none, the end of that kind."""
    parts: list[Part] = []
    for kind in ("holds", "programmes", "members", "coupons"):
        parts += [Part(kind=chunk.kind, chunk=chunk) for chunk in manifest.chunks if chunk.kind == kind]
        if kind in ("members", "coupons"):
            parts.append(Part(kind=kind, chunk=None))
    return parts


def _apply(db: Connection, here: Here, kind: ChunkKind, lines: list[bytes], applied: Applied, now: datetime) -> Applied:
    """One transaction: a portion of lines, or of those whom the lines do not name."""
    match kind:
        case "holds":
            as_of_seq = _as_of(db, here, [value_of(line, Hold, "hold") for line in lines if line])
            return _note(db, replace(applied, step=applied.step + 1, as_of_seq=as_of_seq))
        case "programmes":
            listed = programme_list.checked(
                [value_of(line, ProgrammeBody, "programme") for line in lines if line], here.head_office_key
            )
            with write(db):
                programme_list.put(db, listed, now)
                return _noted(db, replace(applied, step=applied.step + 1))
        case "members":
            return _apply_members(db, lines, applied)
        case "coupons":
            return _apply_coupons(db, lines, applied)


def _apply_members(db: Connection, lines: list[bytes], applied: Applied) -> Applied:
    portion = [pulled_of(value_of(line, MemberChange, "member")) for line in lines[applied.line : applied.line + PORTION]]
    ids = [member.member_id for member in portion]
    gone = _gone(db, "members", applied, ids)
    if len(gone) == UNNAMED_MAX:
        return _take_back(db, "members", gone, applied)
    with write(db):
        member_bulk.take_back(db, gone, _known_seq(applied))
        member_bulk.put(db, portion, _known_seq(applied))
        return _noted(db, _moved(applied, ids, len(lines)))


def _apply_coupons(db: Connection, lines: list[bytes], applied: Applied) -> Applied:
    portion = [known_of(value_of(line, CouponChange, "coupon")) for line in lines[applied.line : applied.line + PORTION]]
    codes = [coupon.code for coupon in portion]
    gone = _gone(db, "coupons", applied, codes)
    if len(gone) == UNNAMED_MAX:
        return _take_back(db, "coupons", gone, applied)
    with write(db):
        coupon_words.drop(db, gone)
        coupon_words.put_words(db, portion)
        return _noted(db, _moved(applied, codes, len(lines)))


def _end_kind(db: Connection, kind: ChunkKind, applied: Applied) -> Applied:
    """Who stands after the last that was named."""
    unnamed = member_bulk.unnamed if kind == "members" else coupon_words.unnamed
    gone = unnamed(db, applied.after, None, frozenset(), UNNAMED_MAX)
    return _take_back(db, kind, gone, applied) if gone else _note(db, replace(applied, step=applied.step + 1, line=0, after=""))


def _gone(db: Connection, kind: ChunkKind, applied: Applied, ids: list[str]) -> list[str]:
    """Who stands here up to the last of these ids and is not named. Raises WireError when the ids do not rise."""
    if any(one >= other for one, other in pairwise(ids)):
        raise WireError("the lines of the snapshot do not come in order")
    unnamed = member_bulk.unnamed if kind == "members" else coupon_words.unnamed
    return unnamed(db, applied.after, ids[-1], frozenset(ids), UNNAMED_MAX) if ids else []


def _take_back(db: Connection, kind: ChunkKind, gone: list[str], applied: Applied) -> Applied:
    with write(db):
        if kind == "members":
            member_bulk.take_back(db, gone, _known_seq(applied))
        else:
            coupon_words.drop(db, gone)
        return _noted(db, replace(applied, after=max(applied.after, gone[-1])))


def _moved(applied: Applied, ids: list[str], lines: int) -> Applied:
    """After a portion: on in the file, or at its end on to the next."""
    after = max(applied.after, ids[-1]) if ids else applied.after
    line = applied.line + len(ids)
    if line >= lines:
        return replace(applied, step=applied.step + 1, line=0, after=after)
    return replace(applied, line=line, after=after)


def _as_of(db: Connection, here: Here, holds: list[Hold]) -> int:
    """Up to which number of our own log the snapshot counts: by the newest epoch of it that is held, for a machine before may
    have written what is no part of it. Raises LogForkError when head office held another log."""
    ours = [hold for hold in holds if hold.till == here.till and hold.epoch <= here.signer.credential.epoch]
    for hold in sorted(ours, key=lambda hold: hold.epoch, reverse=True):
        last = hold.seq if hold.epoch == here.signer.credential.epoch else outbox.last_of(db, hold.epoch)
        if last is None:
            continue
        if hold.seq <= last:
            outbox.check_ours(db, hold.seq, bytes.fromhex(hold.hash))
        return min(hold.seq, last)
    return 0


def _known_seq(applied: Applied) -> int:
    assert applied.as_of_seq is not None
    return applied.as_of_seq


def _note(db: Connection, applied: Applied) -> Applied:
    with write(db):
        return _noted(db, applied)


def _noted(db: Connection, applied: Applied) -> Applied:
    snapshot_state.put(db, applied)
    return applied
