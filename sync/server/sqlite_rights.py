"""Rights in head office's SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pos_loyalty.clock import new_id, to_ms
from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Lot
from pos_loyalty.store import epochs, follow, ledger, right_holds
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GrantFact
from pos_loyalty.store.till_facts import Place
from pos_loyalty.store.witness import watched

HOME_DAYS: Final = 90
WAITS_MAX: Final = 200
"""So often the log of a till that is waited for waits itself; then a contradiction is one, and nobody waits in a ring."""
MS_PER_DAY: Final = 86_400_000


class SqliteRightStore:
    """A RightStore over head office's connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def own_head(self) -> Place:
        """By the log."""
        return epochs.place_of(self._db)

    def is_own(self, place: Place) -> bool:
        """By the log."""
        key = {"till": meta(self._db, "owner"), "epoch": place.epoch, "seq": place.seq}
        row = self._db.execute("SELECT hash FROM txn WHERE till = :till AND epoch = :epoch AND seq = :seq", key).fetchone()
        return place.seq == 0 or (row is not None and bytes(row[0]).hex() == place.hash)

    def begin_anew(self, epoch: int, now: datetime) -> None:
        """All tills that are in force."""
        owner = meta(self._db, "owner") or ""
        epochs.go_on(self._db, epoch, self.own_head(), store=owner, fact_id=new_id(), now=now)
        with watched(self._db, "hello_due", "TRUE", ()):
            self._db.execute(HELLO_INSERT)

    def heard_hello(self, till: str) -> None:
        """By its name."""
        with watched(self._db, "hello_due", "till = :till", {"till": till}):
            self._db.execute("DELETE FROM hello_due WHERE till = :till", {"till": till})

    def is_waiting(self) -> bool:
        """By the table."""
        return self._db.execute(WAITING_SELECT).fetchone() is not None

    def lets_wait(self, till: str) -> bool:
        """By the table. Nobody waits for a till that said hello, so its own waiting ends with the others' hellos."""
        key = {"till": till, "waits_max": WAITS_MAX}
        if self._db.execute(f"{WAITING} AND h.till <> :till LIMIT 1", key).fetchone() is None:
            return False
        if self._db.execute("SELECT 1 FROM hello_due WHERE till = :till", key).fetchone() is None:
            return True
        with watched(self._db, "hello_due", "till = :till", key):
            moved = self._db.execute(WAITED_UPDATE, key).rowcount
        return bool(moved)

    def awaits_hub(self, till: str, lot_ids: Sequence[str]) -> bool:
        """By the sums over the logs."""
        if not right_holds.is_owed_to_giver(self._db, till, tuple(lot_ids)):
            return False
        key = {"till": till, "waits_max": WAITS_MAX}
        with watched(self._db, "hub_wait", "till = :till", key):
            self._db.execute("INSERT INTO hub_wait (till, waited) VALUES (:till, 0) ON CONFLICT (till) DO NOTHING", key)
            moved = self._db.execute(HUB_WAITED_UPDATE, key).rowcount
        return bool(moved)

    def lots(self, member_id: str, now: datetime) -> tuple[Lot, ...]:
        """By the ledger."""
        return tuple(lot for lot in ledger.lots_of(self._db, member_id) if not is_expired(lot, now))

    def held_by_all(self, lot_id: str) -> int:
        """A sum over the logs."""
        return right_holds.held_by_all(self._db, lot_id)

    def held(self, till: str, epoch: int, lot_ids: Sequence[str], now: datetime) -> dict[str, int]:
        """A sum over the till's log and its grants."""
        found = right_holds.held(self._db, till, epoch, tuple(lot_ids), now)
        return {lot_id: holding.centi for lot_id, holding in found.items()}

    def held_in_all(self, till: str, epoch: int) -> int:
        """A sum over every lot that its log, or a grant, names."""
        return right_holds.held_in_all(self._db, till, epoch)

    def home(self, member_id: str, now: datetime) -> str | None:
        """By the sales of the last days, else by the enrolment; equal counts go to the first name."""
        since = to_ms(now - timedelta(days=HOME_DAYS)) // MS_PER_DAY
        row = self._db.execute(HOME_SELECT, {"member": member_id, "since": since}).fetchone()
        row = row or self._db.execute(ENROLLED_SELECT, {"member": member_id}).fetchone()
        return None if row is None else str(row[0])

    def holders_at(self, store: str) -> int:
        """By the enrolments in force."""
        return int(self._db.execute(HOLDERS_SELECT, {"store": store}).fetchone()[0])

    def book(self, grant: GrantFact, now: datetime) -> None:
        """In the log whose owner this file is."""
        draft = Draft(id=new_id(), kind="rights.granted", store=meta(self._db, "owner") or "", body=grant)
        follow.book(self._db, draft, now)

    def on_their_way(self, till: str, epoch: int, limit: int) -> tuple[GrantFact, ...]:
        """By the table."""
        return right_holds.on_their_way(self._db, till, epoch, limit)


IN_FORCE = """k.state = 'active' AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = k.till)"""
HELLO_INSERT = f"""INSERT OR IGNORE INTO hello_due (till) SELECT k.till FROM till_key AS k WHERE {IN_FORCE}
UNION SELECT id FROM till WHERE epoch > 0"""
WAITING = """SELECT 1 FROM hello_due AS h WHERE NOT EXISTS (
  SELECT 1 FROM till_key AS k WHERE k.till = h.till AND k.state = 'lost'
  AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = k.till)
)"""
WAITING_SELECT = f"{WAITING} LIMIT 1"
WAITED_UPDATE = "UPDATE hello_due SET waited = waited + 1 WHERE till = :till AND waited < :waits_max"
HUB_WAITED_UPDATE = "UPDATE hub_wait SET waited = waited + 1 WHERE till = :till AND waited < :waits_max"
HOME_SELECT = """SELECT store FROM sale WHERE member = :member AND biz_day >= :since AND state = 'completed'
GROUP BY store ORDER BY COUNT(*) DESC, store LIMIT 1"""
ENROLLED_SELECT = """SELECT CAST(payload AS TEXT) ->> '$.store' FROM txn
WHERE member = :member AND kind = 'member.enrolled' ORDER BY till, epoch, seq LIMIT 1"""
HOLDERS_SELECT = f"SELECT COUNT(*) FROM till_key AS k WHERE k.store = :store AND {IN_FORCE}"
