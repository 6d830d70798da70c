"""Points claimed later from a receipt: one claim a sale. Rows follow from facts; a second claim is a case at head office."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from pos_loyalty.engine.claim import Claimed, LineClaim, as_claimed
from pos_loyalty.engine.model import Entry, Quote
from pos_loyalty.store import ledger
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.staff_facts import ClaimFact
from pos_loyalty.values import Points, Value


class StoredClaim(Value):
    """A claim that stands."""

    txn: UUID
    member_id: str
    centi: Points


def by_sale(db: Connection, till: str, sale_id: str) -> StoredClaim | None:
    """The claim of a sale."""
    row = db.execute(BY_SALE_SELECT, {"till": till, "sale_id": sale_id}).fetchone()
    return None if row is None else StoredClaim(txn=UUID(bytes=row[0]), member_id=row[1], centi=Points(row[2]))


def entries_of(db: Connection, till: str, sale_id: str) -> tuple[Entry, ...]:
    """The entries of a sale's claim, to be reversed with the sale's own."""
    claim = by_sale(db, till, sale_id)
    return () if claim is None else ledger.entries_of(db, claim.txn)


def quote_of(db: Connection, till: str, sale_id: str, quote: Quote) -> Quote:
    """The quote by which a return of the sale takes points back: as stored, or as claimed by a member later."""
    claim = by_sale(db, till, sale_id)
    fact = None if claim is None else ledger.by_id(db, claim.txn)
    if claim is None or fact is None or fact.claim is None:
        return quote
    lines = tuple(
        LineClaim(line_id=line.line_id, earned=line.earned, earning_minor=line.earning_minor) for line in fact.claim.lines
    )
    claimed = Claimed(accruals=fact.claim.accruals, lines=lines, earning=fact.claim.earning)
    return as_claimed(quote, claimed, claim.member_id)


def claimed_on(db: Connection, member_id: str, biz_day: int) -> Points:
    """Points that a member claimed from receipts of one business day."""
    return Points(db.execute(DAY_SELECT, {"member": member_id, "day": biz_day}).fetchone()[0])


def follow(db: Connection, fact: Fact) -> None:
    """The row of a claim; the first one stands."""
    claim = _claim(fact)
    row = _row(fact, claim)
    if row["centi"]:
        db.execute(CLAIM_INSERT, row)


def doubts(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """A claim that came before, or a sale that cannot be claimed."""
    claim = _claim(fact)
    place = f"sale {claim.sale_id} of till {claim.sale_till}"
    before = by_sale(db, claim.sale_till, claim.sale_id)
    if before is not None:
        yield Doubt(
            reason="claim.twice", detail=f"{place} was claimed for member {before.member_id} before, now for member {fact.member}"
        )
    if not any(accrual.centi for accrual in claim.accruals):
        yield Doubt(reason="claim.contradicted", detail=f"{place} brings nothing by this claim")
    row = db.execute(SALE_SELECT, {"till": claim.sale_till, "sale_id": claim.sale_id}).fetchone()
    if row is None:
        yield Doubt(reason="claim.unknown", detail=f"{place} is not known")
    elif row[0] != "completed" or row[1] is not None:
        yield Doubt(
            reason="claim.contradicted", detail=f"{place} is {row[0]}" + (f", of member {row[1]}" if row[1] is not None else "")
        )


def differences(db: Connection) -> Iterator[str]:
    """Claims that no fact made, or another one; facts whose claim is missing and nobody was asked about."""
    for till, sale_id, member, centi, payload in db.execute(ROWS_SELECT):
        fact = None if payload is None else fact_of(payload)
        if fact is None or fact.claim is None:
            yield f"The claim of sale {sale_id} of till {till} names a fact that is no claim."
            continue
        row = _row(fact, fact.claim)
        if (row["till"], row["sale_id"], row["member"], row["centi"]) != (till, sale_id, member, centi):
            yield f"The claim of sale {sale_id} of till {till} is not the one that its fact made."
    for till, seq in db.execute(MISSING_SELECT):
        yield f"Till {till}, fact {seq}: its claim is missing."


def _row(fact: Fact, claim: ClaimFact) -> dict[str, object]:
    centi = sum(accrual.centi for accrual in claim.accruals)
    return {
        "till": claim.sale_till,
        "sale_id": claim.sale_id,
        "txn": bytes.fromhex(fact.id),
        "member": fact.member or "",
        "centi": centi,
    }


def _claim(fact: Fact) -> ClaimFact:
    if fact.claim is None:
        raise ValueError("a fact of a claim without its body")
    return fact.claim


CLAIM_INSERT = """INSERT INTO sale_claim (till, sale_id, txn, member, centi) VALUES (:till, :sale_id, :txn, :member, :centi)
ON CONFLICT (till, sale_id) DO NOTHING"""
BY_SALE_SELECT = "SELECT txn, member, centi FROM sale_claim WHERE till = :till AND sale_id = :sale_id"
SALE_SELECT = "SELECT state, member FROM sale WHERE till = :till AND sale_id = :sale_id"
DAY_SELECT = """SELECT coalesce(SUM(c.centi), 0) FROM sale_claim AS c JOIN sale AS s ON s.till = c.till AND s.sale_id = c.sale_id
WHERE c.member = :member AND s.biz_day = :day AND s.state = 'completed'"""
ROWS_SELECT = """SELECT c.till, c.sale_id, c.member, c.centi, t.payload FROM sale_claim AS c LEFT JOIN txn AS t ON t.id = c.txn"""
MISSING_SELECT = f"""SELECT t.till, t.seq FROM txn AS t WHERE t.kind = 'sale.claimed' AND t.{OF_ACTS}
AND NOT EXISTS (SELECT 1 FROM sale_claim AS c WHERE c.txn = t.id)
AND NOT EXISTS (SELECT 1 FROM suspense_case AS s WHERE s.till = t.till AND s.epoch = t.epoch AND s.seq = t.seq)"""
