"""A chain of real processes: head office, tills that sell and their daemons, each in its own folder; killed and started at will.

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
from pathlib import Path

import requests
from pysqlite3 import dbapi2

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.till import staff
from pos_loyalty.values import Points
from pos_loyalty.wiring import offices, open_till
from sync.server import steps
from sync.wire import CardChange, LotChange, MemberChange
from tests.shop import CONFIG

COMMAND = (sys.executable, "-m", "pos_loyalty.cli.main")
PATIENCE_S = 120


class Process:
    """A child with its output in a file; killed and started again at will."""

    def __init__(self, name: str, folder: Path, *command: str) -> None:
        self.log = folder / f"{name}.log"
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it, with more arguments."""
        with self.log.open("ab") as out:
            self._child = subprocess.Popen([*self._command, *more], stdout=out, stderr=subprocess.STDOUT, start_new_session=True)

    def kill(self) -> None:
        """kill -9, with all that it started."""
        if self._child is not None:
            if self._child.poll() is None:
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None

    @property
    def said(self) -> str:
        """All that it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

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
        wiring.publish(self.database, wiring.secrets_of(known), programme.encode())
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


class Shopfloor:
    """One till's machine: a seller and a daemon over one file. ``url``: whom the till speaks to."""

    def __init__(self, office: Office, name: str, folder: Path, url: str, *, inside: Sequence[str] = (), more: str = "") -> None:
        self.name, self.folder, self._inside = name, folder, tuple(inside)
        folder.mkdir()
        self.config = folder / "config.toml"
        sync = f'\n[head_office]\nurl = "{url}"\ninterval_s = 0.2\nanswers_for_s = 2.0\ntimeout_s = 1.5\nbatch_facts_max = 20\n'
        text = CONFIG.replace('id = "T1"\n', f'id = "{name}"\nidentity = "till.json"\n')
        self.config.write_text(text + sync + more, encoding="utf-8")
        shutil.copy(office.folder / "secrets.toml", folder / "secrets.toml")
        till = open_till(self.config)
        for person, role, pin in (("C7", "cashier", "1234"), ("S1", "senior", "998877")):
            staff.add(till._desk.db, person, role, pin, till._desk.secrets.pepper)  # type: ignore[arg-type]
        till.close()
        self.database = folder / "till.db"
        self.seller = Process("seller", folder, *inside, sys.executable, "-m", "tests.faults.bank_seller", str(self.config))
        self.daemon = Process("daemon", folder, *inside, *COMMAND, "sync", "--follow", "--config", str(self.config))

    def enrol(self, code: str) -> None:
        """Become a till, as soon as head office answers."""
        until(lambda: self._command("sync", "--enrol", code).returncode == 0, "nobody enrols this till")

    def sync_once(self) -> bool:
        """Whether one go sent and fetched everything."""
        done = self._command("sync", "--json")
        return done.returncode == 0 and '"unsent_facts":0' in done.stdout and '"trouble":null' in done.stdout

    def sync_to_the_end(self) -> None:
        """Until nothing is left either way."""
        until(self.sync_once, f"till {self.name} does not come to an end")

    def kill(self) -> None:
        """Both processes."""
        self.seller.kill()
        self.daemon.kill()

    def _command(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*self._inside, *COMMAND, *words, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def until(holds: Callable[[], bool], otherwise: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again. Processes take what time they take; nothing here is measured."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """By plain SQL."""
    db = dbapi2.connect(str(path))
    try:
        return list(db.execute(sql).fetchall())
    finally:
        db.close()


def _member(member_id: str, card: str, centi: int) -> MemberChange:
    lot = LotChange(lot_id=f"opening:{member_id}", centi=Points(centi), amount_centi=Points(centi))
    return MemberChange(member_id=member_id, cards=(CardChange(number=card),), lots=(lot,) if centi else ())
