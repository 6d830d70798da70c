"""Two network namespaces with a wire between them and no way out: one for head office, one for the tills."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

import pytest

OFFICE_HOST, TILL_HOST = "10.99.7.1", "10.99.7.2"


class Wire(NamedTuple):
    """Where either end runs, and how a process gets there."""

    inside_office: tuple[str, ...]
    inside_tills: tuple[str, ...]
    office_host: str
    till_host: str
    names: tuple[str, str]

    @classmethod
    def made(cls) -> Wire:
        """Both namespaces, joined by a pair of virtual cards, without a default route. Skips where that is not allowed."""
        names = (f"office-{os.getpid()}", f"tills-{os.getpid()}")
        made = cls(("ip", "netns", "exec", names[0]), ("ip", "netns", "exec", names[1]), OFFICE_HOST, TILL_HOST, names)
        if shutil.which("ip") is None or os.geteuid() != 0 or _ip("netns", "add", names[0]) != 0:
            pytest.skip("no right to make a network namespace on this machine")
        cards = (f"o{os.getpid()}", f"t{os.getpid()}")
        steps = [
            ("netns", "add", names[1]),
            ("link", "add", cards[0], "netns", names[0], "type", "veth", "peer", "name", cards[1], "netns", names[1]),
        ]
        for name, card, host in zip(names, cards, (OFFICE_HOST, TILL_HOST), strict=True):
            steps += [
                ("-n", name, "addr", "add", f"{host}/24", "dev", card),
                ("-n", name, "link", "set", "lo", "up"),
                ("-n", name, "link", "set", card, "up"),
            ]
        if any(_ip(*step) != 0 for step in steps):
            made.close()
            pytest.skip("no right to join network namespaces on this machine")
        return made

    @property
    def words(self) -> str:
        """For people."""
        return f"namespaces {self.names[0]} and {self.names[1]}"

    def close(self) -> None:
        """Both are gone."""
        for name in self.names:
            _ip("netns", "del", name)

    def pull(self) -> None:
        """The cable is out."""
        assert _ip("-n", self.names[1], "link", "set", f"t{os.getpid()}", "down") == 0

    def plug(self) -> None:
        """The cable is in."""
        assert _ip("-n", self.names[1], "link", "set", f"t{os.getpid()}", "up") == 0


def _ip(*words: str) -> int:
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode


LOOPBACK = Wire((), (), "127.0.0.1", "127.0.0.1", ("", ""))
"""No namespaces: both ends on this machine's own loopback."""
