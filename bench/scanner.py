"""Codes from a serial scanner: from the first byte written to the event, and 10,000 in bursts; ``readline`` on the same wire.

``python -m bench.scanner``
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from drivers.scanner_serial import SerialScanner
from drivers.symbology import Scan
from pos_loyalty.config import CodeConfig, ScannerConfig
from pos_loyalty.till.devices import TillDevices
from tests.emulators.scanner import PtyScanner

SINGLE, BURST, BURSTS = 1000, 1000, 10
RULES = (CodeConfig(kind="card", prefix="29", length=13, check="gtin"), CodeConfig(kind="coupon", prefix="X", length=8))
PATIENCE_S = 30.0


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        wire = PtyScanner(Path(folder) / "scanner")
        singles, lost, doubled, burst_s = measured(wire)
        floor = by_readline(wire)
        wire.unplug()
    print(f"code to event, {SINGLE} codes, ms: median {statistics.median(singles):.3f}, p99 {p99(singles):.3f} (bound 5)")
    print(f"pyserial readline alone, ms: median {statistics.median(floor):.3f}, p99 {p99(floor):.3f}")
    print(f"{BURST * BURSTS} codes in bursts of {BURST}: lost {lost}, doubled {doubled}, {BURST * BURSTS / burst_s:,.0f} codes/s")


def measured(wire: PtyScanner) -> tuple[list[float], int, int, float]:
    """Milliseconds of single codes; lost, doubled and seconds of the bursts: through the reading thread and the parser."""
    heard: list[str] = []
    came = threading.Semaphore(0)
    arrived: list[int] = []

    def publish(scan: Scan, device: str) -> None:
        arrived.append(time.perf_counter_ns())
        heard.append(scan.text)
        came.release()

    devices = TillDevices(None, [SerialScanner(ScannerConfig(path=str(wire.path)))], RULES)
    devices.start(publish)
    assert wire.wait_open(PATIENCE_S)
    singles = []
    for _ in range(SINGLE):
        begin = time.perf_counter_ns()
        wire.scan("]E02900000000001")
        assert came.acquire(timeout=PATIENCE_S)
        singles.append((arrived[-1] - begin) / 1e6)
    heard.clear()
    sent = [f"X{number:07d}" for number in range(BURST * BURSTS)]
    begin = time.perf_counter_ns()
    for at in range(0, len(sent), BURST):
        wire.send([code.encode() + b"\r\n" for code in sent[at : at + BURST]])
        for _ in range(BURST):
            came.acquire(timeout=PATIENCE_S)
    seconds = (time.perf_counter_ns() - begin) / 1e9
    devices.close()
    return singles, len(set(sent) - set(heard)), len(heard) - len(set(heard)), seconds


def by_readline(wire: PtyScanner) -> list[float]:
    """The usual way on the same wire: one system call a byte, no thread, no parser."""
    import serial

    with serial.Serial(os.path.realpath(wire.path), 9600, timeout=PATIENCE_S, exclusive=True) as port:
        taken = []
        for _ in range(SINGLE):
            begin = time.perf_counter_ns()
            wire.scan("]E02900000000001", suffix=b"\r\n")
            port.readline()
            taken.append((time.perf_counter_ns() - begin) / 1e6)
    return taken


def p99(figures: list[float]) -> float:
    """The 99th percentile."""
    return sorted(figures)[int(len(figures) * 0.99)]


if __name__ == "__main__":
    main()
