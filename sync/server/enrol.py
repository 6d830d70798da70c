"""Taking a till in, and letting it go: (store, request, now) → answer. No HTTP here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, LogForkError, NotFoundError, TokenError
from pos_loyalty.store.till_facts import Place, TillKeyFact
from pos_loyalty.values import Points, Value
from sync import identity
from sync.identity import Credential, EnrolAnswer, EnrolRequest, Holder, Office
from sync.server import losing
from sync.server.ledger_store import LedgerStore
from sync.server.right_store import UNKNOWN

NO_CODE: Final = (
    "head office made no such code, or it ran out or was used; make another one with: pos-loyalty keys code --till {till}"
)
SKEW_MAX: Final = timedelta(days=1)
"""So far a till's trusted time may be behind ours and it still redeems."""
MACHINES_MAX: Final = 100
"""So many machines of one till were enrolled at most between a backup and the restore that forgets them."""


class Loss(Value):
    """A till that was let go: of which epoch (0: head office had forgotten it), and what it held."""

    epoch: int
    centi: Points


def make_code(store: LedgerStore, till: str, now: datetime) -> str:
    """A code with which one machine becomes this till, within two days. It is told once."""
    code = identity.make_code()
    with store.write():
        store.keys.add_code(identity.code_hash(code), till, now)
    return code


def enrol(store: LedgerStore, asked: EnrolRequest, office: Office, now: datetime) -> EnrolAnswer:
    """Take a machine in as the till of its code; the same request again gets the same answer.

    A till that head office knows already begins a new epoch, and goes on after the last fact in its file. Raises TokenError for a
    code that is not good, LogForkError when that fact is not on the log that head office holds.
    """
    code_hash = identity.code_hash(asked.code)
    with store.write():
        code = store.keys.code(code_hash, now)
        if code is None or code.till != asked.till or code.used_key not in (None, asked.public_key):
            raise TokenError(NO_CODE.format(till=asked.till))
        if code.used_key is None:
            if not code.is_live:
                raise TokenError(NO_CODE.format(till=asked.till))
            store.keys.book(_key(store, asked), now)
            store.keys.use_code(code_hash, asked.public_key)
            store.rights.forget_knows(asked.till)
        said = next(
            key for key in reversed(store.keys.all_keys()) if (key.till, key.public_key) == (asked.till, asked.public_key)
        )
    credential = identity.certify(_credential(said), office.private_key)
    return EnrolAnswer(
        credential=credential,
        token=identity.token_of(office.token_secret, said.till, said.epoch),
        head_office_key=identity.public_of(office.private_key),
    )


def revoke(store: LedgerStore, till: str, by: str, now: datetime) -> int:
    """Take nothing more from a till's newest key; answers its epoch. Raises NotFoundError."""
    with store.write():
        epoch = store.keys.newest_epoch(till)
        key = store.keys.key(till, epoch) or losing.forgotten_hub(store, till)
        if key is None:
            raise NotFoundError(f"No till {till} was enrolled here; see: pos-loyalty keys list")
        epoch = key.epoch
        if key.state == "active":
            store.keys.book(replace(key, state="revoked", by=by), now)
    return epoch


def lose(store: LedgerStore, till: str, epoch: int | None, by: str, now: datetime) -> Loss:
    """Nothing will come of this machine any more: what it held is free again, and it is not waited for (None: its newest epoch).

    Answers what may be redeemed twice if it comes back after all.

    A till whose grants still run may be selling with them: raises ConflictError until they ended, and while what it or its
    store's hub gave may not be known here. Raises NotFoundError. One that a restore took may have been a hub: nobody is
    granted anything until all have said hello once more, with what they have of it.
    """
    with store.write():
        newest = store.keys.newest_epoch(till)
        epoch = newest if epoch is None else epoch
        key = store.keys.key(till, epoch) or losing.forgotten_hub(store, till)
        if key is None:
            if till == UNKNOWN or till not in store.rights.waits_for():
                what = f"No epoch {epoch} of till {till}" if newest else f"No till {till}"
                raise NotFoundError(f"{what} was enrolled here; see: pos-loyalty keys list")
            store.rights.begin_anew(store.rights.own_head().epoch + 1, (), now)
            store.rights.heard_hello(till)
            return Loss(epoch=0, centi=Points(0))
        epoch = key.epoch
        ends = store.rights.leases_end(till, epoch)
        if key.state != "lost" and ends is not None and now < ends + SKEW_MAX:
            raise ConflictError(
                f"Till {till} may redeem by itself until {ends:%Y-%m-%d %H:%M} UTC, wherever it is: call it lost a day after that"
            )
        if key.state != "lost":
            losing.check_told(store, key)
        centi = Points(store.rights.held_in_all(till, epoch))
        if key.state != "lost":
            store.keys.book(replace(key, state="lost", by=by), now)
    return Loss(epoch=epoch, centi=centi)


def name_all(store: LedgerStore) -> bool:
    """A person says that no other till was ever enrolled than those that head office knows; answers whether that was asked."""
    with store.write():
        is_asked = UNKNOWN in store.rights.waits_for()
        store.rights.heard_hello(UNKNOWN)
    return is_asked


def check_known(store: LedgerStore, credential: Credential, now: datetime) -> None:
    """The key must be the till's newest and in force. One that this head office forgot, restored from a backup, it learns again.

    Raises TokenError.
    """
    till, epoch = credential.till, credential.epoch
    key = store.keys.key(till, epoch)
    if key is not None and key.public_key != credential.public_key:
        raise TokenError(f"another machine was enrolled as till {till}; enrol this one again")
    check_epoch(store, till, epoch)
    if key is None:
        said = TillKeyFact(
            till=till,
            epoch=epoch,
            store=credential.store,
            state="active",
            public_key=credential.public_key,
            continues=credential.continues,
        )
        store.keys.book(said, now)


def check_carrier(store: LedgerStore, carrier: Holder, credential: Credential) -> None:
    """A hub brings batches of tills of its own store alone, while it is in force itself. Raises TokenError."""
    check_epoch(store, carrier.till, carrier.epoch)
    if credential.till == carrier.till:
        raise TokenError(f"this token is of till {carrier.till}, whose log has a place of its own")
    key = store.keys.key(carrier.till, carrier.epoch)
    if key is None or key.store != credential.store:
        raise TokenError(f"{carrier.till} is no hub of store {credential.store}, and brings nothing of till {credential.till}")


def check_epoch(store: LedgerStore, till: str, epoch: int) -> None:
    """Whether a till that shows the token of this epoch may speak. Raises TokenError."""
    if store.keys.newest_epoch(till) > epoch:
        raise TokenError(f"till {till} was enrolled anew since; this machine is not that till any more")
    key = store.keys.key(till, epoch)
    if key is not None and key.state != "active":
        raise TokenError(f"till {till} was revoked; a new code lets it in again: pos-loyalty keys code --till {till}")


def _key(store: LedgerStore, asked: EnrolRequest) -> TillKeyFact:
    """A till that nobody knows keeps all it has as its first epoch; any other begins a new one, which no machine has that a
    restore took."""
    head = asked.head
    hold = store.till(asked.till)
    newest = max(store.keys.newest_epoch(asked.till), hold.epoch if hold else 0)
    unforgotten = (store.rights.own_head().epoch - 1) * MACHINES_MAX + 1
    if newest == 0 and head.epoch == unforgotten == 1:
        return TillKeyFact(till=asked.till, epoch=1, store=asked.store, state="active", public_key=asked.public_key)
    _check_head(store, asked.till, head)
    return TillKeyFact(
        till=asked.till,
        epoch=max(newest + 1, head.epoch + 1, unforgotten),
        store=asked.store,
        state="active",
        public_key=asked.public_key,
        continues=head if head.seq else None,
    )


def _check_head(store: LedgerStore, till: str, head: Place) -> None:
    held = store.hash_at(till, head.epoch, head.seq)
    if held is not None and held.hex() != head.hash:
        raise LogForkError(
            f"head office holds another fact {head.seq} of till {till}: two machines went on from one copy. Enrol this one under "
            "another till name; its own sales stay in its file"
        )


def _credential(said: TillKeyFact) -> Credential:
    return Credential(till=said.till, epoch=said.epoch, store=said.store, public_key=said.public_key, continues=said.continues)
