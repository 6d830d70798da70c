"""At a store's hub: what its tills gave back to it past it, straight to head office, which tells of it.

Rule: what a machine that is gone gave back so, the hub hears from nobody else. What both tell of counts once. What head office
has not got, and the hub is not to bring it, gave nothing back: to head office it is still with the machine that wrote it. If head
office gets that after all, it tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pos_loyalty.store import epochs, relay_cards, relay_income
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.right_facts import LogPart
from sync.rights import GIVEN_MAX, LOGS_MAX, Income, LogKnown


def asked_about(db: Connection) -> tuple[LogKnown, ...]:
    """The logs of the hub's tills, each as far as it is known."""
    found = relay_income.known(db, LOGS_MAX)
    return tuple(
        LogKnown(till=log.till, epoch=log.epoch, seq=log.seq, heard=log.heard if log.heard > log.seq else 0) for log in found
    )


def hear(db: Connection, told: Sequence[Income], unbrought: Callable[[str, int], int], now: datetime) -> None:
    """Take in what head office tells of them. Again changes nothing. ``unbrought``: up to which fact of a log the hub has it that
    it is still to bring."""
    with write(db):
        hub_epoch = epochs.epoch_of(db)
        for log in told:
            for fact in log.given:
                by = LogPart(till=log.till, epoch=log.epoch, seq=fact.seq)
                relay_income.add(db, by, fact.lines, hub_epoch)
                relay_cards.rests(db, [line.lot_id for line in fact.lines], now)
            relay_income.now_known(db, log.till, log.epoch, log.seq)
            if len(log.given) < GIVEN_MAX and not log.goes_on:  # head office's log of it ends there
                relay_income.drop(db, log.till, log.epoch, max(log.seq, unbrought(log.till, log.epoch)))
