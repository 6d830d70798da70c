"""The engine's source: whole numbers only, no clock, no chance, and light to load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ENGINE = sorted((Path(__file__).parents[2] / "pos_loyalty" / "engine").glob("*.py"))
DIVIDES = {
    "money.py": "divides money",
    "figures.py": "shows figures",
    "fiscal.py": "counts whole pieces",
    "lines.py": "counts whole pieces",
    "programme.py": "says a file's megabytes",
    "search.py": "shares out effort",
    "dual.py": "bounds, rounded to the safe side",
    "exploring.py": "bounds, rounded to the safe side",
    "steps.py": "counts complete groups",
    "stepping.py": "counts complete groups",
    "tables.py": "counts complete groups",
    "greedy.py": "counts complete groups; compares worths",
    "regroup.py": "counts complete groups",
    "applications.py": "counts complete groups; shares of prices that divide exactly",
    "check_digits.py": "check digits",
    "coupons.py": "digits of a serial number",
    "returns.py": "shares of a line's stored money, by units",
    "issue.py": "counts units",
    "tier_checks.py": "months of a year",
    "tier_rules.py": "counts months",
}


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_there_is_no_float(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Div), "true division makes a float"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        assert not (isinstance(node, ast.Name) and node.id in {"float", "complex", "hash"})
        assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "round")
        if isinstance(node, ast.FloorDiv | ast.Mod) and path.name not in DIVIDES:
            raise AssertionError("all division of money is in money.py")


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.name)
def test_it_imports_values_only(path: Path) -> None:
    allowed = {
        "__future__", "bisect",
        "calendar", "collections.abc", "datetime", "hashlib", "heapq", "importlib.resources", "itertools", "math",
        "msgspec",
        "msgspec.structs", "operator", "re",
        "tomllib", "typing", "tzdata", "zoneinfo",
    }  # fmt: skip
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or ""}
        else:
            continue
        ours = {
            name
            for name in names
            if name.startswith(
                ("pos_loyalty.engine", "pos_loyalty.values", "pos_loyalty.errors", "pos_loyalty.near", "pos_loyalty.misfits")
            )
        }
        assert names - ours <= allowed


def test_loading_it_loads_nothing_heavy() -> None:
    heavy = {
        "cv2",
        "escpos",
        "requests",
        "pandas",
        "numpy",
        "sqlite_utils",
        "sqlite3",
        "pysqlite3",
        "asyncio",
        "ssl",
        "email",
        "urllib.request",
    }
    script = "import sys, pos_loyalty.engine; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) & heavy == set()
