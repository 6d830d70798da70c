"""Runs every scenario file of this folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.engine import load_programme
from tests.scenarios.scenario import differences, differences_of
from tests.scenarios.steps import seen_in_steps

HERE = Path(__file__).parent
FILES = {path.name: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.toml"))}
ALL = [(name, scenario) for name, file in FILES.items() for scenario in file["scenario"]]


@pytest.mark.parametrize(("name", "scenario"), ALL, ids=[f"{name}: {scenario['title']}" for name, scenario in ALL])
def test_scenario(name: str, scenario: dict[str, Any]) -> None:
    file = FILES[name]
    body = (HERE / file["programme"]).read_bytes() if "programme" in file else file["rules"].encode()
    if "step" in scenario:
        seen = seen_in_steps(scenario, load_programme(body))
        steps = zip(seen, scenario["step"], strict=True)
        assert [differences_of(each, step.get("expect", {})) for each, step in steps] == [{} for _ in seen]
        return
    assert scenario["expect"], "a scenario expects something"
    assert differences(scenario, load_programme(body)) == {}


def test_there_are_scenarios() -> None:
    assert len(ALL) >= 20
