"""``pos-loyalty case``: what contradicts at head office, and how a person settles it. Run where head office's file lies."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, database, name, print_json
from pos_loyalty.store.cases import OpenedCase


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("case", help="cases at head office: what contradicts, until a person has settled it")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    listed = verbs.add_parser("list", help="the cases that wait for a person")
    listed.add_argument("--all", action="store_true", help="the closed ones too")
    _common(listed, run_list)
    show = verbs.add_parser("show", help="one case, with what contradicts in it")
    show.add_argument("case", metavar="ID", help="its name: till/epoch/number/reason")
    _common(show, run_show)
    close = verbs.add_parser("close", help="say that a case is settled; it stands in head office's log")
    close.add_argument("case", metavar="ID", help="its name: till/epoch/number/reason")
    close.add_argument("--reason", required=True, metavar="TEXT", help="what was done about it; no names of members")
    close.add_argument("--by", required=True, type=name, metavar="PERSON", help="who says so")
    _common(close, run_close)


def run_list(args: argparse.Namespace) -> int:
    """List them."""
    asked = wiring.all_cases if args.all else wiring.cases
    found = asked(wiring.settings(args.config), args.database)
    if args.json:
        print_json(found)
        return 0
    for case in found:
        print(f"{case.id}  {_about(case)}  {'; '.join(case.details)}{_ended(case)}")
    if not found:
        print("no case waits" if not args.all else "there was no case")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show one."""
    case = wiring.case(wiring.settings(args.config), args.database, args.case)
    if args.json:
        print_json(case)
        return 0
    print(f"case {case.id}\n{_about(case)}")
    for detail in case.details:
        print(f"- {detail}")
    print(_ended(case).strip() or "open")
    return 0


def run_close(args: argparse.Namespace) -> int:
    """Close one."""
    case = wiring.close_case(wiring.settings(args.config), args.database, args.case, args.reason, args.by)
    if args.json:
        print_json(case)
    else:
        print(f"case {case.id} is closed by {args.by}")
    return 0


def _about(case: OpenedCase) -> str:
    sale = f" of sale {case.sale_id}" if case.sale_id is not None else ""
    at = f", {case.at:%Y-%m-%d %H:%M} UTC" if case.at is not None else ""
    return f"{case.kind or 'a fact that is not here'}{sale}{at}"


def _ended(case: OpenedCase) -> str:
    return "" if case.closed is None else f"  closed by {case.closed.by} on {case.closed.at:%Y-%m-%d}: {case.closed.note}"


def _common(parser: argparse.ArgumentParser, run: object) -> None:
    parser.add_argument("--database", metavar="PATH", type=database, help="head office's file, or PostgreSQL URL (the config's)")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)
