"""The engine against the brute force: every total, and every line where only one answer is as good as the best.

LAWS=long judges 20,000 receipts, LAWS=judge a few for the mutants, else 2,000.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import LoyaltyError
from tests.brute.answer import Verdict, verdict
from tests.brute.figures import UnsureError
from tests.brute.points import points_verdict
from tests.property.seeded_worlds import World, ask, effort, judged_world, smaller

COUNT = effort(few=250, some=2_000, many=20_000)
JUDGED_LEAST = 70
"""Per cent of the worlds that load and that the documents decide."""


def disagreement(world: World) -> str | None:
    """Where engine and brute force part; None when they agree, or when the documents leave the world open."""
    try:
        answer = ask(world)
        expected = verdict(world.text, world.basket, world.member, world.state)
    except (UnsureError, LoyaltyError):
        return None
    return difference(world, expected, answer)


def difference(world: World, expected: Verdict, answer: Quote) -> str | None:
    """Compare a verdict with a quote, before the kopecks of rule fiscal and before points."""
    due = {rule["id"] for rule in world.programme["rule"] if rule.get("stage") == "payment"} | {"fiscal"}
    nets = {each.line_id: each.net_minor + sum(a.off_minor for a in each.adjustments if a.rule in due) for each in answer.lines}
    total = sum(nets.values())
    proof = answer.proof
    if not proof.proven:
        return "eight units are not proven"
    if not expected.lowest <= total <= expected.highest:
        told = f"{expected.lowest}" if expected.lowest == expected.highest else f"{expected.lowest} to {expected.highest}"
        return f"total {total}, by the documents {told}"
    if expected.value is not None and not _is_near(expected.value, proof.value_minor):
        return f"proof value {proof.value_minor}, by the documents {float(expected.value)}"
    if len(expected.ends) == 1 and not expected.ends[0].is_open and "caps" not in world.programme:
        mine, told = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
        for row, net in zip(expected.rows, expected.ends[0].nets, strict=True):  # of like goods either may bear the odd kopeck
            told[row.sku, row.tag_price] += net
            mine[row.sku, row.tag_price] += sum(nets[line_id] for line_id in row.line_ids)
        for (sku, price), net in told.items():
            if mine[sku, price] != net:
                return f"{sku} costs {mine[sku, price]}, by the documents {net}"
        return points_difference(expected, answer)
    return None


def points_difference(expected: Verdict, answer: Quote) -> str | None:
    """Compare what points pay and what is earned, where the documents decide it."""
    try:
        points = points_verdict(expected.world, expected.ends[0].nets)
    except UnsureError:
        return None
    redemption, earned = answer.redemption, sum(each.centi for each in answer.accruals)
    mine = (redemption.centi, redemption.max_centi, earned, redemption.off_minor, answer.due_minor)
    told = (points.paid, points.most, points.earned, points.off, points.due)
    return None if mine == told else f"points paid, most, earned, off, due: {mine}, by the documents {told}"


def _is_near(value: Fraction, told: int) -> bool:
    return abs(value - told) <= 1


def test_the_brute_force_agrees_with_every_proven_quote() -> None:
    told: Counter[str] = Counter()
    worst: list[tuple[int, str]] = []
    for seed in range(COUNT):
        world = judged_world(seed)
        try:
            expected = verdict(world.text, world.basket, world.member, world.state)
            answer = ask(world)
        except UnsureError as reason:
            told[f"left open: {reason}"] += 1
            continue
        except LoyaltyError:
            told["not a programme"] += 1
            continue
        told["judged"] += 1
        told["one answer only"] += expected.lowest == expected.highest
        told["something came off"] += expected.highest < answer.gross_minor
        found = difference(world, expected, answer)
        if found is not None:
            worst.append((seed, found))
    print(f"\nbrute force, {COUNT} worlds: " + ", ".join(f"{name} {count}" for name, count in told.most_common()))
    if worst:
        seed, found = worst[0]
        least = smaller(judged_world(seed), lambda world: disagreement(world) is not None)
        pytest.fail(f"{len(worst)} of {told['judged']} differ; seed {seed}: {found}; {disagreement(least)}\n{least.told}")
    assert told["judged"] * 100 >= JUDGED_LEAST * COUNT
