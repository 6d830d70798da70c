"""What the truth of head office asks of its store: sales to recompute, cases, programmes that were in force before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from pos_loyalty.engine.model import Member
from pos_loyalty.store.cases import CaseName, OpenedCase
from pos_loyalty.store.decision_facts import BackFact, CaseClosedFact, StoreStop
from pos_loyalty.store.facts import SaleFact
from pos_loyalty.store.overview import Overview, Watch
from pos_loyalty.store.programmes import Published
from pos_loyalty.store.recomputing import DueFact
from pos_loyalty.values import Points

NO_CAP: Final = Points(0)


class TruthStore(Protocol):
    """Everything is called inside the ledger store's ``write``."""

    def due(self, limit: int) -> tuple[DueFact, ...]:
        """The next facts of one till that were not looked at."""

    def begun(self, till: str, sale_id: str) -> SaleFact | None:
        """A sale as it was authorised."""

    def member(self, member_id: str) -> Member | None:
        """A member as head office knows them now."""

    def stopped_before(self, till: str, epoch: int, seq: int) -> tuple[str, ...]:
        """The rules that a till left out when it wrote a fact."""

    def stops_of(self, store: str) -> tuple[StoreStop, ...]:
        """The last word on each rule for all tills of a store."""

    def bodies_of(self, programme_id: str, version: int) -> tuple[bytes, ...]:
        """All bodies that came under one version."""

    def note(self, last: DueFact, verdicts: Mapping[str, int], differing: Mapping[tuple[int, int], str]) -> None:
        """All facts of a till up to this one are looked at."""

    def cases(self, limit: int) -> tuple[OpenedCase, ...]:
        """Those that wait for a person."""

    def all_cases(self, limit: int) -> tuple[OpenedCase, ...]:
        """The closed ones too."""

    def case(self, name: CaseName) -> OpenedCase | None:
        """One case, open or closed."""

    def close_case(self, said: CaseClosedFact, now: datetime) -> None:
        """Append a fact of head office's own log."""

    def coupons_at_rest(self, till: str, sale_id: str) -> tuple[CaseName, ...]:
        """Open cases of codes that this sale took, and of which no two sales take one any more: it stands no longer."""

    def programme_before(self, now: datetime) -> tuple[Published, Published] | None:
        """The programme in force and the version before it; None when nothing came before."""

    def back(self, said: BackFact, before: Published, now: datetime) -> None:
        """Put the version before in force, and append a fact of head office's own log."""

    def overview(self, biz_day: int, now: datetime, cap_centi: Points = NO_CAP) -> Overview:
        """What a manager sees. ``biz_day``: of the sales of the day; ``cap_centi``: as ``overview.overview`` takes it."""

    def watch(self) -> Watch:
        """What a monitor asks for."""
