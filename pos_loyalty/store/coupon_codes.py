"""Unique codes that were imported or made for print, and uses of one code by two sales. Rows follow from facts of codes.

Rule: a code is one coupon. When two facts bring it, the first that was here stands; another series or other dates are a case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pos_loyalty.clock import to_ms
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.log import mask
from pos_loyalty.store import coupon_words
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact, fact_of

SHOWN_MAX = 5
"""Codes that one doubt names, masked; it counts them all."""


def add(db: Connection, fact: Fact) -> None:
    """The rows of the codes that are new here."""
    assert fact.coupons is not None
    rows = list(code_rows(fact))
    db.executemany(CODE_INSERT, rows)
    db.executemany(MADE_INSERT, list(made_rows(fact)))
    coupon_words.touch(db, fact.coupons.codes)


def code_rows(fact: Fact) -> Iterator[tuple[Any, ...]]:
    """Rows of coupon_code, by code."""
    assert fact.coupons is not None
    coupons, txn = fact.coupons, bytes.fromhex(fact.id)
    usable_from = None if coupons.usable_from is None else to_ms(coupons.usable_from)
    expires_at = None if coupons.expires_at is None else to_ms(coupons.expires_at)
    for code in sorted(coupons.codes):
        yield code, coupons.series, txn, usable_from, expires_at


def made_rows(fact: Fact) -> Iterator[tuple[Any, ...]]:
    """Rows of coupon_made, by code: those of a print run."""
    assert fact.coupons is not None
    for code in sorted(fact.coupons.codes) if fact.coupons.origin == "made" else ():
        yield bytes.fromhex(fact.id), code


def series_of(db: Connection, code: str) -> str | None:
    """The series that a code is of already, imported or issued; None for a new one."""
    row = db.execute(SERIES_SELECT, {"code": code}).fetchone()
    return None if row is None else str(row[0])


def doubts(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """Codes that are here with another series or other dates."""
    assert fact.coupons is not None
    other = [row[0] for row in code_rows(fact) if _is_other(db, row)]
    if other:
        shown = ", ".join(mask(code) for code in other[:SHOWN_MAX])
        yield Doubt(reason="coupon.other", detail=f"{len(other)} codes of {fact.coupons.series} are here otherwise: {shown}")


def doubts_of_sale(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """Coupons that another sale, which stands, has used already."""
    if fact.sale is None:
        return
    for taken in sorted(fact.sale.quote.coupons, key=lambda taken: taken.code):
        key = {"code": spelled(taken.code), "till": fact.till, "sale_id": fact.sale.sale_id}
        row = db.execute(OTHER_USE_SELECT, key).fetchone()
        if row is not None:
            used = f"sale {row[1]} of till {row[0]} used it before"
            yield Doubt(
                reason="coupon.twice", detail=f"coupon {mask(taken.code)} of {taken.series} in {fact.sale.sale_id}: {used}"
            )


def differences(db: Connection) -> Iterator[str]:
    """Each fact's codes against the rows that name it, a fact at a time; and rows that no fact made."""
    for code, txn in db.execute(ORPHANS_SELECT):
        yield f"Coupon {mask(code)} names a fact that added no codes ({bytes(txn).hex()})."
    for code, txn in db.execute(MADE_ORPHANS_SELECT):
        yield f"Coupon {mask(code)} was made for print by no fact ({bytes(txn).hex()})."
    for txn, payload in db.execute(f"SELECT id, payload FROM txn WHERE kind = 'coupons.added' AND {OF_ACTS}"):
        expected = {row[0]: row for row in code_rows(fact_of(payload))}
        for row in db.execute(OF_FACT_SELECT, {"txn": txn}):
            if expected.pop(row[0], None) != row:
                yield f"Coupon {mask(row[0])} is not what the log says of it."
        made = dict.fromkeys(code for _, code in made_rows(fact_of(payload)))
        if list(made) != [code for (code,) in db.execute(MADE_SELECT, {"txn": txn})]:
            yield f"The codes of fact {bytes(txn).hex()} that were made for print are not those of the log."
        for code in expected:
            if db.execute("SELECT 1 FROM coupon_code WHERE code = ?", (code,)).fetchone() is None:
                yield f"Coupon {mask(code)} is missing: it was added to {expected[code][1]}."


def _is_other(db: Connection, row: tuple[Any, ...]) -> bool:
    code, series, _, *term = row
    known = db.execute(KNOWN_SELECT, {"code": code}).fetchone()
    if known is not None:
        return bool(known != (series, *term))
    return series_of(db, code) not in (None, series)


CODE_INSERT = """INSERT INTO coupon_code (code, series, txn, usable_from, expires_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (code) DO NOTHING"""
KNOWN_SELECT = "SELECT series, usable_from, expires_at FROM coupon_code WHERE code = :code"
SERIES_SELECT = """SELECT series FROM coupon_code WHERE code = :code
UNION ALL SELECT series FROM issue WHERE code = :code UNION ALL SELECT series FROM coupon_word WHERE code = :code LIMIT 1"""
OTHER_USE_SELECT = """SELECT s.till, s.sale_id FROM coupon_use AS u JOIN sale AS s ON s.till = u.till AND s.sale_id = u.sale_id
WHERE u.code = :code AND s.state IN ('authorised', 'completed') AND NOT (s.till = :till AND s.sale_id = :sale_id)
ORDER BY s.authorised_ms, s.till LIMIT 1"""
ORPHANS_SELECT = """SELECT c.code, c.txn FROM coupon_code AS c LEFT JOIN txn AS t ON t.id = c.txn
WHERE t.id IS NULL OR t.kind <> 'coupons.added'"""
MADE_INSERT = "INSERT INTO coupon_made (txn, code) VALUES (?, ?)"
MADE_SELECT = "SELECT code FROM coupon_made WHERE txn = :txn ORDER BY code"
MADE_ORPHANS_SELECT = """SELECT m.code, m.txn FROM coupon_made AS m LEFT JOIN txn AS t ON t.id = m.txn
WHERE t.id IS NULL OR t.kind <> 'coupons.added'"""
OF_FACT_SELECT = """SELECT code, series, txn, usable_from, expires_at FROM coupon_code WHERE txn = :txn ORDER BY code"""
