"""Whose word counts: a person's PIN against the hash in this till's file. PINs are neither stored nor logged.

A stolen file without the key file gives no PIN away; with it, a short PIN falls in minutes: block the person, give a new one.
"""

from __future__ import annotations

import hmac
import os
from datetime import timedelta
from hashlib import scrypt
from typing import TypeVar

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.errors import NotAllowedError, PersonLockedError, WrongPinError
from pos_loyalty.store import staff
from pos_loyalty.store.db import Connection
from pos_loyalty.store.seal import SCRYPT_BYTES_MAX, SCRYPT_N, SCRYPT_P, SCRYPT_R
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.staff_model import Approval, StaffRole
from pos_loyalty.values import Value, refuse_numbers

ATTEMPTS_MAX = 5
LOCK_MINUTES = 15
SALT_BYTES = 16
PIN_BYTES = 32
NOBODY_SALT = bytes(SALT_BYTES)
HIDDEN_PIN = "0000"
NOT_RIGHT = "The name or the PIN is not right. After {most} wrong tries the name is locked for {minutes} minutes."

R = TypeVar("R", bound=Value)


def add(db: Connection, person: str, role: StaffRole, pin: str, pepper: str) -> None:
    """A new person, or a new PIN for one. Raises InputError for a name that is none."""
    refuse_numbers(person=person)
    salt = os.urandom(SALT_BYTES)
    staff.put(db, person, role, salt, pin_hash(pin, salt, pepper))


def check(desk: Desk, approval: Approval, *, senior: bool = False) -> str:
    """The person's name, when the PIN is theirs. Raises NotAllowedError. Call it outside of a transaction: a try is committed."""
    now = desk.trusted().at
    known = staff.by_person(desk.db, approval.person)
    if known is not None and known.locked_until_ms > to_ms(now):
        until = from_ms(known.locked_until_ms).astimezone(desk.zone)
        raise PersonLockedError(f"{approval.person} is locked until {until:%H:%M} after wrong PINs; ask another senior.")
    if known is not None:
        staff.begin_try(desk.db, known.person, ATTEMPTS_MAX, now + timedelta(minutes=LOCK_MINUTES))
    salt, expected = (NOBODY_SALT, b"") if known is None else (known.salt, known.pin)
    is_right = hmac.compare_digest(pin_hash(approval.pin, salt, desk.secrets.pepper), expected)
    if known is None or not is_right or known.blocked:
        log.warning("staff.refused", person="" if known is None else known.person)
        raise WrongPinError(NOT_RIGHT.format(most=ATTEMPTS_MAX, minutes=LOCK_MINUTES))
    staff.succeeded(desk.db, known.person)
    if senior and known.role != "senior":
        raise NotAllowedError(f"{known.person} is no senior here; this needs the word of a senior.")
    return known.person


def check_two(desk: Desk, by: Approval, approval: Approval | None) -> tuple[str, str]:
    """The names of two persons, the second a senior. Raises NotAllowedError."""
    if approval is None:
        raise NotAllowedError("This needs two persons: send the name and the PIN of a senior beside your own.")
    if not is_second(approval.person, by.person):
        raise NotAllowedError("Two persons are needed, and one name stands twice; ask another senior.")
    return check(desk, by), check(desk, approval, senior=True)


def is_second(approved_by: str, cashier: str) -> bool:
    """Whether a person besides the cashier said yes. Names are compared as a person reads them."""
    return bool(approved_by) and approved_by.strip().casefold() != cashier.strip().casefold()


def hidden(request: R, *fields: str) -> R:
    """The request with no PIN in it, as it is hashed and kept: a hash of a short PIN would soon be guessed."""
    shown = {name: getattr(request, name) for name in fields}
    return replace(request, **{name: replace(each, pin=HIDDEN_PIN) for name, each in shown.items() if each is not None})


def pin_hash(pin: str, salt: bytes, pepper: str) -> bytes:
    """The slow hash of a PIN; hex pepper as in the key file."""
    return scrypt(
        pin.encode("ascii"),
        salt=bytes.fromhex(pepper) + salt,
        n=SCRYPT_N,
        r=SCRYPT_R,
        p=SCRYPT_P,
        maxmem=SCRYPT_BYTES_MAX,
        dklen=PIN_BYTES,
    )
