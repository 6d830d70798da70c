"""PINs for commands: asked on a terminal without an echo, else read from standard input, a line each. Never an option."""

from __future__ import annotations

import sys
from getpass import getpass

from pos_loyalty.till.staff_model import Approval
from pos_loyalty.values import convert

LINE_MAX = 64


def ask_pin(whose: str) -> str:
    """One PIN."""
    if sys.stdin.isatty():
        return getpass(f"PIN of {whose}: ")
    return sys.stdin.readline(LINE_MAX).strip()


def ask_approval(person: str | None) -> Approval | None:
    """A person's word; None when no person is named. Raises InputError for a PIN that is none."""
    if person is None:
        return None
    return convert({"person": person, "pin": ask_pin(person)}, Approval, place="PIN")
