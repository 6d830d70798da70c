"""The door: who may talk to the till, and the headers of every answer."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from tests.browser.serving import JSON_HEADERS, Web, serving
from tests.shop import Shop


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving(shop.till) as web:
        yield web


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:{port}", "", "127.0.0.1@evil.example",
                                  "evil.example/127.0.0.1", "[::1", "localhost."])  # fmt: skip
def test_a_foreign_name_for_this_address_is_refused(web: Web, host: str) -> None:
    answer = web.get("/healthz", Host=host.format(port=web.port))
    assert answer.status in (400, 421)
    assert b"unsent" not in answer.body


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "LOCALHOST", "[::1]:{port}"])
def test_the_tills_own_names_are_taken(web: Web, host: str) -> None:
    assert web.get("/healthz", Host=host.format(port=web.port)).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost:{port}", "http://127.0.0.1"]
)
def test_a_page_of_another_origin_is_refused(web: Web, origin: str) -> None:
    headers = JSON_HEADERS | {"Origin": origin.format(port=web.port)}
    answer = web.ask("POST", "/v1/identify", b'{"card": "2200000000019"}', headers)
    assert (answer.status, answer.json["type"]) == (403, "/problems/foreign-page")


def test_the_tills_own_page_may_ask(web: Web) -> None:
    headers = JSON_HEADERS | {"Origin": web.url, "Sec-Fetch-Site": "same-origin"}
    assert web.ask("POST", "/v1/identify", b'{"card": "2200000000019"}', headers).status == 200


def test_a_foreign_page_cannot_pull_pictures_but_may_link_to_the_page(web: Web) -> None:
    assert web.get("/v1/receipts/x.png", **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert web.get("/healthz", **{"Sec-Fetch-Site": "same-site"}).status == 403
    assert web.get("/", **{"Sec-Fetch-Site": "cross-site"}).status == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/sales/none", "/static/cashier.js", "/openapi.json", "/nowhere"])
def test_every_answer_wears_the_headers(web: Web, path: str) -> None:
    headers = web.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "GZIP"])
def test_a_compressed_request_is_refused(web: Web, method: str, encoding: str) -> None:
    answer = web.ask(method, "/v1/identify", gzip.compress(b"{}"), JSON_HEADERS | {"Content-Encoding": encoding})
    assert (answer.status, answer.json["type"]) == (415, "/problems/media")
    assert "Content-Encoding" in answer.json["detail"]


def test_an_identity_encoding_is_none(web: Web) -> None:
    headers = JSON_HEADERS | {"Content-Encoding": "identity"}
    assert web.ask("POST", "/v1/identify", b'{"card": "2200000000019"}', headers).status == 200


def test_static_files_do_not_leave_their_folder(web: Web) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"):
        assert web.get(path).status == 404
