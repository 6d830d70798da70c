"""``pos-loyalty verify`` and ``backup``: is the file right, and a copy of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, new_file, print_json


def register(commands: Commands) -> None:
    """Add both commands."""
    verify = commands.add_parser(
        "verify", help="fold the log and compare it with every table; exit 1 and a sentence for each difference"
    )
    verify.add_argument("--database", metavar="PATH", type=Path, help="a till's or head office's file (the config's till)")
    add_config(verify)
    add_json(verify)
    verify.set_defaults(run=run_verify)
    backup = commands.add_parser("backup", help="copy the live database safely to a new file")
    backup.add_argument("--to", metavar="PATH", type=new_file, required=True, help="the new file; it must not exist")
    backup.add_argument("--database", metavar="PATH", type=Path, help="a till's or head office's file (the config's till)")
    add_config(backup)
    backup.set_defaults(run=run_backup)


def run_verify(args: argparse.Namespace) -> int:
    """Verify reads only; it names what differs and mends nothing."""
    path = args.database or wiring.settings(args.config).till_database
    keys = wiring.secrets_of(wiring.settings(args.config)) if args.config.is_file() else None
    differences = wiring.verify(path, keys)
    if args.json:
        print_json({"database": str(path), "differences": differences})
    else:
        for difference in differences:
            print(difference)
        print(
            f"{path}: " + (f"differs in {len(differences)}" if differences else "log, lots, balances, sales and print jobs agree")
        )
    return 1 if differences else 0


def run_backup(args: argparse.Namespace) -> int:
    """Back up while the till sells."""
    path = args.database or wiring.settings(args.config).till_database
    wiring.backup(path, args.to)
    print(f"{path} copied to {args.to}")
    return 0
