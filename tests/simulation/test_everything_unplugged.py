"""Scanner and printer are pulled out and plugged in again, each in its own time, while 100 scanned sales run: every sale is done,
every receipt is on paper once or visible as uncertain, no code is lost that was sent to a plugged scanner, none is doubled."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from drivers.scanner_serial import SerialScanner
from drivers.symbology import Scan
from pos_loyalty.clock import utc_now
from pos_loyalty.config import CodeConfig, ScannerConfig
from pos_loyalty.store import prints
from pos_loyalty.till.devices import TillDevices
from pos_loyalty.wiring import settings
from pos_loyalty.wiring.printers import spool_of
from tests.emulators.scanner import PtyScanner
from tests.emulators.tcp_printer import TcpPrinter
from tests.faults.paper import jobs_of, on_paper, settle, shop_with

SALES = 100
PATIENCE_S = 60.0
PULLED_AT, PLUGGED_AT = (3, 7), (5, 8)
TORN_AT, TORN_BYTES = 0, 200
"""Of every ten sales: when the scanner and the printer are pulled, when each is plugged in again, and
when the cable breaks with a receipt on it."""


def test_all_sales_are_done_and_all_receipts_accounted_for(tmp_path: Path) -> None:
    heard: list[str] = []
    came = threading.Event()

    def publish(scan: Scan, device: str) -> None:
        heard.append(scan.text)
        came.set()

    with TcpPrinter() as printer, PtyScanner(tmp_path / "scanner") as wire:
        shop = shop_with(tmp_path, printer.port, "drawer_at_cash = false\n")
        spool = spool_of(settings(shop.config))
        rules = (CodeConfig(kind="coupon", prefix="SALE", length=7),)
        devices = TillDevices(spool, [SerialScanner(ScannerConfig(path=str(wire.path)))], rules)
        devices.start(publish)
        assert wire.wait_open(PATIENCE_S)
        sent, receipts = [], []
        for number in range(SALES):
            if number % 10 == PULLED_AT[0]:
                wire.send([b"SALE0"])
                wire.unplug()
            if number % 10 == PULLED_AT[1]:
                printer.power_off()
            if number % 10 == TORN_AT:
                printer.reset_at = TORN_BYTES
            if number % 10 == PLUGGED_AT[0]:
                wire.plug()
                assert wire.wait_open(PATIENCE_S)
            if number % 10 == PLUGGED_AT[1]:
                printer.power_on()
            if wire.is_plugged:
                came.clear()
                sent.append(f"SALE{number:03d}")
                wire.scan(sent[-1])
                assert came.wait(PATIENCE_S)
            shop.now = utc_now()
            answer = shop.sell(f"sale-{number}")
            assert answer.state == "completed"
            receipts.append(answer.receipt_no)
            devices.wake_printer()
        devices.close()
        assert heard == sent and len(sent) == SALES - 2 * SALES // 10
        again = spool_of(settings(shop.config))
        assert again is not None
        settle(again, shop.db)
        again.close()
        assert prints.waiting(shop.db) == 0
        states = {number: state for number, _, state in jobs_of(shop.db)}
        assert set(states) == set(receipts) and len(set(receipts)) == SALES
        for receipt_no in receipts:
            unmarked, marked = on_paper(printer, receipt_no)
            assert marked == 0 and unmarked <= 1
            assert (states[receipt_no], unmarked) == ("printed", 1) or states[receipt_no] == "uncertain"
        counts = Counter(states.values())
        assert counts["printed"] and counts["uncertain"], "a shop with both"
        shop.close()
    print(f"{SALES} sales, {len(sent)} codes: {dict(counts)}")
