"""The checked-in OpenAPI document is what the code says, and every route is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pos_loyalty.web import api, openapi
from pos_loyalty.web.operations import OPERATIONS
from pos_loyalty.web.problems import NAMES
from pos_loyalty.web.scans import ScanBoard
from tests.browser.serving import serving
from tests.shop import Shop

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
HOUSE_ROUTES = {
    ("POST", "/v1/quote"),
    ("POST", "/v1/sales"),
    ("POST", "/v1/sales/{sale_id}/complete"),
    ("POST", "/v1/sales/{sale_id}/cancel"),
    ("GET", "/v1/sales/{sale_id}"),
    ("POST", "/v1/sales/{sale_id}/void"),
    ("POST", "/v1/sales/{sale_id}/returns"),
    ("POST", "/v1/returns"),
    ("POST", "/v1/returns/preview"),
    ("GET", "/v1/returns/{return_id}.txt"),
    ("POST", "/v1/returns/{return_id}/print"),
    ("POST", "/v1/members/{member_id}/erase"),
    ("POST", "/v1/identify"),
    ("POST", "/v1/members"),
    ("POST", "/v1/members/let-in"),
    ("GET", "/v1/members/{member_id}"),
    ("POST", "/v1/members/{member_id}/changes"),
    ("POST", "/v1/members/{member_id}/cards"),
    ("POST", "/v1/members/{member_id}/codes"),
    ("GET", "/v1/members/{member_id}/codes"),
    ("POST", "/v1/members/{member_id}/codes/verify"),
    ("POST", "/v1/members/{member_id}/awards"),
    ("POST", "/v1/sales/{sale_id}/claim"),
    ("POST", "/v1/members/{member_id}/adjustments"),
    ("POST", "/v1/members/{member_id}/merge"),
    ("POST", "/v1/members/{member_id}/secret"),
    ("POST", "/v1/members/{member_id}/confirmations"),
    ("GET", "/v1/acts"),
    ("POST", "/v1/gift-cards/lookup"),
    ("POST", "/v1/gift-cards"),
    ("POST", "/v1/gift-cards/freeze"),
    ("POST", "/v1/gift-cards/unfreeze"),
    ("POST", "/v1/gift-cards/pay-back"),
    ("GET", "/v1/scans"),
    ("GET", "/v1/camera.mjpeg"),
    ("GET", "/v1/display"),
    ("POST", "/v1/display/clear"),
    ("POST", "/v1/scans"),
    ("GET", "/v1/receipts/{sale_id}.txt"),
    ("POST", "/v1/members/{member_id}/tier"),
    ("GET", "/v1/receipts/{sale_id}.png"),
    ("POST", "/v1/receipts/{sale_id}/print"),
    ("GET", "/v1/shifts/{day}.txt"),
    ("POST", "/v1/shifts/{day}/print"),
    ("POST", "/v1/printer/self-test"),
    ("POST", "/v1/drawer"),
    ("GET", "/healthz"),
}


def document() -> dict[str, Any]:
    whole = json.loads(openapi.FILE.read_bytes())
    assert isinstance(whole, dict)
    return whole


def test_the_file_is_what_the_code_says() -> None:
    assert openapi.FILE.read_bytes() == openapi.document(), "run: python -m pos_loyalty.web.openapi"


def test_the_file_is_served(shop: Shop) -> None:
    with serving(shop.till) as web:
        assert web.get("/openapi.json").body == openapi.FILE.read_bytes()


def test_every_promised_route_is_there_and_nothing_else(shop: Shop) -> None:
    told = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert told == HOUSE_ROUTES
    worker = api.Worker()
    made = api.routes(shop.till, worker, ScanBoard(), ("ru",))
    worker.stop()
    assert {(operation.method, operation.path) for operation in OPERATIONS} == HOUSE_ROUTES
    assert [route.path for route in made] == [operation.path for operation in OPERATIONS]


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(whole)))
    assert names <= set(whole["components"]["schemas"])


def test_quantities_are_decimal_strings_and_values_are_strict() -> None:
    line = document()["components"]["schemas"]["Line"]
    assert line["properties"]["quantity"]["type"] == "string"
    assert line["additionalProperties"] is False
    assert line["properties"]["price_minor"]["minimum"] == 0


READING = (
    "/v1/quote",
    "/v1/scans",
    "/v1/identify",
    "/v1/members/{member_id}/confirmations",
    "/v1/gift-cards/lookup",
    "/v1/returns/preview",
    "/v1/display/clear",
)


def test_writing_operations_ask_for_a_key() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            names = {parameter["name"] for parameter in operation["parameters"]}
            reads = method == "get" or path in READING
            assert ("Idempotency-Key" in names) is not reads, path


def test_no_personal_field_is_in_an_address() -> None:
    for path, methods in document()["paths"].items():
        names = {parameter["name"] for operation in methods.values() for parameter in operation["parameters"]}
        assert names <= {"sale_id", "member_id", "return_id", "day", "language", "Idempotency-Key"}, path


def test_the_handbook_names_every_route_and_problem() -> None:
    told = DOCS.read_text(encoding="utf-8")
    for operation in OPERATIONS:
        assert f"`{operation.method} {operation.path}`" in told
    for name in NAMES:
        assert f"`{name}`" in told
