"""What is known of a code: by our own log, and by head office's word. And what head office tells of codes, by version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.issues import STANDS
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value, encode


class KnownCoupon(Value):
    """A coupon with a code of its own. ``taken_till``, ``taken_sale``: a sale that takes it; None when it is free.

    ``is_live``: it was imported or given by an act, or the sale that issued it is completed. ``is_ours``: our own log made it.
    """

    code: str
    series: str
    is_live: bool
    is_ours: bool
    usable_from: datetime | None
    expires_at: datetime | None
    taken_till: str | None = None
    taken_sale: str | None = None


def known(db: Connection, codes: Iterable[str]) -> dict[str, KnownCoupon]:
    """Those of the codes that this file knows. A code that was issued twice is one coupon: the live one."""
    return {code: found for code in codes if (found := _known(db, spelled(code))) is not None}


def put_words(db: Connection, coupons: Iterable[KnownCoupon]) -> None:
    """At a till: take head office's word on codes."""
    _put(db, WORD_UPSERT, coupons)


def add_to_words(db: Connection, coupons: Iterable[KnownCoupon]) -> None:
    """At a till: take in what the store's other tills did with codes, where head office's word may be newer: a code that is
    taken stays so, and one that is withdrawn; one that is not good yet is passed over."""
    _put(db, WORD_ADD, coupons)


def unnamed(db: Connection, after: str, last: str | None, named: frozenset[str], limit: int) -> list[str]:
    """At a till: codes above ``after`` and up to ``last`` (None: all) that head office told of and names no more; the first."""
    told = db.execute(BETWEEN_SELECT, {"after": after, "last": last})
    return list(islice((code for (code,) in told if code not in named), limit))


def drop(db: Connection, codes: Sequence[str]) -> None:
    """At a till: forget head office's words on codes."""
    for code in codes:
        with watched(db, "coupon_word", "code = ?", (code,)):
            db.execute("DELETE FROM coupon_word WHERE code = ?", (code,))


def touch(db: Connection, codes: Iterable[str]) -> None:
    """At head office: give changed codes new versions, so that tills pull them. A till gives none."""
    if meta(db, "role") == "head_office":
        db.executemany(VERSION_UPSERT, [(spelled(code),) for code in codes])


def touch_sale(db: Connection, till: str, sale_id: str) -> None:
    """At head office: the codes that a sale takes and those that it issued change with it."""
    touch(db, [code for (code,) in db.execute(OF_SALE_SELECT, {"till": till, "sale_id": sale_id})])


def touch_moved(db: Connection, fact: Fact) -> None:
    """The same for the sale that a fact begins or ends. Of a sale without codes nothing is asked."""
    if fact.sale is not None and not (fact.sale.quote.issued or fact.sale.quote.coupons):
        return
    about = fact.sale or fact.end
    if about is not None:
        touch_sale(db, fact.till, about.sale_id)


def changed_since(db: Connection, version: int, limit: int) -> list[tuple[int, KnownCoupon]]:
    """At head office: codes changed after a version, in the order of versions."""
    rows = db.execute(CHANGED_SELECT, {"version": version, "limit": limit}).fetchall()
    return [(number, found) for number, code in rows if (found := _known(db, code)) is not None]


def unconfirmed(db: Connection) -> int:
    """Codes that our own standing sales take and that head office does not hold yet: another till may take them too."""
    return int(db.execute(UNCONFIRMED_SELECT).fetchone()[0])


def _known(db: Connection, code: str) -> KnownCoupon | None:
    key = {"code": code}
    own, told = db.execute(OWN_SELECT, key).fetchone(), db.execute(WORD_SELECT, key).fetchone()
    if own is None and told is None:
        return None
    series, is_live, usable_from, expires_at = own[:4] if own is not None else told[:4]
    if own is not None and told is not None and own[4]:
        is_live = is_live and told[1]  # a return at another till may have withdrawn what a sale of ours issued
    taken = db.execute(TAKEN_SELECT, key).fetchone()
    if taken is None and told is not None and told[4] not in (None, meta(db, "owner")):
        taken = told[4:]
    return KnownCoupon(
        code=code,
        series=series,
        is_live=bool(is_live),
        is_ours=own is not None,
        usable_from=None if usable_from is None else from_ms(usable_from),
        expires_at=None if expires_at is None else from_ms(expires_at),
        taken_till=None if taken is None else taken[0],
        taken_sale=None if taken is None else taken[1],
    )


def _put(db: Connection, sql: str, coupons: Iterable[KnownCoupon]) -> None:
    rows = [_word_row(coupon) for coupon in coupons]
    with watched(
        db, "coupon_word", "code IN (SELECT value FROM json_each(?))", (encode([row["code"] for row in rows]).decode(),)
    ):
        db.executemany(sql, rows)


def _word_row(coupon: KnownCoupon) -> dict[str, object]:
    return {
        "code": coupon.code,
        "series": coupon.series,
        "is_live": int(coupon.is_live),
        "usable_from": None if coupon.usable_from is None else to_ms(coupon.usable_from),
        "expires_at": None if coupon.expires_at is None else to_ms(coupon.expires_at),
        "taken_till": coupon.taken_till,
        "taken_sale": coupon.taken_sale,
    }


OWN_SELECT = f"""SELECT series, live, usable_from, expires_at, told FROM (
  SELECT i.series, coalesce(s.state = 'completed', TRUE) AND {STANDS} AS live, i.usable_from, i.expires_at, i.txn, i.n,
  coalesce((SELECT t.seq <= (SELECT acked_seq FROM sync_state) FROM txn AS t WHERE t.id = s.completed_txn), FALSE) AS told
  FROM issue AS i LEFT JOIN sale AS s ON s.txn = i.txn WHERE i.code = :code
  UNION ALL SELECT series, TRUE, usable_from, expires_at, txn, 0, FALSE FROM coupon_code WHERE code = :code
) ORDER BY live DESC, txn, n LIMIT 1"""
"""told: head office holds the fact that completed the sale, so that its word on the code knows of it."""
TAKEN_SELECT = """SELECT s.till, s.sale_id FROM coupon_use AS u JOIN sale AS s ON s.till = u.till AND s.sale_id = u.sale_id
WHERE u.code = :code AND s.state IN ('authorised', 'completed') ORDER BY s.till, s.sale_id LIMIT 1"""
WORD = ("series", "is_live", "usable_from", "expires_at", "taken_till", "taken_sale")
WORD_SELECT = f"SELECT {', '.join(WORD)} FROM coupon_word WHERE code = :code"
WORD_VALUES = f"(code, {', '.join(WORD)}) SELECT :code, {', '.join(':' + name for name in WORD)}"
WORD_UPSERT = f"""INSERT INTO coupon_word {WORD_VALUES} WHERE TRUE
ON CONFLICT (code) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in WORD)}"""
WORD_ADD = f"""INSERT INTO coupon_word {WORD_VALUES} WHERE :is_live OR EXISTS (SELECT 1 FROM coupon_word WHERE code = :code)
ON CONFLICT (code) DO UPDATE SET is_live = is_live AND excluded.is_live,
taken_till = coalesce(taken_till, excluded.taken_till),
taken_sale = CASE WHEN taken_till IS NULL THEN excluded.taken_sale ELSE taken_sale END"""
BETWEEN_SELECT = "SELECT code FROM coupon_word WHERE code > :after AND (:last IS NULL OR code <= :last) ORDER BY code"
NEWEST_VERSION = "max(coalesce((SELECT MAX(version) FROM member), 0), coalesce((SELECT MAX(version) FROM coupon_version), 0))"
"""Members and codes are numbered together."""
VERSION_UPSERT = f"""INSERT INTO coupon_version (version, code) VALUES ({NEWEST_VERSION} + 1, ?)
ON CONFLICT (code) DO UPDATE SET version = excluded.version"""
CHANGED_SELECT = "SELECT version, code FROM coupon_version WHERE version > :version ORDER BY version LIMIT :limit"
OF_SALE_SELECT = """SELECT code FROM coupon_use WHERE till = :till AND sale_id = :sale_id
UNION SELECT i.code FROM issue AS i JOIN sale AS s ON s.txn = i.txn
WHERE s.till = :till AND s.sale_id = :sale_id AND i.code IS NOT NULL ORDER BY 1"""
UNCONFIRMED_SELECT = """SELECT COUNT(*) FROM txn AS t CROSS JOIN sale AS s ON s.txn = t.id
CROSS JOIN coupon_use AS u ON u.till = s.till AND u.sale_id = s.sale_id WHERE s.state IN ('authorised', 'completed')
AND t.till = (SELECT value FROM meta WHERE key = 'owner')
AND (t.epoch, t.seq) > (SELECT acked_epoch, acked_seq FROM sync_state)"""
