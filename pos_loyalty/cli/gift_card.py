"""``pos-loyalty gift-card``: look a gift card up, stop it, let it go, pay it back, give one, at this till."""

from __future__ import annotations

import argparse
import sys

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json, print_pretty
from pos_loyalty.cli.pins import ask_approval
from pos_loyalty.clock import new_id
from pos_loyalty.engine.figures import money_figure
from pos_loyalty.errors import InputError
from pos_loyalty.till import Till
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardAnswer, GiftCardRequest, IssueRequest, PayBackRequest
from pos_loyalty.values import convert

STDIN = "-"
LINE_SIGNS_MAX = 256


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("gift-card", help="show a gift card, freeze or unfreeze it, pay it back, give one")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    show = _verb(verbs, "show", "what a gift card holds", run_show)
    freeze = _verb(verbs, "freeze", "stop a gift card: nothing pays with it", run_freeze)
    unfreeze = _verb(verbs, "unfreeze", "let a frozen gift card pay again", run_unfreeze)
    pay_back = _verb(verbs, "pay-back", "take the unspent money off a bought gift card, to be paid out", run_pay_back)
    issue = _verb(verbs, "issue", "give a gratis gift card; its code is printed once", run_issue)
    for verb in (show, freeze, unfreeze, pay_back):
        verb.add_argument(
            "--card", required=True, help="its id or code; - reads it from standard input, where no history keeps it"
        )
    for verb in (show, pay_back):
        verb.add_argument("--pin", help="the PIN of a number; - reads it from standard input")
    issue.add_argument("--series", required=True, help="the id of a gratis [[gift_card]] of the programme")
    issue.add_argument("--amount", required=True, help="money, such as 500.00")
    for verb in (freeze, unfreeze, pay_back, issue):
        verb.add_argument("--by", required=True, metavar="PERSON", help="who answers for it; their PIN is asked for")
        verb.add_argument("--reason", required=True, help="why")
        verb.add_argument("--key", help="the same key acts once, however often the command is run")


def run_show(args: argparse.Namespace) -> int:
    """Look up."""
    request = convert({"card": _told(args.card), "pin": _told(args.pin)}, GiftCardRequest, place="gift-card show")
    with wiring.till_in_process(args.config) as till:
        return _printed(args, till.gift_card(request))


def run_freeze(args: argparse.Namespace) -> int:
    """Freeze."""
    with wiring.till_in_process(args.config) as till:
        return _printed(args, till.freeze_gift_card(_decided(args), _key(args)))


def run_unfreeze(args: argparse.Namespace) -> int:
    """Let go."""
    with wiring.till_in_process(args.config) as till:
        return _printed(args, till.unfreeze_gift_card(_decided(args), _key(args)))


def run_pay_back(args: argparse.Namespace) -> int:
    """Pay back."""
    asked = {"card": _told(args.card), "pin": _told(args.pin), "by": ask_approval(args.by), "reason": args.reason}
    request = convert(asked, PayBackRequest, place="gift-card pay-back")
    with wiring.till_in_process(args.config) as till:
        return _printed(args, till.pay_back_gift_card(request, _key(args)))


def run_issue(args: argparse.Namespace) -> int:
    """Give."""
    with wiring.till_in_process(args.config) as till:
        asked = {
            "series": args.series,
            "amount_minor": _minor(till, args.amount),
            "by": ask_approval(args.by),
            "reason": args.reason,
        }
        request = convert(asked, IssueRequest, place="gift-card issue")
        return _printed(args, till.issue_gift_card(request, _key(args)))


def _verb(verbs: Commands, name: str, told: str, run: object) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=told)
    verb.set_defaults(run=run)
    add_config(verb)
    add_json(verb)
    return verb


def _decided(args: argparse.Namespace) -> FreezeRequest:
    return convert(
        {"card": _told(args.card), "by": ask_approval(args.by), "reason": args.reason},
        FreezeRequest,
        place=f"gift-card {args.verb}",
    )


def _told(given: str | None) -> str | None:
    return sys.stdin.readline(LINE_SIGNS_MAX).strip() if given == STDIN else given


def _minor(till: Till, text: str) -> int:
    try:
        return int(money_figure(text, till.programme().exponent))
    except ValueError as error:
        raise InputError("--amount", str(error)) from error


def _key(args: argparse.Namespace) -> str:
    return f"gift-card {args.verb} {args.key or new_id().hex}"


def _printed(args: argparse.Namespace, answer: GiftCardAnswer) -> int:
    (print_json if args.json else print_pretty)(answer)
    return 0
