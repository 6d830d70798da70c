"""The JSON Schema of a programme: it takes what the loader takes, refuses plain mistakes, and has the words of the docs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pos_loyalty.engine.meanings import EVERYWHERE, MEANINGS
from pos_loyalty.engine.schema import programme_schema

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/programme.md").read_text(encoding="utf-8")
HEAD = re.findall(r"```toml head\n(.*?)```", DOC, re.DOTALL)[0]
EXAMPLES = re.findall(r"```toml example\n(.*?)```", DOC, re.DOTALL)
SCHEMA = programme_schema()
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def as_json(value: object) -> object:
    """What a TOML reader gives, as JSON would: dates are strings."""
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def faults_in(toml: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(as_json(tomllib.loads(toml)))]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("example", EXAMPLES)
def test_it_takes_every_example_of_the_docs(example: str) -> None:
    assert faults_in(HEAD + example) == []


@pytest.mark.parametrize("path", sorted([*(ROOT / "demo").glob("*.toml"), *(ROOT / "demo/programmes").glob("*.toml")]), ids=str)
def test_it_takes_every_programme_of_the_demo(path: Path) -> None:
    assert faults_in(path.read_text(encoding="utf-8")) == []


RULE = '[[rule]]\nid = "r"\nstage = "item"\nthen = [{ %s }]\n'


@pytest.mark.parametrize(
    "toml",
    [
        RULE % 'do = "percents", percent = "5%"',
        RULE % 'do = "percent", percent = "120%"',
        RULE % 'do = "percent", percent = "100.01%"',
        RULE % 'do = "percent", percent = 5',
        RULE % 'do = "percent"',
        RULE % 'do = "percent", percent = "5%", max_units = 0',
        RULE % 'do = "percent", percent = "5%", ons = {}',
        RULE % 'do = "amount_each", amount = "1.2345"',
        RULE % 'do = "amount_each", amount = "-1"',
        RULE % 'do = "points", multiplier = "101"',
        '[[rule]]\nid = "R"\nthen = [{ do = "tier_progress" }]',
        '[[rule]]\nid = "r"\nthen = []',
        '[[rule]]\nid = "r"\nthen = [{ do = "tier_progress" }]\nwhen = [{ is = "when", from = "25:00", to = "26:00" }]',
        '[[rule]]\nid = "r"\nthen = [{ do = "tier_progress" }]\nwhen = [{ is = "not", of = { is = "nothing" } }]',
        '[[rule]]\nid = "r"\nthen = [{ do = "tier_progress" }]\nwhen = [{ is = "when", since = "2026-13-01" }]',
        '[[rule]]\nid = "r"\nthen = [{ do = "tier_progress" }]\ntitle = { fr = "x" }',
        '[compatibility.a]\nb = "stacks"',
        "[redeem]",
        "[redem]",
    ],
)
def test_it_refuses_plain_mistakes(toml: str) -> None:
    assert faults_in(HEAD + toml) != []


@pytest.mark.parametrize("text", ["100%", "0%", "7.5%", "99.99%", "100.00%"])
def test_it_takes_every_share(text: str) -> None:
    assert faults_in(HEAD + RULE % f'do = "percent", percent = "{text}"') == []


@pytest.mark.parametrize("field", ["is", "do"])
def test_its_words_are_those_of_the_docs(field: str) -> None:
    tables = [each for each in SCHEMA["$defs"].values() if field in each["properties"]]
    words = {each["properties"][field]["const"]: each["description"] for each in tables}
    headings = {word for line in re.findall(r"^### (.*)$", DOC, re.MULTILINE) for word in re.findall(r"`(\w+)`", line)}
    assert set(words) - headings == set()
    assert all(len(text) > 10 for text in words.values()), "each word carries its meaning"


def test_every_table_and_key_stands_in_the_docs() -> None:
    told = set(re.findall(r"`(\w+)`", DOC)) | set(re.findall(r"(?:^|[{\s,\[])(\w+)\s*[=\]]", HEAD + "".join(EXAMPLES)))
    keys = {key for table in SCHEMA["$defs"].values() for key in table["properties"]}
    assert keys - told - set(SCHEMA["$defs"]["ProgrammeText"]["properties"]) == set()
    tables = set(SCHEMA["$defs"]["ProgrammeText"]["properties"])
    assert {table for table in tables if not re.search(rf"`\[*{table}\]*`|\b{table} = ", DOC)} == set()


def test_an_editor_can_show_what_each_key_means() -> None:
    bare = [
        f"{name}.{key}"
        for name, table in {**SCHEMA["$defs"]}.items()
        for key, shape in table["properties"].items()
        if len(shape.get("description", "")) < len("Its name.")
    ]
    assert bare == []
    assert SCHEMA["$defs"]["Percent"]["properties"]["percent"]["description"].startswith("The share that comes off. A share from")
    assert SCHEMA["$defs"]["FixedPrice"]["properties"]["max_units"]["description"] == "At most so many units in one receipt."


def test_what_is_told_of_a_key_is_told_of_one_that_there_is() -> None:
    tables = {name: set(table["properties"]) for name, table in SCHEMA["$defs"].items()}
    tables["Limited"] = tables["Percent"]
    assert {(table, key) for table, keys in MEANINGS.items() for key in keys if key not in tables[table]} == set()
    assert {key for key in EVERYWHERE if not any(key in keys for keys in tables.values())} == set()


def test_a_default_is_written_as_people_write_it() -> None:
    defs: dict[str, Any] = SCHEMA["$defs"]
    assert defs["HintsTable"]["properties"]["worth"]["default"] == "30%"
    assert defs["PointsTable"]["properties"]["step"]["default"] == "0.01"
    assert defs["NForM"]["properties"]["percent"]["default"] == "100%"
    assert defs["NForM"]["properties"]["k"]["default"] == 1
    assert defs["Percent"]["required"] == ["do", "percent"]
