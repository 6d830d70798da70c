"""Events: one JSON line each, with fields, without what names a person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from pos_loyalty import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    logger = logging.getLogger("pos_loyalty")
    before = logger.handlers[:], logger.level, logger.propagate
    stream = io.StringIO()
    log.setup(stream=stream)
    yield stream
    logger.handlers[:], logger.level, logger.propagate = before


def test_an_event_is_one_json_line(lines: io.StringIO) -> None:
    log.info("sale.committed", sale_id="s\n1", total_minor=100, lines=(1, 2))
    log.warning("printer.silent", device="printer")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert {key: first[key] for key in ("level", "event", "sale_id", "total_minor", "lines")} == {
        "level": "info",
        "event": "sale.committed",
        "sale_id": "s\n1",
        "total_minor": 100,
        "lines": [1, 2],
    }
    assert first["at"].endswith("+00:00") and second["level"] == "warning"


def test_quiet_levels_cost_nothing(lines: io.StringIO) -> None:
    log.setup(level=logging.ERROR, stream=lines)
    log.info("sale.committed")
    log.error("store.failed", reason=ValueError("x"))
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["store.failed"]


@pytest.mark.parametrize("field", ["card", "phone", "name", "personal", "token"])
def test_what_names_a_person_cannot_be_logged(field: str) -> None:
    with pytest.raises(AssertionError):
        log.info("member.found", **{field: "x"})


@pytest.mark.parametrize(
    ("card", "shown"), [("2900000000018", "*********0018"), ("123456789", "*****6789"), ("12345678", "********"), ("", "")]
)
def test_only_the_last_four_signs_of_a_card_stand(card: str, shown: str) -> None:
    assert log.mask(card) == shown
