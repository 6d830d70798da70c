"""Bringing unique codes into the log: sorted first, row by row, then added in facts of bounded size, a transaction each.

Rule: what is here already is passed over, so an import that was cut off is run again and goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.clock import to_ms
from pos_loyalty.engine.coupons import Codes, Series, own_fault, spelled
from pos_loyalty.errors import InputError
from pos_loyalty.log import mask
from pos_loyalty.payment_cards import holds_foreign, holds_number
from pos_loyalty.store import follow
from pos_loyalty.store.coupon_codes import series_of
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.values import PAYMENT_CARD, Value

TRIES_MAX = 1_000
CODES_OF_FACT = 5_000
"""So few that no sale waits long for the write."""
REFUSED_SHOWN = 100


class Row(Value):
    """A code as it stands in a file."""

    line: int
    code: str


class RefusedCode(Value):
    """A row that is no coupon of the series, and why. The code is masked."""

    line: int
    code: str
    why: str


class Sorted(Value):
    """What an import finds. ``here``: in the series already; ``twice``: in the file before. ``refused``: the first of them."""

    series: str
    rows: int
    new: int
    here: int
    twice: int
    refused_rows: int
    refused: tuple[RefusedCode, ...]
    added: int = 0


class Terms(Value):
    """When codes are good: [usable_from, expires_at)."""

    usable_from: datetime | None = None
    expires_at: datetime | None = None


def sort_codes(db: Connection, series: Series, known: Codes, rows: Iterable[Row], terms: Terms) -> tuple[Sorted, list[str]]:
    """What each row is, and the codes that are new, in the file's order. Nothing is written."""
    new: dict[str, None] = {}
    counts = {"here": 0, "twice": 0}
    refused: list[RefusedCode] = []
    total = refused_rows = 0
    for row in rows:
        total += 1
        found = _sorted(db, series, known, spelled(row.code), terms, new)
        if found == "new":
            new[spelled(row.code)] = None
        elif found in ("here", "twice"):
            counts[found] += 1
        else:
            refused_rows += 1
            if len(refused) < REFUSED_SHOWN:
                refused.append(RefusedCode(line=row.line, code=mask(row.code), why=found))
    found_all = Sorted(
        series=series.id, rows=total, new=len(new), refused_rows=refused_rows, refused=tuple(refused), **counts
    )  # fmt: skip
    return found_all, list(new)


def add_codes(
    db: Connection, draft: Draft, body: CouponsFact, codes: Sequence[str], clock: Callable[[], datetime], ids: Callable[[], UUID]
) -> int:
    """Add codes in facts like ``draft`` and ``body``, leaving out those that came in meanwhile; answers how many were added."""
    added = 0
    for start in range(0, len(codes), CODES_OF_FACT):
        part = codes[start : start + CODES_OF_FACT]
        with write(db):
            fresh = tuple(sorted(code for code in part if series_of(db, code) is None))
            if fresh:
                follow.book(db, replace(draft, id=ids(), body=replace(body, codes=fresh)), clock().astimezone(UTC))
            added += len(fresh)
    return added


def made_codes(db: Connection, series: Series, count: int, make: Callable[[], str]) -> Iterator[str]:
    """New codes that nobody has: ``make`` gives random ones. Raises InputError for a series that has none but such as no till
    takes, since they look like payment cards."""
    seen: set[str] = set()
    refused = 0
    while len(seen) < count:
        code = spelled(make())
        refused = refused + 1 if holds_foreign(code, spelled(series.prefix)) else 0
        if refused == TRIES_MAX:
            raise InputError("--series", f"codes of {series.id} look like payment cards; give it another prefix or check")
        if refused == 0 and code not in seen and series_of(db, code) is None:
            seen.add(code)
            yield code


def _sorted(db: Connection, series: Series, known: Codes, code: str, terms: Terms, new: dict[str, None]) -> str:
    """``new``, ``here``, ``twice``, or why it is refused."""
    fault = own_fault(code, series, known)
    if fault is not None:
        return fault
    if series.digits is None and code.isdecimal() and holds_number(code):
        return PAYMENT_CARD
    if code in new:
        return "twice"
    other = series_of(db, code)
    if other is None:
        return "new"
    if other != series.id:
        return f"is a code of {other}"
    row = db.execute(TERMS_SELECT, {"code": code}).fetchone()
    wanted = (_ms(terms.usable_from), _ms(terms.expires_at))
    return "here" if row is None or row == wanted else "is here already with other dates, which stay"


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


TERMS_SELECT = "SELECT usable_from, expires_at FROM coupon_code WHERE code = :code"
