"""A child process that sells into a store until it is killed or done, and says on standard output what was acknowledged.

``python -m tests.faults.store_writer FILE COUNT``: sales go on from the last stored one. A COMMIT of unknown outcome is looked
up after reopening: ``GHOST n`` when it stands, then the next number; else the same number again, under the same id.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pos_loyalty.errors import CommitUnknownError, StoreFullError
from pos_loyalty.store import ledger
from pos_loyalty.store.db import Connection, open_store
from tests.unit.store_facts import NOW, sell, uuid_of

TRIES_MAX = 5


def main(path: Path, count: int) -> None:
    """Sell ``count`` sales, each acknowledged after its COMMIT."""
    db = open_store(path, role="till", owner="T1", now=NOW)
    number = ledger.head(db).seq + 1
    for n in range(number, number + count):
        db = _sold(path, db, n)
    db.close()


def _sold(path: Path, db: Connection, n: int) -> Connection:
    for _ in range(TRIES_MAX):
        _say(f"TRY {n}")
        try:
            sell(db, n, "M1", lines=20)
        except CommitUnknownError:
            _say(f"UNKNOWN {n}")
            db.close()
            db = open_store(path, role="till", owner="T1", now=NOW)
            if ledger.by_id(db, uuid_of(n)) is not None:
                _say(f"GHOST {n}")
                return db
        except StoreFullError:
            _say(f"FULL {n}")
        else:
            _say(f"ACK {n}")
            return db
    raise SystemExit(f"sale {n} did not get through")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
