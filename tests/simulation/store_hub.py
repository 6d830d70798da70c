"""A store's hub in the simulator: the production node, line and wiring over real files, on a machine of its own that may die at
any statement. Without HTTP and threads: what ``sync/hub/app.py`` does with a question is done here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import greenlet
from msgspec.structs import replace

from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.errors import StoreError, TokenError, WireError
from pos_loyalty.store import epochs, outbox
from pos_loyalty.store.db import Connection, backup
from pos_loyalty.store.relay import open_relay
from pos_loyalty.store.relay_drops import unbrought
from pos_loyalty.values import decode, encode
from pos_loyalty.wiring import hubs, identities
from pos_loyalty.wiring.files import Settings, settings, till_store
from sync import hub_wire
from sync.daemon import Beside, Syncer
from sync.hub.granting import note_called
from sync.hub.heads import Heads
from sync.hub.line import Line as HubLine
from sync.hub.line import Work
from sync.hub.node import HubNode
from sync.hub.telling import note_page
from sync.hub_wire import Stamp
from sync.identity import EnrolAnswer, EnrolRequest, Identity
from sync.local import Here
from sync.rights import RightsRequest
from sync.server.right_desk import FileMark
from sync.wire import ChangesRequest, Reply, SaleQuestion, read_enrolment
from tests.simulation.by_hub import Stamped, route
from tests.simulation.counter import PATIENCE_S, Line
from tests.simulation.disk import DiedError, Disk
from tests.simulation.ground import Machine
from tests.simulation.net import Question
from tests.simulation.office import PUBLIC, worded
from tests.simulation.template import HUB_STORE, MASTER_KEY

if TYPE_CHECKING:
    from tests.simulation.world import World

OUTSIDE = HUB_STORE
"""The hub's line to head office bears the name of its store: whichever hub stands there."""
SLOWER = 120
"""The line looks after itself so many times more seldom than in a shop."""
COMES_MS = 1_000
"""So soon after a till sent something the line goes."""
LEASE_DAYS = 7
AGAIN_S = 5.0
RELAY = ".relay"


class Outside(Line):
    """Head office as the hub sees it."""

    def carry(self, till: str, batch: bytes) -> Reply:
        """Another till's batch, under the hub's token."""
        return self._reply("log", till, batch)


class Stop:
    """The process's ``stop``: it is never set."""

    def __init__(self, hub: StoreHub) -> None:
        self._hub = hub

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float) -> bool:
        self._hub.world.sleep(timeout * SLOWER)
        return False


class Waker(Work):
    """What the hub tells its line, which is a greenlet here."""

    def __init__(self, hub: StoreHub) -> None:
        super().__init__()
        self._hub = hub
        self._asleep: greenlet.greenlet | None = None

    def came(self) -> None:
        super().came()
        self._wake()

    def reserve(self, member_ids: Sequence[str]) -> None:
        super().reserve(member_ids)
        self._wake()

    def wait(self, wait_s: float) -> None:
        """As a thread waits for its event."""
        world, me = self._hub.world, greenlet.getcurrent()
        if not self._event.is_set():
            self._asleep = me
            world.after(int(wait_s * SLOWER * 1000) + 1, lambda: self._go_on(me))
            world.wait()
        self._event.clear()

    def _wake(self) -> None:
        me = self._asleep
        if me is not None:
            self._hub.world.after(COMES_MS, lambda: self._go_on(me))

    def _go_on(self, me: greenlet.greenlet) -> None:
        if self._asleep is me:
            self._asleep = None
            self._hub.world.go_on(me)


class StoreHub:
    """One machine: its own file, what it keeps of its tills, its mark, its process."""

    outside = OUTSIDE

    def __init__(self, world: World, folder: Path, name: str, chance: Random) -> None:
        self.world, self.folder, self.name, self.chance = world, folder, name, chance
        self.machine = Machine(name, world.true, Disk(folder / "hub.db", RELAY))
        self.is_up = self.is_retired = False
        self.greenlets: list[greenlet.greenlet] = []
        self.connections: list[Connection] = []
        self.receipt_ids: dict[bytes, str] = {}
        """None: a hub sells nothing."""
        self.saved: list[Path] = []
        """Backups of its files."""
        self.heard: list[tuple[int, int, int]] = []
        self._node: HubNode | None = None
        self._heads = Heads(FileMark(hubs.mark_file(self.known)), name)
        self._identity: Identity | None = None

    @property
    def known(self) -> Settings:
        """As ``pos-loyalty hub`` reads them."""
        return hubs.as_hub(settings(self.folder / "config.toml"))

    @property
    def identity(self) -> Identity:
        """What it was enrolled as."""
        if self._identity is None:
            self._identity = identities.identity_of(self.known)
        return self._identity

    @property
    def node(self) -> HubNode:
        """The process's one node, opened at the first question."""
        if self._node is None:
            with self.world.turn_of(self):
                self._node = hubs.node_of(self.known, LEASE_DAYS)
        return self._node

    @property
    def db(self) -> Connection:
        """Its own file, to look at."""
        return self.node.db

    def boot(self) -> None:
        """Start, be it after a crash: as ``wiring.hubs.run_hub`` does, which looks into its file before all."""
        self.machine.disk.restart()
        self.machine.boot()
        self.is_up = True
        self._work = Waker(self)
        self._signer = self.identity.signer
        self.spawn(self._run)

    def _run(self) -> None:
        while self._node is None:
            try:
                self._node = hubs.node_of(self.known, LEASE_DAYS)
            except StoreError:  # the process ends, and is started again
                self.world.sleep(AGAIN_S)
        hubs._follow(self._line, Stop(self), self._work)  # type: ignore[arg-type]

    def spawn(self, what: Callable[[], object]) -> greenlet.greenlet:
        """Something that goes on in the process."""
        self.greenlets = [each for each in self.greenlets if not each.dead]
        made = self.world.begin(self, what)
        self.greenlets.append(made)
        return made

    def die(self) -> None:
        """The power is gone."""
        if not self.machine.disk.is_dead:
            self.machine.disk.cut_power()
        self.is_up = False
        for each in self.greenlets:
            self.world.net.forget(each)
            if not each.dead:
                with suppress(DiedError):
                    each.throw(DiedError)
        self.greenlets = []
        self._forget()
        for db in self.connections:
            db.close()
        self.connections = []

    def stop(self) -> None:
        """End in order."""
        self.die()

    def enrol(self, code: str) -> None:
        """Become the till of a code, as ``pos-loyalty hub --enrol CODE`` does. In a greenlet. Raises LoyaltyError."""

        def ask(asked: EnrolRequest) -> EnrolAnswer:
            return read_enrolment(self.world.net.ask(Question("enrol", self.name, "", encode(asked), OUTSIDE), PATIENCE_S))

        self._identity = None
        identities.enrol(self.known, code, ask)

    def unsent(self) -> int:
        """Facts that head office has not confirmed: its own, and those of its tills that it is to bring."""
        waiting = self.node.relay.execute("SELECT COUNT(*) FROM kept_batch").fetchone()[0]
        return outbox.unsent_count(self.db) + int(waiting)

    def place(self) -> tuple[int, int]:
        """Epoch and number of the end of its log."""
        here = epochs.place_of(self.db)
        return here.epoch, here.seq

    def save(self, folder: Path) -> None:
        """A backup of both files; the mark is no part of it."""
        folder.mkdir()
        for db, stem in ((self.node.db, ""), (self.node.relay, RELAY)):
            backup(db, folder / f"hub.db{stem}")

    def put_back(self, saved: Path) -> None:
        """What docs/hub.md says nobody should: its files go back to a backup. Its mark stays."""
        self.die()
        self.machine.disk.restart()
        self.machine.disk.lay({stem: (saved / f"hub.db{stem}").read_bytes() for stem in ("", RELAY)})

    def told(self) -> tuple[int, int]:
        """Epoch and number of its newest fact that a till or head office was told of."""
        told = self._heads.read()
        return (0, 0) if told is None else (told.epoch, told.seq)

    def head(self) -> tuple[int, int]:
        """The same of the newest that its file holds."""
        with self.machine.disk.at_peace():
            place = epochs.place_of(self.db)
        self._forget()
        return place.epoch, place.seq

    def holder(self) -> tuple[str, int]:
        """Who holds the store's rights: one that was enrolled once more, before it began, is not the till's first machine."""
        try:
            return self.name, self.identity.signer.credential.epoch
        except TokenError:
            return self.name, 1

    def lose_relay(self) -> None:
        """What it kept of its tills is gone."""
        self.die()
        self.machine.disk.restart()
        self.machine.disk.lay({name: data for name, data in self.machine.disk._files().items() if RELAY not in name})

    def answer(self, question: Question) -> Reply:
        """What goes out over the store's net: signed for the question, a refusal too."""
        nonces: list[str] = []

        def said() -> bytes:
            asked = self.node.asker(question.token, *route(question.kind, question.till), question.body)
            if asked.credential.till != question.till:
                raise TokenError(f"this is signed by till {asked.credential.till}")
            nonces.append(asked.nonce)
            return self._answered(asked, question)

        reply = worded(said, self._forget)
        if not nonces:
            return reply
        answered = hub_wire.stamp_answer(self._signer, nonces[0], reply.status, reply.body)
        wait_s = reply.retry_after_s
        return Stamped(
            status=reply.status, content_type=reply.content_type, body=reply.body, retry_after_s=wait_s, answered=answered
        )

    def _answered(self, asked: Stamp, question: Question) -> bytes:
        node, body = self.node, question.body
        match question.kind:
            case "log":
                ack = node.receive(question.till, body, utc_now())
                self._work.came()
                return encode(ack)
            case "changes":
                about = decode(body, ChangesRequest)
                if (about.peer.till, about.peer.epoch) != (asked.credential.till, asked.credential.epoch):
                    raise TokenError("another till's credential")  # app.py takes both from the credential alone
                return encode(node.changes(asked.credential, about, utc_now()))
            case "rights":
                wanted = decode(body, RightsRequest)
                answer = node.rights(asked.credential, wanted, new_id, utc_now())
                if standing := [want.member_id for want in wanted.wants if want.much == "all"]:
                    self._work.reserve(standing)
                return encode(answer)
            case "sold":
                return encode(node.sold(decode(body, SaleQuestion)))
        raise WireError(f"no such question: {question.kind}")

    def _line(self) -> HubLine:
        """As ``wiring.hubs.line_of`` makes it, over this world's line."""
        known = self.known
        opened: list[Connection] = []

        def close() -> None:
            for db in opened:
                if db in self.connections:
                    self.connections.remove(db)
                db.close()

        def keep(db: Connection) -> Connection:
            opened.append(db)
            self.connections.append(db)
            return db

        try:
            relay_db, db = keep(open_relay(hubs.relay_file(known))), keep(till_store(known, utc_now))
        except BaseException:
            close()
            raise
        here = Here(
            till=self.name, master_key=bytes.fromhex(MASTER_KEY), signer=self._signer, head_office_key=PUBLIC, is_hub=True,
            unbrought=lambda till, epoch: unbrought(relay_db, till, epoch),
        )  # fmt: skip
        pace = replace(self.world.kind.pace(self.world.near_s, self.world.batch_max), wants="store")
        office = Outside(self)
        beside = Beside(
            told=lambda page: note_page(relay_db, page),
            called=lambda lots: note_called(relay_db, lots, utc_now()),
            sending=self._heads.note,
        )
        syncer = Syncer(db, here, pace, office, self.chance.random, beside)
        return HubLine(hubs._hub_of(known), relay_db, syncer, office, close)

    def _forget(self) -> None:
        node, self._node = self._node, None
        if node is not None:
            node.close()
