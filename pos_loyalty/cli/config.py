"""``pos-loyalty config``: is config.toml right, and a key file to begin with."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("config", help="check config.toml, make a key file")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    check = verbs.add_parser("check", help="read config.toml and the key file, and say what is wrong")
    add_config(check)
    add_json(check)
    check.set_defaults(run=run_check)
    secrets = verbs.add_parser("secrets", help="make a key file (mode 0600) where the config names it; an existing one is kept")
    add_config(secrets)
    secrets.set_defaults(run=run_secrets)


def run_check(args: argparse.Namespace) -> int:
    """Check both files."""
    settings = wiring.settings(args.config)
    wiring.check_files(settings)
    if args.json:
        print_json(settings.config)
    else:
        print(f"{args.config}: store {settings.config.store.id}, till {settings.config.till.id}, all in order")
    return 0


def run_secrets(args: argparse.Namespace) -> int:
    """Make the key file."""
    print(f"{wiring.make_secrets(args.config)} stands, readable by you alone; copy it to every till and to head office")
    return 0
