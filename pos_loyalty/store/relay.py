"""What a store's hub keeps of its tills' logs until head office has them: their facts, and their batches as they came.

Rule: it stands in a file of its own and may be lost. A till keeps all that head office has not confirmed, and sends it again to
whoever holds less. Batches rest sealed under the master key, because the data keys of members travel in them.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.receipt_code import FiscalSign
from pos_loyalty.store import issues, seal
from pos_loyalty.store.db import Connection, open_aside, write
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Value, encode

RESTORED: Final = "restored"
"""A word: the hub of this name and epoch found out that its own file was put back from a backup."""
KEPT_FOR: Final = timedelta(days=90)
"""Facts that head office's figures count already stay so long: goods of their sales may come back."""

AGAIN_MAX: Final = 10_000
"""So many members and codes that are told anew are remembered: each till asks within the hour."""


class Kept(Value):
    """How far a till's log is kept here. ``hash`` None: facts are missing after it, and the till sends them again.

    ``safe``: how far head office holds it; ``counted``: how far head office's figures of members here count it; None: not known.
    ``refused``: what head office said of a batch, as ``kind`` and a sentence; the till is told when it comes again.
    """

    till: str
    epoch: int
    seq: int
    hash: bytes | None
    safe: Place | None = None
    counted: Place | None = None
    refused: str | None = None

    @property
    def newest_epoch(self) -> int:
        """Of the newest machine of this till that was heard of, from its log or from head office."""
        return max(self.epoch, *(place.epoch for place in (self.safe, self.counted) if place is not None), 0)


class Waiting(Value):
    """A till's batch that head office has not taken yet. ``n``: in the order in which they came."""

    n: int
    till: str
    epoch: int
    last_seq: int
    body: bytes


def open_relay(path: Path) -> Connection:
    """The file, made when absent. Raises StoreError."""
    return open_aside(path, TABLES)


def kept(db: Connection, till: str) -> Kept | None:
    """What is kept of a till's log; None for a till that never spoke here."""
    row = db.execute(f"{KEPT_SELECT} WHERE till = :till", {"till": till}).fetchone()
    return None if row is None else _kept(row)


def all_kept(db: Connection) -> tuple[Kept, ...]:
    """Every till, by name."""
    return tuple(_kept(row) for row in db.execute(f"{KEPT_SELECT} ORDER BY till"))


def keep(db: Connection, one: Kept) -> None:
    """Note how far a till's log is kept, and held elsewhere."""
    db.execute(KEPT_UPSERT, _row(one))


def hash_at(db: Connection, till: str, epoch: int, seq: int) -> bytes | None:
    """The hash of a fact that is kept; None for one that is not here."""
    row = db.execute(HASH_SELECT, {"till": till, "epoch": epoch, "seq": seq}).fetchone()
    return None if row is None else bytes(row[0])


def add_facts(db: Connection, facts: Sequence[Fact], payloads: Sequence[bytes], hashes: Sequence[bytes]) -> None:
    """Facts that follow what is kept. One that is here comes again where a restored head office has lost it."""
    for fact, payload, hash_ in zip(facts, payloads, hashes, strict=True):
        if hash_at(db, fact.till, fact.epoch, fact.seq) == hash_:
            continue
        about = fact.sale or fact.end
        sale = (fact.till, about.sale_id) if about else (None, None)
        if fact.returned is not None:
            sale = (fact.returned.sale_till, fact.returned.sale_id)
        row = (fact.till, fact.epoch, fact.seq, to_ms(fact.at), *sale, payload, hash_)
        n = db.execute(FACT_INSERT, row).lastrowid
        db.executemany(ABOUT_INSERT, [(member, n) for member in members_of(fact)])
        db.executemany(CODE_INSERT, [(code, n) for code in _codes_of(db, fact)])
        if fact.kind == "rights.taken" and fact.grant is not None:
            db.execute("INSERT OR IGNORE INTO kept_grant (id) VALUES (?)", (fact.grant.grant_id,))


def add_batch(db: Connection, waiting: Waiting, master_key: bytes) -> None:
    """A batch as it came; ``n`` is given here."""
    sealed = seal.seal_bytes(f"batch {waiting.till}", waiting.body, master_key)
    db.execute(BATCH_INSERT, (waiting.till, waiting.epoch, waiting.last_seq, sealed))


def next_batch(db: Connection, master_key: bytes, but: Collection[str] = ()) -> Waiting | None:
    """The oldest batch of a till that is not passed over and whose log head office has not refused; None when all is brought."""
    row = db.execute(BATCH_SELECT, {"but": encode(sorted(but)).decode()}).fetchone()
    if row is None:
        return None
    n, till, epoch, last_seq, sealed = row
    body = seal.open_bytes(f"batch {till}", bytes(sealed), master_key)
    return Waiting(n=n, till=till, epoch=epoch, last_seq=last_seq, body=body)


def drop_batch(db: Connection, n: int) -> None:
    """Head office has it."""
    db.execute("DELETE FROM kept_batch WHERE n = :n", {"n": n})


def waiting_count(db: Connection) -> int:
    """Facts that head office has not confirmed, of all tills, as far as the hub knows. Of a machine before none waits."""
    known = sum(max(0, one.seq - one.safe.seq) for one in all_kept(db) if one.safe is not None and one.safe.epoch == one.epoch)
    return known + int(db.execute(UNKNOWN_SELECT).fetchone()[0])


def newest(db: Connection) -> int:
    """The newest number: of a fact that came, of any till, or of who is told anew."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'kept_fact'").fetchone()
    return 0 if row is None else int(row[0])


def members_since(db: Connection, after: int, but: str, limit: int) -> list[tuple[str, int]]:
    """Members whom facts after a number are about, of other tills than ``but``, or who are told anew, with the last such number,
    by rising number."""
    key = {"after": after, "but": but, "limit": limit}
    return [(str(member), int(n)) for member, n in db.execute(MEMBERS_SELECT, key)]


def codes_since(db: Connection, after: int, but: str, limit: int) -> list[tuple[str, int]]:
    """Unique codes that facts after a number issue, take or let go, of other tills than ``but``, as ``members_since``."""
    key = {"after": after, "but": but, "limit": limit}
    return [(str(code), int(n)) for code, n in db.execute(CODES_SELECT, key)]


def facts_of_code(db: Connection, code: str) -> Iterator[Fact]:
    """All that is kept about a code, in the order in which it came."""
    for (payload,) in db.execute(OF_CODE_SELECT, {"code": code}):
        yield fact_of(payload)


def coupon(db: Connection, code: str) -> bytes | None:
    """What head office told last of a code."""
    row = db.execute("SELECT body FROM kept_coupon WHERE code = ?", (code,)).fetchone()
    return None if row is None else bytes(row[0])


def facts_about(db: Connection, member_id: str) -> Iterator[Fact]:
    """All that is kept about a member, in the order in which it came."""
    for (payload,) in db.execute(ABOUT_SELECT, {"member": member_id}):
        yield fact_of(payload)


def is_taken(db: Connection, grant_id: str) -> bool:
    """Whether a till said that it took a grant."""
    return db.execute("SELECT 1 FROM kept_grant WHERE id = ?", (grant_id,)).fetchone() is not None


def sale_facts(db: Connection, till: str, sale_id: str) -> tuple[Fact, ...]:
    """All that is kept about a sale of a till, returns at other tills too, in the order in which it came."""
    rows = db.execute(SALE_SELECT, {"till": till, "sale_id": sale_id}).fetchall()
    return tuple(fact_of(payload) for (payload,) in rows)


def sale_of_fiscal(db: Connection, sign: FiscalSign) -> tuple[str, str] | None:
    """Till and id of the sale whose fiscal document this is."""
    key = {name: value.lstrip("0") for name, value in (("fn", sign.fn), ("fd", sign.fd), ("fp", sign.fp))}
    row = db.execute(FISCAL_SELECT, key).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def word(db: Connection, name: str) -> bytes | None:
    """Something of head office's that is passed on as it came."""
    row = db.execute("SELECT value FROM kept_word WHERE name = :name", {"name": name}).fetchone()
    return None if row is None else bytes(row[0])


def put_word(db: Connection, name: str, value: bytes) -> None:
    """Keep it."""
    db.execute("INSERT OR REPLACE INTO kept_word (name, value) VALUES (?, ?)", (name, value))


def put_mark(db: Connection, version: int, mark: str) -> None:
    """Head office told its changes up to a version that bears this mark."""
    db.execute(MARK_UPSERT, {"mark": mark, "version": version})


def has_mark(db: Connection, version: int, mark: str) -> bool:
    """Whether head office told this hub of a version under the same mark, that one or a later one."""
    key = {"mark": mark, "version": version}
    return db.execute("SELECT 1 FROM kept_mark WHERE mark = :mark AND version >= :version", key).fetchone() is not None


def forget_marks(db: Connection) -> list[str]:
    """Head office told everything anew: no version from before counts. Answers under which marks they were."""
    return [str(mark) for (mark,) in db.execute("DELETE FROM kept_mark RETURNING mark")]


def mark_for(db: Connection, version: int) -> str | None:
    """The mark under which head office told of a version, as far as the hub was told."""
    row = db.execute(
        "SELECT mark FROM kept_mark WHERE version >= :version ORDER BY version LIMIT 1", {"version": version}
    ).fetchone()
    return None if row is None else str(row[0])


def last_version(db: Connection) -> int | None:
    """The newest version that head office told the hub of; None before the first."""
    found = db.execute("SELECT MAX(version) FROM kept_mark").fetchone()[0]
    return None if found is None else int(found)


def put_coupons(db: Connection, version: int, coupons: Sequence[tuple[str, bytes]]) -> None:
    """Codes as head office told of them up to a version."""
    rows = [(code, version, body) for code, body in coupons]
    db.executemany("INSERT OR REPLACE INTO kept_coupon (code, version, body) VALUES (?, ?, ?)", rows)


def forget_coupons(db: Connection) -> None:
    """Head office tells of all codes anew."""
    db.execute("DELETE FROM kept_coupon")


def coupons_between(db: Connection, since: int, until: int) -> list[bytes]:
    """Codes told of after a version and up to another."""
    return [bytes(body) for (body,) in db.execute(COUPONS_SELECT, {"since": since, "until": until})]


def coupons_end(db: Connection, since: int, until: int, limit: int) -> int:
    """The last version up to which no more than ``limit`` codes were told of after ``since``; no page of head office has more."""
    count = 0
    for version, more in db.execute(COUPON_COUNTS_SELECT, {"since": since, "until": until}):
        count += more
        if count > limit:
            return int(version) - 1
    return until


def life(db: Connection) -> str:
    """Of chance, for as long as this file lives: numbers of facts count in it alone. Not within a transaction."""
    found = word(db, "life")
    if found is None:
        found = secrets.token_hex(16).encode()
        with write(db):
            put_word(db, "life", found)
    return found.decode()


def empty_lots(db: Connection, member_id: str) -> list[tuple[str, int, datetime | None, datetime | None]]:
    """In the hub's own file: lots of a member as head office told of them once, with amount and dates."""
    rows = db.execute("SELECT id, amount, usable_from, expires_at FROM lot WHERE member = :member", {"member": member_id})
    return [
        (lot, amount, from_ms(usable) if usable else None, None if end is None else from_ms(end))
        for lot, amount, usable, end in rows
    ]


def prune(db: Connection, now: datetime) -> None:
    """Forget facts that head office counts and that are old."""
    key = {"before": to_ms(now - KEPT_FOR)}
    for table in ("kept_about", "kept_code"):
        db.execute(f"DELETE FROM {table} WHERE n IN ({OLD})", key)
    db.execute(f"DELETE FROM kept_fact WHERE n IN ({OLD})", key)
    db.execute("DELETE FROM kept_again WHERE n <= (SELECT n FROM kept_again ORDER BY n DESC LIMIT 1 OFFSET ?)", (AGAIN_MAX,))


def members_of(fact: Fact) -> Iterable[str]:
    """Whom a fact is about, and whom its entries touch."""
    named = {fact.member, *(entry.member_id for entry in fact.entries)}
    if fact.enrolment is not None:
        named.add(fact.enrolment.member_id)
    if fact.merge is not None:
        named.add(fact.merge.into)
    return sorted(member for member in named if member is not None)


def _codes_of(db: Connection, fact: Fact) -> Iterable[str]:
    """The codes that a fact's sale, or award, issues and takes, in their one spelling."""
    sale = fact.returned or fact.end
    told = [fact]
    if sale is not None and fact.sale is None:
        till, sale_id = (fact.returned.sale_till, fact.returned.sale_id) if fact.returned else (fact.till, sale.sale_id)
        told = list(sale_facts(db, till, sale_id))
    issued = (row[5] for each in told if each.sale or each.award for row in issues.issue_rows(each))
    taken = (row[0] for each in told for row in issues.take_rows(each))
    return sorted({spelled(str(code)) for code in (*issued, *taken) if code})


def _kept(row: tuple[object, ...]) -> Kept:
    till, epoch, seq, hash_, *places, refused = row
    safe, counted = _place(places[:3]), _place(places[3:])
    return Kept(
        till=str(till), epoch=int(str(epoch)), seq=int(str(seq)), hash=hash_ if isinstance(hash_, bytes) else None,
        safe=safe, counted=counted, refused=None if refused is None else str(refused),
    )  # fmt: skip


def _place(columns: Sequence[object]) -> Place | None:
    epoch, seq, hash_ = columns
    return None if epoch is None else Place(epoch=int(str(epoch)), seq=int(str(seq)), hash=str(hash_))


def _row(one: Kept) -> dict[str, object]:
    row: dict[str, object] = {"till": one.till, "epoch": one.epoch, "seq": one.seq, "hash": one.hash, "refused": one.refused}
    for name, place in (("safe", one.safe), ("counted", one.counted)):
        row |= {f"{name}_epoch": None if place is None else place.epoch, f"{name}_seq": None if place is None else place.seq}
        row |= {f"{name}_hash": None if place is None else place.hash}
    return row


TABLES = """
CREATE TABLE IF NOT EXISTS kept_till (
  till TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB, safe_epoch INTEGER, safe_seq INTEGER,
  safe_hash TEXT, counted_epoch INTEGER, counted_seq INTEGER, counted_hash TEXT, refused TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept_fact (
  n INTEGER PRIMARY KEY AUTOINCREMENT, till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  sale_till TEXT, sale_id TEXT, payload BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE (till, epoch, seq)
) STRICT;
CREATE INDEX IF NOT EXISTS kept_fact_by_sale ON kept_fact (sale_till, sale_id) WHERE sale_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS kept_about (member TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (member, n)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_about_by_n ON kept_about (n);
CREATE TABLE IF NOT EXISTS kept_code (code TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (code, n)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_code_by_n ON kept_code (n);
CREATE TABLE IF NOT EXISTS kept_again (
  kind TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_again_by_n ON kept_again (n);
CREATE TABLE IF NOT EXISTS kept_batch (
  n INTEGER PRIMARY KEY AUTOINCREMENT, till TEXT NOT NULL, epoch INTEGER NOT NULL, last_seq INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS kept_grant (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept_coupon (
  code TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_coupon_by_version ON kept_coupon (version);
CREATE TABLE IF NOT EXISTS kept_word (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept_mark (mark TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
COLUMNS = "till, epoch, seq, hash, safe_epoch, safe_seq, safe_hash, counted_epoch, counted_seq, counted_hash, refused"
KEPT_SELECT = f"SELECT {COLUMNS} FROM kept_till"
KEPT_UPSERT = f"""INSERT OR REPLACE INTO kept_till ({COLUMNS}) VALUES (
  :till, :epoch, :seq, :hash, :safe_epoch, :safe_seq, :safe_hash, :counted_epoch, :counted_seq, :counted_hash, :refused
)"""
HASH_SELECT = "SELECT hash FROM kept_fact WHERE till = :till AND epoch = :epoch AND seq = :seq"
COUPONS_SELECT = "SELECT body FROM kept_coupon WHERE version > :since AND version <= :until ORDER BY version, code"
COUPON_COUNTS_SELECT = """SELECT version, COUNT(*) FROM kept_coupon WHERE version > :since AND version <= :until
GROUP BY version ORDER BY version"""
FACT_INSERT = """INSERT INTO kept_fact (till, epoch, seq, at_ms, sale_till, sale_id, payload, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
CODE_INSERT = "INSERT OR IGNORE INTO kept_code (code, n) VALUES (?, ?)"
ABOUT_INSERT = "INSERT INTO kept_about (member, n) VALUES (?, ?)"
BATCH_INSERT = "INSERT INTO kept_batch (till, epoch, last_seq, body) VALUES (?, ?, ?, ?)"
BATCH_SELECT = """SELECT b.n, b.till, b.epoch, b.last_seq, b.body FROM kept_batch AS b
WHERE NOT EXISTS (SELECT 1 FROM kept_till AS k WHERE k.till = b.till AND k.refused IS NOT NULL)
AND b.till NOT IN (SELECT value FROM json_each(:but)) ORDER BY b.n LIMIT 1"""
UNKNOWN_SELECT = """SELECT COUNT(*) FROM kept_fact AS f
WHERE EXISTS (SELECT 1 FROM kept_till AS k WHERE k.till = f.till AND (k.safe_seq IS NULL OR k.safe_epoch < k.epoch)
  AND (k.safe_seq IS NULL OR (f.epoch, f.seq) > (k.safe_epoch, k.safe_seq)))"""
OTHERS = """JOIN kept_fact AS f ON f.n = a.n JOIN kept_till AS k ON k.till = f.till
WHERE a.n > :after AND f.till <> :but AND (k.counted_seq IS NULL OR (f.epoch, f.seq) > (k.counted_epoch, k.counted_seq))"""
"""Facts of other tills that head office's figures do not count."""
AGAIN = "SELECT name, n FROM kept_again WHERE n > :after AND kind"
MEMBERS_SELECT = f"""SELECT name, MAX(n) AS last FROM (
  SELECT a.member AS name, a.n FROM kept_about AS a {OTHERS} UNION ALL {AGAIN} = 'member'
) GROUP BY name ORDER BY last LIMIT :limit"""
CODES_SELECT = f"""SELECT name, MAX(n) AS last FROM (
  SELECT a.code AS name, a.n FROM kept_code AS a {OTHERS} UNION ALL {AGAIN} = 'code'
) GROUP BY name ORDER BY last LIMIT :limit"""
OF_CODE_SELECT = """SELECT f.payload FROM kept_code AS a JOIN kept_fact AS f ON f.n = a.n WHERE a.code = :code ORDER BY a.n"""
ABOUT_SELECT = """SELECT f.payload FROM kept_about AS a JOIN kept_fact AS f ON f.n = a.n
WHERE a.member = :member ORDER BY a.n"""
SALE_SELECT = "SELECT payload FROM kept_fact WHERE sale_till = :till AND sale_id = :sale_id ORDER BY n"
FISCAL_SELECT = """SELECT sale_till, sale_id FROM kept_fact WHERE sale_id IS NOT NULL
AND ltrim(coalesce(CAST(payload AS TEXT) ->> '$.sale.fiscal.fp', CAST(payload AS TEXT) ->> '$.end.fiscal.fp'), '0') = :fp
AND ltrim(coalesce(CAST(payload AS TEXT) ->> '$.sale.fiscal.fd', CAST(payload AS TEXT) ->> '$.end.fiscal.fd'), '0') = :fd
AND ltrim(coalesce(CAST(payload AS TEXT) ->> '$.sale.fiscal.fn', CAST(payload AS TEXT) ->> '$.end.fiscal.fn'), '0') = :fn
ORDER BY n DESC LIMIT 1"""
MARK_UPSERT = """INSERT INTO kept_mark (mark, version) VALUES (:mark, :version)
ON CONFLICT (mark) DO UPDATE SET version = max(version, excluded.version)"""
OLD = """SELECT f.n FROM kept_fact AS f JOIN kept_till AS k ON k.till = f.till
WHERE f.at_ms < :before AND (f.epoch, f.seq) <= (k.counted_epoch, k.counted_seq)"""
