"""Laws of tiers: a day-by-day reading in a test's own words, missed nights, returns that undo, order that does not matter."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_loyalty.engine.tier_rules import TierRules
from pos_loyalty.engine.tiers import TierBase, TierMove, tier_of, tier_steps

FIRST = 20_000


@st.composite
def rules(draw: st.DrawFn) -> TierRules:
    months = draw(st.sampled_from([1, 2, 3, 6]))
    return TierRules(
        measure="spent",
        window=draw(st.sampled_from(["rolling", "calendar"])),
        months=months,
        grace_days=draw(st.integers(0, 20)),
        warn_days=draw(st.integers(0, 20)),
        returned=draw(st.sampled_from(["at_once", "at_period_end"])),
        hold=True,
        names=("a", "b", "c"),
        thresholds=draw(st.sampled_from([(0, 10, 50), (5, 20, 60), (None, 10, 30)])),
        digest="x",
    )


@st.composite
def histories(draw: st.DrawFn) -> list[TierMove]:
    moves = []
    for _ in range(draw(st.integers(0, 12))):
        day, amount = FIRST + draw(st.integers(0, 300)), draw(st.integers(1, 60))
        moves.append(TierMove(day=day, told=day, spent_minor=amount, visits=1))
        if draw(st.integers(0, 3)) == 0:
            back = draw(st.integers(1, amount))
            moves.append(TierMove(day=day, told=day + draw(st.integers(0, 60)), spent_minor=-back))
    return moves


bases = st.builds(TierBase, tier=st.sampled_from([None, "a", "b", "c", "gone"]), day=st.integers(FIRST - 30, FIRST + 60))


@settings(max_examples=400, deadline=None)
@given(histories(), rules(), bases, st.integers(0, 500))
def test_the_last_step_is_the_state(history: list[TierMove], ladder: TierRules, base: TierBase, ahead: int) -> None:
    steps = tier_steps(history, ladder, FIRST + ahead, base)
    state = tier_of(history, ladder, FIRST + ahead, base)
    assert state.tier == (steps[-1].tier if steps else ladder.name(ladder.rank(base.tier)))
    assert [step.day for step in steps] == sorted(step.day for step in steps)


@settings(max_examples=200, deadline=None)
@given(histories(), rules(), bases, st.randoms())
def test_the_order_of_a_history_does_not_matter(
    history: list[TierMove], ladder: TierRules, base: TierBase, order: Random
) -> None:
    mixed = list(history)
    order.shuffle(mixed)
    assert tier_steps(mixed, ladder, FIRST + 400, base) == tier_steps(history, ladder, FIRST + 400, base)


@settings(max_examples=200, deadline=None)
@given(histories(), rules(), bases)
def test_what_wholly_came_back_was_never_bought(history: list[TierMove], ladder: TierRules, base: TierBase) -> None:
    """At once: as if the goods had never been sold. Later: no step that is not there without returns comes from them."""
    undone = [TierMove(day=move.day, told=FIRST + 400, spent_minor=-move.spent_minor) for move in history]
    if ladder.returned == "at_once":
        assert tier_of([*history, *undone], ladder, FIRST + 400, base).tier == tier_of([], ladder, FIRST + 400, base).tier
    assert tier_of([*history, *undone], ladder, FIRST + 400, base).have == 0


@settings(max_examples=200, deadline=None)
@given(histories(), rules(), bases)
def test_each_night_says_what_a_later_night_will_say(history: list[TierMove], ladder: TierRules, base: TierBase) -> None:
    """Where goods do not come back, the steps of each night are the beginning of the steps of any later one."""
    kept = [move for move in history if move.spent_minor > 0]
    before: tuple[object, ...] = ()
    for night in range(FIRST - 30, FIRST + 420, 9):
        steps = tier_steps(kept, ladder, night, base)
        assert steps[: len(before)] == before
        before = steps


@settings(max_examples=200, deadline=None)
@given(histories(), rules(), bases)
def test_nobody_goes_down_before_the_period_and_grace_end(history: list[TierMove], ladder: TierRules, base: TierBase) -> None:
    kept = [move for move in history if move.spent_minor > 0]
    steps = tier_steps(kept, ladder, FIRST + 420, base)
    for one, after in pairwise(steps):
        if ladder.rank(after.tier) < ladder.rank(one.tier):
            assert one.until is not None
            assert after.day == one.until + 1 + ladder.grace_days
            assert after.reason == "fell"


@settings(max_examples=200, deadline=None)
@given(histories(), rules(), bases)
def test_a_tier_is_never_below_what_its_window_reaches_on_a_day_of_buying(
    history: list[TierMove], ladder: TierRules, base: TierBase
) -> None:
    kept = [move for move in history if move.spent_minor > 0 and move.day >= base.day]
    for move in kept:
        state = tier_of(kept, ladder, move.day, base)
        reached = [rank for rank, least in enumerate(ladder.thresholds) if least is not None and state.have >= least]
        assert ladder.rank(state.tier) >= max(reached, default=-1)
