"""A printer that loses its power for a moment while its line stays, at every byte of a receipt: what is torn is never `printed`.
The driver and the emulated printer in memory, where nobody waits; over TCP, with a till, in tests/faults/test_paper.py."""

from __future__ import annotations

import os
from itertools import product
from typing import get_args

import pytest

from drivers.ports import Outcome
from drivers.printer import EscposPrinter
from drivers.transport_tcp import TcpTransport
from pos_loyalty.config import PrinterConfig
from tests.emulators.mechanism import Macros, Mechanism, PaperLine
from tests.emulators.tcp_printer import TcpPrinter
from tests.golden.samples import bytes_of

LOSSES = (0, 1, 7, 60, 400)
"""Bytes that come while it is off: none, a part of a command, of a line, several lines, most of the receipt."""
KNOWN: tuple[Macros, ...] = ("answered", "unanswered")
BARRIERS = ("gs_r", "gs_h")
STEP = 1 if os.environ.get("PRINT_FAULTS") == "long" else 61


class Steps:
    """Implements Progress: a blip is over before anybody is told."""

    def sending(self) -> None:
        pass

    def awaiting_ack(self) -> None:
        pass


class InMemory:
    """Implements Transport to a Mechanism without a port: what is not there at once never comes."""

    is_bidirectional = True

    def __init__(self, printer: Mechanism) -> None:
        self.printer, self.answers = printer, bytearray()
        self.line = printer.join(self.answers.extend)

    def write(self, data: bytes, deadline_ns: int) -> int:
        assert self.printer.receive(self.line, data)
        return len(data)

    def read(self, count: int, deadline_ns: int) -> bytes:
        taken = bytes(self.answers[:count])
        del self.answers[:count]
        return taken

    def finish(self, deadline_ns: int) -> bool:
        return True

    def close(self) -> None:
        self.printer.leave(self.line)


def printed(printer: Mechanism, barrier: str, job: bytes, jobs: int = 1) -> Outcome:
    config = PrinterConfig(kind="tcp", barrier=barrier)  # type: ignore[arg-type]
    driver = EscposPrinter(config, lambda: InMemory(printer))
    return [driver.submit(job, Steps()).outcome for _ in range(jobs)][-1]


def whole_bytes(macros: Macros, barrier: str, job: bytes) -> int:
    """How many bytes go out when nothing fails."""
    printer = Mechanism()
    printer.macros = macros
    assert printed(printer, barrier, job) is Outcome.PRINTED and printer.jobs == [job] and not printer.faults
    return len(printer.heard)


def test_every_printer_gets_the_receipt_whole_and_confirms_it() -> None:
    job = bytes_of("sale", "ru")
    for macros, barrier in product(get_args(Macros), BARRIERS):
        printer = Mechanism()
        printer.macros = macros
        assert printed(printer, barrier, job, jobs=4) is Outcome.PRINTED
        assert printer.jobs == [job] * 4 and not printer.faults


@pytest.mark.parametrize("macros", KNOWN)
@pytest.mark.parametrize("barrier", BARRIERS)
def test_a_torn_receipt_is_never_printed(macros: Macros, barrier: str) -> None:
    job = bytes_of("sale", "ru")
    last, uncertain = whole_bytes(macros, barrier, job), 0
    begin = last - len(job)  # or a little before
    places = {*range(1, last, STEP), *range(1, begin + 8, 1 + STEP // 10), *range(last - 14, last + 1)}
    for at, loses in product(sorted(places), LOSSES):
        printer = Mechanism()
        printer.macros, printer.blip_at, printer.blip_loses = macros, at, loses
        outcome = printed(printer, barrier, job)
        assert outcome is not Outcome.PRINTED or printer.jobs[-1].endswith(job), f"{loses} bytes lost at {at} of {last}"
        assert outcome is not Outcome.REFUSED or not printer.jobs
        uncertain += outcome is Outcome.UNCERTAIN
    assert uncertain > 2 * len(job) // STEP


def test_a_printer_without_macros_may_confirm_a_torn_receipt() -> None:
    """The limit that docs/devices.md tells of: nothing but its own memory could tell it."""
    job, printer = bytes_of("sale", "ru"), Mechanism()
    printer.macros, printer.blip_at = "none", 300
    assert printed(printer, "gs_r", job) is Outcome.PRINTED and job not in printer.jobs


def test_after_the_blip_the_next_receipt_is_printed() -> None:
    job = bytes_of("sale", "ru")
    printer = Mechanism()
    config = PrinterConfig(kind="tcp")
    driver = EscposPrinter(config, lambda: InMemory(printer))
    for at in range(1, len(job) + 80, 23):
        printer.blip_at = len(printer.heard) + at
        driver.submit(job, Steps())
        printer.blip_at = None
        assert driver.submit(job, Steps()).outcome is Outcome.PRINTED and printer.jobs[-1] == job


def test_a_macro_that_was_left_half_learned_is_ended_before_the_next_receipt() -> None:
    job, printer = bytes_of("sale", "ru"), Mechanism()
    printer.receive(printer.join(lambda data: None), b"\x1d:\x1dr\x01")
    assert printed(printer, "gs_r", job) is Outcome.PRINTED and printer.jobs == [job]


def test_another_till_that_breaks_off_while_it_teaches_a_macro_spoils_no_receipt() -> None:
    job, printer = bytes_of("sale", "ru"), Mechanism()
    config = PrinterConfig(kind="tcp")
    driver = EscposPrinter(config, lambda: InMemory(printer))
    assert driver.submit(job, Steps()).outcome is Outcome.PRINTED
    printer.receive(printer.join(lambda data: None), b"\x1d:\x1dr\x01")
    assert driver.submit(job, Steps()).outcome is Outcome.PRINTED and printer.jobs == [job] * 2


def test_a_printer_put_in_the_place_of_another_is_asked_anew() -> None:
    job, there = bytes_of("sale", "ru"), Mechanism()
    there.macros = "none"
    driver = EscposPrinter(PrinterConfig(kind="tcp"), lambda: InMemory(there))
    assert driver.submit(job, Steps()).outcome is Outcome.PRINTED
    there.mode = "silent"
    assert driver.submit(job, Steps()).outcome is Outcome.REFUSED
    there = Mechanism()
    assert driver.submit(job, Steps()).outcome is Outcome.PRINTED
    there.blip_at = 300
    assert driver.submit(job, Steps()).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("macros", get_args(Macros))
def test_two_torn_status_packets_confirm_nothing(macros: Macros) -> None:
    """Each leaves three bytes that look like answers; then the printer is back, and answers what it is asked."""

    class Torn(Mechanism):
        def receive(self, line: PaperLine, chunk: bytes) -> bool:
            if job not in chunk:
                return super().receive(line, chunk)
            super().receive(line, chunk[:3])
            self.lose_power()
            line.send(bytes(6))
            return True

    job, printer = bytes_of("sale", "ru"), Torn()
    printer.macros = macros
    assert printed(printer, "gs_r", job) is Outcome.UNCERTAIN


@pytest.mark.parametrize("macros", get_args(Macros))
@pytest.mark.parametrize("barrier", BARRIERS)
def test_a_printer_that_is_slow_to_begin_anew_prints_and_confirms(macros: Macros, barrier: str) -> None:
    with TcpPrinter() as printer:
        printer.macros, printer.initialise_s = macros, 0.3
        config = PrinterConfig(kind="tcp", port=printer.port, barrier=barrier)  # type: ignore[arg-type]
        driver = EscposPrinter(config, lambda: TcpTransport(config))
        for _ in range(2):
            assert driver.submit(bytes_of("sale", "ru"), Steps()).outcome is Outcome.PRINTED


def test_a_printer_that_never_answers_the_question_with_a_number_is_told_what_to_set() -> None:
    class Deaf(Mechanism):
        def receive(self, line: PaperLine, chunk: bytes) -> bool:
            return super().receive(line, chunk) if b"\x1d(H" not in chunk else True

    config = PrinterConfig(kind="tcp", barrier="gs_h")
    delivery = EscposPrinter(config, lambda: InMemory(Deaf())).submit(bytes_of("sale", "ru"), Steps())
    assert delivery.outcome is Outcome.REFUSED and "macro = false" in str(delivery.note)


def test_who_forbids_it_is_asked_for_no_macro() -> None:
    job, printer = bytes_of("sale", "ru"), Mechanism()
    config = PrinterConfig(kind="tcp", macro=False)
    assert EscposPrinter(config, lambda: InMemory(printer)).submit(job, Steps()).outcome is Outcome.PRINTED
    assert b"\x1d:" not in printer.heard and b"\x1d^" not in printer.heard
