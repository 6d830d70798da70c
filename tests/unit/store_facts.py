"""A small shop's facts for the store's tests: fixed instants and ids, figures made by hand and not by the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from pos_loyalty.engine.model import (
    Accrual,
    Adjustment,
    Basket,
    Entry,
    Line,
    LotUse,
    Proof,
    Quote,
    QuoteLine,
    Redemption,
    Tender,
)
from pos_loyalty.store import ledger, members, prints, sales
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.facts import Enrolment, Fact, SaleEnd, SaleFact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.values import Minor, Points, Thousandths

NOW = datetime(2026, 11, 21, 12, 30, 5, tzinfo=UTC)
BURNS = NOW + timedelta(days=90)
TILL = "T1"


def till_store(path: Path, till: str = TILL) -> Connection:
    """A new till's database."""
    return open_store(path, role="till", owner=till, now=NOW)


def uuid_of(n: int) -> UUID:
    """The n-th fixed id."""
    return UUID(int=(0x0190_0000_0000_7000_8000 << 48) + n)


def accrue(member: str, lot: str, centi: int, usable_from: datetime | None = None) -> Entry:
    """Points that a sale brings."""
    return Entry(
        kind="accrue",
        debit="programme:shop:issued",
        credit=f"member:{member}",
        amount=centi,
        member_id=member,
        lot_id=lot,
        rule="base",
        usable_from=usable_from,
        expires_at=BURNS,
    )


def reserve(member: str, lot: str, centi: int, ref: str) -> Entry:
    """Points held for a sale."""
    return Entry(kind="redeem", debit=f"member:{member}", credit=f"held:{ref}", amount=centi, member_id=member, lot_id=lot)


def settle(member: str, lot: str, centi: int, ref: str) -> Entry:
    """Held points spent."""
    return Entry(kind="redeem", debit=f"held:{ref}", credit="programme:shop:redeemed", amount=centi, member_id=member, lot_id=lot)


def release(member: str, lot: str, centi: int, ref: str) -> Entry:
    """Held points given back."""
    return Entry(kind="reverse", debit=f"held:{ref}", credit=f"member:{member}", amount=centi, member_id=member, lot_id=lot)


def basket(sale: int, lines: int = 2) -> Basket:
    """``lines`` pieces at 150.00 each."""
    return Basket(
        basket_id=f"B{sale}",
        store="S1",
        till=TILL,
        cashier="C7",
        opened_at=NOW,
        currency="RUB",
        lines=tuple(
            Line(
                line_id=f"{n:03d}",
                sku=f"46{n:011d}",
                quantity_milli=Thousandths(1000),
                price_minor=Minor(15000),
                name="Кофе",
                category="drinks/coffee",
                cost_minor=Minor(9000),
            )
            for n in range(lines)
        ),
    )


def quote_of(asked: Basket, member: str | None = None, uses: tuple[LotUse, ...] = ()) -> Quote:
    """Ten percent off every line; the points paid all stand on the first line."""
    redeemed = sum(use.centi for use in uses)
    lines = tuple(
        QuoteLine(
            line_id=line.line_id,
            gross_minor=Minor(15000),
            net_minor=Minor(13500),
            points_minor=Minor(redeemed if n == 0 else 0),
            vat_minor=Minor(2434),
            adjustments=(Adjustment(rule="ten", off_minor=Minor(1500)),),
            fiscal=(),
        )
        for n, line in enumerate(asked.lines)
    )
    total = 13500 * len(lines)
    return Quote(
        basket_id=asked.basket_id,
        programme="shop@7#sha256:00",
        at=NOW,
        member_id=member,
        gross_minor=Minor(15000 * len(lines)),
        total_minor=Minor(total),
        due_minor=Minor(total - redeemed),
        lines=lines,
        redemption=Redemption(centi=Points(redeemed), off_minor=Minor(redeemed), max_centi=Points(redeemed), lots=uses),
        accruals=(Accrual(rule="base", centi=Points(500), usable_from=NOW, expires_at=BURNS),) if member else (),
        applied=("ten",),
        refusals=(),
        proof=Proof(value_minor=Minor(0), bound_minor=Minor(0), proven=True, nodes=1),
    )


def sale_draft(
    n: int, member: str | None = None, uses: tuple[LotUse, ...] = (), *, completed: bool = True, lines: int = 2, till: str = TILL
) -> Draft:
    """Sale number n as a draft, with the entries that its figures ask for."""
    sale_id, ref = f"sale-{n}", f"{till}/sale-{n}"
    asked = basket(n, lines)
    entries = tuple(reserve(member, use.lot_id, use.centi, ref) for use in uses if member)
    if completed and member:
        entries += tuple(settle(member, use.lot_id, use.centi, ref) for use in uses)
        entries += (accrue(member, f"{ref}:base", 500),)
    return Draft(
        id=uuid_of(n),
        kind="sale.completed" if completed else "sale.authorised",
        store="S1",
        entries=entries,
        programme="shop@7#sha256:00",
        receipt_no=f"{till}-1-{n:06d}",
        cashier="C7",
        member=member,
        body=SaleFact(
            sale_id=sale_id,
            basket=asked,
            quote=quote_of(asked, member, uses),
            tenders=(Tender(kind="cash", amount_minor=Minor(13500 * lines)),),
            offline_centi=Points(0),
            biz_day=20_778,
            completed=completed,
        ),
    )


def sell(db: Connection, n: int, member: str | None = None, uses: tuple[LotUse, ...] = (), *, lines: int = 2) -> Fact:
    """A completed sale with its rows and its print job, in one transaction, as the till writes it."""
    with write(db):
        fact = ledger.append(db, sale_draft(n, member, uses, lines=lines), NOW + timedelta(seconds=n))
        sales.add(db, fact)
        job = prints.PrintDraft(sale_id=f"sale-{n}", receipt_no=fact.receipt_no or "", kind="sale", body=b"\x1b@slip")
        prints.enqueue(db, job, NOW)
    return fact


def end_draft(n: int, sale: int, kind: str, entries: tuple[Entry, ...] = (), member: str | None = None) -> Draft:
    """The end of a sale as a draft."""
    return Draft(
        id=uuid_of(n),
        kind=kind,  # type: ignore[arg-type]
        store="S1",
        entries=entries,
        cashier="C7",
        member=member,
        body=SaleEnd(sale_id=f"sale-{sale}", cashier="C7"),
    )


def enrol(db: Connection, n: int, member: str, card: str) -> Fact:
    """A new member with a card."""
    enrolment = Enrolment(member_id=member, card=card)
    with write(db):
        members.add(db, enrolment, b"sealed", NOW)
        return ledger.append(db, Draft(id=uuid_of(n), kind="member.enrolled", store="S1", member=member, body=enrolment), NOW)


def lot_centi(db: Connection, lot: str) -> int | None:
    """What a lot holds, read straight from the table."""
    row = db.execute("SELECT remaining FROM lot WHERE id = ?", (lot,)).fetchone()
    return None if row is None else int(row[0])
