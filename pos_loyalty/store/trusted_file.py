"""Trusted time of a file, beside the process that works on it: what it is, and a person's word that the clock is right."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pos_loyalty.clock import Reading
from pos_loyalty.store import trusted_time
from pos_loyalty.store.db import meta, open_reader, open_store, write
from pos_loyalty.store.trusted_time import Trusted


def trusted_in(database: Path, clocks: Reading) -> Trusted:
    """Trusted time by a till's or head office's file. Nothing is written. Raises StoreError."""
    with closing(open_reader(database)) as db:
        return trusted_time.now(db, clocks)


def confirm_in(database: Path, clocks: Reading) -> Trusted:
    """The wall clock is right: the file forgets what it believed before. Raises StoreError."""
    with closing(open_reader(database)) as reader:
        role, owner = meta(reader, "role"), meta(reader, "owner") or ""
    with closing(open_store(database, role="till" if role == "till" else "head_office", owner=owner, now=clocks.wall)) as db:
        with write(db):
            trusted_time.confirm(db, clocks)
        return trusted_time.now(db, clocks)
