"""Who signs for which till: the keys that head office enrolled, as its own log says, and the codes that wait to be redeemed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.till_facts import Place, TillKeyFact
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Value

CODE_LIFE: Final = timedelta(hours=48)


class EnrolCode(Value):
    """A code that a person made. ``used_key``: the public key that was enrolled with it; None while it waits."""

    till: str
    is_live: bool
    used_key: str | None


def follow(db: Connection, fact: Fact) -> None:
    """The row of an enrolment, or its end. What ended stays so."""
    said = fact.till_key
    assert said is not None
    place = said.continues
    row = {
        "till": said.till,
        "epoch": said.epoch,
        "store": said.store,
        "public_key": said.public_key,
        "continues_epoch": None if place is None else place.epoch,
        "continues_seq": None if place is None else place.seq,
        "continues_hash": None if place is None else place.hash,
        "state": said.state,
        "txn": bytes.fromhex(fact.id),
    }
    db.execute(KEY_UPSERT, row)


def differences(db: Connection) -> Iterator[str]:
    """For ``verify``: keys that are not what the log says."""
    for till, epoch in db.execute(DIFFERENT_SELECT):
        yield f"Till {till}: its key of epoch {epoch} is not the one that the log says."


def key_of(db: Connection, till: str, epoch: int) -> TillKeyFact | None:
    """What is known of a till's key in an epoch."""
    return next(iter(_keys(db, "till = :till AND epoch = :epoch", {"till": till, "epoch": epoch})), None)


def newest_epoch(db: Connection, till: str) -> int:
    """The newest epoch that was enrolled; 0 for a till never heard of."""
    found = db.execute("SELECT MAX(epoch) FROM till_key WHERE till = :till", {"till": till}).fetchone()[0]
    return int(found or 0)


def all_keys(db: Connection) -> tuple[TillKeyFact, ...]:
    """Every key, by till and epoch."""
    return tuple(_keys(db, "TRUE", {}))


def of_store(db: Connection, store: str) -> tuple[TillKeyFact, ...]:
    """Every key of a store, by till and epoch."""
    return tuple(_keys(db, "store = :store", {"store": store}))


def let_go(db: Connection, store: str) -> tuple[tuple[str, int], ...]:
    """Till and epoch of the newest machine of each till of a store that is that till no more: revoked, lost or replaced."""
    return tuple((str(till), int(epoch)) for till, epoch in db.execute(LET_GO_SELECT, {"store": store}))


def add_code(db: Connection, code_hash: str, till: str, now: datetime) -> None:
    """A new code; those that ran out are forgotten."""
    with watched(db, "enrol_code", "until_ms < :now", {"now": to_ms(now)}):
        db.execute("DELETE FROM enrol_code WHERE until_ms < :now", {"now": to_ms(now)})
    row = {"hash": code_hash, "till": till, "until": to_ms(now + CODE_LIFE)}
    with watched(db, "enrol_code", "hash = :hash", row):
        db.execute("INSERT INTO enrol_code (hash, till, until_ms) VALUES (:hash, :till, :until)", row)


def code(db: Connection, code_hash: str, now: datetime) -> EnrolCode | None:
    """The code of this hash, if there is one."""
    row = db.execute("SELECT till, until_ms, used_key FROM enrol_code WHERE hash = :hash", {"hash": code_hash}).fetchone()
    return None if row is None else EnrolCode(till=row[0], is_live=to_ms(now) <= row[1], used_key=row[2])


def use_code(db: Connection, code_hash: str, public_key: str) -> None:
    """The code is redeemed, for this key alone."""
    with watched(db, "enrol_code", "hash = :hash", {"hash": code_hash}):
        db.execute("UPDATE enrol_code SET used_key = :key WHERE hash = :hash", {"hash": code_hash, "key": public_key})


def _keys(db: Connection, condition: str, key: dict[str, object]) -> Iterator[TillKeyFact]:
    for till, epoch, store, public_key, from_epoch, seq, hash_, state in db.execute(KEY_SELECT.format(condition), key):
        place = None if None in (from_epoch, seq, hash_) else Place(epoch=from_epoch, seq=seq, hash=hash_)
        yield TillKeyFact(till=till, epoch=epoch, store=store, state=state, public_key=public_key, continues=place)


KEY_UPSERT = """INSERT INTO till_key (till, epoch, store, public_key, continues_epoch, continues_seq, continues_hash, state, txn)
VALUES (:till, :epoch, :store, :public_key, :continues_epoch, :continues_seq, :continues_hash, :state, :txn)
ON CONFLICT (till, epoch) DO UPDATE SET state = excluded.state, txn = excluded.txn
WHERE till_key.state = 'active' OR excluded.state = 'lost'"""
LET_GO_SELECT = """SELECT k.till, MAX(k.epoch) FROM till_key AS k WHERE k.store = :store AND (
  k.state <> 'active' OR EXISTS (SELECT 1 FROM till_key AS n WHERE n.till = k.till AND n.epoch > k.epoch)
) GROUP BY k.till ORDER BY k.till"""
KEY_SELECT = """SELECT till, epoch, store, public_key, continues_epoch, continues_seq, continues_hash, state
FROM till_key WHERE {} ORDER BY till, epoch"""
SAID = """SELECT
  CAST(payload AS TEXT) ->> '$.till_key.till' AS till, CAST(payload AS TEXT) ->> '$.till_key.epoch' AS epoch,
  CAST(payload AS TEXT) ->> '$.till_key.state' AS state, CAST(payload AS TEXT) ->> '$.till_key.store' AS store,
  CAST(payload AS TEXT) ->> '$.till_key.public_key' AS public_key,
  CAST(payload AS TEXT) ->> '$.till_key.continues.epoch' AS continues_epoch,
  CAST(payload AS TEXT) ->> '$.till_key.continues.seq' AS continues_seq,
  CAST(payload AS TEXT) ->> '$.till_key.continues.hash' AS continues_hash, id
  FROM txn WHERE kind IN ('till.enrolled', 'till.revoked')"""
DIFFERENT_SELECT = f"""WITH said AS ({SAID})
SELECT k.till, k.epoch FROM till_key AS k WHERE NOT EXISTS (
  SELECT 1 FROM said AS s WHERE s.id = k.txn AND (s.till, s.epoch, s.state, s.store, s.public_key)
  = (k.till, k.epoch, k.state, k.store, k.public_key) AND s.continues_epoch IS k.continues_epoch
  AND s.continues_seq IS k.continues_seq AND s.continues_hash IS k.continues_hash
) OR (k.state = 'active' AND EXISTS (
  SELECT 1 FROM said AS s WHERE s.till = k.till AND s.epoch = k.epoch AND s.state <> 'active'
)) UNION SELECT s.till, s.epoch FROM said AS s WHERE NOT EXISTS (
  SELECT 1 FROM till_key AS k WHERE k.till = s.till AND k.epoch = s.epoch
) ORDER BY 1, 2"""
