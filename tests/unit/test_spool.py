"""The print worker: every job ends on paper once, or stays visible; nothing is printed twice silently."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from drivers.fakes import FailingPrinter, TearingPrinter, WorkingPrinter
from drivers.ports import UNKNOWN, Delivery, Outcome
from drivers.printer import EscposPrinter
from drivers.transport_port import FileTransport
from drivers.transport_tcp import TcpTransport
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import InputError, StoreFullError
from pos_loyalty.store import prints
from pos_loyalty.store.db import open_store, write
from pos_loyalty.till.spool import PAUSE_FIRST_S, PAUSE_MAX_S, Spool
from tests.emulators.tcp_printer import TcpPrinter as Emulator

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIFE_S = 900
LONG_S, SHORT_S = 60.0, 0.1


def composed(body):
    """What a job of the tests is made of, written large; some cannot be printed, and one breaks the maker."""
    if body == b"unprintable":
        raise InputError("receipt.lines[0]", "has a sign that the page lacks")
    if body == b"broken":
        raise ZeroDivisionError
    return body.upper()


class Wall:
    """A clock that a test sets."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


class Shop:
    """A till's file with its spool, driven round by round."""

    def __init__(self, path):
        self.path = path
        self.clock = Wall()
        self.db = self.open()

    def open(self):
        return open_store(self.path, role="till", owner="T1", now=NOW)

    def spool(self, printer):
        return Spool(printer, self.open, make=composed, clock=self.clock, job_life_s=LIFE_S)

    def queue(self, number, body=None):
        """A slip of bytes, or what one is made of."""
        slip = b"slip %d" % number
        draft = prints.PrintDraft(
            sale_id=f"K{number}", receipt_no=f"R{number}", kind="sale", body=body or slip, is_made=body is None
        )
        with write(self.db):
            return prints.enqueue(self.db, draft, self.clock())

    def states(self):
        return [state for (state,) in self.db.execute("SELECT state FROM print_job ORDER BY id")]


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path / "till.db")
    yield shop
    shop.db.close()


def drain(spool, rounds=20):
    for _ in range(rounds):
        if spool.round() != 0.0:
            return
    raise AssertionError("the spool does not come to rest")


def test_jobs_are_printed_once_in_their_order(shop):
    printer = WorkingPrinter()
    for number in range(5):
        shop.queue(number)
    spool = shop.spool(printer)
    drain(spool)
    drain(spool)
    assert printer.jobs == [b"slip %d" % number for number in range(5)]
    assert shop.states() == ["printed"] * 5


def test_the_row_says_sending_before_the_first_byte_and_awaiting_after_the_last(shop):
    seen = []

    class Watching(WorkingPrinter):
        def submit(self, job, progress):
            seen.append(shop.states())
            progress.sending()
            seen.append(shop.states())
            progress.awaiting_ack()
            seen.append(shop.states())
            return Delivery(outcome=Outcome.PRINTED)

    shop.queue(1)
    drain(shop.spool(Watching()))
    assert [*seen, shop.states()] == [["queued"], ["sending"], ["awaiting_ack"], ["printed"]]


def test_a_dead_printer_keeps_jobs_queued_and_is_asked_ever_more_seldom(shop):
    shop.queue(1)
    spool = shop.spool(FailingPrinter())
    waits = [spool.round() for _ in range(9)]
    assert waits[0] == PAUSE_FIRST_S
    assert waits[-1] == PAUSE_MAX_S
    assert waits == sorted(waits)
    assert shop.states() == ["queued"]
    assert spool.problem == "no printer here"


def test_after_a_torn_job_the_next_one_is_printed_and_the_torn_one_is_not(shop):
    shop.queue(1)
    torn = TearingPrinter()
    spool = shop.spool(torn)
    assert spool.round() == PAUSE_FIRST_S
    assert shop.states() == ["uncertain"]
    assert spool.problem == "the connection broke while printing"
    assert spool.round() is None
    shop.queue(2)
    printer = WorkingPrinter()
    drain(shop.spool(printer))
    assert printer.jobs == [b"slip 2"]
    assert shop.states() == ["uncertain", "printed"]
    assert len(torn.jobs) == 1


def test_a_printer_without_an_answer_leaves_jobs_sent_but_unconfirmed(shop, tmp_path):
    shop.queue(1)
    config = PrinterConfig(kind="file", path=str(tmp_path / "slips"))
    drain(shop.spool(EscposPrinter(config, lambda: FileTransport(config))))
    assert shop.states() == ["sent_unconfirmed"]
    assert (tmp_path / "slips").read_bytes() == b"slip 1"


@pytest.mark.parametrize("state", ["sending", "awaiting_ack"])
def test_what_was_on_the_wire_at_a_crash_is_uncertain_and_not_printed_again(shop, state):
    job = shop.queue(1)
    with write(shop.db):
        prints.move(shop.db, job, "sending", NOW)
        if state == "awaiting_ack":
            prints.move(shop.db, job, "awaiting_ack", NOW)
    shop.queue(2)
    printer = WorkingPrinter()
    drain(shop.spool(printer))
    assert printer.jobs == [b"slip 2"]
    assert shop.states() == ["uncertain", "printed"]


def test_old_jobs_expire_instead_of_flooding_the_counter(shop):
    shop.queue(1)
    spool = shop.spool(FailingPrinter())
    shop.clock.at = NOW + timedelta(seconds=LIFE_S)
    shop.queue(2)
    spool.round()
    assert shop.states() == ["queued", "queued"]
    shop.clock.at += timedelta(seconds=1)
    printer = WorkingPrinter()
    drain(shop.spool(printer))
    assert printer.jobs == [b"slip 2"]
    assert shop.states() == ["expired", "printed"]


def test_a_store_that_fails_before_the_first_byte_prints_nothing_and_loses_nothing(shop):
    shop.queue(1)
    printer = WorkingPrinter()
    doors = [StoreFullError("The disk is full."), None]

    def open_db():
        fault = doors.pop(0) if doors else None
        if fault is not None:
            raise fault
        return shop.open()

    spool = Spool(printer, open_db, make=composed, clock=shop.clock, job_life_s=LIFE_S)
    assert spool.round() == PAUSE_FIRST_S
    assert (printer.jobs, spool.problem) == ([], "The disk is full.")
    drain(spool)
    assert shop.states() == ["printed"]
    assert spool.problem is None


def test_a_store_that_fails_after_the_last_byte_leaves_the_job_uncertain(shop):
    class FullAfter(WorkingPrinter):
        def submit(self, job, progress):
            progress.sending()
            self.jobs.append(job)
            raise StoreFullError("The disk is full.")

    shop.queue(1)
    printer = FullAfter()
    spool = shop.spool(printer)
    spool.round()
    drain(spool)
    assert printer.jobs == [b"slip 1"]
    assert shop.states() == ["uncertain"]


class Gate(WorkingPrinter):
    """Prints and opens a gate at the n-th job."""

    def __init__(self, count):
        super().__init__()
        self.is_reached = threading.Event()
        self.count = count

    def submit(self, job, progress):
        delivery = super().submit(job, progress)
        if len(self.jobs) == self.count:
            self.is_reached.set()
        return delivery


def test_the_thread_prints_what_is_queued_while_it_sleeps(shop):
    printer = Gate(3)
    spool = shop.spool(printer)
    spool.start()
    for number in range(3):
        shop.queue(number)
        spool.wake()
    assert printer.is_reached.wait(LONG_S)
    spool.close()
    spool.close()
    assert shop.states() == ["printed"] * 3
    assert spool.problem is None


def test_a_hanging_printer_blocks_neither_queueing_nor_waking(shop):
    free = threading.Event()

    class Hanging(FailingPrinter):
        def submit(self, job, progress):
            free.wait(LONG_S)
            return Delivery(outcome=Outcome.REFUSED, note="late")

        def status(self):
            return UNKNOWN

    spool = shop.spool(Hanging())
    spool.start()
    for number in range(20):
        shop.queue(number)
        spool.wake()
    assert prints.waiting(shop.db) == 20
    free.set()
    spool.close()


@pytest.mark.parametrize("mode", ["paper_out", "silent"])
def test_new_paper_brings_each_waiting_receipt_once(shop, mode):
    body = b"\x1b@slip\n\x1dV\x01"
    with Emulator(mode=mode) as emulator:
        config = PrinterConfig(kind="tcp", port=emulator.port)
        wait_s = SHORT_S if mode == "silent" else LONG_S
        spool = shop.spool(EscposPrinter(config, lambda: TcpTransport(config), status_wait_s=wait_s, ack_wait_s=LONG_S))
        for number in (1, 2):
            with write(shop.db):
                prints.enqueue(shop.db, prints.PrintDraft(sale_id=None, receipt_no=f"R{number}", kind="sale", body=body), NOW)
        assert spool.round() > 0
        assert shop.states() == ["queued", "queued"]
        emulator.mode = "ok"
        drain(spool)
        assert emulator.jobs == [body, body]
    assert shop.states() == ["printed", "printed"]


def test_a_slip_is_made_once_and_sent_again_with_the_same_bytes(shop):
    job = shop.queue(1, b"a balance of 5")
    refusing = Refusing()
    shop.spool(refusing).round()
    assert shop.states() == ["queued"] and refusing.seen == [b"A BALANCE OF 5"]
    kept = prints.by_job_id(shop.db, job)
    assert (kept.body, kept.is_made) == (b"A BALANCE OF 5", True), "from the first attempt on the bytes stand"
    printer = WorkingPrinter()
    Spool(printer, shop.open, make=composed_otherwise, clock=shop.clock, job_life_s=LIFE_S).round()
    assert printer.jobs == [b"A BALANCE OF 5"] and shop.states() == ["printed"]


def test_a_slip_of_which_no_attempt_was_made_is_kept_as_it_is(shop):
    job = shop.queue(1, b"a balance of 5")
    shop.spool(FailingPrinter()).round()
    kept = prints.by_job_id(shop.db, job)
    assert (kept.body, kept.is_made, kept.state) == (b"a balance of 5", False, "queued")


@pytest.mark.parametrize("body", [b"unprintable", b"broken"])
def test_a_slip_that_cannot_be_made_fails_visibly_and_holds_up_no_other(shop, body):
    shop.queue(1, body)
    shop.queue(2)
    shop.queue(3, body)
    printer = WorkingPrinter()
    drain(shop.spool(printer))
    assert printer.jobs == [b"slip 2"] and shop.states() == ["failed", "printed", "failed"]
    assert all(job.note for job in prints.not_on_paper(shop.db, NOW - timedelta(days=1), 9))


def composed_otherwise(body):
    raise AssertionError("what was made is not made again")


class Refusing(WorkingPrinter):
    """Says that it sends, and then that surely no byte went out."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def submit(self, job, progress):
        self.seen.append(job)
        progress.sending()
        return Delivery(outcome=Outcome.REFUSED, note="away")
