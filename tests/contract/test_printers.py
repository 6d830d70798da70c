"""What the spool may expect of every printer, whatever the way to it, real protocol or fake."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import contextmanager

import pytest

from drivers.fakes import FailingPrinter, TearingPrinter, WorkingPrinter
from drivers.fallback import FallbackPrinter
from drivers.ports import UNKNOWN, Outcome
from drivers.printer import EscposPrinter
from drivers.transport_port import FileTransport, SerialTransport, UsbPathTransport
from drivers.transport_spooled import CommandTransport, WindowsTransport
from drivers.transport_tcp import TcpTransport
from drivers.transport_usb import UsbTransport
from pos_loyalty.config import PrinterConfig
from tests.emulators.serial_printer import SerialPrinter
from tests.emulators.tcp_printer import TcpPrinter
from tests.emulators.usb_bus import UsbBus

LONG_S, SHORT_S = 30.0, 0.2
JOBS = [b"\x1b@\x1bt\x11slip %d\n\x1dV\x01" % number for number in range(3)]
CLEARING_BYTES = 12 + 19 + 12
"""Four questions before the first job."""
KICK = b"\x1bp\x00\x19\xfa"


class Steps:
    """Keeps what a printer tells of one job."""

    def __init__(self):
        self.told = []

    def sending(self):
        self.told.append("sending")

    def awaiting_ack(self):
        self.told.append("awaiting_ack")


def over(transport, kind, *, wait_s=LONG_S, **changes):
    """``wait_s`` is short only where no answer comes."""
    config = PrinterConfig(kind=kind, name="kitchen", **{"timeout_s": LONG_S, **changes})
    return EscposPrinter(config, lambda: transport(config), status_wait_s=wait_s, ack_wait_s=wait_s)


def serial(emulator, **changes):
    return over(SerialTransport, "serial", path=str(emulator.path), baud=115_200, **changes)


def spooler(path):
    """``lp`` in small: a program that appends its input to a file."""
    script = f"import sys; open({str(path)!r}, 'ab').write(sys.stdin.buffer.read())"
    return over(CommandTransport, "spooler", command=(sys.executable, "-c", script), timeout_s=20.0)


@contextmanager
def working(kind, folder):
    """A printer that works, and a function that gives the bytes that it has printed."""
    if kind in ("tcp", "tcp-gs_h"):
        with TcpPrinter() as emulator:
            changes = {"barrier": "gs_h"} if kind == "tcp-gs_h" else {}
            yield over(TcpTransport, "tcp", port=emulator.port, **changes), lambda: printed_by(emulator)
    elif kind == "serial":
        with SerialPrinter(folder / "ttyPRINTER") as emulator:
            yield serial(emulator), lambda: printed_by(emulator)
    elif kind == "usb-path":
        with SerialPrinter(folder / "lp0") as emulator:
            yield over(UsbPathTransport, "usb", path=str(emulator.path)), lambda: printed_by(emulator)
    elif kind == "usb":
        bus = UsbBus()
        yield over(lambda config: UsbTransport(config, bus), "usb", usb_id="04b8:0e15"), lambda: printed_by(bus.printer)
    elif kind == "file":
        yield over(FileTransport, "file", path=str(folder / "slips")), (folder / "slips").read_bytes
    elif kind == "spooler":
        yield spooler(folder / "slips"), (folder / "slips").read_bytes
    elif kind == "fallback":
        fake = WorkingPrinter("other")
        printer = FallbackPrinter(FailingPrinter("kitchen"), fake)
        for _ in range(2):
            printer.submit(b"", Steps())
        yield printer, lambda: b"".join(fake.jobs)
    else:
        fake = WorkingPrinter("kitchen")
        yield fake, lambda: b"".join(fake.jobs)


def printed_by(emulator):
    assert emulator.wait_for(len(JOBS))
    return b"".join(emulator.jobs)


WORKING = ["tcp", "tcp-gs_h", "serial", "usb-path", "usb", "file", "spooler", "fallback", "fake"]


@pytest.mark.parametrize("kind", WORKING)
class TestAPrinterThatWorks:
    def test_every_job_arrives_whole_and_once(self, kind, tmp_path):
        with working(kind, tmp_path) as (printer, printed):
            for job in JOBS:
                steps = Steps()
                delivery = printer.submit(job, steps)
                if delivery.outcome is Outcome.PRINTED:
                    assert steps.told == ["sending", "awaiting_ack"]
                else:
                    assert delivery.outcome is Outcome.UNCONFIRMED
                    assert delivery.note
                    assert steps.told == ["sending"]
            assert printed() == b"".join(JOBS)

    def test_only_one_that_answers_is_ready(self, kind, tmp_path):
        with working(kind, tmp_path) as (printer, _):
            assert printer.status().is_ready == (printer.status() != UNKNOWN)
            assert printer.status().sentence

    def test_it_has_its_name_and_may_be_closed_twice(self, kind, tmp_path):
        with working(kind, tmp_path) as (printer, _):
            assert printer.device == "kitchen"
            printer.close()
            printer.close()

    def test_when_sending_may_not_be_stored_no_byte_goes_out(self, kind, tmp_path):
        class NoDisk(Steps):
            def sending(self):
                raise RuntimeError("no disk")

        with working(kind, tmp_path) as (printer, printed):
            with pytest.raises(RuntimeError, match="no disk"):
                printer.submit(b"never\x1dV\x01", NoDisk())
            for job in JOBS:
                printer.submit(job, Steps())
            assert printed() == b"".join(JOBS)

    def test_a_drawer_is_told_after_it_was_noted_and_not_at_all_when_that_fails(self, kind, tmp_path):
        with working(kind, tmp_path) as (printer, printed):

            def no_disk():
                raise RuntimeError("no disk")

            if printer.submit(JOBS[0], Steps()).detour is None:
                with pytest.raises(RuntimeError, match="no disk"):
                    printer.pulse(no_disk)
                told = []
                assert printer.pulse(lambda: told.append("fired")).outcome is Outcome.UNCONFIRMED
                assert told == ["fired"]
            for job in JOBS[1:]:
                printer.submit(job, Steps())
            assert printed().replace(KICK, b"") == b"".join(JOBS)


@contextmanager
def out_of_reach(kind, folder):
    if kind == "tcp":
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        yield over(TcpTransport, "tcp", port=port)
    elif kind in ("silent", "paper_out", "cover", "error", "slow"):
        with TcpPrinter(mode=kind) as emulator:
            yield over(TcpTransport, "tcp", port=emulator.port, wait_s=SHORT_S if kind in ("silent", "slow") else LONG_S)
            assert emulator.jobs == []
    elif kind == "serial-silent":
        with SerialPrinter(folder / "ttyPRINTER", mode="silent") as emulator:
            yield serial(emulator, wait_s=SHORT_S)
            assert emulator.jobs == []
    elif kind == "serial-held":
        with SerialPrinter(folder / "ttyPRINTER") as emulator:
            held = SerialTransport(PrinterConfig(kind="serial", path=str(emulator.path)))
            yield serial(emulator)
            held.close()
            assert emulator.jobs == []
    elif kind == "fallback":
        yield FallbackPrinter(FailingPrinter("kitchen"), FailingPrinter("other"))
    elif kind == "fake":
        yield FailingPrinter("kitchen")
    else:
        yield {
            "serial": over(SerialTransport, "serial", path=str(folder / "no-port")),
            "usb-path": over(UsbPathTransport, "usb", path=str(folder / "no-lp0")),
            "usb": over(lambda config: UsbTransport(config, UsbBus(is_plugged=False)), "usb", usb_id="04b8:0e15"),
            "file": over(FileTransport, "file", path=str(folder / "no-such-folder" / "slips")),
            "spooler": over(CommandTransport, "spooler", command=(str(folder / "no-lp"),)),
            "windows": over(WindowsTransport, "windows", queue="receipts"),
        }[kind]


OUT_OF_REACH = [
    "tcp", "silent", "paper_out", "cover", "error", "slow", "serial", "serial-silent", "serial-held", "usb-path", "usb", "file",
    "spooler", "windows", "fallback", "fake",
]  # fmt: skip


@pytest.mark.parametrize("kind", OUT_OF_REACH)
class TestAPrinterThatCannotPrint:
    def test_it_refuses_every_job_with_a_sentence_and_sends_nothing(self, kind, tmp_path):
        with out_of_reach(kind, tmp_path) as printer:
            for job in JOBS:
                steps = Steps()
                delivery = printer.submit(job, steps)
                assert delivery.outcome is Outcome.REFUSED
                assert delivery.note
                assert "\n" not in delivery.note
                assert steps.told == []

    def test_it_is_not_ready_opens_no_drawer_and_never_raises(self, kind, tmp_path):
        with out_of_reach(kind, tmp_path) as printer:
            assert not printer.status().is_ready
            told = []
            assert printer.pulse(lambda: told.append("fired")).outcome is Outcome.REFUSED
            assert told == []
            printer.close()


@contextmanager
def breaking(kind, folder):
    if kind == "fake":
        yield TearingPrinter("kitchen")
    elif kind == "serial":
        with SerialPrinter(folder / "ttyPRINTER") as emulator:
            emulator.reset_at = CLEARING_BYTES + len(JOBS[0]) // 2
            yield serial(emulator)
    else:
        with TcpPrinter() as emulator:
            emulator.reset_at = CLEARING_BYTES + len(JOBS[0]) // 2
            yield over(TcpTransport, "tcp", port=emulator.port)


@pytest.mark.parametrize("kind", ["tcp", "serial", "fake"])
class TestAPrinterThatBreaksInAJob:
    def test_the_job_is_uncertain_and_was_announced(self, kind, tmp_path):
        with breaking(kind, tmp_path) as printer:
            steps = Steps()
            delivery = printer.submit(JOBS[0], steps)
            assert delivery.outcome is Outcome.UNCERTAIN
            assert delivery.note
            assert steps.told[0] == "sending"


@contextmanager
def stuck(kind, folder):
    """A transport whose other side does not read."""
    if kind == "tcp":
        with TcpPrinter(mode="slow") as emulator:
            yield TcpTransport(PrinterConfig(kind="tcp", port=emulator.port))
    elif kind == "serial":
        with SerialPrinter(folder / "ttyPRINTER", mode="slow") as emulator:
            yield SerialTransport(PrinterConfig(kind="serial", path=str(emulator.path)))
    else:
        os.mkfifo(folder / "pipe")
        reader = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        yield FileTransport(PrinterConfig(kind="file", path=str(folder / "pipe")))
        os.close(reader)


@pytest.mark.parametrize("kind", ["tcp", "serial", "file"])
def test_nobody_waits_for_a_device_that_does_not_read(kind, tmp_path):
    from drivers.descriptors import left_s
    from pos_loyalty.clock import monotonic_ns

    with stuck(kind, tmp_path) as transport:
        late = threading.Timer(20.0, os.abort)
        late.start()
        deadline_ns = monotonic_ns() + 300_000_000
        written = transport.write(b"x" * 20_000_000, deadline_ns)
        assert 0 < written < 20_000_000
        assert left_s(deadline_ns) == 0
        transport.close()
        transport.close()
        late.cancel()


def test_a_receipt_goes_to_one_of_two_printers_and_the_main_one_is_tried_again():
    now = [0]
    main, other = WorkingPrinter("main"), WorkingPrinter("other")
    dead = FailingPrinter("main")
    switch = FallbackPrinter(main, other, now_ns=lambda: now[0])
    assert switch.submit(b"1", Steps()).detour is None
    switch._main = dead
    outcomes = [switch.submit(b"2", Steps()) for _ in range(4)]
    assert [delivery.outcome for delivery in outcomes] == [Outcome.REFUSED] * 2 + [Outcome.PRINTED] * 2
    assert "other" in outcomes[-1].detour and "no printer here" in outcomes[-1].detour
    now[0] = 31_000_000_000
    assert switch.submit(b"3", Steps()).outcome is Outcome.REFUSED
    assert switch.submit(b"3", Steps()).outcome is Outcome.PRINTED
    switch._main = main
    now[0] *= 3
    assert switch.submit(b"4", Steps()).detour is None
    assert (main.jobs, other.jobs) == ([b"1", b"4"], [b"2", b"2", b"3"])
