"""Slips about the till itself, for hosts and the page: the shift report, and the printer's self-test page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from pos_loyalty.config import Language
from pos_loyalty.errors import InputError
from pos_loyalty.store.db import write
from pos_loyalty.till import self_test, shift
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.model import PrintAnswer, PrintRequest

TODAY = "today"


class OwnSlips:
    """``wake``: tells the printer's worker that there may be something to print. A day is a date, or "today"."""

    def __init__(self, desk: Desk, wake: Callable[[], None]) -> None:
        self._desk = desk
        self._wake = wake

    def shift_text(self, day: str, language: Language | None = None) -> str:
        """What this till sold on a business day, as text. Raises InputError for what is no day."""
        return shift.text_of(self._desk, _day(day), language)

    def print_shift(self, day: str, request: PrintRequest, key: str) -> PrintAnswer:
        """Queue the report; printing it closes nothing. Raises ConflictError without a printer."""
        wanted = _day(day)
        return self._queued(key, f"shift {day}", request, lambda: shift.queue(self._desk, wanted, request.language))

    def print_self_test(self, request: PrintRequest, key: str) -> PrintAnswer:
        """Queue the self-test page. Raises ConflictError without a printer."""
        return self._queued(key, "self-test", request, lambda: self_test.queue(self._desk, request.language))

    def _queued(self, key: str, verb: str, request: PrintRequest, queue: Callable[[], PrintAnswer]) -> PrintAnswer:
        def act(keep: Keep[PrintAnswer]) -> PrintAnswer:
            with write(self._desk.db):
                return keep(queue())

        answer = self._desk.once(key, verb, request, PrintAnswer, act)
        self._wake()
        return answer


def _day(text: str) -> date | None:
    """None: today's business day."""
    if text == TODAY:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("day", f'"{text[:32]}" is no day; write one such as 2026-11-21, or today') from error
