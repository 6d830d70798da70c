"""The house rules that a linter does not know: sizes, file sentences, words that we do not say, documented names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = sorted(path for folder in ("pos_loyalty", "drivers", "sync", "receipts") for path in (ROOT / folder).rglob("*.py"))
ALL = OURS + sorted(
    path for folder in ("tests", "bench", "demo") for path in (ROOT / folder).rglob("*.py") if "/out/" not in str(path)
)
FILE_WALL, FUNCTION_WALL = 400, 60
BANNED_WORDS = {
    "cart", "customer", "campaign", "promo", "voucher", "promocode", "certificate", "nudge", "upsell", "utils", "helpers",
    "manager", "burn", "earn", "spend", "transaction", "discount", "predicate",
}  # fmt: skip
BANNED_STARTS = ("handle_", "process_", "do_")
EXCEPTIONS = set(
    re.findall(r"`(?:\w+\.)?(\w+)`", (ROOT / "docs/words.md").read_text(encoding="utf-8").partition("## Exceptions")[2])
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_a_file_fits_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= FILE_WALL
    assert ast.get_docstring(ast.parse(text)), "every file opens with a sentence"


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_functions_fit_and_names_are_our_words(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assert not node.name.startswith(BANNED_STARTS), node.name
            said = set(re.findall(r"[a-z]+", re.sub(r"(?<!^)(?=[A-Z])", "_", node.name).lower()))
            assert not said & BANNED_WORDS or node.name in EXCEPTIONS, f"{node.name}: see docs/words.md"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= FUNCTION_WALL, f"{node.name} has {lines} lines"


def test_public_functions_and_classes_have_docstrings() -> None:
    bare = []
    for path in OURS:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if is_public and not ast.get_docstring(node):
                bare.append(f"{_name(path)}: {node.name}")
    assert bare == []


def test_nothing_prints_but_the_commands() -> None:
    for path in OURS:
        if "/cli/" in str(path):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"], _name(path)


def test_every_table_is_documented() -> None:
    sql = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "pos_loyalty/store").glob("migrations*.py")))
    told = (ROOT / "docs/store.md").read_text(encoding="utf-8")
    tables = set(re.findall(r"CREATE TABLE (\w+)", sql))
    assert tables
    assert {table for table in tables if f"`{table}`" not in told} == set()


def test_every_config_key_is_documented() -> None:
    sources = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "pos_loyalty").glob("config*.py")]
    told = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    keys = {
        field.target.id
        for source in sources
        for node in source.body
        if isinstance(node, ast.ClassDef)
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }
    assert keys
    assert {key for key in keys if f"`{key}`" not in told} == set()


def test_every_log_event_is_documented() -> None:
    told = (ROOT / "docs/logs.md").read_text(encoding="utf-8")
    events = {
        event
        for path in OURS
        for event in re.findall(r'\.(?:info|warning|error)\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert {event for event in events if f"`{event}`" not in told} == set()


def test_every_command_is_documented() -> None:
    from pos_loyalty.cli.main import COMMANDS

    told = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in COMMANDS)
    commands = set(re.findall(r'commands\.add_parser\(\s*"([a-z-]+)"', source))
    assert commands
    assert {command for command in commands if f"pos-loyalty {command}" not in told} == set()
