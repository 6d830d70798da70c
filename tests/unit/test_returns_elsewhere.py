"""Goods of one till's sale come back at another: head office tells what was sold, books both logs, and says where they clash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import ConflictError, HeadOfficeGoneError, NotFoundError, WireError
from pos_loyalty.store import members
from pos_loyalty.store.db import Connection
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.store.sold import NOTHING, SaleFound
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import VoidRequest
from pos_loyalty.till.returns_model import ReturnAnswer, ReturnRequest
from sync.elsewhere import HeadOfficeSales, heard
from sync.local import Here
from tests.shop import CONFIG, MEMBER, OPENING_CENTI, Shop
from tests.simulation.shop import NOW, OFFICE_PUBLIC, HeadOffice, pull_all, push_all, signer_of, token_of
from tests.unit.test_sync_http import Served, served  # noqa: F401 - a fixture
from tests.unit.test_till_returns import COUNTED, back, goods, sell


class Second(Shop):
    """Another till of the same chain: its own ids, and no members but those that head office tells of."""

    def new_id(self) -> UUID:
        return UUID(int=super().new_id().int + (1 << 40))

    def add_member(self, member_id: str, card: str, centi: int) -> None:
        """Nobody."""


class Office(HeadOffice):
    """Head office, as a till asks it for a sale."""

    is_silent = False

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        return heard(lambda: self.sold(name)) if is_line_up else NOTHING

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        if self.is_silent:
            raise HeadOfficeGoneError("head office does not answer (test)")
        with self.store.write():
            return self.store.sold(name)


class Chain:
    """Two tills and head office."""

    def __init__(self, folder: Path, first: Shop) -> None:
        self.office = Office(folder, "allowance")
        (folder / "second").mkdir()
        self.first = first
        self.second = Second(folder / "second", CONFIG.replace('"T1"', '"T2"'), "")
        for shop in (self.first, self.second):
            shop.publish(COUNTED)
            shop.now = NOW
            shop.till._desk.elsewhere = self.office
        self.push(self.first)
        self.pull(self.second)

    def push(self, shop: Shop) -> None:
        assert push_all(self._seen(shop), self.office).trouble is None  # type: ignore[arg-type]

    def pull(self, shop: Shop) -> None:
        pull_all(self._seen(shop), self.office)  # type: ignore[arg-type]

    def cases(self) -> list[str]:
        return [str(row[0]) for row in self.office.rows("SELECT reason FROM suspense_case ORDER BY id")]

    def _seen(self, shop: Shop) -> SimpleNamespace:
        desk = shop.till._desk
        here = Here(
            till=desk.config.till.id,
            master_key=bytes.fromhex(desk.secrets.master_key),
            signer=signer_of(desk.config.till.id),
            head_office_key=OFFICE_PUBLIC,
        )
        return SimpleNamespace(name=desk.config.till.id, db=shop.db, here=here)


@pytest.fixture
def chain(shop: Shop, tmp_path: Path) -> Iterator[Chain]:
    made = Chain(tmp_path, shop)
    yield made
    made.second.close()
    made.office.db.close()


def at_second(chain: Chain, return_id: str, *lines: tuple[str, str], **more: object) -> ReturnAnswer:
    request = replace(back(return_id, *lines, **more), receipt="PL1|T1|sale-1")
    return chain.second.till.return_by_receipt(request, f"key {return_id}")


def sums(db: Connection) -> tuple[object, ...]:
    member = members.by_id(db, MEMBER)
    assert member is not None
    return member.sales, member.owed_centi, sum(lot.centi for lot in member.lots)


TEA = goods(("tea", 9_900, "4"), ("coffee", 15_000, "2"), redeem=10_000)


def test_a_sale_of_another_till_comes_back_and_nothing_is_left(chain: Chain) -> None:
    before = sums(chain.office.db)
    sold = sell(chain.first, TEA)
    chain.push(chain.first)
    chain.pull(chain.second)
    first = at_second(chain, "r1", ("tea", "3"))
    assert (first.sale_till, first.sale_id) == ("T1", "sale-1")
    chain.push(chain.second)
    chain.pull(chain.first)
    rest = chain.first.till.return_goods("sale-1", back("r1", all=True), "rest")
    assert first.refund_minor + rest.refund_minor == sold.quote.due_minor and rest.is_last
    chain.push(chain.first)
    assert chain.cases() == []
    assert sums(chain.office.db) == before
    assert chain.office.rows("SELECT COUNT(*) FROM rule_use UNION ALL SELECT COUNT(*) FROM member_counter") == [(0,), (0,)]
    for db in (chain.office.db, chain.first.db, chain.second.db):
        assert verify(db) == ()
    chain.pull(chain.second)
    assert sums(chain.second.db) == before


def test_the_second_till_knows_what_it_took_back_itself_before_it_is_sent(chain: Chain) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    at_second(chain, "r1", ("tea", "3"))
    assert at_second(chain, "r2", all=True).is_last
    chain.push(chain.second)
    assert chain.cases() == [] and verify(chain.office.db) == ()


def test_without_head_office_another_tills_sale_is_refused_and_ones_own_is_not(chain: Chain) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    chain.pull(chain.first)
    chain.office.is_silent = True
    before = chain.second.rows()
    with pytest.raises(NotFoundError, match="head office cannot be asked"):
        at_second(chain, "r1", ("tea", "1"))
    assert chain.second.rows() == before
    assert chain.first.till.return_goods("sale-1", back("r1", ("tea", "1")), "r1").refund_minor > 0
    chain.office.is_silent = False
    with pytest.raises(NotFoundError, match="known neither here nor at head office"):
        chain.second.till.return_by_receipt(replace(back("r9", ("tea", "1")), receipt="PL1|T1|sale-9"), "r9")


def test_two_tills_that_do_not_hear_of_each_other_make_a_case(chain: Chain) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    at_second(chain, "r1", all=True)
    chain.first.till.return_goods("sale-1", back("r1", all=True), "r1")
    chain.push(chain.second)
    chain.push(chain.first)
    assert "return.more_than_sold" in chain.cases()
    assert verify(chain.office.db) == ()
    member = members.by_id(chain.office.db, MEMBER)
    assert member is not None and member.sales is not None and (member.sales.count, member.sales.spent_minor) == (0, 0)


def test_returns_made_without_one_another_are_told(chain: Chain) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    at_second(chain, "r1", ("coffee", "1"))
    chain.first.till.return_goods("sale-1", back("r1", ("coffee", "1")), "r1")
    chain.push(chain.second)
    chain.push(chain.first)
    assert chain.cases() == ["return.differs"] and verify(chain.office.db) == ()


def test_a_void_of_a_sale_that_came_back_elsewhere_is_refused_or_makes_a_case(chain: Chain) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    at_second(chain, "r1", ("tea", "1"))
    chain.push(chain.second)
    chain.pull(chain.first)
    with pytest.raises(ConflictError, match="take back what is left"):
        chain.first.till.void("sale-1", VoidRequest(), "asked")
    chain.office.is_silent = True
    chain.first.till.void("sale-1", VoidRequest(), "void")
    chain.push(chain.first)
    assert "sale.reversed_after_returns" in chain.cases() and verify(chain.office.db) == ()


def test_a_sale_of_the_same_id_here_is_another_sale(chain: Chain) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    chain.pull(chain.second)
    points = sums(chain.second.db)
    sell(chain.second, replace(TEA, till="T2", basket_id="B9"))
    at_second(chain, "r1", all=True)
    about = chain.second.db.execute("SELECT sale_id FROM txn WHERE kind = 'sale.returned'").fetchone()
    assert about == (None,), "the log's own column names sales of its own till"
    chain.second.till.void("sale-1", VoidRequest(), "void")
    assert chain.second.usable_centi() == OPENING_CENTI and points != sums(chain.second.db)
    chain.push(chain.second)
    assert chain.cases() == [] and verify(chain.second.db) == verify(chain.office.db) == ()
    assert sums(chain.office.db)[2] == OPENING_CENTI


def test_the_return_may_come_before_its_sale(chain: Chain, tmp_path: Path) -> None:
    sell(chain.first, TEA)
    chain.push(chain.first)
    at_second(chain, "r1", ("tea", "3"))
    chain.push(chain.second)
    (tmp_path / "restored").mkdir()
    restored = Office(tmp_path / "restored")
    for shop in (chain.second, chain.first):
        shop.db.execute("UPDATE sync_state SET acked_seq = 0, acked_hash = zeroblob(32)")
    known, chain.office = chain.office, restored
    chain.push(chain.second)
    assert "return.unknown_sale" in chain.cases()
    chain.push(chain.first)
    for table in ("rule_use", "member_counter", "sale_return", "return_line", "sale"):
        select = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
        assert restored.rows(select) == known.rows(select), table
    assert verify(restored.db) == ()
    known.db.close()


def test_points_that_paid_and_come_back_before_their_sale_are_short_nowhere(chain: Chain, tmp_path: Path) -> None:
    """The lot has no room for them, so suspense keeps them until the sale comes and takes them there."""
    rich = goods(("book", 200_000, "1"), redeem="max")
    (tmp_path / "before").mkdir()
    chain.office.db.execute("VACUUM INTO ?", (str(tmp_path / "before" / chain.office.path.name),))
    sell(chain.first, rich)
    chain.push(chain.first)
    at_second(chain, "r1", all=True)
    chain.push(chain.second)
    known, chain.office = chain.office, Office(tmp_path / "before", "allowance")
    for shop in (chain.second, chain.first):
        shop.db.execute("UPDATE sync_state SET acked_seq = 0, acked_hash = zeroblob(32)")
        chain.push(shop)
    assert sorted(chain.cases()) == ["lot.overfilled", "return.unknown_sale"]
    suspense = "SELECT coalesce(SUM(amount), 0) FROM balance WHERE account = 'suspense'"
    left = f"SELECT remaining FROM lot WHERE id = 'opening-{MEMBER}'"
    assert (chain.office.rows(suspense), chain.office.rows(left)) == ([(0,)], known.rows(left))
    assert verify(chain.office.db) == ()
    chain.pull(chain.second)
    sell(chain.first, rich, "sale-2")
    sell(chain.second, replace(rich, till="T2", basket_id="B9"), "sale-2")
    for shop in (chain.first, chain.second):
        chain.push(shop)
    assert chain.cases().count("lot.overdrawn") == 1, "the same points at two tills are still seen"
    known.db.close()


def test_what_suspense_lent_is_repaid_before_the_lot(chain: Chain) -> None:
    rich = goods(("book", 200_000, "2"), redeem="max")
    sell(chain.first, rich)
    second = replace(rich, till="T2", basket_id="B9")
    sell(chain.second, second, "sale-2")  # the same 500 points
    chain.push(chain.first)
    chain.push(chain.second)
    assert chain.cases() == ["lot.overdrawn"]
    suspense = "SELECT coalesce(SUM(amount), 0) FROM balance WHERE account = 'suspense'"
    assert chain.office.rows(suspense) == [(-OPENING_CENTI,)]
    for number in ("1", "2"):
        chain.second.till.return_goods("sale-2", back(f"r{number}", ("book", "1")), f"r{number}")
    chain.push(chain.second)
    assert chain.office.rows(suspense) == [(0,)]
    held = chain.office.rows(f"SELECT remaining FROM lot WHERE id = 'opening-{MEMBER}'")
    assert held == [(0,)], "the first sale keeps what it took"
    assert verify(chain.office.db) == ()


def test_head_office_answers_a_till_over_http(served: Served, chain: Chain) -> None:  # noqa: F811
    sell(chain.first, TEA, fiscal=Fiscal(fn="99990789", fd="12", fp="77"))
    store = served.open()
    chain.office.store, chain.office.db = store, store._db
    chain.first.db.execute("UPDATE sync_state SET acked_seq = 0, acked_hash = zeroblob(32)")
    chain.push(chain.first)
    asking = HeadOfficeSales(served.url, "T2", lambda: token_of("T2"))
    found = asking.sold(SaleName(till="T1", sale_id="sale-1"))
    sale = found.sale
    assert sale is not None and sale.quote.due_minor > 0 and sale.basket.lines == TEA.lines and sale.returns == ()
    assert asking.sold(FiscalSign(fn="99990789", fd="12", fp="077")) == found
    assert asking.sold(SaleName(till="T1", sale_id="sale-9")) == NOTHING
    with pytest.raises(WireError):
        HeadOfficeSales(served.url, "T2", lambda: "wrong").sold(SaleName(till="T1", sale_id="sale-1"))
    with pytest.raises(HeadOfficeGoneError):
        HeadOfficeSales("http://127.0.0.1:9", "T2", lambda: token_of("T2")).sold(SaleName(till="T1", sale_id="sale-1"))
    assert ReturnRequest(return_id="r").lines == ()
