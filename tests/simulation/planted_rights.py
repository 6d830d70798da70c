"""Planted faults of rights, dates, receipts and disks: the second half of ``planted.py``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.store import db, epochs, follow, ledger, right_asking, right_holds, trusted_time
from pos_loyalty.till import answers, checkout, enrolment, exchange, holdings, pricing
from pos_loyalty.till.desk import Desk
from sync import push, rights
from sync.server import chains, expiry, right_desk, steps
from sync.server import rights as granting
from sync.server.sqlite import SqliteLedgerStore
from sync.server.sqlite_rights import SqliteRightStore

Put = Callable[[Any, str, Any], None]


def grants_not_decremented(put: Put) -> None:
    """What others hold is granted once more."""
    put(SqliteRightStore, "held_by_all", lambda self, lot_id: 0)


def grant_taken_twice(put: Put) -> None:
    """A grant that is told again counts again."""
    true = right_holds.granted

    def twice(db_: Any, fact: Any) -> None:
        is_known = fact.kind == "rights.taken" and right_holds.is_known(db_, fact.grant.grant_id)
        true(db_, replace(fact, grant=replace(fact.grant, grant_id=fact.id)) if is_known else fact)

    put(rights, "_is_ours", lambda db_, grant, till, epoch: (grant.till, grant.epoch) == (till, epoch))
    put(follow, "FOLLOWS", {**follow.FOLLOWS, "rights.taken": twice})


def grant_of_another_epoch(put: Put) -> None:
    """A till goes on with rights of the epoch before: its file was restored, and it redeems them once more."""
    put(epochs, "epoch_of", lambda db_: 1)
    put(holdings, "cut", lambda desk, lots: tuple(lots))
    _everywhere(put, lambda desk, lots: tuple(lots))


def rights_ignored(put: Put) -> None:
    """A till redeems all that it sees."""
    _everywhere(put, lambda desk, lots: tuple(lots))


def _everywhere(put: Put, cut: Any) -> None:
    for place in (pricing, checkout, answers, exchange, holdings):
        put(place, "cut", cut)


def returned_rights_used(put: Put) -> None:
    """What a till gave back it holds all the same."""
    true = right_holds.held

    def held(db_: Any, till: str, epoch: int, lots: Any, now: Any) -> Any:
        found = true(db_, till, epoch, lots, now)
        back = dict(db_.execute("SELECT lot, SUM(centi) FROM right_return WHERE till = ? GROUP BY lot", (till,)).fetchall())
        for lot in set(lots) & set(back):
            before = found.get(lot)
            centi = (before.centi if before else 0) + back[lot]
            found[lot] = right_holds.Holding(lot_id=lot, centi=centi, usable_centi=centi)
        return found

    put(right_holds, "held", held)


def grants_before_all_hellos(put: Put) -> None:
    """A head office that was restored grants at once."""
    put(SqliteRightStore, "is_waiting", lambda self: False)


def late_hello_counts(put: Put) -> None:
    """A question from before a restore that comes after it is a hello."""
    put(granting, "_knows", lambda seen, here: True)


def restore_not_noticed(put: Put) -> None:
    """Nobody finds out that head office was restored."""
    put(right_asking, "told", lambda db_, head: None)
    put(right_desk.FileMark, "read", lambda self: None)
    put(right_desk.FileMark, "is_kept", False)


def hello_without_log(put: Put) -> None:
    """A till is granted rights though head office has not got all its log, and says hello before it sent it."""
    put(granting, "_held_back", lambda store, holder, head: "")


def stranger_taken_for_known(put: Put) -> None:
    """After a restore the log of an earlier machine is taken for that of the one that asks."""
    put(chains, "is_stranger", lambda store, till, epoch: False)
    put(steps, "is_stranger", lambda store, till, epoch: False)
    put(steps, "held_for", lambda store, till, epoch: store.till(till))
    put(granting, "held_for", lambda store, till, epoch: store.till(till))


def stale_answer_taken(put: Put) -> None:
    """An answer to an older question about rights counts."""
    true = rights.take

    def take(db_: Any, taker: Any, answer: Any, *more: Any) -> Any:
        return true(db_, taker, replace(answer, ask_id=right_asking.state(db_).ask_id), *more)

    put(rights, "take", take)
    true_read = rights.read_answer
    put(rights, "read_answer", lambda reply, asked: true_read(reply, replace(asked, ask_id=_ask_id(reply))))


def _ask_id(reply: Any) -> str:
    try:
        return str(json.loads(reply.body)["ask_id"])
    except (ValueError, KeyError):
        return ""


def epoch_not_raised(put: Put) -> None:
    """A machine that is enrolled anew goes on in its old epoch, with its old rights."""
    true = epochs.begin

    def begin(db_: Any, epoch: int, continues: Any, **more: Any) -> None:
        if epochs.place_of(db_).seq == 0:
            true(db_, epoch, continues, **more)

    put(epochs, "begin", begin)


def dead_points_spent(put: Put) -> None:
    """The end of a lot is nothing to a till."""
    put(pricing, "redeemable_lots", lambda lots, trusted: tuple(replace(lot, expires_at=None) for lot in lots))
    put(checkout, "cut", lambda desk, lots: tuple(replace(lot, expires_at=None) for lot in holdings.cut(desk, lots)))


def clock_believed(put: Put) -> None:
    """A till goes by its own clock, whatever it heard."""
    put(Desk, "trusted", lambda self: trusted_time.Trusted(at=self.now(), is_sure=True, skew_ms=0, heard_ago_ms=None))


def expired_while_held(put: Put) -> None:
    """Head office books the end of points at once, though tills that were cut off may have redeemed them before."""
    put(expiry, "_free", lambda store, lots, all_sent_by: list(lots))
    put(SqliteLedgerStore, "all_asked_by", lambda self: None)
    put(expiry, "MARGIN_HOURS", 0)


def receipt_before_commit(put: Put) -> None:
    """A COMMIT of unknown outcome is taken for done."""

    def _looked_up(self: Any, key: str, body_hash: bytes, kind: Any) -> Any:
        self.close()
        return None

    true = Desk.once

    def once(self: Any, key: str, verb: str, request: Any, kind: Any, act: Any) -> Any:
        said: list[Any] = []
        try:
            return true(self, key, verb, request, kind, lambda keep: act(lambda answer: said.append(answer) or keep(answer)))
        except db.StoreError:
            if said:
                return said[-1]
            raise

    put(Desk, "_looked_up", _looked_up)
    put(Desk, "once", once)


def half_the_transaction(put: Put) -> None:
    """The entries of a fact stand, its balances do not."""
    put(ledger, "_move_balances", lambda db_, entries: None)


def name_in_the_log(put: Put) -> None:
    """A person's name is logged."""
    true_enrol = enrolment.enrol

    def enrolled(desk: Any, request: Any, keep: Any) -> Any:
        log.info("member.enrolled", who=request.name)
        return true_enrol(desk, request, keep)

    put(enrolment, "enrol", enrolled)


def name_in_a_fact(put: Put) -> None:
    """A person's name stands in the open in the fact that they joined."""
    true = enrolment._fact_of

    def fact_of(desk: Any, request: Any, *more: Any) -> Any:
        return replace(true(desk, request, *more), origin=request.name or "")

    put(enrolment, "_fact_of", fact_of)


def daemon_gives_up(put: Put) -> None:
    """After a failure the daemon tries no more."""
    true = push.failed

    def failed(state: Any, error: Any, now: Any, random: Any) -> Any:
        step = true(state, error, now, random)
        return replace(step, state=replace(step.state, wake_at=now + timedelta(days=9_000)))

    put(push, "failed", failed)
