"""The OpenAPI document: components from the values themselves, paths from the table of operations.

``python -m pos_loyalty.web.openapi`` writes openapi.json anew; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pos_loyalty.engine.model import Basket
from pos_loyalty.till.model import Problem, QuoteRequest
from pos_loyalty.values import QUANTITY_PATTERN, Thousandths, Value
from pos_loyalty.web.body import KEY_PATTERN
from pos_loyalty.web.operations import OPERATIONS, Operation
from pos_loyalty.web.problems import PROBLEM_MEDIA

FILE = Path(__file__).with_name("openapi.json")
REFERENCE = "#/components/schemas/{name}"
API_VERSION = "1"
DAY_SCHEMA = {"type": "string", "pattern": r"^(today|\d{4}-\d{2}-\d{2})$"}
PROBLEM_WORDS = {
    400: "The request is not readable, or its Idempotency-Key is missing or unfit.",
    403: "Somebody's word is missing or wrong: a PIN, a second person, the holder's confirmation.",
    404: "Not known at this till.",
    409: "It contradicts what is stored, or the quote is stale. Nothing was written.",
    422: "A value is wrong; `place` says which.",
    503: "The till is busy, or the outcome is not known: send the same again, with the same key.",
    507: "The disk is full; nothing was written.",
}


def document() -> bytes:
    """The whole document, as it stands in the file."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "pos_loyalty till",
            "version": API_VERSION,
            "description": "Money is in minor units, points in hundredths, quantities are decimal strings. See docs/api.md.",
        },
        "paths": paths,
        "components": {"schemas": _schemas()},
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _schemas() -> dict[str, Any]:
    kinds = {kind for operation in OPERATIONS for kind in (operation.body, operation.answer) if kind is not None}
    ordered = sorted(kinds | {Basket, Problem}, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, schema_hook=_own_types, ref_template=REFERENCE)
    return dict(sorted(components.items()))


def _own_types(kind: type[Any]) -> dict[str, Any]:
    if kind is Thousandths:
        pattern = f"^{QUANTITY_PATTERN.pattern}$"
        return {"type": "string", "pattern": pattern, "description": "A decimal string.", "examples": ["2", "0.345"]}
    raise TypeError(f"{kind!r} has no JSON form")


def _operation(operation: Operation) -> dict[str, Any]:
    body = {"requestBody": _body(operation)} if operation.body else {}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": _parameters(operation),
        **body,
        "responses": {"200": _answer(operation)} | {str(status): _problem(status) for status in sorted(operation.problems)},
    }


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for part in ("sale_id", "member_id", "return_id"):
        if f"{{{part}}}" in operation.path:
            name = {"type": "string", "minLength": 1, "maxLength": 64}
            parameters.append({"name": part, "in": "path", "required": True, "schema": name})
    if "{day}" in operation.path:
        words = "A business day such as 2026-11-21, or today."
        parameters.append({"name": "day", "in": "path", "required": True, "description": words, "schema": DAY_SCHEMA})
    if operation.in_languages:
        words = "One of the shop's languages; that of its receipts when absent."
        parameters.append({"name": "language", "in": "query", "description": words, "schema": {"enum": ["en", "ru"]}})
    if operation.writes:
        words = "The same for every try of the same act; kept for ever."
        schema = {"type": "string", "pattern": f"^{KEY_PATTERN.pattern}$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "description": words, "schema": schema})
    return parameters


def _body(operation: Operation) -> dict[str, Any]:
    schema = _reference(operation.body)
    if operation.body is QuoteRequest:
        schema = {"anyOf": [schema, _reference(Basket)]}
    return {"required": not operation.body_optional, "content": {"application/json": {"schema": schema}}}


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None or operation.media == "text/event-stream":
        schema: dict[str, Any] = {"type": "string"}
    else:
        schema = _reference(operation.answer)
    return {"description": "Done.", "content": {operation.media: {"schema": schema}}}


def _problem(status: int) -> dict[str, Any]:
    return {"description": PROBLEM_WORDS[status], "content": {PROBLEM_MEDIA: {"schema": _reference(Problem)}}}


def _reference(kind: type[Value] | None) -> dict[str, Any]:
    assert kind is not None
    return {"$ref": REFERENCE.format(name=kind.__name__)}


if __name__ == "__main__":
    FILE.write_bytes(document())
