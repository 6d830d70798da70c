"""Which modules are broken, and which tests have to notice: named, and done in ten seconds."""

from __future__ import annotations

ENGINE = "pos_loyalty/engine"
SECONDS_MAX = 10

_ANSWERS = "tests/property/test_engine_version.py"
_MONEY = ("tests/unit/test_money.py", "tests/property/test_money_laws.py", "tests/unit/test_return_of.py", _ANSWERS)
_LOTS = ("tests/unit/test_lots.py", "tests/property/test_lots_laws.py", "tests/unit/test_redeem.py")
_FISCAL = (
    "tests/unit/test_fiscal.py",
    "tests/unit/test_edges_more.py",
    "tests/unit/test_return_of.py",
    _ANSWERS,
    "tests/property/test_seeded_laws.py",
)
_WORLDS = ("tests/brute/test_verdicts.py", "tests/property/test_seeded_laws.py")
_HAND = (
    "tests/unit/test_quote.py",
    "tests/unit/test_combining.py",
    "tests/unit/test_caps.py",
    "tests/unit/test_floors.py",
    "tests/unit/test_edges.py",
    "tests/unit/test_edges_more.py",
)
_QUOTE = (
    *_HAND,
    "tests/unit/test_gates.py",
    "tests/unit/test_hints.py",
    "tests/unit/test_fiscal.py",
    "tests/unit/test_shelf.py",
    "tests/scenarios",
    _ANSWERS,
    *_WORLDS,
)
_SEARCH = (
    "tests/property/test_search_version.py",
    "tests/unit/test_search.py",
    "tests/unit/test_search_edges.py",
    _ANSWERS,
    "tests/brute/test_verdicts.py",
)
_RETURNS = ("tests/unit/test_return_of.py", "tests/property/test_returns.py")

GROUPS: dict[tuple[str, ...], tuple[str, ...]] = {
    _MONEY: ("money",),
    _LOTS: ("lots",),
    _FISCAL: ("fiscal",),
    _QUOTE: (
        *("floors", "caps", "combine", "compatibility", "stages", "pools", "chain", "kinds", "drafts", "laying", "question"),
        *("order", "order_shares", "spread", "lines"),
    ),
    _SEARCH: ("search", "answered", "applications", "dual", "steps", "stepping", "tables", "exploring", "greedy", "regroup"),
    _RETURNS: ("returns", "returned_lines"),
}
JUDGES: dict[str, tuple[str, ...]] = {module: tests for tests, modules in GROUPS.items() for module in modules}
"""Module of the engine → the tests that judge it. What does not exist is passed over."""
