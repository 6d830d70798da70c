"""``pos-loyalty unfinished``, ``nightly`` and ``clock``: what a till needs besides selling. They work beside a running till."""

from __future__ import annotations

import argparse
import sys

from pos_loyalty import log, wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, only_file, print_json
from pos_loyalty.clock import new_id, read, utc_now
from pos_loyalty.store.trusted_file import confirm_in, trusted_in
from pos_loyalty.till import Till
from pos_loyalty.till.model import CancelRequest, CompleteRequest, PrintRequest, SaleAnswer
from pos_loyalty.till.unfinished import Unfinished


def register(commands: Commands) -> None:
    """Add the three commands."""
    unfinished = commands.add_parser("unfinished", help="what was left unfinished, with the next command for each")
    acts = unfinished.add_mutually_exclusive_group()
    acts.add_argument("--complete", metavar="SALE", help="this authorised sale was paid (not while the till runs)")
    acts.add_argument("--cancel", metavar="SALE", help="this authorised sale was not paid (not while the till runs)")
    acts.add_argument(
        "--print", metavar="SALE", dest="paper", help="print a copy of this sale's receipt (not while the till runs)"
    )
    add_config(unfinished)
    add_json(unfinished)
    unfinished.set_defaults(run=run_unfinished)
    nightly = commands.add_parser("nightly", help="run the nightly jobs now: old reservations, expired points …")
    add_config(nightly)
    add_json(nightly)
    nightly.set_defaults(run=run_nightly)
    clock = commands.add_parser("clock", help="how far the computer's clock is trusted")
    clock.add_argument("--database", metavar="PATH", type=only_file, help="a till's or head office's file (the config's till)")
    clock.add_argument(
        "--confirm", action="store_true", help="it was looked at and is right; what was believed before is forgotten"
    )
    add_config(clock)
    add_json(clock)
    clock.set_defaults(run=run_clock)


def run_unfinished(args: argparse.Namespace) -> int:
    """List, or settle one thing and then list what is left."""
    if args.complete or args.cancel or args.paper:
        with wiring.till_in_process(args.config) as till:
            _settle(till, args)
            left = till.unfinished()
    else:
        with wiring.till_to_look_at(args.config) as till:
            left = till.unfinished()
    if args.json:
        print_json(left)
    elif left.items:
        tell(left)
    else:
        print("nothing is unfinished")
    return 0


def run_nightly(args: argparse.Namespace) -> int:
    """Every job once; exit 1 when one of them failed."""
    log.setup()
    report = wiring.nightly(wiring.settings(args.config))
    if args.json:
        print_json(report)
    else:
        for job in report.jobs:
            rest = f"failed: {job.trouble}" if job.trouble else f"waits: {job.waits}" if job.waits else "done"
            print(f"{job.job}: {job.count}, {rest}")
    return 1 if any(job.trouble for job in report.jobs) else 0


def run_clock(args: argparse.Namespace) -> int:
    """Show, or confirm."""
    path = args.database or wiring.settings(args.config).till_database
    trusted = (confirm_in if args.confirm else trusted_in)(path, read(utc_now))
    if args.json:
        print_json(trusted)
    else:
        sure = "sure" if trusted.is_sure else "not proven yet: nothing is booked as expired by it"
        print(f"trusted time {trusted.at.isoformat(timespec='seconds')}, {sure}")
        print(f"the computer's clock is {trusted.skew_ms // 1000} seconds ahead of what was due")
    return 0


def tell(unfinished: Unfinished) -> None:
    """One line for each thing, and beneath it what to type."""
    for item in unfinished.items:
        print(f"unfinished: {item.what}", file=sys.stdout, flush=True)
        for command in item.next:
            print(f"    {command}", flush=True)


def _settle(till: Till, args: argparse.Namespace) -> None:
    if args.paper:
        till.print_again(args.paper, PrintRequest(), f"unfinished print {new_id().hex}")
        return
    answer: SaleAnswer
    if args.complete:
        answer = till.complete(args.complete, CompleteRequest(), f"unfinished complete {args.complete}")
    else:
        answer = till.cancel(args.cancel, CancelRequest(), f"unfinished cancel {args.cancel}")
    print(f"sale {answer.sale_id} is {answer.state}", file=sys.stderr)
