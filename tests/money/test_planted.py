"""Every planted fault is noticed by a money law; and what no law could notice is told as what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.money.fault import Change, Fault
from tests.money.faults import FAULTS
from tests.money.planting import GoneError, planted_texts
from tests.money.run import LAWS, Verdict, judged, verdicts

pytestmark = pytest.mark.timeout(900)
"""The longest that all faults may take on a machine that is busy with other things; see docs/testing.md."""
LOTS = "pos_loyalty/engine/lots.py"


@pytest.fixture(scope="module")
def verdict_on() -> Callable[[str], Verdict]:
    """All faults are judged at the first question, two at a time."""
    found: dict[str, Verdict] = {}

    def ask(name: str) -> Verdict:
        if not found:
            found.update((verdict.fault, verdict) for verdict in verdicts(FAULTS))
        return found[name]

    return ask


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_a_planted_fault_is_noticed(name: str, verdict_on: Callable[[str], Verdict]) -> None:
    verdict = verdict_on(name)
    print(verdict)
    assert verdict.test is not None, verdict.why
    assert not verdict.by_all, f"{name} was noticed by {verdict.test}: name that test in its row"


def test_the_faults_are_many_and_their_names_are_their_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 24


def test_a_change_that_costs_nobody_is_noticed_by_no_law(tmp_path: Path) -> None:
    """So no law fails by itself under the way in which faults are planted."""
    kept = Change(LOTS, "return lot.expires_at is not None", "return not lot.expires_at is None")
    harmless = Fault(name="harmless", cost="nobody", changes=(kept,), judges=(LAWS[0],))
    verdict = judged(harmless, tmp_path)
    assert verdict.test is None and "no law noticed it" in verdict.why


def test_a_fault_that_breaks_python_counts_as_no_fault(tmp_path: Path) -> None:
    slip = Change(LOTS, "return lot.expires_at is not None", "return lot.no_such_name is not None")
    clumsy = Fault(name="clumsy", cost="nobody", changes=(slip,), judges=(LAWS[-1],))
    verdict = judged(clumsy, tmp_path)
    assert verdict.test is None and "plant it anew" in verdict.why


def test_a_fault_whose_text_is_gone_is_named() -> None:
    gone = Fault(name="gone", cost="nobody", changes=(Change(LOTS, "no such text", ""),), judges=())
    with pytest.raises(GoneError, match=r"gone: its text stands 0 times in pos_loyalty/engine/lots\.py; plant it anew"):
        planted_texts(gone)
