"""Signs that PostgreSQL's text and JSON cannot hold, over every store: a till's fact is refused for none, and all goes on by it.

A host may give any text: the number of a fiscal drive out of a buffer of fixed length ends with U+0000.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.receipt_code import FiscalSign
from pos_loyalty.errors import WireError
from pos_loyalty.store.facts import Enrolment, Fact
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.store.sold import NOTHING
from sync.server.ledger_store import Case, LedgerStore
from tests.contract.test_ledger_stores import fact, open_again, posting, sale, store
from tests.simulation.shop import NOW

__all__ = ["open_again", "store"]
SIGNS = ["\0", "\0\0", "\\\0", "\\u0000", "\\\\u0000\0", "\ue000", "\ue000\ue001", "\ue000\ue002\0", "a\0b"]


def paid(fiscal: Fiscal) -> Fact:
    said = sale(1, "S1")
    assert said.sale is not None
    return replace(said, sale=replace(said.sale, fiscal=fiscal))


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sale_is_found_by_its_fiscal_numbers_whatever_they_are(store: LedgerStore, sign: str) -> None:
    """Its till's log stood still at it for ever: the index over these numbers did not take it."""
    with store.write():
        store.add(posting(store, paid(Fiscal(fn=f"00996{sign}", fd=f"{sign}12", fp=sign))))
    with store.write():
        found = store.sold(FiscalSign(fn=f"996{sign}", fd=f"{sign}12", fp=sign))
        assert found.sale is not None and found.sale.sale_id == "S1"
        assert store.sold(FiscalSign(fn="996", fd="12", fp=sign)) == NOTHING


@pytest.mark.parametrize("sign", SIGNS)
def test_members_are_at_home_where_they_were_enrolled_and_cases_are_shown(store: LedgerStore, sign: str) -> None:
    """No till that asked for rights for this member got any, and nobody saw an open case."""
    said = fact(
        1, kind="member.enrolled", receipt_no=None, member="M1", cashier=f"C{sign}", store=f"S{sign}",
        enrolment=Enrolment(member_id="M1", origin=f"kiosk {sign}"),
    )  # fmt: skip
    booked = replace(posting(store, said), cases=(Case(seq=1, reason="card.taken", detail="of another"),))
    with store.write():
        store.add(booked)
    with store.write():
        assert store.rights.home("M1", NOW + timedelta(days=1)) == f"S{sign}"
        (case,) = store.truth.cases(10)
        assert (case.kind, case.store) == ("member.enrolled", f"S{sign}")


def test_numbers_as_long_as_a_host_likes(store: LedgerStore) -> None:
    """More than a page of an index of PostgreSQL holds."""
    numbers = Random(7).randbytes(6_000).hex()
    with store.write():
        store.add(posting(store, paid(Fiscal(fn=numbers, fd=numbers, fp=numbers))))
    with store.write():
        found = store.sold(FiscalSign(fn=numbers, fd=numbers, fp=numbers))
        assert found.sale is not None and found.sale.sale_id == "S1"
        assert store.sold(FiscalSign(fn=numbers, fd=numbers, fp=numbers[:-1])) == NOTHING


def test_a_receipt_number_without_end_is_the_tills_fault_and_not_the_servers(store: LedgerStore) -> None:
    """Kept, or refused by a word that the till tells a person: not as if the database could not take it now."""
    with suppress(WireError), store.write():
        store.add(posting(store, fact(1, receipt_no=Random(8).randbytes(6_000).hex())))


def test_a_batch_of_such_sales_is_booked_like_one_after_the_other(store: LedgerStore) -> None:
    """Over PostgreSQL it is booked beside the database and copied."""
    signs = SIGNS * 2
    said = [replace(sale(n, f"S{n}{sign}"), cashier=f"C{sign}") for n, sign in enumerate(signs, 1)]
    numbered = [
        replace(one, sale=replace(one.sale, fiscal=Fiscal(fn="1", fd="2", fp=f"{n}{signs[n - 1]}")))
        for n, one in enumerate(said, 1)
        if one.sale is not None
    ]
    with store.write():
        store.expect(numbered)
        for one in numbered:
            store.add(posting(store, one))
    with store.write():
        for n, sign in enumerate(signs, 1):
            found = store.sold(FiscalSign(fn="1", fd="2", fp=f"{n}{sign}"))
            assert found.sale is not None and found.sale.sale_id == f"S{n}{sign}"
        assert store.hash_at("T1", 1, len(signs)) is not None
