"""``pos-loyalty member``: enrol a member, look one up, award one, at this till."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli import member_acts
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json, print_pretty
from pos_loyalty.clock import new_id
from pos_loyalty.till.model import AwardRequest, EnrolRequest, IdentifyRequest
from pos_loyalty.values import convert


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("member", help="enrol a member, show one, award one")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    add = verbs.add_parser("add", help="enrol a member with a card from the shop's range")
    add.add_argument("--card", required=True, help="the new card's number")
    add.add_argument("--name", default="", help="kept sealed under the member's own key")
    add.add_argument("--phone", help="kept sealed; a slow hash of it finds the member")
    add.add_argument("--birthday", metavar="MM-DD", help="month and day, such as 05-17; entered today")
    add.add_argument("--referrer-card", metavar="CARD", help="the card of the member who brought this one")
    add.set_defaults(run=run_add)
    show = verbs.add_parser("show", help="balance and rights of a member")
    who = show.add_mutually_exclusive_group(required=True)
    who.add_argument("--card")
    who.add_argument("--phone")
    show.set_defaults(run=run_show)
    award = verbs.add_parser("award", help="what the programme gives for an act other than buying")
    award.add_argument("--member", required=True, help="the member's id, as show tells it")
    award.add_argument("--act", required=True, help="the act's name in the programme: review, survey, profile …")
    award.add_argument("--key", help="the same key gives once, however often the command is run")
    award.set_defaults(run=run_award)
    member_acts.register(verbs)
    for verb in (add, show, award):
        add_config(verb)
        add_json(verb)


def run_add(args: argparse.Namespace) -> int:
    """Enrol."""
    asked = {"card": args.card, "name": args.name, "phone": args.phone, "birthday": args.birthday}
    asked |= {"referrer_card": args.referrer_card, "consents": ["data"]}
    request = convert(asked, EnrolRequest, place="member add")
    with wiring.till_in_process(args.config) as till:
        answer = till.enrol(request, key=f"member add {new_id().hex}")
    (print_json if args.json else print_pretty)(answer)
    return 0


def run_award(args: argparse.Namespace) -> int:
    """Award."""
    request = convert({"act": args.act}, AwardRequest, place="award")
    with wiring.till_in_process(args.config) as till:
        answer = till.award(args.member, request, key=f"member award {args.key or new_id().hex}")
    (print_json if args.json else print_pretty)(answer)
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Look up, also while the till sells."""
    with wiring.till_to_look_at(args.config) as till:
        answer = till.identify(IdentifyRequest(card=args.card, phone=args.phone))
    (print_json if args.json else print_pretty)(answer)
    return 0
