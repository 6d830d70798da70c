"""docs/programme.md: every example runs, and every word of a programme has one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.conditions import All, BasketAmount, BasketQty, Coupon, MemberIs, Not, When
from pos_loyalty.engine.conditions import Any as AnyOf
from pos_loyalty.engine.coupons import Series
from pos_loyalty.engine.effects import Amount, GivePoints, Ladder, Percent
from pos_loyalty.engine.rules import PointsTable, ProgrammeText, RedeemTable, Rule, Tier
from pos_loyalty.engine.selectors import Selector
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


WORDS: dict[str, tuple[type[Any], ...]] = {
    "is": (BasketAmount, BasketQty, MemberIs, Coupon, When, Not, All, AnyOf),
    "do": (Percent, Amount, Ladder, GivePoints),
}


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_has_an_example(kind: str) -> None:
    examples = "".join(rules for rules, _ in EXAMPLES)
    for word in WORDS[kind]:
        tag = word.__struct_config__.tag
        assert f'{kind} = "{tag}"' in examples, tag
        assert f"`{tag}`" in TEXT


TABLES = (ProgrammeText, Rule, Tier, Series, PointsTable, RedeemTable, Selector, *WORDS["is"], *WORDS["do"])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_is_told(table: type[Any]) -> None:
    examples = HEAD + "".join(rules for rules, _ in EXAMPLES)
    told = set(re.findall(r"`([\w]+)`", TEXT)) | set(re.findall(r"(?:^|[{\s,\[])(\w+)\s*[=\]]", examples))
    assert set(table.__struct_encode_fields__) - told == set()
