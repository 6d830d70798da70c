"""Receipts too large for the brute force: what the engine reaches on them against an integer programme in its own process."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from pos_loyalty.errors import LoyaltyError
from tests.brute.figures import UnsureError
from tests.brute.packing_problem import SCALE, problem_of
from tests.oracles.problems import Oracle
from tests.property.seeded_worlds import World, ask, contested_world, effort

COUNT = effort(few=30, some=300, many=3_000)


def test_proven_quotes_of_larger_receipts_equal_the_oracle(tmp_path: Path) -> None:
    told: Counter[str] = Counter()
    asked: list[tuple[int, World, dict[str, object]]] = []
    for seed in range(COUNT):
        world = contested_world(seed)
        try:
            asked.append((seed, world, problem_of(world.text, world.basket, world.member, world.state)))
            ask(world)
        except UnsureError as reason:
            told[f"left open: {reason}"] += 1
        except LoyaltyError:
            asked.pop()
            told["not a programme"] += 1
    oracle = Oracle("highs", [problem for _, _, problem in asked], tmp_path)
    for (seed, world, _), optimum in zip(asked, oracle.optima(), strict=True):
        proof = ask(world).proof
        told["proven" if proof.proven else "not proven"] += 1
        assert (proof.bound_minor + 1) * SCALE > optimum, (
            f"seed {seed}: bound {proof.bound_minor}, optimum {optimum}\n{world.told}"
        )
        assert proof.value_minor <= optimum // SCALE + 1, f"seed {seed}: value {proof.value_minor} above {optimum}\n{world.told}"
        if proof.proven:
            assert abs(proof.value_minor * SCALE - optimum) <= SCALE, f"seed {seed}: {proof}, optimum {optimum}\n{world.told}"
    print(f"\noracle, {COUNT} worlds: {dict(told)}")
    assert told["proven"] * 2 > COUNT
