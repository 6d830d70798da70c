"""``pos-loyalty import coupons`` and ``coupons make``: unique codes from a file, and print runs of new ones."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, new_file, only_file, print_json, read_bytes
from pos_loyalty.errors import InputError
from pos_loyalty.store.coupon_import import Row, Sorted

HEADINGS = ("code", "coupon", "код", "купон")
ROWS_MAX = 2_000_000
COUNT_MAX = 1_000_000


def register(commands: Commands) -> None:
    """Add ``coupons``."""
    parser = commands.add_parser("coupons", help="print runs of unique coupon codes")
    make = parser.add_subparsers(dest="verb", required=True, metavar="verb").add_parser(
        "make", help="make new codes of a series and write them to a file for the printing house"
    )
    _add_series(make)
    make.add_argument("--count", metavar="N", type=int, required=True, help=f"how many, at most {COUNT_MAX}")
    make.add_argument(
        "--out", metavar="FILE", type=new_file, required=True, help="the new file, one code a line; it must not exist"
    )
    make.set_defaults(run=run_make)


def add_import(kinds: Commands) -> None:
    """Add ``import coupons``."""
    parser = kinds.add_parser("coupons", help="take in unique codes that others printed; again changes nothing")
    parser.add_argument("file", type=Path, help="CSV with a column code, or one code a line")
    _add_series(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what each row is; nothing is written")
    parser.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> int:
    """Sort the rows, add the new ones, and say what was done. Refused rows end with 1."""
    rows = list(_rows(read_bytes(args.file), args.file))
    with wiring.code_book(wiring.settings(args.config), args.database) as book:
        done = book.take_in(args.series, rows, (args.since, args.until), dry_run=args.dry_run)
    if args.json:
        print_json(done)
    else:
        _tell(done, args)
    return 1 if done.refused_rows else 0


def run_make(args: argparse.Namespace) -> int:
    """The file first, so that no code is known that nobody has; then the log."""
    if not 1 <= args.count <= COUNT_MAX:
        raise InputError("--count", f"is 1 to {COUNT_MAX}")
    if args.out.exists():
        raise InputError("--out", f"{args.out} is there already; name a new file")
    with wiring.code_book(wiring.settings(args.config), args.database) as book:
        codes = book.new_codes(args.series, args.count)
        _write(args.out, codes)
        added = book.add_made(args.series, codes, (args.since, args.until))
    if args.json:
        print_json({"series": args.series, "made": added, "file": str(args.out)})
    else:
        print(f"{added} codes of {args.series} are in {args.out} and good from now on; whoever has the file has the coupons")
    return 0


def _add_series(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--series", required=True, help="the id of a [[coupon]] series without a shared code")
    parser.add_argument("--from", dest="since", type=_day, metavar="DAY", help="first day on which they are good")
    parser.add_argument("--until", type=_day, metavar="DAY", help="last day on which they are good")
    parser.add_argument("--database", metavar="PATH", type=only_file, help="head office's file (the config's till)")
    add_config(parser)
    add_json(parser)


def _rows(data: bytes, path: Path) -> Iterator[Row]:
    """Codes with their line numbers: a column that is called so, else the first one. Empty lines are passed over."""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(str(path), "is not UTF-8 text; save it as UTF-8") from error
    if len(lines) > ROWS_MAX:
        raise InputError(str(path), f"has more than {ROWS_MAX} lines; divide it")
    first = lines[0] if lines else ""
    delimiter = next((sign for sign in ("\t", ";", ",") if sign in first), ",")
    column, start = 0, 0
    heads = [head.strip().lower() for head in next(csv.reader([first], delimiter=delimiter), [])]
    named = [n for n, head in enumerate(heads) if head in HEADINGS]
    if named:
        column, start = named[0], 1
    for number, cells in enumerate(csv.reader(lines[start:], delimiter=delimiter), start=start + 1):
        code = cells[column].strip() if len(cells) > column else ""
        if any(cell.strip() for cell in cells):
            yield Row(line=number, code=code)


def _write(path: Path, codes: list[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(f"{code}\n" for code in codes)
        file.flush()
        os.fsync(file.fileno())


def _tell(done: Sorted, args: argparse.Namespace) -> None:
    for row in done.refused:
        print(f"{args.file}:{row.line}: {row.code} {row.why}", file=sys.stderr)
    if done.refused_rows > len(done.refused):
        print(f"{args.file}: and {done.refused_rows - len(done.refused)} more rows are refused", file=sys.stderr)
    did = f"{done.new} would be added" if args.dry_run else f"{done.added} codes added"
    print(f"{done.series}: {did}, {done.here} here already, {done.twice} twice in the file, {done.refused_rows} refused")


def _day(text: str) -> date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    raise argparse.ArgumentTypeError(f'"{text}" is not a day; write it such as 2026-11-21')
