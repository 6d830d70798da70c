"""All rows of a file that name one member, whatever tables there are: what the law lets a person ask for."""

from __future__ import annotations

import json
from typing import Any

from pos_loyalty.store.db import Connection, snapshot

SECRET_TABLES = ("member_key", "phone_code", "confirm_try")
"""Keys and codes are nothing about a person."""
HASH_COLUMNS = ("prev_hash", "hash", "code_hash", "secret")
Row = dict[str, Any]


def of_member(db: Connection, member_id: str) -> dict[str, tuple[Row, ...]]:
    """Rows by table, of every table with a column ``member``, and the member's own. Bytes are JSON, else hex."""
    with snapshot(db):
        names = [name for (name,) in db.execute(TABLES_SELECT) if name not in SECRET_TABLES]
        found = {name: _rows(db, f"SELECT * FROM {name} WHERE member = :member", member_id) for name in names}
        own = _rows(db, "SELECT * FROM member WHERE id = :member", member_id)
    return {"member": own, **{name: rows for name, rows in found.items() if rows}}


def _rows(db: Connection, select: str, member_id: str) -> tuple[Row, ...]:
    cursor = db.execute(select, {"member": member_id})
    names = [column[0] for column in cursor.description]
    return tuple(
        {name: _plain(value) for name, value in zip(names, row, strict=True) if name not in HASH_COLUMNS} for row in cursor
    )


def _plain(value: object) -> object:
    if not isinstance(value, bytes):
        return value
    if value[:1] in (b"{", b"["):
        try:
            return json.loads(value)
        except ValueError:
            return value.hex()
    return value.hex()


TABLES_SELECT = """SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND c.name = 'member' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name"""
