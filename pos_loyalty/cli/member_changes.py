"""The verbs of ``pos-loyalty member`` that change, block, export and erase, and those about cards."""

from __future__ import annotations

import argparse
from typing import Any

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, print_json, print_pretty
from pos_loyalty.cli.pins import ask_approval
from pos_loyalty.clock import new_id
from pos_loyalty.errors import InputError
from pos_loyalty.till import Till
from pos_loyalty.till.member_model import CardRequest, ChangeRequest, EraseRequest
from pos_loyalty.till.model import IdentifyRequest
from pos_loyalty.values import convert


def register(verbs: Commands) -> list[argparse.ArgumentParser]:
    """Add the verbs; answers their parsers."""
    return [_change(verbs), _block(verbs), _card(verbs), _export(verbs), _erase(verbs)]


def add_who(parser: argparse.ArgumentParser) -> None:
    """The member that a verb is about: by id, card or phone."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--member", metavar="ID", help="the member's id, as show tells it")
    who.add_argument("--card", help="one of the member's cards, a lost one too")
    who.add_argument("--phone", help="the member's phone")


def run_change(args: argparse.Namespace) -> int:
    """Change."""
    wishes = [_named(pair, "attribute", "value") for pair in args.attribute]
    wishes += [_named(pair, "date", "day") for pair in args.date]
    wishes += [{"change": "consent", "purpose": purpose, "given": True, "channel": "command"} for purpose in args.consent]
    wishes += [{"change": "consent", "purpose": purpose, "given": False, "channel": "command"} for purpose in args.withdraw]
    wishes += [{"change": "name", "name": args.name}] if args.name is not None else []
    wishes += [{"change": "phone", "phone": args.new_phone or None}] if args.new_phone is not None else []
    wishes += [{"change": "birthday", "birthday": args.birthday}] if args.birthday is not None else []
    wishes += [{"change": "referral_code"}] if args.referral_code else []
    if not wishes:
        raise InputError("member change", "says nothing to change; see --help")
    return _changed(args, {"changes": wishes, "by": _by(args), "reason": args.reason})


def run_block(args: argparse.Namespace) -> int:
    """Block, or let in again."""
    state = "active" if args.unblock else "blocked"
    return _changed(args, {"changes": [{"change": "state", "state": state}], "by": _by(args), "reason": args.reason})


def run_card(args: argparse.Namespace) -> int:
    """Cards."""
    asked = {
        "card": args.add,
        "new_card": args.new,
        "lost": args.lost,
        "found": args.found,
        "by": _by(args),
        "reason": args.reason,
    }
    request = convert(asked, CardRequest, place="member card")
    with wiring.till_in_process(args.config) as till:
        answer = till.change_cards(_whose(till, args), request, key=f"member card {new_id().hex}")
    (print_json if args.json else print_pretty)(answer)
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Export, also while the till sells."""
    with wiring.till_to_look_at(args.config) as till:
        held = till.held_on(_whose(till, args))
    (print_json if args.json else print_pretty)(held)
    return 0


def run_erase(args: argparse.Namespace) -> int:
    """Erase. Exit 1 when another process keeps traces from being wiped: run it again."""
    if not args.yes:
        raise InputError("--yes", "an erased member cannot be brought back: say --yes to do it")
    request = convert({"by": _by(args), "reason": args.reason}, EraseRequest, place="member erase")
    with wiring.till_in_process(args.config) as till:
        answer = till.erase(_whose(till, args), request, key=f"member erase {new_id().hex}")
    (print_json if args.json else print_pretty)(answer)
    return 0 if answer.is_clean else 1


def _changed(args: argparse.Namespace, asked: dict[str, Any]) -> int:
    request = convert(asked, ChangeRequest, place="member change")
    with wiring.till_in_process(args.config) as till:
        answer = till.change(_whose(till, args), request, key=f"member change {new_id().hex}")
    (print_json if args.json else print_pretty)(answer)
    return 0


def _by(args: argparse.Namespace) -> dict[str, str] | None:
    """Who answers for it, with the PIN that was asked for."""
    approval = ask_approval(args.by)
    return None if approval is None else {"person": approval.person, "pin": approval.pin}


def _whose(till: Till, args: argparse.Namespace) -> str:
    if args.member is not None:
        return str(args.member)
    return till.member_of(IdentifyRequest(card=args.card, phone=args.phone))


def _named(pair: str, kind: str, field: str) -> dict[str, Any]:
    """``name=value``; ``name=`` takes it away."""
    name, sign, value = pair.partition("=")
    if not sign:
        raise InputError(f"--{kind}", f'"{name}" has no value; write name=value, or name= to take it away')
    return {"change": kind, "name": name, field: value or None}


def _change(verbs: Commands) -> argparse.ArgumentParser:
    change: argparse.ArgumentParser = verbs.add_parser(
        "change", help="consents, name, phone, attributes, dates, birthday, own code"
    )
    add_who(change)
    purposes = ("data", "advertising")
    change.add_argument("--consent", action="append", default=[], choices=purposes, help="given now")
    change.add_argument("--withdraw", action="append", default=[], choices=purposes, help="a consent taken back now")
    change.add_argument("--name", help="another name; empty takes it away")
    change.add_argument("--new-phone", metavar="PHONE", help="another phone; empty takes it away")
    change.add_argument(
        "--attribute", action="append", default=[], metavar="NAME=VALUE", help="of the profile; NAME= takes it away"
    )
    change.add_argument("--date", action="append", default=[], metavar="NAME=MM-DD", help="a named date; NAME= takes it away")
    change.add_argument("--birthday", metavar="MM-DD", help="month and day; a second one needs --by")
    change.add_argument("--referral-code", action="store_true", help="make the member's own code for friends")
    _add_word(change)
    change.set_defaults(run=run_change)
    return change


def _block(verbs: Commands) -> argparse.ArgumentParser:
    block: argparse.ArgumentParser = verbs.add_parser("block", help="let a member act no more; --unblock lets them in again")
    add_who(block)
    block.add_argument("--unblock", action="store_true", help="let them act again")
    _add_word(block)
    block.set_defaults(run=run_block)
    return block


def _card(verbs: Commands) -> argparse.ArgumentParser:
    card: argparse.ArgumentParser = verbs.add_parser("card", help="one more card, one made at once, one lost, one found")
    add_who(card)
    card.add_argument("--add", metavar="NUMBER", help="one more card from the shop's range")
    card.add_argument("--new", action="store_true", help="make a number of this till's own range")
    card.add_argument("--lost", metavar="NUMBER", help="it finds nobody from now on")
    card.add_argument("--found", metavar="NUMBER", help="it is good again")
    _add_word(card)
    card.set_defaults(run=run_card)
    return card


def _export(verbs: Commands) -> argparse.ArgumentParser:
    export: argparse.ArgumentParser = verbs.add_parser("export", help="all that is held on a member here, personal fields opened")
    add_who(export)
    export.set_defaults(run=run_export)
    return export


def _erase(verbs: Commands) -> argparse.ArgumentParser:
    erase: argparse.ArgumentParser = verbs.add_parser("erase", help="destroy the member's key and all that names them, for ever")
    add_who(erase)
    erase.add_argument("--yes", action="store_true", help="it cannot be undone")
    erase.add_argument("--by", required=True, metavar="PERSON", help="the senior who answers for it; their PIN is asked for")
    erase.add_argument("--reason", default="", help="why, without names")
    erase.set_defaults(run=run_erase)
    return erase


def _add_word(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", metavar="PERSON", help="who in the shop answers for it; their PIN is asked for")
    parser.add_argument("--reason", default="", help="why, without names")
