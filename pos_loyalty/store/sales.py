"""Sales as they stand: rows that follow from the log, the attempts made before it, and the answers kept for each key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, cast
from uuid import UUID

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.model import Basket, Quote, Tender
from pos_loyalty.engine.owed import SETTLES
from pos_loyalty.engine.paid_part import as_paid
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import issues, returned, uses
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.store.merges import SAME_PERSON
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Minor, Points, Value, decode, encode

State = Literal["authorised", "completed", "cancelled", "reversed"]

MOVES: dict[tuple[str, str], State] = {
    ("authorised", "sale.completed"): "completed",
    ("authorised", "sale.cancelled"): "cancelled",
    ("cancelled", "sale.completed"): "completed",
    ("completed", "sale.reversed"): "reversed",
}
"""What a later fact makes of a sale's state; any other pair changes nothing but stays in the log."""


class StoredSale(Value):
    """A sale as it stands now. ``txn`` is the id of the fact that authorised it; ``quote`` is
    with the points of the paid part, once it was completed with less than its due."""

    till: str
    sale_id: str
    txn: UUID
    state: State
    receipt_no: str
    store: str
    cashier: str
    biz_day: int
    authorised_at: datetime
    ended_at: datetime | None
    redeemed_centi: Points
    offline_centi: Points
    accrued_centi: Points
    basket: Basket
    quote: Quote
    tenders: tuple[Tender, ...]
    fiscal: Fiscal | None


class Attempt(Value):
    """A sale id that was taken before the first try, with the id that its fact will have."""

    sale_id: str
    txn: UUID
    content_hash: bytes
    opened_at: datetime


class KeptAnswer(Value):
    """What was answered under an idempotency key."""

    verb: str
    body_hash: bytes
    answer: bytes


def attempt(db: Connection, sale_id: str) -> Attempt | None:
    """The attempt under this sale id, whether or not a sale came of it."""
    row = db.execute("SELECT txn, content_hash, opened_ms FROM attempt WHERE sale_id = :sale_id", {"sale_id": sale_id}).fetchone()
    if row is None:
        return None
    return Attempt(sale_id=sale_id, txn=UUID(bytes=row[0]), content_hash=row[1], opened_at=from_ms(row[2]))


def put_attempt(db: Connection, *, sale_id: str, txn: UUID, content_hash: bytes, now: datetime) -> None:
    """Store an attempt in a commit of its own; a later try with other content keeps the id."""
    row = {"sale_id": sale_id, "txn": txn.bytes, "content_hash": content_hash, "now": to_ms(now)}
    with watched(db, "attempt", "sale_id = :sale_id", {"sale_id": sale_id}):
        db.execute(ATTEMPT_UPSERT, row)


def add(db: Connection, fact: Fact) -> StoredSale:
    """The rows of a sale that its first fact brings; answers the sale as it is stored now."""
    row, sale = add_rows(db, fact), fact.sale
    assert sale is not None
    return _sale(row, basket=sale.basket, quote=sale.quote, tenders=sale.tenders, fiscal=sale.fiscal)


def add_rows(db: Connection, fact: Fact) -> dict[str, Any]:
    """The same, for who does not ask for the sale; answers its row."""
    assert fact.sale is not None
    row = sale_row(fact)
    db.execute(SALE_INSERT, row)
    db.executemany(LINE_INSERT, list(line_rows(fact)))
    db.executemany(ADJUSTMENT_INSERT, list(adjustment_rows(fact)))
    if fact.sale.quote.issued or fact.sale.quote.coupons:
        issues.add(db, fact)
    sale = fact.sale
    uses.move(db, uses.of_quote(sale.quote, sale.biz_day), 1)
    returned.recount(db, fact.till, sale.sale_id, 1)
    return row


def end(db: Connection, fact: Fact) -> None:
    """Move a sale by a later fact about it. Raises NotFoundError when the sale is not here."""
    assert fact.end is not None
    row = end_columns(db, fact.till, fact.end.sale_id)
    if row is None:
        raise NotFoundError(f"Sale {fact.end.sale_id} of till {fact.till} is not known here.")
    key = {"till": fact.till, "sale_id": fact.end.sale_id}
    after = moved(row, fact)
    db.execute(ENDS_UPDATE, after | key)
    step = (after["state"] in uses.COUNTED) - (row["state"] in uses.COUNTED)
    if step:
        quote, biz_day = db.execute(USED_SELECT, key).fetchone()
        uses.move(db, uses.of_quote(decode(quote, Quote), biz_day), 1 if step > 0 else -1)
        returned.recount(db, fact.till, fact.end.sale_id, 1 if step > 0 else -1)


def by_id(db: Connection, till: str, sale_id: str) -> StoredSale | None:
    """The sale of this till with this id."""
    return _stored(db.execute(BY_ID_SELECT, {"till": till, "sale_id": sale_id}).fetchone())


def by_receipt(db: Connection, till: str, receipt_no: str) -> StoredSale | None:
    """The sale of this till with this receipt number."""
    return _stored(db.execute(BY_RECEIPT_SELECT, {"till": till, "receipt_no": receipt_no}).fetchone())


def settled_centi(db: Connection, sale: StoredSale) -> Points:
    """Of the points that a sale brought its member: what settled points that they owed."""
    if not sale.accrued_centi:
        return Points(0)
    key = {"till": sale.till, "sale_id": sale.sale_id, "member": sale.quote.member_id, "settles": SETTLES}
    return Points(db.execute(SETTLED_SELECT, key).fetchone()[0])


def unfinished(db: Connection) -> tuple[str, ...]:
    """Ids of sales that are authorised and neither completed nor cancelled, oldest first."""
    rows = db.execute("SELECT sale_id FROM sale WHERE state = 'authorised' ORDER BY authorised_ms, sale_id")
    return tuple(row[0] for row in rows)


def unfinished_before(db: Connection, till: str, before: datetime) -> tuple[str, ...]:
    """Of these, the ones that this till authorised before an instant of its own clock."""
    rows = db.execute(UNFINISHED_BEFORE_SELECT, {"till": till, "before": to_ms(before)})
    return tuple(row[0] for row in rows)


def attempts_without_sale(db: Connection, since: datetime, limit: int) -> tuple[str, ...]:
    """Sale ids that were taken since an instant and of which no sale came, newest first."""
    rows = db.execute(ATTEMPTS_WITHOUT_SALE_SELECT, {"since": to_ms(since), "limit": limit})
    return tuple(row[0] for row in rows)


def offline_used(db: Connection, member_id: str, since: datetime) -> Points:
    """Points that a member redeemed under the offline allowance since an instant of the till's own clock, reserved ones too."""
    return Points(db.execute(OFFLINE_USED_SELECT, {"member": member_id, "since": to_ms(since)}).fetchone()[0])


def offline_unsent(db: Connection) -> Points:
    """Points redeemed under the offline allowance that head office does not hold yet: the exposure."""
    return Points(db.execute(OFFLINE_UNSENT_SELECT).fetchone()[0])


def answer(db: Connection, key: str) -> KeptAnswer | None:
    """What was answered under an idempotency key."""
    row = db.execute("SELECT verb, body_hash, answer FROM idempotency WHERE key = :key", {"key": key}).fetchone()
    return None if row is None else KeptAnswer(verb=row[0], body_hash=row[1], answer=row[2])


def keep_answer(db: Connection, *, key: str, verb: str, body_hash: bytes, answer: bytes, now: datetime) -> None:
    """Keep an answer for ever, in the transaction of what it answers."""
    with watched(db, "idempotency", "key = :key", {"key": key}):
        db.execute(ANSWER_INSERT, {"key": key, "verb": verb, "body_hash": body_hash, "answer": answer, "at_ms": to_ms(now)})


def sale_row(fact: Fact) -> dict[str, Any]:
    """The columns of a sale as its first fact makes them."""
    assert fact.sale is not None
    sale, quote = fact.sale, fact.sale.quote
    at_ms = to_ms(fact.at)
    return {
        "till": fact.till,
        "sale_id": sale.sale_id,
        "txn": bytes.fromhex(fact.id),
        "state": "completed" if sale.completed else "authorised",
        "receipt_no": fact.receipt_no or "",
        "store": fact.store,
        "cashier": fact.cashier or "",
        "member": quote.member_id,
        "biz_day": sale.biz_day,
        "ts_s": to_ms(sale.basket.opened_at) // 1000,
        "authorised_ms": at_ms,
        "ended_ms": at_ms if sale.completed else None,
        "gross_minor": quote.gross_minor,
        "total_minor": quote.total_minor,
        "due_minor": quote.due_minor,
        "redeemed_centi": quote.redemption.centi,
        "offline_centi": sale.offline_centi,
        "accrued_centi": _accrued(fact),
        "advance_minor": advance_minor(quote),
        "progress_minor": quote.tier_progress_minor,
        "programme": quote.programme,
        "basket": encode(sale.basket),
        "quote": encode(quote),
        "tenders": encode(sale.tenders),
        "fiscal": None if sale.fiscal is None else encode(sale.fiscal),
        "completed_txn": bytes.fromhex(fact.id) if sale.completed else None,
        "reversed_txn": None,
    }


def end_columns(db: Connection, till: str, sale_id: str) -> dict[str, Any] | None:
    """The columns of a stored sale that later facts may change."""
    row = db.execute(ENDS_SELECT, {"till": till, "sale_id": sale_id}).fetchone()
    return None if row is None else dict(zip(ENDS, row, strict=True))


def moved(row: dict[str, Any], fact: Fact) -> dict[str, Any]:
    """A sale's changing columns after a later fact about it."""
    assert fact.end is not None
    state = MOVES.get((row["state"], fact.kind))
    if state is None:
        return row
    changes: dict[str, Any] = {"state": state, "ended_ms": to_ms(fact.at)}
    if state == "reversed":
        changes["reversed_txn"] = bytes.fromhex(fact.id)
    if state == "completed":
        changes["completed_txn"] = bytes.fromhex(fact.id)
        changes["accrued_centi"] = _accrued(fact)
        if fact.end.tenders:
            changes["tenders"] = encode(fact.end.tenders)
        if fact.end.fiscal is not None:
            changes["fiscal"] = encode(fact.end.fiscal)
    return row | changes


def line_rows(fact: Fact) -> Iterator[tuple[object, ...]]:
    """Rows of sale_line, by line id."""
    assert fact.sale is not None
    priced = {line.line_id: line for line in fact.sale.quote.lines}
    for line in sorted(fact.sale.basket.lines, key=by_line_id):
        quoted = priced[line.line_id]
        yield (
            fact.till, fact.sale.sale_id, line.line_id, line.sku, line.name, line.category, line.brand,
            encode(line.tags).decode() if line.tags else "", int(line.quantity_milli),
            quoted.gross_minor, quoted.net_minor, quoted.points_minor, quoted.vat_minor, line.cost_minor,
        )  # fmt: skip


def adjustment_rows(fact: Fact) -> Iterator[tuple[object, ...]]:
    """Rows of adjustment, by line id and rule; one rule's money on a line is one row."""
    assert fact.sale is not None
    for line in sorted(fact.sale.quote.lines, key=by_line_id):
        if len(line.adjustments) == 1:  # as most are
            (only,) = line.adjustments
            yield fact.till, fact.sale.sale_id, line.line_id, only.rule, only.off_minor
        elif line.adjustments:
            off: defaultdict[str, int] = defaultdict(int)
            for adjustment in line.adjustments:
                off[adjustment.rule] += adjustment.off_minor
            yield from ((fact.till, fact.sale.sale_id, line.line_id, rule, Minor(off[rule])) for rule in sorted(off))


def advance_minor(quote: Quote) -> Minor:
    """What a sale takes for gift cards: money paid in advance, which buys nothing yet."""
    return Minor(sum([line.net_minor for line in quote.lines if any(position.kind == "advance" for position in line.fiscal)]))


def _accrued(fact: Fact) -> int:
    """Of the sale's own member: a referrer's points are none of theirs."""
    return sum(entry.amount for entry in fact.entries if entry.kind == "accrue" and fact.member in (None, entry.member_id))


def _stored(row: tuple[Any, ...] | None) -> StoredSale | None:
    if row is None:
        return None
    seen = dict(zip(SEEN, row, strict=True))
    quote, tenders = decode(seen["quote"], Quote), decode(seen["tenders"], tuple[Tender, ...])
    return _sale(
        seen,
        basket=decode(seen["basket"], Basket),
        quote=as_paid(quote, tenders) if seen["state"] in ("completed", "reversed") else quote,
        tenders=tenders,
        fiscal=None if seen["fiscal"] is None else decode(seen["fiscal"], Fiscal),
    )


def _sale(
    seen: Mapping[str, Any], *, basket: Basket, quote: Quote, tenders: tuple[Tender, ...], fiscal: Fiscal | None
) -> StoredSale:
    return StoredSale(
        till=seen["till"],
        sale_id=seen["sale_id"],
        txn=UUID(bytes=seen["txn"]),
        state=cast(State, seen["state"]),
        receipt_no=seen["receipt_no"],
        store=seen["store"],
        cashier=seen["cashier"],
        biz_day=seen["biz_day"],
        authorised_at=from_ms(seen["authorised_ms"]),
        ended_at=None if seen["ended_ms"] is None else from_ms(seen["ended_ms"]),
        redeemed_centi=Points(seen["redeemed_centi"]),
        offline_centi=Points(seen["offline_centi"]),
        accrued_centi=Points(seen["accrued_centi"]),
        basket=basket,
        quote=quote,
        tenders=tenders,
        fiscal=fiscal,
    )


by_line_id = attrgetter("line_id")
COLUMNS = (
    "till", "sale_id", "txn", "state", "receipt_no", "store", "cashier", "member", "biz_day", "ts_s", "authorised_ms", "ended_ms",
    "gross_minor", "total_minor", "due_minor", "redeemed_centi", "offline_centi", "accrued_centi", "advance_minor",
    "progress_minor", "programme", "basket", "quote", "tenders", "fiscal", "completed_txn", "reversed_txn",
)  # fmt: skip
SEEN = (
    "till", "sale_id", "txn", "state", "receipt_no", "store", "cashier", "biz_day", "authorised_ms", "ended_ms", "redeemed_centi",
    "offline_centi", "accrued_centi", "basket", "quote", "tenders", "fiscal",
)  # fmt: skip
ENDS = ("state", "ended_ms", "accrued_centi", "tenders", "fiscal", "completed_txn", "reversed_txn")
SALE_INSERT = f"INSERT INTO sale ({', '.join(COLUMNS)}) VALUES ({', '.join(':' + name for name in COLUMNS)})"
LINE_COLUMNS = (
    "till", "sale_id", "line_id", "sku", "name", "category", "brand", "tags", "quantity_milli", "gross_minor", "net_minor",
    "points_minor", "vat_minor", "cost_minor",
)  # fmt: skip
LINE_INSERT = f"INSERT INTO sale_line ({', '.join(LINE_COLUMNS)}) VALUES ({', '.join('?' * len(LINE_COLUMNS))})"
ADJUSTMENT_INSERT = "INSERT INTO adjustment (till, sale_id, line_id, rule, off_minor) VALUES (?, ?, ?, ?, ?)"
BY_ID_SELECT = f"SELECT {', '.join(SEEN)} FROM sale WHERE till = :till AND sale_id = :sale_id"
BY_RECEIPT_SELECT = f"""SELECT {", ".join(SEEN)} FROM sale
WHERE txn = (SELECT id FROM txn WHERE till = :till AND receipt_no = :receipt_no)"""
ENDS_SELECT = f"SELECT {', '.join(ENDS)} FROM sale WHERE till = :till AND sale_id = :sale_id"
ENDS_UPDATE = f"UPDATE sale SET {', '.join(f'{name} = :{name}' for name in ENDS)} WHERE till = :till AND sale_id = :sale_id"
SETTLED_SELECT = """SELECT coalesce(SUM(e.amount), 0) FROM sale AS s JOIN entry AS e ON e.txn = s.completed_txn
WHERE s.till = :till AND s.sale_id = :sale_id AND e.rule = :settles AND e.member = :member"""
USED_SELECT = "SELECT quote, biz_day FROM sale WHERE till = :till AND sale_id = :sale_id"
ATTEMPT_UPSERT = """INSERT INTO attempt (sale_id, txn, opened_ms, content_hash) VALUES (:sale_id, :txn, :now, :content_hash)
ON CONFLICT (sale_id) DO UPDATE SET content_hash = excluded.content_hash"""
ANSWER_INSERT = """INSERT INTO idempotency (key, verb, body_hash, answer, at_ms)
VALUES (:key, :verb, :body_hash, :answer, :at_ms)"""
UNFINISHED_BEFORE_SELECT = """SELECT sale_id FROM sale
WHERE state = 'authorised' AND till = :till AND authorised_ms < :before ORDER BY authorised_ms, sale_id"""
ATTEMPTS_WITHOUT_SALE_SELECT = """SELECT sale_id FROM attempt WHERE opened_ms >= :since AND NOT EXISTS (
  SELECT 1 FROM sale WHERE sale.sale_id = attempt.sale_id AND sale.till = (SELECT value FROM meta WHERE key = 'owner')
) ORDER BY opened_ms DESC, sale_id LIMIT :limit"""
OFFLINE_USED_SELECT = f"""SELECT coalesce(SUM(offline_centi), 0) FROM sale
WHERE member IN ({SAME_PERSON}) AND offline_centi > 0 AND authorised_ms >= :since AND state IN ('authorised', 'completed')"""
OFFLINE_UNSENT_SELECT = """SELECT coalesce(SUM(sale.offline_centi), 0)
FROM sale CROSS JOIN txn ON txn.id = sale.txn
WHERE sale.offline_centi > 0 AND txn.till = (SELECT value FROM meta WHERE key = 'owner')
AND (txn.epoch, txn.seq) > (SELECT acked_epoch, acked_seq FROM sync_state) AND sale.state IN ('authorised', 'completed')"""
