"""What head office does with a batch and a question, as functions over its store: (store, bytes, now) → answer. No HTTP here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

from msgspec import UNSET, UnsetType

from pos_loyalty.engine import load_programme
from pos_loyalty.errors import ConflictError, InputError, LogForkError, PeerError, SnapshotNeededError, TokenError, WireError
from pos_loyalty.store.decision_facts import CaseClosedFact
from pos_loyalty.store.facts import GENESIS, PAYLOAD_BYTES_MAX, Fact, fact_of, is_canonical, is_newer
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.store.till_facts import Place
from sync import programme_list
from sync.identity import Holder
from sync.protocols import PROTOCOL_BEFORE, UPDATE, check_build, check_versions
from sync.server import enrol, hearing
from sync.server.chains import begin, check_place, check_signed, held_for, is_here, is_stranger
from sync.server.kinds import check_figures, check_kind
from sync.server.ledger_store import Case, CouponAt, LedgerStore, Posting, TillHold
from sync.server.suspense import UNDOES_SALE, post
from sync.wire import (
    COUPONS_MAX,
    FACTS_MAX,
    INT64_MAX,
    MEMBERS_MAX,
    STOPS_MAX,
    Ack,
    Batch,
    Changes,
    ChangesRequest,
    LogPlace,
    MemberChange,
    Peer,
    ProgrammeBody,
    SaleQuestion,
    Suspended,
    decode_batch,
    hashes_of,
)

LOTS_IN_PAGE_MAX: Final = 20_000
MAY_BE_EARLY: Final = frozenset({"lot.unknown", "lot.overdrawn", "gift_card.unknown", "gift_card.overdrawn"})
"""What a head office that was restored finds wrong while the log that brought the points is still to come again."""
EARLY_AGAIN_S: Final = 15
BY_ITSELF: Final = "head office"


def receive_carried(store: LedgerStore, till: str, carrier: Holder, body: bytes, now: datetime, office_public: str) -> Ack:
    """``receive``, from the hub that brings the batch of another till of its store. Raises TokenError for any other carrier, and
    WireError where the till itself was let go: the hub is not told that its own token is no good."""
    credential = decode_batch(body).header.credential
    with store.write():
        enrol.check_carrier(store, carrier, credential)
    try:
        return receive(store, till, body, now, office_public)
    except TokenError as error:
        raise WireError(str(error)) from error


def receive(store: LedgerStore, till: str, body: bytes, now: datetime, office_public: str) -> Ack:
    """Take in a batch: durable when this returns. What is held already is passed over.

    Raises LogGapError when facts before it are missing, LogForkError when the till's log has two forms (the till is frozen then),
    WireError for bytes that are no batch or that the till did not sign, PeerError for a till of another time, TokenError for one
    that was let go. None of these changes what is held.
    """
    batch = decode_batch(body)
    header = batch.header
    check_build(header.protocol, header.build)
    if header.till != till:
        raise WireError(f"till {till} sent the log of till {header.till}")
    check_signed(header, office_public)
    hashes = hashes_of(batch)
    facts = facts_of(batch)
    try:
        with store.write(till):
            enrol.check_known(store, header.credential, now)
            return _take_in(store, batch, facts, hashes, now)
    except LogForkError as error:
        with store.write():
            _freeze(store, till, header.epoch, str(error), now)
        raise


def facts_of(batch: Batch) -> tuple[Fact, ...]:
    """The facts of a batch, each in canonical bytes and in its place. Raises WireError."""
    return tuple(_fact(batch, n) for n in range(batch.header.count))


def changes(
    store: LedgerStore,
    asked: ChangesRequest,
    now: datetime,
    office_key: str | None = None,
    changes_max: int = INT64_MAX,
) -> Changes:
    """A page of what changed since the asked version, as of what is held of the asking till. Raises WireError, and
    SnapshotNeededError when more than ``changes_max`` versions lie between. ``office_key``: signs the programmes.

    A version that this head office did not give, or gave before it was restored from a backup, is answered from the beginning.
    A machine of which it forgot that it was enrolled is told nothing but the programmes and to send its whole log.
    """
    peer = asked.peer
    check_versions(peer.protocol, peer.schema)
    check_build(peer.protocol, peer.build)
    with store.write():
        enrol.check_epoch(store, peer.till, peer.epoch)
        hold = held_for(store, peer.till, peer.epoch)
        if is_stranger(store, peer.till, peer.epoch):
            return _nothing_yet(asked, programme_list.news(store, now, office_key, asked.programmes), now)
        newest = store.version()
        since = asked.since if asked.since <= newest and asked.mark == store.mark(asked.since) else 0
        hearing.note_question(store, asked, hold, since, now)
        if asked.waiting is not UNSET:
            store.rights.note_hub(peer.till, asked.waiting)
        if newest - since > changes_max:
            raise SnapshotNeededError(f"{newest - since} changes are too many to be told one by one: take a snapshot first")
        found = store.changed(since, MEMBERS_MAX)
        coupons = store.changed_coupons(since, COUPONS_MAX)
        programmes = programme_list.news(store, now, office_key, asked.programmes)
        page = _page(found)
        version = _page_end(newest, found, page, coupons)
        if version == newest != since:
            store.rights.note_answer(peer.till, version, now)
        members = store.with_tiers(tuple(member for member in page if member.version <= version), now)
        mark = store.mark(version)
        key = store.keys.key(peer.till, peer.epoch)
        stops = store.truth.stops_of(key.store)[:STOPS_MAX] if key is not None and version == newest else ()
        holds = _holds(store, peer) if asked.is_hub else UNSET
        let_go = store.keys.let_go(key.store)[:FACTS_MAX] if key is not None and asked.is_hub else ()
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
        programmes=programmes,
        stops=UNSET if peer.protocol == PROTOCOL_BEFORE else stops,
        anew=since != asked.since if asked.is_hub else UNSET,
        holds=holds,
        let_go=let_go or UNSET,
    )


def _nothing_yet(asked: ChangesRequest, programmes: tuple[ProgrammeBody, ...] | None, now: datetime) -> Changes:
    return Changes(
        since=asked.since,
        as_of_seq=0,
        as_of_hash=GENESIS.hex(),
        version=asked.since,
        mark=asked.mark,
        complete=True,
        server_time=now,
        members=(),
        coupons=(),
        programmes=programmes,
    )


def _holds(store: LedgerStore, peer: Peer) -> tuple[LogPlace, ...] | UnsetType:
    """How far the logs of the tills of a hub's store are held; no word while, after a restore, nobody knows which store that
    is: the hub lets go of what it keeps of a till that is not named."""
    hub = store.keys.key(peer.till, peer.epoch)
    if hub is None:
        return UNSET
    newest = {key.till: key.epoch for key in store.keys.of_store(hub.store)}
    found = ((till, held_for(store, till, epoch)) for till, epoch in sorted(newest.items()) if till != peer.till)
    return tuple(
        LogPlace(till=till, place=Place(epoch=hold.epoch, seq=hold.applied_seq, hash=hold.applied_hash.hex()))
        for till, hold in found
        if hold is not None
    )[:FACTS_MAX]


def sold(store: LedgerStore, question: SaleQuestion, holder: Holder) -> SaleFound:
    """The sale that a till takes goods back of, with every return of it that is held. Raises TokenError."""
    with store.write():
        enrol.check_epoch(store, holder.till, holder.epoch)
        return question.fit(store.sold(question.name))


def newest_version(store: LedgerStore) -> int:
    """The newest version of any member: shows that the database answers."""
    with store.write():
        return store.version()


def publish_programme(store: LedgerStore, body: bytes, now: datetime, effective_from: datetime | None = None) -> str:
    """Put a programme in force, from an instant on or at once; gives its name. One that was published may be so again.

    Raises ProgrammeError, and ConflictError for a version with another body.
    """
    programme = load_programme(body)
    made = ProgrammeBody(id=programme.id, version=programme.version, sha256=sha256(body).hexdigest(), body=body)
    with store.write():
        store.add_programme(made, now, effective_from)
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
    newest = store.till(header.till)
    hold = begin(store, header, newest)
    check_place(store, header, hashes, hold)
    cases: list[Case] = []
    touched: dict[str, None] = {}
    again: dict[str, None] = {}
    first_new = max(0, hold.applied_seq + 1 - header.first_seq)
    prev_hash = hold.applied_hash
    _check_clocks(store, hold, facts[first_new:])
    store.expect(facts[first_new:])
    end = header.count
    for n in range(first_new, header.count):
        member_key = _key(batch, facts[n])
        if member_key is not None:
            store.keep_key(facts[n], member_key)
        again.update(dict.fromkeys(store.rights.know_again(facts[n], now)))
        posting = _posted(store, facts[n], batch.payloads[n], prev_hash, hashes[n], now)
        if posting is None:
            end = n
            break
        store.add(posting)
        cases.extend(posting.cases)
        touched.update(dict.fromkeys(_members_of(posting)))
        prev_hash = hashes[n]
    if end > first_new:
        store.rights.came(header.till)
    last_seq = header.first_seq + end - 1
    applied_seq = max(hold.applied_seq, last_seq)
    if newest is None or header.epoch >= newest.epoch:
        store.hold(TillHold(till=header.till, epoch=header.epoch, applied_seq=applied_seq, applied_hash=prev_hash), now)
    _settle_coupons(store, facts[first_new:end], now)
    touched.update(again | dict.fromkeys(store.rights.even_out(facts[first_new:end], tuple(again), now)))
    store.touch(tuple(touched))
    if header.epoch < header.credential.epoch:  # what else is held of that epoch may not be this machine's
        applied_seq, prev_hash = last_seq, hashes[end - 1] if end else bytes.fromhex(header.prev_hash)
    suspended = {case.seq: Suspended(seq=case.seq, reason=case.reason) for case in cases}
    return Ack(
        applied_seq=applied_seq,
        applied_hash=prev_hash.hex(),
        server_time=now,
        retry_after=0 if end == header.count else EARLY_AGAIN_S,
        suspense=tuple(suspended.values()),
        log=UNSET if header.protocol == PROTOCOL_BEFORE else Holder(till=header.till, epoch=header.epoch),
    )


def _settle_coupons(store: LedgerStore, facts: Sequence[Fact], now: datetime) -> None:
    """A code that two sales took is used once when one of them came off again: nothing is left for a person to do."""
    for fact in facts:
        if fact.kind not in UNDOES_SALE or fact.end is None:
            continue
        for name in store.truth.coupons_at_rest(fact.till, fact.end.sale_id):
            note = f"sale {fact.end.sale_id} of till {fact.till} came off again: the code was used once"
            said = CaseClosedFact(till=name.till, epoch=name.epoch, seq=name.seq, reason=name.reason, note=note, by=BY_ITSELF)
            store.truth.close_case(said, now)


def _check_clocks(store: LedgerStore, hold: TillHold, facts: Sequence[Fact]) -> None:
    """A log's logical clock only rises, as ``verify`` holds. Raises WireError."""
    last = store.hlc_at(hold.till, hold.epoch, hold.applied_seq)
    for fact in facts:
        if last is not None and fact.hlc <= last:
            raise WireError(f"fact {fact.seq}: hlc {fact.hlc} does not come after {last}, that of the fact before")
        last = fact.hlc


def _may_be_early(store: LedgerStore, posting: Posting) -> bool:
    """Whether a fact may speak of what another till's log brings: points or money, or that they were given back before they were
    granted anew."""
    if any(case.reason in MAY_BE_EARLY for case in posting.cases):
        return True
    grant = posting.fact.grant
    return grant is not None and posting.fact.kind == "rights.taken" and store.rights.is_too_much(grant)


def _posted(store: LedgerStore, fact: Fact, payload: bytes, prev_hash: bytes, hash_: bytes, now: datetime) -> Posting | None:
    """The fact booked, with what had to be mended for it; None when it waits for another till's log."""
    if _builds_on_more(store, fact):
        return None
    posting = _book(store, fact, payload, prev_hash, hash_)
    if posting.doubled and store.rights.make_room(posting.doubled, now):
        posting = _book(store, fact, payload, prev_hash, hash_)
    if _may_be_early(store, posting) and store.rights.lets_wait(fact.till):
        return None
    return posting


def _builds_on_more(store: LedgerStore, fact: Fact) -> bool:
    """Whether a till took what its hub got by other logs that are still to come, and these may be waited for."""
    if fact.kind != "rights.taken" or fact.grant is None:
        return False
    awaited = dict.fromkeys(part.till for part in fact.grant.after if not is_here(store, part))
    return any(store.rights.awaits(till) for till in awaited if till != fact.till)


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
        if is_newer(payload):
            raise PeerError(f"fact {seq} tells of what is not known here yet ({error}): {UPDATE}") from error
        raise WireError(f"fact {seq}: {error}") from error
    if not is_canonical(fact, payload):
        raise WireError(f"fact {seq} is not in canonical bytes")
    if not 0 <= fact.schema <= header.schema or (fact.till, fact.epoch, fact.seq) != (header.till, header.epoch, seq):
        raise WireError(f"fact {seq} calls itself fact {fact.seq} of till {fact.till}, epoch {fact.epoch}, schema {fact.schema}")
    if not (0 <= fact.mono_ns <= INT64_MAX and 0 <= fact.hlc <= INT64_MAX):
        raise WireError(f"fact {seq} has a clock out of range")
    check_kind(fact)
    check_figures(seq, payload)
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
