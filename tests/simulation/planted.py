"""Faults that are planted in production code, one at a time, to see that a law notices: each changes one behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from pos_loyalty.store import ledger, members, outbox
from sync import identity, local, push
from sync.server import chains, steps
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import Ack
from tests.simulation import planted_hub, planted_rights

Put = planted_rights.Put
Fault = Callable[[Put], None]


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """The fault is in the code for so long."""
    undo: list[tuple[Any, str, Any]] = []

    def put(place: Any, name: str, value: Any) -> None:
        undo.append((place, name, place.__dict__[name]))
        setattr(place, name, value)

    try:
        fault(put)
        yield
    finally:
        for place, name, before in reversed(undo):
            setattr(place, name, before)


# Head office takes logs.


def ack_before_commit(put: Put) -> None:
    """The answer goes out, and the transaction is rolled back now and then as if the machine had died before its COMMIT."""
    true = SqliteLedgerStore.write
    times = [0]

    @contextmanager
    def write(self: SqliteLedgerStore, till: str | None = None) -> Iterator[None]:
        try:
            with true(self, till):
                yield
                times[0] += 1
                if till is not None and times[0] % 5 == 0:
                    raise _Undone
        except _Undone:
            pass

    put(SqliteLedgerStore, "write", write)


class _Undone(Exception):
    """A transaction is taken back."""


def no_dedupe(put: Put) -> None:
    """What is held already is booked once more, under another id."""
    true = steps._take_in

    def take_in(store: Any, batch: Any, facts: Any, hashes: Any, now: Any) -> Ack:
        ack = true(store, batch, facts, hashes, now)
        for fact in facts:
            if fact.kind == "sale.completed" and fact.entries:
                store._db.execute("UPDATE balance SET amount = amount + 1 WHERE account = 'suspense'")
                store._db.execute("UPDATE lot SET remaining = min(amount, remaining + 1) WHERE member = :m", {"m": fact.member})
        return ack

    put(steps, "_take_in", take_in)


def gap_accepted(put: Put) -> None:
    """A batch that leaves a gap is taken."""
    true = steps.check_place

    def check_place(store: Any, header: Any, hashes: Any, hold: Any) -> None:
        if header.first_seq > hold.applied_seq + 1:
            return
        true(store, header, hashes, hold)

    put(steps, "check_place", check_place)
    put(push, "resume", lambda state, seq: state)
    put(local, "begin_push", lambda db_, cap, now: push.begin(max(0, ledger.head(db_).seq - 1), cap, now))


def fork_not_seen(put: Put) -> None:
    """Another past than the one that is held is taken for the same."""
    put(steps, "check_place", lambda store, header, hashes, hold: None)
    put(steps, "begin", lambda store, header, newest: _held_or_nothing(store, header, newest))


def _held_or_nothing(store: Any, header: Any, newest: Any) -> Any:
    hold = chains.TillHold(
        till=header.till, epoch=header.epoch, applied_seq=header.first_seq - 1, applied_hash=bytes.fromhex(header.prev_hash)
    )
    return newest if newest is not None and newest.epoch == header.epoch and newest.applied_seq >= header.first_seq else hold


def signature_not_checked(put: Put) -> None:
    """Any batch of a till's name is taken."""
    put(steps, "check_signed", lambda header, office_public: None)


def token_not_checked(put: Put) -> None:
    """A till's name is taken at its word."""

    def holder_of(token: str, secret: str) -> identity.Holder:
        import base64

        name, epoch, _ = token.split(".")
        return identity.Holder(till=base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode(), epoch=int(epoch))

    put(identity, "holder_of", holder_of)
    put(steps, "check_signed", lambda header, office_public: None)


def ack_one_too_many(put: Put) -> None:
    """Head office says that it holds one more than it does."""
    true = steps.receive

    def receive(*args: Any) -> Ack:
        ack = true(*args)
        return replace(ack, applied_seq=ack.applied_seq + 1)

    put(steps, "receive", receive)


def watermark_not_moved(put: Put) -> None:
    """What is held is not noted: each batch seems new."""
    put(SqliteLedgerStore, "hold", lambda self, hold, now: None)


def half_a_batch(put: Put) -> None:
    """The last fact of a batch of several is left out, and acked."""
    true = SqliteLedgerStore.add
    state: dict[str, int] = {}

    def add(self: Any, posting: Any) -> None:
        state["n"] = state.get("n", 0) + 1
        if state["n"] % 17 or posting.fact.till == "head-office":
            true(self, posting)

    put(SqliteLedgerStore, "add", add)


# The till sends and takes.


def ack_not_compared(put: Put) -> None:
    """The till believes any ack; and an ack of something else arrives now and then as everything."""
    put(outbox, "check_ours", lambda db_, seq, hash_: None)
    true = local.keep_ack
    put(local, "keep_ack", lambda db_, held: true(db_, push.Held(seq=ledger.head(db_).seq, hash=ledger.head(db_).hash)))


def ack_when_sent(put: Put) -> None:
    """What was sent leaves the outbox, whatever the answer."""
    true = push.outgoing

    def outgoing(state: Any, rows: Any, *more: Any) -> Any:
        step = true(state, rows, *more)
        if step.send is None:
            return step
        return replace(step, state=replace(step.state, seq=state.seq + min(len(rows), state.batch_max, state.cap)))

    put(push, "outgoing", outgoing)


def restore_not_heard(put: Put) -> None:
    """The till does not go back when head office holds less than it did."""
    put(push, "resume", lambda state, seq: state)
    put(local, "begin_push", lambda db_, cap, now: push.begin(ledger.head(db_).seq, cap, now))


def gap_not_filled(put: Put) -> None:
    """After a gap the till goes on from where it was."""
    true = push.failed

    def failed(state: Any, error: Any, now: Any, random: Any) -> Any:
        step = true(state, error, now, random)
        return replace(step, state=replace(step.state, seq=state.seq))

    put(push, "failed", failed)


def own_facts_forgotten(put: Put) -> None:
    """A page of changes takes the place of what the till did after it."""
    true = members.put_pulled
    put(members, "put_pulled", lambda db_, pulled, as_of_seq: true(db_, pulled, as_of_seq=ledger.head(db_).seq))


def own_facts_twice(put: Put) -> None:
    """Facts that a page counts in are counted on top of it once more."""
    true = members.put_pulled
    put(members, "put_pulled", lambda db_, pulled, as_of_seq: true(db_, pulled, as_of_seq=max(0, as_of_seq - 1)))


def checkpoint_at_half_a_page(put: Put) -> None:
    """The till notes a page as had that it applied but for its last member."""
    true = local.apply_changes

    def apply(db_: Any, here: Any, changes: Any, now: Any, clocks: Any = None) -> None:
        true(db_, here, replace(changes, members=changes.members[:-1]), now, clocks)

    put(local, "apply_changes", apply)


def version_without_mark(put: Put) -> None:
    """A number that was given before a restore is taken for the same after it."""
    put(SqliteLedgerStore, "mark", lambda self, version: "0" * 32)


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        ack_before_commit,
        no_dedupe,
        gap_accepted,
        fork_not_seen,
        signature_not_checked,
        token_not_checked,
        ack_one_too_many,
        watermark_not_moved,
        half_a_batch,
        ack_not_compared,
        ack_when_sent,
        restore_not_heard,
        gap_not_filled,
        own_facts_forgotten,
        own_facts_twice,
        checkpoint_at_half_a_page,
        version_without_mark,
        planted_rights.grants_not_decremented,
        planted_rights.grant_taken_twice,
        planted_rights.grant_of_another_epoch,
        planted_rights.rights_ignored,
        planted_rights.returned_rights_used,
        planted_rights.grants_before_all_hellos,
        planted_rights.late_hello_counts,
        planted_rights.restore_not_noticed,
        planted_rights.hello_without_log,
        planted_rights.stranger_taken_for_known,
        planted_rights.epoch_not_raised,
        planted_rights.clock_believed,
        planted_rights.receipt_before_commit,
        planted_rights.half_the_transaction,
        planted_rights.name_in_the_log,
        planted_rights.daemon_gives_up,
        planted_rights.name_in_a_fact,
        planted_rights.stale_answer_taken,
        planted_rights.expired_while_held,
        planted_hub.hub_calls_kept_safe,
        planted_hub.hub_gives_twice_what_it_holds,
        planted_hub.hub_forgets_how_far_is_counted,
    )
}
FARTHER: Mapping[str, Fault] = {
    fault.__name__: fault for fault in (planted_hub.hub_tells_nobody_what_it_let_go, planted_hub.hub_tells_what_it_is_unsure_of)
}
"""Faults that a world from outside of the 300 notices, and none of the 300."""

AROUND: Mapping[str, str] = {
    "stale_answer_taken": "late word",
    "late_hello_counts": "late question",
    "expired_while_held": "over an end",
}
"""Faults that short worlds around one act notice."""

SURVIVORS: Mapping[str, Fault] = {
    "dead_points_spent": planted_rights.dead_points_spent,
}
"""Faults that the worlds have not been seen to notice yet."""

UNTRIED: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        planted_hub.hub_gives_after_restore,
        planted_hub.hub_forgets_what_came_back,
        planted_hub.hub_hears_nothing_of_what_went_past_it,
        planted_hub.hub_takes_the_machine_before_for_this_one,
        planted_hub.hub_drops_what_it_could_not_bring,
        planted_hub.hub_forgets_on_whose_log_it_builds,
        planted_hub.carried_batches_lose_a_fact,
    )
}
"""Faults of a hub for which the first world that notices them has still to be looked for. The first needs a hub whose files are
put back, which is not among the steps."""
