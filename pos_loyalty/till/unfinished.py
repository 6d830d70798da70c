"""What is unfinished at a till and what to do about each thing: for the start, for a command, and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal

from pos_loyalty.store import outbox, prints, runs, sales
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import Value

SHOWN_FOR: Final = timedelta(hours=24)
SHOWN_MAX: Final = 50

Kind = Literal["sale", "attempt", "print", "unsent", "crash", "clock"]


class UnfinishedItem(Value):
    """One thing. ``what`` is a sentence; ``next`` holds what to type, in the order in which it is likely to be right."""

    kind: Kind
    id: str
    what: str
    next: tuple[str, ...]


class Unfinished(Value):
    """Everything that waits for a person, the most pressing first; empty when all is done."""

    items: tuple[UnfinishedItem, ...]


def unfinished(desk: Desk) -> Unfinished:
    """Read only: nothing is decided here."""
    now = desk.now()
    items = (*_sales(desk), *_crash(desk, now), *_attempts(desk, now), *_prints(desk, now), *_clock(desk), *_unsent(desk))
    return Unfinished(items=items)


def crash_sentence(desk: Desk, now: datetime) -> str | None:
    """That the run before this one was not closed; None when it was, or when that is long ago."""
    began_at = runs.crashed_at(desk.db, now - SHOWN_FOR)
    if began_at is None:
        return None
    began = began_at.astimezone(desk.zone).strftime("%Y-%m-%d %H:%M")
    return f"The till that was started at {began} was not stopped in order: look at what was unfinished, then verify the file."


def clock_sentence(desk: Desk) -> str | None:
    """That the wall clock is not where it should be; None when it is."""
    trusted = desk.trusted()
    if not trusted.is_skewed:
        return None
    minutes, side = abs(trusted.skew_ms) // 60_000, "ahead" if trusted.skew_ms > 0 else "behind"
    lost = " Points and coupons that expire are not taken until it is right." if trusted.is_lost else ""
    return f"The computer's clock is {minutes} minutes {side} of what is due; set it right, or confirm it.{lost}"


def _sales(desk: Desk) -> Iterator[UnfinishedItem]:
    life = timedelta(hours=desk.config.till.reservation_hours)
    for sale_id in sales.unfinished(desk.db)[:SHOWN_MAX]:
        stored = sales.by_id(desk.db, desk.config.till.id, sale_id)
        if stored is None:
            continue
        until = (stored.authorised_at + life).astimezone(desk.zone).strftime("%Y-%m-%d %H:%M")
        yield UnfinishedItem(
            kind="sale",
            id=sale_id,
            what=f"Receipt {stored.receipt_no} is authorised, neither paid nor cancelled; it is let go after {until}.",
            next=(f"pos-loyalty unfinished --complete {sale_id}", f"pos-loyalty unfinished --cancel {sale_id}"),
        )


def _attempts(desk: Desk, now: datetime) -> Iterator[UnfinishedItem]:
    for sale_id in sales.attempts_without_sale(desk.db, now - SHOWN_FOR, SHOWN_MAX):
        yield UnfinishedItem(
            kind="attempt",
            id=sale_id,
            what=f"Sale {sale_id} was tried and nothing was sold; nothing is held for it.",
            next=("send the basket again under the same sale id if it is still to be paid, else nothing",),
        )


def _prints(desk: Desk, now: datetime) -> Iterator[UnfinishedItem]:
    for job in prints.not_on_paper(desk.db, now - SHOWN_FOR, SHOWN_MAX):
        again = "print it from the page" if job.sale_id is None else f"pos-loyalty unfinished --print {job.sale_id}"
        yield UnfinishedItem(
            kind="print", id=job.receipt_no, what=f"Receipt {job.receipt_no} may not be on paper ({job.state}).", next=(again,)
        )


def _crash(desk: Desk, now: datetime) -> Iterator[UnfinishedItem]:
    sentence = crash_sentence(desk, now)
    if sentence is not None:
        yield UnfinishedItem(kind="crash", id="till", what=sentence, next=("pos-loyalty verify",))


def _clock(desk: Desk) -> Iterator[UnfinishedItem]:
    sentence = clock_sentence(desk)
    if sentence is not None:
        yield UnfinishedItem(kind="clock", id="clock", what=sentence, next=("pos-loyalty clock", "pos-loyalty clock --confirm"))


def _unsent(desk: Desk) -> Iterator[UnfinishedItem]:
    count = outbox.unsent_count(desk.db)
    if desk.config.head_office.url is not None and count:
        yield UnfinishedItem(
            kind="unsent", id="sync", what=f"{count} facts have not reached head office.", next=("pos-loyalty sync",)
        )
