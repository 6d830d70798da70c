"""``pos-loyalty member adjust|claim|merge|secret|qr``: acts that a person answers for, and what confirms redemptions."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json, print_pretty
from pos_loyalty.cli.pins import ask_approval, ask_pin
from pos_loyalty.clock import new_id
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest, SecretRequest
from pos_loyalty.values import Value, convert


def register(verbs: Commands) -> None:
    """Add the verbs to the command member."""
    adjust = verbs.add_parser("adjust", help="give or take points by hand")
    adjust.add_argument("--member", required=True, help="the member's id, as show tells it")
    adjust.add_argument("--centi", type=int, required=True, help="hundredths of a point: 1250 gives 12.50, -1250 takes them")
    adjust.add_argument("--owe", action="store_true", help="what the member does not have is owed, not refused")
    adjust.set_defaults(run=run_adjust)
    merge = verbs.add_parser("merge", help="two members are one person: the first goes over into the second")
    merge.add_argument("loser", help="the id of the member who goes over")
    merge.add_argument("winner", help="the id of the member who stays")
    merge.set_defaults(run=run_merge)
    for verb in (adjust, merge):
        verb.add_argument("--reason", required=True, help="why; it stands in the log for ever")
        verb.add_argument("--by", required=True, metavar="PERSON", help="who does it; their PIN is asked for")
        verb.add_argument("--approval", metavar="PERSON", help="the senior who answers for it too; their PIN is asked for")
    claim = verbs.add_parser("claim", help="points for a receipt whose card was forgotten")
    claim.add_argument("--sale", required=True, help="the sale's id")
    claim.add_argument("--card", required=True, help="the card that was forgotten")
    claim.add_argument("--by", required=True, metavar="PERSON", help="who does it")
    claim.add_argument("--approval", required=True, metavar="PERSON", help="the senior whose word it is; their PIN is asked for")
    claim.set_defaults(run=run_claim)
    secret = verbs.add_parser("secret", help="what confirms the member's redemptions; what is not named is taken away")
    secret.add_argument("--member", required=True)
    secret.add_argument("--pin", action="store_true", help="a PIN; it is asked for")
    secret.add_argument("--qr", action="store_true", help="a rotating QR")
    secret.add_argument(
        "--by",
        required=True,
        metavar="PERSON",
        help="who answers for it (a senior where there are points); their PIN is asked for",
    )
    secret.set_defaults(run=run_secret)
    code = verbs.add_parser("qr", help="the address that sets up the member's rotating QR: a secret, for the member only")
    code.add_argument("--member", required=True)
    code.add_argument(
        "--fixed", action="store_true", help="the texts of the signed QRs of their cards instead: they do not change"
    )
    code.set_defaults(run=run_qr)
    add_config(code)
    for verb in (adjust, merge, claim, secret):
        verb.add_argument("--key", help="the same key does it once, however often the command is run")
        add_config(verb)
        add_json(verb)


def run_adjust(args: argparse.Namespace) -> int:
    """Adjust."""
    asked = {"centi": args.centi, "reason": args.reason, "owe": args.owe, **_persons(args)}
    request = convert(asked, AdjustRequest, place="adjust")
    with wiring.till_in_process(args.config) as till:
        return _told(args, till.adjust(args.member, request, key=_key(args, "adjust")))


def run_merge(args: argparse.Namespace) -> int:
    """Merge."""
    asked = {"into": args.winner, "reason": args.reason, **_persons(args)}
    request = convert(asked, MergeRequest, place="merge")
    with wiring.till_in_process(args.config) as till:
        return _told(args, till.merge(args.loser, request, key=_key(args, "merge")))


def run_claim(args: argparse.Namespace) -> int:
    """Claim."""
    asked = {"card": args.card, "by": args.by, "approval": _shown(args.approval)}
    request = convert(asked, ClaimRequest, place="claim")
    with wiring.till_in_process(args.config) as till:
        return _told(args, till.claim(args.sale, request, key=_key(args, "claim")))


def run_secret(args: argparse.Namespace) -> int:
    """Set what confirms."""
    by = _shown(args.by)
    asked = {"pin": ask_pin("the member") if args.pin else None, "qr": args.qr, "by": by}
    request = convert(asked, SecretRequest, place="secret")
    with wiring.till_in_process(args.config) as till:
        return _told(args, till.set_secret(args.member, request, key=_key(args, "secret")))


def run_qr(args: argparse.Namespace) -> int:
    """Tell the secret, also while the till sells."""
    with wiring.till_to_look_at(args.config) as till:
        print("\n".join(till.card_qrs(args.member)) if args.fixed else till.qr_uri(args.member))
    return 0


def _persons(args: argparse.Namespace) -> dict[str, object]:
    persons: dict[str, object] = {"by": _shown(args.by)}
    if args.approval:
        persons["approval"] = _shown(args.approval)
    return persons


def _shown(person: str) -> dict[str, str]:
    approval = ask_approval(person)
    assert approval is not None
    return {"person": approval.person, "pin": approval.pin}


def _key(args: argparse.Namespace, verb: str) -> str:
    return f"member {verb} {args.key or new_id().hex}"


def _told(args: argparse.Namespace, answer: Value) -> int:
    (print_json if args.json else print_pretty)(answer)
    return 0
