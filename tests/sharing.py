"""How the tests are shared out among the processes of pytest-xdist: file by file, the longest first.

A file stays whole, for its tests share what was dear to make. Those of ``APART`` share nothing dear and last long, so each goes
alone: else the last minutes of a run belong to one process.
"""

from __future__ import annotations

from typing import Any

import pytest

LONG = (
    "tests/faults/test_bank.py",
    "tests/faults/test_hub_lends.py",
    "tests/simulation/test_worlds_first.py",
    "tests/simulation/test_worlds_second.py",
    "tests/simulation/test_worlds_third.py",
    "tests/simulation/test_worlds_fourth.py",
    "tests/faults/test_kill.py",
    "tests/browser/test_cashier_scans.py",
    "tests/money/test_planted.py",
    "tests/faults/test_restored_office.py",
    "tests/browser/test_cashier_mishaps.py",
    "tests/browser/test_cashier_page.py",
    "tests/browser/test_cashier_returns.py",
    "tests/faults/test_machine.py",
    "tests/faults/test_paper.py",
    "tests/faults/test_fault_loop.py",
    "tests/simulation/test_hub_world.py",
    "tests/simulation/test_planted_faults.py",
    "tests/contract/test_stores_agree.py",
    "tests/contract/test_documents.py",
    "tests/property/test_engine_laws.py",
    "tests/property/test_seeded_laws.py",
    "tests/property/test_same_bytes.py",
    "tests/brute/test_verdicts.py",
    "tests/property/test_fuzz.py",
    "tests/property/test_recompute_laws.py",
    "tests/property/test_returns.py",
    "tests/faults/test_bad_uploads.py",
    "tests/faults/test_bad_hub_questions.py",
    "tests/faults/test_hub_process.py",
    "tests/faults/test_till_process.py",
    "tests/faults/test_forged_facts.py",
    "tests/faults/test_office_schema.py",
    "tests/test_demo.py",
)
"""The longest first. A file that stands nowhere comes later, in the order of folders: nothing breaks by it."""
APART = {
    "tests/faults/test_bank.py",
    "tests/faults/test_hub_lends.py",
    "tests/simulation/test_worlds_first.py",
    "tests/simulation/test_worlds_second.py",
    "tests/simulation/test_worlds_third.py",
    "tests/simulation/test_worlds_fourth.py",
    "tests/faults/test_kill.py",
    "tests/faults/test_machine.py",
    "tests/faults/test_paper.py",
    "tests/faults/test_fault_loop.py",
    "tests/simulation/test_hub_world.py",
    "tests/simulation/test_planted_faults.py",
    "tests/property/test_engine_laws.py",
    "tests/property/test_seeded_laws.py",
}
"""Their tests share nothing that was dear to make."""
PLACES = {file: place for place, file in enumerate(LONG)}


def unit_of(test: str) -> str:
    """What is handed out as one."""
    file = test.partition("::")[0]
    return test if file in APART else file


def longest_first(items: list[pytest.Item]) -> None:
    """Puts the tests into the order in which they are handed out."""
    items.sort(key=lambda item: PLACES.get(item.nodeid.partition("::")[0], len(PLACES)))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Who hands them out."""
    from xdist.scheduler import LoadFileScheduling

    class LongestFirst(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False
    return LongestFirst(config, log)
