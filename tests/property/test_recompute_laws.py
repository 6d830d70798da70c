"""Head office's second look at a sale: what a till of ours quoted never differs; a figure that somebody changed never agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.ledger import reserve, settle
from pos_loyalty.engine.model import Basket, CounterMove, Member, Quote, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.store.facts import Fact, SaleFact
from pos_loyalty.values import Minor, Points, convert
from sync.server.recompute import Recomputed, Sold, recomputed
from tests.property.busy_shop import busy_world
from tests.property.hemmed_worlds import hemmed_world
from tests.property.seeded_worlds import World, contested_world, effort, judged_world, wild_world

WORLDS: dict[str, Callable[[int], World]] = {
    "busy": busy_world, "contested": contested_world, "hemmed": hemmed_world, "judged": judged_world, "wild": wild_world,
}  # fmt: skip
COUNT = effort(few=30, some=60, many=2000)


class Told:
    """A sale that a till would have written down for a world."""

    def __init__(self, world: World) -> None:
        self.programme: Programme = load_programme(world.text.encode())
        basket = convert(world.basket, Basket)
        member = None if world.member is None else convert(world.member, Member)
        self.member = member
        self.state = convert(world.state, State)
        self.quote = quote(basket, member, self.programme, self.state, basket.opened_at)
        self.basket = basket

    def judged(self, told: Quote | None = None, moved: int = 0, knows: bool = True) -> Recomputed:
        told = told or self.quote
        sale = SaleFact(
            sale_id="s", basket=self.basket, quote=told, tenders=(), offline_centi=Points(0), biz_day=1, completed=True
        )  # fmt: skip
        entries = reserve(told, "T1/s") + settle(told, "T1/s", self.basket.opened_at)  # a forger is consistent
        if moved:
            entries = (replace(entries[0], amount=entries[0].amount + moved), *entries[1:])
        fact = Fact(
            schema=0, id="0" * 32, store="S1", till="T1", epoch=1, seq=1, kind="sale.completed", at=self.basket.opened_at,
            boot_id="", mono_ns=0, hlc=0, engine="3", entries=entries, sale=sale,
        )  # fmt: skip
        known = None if self.member is None or not knows else self.member
        return recomputed(Sold(fact=fact, begun=sale, stopped=(), member=known), self.programme)


def tolds(name: str) -> list[tuple[int, Told]]:
    made = []
    for seed in range(COUNT):
        try:
            made.append((seed, Told(WORLDS[name](seed))))
        except LoyaltyError:
            continue
    return made


@pytest.mark.parametrize("name", WORLDS)
def test_what_a_till_quoted_never_differs(name: str) -> None:
    verdicts: Counter[str] = Counter()
    for seed, told in tolds(name):
        for knows in (True, False):
            found = told.judged(knows=knows)
            assert found.verdict in ("agreed", "partly"), (name, seed, knows, found.detail)
            verdicts[found.verdict] += 1
    print(name, dict(verdicts))
    assert verdicts["agreed"] > 0


@pytest.mark.parametrize("name", WORLDS)
def test_what_somebody_changed_never_agrees(name: str) -> None:
    tried: Counter[str] = Counter()
    for seed, told in tolds(name):
        for forge in FORGERIES:
            forged = forge(told.quote)
            if forged != told.quote:
                tried[forge.__name__] += 1
                assert told.judged(forged).verdict != "agreed", (name, seed, forge.__name__)
    assert tried["_less_due"] > 0


@pytest.mark.parametrize("name", ["judged", "busy"])
def test_sums_that_nobody_makes_differ_whatever_head_office_knows(name: str) -> None:
    for seed, told in tolds(name):
        if told.quote.lines:
            line = told.quote.lines[0]
            dearer = replace(line, net_minor=Minor(line.net_minor + 1))
            found = told.judged(replace(told.quote, lines=(dearer, *told.quote.lines[1:])), knows=False)
            assert found.verdict == "differs" and "net_minor" in found.detail, (name, seed)


def test_points_that_the_quote_does_not_move_differ() -> None:
    tried = 0
    for seed, told in tolds("judged"):
        if reserve(told.quote, "T1/s") + settle(told.quote, "T1/s", told.basket.opened_at):
            tried += 1
            assert told.judged(moved=1).verdict == "differs", seed
    assert tried > 5


def _cheaper(told: Quote) -> Quote:
    """A kopeck less on a line, told as a rule's work, with every sum made to fit."""
    if not told.lines or not told.lines[0].adjustments or told.lines[0].net_minor <= told.lines[0].points_minor:
        return told
    line = told.lines[0]
    first = replace(line.adjustments[0], off_minor=Minor(line.adjustments[0].off_minor + 1))
    line = replace(line, net_minor=Minor(line.net_minor - 1), adjustments=(first, *line.adjustments[1:]))
    return replace(
        told, lines=(line, *told.lines[1:]), total_minor=Minor(told.total_minor - 1), due_minor=Minor(told.due_minor - 1)
    )  # fmt: skip


def _more_points(told: Quote) -> Quote:
    if not told.accruals:
        return told
    return replace(told, accruals=(replace(told.accruals[0], centi=Points(told.accruals[0].centi + 100)), *told.accruals[1:]))


def _longer_points(told: Quote) -> Quote:
    if not told.accruals or told.accruals[0].expires_at is None:
        return told
    return replace(told, accruals=(replace(told.accruals[0], expires_at=None), *told.accruals[1:]))


def _less_due(told: Quote) -> Quote:
    return replace(told, due_minor=Minor(told.due_minor - 1))


def _no_uses(told: Quote) -> Quote:
    return replace(told, uses=())


def _more_counters(told: Quote) -> Quote:
    return replace(told, counters=(*told.counters, CounterMove(key="zz", add=1)))


def _other_rule(told: Quote) -> Quote:
    """The same money off, told as another rule's work."""
    if not told.lines or not told.lines[0].adjustments:
        return told
    line = told.lines[0]
    first = replace(line.adjustments[0], rule=f"{line.adjustments[0].rule}-")
    return replace(told, lines=(replace(line, adjustments=(first, *line.adjustments[1:])), *told.lines[1:]))


def _nothing_issued(told: Quote) -> Quote:
    return told if any(each.kind == "plan" for each in told.issued) else replace(told, issued=())


FORGERIES = (_cheaper, _more_points, _longer_points, _less_due, _no_uses, _more_counters, _other_rule, _nothing_issued)
