"""What sales and awards issued, and coupons that sales took. Rule: what a sale issued counts while it is completed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal
from uuid import UUID

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.model import Issue
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.merges import SAME_PERSON
from pos_loyalty.values import Value

Row = tuple[object, ...]


class Made(Value):
    """A coupon as it was issued. Good in [usable_from, expires_at)."""

    code: str
    series: str
    usable_from: datetime | None
    expires_at: datetime | None


class Held(Value):
    """A privilege or a plan of a member. Good in [usable_from, expires_at)."""

    kind: Literal["privilege", "plan"]
    name: str
    usable_from: datetime | None
    expires_at: datetime | None


def add(db: Connection, fact: Fact) -> None:
    """The rows of what a sale or an award issues, and of the coupons that a sale takes."""
    db.executemany(ISSUE_INSERT, list(issue_rows(fact)))
    db.executemany(TAKE_INSERT, list(take_rows(fact)))


def issue_rows(fact: Fact) -> Iterator[Row]:
    """Rows of issue in the order of the fact: a row for each coupon, one for anything else."""
    if fact.sale is not None:
        issued, made = fact.sale.quote.issued, fact.sale.coupons_made
    else:
        assert fact.award is not None
        issued, made = fact.award.award.issued, fact.award.coupons_made
    codes = iter(made)
    for n, issue in enumerate(each_one(issued)):
        code = next(codes, "") if issue.kind == "coupon" else None
        term = _ms(issue.usable_from), _ms(issue.expires_at)
        yield bytes.fromhex(fact.id), n, issue.rule, issue.kind, issue.series, code, fact.member, *term


def each_one(issued: Iterable[Issue]) -> Iterator[Issue]:
    """In the order of their numbers: each coupon by itself, anything else once."""
    return (issue for issue in issued for _ in range(issue.count if issue.kind == "coupon" else 1))


def take_rows(fact: Fact) -> Iterator[Row]:
    """Rows of coupon_use, by code in its one spelling; an award takes none."""
    if fact.sale is None:
        return
    for code in sorted({spelled(taken.code) for taken in fact.sale.quote.coupons}):
        yield code, fact.till, fact.sale.sale_id


def held(db: Connection, member_id: str) -> tuple[Held, ...]:
    """Privileges and plans that a member got, run out ones too; by kind, name and end."""
    rows = db.execute(HELD_SELECT, {"member": member_id})
    return tuple(
        Held(kind=kind, name=name, usable_from=_at(usable_from), expires_at=_at(expires_at))
        for kind, name, usable_from, expires_at in rows
    )


def made_by(db: Connection, txn: UUID) -> tuple[Made, ...]:
    """Coupons that a fact issued, in its order; those of a sale may be used while it is completed."""
    rows = db.execute(MADE_SELECT, {"txn": txn.bytes})
    return tuple(
        Made(code=code, series=series, usable_from=_at(usable_from), expires_at=_at(expires_at))
        for code, series, usable_from, expires_at in rows
    )


def withdrawn_codes(db: Connection, till: str, return_id: str) -> tuple[str, ...]:
    """The codes of coupons that a return withdrew, as far as the sale that issued them is in this file."""
    return tuple(code for (code,) in db.execute(BACK_SELECT, {"till": till, "return_id": return_id}))


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


ISSUE_COLUMNS = ("txn", "n", "rule", "kind", "series", "code", "member", "usable_from", "expires_at")
ISSUE_INSERT = f"INSERT INTO issue ({', '.join(ISSUE_COLUMNS)}) VALUES ({', '.join('?' * len(ISSUE_COLUMNS))})"
TAKE_INSERT = "INSERT INTO coupon_use (code, till, sale_id) VALUES (?, ?, ?)"
STANDS = """NOT EXISTS (SELECT 1 FROM withdrawn AS w WHERE w.sale_till = s.till AND w.sale_id = s.sale_id AND w.n = i.n)"""
"""No return has withdrawn it."""
HELD_SELECT = f"""SELECT i.kind, i.series, i.usable_from, i.expires_at FROM issue AS i LEFT JOIN sale AS s ON s.txn = i.txn
WHERE i.member IN ({SAME_PERSON}) AND i.kind IN ('privilege', 'plan') AND coalesce(s.state = 'completed', TRUE) AND {STANDS}
ORDER BY i.kind, i.series, i.expires_at"""
MADE_SELECT = f"""SELECT i.code, i.series, i.usable_from, i.expires_at FROM issue AS i LEFT JOIN sale AS s ON s.txn = i.txn
WHERE i.txn = :txn AND i.code IS NOT NULL AND {STANDS} ORDER BY i.n"""
BACK_SELECT = """SELECT i.code FROM withdrawn AS w JOIN sale AS s ON s.till = w.sale_till AND s.sale_id = w.sale_id
JOIN issue AS i ON i.txn = s.txn AND i.n = w.n
WHERE w.till = :till AND w.return_id = :return_id AND i.code IS NOT NULL ORDER BY i.n"""
