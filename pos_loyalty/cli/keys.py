"""``pos-loyalty keys``: which machines are tills of this head office. Run where head office's file lies."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, database, name, print_json

EPOCH_DIGITS_MAX = 9


def register(commands: Commands) -> None:
    """Add the command."""
    keys = commands.add_parser("keys", help="enrol tills at head office, list them, let one go")
    acts = keys.add_subparsers(dest="act", required=True, metavar="act")
    code = acts.add_parser("code", help="a code with which one machine becomes a till, within two days; it is shown once")
    code.add_argument("--till", required=True, type=name, metavar="ID", help="the till, as its config names it")
    _common(code, run_code)
    listed = acts.add_parser("list", help="every till and epoch that was enrolled")
    add_json(listed)
    _common(listed, run_list)
    revoke = acts.add_parser("revoke", help="take nothing more from a till: stolen, sold, or copied")
    revoke.add_argument("--till", required=True, type=name, metavar="ID", help="the till")
    revoke.add_argument("--by", required=True, type=name, metavar="PERSON", help="who says so")
    _common(revoke, run_revoke)
    lost = acts.add_parser("lost", help="a till or a hub is gone for good: the points that it held may be redeemed elsewhere")
    lost.add_argument("--till", required=True, type=name, metavar="ID", help="the till, or the hub")
    lost.add_argument("--epoch", type=_epoch, metavar="N", help="which of its epochs (the newest)")
    lost.add_argument("--by", required=True, type=name, metavar="PERSON", help="who says so")
    _common(lost, run_lost)
    complete = acts.add_parser("complete", help="after a restore: there is no till but those listed")
    complete.add_argument("--by", required=True, type=name, metavar="PERSON", help="who says so")
    _common(complete, run_complete)
    password = acts.add_parser("password", help="the managers' password for head office's pages, from another machine")
    add_config(password)
    password.set_defaults(run=run_password)


def run_code(args: argparse.Namespace) -> int:
    """Make a code."""
    code = wiring.enrolment_code(wiring.settings(args.config), args.database, args.till)
    print(f"{code}\nwithin two days, at till {args.till}: pos-loyalty sync --enrol {code}")
    print(f"(where {args.till} is a store's hub: pos-loyalty hub --enrol {code})")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List the keys."""
    keys = wiring.till_keys_of(wiring.settings(args.config), args.database)
    if args.json:
        print_json(keys)
    newest = {key.till: key.epoch for key in sorted(keys, key=lambda key: key.epoch)}
    for key in () if args.json else keys:
        since = f", goes on from fact {key.continues.seq} of epoch {key.continues.epoch}" if key.continues else ""
        state = key.state if key.epoch == newest[key.till] or key.state != "active" else "replaced"
        print(f"till {key.till}, epoch {key.epoch}: {state}{since}, key {key.public_key[:16]}")
    if not keys and not args.json:
        print("no till was enrolled here")
    for till in () if args.json else wiring.tills_waited_for(wiring.settings(args.config), args.database):
        asks = (
            f"till {till} to say hello" if till else "a person's word that no other till was enrolled: pos-loyalty keys complete"
        )
        print(f"restored from a backup, head office grants nothing yet; it waits for {asks}")
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    """Let one go."""
    epoch = wiring.revoke_till(wiring.settings(args.config), args.database, args.till, args.by)
    print(f"till {args.till} is revoked (epoch {epoch}); what it sent stays. A new code lets it in again.")
    return 0


def run_lost(args: argparse.Namespace) -> int:
    """Give up one."""
    loss = wiring.lose_till(wiring.settings(args.config), args.database, args.till, args.epoch, args.by)
    which = f"till {args.till} (epoch {loss.epoch})" if loss.epoch else f"till {args.till}, which head office does not know,"
    print(f"{which} is lost and not waited for; it held {loss.centi // 100}.{loss.centi % 100:02} points: they are free again.")
    if not loss.epoch:
        print("It may have been a hub: every till says hello once more before anything is granted.")
    print("If it sells after all, as many may be redeemed twice.")
    return 0


def run_complete(args: argparse.Namespace) -> int:
    """Say that the list is whole."""
    was_asked = wiring.name_all_tills(wiring.settings(args.config), args.database, args.by)
    print("head office waits for no till that is not listed" if was_asked else "head office did not ask: nothing changed")
    return 0


def run_password(args: argparse.Namespace) -> int:
    """Tell the password."""
    print(wiring.pages_password(wiring.settings(args.config)))
    return 0


def _epoch(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= EPOCH_DIGITS_MAX and int(text)):
        raise argparse.ArgumentTypeError(f'"{text[:20]}" is not an epoch; they are counted from 1: pos-loyalty keys list')
    return int(text)


def _common(parser: argparse.ArgumentParser, run: object) -> None:
    parser.add_argument("--database", metavar="PATH", type=database, help="head office's file, or PostgreSQL URL (the config's)")
    add_config(parser)
    parser.set_defaults(run=run)
