"""Head office's HTTP against its own OpenAPI document, by schemathesis: never a 5xx, every answer is one that it tells of.

A fixed seed runs here; ``make fuzz`` asks more (``SCHEMA_EXAMPLES=n`` for each page).
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from pos_loyalty import wiring
from sync.server import openapi
from tests.faults.test_bad_uploads import Desk

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "12"))
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(json.loads(openapi.document()))


@schemathesis.serializer(openapi.GZIP_LINES)
def lines(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """Whatever it is, as gzip."""
    return gzip.compress(value if isinstance(value, bytes) else str(value).encode("utf-8", "replace"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    yield made
    made.office.process.kill()


def test_the_document_is_the_one_in_the_file() -> None:
    assert openapi.FILE.read_bytes() == openapi.document(), "run: python -m sync.server.openapi"


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_question_is_answered_otherwise_than_the_document_says(desk: Desk, case: schemathesis.Case) -> None:
    random = Random(repr(case.path_parameters) + repr(case.query))
    if "till" in (case.path_parameters or {}) and random.random() < 0.8:
        case.path_parameters["till"] = "T1"
    headers = {"Authorization": f"Bearer {desk.till.said['token']}"} if random.random() < 0.9 else {}
    if case.operation.path.endswith("/log"):
        headers["Content-Encoding"] = "gzip"
    answer = case.call(base_url=desk.office.url, headers=headers)
    is_building = case.operation.path == "/v1/snapshot" and answer.status_code == 503 and "retry-after" in answer.headers
    assert is_building or answer.status_code < 500, answer.text
    case.validate_response(answer, checks=CHECKS)


def test_nothing_of_it_stays(desk: Desk) -> None:
    assert wiring.verify(desk.office.database) == ()
    assert desk.till.send(1, 3)["applied_seq"] == 3
    assert "Traceback" not in desk.office.process.said
