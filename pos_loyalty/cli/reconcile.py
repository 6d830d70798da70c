"""``pos-loyalty reconcile``: the sales of a day against what the host POS counted itself."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, database, print_json
from pos_loyalty.engine.figures import money_text

if TYPE_CHECKING:
    from pos_loyalty.spreadsheet.reconcile import Difference


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("reconcile", help="compare a day's sales with the host's own totals; exit 1 when they differ")
    parser.add_argument("--date", required=True, type=_day, metavar="DAY", help="the business day, such as 2026-11-21")
    parser.add_argument("--against", required=True, type=Path, metavar="FILE", help="the host's CSV: sale or receipt, and total")
    parser.add_argument("--till", metavar="ID", help="only this till's (at head office)")
    parser.add_argument(
        "--database", metavar="PATH", type=database, help="a till's or head office's file, or PostgreSQL URL (the config's till)"
    )
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare."""
    known = wiring.settings(args.config)
    found, exponent = wiring.reconcile(known, args.database, args.date, args.till, args.against)
    if args.json:
        print_json(found)
        return 1 if found.differences else 0
    for each in found.differences:
        print(_sentence(each, exponent))
    here, there = money_text(found.sum_here_minor, exponent), money_text(found.sum_there_minor, exponent)
    told = f"{found.receipts_here} receipts of {here} here, {found.receipts_there} of {there} at the host"
    print(f"{args.date}: {told}: " + (f"{len(found.differences)} differences" if found.differences else "all agree"))
    return 1 if found.differences else 0


def _sentence(each: Difference, exponent: int) -> str:
    if each.what == "count":
        return f"count: {each.here_minor} receipts here, {each.there_minor} at the host"
    told = [
        f"{money_text(minor, exponent)} {where}"
        for minor, where in ((each.here_minor, "here"), (each.there_minor, "at the host"))
        if minor is not None
    ]
    return f"{each.what}: {each.receipt} {', '.join(told)}".replace(":  ", ": ")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
        day + timedelta(days=1)  # where it ends
        return day
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f'"{text[:20]}" is not a day; write one such as 2026-11-21') from error
