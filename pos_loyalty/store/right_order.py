"""At head office: whether a hub had what it gave, by the logs that are here.

Rule: a till takes what its hub gave only after the logs by which the hub got it. The hub's own log tells in which order it gave:
what it had been granted and had given up to a grant, with all that tills are known to have given back to it, is never below
nothing once these logs are here. So no log is booked before one that it builds on, and none waits for one that builds on it.
"""

from __future__ import annotations

from typing import NamedTuple

from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.right_facts import GrantFact, RightHolder


class Gift(NamedTuple):
    """A grant by a hub as the hub's log here knows it. ``seq``: its number there, None while that fact is not here."""

    hub: RightHolder
    seq: int | None
    is_hub_lost: bool


def gift_of(db: Connection, grant: GrantFact) -> Gift | None:
    """Who gave it and when; None for a grant of head office's own."""
    if not grant.giver:
        return None
    key = {"id": grant.grant_id, "hub": grant.giver.till, "epoch": grant.giver.epoch}
    row = db.execute(SEQ_SELECT, key).fetchone()
    is_lost = db.execute(LOST_SELECT, key).fetchone() is not None
    return Gift(hub=grant.giver, seq=None if row is None else int(row[0]), is_hub_lost=is_lost)


def lacks(db: Connection, gift: Gift, fact: Fact) -> bool:
    """Whether the hub had less of a lot than it gave with this grant, by what is here: a log is still to come.

    Where the hub's own log is not here the clocks of the tills tell what it gave before.
    """
    assert fact.grant is not None
    key = {"hub": gift.hub.till, "epoch": gift.hub.epoch, "seq": gift.seq, "hlc": fact.hlc}
    had = HAD_SELECT if gift.seq is not None else HAD_BY_CLOCK_SELECT
    for line in fact.grant.lines:
        had_centi = db.execute(had, key | {"lot": line.lot_id}).fetchone()[0]
        if had_centi < (0 if gift.seq is not None else line.centi):
            return True
    return False


SEQ_SELECT = """SELECT t.seq FROM right_grant AS g JOIN txn AS t ON t.id = g.txn
WHERE g.id = :id AND t.till = :hub AND t.epoch = :epoch"""
LOST_SELECT = "SELECT 1 FROM till_key WHERE till = :hub AND epoch = :epoch AND state = 'lost'"
INCOME = "(SELECT coalesce(SUM(centi), 0) FROM right_return WHERE lot = :lot AND to_till = :hub AND to_epoch = :epoch)"
HAD_SELECT = f"""SELECT {INCOME} + (
  SELECT coalesce(SUM(l.centi), 0) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id JOIN txn AS t ON t.id = g.taken
  WHERE l.lot = :lot AND g.till = :hub AND g.epoch = :epoch AND t.seq <= :seq
) - (
  SELECT coalesce(SUM(r.centi), 0) FROM right_return AS r JOIN txn AS t ON t.id = r.txn
  WHERE r.lot = :lot AND r.till = :hub AND r.epoch = :epoch AND t.seq <= :seq
) - (
  SELECT coalesce(SUM(l.centi), 0) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id JOIN txn AS t ON t.id = g.txn
  WHERE l.lot = :lot AND g.giver = :hub AND g.giver_epoch = :epoch AND (t.till IS NOT :hub OR t.seq <= :seq)
)"""
"""By the hub's log up to a fact; with what tills said they took before it was here."""
HAD_BY_CLOCK_SELECT = f"""SELECT {INCOME} + (
  SELECT coalesce(SUM(l.centi), 0) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  WHERE l.lot = :lot AND g.till = :hub AND g.epoch = :epoch
) - (
  SELECT coalesce(SUM(centi), 0) FROM right_return WHERE lot = :lot AND till = :hub AND epoch = :epoch
) - (
  SELECT coalesce(SUM(l.centi), 0) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id JOIN txn AS t ON t.id = g.txn
  WHERE l.lot = :lot AND g.giver = :hub AND g.giver_epoch = :epoch AND t.hlc <= :hlc
)"""
