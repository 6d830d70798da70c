"""Cases: what contradicts, until a person has settled it. Rule: a case is named by the fact it is about and its reason alone.

So its name hangs neither on the order in which tills came nor on a number of this file, and a restored head office opens it
under the same one. That a case is closed stands in head office's own log.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.errors import InputError
from pos_loyalty.payment_cards import without_numbers
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.values import Value

RECOMPUTED = "sale.recomputed"
"""The reason of cases in which the engine came to other figures than the till."""
DIGITS_MAX = 18


class CaseName(Value):
    """Which case: of which fact, and why."""

    till: str
    epoch: int
    seq: int
    reason: str

    def __str__(self) -> str:
        return f"{self.till}/{self.epoch}/{self.seq}/{self.reason}"


class Closing(Value):
    """How a case ended."""

    at: datetime
    by: str
    note: str


class OpenedCase(Value):
    """A case as people see it. ``details``: one sentence for each contradiction of that reason in that fact."""

    name: CaseName
    id: str
    """The name as a person types it."""
    kind: str | None
    """Of the fact; None when the log does not hold it."""
    at: datetime | None
    """The fact's own time."""
    store: str | None
    sale_id: str | None
    details: tuple[str, ...]
    closed: Closing | None


def name_of(text: str) -> CaseName:
    """The case that a person typed: till/epoch/number/reason. Raises InputError."""
    till, epoch, seq, reason = ["", "", "", "", *text.strip().rsplit("/", 3)][-4:]
    if not (till and reason and all(part.isascii() and part.isdigit() and len(part) <= DIGITS_MAX for part in (epoch, seq))):
        raise InputError(
            "case", f'"{text[:80]}" is no case; one is named till/epoch/number/reason, such as T1/1/42/lot.overdrawn'
        )
    return CaseName(till=till, epoch=int(epoch), seq=int(seq), reason=reason)


def open_cases(db: Connection, limit: int) -> tuple[OpenedCase, ...]:
    """Those that wait for a person, by till and fact."""
    return _cases(db, OPEN, {"limit": limit})


def all_cases(db: Connection, limit: int) -> tuple[OpenedCase, ...]:
    """The closed ones too, by till and fact."""
    return _cases(db, "TRUE", {"limit": limit})


def by_name(db: Connection, name: CaseName) -> OpenedCase | None:
    """One case, open or closed."""
    key = {"till": name.till, "epoch": name.epoch, "seq": name.seq, "reason": name.reason, "limit": 1}
    return next(iter(_cases(db, THIS, key)), None)


def open_by_reason(db: Connection) -> dict[str, int]:
    """How many wait, by reason."""
    return dict(db.execute(f"SELECT reason, COUNT(*) FROM ({CASES}) AS c WHERE {OPEN} GROUP BY reason ORDER BY reason"))


def follow(db: Connection, fact: Fact) -> None:
    """The end of a case. What was said first about it stands."""
    said = fact.case_closed
    assert said is not None
    row = {
        "till": said.till,
        "epoch": said.epoch,
        "seq": said.seq,
        "reason": said.reason,
        "txn": bytes.fromhex(fact.id),
        "note": said.note,
        "by_whom": said.by,
        "closed_ms": to_ms(fact.at),
    }
    db.execute(INSERT, row)


def differences(db: Connection) -> Iterator[str]:
    """For ``verify``: ends of cases that are not what the log says."""
    for till, epoch, seq, reason in db.execute(DIFFERENT_SELECT):
        yield f"Case {till}/{epoch}/{seq}/{reason}: its end is not the one that the log says."


def _cases(db: Connection, condition: str, key: dict[str, object]) -> tuple[OpenedCase, ...]:
    found = []
    for till, epoch, seq, reason in db.execute(NAMES_SELECT.format(condition), key).fetchall():
        name = CaseName(till=till, epoch=epoch, seq=seq, reason=reason)
        place = {"till": till, "epoch": epoch, "seq": seq, "reason": reason}
        details = tuple(without_numbers(detail) for (detail,) in db.execute(DETAILS_SELECT, place))
        kind, wall_ms, store, sale_id = db.execute(FACT_SELECT, place).fetchone() or (None, None, None, None)
        closed = db.execute(CLOSED_SELECT, place).fetchone()
        found.append(
            OpenedCase(
                name=name,
                id=str(name),
                kind=kind,
                at=None if wall_ms is None else from_ms(wall_ms),
                store=store,
                sale_id=sale_id,
                details=details,
                closed=None if closed is None else _closing(*closed),
            )
        )
    return tuple(found)


def _closing(closed_ms: int, by: str, note: str) -> Closing:
    return Closing(at=from_ms(closed_ms), by=without_numbers(by), note=without_numbers(note))


CASES = f"""SELECT DISTINCT till, epoch, seq, reason FROM suspense_case
UNION SELECT till, epoch, seq, '{RECOMPUTED}' AS reason FROM sale_recomputed"""
THIS = "(c.till, c.epoch, c.seq, c.reason) = (:till, :epoch, :seq, :reason)"
OPEN = """NOT EXISTS (
  SELECT 1 FROM case_closed AS d WHERE (d.till, d.epoch, d.seq, d.reason) = (c.till, c.epoch, c.seq, c.reason)
)"""
NAMES_SELECT = f"SELECT till, epoch, seq, reason FROM ({CASES}) AS c WHERE {{}} ORDER BY till, epoch, seq, reason LIMIT :limit"
DETAILS_SELECT = f"""SELECT detail FROM suspense_case WHERE (till, epoch, seq, reason) = (:till, :epoch, :seq, :reason)
UNION SELECT detail FROM sale_recomputed
WHERE (till, epoch, seq) = (:till, :epoch, :seq) AND :reason = '{RECOMPUTED}' ORDER BY detail"""
FACT_SELECT = """SELECT kind, wall_ms, CAST(payload AS TEXT) ->> '$.store', sale_id FROM txn
WHERE till = :till AND epoch = :epoch AND seq = :seq"""
CLOSED_SELECT = """SELECT closed_ms, by_whom, note FROM case_closed
WHERE (till, epoch, seq, reason) = (:till, :epoch, :seq, :reason)"""
INSERT = """INSERT INTO case_closed (till, epoch, seq, reason, txn, note, by_whom, closed_ms)
VALUES (:till, :epoch, :seq, :reason, :txn, :note, :by_whom, :closed_ms) ON CONFLICT (till, epoch, seq, reason) DO NOTHING"""
DIFFERENT_SELECT = """WITH said AS (SELECT id, wall_ms, CAST(payload AS TEXT) ->> '$.case_closed.till' AS till,
  CAST(payload AS TEXT) ->> '$.case_closed.epoch' AS epoch, CAST(payload AS TEXT) ->> '$.case_closed.seq' AS seq,
  CAST(payload AS TEXT) ->> '$.case_closed.reason' AS reason, CAST(payload AS TEXT) ->> '$.case_closed.note' AS note,
  CAST(payload AS TEXT) ->> '$.case_closed.by' AS by_whom FROM txn WHERE kind = 'case.closed')
SELECT c.till, c.epoch, c.seq, c.reason FROM case_closed AS c WHERE NOT EXISTS (
  SELECT 1 FROM said AS s WHERE s.id = c.txn AND (s.till, s.epoch, s.seq, s.reason, s.note, s.by_whom, s.wall_ms)
  = (c.till, c.epoch, c.seq, c.reason, c.note, c.by_whom, c.closed_ms)
) UNION SELECT s.till, s.epoch, s.seq, s.reason FROM said AS s WHERE NOT EXISTS (
  SELECT 1 FROM case_closed AS c WHERE (c.till, c.epoch, c.seq, c.reason) = (s.till, s.epoch, s.seq, s.reason)
) ORDER BY 1, 2, 3, 4"""
