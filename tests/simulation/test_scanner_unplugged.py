"""The scanner is pulled out and plugged in again while 100 sales run: every sale is done, and no code is heard twice or torn."""

from __future__ import annotations

import threading

from drivers.scanner_serial import SerialScanner
from drivers.symbology import Scan
from pos_loyalty.config import CardConfig, ScannerConfig
from pos_loyalty.till.devices import TillDevices
from tests.emulators.scanner import PtyScanner
from tests.shop import Shop

SALES = 100
PATIENCE_S = 60.0


def test_all_sales_are_done(shop: Shop, tmp_path) -> None:
    heard: list[str] = []
    came = threading.Event()

    def publish(scan: Scan, device: str) -> None:
        heard.append(scan.text)
        came.set()

    with PtyScanner(tmp_path / "scanner") as wire:
        devices = TillDevices(None, [SerialScanner(ScannerConfig(path=str(wire.path)))], (CardConfig(prefix="22", length=13),))
        devices.start(publish)
        assert wire.wait_open(PATIENCE_S)
        for number in range(SALES):
            if number % 10 == 3:
                wire.send([b"HALF-A-CO"])
                wire.unplug()
            if number % 10 == 6:
                wire.plug()
                assert wire.wait_open(PATIENCE_S)
            if wire.is_plugged:
                came.clear()
                wire.scan(f"CODE-{number:03d}")
                assert came.wait(PATIENCE_S)
            assert shop.sell(f"K-{number:03d}").state == "completed"
        devices.close()
    assert len(heard) == len(set(heard)) == SALES - 30
    assert all(code.startswith("CODE-") for code in heard)
    assert devices.problems() == ()
