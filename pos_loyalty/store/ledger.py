"""The log of facts, and what follows from it: entries, lots, balances. Rule: a fact and what follows are one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.clock import boot_id, from_ms, monotonic_ns, to_ms
from pos_loyalty.engine.model import ENGINE_VERSION, POINT, Entry, Lot
from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import (
    FIELD_OF,
    GENESIS,
    PAYLOAD_BYTES_MAX,
    Body,
    Fact,
    FactKind,
    chain,
    fact_of,
    payload_of,
)
from pos_loyalty.store.migrations import SCHEMA
from pos_loyalty.store.return_facts import ReturnFact
from pos_loyalty.store.right_holds import lent_minor
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Points, Value

MEMBER = "member:"
GIFT = "gift:"
"""Accounts of gift cards; like a member's lots they never go below nothing."""
LOGICAL_BITS = 16
"""The low bits of ``hlc`` count facts within one millisecond."""


class Head(Value):
    """The end of this file's own log. seq is 0 and the hash GENESIS before the first fact; a later epoch counts on."""

    epoch: int
    seq: int
    hash: bytes


class Draft(Value):
    """A fact before it has its place in the log."""

    id: UUID
    kind: FactKind
    store: str
    entries: tuple[Entry, ...] = ()
    programme: str | None = None
    receipt_no: str | None = None
    cashier: str | None = None
    member: str | None = None
    reverses: UUID | None = None
    after: int = 0
    """The logical clock of another log's fact that this one answers: it comes after that."""
    body: Body | None = None
    """What the fact is about."""


class Shortfall(Value):
    """A lot that does not add up after some entries. ``centi`` is how much is too little, too much, or of nobody."""

    lot_id: str
    reason: Literal["overdrawn", "overfull", "unknown"]
    centi: Points


def head(db: Connection) -> Head:
    """The last fact of this file's owner."""
    _, last, _ = _last(db)
    return last


def append(db: Connection, draft: Draft, now: datetime) -> Fact:
    """Write a fact of our own at the end of the log.

    Raises ConflictError when a lot does not hold what is taken from it, InputError for a fact too large to be sent.
    """
    assert db.in_transaction, "append() stands inside write()"
    till, last, last_hlc = _last(db)
    fact = Fact(
        schema=SCHEMA,
        id=draft.id.hex,
        store=draft.store,
        till=till,
        epoch=last.epoch,
        seq=last.seq + 1,
        kind=draft.kind,
        at=now,
        boot_id=boot_id(),
        mono_ns=monotonic_ns(),
        hlc=max(last_hlc + 1, to_ms(now) << LOGICAL_BITS, draft.after + 1),
        engine=ENGINE_VERSION,
        programme=draft.programme,
        receipt_no=draft.receipt_no,
        cashier=draft.cashier,
        member=draft.member,
        reverses=None if draft.reverses is None else draft.reverses.hex,
        entries=draft.entries,
    )
    if draft.body is not None:
        fact = replace(fact, **{FIELD_OF[type(draft.body)]: draft.body})
    payload = payload_of(fact)
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise InputError("", f"This takes {len(payload)} bytes in the log, at most {PAYLOAD_BYTES_MAX} fit; divide it.")
    taken = _taken_from(draft.entries)
    for shortfall in store_fact(db, fact, payload, last.hash, chain(last.hash, payload)):
        if taken[shortfall.lot_id] > 0 and shortfall.reason != "overfull":
            raise ConflictError(f"Lot {shortfall.lot_id} is {shortfall.centi} hundredths of a point short of what is taken.")
    for account, unit in sorted({(entry.debit, entry.unit) for entry in draft.entries if entry.debit.startswith(GIFT)}):
        short_minor = -balance_of(db, account, unit) - lent_minor(db, account)
        if short_minor > 0:
            raise ConflictError(f"The gift card is {short_minor} minor units short of what is taken; nothing was written.")
    return fact


def _taken_from(entries: Iterable[Entry]) -> Counter[str | None]:
    """What goes out of members' lots, less what comes: what only passes through a lot does not need it to hold anything."""
    taken: Counter[str | None] = Counter()
    for entry in entries:
        taken[entry.lot_id] += entry.amount * (entry.debit.startswith(MEMBER) - entry.credit.startswith(MEMBER))
    return taken


def store_fact(db: Connection, fact: Fact, payload: bytes, prev_hash: bytes, hash: bytes) -> tuple[Shortfall, ...]:
    """Store a fact, ours or a till's, that was checked to be next in its log; answers the lots that do not add up."""
    db.execute(TXN_INSERT, columns_of(fact) | {"payload": payload, "prev_hash": prev_hash, "hash": hash})
    return apply_entries(db, UUID(fact.id), fact.entries)


def apply_entries(db: Connection, txn_id: UUID, entries: tuple[Entry, ...]) -> tuple[Shortfall, ...]:
    """Store the entries of a fact and bring its lots and balances up to date."""
    if not entries:
        return ()
    rows = [_entry_row(txn_id, n, entry) for n, entry in enumerate(entries)]
    db.executemany(ENTRY_INSERT, rows)
    db.executemany(LOT_INSERT, [lot_row(txn_id.bytes, entry) for entry in entries if makes_lot(entry)])
    _move_balances(db, entries)
    touched = sorted({entry.lot_id for entry in entries if entry.lot_id is not None and _touches_member(entry)})
    return tuple(found for lot_id in touched if (found := _refold(db, lot_id, entries)) is not None)


def lots_of(db: Connection, member_id: str) -> tuple[Lot, ...]:
    """Lots of a member that hold something, expired ones too; soonest to expire first, then by id."""
    return _lots(db.execute(LOTS_SELECT, {"member": member_id}))


def expired(db: Connection, until: datetime, members_max: int) -> dict[str, tuple[Lot, ...]]:
    """Lots whose end is not after an instant and that still hold something, by member, of at most so many members."""
    return _by_member(db.execute(EXPIRED_SELECT, {"until": to_ms(until), "members_max": members_max}))


def ended(db: Connection, until: datetime, after: Lot | None, lots_max: int) -> dict[str, tuple[Lot, ...]]:
    """The same in the order in which they ended: so many lots of those that come after one."""
    last_ms = to_ms(after.expires_at) if after is not None and after.expires_at is not None else 0
    key = {"until": to_ms(until), "last_ms": last_ms, "last": "" if after is None else after.lot_id, "lots_max": lots_max}
    return _by_member(db.execute(ENDED_SELECT, key))


def _by_member(rows: Iterable[tuple[str, str, int, int]]) -> dict[str, tuple[Lot, ...]]:
    due: defaultdict[str, list[Lot]] = defaultdict(list)
    for member_id, lot_id, centi, expires_ms in rows:
        due[member_id].append(Lot(lot_id=lot_id, centi=Points(centi), expires_at=from_ms(expires_ms)))
    return {member_id: tuple(lots) for member_id, lots in due.items()}


def all_lots_of(db: Connection, member_id: str) -> tuple[Lot, ...]:
    """Lots of a member as they add up: emptied ones too, and below nothing where head office knows more than we do."""
    return _lots(db.execute(ALL_LOTS_SELECT, {"member": member_id}))


def _lots(rows: Iterable[tuple[str, int, int, int | None]]) -> tuple[Lot, ...]:
    return tuple(
        Lot(
            lot_id=lot_id,
            centi=Points(remaining),
            usable_from=from_ms(usable_from) if usable_from else None,
            expires_at=None if expires_at is None else from_ms(expires_at),
        )
        for lot_id, remaining, usable_from, expires_at in rows
    )


def balance_of(db: Connection, account: str, unit: str = POINT) -> int:
    """Credits less debits of an account in this file, in hundredths of a point or in minor units."""
    row = db.execute(BALANCE_SELECT, {"account": account, "unit": unit}).fetchone()
    return int(row[0]) if row else 0


def by_id(db: Connection, txn_id: UUID) -> Fact | None:
    """The fact with this id, as it was logged."""
    row = db.execute("SELECT payload FROM txn WHERE id = :id", {"id": txn_id.bytes}).fetchone()
    return None if row is None else fact_of(row[0])


def entries_of(db: Connection, txn_id: UUID) -> tuple[Entry, ...]:
    """The entries of one fact, none when there is no such fact."""
    fact = by_id(db, txn_id)
    return () if fact is None else fact.entries


def sale_facts(db: Connection, till: str, sale_id: str) -> tuple[Fact, ...]:
    """All facts about one sale, in the order of the log."""
    rows = db.execute(SALE_FACTS_SELECT, {"till": till, "sale_id": sale_id})
    return tuple(fact_of(payload) for (payload,) in rows)


def sale_facts_after(db: Connection, first: Fact) -> tuple[Fact, ...]:
    """The facts of a till about the sale of one of its facts that come after it, in the order of the log."""
    assert first.sale is not None
    key = {"till": first.till, "sale_id": first.sale.sale_id, "epoch": first.epoch, "seq": first.seq}
    return tuple(fact_of(payload) for (payload,) in db.execute(SALE_FACTS_AFTER_SELECT, key))


def sale_entries(db: Connection, till: str, sale_id: str) -> tuple[Entry, ...]:
    """All entries of one sale, in the order of the log."""
    return tuple(entry for fact in sale_facts(db, till, sale_id) for entry in fact.entries)


def open_case(db: Connection, *, reason: str, detail: str, fact: Fact | None = None) -> None:
    """Note a contradiction for a person to settle. Without a fact it is about the last one of our own log."""
    if fact is None:
        till, last, _ = _last(db)
        place = {"till": till, "epoch": last.epoch, "seq": last.seq}
    else:
        place = {"till": fact.till, "epoch": fact.epoch, "seq": fact.seq}
    with watched(db, "suspense_case", "(till, epoch, seq) = (:till, :epoch, :seq)", place):
        db.execute(CASE_INSERT, place | {"reason": reason, "detail": detail})


def columns_of(fact: Fact) -> dict[str, Any]:
    """The columns of a log row that are copied from its payload."""
    # A claim may be of another till's sale: sale_claim names it.
    about = fact.sale or fact.end or _ours(fact) or fact.gift_card
    return {
        "id": bytes.fromhex(fact.id),
        "till": fact.till,
        "epoch": fact.epoch,
        "seq": fact.seq,
        "kind": fact.kind,
        "wall_ms": to_ms(fact.at),
        "boot_id": fact.boot_id,
        "mono_ns": fact.mono_ns,
        "hlc": fact.hlc,
        "programme_version": fact.programme,
        "engine_version": fact.engine,
        "receipt_no": fact.receipt_no,
        "cashier": fact.cashier,
        "member": fact.member,
        "sale_id": None if about is None else about.sale_id,
        "reverses": None if fact.reverses is None else bytes.fromhex(fact.reverses),
    }


def _ours(fact: Fact) -> ReturnFact | None:
    """The return of a sale of the fact's own till: those of another till bear ids that may be ours too."""
    return fact.returned if fact.returned is not None and fact.returned.sale_till == fact.till else None


def entry_row(entry: Entry) -> tuple[str, str, str, int, str, str | None, str | None, str | None]:
    """The stored form of an entry: kind, debit, credit, amount, unit, lot, member, rule."""
    return entry.kind, entry.debit, entry.credit, entry.amount, entry.unit, entry.lot_id, entry.member_id, entry.rule


def makes_lot(entry: Entry) -> bool:
    """Whether an entry brings a new lot."""
    return entry.kind == "accrue" and entry.lot_id is not None and entry.credit.startswith(MEMBER)


def lot_row(fact_id: bytes, entry: Entry) -> dict[str, Any]:
    """The stored form of the lot that an accrue entry makes, still empty."""
    return {
        "id": entry.lot_id,
        "member": entry.credit.removeprefix(MEMBER),
        "origin_txn": fact_id,
        "unit": entry.unit,
        "usable_from": 0 if entry.usable_from is None else to_ms(entry.usable_from),
        "expires_at": None if entry.expires_at is None else to_ms(entry.expires_at),
        "amount": entry.amount,
    }


def _last(db: Connection) -> tuple[str, Head, int]:
    """The owner, the head of its log, and the head's hlc."""
    owner, epoch = db.execute(OWNER_SELECT).fetchone()
    row = db.execute(LAST_SELECT, {"till": owner}).fetchone()
    if row is None:
        return owner, Head(epoch=epoch, seq=0, hash=GENESIS), 0
    last_epoch, seq, hash_, hlc = row
    assert last_epoch <= epoch, "a log goes on in its own epoch"
    return owner, Head(epoch=epoch, seq=seq, hash=hash_), hlc


def _entry_row(txn_id: UUID, n: int, entry: Entry) -> tuple[object, ...]:
    return txn_id.bytes, n, *entry_row(entry)


def _touches_member(entry: Entry) -> bool:
    return entry.debit.startswith(MEMBER) or entry.credit.startswith(MEMBER)


def _move_balances(db: Connection, entries: tuple[Entry, ...]) -> None:
    moves: defaultdict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        moves[entry.debit, entry.unit] -= entry.amount
        moves[entry.credit, entry.unit] += entry.amount
    rows = [(account, unit, amount) for (account, unit), amount in moves.items() if amount]
    db.executemany(BALANCE_UPSERT, rows)
    db.executemany(BALANCE_DELETE, [row[:2] for row in rows])


def _refold(db: Connection, lot_id: str, entries: tuple[Entry, ...]) -> Shortfall | None:
    row = db.execute(LOT_FOLD_SELECT, {"lot": lot_id}).fetchone()
    if row is None:
        named_centi = sum(entry.amount for entry in entries if entry.lot_id == lot_id)
        return Shortfall(lot_id=lot_id, reason="unknown", centi=Points(named_centi))
    amount, remaining = row
    held = {"lot": lot_id, "remaining": min(amount, max(0, remaining))}
    db.execute(LOT_UPDATE, held)
    if remaining < 0:
        return Shortfall(lot_id=lot_id, reason="overdrawn", centi=Points(-remaining))
    if remaining > amount:
        return Shortfall(lot_id=lot_id, reason="overfull", centi=Points(remaining - amount))
    return None


TXN_INSERT = """INSERT INTO txn (
  id, till, epoch, seq, kind, wall_ms, boot_id, mono_ns, hlc, programme_version, engine_version, receipt_no, cashier, member,
  sale_id, reverses, payload, prev_hash, hash
) VALUES (
  :id, :till, :epoch, :seq, :kind, :wall_ms, :boot_id, :mono_ns, :hlc, :programme_version, :engine_version, :receipt_no, :cashier,
  :member, :sale_id, :reverses, :payload, :prev_hash, :hash
)"""
ENTRY_INSERT = """INSERT INTO entry (txn, n, kind, debit_acct, credit_acct, amount, unit, lot, member, rule)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
LOT_INSERT = """INSERT INTO lot (id, member, origin_txn, unit, usable_from, expires_at, amount, remaining)
VALUES (:id, :member, :origin_txn, :unit, :usable_from, :expires_at, :amount, 0) ON CONFLICT (id) DO NOTHING"""
BALANCE_UPSERT = """INSERT INTO balance (account, unit, amount) VALUES (?, ?, ?)
ON CONFLICT (account, unit) DO UPDATE SET amount = balance.amount + excluded.amount"""
BALANCE_DELETE = "DELETE FROM balance WHERE account = ? AND unit = ? AND amount = 0"
BALANCE_SELECT = "SELECT amount FROM balance WHERE account = :account AND unit = :unit"
LOT_UPDATE = "UPDATE lot SET remaining = :remaining WHERE id = :lot"
LOT_FOLD = """base_remaining + coalesce((
  SELECT SUM(CASE WHEN e.credit_acct GLOB 'member:*' THEN e.amount WHEN e.debit_acct GLOB 'member:*' THEN -e.amount ELSE 0 END)
  FROM entry AS e JOIN txn AS t ON t.id = e.txn WHERE e.lot = lot.id AND t.seq > lot.base_seq
), 0)"""
"""What a lot holds by base and entries, before it is kept within 0 and its amount."""
LOT_FOLD_SELECT = f"SELECT amount, {LOT_FOLD} FROM lot WHERE id = :lot"
LOTS_SELECT = """SELECT id, remaining, usable_from, expires_at FROM lot WHERE member = :member AND remaining > 0
ORDER BY expires_at IS NULL, expires_at, id"""
EXPIRED_SELECT = """SELECT member, id, remaining, expires_at FROM lot
WHERE remaining > 0 AND expires_at <= :until AND member IN (
  SELECT DISTINCT member FROM lot INDEXED BY lot_by_end WHERE remaining > 0 AND expires_at <= :until LIMIT :members_max
) ORDER BY member, expires_at, id"""
"""Whose lots ended first comes first: it stops at the last member of a page, and lots that live on are not looked at."""
ENDED_SELECT = """SELECT member, id, remaining, expires_at FROM lot INDEXED BY lot_by_end
WHERE remaining > 0 AND expires_at <= :until AND (expires_at, id) > (:last_ms, :last) ORDER BY expires_at, id LIMIT :lots_max"""
ALL_LOTS_SELECT = f"SELECT id, {LOT_FOLD}, usable_from, expires_at FROM lot WHERE member = :member ORDER BY id"
OWNER_SELECT = """SELECT
  (SELECT value FROM meta WHERE key = 'owner'), CAST((SELECT value FROM meta WHERE key = 'epoch') AS INTEGER)"""
LAST_SELECT = "SELECT epoch, seq, hash, hlc FROM txn WHERE till = :till ORDER BY epoch DESC, seq DESC LIMIT 1"
SALE_FACTS_SELECT = "SELECT payload FROM txn WHERE till = :till AND sale_id = :sale_id ORDER BY epoch, seq"
SALE_FACTS_AFTER_SELECT = """SELECT payload FROM txn WHERE till = :till AND sale_id = :sale_id AND (epoch, seq) > (:epoch, :seq)
ORDER BY epoch, seq"""
CASE_INSERT = """INSERT INTO suspense_case (till, epoch, seq, reason, detail)
VALUES (:till, :epoch, :seq, :reason, :detail)"""
