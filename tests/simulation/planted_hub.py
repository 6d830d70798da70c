"""Planted faults of a store's hub: the third part of ``planted.py``."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pos_loyalty.store import relay_drops, relay_income
from pos_loyalty.store.till_facts import Place
from sync import income
from sync.hub import granting, keeping, telling
from sync.server import steps
from tests.simulation.planted_rights import Put


def hub_calls_kept_safe(put: Put) -> None:
    """What the hub keeps it calls held by head office: the till lets it go."""
    true = keeping.ack_of

    def ack_of(kept: Any, now: Any, silent_s: Any) -> Any:
        return true(replace(kept, safe=Place(epoch=kept.epoch, seq=kept.seq, hash=kept.hash.hex())), now, silent_s)

    put(keeping, "ack_of", ack_of)


def hub_gives_after_restore(put: Put) -> None:
    """A hub whose file was put back goes on as if nothing had been."""
    put(granting, "is_behind", lambda db, seen: False)


def hub_gives_twice_what_it_holds(put: Put) -> None:
    """Of each lot the double is given."""
    true = granting._lines
    put(granting, "_lines", lambda *args: tuple(replace(line, centi=2 * line.centi) for line in true(*args)))


def hub_forgets_what_came_back(put: Put) -> None:
    """What tills gave back to the hub it does not write down."""
    put(granting, "note_income", lambda db, hub, facts, now: None)


def hub_hears_nothing_of_what_went_past_it(put: Put) -> None:
    """What head office tells it that tills gave back to it is passed over."""
    put(income, "hear", lambda db, told, unbrought, now: None)


def hub_tells_nobody_what_it_let_go(put: Put) -> None:
    """Who was told of facts that head office refuses is not told anew."""
    put(relay_drops, "_tell_again", lambda db, facts, key: None)


def hub_tells_what_it_is_unsure_of(put: Put) -> None:
    """It tells of members while it does not know how far head office's figures count the tills' logs."""
    put(telling, "_is_settled", lambda db, relay_db, own: True)


def hub_forgets_how_far_is_counted(put: Put) -> None:
    """Facts that head office's figures count are told on top of them once more."""
    put(telling.keeping, "note_holds", lambda db, holds: None)


def hub_takes_the_machine_before_for_this_one(put: Put) -> None:
    """A new machine is told how far the log of the one before is held."""
    put(keeping, "as_told_to", lambda kept, asker: kept)
    put(telling, "_of_new_machine", lambda relay_db, kept, asker: kept)


def hub_drops_what_it_could_not_bring(put: Put) -> None:
    """A batch that head office took only a part of is let go."""
    true = keeping.brought

    def brought(db: Any, waiting: Any, reply: Any) -> int:
        wait_s = true(db, waiting, reply)
        keeping.relay.drop_batch(db, waiting.n)
        return 0 if wait_s else wait_s

    put(keeping, "brought", brought)


def hub_forgets_on_whose_log_it_builds(put: Put) -> None:
    """What the hub gives names no logs, so head office books it before that which brought it."""
    put(relay_income, "logs_of", lambda db, hub, lots, but: ())


def carried_batches_lose_a_fact(put: Put) -> None:
    """Head office takes a batch that a hub brings as held, and forgets every third of them."""
    true = steps.receive_carried
    times = [0]

    def receive_carried(store: Any, till: str, carrier: Any, body: bytes, now: Any, public: str) -> Any:
        times[0] += 1
        if times[0] % 3:
            return true(store, till, carrier, body, now, public)
        batch = steps.decode_batch(body)
        last = batch.header.first_seq + batch.header.count - 1
        return steps.Ack(applied_seq=last, applied_hash=batch.header.head_hash, server_time=now, max_batch=500)

    put(steps, "receive_carried", receive_carried)
