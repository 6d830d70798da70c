"""The print worker outlives whatever breaks over a job, and what happens to a job while it is offered stops no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from drivers.fakes import WorkingPrinter
from drivers.ports import Delivery, Outcome
from pos_loyalty.store import prints
from pos_loyalty.store.db import write
from pos_loyalty.till.spool import PAUSE_FIRST_S
from tests.unit.test_spool import LONG_S, NOW, Gate, Shop, drain


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path / "till.db")
    yield shop
    shop.db.close()


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


@pytest.mark.parametrize(
    "error", [ValueError("x"), AssertionError(), ZeroDivisionError(), KeyError(1), OSError(5, "x"), MemoryError()]
)
@pytest.mark.parametrize("after_sending", [False, True])
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
