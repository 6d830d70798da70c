"""The emulated TCP printer behaves as the drivers' tests rely on."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import zxingcpp
from PIL import Image

from tests.emulators.escpos import JudgeError
from tests.emulators.tcp_printer import TcpPrinter
from tests.golden.samples import SALE_ID, bytes_of

BARRIER = b"\x1dr\x01"
JOB = b"\x1b@\x1bt\x11" + "Чек".encode("cp866") + b"\n\x1dV\x01" + BARRIER


@contextmanager
def _line(printer: TcpPrinter) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", printer.port), timeout=60) as line:
        yield line


def test_it_answers_prints_and_shows_the_receipt() -> None:
    with TcpPrinter() as printer, _line(printer) as line:
        line.sendall(b"\x10\x04\x01")
        assert line.recv(1) == b"\x16"
        line.sendall(bytes_of("full", "ru") + BARRIER)
        assert line.recv(1) == b"\x00"
        assert printer.jobs == [bytes_of("full", "ru")]
        (slip,) = printer.receipts
        assert "К ОПЛАТЕ" in slip.text
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(slip.png())).convert("L"))
        assert code.text == f"PL1|T1|{SALE_ID}"


def test_out_of_paper_it_answers_for_itself_and_prints_after_new_paper() -> None:
    with TcpPrinter(mode="paper_out") as printer, _line(printer) as line:
        line.sendall(JOB + b"\x10\x04\x01\x10\x04\x02\x10\x04\x04")
        assert b"".join(line.recv(1) for _ in range(3)) == b"\x1e\x32\x7e"
        assert printer.jobs == []
        printer.mode = "ok"
        assert line.recv(1) == b"\x00"
        assert len(printer.jobs) == 1


def test_a_silent_printer_prints_and_says_nothing() -> None:
    with TcpPrinter(mode="silent") as printer, _line(printer) as line:
        line.sendall(b"\x10\x04\x01" + JOB)
        assert printer.wait_for(1)
        line.settimeout(0.05)
        with pytest.raises(TimeoutError):
            line.recv(1)


@pytest.mark.parametrize("at", range(1, len(JOB)))
def test_a_reset_leaves_on_paper_what_had_come(at: int) -> None:
    with TcpPrinter() as printer:
        printer.reset_at = at
        with _line(printer) as line, suppress(ConnectionError):
            line.sendall(b"\x10\x04\x01" + JOB)
            while line.recv(16):
                pass
        assert [slip.is_cut for slip in printer.receipts] == ([True] if at >= len(JOB) - 3 else [False] if at >= 9 else [])
        with _line(printer) as line:
            line.sendall(JOB)
            assert line.recv(1) == b"\x00"
        assert printer.jobs[-1] == JOB.removesuffix(BARRIER)


def test_without_power_the_port_is_closed_and_comes_back() -> None:
    with TcpPrinter() as printer:
        printer.power_off()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", printer.port), timeout=60)
        printer.power_on()
        with _line(printer) as line:
            line.sendall(JOB)
            assert line.recv(1) == b"\x00"


def test_bytes_that_no_printer_knows_fail_the_test_that_sent_them() -> None:
    with pytest.raises(JudgeError, match="unknown command"), TcpPrinter() as printer, _line(printer) as line:
        line.sendall(b"\x1bZ")
        with suppress(ConnectionError):
            assert line.recv(1) == b""
