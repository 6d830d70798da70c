"""Rules that a person stopped at a till, and let act again. What is stopped at a fact follows from the log before it."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.values import Value


class RuleStop(Value):
    """A rule that is stopped at a till, by whom and since when."""

    till: str
    rule: str
    by: str
    reason: str
    since_ms: int


def follow(db: Connection, fact: Fact) -> None:
    """The row of a stop, or of its end."""
    said = fact.rule_stop
    assert said is not None
    row = {
        "txn": bytes.fromhex(fact.id),
        "till": fact.till,
        "epoch": fact.epoch,
        "seq": fact.seq,
        "rule": said.rule,
        "is_stopped": int(fact.kind == "rule.stopped"),
        "by_whom": said.by,
        "reason": said.reason,
        "at_ms": to_ms(fact.at),
    }
    db.execute(INSERT, row)


def here(db: Connection) -> tuple[str, ...]:
    """The rules that this file's owner leaves out now, sorted."""
    return _standing(db.execute(HERE_SELECT))


def before(db: Connection, till: str, epoch: int, seq: int) -> tuple[str, ...]:
    """The rules that a till left out when it wrote a fact, sorted."""
    return _standing(db.execute(BEFORE_SELECT, {"till": till, "epoch": epoch, "seq": seq}))


def standing(db: Connection) -> tuple[RuleStop, ...]:
    """Every rule that is stopped at some till now, by till and rule."""
    found: dict[tuple[str, str], RuleStop | None] = {}
    for till, rule, is_stopped, by, reason, at_ms in db.execute(ALL_SELECT):
        stop = RuleStop(till=till, rule=rule, by=by, reason=reason, since_ms=at_ms)
        found[till, rule] = stop if is_stopped else None
    return tuple(stop for _, stop in sorted(found.items(), key=lambda each: each[0]) if stop is not None)


def differences(db: Connection) -> Iterator[str]:
    """For ``verify``: stops that are not what the log says."""
    for till, epoch, seq in db.execute(DIFFERENT_SELECT):
        yield f"Fact {seq} of till {till} (epoch {epoch}): its row of stopped rules is not the one that the log says."


def _standing(rows: Iterator[tuple[str, int]]) -> tuple[str, ...]:
    last = dict(rows)
    return tuple(sorted(rule for rule, is_stopped in last.items() if is_stopped))


INSERT = """INSERT INTO rule_stop (txn, till, epoch, seq, rule, is_stopped, by_whom, reason, at_ms)
VALUES (:txn, :till, :epoch, :seq, :rule, :is_stopped, :by_whom, :reason, :at_ms)"""
HERE_SELECT = """SELECT rule, is_stopped FROM rule_stop WHERE till = (SELECT value FROM meta WHERE key = 'owner')
ORDER BY epoch, seq"""
BEFORE_SELECT = (
    """SELECT rule, is_stopped FROM rule_stop WHERE till = :till AND (epoch, seq) < (:epoch, :seq) ORDER BY epoch, seq"""
)
ALL_SELECT = "SELECT till, rule, is_stopped, by_whom, reason, at_ms FROM rule_stop ORDER BY till, epoch, seq"
DIFFERENT_SELECT = """WITH said AS (SELECT id, till, epoch, seq, wall_ms, kind,
  CAST(payload AS TEXT) ->> '$.rule_stop.rule' AS rule,
  CAST(payload AS TEXT) ->> '$.rule_stop.by' AS by_whom, CAST(payload AS TEXT) ->> '$.rule_stop.reason' AS reason
  FROM txn WHERE kind IN ('rule.stopped', 'rule.resumed'))
SELECT r.till, r.epoch, r.seq FROM rule_stop AS r WHERE NOT EXISTS (
  SELECT 1 FROM said AS s WHERE s.id = r.txn AND (s.till, s.epoch, s.seq, s.rule, s.by_whom, s.wall_ms, s.kind = 'rule.stopped')
  = (r.till, r.epoch, r.seq, r.rule, r.by_whom, r.at_ms, r.is_stopped) AND s.reason = r.reason
) UNION SELECT s.till, s.epoch, s.seq FROM said AS s WHERE NOT EXISTS (SELECT 1 FROM rule_stop AS r WHERE r.txn = s.id)
ORDER BY 1, 2, 3"""
