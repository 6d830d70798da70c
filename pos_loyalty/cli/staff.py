"""``pos-loyalty staff``: who may answer for acts at this till. Works beside a running till."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json
from pos_loyalty.cli.pins import ask_approval
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import staff as rows
from pos_loyalty.till import staff


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("staff", help="who may answer for acts at this till: add a person, list, block")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    add = verbs.add_parser("add", help="a new person, or a new PIN for one; the PIN is asked for, 4 to 12 digits")
    add.add_argument("person", help="a short name such as C7; it stands in the log, so no personal name")
    add.add_argument("--role", choices=("cashier", "senior"), default="cashier", help="a senior's word is asked for (cashier)")
    add.set_defaults(run=run_add)
    everybody = verbs.add_parser("list", help="everybody, with role and state")
    add_json(everybody)
    everybody.set_defaults(run=run_list)
    block = verbs.add_parser("block", help="this person's word counts no more; add gives a new PIN")
    block.add_argument("person")
    block.set_defaults(run=run_block)
    for verb in (add, everybody, block):
        add_config(verb)


def run_add(args: argparse.Namespace) -> int:
    """Add."""
    approval = ask_approval(args.person)
    assert approval is not None
    pepper = wiring.secrets_of(wiring.settings(args.config)).pepper
    with wiring.beside_till(args.config) as db:
        staff.add(db, approval.person, args.role, approval.pin, pepper)
    print(f"{approval.person} may answer for acts at this till as a {args.role}.")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """List."""
    with wiring.beside_till(args.config) as db:
        people = [
            {"person": one.person, "role": one.role, "state": "blocked" if one.blocked else "active"}
            for one in rows.everybody(db)
        ]
    if args.json:
        print_json(people)
    for one in () if args.json else people:
        print(f"{one['person']}  {one['role']}  {one['state']}")
    return 0


def run_block(args: argparse.Namespace) -> int:
    """Block."""
    with wiring.beside_till(args.config) as db:
        was_there = rows.block(db, args.person)
    if not was_there:
        raise NotFoundError(f"Nobody is called {args.person} here; pos-loyalty staff list names everybody.")
    print(f"{args.person} is blocked.")
    return 0
