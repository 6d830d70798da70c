"""The till's HTTP over a real till: routes, problem documents, keys, limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.browser.serving import JSON_HEADERS, Web, serving
from tests.shop import CARD, CONFIG, MEMBER, NOW, Shop

PROBLEM = "application/problem+json"
LINE = {"line_id": "1", "sku": "4601", "name": "Кофе", "quantity": "2", "price_minor": 15_000, "category": "drinks/coffee"}
BASKET: dict[str, Any] = {
    "basket_id": "B1", "store": "S1", "till": "T1", "cashier": "C7", "opened_at": "2026-11-21T12:30:05+03:00", "currency": "RUB",
    "lines": [LINE],
}  # fmt: skip


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving(shop.till, shop.till.rule_titles) as web:
        yield web


def quoted(web: Web, **more: object) -> dict[str, Any]:
    answer = web.post("/v1/quote", {"basket": BASKET | more, "member_id": MEMBER})
    assert answer.status == 200, answer.body
    quote = answer.json
    assert isinstance(quote, dict)
    return quote


def sale_of(quote: dict[str, Any], sale_id: str = "K1-000001") -> dict[str, Any]:
    due = quote["due_minor"]
    tenders = [{"kind": "cash", "amount_minor": due}]
    return {"sale_id": sale_id, "quote_id": quote["quote_id"], "due_minor": due, "tenders": tenders}


def refused(web: Web, body: object, status: int, path: str = "/v1/quote", key: str | None = None) -> dict[str, Any]:
    answer = web.post(path, body, key)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert problem["title"] and problem["detail"]
    assert "Traceback" not in answer.body.decode() and ".py" not in answer.body.decode()
    assert isinstance(problem, dict)
    return problem


def test_a_member_is_enrolled_changed_and_given_another_card(web: Web) -> None:
    asked = {"card": "2200000000026", "phone": "+79161234567", "consents": ["data", "advertising"], "origin": "till"}
    member = web.post("/v1/members", asked, "k1").json
    assert (member["phone"], member["consents"]) == ("unverified", ["advertising", "data"])
    path = f"/v1/members/{member['member_id']}"
    withdrawn = {"change": "consent", "purpose": "advertising", "given": False}
    assert web.post(f"{path}/changes", {"changes": [withdrawn]}, "k2").json["consents"] == ["data"]
    cards = web.post(f"{path}/cards", {"lost": "2200000000026", "card": "2200000000033"}, "k3").json["cards"]
    assert [(card["card"][-4:], card["state"]) for card in cards] == [("0026", "lost"), ("0033", "active")]
    assert web.get(path).json["cards"] == cards
    assert web.post("/v1/identify", {"card": "2200000000033"}).json["member_id"] == member["member_id"]
    refused(web, {}, 409, f"{path}/codes", "k4")
    refused(web, {"code": "12"}, 422, f"{path}/codes/verify", "k5")
    refused(web, {"code": "123456"}, 404, f"{path}/codes/verify", "k6")
    refused(web, {"changes": [{"change": "erased"}]}, 422, f"{path}/changes", "k7")
    assert web.get("/v1/members/nobody").status == 404


def test_a_sale_goes_from_card_to_receipt(web: Web, shop: Shop) -> None:
    member = web.post("/v1/identify", {"card": CARD}).json
    assert (member["member_id"], member["balance_centi"]) == (MEMBER, 50_000)
    assert CARD not in json.dumps(member)
    quote = quoted(web, redeem=10_000)
    assert (quote["gross_minor"], quote["total_minor"], quote["due_minor"]) == (30_000, 27_000, 17_000)
    sale = web.post("/v1/sales", sale_of(quote), "k1")
    assert (sale.status, sale.json["state"]) == (200, "authorised")
    assert web.get("/healthz").json["unfinished_sales"] == ["K1-000001"]
    done = web.ask("POST", "/v1/sales/K1-000001/complete", headers={"Idempotency-Key": "k2"})
    assert (done.status, done.json["state"]) == (200, "completed")
    assert web.get("/v1/sales/K1-000001").json == done.json
    number = done.json["receipt_no"]
    for language, word in (("ru", "К ОПЛАТЕ"), ("en", "TO PAY")):
        text = web.get(f"/v1/receipts/K1-000001.txt?language={language}").body.decode()
        assert number in text and word in text
    picture = web.get("/v1/receipts/K1-000001.png")
    assert (picture.headers["content-type"], picture.body[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert web.post("/v1/sales/K1-000001/void", {"reason": "проба"}, "k3").json["state"] == "reversed"
    assert shop.usable_centi() == 50_000


def test_cancel_gives_points_back(web: Web, shop: Shop) -> None:
    web.post("/v1/sales", sale_of(quoted(web, redeem="max")), "k1")
    assert shop.usable_centi() < 50_000
    assert web.post("/v1/sales/K1-000001/cancel", {"reason": "карта отклонена"}, "k2").json["state"] == "cancelled"
    assert shop.usable_centi() == 50_000


def test_a_bare_basket_is_quoted_without_a_member(web: Web) -> None:
    quote = web.post("/v1/quote", BASKET).json
    assert (quote["member_id"], quote["total_minor"]) == (None, 27_000)


def test_the_same_post_again_gives_the_same_answer(web: Web) -> None:
    request = sale_of(quoted(web))
    first = web.post("/v1/sales", request, "k1")
    assert web.post("/v1/sales", request, "k1").json == first.json
    problem = refused(web, request | {"due_minor": 1}, 409, "/v1/sales", "k1")
    assert problem["type"] == "/problems/conflict"


def test_a_stale_quote_brings_the_new_one(web: Web, shop: Shop) -> None:
    request = sale_of(quoted(web))
    before = shop.rows()["txn"]
    problem = refused(web, request | {"due_minor": 1}, 409, "/v1/sales", "k1")
    assert problem["type"] == "/problems/quote-stale"
    assert problem["quote"]["due_minor"] == request["due_minor"]
    assert problem["quote"]["quote_id"] != request["quote_id"]
    assert shop.rows()["txn"] == before
    again = web.post("/v1/sales", sale_of(problem["quote"]), "k2")
    assert again.json["state"] == "authorised"


WRITING = ("/v1/sales", "/v1/sales/S/complete", "/v1/sales/S/cancel", "/v1/sales/S/void", "/v1/members", "/v1/receipts/S/print")


@pytest.mark.parametrize("key", [None, "", "k" * 129, "ключ".encode().decode("latin-1"), "a\tb"])
def test_writing_needs_a_key_that_fits(web: Web, key: str | None) -> None:
    for path in WRITING:
        problem = refused(web, {}, 400, path, key)
        assert "Idempotency-Key" in problem["detail"]


def test_the_longest_key_fits(web: Web) -> None:
    assert web.post("/v1/sales", sale_of(quoted(web)), "~" * 127 + " !"[1]).status == 200


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"lines": [LINE | {"price_minor": -1}]}, "lines[0].price_minor"),
        ({"lines": [LINE | {"price_minor": 150.0}]}, "lines[0].price_minor"),
        ({"lines": [LINE | {"quantity": "1e3"}]}, "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": 2}]}, "lines[0].quantity"),
        ({"lines": [LINE | {"quantity": "-2"}]}, "lines[0].quantity"),
        ({"lines": [LINE | {"colour": "red"}]}, "lines[0]"),
        ({"currency": "USD"}, "currency"),
        ({"opened_at": "2026-11-21T12:30:05"}, "opened_at"),
        ({"lines": [LINE, LINE]}, "lines"),
        ({"lines": "no"}, "lines"),
    ],
)
def test_bad_input_names_the_place(web: Web, change: dict[str, Any], place: str) -> None:
    problem = refused(web, {"basket": BASKET | change}, 422)
    assert problem["type"] == "/problems/input"
    assert place in problem["place"]


@pytest.mark.parametrize("is_bare", [True, False])
def test_ten_thousand_lines_are_one_clear_sentence(web: Web, is_bare: bool) -> None:
    basket = BASKET | {"lines": [LINE | {"line_id": str(n)} for n in range(10_000)]}
    problem = refused(web, basket if is_bare else {"basket": basket}, 422)
    assert problem["place"] == "basket.lines"
    assert "10000 lines are too many" in problem["detail"]
    assert web.post("/v1/quote", BASKET).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b'{"basket":'])
def test_what_is_not_json_is_a_malformed_request(web: Web, body: bytes) -> None:
    answer = web.ask("POST", "/v1/quote", body, JSON_HEADERS)
    assert (answer.status, answer.json["type"]) == (400, "/problems/request")


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b"{}", b'{"basket": 3}', b'{"lines": []}', b"[" * 100_000, b'"\xff"'])
def test_json_of_another_shape_is_bad_input(web: Web, body: bytes) -> None:
    answer = web.ask("POST", "/v1/quote", body, JSON_HEADERS)
    assert (answer.status, answer.json["type"]) == (422, "/problems/input")


def test_more_than_four_mebibytes_are_not_read(web: Web) -> None:
    size = 4 * 1024 * 1024
    at_the_edge = web.ask("POST", "/v1/quote", b" " * size, JSON_HEADERS)
    assert at_the_edge.status == 400
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    connection.putrequest("POST", "/v1/quote")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(size + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["type"]) == (413, "/problems/too-large")
    connection.close()


def test_a_body_without_a_length_is_limited_too(web: Web) -> None:
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    chunk = b"x" * (1024 * 1024)
    connection.putrequest("POST", "/v1/quote")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for _ in range(4):
        connection.send(b"100000\r\n" + chunk + b"\r\n")
    connection.send(b"1\r\nx\r\n")
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()


def test_only_json_is_taken(web: Web) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert web.ask("POST", "/v1/quote", b"{}", form).status == 415
    with_charset = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert web.ask("POST", "/v1/quote", json.dumps(BASKET).encode(), with_charset).status == 200


def test_what_is_not_here_is_not_found(web: Web) -> None:
    unknown_card = refused(web, {"card": "2200000000033"}, 404, "/v1/identify")
    assert unknown_card["type"] == "/problems/not-found"
    assert "2200000000033" not in json.dumps(unknown_card)
    for path in ("/v1/sales/none", "/v1/receipts/none.txt", "/v1/receipts/none.png", "/v2/quote", "/v1/sales/a%2Fb/c"):
        answer = web.get(path)
        assert (answer.status, answer.headers["content-type"]) == (404, PROBLEM), path
    method = web.get("/v1/quote")
    assert (method.status, method.json["type"], method.headers["allow"]) == (405, "/problems/method", "POST")


def test_titles_speak_the_language_that_is_accepted(web: Web) -> None:
    body = {"card": "2200000000033"}
    assert web.post("/v1/identify", body, **{"Accept-Language": "ru-RU,ru;q=0.9"}).json["title"] == "Не найдено."
    assert web.post("/v1/identify", body).json["title"] == "Not found."


def test_a_receipt_only_speaks_the_languages_of_the_shop(web: Web) -> None:
    web.post("/v1/sales", sale_of(quoted(web)) | {"complete": True}, "k1")
    assert web.get("/v1/receipts/K1-000001.txt?language=de").json["place"] == "language"


def test_enrolment_makes_a_member(web: Web) -> None:
    card = "2200000000026"
    member = web.post("/v1/members", {"card": card, "name": "Анна", "phone": "+79161234567", "consents": ["data"]}, "k1")
    assert member.status == 200, member.body
    assert "Анна" not in member.body.decode()
    found = web.post("/v1/identify", {"phone": "+79161234567"})
    assert found.json["member_id"] == member.json["member_id"]


def test_a_copy_of_a_receipt_is_queued_once_for_one_key(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(CONFIG + f'[printer]\nkind = "file"\npath = "{tmp_path}/paper"\n')
    with serving(shop.till) as web:
        web.post("/v1/sales", sale_of(quoted(web)) | {"complete": True}, "k1")
        answers = [web.post("/v1/receipts/K1-000001/print", {"language": "en"}, "k2") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200], answers
    assert [answer.json["copy"] for answer in answers] == [1, 1]


def test_a_copy_of_a_returns_slip_is_queued_and_marked(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    shop = make_shop(CONFIG + f'[printer]\nkind = "file"\npath = "{tmp_path}/paper"\n')
    with serving(shop.till) as web:
        web.post("/v1/sales", sale_of(quoted(web)) | {"complete": True}, "k1")
        back = {"return_id": "R1", "all": True, "cashier": "C7"}
        assert web.post("/v1/sales/K1-000001/returns", back, "k2").status == 200
        answers = [web.post("/v1/returns/R1/print", {"language": "en"}, key) for key in ("k3", "k3", "k4")]
        assert [(answer.json["kind"], answer.json["copy"]) for answer in answers] == [("return", 1), ("return", 1), ("return", 2)]
        assert web.post("/v1/returns/R9/print", {}, "k5").status == 404
    bodies = [body for (body,) in shop.db.execute("SELECT body FROM print_job WHERE kind = 'return' ORDER BY copy")]
    assert [b"COPY" in body for body in bodies] == [False, True, True]
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (1,)


def test_a_member_is_erased_over_http_by_a_senior(shop: Shop) -> None:
    senior, path = shop.senior(), f"/v1/members/{MEMBER}/erase"
    word = {"person": senior.person, "pin": senior.pin}
    with serving(shop.till) as web:
        assert web.post(path, {"by": word | {"pin": "0000"}}, "e1").json["type"] == "/problems/wrong-pin"
        assert web.post("/v1/members/nobody/erase", {"by": word}, "e2").status == 404
        erased = web.post(path, {"by": word, "reason": "asked"}, "e3")
        assert erased.status == 200 and erased.json == {"member_id": MEMBER, "is_clean": True}
        assert web.post(path, {"by": word, "reason": "asked"}, "e3").json == erased.json
        assert web.post("/v1/identify", {"card": CARD}).status in (404, 409)
    assert shop.till.acts().acts[0].by == senior.person


def test_what_is_kept_of_answers_about_a_member_is_found_without_a_look_at_every_answer(shop: Shop) -> None:
    """The till sells while it erases: a file may keep millions of answers."""
    from pos_loyalty.store.profiles import BLANK_UPDATE

    plan = " ".join(row[3] for row in shop.db.execute(f"EXPLAIN QUERY PLAN {BLANK_UPDATE}", {"member": MEMBER}))
    assert "idempotency_by_member" in plan and "SCAN" not in plan


def test_a_quote_is_decided_at_its_own_time(web: Web) -> None:
    assert quoted(web)["at"] == NOW.isoformat().replace("+00:00", "Z") or quoted(web)["at"].startswith("2026-11-21T")


def test_an_act_is_done_over_http_and_stands_on_the_page(shop: Shop) -> None:
    from pos_loyalty.till import staff

    for person, role in (("C7", "cashier"), ("S1", "senior")):
        staff.add(shop.db, person, role, "4321", shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    body = {"centi": 1250, "reason": "<b>till was down", "by": {"person": "C7", "pin": "4321"}}
    two = body | {"approval": {"person": "S1", "pin": "4321"}}
    with serving(shop.till) as web:
        path = f"/v1/members/{MEMBER}/adjustments"
        assert web.post(path, body, key="a0").json["type"] == "/problems/not-allowed"
        assert web.post(path, two, key="a1").status == 200
        assert "4321" not in web.post(path, two | {"by": {"person": "C7", "pin": "12"}}, key="a2").json["detail"]
        told = web.get("/v1/acts").json["acts"]
        page = web.get("/manager/acts?language=en").body.decode()
    assert [(each["by"], each["approved_by"], each["centi"]) for each in told][:1] == [("C7", "S1", 1250)]
    assert "+12.50" in page and "Points by hand" in page
    assert "<b>" not in page and "<script" not in page
