"""A store of two tills and a hub, and a till elsewhere: real files, one thread. The outside line, the store's network and each
machine fail; the hub burns down, is put back from a backup, is enrolled anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pos_loyalty.errors import ConflictError, HeadOfficeGoneError, LogForkError, LogGapError, NotFoundError, TokenError, WireError
from pos_loyalty.store import epochs, outbox, relay, relay_drops
from pos_loyalty.store.db import open_store
from pos_loyalty.values import decode, encode
from sync import identity
from sync.daemon import Beside, Pace, Syncer
from sync.hub.app import wanted
from sync.hub.granting import note_called
from sync.hub.heads import Heads
from sync.hub.keeping import Hub
from sync.hub.line import Line, Work
from sync.hub.node import HubNode
from sync.hub.telling import note_page
from sync.identity import Credential, EnrolRequest, Holder, Signer
from sync.local import Here
from sync.rights import Lends, RightsAnswer, RightsRequest
from sync.roads import Roads
from sync.server import enrol, steps
from sync.server.right_desk import FileMark
from sync.wire import ChangesRequest, Reply, problem
from tests.simulation import escrow
from tests.simulation.escrow import LOST, MEMBERS, Counter, World
from tests.simulation.shop import NO_POWER_CUT, OFFICE, OFFICE_PUBLIC, half, json_reply

HUB = "HUB"
WITH_HUB = ("T1", "T2")
LEASES = timedelta(days=400)
"""Longer than any lease."""


def worded(answer: Callable[[], bytes]) -> Reply:
    """An answer as the hub or head office words it."""
    try:
        return json_reply(200, answer())
    except LogGapError as error:
        return json_reply(409, encode(problem("log-gap", 409, str(error), error.expected_seq)))
    except LogForkError as error:
        return json_reply(409, encode(problem("log-fork", 409, str(error))))
    except TokenError as error:
        return json_reply(401, encode(problem("token", 401, str(error))))
    except WireError as error:
        return json_reply(422, encode(problem("wire", 422, str(error))))


class StoreHub:
    """The hub's machine: its files, its process, its line."""

    def __init__(self, world: HubWorld) -> None:
        self.world = world
        self.folder = world.folder / HUB
        self.folder.mkdir()
        self.keys = 0
        self.work = Work()
        self.lost: list[str] = []
        self.db_path, self.relay_path = self.folder / "hub.db", self.folder / "hub.db.relay"
        self.enrol()

    @property
    def name(self) -> str:
        return f"{HUB}{self.keys}"

    def open(self) -> None:
        def store() -> relay.Connection:
            db = open_store(self.db_path, role="till", owner=self.name, now=self.world.now)
            db.execute(NO_POWER_CUT)
            return db

        def kept() -> relay.Connection:
            db = relay.open_relay(self.relay_path)
            db.execute(NO_POWER_CUT)
            return db

        credential = self.signer.credential
        hub = Hub(credential=credential, master_key=bytes(32), head_office_key=OFFICE_PUBLIC)
        mark = FileMark(self.folder / "hub.db.mark")
        self.node = HubNode(hub, store(), kept(), mark)
        db, relay_db = store(), kept()
        here = Here(
            till=self.name, master_key=bytes(32), signer=self.signer, head_office_key=OFFICE_PUBLIC, is_hub=True,
            unbrought=lambda till, epoch: relay_drops.unbrought(relay_db, till, epoch),
        )  # fmt: skip
        pace = Pace(interval_s=1.0, batch_facts_max=500, wants="store", lends=Lends(gifts=True, coupons=True))
        beside = Beside(
            told=lambda page: note_page(relay_db, page),
            waiting=lambda: relay.waiting_count(relay_db),
            sending=Heads(mark, self.name).note,
            called=lambda lots: note_called(relay_db, lots, self.world.now),
        )
        syncer = Syncer(db, here, pace, Outside(self), half, beside)
        self.line = Line(hub, relay_db, syncer, Outside(self), lambda: (db.close(), relay_db.close()))  # type: ignore[func-returns-value, arg-type]

    def close(self) -> None:
        self.node.close()
        self.line.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def burn(self) -> None:
        """What it kept of its tills is gone."""
        self.close()
        for path in self.folder.glob("hub.db.relay*"):
            path.unlink()
        self.open()

    def restore(self, saved: Path) -> None:
        """All its files but the mark are put back; it is found out, and the hub is enrolled anew when the line is up."""
        self.close()
        for path in [*self.folder.glob("hub.db"), *self.folder.glob("hub.db-*"), *self.folder.glob("hub.db.relay*")]:
            path.unlink()
        for path in saved.iterdir():
            shutil.copy(path, self.folder / path.name)
        self.open()

    def backup(self) -> Path:
        saved = self.world.folder / f"hub-night{self.world.nights}"
        self.world.nights += 1
        saved.mkdir()
        self.node.db.execute("VACUUM INTO ?", (str(saved / "hub.db"),))
        self.node.relay.execute("VACUUM INTO ?", (str(saved / "hub.db.relay"),))
        return saved

    def enrol(self) -> None:
        self.keys += 1
        office, now = self.world.office, self.world.now
        private_key = f"{0xB0 + self.keys:02x}" * 32
        db = open_store(self.db_path, role="till", owner=self.name, now=now)
        asked = EnrolRequest(
            code=enrol.make_code(office.store, self.name, now), till=self.name,
            store="S1", public_key=identity.public_of(private_key),
            head=epochs.place_of(db),
        )  # fmt: skip
        credential = enrol.enrol(office.store, asked, OFFICE, now).credential
        epochs.begin(db, credential.epoch, credential.continues, store="S1", fact_id=self.world.office.new_id(), now=now)
        db.close()
        self.signer = Signer(credential=credential, private_key=private_key)
        self.open()

    def enrol_anew(self) -> None:
        """Another hub takes its place, under a name of its own and with an empty file: nothing stands in a hub alone."""
        self.lost.append(self.name)
        self.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.enrol()


class Outside:
    """The store's outside line, as the hub uses it."""

    def __init__(self, hub: StoreHub) -> None:
        self.hub, self.world = hub, hub.world

    @property
    def holder(self) -> Holder:
        credential = self.hub.signer.credential
        return Holder(till=self.hub.name, epoch=credential.epoch)

    def carry(self, till: str, batch: bytes) -> Reply:
        store, now = self.world.office.store, self.world.now
        return self.world.through(
            lambda: worded(lambda: encode(steps.receive_carried(store, till, self.holder, batch, now, OFFICE_PUBLIC))),
            is_cut=self.world.is_cut,
        )

    def push(self, batch: bytes) -> Reply:
        return self.world.through(lambda: self.world.office.push(self.hub.name, batch, self.world.now), is_cut=self.world.is_cut)

    def changes(self, question: bytes) -> Reply:
        return self.world.through(lambda: self.world.office.changes(question, self.world.now), is_cut=self.world.is_cut)

    def rights(self, question: bytes) -> Reply:
        office = self.world.office
        return self.world.through(lambda: office.rights(self.hub.name, self.holder.epoch, question), is_cut=self.world.is_cut)


class ByHub:
    """The store's own network, as a till uses it."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.world: HubWorld = counter.world  # type: ignore[assignment]

    @property
    def credential(self) -> Credential:
        return self.counter.here.signer.credential

    def push(self, batch: bytes) -> Reply:
        return self._ask(lambda node: encode(node.receive(self.counter.name, batch, self.world.now)))

    def changes(self, question: bytes) -> Reply:
        asked = decode(question, ChangesRequest)
        return self._ask(lambda node: encode(node.changes(self.credential, asked, self.world.now)))

    def rights(self, question: bytes) -> Reply:
        asked = decode(question, RightsRequest)
        reply = self._ask(lambda node: encode(node.rights(self.credential, asked, self.world.office.new_id, self.world.now)))
        if reply.status == 200 and self.world.lends:
            self.world.hub.work.reserve(wanted(asked, decode(reply.body, RightsAnswer)))
        return reply

    def _ask(self, answer: Callable[[HubNode], bytes]) -> Reply:
        return self.world.through(lambda: worded(lambda: answer(self.world.hub.node)), is_cut=self.world.is_hub_silent)


class Straight(escrow.Wire):
    """Straight to head office, by the same outside line."""

    def _through(self, ask: Callable[[], Reply]) -> Reply:
        if self.world.is_cut:  # type: ignore[attr-defined]
            raise LOST
        return super()._through(ask)


class StoreCounter(Counter):
    """A till whose store has a hub."""

    _roads: Roads | None = None

    def road(self) -> Roads:
        world: HubWorld = self.world  # type: ignore[assignment]
        if self._roads is None:
            self._roads = Roads(ByHub(self), Straight(self), lambda: world.now)  # type: ignore[arg-type]
        return self._roads

    def go(self) -> None:
        if self._syncer is None:
            roads = self.road()
            pace = Pace(interval_s=1.0, batch_facts_max=3, wants=None, lends=self.lends)
            beside = Beside(go_straight=roads.go_straight, go_by_hub=roads.go_by_hub, wait=self.wait)
            self._syncer = Syncer(self.db, self.here, pace, roads, half, beside)
        self._syncer.once(lambda: self.world.now)

    def wait(self, wait_s: float) -> None:
        """While the hub gets what it lacks."""

    def stand(self, member_id: str) -> None:
        """The member stands here: rights, then what the hub knows of them."""
        with suppress(HeadOfficeGoneError, WireError):
            if self._syncer is None:
                self.go()
            assert self._syncer is not None
            from sync import right_round

            answer = right_round.ask_for(self.db, self.here, self._syncer._head_office, member_id, self.world.now)
            if answer.hub:
                self._syncer._fetch_now(lambda: self.world.now)


class HubWorld(World):
    """T1 and T2 by the hub of S1, T3 straight."""

    is_cut = False
    is_hub_silent = False
    lends = False
    """Gift cards and codes too; then the hub asks head office on, as its process does."""

    def __init__(self, folder: Path, seed: int, more: str = "") -> None:
        self.hub_backups: list[Path] = []
        self.nights = 0
        self.is_restored = False
        self.ever_held: dict[str, int] = {}
        super().__init__(folder, seed, more)

    def make_counter(self, name: str, more: str) -> Counter:
        if name in WITH_HUB and not hasattr(self, "hub"):
            self.hub = StoreHub(self)
        return self.counter_of(name, more)

    def counter_of(self, name: str, more: str) -> Counter:
        return (StoreCounter if name in WITH_HUB else Counter)(self, name, more)

    def through(self, ask: Callable[[], Reply], *, is_cut: bool) -> Reply:
        """A line that loses, doubles and delays."""
        if is_cut or (self.is_faulty and self.chance(0.08)):
            raise LOST
        if self.is_faulty and self.chance(0.08):
            ask()
        reply = ask()
        if self.is_faulty and self.chance(0.08):
            raise LOST
        return reply

    def step(self) -> None:
        super().step()
        match self.rng.randrange(12):
            case 0 | 1 | 2:
                self.line_go()
            case 3 if self.chance(0.5):
                self.is_cut = not self.is_cut
            case 4 if self.chance(0.4):
                self.is_hub_silent = not self.is_hub_silent
            case 5 if self.chance(0.3):
                self.hub.restart()
            case 6 if self.chance(0.15):
                self.hub.burn()
            case 7 if self.chance(0.2) and not self.is_restored:
                self.hub_backups.append(self.hub.backup())
            case 8 if self.hub_backups and self.chance(0.15):
                self.hub.restore(self.rng.choice(self.hub_backups))
                self.is_restored = True
                self.hub_backups.clear()
            case 9 if self.is_restored and not self.is_cut:
                self.hub.enrol_anew()
                self.is_restored = False
                self.hub_backups.clear()
            case 10 | 11:
                self.go_round()
            case _:
                pass
        self.check_acks()

    def check_acks(self) -> None:
        """Nothing leaves a till's outbox that head office did not hold, at least before a restore."""
        for name, counter in self.counters.items():
            hold, acked = self.office.store.till(name), outbox.state(counter.db).acked_seq
            held = hold.applied_seq if hold else 0
            if held < self.ever_held.get(name, 0):  # restored: what it held just before nobody saw
                self.ever_held[name] = max(self.ever_held[name], acked)
            self.ever_held[name] = max(self.ever_held.get(name, 0), held)
            assert acked <= self.ever_held[name], "acknowledged, and head office never had it"

    def go_round(self) -> None:
        """A member goes from one till of the store to the next, and redeems all they may at each."""
        member_id = self.rng.choice(sorted(MEMBERS))
        for name in self.rng.sample(sorted(WITH_HUB), len(WITH_HUB)):
            counter = self.counters[name]
            counter.go()
            counter.stand(member_id)
            with suppress(ConflictError, NotFoundError):  # as in ``trade``
                counter.sell(member_id, self.rng.choice([2_500, 30_000]), "max", complete=True)

    def line_go(self) -> None:
        self.hub.line.go(lambda: self.now, self.hub.work.take())

    def quiet(self, rounds: int = 8) -> None:
        self.is_faulty = self.is_cut = self.is_hub_silent = False
        if self.is_restored:
            self.hub.enrol_anew()
            self.is_restored = False
        for name in self.hub.lost:
            with suppress(NotFoundError):  # head office was put back to before its enrolment
                enrol.revoke(self.office.store, name, "M9", self.now)
        for _ in range(rounds):
            self.now += timedelta(minutes=5)
            self.office.now = self.now
            self.hub.line._syncer._pull = self.hub.line._syncer._push = None
            self.line_go()
            super().quiet(1)
            is_all_sent = not any(outbox.unsent_count(counter.db) for counter in self.counters.values())
            for name in self.hub.lost if is_all_sent else ():  # and nobody uses what it gave, as docs/hub.md wants it
                with suppress(NotFoundError, ConflictError):  # it was never enrolled there, or a till has not told all since
                    enrol.lose(self.office.store, name, None, "M9", self.now + LEASES)

    def close(self) -> None:
        self.hub.close()
        super().close()
