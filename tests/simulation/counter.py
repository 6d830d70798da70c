"""A till of the simulator: a real till over its own file and its daemon, on a machine that may die at any statement."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import greenlet

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import HeadOfficeGoneError, LoyaltyError
from pos_loyalty.store import epochs, outbox
from pos_loyalty.store.db import Connection, open_store
from pos_loyalty.store.sold import NOTHING, SaleFound
from pos_loyalty.till import Till
from pos_loyalty.values import decode, encode
from pos_loyalty.wiring import identities
from pos_loyalty.wiring.files import settings
from sync import daemon, identity
from sync.daemon import Syncer
from sync.elsewhere import asked, heard
from sync.identity import EnrolRequest, Identity
from sync.local import Here
from sync.reserving import Asker
from sync.wire import Reply, checked, read_enrolment
from tests.simulation import of_before
from tests.simulation.by_hub import roads_of, sales_of
from tests.simulation.disk import DiedError, Disk
from tests.simulation.ground import Machine
from tests.simulation.net import Question
from tests.simulation.office import PUBLIC, ChunkQuestion
from tests.simulation.template import HUB_STORE, MASTER_KEY, STORES

if TYPE_CHECKING:
    from tests.simulation.store_hub import StoreHub
    from tests.simulation.world import World

PATIENCE_S, PERSON_WAITS_S = 5.0, 2.0
INTERVAL_S = 1200.0
LOOK_MS = 3_000
"""How often a daemon looks whether something was sold: as the interval, more seldom than in a shop."""


class Line:
    """Head office as the daemon, an asker or a return of this till sees it: the client without HTTP."""

    def __init__(self, counter: Counter | StoreHub, patience_s: float = PATIENCE_S) -> None:
        self._counter, self._patience_s = counter, patience_s

    def push(self, batch: bytes) -> Reply:
        return self._asked("log", batch)

    def changes(self, question: bytes) -> Reply:
        return self._asked("changes", question)

    def rights(self, question: bytes) -> Reply:
        return self._asked("rights", question)

    def snapshot(self) -> Reply:
        return self._asked("snapshot", b"")

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        reply = self._asked("chunk", encode(ChunkQuestion(id=snapshot_id, n=n, start=start)))
        chance, data = self._counter.world.net.chance, checked(reply)
        if data and chance.random() < 0.2:
            keep(start, data[: chance.randrange(len(data))])
            raise HeadOfficeGoneError("the line went dead")
        keep(start, data)

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        return asked(lambda question: self._asked("sold", encode(question)), name)

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        return heard(lambda: self.sold(name)) if is_line_up else NOTHING

    def _asked(self, kind: str, body: bytes) -> Reply:
        me = self._counter
        reply = of_before.not_said(me, kind, body) or self._reply(kind, me.name, body)
        of_before.check_read(me, kind, reply)
        if kind == "log" and reply.status == 200:
            me.world.heard_ack(me, reply)
        if kind == "changes" and reply.status == 200:
            me.world.heard_page(me, reply)
        return reply

    def _reply(self, kind: str, till: str, body: bytes) -> Reply:
        me = self._counter
        for db in me.connections:
            assert not db.in_transaction, "nobody waits for the network within a transaction"
        return me.world.net.ask(Question(kind, till, me.identity.token, body, me.outside), self._patience_s)


class Sleep:
    """The daemon's ``stop``: it is never set, and whoever waits for it sleeps until something is written, or so long."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float) -> bool:
        self._counter.world.nap(timeout, LOOK_MS)
        return False


class Waker:
    """Who asks for more rights beside the till: a greenlet for each question in the place of a thread."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._asking: set[str] = set()
        self._asker = Asker(lambda: counter.syncer(PERSON_WAITS_S), utc_now)

    def wake(self, member_id: str) -> bool:
        if self._asking or self._counter.is_retired:
            return False
        self._asking.add(member_id)
        self._counter.spawn(lambda: self._ask(member_id))
        return True

    def close(self) -> None:
        self._asker.close()

    def _ask(self, member_id: str) -> None:
        try:
            self._asker.ask(member_id)
        except LoyaltyError as error:
            self._counter.world.say(f"{self._counter.name} asks in vain: {error}")
        finally:
            self._asking.clear()


class Counter:
    """One till machine."""

    def __init__(self, world: World, folder: Path, name: str, chance: Random) -> None:
        self.world, self.folder, self.name, self.chance = world, folder, name, chance
        self.config = folder / "config.toml"
        self.machine = Machine(name, world.true, Disk(folder / "till.db"))
        self.is_up = self.is_retired = False
        self.greenlets: list[greenlet.greenlet] = []
        self.connections: list[Connection] = []
        self.busy: greenlet.greenlet | None = None
        self.open_sales: list[str] = []
        self.done_sales: list[str] = []
        self.unsure: list[str] = []
        """Sales whose verb was answered by nobody: looked up before anything else."""
        self.made = 0
        self.receipt_ids: dict[bytes, str] = {}
        """Facts that this machine answered with a receipt."""
        self.saved: list[Path] = []
        """Backups of its file."""
        self.heard: list[tuple[int, int, int]] = []
        """Head office's time in ms, true time, boot: of each page that may have been applied."""
        self._till: Till | None = None
        self._identity: Identity | None = None
        self._spare: Connection | None = None
        """What an asker let go of in good order: the next one of this run goes on with it, where a shop's would open the file."""

    @property
    def till(self) -> Till:
        """The till that runs."""
        assert self._till is not None
        return self._till

    @property
    def db(self) -> Connection:
        """The till's own connection, whoever's turn it is."""
        with self.world.turn_of(self):
            return self.till._desk.db

    @property
    def has_hub(self) -> bool:
        """Whether a hub stands in its store."""
        return self.world.hub is not None and STORES[self.name] == HUB_STORE

    @property
    def outside(self) -> str:
        """Its own line to head office."""
        return self.name

    @property
    def identity(self) -> Identity:
        """What it was enrolled as."""
        if self._identity is None:
            self._identity = decode((self.folder / "var/identity.json").read_bytes(), Identity)
        return self._identity

    def boot(self) -> None:
        """Start till and daemon, be it after a crash."""
        self.machine.disk.restart()
        self.machine.boot()
        self.is_up = True
        line = Line(self, 3.0)
        self._till = wiring.open_till(self.config, elsewhere=sales_of(self, line) if self.has_hub else line)
        self.till._desk.reserver = Waker(self)
        interval_s = self.world.near_s if self.has_hub else INTERVAL_S
        self.spawn(lambda: daemon.follow(self.syncer, utc_now, Sleep(self), interval_s))  # type: ignore[arg-type]

    def syncer(self, patience_s: float = PATIENCE_S) -> tuple[Syncer, Callable[[], None]]:
        """As ``wiring.offices.syncer_of`` makes it, over this world's line."""
        signer = self.identity.signer
        here = Here(till=self.name, master_key=bytes.fromhex(MASTER_KEY), signer=signer, head_office_key=PUBLIC)
        db, self._spare = self._spare or self._opened(), None
        met = len(self.machine.disk.met)

        def close() -> None:
            if self._spare is None and not db.in_transaction and len(self.machine.disk.met) == met:
                self._spare = db
                return
            self.connections.remove(db)
            db.close()

        pace = self.world.kind.pace(INTERVAL_S, self.world.batch_max)
        line = Line(self, patience_s)
        if self.has_hub:
            roads, pace, beside = roads_of(self, line, pace)
            return Syncer(db, here, pace, roads, self.chance.random, beside), close
        return Syncer(db, here, pace, line, self.chance.random), close

    def _opened(self) -> Connection:
        db = open_store(self.machine.disk.path, role="till", owner=self.name, now=utc_now(), master_key=MASTER_KEY)
        self.connections.append(db)
        return db

    def spawn(self, what: Callable[[], object]) -> greenlet.greenlet:
        """Something that goes on beside the till, of the same machine."""
        self.greenlets = [each for each in self.greenlets if not each.dead]
        made = self.world.begin(self, what)
        self.greenlets.append(made)
        return made

    def die(self) -> None:
        """The power is gone: nothing of the process goes on."""
        if not self.machine.disk.is_dead:
            self.machine.disk.cut_power()
        self.is_up, self.busy = False, None
        for each in self.greenlets:
            self.world.net.forget(each)
            if not each.dead:
                with suppress(DiedError):
                    each.throw(DiedError)
        self.greenlets = []
        self._let_go()

    def stop(self) -> None:
        """End in order."""
        self.die()

    def _let_go(self) -> None:
        for db in self.connections:
            db.close()
        self.connections, self._spare = [], None
        till, self._till = self._till, None
        if till is not None:
            if till._desk._db is not None:
                till._desk._db.close()
                till._desk._db = None
            till._release()

    def retire(self, successor: Path) -> Counter:
        """This machine is gone; another stands in its place, over a folder that is made here."""
        if self.is_up:
            self.die()
        self.is_retired = True
        successor.mkdir()
        for name in ("config.toml", "secrets.toml"):
            shutil.copy(self.folder / name, successor / name)
        made = Counter(self.world, successor, self.name, self.chance)
        made.made, made.saved = self.made, self.saved
        return made

    def enrol(self, code: str) -> None:
        """Become the next epoch of this till, as ``pos-loyalty sync --enrol CODE`` does. In a greenlet. Raises LoyaltyError."""

        def ask(asked: EnrolRequest) -> identity.EnrolAnswer:
            return read_enrolment(self.world.net.ask(Question("enrol", self.name, "", encode(asked)), PATIENCE_S))

        self._identity = None
        identities.enrol(settings(self.config), code, ask)

    def unsent(self) -> int:
        """Facts that head office has not confirmed. Who asks this is no part of the machine."""
        with self.machine.disk.at_peace():
            return outbox.unsent_count(self.db)

    def place(self) -> tuple[int, int]:
        """Epoch and number of the end of its log."""
        here = epochs.place_of(self.db)
        return here.epoch, here.seq
