"""Builds what a person decides or compares by command: cases at head office, programmes back, rules stopped, a shift."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pos_loyalty.clock import utc_now
from pos_loyalty.engine.currencies import EXPONENTS
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store.cases import OpenedCase, name_of
from pos_loyalty.store.db import open_reader
from pos_loyalty.store.decision_facts import BackFact, RuleStopFact
from pos_loyalty.wiring.files import Settings
from pos_loyalty.wiring.ledgers import Database, as_file
from pos_loyalty.wiring.offices import ledger_of
from pos_loyalty.wiring.till import desk_of

if TYPE_CHECKING:
    from pos_loyalty.spreadsheet.reconcile import Reconciled

CASES_MAX = 10_000


def cases(known: Settings, database: Database | None) -> tuple[OpenedCase, ...]:
    """Cases that wait for a person."""
    with ledger_of(known, database) as store, store.write():
        return store.truth.cases(CASES_MAX)


def all_cases(known: Settings, database: Database | None) -> tuple[OpenedCase, ...]:
    """The closed ones too."""
    with ledger_of(known, database) as store, store.write():
        return store.truth.all_cases(CASES_MAX)


def case(known: Settings, database: Database | None, text: str) -> OpenedCase:
    """One case by its name. Raises InputError, NotFoundError."""
    name = name_of(text)
    with ledger_of(known, database) as store, store.write():
        found = store.truth.case(name)
    if found is None:
        raise NotFoundError(f"There is no case {name}; see: pos-loyalty case list")
    return found


def close_case(known: Settings, database: Database | None, text: str, note: str, by: str) -> OpenedCase:
    """A person has settled a case. Raises InputError, NotFoundError, ConflictError."""
    from sync.server import truth

    with ledger_of(known, database) as store:
        return truth.close_case(store, name_of(text), note, by, utc_now())


def programme_back(known: Settings, database: Database | None, by: str, reason: str) -> BackFact:
    """The chain returns to the version before. Raises NotFoundError when there is none."""
    from sync.server import truth

    with ledger_of(known, database) as store:
        return truth.programme_back(store, by, reason, utc_now())


def reconcile(known: Settings, database: Database | None, day: date, till: str | None, against: Path) -> tuple[Reconciled, int]:
    """A day's receipts against the host's file, and the digits of the currency. Raises InputError, StoreError."""
    from pos_loyalty.spreadsheet.reconcile import read_host, reconciled
    from pos_loyalty.store.day_totals import receipts

    store = known.config.store
    exponent = EXPONENTS.get(store.currency, 2)
    host = read_host(against, exponent)
    with as_file(database or known.till_database) as path, contextlib.closing(open_reader(path)) as db:
        ours = receipts(db, day, ZoneInfo(store.timezone), till)
    return reconciled(ours, host, till), exponent


def stop_rule(known: Settings, store: str, till: str | None, said: RuleStopFact) -> tuple[bool, int | None]:
    """Leave a rule out at this till, also while it sells. False: it was stopped before. And how many facts are unsent, None for a
    till that stands alone. Raises InputError, NotFoundError."""
    from pos_loyalty.till import stops

    with contextlib.closing(desk_of(known)) as desk:
        stops.check_here(desk, store, till)
        return stops.stop(desk, said), stops.unsent(desk)


def resume_rule(known: Settings, store: str, till: str | None, said: RuleStopFact) -> tuple[bool, int | None]:
    """Let a rule act again at this till. False: it was not stopped. And what is unsent. Raises InputError."""
    from pos_loyalty.till import stops

    with contextlib.closing(desk_of(known)) as desk:
        stops.check_here(desk, store, till)
        return stops.resume(desk, said), stops.unsent(desk)
