"""A chain of real processes: head office, a hub, tills that sell and their daemons; killed and started at will.

A node may run in a network namespace (``inside``) and speaks to the address that it is told: head office, a proxy, a hub.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import requests
from pysqlite3 import dbapi2

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.values import Points
from pos_loyalty.wiring import offices
from sync.server import steps
from sync.wire import CardChange, LotChange, MemberChange
from tests.faults.namespaces import Wires
from tests.faults.told import spoken
from tests.shop import CONFIG

COMMAND = (sys.executable, "-m", "pos_loyalty.cli.main")
PATIENCE_S = 120
TIMEOUT_S = 1.5
INTERVAL_S = 0.5
"""So often a daemon looks; what its seller sold it sends at once."""
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"


class Process:
    """A child with its output in a file; killed and started again at will."""

    def __init__(self, name: str, folder: Path, *command: str) -> None:
        self.log = folder / f"{name}.log"
        self.log.touch()
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it, with more arguments."""
        with self.log.open("ab") as out:
            self._child = subprocess.Popen([*self._command, *more], stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    def kill(self) -> None:
        """kill -9, with all that it started."""
        if self._child is not None:
            self._signal(signal.SIGKILL)
            self._child.wait()
            self._child = None

    def hold(self) -> None:
        """It does nothing until it is let go."""
        self._signal(signal.SIGSTOP)

    def let_go(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._child is not None and self._child.poll() is None:
            os.killpg(self._child.pid, number)

    @property
    def said(self) -> str:
        """All that it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def is_done(self) -> bool:
        """Whether it ended by itself."""
        return self._child is not None and self._child.poll() is not None


class Office:
    """Head office in a folder of its own."""

    def __init__(self, folder: Path, port: int, *, host: str = "127.0.0.1", inside: Sequence[str] = (), more: str = "") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.url = f"http://{host}:{port}"
        self.config = folder / "config.toml"
        server = f'\n[server]\ndatabase = "head_office.db"\nidentity = "office.json"\nhost = "{host}"\nport = {port}\n{more}'
        self.config.write_text(CONFIG + server, encoding="utf-8")
        wiring.make_secrets(self.config)
        self.database = folder / "head_office.db"
        self.process = Process("head_office", folder, *inside, *COMMAND, "head-office", "--config", str(self.config))

    def prepare(self, programme: str, members: Sequence[tuple[str, str, int]]) -> None:
        """Publish, and take in members: id, card, points in hundredths."""
        known = wiring.settings(self.config)
        wiring.publish(known, None, programme.encode())
        with offices.ledger_of(known, None) as store:
            steps.import_members(store, [_member(*each) for each in members], utc_now())

    @property
    def is_up(self) -> bool:
        """Whether it answers, where this process can reach it."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def code(self, till: str) -> str:
        """With which a machine becomes a till."""
        return wiring.enrolment_code(wiring.settings(self.config), None, till)

    def back_up(self, target: Path) -> None:
        """As each night."""
        wiring.backup(self.database, target)

    def restore(self, saved: Path) -> None:
        """A backup in the place of the file; the process must not run."""
        for tail in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + tail).unlink(missing_ok=True)
        shutil.copyfile(saved, self.database)


class Machine:
    """A machine of a store that head office enrols, in a folder of its own. ``inside``: where it runs."""

    def __init__(self, office: Office, name: str, folder: Path, wires: Wires, inside: str) -> None:
        self.name, self.folder = name, folder
        self._wires, self._inside = wires, inside
        folder.mkdir()
        self.config = folder / "config.toml"
        shutil.copy(office.folder / "secrets.toml", folder / "secrets.toml")

    @property
    def known(self) -> wiring.Settings:
        """Its settings, by which it is enrolled."""
        return wiring.settings(self.config)

    def enrol(self, code: str) -> None:
        """Become a till, or a hub, as soon as head office answers."""
        deadline = time.monotonic() + PATIENCE_S

        def ask() -> bool:
            while time.monotonic() < deadline:
                with suppress(HeadOfficeGoneError):
                    wiring.enrol_till(self.known, code)
                    return True
                time.sleep(0.05)
            return False

        assert self._wires.within(self._inside, ask), f"nobody enrols {self.name}"

    def _process(self, name: str, *command: str) -> Process:
        return Process(name, self.folder, *self._wires.inside(self._inside), *command, "--config", str(self.config))


class Hub(Machine):
    """A store's hub; ``url``: where it finds head office."""

    def __init__(self, office: Office, folder: Path, url: str, wires: Wires, at: tuple[str, int], *, inside: str) -> None:
        super().__init__(office, "S1-HUB", folder, wires, inside)
        more = (
            f'\n[head_office]\nurl = "{url}"\ntimeout_s = {TIMEOUT_S}\n[hub]\nserve = true\nid = "{self.name}"\n'
            f'host = "{at[0]}"\nport = {at[1]}\ndatabase = "hub.db"\nidentity = "hub.json"\n'
        )
        self.config.write_text(CONFIG + more, encoding="utf-8")
        self.database, self.relay = folder / "hub.db", folder / "hub.db.relay"
        self.process = self._process("hub", *COMMAND, "hub")

    @property
    def known(self) -> wiring.Settings:
        """Its settings as head office knows it."""
        return wiring.as_hub(super().known)


class Shopfloor(Machine):
    """One till's machine: a seller and a daemon over one file. ``url``: where it finds head office; ``more``: of its config."""

    def __init__(
        self, office: Office, name: str, folder: Path, url: str, wires: Wires, *, inside: str, store: str = "S1", more: str = ""
    ) -> None:
        super().__init__(office, name, folder, wires, inside)
        sync = f'\n[head_office]\nurl = "{url}"\ninterval_s = {INTERVAL_S}\nanswers_for_s = 2.0\ntimeout_s = {TIMEOUT_S}\n'
        text = CONFIG.replace('id = "T1"\n', f'id = "{name}"\nidentity = "till.json"\n').replace('"S1"', f'"{store}"')
        self.config.write_text(text + sync + "batch_facts_max = 20\n" + more, encoding="utf-8")
        self.database = folder / "till.db"
        seller = (sys.executable, "-m", "tests.faults.bank_seller", str(self.config))
        self.seller = Process("seller", folder, *wires.inside(inside), *seller)
        self.daemon = self._process("daemon", *COMMAND, "sync", "--follow")

    def begin(self, seed: int, last: int = sys.maxsize, pause_s: float = 0.0) -> None:
        """The seller begins, with the act that it has not acknowledged."""
        acked, tried = spoken(self.seller.log)
        first = max(1, tried if tried not in acked else tried + 1)
        self.seller.start(str(seed), str(first), str(last), str(pause_s))

    def order(self, words: str) -> None:
        """What the seller is to do next, see there."""
        made = self.folder / "order.new"
        made.write_text(words, encoding="utf-8")
        made.rename(self.folder / "order")

    def kill(self) -> None:
        """Both processes."""
        self.seller.kill()
        self.daemon.kill()


def until(holds: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again. Processes take what time they take; nothing here is measured."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """By plain SQL."""
    db = dbapi2.connect(str(path))
    try:
        return list(db.execute(sql).fetchall())
    finally:
        db.close()


def all_rows(path: Path, but: Sequence[str]) -> dict[str, list[tuple[object, ...]]]:
    """Of every table of a file but these, sorted."""
    db = dbapi2.connect(str(path))
    try:
        names = [str(name) for (name,) in db.execute(TABLES) if name not in but]
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}
    finally:
        db.close()


def _member(member_id: str, card: str, centi: int) -> MemberChange:
    lot = LotChange(lot_id=f"opening:{member_id}", centi=Points(centi), amount_centi=Points(centi))
    return MemberChange(member_id=member_id, cards=(CardChange(number=card),), lots=(lot,) if centi else ())
