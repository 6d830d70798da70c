"""Keys and codes of tills in head office's SQLite file."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import new_id
from pos_loyalty.store import follow, till_keys
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import FactKind
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.till_facts import TillKeyFact
from pos_loyalty.store.till_keys import EnrolCode
from sync.identity import Holder


class SqliteKeyStore:
    """A KeyStore over head office's connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def key(self, till: str, epoch: int) -> TillKeyFact | None:
        """By the table."""
        return till_keys.key_of(self._db, till, epoch)

    def newest_epoch(self, till: str) -> int:
        """By the table."""
        return till_keys.newest_epoch(self._db, till)

    def all_keys(self) -> tuple[TillKeyFact, ...]:
        """By till and epoch."""
        return till_keys.all_keys(self._db)

    def of_store(self, store: str) -> tuple[TillKeyFact, ...]:
        """By the table."""
        return till_keys.of_store(self._db, store)

    def let_go(self, store: str) -> tuple[Holder, ...]:
        """By the table."""
        return tuple(Holder(till=till, epoch=epoch) for till, epoch in till_keys.let_go(self._db, store))

    def book(self, said: TillKeyFact, now: datetime) -> None:
        """In the log whose owner this file is."""
        kind: FactKind = "till.enrolled" if said.state == "active" else "till.revoked"
        follow.book(self._db, Draft(id=new_id(), kind=kind, store=meta(self._db, "owner") or "", body=said), now)

    def add_code(self, code_hash: str, till: str, now: datetime) -> None:
        """Its hash alone."""
        till_keys.add_code(self._db, code_hash, till, now)

    def code(self, code_hash: str, now: datetime) -> EnrolCode | None:
        """By its hash."""
        return till_keys.code(self._db, code_hash, now)

    def use_code(self, code_hash: str, public_key: str) -> None:
        """For this key alone."""
        till_keys.use_code(self._db, code_hash, public_key)
