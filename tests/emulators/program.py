"""What the emulators have in common as programs: arguments are checked, and a fault is a sentence."""

from __future__ import annotations

import argparse
import codecs
import os
from collections.abc import Iterator
from contextlib import contextmanager

PORT_MAX = 65_535
SLOT_MAX = 255
COLUMNS_MAX = 255
COUNT_MAX = 99_999_999
READ_BYTES = 4096
STDIN = 0


@contextmanager
def running(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Ctrl-C is an end like any other; what the system refuses ends the program with status 2."""
    try:
        yield
    except KeyboardInterrupt:
        pass
    except OSError as error:
        parser.error(str(error))


def port(text: str) -> int:
    """A TCP port; 0 for a free one."""
    return _number(text, 0, PORT_MAX)


def count(text: str) -> int:
    """How many; 0 for none."""
    return _number(text, 0, COUNT_MAX)


def columns(text: str) -> int:
    """Signs in a line."""
    return _number(text, 1, COLUMNS_MAX)


def slot(text: str) -> tuple[int, str]:
    """A code page and its number, such as 17=cp866."""
    number, _, page = text.partition("=")
    try:
        codecs.lookup(page)
    except (LookupError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{page!r} is no code page; write one as 17=cp866") from error
    return _number(number, 0, SLOT_MAX), page


def typed() -> Iterator[str]:
    """Lines of standard input until it ends. A thread that waits here keeps no lock that the program's end would wait for."""
    rest = b""
    while piece := os.read(STDIN, READ_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
    return int(text)
