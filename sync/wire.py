"""What goes over the line, as values and bytes: batches up, acks and changes down. Bytes only; nothing here opens a socket."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeVar

from msgspec import UNSET, Meta, UnsetType

from pos_loyalty.engine.model import Id, Instant
from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import (
    HeadOfficeGoneError,
    InputError,
    LogForkError,
    LogGapError,
    PeerError,
    SnapshotGoneError,
    SnapshotNeededError,
    TokenError,
    WireError,
)
from pos_loyalty.store.decision_facts import StoreStop
from pos_loyalty.store.facts import PAYLOAD_BYTES_MAX, chain
from pos_loyalty.store.migrations import SCHEMA
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.store.till_facts import Epoch, Place
from pos_loyalty.values import Value, decode, encode
from sync.identity import Credential, EnrolAnswer, Holder, Signature
from sync.protocols import PROTOCOL as PROTOCOL
from sync.protocols import check_header
from sync.wire_members import INT64_MAX as INT64_MAX
from sync.wire_members import CardChange as CardChange
from sync.wire_members import Count as Count
from sync.wire_members import CouponChange as CouponChange
from sync.wire_members import Hash as Hash
from sync.wire_members import LotChange as LotChange
from sync.wire_members import MemberChange as MemberChange
from sync.wire_members import ProgrammeBody as ProgrammeBody
from sync.wire_members import SalesSum as SalesSum
from sync.wire_members import TierChange as TierChange

FACTS_MAX: Final = 500
COMPRESSED_BYTES_MAX: Final = 1024 * 1024
PLAIN_BYTES_MAX: Final = 8 * 1024 * 1024
LONE_FACT_BYTES_MAX: Final = PAYLOAD_BYTES_MAX + 64 * 1024
"""A batch of one fact may be so large, compressed: a fact that packs badly must not block the log behind it.

Any fact that a log takes, at most PAYLOAD_BYTES_MAX, fits alone under this and under PLAIN_BYTES_MAX.
"""
HEADER_BYTES_MAX: Final = 256 * 1024
MEMBERS_MAX: Final = 500
COUPONS_MAX: Final = 5_000
ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
RETRY_AFTER_MAX_S: Final = 900
GZIP_LEVEL: Final = 6
PROGRAMMES_AHEAD_MAX: Final = 8
PROGRAMMES_MAX: Final = PROGRAMMES_AHEAD_MAX + 2
STOPS_MAX: Final = 2_000
URN: Final = "urn:pos-loyalty:sync:"

Mark = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Key = Annotated[bytes, Meta(min_length=16, max_length=64)]
ProblemKind = Literal["log-gap", "log-fork", "wire", "too-large", "peer", "token", "busy", "snapshot", "snapshot-gone", "route"]

T = TypeVar("T")


class Peer(Value):
    """Who speaks, in which protocol, and facts of which schema it writes. ``build``: as of ``protocols.build_in``."""

    till: Id
    build: Hash | None = None
    epoch: Epoch = 1
    protocol: int = PROTOCOL
    schema: int = SCHEMA


class BatchHeader(Value, kw_only=True, omit_defaults=True):
    """First line of a batch. The facts are first_seq … first_seq + count − 1; ``prev_hash`` is the hash before the first."""

    protocol: int
    schema: int
    build: Hash | None = None
    """In protocol 0 alone."""
    till: Id
    epoch: Epoch
    first_seq: Annotated[int, Meta(ge=1, le=2**53)]
    prev_hash: Hash
    head_hash: Hash
    count: Annotated[int, Meta(ge=1, le=FACTS_MAX)]
    member_keys: Annotated[dict[Id, Key], Meta(max_length=FACTS_MAX)]
    """The data keys of members enrolled or changed in this batch. They never enter the log, so that a member can be erased."""
    credential: Credential
    signature: Signature
    """By the key of the credential, over ``identity.head_said``: the head hash stands for every fact before it."""


class Batch(Value):
    """A decoded body: payloads are the exact bytes of the till's log, in order."""

    header: BatchHeader
    payloads: tuple[bytes, ...]
    compressed_bytes: int


class Suspended(Value):
    """A fact that was accepted and contradicts what head office knows. A person looks at it; the till need not."""

    seq: int
    reason: str


class Relayed(Value):
    """Who answers is the store's hub. ``safe``: how far head office holds the till's log, as far as the hub knows.

    ``silent_s``: for how long the hub has not heard head office; None for never.
    """

    safe: Place | None = None
    silent_s: Count | None = None
    kept_seq: Count | None = None
    """With changes: how far the hub keeps the till's log, or must have it from; None: from anywhere on."""


class Ack(Value):
    """The log is held, durably, up to ``applied_seq``, whose hash is ``applied_hash``: by head office, or (``relayed``) by the
    hub, which passes it on; then only what is ``relayed.safe`` has left the till's outbox."""

    applied_seq: Count
    applied_hash: Hash
    server_time: Instant
    max_batch: Annotated[int, Meta(ge=1, le=FACTS_MAX)] = FACTS_MAX
    retry_after: Annotated[int, Meta(ge=0, le=RETRY_AFTER_MAX_S)] = 0
    """Seconds to wait before the next batch."""
    suspense: Annotated[tuple[Suspended, ...], Meta(max_length=FACTS_MAX)] = ()
    relayed: Relayed | UnsetType = UNSET
    log: Holder | UnsetType = UNSET
    """Of which log, where head office answers. Not told in protocol 0."""


class LogPlace(Value):
    """How far a till's log is held, in its newest epoch."""

    till: Id
    place: Place


class HubPlace(Value):
    """Up to which of the facts that came to a hub a till was told what others did; ``life``: of that hub's file."""

    life: Mark
    n: Count


class ChangesRequest(Value):
    """What the till has: members up to version ``since``, which bore ``mark``, and the list of programmes of that hash.

    ``hub``: what it has of the store's hub. ``is_hub``: a hub asks, and is told how far the logs of its store count; ``waiting``:
    facts of its tills that it keeps and head office has not confirmed. ``head``: the number of the last fact of its own log.
    """

    peer: Peer
    since: Count
    mark: Mark | None = None
    programmes: Hash | None = None
    head: Count | UnsetType = UNSET
    """The version before does not say it."""
    hub: HubPlace | UnsetType = UNSET
    is_hub: bool | UnsetType = UNSET
    waiting: Count | UnsetType = UNSET


class Changes(Value):
    """A page of changes, members by rising version. Every member stands as of the till's own fact ``as_of_seq``.

    ``since`` repeats the question; ``version`` and its ``mark`` are what to ask with next time; ``complete``: no more for now.
    ``programmes`` is None when the till has the same list: the one in force, the one before it and the next dated ones.
    ``as_of_seq`` and its hash are an ack too: head office holds so much.
    """

    since: Count
    as_of_seq: Count
    as_of_hash: Hash
    version: Count
    mark: Mark | None
    complete: bool
    server_time: Instant
    members: Annotated[tuple[MemberChange, ...], Meta(max_length=MEMBERS_MAX)] = ()
    coupons: Annotated[tuple[CouponChange, ...], Meta(max_length=COUPONS_MAX)] = ()
    """Codes changed after ``since``; they are numbered together with the members."""
    programmes: Annotated[tuple[ProgrammeBody, ...], Meta(max_length=PROGRAMMES_MAX)] | None = None
    stops: Annotated[tuple[StoreStop, ...], Meta(max_length=STOPS_MAX)] | UnsetType = UNSET
    """The last word on each rule that was stopped for all tills of the till's store. Not told in protocol 0."""
    anew: bool | UnsetType = UNSET
    """Told from the beginning, because ``since`` is of another past."""
    holds: Annotated[tuple[LogPlace, ...], Meta(max_length=FACTS_MAX)] | UnsetType = UNSET
    """To a hub: how far the figures count the logs of its store's tills."""
    let_go: Annotated[tuple[Holder, ...], Meta(max_length=FACTS_MAX)] | UnsetType = UNSET
    """To a hub: of tills of its store the newest machine that is that till no more."""
    relayed: Relayed | UnsetType = UNSET
    hub: HubPlace | UnsetType = UNSET
    calls: bool | UnsetType = UNSET
    """From a hub that wants rights back: ask it."""
    is_behind: bool | UnsetType = UNSET
    """From a hub that cannot tell from ``since`` on: head office can."""
    codes: Annotated[tuple[CouponChange, ...], Meta(max_length=COUPONS_MAX)] | UnsetType = UNSET
    """From such a hub: codes that the store's tills issued, took or withdrew. Head office's word may be newer: they add to it."""


class SaleQuestion(Value, omit_defaults=True):
    """Which sale a till asks for: by till and id, or by its fiscal document (drive ``fn``, number ``i``, sign ``fp``)."""

    till: Annotated[str, Meta(max_length=64)] = ""
    sale_id: Annotated[str, Meta(max_length=64)] = ""
    fn: Annotated[str, Meta(max_length=32)] = ""
    i: Annotated[str, Meta(max_length=32)] = ""
    fp: Annotated[str, Meta(max_length=32)] = ""
    after: Literal["", "all"] = ""
    """``all``: what came after a sale that does not stand there is told too. A till of the version before asks without."""

    @property
    def name(self) -> SaleName | FiscalSign:
        """What the question names."""
        if self.sale_id:
            return SaleName(till=self.till, sale_id=self.sale_id)
        return FiscalSign(fn=self.fn, fd=self.i, fp=self.fp)

    def fit(self, found: SaleFound) -> SaleFound:
        """As much of an answer as was asked for."""
        return found if self.after else SaleFound(sale=found.sale)


class Problem(Value):
    """An RFC 9457 problem document. ``detail`` is a sentence for people."""

    type: str
    title: str
    status: int
    detail: str
    expected_seq: int | None = None


class Reply(Value):
    """An HTTP answer as it came, inflated within ANSWER_BYTES_MAX."""

    status: int
    content_type: str
    body: bytes
    retry_after_s: int | None = None


def plain_batch(header: BatchHeader, payloads: Sequence[bytes]) -> bytes:
    """The body of a batch before gzip: the header, then each payload, a line each. The same input gives the same bytes."""
    assert header.count == len(payloads)
    return b"".join(line + b"\n" for line in (encode(header), *payloads))


def decode_batch(body: bytes) -> Batch:
    """Read a batch within all limits. Raises WireError; does not look into the payloads."""
    lines = inflate(body, PLAIN_BYTES_MAX).split(b"\n", FACTS_MAX + 2)
    if len(lines) < 2 or lines[-1] or len(lines) > FACTS_MAX + 2:
        raise WireError(f"a batch is a header and 1 to {FACTS_MAX} facts, each on a line that ends")
    if len(lines[0]) > HEADER_BYTES_MAX:
        raise WireError(f"the batch header is larger than {HEADER_BYTES_MAX} bytes")
    check_header(lines[0])
    header = value_of(lines[0], BatchHeader, "header")
    payloads = tuple(lines[1:-1])
    if header.count != len(payloads):
        raise WireError(f"the batch header counts {header.count} facts, {len(payloads)} came")
    if header.count > 1 and len(body) > COMPRESSED_BYTES_MAX:
        raise WireError(f"a batch of several facts is at most {COMPRESSED_BYTES_MAX} bytes, compressed")
    return Batch(header=header, payloads=payloads, compressed_bytes=len(body))


def hashes_of(batch: Batch) -> tuple[bytes, ...]:
    """The hash of each fact of a batch. Raises WireError when they do not end at the header's head."""
    last, hashes = bytes.fromhex(batch.header.prev_hash), []
    for payload in batch.payloads:
        last = chain(last, payload)
        hashes.append(last)
    if last.hex() != batch.header.head_hash:
        raise WireError("the facts of the batch do not chain up to its head hash")
    return tuple(hashes)


def inflate(data: bytes, limit: int) -> bytes:
    """Undo one gzip member, stopping hard at ``limit`` plain bytes. Raises WireError."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise WireError("the body is not gzip") from error
    if len(plain) > limit:
        raise WireError(f"the body inflates to more than {limit} bytes")
    if not stream.eof:
        raise WireError("the gzip body is cut short")
    if stream.unused_data:
        raise WireError("there is more after the gzip body")
    return plain


def deflate(data: bytes) -> bytes:
    """Gzip, the same bytes every time."""
    return gzip.compress(data, GZIP_LEVEL, mtime=0)


def read_ack(reply: Reply) -> Ack:
    """The ack in a reply to a batch. Raises what the reply says instead: see ``checked``."""
    return value_of(checked(reply), Ack, "ack")


def read_enrolment(reply: Reply) -> EnrolAnswer:
    """The answer to an enrolment. Raises what the reply says instead: see ``checked``."""
    return value_of(checked(reply), EnrolAnswer, "enrolment")


def read_changes(reply: Reply) -> Changes:
    """The changes in a reply. Raises what the reply says instead: see ``checked``."""
    return value_of(checked(reply), Changes, "changes")


def read_sale(reply: Reply, question: SaleQuestion) -> SaleFound:
    """What is known of the sale, in a reply to a question. Raises what the reply says instead, see ``checked``, and
    HeadOfficeGoneError where it is about another sale than the one that was asked for."""
    found, name = value_of(checked(reply), SaleFound, "sale"), question.name
    sale = found.sale
    told = found.name if sale is None else SaleName(till=sale.till, sale_id=sale.sale_id)
    if told is not None and isinstance(name, SaleName) and told != name:
        raise HeadOfficeGoneError("the answer is to another question")
    return found


def checked(reply: Reply) -> bytes:
    """The body of a good reply. Raises LogGapError, LogForkError or WireError for head office's own words,
    HeadOfficeGoneError for busy servers and for strangers such as a captive portal."""
    kind = reply.content_type.partition(";")[0].strip().lower()
    if reply.status == 200 and kind == "application/json":
        return reply.body
    if reply.status in (408, 425, 429) or reply.status >= 500:
        raise HeadOfficeGoneError(f"head office is busy (HTTP {reply.status})", reply.retry_after_s)
    if reply.status >= 400 and kind == "application/problem+json":
        _raise_problem(value_of(reply.body, Problem, "problem"))
    raise HeadOfficeGoneError(f"something else answers in head office's place (HTTP {reply.status}, {kind or 'no content type'})")


def problem(kind: ProblemKind, status: int, detail: str, expected_seq: int | None = None) -> Problem:
    """A problem document of this protocol."""
    return Problem(type=URN + kind, title=kind, status=status, detail=detail, expected_seq=expected_seq)


def wait_of(value: str | None) -> int | None:
    """Seconds of a Retry-After header within RETRY_AFTER_MAX_S; None when absent or a date."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return min(int(value[:9]), RETRY_AFTER_MAX_S)


def _raise_problem(said: Problem) -> None:
    match said.type.removeprefix(URN):
        case "log-gap" if said.expected_seq is not None and said.expected_seq >= 1:
            raise LogGapError(said.detail, said.expected_seq)
        case "log-fork":
            raise LogForkError(said.detail)
        case "snapshot":
            raise SnapshotNeededError(said.detail)
        case "snapshot-gone":
            raise SnapshotGoneError(said.detail)
        case "token":
            raise TokenError(said.detail)
        case "peer":
            raise PeerError(said.detail)
        case _:
            raise WireError(said.detail)


def value_of(data: bytes, kind: type[T], place: str) -> T:
    """What the bytes say. Raises WireError naming the place."""
    try:
        return decode(data, kind, place=place)
    except InputError as error:
        raise WireError(str(error)) from error
