"""What the commands share: the config option, reading a file with a clear error, printing JSON."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from pos_loyalty import wiring
from pos_loyalty.errors import InputError
from pos_loyalty.values import encode

Commands = Any
"""argparse's collection of sub-parsers; it has no public type."""
FILE_BYTES_MAX = 64 * 1024 * 1024


def add_config(parser: argparse.ArgumentParser) -> None:
    """The option that every command over a configured till takes."""
    parser.add_argument("--config", metavar="PATH", type=Path, default=Path("config.toml"), help="the config file (config.toml)")


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option for machines."""
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def read_bytes(path: Path) -> bytes:
    """A whole file. Raises InputError with the path and the reason."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > FILE_BYTES_MAX:
        raise InputError(str(path), f"is larger than {FILE_BYTES_MAX} bytes")
    return data


def new_file(text: str) -> Path:
    """An argparse type: a file whose folder exists; a mistyped path makes no folders."""
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.absolute().parent}")
    return path


def database(text: str) -> Path | str:
    """An argparse type: a file, or the URL of head office's PostgreSQL database."""
    return text if wiring.is_url(text) else new_file(text)


def only_file(text: str) -> Path:
    """An argparse type: a file, for what is not read from PostgreSQL."""
    if wiring.is_url(text):
        how = "pos-loyalty backup --database URL --to FILE"
        raise argparse.ArgumentTypeError(f"{wiring.shown(text)} is read as a file; make one of it: {how}")
    return new_file(text)


def name(text: str) -> str:
    """An argparse type: who or what, said in at least one letter."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name somebody")
    return text


def instant(text: str) -> datetime:
    """An argparse type: an instant with its UTC offset."""
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            at.astimezone(UTC)
            return at
    raise argparse.ArgumentTypeError(f'"{text}" is not an instant; write one such as 2026-11-21T12:30:05+03:00')


def print_json(value: object) -> None:
    """One value as one line of canonical JSON."""
    sys.stdout.write(encode(value).decode() + "\n")


def print_pretty(value: object) -> None:
    """One value as indented JSON, for people."""
    sys.stdout.write(msgspec.json.format(encode(value), indent=2).decode() + "\n")
