"""The sync daemon: the loop, the waiting and the lock around the pure steps. Selling never waits for any of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Final, Protocol

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import Clock, monotonic_ns, read
from pos_loyalty.errors import LoyaltyError, StoreBusyError, SyncError
from pos_loyalty.store import outbox, roads, snapshot_state
from pos_loyalty.store.db import Connection, checkpoint, file_of, own
from pos_loyalty.values import Value
from sync import backoff, local, pull, push, right_round, taking
from sync.beside import NOTHING as NOTHING
from sync.beside import Beside as Beside
from sync.beside import Road as Road
from sync.rights import NOTHING_LENT, Lends, Much, RightsAnswer, lacks
from sync.snapshot_files import SnapshotFiles
from sync.wire import Changes, Reply

AFTER_CRASH_S: Final = 30.0
CALLED_S: Final = 1.3
"""So long a hub takes to call rights back from another till, or to get them from head office."""
LOOK_S: Final = 0.2
"""So soon after a sale the daemon of a till wakes."""
HELLO_EVERY: Final = timedelta(minutes=1)
NS_PER_S: Final = 1_000_000_000
ROUNDS_MAX: Final = 10_000
"""Batches or pages in one go: ten times the largest backlog we foresee, and an end to any quarrel between the two sides."""


class HeadOffice(Protocol):
    """Head office as the daemon sees it. Both raise HeadOfficeGoneError when no whole answer came."""

    def push(self, batch: bytes) -> Reply:
        """Send a batch."""

    def changes(self, question: bytes) -> Reply:
        """Ask for changes."""

    def snapshot(self) -> Reply:
        """The manifest of the newest snapshot."""

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        """Fetch a file of a snapshot from a byte on."""

    def rights(self, question: bytes) -> Reply:
        """Ask for rights."""


class Pace(Value):
    """How the daemon goes about it: seconds between looks, facts in a batch at most, which rights it asks for by itself: a till
    its part of its store's, a hub all of them, None nothing: a till whose hub holds them."""

    interval_s: float
    batch_facts_max: int
    wants: Much | None = "home"
    lends: Lends = NOTHING_LENT
    """What nobody wants here goes back to head office: money of gift cards, unique codes."""
    failures_max: int = 1_000
    """So many failures in a row count for the wait: one whose hub is near does not wait long for it."""

    @property
    def asking(self) -> right_round.Asking:
        """What it asks for besides saying hello."""
        return right_round.Asking(wants=self.wants, lends=self.lends)


class SyncReport(Value):
    """What one go did. ``trouble``: a sentence, None when all was sent and fetched; ``needs_person``: waiting will not help."""

    sent_facts: int
    fetched_members: int
    suspended_facts: int
    unsent_facts: int
    trouble: str | None
    needs_person: bool
    wake_at: datetime
    road: Road = "straight"


class Syncer:
    """Till and head office in step, over one connection to the till's file."""

    def __init__(
        self,
        db: Connection,
        here: local.Here,
        pace: Pace,
        head_office: HeadOffice,
        random: backoff.Random,
        beside: Beside = NOTHING,
    ) -> None:
        self._db = db
        self._here = here
        self._pace = pace
        self._head_office = head_office
        self._random = random
        self._beside = beside
        self._files = SnapshotFiles(file_of(db))
        self._asked: tuple[datetime, int] | None = None
        self._is_called = self._lacks = self._is_set_back = False
        self._push: push.PushState | None = None
        self._pull: pull.PullState | None = None

    def once(self, clock: Clock) -> SyncReport:
        """Push until nothing is left, then fetch until complete. Sync failures are in the report; StoreError is raised."""
        if self._here.is_hub:
            local.begin_log(self._db, self._here, clock())
        sent, suspended = self._send(clock)
        fetched = 0 if self._is_troubled(self._push) else self._fetch(clock)
        if self._lacks:
            self._lacks = False
            sent += self._send(clock)[0]
        if not self._is_troubled(self._push) and not self._is_troubled(self._pull):
            sent += self._ask_for_rights(clock)
        assert self._push is not None
        is_troubled = self._is_troubled(self._push)
        pulling = self._pull
        trouble = self._push.trouble if is_troubled else pulling.trouble if pulling else None
        wake_at = self._push.wake_at if is_troubled else pulling.wake_at if pulling else self._push.wake_at
        is_refused = self._push.is_refused if is_troubled else pulling is not None and pulling.is_refused
        if trouble is None or is_refused:
            local.keep_trouble(self._db, trouble)
        answered = self._beside.answered()
        if answered is not None:
            roads.note(self._db, answered.by, answered.hub_at, clock())
        return SyncReport(
            sent_facts=sent,
            fetched_members=fetched,
            suspended_facts=suspended,
            unsent_facts=outbox.unsent_count(self._db),
            trouble=trouble,
            needs_person=self._push.is_stopped,
            wake_at=wake_at,
            road=self._beside.road(),
        )

    def reserve(self, whom: str, clock: Clock) -> None:
        """Ask for what is free of a member who stands here, or of a gift card (``gift:`` and its mark), or a code (``coupon:``
        and the code); the log goes first where head office has not got all of it.

        Beside the daemon: what is sent twice is booked once. A card or a code that the store's hub lacks is asked of head office
        itself. Raises SyncError.
        """
        answer = self._ask_for(whom, clock)
        if answer.held_back == "called":
            self._beside.wait(CALLED_S)
            answer = self._ask_for(whom, clock)
        is_of_hub = bool(answer.hub)
        if is_of_hub and lacks(answer, right_round.asks_for(whom)):
            self._beside.go_straight()
            try:
                self._ask_for(whom, clock)
            finally:
                self._beside.go_by_hub()
        if is_of_hub:
            self._fetch_now(clock)

    def stand_back(self) -> None:
        """From now on no right is taken here and none given back: what stands in this file is of an earlier day. It goes on
        saying hello, so that nobody waits for it."""
        self._is_set_back = True

    def _ask_for(self, whom: str, clock: Clock) -> RightsAnswer:
        lends = self._pace.lends
        answer = right_round.ask_for(self._db, self._here, self._head_office, whom, clock(), lends)
        if answer.held_back == "log":
            self._push = None
            self._send(clock)
            answer = right_round.ask_for(self._db, self._here, self._head_office, whom, clock(), lends)
        return answer

    def _fetch_now(self, clock: Clock) -> None:
        """What the hub gave rights to may have been earned at another till a moment ago."""
        if self._pull is not None and self._pull.trouble is None:
            self._pull = replace(self._pull, set_at=clock(), wake_at=clock())
        self._fetch(clock)

    def has_news(self, now: datetime) -> bool:
        """Whether the log holds more than was taken, and head office did not ask to wait."""
        push = self._push
        return push is not None and backoff.is_due(push.set_at, push.wake_at, now) and outbox.has_after(self._db, push.seq)

    def rest(self) -> None:
        """Between goes: what nobody waits for; and the WAL moves into the file, so that a sale need not."""
        self._beside.chores()
        checkpoint(self._db)

    def _send(self, clock: Clock) -> tuple[int, int]:
        """Facts sent, and how many of them went to suspense."""
        now = clock()
        if self._push is None:
            self._push = local.begin_push(self._db, self._pace.batch_facts_max, now)
        sent = suspended = 0
        for _ in range(ROUNDS_MAX):
            step = local.next_batch(self._db, self._here, self._push, clock())
            self._push = step.state
            if step.send is None:
                break
            before = self._push.seq
            step = self._exchange(self._push, step.send, clock)
            self._push = step.state
            sent += max(0, step.state.seq - before)
            suspended += len(step.suspense)
            for case in step.suspense:
                log.warning("fact.suspended", seq=case.seq, reason=case.reason)
        return sent, suspended

    def _ask_for_rights(self, clock: Clock) -> int:
        """Say hello, take and give back; answers facts sent. A head office that grants nothing stops no sale and no sync."""
        sent = 0
        if self._is_set_back:
            right_round.say_hello(self._db, self._head_office)
            return 0
        if not self._should_ask(clock()):
            return 0
        for _ in range(right_round.ROUNDS_MAX):
            asked = right_round.ask_for_homes(self._db, self._here, self._head_office, clock(), self._pace.asking)
            if asked.called:
                self._beside.called(asked.called)
            if asked.wrote:
                sent += self._send(clock)[0]
            if not asked.goes_on or self._is_troubled(self._push):
                break
        return sent

    def _should_ask(self, now: datetime) -> bool:
        """Whether there is something to ask for or to give back: a till whose hub holds the rights is not to ask each second."""
        head_seq, last = local.head_seq(self._db), self._asked
        self._asked = (now, head_seq)
        is_due = last is None or head_seq != last[1] or not last[0] <= now < last[0] + HELLO_EVERY
        if self._pace.wants is not None or self._here.is_hub or self._is_called or is_due:
            return True
        self._asked = last
        return False

    def _exchange(self, state: push.PushState, batch: bytes, clock: Clock) -> push.PushStep:
        self._beside.sending(self._db)
        try:
            reply = self._head_office.push(batch)
            step = push.received(state, reply, clock(), self._random)
            if step.held is not None:
                local.keep_ack(self._db, step.held)
        except SyncError as error:
            step = push.failed(state, error, clock(), self._random)
        step = replace(step, state=replace(step.state, failures=min(step.state.failures, self._pace.failures_max)))
        if step.state.trouble is not None:
            log.warning("sync.push_failed", reason=step.state.trouble, is_stopped=step.state.is_stopped)
        return step

    def _fetch(self, clock: Clock) -> int:
        """Members fetched."""
        if self._pull is None:
            self._pull = local.begin_pull(self._db, clock())
        fetched, is_sent_on = 0, False
        is_taken = self._needs_snapshot(self._pull, clock())
        if is_taken:
            fetched += self._take_snapshot(self._pull, clock)
        for _ in range(ROUNDS_MAX):
            step = local.next_question(self._db, self._here, self._pull, clock(), self._beside.waiting())
            if step.send is None:
                break
            step = self._fetch_page(step.state, step.send, clock)
            self._pull = step.state
            if step.changes is not None:
                fetched += len(step.changes.members)
            if step.changes is not None and step.changes.is_behind and not is_sent_on:
                self._beside.go_straight()
                is_sent_on, now = True, clock()
                self._pull = replace(step.state, set_at=now, wake_at=now)
            if step.state.needs_snapshot:
                if is_taken:
                    break
                is_taken, fetched = True, fetched + self._take_snapshot(step.state, clock)
        return fetched

    def _needs_snapshot(self, state: pull.PullState, now: datetime) -> bool:
        is_begun = state.needs_snapshot or snapshot_state.standing(self._db) is not None
        return is_begun and backoff.is_due(state.set_at, state.wake_at, now)

    def _take_snapshot(self, state: pull.PullState, clock: Clock) -> int:
        """Members taken in; what was sold meanwhile is sent between two files. What does not come now comes with a later go."""
        count = 0
        try:
            while not (step := taking.advance(self._db, self._here, self._files, self._head_office, clock)).is_over:
                count += step.members
                self._send(clock)
            self._pull = local.begin_pull(self._db, clock())
        except SyncError as error:
            self._pull = pull.failed(state, error, clock(), self._random).state
            log.warning("snapshot.not_applied", reason=str(error))
        return count

    def _fetch_page(self, state: pull.PullState, question: bytes, clock: Clock) -> pull.PullStep:
        try:
            reply = self._head_office.changes(question)
            step = pull.received(state, reply, clock(), self._pace.interval_s, self._random)
            if step.changes is not None:
                self._beside.told(step.changes)
                self._is_called = bool(step.changes.calls)
                local.apply_changes(self._db, self._here, step.changes, clock(), read(clock))
                self._note_held(step.changes)
                step = replace(step, state=local.asks_on(self._db, step.state, clock()))
        except SyncError as error:
            step = pull.failed(state, error, clock(), self._random)
        step = replace(step, state=replace(step.state, failures=min(step.state.failures, self._pace.failures_max)))
        if step.state.trouble is not None:
            log.warning("sync.pull_failed", reason=step.state.trouble, failures=step.state.failures)
        return step

    def _note_held(self, page: Changes) -> None:
        """A page tells how much who answers has of our log: head office less than we thought after it was restored from a backup,
        a hub less when we went straight past it."""
        held = page.relayed.kept_seq if page.relayed else page.as_of_seq
        if self._push is not None and held is not None and held < self._push.seq:
            if not page.relayed:
                log.warning("sync.head_office_restored", held_before=self._push.seq, held_now=held)
            self._push, self._lacks = push.resume(self._push, held), True

    @staticmethod
    def _is_troubled(state: push.PushState | pull.PullState | None) -> bool:
        return state is not None and (state.trouble is not None or (isinstance(state, push.PushState) and state.is_stopped))


@contextmanager
def only_uploader(database: Path) -> Iterator[None]:
    """Hold the lock of the one daemon of this till. Raises StoreBusyError when another runs."""
    try:
        lock = own(database.with_name(database.name + ".sync"))
    except StoreBusyError as error:
        raise StoreBusyError("another sync of this till is running; let it end") from error
    with lock:
        yield


def follow(open_syncer: Callable[[], tuple[Syncer, Callable[[], None]]], clock: Clock, stop: Event, interval_s: float) -> None:
    """Sync until ``stop`` is set. Outlives everything: after an unforeseen failure it opens the file anew.

    ``open_syncer`` gives a syncer and the function that closes what it holds.
    """
    while not stop.is_set():
        wait_s = AFTER_CRASH_S
        try:
            syncer, close = open_syncer()
            try:
                _turn(syncer, clock, stop, interval_s)
            finally:
                close()
        except LoyaltyError as error:
            log.error("sync.failed", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the daemon outlives everything, and says so
            log.error("sync.crashed", kind=type(error).__name__, reason=str(error))
        stop.wait(wait_s)


def _turn(syncer: Syncer, clock: Clock, stop: Event, interval_s: float) -> None:
    while not stop.is_set():
        report = syncer.once(clock)
        log.info(
            "sync.done",
            sent=report.sent_facts,
            fetched=report.fetched_members,
            unsent=report.unsent_facts,
            suspended=report.suspended_facts,
            trouble=report.trouble,
            road=report.road,
        )
        syncer.rest()
        _wait(syncer, clock, stop, _wait_s(report, clock(), interval_s), may_wake=report.trouble is None)


def _wait(syncer: Syncer, clock: Clock, stop: Event, wait_s: float, *, may_wake: bool) -> None:
    """Wait, and no longer than until something was sold, when all went well before."""
    until_ns = monotonic_ns() + int(wait_s * NS_PER_S)
    while not stop.is_set() and (left_s := (until_ns - monotonic_ns()) / NS_PER_S) > 0:
        stop.wait(min(left_s, LOOK_S) if may_wake else left_s)
        if may_wake and syncer.has_news(clock()):
            return


def _wait_s(report: SyncReport, now: datetime, interval_s: float) -> float:
    """Seconds to the next go: the interval when all is well, else until the step wishes to be woken."""
    if report.trouble is None:
        return interval_s
    if report.needs_person:
        return backoff.LONGEST_S
    return min(backoff.LONGEST_S, max(1.0, (report.wake_at - now) / timedelta(seconds=1)))
