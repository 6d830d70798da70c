"""The nightly jobs of a till. Rule: each works in short transactions, may be cut anywhere, missed or run twice, and the file is
as after one whole run.

A job is a function of the desk and one line in JOBS; it decides by ``desk.trusted()`` and writes facts like any verb. The till
runs all of them soon after its start and every hour, ``pos-loyalty nightly`` runs them once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from pos_loyalty import log
from pos_loyalty.errors import LoyaltyError, StoreError
from pos_loyalty.store import trusted_time
from pos_loyalty.store.db import write
from pos_loyalty.till import enrolment, expiry, gift_cards, merging, reservations, tiers
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.nightly_model import JobDone, JobReport

FIRST_AFTER_S: Final = 60.0
EVERY_S: Final = 3600.0

Job = Callable[[Desk], JobDone]

JOBS: Mapping[str, Job] = {
    "reservations": reservations.let_go_old,
    "merges": merging.carry_due,
    "expire": expiry.expire_due,
    "tiers": tiers.tiers_due,
    "gift_cards": gift_cards.expire_due,
    "phones": enrolment.hash_waiting,
}
"""By name, in the order in which they run."""


def run(desk: Desk) -> tuple[JobReport, ...]:
    """Run every job; one that fails does not keep the others from running."""
    try:
        with write(desk.db):
            trusted_time.note(desk.db, desk.clocks())
    except StoreError:
        desk.close()  # the till may go on with this desk: a connection whose COMMIT failed stays in its transaction
        raise
    return tuple(_reports(desk))


def run_always(desk: Desk, stop: Event) -> None:
    """The till's own night watch: until ``stop`` is set. A failure is logged and tried again an hour later."""
    wait_s = FIRST_AFTER_S
    while not stop.wait(wait_s):
        wait_s = EVERY_S
        try:
            run(desk)
        except LoyaltyError as error:
            log.error("night.failed", reason=str(error))
            desk.close()
        except Exception as error:  # noqa: BLE001 - the watch outlives everything, and says so
            log.error("night.crashed", kind=type(error).__name__, reason=str(error))
            desk.close()


@contextmanager
def night_watch(desk: Desk) -> Iterator[None]:
    """``run_always`` in a thread of its own, over a desk that nobody else uses and that is closed in the end."""
    stop = Event()
    thread = Thread(target=run_always, args=(desk, stop), name="night", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        desk.close()


def _reports(desk: Desk) -> Iterator[JobReport]:
    for name, job in JOBS.items():
        try:
            done = job(desk)
        except LoyaltyError as error:
            log.error("night.job_failed", job=name, reason=str(error))
            desk.close()
            yield JobReport(job=name, count=0, trouble=str(error))
            continue
        log.info("night.job_done", job=name, count=done.count, waits=done.waits)
        yield JobReport(job=name, count=done.count, waits=done.waits)
