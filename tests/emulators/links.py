"""Names under which emulated devices appear. Rule: what is no emulated device's is never replaced or taken away."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def link_to(terminal: str, link: Path) -> None:
    """Let a pseudo-terminal appear under a name, all at once. Raises OSError, FileExistsError for a name that is not free."""
    fresh = link.with_name(link.name + ".new")
    for each in (link, fresh):
        _check(each, is_ours=leads_to_terminal(each, terminal))
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(terminal)
    fresh.replace(link)


def leads_to_terminal(link: Path, like: str) -> bool:
    """Whether a name is a link to a terminal that lies where this one does."""
    return link.is_symlink() and link.readlink().parent == Path(like).parent


def unlink(link: Path, terminal: str) -> None:
    """Take the name of a pseudo-terminal away, when it leads to one still."""
    if leads_to_terminal(link, terminal):
        link.unlink(missing_ok=True)


def make_pipe(path: Path) -> None:
    """A new pipe under a name. Raises OSError, FileExistsError for a name that is not free."""
    _check(path, is_ours=is_pipe(path))
    path.unlink(missing_ok=True)
    try:
        os.mkfifo(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def remove_pipe(path: Path) -> None:
    """Take a pipe away, when it is one still."""
    if is_pipe(path):
        path.unlink(missing_ok=True)


def is_pipe(path: Path) -> bool:
    """Whether the name itself, not what it leads to, is a pipe."""
    return os.path.lexists(path) and stat.S_ISFIFO(path.lstat().st_mode)


def _check(path: Path, *, is_ours: bool) -> None:
    if os.path.lexists(path) and not is_ours:
        raise FileExistsError(f"{path} is there, and no emulated device: take it away yourself, or name another path")
