"""Rights in head office's SQLite file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from pos_loyalty.clock import from_ms, new_id, to_ms
from pos_loyalty.engine.gift_ledger import gift_account
from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.store import as_one, coupon_rights, epochs, evened_lots, follow, gift_cards, late_returns, ledger, right_holds
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.members import newest_version
from pos_loyalty.store.reach import Reach
from pos_loyalty.store.right_facts import LINES_MAX, GrantFact
from pos_loyalty.store.right_moves import is_coupon
from pos_loyalty.store.till_facts import Place
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Points
from sync.rights import GivenBack, Income, LogKnown
from sync.server import log_waits, sqlite_members
from sync.server.right_store import UNKNOWN, FreeGift

Policy = Literal["escrow", "allowance", "refuse"]
HOME_DAYS: Final = 90
WAITS_MAX: Final = 200
"""So often the log of a till that is waited for waits itself; then a contradiction is one, and nobody waits in a ring."""
EVEN_MAX: Final = 200
"""Facts that are evened out in one transaction after the last hello: who asks meanwhile waits for so many, not for all."""
RESTORE: Final = b""
MS_PER_DAY: Final = 86_400_000


class SqliteRightStore:
    """A RightStore over head office's connection."""

    def __init__(self, db: Connection, policy: Policy) -> None:
        self._db = db
        self._policy = policy

    def own_head(self) -> Place:
        """By the log."""
        return epochs.place_of(self._db)

    def is_own(self, place: Place) -> bool:
        """By the log."""
        key = {"till": meta(self._db, "owner"), "epoch": place.epoch, "seq": place.seq}
        row = self._db.execute("SELECT hash FROM txn WHERE till = :till AND epoch = :epoch AND seq = :seq", key).fetchone()
        return place.seq == 0 or (row is not None and bytes(row[0]).hex() == place.hash)

    def begin_anew(self, epoch: int, others: Sequence[str], now: datetime) -> None:
        """All tills that are in force, and others."""
        owner = meta(self._db, "owner") or ""
        epochs.go_on(self._db, epoch, self.own_head(), store=owner, fact_id=new_id(), now=now)
        sqlite_members.mark_anew(self._db)
        with watched(self._db, "hello_due", "TRUE", ()):
            self._db.execute(HELLO_INSERT)
            self._db.executemany("INSERT OR IGNORE INTO hello_due (till) VALUES (?)", [(till,) for till in others])
        self._put_off([RESTORE])

    def heard_hello(self, till: str) -> None:
        """By its name."""
        with watched(self._db, "hello_due", "till = :till", {"till": till}):
            self._db.execute("DELETE FROM hello_due WHERE till = :till", {"till": till})

    def is_waiting(self) -> bool:
        """By the table."""
        return bool(self.waits_for())

    def note_told(self, till: str, epoch: int, seen: Place) -> None:
        """In the table: a question that was overtaken takes nothing back."""
        if (self.told_at(till, epoch) or (0, 0)) >= (seen.epoch, seen.seq):
            return
        key = {"till": till, "epoch": epoch, "own_epoch": seen.epoch, "own_seq": seen.seq}
        with watched(self._db, "told", "till = :till AND epoch = :epoch", key):
            self._db.execute(TOLD_UPSERT, key)

    def told_at(self, till: str, epoch: int) -> tuple[int, int] | None:
        """By the table."""
        row = self._db.execute("SELECT own_epoch, own_seq FROM told WHERE till = ? AND epoch = ?", (till, epoch)).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def said_at(self, till: str, epoch: int) -> tuple[int, int]:
        """By the log."""
        own_epoch, own_seq = self._db.execute(SAID_AT_SELECT, {"till": till, "epoch": epoch}).fetchone()
        return int(own_epoch), int(own_seq)

    def has_hub(self, store: str) -> bool:
        """By what a hub says that it keeps."""
        return self._db.execute(STORE_HUB_SELECT, {"store": store}).fetchone() is not None

    def note_answer(self, till: str, version: int, now: datetime) -> None:
        """In its row, which a question made."""
        key = {"till": till, "version": version, "now": to_ms(now)}
        self._db.execute("UPDATE till SET told_version = :version, told_ms = :now WHERE id = :till", key)

    def note_knows(self, till: str, since: int, now: datetime) -> None:
        """In its row, which a question made."""
        key = {"till": till, "since": since, "newest": newest_version(self._db), "now": to_ms(now)}
        self._db.execute(KNOWS_UPDATE, key)

    def forget_knows(self, till: str) -> None:
        """In its row, if it has one."""
        self._db.execute("UPDATE till SET knows_ms = 0 WHERE id = ?", (till,))

    def note_hub(self, till: str, waiting: int) -> None:
        """In its row, which a question made."""
        self._db.execute("UPDATE till SET hub_waiting = ? WHERE id = ?", (waiting, till))

    def is_hub(self, till: str) -> bool:
        """By grants and give-backs, and by the word that a hub's log begins with."""
        return self._db.execute(HUB_SELECT, {"till": till}).fetchone() is not None

    def named_hub(self, till: str) -> tuple[int, str] | None:
        """By grants and give-backs."""
        row = self._db.execute(NAMED_SELECT, {"till": till}).fetchone()
        return None if row is None else (int(row[0]), str(row[1]))

    def waits_for(self) -> tuple[str, ...]:
        """By the table."""
        return tuple(row[0] for row in self._db.execute(WAITING_SELECT).fetchall())

    def has_tills(self) -> bool:
        """By what makes a till one that is waited for."""
        return self._db.execute(f"{TILLS_SELECT} LIMIT 1").fetchone() is not None

    def lets_wait(self, till: str) -> bool:
        """By the table. Nobody waits for a till that said hello, so its own waiting ends with the others' hellos.

        Where all that are known said hello, it is counted for all alike: a person's word may be long in coming.
        """
        due = self.waits_for()
        others = [each for each in due if each != till]
        if not others:
            return False
        if others != [UNKNOWN] and till not in due:
            return True
        key = {"till": till if till in due else UNKNOWN, "waits_max": WAITS_MAX}
        with watched(self._db, "hello_due", "till = :till", key):
            moved = self._db.execute(WAITED_UPDATE, key).rowcount
        return bool(moved)

    def awaits(self, till: str) -> bool:
        """By the table."""
        return log_waits.count(self._db, till)

    def has_no_more(self, till: str) -> None:
        """In the table."""
        log_waits.end(self._db, till)

    def came(self, till: str) -> None:
        """In the table."""
        log_waits.forget(self._db, till)

    def is_too_much(self, grant: GrantFact) -> bool:
        """By lots and accounts. What a hub gives it holds itself. A code has no entries: its sums come right in any order."""
        if grant.giver or right_holds.is_known(self._db, grant.grant_id):
            return False
        lines = [line for line in grant.lines if not is_coupon(line.lot_id)]
        return any(line.centi > self._there(line.lot_id) - self._taken(line.lot_id) for line in lines)

    def _taken(self, lot_id: str) -> int:
        """What all hold, but what a hub gave and has not got here yet: a hub's log may be here before the logs it builds on."""
        return self.held_by_all(lot_id) - right_holds.owed_by_hubs(self._db, lot_id)

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

    def holders(self, lot_id: str) -> dict[tuple[str, int], int]:
        """A sum over each log."""
        return right_holds.holders(self._db, lot_id)

    def held_in_all(self, till: str, epoch: int) -> int:
        """A sum over the till's log and its grants."""
        return right_holds.held_in_all(self._db, till, epoch)

    def leases_end(self, till: str, epoch: int) -> datetime | None:
        """By the table."""
        row = self._db.execute(LEASES_SELECT, {"till": till, "epoch": epoch}).fetchone()
        return None if row[0] is None else from_ms(row[0])

    def is_merged(self, member_id: str) -> bool:
        """By their row."""
        row = self._db.execute("SELECT merged_into FROM member WHERE id = :member", {"member": member_id}).fetchone()
        return row is not None and row[0] is not None

    def gift(self, mark: str) -> FreeGift | None:
        """By its row and its account."""
        card = gift_cards.by_mark(self._db, mark)
        word = None if card is None else gift_cards.word_of(self._db, card.card_id)
        if card is None or word is None or card.state != "active":
            return None
        minor = card.balance_minor - right_holds.held_by_all(self._db, gift_account(card.card_id))
        return FreeGift(word=word, minor=minor) if minor > 0 else None

    def gift_lot(self, mark: str) -> str | None:
        """By its row."""
        card = gift_cards.by_mark(self._db, mark)
        return None if card is None or card.state != "active" else gift_account(card.card_id)

    def is_code_free(self, code: str, now: datetime) -> bool:
        """By the rows of codes and the sums over the logs."""
        return coupon_rights.is_free(self._db, code, now)

    def home(self, member_id: str, now: datetime) -> str | None:
        """By the sales of the last days, else by the enrolment; equal counts go to the first name."""
        since = to_ms(now - timedelta(days=HOME_DAYS)) // MS_PER_DAY
        row = self._db.execute(HOME_SELECT, {"member": member_id, "since": since}).fetchone()
        row = row or self._db.execute(ENROLLED_SELECT, {"member": member_id}).fetchone()
        return None if row is None else str(row[0])

    def holders_at(self, store: str) -> int:
        """By the enrolments in force."""
        return int(self._db.execute(HOLDERS_SELECT, {"store": store}).fetchone()[0])

    def _there(self, lot_id: str) -> int:
        """What a lot or a gift card holds."""
        row = self._db.execute(THERE_SELECT, {"lot": lot_id}).fetchone()
        return 0 if row is None else int(row[0])

    def book(self, grant: GrantFact, now: datetime) -> None:
        """In the log whose owner this file is."""
        draft = Draft(id=new_id(), kind="rights.granted", store=meta(self._db, "owner") or "", body=grant)
        follow.book(self._db, draft, now)

    def gave_back(self, hub: str, hub_epoch: int, limit: int) -> list[tuple[str, int]]:
        """By the rows, of the machines of its store."""
        rows = self._db.execute(LOGS_SELECT, {"hub": hub, "hub_epoch": hub_epoch, "limit": limit})
        return [(str(till), int(epoch)) for till, epoch in rows]

    def given_back(self, hub: str, hub_epoch: int, after: LogKnown, limit: int) -> Income | None:
        """By the rows, and the payloads."""
        key = {"till": after.till, "epoch": after.epoch, "seq": after.seq}
        last = int(self._db.execute(LAST_SELECT, key).fetchone()[0] or 0)
        ends_before = last < max(after.seq, after.heard)
        if last == after.seq and not ends_before:
            return None
        key |= {"hub": hub, "hub_epoch": hub_epoch, "limit": limit}
        is_any = self._db.execute(GAVE_BACK_SELECT, key).fetchone() is not None
        given, is_cut = _page_of(self._db.execute(GIVEN_BACK_SELECT, key)) if is_any else ([], False)
        if not given and not ends_before and last - after.seq < limit:
            return None
        upto = given[-1].seq if is_cut or len(given) == limit else last
        return Income(till=after.till, epoch=after.epoch, seq=upto, given=tuple(given), goes_on=is_cut or UNSET)

    def on_their_way(self, till: str, epoch: int, limit: int) -> tuple[GrantFact, ...]:
        """By the table."""
        return right_holds.on_their_way(self._db, till, epoch, limit)

    def know_again(self, fact: Fact, now: datetime) -> tuple[str, ...]:
        """In the log whose owner this file is."""
        return evened_lots.known_again(self._db, fact, meta(self._db, "owner") or "", new_id, now)

    def even_out(self, facts: Sequence[Fact], also: Iterable[str], now: datetime) -> tuple[str, ...]:
        """In the log whose owner this file is."""
        if self._policy == "escrow" and self.is_waiting():
            self._put_off([bytes.fromhex(fact.id) for fact in late_returns.bearing(self._db, facts, also)])
        return late_returns.even_out(self._reach(now), facts, also, meta(self._db, "owner") or "", new_id)

    def is_to_even(self) -> bool:
        """By the table."""
        return self._db.execute("SELECT 1 FROM even_due LIMIT 1").fetchone() is not None

    def even_out_again(self, now: datetime) -> tuple[str, ...]:
        """In the log whose owner this file is."""
        due = [bytes(row[0]) for row in self._db.execute("SELECT txn FROM even_due ORDER BY txn LIMIT ?", (EVEN_MAX,)).fetchall()]
        for txn in due:
            with watched(self._db, "even_due", "txn = ?", (txn,)):
                self._db.execute("DELETE FROM even_due WHERE txn = ?", (txn,))
        facts = [fact for txn in due if txn and (fact := ledger.by_id(self._db, UUID(bytes=txn))) is not None]
        moved = self._even_out_since_restore(now) if RESTORE in due else ()
        return moved + self.even_out(facts, (), now)

    def _even_out_since_restore(self, now: datetime) -> tuple[str, ...]:
        """Members to whom it was done in this epoch."""
        owner = meta(self._db, "owner") or ""
        key = {"owner": owner, "epoch": epochs.epoch_of(self._db)}
        member_ids = [row[0] for row in self._db.execute(EVENED_SELECT, key).fetchall()]
        return late_returns.even_out_members(self._reach(now), member_ids, owner, new_id)

    def even_out_lots(self, lots: Iterable[str], now: datetime) -> tuple[str, ...]:
        """In the log whose owner this file is."""
        return late_returns.even_out_lots(self._reach(now), lots, meta(self._db, "owner") or "", new_id)

    def even_out_ended(self, since: datetime, now: datetime) -> tuple[str, ...]:
        """In the log whose owner this file is."""
        member_ids = as_one.evened_before(self._db, since, now)
        return late_returns.even_out_members(self._reach(now), member_ids, meta(self._db, "owner") or "", new_id)

    def settle_ended(self, ended: Mapping[str, Sequence[Lot]], now: datetime) -> tuple[str, ...]:
        """In the log whose owner this file is."""
        return late_returns.settle_ended(self._reach(now), ended, meta(self._db, "owner") or "", new_id)

    def make_room(self, doubled: Sequence[tuple[Entry, Entry]], now: datetime) -> bool:
        """In the log whose owner this file is."""
        return late_returns.make_room(self._reach(now), doubled, meta(self._db, "owner") or "", new_id)

    def _put_off(self, due: Sequence[bytes]) -> None:
        for txn in due:
            with watched(self._db, "even_due", "txn = ?", (txn,)):
                self._db.execute("INSERT OR IGNORE INTO even_due (txn) VALUES (?)", (txn,))

    def _reach(self, now: datetime) -> Reach:
        """Where tills hold nothing they may redeem everything, and so may head office take it."""
        if self._policy != "escrow":
            return Reach(self._db, now)
        if self.is_waiting():  # what was granted is not known: all of it may be out
            return Reach(self._db, now, lambda lots: tuple(replace(lot, centi=Points(0)) for lot in lots))
        return Reach(self._db, now, lambda lots: right_holds.free(self._db, lots, now))


def _page_of(rows: Iterable[tuple[int, bytes]]) -> tuple[list[GivenBack], bool]:
    """What these facts gave back, no more than a page of lines but for the first alone; whether that was not all."""
    given, room = list[GivenBack](), LINES_MAX
    for seq, payload in rows:
        back = fact_of(payload).give_back
        lines = () if back is None else back.lines
        if given and len(lines) > room:
            return given, True
        given.append(GivenBack(seq=seq, lines=lines))
        room -= len(lines)
    return given, False


IN_FORCE = """k.state = 'active' AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = k.till)"""
TILLS_SELECT = f"""SELECT k.till FROM till_key AS k WHERE {IN_FORCE}
UNION SELECT id FROM till WHERE epoch > 0 UNION SELECT till FROM right_grant"""
EVENED_SELECT = """SELECT DISTINCT member FROM txn
WHERE till = :owner AND epoch = :epoch AND kind = 'points.settled' AND member IS NOT NULL ORDER BY member"""
STORE_HUB_SELECT = """SELECT 1 FROM till AS t JOIN till_key AS k ON k.till = t.id
WHERE k.store = :store AND t.hub_waiting IS NOT NULL LIMIT 1"""
KNOWS_UPDATE = """UPDATE till SET
  knows_ms = max(min(knows_ms, :now), CASE WHEN :since = :newest THEN :now ELSE min(told_ms, :now) END)
WHERE id = :till AND :since >= told_version"""
HELLO_INSERT = f"INSERT OR IGNORE INTO hello_due (till) {TILLS_SELECT}"
WAITING_SELECT = """SELECT h.till FROM hello_due AS h WHERE NOT EXISTS (
  SELECT 1 FROM till_key AS k WHERE k.till = h.till AND k.state = 'lost'
  AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = k.till)
) ORDER BY h.till"""
TOLD_UPSERT = """INSERT INTO told (till, epoch, own_epoch, own_seq) VALUES (:till, :epoch, :own_epoch, :own_seq)
ON CONFLICT (till, epoch) DO UPDATE SET own_epoch = excluded.own_epoch, own_seq = excluded.own_seq"""
SAID_AT_SELECT = """SELECT t.epoch, t.seq FROM till_key AS k JOIN txn AS t ON t.id = k.txn
WHERE k.till = :till AND k.epoch = :epoch"""
HUB_SELECT = """SELECT 1 FROM till_key AS k CROSS JOIN txn AS f
WHERE k.till = :till AND f.till = k.till AND f.epoch = k.epoch AND f.seq = 1 AND f.kind = 'rights.returned'
UNION ALL SELECT 1 FROM right_grant WHERE giver = :till
UNION ALL SELECT 1 FROM right_return WHERE to_till = :till LIMIT 1"""
NAMED_SELECT = """SELECT n.epoch, k.store FROM (
  SELECT giver_epoch AS epoch, till, epoch AS of FROM right_grant WHERE giver = :till
  UNION SELECT to_epoch, till, epoch FROM right_return WHERE to_till = :till
) AS n JOIN till_key AS k ON k.till = n.till AND k.epoch = n.of ORDER BY n.epoch DESC, k.store LIMIT 1"""
LOGS_SELECT = """SELECT k.till, k.epoch FROM till_key AS h JOIN till_key AS k ON k.store = h.store
WHERE h.till = :hub AND h.epoch = :hub_epoch AND EXISTS (
  SELECT 1 FROM right_return AS r
  WHERE r.to_till = :hub AND r.to_epoch = :hub_epoch AND r.till = k.till AND r.epoch = k.epoch
) ORDER BY k.epoch DESC, k.till LIMIT :limit"""
LAST_SELECT = "SELECT MAX(seq) FROM txn WHERE till = :till AND epoch = :epoch"
GAVE_BACK_SELECT = """SELECT 1 FROM right_return
WHERE to_till = :hub AND to_epoch = :hub_epoch AND till = :till AND epoch = :epoch LIMIT 1"""
GIVEN_BACK_SELECT = """SELECT t.seq, t.payload FROM txn AS t WHERE t.till = :till AND t.epoch = :epoch AND t.seq > :seq
AND t.kind = 'rights.returned' AND EXISTS (
  SELECT 1 FROM right_return AS r WHERE r.txn = t.id AND r.to_till = :hub AND r.to_epoch = :hub_epoch
) ORDER BY t.seq LIMIT :limit"""
THERE_SELECT = """SELECT remaining FROM lot WHERE id = :lot
UNION ALL SELECT b.amount FROM balance AS b JOIN gift_card AS c ON c.currency = b.unit AND b.account = 'gift:' || c.id
WHERE b.account = :lot"""
LEASES_SELECT = """SELECT MAX(lease_ms) FROM right_grant WHERE closed IS NULL
AND ((till, epoch) = (:till, :epoch) OR (giver, giver_epoch) = (:till, :epoch))"""
WAITED_UPDATE = "UPDATE hello_due SET waited = waited + 1 WHERE till = :till AND waited < :waits_max"
HOME_SELECT = """SELECT store FROM sale WHERE member = :member AND biz_day >= :since AND state = 'completed'
GROUP BY store ORDER BY COUNT(*) DESC, store LIMIT 1"""
ENROLLED_SELECT = """SELECT CAST(payload AS TEXT) ->> '$.store' FROM txn
WHERE member = :member AND kind = 'member.enrolled' ORDER BY till, epoch, seq LIMIT 1"""
HOLDERS_SELECT = f"SELECT COUNT(*) FROM till_key AS k WHERE k.store = :store AND {IN_FORCE}"
