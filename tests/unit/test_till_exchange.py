"""Exchanges, and returns over HTTP, by command, on paper and over a failing COMMIT: all of it stands, or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pysqlite3 import dbapi2

from pos_loyalty.cli.main import main
from pos_loyalty.engine.model import Basket, Tender
from pos_loyalty.errors import CommitUnknownError, ConflictError, InputError
from pos_loyalty.store import db as store_db
from pos_loyalty.store import prints
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import SaleAnswer, SaleRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Minor
from tests.browser.serving import serving
from tests.shop import CONFIG, MEMBER, OPENING_CENTI, PROGRAMME, Shop, make_basket
from tests.unit.test_till_returns import back, goods, left, sell, take


def exchange(shop: Shop, basket: Basket, given: ReturnRequest, *tenders: Tender, complete: bool = True) -> SaleRequest:
    asked = shop.ask(replace(basket, basket_id="B-new"))
    return replace(asked, sale_id="new", complete=complete, tenders=tenders, returns=given)


def cash(minor: int) -> Tender:
    return Tender(kind="cash", amount_minor=Minor(minor))


def test_dearer_goods_take_the_difference_and_both_facts_stand(shop: Shop) -> None:
    shop.sell()
    request = exchange(shop, goods(("book", 20_000, "1")), back("x1", ("1", "1"), sale_id="sale-1"), cash(6_500))
    answer = shop.till.authorise(request, "exchange")
    assert answer.returned is not None and answer.returned.refund_minor == 13_500
    assert answer.tenders == (cash(6_500), Tender(kind="exchange", amount_minor=Minor(13_500)))
    assert answer.returned.tenders == (Tender(kind="exchange", amount_minor=Minor(13_500)),)
    kinds = [row[0] for row in shop.db.execute("SELECT kind FROM txn ORDER BY seq DESC LIMIT 2")]
    assert kinds == ["sale.completed", "sale.returned"]
    assert shop.db.execute("SELECT COUNT(*) FROM suspense_case").fetchone() == (0,)
    rows = shop.rows()
    assert shop.till.authorise(request, "exchange") == answer and shop.rows() == rows
    assert shop.till.authorise(request, "other key").returned == answer.returned
    assert shop.till.sale("new").returned == answer.returned
    assert verify(shop.db) == ()
    with pytest.raises(InputError, match="this sale was paid by an exchange"):
        shop.till.return_goods("new", back("n1", all=True), "n1")
    assert shop.till.return_goods("new", back("n1", all=True, tenders=(cash(20_000),)), "n1 again").refund_minor == 20_000


def test_cheaper_goods_pay_the_rest_out(shop: Shop) -> None:
    shop.sell()
    request = exchange(shop, goods(("pen", 10_000, "1")), back("x1", ("1", "2"), sale_id="sale-1"))
    answer = shop.till.authorise(request, "exchange")
    assert answer.returned is not None
    assert answer.returned.tenders == (Tender(kind="exchange", amount_minor=Minor(10_000)), cash(17_000))
    assert answer.tenders == (Tender(kind="exchange", amount_minor=Minor(10_000)),)
    wrong = replace(request, sale_id="new-2")
    with pytest.raises(ConflictError, match="became sale new already"):
        shop.till.authorise(wrong, "wrong")
    assert verify(shop.db) == ()


@pytest.mark.parametrize("fault", ["lines", "tenders", "two steps", "points", "goods"])
def test_an_exchange_that_cannot_be_done_writes_nothing(shop: Shop, fault: str) -> None:
    shop.sell()
    given = back("x1", ("1", "1"), sale_id="sale-1")
    basket = goods(("book", 20_000, "1"))
    match fault:
        case "lines":
            given = back("x1", ("1", "3"), sale_id="sale-1")
        case "tenders":
            given = replace(given, tenders=(cash(1),))
        case "points":
            basket = goods(("book", 102_700, "1"), redeem="max")  # 513.50 points, of which the return takes 6.75 back
        case "goods":
            given = replace(given, lines=(), goods=({},))  # type: ignore[arg-type]
    request = exchange(shop, basket, given, cash(1_000_000), complete=fault != "two steps")
    kept = ("attempt", "witness")
    before = {table: rows for table, rows in shop.rows().items() if table not in kept}
    with pytest.raises((InputError, ConflictError)):
        shop.till.authorise(request, "exchange")
    assert {table: rows for table, rows in shop.rows().items() if table not in kept} == before


def test_a_price_that_the_return_changes_is_not_sold(shop: Shop) -> None:
    shop.publish(
        PROGRAMME.replace("version = 1", "version = 2")
        + '[[rule]]\nid = "n"\nthen = [{ do = "counter_add", key = "k" }]\n'
        + '[[rule]]\nid = "third"\nstage = "item"\nwhen = [{ is = "counter", key = "k", n = 3 }]\n'
        + 'then = [{ do = "percent", percent = "100%" }]\n'
    )
    shop.sell()  # two: the third one is free
    request = exchange(shop, goods(("book", 20_000, "1")), back("x1", ("1", "2"), sale_id="sale-1"))
    assert request.due_minor == 0
    with pytest.raises(ConflictError, match="After the return these goods cost otherwise: take the goods back first"):
        shop.till.authorise(request, "exchange")
    take(shop, "x1", all=True)
    assert sell(shop, goods(("book", 20_000, "1")), "new").quote.due_minor == 20_000


def commits_that_fail(monkeypatch: pytest.MonkeyPatch, times: int, *, stands: bool) -> None:
    """Once the till is opened again its first COMMITs report an I/O error, though they stand or not."""
    left_to_fail, left_to_open = [times], [1]

    class Failing(store_db.Connection):
        def execute(self, sql: str, *values: Any) -> Any:
            if sql != "COMMIT" or not left_to_fail[0]:
                return super().execute(sql, *values)
            if left_to_open[0]:
                left_to_open[0] -= 1
                return super().execute(sql, *values)
            left_to_fail[0] -= 1
            if stands:
                super().execute(sql)
            raise dbapi2.OperationalError("disk I/O error")

    real = store_db.dbapi2.connect
    monkeypatch.setattr(store_db.dbapi2, "connect", lambda *args, **named: real(*args, **(named | {"factory": Failing})))


def test_the_answer_stands_over_a_commit_of_unknown_outcome(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sell()
    commits_that_fail(monkeypatch, 1, stands=True)
    shop.reopen()
    assert take(shop, "r1", all=True).refund_minor == 27_000
    assert shop.db.execute("SELECT COUNT(*) FROM sale_return").fetchone() == (1,)
    assert verify(shop.db) == ()


def test_a_commit_that_fails_twice_returns_nothing_and_may_be_tried_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sell()
    before = left(shop)
    commits_that_fail(monkeypatch, 2, stands=False)
    shop.reopen()
    with pytest.raises(CommitUnknownError):
        take(shop, "r1", all=True)
    assert left(shop) == before
    assert take(shop, "r1", all=True).refund_minor == 27_000
    assert verify(shop.db) == ()


def test_over_http_and_by_command(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.sell()
    with serving(shop.till) as web:
        body = {"return_id": "r1", "lines": [{"line_id": "1", "quantity": "1"}]}
        assert web.post("/v1/sales/sale-1/returns", body).status == 400, "a key is needed"
        answer = web.post("/v1/sales/sale-1/returns", body, "k1")
        assert (answer.status, answer.json["refund_minor"]) == (200, 13_500)
        assert web.post("/v1/sales/sale-1/returns", body, "k1").json == answer.json
        assert web.post("/v1/sales/sale-9/returns", body | {"return_id": "r9"}, "k9").status == 404
        assert web.post("/v1/sales/sale-1/returns", body | {"sale_id": "sale-2"}, "k2").status == 422
        much = body | {"return_id": "r3", "lines": [{"line_id": "1", "quantity": "5"}]}
        assert web.post("/v1/sales/sale-1/returns", much, "k3").status == 422
    shop.close()
    asked = ["return", "--config", str(shop.config), "--receipt", "PL1|T1|sale-1", "--return-id", "r2", "--line", "1=1"]
    assert main([*asked, "--json"]) == 0 and main(asked) == 0
    told = capsys.readouterr().out
    first, _, slip = told.partition("\n")
    assert json.loads(first)["is_last"] is True
    assert "ВОЗВРАТ" in slip and "Кофе" in slip and "135,00" in slip and "Баланс" in slip
    with pytest.raises(SystemExit):
        main([*asked[:-1], "1"])
    shop.open()
    assert shop.usable_centi() == OPENING_CENTI and verify(shop.db) == ()


def test_the_slip_goes_to_paper_with_the_return(tmp_path: Path) -> None:
    printed = Shop(tmp_path, CONFIG + f'\n[printer]\nkind = "file"\npath = "{tmp_path}"\n')
    try:
        answer: SaleAnswer = printed.sell(redeem=10_000)
        took = take(printed, "r1", ("1", "1"))
        (job,) = prints.of_receipt(printed.db, took.receipt_no, "return")
        assert (job.state, job.sale_id) == ("queued", None) and took.receipt_no != answer.receipt_no
        assert verify(printed.db) == () and MEMBER
    finally:
        printed.close()


def test_a_name_that_cannot_be_printed_stops_nothing(tmp_path: Path) -> None:
    printed = Shop(tmp_path, CONFIG + f'\n[printer]\nkind = "file"\npath = "{tmp_path}"\n')
    try:
        line = replace(make_basket().lines[0], name="咖啡")
        sell(printed, replace(make_basket(), lines=(line,)))
        took = take(printed, "r1", ("1", "1"))
        assert prints.of_receipt(printed.db, took.receipt_no, "return")[0].state == "queued"
    finally:
        printed.close()
