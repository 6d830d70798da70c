"""PINs for commands: asked on a terminal without an echo, else read from standard input, a line each. Never an option."""

from __future__ import annotations

import sys
from getpass import getpass
from re import ASCII, fullmatch

from pos_loyalty.errors import InputError
from pos_loyalty.till.approval import PIN_PATTERN
from pos_loyalty.till.staff_model import Approval
from pos_loyalty.values import convert

LINE_MAX = 64


def ask_pin(whose: str) -> str:
    """One PIN. Raises InputError for what is none."""
    pin = getpass(f"PIN of {whose}: ") if sys.stdin.isatty() else sys.stdin.readline(LINE_MAX).strip()
    if not fullmatch(PIN_PATTERN, pin, ASCII):
        raise InputError(f"PIN of {whose}", "is 4 to 12 digits" if pin else "is missing: type 4 to 12 digits")
    return pin


def ask_approval(person: str | None) -> Approval | None:
    """A person's word; None when no person is named. Raises InputError for a PIN that is none."""
    if person is None:
        return None
    return convert({"person": person, "pin": ask_pin(person)}, Approval, place="name and PIN")
