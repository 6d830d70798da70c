"""A hub without threads and sockets: bytes in, answers out, over its two files. The simulator drives it as the process does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import NewId, to_ms
from pos_loyalty.errors import TokenError
from pos_loyalty.store import epochs, outbox, relay, relay_income, rule_stops
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.decision_facts import StopWord, StoreStop
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.right_facts import RightHolder
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Value
from sync import hub_wire
from sync.hub import granting, keeping, lending, telling
from sync.hub.granting import Called, Terms
from sync.hub.heads import Heads
from sync.hub.keeping import Hub
from sync.hub_wire import Stamp
from sync.identity import Credential
from sync.local import hear_stop
from sync.rights import HeldBack, RightsAnswer, RightsRequest, lacks
from sync.server.right_desk import Mark
from sync.wire import STOPS_MAX, Ack, Changes, ChangesRequest, SaleQuestion

MS_PER_S = 1000


class HubHealth(Value):
    """``state``: ``restored`` after its file was put back: it gives no rights until it is enrolled anew.

    ``waiting_facts``: that head office has not confirmed to the hub; ``silent_s``: since head office was heard, None: never;
    ``refused``: tills whose log head office does not take.
    """

    state: str
    hub: str
    store: str
    tills: tuple[str, ...]
    waiting_facts: int
    silent_s: int | None
    refused: tuple[str, ...]


class Ahead(Value):
    """A till that head office told more than its hub: up to which version, under which mark, and when it first said so here."""

    version: int
    mark: str | None
    at: datetime


class HubNode:
    """``db``: the hub's own file, a till's in form, with head office's word and the hub's own log; ``relay_db``: what it keeps of
    its tills' logs. Not for two threads at once."""

    def __init__(self, hub: Hub, db: Connection, relay_db: Connection, mark: Mark, lease_days: int = 7) -> None:
        self.hub = hub
        self.db = db
        self.relay = relay_db
        self._heads = Heads(mark, self.holder.till)
        self.lease_days = lease_days
        self.called: dict[str, Called] = {}
        self.ahead: dict[str, Ahead] = {}
        self.in_vain: dict[str, datetime] = {}
        """Tills that ask for all of head office's changes, each since when."""
        self.is_restored = keeping.is_restored(relay_db, hub)
        self._look_back(self._heads.read())

    @property
    def holder(self) -> RightHolder:
        """Who holds the store's rights."""
        return RightHolder(till=self.hub.credential.till, epoch=self.hub.credential.epoch)

    def receive(self, till: str, body: bytes, now: datetime) -> Ack:
        """Take a till's batch in: on disk when this returns. Raises as ``keeping.read_batch`` does."""
        known = relay_income.known_from(self.db, till)
        with write(self.relay):
            came = keeping.read_batch(self.relay, self.hub, till, body, known)
            granting.note_income(self.db, self.holder, came.facts, now)
            self._hear_stops(came.facts, now)
            kept = keeping.keep_batch(self.relay, self.hub, came, body)
        granting.note_income(self.db, self.holder, came.facts, now)  # head office may have said in between that nobody brings it
        return keeping.ack_of(keeping.as_answered(kept, came.header), now, self.silent_s(now))

    def asker(self, header: str | None, method: str, target: str, body: bytes) -> Stamp:
        """The till that asks: one of this store. Raises TokenError."""
        asked = hub_wire.asker(header, method, target, body, self.hub.head_office_key)
        credential = asked.credential
        if credential.store != self.hub.store:
            raise TokenError(f"till {credential.till} is of store {credential.store}; this is the hub of store {self.hub.store}")
        keeping.check_in_force(self.relay, credential)
        return asked

    def health(self, now: datetime) -> HubHealth:
        """How the hub is, for whoever looks."""
        return HubHealth(
            state="restored" if self.is_restored else "ok",
            hub=self.hub.credential.till,
            store=self.hub.store,
            tills=tuple(one.till for one in relay.all_kept(self.relay) if one.hash is not None),
            waiting_facts=relay.waiting_count(self.relay),
            silent_s=self.silent_s(now),
            refused=keeping.refused(self.relay),
        )

    def rights(self, asker: Credential, asked: RightsRequest, new_id: NewId, now: datetime) -> RightsAnswer:
        """What the till gets of those who stand there, and what it should give back; durably noted when this returns."""
        seen = asked.hub_seen
        self._look_back(seen.head if seen is not None and seen.hub == self.holder.till else None)
        if keeping.is_refused(self.relay, asker):
            return self._nothing(asked, "frozen", now)
        standing = [want.member_id for want in asked.wants if want.much == "all"]
        lent = [one.lot_id for one in lending.shown(self.db, asked)]
        self.called = self._fresh(now) | {name: Called(till=asker.till, at=now) for name in (*standing, *lent)}
        back = granting.called_back(self.db, self.holder, asker, self._called(now), now)
        if self.is_restored:
            return self._nothing(asked, "hello", now)
        terms = Terms(new_id=new_id, now=now, lease=timedelta(days=self.lease_days))
        before = epochs.place_of(self.db)
        answer = granting.answer(self.db, self.relay, self.holder, asker, asked, terms)
        self._heads.note(self.db)
        is_short = (bool(standing) and answer.head == before) or lacks(answer, asked)
        return replace(answer, back=back, held_back="called" if is_short and not back else "")

    def changes(self, asker: Credential, asked: ChangesRequest, now: datetime) -> Changes:
        """What head office and the other tills of the store changed."""
        line = telling.Line(silent_s=self.silent_s(now), vain_s=self._vain_s(asker.till, asked, now))
        told = telling.changes(self.db, self.relay, asker, asked, now, line)
        stops = rule_stops.of_store(self.db, self.hub.store)[:STOPS_MAX]
        is_behind = told.is_behind or self._knows_what_is_gone(asker.till, asked, now)
        return replace(told, calls=granting.is_called(asker.till, self._called(now), now), stops=stops, is_behind=is_behind)

    def sold(self, question: SaleQuestion) -> SaleFound:
        """A sale of this store's tills, as far as the hub keeps it."""
        return question.fit(telling.sold(self.relay, question))

    def _nothing(self, asked: RightsRequest, why: HeldBack, now: datetime) -> RightsAnswer:
        head = epochs.place_of(self.db)
        return RightsAnswer(ask_id=asked.ask_id, head=head, server_time=now, held_back=why, hub=self.holder)

    def _called(self, now: datetime) -> dict[str, Called]:
        """By head office, and by tills of the store, which come first."""
        return granting.called_outside(self.relay) | self._fresh(now)

    def _fresh(self, now: datetime) -> dict[str, Called]:
        return {name: one for name, one in self.called.items() if now < one.at + granting.CALLED_FOR}

    def _hear_stops(self, facts: Iterable[Fact], now: datetime) -> None:
        """A rule that a person stopped for the whole store is stopped by this hub's word too, and told to the other tills."""
        said = [fact for fact in facts if fact.rule_stop is not None and fact.rule_stop.is_wide and fact.store == self.hub.store]
        if said:
            with write(self.db):
                for fact in said:
                    hear_stop(self.db, _stop_of(fact), self.hub.store, now)

    def _vain_s(self, till: str, asked: ChangesRequest, now: datetime) -> int:
        """For how long a till asks from the beginning, or from before it, which head office would have answered at once."""
        is_first = asked.since == 0 and asked.mark is None
        if not (is_first or telling.is_of_the_past(self.relay, asked)):
            self.in_vain.pop(till, None)
            return 0
        return max(0, to_ms(now) - to_ms(self.in_vain.setdefault(till, now))) // MS_PER_S

    def _knows_what_is_gone(self, till: str, asked: ChangesRequest, now: datetime) -> bool:
        """Whether head office told a till versions straight that it has not got any more: it was put back to before them.

        The hub has heard all of head office since the till first named such a version, and it knows no version as new.
        """
        own = outbox.state(self.db)
        if asked.since <= own.pulled_version:
            self.ahead.pop(till, None)
            return False
        first = self.ahead.get(till)
        if first is None or (first.version, first.mark) != (asked.since, asked.mark):
            self.ahead[till] = first = Ahead(version=asked.since, mark=asked.mark, at=now)
        return own.heard_ms is not None and own.heard_ms > to_ms(first.at)

    def _look_back(self, seen: Place | None) -> None:
        if not self.is_restored and granting.is_behind(self.db, seen):
            self.is_restored = True
            keeping.note_restored(self.relay, self.hub)
            log.error("hub.restored")

    def silent_s(self, now: datetime) -> int | None:
        """For how long head office has not told the hub all it has to tell; None for never."""
        heard_ms = outbox.state(self.db).heard_ms
        return None if heard_ms is None else max(0, to_ms(now) - heard_ms) // MS_PER_S

    def close(self) -> None:
        """Let go of both files."""
        self.db.close()
        self.relay.close()


def _stop_of(fact: Fact) -> StoreStop:
    said = fact.rule_stop
    assert said is not None
    word = said.word or StopWord(hlc=fact.hlc, till=fact.till)
    return StoreStop(rule=said.rule, is_stopped=fact.kind == "rule.stopped", by=said.by, reason=said.reason, word=word)
