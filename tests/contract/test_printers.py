"""What the spool may expect of every printer, real or fake."""

from __future__ import annotations

import socket
from contextlib import contextmanager

import pytest

from drivers.fakes import FailingPrinter, TearingPrinter, WorkingPrinter
from drivers.ports import UNKNOWN, Outcome
from drivers.printer import FilePrinter, TcpPrinter
from pos_loyalty.config import PrinterConfig
from tests.emulators.tcp_printer import TcpPrinter as Emulator

LONG_S, SHORT_S = 30.0, 0.2
JOBS = [b"\x1b@\x1bt\x11slip %d\n\x1dV\x01" % number for number in range(3)]


class Steps:
    """Keeps what a printer tells of one job."""

    def __init__(self):
        self.told = []

    def sending(self):
        self.told.append("sending")

    def awaiting_ack(self):
        self.told.append("awaiting_ack")


def tcp(port, *, wait_s=LONG_S):
    """Over the wire; ``wait_s`` is short only where no answer comes."""
    config = PrinterConfig(kind="tcp", name="kitchen", port=port, timeout_s=LONG_S)
    return TcpPrinter(config, status_wait_s=wait_s, ack_wait_s=wait_s)


def file(path):
    return FilePrinter(PrinterConfig(kind="file", name="kitchen", path=str(path)))


@contextmanager
def working(kind, folder):
    """A printer that works, and a function that gives the bytes that it has printed."""
    if kind == "tcp":
        with Emulator() as emulator:
            yield tcp(emulator.port), lambda: emulator.wait_for(len(JOBS)) and b"".join(emulator.jobs)
    elif kind == "file":
        yield file(folder / "slips"), (folder / "slips").read_bytes
    else:
        fake = WorkingPrinter("kitchen")
        yield fake, lambda: b"".join(fake.jobs)


@pytest.mark.parametrize("kind", ["tcp", "file", "fake"])
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


@contextmanager
def out_of_reach(kind, folder):
    if kind == "tcp":
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        yield tcp(port)
    elif kind in ("silent", "paper_out"):
        with Emulator(mode=kind) as emulator:
            yield tcp(emulator.port, wait_s=SHORT_S if kind == "silent" else LONG_S)
            assert emulator.jobs == []
    elif kind == "file":
        yield file(folder / "no-such-folder" / "slips")
    else:
        yield FailingPrinter("kitchen")


@pytest.mark.parametrize("kind", ["tcp", "silent", "paper_out", "file", "fake"])
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

    def test_it_is_not_ready_and_never_raises(self, kind, tmp_path):
        with out_of_reach(kind, tmp_path) as printer:
            assert not printer.status().is_ready
            printer.close()


@contextmanager
def breaking(kind):
    if kind == "fake":
        yield TearingPrinter("kitchen")
    else:
        with Emulator() as emulator:
            emulator.reset_at = len(JOBS[0]) // 2
            yield tcp(emulator.port)


@pytest.mark.parametrize("kind", ["tcp", "fake"])
class TestAPrinterThatBreaksInAJob:
    def test_the_job_is_uncertain_and_was_announced(self, kind):
        with breaking(kind) as printer:
            steps = Steps()
            delivery = printer.submit(JOBS[0], steps)
            assert delivery.outcome is Outcome.UNCERTAIN
            assert delivery.note
            assert steps.told[0] == "sending"
