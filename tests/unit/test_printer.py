"""Status bytes, and what becomes of a job when the line breaks at every possible place."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from drivers.ports import UNKNOWN, Outcome, PrinterStatus
from drivers.printer import CUT, EscposPrinter, fitted
from drivers.replies import Replies, gs_h, status_of
from drivers.transport_port import FileTransport
from drivers.transport_tcp import TcpTransport
from pos_loyalty.config import PrinterConfig
from tests.emulators.tcp_printer import TcpPrinter as Emulator

JOB = b"\x1b@\x1bt\x11" + "Чек 7: 300-00\n".encode("cp866") + b"\x1dV\x01"
ASB = b"\x14\x00\x00\x0f"
ASKED_BYTES = 28 + 10
"""Questions before the receipt: those that clear the line, and whether it knows macros."""
LONG_S, PATIENT_S, SHORT_S = 30.0, 3.0, 0.2
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


@given(st.lists(st.sampled_from([ASB, b"\x10\x00\x6f\x00", b"\x11", b"\x13"]), max_size=6), st.integers(0, 3), st.data())
def test_status_packets_and_flow_control_are_never_taken_for_an_answer(noise, later, data):
    stream = b"".join(noise)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    for answer in (0x16, 0x00):
        replies = Replies()
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            replies.feed(stream[begin:end])
            assert replies.next() is None
        replies.feed(bytes([answer]) + ASB[:later])
        assert replies.next() == answer
        assert replies.next() is None
        assert replies.is_torn == (later > 0)
        replies.feed(ASB[later:] if later else b"")
        assert replies.next() is None and not replies.is_torn


def test_what_only_begins_like_a_status_packet_hides_no_byte_behind_it():
    replies = Replies()
    replies.feed(b"\x14\x12\x00\x12")
    assert [replies.next() for _ in range(5)] == [0x14, 0x12, 0x00, 0x12, None]


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
        emulator.reset_at = ASKED_BYTES + bytes_before
        steps = Steps()
        delivery = tcp(emulator.port, barrier="gs_h").submit(JOB, steps)
        assert delivery.outcome is Outcome.UNCERTAIN
        assert delivery.note
        assert steps.told[0] == "sending"
        assert len(emulator.jobs) <= 1


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
    with Emulator() as emulator:
        printer = tcp(emulator.port, ack_wait_s=PATIENT_S)
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
    assert replies.take_exactly(answer, answer) is None
    replies.feed(answer[:3])
    assert replies.take_exactly(answer, answer) is None
    replies.feed(answer[3:])
    assert replies.take_exactly(answer, answer) == 0


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
        wait_s = SHORT_S if mode == "silent" else LONG_S
        delivery = tcp(emulator.port, status_wait_s=wait_s).pulse(lambda: told.append("fired"))
        assert (delivery.outcome is Outcome.UNCONFIRMED) == fires == bool(told)
        emulator.mode = "ok"
        assert tcp(emulator.port).submit(JOB, Steps()).outcome is Outcome.PRINTED
        assert emulator.kicks == int(fires)
