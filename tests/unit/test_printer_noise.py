"""What confirms a receipt, and that nothing else does: noise of every byte and every moment from a printer that is gone. All
of it in memory, where nobody waits; some of each over TCP and over a serial line (a pseudo-terminal)."""

from __future__ import annotations

import os
import select
import socket
import threading
import tty
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import get_args

import pytest

from drivers.ports import UNKNOWN, Outcome
from drivers.printer import EscposPrinter
from drivers.transport_port import SerialTransport
from drivers.transport_tcp import TcpTransport
from pos_loyalty.config import PrinterConfig
from tests.emulators.mechanism import Macros
from tests.emulators.tcp_printer import TcpPrinter

BEGIN, REST = b"\x1b@", b"\x1bt\x11slip\n\x1dV\x01"
JOB = BEGIN + REST
MARK, RUN, RUN_BYTES = b"\x1d:", b"\x1d^", 5
ASB = b"\x14\x00\x00\x0f"
GS_R = b"\x1dr\x01"
ANSWERS = {b"\x10\x04\x01": b"\x16", b"\x10\x04\x02": b"\x12", b"\x10\x04\x04": b"\x12", GS_R: b"\x00"}
FLOW_CONTROL = b"\x11\x13"
"""No noise."""
LONG_S, SHORT_S = 30.0, 0.04
KINDS = ("memory", "tcp", "serial")


class Steps:
    """Keeps what a printer tells of one job."""

    def __init__(self):
        self.told = []

    def sending(self):
        self.told.append("sending")

    def awaiting_ack(self):
        self.told.append("awaiting_ack")


class Wire:
    """A printer that answers each question rightly until the receipt has come; from then on it says what a test tells it.

    ``instead``: said when the receipt has come whole. ``after(question, number)``: what is said to the number-th question from
    then on, the receipt's own barriers among them. ``unasked``: said before each answer until then. ``macros``: as in Mechanism.
    """

    def __init__(self, kind, *, instead=b"", after=lambda question, number: b"", unasked=b"", macros="unanswered"):
        self.kind, self.instead, self.after, self.unasked, self.macros = kind, instead, after, unasked, macros
        self.is_learning = self.has_learned = False
        self.asked = 0
        self.has_come = False
        self.is_over = False
        if kind == "tcp":
            self.listener = socket.create_server(("127.0.0.1", 0))
        elif kind == "serial":
            self.master, self.slave = os.openpty()
            tty.setraw(self.slave)
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        if self.kind != "memory":
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        if self.kind == "tcp":
            with suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        if self.kind != "memory":
            self.thread.join()
        if self.kind == "serial":
            os.close(self.slave)
            os.close(self.master)

    def printer(self, **waits):
        waits = {"status_wait_s": LONG_S, "ack_wait_s": LONG_S, **waits}
        if self.kind == "tcp":
            config = PrinterConfig(kind="tcp", port=self.listener.getsockname()[1], timeout_s=1.0)
            return EscposPrinter(config, lambda: TcpTransport(config), **waits)
        if self.kind == "memory":
            return EscposPrinter(PrinterConfig(kind="tcp"), lambda: InMemory(self), **waits)
        config = PrinterConfig(kind="serial", path=os.ttyname(self.slave), baud=921_600, timeout_s=1.0)
        return EscposPrinter(config, lambda: SerialTransport(config), **waits)

    def serve(self):
        with suppress(OSError):
            if self.kind == "tcp":
                while not self.is_over:
                    line, _ = self.listener.accept()
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with line:
                        self.talk(partial(line.recv, 4096), line.sendall)
            else:
                self.talk(self.heard, lambda data: os.write(self.master, data))

    def heard(self):
        while not select.select([self.master], [], [], 0.01)[0]:
            if self.is_over:
                return b""
        return os.read(self.master, 4096)

    def talk(self, recv, send):
        said = b""
        while chunk := recv():
            said = self.take(said + chunk, send)

    def take(self, said, send):
        """Answer what has come whole; gives back the rest."""
        while said[:3] in ANSWERS or said.startswith((BEGIN, REST, MARK)) or (said.startswith(RUN) and len(said) >= RUN_BYTES):
            if said[:3] in ANSWERS:
                question, said = said[:3], said[3:]
                self.has_learned = self.has_learned or (self.is_learning and question == GS_R)
                if not self.is_learning or self.macros != "unanswered":
                    self.asked_for(question, send)
            elif said.startswith(RUN):
                times, said = said[2], said[RUN_BYTES:]
                for _ in range(times if self.has_learned and self.macros != "none" else 0):
                    self.asked_for(GS_R, send)
            elif said.startswith(MARK):
                said = said.removeprefix(MARK)
                self.is_learning = not self.is_learning and self.macros != "none"
                self.has_learned = self.has_learned and not self.is_learning
            elif said.startswith(BEGIN):
                said = said.removeprefix(BEGIN)
            else:
                said = said.removeprefix(REST)
                self.has_come = True
                send(self.instead)
        return said

    def asked_for(self, question, send):
        self.asked += self.has_come
        send(self.after(question, self.asked - 1) if self.has_come else self.unasked + ANSWERS[question])


class InMemory:
    """Implements Transport to a Wire without a port: what is not there at once never comes, so nobody waits for it."""

    is_bidirectional = True

    def __init__(self, wire):
        self.wire, self.said, self.answers = wire, b"", bytearray()

    def write(self, data, deadline_ns):
        self.said = self.wire.take(self.said + data, self.answers.extend)
        return len(data)

    def read(self, count, deadline_ns):
        taken = bytes(self.answers[:count])
        del self.answers[:count]
        return taken

    def finish(self, deadline_ns):
        return True

    def close(self):
        pass


def outcome_of(wire, ack_wait_s=SHORT_S, status_wait_s=LONG_S):
    steps = Steps()
    with wire:
        printer = wire.printer(ack_wait_s=ack_wait_s, status_wait_s=status_wait_s)
        delivery = printer.submit(JOB, steps)
    assert steps.told == ["sending", "awaiting_ack"]
    return delivery.outcome


def rightly(question, number):
    return ANSWERS[question]


@pytest.mark.parametrize("macros", get_args(Macros))
@pytest.mark.parametrize("kind", KINDS)
def test_a_printer_that_answers_each_question_has_printed(kind, macros):
    assert outcome_of(Wire(kind, after=rightly, macros=macros), LONG_S) is Outcome.PRINTED


@pytest.mark.parametrize("kind", KINDS)
def test_no_single_byte_confirms_a_receipt(kind):
    for byte in range(256) if kind == "memory" else (0x00, 0x03, 0x12, 0x14, 0xFF):
        assert outcome_of(Wire(kind, instead=bytes([byte]))) is Outcome.UNCERTAIN, f"{byte:#04x} confirmed a receipt"


def test_no_two_bytes_confirm_a_receipt():
    for first in range(256):
        for second in range(256):
            noise = bytes((first, second))
            assert outcome_of(Wire("memory", instead=noise)) is Outcome.UNCERTAIN, f"{noise.hex(' ')} confirmed a receipt"


BURSTS = [
    ASB,
    ASB[1:],
    ASB[1:] * 2,
    ASB[1:] * 5,
    ASB * 10,
    *(bytes([byte]) * count for byte in (0, 3, 0x12) for count in range(3, 41)),
]


@pytest.mark.parametrize("kind", KINDS)
def test_no_burst_and_no_torn_status_packet_confirms_a_receipt(kind):
    for burst in BURSTS if kind == "memory" else (ASB, ASB[1:] * 5, bytes(5), bytes(7), bytes(40)):
        assert outcome_of(Wire(kind, instead=burst), status_wait_s=0.4) is Outcome.UNCERTAIN, (
            f"{burst.hex(' ')} confirmed a receipt"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_printer_that_lost_its_power_and_is_back_has_not_printed_though_a_break_looked_like_an_answer(kind):
    """It has forgotten the receipt and its barrier, and answers all that is asked from now on."""
    barriers = 5
    for noise in (b"\x00", b"\x00\x00", b"\x00\x00\x00", b"\x00\x12", ASB[1:], b"\xff\x00\x00"):
        wire = Wire(kind, instead=noise, after=lambda question, number: b"" if number < barriers else ANSWERS[question])
        assert outcome_of(wire) is Outcome.UNCERTAIN


@pytest.mark.parametrize("macros", get_args(Macros))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", range(8))
def test_a_byte_too_many_at_any_moment_is_a_doubt(kind, at, macros):
    """The printer answers each question; once a byte more comes with an answer, before it or behind it."""
    noises = [byte for byte in range(256) if byte not in FLOW_CONTROL] if kind == "memory" else (0x00, 0xFF)
    told = [(bytes([noise]), is_before) for noise in noises for is_before in (True, False)]

    def outcome(noise, is_before):
        def after(question, number):
            more = noise if number == at else b""
            return more + ANSWERS[question] if is_before else ANSWERS[question] + more

        return outcome_of(Wire(kind, after=after, macros=macros), 0.3, 0.3)

    with ThreadPoolExecutor(1 if kind == "memory" else len(told)) as at_once:
        outcomes = at_once.map(outcome, *zip(*told, strict=True))
        assert [(each, seen) for each, seen in zip(told, outcomes, strict=True) if seen is not Outcome.UNCERTAIN] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", range(8))
def test_an_answer_that_is_missing_is_a_doubt(kind, at):
    wire = Wire(kind, after=lambda question, number: b"" if number == at else ANSWERS[question])
    assert outcome_of(wire, 0.2, 0.2) is Outcome.UNCERTAIN


@pytest.mark.parametrize("kind", KINDS)
def test_whole_status_packets_and_flow_control_between_answers_are_no_doubt(kind):
    wire = Wire(kind, after=lambda question, number: ASB + b"\x13\x11" + ANSWERS[question] + ASB)
    assert outcome_of(wire, LONG_S) is Outcome.PRINTED


def test_answers_to_a_barrier_that_differ_confirm_nothing():
    wire = Wire("tcp", after=lambda question, number: bytes([0x03]) if number == 2 else ANSWERS[question])
    assert outcome_of(wire, LONG_S) is Outcome.UNCERTAIN


def test_answers_that_wait_on_the_line_before_the_receipt_do_not_confirm_it():
    with Wire("memory", unasked=b"\x00" * 3) as wire:
        printer = wire.printer()
        for _ in range(3):
            assert printer.submit(JOB, Steps()).outcome is not Outcome.PRINTED


def test_a_printer_that_answers_only_the_first_of_several_barriers_is_told_apart_before_paper_is_used():
    class Single(Wire):
        def talk(self, recv, send):
            while chunk := recv():
                send(b"\x00" if chunk.startswith(GS_R) else ANSWERS[chunk[:3]])

    steps = Steps()
    with Single("tcp") as wire:
        delivery = wire.printer(status_wait_s=0.5).submit(JOB, steps)
    assert delivery.outcome is Outcome.REFUSED and 'barrier = "none"' in delivery.note
    assert steps.told == []


@contextmanager
def stranger(answer):
    """Something else that listens at the printer's address."""

    def serve():
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                with line, suppress(ConnectionError):  # who hangs up on what was said is served again
                    while chunk := line.recv(4096):
                        line.sendall(answer(chunk))

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    config = PrinterConfig(kind="tcp", port=listener.getsockname()[1], timeout_s=1.0)
    yield EscposPrinter(config, lambda: TcpTransport(config), status_wait_s=3.0)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


WEB = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "answer", [lambda chunk: WEB, lambda chunk: chunk, lambda chunk: b"SSH-2.0-x\r\n"], ids=["web", "echo", "ssh"]
)
def test_what_is_no_printer_is_said_to_be_none_and_gets_no_receipt(answer):
    steps = Steps()
    with stranger(answer) as printer:
        status = printer.status()
        assert status.is_strange and not status.is_ready and status != UNKNOWN
        delivery = printer.submit(JOB, steps)
    assert delivery.outcome is Outcome.REFUSED and delivery.note == "what answers there is no printer"
    assert steps.told == []


def test_a_printer_that_chatters_is_no_stranger():
    with TcpPrinter(mode="asb") as emulator:
        config = PrinterConfig(kind="tcp", port=emulator.port)
        assert EscposPrinter(config, lambda: TcpTransport(config), status_wait_s=LONG_S).status().is_ready
