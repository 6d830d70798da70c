"""Imports and ad-hoc tables through sqlite-utils, never in a process that sells. Rule: one SQLite, the stdlib's is aliased."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pos_loyalty.engine.model import POINT
from pos_loyalty.errors import StoreError
from pos_loyalty.store.db import Connection, meta, write
from pos_loyalty.store.members import newest_version
from pos_loyalty.values import Points, Value

BATCH_ROWS = 1000


class ImportedMember(Value):
    """A member to begin with. ``centi`` points, when there are any, make one lot that does not expire."""

    member_id: str
    card: str
    tier: str | None = None
    joined_ms: int | None = None
    centi: Points = Points(0)


def tables(db: Connection) -> Any:
    """sqlite-utils over a connection of ours. It joins a transaction of ``write()`` instead of making its own."""
    import pysqlite3

    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
    import sqlite_utils

    return sqlite_utils.Database(db, execute_plugins=False, recursive_triggers=False)


def import_members(db: Connection, rows: Iterable[ImportedMember]) -> int:
    """Add members with their cards, all or none; answers how many. Members and cards must be new. Raises StoreError.

    At a till they stand until head office speaks of them; at head office they get versions, and points must come as facts.
    """
    members = tuple(rows)
    is_office = meta(db, "role") == "head_office"
    if is_office and any(member.centi for member in members):
        raise StoreError("Points at head office come only as facts; import the members without points.")
    names = tables(db)
    with write(db):
        version = newest_version(db) if is_office else None
        names["member"].insert_all(_member_rows(members, version), batch_size=BATCH_ROWS)
        names["card"].insert_all(_card_rows(members), batch_size=BATCH_ROWS)
        names["lot"].insert_all(_lot_rows(members), batch_size=BATCH_ROWS)
    return len(members)


def _member_rows(members: tuple[ImportedMember, ...], version: int | None) -> Iterator[dict[str, object]]:
    for n, member in enumerate(members, start=1):
        yield {
            "id": member.member_id,
            "tier": member.tier,
            "joined_ms": member.joined_ms,
            "version": 0 if version is None else version + n,
        }


def _card_rows(members: tuple[ImportedMember, ...]) -> Iterator[dict[str, object]]:
    return ({"number": member.card, "member": member.member_id} for member in members)


def _lot_rows(members: tuple[ImportedMember, ...]) -> Iterator[dict[str, object]]:
    for member in members:
        if member.centi:
            yield {
                "id": f"import/{member.member_id}",
                "member": member.member_id,
                "unit": POINT,
                "usable_from": 0,
                "amount": member.centi,
                "remaining": member.centi,
                "base_remaining": member.centi,
            }
