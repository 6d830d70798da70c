"""Rules that a person stopped at a till, and let act again. What is stopped at a fact follows from the log before it."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.clock import to_ms
from pos_loyalty.store.db import Connection
from pos_loyalty.store.decision_facts import StopWord, StoreStop
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
        "wide_store": fact.store if said.is_wide else "",
        "word_hlc": fact.hlc if said.word is None else said.word.hlc,
        "word_till": fact.till if said.word is None else said.word.till,
    }
    db.execute(INSERT, row)


def of_store(db: Connection, store: str) -> tuple[StoreStop, ...]:
    """At head office: the last word on each rule for all tills of a store, by rule."""
    last = {}
    for rule, is_stopped, by, reason, hlc, till in db.execute(OF_STORE_SELECT, {"store": store}):
        word = StopWord(hlc=hlc, till=till)
        last[rule] = StoreStop(rule=rule, is_stopped=bool(is_stopped), by=by, reason=reason, word=word)
    return tuple(stop for _, stop in sorted(last.items()))


def is_news(db: Connection, told: StoreStop) -> bool:
    """At a till: whether the word is later than all that was said here of the rule, and changes how it stands here."""
    row = db.execute(LAST_WORD_SELECT, {"rule": told.rule}).fetchone()
    is_later = row is None or (row[0], row[1]) < (told.word.hlc, told.word.till)
    return is_later and (told.rule in here(db)) != told.is_stopped


def not_yet(db: Connection) -> tuple[tuple[str, str], ...]:
    """At head office: tills in force, with rules that are stopped in their whole store and not yet there, by till and rule.

    Where a person let one act again after that, it was there.
    """
    standing_at = {(stop.till, stop.rule) for stop in standing(db)}
    words = {(till, rule): (hlc, teller) for till, rule, hlc, teller in db.execute(WORDS_SELECT)}
    tills = db.execute(TILLS_SELECT).fetchall()
    wide = {store: [each for each in of_store(db, store) if each.is_stopped] for _, store in tills}
    return tuple(
        (till, each.rule)
        for till, store in tills
        for each in wide[store]
        if (till, each.rule) not in standing_at and words.get((till, each.rule), (-1, "")) < (each.word.hlc, each.word.till)
    )


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


INSERT = """INSERT INTO rule_stop
  (txn, till, epoch, seq, rule, is_stopped, by_whom, reason, at_ms, wide_store, word_hlc, word_till)
VALUES (:txn, :till, :epoch, :seq, :rule, :is_stopped, :by_whom, :reason, :at_ms, :wide_store, :word_hlc, :word_till)"""
OF_STORE_SELECT = """SELECT r.rule, r.is_stopped, r.by_whom, r.reason, r.word_hlc, r.word_till
FROM rule_stop AS r WHERE r.wide_store = :store ORDER BY r.word_hlc, r.word_till"""
LAST_WORD_SELECT = """SELECT word_hlc, word_till FROM rule_stop WHERE rule = :rule
AND till = (SELECT value FROM meta WHERE key = 'owner') ORDER BY word_hlc DESC, word_till DESC LIMIT 1"""
WORDS_SELECT = "SELECT till, rule, word_hlc, word_till FROM rule_stop ORDER BY word_hlc, word_till"
TILLS_SELECT = """SELECT k.till, k.store FROM till_key AS k WHERE k.state = 'active'
AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = k.till) ORDER BY k.till"""
HERE_SELECT = """SELECT rule, is_stopped FROM rule_stop WHERE till = (SELECT value FROM meta WHERE key = 'owner')
ORDER BY epoch, seq"""
BEFORE_SELECT = (
    """SELECT rule, is_stopped FROM rule_stop WHERE till = :till AND (epoch, seq) < (:epoch, :seq) ORDER BY epoch, seq"""
)
ALL_SELECT = "SELECT till, rule, is_stopped, by_whom, reason, at_ms FROM rule_stop ORDER BY till, epoch, seq"
DIFFERENT_SELECT = """WITH said AS (SELECT id, till, epoch, seq, wall_ms, kind,
  CAST(payload AS TEXT) ->> '$.rule_stop.rule' AS rule,
  CAST(payload AS TEXT) ->> '$.rule_stop.by' AS by_whom, CAST(payload AS TEXT) ->> '$.rule_stop.reason' AS reason,
  CASE WHEN CAST(payload AS TEXT) ->> '$.rule_stop.is_wide' THEN CAST(payload AS TEXT) ->> '$.store' ELSE '' END AS wide_store,
  coalesce(CAST(payload AS TEXT) ->> '$.rule_stop.word.hlc', hlc) AS word_hlc,
  coalesce(CAST(payload AS TEXT) ->> '$.rule_stop.word.till', till) AS word_till
  FROM txn WHERE kind IN ('rule.stopped', 'rule.resumed'))
SELECT r.till, r.epoch, r.seq FROM rule_stop AS r WHERE NOT EXISTS (
  SELECT 1 FROM said AS s WHERE s.id = r.txn AND (s.till, s.epoch, s.seq, s.rule, s.by_whom, s.wall_ms, s.kind = 'rule.stopped')
  = (r.till, r.epoch, r.seq, r.rule, r.by_whom, r.at_ms, r.is_stopped) AND s.reason = r.reason
  AND (s.wide_store, s.word_hlc, s.word_till) = (r.wide_store, r.word_hlc, r.word_till)
) UNION SELECT s.till, s.epoch, s.seq FROM said AS s WHERE NOT EXISTS (SELECT 1 FROM rule_stop AS r WHERE r.txn = s.id)
ORDER BY 1, 2, 3"""
