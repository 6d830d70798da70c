"""The truth of head office: sales are recomputed when nobody waits, a person closes cases and takes a programme back."""

from __future__ import annotations

from collections import Counter, OrderedDict
from datetime import datetime
from typing import Final

from pos_loyalty import log
from pos_loyalty.engine import load_programme
from pos_loyalty.engine.model import ENGINE_VERSION
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import ConflictError, NotFoundError, ProgrammeError
from pos_loyalty.store.cases import CaseName, OpenedCase
from pos_loyalty.store.decision_facts import BackFact, CaseClosedFact
from pos_loyalty.store.facts import Fact, SaleFact, fact_of
from pos_loyalty.store.recomputing import DueFact
from pos_loyalty.values import Value, refuse_numbers
from sync.server.ledger_store import LedgerStore
from sync.server.recompute import UNKNOWN, Recomputed, Sold, recomputed

FACTS_IN_TURN: Final = 50
PROGRAMMES_KEPT: Final = 4


class Turn(Value):
    """Some facts of one till, with all that they are judged by. ``bodies``: programmes by the name that the facts give."""

    last: DueFact
    sold: tuple[Sold, ...]
    bodies: dict[str, tuple[bytes, ...]]


class Judged(Value):
    """What came of a turn."""

    last: DueFact
    verdicts: dict[str, int]
    differing: dict[tuple[int, int], str]


class Recomputer:
    """Recomputes turn by turn; keeps the last few programmes compiled. Where it got to stands in the store alone."""

    def __init__(self) -> None:
        self._programmes: OrderedDict[str, Programme | None] = OrderedDict()

    def gather(self, store: LedgerStore) -> Turn | None:
        """The next facts; None when all are looked at. In the ledger's thread."""
        with store.write():
            due = store.truth.due(FACTS_IN_TURN)
            if not due:
                return None
            sold = tuple(filter(None, (_sold(store, each) for each in due)))
            names = {each.begun.quote.programme for each in sold} - self._programmes.keys()
            return Turn(last=due[-1], sold=sold, bodies={name: _bodies(store, name) for name in names})

    def judge(self, turn: Turn) -> Judged:
        """Ask the engine. Needs no store: in any thread but the ledger's."""
        for name, bodies in turn.bodies.items():
            self._programmes[name] = _named(name, bodies)
        verdicts: Counter[str] = Counter()
        differing: dict[tuple[int, int], str] = {}
        for sold in turn.sold:
            found = self._recomputed(sold)
            verdicts[found.verdict] += 1
            if found.verdict == "differs":
                differing[sold.fact.epoch, sold.fact.seq] = found.detail
        while len(self._programmes) > PROGRAMMES_KEPT:
            self._programmes.popitem(last=False)
        return Judged(last=turn.last, verdicts=dict(verdicts), differing=differing)

    def note(self, store: LedgerStore, judged: Judged) -> None:
        """Write down what came of it. In the ledger's thread."""
        with store.write():
            store.truth.note(judged.last, judged.verdicts, judged.differing)
        for (epoch, seq), _ in judged.differing.items():
            log.warning("sale.recomputed", till=judged.last.till, epoch=epoch, seq=seq)

    def _recomputed(self, sold: Sold) -> Recomputed:
        name = sold.begun.quote.programme
        if name in self._programmes:
            self._programmes.move_to_end(name)
        programme = self._programmes.get(name)
        if programme is None or sold.fact.engine != ENGINE_VERSION:
            return UNKNOWN
        try:
            return recomputed(sold, programme)
        except Exception as error:  # noqa: BLE001 - no till of ours made such a fact; those after it are looked at
            log.error("sale.recompute_failed", till=sold.fact.till, seq=sold.fact.seq, kind=type(error).__name__)
            return UNKNOWN


def recompute_all(store: LedgerStore, recomputer: Recomputer) -> int:
    """Recompute whatever is due; answers how many turns it took."""
    turns = 0
    while (turn := recomputer.gather(store)) is not None:
        recomputer.note(store, recomputer.judge(turn))
        turns += 1
    return turns


def close_case(store: LedgerStore, name: CaseName, note: str, by: str, now: datetime) -> OpenedCase:
    """A person has settled a case; said twice in the same words, it is settled once.

    Raises InputError, NotFoundError, and ConflictError for one that was closed otherwise.
    """
    refuse_numbers(note=note, by=by)
    with store.write():
        found = store.truth.case(name)
        if found is None:
            raise NotFoundError(f"There is no case {name}; see: pos-loyalty case list")
        if found.closed is not None and (found.closed.by, found.closed.note) == (by, note):
            return found
        if found.closed is not None:
            raise ConflictError(f"Case {name} was closed by {found.closed.by} before: {found.closed.note}")
        said = CaseClosedFact(till=name.till, epoch=name.epoch, seq=name.seq, reason=name.reason, note=note, by=by)
        store.truth.close_case(said, now)
        closed = store.truth.case(name)
    log.info("case.closed", till=name.till, epoch=name.epoch, seq=name.seq, reason=name.reason, by=by)
    assert closed is not None
    return closed


def programme_back(store: LedgerStore, by: str, reason: str, now: datetime) -> BackFact:
    """The chain returns to the version before, as of the tills' next sync. Raises NotFoundError when there is none."""
    refuse_numbers(by=by, reason=reason)
    with store.write():
        found = store.truth.programme_before(now)
        if found is None:
            raise NotFoundError("There is no version before the programme in force to go back to; publish one.")
        newest, before = found
        said = BackFact(
            programme=before.id,
            from_version=newest.version,
            to_version=before.version,
            sha256=before.sha256.hex(),
            by=by,
            reason=reason,
        )
        store.truth.back(said, before, now)
    log.info("programme.back", programme=said.programme, from_version=said.from_version, to_version=said.to_version, by=by)
    return said


def _sold(store: LedgerStore, due: DueFact) -> Sold | None:
    """A fact with what it is judged by; None for one that is about no sale that head office knows."""
    if due.payload is None:
        return None
    fact = fact_of(due.payload)
    begun = fact.sale or _begun(store, fact)
    if begun is None:
        return None
    member = None if begun.quote.member_id is None else store.truth.member(begun.quote.member_id)
    stopped = store.truth.stopped_before(fact.till, fact.epoch, fact.seq)
    return Sold(fact=fact, begun=begun, stopped=stopped, member=member)


def _begun(store: LedgerStore, fact: Fact) -> SaleFact | None:
    return None if fact.end is None else store.truth.begun(fact.till, fact.end.sale_id)


def _bodies(store: LedgerStore, name: str) -> tuple[bytes, ...]:
    """``id@version#sha256:…``: all that came under that version."""
    programme_id, _, rest = name.partition("@")
    version = rest.partition("#")[0]
    is_number = version.isascii() and version.isdigit() and len(version) < 10
    return store.truth.bodies_of(programme_id, int(version)) if is_number else ()


def _named(name: str, bodies: tuple[bytes, ...]) -> Programme | None:
    """The programme of exactly this name: its bytes and the zone data that it was compiled with."""
    for body in bodies:
        try:
            programme = load_programme(body)
        except ProgrammeError:
            continue
        if programme.name == name:
            return programme
    return None
