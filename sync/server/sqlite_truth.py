"""Recomputing, cases and programmes in head office's SQLite file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pos_loyalty.clock import new_id
from pos_loyalty.engine.model import Member
from pos_loyalty.store import (
    cases,
    coupon_cases,
    follow,
    ledger,
    members,
    overview,
    programmes,
    publications,
    recomputing,
    rule_stops,
)
from pos_loyalty.store.cases import CaseName, OpenedCase
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.decision_facts import BackFact, CaseClosedFact, StoreStop
from pos_loyalty.store.facts import SaleFact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.overview import Overview, Watch
from pos_loyalty.store.programmes import Published
from pos_loyalty.store.recomputing import DueFact
from pos_loyalty.values import Points
from sync.server.truth_store import NO_CAP


class SqliteTruthStore:
    """A TruthStore over head office's connection."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def due(self, limit: int) -> tuple[DueFact, ...]:
        """By the mark."""
        return recomputing.due(self._db, limit)

    def begun(self, till: str, sale_id: str) -> SaleFact | None:
        """By the log: the first fact of that sale that begins one."""
        return next((fact.sale for fact in ledger.sale_facts(self._db, till, sale_id) if fact.sale is not None), None)

    def member(self, member_id: str) -> Member | None:
        """An active one."""
        return members.by_id(self._db, member_id)

    def stopped_before(self, till: str, epoch: int, seq: int) -> tuple[str, ...]:
        """By the till's log."""
        return rule_stops.before(self._db, till, epoch, seq)

    def stops_of(self, store: str) -> tuple[StoreStop, ...]:
        """By the tills' logs."""
        return rule_stops.of_store(self._db, store)

    def bodies_of(self, programme_id: str, version: int) -> tuple[bytes, ...]:
        """The newest first."""
        return programmes.bodies_of(self._db, programme_id, version)

    def note(self, last: DueFact, verdicts: Mapping[str, int], differing: Mapping[tuple[int, int], str]) -> None:
        """With the mark."""
        recomputing.note(self._db, last, verdicts, differing)

    def cases(self, limit: int) -> tuple[OpenedCase, ...]:
        """By till and fact."""
        return cases.open_cases(self._db, limit)

    def all_cases(self, limit: int) -> tuple[OpenedCase, ...]:
        """By till and fact."""
        return cases.all_cases(self._db, limit)

    def case(self, name: CaseName) -> OpenedCase | None:
        """By its name."""
        return cases.by_name(self._db, name)

    def close_case(self, said: CaseClosedFact, now: datetime) -> None:
        """In the log whose owner this file is."""
        follow.book(self._db, Draft(id=new_id(), kind="case.closed", store=self._owner(), body=said), now)

    def coupons_at_rest(self, till: str, sale_id: str) -> tuple[CaseName, ...]:
        """By the uses of codes."""
        return coupon_cases.at_rest(self._db, till, sale_id)

    def programme_before(self, now: datetime) -> tuple[Published, Published] | None:
        """By the versions that came."""
        sha = publications.in_force(self._db, now)
        if sha is None:
            return None
        in_force = programmes.by_sha(self._db, sha)
        before = programmes.before(self._db, in_force, now)
        return None if before is None else (in_force, before)

    def back(self, said: BackFact, before: Published, now: datetime) -> None:
        """In the log whose owner this file is."""
        publications.add(self._db, before.sha256, None, now)
        follow.book(self._db, Draft(id=new_id(), kind="programme.back", store=self._owner(), body=said), now)

    def overview(self, biz_day: int, now: datetime, cap_centi: Points = NO_CAP) -> Overview:
        """By the tables."""
        return overview.overview(self._db, biz_day, now, cap_centi)

    def watch(self) -> Watch:
        """By the tables, none of them read whole but those of tills and cases."""
        return overview.watch(self._db)

    def _owner(self) -> str:
        return meta(self._db, "owner") or ""
