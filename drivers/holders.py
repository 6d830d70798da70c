"""Who has a device open, by the system's own list: a port that somebody uses is not opened to find that out."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

TERMINALS = Path("/dev/pts")


class Holder(NamedTuple):
    """A process that has the device open."""

    pid: int
    program: str


def holders(path: str, proc: Path = Path("/proc")) -> tuple[Holder, ...]:
    """Other processes that have this file open, as far as this user may see them; none where the system has no such list."""
    wanted = os.path.realpath(path)
    ours = str(os.getpid())
    pids = sorted(int(each.name) for each in _entries(proc) if each.name.isdecimal() and each.name != ours)
    return tuple(Holder(pid, _program(proc / str(pid))) for pid in pids if _has_open(proc / str(pid) / "fd", wanted))


def is_hardware(path: str) -> bool:
    """A character device that is no pseudo-terminal: one of those is held by whoever made it, and only its lock tells more."""
    real = Path(os.path.realpath(path))
    try:
        return stat.S_ISCHR(real.stat().st_mode) and not real.is_relative_to(TERMINALS)
    except OSError:
        return False


def _has_open(folder: Path, wanted: str) -> bool:
    for link in _entries(folder):
        try:
            if os.readlink(link) == wanted:
                return True
        except OSError:  # it was closed meanwhile
            continue
    return False


def _program(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def _entries(folder: Path) -> list[Path]:
    """What a folder holds; nothing when it may not be read or is gone."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []
