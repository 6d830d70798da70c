"""The emulated printer with a wrong code page, one that stops reading, and one that loses its power; and the driver at each."""

from __future__ import annotations

import io
import socket

import pytest
import zxingcpp
from PIL import Image

from drivers.ports import Outcome
from drivers.printer import EscposPrinter
from drivers.transport_tcp import TcpTransport
from pos_loyalty.config import PrinterConfig
from receipts.self_test import LIKELY_SLOTS, self_test_bytes
from tests.emulators.escpos import JudgeError, judge
from tests.emulators.tcp_printer import TcpPrinter
from tests.golden.samples import SALE_ID, bytes_of

WRONG = dict.fromkeys((0, *LIKELY_SLOTS["cp866"]), "cp437")
BARRIER = b"\x1dr\x01"
FLOOD, BUFFER_BYTES = 4_000_000, 8192


class Steps:
    """Implements Progress: keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def sending(self) -> None:
        self.told.append("sending")

    def awaiting_ack(self) -> None:
        self.told.append("awaiting_ack")


def _driver(printer: TcpPrinter, wait_s: float = 0.3) -> EscposPrinter:
    config = PrinterConfig(kind="tcp", port=printer.port, timeout_s=0.3)
    return EscposPrinter(config, lambda: TcpTransport(config), status_wait_s=5.0, ack_wait_s=wait_s)


def _line(printer: TcpPrinter) -> socket.socket:
    return socket.create_connection(("127.0.0.1", printer.port), timeout=60)


def test_under_a_wrong_page_the_words_are_lost_and_the_codes_are_not() -> None:
    with TcpPrinter(slots=WRONG) as printer:
        assert _driver(printer, 5.0).submit(bytes_of("sale", "ru"), Steps()).outcome is Outcome.PRINTED
        (slip,) = printer.receipts
    assert "К ОПЛАТЕ" not in slip.text and "3 210,14" in slip.text
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(slip.png())).convert("L"))
    assert code.text == f"PL1|T1|{SALE_ID}"


def test_a_slot_that_the_printer_does_not_have_fails_the_test_that_asked_for_it() -> None:
    with pytest.raises(JudgeError, match="17: this printer has no code page"), TcpPrinter(slots={0: "cp437"}) as printer:
        _driver(printer).submit(bytes_of("sale", "ru"), Steps())


@pytest.mark.parametrize("right", LIKELY_SLOTS["cp866"])
def test_the_self_test_page_can_be_read_at_the_right_slot_alone(right: int) -> None:
    page = self_test_bytes(columns=48, page="cp866", slot=17, language="ru")
    (slip,) = judge(page, columns=48, slots=WRONG | {right: "cp866"}).slips
    rows = [line.split(maxsplit=1) for line in slip.text.splitlines() if line[:4].strip().isdigit() and line[4:6] == "  "]
    assert {int(number): "Съешь" in words for number, words in rows} == {slot: slot == right for slot in LIKELY_SLOTS["cp866"]}


def test_a_printer_that_does_not_read_takes_what_the_window_holds_and_no_more() -> None:
    with TcpPrinter(mode="slow") as printer, _line(printer) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        line.setblocking(False)
        sent, job = 0, bytes_of("plain", "ru") + BARRIER
        flood = memoryview(job * (FLOOD // len(job)))
        with pytest.raises(BlockingIOError):
            while True:
                sent += line.send(flood[sent:])
        assert 0 < sent < FLOOD
        whole = sent // len(job)
        assert printer.jobs == []
        printer.mode = "ok"
        line.setblocking(True)
        line.settimeout(10)
        assert printer.wait_for(whole, 60.0)
        assert printer.jobs[:whole] == [bytes_of("plain", "ru")] * whole, "what it had taken comes out in order, once"


def test_a_printer_that_stops_reading_in_a_job_leaves_it_uncertain_and_prints_it_once() -> None:
    with TcpPrinter() as printer:
        steps = Steps()
        printer.stall_at = 60
        driver = _driver(printer)
        assert driver.submit(bytes_of("sale", "ru"), steps).outcome is Outcome.UNCERTAIN
        assert steps.told[0] == "sending"
        refused = driver.submit(bytes_of("plain", "ru"), again := Steps())
        assert (refused.outcome, again.told) == (Outcome.REFUSED, []), "the next one is not sent into a full buffer"
        printer.mode = "ok"
        assert printer.wait_for(1, 60.0)
        assert len(printer.receipts) == 1


@pytest.mark.parametrize("after", [10, 200, 400])
def test_a_power_cycle_in_a_job_tears_it_and_forgets_the_rest(after: int) -> None:
    job = bytes_of("sale", "ru")
    at = job.index(b"\n", after) + 1
    with TcpPrinter() as printer:
        with _line(printer) as line:
            line.sendall(bytes_of("plain", "ru") + BARRIER)
            assert line.recv(1) == b"\x00"
            line.sendall(job[:at] + b"\x10\x04\x01")
            assert line.recv(1) == b"\x16"  # it has come that far
            printer.power_cycle()
        assert [slip.is_cut for slip in printer.receipts] in ([True], [True, False])
        assert _driver(printer, 5.0).submit(job, Steps()).outcome is Outcome.PRINTED
        whole = [slip for slip in printer.receipts if slip.is_cut]
        assert len(whole) == 2 and "К ОПЛАТЕ" in whole[1].text, "the page and the sizes of the torn job are gone with the power"


def test_out_of_paper_it_keeps_a_job_and_loses_it_with_the_power() -> None:
    with TcpPrinter(mode="paper_out") as printer:
        with _line(printer) as line:
            line.sendall(bytes_of("sale", "ru") + BARRIER + b"\x10\x04\x01")
            assert line.recv(1) == b"\x1e"
            printer.power_cycle()
        printer.mode = "ok"
        assert printer.receipts == []
