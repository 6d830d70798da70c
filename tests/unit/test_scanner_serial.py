"""A serial scanner on a pseudo-terminal: whole codes, pulled out in the middle of one, plugged in again, held by another."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from drivers.scanner_serial import REOPEN_MAX_S, SerialScanner
from pos_loyalty.config import ScannerConfig
from pos_loyalty.errors import DeviceGoneError
from tests.emulators.scanner import PtyScanner

LONG_S = 60.0


@pytest.fixture
def wire(tmp_path):
    with PtyScanner(tmp_path / "scanner") as emulator:
        yield emulator


@pytest.fixture
def scanner(wire):
    scanner = SerialScanner(ScannerConfig(path=str(wire.path), name="left"))
    assert scanner.read(0) is None
    assert scanner.is_open
    yield scanner
    scanner.close()


def open_again(scanner):
    """As the till's reading thread does: go on after each DeviceGoneError. What is scanned while the port opens is lost."""
    end = time.monotonic() + LONG_S
    while not scanner.is_open and time.monotonic() < end:
        with suppress(DeviceGoneError):
            assert scanner.read(0.05) is None
    assert scanner.is_open


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n"])
def test_a_code_arrives_with_any_end(wire, scanner, suffix):
    wire.scan("2900000000001", suffix=suffix)
    wire.scan("]E04601234567893", suffix=suffix)
    assert [scanner.read(LONG_S) for _ in range(2)] == ["2900000000001", "]E04601234567893"]


def test_a_split_code_is_joined_and_joined_codes_are_split(wire, scanner):
    wire.send([b"29000", b"00000001\r1\r2", b"\r"])
    assert [scanner.read(LONG_S) for _ in range(3)] == ["2900000000001", "1", "2"]


def test_when_time_is_up_nothing_is_lost(wire, scanner):
    wire.send([b"29000"])
    assert scanner.read(0.05) is None
    wire.send([b"00000001\r"])
    assert scanner.read(LONG_S) == "2900000000001"


def test_a_burst_keeps_its_order(wire, scanner):
    codes = [f"X{number:07d}" for number in range(2_000)]
    writer = threading.Thread(target=wire.send, args=([code.encode() + b"\r\n" for code in codes],))
    writer.start()
    assert [scanner.read(LONG_S) for _ in codes] == codes
    writer.join()
    assert scanner.refused == 0


def test_pulled_out_in_mid_code_it_says_so_and_comes_back_with_the_next_code(wire, scanner):
    wire.send([b"29000"])
    assert scanner.read(0.05) is None
    wire.unplug()
    with pytest.raises(DeviceGoneError, match="left: the scanner was pulled out"):
        scanner.read(LONG_S)
    with pytest.raises(DeviceGoneError, match="left: no scanner at"):
        scanner.read(LONG_S)
    assert not scanner.is_open
    wire.plug()
    open_again(scanner)
    wire.scan("2900000000001")
    assert scanner.read(LONG_S) == "2900000000001"
    assert scanner.refused == 1


def test_gone_for_long_it_is_asked_for_seldom_but_never_more_than_a_second_apart(wire, scanner):
    wire.unplug()
    begin = time.monotonic()
    for _ in range(5):
        with pytest.raises(DeviceGoneError):
            scanner.read(LONG_S)
    assert time.monotonic() - begin > 0.3
    assert REOPEN_MAX_S <= 1.0


def test_a_second_program_on_the_port_is_refused(wire, scanner):
    other = SerialScanner(ScannerConfig(path=str(wire.path)))
    with pytest.raises(DeviceGoneError, match="another program reads the port"):
        other.read(0)
    wire.scan("2900000000001")
    assert scanner.read(LONG_S) == "2900000000001"


def test_a_path_that_is_no_port_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"29")
    for name in ("file", "nothing"):
        with pytest.raises(DeviceGoneError) as caught:
            SerialScanner(ScannerConfig(path=str(tmp_path / name))).read(0)
        assert "\n" not in str(caught.value)


def test_closing_ends_a_waiting_read(wire, scanner):
    got = []
    reader = threading.Thread(target=lambda: got.append(scanner.read(60)))
    reader.start()
    scanner.close()
    reader.join(LONG_S)
    assert got == [None]
    assert scanner.read(60) is None
    scanner.close()


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_without_a_suffix_a_gap_ends_a_code(wire, chunk):
    scanner = SerialScanner(ScannerConfig(path=str(wire.path), suffix="none", gap_ms=80))
    assert scanner.read(0) is None
    for code in (b"2900000000001", b"]E04601234567893"):
        wire.send([code[at : at + chunk] for at in range(0, len(code), chunk)])
        assert scanner.read(LONG_S) == code.decode()
    scanner.close()
    assert scanner.refused == 0


def test_noise_is_refused_and_costs_no_good_code(wire, scanner):
    wire.send([b"\x00\xff\xfe\r", b"2900000000001\r", b"\x1b[A\r", b"9" * 6000 + b"\r", b"\x022900000000002\x03\r"])
    assert [scanner.read(LONG_S) for _ in range(2)] == ["2900000000001", "2900000000002"]
    assert scanner.refused == 3


def test_ten_thousand_codes_in_bursts_none_lost_none_doubled(wire, scanner):
    """Uneven writes, as a port gives them, over the bursts' whole length."""
    codes = [f"X{number:07d}" for number in range(10_000)]
    stream = "".join(code + "\r\n" for code in codes).encode()
    chunks = [stream[at : at + 997] for at in range(0, len(stream), 997)]
    writer = threading.Thread(target=wire.send, args=(chunks,))
    writer.start()
    got = [scanner.read(LONG_S) for _ in codes]
    writer.join()
    assert got == codes
    assert scanner.read(0) is None
    assert scanner.refused == 0
