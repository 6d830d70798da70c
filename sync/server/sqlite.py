"""Head office's ledger in SQLite, over the same tables and store functions as a till's. One writer, one transaction a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from msgspec.structs import replace
from pysqlite3 import dbapi2

from pos_loyalty.clock import Reading, from_ms, new_id, to_ms
from pos_loyalty.engine.by_hand import carried_debtors
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.owed import lessened_members
from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import WireError
from pos_loyalty.store import awards, coupon_words, follow, ledger, members, merges, publications, sales, seal, sold, trusted_time
from pos_loyalty.store.db import Connection, file_of, meta, scrub, write
from pos_loyalty.store.facts import GENESIS, Fact
from pos_loyalty.store.late_returns import lost_of
from pos_loyalty.store.right_holds import ALL_ASKED_SELECT
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.store.tier_due import Page, Place, page_due
from pos_loyalty.store.witness import watched
from sync.server import snapshots, sqlite_members, sqlite_programmes, sqlite_tiers
from sync.server.ledger_store import Case, CouponAt, Known, LotHold, MemberState, Posting, TillHold
from sync.server.sqlite_keys import SqliteKeyStore
from sync.server.sqlite_rights import Policy, SqliteRightStore
from sync.server.sqlite_truth import SqliteTruthStore
from sync.wire import MemberChange, ProgrammeBody

NOT_STORABLE = (dbapi2.IntegrityError, dbapi2.DataError, OverflowError, ValueError, TypeError, KeyError)
"""How figures, instants and names that no till of ours writes fail on their way into the tables."""
Claim = Callable[[str | None], AbstractContextManager[object]]


class Ahead(Protocol):
    """Books facts beside the database, where asking it is dear."""

    def expect(self, facts: Sequence[Fact]) -> None:
        """These come next, in this order, all of one till."""

    def turn(self, fact: Fact) -> None:
        """This fact is booked now."""

    def land(self) -> None:
        """What was booked beside goes into the database."""

    def drop(self) -> None:
        """Whatever is beside is forgotten."""


class Straight:
    """Nothing is booked beside a file of our own."""

    def expect(self, facts: Sequence[Fact]) -> None:
        """Nothing to do."""

    def turn(self, fact: Fact) -> None:
        """Nothing to do."""

    def land(self) -> None:
        """Nothing to do."""

    def drop(self) -> None:
        """Nothing to do."""


class SqliteLedgerStore:
    """A LedgerStore over a head office's connection, just opened. Member keys rest sealed under ``master_key``.

    ``claim`` keeps others from a till's log during a transaction, where the database itself lets more than one write.
    """

    def __init__(
        self, db: Connection, master_key: bytes, claim: Claim = nullcontext, ahead: Ahead | None = None, policy: Policy = "escrow"
    ) -> None:
        self._db, self._policy = db, policy
        self._ahead = ahead or Straight()
        self._claim = claim
        self._master_key = db.master_key = master_key.hex()
        self._is_to_scrub = False
        file = file_of(db) if ahead is None else None
        self.snapshots: Path | None = None if file is None else snapshots.folder_of(file)
        """Where snapshots of these tables stand, to be forgotten when somebody is erased."""
        self._place_of: tuple[bytes, Place | None] | None = None
        with self.write():
            sqlite_members.begin_mark(db)

    @property
    def keys(self) -> SqliteKeyStore:
        """Over the same connection."""
        return SqliteKeyStore(self._db)

    @property
    def rights(self) -> SqliteRightStore:
        """Over the same connection."""
        return SqliteRightStore(self._db, self._policy)

    @property
    def truth(self) -> SqliteTruthStore:
        """Over the same connection."""
        return SqliteTruthStore(self._db)

    @contextmanager
    def write(self, till: str | None = None) -> Iterator[None]:
        """One durable transaction. After one that erased a member nothing of them stays in the journal."""
        with self._claim(till), write(self._db):
            try:
                yield
                self._ahead.land()
            finally:
                self._ahead.drop()
        if self._is_to_scrub:
            self._forget_snapshots()  # one that was begun before the COMMIT still saw them
            self._is_to_scrub = not scrub(self._db)

    def till(self, till: str) -> TillHold | None:
        """What is held of a till's log."""
        row = self._db.execute(TILL_SELECT, {"till": till}).fetchone()
        if row is None:
            return None
        epoch, applied_seq, applied_hash, frozen = row
        return TillHold(till=till, epoch=epoch, applied_seq=applied_seq, applied_hash=applied_hash, frozen=frozen)

    def hash_at(self, till: str, epoch: int, seq: int) -> bytes | None:
        """The hash of a fact that is held."""
        row = self._db.execute(HASH_SELECT, {"till": till, "epoch": epoch, "seq": seq}).fetchone()
        return None if row is None else bytes(row[0])

    def hlc_at(self, till: str, epoch: int, seq: int) -> int | None:
        """As the log says."""
        return (self._db.execute(HLC_SELECT, {"till": till, "epoch": epoch, "seq": seq}).fetchone() or (None,))[0]

    def last_of(self, till: str, epoch: int) -> TillHold | None:
        """By the log itself."""
        row = self._db.execute(LAST_OF_SELECT, {"till": till, "epoch": epoch}).fetchone()
        return None if row is None else TillHold(till=till, epoch=epoch, applied_seq=row[0], applied_hash=bytes(row[1]))

    def is_held(self, till: str, seq: int, hash: bytes) -> bool:
        """Epochs of a till are few."""
        epochs = self._db.execute("SELECT DISTINCT epoch FROM txn WHERE till = :till", {"till": till}).fetchall()
        return any(self.hash_at(till, epoch, seq) == hash for (epoch,) in epochs)

    def expect(self, facts: Sequence[Fact]) -> None:
        """A store of its own file has nothing to read ahead."""
        self._ahead.expect(facts)

    def known(self, fact: Fact) -> Known:
        """What the fact may contradict."""
        self._ahead.turn(fact)
        sale = _sale_of(fact)
        enrolment = fact.enrolment
        return Known(
            is_id_taken=self._one(ID_SELECT, {"id": bytes.fromhex(fact.id)}) is not None,
            member_state=self._member_state(fact.member),
            lots={lot.lot_id: lot for lot in map(self._lot, {entry.lot_id for entry in fact.entries}) if lot is not None},
            sale_state=None if sale is None else self._one(SALE_SELECT, sale),
            lent_centi={} if sale is None else self._lent(sale),
            card_holder=None if enrolment is None else self._one(CARD_SELECT, {"card": enrolment.card}),
            others={member: self._member_state(member) for member in _others(fact)},
            is_member_taken=enrolment is not None and sqlite_members.is_taken(self._db, enrolment.member_id),
            gifts=self._gifts(fact),
            owed_centi={
                member: members.owed_of(self._db, member)
                for member in lessened_members(fact.entries) | carried_debtors(fact.entries)
            },
            lost_centi=lost_of(self._db, fact),
            doubts=follow.doubts(self._db, fact),
        )

    def keep_key(self, fact: Fact, member_key: bytes) -> None:
        """The key under which a till sealed: that of the till that enrolled the member may be another one."""
        enrolment, change = fact.enrolment, fact.change
        if enrolment is not None and not sqlite_members.is_taken(self._db, enrolment.member_id):
            sealed = seal.seal_key(enrolment.member_id, member_key, self._master_key)
            members.add_key(self._db, enrolment.member_id, sealed)
        if change is not None and self._member_state(change.member_id) not in (None, "erased"):
            sealed = seal.seal_key(change.member_id, member_key, self._master_key)
            members.add_key(self._db, change.member_id, sealed, fact.till)

    def add(self, posting: Posting) -> None:
        """Book a fact. Raises WireError when no table can hold it."""
        booked = replace(posting.fact, entries=posting.entries)
        try:
            shortfalls = ledger.store_fact(self._db, booked, posting.payload, posting.prev_hash, posting.hash)
            self._move_sale(posting)
            if booked.award is not None:
                awards.add(self._db, booked)
                coupon_words.touch(self._db, booked.award.coupons_made)
            erases = sqlite_members.enrol(self._db, posting)
            follow.follow(self._db, booked)
            if booked.merge is not None:
                self.touch((merges.stays_after(self._db, booked),))
            if erases:
                self._forget_snapshots()
                self._is_to_scrub = True
        except NOT_STORABLE as error:
            raise WireError(f"fact {booked.seq} of till {booked.till} cannot be stored ({type(error).__name__})") from error
        assert not shortfalls, "a booked fact takes and gives no more than its lots allow"
        self._open_cases(booked, posting.cases)

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """A sale of any till with its returns."""
        return sold.found(self._db, name)

    def hold(self, hold: TillHold, now: datetime) -> None:
        """Note what is held of a till's log."""
        row = {
            "till": hold.till, "epoch": hold.epoch, "seq": hold.applied_seq, "hash": hold.applied_hash, "now": to_ms(now),
            "frozen": hold.frozen,
        }  # fmt: skip
        with watched(self._db, "till", "id = :till", row):
            self._db.execute(TILL_UPSERT, row)

    def touch(self, member_ids: Sequence[str]) -> None:
        """Give these members new versions."""
        members.touch_all(self._db, member_ids)

    def version(self) -> int:
        """The newest version given."""
        return members.newest_version(self._db)

    def mark(self, version: int) -> str | None:
        """The mark of a version given."""
        return sqlite_members.mark_of(self._db, version)

    def changed(self, since: int, limit: int) -> tuple[MemberChange, ...]:
        """Members of a version above ``since``."""
        return sqlite_members.changed(self._db, since, limit)

    def with_tiers(self, members: Sequence[MemberChange], now: datetime) -> tuple[MemberChange, ...]:
        """By the programme in force."""
        at = self._place(now)
        return tuple(sqlite_tiers.with_word(self._db, member, at, now) for member in members)

    def changed_coupons(self, since: int, limit: int) -> tuple[CouponAt, ...]:
        """Coupons of a version above ``since``."""
        return sqlite_tiers.changed_coupons(self._db, since, limit)

    def publications(self) -> tuple[publications.Publication, ...]:
        """The list."""
        return publications.listed(self._db)

    def programme(self, sha: bytes) -> ProgrammeBody:
        """A published body."""
        return sqlite_programmes.body(self._db, sha)

    def programme_in_force(self, now: datetime) -> ProgrammeBody | None:
        """By the list."""
        sha = publications.in_force(self._db, now)
        return None if sha is None else sqlite_programmes.body(self._db, sha)

    def add_programme(self, programme: ProgrammeBody, now: datetime, effective_from: datetime | None = None) -> None:
        """Publish."""
        sqlite_programmes.add(self._db, programme, now, effective_from)

    def add_members(self, imported: Sequence[MemberChange], now: datetime) -> None:
        """Import members with cards and opening lots."""
        self.touch(sqlite_members.add(self._db, imported, now))

    def asked(self, till: str, now: datetime | None) -> None:
        """A till that asks before it sent anything may sell by what it hears: its row is there, in epoch 0."""
        self._db.execute(ASKED_UPSERT, {"till": till, "genesis": GENESIS, "now": 0 if now is None else to_ms(now)})

    def all_asked_by(self) -> datetime | None:
        """A till that sent but never asked counts as silent since 1970."""
        row = self._db.execute(ALL_ASKED_SELECT).fetchone()
        return None if row[0] is None else from_ms(row[0])

    def forget_later(self, latest: datetime) -> None:
        """In their rows."""
        self._db.execute(LATER_UPDATE, {"latest": to_ms(latest)})

    def expired(self, until: datetime, after: Lot | None, lots_max: int) -> dict[str, tuple[Lot, ...]]:
        """By the dates of the lots."""
        return ledger.ended(self._db, until, after, lots_max)

    def post_expired(self, member_id: str, entries: tuple[Entry, ...], now: datetime) -> None:
        """In the log whose owner this file is."""
        owner = meta(self._db, "owner") or ""
        draft = ledger.Draft(id=new_id(), kind="points.expired", store=owner, member=member_id, entries=entries)
        ledger.append(self._db, draft, now)

    def is_time_sure(self, clocks: Reading) -> bool:
        """By this file's own trusted time."""
        with write(self._db):
            trusted_time.note(self._db, clocks)
        return trusted_time.now(self._db, clocks).is_sure

    def move_tiers(self, after: str, now: datetime) -> Page:
        """Book what is due, in the log whose owner this file is."""
        at = self._place(now)
        return Page(last=None, moved=()) if at is None else page_due(self._db, at, now, new_id, after)

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    def _forget_snapshots(self) -> None:
        if self.snapshots is not None:
            snapshots.forget(self.snapshots)

    def _place(self, now: datetime) -> Place | None:
        """The programme in force, read once; None without one, and for one that this build cannot read: it moves nobody."""
        sha = publications.in_force(self._db, now)
        if sha is not None and (self._place_of is None or self._place_of[0] != sha):
            self._place_of = sha, sqlite_programmes.place(self._db, sha)
        return None if sha is None or self._place_of is None else self._place_of[1]

    def _move_sale(self, posting: Posting) -> None:
        if posting.moves_sale and posting.fact.sale is not None:
            sales.add_rows(self._db, posting.fact)
        elif posting.moves_sale:
            sales.end(self._db, posting.fact)
        if posting.moves_sale:
            coupon_words.touch_moved(self._db, posting.fact)

    def _member_state(self, member_id: str | None) -> MemberState | None:
        return cast("MemberState | None", self._one(MEMBER_SELECT, {"member": member_id}))

    def _lot(self, lot_id: str | None) -> LotHold | None:
        row = self._db.execute(LOT_SELECT, {"lot": lot_id}).fetchone()
        return None if row is None else LotHold(lot_id=row[0], member_id=row[1], amount_centi=row[2], centi=row[3])

    def _lent(self, sale: dict[str, str]) -> dict[str, int]:
        held = f"held:{sale['till']}/{sale['sale_id']}"
        key = {**sale, "held": held, "gift_held": f"gifts:{held}"}
        return {lot: centi for lot, centi in self._db.execute(LENT_SELECT, key) if centi}

    def _gifts(self, fact: Fact) -> dict[tuple[str, str], int]:
        named = {(account, entry.unit) for entry in fact.entries for account in (entry.debit, entry.credit)}
        return {
            (account, unit): ledger.balance_of(self._db, account, unit)
            for account, unit in named
            if account.startswith(ledger.GIFT)
        }

    def _open_cases(self, fact: Fact, cases: Sequence[Case]) -> None:
        for case in cases:
            ledger.open_case(self._db, reason=case.reason, detail=case.detail, fact=fact)

    def _one(self, select: str, row: Mapping[str, object]) -> str | None:
        found = self._db.execute(select, row).fetchone()
        return None if found is None else str(found[0])


def _sale_of(fact: Fact) -> dict[str, str] | None:
    """The sale that the fact begins, ends or takes goods back of."""
    if fact.returned is not None:
        return {"till": fact.returned.sale_till, "sale_id": fact.returned.sale_id}
    about = fact.sale or fact.end
    return None if about is None else {"till": fact.till, "sale_id": about.sale_id}


def _others(fact: Fact) -> list[str]:
    """Members of the entries who are not the fact's own; none for a fact about nobody, such as an import."""
    if fact.member is None:
        return []
    return sorted({entry.member_id for entry in fact.entries if entry.member_id is not None and entry.member_id != fact.member})


TILL_SELECT = "SELECT epoch, applied_seq, applied_hash, frozen FROM till WHERE id = :till AND epoch > 0"
ASKED_UPSERT = """INSERT INTO till (id, epoch, applied_seq, applied_hash, heard_ms, asked_ms)
VALUES (:till, 0, 0, :genesis, :now, :now)
ON CONFLICT (id) DO UPDATE SET asked_ms = max(till.asked_ms, excluded.asked_ms)"""
LATER_UPDATE = "UPDATE till SET asked_ms = 0, told_ms = 0, knows_ms = 0 WHERE max(asked_ms, told_ms, knows_ms) > :latest"
TILL_UPSERT = """INSERT INTO till (id, epoch, applied_seq, applied_hash, heard_ms, frozen)
VALUES (:till, :epoch, :seq, :hash, :now, :frozen)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, applied_seq = excluded.applied_seq, applied_hash = excluded.applied_hash,
  heard_ms = max(till.heard_ms, excluded.heard_ms), frozen = excluded.frozen"""
LAST_OF_SELECT = "SELECT seq, hash FROM txn WHERE till = :till AND epoch = :epoch ORDER BY seq DESC LIMIT 1"
HASH_SELECT = "SELECT hash FROM txn WHERE till = :till AND epoch = :epoch AND seq = :seq"
HLC_SELECT = "SELECT hlc FROM txn WHERE till = :till AND epoch = :epoch AND seq = :seq"
ID_SELECT = "SELECT 1 FROM txn WHERE id = :id"
MEMBER_SELECT = "SELECT state FROM member WHERE id = :member"
CARD_SELECT = "SELECT member FROM card WHERE number = :card"
SALE_SELECT = "SELECT state FROM sale WHERE till = :till AND sale_id = :sale_id"
LOT_SELECT = "SELECT id, member, amount, remaining FROM lot WHERE id = :lot"
LENT_SELECT = """SELECT lot, SUM(lent) FROM (
  SELECT e.lot, CASE WHEN e.debit_acct = 'suspense' THEN e.amount ELSE -e.amount END AS lent
  FROM txn AS t JOIN entry AS e ON e.txn = t.id
  WHERE t.till = :till AND t.sale_id = :sale_id AND e.lot IS NOT NULL
  AND (
    (e.debit_acct = 'suspense' AND e.credit_acct IN (:held, :gift_held))
    OR (e.debit_acct IN (:held, :gift_held, 'gifts:redeemed') AND e.credit_acct = 'suspense')
  )
  UNION ALL
  SELECT e.lot, -e.amount FROM sale_return AS r JOIN entry AS e ON e.txn = r.txn
  WHERE r.sale_till = :till AND r.sale_id = :sale_id AND e.lot IS NOT NULL
  AND e.credit_acct = 'suspense' AND e.debit_acct GLOB 'programme:*:redeemed'
) GROUP BY lot"""
"""What suspense gave for a sale, less what a cancel, a void or returns gave to it."""
