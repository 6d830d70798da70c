"""Taking a till's batch in at its store's hub, and bringing it to head office as it came: steps over the hub's relay file.

Rule: the hub believes a till's own signature and nobody's word; it changes no byte. What it has not got from head office it calls
safe to nobody. Whatever of this file is lost, the tills send again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from pos_loyalty.errors import HeadOfficeGoneError, LogForkError, LogGapError, PeerError, SyncError, TokenError, WireError
from pos_loyalty.store import relay, relay_drops
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import GENESIS, Fact
from pos_loyalty.store.relay import Kept, Waiting
from pos_loyalty.store.till_facts import Place, PublicKey
from pos_loyalty.values import Value, decode
from sync.identity import Credential, Holder
from sync.protocols import check_build
from sync.server.chains import check_signed
from sync.server.steps import facts_of
from sync.wire import FACTS_MAX, Ack, BatchHeader, Relayed, Reply, decode_batch, hashes_of, read_ack

AGAIN_S: Final = 15
HOLDS: Final = "holds"
"""Kept once head office told how far it holds the logs of the hub's tills: of any other it holds nothing."""
LET_GO: Final = "let_go"
"""Machines of the store that are tills no more, those before them too, as head office told last."""
UNSURE: Final = "unsure"
"""Kept while head office's figures may count facts of which it did not say so: restored, it did not know whose hub asked."""
OF_ITS_TILL: Final[dict[str, type[SyncError]]] = {"log-fork": LogForkError, "wire": WireError}
"""What head office says of one till's batch: the till hears it from the hub as it would from head office."""


class Hub(Value):
    """Who this hub is: one of head office's tills by its credential, in a store; ``master_key``: under which batches rest."""

    credential: Credential
    master_key: bytes
    head_office_key: PublicKey

    @property
    def store(self) -> str:
        """Whose tills it speaks for."""
        return self.credential.store


class Came(Value):
    """A batch that is right and in its place. ``facts``: those that are new, with the bytes and hashes of each."""

    header: BatchHeader
    kept: Kept
    facts: tuple[Fact, ...]
    payloads: tuple[bytes, ...]
    hashes: tuple[bytes, ...]


def read_batch(db: Connection, hub: Hub, till: str, body: bytes, known: tuple[int, int] | None = None) -> Came:
    """Whether a batch may be kept; nothing is kept yet. Raises WireError, TokenError, LogGapError, LogForkError.

    ``known``: epoch and number of the till's fact up to which the hub knows what it was given back: a log begins no later.
    """
    batch = decode_batch(body)
    header = batch.header
    check_build(header.protocol, header.build)
    if header.till != till:
        raise WireError(f"till {till} sent the log of till {header.till}")
    check_signed(header, hub.head_office_key)
    if header.credential.store != hub.store:
        raise TokenError(f"till {till} is of store {header.credential.store}; this is the hub of store {hub.store}")
    facts, hashes = facts_of(batch), hashes_of(batch)
    before = relay.kept(db, till)
    _check_not_refused(before, header)
    is_begun = before is not None and before.hash is not None
    if not is_begun and known is not None:
        up_to = _known_up_to(known, header)
        if up_to is not None and before is not None and before.epoch == header.epoch:
            up_to = min(up_to, before.seq)
        if up_to is not None and header.first_seq > up_to + 1:
            raise LogGapError(f"the hub knows the log of till {till} up to {up_to}", up_to + 1)
    start = _start(db, before, header, hashes)
    first_new = max(0, start.seq + 1 - header.first_seq)
    return Came(
        header=header, kept=start, facts=facts[first_new:], payloads=batch.payloads[first_new:], hashes=hashes[first_new:]
    )


def keep_batch(db: Connection, hub: Hub, came: Came, body: bytes) -> Kept:
    """Keep it; answers how far the till's log is kept now. Within the transaction in which ``read_batch`` read it: head office's
    word on this till comes over another connection."""
    header = came.header
    last_seq = header.first_seq + header.count - 1
    now_kept = came.kept
    if came.facts:
        now_kept = replace(now_kept, epoch=header.epoch, seq=last_seq, hash=came.hashes[-1])
    relay.add_facts(db, came.facts, came.payloads, came.hashes)
    relay.keep(db, now_kept)
    if came.facts:
        waiting = Waiting(n=0, till=header.till, epoch=header.epoch, last_seq=last_seq, body=body)
        relay.add_batch(db, waiting, hub.master_key)
    return now_kept


def ack_of(kept: Kept, now: datetime, silent_s: int | None) -> Ack:
    """What the till hears: kept here so far, safe at head office so far."""
    assert kept.hash is not None
    relayed = Relayed(safe=kept.safe, silent_s=silent_s)
    return Ack(applied_seq=kept.seq, applied_hash=kept.hash.hex(), server_time=now, max_batch=FACTS_MAX, relayed=relayed)


def as_told_to(kept: Kept, asker: Credential) -> Kept:
    """What is kept of a till, for the machine that is it now: what head office holds of a machine before is no ack for its log,
    but for the facts that it goes on from."""
    safe, place = kept.safe, asker.continues
    if safe is None or safe.epoch == asker.epoch:
        return kept
    if place is not None and safe.epoch == place.epoch and safe.seq <= place.seq:
        return kept
    return replace(kept, safe=None)


def as_answered(kept: Kept, header: BatchHeader) -> Kept:
    """What is kept of a till, for the machine that sent this batch. What of an earlier epoch is kept beyond the batch another
    machine wrote: one that went on from a backup has no such facts, and goes on from the end of its own."""
    told = as_told_to(kept, header.credential)
    if header.epoch == header.credential.epoch:
        return told
    return replace(told, seq=header.first_seq + header.count - 1, hash=bytes.fromhex(header.head_hash))


def receive(db: Connection, hub: Hub, till: str, body: bytes, now: datetime, silent_s: int | None = None) -> Ack:
    """``read_batch`` and ``keep_batch``, for a hub that holds no rights."""
    with write(db):
        came = read_batch(db, hub, till, body)
        kept = keep_batch(db, hub, came, body)
    return ack_of(as_answered(kept, came.header), now, silent_s)


def next_up(db: Connection, hub: Hub, but: Collection[str] = ()) -> Waiting | None:
    """What to bring to head office next: the oldest first, so that a till's log comes after those it builds on. ``but``: tills
    that wait."""
    return relay.next_batch(db, hub.master_key, but)


def brought(db: Connection, waiting: Waiting, reply: Reply) -> int:
    """Take in head office's answer to a batch; answers after how many seconds to go on. Raises HeadOfficeGoneError when it was
    none: the same batch comes again."""
    try:
        ack = read_ack(reply)
        _check_ours(db, waiting, ack)
    except HeadOfficeGoneError:
        raise
    except TokenError as error:  # of the hub's own token: what is wrong with a till's key comes as another word
        raise HeadOfficeGoneError(str(error)) from error
    except LogGapError as error:
        _ask_anew(db, waiting, error.expected_seq)
        return 0
    except PeerError:  # of another version: it takes this batch when it is updated
        return AGAIN_S
    except SyncError as error:
        _refuse(db, waiting, error)
        return 0
    with write(db):
        one = relay.kept(db, waiting.till)
        if one is not None:
            place = Place(epoch=waiting.epoch, seq=ack.applied_seq, hash=ack.applied_hash)
            relay.keep(db, replace(one, safe=place))
        if ack.applied_seq >= waiting.last_seq:
            relay.drop_batch(db, waiting.n)
            return ack.retry_after
    return max(1, ack.retry_after or AGAIN_S)


def _check_ours(db: Connection, waiting: Waiting, ack: Ack) -> None:
    """An ack of another log is none, such as the answer to an earlier batch. Raises HeadOfficeGoneError."""
    is_named = not ack.log or (ack.log.till, ack.log.epoch) == (waiting.till, waiting.epoch)
    ours = relay.hash_at(db, waiting.till, waiting.epoch, ack.applied_seq)
    if not is_named or (ours is not None and ours.hex() != ack.applied_hash):
        raise HeadOfficeGoneError(f"head office answers of another log than that of till {waiting.till}")


def note_holds(db: Connection, holds: Sequence[tuple[str, Place]]) -> None:
    """Head office's figures count the logs of the hub's tills up to these places, and it holds so much.

    Less than before is right after its restore: what the hub has no more, the till sends again. Of a till of whose log it held
    something and that it names no more it holds nothing. A till that never spoke here is told of members too, as of its own facts
    that these figures count.
    """
    with write(db):
        if relay.word(db, HOLDS) is None:
            relay.put_word(db, HOLDS, b"told")
        if relay.word(db, UNSURE):
            for till, place in holds:
                relay_drops.tell_again(db, till, place.epoch)
            relay.put_word(db, UNSURE, b"")
        for till, place in holds:
            one = relay.kept(db, till) or Kept(till=till, epoch=place.epoch, seq=place.seq, hash=None)
            if one.counted is None or one.counted.epoch < place.epoch:  # a restore may have lost what machines before it did
                relay_drops.tell_again(db, till, place.epoch - 1)
            noted = replace(one, safe=place, counted=place, refused=one.refused if one.epoch >= place.epoch else None)
            is_forgotten = one.epoch > place.epoch  # by a restore: another machine may be the till in an epoch before
            if one.hash is None and (is_forgotten or (one.epoch, one.seq) < (place.epoch, place.seq)):
                noted = replace(noted, epoch=place.epoch, seq=place.seq)
            if one.safe is not None and _is_before(place, one.safe):
                noted = _cut(db, noted, place)
            relay.keep(db, noted)
        for one in _named_no_more(db, holds):
            nothing = Place(epoch=one.safe.epoch if one.safe else one.epoch, seq=0, hash=GENESIS.hex())
            relay.keep(db, _cut(db, replace(one, safe=nothing, counted=nothing), nothing))


def _named_no_more(db: Connection, holds: Sequence[tuple[str, Place]]) -> list[Kept]:
    """Tills of whose logs head office held something, and holds nothing; a full list may be cut."""
    named = {till for till, _ in holds}
    kept = relay.all_kept(db) if len(holds) < FACTS_MAX else ()
    return [one for one in kept if one.till not in named and one.safe is not None and one.safe.seq]


def check_in_force(db: Connection, credential: Credential) -> None:
    """Whether this machine is a till still, as far as the hub heard. Raises TokenError."""
    before = relay.kept(db, credential.till)
    if before is not None and before.epoch > credential.epoch:
        raise TokenError(f"till {credential.till} was enrolled anew since; this machine is not that till any more")
    if is_let_go(db, credential.till, credential.epoch):
        raise TokenError(f"till {credential.till} was revoked, or enrolled anew: ask head office for a new code")


def is_let_go(db: Connection, till: str, epoch: int) -> bool:
    """Whether head office said that this machine is a till no more."""
    told = relay.word(db, LET_GO)
    gone = decode(told, tuple[Holder, ...]) if told else ()
    return any(one.till == till and one.epoch >= epoch for one in gone)


def refused(db: Connection) -> tuple[str, ...]:
    """Tills whose log head office refuses; of a machine that is a till no more nobody asks."""
    return tuple(one.till for one in relay.all_kept(db) if one.refused is not None and not is_let_go(db, one.till, one.epoch))


def is_refused(db: Connection, asker: Credential) -> bool:
    """Whether head office takes nothing of this machine's log, so hears of nothing that it redeems."""
    one = relay.kept(db, asker.till)
    return one is not None and one.refused is not None and asker.epoch <= one.epoch


def is_restored(db: Connection, hub: Hub) -> bool:
    """Whether this hub ever found out that its own file was put back: it stays so until it is enrolled anew."""
    return relay.word(db, relay.RESTORED) in (_name(hub), hub.credential.till.encode())


def note_restored(db: Connection, hub: Hub) -> None:
    """It found out just now."""
    with write(db):
        relay.put_word(db, relay.RESTORED, _name(hub))


def _name(hub: Hub) -> bytes:
    """With the epoch, which a version before left out: a machine of the next one holds nothing of this one's."""
    return f"{hub.credential.till} {hub.credential.epoch}".encode()


def _is_before(place: Place, other: Place | Kept) -> bool:
    return (place.epoch, place.seq) < (other.epoch, other.seq)


def _cut(db: Connection, one: Kept, place: Place) -> Kept:
    """The till's log is kept up to a place and no further; what is missing before it stays missing."""
    relay_drops.drop_after(db, one.till, place.epoch, place.seq)
    if not _is_before(place, one):
        return one
    return replace(one, epoch=place.epoch, seq=place.seq, hash=None if one.hash is None else bytes.fromhex(place.hash))


def _check_not_refused(before: Kept | None, header: BatchHeader) -> None:
    """Head office's word on this till stands until it is enrolled anew. Raises what head office said."""
    if before is None or before.refused is None or header.credential.epoch > before.epoch:
        return
    kind, _, sentence = before.refused.partition(" ")
    raise OF_ITS_TILL.get(kind, WireError)(sentence)


def _start(db: Connection, before: Kept | None, header: BatchHeader, hashes: Sequence[bytes]) -> Kept:
    """What is kept before this batch: a log may begin here anywhere, for head office knows what came before. But of whom it told
    the hub nothing its figures count nothing: then the hub has to see the log from its beginning."""
    place = header.first_seq - 1, bytes.fromhex(header.prev_hash)
    fresh = Kept(till=header.till, epoch=header.epoch, seq=place[0], hash=place[1])
    if before is None:
        if _begins_with_one(header) and header.first_seq > 1 and relay.word(db, HOLDS) is not None:
            raise LogGapError(f"the hub was told nothing of the log of till {header.till}", 1)
        return fresh
    if before.epoch > header.credential.epoch:
        raise TokenError(f"till {header.till} was enrolled anew since; this machine is not that till any more")
    if before.epoch < header.epoch:
        up_to = _kept_up_to(before, header)
        if up_to is not None and header.first_seq > up_to + 1:
            raise LogGapError(f"the hub keeps the log of till {header.till} up to {up_to}", up_to + 1)
        return replace(fresh, safe=before.safe, counted=before.counted)
    if before.hash is None and header.first_seq <= before.seq + 1:
        return replace(before, seq=place[0], hash=place[1], refused=None)
    if header.first_seq > before.seq + 1:
        raise LogGapError(f"the hub keeps the log of till {header.till} up to {before.seq}", before.seq + 1)
    overlap = min(before.seq, header.first_seq + header.count - 1)
    theirs = place[1] if overlap < header.first_seq else hashes[overlap - header.first_seq]
    ours = before.hash if overlap == before.seq else relay.hash_at(db, header.till, header.epoch, overlap)
    if ours is not None and ours != theirs:
        raise LogForkError(f"the log of till {header.till} has another past than the one that the hub keeps up to {overlap}")
    return replace(before, refused=None)


def _kept_up_to(before: Kept, header: BatchHeader) -> int | None:
    """Up to which fact the figures that the hub tells count the log of a machine of which it keeps nothing yet; None where what
    it keeps of the machine before does not say so."""
    counted = before.counted
    if counted is not None and counted.epoch == header.epoch:
        return counted.seq
    return 0 if _begins_with_one(header) else _known_up_to((before.epoch, before.seq), header)


def _begins_with_one(header: BatchHeader) -> bool:
    """Whether this is the log of a machine that began with an empty file: its first fact has number 1."""
    return header.epoch == 1 or (header.epoch == header.credential.epoch and header.credential.continues is None)


def _known_up_to(known: tuple[int, int], header: BatchHeader) -> int | None:
    """Up to which fact a batch's log is known, from epoch and number in its own epoch or in the one that it goes on from; None
    where that says nothing of it."""
    place = header.credential.continues
    if known[0] == header.epoch:
        return known[1]
    if header.epoch == header.credential.epoch and place is not None and known[0] == place.epoch:
        return min(known[1], place.seq)
    if place is not None and known[0] < header.epoch < header.credential.epoch:  # numbers go on from machine to machine
        return known[1]
    return None


def _ask_anew(db: Connection, waiting: Waiting, expected_seq: int) -> None:
    """Head office lacks facts that are here no more: the till sends them again from there."""
    with write(db):
        one, up_to = relay.kept(db, waiting.till), expected_seq - 1
        is_before = one is None or waiting.epoch < one.newest_epoch
        if one is None or (is_before and not relay_drops.goes_on_after(db, waiting.till, waiting.epoch, up_to)):
            _let_go(db, waiting, one)
            return
        hash_ = relay.hash_at(db, waiting.till, waiting.epoch, up_to)
        relay_drops.drop_after(db, waiting.till, waiting.epoch, up_to)
        relay.keep(db, replace(one, epoch=waiting.epoch, seq=up_to, hash=hash_, safe=None))


def _refuse(db: Connection, waiting: Waiting, error: SyncError) -> None:
    """Head office does not take a till's batch. That of a machine before says nothing of the one that is the till now."""
    kind = next((kind for kind, type_ in OF_ITS_TILL.items() if isinstance(error, type_)), "wire")
    with write(db):
        one = relay.kept(db, waiting.till)
        if one is None or waiting.epoch < one.newest_epoch:
            _let_go(db, waiting, one)
            return
        if one.safe is not None:
            one = _cut(db, one, one.safe)
        relay.keep(db, replace(one, refused=f"{kind} {error}"))


def _let_go(db: Connection, waiting: Waiting, one: Kept | None) -> None:
    """Head office never takes this batch of a machine before, and nothing that follows it: it is as if that had never come here.
    What the machine that is the till now has of it too, it sends again. Within a transaction."""
    header = decode_batch(waiting.body).header
    end = Place(epoch=header.epoch, seq=header.first_seq - 1, hash=header.prev_hash)
    if one is not None and relay_drops.goes_on_after(db, waiting.till, waiting.epoch, end.seq):
        relay_drops.drop_after(db, waiting.till, end.epoch, end.seq)
        relay.keep(db, replace(one, epoch=end.epoch, seq=end.seq, hash=bytes.fromhex(end.hash)))
        return
    relay_drops.drop_of_epoch(db, waiting.till, waiting.epoch, end.seq)
    if one is not None and one.epoch == end.epoch and one.seq > end.seq:
        relay.keep(db, replace(one, seq=end.seq, hash=bytes.fromhex(end.hash)))
