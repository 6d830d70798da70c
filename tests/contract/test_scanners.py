"""What the till may expect of every scanner, real or fake."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from drivers.fakes import FailingScanner, WorkingScanner
from drivers.scanner_hid import HidScanner
from drivers.scanner_serial import SerialScanner
from pos_loyalty.config import ScannerConfig
from pos_loyalty.errors import DeviceGoneError
from tests.emulators.hid import PipeKeyboard
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


class OnKeys:
    """A keyboard scanner and the events behind it."""

    def __init__(self, folder: Path) -> None:
        self.wire = PipeKeyboard(folder / "keys")
        self.scanner = HidScanner(ScannerConfig(path=str(self.wire.path), name="left", kind="hid"))
        assert self.scanner.read(0) is None  # opens the device

    def scan(self, code: str) -> None:
        self.wire.scan(code)

    def end(self) -> None:
        self.scanner.close()
        self.wire.unplug()


class OnStripe(OnPty):
    """A stripe reader on the same pseudo-terminal."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.scanner.close()
        self.scanner = SerialScanner(ScannerConfig(path=str(self.wire.path), name="left", kind="stripe"))
        assert self.scanner.read(0) is None

    def scan(self, code: str) -> None:
        super().scan(f";{code}=2512?" if code.isdecimal() else code)


class Fake:
    """The working fake."""

    def __init__(self, folder: Path) -> None:
        self.scanner = WorkingScanner("left")

    def scan(self, code: str) -> None:
        self.scanner.put(code)

    def end(self) -> None:
        self.scanner.close()


@pytest.fixture(params=[OnPty, OnKeys, OnStripe, Fake], ids=["serial", "hid", "stripe", "fake"])
def bench(request, tmp_path):
    bench = request.param(tmp_path)
    yield bench
    bench.end()


class TestAScannerThatWorks:
    def test_codes_come_in_the_order_in_which_they_were_scanned(self, bench):
        codes = CODES[type(bench)]
        for code in codes:
            bench.scan(code)
        assert [bench.scanner.read(LONG_S) for _ in codes] == codes

    def test_when_time_is_up_it_says_none(self, bench):
        begin = time.monotonic()
        assert bench.scanner.read(0.05) is None
        assert bench.scanner.read(0) is None
        assert 0.04 < time.monotonic() - begin < LONG_S

    def test_a_code_scanned_before_the_question_is_kept(self, bench):
        for code in CODES[type(bench)][:2]:
            bench.scan(code)
            assert bench.scanner.read(LONG_S) == code

    def test_it_has_the_name_that_it_was_given(self, bench):
        assert bench.scanner.device == "left"

    def test_closed_it_says_none_at_once_and_may_be_closed_again(self, bench):
        bench.scanner.close()
        bench.scanner.close()
        assert bench.scanner.read(LONG_S) is None


PRINTED = ["2900000000001", "]E04601234567893", "]C101046012\x1d17"]
CODES = {
    OnPty: [*PRINTED, "]Q1https://shop.example/Чек"],
    OnKeys: [*PRINTED, "]Q1https://shop.example/r?a=1&B=~"],
    OnStripe: ["%7700001234?", ";7700001234=2512?", "%77?;77=1?"],
    Fake: [*PRINTED, "]Q1https://shop.example/Чек"],
}
"""A stripe reader hands on stripes alone."""


@pytest.fixture(params=["missing", "no keyboard", "no keys any more", "unplugged", "fake"])
def gone(request, tmp_path):
    if request.param == "fake":
        return FailingScanner("left")
    if request.param == "no keyboard":
        return HidScanner(ScannerConfig(path=str(tmp_path / "nothing"), name="left", kind="hid"))
    if request.param == "no keys any more":
        keys = OnKeys(tmp_path)
        keys.wire.unplug()
        return keys.scanner
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
