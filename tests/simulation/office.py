"""Head office in the simulator: its steps over its own file, worded as ``sync/server/app.py`` words them, without HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.errors import (
    CommitUnknownError,
    HeadOfficeGoneError,
    InputError,
    LogForkError,
    LogGapError,
    LoyaltyError,
    PeerError,
    SnapshotGoneError,
    SnapshotNeededError,
    StoreError,
    TokenError,
    WireError,
)
from pos_loyalty.store.db import Connection, backup, open_store
from pos_loyalty.values import Value, decode, encode
from sync import identity
from sync.identity import EnrolRequest, Holder, Office
from sync.rights import RightsRequest
from sync.server import enrol, snapshots, steps
from sync.server.expiry import expire_due
from sync.server.ledger_store import LedgerStore
from sync.server.nightly import move_tiers
from sync.server.right_desk import FileMark, RightDesk
from sync.server.rights import RightTerms
from sync.server.snapshot_app import SnapshotDesk
from sync.server.snapshots import SnapshotShelf
from sync.server.sqlite import SqliteLedgerStore
from sync.server.sqlite_rights import Policy
from sync.server.truth import Recomputer, recompute_all
from sync.wire import ChangesRequest, Reply, SaleQuestion, problem
from tests.simulation.disk import Disk
from tests.simulation.ground import Machine
from tests.simulation.net import Question

if TYPE_CHECKING:
    from tests.simulation.world import World

OFFICE = Office(private_key="0a" * 32, token_secret="0b" * 32)
PUBLIC = identity.public_of(OFFICE.private_key)
MASTER_KEY = bytes(range(32, 64))
TERMS = RightTerms(share_bp=8_000, lease_days=10)
BUSY_S = 5


class ChunkQuestion(Value):
    """A file of a snapshot, from a byte on."""

    id: str
    n: int
    start: int


class HeadOffice:
    """One machine: its file, its mark beside it, its snapshots."""

    name = "HO"

    def __init__(self, world: World, folder: Path, changes_max: int, policy: Policy = "escrow") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = world
        self.path = folder / "head_office.db"
        self.machine = Machine(self.name, world.true, Disk(self.path))
        self.changes_max, self.policy = changes_max, policy
        self.restores = 0
        self.is_up = False
        self._desk = RightDesk(TERMS, FileMark(folder / "head_office.db.mark"))
        self._shelf = SnapshotShelf(self.path, OFFICE.private_key)
        self._store: SqliteLedgerStore | None = None
        self._recomputer = Recomputer()

    @property
    def db(self) -> Connection:
        """Its connection, to look at."""
        return self._opened()._db

    @property
    def ledger(self) -> LedgerStore:
        """For what a person does."""
        return self._opened()

    def boot(self) -> None:
        """Start, be it after a crash."""
        self.machine.disk.restart()
        self.machine.boot()
        self.is_up = True
        self._recomputer = Recomputer()

    def die(self) -> None:
        """The power is gone."""
        if not self.machine.disk.is_dead:
            self.machine.disk.cut_power()
        self._forget()
        self.is_up = False

    def restore(self, saved: Path) -> None:
        """Put a backup in the place of the file, and start again."""
        self._forget()
        self.machine.disk.lay({"": saved.read_bytes()})
        shutil.rmtree(self._shelf.folder, ignore_errors=True)
        self._desk = RightDesk(TERMS, FileMark(self.path.with_name(self.path.name + ".mark")))
        self.restores += 1
        self.boot()

    def save(self, to: Path) -> None:
        """A backup beside the work."""
        backup(self.db, to)

    def version(self) -> int:
        """Of the newest change that it tells of."""
        return steps.newest_version(self._opened())

    def night(self) -> None:
        """What it does by itself each hour."""
        store = self._opened()
        expire_due(store, utc_now())
        move_tiers(store, utc_now())

    def look_again(self) -> int:
        """Ask the engine again about what came."""
        return recompute_all(self._opened(), self._recomputer)

    def code(self, till: str) -> str:
        """An enrolment code."""
        return enrol.make_code(self._opened(), till, utc_now())

    def act(self, what: Callable[[LedgerStore], object]) -> None:
        """A person does something at head office."""
        what(self._opened())

    def answer(self, question: Question) -> Reply:
        """What goes out over the line."""
        return worded(lambda: self._answered(question), self._forget)

    def _answered(self, question: Question) -> bytes:
        kind, body = question.kind, question.body
        if kind == "enrol":
            return encode(enrol.enrol(self._opened(), decode(body, EnrolRequest), OFFICE, utc_now()))
        holder = identity.holder_of(question.token, OFFICE.token_secret)
        if kind == "log" and holder.till != question.till:
            return encode(steps.receive_carried(self._opened(), question.till, holder, body, utc_now(), PUBLIC))
        if holder.till != question.till:
            raise TokenError(f"this token is of till {holder.till}")
        match kind:
            case "log":
                return encode(steps.receive(self._opened(), holder.till, body, utc_now(), PUBLIC))
            case "changes":
                return self._changes(holder, decode(body, ChangesRequest))
            case "rights":
                asked = decode(body, RightsRequest)
                return encode(self._desk.answer(self._opened(), holder, asked, new_id, utc_now()))
            case "sold":
                return encode(steps.sold(self._opened(), decode(body, SaleQuestion), holder))
            case "snapshot":
                return self._snapshot(holder)
            case "chunk":
                asked_for = decode(body, ChunkQuestion)
                _, path = self._shelf.chunk(asked_for.id, asked_for.n)
                return path.read_bytes()[asked_for.start :]
        raise WireError(f"no such question: {kind}")

    def _changes(self, holder: Holder, asked: ChangesRequest) -> bytes:
        if (asked.peer.till, asked.peer.epoch) != (holder.till, holder.epoch):  # app.py takes both from the token alone
            raise TokenError("another till's token")
        return encode(steps.changes(self._opened(), asked, utc_now(), OFFICE.private_key, self.changes_max))

    def _snapshot(self, holder: Holder) -> bytes:
        desk = SnapshotDesk(self._shelf, _nobody, utc_now, self.changes_max)
        desk._note_asked(self._opened(), holder)
        newest = self._shelf.newest()
        if newest is None or not desk._is_of_use(self._opened(), newest, self.changes_max):
            snapshots.build(self.path, self._shelf.folder, OFFICE.private_key, utc_now())
            raise HeadOfficeGoneError("head office gets a snapshot ready", 1)
        return encode(newest)

    def _opened(self) -> SqliteLedgerStore:
        if self._store is None:
            db = open_store(self.path, role="head_office", owner="head-office", now=utc_now())
            self._store = SqliteLedgerStore(db, MASTER_KEY, policy=self.policy)
            self._desk.opened(self._store, utc_now())
        return self._store

    def _forget(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()


def worded(answer: Callable[[], bytes], forget: Callable[[], None]) -> Reply:
    """An answer, or a refusal, as ``sync/server/app.py`` words them. ``forget``: after an unknown COMMIT."""
    try:
        return Reply(status=200, content_type="application/json", body=answer())
    except LogGapError as error:
        return _refused("log-gap", 409, error, expected_seq=error.expected_seq)
    except LogForkError as error:
        return _refused("log-fork", 409, error)
    except TokenError as error:
        return _refused("token", 401, error)
    except SnapshotNeededError as error:
        return _refused("snapshot", 410, error)
    except SnapshotGoneError as error:
        return _refused("snapshot-gone", 404, error)
    except HeadOfficeGoneError as error:
        return _refused("busy", 503, error, wait_s=error.retry_after_s or BUSY_S)
    except (WireError, InputError) as error:
        return _refused("peer" if isinstance(error, PeerError) else "wire", 422, error)
    except CommitUnknownError as error:
        forget()
        return _refused("busy", 503, error, wait_s=BUSY_S)
    except StoreError as error:
        return _refused("busy", 503, error, wait_s=BUSY_S)


def _refused(kind: str, status: int, error: LoyaltyError, *, expected_seq: int | None = None, wait_s: int | None = None) -> Reply:
    body = encode(problem(kind, status, str(error), expected_seq))  # type: ignore[arg-type]
    return Reply(status=status, content_type="application/problem+json", body=body, retry_after_s=wait_s)


async def _nobody(_: object) -> bool:
    raise AssertionError("nobody asks this desk")
