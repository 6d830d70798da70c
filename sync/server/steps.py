"""What head office does with a batch and a question, as functions over its store: (store, bytes, now) → answer. No HTTP here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ConflictError, InputError, LogForkError, LogGapError, WireError
from pos_loyalty.store.facts import GENESIS, PAYLOAD_BYTES_MAX, Fact, fact_of, payload_of
from pos_loyalty.store.migrations import SCHEMA
from sync.server.ledger_store import Case, CouponAt, LedgerStore, Posting, TillHold
from sync.server.suspense import post
from sync.wire import (
    COUPONS_MAX,
    INT64_MAX,
    MEMBERS_MAX,
    Ack,
    Batch,
    Changes,
    ChangesRequest,
    MemberChange,
    ProgrammeBody,
    SaleFound,
    SaleQuestion,
    Suspended,
    check_peer,
    decode_batch,
    hashes_of,
)

LOTS_IN_PAGE_MAX: Final = 20_000


def receive(store: LedgerStore, till: str, body: bytes, now: datetime, build: str) -> Ack:
    """Take in a batch: durable when this returns. What is held already is passed over.

    Raises LogGapError when facts before it are missing, LogForkError when the till's log has two forms (the till is frozen then),
    WireError for bytes that are no batch. None of these changes what is held.
    """
    batch = decode_batch(body)
    header = batch.header
    check_peer(header.protocol, header.schema, header.build, build)
    if header.till != till:
        raise WireError(f"till {till} sent the log of till {header.till}")
    hashes = hashes_of(batch)
    facts = tuple(_fact(batch, n) for n in range(header.count))
    try:
        with store.write():
            return _take_in(store, batch, facts, hashes, now)
    except LogForkError as error:
        with store.write():
            _freeze(store, till, header.epoch, str(error), now)
        raise


def changes(store: LedgerStore, asked: ChangesRequest, now: datetime, build: str) -> Changes:
    """A page of what changed since the asked version, as of what is held of the asking till. Raises WireError.

    A version that this head office did not give, or gave before it was restored from a backup, is answered from the beginning.
    """
    peer = asked.peer
    check_peer(peer.protocol, peer.schema, peer.build, build)
    with store.write():
        hold = store.till(peer.till)
        store.asked(peer.till, now)
        newest = store.version()
        since = asked.since if asked.since <= newest and asked.mark == store.mark(asked.since) else 0
        found = store.changed(since, MEMBERS_MAX)
        coupons = store.changed_coupons(since, COUPONS_MAX)
        programme = store.newest_programme()
        page = _page(found)
        version = _page_end(newest, found, page, coupons)
        members = store.with_tiers(tuple(member for member in page if member.version <= version), now)
        mark = store.mark(version)
    return Changes(
        since=asked.since,
        as_of_seq=hold.applied_seq if hold else 0,
        as_of_hash=(hold.applied_hash if hold else GENESIS).hex(),
        version=version,
        mark=mark,
        complete=version == newest,
        server_time=now,
        members=members,
        coupons=tuple(each.coupon for each in coupons if each.version <= version),
        programme=None if programme is None or programme.sha256 == asked.programme else programme,
    )


def sold(store: LedgerStore, question: SaleQuestion) -> SaleFound:
    """The sale that a till takes goods back of, with every return of it that is held."""
    with store.write():
        return SaleFound(sale=store.sold(question.name))


def newest_version(store: LedgerStore) -> int:
    """The newest version of any member: shows that the database answers."""
    with store.write():
        return store.version()


def publish_programme(store: LedgerStore, body: bytes, now: datetime) -> str:
    """Make a programme the newest; gives its name. Raises ProgrammeError, and ConflictError for a version with another body."""
    programme = load_programme(body)
    with store.write():
        store.add_programme(
            ProgrammeBody(id=programme.id, version=programme.version, sha256=sha256(body).hexdigest(), body=body), now
        )
    return programme.name


def import_members(store: LedgerStore, members: Sequence[MemberChange], now: datetime) -> None:
    """Take in members from elsewhere. Doing it again changes nothing. Raises ConflictError for a card with another holder."""
    seen: dict[str, str] = {}
    for member in members:
        for card in member.cards:
            if seen.setdefault(card.number, member.member_id) != member.member_id:
                raise ConflictError(f"one card stands with two members: {seen[card.number]} and {member.member_id}")
    for start in range(0, len(members), MEMBERS_MAX):
        with store.write():
            store.add_members(members[start : start + MEMBERS_MAX], now)


def _take_in(store: LedgerStore, batch: Batch, facts: Sequence[Fact], hashes: Sequence[bytes], now: datetime) -> Ack:
    header = batch.header
    hold = store.till(header.till) or TillHold(till=header.till, epoch=header.epoch, applied_seq=0, applied_hash=GENESIS)
    _check_place(store, batch, hashes, hold)
    cases: list[Case] = []
    touched: dict[str, None] = {}
    first_new = max(0, hold.applied_seq + 1 - header.first_seq)
    prev_hash = hold.applied_hash
    for n in range(first_new, header.count):
        member_key = _key(batch, facts[n])
        if member_key is not None:
            store.keep_key(facts[n], member_key)
        posting = _book(store, facts[n], batch.payloads[n], prev_hash, hashes[n])
        store.add(posting)
        cases.extend(posting.cases)
        touched.update(dict.fromkeys(_members_of(posting)))
        prev_hash = hashes[n]
    applied_seq = max(hold.applied_seq, header.first_seq + header.count - 1)
    store.hold(TillHold(till=header.till, epoch=header.epoch, applied_seq=applied_seq, applied_hash=prev_hash), now)
    store.touch(tuple(touched))
    suspended = {case.seq: Suspended(seq=case.seq, reason=case.reason) for case in cases}
    return Ack(applied_seq=applied_seq, applied_hash=prev_hash.hex(), server_time=now, suspense=tuple(suspended.values()))


def _check_place(store: LedgerStore, batch: Batch, hashes: Sequence[bytes], hold: TillHold) -> None:
    """The batch must lie on the chain that is held, and leave no gap."""
    header = batch.header
    if hold.frozen is not None:
        raise LogForkError(hold.frozen)
    if header.epoch != hold.epoch:
        raise WireError(f"till {header.till} is in epoch {header.epoch}, head office holds epoch {hold.epoch}: enrol it again")
    if header.first_seq > hold.applied_seq + 1:
        expected_seq = hold.applied_seq + 1
        raise LogGapError(f"head office holds the log of till {header.till} up to {hold.applied_seq}", expected_seq)
    overlap = min(hold.applied_seq, header.first_seq + header.count - 1)
    if overlap < header.first_seq:
        same = bytes.fromhex(header.prev_hash) == hold.applied_hash
    else:
        same = hashes[overlap - header.first_seq] == store.hash_at(header.till, header.epoch, overlap)
    if not same:
        raise LogForkError(f"the log of till {header.till} has another past than the one that head office holds up to {overlap}")


def _book(store: LedgerStore, fact: Fact, payload: bytes, prev_hash: bytes, hash_: bytes) -> Posting:
    known = store.known(fact)
    if known.is_id_taken:
        raise LogForkError(f"fact {fact.seq} of till {fact.till} bears the id of another fact: the till was cloned or restored")
    return post(fact, payload, prev_hash, hash_, known)


def _fact(batch: Batch, n: int) -> Fact:
    """The n-th fact, which must be in canonical bytes and in its place. Raises WireError."""
    header, payload = batch.header, batch.payloads[n]
    seq = header.first_seq + n
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise WireError(f"fact {seq} is larger than {PAYLOAD_BYTES_MAX} bytes")
    try:
        fact = fact_of(payload)
    except InputError as error:
        raise WireError(f"fact {seq}: {error}") from error
    if payload_of(fact) != payload:
        raise WireError(f"fact {seq} is not in canonical bytes")
    if (fact.schema, fact.till, fact.epoch, fact.seq) != (SCHEMA, header.till, header.epoch, seq):
        raise WireError(f"fact {seq} calls itself fact {fact.seq} of till {fact.till}, epoch {fact.epoch}, schema {fact.schema}")
    if not (0 <= fact.mono_ns <= INT64_MAX and 0 <= fact.hlc <= INT64_MAX):
        raise WireError(f"fact {seq} has a clock out of range")
    return fact


def _freeze(store: LedgerStore, till: str, epoch: int, reason: str, now: datetime) -> None:
    hold = store.till(till)
    if hold is not None and hold.frozen is not None:
        return
    seq, hash_ = (hold.applied_seq, hold.applied_hash) if hold else (0, GENESIS)
    held_epoch = hold.epoch if hold else epoch
    store.hold(TillHold(till=till, epoch=held_epoch, applied_seq=seq, applied_hash=hash_, frozen=reason), now)


def _key(batch: Batch, fact: Fact) -> bytes | None:
    about = fact.enrolment or fact.change
    return None if about is None else batch.header.member_keys.get(about.member_id)


def _members_of(posting: Posting) -> list[str]:
    fact = posting.fact
    named = [fact.member, *(entry.member_id for entry in posting.entries)]
    if fact.enrolment is not None:
        named.append(fact.enrolment.member_id)
    if fact.merge is not None:
        named.append(fact.merge.into)
    return sorted({member for member in named if member is not None})


def _page_end(newest: int, found: Sequence[MemberChange], page: Sequence[MemberChange], coupons: Sequence[CouponAt]) -> int:
    """The version up to which a page tells all: short of the newest where members or coupons had to be left out."""
    ends = [newest]
    if len(page) < len(found) or len(found) == MEMBERS_MAX:
        ends.append(page[-1].version)
    if len(coupons) == COUPONS_MAX:
        ends.append(coupons[-1].version)
    return min(ends)


def _page(members: Sequence[MemberChange]) -> tuple[MemberChange, ...]:
    """As many of the members as fit into a page by their lots, at least one."""
    page: list[MemberChange] = []
    lots = 0
    for member in members:
        lots += len(member.lots)
        if page and lots > LOTS_IN_PAGE_MAX:
            break
        page.append(member)
    return tuple(page)
