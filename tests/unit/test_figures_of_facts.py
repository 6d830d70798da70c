"""Which whole numbers head office takes: such as can be added up, and no text that looks like one is in their way."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pos_loyalty.errors import WireError
from sync.server.kinds import check_figures


def payload(value: Any, key: str = "total_minor") -> bytes:
    fact = {"seq": 7, "mono_ns": 2**62, "hlc": 2**62, "sale": {"name": "x", "quote": {key: value, "due_minor": 1}}}
    return json.dumps(fact, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("figure", [10**14, 10**15, 2**62, 2**63 - 1, -(10**14), -(2**63)])
def test_a_figure_that_could_break_a_sum_is_refused_by_name(figure: int) -> None:
    with pytest.raises(WireError, match=re.escape(f"fact 7: total_minor is {figure}")):
        check_figures(7, payload(figure))


@pytest.mark.parametrize("figure", [0, -1, 10**11, 10**13, 10**14 - 1, 1 - 10**14])
def test_what_a_shop_counts_is_taken(figure: int) -> None:
    check_figures(7, payload(figure))


@pytest.mark.parametrize(
    "text",
    ['a":123456789012345', '"a":123456789012345', '\\"a":123456789012345', "9" * 40, '","total_minor":123456789012345', "\\"],
)
def test_a_text_is_no_figure(text: str) -> None:
    check_figures(7, payload(text))
    check_figures(7, payload([text, 1]))
