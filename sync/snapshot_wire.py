"""A snapshot of head office on the wire: its manifest, which head office signs, and the lines of its chunks. Bytes only.

Rule: nothing of a chunk is used before its hash is the manifest's, and nothing of a manifest before its signature is the key's.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta
from msgspec.structs import replace

from pos_loyalty.engine.model import Id
from pos_loyalty.errors import WireError
from pos_loyalty.store.till_facts import Epoch
from pos_loyalty.values import Value, encode
from sync import identity
from sync.identity import Signature
from sync.wire import ANSWER_BYTES_MAX, Count, Hash, Mark, Reply, checked, value_of

CHUNKS_MAX: Final = 100_000
LINES_MAX: Final = 10_000
"""Of one chunk."""
CHUNK_PLAIN_BYTES: Final = 4 * 1024 * 1024
"""A chunk ends above it; a member with very many lots may make it larger, up to what an answer may have."""
CHUNK_BYTES_MAX: Final = ANSWER_BYTES_MAX

ChunkKind = Literal["holds", "programmes", "members", "coupons"]
SnapshotId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class Chunk(Value):
    """One file of a snapshot: gzip of lines of one kind. ``sha256`` and ``bytes`` are of the file as it is sent."""

    n: Annotated[int, Meta(ge=0, lt=CHUNKS_MAX)]
    kind: ChunkKind
    sha256: Hash
    bytes: Annotated[int, Meta(ge=1, le=CHUNK_BYTES_MAX)]


class Manifest(Value):
    """Head office's word on a snapshot: all members and codes up to ``version``, which bears ``mark``; first the holds.

    Members come by rising id, codes by rising code, over all their chunks: who is not named between two that are is not there.
    """

    id: SnapshotId
    version: Count
    mark: Mark | None
    members: Count
    chunks: Annotated[tuple[Chunk, ...], Meta(min_length=2, max_length=CHUNKS_MAX)]
    signature: Signature = "0" * 128


class Hold(Value):
    """How far head office held a till's log, in one of its epochs, when the snapshot was taken."""

    till: Id
    epoch: Epoch
    seq: Count
    hash: Hash


def signed(manifest: Manifest, private_key: str) -> Manifest:
    """The manifest with head office's signature."""
    return replace(manifest, signature=identity.sign(_said_of(manifest), private_key))


def check_manifest(manifest: Manifest, head_office_key: str) -> None:
    """Raises WireError unless this head office wrote it, and its chunks are in their order."""
    if not identity.is_signed(_said_of(manifest), manifest.signature, head_office_key):
        raise WireError("the snapshot is not signed by the head office that enrolled this till")
    if [chunk.n for chunk in manifest.chunks] != [*range(len(manifest.chunks))]:
        raise WireError("the chunks of the snapshot are not numbered from 0 on")
    kinds = [ORDER[chunk.kind] for chunk in manifest.chunks]
    if kinds[:2] != [0, 1] or min(kinds[2:], default=2) < 2 or sorted(kinds) != kinds:
        raise WireError("the chunks of the snapshot are not one of holds, one of programmes, then members, then coupons")


def read_manifest(reply: Reply, head_office_key: str) -> Manifest:
    """The manifest in a reply, which must be this head office's. Raises what the reply says instead: see ``wire.checked``."""
    manifest = value_of(checked(reply), Manifest, "snapshot")
    check_manifest(manifest, head_office_key)
    return manifest


def _said_of(manifest: Manifest) -> bytes:
    return b"pos-loyalty snapshot 1\n" + encode(replace(manifest, signature="0" * 128))


ORDER: Final[dict[ChunkKind, int]] = {"holds": 0, "programmes": 1, "members": 2, "coupons": 3}
