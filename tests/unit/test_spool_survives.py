"""The print worker outlives whatever breaks over a job, and what happens to a job while it is offered stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from drivers.fakes import WorkingPrinter
from drivers.fallback import FallbackPrinter
from drivers.ports import Delivery, Outcome
from pos_loyalty.errors import CommitUnknownError, StoreFullError
from pos_loyalty.store import prints
from pos_loyalty.store.db import write
from pos_loyalty.till.spool import BREAKS_MAX, PAUSE_FIRST_S, Spool
from tests.unit.test_spool import LIFE_S, LONG_S, NOW, Gate, Shop, composed, drain


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path / "till.db")
    yield shop
    shop.db.close()


@pytest.mark.parametrize("error", [ValueError("x"), KeyError(1), OSError(5, "x"), MemoryError()])
def test_a_driver_that_breaks_over_every_receipt_leaves_them_to_the_fallback(shop, error):
    class Broken(WorkingPrinter):
        def submit(self, job, progress):
            raise error

    for number in (1, 2, 3):
        shop.queue(number)
    other = WorkingPrinter("other")
    spool = shop.spool(FallbackPrinter(Broken("main"), other))
    for _ in range(6):
        spool.round()
    assert sorted(other.jobs) == [b"slip 1", b"slip 2", b"slip 3"] and shop.states() == ["printed"] * 3


def test_a_file_that_fails_is_no_reason_to_print_at_the_fallback(shop, monkeypatch):
    begin, faults = prints.begin, [StoreFullError("The disk is full.")] * 3

    def fails(db, job_id, body, now):
        if faults:
            raise faults.pop()
        return begin(db, job_id, body, now)

    monkeypatch.setattr(prints, "begin", fails)
    main, other = WorkingPrinter("main"), WorkingPrinter("other")
    shop.queue(1)
    spool = shop.spool(FallbackPrinter(main, other))
    for _ in range(5):
        spool.round()
    assert main.jobs == [b"slip 1"] and other.jobs == []


class Meanwhile(WorkingPrinter):
    """Something happens after a job was chosen: before its first byte, or between ``sending`` and a refusal."""

    def __init__(self, happens, *, refuses=False):
        super().__init__()
        self.happens, self.refuses = happens, refuses

    def submit(self, job, progress):
        happens, self.happens = self.happens, lambda: None
        if not self.refuses:
            happens()
            return super().submit(job, progress)
        self.refuses = False
        progress.sending()
        happens()
        return Delivery(outcome=Outcome.REFUSED, note="away")


def test_a_member_who_is_erased_while_their_receipt_is_offered_stops_no_paper(shop):
    job = shop.queue(1)
    shop.queue(2)

    def erase():
        with write(shop.db):
            shop.db.execute(
                "UPDATE print_job SET state = 'expired', body = zeroblob(0), note = 'erased' WHERE id = :job", {"job": job}
            )

    printer = Meanwhile(erase)
    drain(shop.spool(printer))
    assert printer.jobs == [b"slip 2"]
    assert shop.states() == ["expired", "printed"]


def test_a_receipt_whose_bytes_were_wiped_on_the_way_does_not_wait_for_ever(shop):
    job = shop.queue(1)
    shop.queue(2)

    def wipe():
        with write(shop.db):
            shop.db.execute("UPDATE print_job SET body = zeroblob(0) WHERE id = :job", {"job": job})

    printer = Meanwhile(wipe, refuses=True)
    spool = shop.spool(printer)
    spool.round()
    assert shop.states() == ["expired", "queued"]
    drain(spool)
    assert shop.states() == ["expired", "printed"] and printer.jobs == [b"slip 2"]
    assert prints.waiting(shop.db) == 0


def test_a_row_without_bytes_that_an_earlier_build_left_waiting_is_given_up(shop):
    job = shop.queue(1)
    with write(shop.db):
        shop.db.execute("UPDATE print_job SET body = zeroblob(0) WHERE id = :job", {"job": job})
    drain(shop.spool(WorkingPrinter()))
    assert shop.states() == ["expired"]


class Bursting(WorkingPrinter):
    """A driver with a fault of its own: it raises what no driver may, at a place, over some jobs."""

    def __init__(self, error, *, after_sending, over=b"slip 1"):
        super().__init__()
        self.error, self.after_sending, self.over = error, after_sending, over

    def submit(self, job, progress):
        if job == self.over:
            if self.after_sending:
                progress.sending()
            raise self.error
        return super().submit(job, progress)


PASSING = [OSError(5, "x"), OSError(24, "x"), MemoryError()]


@pytest.mark.parametrize(
    ("error", "after_sending"),
    [
        *((error, after) for error in (ValueError("x"), AssertionError(), ZeroDivisionError(), KeyError(1)) for after in (0, 1)),
        *((error, True) for error in PASSING),
    ],
)
def test_whatever_breaks_over_one_job_is_told_and_the_jobs_after_it_are_printed(shop, error, after_sending):
    shop.queue(1)
    shop.queue(2)
    printer = Bursting(error, after_sending=after_sending)
    spool = shop.spool(printer)
    assert spool.round() == PAUSE_FIRST_S
    assert type(error).__name__ in spool.problem
    for _ in range(4):
        spool.round()
    assert shop.states() == ["uncertain" if after_sending else "failed", "printed"]
    assert printer.jobs == [b"slip 2"]
    assert all(job.note for job in prints.not_on_paper(shop.db, NOW - timedelta(days=1), 9))
    assert spool.problem is None


@pytest.mark.parametrize("error", PASSING)
@pytest.mark.parametrize("place", ["made", "offered"])
def test_what_this_machine_lacks_for_a_while_costs_no_receipt(shop, error, place):
    lacks = [error]

    def made(body):
        if place == "made" and body == b"one" and lacks:
            raise lacks[0]
        return composed(body)

    class Lacking(WorkingPrinter):
        def submit(self, job, progress):
            if place == "offered" and job == b"ONE" and lacks:
                raise lacks[0]
            return super().submit(job, progress)

    shop.queue(1, b"one")
    shop.queue(2)
    printer = Lacking()
    spool = Spool(printer, shop.open, make=made, clock=shop.clock, job_life_s=LIFE_S)
    assert spool.round() == PAUSE_FIRST_S
    assert type(error).__name__ in spool.problem
    for number in range(3, 3 + 2 * BREAKS_MAX):
        shop.queue(number)
        spool.round()
    assert shop.states() == ["queued", *["printed"] * (len(shop.states()) - 2), "queued"]
    assert b"ONE" not in printer.jobs and "R1" in spool.problem and "gift" not in spool.problem
    lacks.clear()
    drain(spool)
    assert shop.states() == ["printed"] * len(shop.states()) and printer.jobs.count(b"ONE") == 1
    assert spool.problem is None


def test_what_this_machine_lacks_for_too_long_ends_with_the_life_of_the_job(shop):
    def made(body):
        raise MemoryError

    shop.queue(1, b"one")
    spool = Spool(WorkingPrinter(), shop.open, make=made, clock=shop.clock, job_life_s=LIFE_S)
    spool.round()
    shop.clock.at += timedelta(seconds=LIFE_S + 1)
    shop.queue(2)
    drain(spool)
    assert shop.states() == ["expired", "printed"] and spool.problem is None


def test_the_thread_survives_a_driver_that_bursts(shop):
    class Once(Gate):
        is_whole = False

        def submit(self, job, progress):
            if not self.is_whole:
                self.is_whole = True
                raise ValueError("embedded null byte")
            return super().submit(job, progress)

    shop.queue(1)
    printer = Once(1)
    spool = shop.spool(printer)
    spool.start()
    assert printer.is_reached.wait(LONG_S)
    spool.close()
    assert shop.states() == ["printed"]


CODE = b"the code of a gift card"


def queue_gift(shop):
    with write(shop.db):
        draft = prints.PrintDraft(sale_id=None, receipt_no="G1", kind="gift_card", body=CODE)
        return prints.enqueue(shop.db, draft, NOW)


class NoPaper(WorkingPrinter):
    """Refuses until there is paper."""

    has_paper = False

    def submit(self, job, progress):
        if not self.has_paper:
            return Delivery(outcome=Outcome.REFUSED, note="no paper")
        return super().submit(job, progress)


class Failing:
    """The till's file, of which reads fail at a place for as long as a test says: SQLite itself is made to say so."""

    def __init__(self, shop, table, actions=None):
        self.shop, self.table, self.actions, self.is_failing = shop, table, actions, False

    def open(self):
        self.db = self.shop.open()
        self.db.set_authorizer(self._allowed)
        return self.db

    def fail(self):
        self.is_failing = True
        self.db.set_authorizer(self._allowed)  # what was prepared before is asked about anew

    def mend(self):
        self.is_failing = False

    def _allowed(self, action, table, *_):
        is_denied = self.is_failing and table == self.table and (self.actions is None or action in self.actions)
        return 1 if is_denied else 0  # 1 is SQLITE_DENY: the statement is an error


@pytest.mark.parametrize("kind", ["gift_card", "sale"])
def test_a_file_that_cannot_be_read_for_a_while_is_no_fault_of_the_job_that_waits(shop, kind):
    job = queue_gift(shop) if kind == "gift_card" else shop.queue(1)
    body = prints.by_job_id(shop.db, job).body
    file, printer = Failing(shop, "print_job"), NoPaper()
    spool = Spool(printer, file.open, make=composed, clock=shop.clock, job_life_s=LIFE_S)
    spool.round()
    assert spool.problem == "no paper"
    file.fail()
    for _ in range(2 * BREAKS_MAX):
        assert spool.round() > 0 and "database" in spool.problem
    file.mend()
    printer.has_paper = True
    drain(spool)
    assert shop.states() == ["printed"] and printer.jobs == [body]


def test_a_file_that_cannot_be_opened_for_a_while_is_no_fault_of_the_job_that_waits(shop):
    queue_gift(shop)
    doors, printer = [], NoPaper()

    def opened():
        if doors:
            raise doors.pop()
        return shop.open()

    spool = Spool(printer, opened, make=composed, clock=shop.clock, job_life_s=LIFE_S)
    spool.round()
    spool.close()
    doors += [OSError(5, "x")] * (2 * BREAKS_MAX)
    for _ in range(2 * BREAKS_MAX):
        assert spool.round() > 0
    printer.has_paper = True
    drain(spool)
    assert shop.states() == ["printed"] and printer.jobs == [CODE]


def test_a_gift_card_slip_that_breaks_the_worker_keeps_its_code_and_waits_behind_the_others(shop):
    job = queue_gift(shop)
    shop.queue(2)
    printer = Bursting(ValueError("x"), after_sending=False, over=CODE)
    spool = shop.spool(printer)
    for _ in range(2 * BREAKS_MAX):
        spool.round()
    shop.queue(3)
    spool.round()
    assert printer.jobs == [b"slip 2", b"slip 3"]
    for _ in range(2 * BREAKS_MAX):
        assert "G1" in spool.problem and "gift card" in spool.problem
        assert spool.round() > 0
    assert shop.states() == ["queued", "printed", "printed"] and prints.by_job_id(shop.db, job).body == CODE
    printer.over = b""
    drain(spool)
    assert printer.jobs[2:] == [CODE] and spool.problem is None
    assert shop.states() == ["printed"] * 3


def test_a_slip_that_breaks_for_ever_keeps_none_from_paper_that_waits_behind_it(shop):
    queue_gift(shop)
    shop.queue(2)

    class Worn(WorkingPrinter):
        lacks = True

        def submit(self, job, progress):
            if job == CODE:
                raise ValueError("x")
            if self.lacks:
                raise MemoryError
            return super().submit(job, progress)

    printer = Worn()
    spool = shop.spool(printer)
    for _ in range(2 * BREAKS_MAX):
        spool.round()
    assert printer.jobs == [] and shop.states() == ["queued"] * 2
    printer.lacks = False
    for _ in range(2):
        spool.round()
    assert printer.jobs == [b"slip 2"] and shop.states() == ["queued", "printed"]


def test_a_slip_whose_first_byte_did_not_go_out_is_not_given_up_for_a_commit_that_failed(shop, monkeypatch):
    """The row may say that it is being sent: that stood, and the commit failed all the same."""
    queue_gift(shop)
    begin, faults = prints.begin, [CommitUnknownError("disk I/O error")]

    def stands(db, job_id, body, now):
        has_begun = begin(db, job_id, body, now)
        if faults:
            db.execute("COMMIT")
            raise faults.pop()
        return has_begun

    monkeypatch.setattr(prints, "begin", stands)
    printer = WorkingPrinter()
    spool = shop.spool(printer)
    assert spool.round() > 0
    assert shop.states() == ["sending"] and printer.jobs == []
    drain(spool)
    assert shop.states() == ["printed"] and printer.jobs == [CODE]
