"""What a look at one thing showed, as a value: a row of the doctor's table. The words for a ``code`` stand in i18n."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import field

from pos_loyalty.values import Value

Part = Literal[
    "scanner", "camera", "printer", "display", "port", "keyboard",
    "config", "keys", "database", "disk", "sqlite", "clock", "programme", "catalogue", "receipt", "head_office", "till", "queue",
    "log", "package", "font",
]  # fmt: skip
State = Literal["works", "in_use", "unproven", "doubt", "fault", "found", "unused"]
"""``unproven``: nothing stands in the way, and it cannot answer. ``found``: on this machine, not in the config."""
Cause = Literal["rights", "busy", "absent", "refused", "silent", "name", "package", "strange"]


class Probe(Value):
    """One row. ``code`` names the sentence and, where there is one, the mend; ``holes`` fill them."""

    part: Part
    name: str
    where: str
    state: State
    code: str
    holes: dict[str, str] = field(default_factory=dict)


class Subject(Value):
    """What is looked at, before anything is known of it."""

    part: Part
    name: str
    where: str = ""

    def probe(self, state: State, code: str, **holes: object) -> Probe:
        """The row; ``name`` and ``where`` may stand in its sentences."""
        filled = {"name": self.name, "where": self.where, **{key: str(value) for key, value in holes.items()}}
        return Probe(part=self.part, name=self.name, where=self.where, state=state, code=code, holes=filled)


def cause_of(error: BaseException) -> Cause:
    """Why something could not be opened, by the system's own number among the causes of an error, never by its text."""
    for each in _chain(error):
        match each:
            case ImportError():
                return "package"
            case socket.gaierror() | UnicodeError():
                return "name"
            case TimeoutError():
                return "silent"
            case OSError() if each.errno in CAUSES:
                return CAUSES[each.errno]
    return "strange"


def group_of(path: str) -> str:
    """The group that may use a device; its number where it has no name. Empty where none may, and for the group root: who joins
    that may do more than print."""
    if os.name != "posix":
        return ""
    import grp

    about = Path(path).stat()
    number = about.st_gid
    if number == ROOT_GROUP or about.st_mode & GROUP_MAY != GROUP_MAY:
        return ""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


ROOT_GROUP = 0
GROUP_MAY = 0o060
"""Read and write."""
CAUSES: dict[int | None, Cause] = {
    errno.EACCES: "rights",
    errno.EPERM: "rights",
    errno.EAGAIN: "busy",
    errno.EBUSY: "busy",
    errno.ENOENT: "absent",
    errno.ENXIO: "absent",
    errno.ENODEV: "absent",
    errno.EIO: "absent",
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EHOSTUNREACH: "silent",
    errno.ENETUNREACH: "silent",
    errno.ETIMEDOUT: "silent",
}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
