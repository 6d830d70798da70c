"""Machines in network namespaces of their own, with wires between them that may be pulled, and no way out."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest

T = TypeVar("T")
Ends = tuple[str, str]
CLONE_NEWNET = 0x40000000


class Wires:
    """Each wire joins two machines, by a pair of virtual cards; nobody has a default route. Without wires all stands on this
    machine's loopback."""

    def __init__(self, *wires: Ends) -> None:
        self._wires = wires
        self.machines = tuple(dict.fromkeys(machine for wire in wires for machine in wire))

    @classmethod
    def made(cls, *wires: Ends) -> Wires:
        """The namespaces and what joins them. Skips where that is not allowed."""
        made = cls(*wires)
        if shutil.which("ip") is None or os.geteuid() != 0 or _ip("netns", "add", made._name(made.machines[0])) != 0:
            pytest.skip("no right to make a network namespace on this machine")
        steps = [("netns", "add", made._name(machine)) for machine in made.machines[1:]]
        steps += [("-n", made._name(machine), "link", "set", "lo", "up") for machine in made.machines]
        for wire in wires:
            (left, right), (card, peer) = map(made._name, wire), made._cards(wire)
            steps.append(("link", "add", card, "netns", left, "type", "veth", "peer", "name", peer, "netns", right))
            for machine, name in zip(wire, (card, peer), strict=True):
                host = made.host(machine, wire[1 - wire.index(machine)])
                steps.append(("-n", made._name(machine), "addr", "add", f"{host}/24", "dev", name))
                steps.append(("-n", made._name(machine), "link", "set", name, "up"))
        if any(_ip(*step) != 0 for step in steps):
            made.close()
            pytest.skip("no right to join network namespaces on this machine")
        return made

    @property
    def words(self) -> str:
        """For people."""
        return f"namespaces {', '.join(map(self._name, self.machines))}" if self.machines else "on the loopback"

    def inside(self, machine: str) -> tuple[str, ...]:
        """What stands before a command that runs there."""
        return ("ip", "netns", "exec", self._name(machine)) if self.machines else ()

    def host(self, machine: str, seen_from: str) -> str:
        """Its address on the wire to another machine."""
        if not self.machines or machine == seen_from:
            return "127.0.0.1"
        wire = next(wire for wire in self._wires if set(wire) == {machine, seen_from})
        return f"10.99.{self._wires.index(wire) + 1}.{wire.index(machine) + 1}"

    def within(self, machine: str, step: Callable[[], T]) -> T:
        """Do a step as a process of that machine would: in a thread that has entered its namespace."""
        if not self.machines:
            return step()
        done: list[T] = []

        def run() -> None:
            with Path(f"/run/netns/{self._name(machine)}").open() as entry:
                assert ctypes.CDLL(None, use_errno=True).setns(entry.fileno(), CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            done.append(step())

        thread = Thread(target=run)
        thread.start()
        thread.join()
        assert done, "the step failed there, see above"
        return done[0]

    def pull(self, *wires: Ends) -> None:
        """These cables are out: at the first end, so that the second one sees no more than silence."""
        self._set(wires, "down")

    def plug(self, *wires: Ends) -> None:
        """These cables are in."""
        self._set(wires, "up")

    def close(self) -> None:
        """All are gone."""
        for machine in self.machines:
            _ip("netns", "del", self._name(machine))

    def _set(self, wires: Sequence[Ends], state: str) -> None:
        for wire in wires:
            assert _ip("-n", self._name(wire[0]), "link", "set", self._cards(wire)[0], state) == 0

    def _name(self, machine: str) -> str:
        return f"{machine}-{os.getpid()}"

    def _cards(self, wire: Ends) -> Ends:
        number = self._wires.index(wire)
        return f"l{number}n{os.getpid()}", f"r{number}n{os.getpid()}"


def _ip(*words: str) -> int:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode


LOOPBACK = Wires()
"""No namespaces: all on this machine's own loopback."""
