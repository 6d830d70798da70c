"""A world: tills, a hub, head office, lines between them and one thread, all out of one seed. See docs/testing.md."""

from __future__ import annotations

import heapq
import shutil
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import greenlet

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import SyncError
from pos_loyalty.store import outbox, snapshot_state
from sync.wire import Reply, read_ack, read_changes
from tests.simulation import acts, hub_acts, kinds, of_before, template
from tests.simulation.chronicle import Chronicle
from tests.simulation.counter import INTERVAL_S, Counter
from tests.simulation.disk import DiedError
from tests.simulation.ground import Ground, Time, standing
from tests.simulation.laws import look, look_at_quiet
from tests.simulation.net import HUB, Line, Net, Question
from tests.simulation.office import HeadOffice
from tests.simulation.store_hub import StoreHub

STEPS = 200
ENOUGH, ENOUGH_WITH_HUB = 185, 120
"""Events, acts and messages, after which the faults of a short world end; quiet brings more, most of all with a hub."""
LEAST = 200
"""A world in which fewer have happened by then goes on after its quiet, and has another."""
LONG = 40
"""One world in so many is long: all its steps are taken."""
EARLY = 24
"""Among the first so many steps stand those that no world is without."""
LOOK_EVERY = 25
QUIET_ROUNDS, QUIET_ROUNDS_MAX = 1, 40
"""So many in which nobody writes anything, and with a hub one more: what it heard its tills hear with the next."""
QUIET_STEP_MS, QUIET_TALK_MS = 21 * 60_000, 30_000
"""From round to round, longer than any daemon waits; and for questions and answers."""
TURNS_MAX = 20_000
"""Messages and wakings of one step: more is a quarrel that does not end."""
Node = Counter | StoreHub | HeadOffice


class Step(NamedTuple):
    """Something that happens. ``seed``: of all that is left to chance in it, so that dropping a step changes no other."""

    number: int
    kind: str
    who: int
    seed: int


class World:
    """All of it. ``run`` it once."""

    def __init__(self, folder: Path, seed: int, says: Callable[[str], None] | None = None) -> None:
        self.folder, self.seed, self._says = folder, seed, says
        chance = Random(seed)
        self.true = Time()
        self.heap: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self.trace = sha256()
        self.events: Tally[str] = Tally()
        self.batch_max = chance.choice((2, 5, 25, 500))
        self.style = chance.choice(template.STYLES)
        self.kind = kinds.of(seed)
        self.has_hub, self.old = self.kind.has_hub, set(self.kind.old)
        template.lay(folder, self.style, self.kind.terms, has_hub=self.has_hub)
        self.office = HeadOffice(self, folder / "HO", chance.choice((10**9, 10**9, 12)), self.kind.terms.policy)
        self.net = Net(self, Random(f"net {seed}"))
        self.ground = Ground(self.office.machine, seed)
        self.counters = {name: Counter(self, folder / name, name, Random(f"{name} {seed}")) for name in template.STORES}
        for name in self.counters:
            self.net.lines[name] = Line()
        self.hub: StoreHub | None = None
        self.near_s = INTERVAL_S
        if self.has_hub:
            hub_acts.furnish(self, Random(f"hub {seed}"))
        self.chronicle = Chronicle(self)
        self.backups: list[Path] = []
        self.enough = 10**9 if is_long(seed) else ENOUGH_WITH_HUB if self.has_hub else ENOUGH
        self.main = greenlet.getcurrent()
        self.also: Callable[[World], None] | None = None

    def run(self, steps: list[Step], *, every: int = LOOK_EVERY) -> None:
        """All steps, then quiet, with the laws. Raises AssertionError and whatever the code itself raises."""
        with standing(self.ground):
            try:
                self.start()
                left = iter(steps)
                self._take_of(left, self.enough, every)
                self.quiet()
                if self.happened < LEAST:
                    self._take_of(left, LEAST, every)
                    self.quiet()
                look_at_quiet(self)
                if self.also is not None:
                    self.also(self)
            finally:
                self.stop()

    def start(self) -> None:
        """Everybody boots."""
        self.office.boot()
        self.at(self.office)
        self.chronicle.begin()
        for writer in self.writers.values():
            self.at(writer)
            writer.boot()

    def stop(self) -> None:
        """Nothing is left running."""
        for node in (self.office, *self.writers.values()):
            node.machine.disk.is_dead = True  # nobody asks any more what a power cut would leave
        for writer in self.writers.values():
            if writer.is_up:
                self.at(writer)
                writer.stop()
        if self.office.is_up:
            self.at(self.office)
            self.office.die()

    @property
    def happened(self) -> int:
        """Acts and messages so far."""
        return self.events.total() + self.net.moved

    def _take_of(self, steps: Iterator[Step], enough: int, every: int) -> None:
        """Steps until so much has happened, or none is left."""
        while self.events.total() < EARLY or self.happened < enough:
            step = next(steps, None)
            if step is None:
                return
            self.take(step)
            if every and self.events.total() % every == 0:
                look(self)

    def take(self, step: Step) -> None:
        """One step, and what comes of it in time."""
        chance = Random(step.seed)
        self.pass_ms(chance.choice((1, 50, 500, 5_000, 30_000)) + chance.randrange(1000))
        self.events[step.kind] += 1
        counter = list(self.counters.values())[step.who % len(self.counters)]
        self.say(f"{step.number} {step.kind} {counter.name}")
        kinds.ACTS[step.kind](self, counter, chance)

    def quiet(self) -> None:
        """The faults end; everybody is up, every clock is right, and syncs until all is sent, and some rounds more in which all
        hear of it."""
        of_before.upgrade_rest(self)
        acts.mend_all(self)
        before, calm = list[object](), 0
        for n in range(QUIET_ROUNDS_MAX):
            self.say(f"quiet {n}")
            for counter in self.counters.values():
                if n:
                    acts.sell_first(self, counter)
                acts.end_all(self, counter)
            self.skip_ms(QUIET_STEP_MS)
            self.pass_ms(QUIET_TALK_MS)
            acts.do_as_told(self)
            ends = self._ends()
            calm = calm + 1 if ends and ends == before else 0
            before = ends
            if calm == QUIET_ROUNDS + self.has_hub:
                break

    def _ends(self) -> list[object]:
        """Where everybody's own log ends, and what they heard of head office last; nothing while somebody has something to send
        or to hear of head office."""
        writers = self.writers.values()
        if any(not writer.is_up or writer.unsent() or snapshot_state.standing(writer.db) is not None for writer in writers):
            return []
        self.at(self.office)
        newest = self.office.version()
        heard = [outbox.state(writer.db).pulled_version for writer in writers]
        if any(
            n != newest for n, writer in zip(heard, writers, strict=True) if not isinstance(writer, Counter) or not writer.has_hub
        ):
            return []
        return [newest, heard, [writer.place() for writer in writers]]

    @property
    def writers(self) -> dict[str, Counter | StoreHub]:
        """Whoever writes a log of their own in a shop: the tills, and the store's hub."""
        return {**self.counters, **({} if self.hub is None else {self.hub.name: self.hub})}

    # Time and turns.

    def after(self, ms: int, what: Callable[[], None]) -> None:
        """Something comes later."""
        heapq.heappush(self.heap, (self.true.ms + ms, next(self._numbers), what))

    def pass_ms(self, ms: int) -> None:
        """Time goes on, and all that is due happens in its order."""
        until = self.true.ms + ms
        for _ in range(TURNS_MAX):
            if not self.heap or self.heap[0][0] > until:
                break
            due, _, what = heapq.heappop(self.heap)
            self.true.ms = max(self.true.ms, due)
            what()
        else:
            raise AssertionError("I14: messages do not end")
        self.true.ms = until

    def skip_ms(self, ms: int) -> None:
        """A long time in which the machines did next to nothing: what was due happens now, once."""
        self.true.ms += ms
        self.pass_ms(1)

    def at(self, node: Node) -> None:
        """It is this node's turn."""
        self.ground.machine = node.machine

    @contextmanager
    def turn_of(self, node: Node) -> Iterator[None]:
        """It is this node's turn, and then again whose it was."""
        before = self.ground.machine
        self.at(node)
        try:
            yield
        finally:
            self.ground.machine = before

    def begin(self, counter: Counter | StoreHub, what: Callable[[], object]) -> greenlet.greenlet:
        """A greenlet of a till or a hub, which begins at once."""

        def whole(_: object) -> None:
            try:
                what()
            except DiedError:
                return

        made = greenlet.greenlet(whole, parent=self.main)
        made.counter = counter
        self.after(0, lambda: self.go_on(made))
        return made

    def go_on(self, who: greenlet.greenlet, value: Any = None) -> None:
        """Somebody's turn, until they wait or end. A machine that dies meanwhile is down afterwards."""
        if who.dead:
            return
        counter: Counter | StoreHub = who.counter
        with self.turn_of(counter):
            who.switch(value)
            if counter.machine.disk.is_dead and not counter.is_retired:
                self.say(f"{counter.name} died")
                counter.die()
                self._comes_back(counter)

    def wait(self) -> Any:
        """Give others their turn until somebody goes on with us."""
        me = greenlet.getcurrent()
        counter: Counter | StoreHub = me.counter
        assert me is not self.main
        value = self.main.switch()
        self.at(counter)
        return value

    def sleep(self, seconds: float) -> None:
        """Wait so long."""
        me = greenlet.getcurrent()
        self.after(int(seconds * 1000) + 1, lambda: self.go_on(me))
        self.wait()

    def nap(self, seconds: float, look_ms: int) -> None:
        """Wait so long, or to the first look after this machine's file was written: as one who looks every ``look_ms``.

        What was written since the last nap counts.
        """
        me, began_ms, is_over = greenlet.getcurrent(), self.true.ms, False
        disk = me.counter.machine.disk

        def wake() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self.go_on(me)

        disk.when_written = lambda: self.after(look_ms - (self.true.ms - began_ms) % look_ms, wake)
        if disk.commits != getattr(me, "commits_seen", -1):
            disk.tell()
        self.after(int(seconds * 1000) + 1, wake)
        self.wait()
        me.commits_seen = disk.commits

    # What goes up and comes back.

    def upstream(self, question: Question) -> HeadOffice | StoreHub | None:
        """Who answers a question: head office, or the store's hub."""
        return self.hub if question.line.endswith(HUB) else self.office

    def answer(self, question: Question) -> Reply | None:
        """The answer to a question that arrived; None when nobody is there to give it."""
        node = self.upstream(question)
        if node is None or not node.is_up:
            return None
        with self.turn_of(node):
            try:
                reply = of_before.answer(self, node, question)
                if node is self.office and question.kind == "log" and reply.status == 200:
                    ack = read_ack(reply)
                    self.chronicle.said(question.till, ack.applied_seq, ack.applied_hash)
                said = sha256(reply.body).hexdigest()[:8]
                self.say(f"  {question.kind} of {question.till} to {node.name}: {reply.status} {said}")
                return reply
            except DiedError:
                self.say(f"{node.name} died")
                node.die()
                self._comes_back(node)
                return None

    def _comes_back(self, node: Node) -> None:
        """A machine that died is started by somebody in a minute."""
        if node is self.office:
            self.after(60_000, lambda: acts.boot_office(self))
        elif isinstance(node, StoreHub):
            self.after(60_000, lambda: hub_acts.come_back(self, node))
        elif isinstance(node, Counter):
            self.after(60_000, lambda: acts.come_back(self, node))

    def heard_ack(self, counter: Counter | StoreHub, reply: Reply) -> None:
        """A till is told that head office holds its log so far."""
        with suppress(SyncError):
            ack = read_ack(reply)
            self.chronicle.acked(counter.name, ack.applied_seq, ack.applied_hash)

    def heard_page(self, counter: Counter | StoreHub, reply: Reply) -> None:
        """A till is told what changed, and head office's time."""
        with suppress(SyncError):
            page = read_changes(reply)
            self.chronicle.holds(page.holds or ())
            self.chronicle.ever_acked.setdefault(counter.name, set()).add((page.as_of_seq, page.as_of_hash))
            counter.heard.append((to_ms(page.server_time), self.true.ms, counter.machine.boots))

    def heard_of_hub(self, counter: Counter, kind: str, reply: Reply) -> None:
        """A till is told by its hub how far head office holds its log; the hub's own word is no ack."""
        if kind not in ("log", "changes") or reply.status != 200:
            return
        with suppress(SyncError):
            relayed = read_ack(reply).relayed if kind == "log" else read_changes(reply).relayed
            if relayed and relayed.safe is not None:
                self.chronicle.called_safe(counter.name, relayed.safe.seq, relayed.safe.hash)
                self.chronicle.acked(counter.name, relayed.safe.seq, relayed.safe.hash)

    def say(self, line: str) -> None:
        """A line of the trace, which is the same whenever the same steps are taken."""
        self.trace.update(line.encode() + b"\n")
        if self._says is not None:
            self._says(f"{self.true.ms / 1000:>12.3f} {line}")

    def throw_away(self) -> None:
        """The files are of no more use."""
        shutil.rmtree(self.folder, ignore_errors=True)


def plan(seed: int, steps: int = STEPS, often: Mapping[str, int] | None = None) -> list[Step]:
    """What will happen in a world, whatever comes of it. ``often``: what happens so many times as often as else."""
    chance = Random(f"plan {seed}")
    weights, never_without = kinds.planned(seed)
    happens = chance.choices(list(weights), [weight * (often or {}).get(kind, 1) for kind, weight in weights.items()], k=steps)
    made = [Step(n, kind, chance.randrange(1000), chance.randrange(2**32)) for n, kind in enumerate(happens)]
    for n, kind in zip(chance.sample(range(EARLY // 4, min(EARLY, steps)), len(never_without)), never_without, strict=True):
        made[n] = made[n]._replace(kind=kind)
    return made


def brief(seed: int, kind: str) -> list[Step]:
    """A short world around one act that is long by itself."""
    chance = Random(f"brief {seed}")
    happens = ("rest", "sell", "rest", kind, "rest", "sell", "sell", "rest", "rest")
    return [Step(n, each, chance.randrange(1000), chance.randrange(2**32)) for n, each in enumerate(happens)]


def is_long(seed: int) -> bool:
    """Whether all steps of the plan are taken."""
    return Random(f"long {seed}").randrange(LONG) == 0
