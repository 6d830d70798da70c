"""``pos-loyalty member``: enrol, look up, change, block and erase a member, their cards, and awards, at this till."""

from __future__ import annotations

import argparse
from typing import Any

from pos_loyalty import wiring
from pos_loyalty.cli import member_acts, member_changes
from pos_loyalty.cli.common import Commands, add_config, add_json, only_file, print_json, print_pretty
from pos_loyalty.cli.member_changes import add_who
from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.store.phone_hashes import hash_in_file
from pos_loyalty.till.model import AwardRequest, EnrolRequest, IdentifyRequest
from pos_loyalty.values import convert


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("member", help="enrol a member, show, change, block, export or erase one")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    added = [_add(verbs), _show(verbs), _award(verbs), _hash_phones(verbs), *member_changes.register(verbs)]
    member_acts.register(verbs)
    for verb in added:
        add_config(verb)
        add_json(verb)


def run_add(args: argparse.Namespace) -> int:
    """Enrol."""
    names = ("card", "new_card", "name", "phone", "birthday", "referrer_card", "referrer_code", "origin", "drive")
    asked: dict[str, Any] = {name: getattr(args, name) for name in names} | {"consents": args.consent, "channel": "command"}
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
    """Look up, also while the till sells. One who may not act is shown without points."""
    with wiring.till_to_look_at(args.config) as till:
        if args.member is None:
            asked = IdentifyRequest(card=args.card, phone=args.phone)
            member_id = till.member_of(asked)
            answer = till.profile(member_id) if till.profile(member_id).state != "active" else till.identify(asked)
        else:
            answer = till.profile(args.member)
    (print_json if args.json else print_pretty)(answer)
    return 0


def run_hash_phones(args: argparse.Namespace) -> int:
    """Hash until nothing waits, or ``--limit`` is reached; a stop loses nothing."""
    settings = wiring.settings(args.config)
    keys = wiring.secrets_of(settings)
    path = args.database or settings.till_database
    done = hash_in_file(path, (keys.pepper, keys.master_key), args.limit, utc_now(), new_id)
    if args.json:
        print_json(done)
    else:
        print(f"{done.hashed} phones hashed, {done.refused} could not be, {done.waiting} wait")
    return 0


def _add(verbs: Commands) -> argparse.ArgumentParser:
    add: argparse.ArgumentParser = verbs.add_parser("add", help="enrol a member with a card, one made at once, or a phone alone")
    add.add_argument("--card", help="the new card's number, from the shop's range")
    add.add_argument("--new-card", action="store_true", help="make a number of this till's own range")
    add.add_argument("--name", default="", help="kept sealed under the member's own key")
    add.add_argument("--phone", help="kept sealed; a slow hash of it finds the member")
    add.add_argument("--birthday", metavar="MM-DD", help="month and day, such as 05-17; entered today")
    add.add_argument("--referrer-card", metavar="CARD", help="the card of the member who brought this one")
    add.add_argument("--referrer-code", metavar="CODE", help="or that member's own code")
    add.add_argument(
        "--consent",
        action="append",
        default=[],
        choices=("data", "advertising"),
        help="what the person agreed to, each for itself",
    )
    add.add_argument("--origin", default="", help="a place or a channel that the member comes from")
    add.add_argument("--drive", default="", help="the advertising that brought them")
    add.set_defaults(run=run_add)
    return add


def _show(verbs: Commands) -> argparse.ArgumentParser:
    show: argparse.ArgumentParser = verbs.add_parser("show", help="balance, rights and state of a member")
    add_who(show)
    show.set_defaults(run=run_show)
    return show


def _award(verbs: Commands) -> argparse.ArgumentParser:
    award: argparse.ArgumentParser = verbs.add_parser("award", help="what the programme gives for an act other than buying")
    award.add_argument("--member", required=True, help="the member's id, as show tells it")
    award.add_argument("--act", required=True, help="the act's name in the programme: review, survey, profile …")
    award.add_argument("--key", help="the same key gives once, however often the command is run")
    award.set_defaults(run=run_award)
    return award


def _hash_phones(verbs: Commands) -> argparse.ArgumentParser:
    hashing: argparse.ArgumentParser = verbs.add_parser(
        "hash-phones", help="make imported phones findable; go on where it stopped"
    )
    hashing.add_argument("--database", metavar="PATH", type=only_file, help="a till's or head office's file (the config's till)")
    hashing.add_argument("--limit", type=int, default=1_000_000_000, help="phones in this go; each takes some 0.1 s")
    hashing.set_defaults(run=run_hash_phones)
    return hashing
