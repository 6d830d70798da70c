"""``pos-loyalty till``, ``head-office``, ``sync`` and ``hub``: the processes."""

from __future__ import annotations

import argparse
import logging
import sys

from pos_loyalty import log, wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, database, print_json
from pos_loyalty.cli.upkeep import tell


def register(commands: Commands) -> None:
    """Add the four commands."""
    till = commands.add_parser("till", help="the till: HTTP on this machine, scanner, printer")
    add_config(till)
    till.set_defaults(run=run_till)
    head_office = commands.add_parser("head-office", help="head office: receives the tills' logs, gives members and programmes")
    head_office.add_argument(
        "--database", metavar="PATH", type=database, help="its SQLite file, or a PostgreSQL URL (the config's)"
    )
    head_office.add_argument("--port", type=int, help="where it listens (the config's); 0 takes a free port")
    add_config(head_office)
    head_office.set_defaults(run=run_head_office)
    sync = commands.add_parser("sync", help="send the log to head office and fetch members and the programme")
    sync.add_argument("--follow", action="store_true", help="go on for ever, patiently")
    sync.add_argument("--enrol", metavar="CODE", help="become the till of this code; the till must not run")
    add_config(sync)
    add_json(sync)
    sync.set_defaults(run=run_sync)

    hub = commands.add_parser("hub", help="the store's hub: keeps its tills in step with each other while the line is cut")
    hub.add_argument("--port", type=int, help="where it listens (the config's); 0 takes a free port")
    hub.add_argument("--enrol", metavar="CODE", help="become the hub of this code; the hub must not run")
    add_config(hub)
    hub.set_defaults(run=run_hub)


def run_hub(args: argparse.Namespace) -> int:
    """Run until stopped."""
    log.setup(level=logging.ERROR if args.enrol else logging.INFO)
    settings = wiring.settings(args.config)
    if args.enrol:
        credential = wiring.enrol_till(wiring.as_hub(settings), args.enrol)
        print(f"this machine is hub {credential.till} of store {credential.store}, epoch {credential.epoch}")
        return 0
    wiring.run_hub(settings, port=args.port, ready=_ready)
    return 0


def run_till(args: argparse.Namespace) -> int:
    """Run until stopped."""
    log.setup()
    wiring.run_till(wiring.settings(args.config), _ready, tell)
    return 0


def run_head_office(args: argparse.Namespace) -> int:
    """Run until stopped."""
    log.setup()
    wiring.run_head_office(wiring.settings(args.config), database=args.database, port=args.port, ready=_ready)
    return 0


def run_sync(args: argparse.Namespace) -> int:
    """One round, or rounds for ever."""
    log.setup(level=logging.INFO if args.follow else logging.ERROR)
    settings = wiring.settings(args.config)
    if args.enrol:
        credential = wiring.enrol_till(settings, args.enrol)
        print(f"this machine is till {credential.till}, epoch {credential.epoch}")
        return 0
    if args.follow:
        wiring.follow(settings)
        return 0
    done = wiring.sync_once(settings)
    if args.json:
        print_json(done)
    else:
        by = ", by the hub" if done.road == "hub" else ""
        print(f"{done.sent_facts} facts sent, {done.fetched_members} members received, {done.unsent_facts} facts unsent{by}")
        if done.trouble is not None:
            print(f"pos-loyalty: {done.trouble}", file=sys.stderr)
    return 1 if done.trouble is not None else 0


def _ready(name: str, url: str) -> None:
    print(f"{name} is ready at {url}", flush=True)
