"""The demo's child processes: started with a log each, waited for, and always stopped again."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

READY = re.compile(r"is ready at (http://\S+)")
READY_S = 60.0
STOP_S = 30.0
RUN_S = 120.0
POLL_S = 0.02
TAIL_LINES = 25


class DemoError(Exception):
    """The demo cannot go on; the sentence says why."""


class Processes:
    """All processes of one run. Leaving the block stops them, the youngest first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        forced = self.stop()
        if kind is None and forced:
            raise DemoError(f"did not end well when told to: {', '.join(forced)}")

    def start(self, name: str, *arguments: str) -> None:
        """Start ``pos-loyalty`` with these arguments; all that it says goes to its log."""
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                _command(arguments), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._running.append((name, process))

    def wait_ready(self, name: str) -> str:
        """The URL in the process's ready line. Raises DemoError when it ends or stays silent."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            found = READY.search(self._log(name).read_text(encoding="utf-8", errors="replace"))
            if found is not None:
                return found.group(1).rstrip("/")
            self.check()
            time.sleep(POLL_S)
        raise DemoError(f"{name} was not ready within {READY_S:.0f} s")

    def check(self) -> None:
        """Raises DemoError when a process that should run has ended."""
        for name, process in self._running:
            if process.poll() is not None:
                raise DemoError(f"{name} ended by itself with status {process.returncode}")

    def tails(self) -> str:
        """The ends of the logs of processes that ended by themselves, or of all when none did."""
        ended = [name for name, process in self._running if process.poll() is not None]
        return "\n".join(self._tail(name) for name in ended or [name for name, _ in self._running])

    def stop(self) -> tuple[str, ...]:
        """End everything: kindly at first, then by force. Gives the names of those that did not end by themselves with 0."""
        for _, process in reversed(self._running):
            process.terminate()
        until = time.monotonic() + STOP_S
        for _, process in reversed(self._running):
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        forced = tuple(name for name, process in self._running if process.returncode)
        self._running.clear()
        return forced

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _tail(self, name: str) -> str:
        lines = self._log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"--- the end of {self._log(name)}:", *lines])


def run(*arguments: str) -> str:
    """Run one ``pos-loyalty`` command to its end; gives what it printed. Raises DemoError when it fails."""
    try:
        done = subprocess.run(_command(arguments), capture_output=True, text=True, timeout=RUN_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"pos-loyalty {' '.join(arguments)} did not end within {RUN_S:.0f} s") from error
    if done.returncode:
        raise DemoError(
            f"pos-loyalty {' '.join(arguments)} ended with status {done.returncode}\n{done.stdout}{done.stderr}".rstrip()
        )
    return done.stdout.strip()


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "pos_loyalty.cli.main", *arguments]
