"""docs/programme.md: every example runs, and every word of a programme has one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.conditions import Condition
from pos_loyalty.engine.effects import Effect
from pos_loyalty.engine.schema import programme_schema
from tests.scenarios.scenario import differences

TEXT = (Path(__file__).parents[2] / "docs" / "programme.md").read_text(encoding="utf-8")
(HEAD,) = re.findall(r"```toml head\n(.*?)```", TEXT, re.DOTALL)
EXAMPLES = re.findall(r"```toml example\n(.*?)```\n```toml expect\n(.*?)```", TEXT, re.DOTALL)
TITLES = [re.findall(r'id = "([\w-]+)"', rules)[-1:] or ["redeem"] for rules, _ in EXAMPLES]


@pytest.mark.parametrize(("rules", "scenario"), EXAMPLES, ids=[title[0] for title in TITLES])
def test_an_example_does_what_it_says(rules: str, scenario: str) -> None:
    assert differences(tomllib.loads(scenario), load_programme((HEAD + rules).encode())) == {}


def test_no_block_is_left_out() -> None:
    assert TEXT.count("```toml ") == 1 + 2 * len(EXAMPLES)


WORDS = {"is": get_args(Condition), "do": get_args(Effect)}


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind, words in WORDS.items() for word in words])
def test_every_word_has_an_example(kind: str, word: type[Any]) -> None:
    examples = "".join(rules for rules, _ in EXAMPLES)
    tag = word.__struct_config__.tag
    assert f'{kind} = "{tag}"' in examples
    assert re.search(rf"^### .*`{tag}`", TEXT, re.MULTILINE)


TABLES: dict[str, dict[str, Any]] = programme_schema()["$defs"]
TOLD = set(re.findall(r"`(\w+)`", TEXT)) | set(
    re.findall(r"(?:^|[{\s,\[.])(\w+)\s*[=\].]", HEAD + "".join(rules for rules, _ in EXAMPLES))
)


@pytest.mark.parametrize("table", TABLES)
def test_every_key_is_told(table: str) -> None:
    assert set(TABLES[table]["properties"]) - TOLD == set()


def test_every_kind_of_programme_names_an_example_that_stands_here() -> None:
    chapter = TEXT.partition("## Every kind of programme")[2]
    rows = [row.split("|") for row in chapter.splitlines() if row.startswith("| ") and "---" not in row][1:]
    assert len(rows) >= 40
    ids = set(re.findall(r'^id = "([\w-]+)"', "".join(rules for rules, _ in EXAMPLES), re.MULTILINE))
    headings = {_anchor(heading) for heading in re.findall(r"^##+ (.*)$", TEXT, re.MULTILINE)}
    for row in rows:
        named = set(re.findall(r"`([\w-]+)`", row[2]))
        assert named, row[1]
        assert named - ids == set(), row[1]
        assert set(re.findall(r"\(#([\w-]+)\)", row[3])) - headings == set(), row[1]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_links_lead_somewhere() -> None:
    headings = {_anchor(heading) for heading in re.findall(r"^##+ (.*)$", TEXT, re.MULTILINE)}
    assert {link for link in re.findall(r"\]\(#([\w-]+)\)", TEXT) if link not in headings} == set()
