"""The OpenAPI document of head office: components from the values themselves, for those who write a till, and for the fuzz tests.

``python -m sync.server.openapi`` writes openapi.json anew; a test compares the two. The protocol itself is docs/sync.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from pos_loyalty.store.facts import Fact
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.values import QUANTITY_PATTERN, Thousandths, Value
from sync.identity import EnrolAnswer, EnrolRequest
from sync.rights import RightsAnswer, RightsRequest
from sync.snapshot_wire import Manifest
from sync.wire import INT64_MAX, Ack, BatchHeader, Changes, Problem

FILE: Final = Path(__file__).with_name("openapi.json")
REFERENCE: Final = "#/components/schemas/{name}"
GZIP_LINES: Final = "application/x-ndjson"
TEXT: Final = {"type": "string"}
COUNT: Final = {"type": "integer", "minimum": 0}
WORDS: Final = {
    400: "No HTTP, or a head that is too large.",
    401: "No token of this head office, or of a till that was let go.",
    404: "No such page, or a snapshot that is kept no more.",
    405: "Not by this method.",
    408: "The body did not come in time.",
    409: "Facts are missing before these (log-gap), or the log has two forms (log-fork).",
    410: "Too much has changed: take a snapshot first.",
    413: "The body is over the limit.",
    416: "A range beyond the file's end.",
    422: "Bytes that are no such question; `detail` says where.",
    503: "Busy; Retry-After says for how long.",
}
EVERYWHERE: Final = (400, 401, 404, 405, 422, 503)


class Page(NamedTuple):
    """One route. ``query``: names and schemas of what may be asked, those of ``needs`` must be."""

    method: str
    path: str
    summary: str
    answer: type[Value] | None
    body: type[Value] | None = None
    query: Mapping[str, dict[str, Any]] = MappingProxyType({})
    needs: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()
    media: str = "application/json"


PEER: Final[dict[str, dict[str, Any]]] = {"protocol": COUNT, "schema": COUNT, "build": TEXT}
PAGES: Final = (
    Page("POST", "/v1/enrol", "Become the till of a code.", EnrolAnswer, EnrolRequest, problems=(408, 409, 413)),
    Page(
        "POST", "/v1/tills/{till}/log", "Send a batch: gzip of a BatchHeader and 1 to 500 Facts, a line each.", Ack,
        BatchHeader, problems=(408, 409, 413),
    ),
    Page(
        "GET", "/v1/tills/{till}/changes", "What changed since a version.", Changes,
        query={"since": {**COUNT, "maximum": INT64_MAX}, "mark": TEXT, "programmes": TEXT, **PEER},
        needs=("since", "protocol", "schema"), problems=(410,),
    ),
    Page("POST", "/v1/tills/{till}/rights", "Say hello and ask for rights.", RightsAnswer, RightsRequest, problems=(408, 413)),
    Page(
        "GET", "/v1/sales", "A sale of any till.", SaleFound,
        query=dict.fromkeys(("till", "sale_id", "fn", "i", "fp", "after"), TEXT),
    ),
    Page("GET", "/v1/snapshot", "The manifest of the newest snapshot.", Manifest),
    Page("GET", "/v1/snapshot/{id}/{n}", "A file of a snapshot.", None, problems=(416,), media="application/gzip"),
    Page("GET", "/healthz", "Whether the database answers.", None),
)  # fmt: skip


def document() -> bytes:
    """The whole document, as it stands in the file."""
    paths: dict[str, dict[str, Any]] = {}
    for page in PAGES:
        paths.setdefault(page.path, {})[page.method.lower()] = _operation(page)
    kinds = {kind for page in PAGES for kind in (page.body, page.answer) if kind is not None} | {Fact, Problem}
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, schema_hook=_own_types, ref_template=REFERENCE)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "pos_loyalty head office", "version": "1", "description": "See docs/sync.md."},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _operation(page: Page) -> dict[str, Any]:
    in_path = [name for name in ("till", "id", "n") if f"{{{name}}}" in page.path]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in in_path
    ]
    parameters += [
        {"name": name, "in": "query", "required": name in page.needs, "schema": schema} for name, schema in page.query.items()
    ]
    schema = {"type": "object"} if page.answer is None else _reference(page.answer)
    answered = {"type": "string", "contentMediaType": page.media} if page.media != "application/json" else schema
    done: dict[str, Any] = {"description": "Done.", "content": {page.media: {"schema": answered}}}
    problem = {"application/problem+json": {"schema": _reference(Problem)}}
    refused = {
        str(status): {"description": WORDS[status], "content": problem} for status in sorted({*EVERYWHERE, *page.problems})
    }
    made: dict[str, Any] = {"summary": page.summary, "parameters": parameters, "responses": {"200": done, **refused}}
    if page.body is not None:
        media = GZIP_LINES if page.body is BatchHeader else "application/json"
        made["requestBody"] = {"required": True, "content": {media: {"schema": _body(page.body)}}}
    return made


def _body(kind: type[Value]) -> dict[str, Any]:
    return {"type": "string", "contentEncoding": "gzip"} if kind is BatchHeader else _reference(kind)


def _own_types(kind: type[Any]) -> dict[str, Any]:
    if kind is Thousandths:
        return {"type": "string", "pattern": f"^{QUANTITY_PATTERN.pattern}$", "description": "A decimal string."}
    raise TypeError(f"{kind!r} has no JSON form")


def _reference(kind: type[Value]) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(name=kind.__name__)}


if __name__ == "__main__":
    FILE.write_bytes(document())
