"""Scanners of a till process: codes are handed on, payment cards are not, and one that is gone is told until it is back."""

from __future__ import annotations

import threading

from drivers.fakes import FailingScanner, WorkingScanner
from drivers.symbology import Scan
from pos_loyalty.config import CardConfig
from pos_loyalty.till.devices import TillDevices
from tests.shop import CARD

CARDS = (CardConfig(prefix="22", length=13),)
PATIENCE_S = 60


def test_codes_are_handed_on_and_payment_cards_are_not() -> None:
    heard: list[tuple[str, str, str]] = []
    done = threading.Event()

    def publish(scan: Scan, device: str) -> None:
        heard.append((scan.text, scan.kind, device))
        if len(heard) == 2:
            done.set()

    scanner = WorkingScanner()
    for code in ("]E0" + CARD, "4111111111111111", "4601234567893"):
        scanner.put(code)
    devices = TillDevices(None, [scanner], CARDS)
    devices.start(publish)
    assert done.wait(PATIENCE_S)
    devices.close()
    assert heard == [(CARD, "card", "scanner"), ("4601234567893", "product", "scanner")]
    assert devices.problems() == ()


def test_a_scanner_that_is_gone_is_told() -> None:
    devices = TillDevices(None, [FailingScanner()], CARDS)
    devices.start(lambda *_: None)
    told = threading.Event()
    for _ in range(PATIENCE_S * 20):
        if devices.problems():
            told.set()
            break
        told.wait(0.05)
    devices.close()
    assert told.is_set() and "scanner" in devices.problems()[0]
