"""What the till's own file says of how the till is: its queue of receipts, its log, its programme, its clock. It only reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drivers.probes import Probe, Subject
from pos_loyalty.clock import Reading
from pos_loyalty.config import Config
from pos_loyalty.engine import load_programme
from pos_loyalty.errors import InputError
from pos_loyalty.store import outbox, prints, programmes, trusted_time
from pos_loyalty.store.db import Connection
from pos_loyalty.till.health import UNSENT_WARNING

STUCK_AFTER = timedelta(minutes=2)
SHOWN_FOR = timedelta(hours=24)
SHOWN_MAX = 100
MS_PER_MINUTE = 60_000
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that stands before this has lost its battery."""


def examined(db: Connection, config: Config, clocks: Reading) -> tuple[Probe, ...]:
    """A row for each, in the order in which they stand in the way of a sale."""
    return (clock(trusted_time.now(db, clocks), clocks), programme(db), *_queue(db, config, clocks.wall), *_log(db, config))


def clock(known: trusted_time.Trusted | None, clocks: Reading) -> Probe:
    """The computer's clock against trusted time; by itself when there is no file yet."""
    subject = Subject(part="clock", name="clock", where=clocks.wall.isoformat(timespec="minutes"))
    if clocks.wall < RELEASED:
        return subject.probe("fault", "clock.early", day=clocks.wall.date().isoformat())
    if known is None or not known.is_skewed:
        return subject.probe("works", "clock.works")
    code = "clock.ahead" if known.skew_ms > 0 else "clock.behind"
    return subject.probe("fault" if known.is_lost else "doubt", code, minutes=abs(known.skew_ms) // MS_PER_MINUTE)


def programme(db: Connection) -> Probe:
    """The programme that came last can be sold by."""
    subject = Subject(part="programme", name="programme")
    body = programmes.newest(db)
    return subject.probe("fault", "programme.absent") if body is None else loaded(subject, body)


def file_programme(path: Path) -> Probe:
    """The programme file of the config, before a till has taken it in."""
    subject = Subject(part="programme", name="programme", where=str(path))
    try:
        return loaded(subject, path.read_bytes())
    except OSError as error:
        return subject.probe("fault", "programme.fault", fault=f"{path}: {error.strerror}")


def loaded(subject: Subject, body: bytes) -> Probe:
    """Whether a programme compiles."""
    try:
        return subject.probe("works", "programme.works", programme=load_programme(body).name.partition("#")[0])
    except InputError as error:
        return subject.probe("fault", "programme.fault", fault=error)


def _queue(db: Connection, config: Config, now: datetime) -> Iterator[Probe]:
    subject = Subject(part="queue", name="print queue")
    lost = prints.not_on_paper(db, now - SHOWN_FOR, SHOWN_MAX)
    if lost:
        yield subject.probe("doubt", "queue.not_on_paper", count=len(lost), receipt=lost[0].receipt_no, end=lost[0].state)
    since, count = prints.waits_since(db), prints.waiting(db)
    if count and config.printer is None:
        yield subject.probe("fault", "queue.no_printer", count=count)
    elif since is not None and now - since > STUCK_AFTER:
        yield subject.probe("doubt", "queue.stuck", count=count, minutes=(now - since) // timedelta(minutes=1))
    elif not lost:
        yield subject.probe("works", "queue.works", count=count)


def _log(db: Connection, config: Config) -> Iterator[Probe]:
    if config.head_office.url is None:
        return
    subject = Subject(part="log", name="log")
    trouble, unsent = outbox.state(db).trouble, outbox.unsent_count(db)
    if trouble is not None:
        yield subject.probe("fault", "log.trouble", trouble=trouble, count=unsent)
    else:
        yield subject.probe(
            "doubt" if unsent > UNSENT_WARNING else "works", "log.unsent" if unsent else "log.works", count=unsent
        )
