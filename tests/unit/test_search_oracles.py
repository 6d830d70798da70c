"""The search against two solvers that know nothing of it, on random problems: ``PACKINGS=20000`` runs the long form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from pos_loyalty.engine.packing import Effort, Packed
from pos_loyalty.engine.search import alone, pack, pack_by_priority
from tests.oracles.checking import faults_of
from tests.oracles.greedies import by_density, by_value
from tests.oracles.problems import Json, Oracle, asked, problem

COUNT = int(os.environ.get("PACKINGS", "400"))
USUAL = Effort(applications=4_000, nodes=2_000)
SMALL_UNITS = 10


class Case(NamedTuple):
    """A problem, its optimum, and what the search says."""

    seed: int
    told: Json
    optimum: int
    packed: Packed


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Every problem solved by both oracles, which must agree, and by the search."""
    told = [problem(seed, 8 if seed % 3 else 11) for seed in range(COUNT)]
    folder: Path = tmp_path_factory.mktemp("oracles")
    oracles = [Oracle(name, told, folder) for name in ("highs", "cpsat")]
    packed = [pack(*asked(one), USUAL) for one in told]
    highs, cpsat = (oracle.optima() for oracle in oracles)
    assert highs == cpsat
    return [Case(seed, *case) for seed, case in enumerate(zip(told, highs, packed, strict=True))]


def test_a_proven_value_is_the_optimum(cases: list[Case]) -> None:
    wrong = [case.seed for case in cases if case.packed.proven and case.packed.value != case.optimum]
    assert wrong == []


def test_the_optimum_lies_between_value_and_bound(cases: list[Case]) -> None:
    wrong = [case.seed for case in cases if not case.packed.value <= case.optimum <= case.packed.bound]
    assert wrong == []


def test_small_problems_are_always_proven_and_nearly_all_others(cases: list[Case]) -> None:
    unproven = [sum(count for _, _, count in case.told["kinds"]) for case in cases if not case.packed.proven]
    assert [units for units in unproven if units <= SMALL_UNITS] == []
    assert len(unproven) <= 0.02 * len(cases)


def test_what_is_taken_can_be_had_and_is_worth_what_it_says(cases: list[Case]) -> None:
    wrong = {case.seed: faults for case in cases if (faults := faults_of(case.told, case.packed))}
    assert wrong == {}


def test_no_greedy_is_better(cases: list[Case]) -> None:
    wrong = [case.seed for case in cases if case.packed.value < max(by_value(case.told), by_density(case.told))]
    assert wrong == []


@pytest.mark.parametrize("effort", [(0, 0), (15, 3), (60, 20), (400, 5)])
def test_little_effort_still_gives_a_good_bound_and_what_can_be_had(cases: list[Case], effort: tuple[int, int]) -> None:
    applications, nodes = effort
    wrong = {}
    for case in cases[::2]:
        packed = pack(*asked(case.told), Effort(applications=applications, nodes=nodes))
        if not packed.value <= case.optimum <= packed.bound or faults_of(case.told, packed):
            wrong[case.seed] = packed
    assert wrong == {}


def test_priority_gives_what_can_be_had_and_claims_no_proof(cases: list[Case]) -> None:
    wrong = {}
    for case in cases:
        packed = pack_by_priority(*asked(case.told))
        if faults_of(case.told, packed) or packed.value > case.optimum or packed.proven or packed.bound < case.optimum:
            wrong[case.seed] = packed
    assert wrong == {}


def test_an_offer_alone_is_worth_no_more_than_the_best_packing_of_it(cases: list[Case]) -> None:
    wrong = []
    for case in cases[:100]:
        kinds, offers = asked(case.told)
        for offer in offers:
            packed = pack(kinds, [offer], USUAL)
            value = alone(kinds, offer)
            if value > packed.bound or (packed.value > 0) != (value > 0):
                wrong.append((case.seed, offer.id, value, packed.value))
    assert wrong == []
