"""A PostgreSQL server for tests: made in a folder of its own, reached over a socket in it, gone with the tests.

It runs without waiting for the disk: no test here judges what a power cut leaves. Each database is a copy of an empty one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

PLACES = (Path("/usr/lib/postgresql"), Path("/usr/local/pgsql"))
USER = "postgres"
LAX = (
    "fsync=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=40",
    "shared_buffers=64MB",
    "log_statement=none",
)


def programs() -> Path:
    """Where initdb and pg_ctl are: the newest of those that are installed."""
    found = [folder for place in PLACES for folder in place.glob("**/bin") if (folder / "initdb").exists()]
    assert found, "no PostgreSQL server is installed; `make test` installs one"
    return max(found)


@dataclass
class Server:
    """One server. ``new_database`` answers the URL of a database that nobody used."""

    folder: Path
    settings: tuple[str, ...] = LAX
    numbers: count[int] = field(default_factory=lambda: count(1))

    def start(self) -> None:
        """PostgreSQL does not run as root: there the system's own user for it does."""
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        self._run("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = " ".join(f"-c {setting}" for setting in (*self.settings, f"unix_socket_directories={self.folder}"))
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """At once: nothing in it is wanted any more."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def url(self, name: str) -> str:
        """Of a database."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """Empty."""
        name = f"t{next(self.numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *args: str) -> None:
        user = USER if os.geteuid() == 0 else None
        command = [str(programs() / program), *args]
        done = subprocess.run(command, user=user, group=user, capture_output=True, text=True, cwd="/", timeout=120, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout[-500:]}{done.stderr[-500:]}"


def started(settings: tuple[str, ...] = LAX) -> Server:
    """A server that runs, in a new folder with a short name: a socket's path is short."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    server = Server(folder, settings)
    server.start()
    return server
