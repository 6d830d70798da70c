"""What the simulator saw with its own eyes: receipts that were given, acks that arrived, facts that went down with machines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pysqlite3 import dbapi2

from pos_loyalty.errors import StoreSchemaError
from pos_loyalty.store.db import Connection, open_reader
from pos_loyalty.till.model import SaleAnswer
from tests.simulation import policies
from tests.simulation.books import read
from tests.simulation.template import MEMBERS, OPENING

if TYPE_CHECKING:
    from sync.wire import LogPlace
    from tests.simulation.counter import Counter
    from tests.simulation.store_hub import StoreHub
    from tests.simulation.world import World

OFFICE = "head-office"
"""The name of head office's own log."""


class Row(NamedTuple):
    """A fact in a file."""

    till: str
    epoch: int
    seq: int
    id: bytes
    payload: bytes
    prev_hash: bytes
    hash: bytes


class Chronicle:
    """Kept beside the world; nobody in it can read it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.receipts: dict[bytes, tuple[str, str]] = {}
        """Fact id → till, number, of every receipt that was ever given."""
        self.acks: dict[str, tuple[int, str]] = {}
        """The furthest ack that each till heard since head office was restored."""
        self.ever_acked: dict[str, set[tuple[int, str]]] = {}
        self.lost: set[bytes] = set()
        self.lost_rows: list[Row] = []
        """Facts that no file holds any more, because every machine that held them was destroyed."""
        self.forgotten: list[Row] = []
        """Head office's own facts that went with a restore: what follows from the tills' logs it books anew."""
        self._ever_said: set[tuple[str, int, str]] = set()
        """Places of logs that head office held at any time, as far as it said so."""
        self._said: set[tuple[str, int, str]] = set()
        """Acks that head office gave since it was restored: an older one may still be under way."""
        self.enrolling: set[str] = set()
        self.people: list[tuple[str, str]] = []
        self.cards: set[str] = set()
        self.codes: dict[str, None] = {}
        """Codes of gift cards and coupons that stood on slips, the newest last."""
        self.joined: list[str] = []
        """Ids of members who were enrolled here."""
        self.ends: dict[str, datetime | None] = {f"{name}:{member}": ends for member in MEMBERS for name, _, ends in OPENING}
        """Of lots that stood in any log when it was last looked at: when they end."""
        self.rogues: set[str] = set()
        self.gone_hubs: set[tuple[str, int]] = set()
        """Hubs whose place another took, or whose files were put back, by name and epoch: nothing is given by them any more, and
        their own log may be lost."""
        self.put_back_hubs: set[tuple[str, int]] = set()
        self.took: dict[tuple[str, int], set[str]] = {}
        """Grants that a hub had taken, by its whole log, when another took its place. What it had not it never will."""
        self.lost_hubs: set[tuple[str, int]] = set()
        """Of these, whom a person at head office called lost: what they held is free."""
        self.older_lots: set[str] = set()
        """Lots from before the hub that is there now, or its file: head office never told it of those that were empty then."""
        self._before: dict[bytes, Row] = {}
        self._held: set[tuple[str, str]] = set()

    def begin(self) -> None:
        """What head office holds when the world begins."""
        self._held = {(row.till, row.hash.hex()) for row in rows_of(self.world.office.db)}

    def holds(self, places: Iterable[LogPlace]) -> None:
        """Head office tells a hub how far the logs of its store count."""
        self._ever_said |= {(each.till, each.place.seq, each.place.hash) for each in places}

    def sold(self, counter: Counter, answer: SaleAnswer) -> None:
        """A till answered; the receipt is in the buyer's hand."""
        assert not counter.db.in_transaction
        sql = "SELECT txn FROM sale WHERE till = ? AND sale_id = ? AND receipt_no = ?"
        row = plainly(counter.db, sql, (counter.name, answer.sale_id, answer.receipt_no)).fetchone()
        assert row is not None, f"I2: receipt {answer.receipt_no} was given and is not in the till's file"
        if bytes(row[0]) not in self.receipts:  # what is told again was taken when it was told first
            self._check_dates(counter, answer)
            policies.heard_lately(counter, answer)
        self.cards |= {card.code for card in answer.gift_cards if card.code is not None}
        self.codes.update({coupon.code: None for coupon in answer.coupons})
        self.receipts[bytes(row[0])] = (counter.name, answer.receipt_no)
        counter.receipt_ids[bytes(row[0])] = answer.receipt_no

    def not_sold(self, counter: Counter, sale_id: str) -> None:
        """Nobody heard of a sale, and it is not there."""
        sql = "SELECT COUNT(*) FROM txn WHERE till = ? AND sale_id = ?"
        found = plainly(counter.db, sql, (counter.name, sale_id)).fetchone()
        assert found[0] == 0, f"I4: sale {sale_id} is in the log, and the till says that there is no such sale"

    def said(self, till: str, seq: int, hash_: str) -> None:
        """Head office says that it holds so much."""
        self._said.add((till, seq, hash_))
        self._ever_said.add((till, seq, hash_))

    def called_safe(self, till: str, seq: int, hash_: str) -> None:
        """I3: what a hub calls safe, for the till to let go, head office has held."""
        is_held = seq == 0 or (till, seq, hash_) in self._ever_said or (till, hash_) in self._held
        assert is_held, f"I3: fact {seq} of {till} is called safe, and head office never said so"

    def acked(self, till: str, seq: int, hash_: str) -> None:
        """A till was told that head office holds so much."""
        if (till, seq, hash_) in self._said:
            self.acks[till] = max(self.acks.get(till, (0, "")), (seq, hash_))
        self.ever_acked.setdefault(till, set()).add((seq, hash_))

    def before_restore(self) -> None:
        """What head office holds just now."""
        self._before = {row.id: row for row in rows_of(self.world.office.db)}

    def after_restore(self) -> None:
        """What it forgot, and nobody else holds, is lost."""
        self.acks.clear()
        self._said.clear()
        gone = self._before.keys() - {row.id for row in rows_of(self.world.office.db)}
        for writer in self.world.writers.values():
            gone -= ids_in(writer)
        rows = [self._before[id_] for id_ in gone]
        self._lose([row for row in rows if row.till != OFFICE])
        self.forgotten += [row for row in rows if row.till == OFFICE]

    def hub_began_anew(self) -> None:
        """Another hub stands in the store, or the one that does with an older file."""
        self.older_lots |= self.ends.keys()
        for counter in self.world.counters.values():
            self.world.at(counter)
            self.older_lots |= {lot for row in rows_in(counter) for lot, _ in read(row.id, row.payload).ends}

    def gone(self, machine: Counter | StoreHub, successor_ids: set[bytes]) -> None:
        """A machine is destroyed: what it alone held is lost."""
        self.world.at(self.world.office)
        held = {row.id for row in rows_of(self.world.office.db)}
        self._lose([row for row in rows_in(machine) if row.id not in held and row.id not in successor_ids])

    def _lose(self, rows: list[Row]) -> None:
        self.lost_rows += rows
        self.lost |= {row.id for row in rows}

    def person(self, counter: Counter, n: int) -> tuple[str, str]:
        """A name and a phone that stand nowhere else."""
        made = (f"Зузанна-{counter.name}-{n}", f"+7999{counter.name[-1]}{n:06d}")
        self.people.append(made)
        return made

    def _check_dates(self, counter: Counter, answer: SaleAnswer) -> None:
        """I11: by the time that the till must have known at least, no lot that it took had ended."""
        floor_ms = self._floor_ms(counter)
        if answer.state != "authorised" and answer.ended_at is not None and answer.ended_at != answer.authorised_at:
            return  # what it took was taken before
        for use in answer.quote.redemption.lots if answer.quote.redemption is not None else ():
            ends = self.ends.get(use.lot_id)
            assert ends is None or ends.timestamp() * 1000 > floor_ms, f"I11: lot {use.lot_id} had ended and was redeemed"

    @staticmethod
    def _floor_ms(counter: Counter) -> int:
        """Head office's time as the till last heard it for sure, and the uptime since."""
        heard = counter.heard[:-1]  # the last page may not be applied yet
        now, boots = counter.machine.true.ms, counter.machine.boots
        return max((told + (now - true_ms if boots == boot else 0) for told, true_ms, boot in heard), default=0)


def plainly(db: Connection, sql: str, args: Any) -> Any:
    """What the laws ask: no fault of the disk is in their way, and none is used up by them."""
    return dbapi2.Connection.execute(db, sql, args)


def rows_of(db: Connection, till: str | None = None) -> list[Row]:
    """The log in a file, whole or one till's, by plain SQL."""
    where = "WHERE :till = ''" if till is None else "WHERE till = :till"
    sql = f"SELECT till, epoch, seq, id, payload, prev_hash, hash FROM txn {where} ORDER BY till, epoch, seq"
    return [Row(r[0], r[1], r[2], bytes(r[3]), r[4], bytes(r[5]), bytes(r[6])) for r in plainly(db, sql, {"till": till or ""})]


def ids_in(writer: Counter | StoreHub) -> set[bytes]:
    """Facts in a till's or a hub's file, be the machine up or not."""
    return {row.id for row in rows_in(writer)}


def rows_in(writer: Counter | StoreHub) -> list[Row]:
    """The log of a till or a hub in its own file, be the machine up or not. A file whose making was cut off holds nothing."""
    with writer.world.turn_of(writer):
        return _rows_in(writer)


def _rows_in(writer: Counter | StoreHub) -> list[Row]:
    if writer.is_up:
        with writer.machine.disk.at_peace():
            return rows_of(writer.db, writer.name)
    writer.machine.disk.restart()
    if not writer.machine.disk.path.exists():
        return []
    try:
        db = open_reader(writer.machine.disk.path)
    except StoreSchemaError as error:
        if "is an empty database" not in str(error):
            raise
        return []
    try:
        return rows_of(db, writer.name)
    finally:
        db.close()
