"""Sales as rows: what a fact makes of them, how they end, and what is kept for a retry."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import LotUse, Tender
from pos_loyalty.errors import NotFoundError, StoreError
from pos_loyalty.store import ledger, outbox, sales
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import SaleEnd, SaleFact
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.values import Minor, Points
from tests.unit.store_facts import NOW, accrue, end_draft, release, sale_draft, sell, settle, till_store, uuid_of


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    return till_store(tmp_path / "till.db")


def _authorise(db: Connection, n: int, member: str | None = None, uses: tuple[LotUse, ...] = (), offline: int = 0) -> None:
    draft = sale_draft(n, member, uses, completed=False)
    assert isinstance(draft.body, SaleFact)
    draft = replace(draft, body=replace(draft.body, offline_centi=Points(offline)))
    with write(db):
        sales.add(db, ledger.append(db, draft, NOW))


def _end(db: Connection, fact: int, sale: int, kind: str, entries: tuple[object, ...] = (), **end: object) -> None:
    draft = end_draft(fact, sale, kind, entries)  # type: ignore[arg-type]
    assert isinstance(draft.body, SaleEnd)
    draft = replace(draft, body=replace(draft.body, **end))
    with write(db):
        sales.end(db, ledger.append(db, draft, NOW + timedelta(seconds=fact)))


def test_a_sale_reads_back_as_it_was_sold(db: Connection) -> None:
    fact = sell(db, 1, "M1", lines=3)
    stored = sales.by_id(db, "T1", "sale-1")
    assert stored is not None and fact.sale is not None
    assert (stored.basket, stored.quote, stored.tenders) == (fact.sale.basket, fact.sale.quote, fact.sale.tenders)
    assert (stored.txn, stored.state, stored.receipt_no, stored.accrued_centi) == (uuid_of(1), "completed", "T1-1-000001", 500)
    assert stored.authorised_at == stored.ended_at == NOW + timedelta(seconds=1)
    assert sales.by_receipt(db, "T1", "T1-1-000001") == stored
    assert sales.by_id(db, "T2", "sale-1") is None and sales.by_receipt(db, "T1", "T1-1-000002") is None


def test_rows_of_a_sale_are_integers_that_add_up(db: Connection) -> None:
    sell(db, 1, "M1", lines=3)
    sums = db.execute(
        "SELECT COUNT(*), SUM(gross_minor), SUM(net_minor), SUM(quantity_milli), SUM(cost_minor) FROM sale_line"
    ).fetchone()
    assert sums == (3, 45000, 40500, 3000, 27000)
    assert db.execute("SELECT rule, SUM(off_minor) FROM adjustment").fetchone() == ("ten", 4500)
    row = db.execute("SELECT gross_minor, total_minor, due_minor, biz_day, ts_s, member FROM sale").fetchone()
    assert row == (45000, 40500, 40500, 20_778, int(NOW.timestamp()), "M1")


def test_completing_moves_a_sale_once(db: Connection) -> None:
    _authorise(db, 1, "M1")
    stored = sales.by_id(db, "T1", "sale-1")
    assert stored is not None and (stored.state, stored.ended_at, stored.accrued_centi) == ("authorised", None, 0)
    assert sales.unfinished(db) == ("sale-1",)
    card = (Tender(kind="card", amount_minor=Minor(27000)),)
    _end(db, 2, 1, "sale.completed", (accrue("M1", "L", 500),), tenders=card, fiscal=Fiscal(fn="1", fd="2", fp="3"))
    _end(db, 3, 1, "sale.completed", tenders=())
    stored = sales.by_id(db, "T1", "sale-1")
    assert stored is not None and stored.fiscal is not None
    assert (stored.state, stored.tenders, stored.fiscal.fd, stored.accrued_centi) == ("completed", card, "2", 500)
    assert stored.ended_at == NOW + timedelta(seconds=2)
    assert sales.unfinished(db) == ()


def test_an_end_without_tenders_or_fiscal_keeps_those_of_the_sale(db: Connection) -> None:
    _authorise(db, 1)
    before = sales.by_id(db, "T1", "sale-1")
    _end(db, 2, 1, "sale.completed")
    after = sales.by_id(db, "T1", "sale-1")
    assert before is not None and after is not None and before.tenders
    assert (after.tenders, after.fiscal) == (before.tenders, before.fiscal)


def test_a_reversed_sale_stays_reversed(db: Connection) -> None:
    sell(db, 1)
    _end(db, 2, 1, "sale.reversed")
    _end(db, 3, 1, "sale.completed")
    _end(db, 4, 1, "sale.cancelled")
    stored = sales.by_id(db, "T1", "sale-1")
    assert stored is not None and (stored.state, stored.ended_at) == ("reversed", NOW + timedelta(seconds=2))


def test_money_that_comes_after_a_cancel_completes_the_sale(db: Connection) -> None:
    _authorise(db, 1)
    _end(db, 2, 1, "sale.cancelled")
    _end(db, 3, 1, "sale.completed")
    stored = sales.by_id(db, "T1", "sale-1")
    assert stored is not None and stored.state == "completed"


def test_the_end_of_a_sale_that_is_not_here_is_refused(db: Connection) -> None:
    with pytest.raises(NotFoundError):
        _end(db, 1, 9, "sale.completed")
    assert ledger.head(db).seq == 0


def test_offline_points_count_for_the_day_until_given_back(db: Connection) -> None:
    with write(db):
        ledger.append(
            db, ledger.Draft(id=uuid_of(90), kind="points.adjusted", store="S1", entries=(accrue("M1", "L", 900),)), NOW
        )
    use = (LotUse(lot_id="L", centi=Points(300)),)
    _authorise(db, 1, "M1", use, offline=300)
    _authorise(db, 2, "M1", use, offline=300)
    assert (sales.offline_used(db, "M1", NOW), sales.offline_unsent(db)) == (600, 600)
    assert (sales.offline_used(db, "M1", NOW + timedelta(days=1)), sales.offline_used(db, "M2", NOW)) == (0, 0)
    _end(db, 3, 1, "sale.cancelled", (release("M1", "L", 300, "T1/sale-1"),))
    _end(db, 4, 2, "sale.completed", (settle("M1", "L", 300, "T1/sale-2"),))
    assert (sales.offline_used(db, "M1", NOW), sales.offline_unsent(db)) == (300, 300)
    last = ledger.head(db)
    with write(db):
        outbox.acked(db, last.seq, last.hash)
    assert (sales.offline_used(db, "M1", NOW), sales.offline_unsent(db)) == (300, 0)


def test_an_attempt_keeps_its_id_for_other_content(db: Connection) -> None:
    assert sales.attempt(db, "s") is None
    with write(db):
        sales.put_attempt(db, sale_id="s", txn=uuid_of(1), content_hash=b"1" * 32, now=NOW)
    with write(db):
        sales.put_attempt(db, sale_id="s", txn=uuid_of(2), content_hash=b"2" * 32, now=NOW + timedelta(days=1))
    kept = sales.attempt(db, "s")
    assert kept is not None
    assert (kept.txn, kept.content_hash, kept.opened_at) == (uuid_of(1), b"2" * 32, NOW)


def test_an_answer_is_kept_as_it_was_given(db: Connection) -> None:
    with write(db):
        sales.keep_answer(db, key="k", verb="sale", body_hash=b"h", answer=b"{}", now=NOW)
    kept = sales.answer(db, "k")
    assert kept is not None and (kept.verb, kept.body_hash, kept.answer) == ("sale", b"h", b"{}")
    assert sales.answer(db, "other") is None
    with pytest.raises(StoreError), write(db):
        sales.keep_answer(db, key="k", verb="sale", body_hash=b"x", answer=b"[]", now=NOW)
