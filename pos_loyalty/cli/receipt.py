"""``pos-loyalty receipt``: the shop's own receipts to look at, the shift report, the self-test page. A till may run beside."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, new_file
from pos_loyalty.config_receipt import SECTIONS
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.till.model import PrintAnswer
from receipts.samples import KINDS


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("receipt", help="look at receipts by the shop's own template; print the shift report")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    sample = verbs.add_parser("sample", help="a made-up slip by the [receipt] table, as text or picture")
    sample.add_argument("--kind", choices=KINDS, default="sale", help="which slip (sale)")
    sample.add_argument("--language", choices=("ru", "en"), help="the language (the config's)")
    sample.add_argument("--columns", type=int, choices=(32, 42, 48), help="how wide (the config's printer)")
    sample.add_argument("--png", metavar="FILE", type=new_file, help="write a picture instead of text")
    sample.add_argument("--escpos", metavar="FILE", type=new_file, help="write what the printer would be sent")
    add_config(sample)
    sample.set_defaults(run=run_sample)
    sections = verbs.add_parser("sections", help="the sections that receipt.sections may name, in their usual order")
    sections.set_defaults(run=run_sections)
    shift = verbs.add_parser("shift", help="what this till sold on a business day: sales, returns, tenders, points")
    shift.add_argument("--day", type=_day, help="the business day (today)")
    shift.add_argument("--language", choices=("ru", "en"), help="the language (the config's)")
    shift.add_argument("--print", action="store_true", dest="is_printed", help="lay it into the print queue as well")
    add_config(shift)
    shift.set_defaults(run=run_shift)
    test = verbs.add_parser("self-test", help="lay the printer's self-test page into the print queue")
    test.add_argument("--language", choices=("ru", "en"), help="the language (the config's)")
    add_config(test)
    test.set_defaults(run=run_self_test)


def run_sample(args: argparse.Namespace) -> int:
    """Show, or write the files that were asked for."""
    config = wiring.with_places(wiring.settings(args.config))
    wanted = wiring.Wanted(kind=args.kind, language=args.language, columns=args.columns)
    for path, make in ((args.png, wiring.sample_png), (args.escpos, wiring.sample_bytes)):
        if path is not None:
            _write(path, make(config, wanted))
    if args.png is None and args.escpos is None:
        sys.stdout.write(wiring.sample_text(config, wanted))
    return 0


def run_sections(_: argparse.Namespace) -> int:
    """One a line."""
    print("\n".join(SECTIONS))
    return 0


def run_shift(args: argparse.Namespace) -> int:
    """Show, and print when asked to."""
    sys.stdout.write(wiring.shift_text(args.config, args.day, args.language))
    if args.is_printed:
        return _tell_queued(wiring.print_shift(args.config, args.day, args.language))
    return 0


def run_self_test(args: argparse.Namespace) -> int:
    """The till that runs prints it; without one it waits for the next start."""
    return _tell_queued(wiring.print_self_test(args.config, args.language))


def _tell_queued(answer: PrintAnswer) -> int:
    print(f"{answer.receipt_no}: {answer.state}" + (f", {answer.note}" if answer.note else ""))
    return 0 if answer.state == "queued" else 1


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise LoyaltyError(f"{path} cannot be written: {error.strerror}") from error
    print(f"{path}: {len(data)} bytes")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is no day; write one such as 2026-11-21') from error
