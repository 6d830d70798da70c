"""The state machine in its short form, and in its long one: ``make machine`` (``MACHINE=long``, ``MACHINE_RUNS=n`` for more)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace

from pos_loyalty.engine.model import Basket
from pos_loyalty.till import staff
from pos_loyalty.till.model import QuoteRequest, SaleAnswer, SaleRequest
from pos_loyalty.till.returns_model import ReturnRequest
from tests.faults.crashing import MEMBERS, PROGRAMME, CrashingShop, make_template
from tests.faults.machine import ITEMS, NUMBERS, TillMachine
from tests.faults.shopping import GIFT_SKU, basket_of, part_of, sale_book
from tests.faults.wide import FLYERS, WIDE
from tests.faults.wide_machine import WideMachine
from tests.shop import MEMBER

LONG = os.environ.get("MACHINE") == "long"
RUNS = int(os.environ.get("MACHINE_RUNS", "5000" if LONG else "100"))
STEPS = 40
MEMORY_DISK = Path("/dev/shm")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    if not MEMORY_DISK.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=MEMORY_DISK) as made:
        yield Path(made)


@pytest.mark.timeout(36_000 if LONG else 300)
@pytest.mark.parametrize("machine", [TillMachine, WideMachine])
def test_whatever_a_shop_does_the_file_says_what_was_answered(
    machine: type[TillMachine], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "SCRYPT_N", 2)  # PINs are asked for thousands of times
    shop = (WIDE, FLYERS) if machine is WideMachine else (PROGRAMME, ())
    machine.template, machine.folder = make_template(folder / "template", *shop), folder / "till"
    machine.done.clear()
    began = process_time()
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=RUNS,
                stateful_step_count=STEPS,
                derandomize=not LONG,
                database=None,
                deadline=None,
                print_blob=True,
                report_multiple_bugs=False,
                suppress_health_check=tuple(HealthCheck),
                phases=(Phase.generate,) if os.environ.get("MACHINE_SHRINK") == "no" else (Phase.generate, Phase.shrink),
            ),
        )
    finally:
        done = ", ".join(f"{what} {count}" for what, count in sorted(machine.done.items()))
        print(f"\n{machine.done['runs']} runs of up to {STEPS} steps in {process_time() - began:.0f} s of CPU: {done}")
    if not LONG:
        assert machine.done["runs"] >= RUNS


Items = list[tuple[str, int]]
State = tuple[int, dict[tuple[str, str], int], dict[str, int]]


@pytest.mark.timeout(3_600 if LONG else 300)
@pytest.mark.parametrize("programme", [PROGRAMME, WIDE], ids=["plain", "wide"])
def test_a_sale_returned_in_any_split_ends_as_in_one_piece(folder: Path, programme: str) -> None:
    template = make_template(folder / "template", programme)

    @settings(max_examples=RUNS // 10 if LONG else 12, derandomize=not LONG, database=None, deadline=None)
    @given(ITEMS, st.integers(-1, 60_000), ITEMS, st.lists(NUMBERS, min_size=1, max_size=6))
    def law(items: Items, points: int, later: Items, parts: list[int]) -> None:
        goods, next_goods = without_gift_cards(items), without_gift_cards(later)
        one = returned_in(CrashingShop(folder / "one", template), goods, points, next_goods, [])
        many = returned_in(CrashingShop(folder / "many", template), goods, points, next_goods, parts)
        assert one == many

    law()


def without_gift_cards(items: Items) -> Items:
    return [(sku if sku != GIFT_SKU else "bun", amount) for sku, amount in items]


def returned_in(shop: CrashingShop, items: Items, points: int, later: Items, parts: list[int]) -> State:
    """A sale, another that spends what it can, and all of the first one back, the last part as all that is left.

    What was refunded, how the accounts stand, and what each lot holds.
    """
    answer, request = sold(shop, "first", items, points)
    book = sale_book(answer, request, shop_basket(shop, items, points))
    sold(shop, "second", later, 60_000)
    refunded = 0
    for n, number in enumerate(parts):
        lines = part_of(book, number)
        if lines:
            back = shop.till.return_goods("first", ReturnRequest(return_id=f"r{n}", lines=tuple(lines)), f"r{n}")
            refunded += back.refund_minor
            book.back.update({line.line_id: line.quantity_milli for line in back.lines})
    if not book.is_all_back:
        refunded += shop.till.return_goods("first", ReturnRequest(return_id="rest", all=True), "rest").refund_minor
    balances = {(account, unit): amount for account, unit, amount in shop.db.execute("SELECT account, unit, amount FROM balance")}
    lots = dict(shop.db.execute("SELECT id, remaining FROM lot"))
    shop.close()
    assert refunded == answer.quote.due_minor
    return refunded, balances, lots


def shop_basket(shop: CrashingShop, items: Items, points: int) -> Basket:
    return basket_of(items, points, shop.now)


def sold(shop: CrashingShop, sale_id: str, items: Items, points: int) -> tuple[SaleAnswer, SaleRequest]:
    basket = replace(shop_basket(shop, items, points), basket_id=sale_id)
    quote = shop.till.quote(QuoteRequest(basket=basket, card=MEMBERS[MEMBER]))
    assert quote.quote_id is not None
    request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True)
    return shop.till.authorise(request, sale_id), request
