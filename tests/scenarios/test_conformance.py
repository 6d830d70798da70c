"""Runs the published cases as scenarios; their list is that of docs/conformance.md and, if given, that of the cases' own file."""

from __future__ import annotations

import json
import os
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.engine import load_programme
from tests.scenarios.scenario import differences, differences_of
from tests.scenarios.seen import minor
from tests.scenarios.steps import seen_in_steps

HERE = Path(__file__).parent / "conformance"
HEAD = 'format = 1\nid = "case"\nversion = 1\ncurrency = "RUB"\ntimezone = "UTC"\n'
SCENARIOS: list[dict[str, Any]] = [
    scenario for path in sorted(HERE.glob("*.toml")) for scenario in tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
]
DOC = Path(__file__).parents[2] / "docs" / "conformance.md"
ROWS = re.findall(r"^\| `([\w-]+)` \|.*\| (match|policy|diverge|derived) \|", DOC.read_text(encoding="utf-8"), re.MULTILINE)
CASES_AT = "POS_LOYALTY_CASES"
"""The environment variable that names the cases' own file."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{each['case']}: {each['title']}" for each in SCENARIOS])
def test_case(scenario: dict[str, Any]) -> None:
    programme = load_programme((HEAD + scenario["rules"]).encode())
    if "step" in scenario:
        steps = zip(seen_in_steps(scenario, programme), scenario["step"], strict=True)
        found = {number: differences_of(seen, step.get("expect", {})) for number, (seen, step) in enumerate(steps, start=1)}
        assert {number: different for number, different in found.items() if different} == {}
    elif "for_quantity" in scenario:
        assert free_units(scenario) == scenario["expect"]["free_units"]
    else:
        assert differences(scenario, programme) == {}


def free_units(scenario: dict[str, Any]) -> list[int]:
    """How many units are free for each quantity of the one line, told by the money that came off."""
    programme = load_programme((HEAD + scenario["rules"]).encode())
    (line,) = scenario["lines"]
    free = []
    for quantity in scenario["for_quantity"]:
        asked = {key: scenario[key] for key in ("title", "case")} | {"lines": [line | {"quantity": str(quantity)}]}
        off = Decimal(differences(asked | {"expect": {"off_all": None}}, programme)["off_all"][0])
        assert off % Decimal(line["price"]) == 0
        free.append(int(off / Decimal(line["price"])))
    return free


def test_every_case_is_in_the_document_once() -> None:
    assert sorted(case for case, _ in ROWS) == sorted({each["case"] for each in SCENARIOS})
    assert len(ROWS) == 112


def test_every_policy_case_names_its_setting_and_shows_the_default_beside_it() -> None:
    for case, verdict in ROWS:
        mine = [each for each in SCENARIOS if each["case"] == case]
        answers = [each for each in mine if not each.get("beside")]
        assert answers, case
        if verdict == "policy":
            assert all("setting" in each for each in answers), case
            assert len(answers) < len(mine), f"{case}: the default beside it is missing"
        row = next(line for line in DOC.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{case}` |"))
        assert all(each["setting"] in row for each in mine if "setting" in each), case
        assert all(each.get("diverges", False) == (verdict == "diverge") for each in answers), case
        assert all("note" in each for each in answers if each.get("diverges")), case


SAME = {
    "line_discounts": "off_lines",
    "line_totals": "lines",
    "unit_discounts": "off_units",
    "order_discount": "off_all",
    "points_earned": "points_all",
    "points_redeemed": "redeemed",
    "points_left": "left",
    "points_clawed_back": "taken_back",
    "by_programme": "offs",
    "total_excl_tax": "without_vat",
    "free_for_n": "free_units",
}
"""What the cases call a figure, and what we call it. Others are called the same, or ``covers`` of a scenario says where it is."""


def test_every_figure_of_every_case_is_expected_somewhere() -> None:
    if CASES_AT not in os.environ:
        return  # a clone has only the scenarios; whoever holds the cases' own file names it and has them compared
    cases = json.loads(Path(os.environ[CASES_AT]).read_text(encoding="utf-8"), parse_float=Decimal)
    assert sorted(ROWS) == sorted((case["id"], case["verdict"]) for case in cases)
    missing = []
    for case in cases:
        answers = [each for each in SCENARIOS if each["case"] == case["id"] and not each.get("beside")]
        for key, figure in case["expected"].items():
            if not any(_is_expected(scenario, key, figure) for scenario in answers):
                missing.append(f"{case['id']}.{key}")
    assert missing == []


def _is_expected(scenario: dict[str, Any], key: str, figure: Any) -> bool:
    """Whether the scenario expects the figure: the same one, or another on purpose, or as its note explains."""
    expected: dict[str, Any] = {}
    for part in (*scenario.get("step", []), scenario):
        expected |= part.get("expect", {})
    if key == "parts":
        return bool(scenario.get("diverges", False) or [minor(part) for part in expected["parts"]] == figure)
    covered = scenario.get("covers", {}).get(key)
    if covered is None:
        words = ("due", "total") if key == "total" else (SAME.get(key, key),)
        ours = [_figures(expected[word]) for word in words if word in expected]
        return bool(ours) and (scenario.get("diverges", False) or ours[0] == _figures(figure))
    word, _, inner = covered.partition(".")
    if word not in expected:
        return False
    ours = expected[word][inner] if inner else expected[word]
    return "note" in scenario or _figures(ours) == _figures(figure)


def _figures(figures: Any) -> Any:
    """Figures of a case or a scenario in one form: numbers, without lines of nothing, units in falling order, rules in theirs."""
    match figures:
        case dict():
            inner = {name: _figures(figure) for name, figure in figures.items()}
            if inner and all(isinstance(figure, dict) for figure in inner.values()):
                return list(inner.values())
            return {name: figure for name, figure in inner.items() if figure != 0}
        case list() if all(isinstance(figure, dict) for figure in figures):
            return [_figures(figure) for figure in figures]
        case list() if all(isinstance(figure, str) and "." in figure for figure in figures):
            return sorted((Decimal(figure) for figure in figures), reverse=True)
        case list() if all(isinstance(figure, int | Decimal) for figure in figures):
            return sorted((Decimal(figure) for figure in figures), reverse=True)
        case str() if re.fullmatch(r"-?[0-9.]+", figures):
            return Decimal(figures)
        case _:
            return figures
