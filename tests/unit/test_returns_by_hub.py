"""Goods that come back in a store with a hub: what only the hub has heard counts, however long head office has been silent.

The hub is its kept facts and the bytes of its answer; how they go over HTTP is in ``test_hub_http.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import ConflictError, HeadOfficeGoneError, InputError
from pos_loyalty.store import outbox, relay
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.till.model import CancelRequest, CompleteRequest, VoidRequest
from pos_loyalty.values import encode
from sync.elsewhere import HubSales
from sync.hub import telling
from sync.wire import Problem, Reply, SaleQuestion
from tests.shop import Shop
from tests.unit.test_returns_elsewhere import TEA, Chain, at_second, back, goods, sell, sums

SALE = SaleName(till="T1", sale_id="sale-1")
JSON = "application/json"


class Hub:
    """What it keeps, and how it answers a question for a sale."""

    def __init__(self, folder: Path) -> None:
        self.relay = relay.open_relay(folder / "relay.db")
        self.is_of_before = self.is_silent = False
        self._heard = dict.fromkeys(("T1", "T2"), 0)

    def hear(self, shop: Shop) -> None:
        """The log of a till since it was heard last."""
        till = shop.till._desk.config.till.id
        sql = "SELECT payload, hash, seq FROM txn WHERE till = ? AND seq > ? ORDER BY seq"
        rows = [(bytes(payload), bytes(hash_), seq) for payload, hash_, seq in shop.db.execute(sql, (till, self._heard[till]))]
        self._heard[till] = rows[-1][2] if rows else self._heard[till]
        with write(self.relay):
            facts, payloads = [fact_of(payload) for payload, _, _ in rows], [payload for payload, _, _ in rows]
            relay.add_facts(self.relay, facts, payloads, [hash_ for _, hash_, _ in rows])

    def forget_sales(self) -> None:
        """As after 90 days, or a hub that is younger than the sale."""
        with write(self.relay):
            self.relay.execute(
                "DELETE FROM kept_fact WHERE CAST(payload AS TEXT) ->> '$.kind' IN ('sale.authorised', 'sale.completed')"
            )

    def sale(self, question: SaleQuestion) -> Reply:
        if self.is_silent:
            raise HeadOfficeGoneError("the hub does not answer (test)")
        if self.is_of_before and question.after:
            refused = Problem(type="urn:pos-loyalty:wire", title="wire", status=422, detail="query.after is unknown")
            return Reply(status=422, content_type="application/problem+json", body=encode(refused))
        return Reply(status=200, content_type=JSON, body=encode(question.fit(telling.sold(self.relay, question))))

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def tills(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path, shop)
    yield made
    made.second.close()
    made.office.db.close()


@pytest.fixture
def hub(tills: Chain, tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path)
    for shop in (tills.first, tills.second):
        shop.till._desk.elsewhere = HubSales(tills.office, lambda: made)  # type: ignore[arg-type, return-value]
    yield made
    made.relay.close()


def cut(tills: Chain) -> None:
    """Head office is silent, and every till has heard from the hub for how long."""
    tills.office.is_silent = True
    for shop in (tills.first, tills.second):
        with write(shop.db):
            outbox.heard(shop.db, shop.now - timedelta(seconds=shop.till._desk.config.head_office.answers_for_s + 60))


def all_back(tills: Chain, return_id: str) -> int:
    """Refunded at the till that sold."""
    return tills.first.till.return_goods("sale-1", back(return_id, all=True), return_id).refund_minor


def test_the_line_cut_goods_that_another_till_took_back_do_not_come_back_at_the_one_that_sold_them(
    tills: Chain, hub: Hub
) -> None:
    sold = sell(tills.first, TEA)
    hub.hear(tills.first)
    cut(tills)
    assert at_second(tills, "r1", all=True).refund_minor == sold.quote.due_minor
    hub.hear(tills.second)
    with pytest.raises((ConflictError, InputError)):
        all_back(tills, "r2")
    with pytest.raises(ConflictError, match="came back already"):
        tills.first.till.void("sale-1", VoidRequest(), "void")


def test_with_neither_hub_nor_head_office_a_till_takes_back_what_it_sold(tills: Chain, hub: Hub) -> None:
    sold = sell(tills.first, TEA)
    cut(tills)
    hub.is_silent = True
    assert all_back(tills, "r1") == sold.quote.due_minor


@pytest.mark.parametrize("has_line", [True, False])
def test_a_return_counts_that_the_hub_keeps_without_the_sale(tills: Chain, hub: Hub, has_line: bool) -> None:
    sell(tills.first, TEA)
    tills.push(tills.first)
    hub.hear(tills.first)
    at_second(tills, "r1", all=True)
    hub.hear(tills.second)
    hub.forget_sales()
    if has_line:
        found = HubSales(tills.office, lambda: hub).sold(SALE)  # type: ignore[arg-type, return-value]
        assert found.sale is not None and [(one.till, one.return_id) for one in found.sale.returns] == [("T2", "r1")]
    else:
        cut(tills)
    with pytest.raises((ConflictError, InputError)):
        all_back(tills, "r2")


def test_so_it_does_for_who_asks_by_the_fiscal_sign_which_a_return_does_not_bear(tills: Chain, hub: Hub) -> None:
    sell(tills.first, TEA, fiscal=Fiscal(fn="99990789", fd="12", fp="77"))
    tills.push(tills.first)
    at_second(tills, "r1", all=True)
    hub.hear(tills.second)
    found = HubSales(tills.office, lambda: hub).sold(FiscalSign(fn="99990789", fd="12", fp="77"))  # type: ignore[arg-type, return-value]
    assert found.sale is not None and [one.return_id for one in found.sale.returns] == ["r1"]


def test_a_return_that_reached_head_office_before_its_sale_counts(tills: Chain, hub: Hub) -> None:
    sell(tills.first, TEA)
    hub.hear(tills.first)
    at_second(tills, "r1", all=True)
    tills.push(tills.second)
    found = HubSales(tills.office, lambda: hub).sold(SALE)  # type: ignore[arg-type, return-value]
    assert found.sale is not None and [one.return_id for one in found.sale.returns] == ["r1"]


def test_nothing_comes_back_of_a_sale_whose_void_only_the_hub_has_heard_of(tills: Chain, hub: Hub) -> None:
    sell(tills.first, TEA)
    tills.push(tills.first)
    hub.hear(tills.first)
    tills.first.till.void("sale-1", VoidRequest(), "void")
    hub.hear(tills.first)
    with pytest.raises(ConflictError):
        at_second(tills, "r1", all=True)
    hub.forget_sales()
    with pytest.raises(ConflictError):
        at_second(tills, "r2", all=True)


def test_points_that_suspense_lent_go_back_to_it_where_the_hub_tells_of_the_sale(tills: Chain, hub: Hub) -> None:
    """The sale was cancelled, its points were spent, and it was paid all the same: these points are nobody's."""
    first = tills.first
    first.till.authorise(replace(first.ask(TEA), sale_id="sale-1", complete=False), "a")
    first.till.cancel("sale-1", CancelRequest(), "c")
    sell(first, goods(("book", 200_000, "1"), redeem="max"), "sale-2")
    first.till.complete("sale-1", CompleteRequest(), "late")
    hub.hear(first)
    tills.push(first)
    tills.pull(tills.second)
    tills.office.is_silent = True
    assert at_second(tills, "r1", all=True).restored_centi == 0
    tills.office.is_silent = False
    tills.push(tills.second)
    tills.pull(tills.second)
    lent = "SELECT coalesce(SUM(amount), 0) FROM balance WHERE account = 'suspense'"
    assert tills.office.rows(lent) == [(0,)]
    assert sums(tills.office.db) == sums(tills.second.db)


def test_a_hub_of_the_version_before_is_asked_as_then(tills: Chain, hub: Hub) -> None:
    sell(tills.first, TEA)
    hub.hear(tills.first)
    tills.office.is_silent = hub.is_of_before = True
    found = HubSales(tills.office, lambda: hub).sold(SALE)  # type: ignore[arg-type, return-value]
    assert found.sale is not None and found.sale.state == "completed"


def test_who_has_heard_more_of_a_sale_tells_how_it_stands(tills: Chain, hub: Hub) -> None:
    """Head office has heard that it was authorised, the hub that it was paid."""
    first = tills.first
    sold = first.till.authorise(replace(first.ask(TEA), sale_id="sale-1", complete=False), "a")
    tills.push(first)
    first.till.complete("sale-1", CompleteRequest(), "paid")
    hub.hear(first)
    assert at_second(tills, "r1", all=True).refund_minor == sold.quote.due_minor
