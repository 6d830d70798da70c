"""Logs are events: a constant ``noun.verbed``, then fields, one JSON line each. Names, phones and whole cards never enter.

A payment card's number in any text, a trace too, is hidden as the line is made.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import msgspec

from pos_loyalty.payment_cards import HIDDEN, holds_number, without_numbers

SHOWN_SIGNS = 4
FIELDS_KEY = "event_fields"
FORBIDDEN_FIELDS = frozenset({"name", "phone", "card", "personal", "token"})

_logger = logging.getLogger("pos_loyalty")


def setup(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send events as JSON lines to ``stream`` (standard error when None). Called once by a command."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level)
    _logger.propagate = False


def info(event: str, **fields: object) -> None:
    """Something happened as it should."""
    _event(logging.INFO, event, fields)


def warning(event: str, **fields: object) -> None:
    """Something a person should look at soon."""
    _event(logging.WARNING, event, fields)


def error(event: str, **fields: object) -> None:
    """Something failed."""
    _event(logging.ERROR, event, fields)


def mask(card: str) -> str:
    """A card number of which only the last four signs stand; a short one is hidden whole, and one of a bank's."""
    if holds_number(card):
        return HIDDEN * len(card)
    shown = SHOWN_SIGNS if len(card) > 2 * SHOWN_SIGNS else 0
    return "*" * (len(card) - shown) + card[len(card) - shown :]


class JsonLines(logging.Formatter):
    """One record, one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{name: _hidden(told) for name, told in getattr(record, FIELDS_KEY, {}).items()},
        }
        if record.exc_info:
            line["trace"] = without_numbers(self.formatException(record.exc_info))
        return msgspec.json.encode(line, enc_hook=_as_text).decode()


class PlainLines(logging.Formatter):
    """Lines of a library's own, as they are but for payment cards' numbers."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        return without_numbers(super().format(record))


def shield(library: str) -> None:
    """What a library logs of faults goes to standard error without payment cards' numbers. Called once by a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainLines())
    handler.setLevel(logging.WARNING)
    logger = logging.getLogger(library)
    logger.handlers[:] = [handler]
    logger.propagate = False


def shield_crashes() -> None:
    """A fault that nobody caught, in whatever thread, is told without payment cards' numbers."""

    def told(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if not issubclass(kind, SystemExit):
            sys.stderr.write(without_numbers("".join(traceback.format_exception(kind, error, trace))))

    sys.excepthook = told
    threading.excepthook = lambda fault: told(fault.exc_type, fault.exc_value, fault.exc_traceback)


def _hidden(told: object) -> object:
    """A field without payment cards' numbers, also in lists and tables."""
    if isinstance(told, str):
        return without_numbers(told)
    if isinstance(told, list | tuple):
        return [_hidden(each) for each in told]
    if isinstance(told, dict):
        return {_hidden(key): _hidden(each) for key, each in told.items()}
    return told


def _as_text(told: object) -> str:
    return without_numbers(str(told))


def _event(level: int, event: str, fields: dict[str, object]) -> None:
    wrong = FORBIDDEN_FIELDS & fields.keys()
    assert not wrong, f"a log may not hold {sorted(wrong)}"
    if _logger.isEnabledFor(level):
        _logger.log(level, event, extra={FIELDS_KEY: fields})
