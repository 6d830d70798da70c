"""``pos-loyalty programme``: check a programme file, publish it to head office, show what is in force."""

from __future__ import annotations

import argparse
from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, new_file, print_json, read_bytes
from pos_loyalty.engine import load_programme
from pos_loyalty.errors import InputError


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("programme", help="check, publish or show a programme")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    check = verbs.add_parser("check", help="read a programme file and say what is wrong with it")
    check.add_argument("file", type=Path)
    add_json(check)
    check.set_defaults(run=run_check)
    publish = verbs.add_parser("publish", help="check a programme file and store it at head office for all tills")
    publish.add_argument("file", type=Path)
    publish.add_argument("--database", metavar="PATH", type=new_file, help="head office's file (the config's)")
    add_config(publish)
    publish.set_defaults(run=run_publish)
    show = verbs.add_parser("show", help="print the programme that this till sells by")
    add_config(show)
    show.set_defaults(run=run_show)


def run_check(args: argparse.Namespace) -> int:
    """Check; a fault ends with 2 and its place."""
    body = read_bytes(args.file)
    try:
        programme = load_programme(body)
    except InputError as error:
        if args.json:
            print_json({"file": str(args.file), "place": error.place, "message": error.message})
            return 2
        raise InputError(f"{args.file}: {error.place}" if error.place else str(args.file), error.message) from error
    if args.json:
        print_json({"file": str(args.file), "programme": programme.name})
    else:
        print(f"{args.file}: {programme.name}, in order")
    return 0


def run_publish(args: argparse.Namespace) -> int:
    """Publish."""
    settings = wiring.settings(args.config)
    name = wiring.publish(args.database or settings.server_database, wiring.secrets_of(settings), read_bytes(args.file))
    print(f"{name} is published; tills take it with their next sync")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Show."""
    print(wiring.programme_in_force(wiring.settings(args.config)), end="")
    return 0
