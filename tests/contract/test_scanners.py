"""What the till may expect of every scanner, real or fake."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from drivers.fakes import FailingScanner, WorkingScanner
from drivers.scanner_serial import SerialScanner
from pos_loyalty.config import ScannerConfig
from pos_loyalty.errors import DeviceGoneError
from tests.emulators.scanner import PtyScanner

LONG_S = 60.0


class OnPty:
    """A serial scanner and the emulator behind it."""

    def __init__(self, folder: Path) -> None:
        self.wire = PtyScanner(folder / "scanner")
        self.scanner = SerialScanner(ScannerConfig(path=str(self.wire.path), name="left"))
        assert self.scanner.read(0) is None  # opens the port

    def scan(self, code: str) -> None:
        self.wire.scan(code)

    def end(self) -> None:
        self.scanner.close()
        self.wire.unplug()


class Fake:
    """The working fake."""

    def __init__(self, folder: Path) -> None:
        self.scanner = WorkingScanner("left")

    def scan(self, code: str) -> None:
        self.scanner.put(code)

    def end(self) -> None:
        self.scanner.close()


@pytest.fixture(params=[OnPty, Fake], ids=["serial", "fake"])
def bench(request, tmp_path):
    bench = request.param(tmp_path)
    yield bench
    bench.end()


class TestAScannerThatWorks:
    def test_codes_come_in_the_order_in_which_they_were_scanned(self, bench):
        codes = ["2900000000001", "]E04601234567893", "]Q1https://shop.example/Чек", "]C101046012\x1d17"]
        for code in codes:
            bench.scan(code)
        assert [bench.scanner.read(LONG_S) for _ in codes] == codes

    def test_when_time_is_up_it_says_none(self, bench):
        begin = time.monotonic()
        assert bench.scanner.read(0.05) is None
        assert bench.scanner.read(0) is None
        assert 0.04 < time.monotonic() - begin < LONG_S

    def test_a_code_scanned_before_the_question_is_kept(self, bench):
        bench.scan("1")
        assert bench.scanner.read(LONG_S) == "1"
        bench.scan("2")
        assert bench.scanner.read(LONG_S) == "2"

    def test_it_has_the_name_that_it_was_given(self, bench):
        assert bench.scanner.device == "left"

    def test_closed_it_says_none_at_once_and_may_be_closed_again(self, bench):
        bench.scanner.close()
        bench.scanner.close()
        assert bench.scanner.read(LONG_S) is None


@pytest.fixture(params=["missing", "unplugged", "fake"])
def gone(request, tmp_path):
    if request.param == "fake":
        return FailingScanner("left")
    if request.param == "missing":
        return SerialScanner(ScannerConfig(path=str(tmp_path / "nothing"), name="left"))
    bench = OnPty(tmp_path)
    bench.wire.unplug()
    return bench.scanner


class TestAScannerThatIsGone:
    def test_every_read_says_so_in_a_sentence_that_names_it(self, gone):
        for _ in range(3):
            with pytest.raises(DeviceGoneError, match=r"^left: .+") as caught:
                gone.read(0.1)
            assert caught.value.device == "left"

    def test_it_may_be_closed_twice(self, gone):
        gone.close()
        gone.close()
