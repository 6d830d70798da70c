"""``pos-loyalty programme``: check a programme file, publish it to head office, show what is in force, print the schema."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.cli import programme_acts
from pos_loyalty.cli.common import Commands, add_config, add_json, database, instant, print_json, print_pretty, read_bytes
from pos_loyalty.engine.warnings import Doubt, looked_through
from pos_loyalty.errors import ConflictError


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("programme", help="check, publish or show a programme")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    check = verbs.add_parser("check", help="read a programme file and say what is wrong with it, and what is doubtful")
    check.add_argument("file", type=Path)
    add_json(check)
    check.set_defaults(run=run_check)
    publish = verbs.add_parser("publish", help="check a programme file and put it in force: at head office, or here alone")
    publish.add_argument("file", type=Path)
    publish.add_argument("--from", dest="since", metavar="INSTANT", type=instant, help="in force from then on, with its offset")
    publish.add_argument("--database", metavar="PATH", type=database, help="head office's file, or PostgreSQL URL (the config's)")
    add_config(publish)
    publish.set_defaults(run=run_publish)
    show = verbs.add_parser("show", help="print the programme that this till sells by")
    add_config(show)
    show.set_defaults(run=run_show)
    schema = verbs.add_parser("schema", help="print the JSON Schema of a programme file, for an editor")
    schema.set_defaults(run=run_schema)
    programme_acts.register(verbs)


def run_check(args: argparse.Namespace) -> int:
    """Check: every fault and every doubt, each with its place. Faults end with 1."""
    found = looked_through(read_bytes(args.file))
    if args.json:
        told = {"file": str(args.file), "programme": found.name, "faults": found.faults, "warnings": found.warnings}
        print_json(told | {"more_faults": found.more_faults})
    else:
        for fault in found.faults:
            print(f"{args.file}: {fault.place}: {fault.text}{_of_rule(fault)}", file=sys.stderr)
        if found.more_faults:
            print(f"{args.file}: and {found.more_faults} more faults, not listed; mend these first", file=sys.stderr)
        for doubt in found.warnings:
            print(f"{args.file}: {doubt.place}: warning: {doubt.text}{_of_rule(doubt)}")
        if found.name is not None:
            count = len(found.warnings)
            doubts = f"{count} warning{'' if count == 1 else 's'}" if count else "in order"
            print(f"{args.file}: {found.name}, {doubts}")
    return 1 if found.faults else 0


def _of_rule(doubt: Doubt) -> str:
    return f' (rule "{doubt.rule}")' if doubt.rule is not None else ""


def run_schema(args: argparse.Namespace) -> int:
    """Print the schema."""
    from pos_loyalty.engine.schema import programme_schema

    print_pretty(programme_schema())
    return 0


def run_publish(args: argparse.Namespace) -> int:
    """Publish to head office, or put in force at a till that stands alone."""
    known, body = wiring.settings(args.config), read_bytes(args.file)
    if args.database is None and wiring.stands_alone(known):
        if args.since is not None:
            raise ConflictError("A till that stands alone takes a programme at once; leave --from out and publish it on the day.")
        name = wiring.publish_here(known, body)
        print(f"{name} is in force at till {known.config.till.id}, which stands alone: from its next quote on")
        return 0
    name = wiring.publish(known, args.database, body, args.since)
    place = args.database or known.server_database
    since = "" if args.since is None else f", in force from {args.since.isoformat()} on"
    print(f"{name} is published at head office ({wiring.shown(place)}){since}; tills take it with their next sync")
    if known.config.head_office.url is None:
        print("This config names no head office for a till ([head_office] url): a till that runs by it takes nothing from there.")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show."""
    print(wiring.programme_in_force(wiring.settings(args.config)), end="")
    return 0
