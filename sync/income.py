"""At a store's hub: what its tills gave back to it past it, straight to head office, which tells of it.

Rule: what a machine that is gone gave back so, the hub hears from nobody else. What both tell of counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pos_loyalty.store import epochs, relay_cards, relay_income
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.right_facts import LogPart
from sync.rights import LOGS_MAX, Income, LogKnown


def asked_about(db: Connection) -> tuple[LogKnown, ...]:
    """The logs of the hub's tills, each as far as it is known."""
    return tuple(LogKnown(till=till, epoch=epoch, seq=seq) for till, epoch, seq in relay_income.known(db, LOGS_MAX))


def hear(db: Connection, told: Sequence[Income], now: datetime) -> None:
    """Take in what head office tells of them. Again changes nothing."""
    with write(db):
        hub_epoch = epochs.epoch_of(db)
        for log in told:
            for fact in log.given:
                by = LogPart(till=log.till, epoch=log.epoch, seq=fact.seq)
                relay_income.add(db, by, fact.lines, hub_epoch)
                relay_cards.rests(db, [line.lot_id for line in fact.lines], now)
            relay_income.now_known(db, log.till, log.epoch, log.seq)
