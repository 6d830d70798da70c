"""Returns as they stand: rows that follow from the fact, what earlier returns left of a sale, and what ``verify`` compares.

Rule: a return counts against a sale that is here and counts itself; the order in which the two come does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.model import ENGINE_VERSION, Instant, Quote, RuleUse, Tender
from pos_loyalty.engine.paid_part import as_paid, missing_minor, refund_of
from pos_loyalty.engine.returns import Returned, return_of
from pos_loyalty.errors import InputError
from pos_loyalty.store import claims, coupon_words, uses
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.values import Minor, Value, decode, encode

COUNTED = "completed"
NO_QUOTE = (AssertionError, ArithmeticError, LookupError)
"""How a quote that no till of ours made fails when goods of it come back; a log with one is taken all the same."""


class StoredReturn(Value):
    """A return as it was booked."""

    till: str
    return_id: str
    txn: UUID
    receipt_no: str
    at: Instant
    refund_minor: Minor
    tenders: tuple[Tender, ...]
    returned: Returned


def add(db: Connection, fact: Fact) -> None:
    """The rows that a return brings. One that came before, in another fact, leaves the first one standing."""
    if fact.returned is None:
        raise ValueError("a fact of a return without its body")
    row = return_row(fact)
    if db.execute(RETURN_INSERT, row).rowcount == 0:
        return
    db.executemany(LINE_INSERT, list(line_rows(fact)))
    db.executemany(WITHDRAWN_INSERT, list(withdrawn_rows(fact)))
    if fact.returned.withdrawn:
        coupon_words.touch_sale(db, fact.returned.sale_till, fact.returned.sale_id)
    sale = db.execute(SALE_SELECT, row).fetchone()
    if sale is not None and sale[0] in uses.COUNTED:
        uses.move(db, _less(fact.returned.returned, sale[1], sale[2]), 1)


def recount(db: Connection, till: str, sale_id: str, step: uses.Step) -> None:
    """A sale that begins to count, or ceases to, takes its returns along. Called after the sale's row is written."""
    key = {"sale_till": till, "sale_id": sale_id}
    bodies = db.execute(BODIES_SELECT, key).fetchall()
    if bodies:
        _, member, biz_day = db.execute(SALE_SELECT, key).fetchone()
        for (body,) in bodies:
            uses.move(db, _less(decode(body, Returned), member, biz_day), step)


def of_sale(db: Connection, till: str, sale_id: str) -> tuple[StoredReturn, ...]:
    """The returns of a sale that this file knows, oldest first."""
    return tuple(_stored(row) for row in db.execute(OF_SALE_SELECT, {"sale_till": till, "sale_id": sale_id}))


def by_id(db: Connection, till: str, return_id: str) -> StoredReturn | None:
    """A return of this till."""
    row = db.execute(BY_ID_SELECT, {"till": till, "return_id": return_id}).fetchone()
    return None if row is None else _stored(row)


def of_exchange(db: Connection, till: str, sale_id: str) -> StoredReturn | None:
    """The return whose goods were exchanged for this sale."""
    row = db.execute(OF_EXCHANGE_SELECT, {"till": till, "sale_id": sale_id}).fetchone()
    return None if row is None else _stored(row)


def lowest_price(db: Connection, sku: str, since_day: int) -> Minor | None:
    """The least that was paid for a unit or kilogram of these goods from a business day on; None when none was sold."""
    row = db.execute(LOWEST_SELECT, {"sku": sku, "since": since_day}).fetchone()
    return None if row[0] is None else Minor(row[0])


def doubts(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """What a return contradicts at head office: its sale, or the returns that other tills made of it."""
    mine = fact.returned
    if mine is None:
        return
    if db.execute(KNOWN_SELECT, {"till": fact.till, "return_id": mine.return_id}).fetchone() is not None:
        yield Doubt(reason="return.twice", detail=f"return {mine.return_id} came before, in another fact")
    if not mine.sale_id:
        return
    name = f"sale {mine.sale_id} of till {mine.sale_till}"
    sale = db.execute(SOLD_SELECT, {"till": mine.sale_till, "sale_id": mine.sale_id}).fetchone()
    if sale is None:
        yield Doubt(reason="return.unknown_sale", detail=f"return {mine.return_id} is of {name}, which is unknown")
        return
    if sale[0] != COUNTED:
        yield Doubt(reason="return.not_completed", detail=f"return {mine.return_id} is of {name}, which is {sale[0]}")
    if fact.engine != ENGINE_VERSION:
        return
    before = [each.returned for each in of_sale(db, mine.sale_till, mine.sale_id)]
    try:
        tenders = decode(sale[2], tuple[Tender, ...])
        sold = as_paid(decode(sale[1], Quote), tenders)
        quote = claims.quote_of(db, mine.sale_till, mine.sale_id, sold)
        expected = return_of(quote, before, mine.lines)
    except InputError as error:
        yield Doubt(reason="return.more_than_sold", detail=f"return {mine.return_id} of {name}: {error}")
        return
    except NO_QUOTE as error:
        yield Doubt(reason="return.unreadable", detail=f"{name} has figures of no quote of ours ({type(error).__name__})")
        return
    if expected != mine.returned:
        yield Doubt(reason="return.differs", detail=f"return {mine.return_id} of {name} was made without all returns before it")
        return
    refund_minor = refund_of(expected, before, missing_minor(tenders, quote.due_minor))
    if refund_minor != mine.refund_minor:
        paid = f"paid back {mine.refund_minor} minor units, with all returns before it that were {refund_minor}"
        yield Doubt(reason="return.differs", detail=f"return {mine.return_id} of {name} {paid}")


def doubts_of_void(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """A sale was undone as a whole though goods of it had come back."""
    if fact.end is None:
        return
    sale_id = fact.end.sale_id
    count = len(of_sale(db, fact.till, sale_id))
    if count:
        yield Doubt(
            reason="sale.reversed_after_returns", detail=f"sale {sale_id} was voided as a whole after {count} returns of it"
        )


def differences(db: Connection) -> Iterator[str]:
    """Where the rows of returns are not what the log makes of them."""
    for (payload,) in db.execute(FACTS_SELECT):
        try:
            fact = fact_of(payload)
        except InputError:
            continue  # said where the log itself is read
        if fact.returned is not None:
            yield from _row_differences(db, fact)
    for till, return_id in db.execute(FACTLESS_SELECT):
        yield f"Till {till}, return {return_id}: no fact in the log made it."


def _row_differences(db: Connection, fact: Fact) -> Iterator[str]:
    assert fact.returned is not None
    place = f"Till {fact.till}, fact {fact.seq}, return {fact.returned.return_id}"
    expected = return_row(fact)
    key = {"till": fact.till, "return_id": fact.returned.return_id}
    stored = db.execute(ROW_SELECT, key).fetchone()
    if stored is None or stored[COLUMNS.index("txn")] != expected["txn"]:
        if db.execute(CASE_SELECT, {"till": fact.till, "epoch": fact.epoch, "seq": fact.seq}).fetchone() is None:
            yield f"{place} is missing."
        return
    wrong = [name for name, value in zip(COLUMNS, stored, strict=True) if value != expected[name]]
    if wrong:
        yield f"{place}: {', '.join(wrong)} are not those of the payload."
    if list(line_rows(fact)) != db.execute(LINES_SELECT, key).fetchall():
        yield f"{place}: its lines are not those of the payload."
    if list(withdrawn_rows(fact)) != db.execute(WITHDRAWN_SELECT, key).fetchall():
        yield f"{place}: what it withdrew is not what the payload says."


def return_row(fact: Fact) -> dict[str, Any]:
    """The columns of a return as its fact makes them."""
    mine = fact.returned
    assert mine is not None
    returned = mine.returned
    return {
        "till": fact.till,
        "return_id": mine.return_id,
        "txn": bytes.fromhex(fact.id),
        "sale_till": mine.sale_till or None,
        "sale_id": mine.sale_id or None,
        "exchange_id": mine.exchange_id or None,
        "receipt_no": fact.receipt_no or "",
        "store": fact.store,
        "cashier": fact.cashier or "",
        "member": fact.member,
        "is_claimed": int(mine.is_claimed),
        "biz_day": mine.biz_day,
        "at_ms": to_ms(fact.at),
        "refund_minor": mine.refund_minor + mine.unpaid_minor,
        "points_minor": returned.points_minor,
        "advance_minor": sum(line.refund_minor for line in returned.lines if any(each.kind == "advance" for each in line.fiscal)),
        "restored_centi": sum(use.centi for use in returned.restored),
        "taken_centi": sum(each.centi for each in returned.taken_back if each.member_id is None),
        "is_last": int(returned.is_last),
        "tenders": encode(mine.tenders),
        "body": encode(returned),
    }


def line_rows(fact: Fact) -> Iterator[tuple[object, ...]]:
    """Rows of return_line, by line id."""
    mine = fact.returned
    assert mine is not None
    for line in sorted(mine.returned.lines, key=lambda line: line.line_id):
        net = line.refund_minor + line.points_minor
        yield fact.till, mine.return_id, line.line_id, mine.sale_till or None, mine.sale_id or None, int(line.quantity_milli), net


def withdrawn_rows(fact: Fact) -> Iterator[tuple[object, ...]]:
    """Rows of withdrawn, by number."""
    mine = fact.returned
    assert mine is not None
    for n in sorted(set(mine.withdrawn)):
        yield fact.till, mine.return_id, n, mine.sale_till, mine.sale_id


def _less(returned: Returned, member_id: str | None, biz_day: int) -> uses.Given:
    """A return as something that is used up: all of it below nothing."""
    return uses.Given(
        member_id=member_id,
        biz_day=biz_day,
        uses=tuple(RuleUse(rule=use.rule, times=-use.times) for use in returned.uses),
        minor={use.rule: -use.minor for use in returned.uses},
        counters=returned.counters,
    )


def _stored(row: Iterable[Any]) -> StoredReturn:
    till, return_id, txn, receipt_no, at_ms, refund_minor, tenders, body = row
    return StoredReturn(
        till=till,
        return_id=return_id,
        txn=UUID(bytes=txn),
        receipt_no=receipt_no,
        at=from_ms(at_ms),
        refund_minor=Minor(refund_minor),
        tenders=decode(tenders, tuple[Tender, ...]),
        returned=decode(body, Returned),
    )


COLUMNS = (
    "till", "return_id", "txn", "sale_till", "sale_id", "exchange_id", "receipt_no", "store", "cashier", "member", "is_claimed",
    "biz_day", "at_ms", "refund_minor", "points_minor", "advance_minor", "restored_centi", "taken_centi", "is_last", "tenders",
    "body",
)  # fmt: skip
RETURN_INSERT = f"""INSERT INTO sale_return ({", ".join(COLUMNS)}) VALUES ({", ".join(":" + name for name in COLUMNS)})
ON CONFLICT (till, return_id) DO NOTHING"""
LINE_COLUMNS = ("till", "return_id", "line_id", "sale_till", "sale_id", "quantity_milli", "net_minor")
LINE_INSERT = f"INSERT INTO return_line ({', '.join(LINE_COLUMNS)}) VALUES ({', '.join('?' * len(LINE_COLUMNS))})"
WITHDRAWN_INSERT = "INSERT INTO withdrawn (till, return_id, n, sale_till, sale_id) VALUES (?, ?, ?, ?, ?)"
WITHDRAWN_SELECT = """SELECT till, return_id, n, sale_till, sale_id FROM withdrawn
WHERE till = :till AND return_id = :return_id ORDER BY n"""
SALE_SELECT = "SELECT state, member, biz_day FROM sale WHERE till = :sale_till AND sale_id = :sale_id"
SOLD_SELECT = "SELECT state, quote, tenders FROM sale WHERE till = :till AND sale_id = :sale_id"
BODIES_SELECT = "SELECT body FROM sale_return WHERE sale_till = :sale_till AND sale_id = :sale_id"
_SEEN = "SELECT till, return_id, txn, receipt_no, at_ms, refund_minor, tenders, body FROM sale_return"
OF_SALE_SELECT = f"{_SEEN} WHERE sale_till = :sale_till AND sale_id = :sale_id ORDER BY at_ms, till, return_id"
BY_ID_SELECT = f"{_SEEN} WHERE till = :till AND return_id = :return_id"
OF_EXCHANGE_SELECT = f"{_SEEN} WHERE till = :till AND exchange_id = :sale_id"
KNOWN_SELECT = "SELECT 1 FROM sale_return WHERE till = :till AND return_id = :return_id"
LOWEST_SELECT = """SELECT MIN((l.net_minor - l.points_minor) * 1000 / l.quantity_milli)
FROM sale AS s JOIN sale_line AS l ON l.till = s.till AND l.sale_id = s.sale_id
WHERE s.biz_day >= :since AND s.state = 'completed' AND l.sku = :sku"""
FACTS_SELECT = f"SELECT payload FROM txn WHERE kind = 'sale.returned' AND {OF_ACTS}"
ROW_SELECT = f"SELECT {', '.join(COLUMNS)} FROM sale_return WHERE till = :till AND return_id = :return_id"
LINES_SELECT = f"""SELECT {", ".join(LINE_COLUMNS)} FROM return_line
WHERE till = :till AND return_id = :return_id ORDER BY line_id"""
FACTLESS_SELECT = """SELECT r.till, r.return_id FROM sale_return AS r LEFT JOIN txn AS t ON t.id = r.txn
WHERE t.kind IS NOT 'sale.returned' OR t.till <> r.till"""
CASE_SELECT = "SELECT 1 FROM suspense_case WHERE till = :till AND epoch = :epoch AND seq = :seq"
