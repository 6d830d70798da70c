"""Builds what a person decides by command: cases at head office, programmes back, rules stopped at a till."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pos_loyalty.clock import utc_now
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store.cases import OpenedCase, name_of
from pos_loyalty.store.decision_facts import BackFact, RuleStopFact
from pos_loyalty.wiring.files import Settings
from pos_loyalty.wiring.offices import ledger_of
from pos_loyalty.wiring.till import desk_of

CASES_MAX = 10_000


def cases(known: Settings, database: Path | None) -> tuple[OpenedCase, ...]:
    """Cases that wait for a person."""
    with ledger_of(known, database) as store, store.write():
        return store.truth.cases(CASES_MAX)


def all_cases(known: Settings, database: Path | None) -> tuple[OpenedCase, ...]:
    """The closed ones too."""
    with ledger_of(known, database) as store, store.write():
        return store.truth.all_cases(CASES_MAX)


def case(known: Settings, database: Path | None, text: str) -> OpenedCase:
    """One case by its name. Raises InputError, NotFoundError."""
    name = name_of(text)
    with ledger_of(known, database) as store, store.write():
        found = store.truth.case(name)
    if found is None:
        raise NotFoundError(f"There is no case {name}; see: pos-loyalty case list")
    return found


def close_case(known: Settings, database: Path | None, text: str, note: str, by: str) -> OpenedCase:
    """A person has settled a case. Raises InputError, NotFoundError, ConflictError."""
    from sync.server import truth

    with ledger_of(known, database) as store:
        return truth.close_case(store, name_of(text), note, by, utc_now())


def programme_back(known: Settings, database: Path | None, by: str, reason: str) -> BackFact:
    """The chain returns to the version before. Raises NotFoundError when there is none."""
    from sync.server import truth

    with ledger_of(known, database) as store:
        return truth.programme_back(store, by, reason, utc_now())


def stop_rule(known: Settings, store: str, till: str | None, said: RuleStopFact) -> bool:
    """Leave a rule out at this till, also while it sells. False: it was stopped before. Raises InputError, NotFoundError."""
    from pos_loyalty.till import stops

    with contextlib.closing(desk_of(known)) as desk:
        stops.check_here(desk, store, till)
        return stops.stop(desk, said)


def resume_rule(known: Settings, store: str, till: str | None, said: RuleStopFact) -> bool:
    """Let a rule act again at this till. False: it was not stopped. Raises InputError."""
    from pos_loyalty.till import stops

    with contextlib.closing(desk_of(known)) as desk:
        stops.check_here(desk, store, till)
        return stops.resume(desk, said)
