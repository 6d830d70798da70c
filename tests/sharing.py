"""How the tests are shared out among the processes of pytest-xdist: file by file, the longest first.

A file stays whole, for its tests share what was dear to make. Those that stand apart share nothing dear and last long, so
each goes alone: else the last minutes of a run belong to one process.
"""

from __future__ import annotations

from typing import Any

import pytest

APART, WHOLE = True, False
LONG = {
    "tests/faults/test_bank.py": APART,
    "tests/faults/test_hub_lends.py": APART,
    "tests/simulation/test_worlds_first.py": APART,
    "tests/simulation/test_worlds_second.py": APART,
    "tests/simulation/test_worlds_third.py": APART,
    "tests/simulation/test_worlds_fourth.py": APART,
    "tests/faults/test_kill.py": APART,
    "tests/money/test_planted.py": WHOLE,
    "tests/faults/test_restored_office.py": WHOLE,
    "tests/browser/test_cashier_returns.py": WHOLE,
    "tests/browser/test_cashier_scans.py": WHOLE,
    "tests/browser/test_cashier_slow.py": WHOLE,
    "tests/browser/test_cashier_persons.py": WHOLE,
    "tests/browser/test_cashier_mishaps.py": WHOLE,
    "tests/faults/test_machine.py": APART,
    "tests/faults/test_paper.py": APART,
    "tests/faults/test_fault_loop.py": APART,
    "tests/simulation/test_hub_world.py": APART,
    "tests/simulation/test_planted_faults.py": APART,
    "tests/contract/test_stores_agree.py": WHOLE,
    "tests/contract/test_documents.py": WHOLE,
    "tests/property/test_engine_laws.py": APART,
    "tests/property/test_seeded_laws.py": APART,
    "tests/property/test_same_bytes.py": WHOLE,
    "tests/brute/test_verdicts.py": WHOLE,
    "tests/property/test_fuzz.py": WHOLE,
    "tests/property/test_recompute_laws.py": WHOLE,
    "tests/property/test_returns.py": WHOLE,
    "tests/faults/test_bad_uploads.py": WHOLE,
    "tests/faults/test_bad_hub_questions.py": WHOLE,
    "tests/faults/test_hub_process.py": WHOLE,
    "tests/faults/test_till_process.py": WHOLE,
    "tests/faults/test_forged_facts.py": WHOLE,
    "tests/faults/test_office_schema.py": WHOLE,
    "tests/test_demo.py": WHOLE,
}
"""The longest first. A file that stands nowhere comes later, in the order of folders: nothing breaks by it. APART: its tests
share nothing that was dear to make."""
PLACES = {file: place for place, file in enumerate(LONG)}


def unit_of(test: str) -> str:
    """What is handed out as one."""
    file = test.partition("::")[0]
    return test if LONG.get(file) is APART else file


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
