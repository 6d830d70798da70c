"""The cash drawer: it opens at most once for each asking, never for a card, never late, never again after a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.fakes import FailingPrinter, WorkingPrinter
from drivers.ports import Delivery, Outcome
from drivers.printer import EscposPrinter
from pos_loyalty.config import PrinterConfig, load_config
from pos_loyalty.engine.model import Tender
from pos_loyalty.errors import ConfigError, ConflictError, StoreFullError
from pos_loyalty.till.drawer import DrawerRequest
from pos_loyalty.till.model import CompleteRequest
from pos_loyalty.till.spool import Spool
from pos_loyalty.wiring import settings, till_store
from pos_loyalty.wiring.printers import transport_of
from tests.shop import CONFIG, Shop

PRINTER = '\n[printer]\nkind = "file"\npath = "paper.bin"\ndrawer = true\n'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path, CONFIG + PRINTER)
    yield shop
    shop.close()


def spool_of(shop: Shop, printer: WorkingPrinter | FailingPrinter) -> Spool:
    return Spool(
        printer, lambda: till_store(settings(shop.config), lambda: shop.now), make=bytes, clock=lambda: shop.now, job_life_s=900
    )


def states(shop: Shop) -> list[str]:
    return [state for (state,) in shop.db.execute("SELECT state FROM drawer_kick ORDER BY id")]


def test_a_sale_in_cash_opens_it_once_and_a_sale_by_card_does_not(shop: Shop) -> None:
    in_cash = replace(shop.ask(), sale_id="cash", complete=True)
    shop.till.authorise(in_cash, "cash")
    shop.till.authorise(in_cash, "cash")
    request = shop.ask()
    by_card = (Tender(kind="card", amount_minor=request.due_minor),)
    shop.till.authorise(replace(request, sale_id="card", tenders=by_card, complete=True), "card")
    shop.sell("later", complete=False)
    assert states(shop) == ["asked"]
    for _ in range(2):
        shop.till.complete("later", CompleteRequest(), "complete later")
    shop.till.complete("later", CompleteRequest(), "complete later by another key")
    assert states(shop) == ["asked", "asked"]
    printer = WorkingPrinter()
    for _ in range(5):
        spool_of(shop, printer).round()
    assert printer.kicks == 2
    assert states(shop) == ["fired", "fired"]


def test_a_cashier_opens_it_once_for_a_key(shop: Shop) -> None:
    asked = DrawerRequest(cashier="C7", reason="change")
    assert shop.till.open_drawer(asked, "k") == shop.till.open_drawer(asked, "k")
    assert states(shop) == ["asked"]


def test_without_a_drawer_nothing_is_asked(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG + PRINTER.replace("drawer = true", ""))
    shop.sell()
    with pytest.raises(ConflictError):
        shop.till.open_drawer(DrawerRequest(cashier="C7"), "k")
    assert states(shop) == []
    shop.close()


def test_a_drawer_that_would_open_late_is_not_told(shop: Shop) -> None:
    shop.sell()
    shop.now += timedelta(seconds=11)
    printer = WorkingPrinter()
    spool_of(shop, printer).round()
    assert (printer.kicks, states(shop)) == (0, ["expired"])


def test_a_refused_kick_is_told_to_the_cashier_and_not_tried_again(shop: Shop) -> None:
    shop.sell()
    spool_of(shop, FailingPrinter()).round()
    assert states(shop) == ["failed"]
    assert any("drawer" in problem for problem in shop.till.health().problems)
    printer = WorkingPrinter()
    spool_of(shop, printer).round()
    assert printer.kicks == 0
    shop.till.open_drawer(DrawerRequest(cashier="C7"), "again")
    spool_of(shop, printer).round()
    assert printer.kicks == 1
    assert not any("drawer" in problem for problem in shop.till.health().problems)


def test_what_was_fired_before_a_crash_is_never_fired_again(shop: Shop) -> None:
    class Dying(WorkingPrinter):
        def pulse(self, fired):  # type: ignore[no-untyped-def]
            fired()
            raise StoreFullError("the end")

    shop.sell()
    spool_of(shop, Dying()).round()
    printer = WorkingPrinter()
    spool_of(shop, printer).round()
    assert (printer.kicks, states(shop)) == (0, ["fired"])


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ('kind = "tcp"\nprofile = "nobody"', "printer.profile"),
        ('kind = "serial"', "printer.path"),
        ('kind = "usb"', "printer.usb_id"),
        ('kind = "windows"', "printer.queue"),
        ('kind = "tcp"\n[printer.fallback]\nkind = "tcp"\ncolumns = 32', "printer.fallback.columns"),
        (
            'kind = "tcp"\n[printer.fallback]\nkind = "tcp"\n[printer.fallback.fallback]\nkind = "tcp"',
            "printer.fallback.fallback",
        ),
    ],
)
def test_a_printer_that_cannot_be_is_one_error_with_its_place(tmp_path: Path, table: str, place: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG + f"\n[printer]\n{table}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=place):
        load_config(path)


def test_a_profile_fills_what_is_not_said(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG + '\n[printer]\nkind = "tcp"\nprofile = "pos-5890"\nslot = 7\n', encoding="utf-8")
    printer = load_config(path).printer
    assert printer is not None
    assert (printer.columns, printer.page, printer.slot, printer.barrier, printer.cutter) == (32, "cp866", 7, "none", False)


class Bursting(WorkingPrinter):
    """A driver with a fault of its own, before or after the drawer's command is noted."""

    def __init__(self, after_firing: bool) -> None:
        super().__init__()
        self.after_firing = after_firing

    def pulse(self, fired: Callable[[], None]) -> Delivery:
        """Breaks."""
        if self.after_firing:
            fired()
        raise ValueError("embedded null byte")


@pytest.mark.parametrize(("after_firing", "state"), [(False, "failed"), (True, "fired")])
def test_a_driver_that_breaks_over_a_kick_stops_no_receipt_and_is_not_asked_twice(
    shop: Shop, after_firing: bool, state: str
) -> None:
    shop.sell()
    printer = Bursting(after_firing)
    spool = spool_of(shop, printer)
    for _ in range(3):
        spool.round()
    assert states(shop) == [state]
    assert len(printer.jobs) == 1 and printer.kicks == 0


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ('kind = "file"\npath = "a\\u0000b"', "printer.path"),
        ('kind = "spooler"\ncommand = ["l\\u0000p"]', "printer.command"),
        ('kind = "tcp"\nhost = "a\\u0000b"', "printer.host"),
        ('kind = "file"\npath = "p"\n[printer.fallback]\nkind = "file"\npath = "q"\ndrawer = true', "printer.fallback.drawer"),
    ],
)
def test_a_config_that_could_not_work_is_refused_at_its_place(tmp_path: Path, keys: str, place: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG + f"\n[printer]\n{keys}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as fault:
        load_config(path)
    assert fault.value.place.endswith(place)


def test_a_path_that_no_system_knows_is_a_printer_that_is_away() -> None:
    config = PrinterConfig(kind="file", path="a\0b")
    delivery = EscposPrinter(config, lambda: transport_of(config)).pulse(lambda: None)
    assert delivery.outcome is Outcome.REFUSED
