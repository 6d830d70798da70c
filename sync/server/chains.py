"""Where a batch lies on what head office holds of a till: its epoch, its signature, its place. Rule: a till's log is one chain.

A later epoch goes on from a fact of an earlier one, in number and in hash. A till that was restored from a backup goes on from
an older fact: what it had sent after that stays held as the earlier epoch's end.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.errors import LogForkError, LogGapError, WireError
from pos_loyalty.store.facts import GENESIS
from pos_loyalty.store.right_facts import LogPart
from sync import identity
from sync.server.ledger_store import LedgerStore, TillHold
from sync.wire import BatchHeader


def check_signed(header: BatchHeader, office_public: str) -> None:
    """The batch must be signed by a key that this head office enrolled, for facts that the key may speak of. Raises WireError."""
    credential = header.credential
    if credential.till != header.till:
        raise WireError(f"the credential is of till {credential.till}, the log of till {header.till}")
    identity.check_credential(credential, office_public)
    last_seq = header.first_seq + header.count - 1
    said = identity.head_said(header.till, header.epoch, last_seq, header.head_hash)
    if not identity.is_signed(said, header.signature, credential.public_key):
        raise WireError(f"the batch is not signed by the key of till {header.till}")
    place = credential.continues
    is_before = header.epoch < credential.epoch and place is not None and last_seq <= place.seq
    if header.epoch != credential.epoch and not is_before:
        raise WireError(f"the key of epoch {credential.epoch} does not speak for fact {last_seq} of epoch {header.epoch}")


def begin(store: LedgerStore, header: BatchHeader, newest: TillHold | None) -> TillHold:
    """What is held of the batch's own epoch, before it. An epoch that is new here begins after the fact that it names.

    Raises LogGapError when that fact has not come yet.
    """
    if newest is not None and newest.epoch == header.epoch:
        return newest
    held = store.last_of(header.till, header.epoch)
    if held is not None:
        return held
    seq, hash_ = _start(header)
    if seq == 0:
        return TillHold(till=header.till, epoch=header.epoch, applied_seq=0, applied_hash=GENESIS)
    if not store.is_held(header.till, seq, hash_):
        raise _not_held(store, header, seq)
    return TillHold(till=header.till, epoch=header.epoch, applied_seq=seq, applied_hash=hash_)


def _not_held(store: LedgerStore, header: BatchHeader, seq: int) -> LogForkError | LogGapError:
    """The fact that the batch's epoch goes on from is not here: another one stands in its place, or it is still to come.

    Whether one stands there its own epoch says: a machine that began with an empty file has the same numbers once more.
    """
    place = header.credential.continues
    epoch = header.epoch if place is None or header.epoch != header.credential.epoch else place.epoch
    held = store.last_of(header.till, epoch)
    held_seq = 0 if held is None else held.applied_seq
    if held_seq >= seq:
        return LogForkError(
            f"head office holds another fact {seq} of till {header.till} than the one that epoch {header.epoch} goes on from"
        )
    return LogGapError(f"head office holds the log of till {header.till} up to {held_seq}", held_seq + 1)


def check_place(store: LedgerStore, header: BatchHeader, hashes: Sequence[bytes], hold: TillHold) -> None:
    """The batch must lie on the chain that is held, and leave no gap. Raises LogGapError, LogForkError.

    A frozen till is let go on by a new enrolment alone; then what its new epoch goes on from is taken from the old one too.
    """
    if hold.frozen is not None and header.epoch == header.credential.epoch:
        raise LogForkError(hold.frozen)
    if header.first_seq > hold.applied_seq + 1:
        expected_seq = hold.applied_seq + 1
        raise LogGapError(f"head office holds the log of till {header.till} up to {hold.applied_seq}", expected_seq)
    overlap = min(hold.applied_seq, header.first_seq + header.count - 1)
    if overlap < header.first_seq:
        same = bytes.fromhex(header.prev_hash) == hold.applied_hash
    else:
        same = store.is_held(header.till, overlap, hashes[overlap - header.first_seq])
    if not same:
        raise LogForkError(f"the log of till {header.till} has another past than the one that head office holds up to {overlap}")


def is_stranger(store: LedgerStore, till: str, epoch: int) -> bool:
    """Whether head office, restored from a backup, holds of this till only what machines before this one wrote, and does not
    know that this one wrote nothing: such a machine says so with its hello."""
    newest = store.till(till)
    if newest is None or not 0 < newest.epoch < epoch or store.keys.key(till, epoch) is not None:
        return False
    return store.rights.told_at(till, epoch) is None


def held_for(store: LedgerStore, till: str, epoch: int) -> TillHold | None:
    """What is held of the log of the machine that is this till in this epoch; None for nothing.

    What it goes on from, and that in turn, the enrolments tell. Where head office was restored and knows of none, nobody can
    tell: nothing is held then. What a machine before wrote that began with a file of its own is no part of it.
    """
    newest = store.till(till)
    if newest is None or newest.epoch >= epoch:
        return newest
    of_epoch = epoch
    while (key := store.keys.key(till, of_epoch)) is not None and (place := key.continues) is not None:
        if store.is_held(till, place.seq, bytes.fromhex(place.hash)):
            return TillHold(till=till, epoch=epoch, applied_seq=place.seq, applied_hash=bytes.fromhex(place.hash))
        held = store.last_of(till, place.epoch)
        if held is not None:
            return held
        of_epoch = place.epoch
    return None


def is_here(store: LedgerStore, part: LogPart) -> bool:
    """Whether a part of a till's log is held, or will never be more than it is: the till went on in a later epoch, or the machine
    is lost, or a restore forgot it and since then another one is the till."""
    newest = store.till(part.till)
    if newest is not None and (newest.epoch, newest.applied_seq) >= (part.epoch, part.seq):
        return True
    key = store.keys.key(part.till, part.epoch)
    if key is not None:
        return key.state == "lost"
    told = store.rights.told_at(part.till, store.keys.newest_epoch(part.till))
    return told is not None and told[0] == store.rights.own_head().epoch


def _start(header: BatchHeader) -> tuple[int, bytes]:
    """The fact that the batch's epoch goes on from."""
    place = header.credential.continues
    if header.epoch == header.credential.epoch:
        return (0, GENESIS) if place is None else (place.seq, bytes.fromhex(place.hash))
    return header.first_seq - 1, bytes.fromhex(header.prev_hash)
