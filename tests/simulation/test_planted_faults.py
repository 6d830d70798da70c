"""Each planted fault is noticed by a law within 300 worlds. The world that noticed it last is tried first."""

from __future__ import annotations

import pytest

from tests.simulation.known import is_noticed, seeds_for
from tests.simulation.planted import FARTHER, FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault: str) -> None:
    assert any(is_noticed(fault, seed) for seed in seeds_for(fault)), f"nobody noticed {fault}"


@pytest.mark.parametrize("fault", FARTHER)
def test_a_fault_that_none_of_the_300_worlds_notices_is_noticed_by_its_own(fault: str) -> None:
    assert any(is_noticed(fault, seed) for seed in seeds_for(fault)), f"nobody noticed {fault}"


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 25
