"""Status bytes, and what becomes of a job when the line breaks at every possible place."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from drivers.ports import UNKNOWN, Outcome, PrinterStatus
from drivers.printer import CUT, EscposPrinter, fitted
from drivers.replies import Replies, gs_h, is_barrier_reply, is_real_time_reply, status_of
from drivers.transport_port import FileTransport
from drivers.transport_tcp import TcpTransport
from pos_loyalty.config import PrinterConfig
from tests.emulators.tcp_printer import TcpPrinter as Emulator

JOB = b"\x1b@\x1bt\x11" + "Чек 7: 300-00\n".encode("cp866") + b"\x1dV\x01"
ASB = b"\x14\x00\x00\x0f"
LONG_S, SHORT_S = 30.0, 0.2
READY = PrinterStatus(online="yes", paper="ok", cover="closed", error="none")


class Steps:
    """Keeps what a printer tells of one job."""

    def __init__(self):
        self.told = []

    def sending(self):
        self.told.append("sending")

    def awaiting_ack(self):
        self.told.append("awaiting_ack")


def tcp(port, *, status_wait_s=LONG_S, ack_wait_s=LONG_S, **changes):
    """Over the wire; a wait is short only where no answer comes."""
    config = PrinterConfig(kind="tcp", port=port, **{"timeout_s": 1.0, **changes})
    return EscposPrinter(config, lambda: TcpTransport(config), status_wait_s=status_wait_s, ack_wait_s=ack_wait_s)


def file(path):
    config = PrinterConfig(kind="file", path=str(path))
    return EscposPrinter(config, lambda: FileTransport(config))


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ((0x16, 0x12, 0x12), READY),
        ((0x12, 0x12, 0x1E), PrinterStatus(online="yes", paper="near_end", cover="closed", error="none")),
        ((0x1E, 0x32, 0x7E), PrinterStatus(online="no", paper="out", cover="closed", error="none")),
        ((0x1A, 0x16, 0x12), PrinterStatus(online="no", paper="ok", cover="open", error="none")),
        ((0x1A, 0x52, 0x12), PrinterStatus(online="no", paper="ok", cover="closed", error="error")),
        ((0x16, None, None), PrinterStatus(online="yes")),
        ((None, 0x12, 0x12), PrinterStatus(paper="ok", cover="closed", error="none")),
        ((0x16, 0x12, None), PrinterStatus(online="yes", cover="closed", error="none")),
        ((None, None, None), UNKNOWN),
    ],
)
def test_status_says_what_was_heard_and_no_more(answers, status):
    assert status_of(*answers) == status


def test_only_a_whole_good_answer_is_ready():
    assert READY.is_ready
    for field in ("online", "paper", "cover", "error"):
        assert not replace(READY, **{field: "unknown"}).is_ready
    assert not UNKNOWN.is_ready


@given(st.lists(st.sampled_from([ASB, b"\x14\x12\x00\x12", b"\x11", b"\x13", b"\x93"]), max_size=6), st.integers(0, 3), st.data())
def test_status_packets_and_noise_are_never_taken_for_an_answer(noise, later, data):
    stream = b"".join(noise)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    for is_reply, answer in ((is_real_time_reply, 0x16), (is_barrier_reply, 0x00)):
        replies = Replies()
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            replies.feed(stream[begin:end])
            assert replies.take(is_reply) is None
        replies.feed(bytes([answer]) + ASB[:later])
        assert replies.take(is_reply) == answer
        replies.feed(ASB[later:] if later else b"")
        assert replies.take(is_reply) is None


def test_a_printed_job_goes_through_every_step_and_arrives_whole():
    with Emulator() as emulator:
        steps = Steps()
        assert tcp(emulator.port).submit(JOB, steps).outcome is Outcome.PRINTED
        assert steps.told == ["sending", "awaiting_ack"]
        assert emulator.wait_for(1)
        assert emulator.jobs == [JOB]
        assert tcp(emulator.port).status() == READY


def test_without_paper_no_byte_goes_out():
    with Emulator(mode="paper_out") as emulator:
        steps = Steps()
        delivery = tcp(emulator.port).submit(JOB, steps)
        assert (delivery.outcome, delivery.note) == (Outcome.REFUSED, "the printer is out of paper")
        emulator.mode = "ok"
    assert steps.told == []
    assert emulator.jobs == []


def test_a_silent_printer_is_not_ready():
    with Emulator(mode="silent") as emulator:
        steps = Steps()
        assert tcp(emulator.port, status_wait_s=SHORT_S).status() == UNKNOWN
        assert tcp(emulator.port, status_wait_s=SHORT_S).submit(JOB, steps).outcome is Outcome.REFUSED
        assert steps.told == []


def test_without_a_barrier_a_silent_printer_prints_unconfirmed():
    with Emulator(mode="silent") as emulator:
        steps = Steps()
        assert tcp(emulator.port, barrier="none").submit(JOB, steps).outcome is Outcome.UNCONFIRMED
        assert steps.told == ["sending"]
        assert emulator.wait_for(1)
        assert emulator.jobs == [JOB]


@pytest.mark.parametrize("bytes_before", range(1, len(JOB) + 3))
def test_a_reset_at_any_byte_is_uncertain_and_prints_at_most_once(bytes_before):
    with Emulator() as emulator:
        emulator.reset_at = bytes_before
        steps = Steps()
        delivery = tcp(emulator.port, barrier="gs_h").submit(JOB, steps)
        assert delivery.outcome is Outcome.UNCERTAIN
        assert delivery.note
        assert steps.told[0] == "sending"
        assert len(emulator.jobs) <= 1


class HalfDead:
    """A printer whose status is good, that says ``before`` unasked, and that then takes a job and says only ``after``."""

    def __init__(self, after, before=ASB[:2]):
        self.before = before
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.after = after
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self.listener.getsockname()[1]

    def __exit__(self, *_):
        self.thread.join()
        self.listener.close()

    def serve(self):
        line, _ = self.listener.accept()
        with line:
            for answer in (b"\x16", ASB + b"\x12", b"\x12", b"\x00" + self.before):
                assert line.recv(3)
                line.sendall(answer)
            while chunk := line.recv(4096):
                if chunk.endswith(b"\x1dr\x01"):
                    line.sendall(self.after)


@pytest.mark.parametrize("after", [b"", ASB[2:], ASB[2:] + ASB, ASB[2:] + b"\x16\x12", ASB[2:] + b"\xff"])
def test_a_job_without_an_answer_is_uncertain_whatever_else_is_said(after):
    with HalfDead(after) as port:
        steps = Steps()
        assert tcp(port, ack_wait_s=SHORT_S).submit(JOB, steps).outcome is Outcome.UNCERTAIN
        assert steps.told == ["sending", "awaiting_ack"]


def test_what_was_said_before_the_job_does_not_confirm_it():
    with HalfDead(b"", before=b"\x00\x00") as port:
        assert tcp(port, ack_wait_s=SHORT_S).submit(JOB, Steps()).outcome is Outcome.UNCERTAIN


def test_an_answer_after_the_rest_of_a_status_packet_counts():
    with HalfDead(ASB[2:] + b"\x00") as port:
        assert tcp(port).submit(JOB, Steps()).outcome is Outcome.PRINTED


def test_a_fault_of_the_store_before_the_first_byte_sends_nothing():
    class NoDisk(Steps):
        def sending(self):
            raise RuntimeError("no disk")

    with Emulator() as emulator, pytest.raises(RuntimeError, match="no disk"):
        tcp(emulator.port).submit(JOB, NoDisk())
    assert emulator.jobs == []


@pytest.mark.parametrize("host", ["a..b", "127.0.0.1"])
def test_a_printer_out_of_reach_is_one_sentence(host):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    delivery = tcp(port, host=host).submit(JOB, Steps())
    assert delivery.outcome is Outcome.REFUSED
    assert delivery.note.startswith(f"printer: no printer at {host}:{port} (")


def test_a_file_takes_jobs_one_after_another(tmp_path):
    printer = file(tmp_path / "slips.bin")
    steps = Steps()
    assert [printer.submit(job, steps).outcome for job in (JOB, b"2")] == [Outcome.UNCONFIRMED] * 2
    assert (tmp_path / "slips.bin").read_bytes() == JOB + b"2"
    assert steps.told == ["sending", "sending"]
    assert printer.status() == UNKNOWN


def test_a_full_device_takes_no_byte_so_the_job_may_be_tried_again():
    delivery = file("/dev/full").submit(JOB, Steps())
    assert delivery.outcome is Outcome.REFUSED
    assert delivery.note


def test_a_device_that_is_unplugged_does_not_come_back_as_a_plain_file():
    delivery = file("/dev/no-such-printer").submit(JOB, Steps())
    assert delivery.outcome is Outcome.REFUSED
    assert not Path("/dev/no-such-printer").exists()


def test_a_printer_that_cannot_be_sure_to_have_ended_the_job_before_gets_no_new_one():
    with HalfDead(b"\x00", before=b"") as port:
        printer = tcp(port)
        assert printer.submit(JOB, Steps()).outcome is Outcome.PRINTED
    with Emulator() as emulator:
        printer = tcp(emulator.port)
        emulator.rows_left = 0
        steps = Steps()
        assert printer.submit(JOB, steps).outcome is Outcome.UNCERTAIN
        assert emulator.mode == "paper_out"
        assert printer.submit(JOB, Steps()).outcome is Outcome.REFUSED
        emulator.mode = "ok"
        assert printer.submit(JOB, Steps()).outcome is Outcome.PRINTED
        assert len(emulator.jobs) == 2


def test_an_answer_with_another_process_id_confirms_nothing():
    barrier, answer = gs_h(7)
    assert (barrier, answer) == (b"\x1d(H\x06\x00000007", b'7"0007\x00')
    replies = Replies()
    replies.feed(b'7"0006\x00' + ASB)
    assert not replies.take_exactly(answer)
    replies.feed(answer[:3])
    assert not replies.take_exactly(answer)
    replies.feed(answer[3:])
    assert replies.take_exactly(answer)


def test_a_job_is_fitted_to_the_slot_and_the_knife_of_its_printer():
    config = PrinterConfig(kind="tcp", slot=7, cutter=False)
    assert fitted(JOB, config) == JOB.replace(b"\x1bt\x11", b"\x1bt\x07").removesuffix(CUT) + b"\x1bd\x02"
    assert fitted(b"slip", config) == b"slip"


@pytest.mark.parametrize("may_clear", [True, False])
def test_a_fault_is_cleared_only_when_the_profile_allows_it(may_clear):
    with Emulator(mode="error") as emulator:
        delivery = tcp(emulator.port, clear_after_error=may_clear).submit(JOB, Steps())
        assert delivery.outcome is (Outcome.PRINTED if may_clear else Outcome.REFUSED)
        assert len(emulator.jobs) == int(may_clear)
        emulator.mode = "ok"


@pytest.mark.parametrize(
    ("mode", "fires"), [("ok", True), ("near_end", True), ("asb", True), ("paper_out", False), ("silent", False)]
)
def test_a_drawer_is_told_once_and_only_by_a_printer_that_would_do_it_now(mode, fires):
    with Emulator(mode=mode) as emulator:
        told = []
        delivery = tcp(emulator.port).pulse(lambda: told.append("fired"))
        assert (delivery.outcome is Outcome.UNCONFIRMED) == fires == bool(told)
        emulator.mode = "ok"
        assert tcp(emulator.port).submit(JOB, Steps()).outcome is Outcome.PRINTED
        assert emulator.kicks == int(fires)
