"""A reset at every byte that goes to the printer, kill -9 of the worker at every state, a printer that comes and goes while 100
sales run: a receipt is on paper once or visible as uncertain, never twice without «КОПИЯ», and the drawer opens at most once.

The short form runs here: every 61st byte, and every 4th of the barrier. ``make print-faults`` takes every byte and prints the
tables of docs/testing.md.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from drivers.printer import EscposPrinter
from drivers.transport_tcp import TcpTransport
from pos_loyalty.clock import utc_now
from pos_loyalty.till.drawer import DrawerRequest
from pos_loyalty.till.spool import Spool
from pos_loyalty.till.unmade import SlipMaker
from pos_loyalty.wiring import settings, till_store
from tests.emulators.tcp_printer import TcpPrinter
from tests.faults.paper import copy_what_is_uncertain, jobs_of, judge, on_paper, settle, shop_with, table
from tests.faults.paper_worker import PLACES
from tests.shop import Shop

IS_LONG = os.environ.get("PRINT_FAULTS") == "long"
STEP, BARRIER_STEP, SEED = (1, 1, 0) if IS_LONG else (61, 4, 20261122)
"""Each reset waits for some late answers, half a second in all: the short form is to end within 12 s."""
STATUS_BYTES, SYNC_BYTES, MACRO_BYTES, BARRIER_BYTES, KICK_BYTES = 9, 4 * 3 + 19 + 4 * 3, 12, 5 + 9, 5
"""Four questions clear the line, then it is asked about macros, and four questions more. A barrier is a macro before the receipt,
what runs it behind, and the three questions of the challenge."""
KILLED_BYTES = (1, 40, 200)
STATUS_WAIT_S = 1.0
"""A reset ends a wait at once; only a machine under load comes near this."""
SALES = 100


def spool_of(shop: Shop, ack_wait_s: float = 2.0, status_wait_s: float = STATUS_WAIT_S) -> Spool:
    known = settings(shop.config)
    config = known.config.printer
    assert config is not None
    printer = EscposPrinter(config, lambda: TcpTransport(config), status_wait_s=status_wait_s, ack_wait_s=ack_wait_s)
    make = SlipMaker(known.config)
    return Spool(printer, lambda: till_store(known, utc_now), make=make, clock=utc_now, job_life_s=config.job_life_s)


def sold(shop: Shop, sale_id: str) -> str:
    shop.now = utc_now()
    return shop.sell(sale_id).receipt_no


def places(before: int, after: int, last: int, forgets: bool) -> list[int]:
    """Where to reset: the first and the last byte of the status, of the receipt and of its barrier, and every so many between."""
    chance = Random(SEED + forgets)
    edges = {1, before, before + 1, after, after + 1, last}
    begin, barrier_begin = 1 + chance.randrange(STEP), after + 1 + chance.randrange(BARRIER_STEP)
    return sorted({*edges, *range(begin, after, STEP), *range(barrier_begin, last, BARRIER_STEP)})


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("forgets", [False, True], ids=["prints what came", "loses what came"])
def test_a_reset_at_every_byte(tmp_path: Path, forgets: bool) -> None:
    rows: dict[str, Counter[str]] = {name: Counter() for name in ("its status", "the receipt", "its barrier")}
    with TcpPrinter() as printer:
        shop = shop_with(tmp_path, printer.port, "drawer_at_cash = false\n")
        sold(shop, "measure")
        settle(spool_of(shop), shop.db)
        before, size = STATUS_BYTES + SYNC_BYTES, MACRO_BYTES + len(printer.jobs[0])
        last = before + size + BARRIER_BYTES - 1  # after the very last byte the answer may be out already
        for count in places(before, before + size, last, forgets):
            sale_id = f"reset-{count}"
            receipt_no = sold(shop, sale_id)
            printer.reset_at_any, printer.forgets = count, forgets
            spool = spool_of(shop)
            settle(spool, shop.db)
            if copy_what_is_uncertain(shop, sale_id):
                settle(spool, shop.db)
            state, unmarked, marked, _ = judge(printer, shop, receipt_no)
            assert unmarked + marked >= 1, f"{receipt_no} is lost"
            assert (state == "printed") == (count <= before)
            where = "its status" if count <= before else "its barrier" if count > before + size else "the receipt"
            rows[where].update(("resets", f"unmarked {unmarked}", f"marked {marked}", state))
        shop.close()
    print(table(f"reset at every {STEP}. byte; the printer {'loses' if forgets else 'prints'} what came", list(rows.items())))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("loses", [0, 60] if IS_LONG else [30])
def test_a_moment_without_power_at_every_byte_while_the_line_stays(tmp_path: Path, loses: int) -> None:
    """As behind a print server. On paper whole means: every byte of the stored receipt since the power came back."""
    rows: dict[str, Counter[str]] = {name: Counter() for name in ("its status", "the receipt", "its barrier")}
    with TcpPrinter() as printer:
        shop = shop_with(tmp_path, printer.port, "drawer_at_cash = false\n")
        sold(shop, "measure")
        settle(spool_of(shop), shop.db)
        before, size = STATUS_BYTES + SYNC_BYTES, MACRO_BYTES + len(printer.jobs[0])
        reached = places(before, before + size, before + size + BARRIER_BYTES - 1, bool(loses))
        for count in reached if IS_LONG else reached[::2]:
            sale_id, shown = f"blip-{count}", len(printer.jobs)
            sold(shop, sale_id)
            printer.blip_at, printer.blip_loses = count, loses
            settle(spool_of(shop, 0.5, 0.4), shop.db)
            printer.blip_at = None
            if copy_what_is_uncertain(shop, sale_id):
                settle(spool_of(shop), shop.db)
            jobs = shop.db.execute("SELECT state, body FROM print_job WHERE sale_id = ? ORDER BY id", (sale_id,)).fetchall()
            original, *copies = [sum(bytes(job) in paper for paper in printer.jobs[shown:]) for _, job in jobs]
            state = str(jobs[0][0])
            assert original <= 1 and original + sum(copies) >= 1, f"{sale_id} is lost or doubled"
            assert original == 1 or state == "uncertain", f"{sale_id} is {state} and torn"
            where = "its status" if count <= before else "its barrier" if count > before + size else "the receipt"
            rows[where].update(("blips", f"unmarked {original}", f"marked {sum(copies)}", state))
        shop.close()
    print(table(f"power gone for a moment at every {STEP}. byte, {loses} bytes lost", list(rows.items())))


@pytest.mark.timeout(600)
def test_a_reset_at_every_byte_of_a_kick(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    with TcpPrinter() as printer:
        shop = shop_with(tmp_path, printer.port, "drawer_at_cash = false\n")
        for count in range(1, STATUS_BYTES + KICK_BYTES + 2):
            before = printer.kicks
            shop.now = utc_now()
            shop.till.open_drawer(DrawerRequest(cashier="C7"), f"kick-{count}")
            printer.reset_at_any = count
            spool = spool_of(shop)
            for _ in range(3):
                spool.round()
            printer.reset_at_any = None
            kick = shop.db.execute("SELECT state FROM drawer_kick ORDER BY id DESC LIMIT 1").fetchone()[0]
            kicks = printer.kicks - before
            assert kicks == int(count >= STATUS_BYTES + KICK_BYTES)
            assert kick == ("fired" if count > STATUS_BYTES else "failed") or count == STATUS_BYTES
            counts.update(("resets", f"kicks {kicks}", f"drawer {kick}"))
        shop.close()
    print(table("reset at every byte while the drawer is told", [("the drawer", counts)]))


@pytest.mark.timeout(3600)
def test_kill_9_of_the_worker_at_every_state(tmp_path: Path) -> None:
    rows: list[tuple[str, Counter[str]]] = []
    runs = [(place, count) for place in PLACES for count in (KILLED_BYTES if place == "some bytes" else (0,))]
    for number, (place, count) in enumerate(runs):
        folder = tmp_path / f"kill{number}"
        folder.mkdir()
        with TcpPrinter() as printer:
            shop = shop_with(folder, printer.port)
            receipt_no = sold(shop, "cash")
            command = [sys.executable, "-m", "tests.faults.paper_worker", str(shop.config), place, str(count)]
            killed = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
            assert killed.returncode == -signal.SIGKILL, (place, killed.stderr)
            spool = spool_of(shop)
            settle(spool, shop.db)
            if copy_what_is_uncertain(shop, "cash"):
                settle(spool, shop.db)
            state, unmarked, marked, kicks = judge(printer, shop, receipt_no)
            assert unmarked + marked >= 1, f"{place}: {receipt_no} is lost"
            told = ("kills", f"unmarked {unmarked}", f"marked {marked}", state, f"kicks {kicks}")
            rows.append((f"{place} {count}" if count else place, Counter(told)))
            shop.close()
    print(table("kill -9 of the print worker", rows))


@pytest.mark.timeout(600)
def test_a_hundred_sales_while_the_printer_comes_and_goes(tmp_path: Path) -> None:
    with TcpPrinter() as printer:
        shop = shop_with(tmp_path, printer.port, "drawer_at_cash = false\n")
        spool, is_over = spool_of(shop), threading.Event()
        spool.start()

        def pull_and_plug() -> None:
            while not is_over.wait(0.4):
                printer.power_off()
                is_over.wait(0.1)
                printer.power_on()

        plug = threading.Thread(target=pull_and_plug)
        plug.start()
        receipts: dict[str, str] = {}
        try:
            for number in range(SALES):
                receipts[f"sale-{number}"] = sold(shop, f"sale-{number}")
                spool.wake()
        finally:
            is_over.set()
            plug.join()
        assert len(set(receipts.values())) == SALES
        spool.close()
        again = spool_of(shop)
        settle(again, shop.db)
        states = {number: state for number, copy, state in jobs_of(shop.db) if copy == 0}
        counts = Counter(states[number] for number in receipts.values())
        for receipt_no in receipts.values():
            unmarked, _ = on_paper(printer, receipt_no)
            assert unmarked <= 1
            assert (states[receipt_no] == "printed" and unmarked == 1) or states[receipt_no] == "uncertain"
        assert shop.till.sale("sale-99").state == "completed"
        shop.close()
    print(f"{SALES} sales while the printer comes and goes: {dict(counts)}")
    assert sum(counts.values()) == SALES
