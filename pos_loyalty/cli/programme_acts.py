"""``pos-loyalty programme stop|resume|back``: one rule at one till at once; the whole chain back to the version before."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, database, name
from pos_loyalty.store.decision_facts import RuleStopFact


def register(verbs: Commands) -> None:
    """Add the verbs to ``programme``."""
    stop = verbs.add_parser("stop", help="leave a rule out at this till from its next quote on; works offline")
    _rule(stop, run_stop)
    resume = verbs.add_parser("resume", help="let a rule act again that was stopped at this till")
    _rule(resume, run_resume)
    back = verbs.add_parser("back", help="at head office: put the version before in force again, for all tills")
    back.add_argument("--by", required=True, type=name, metavar="PERSON", help="who says so")
    back.add_argument("--reason", default="", metavar="TEXT", help="why")
    back.add_argument("--database", metavar="PATH", type=database, help="head office's file, or PostgreSQL URL (the config's)")
    add_config(back)
    back.set_defaults(run=run_back)


def run_stop(args: argparse.Namespace) -> int:
    """Stop a rule here."""
    is_new, unsent = wiring.stop_rule(wiring.settings(args.config), args.store, args.till, _said(args))
    print(
        f"rule {args.rule} {'is' if is_new else 'was already'} stopped at this till; resume it with: programme resume {args.rule}"
    )
    _tell_others(args, unsent)
    return 0


def run_resume(args: argparse.Namespace) -> int:
    """Let a rule act again here."""
    is_new, unsent = wiring.resume_rule(wiring.settings(args.config), args.store, args.till, _said(args))
    print(f"rule {args.rule} {'acts again' if is_new else 'was not stopped'} at this till")
    _tell_others(args, unsent)
    return 0


def run_back(args: argparse.Namespace) -> int:
    """Go back to the version before."""
    said = wiring.programme_back(wiring.settings(args.config), args.database, args.by, args.reason)
    print(
        f"{said.programme}: version {said.to_version} is in force again instead of {said.from_version}; tills take it next sync"
    )
    return 0


def _tell_others(args: argparse.Namespace, unsent: int | None) -> None:
    """Where it has not arrived yet."""
    if args.till is not None or unsent is None:
        return
    if unsent:
        print(f"unsent: no other till of store {args.store} has heard of it; {unsent} facts wait (send them: pos-loyalty sync)")
    else:
        print(f"the other tills of store {args.store} take it with their next sync; head office shows where it has not arrived")


def _said(args: argparse.Namespace) -> RuleStopFact:
    return RuleStopFact(rule=args.rule, by=args.by, reason=args.reason, is_wide=args.till is None)


def _rule(parser: argparse.ArgumentParser, run: object) -> None:
    parser.add_argument("rule", metavar="RULE", help="the rule's id")
    parser.add_argument("--store", required=True, metavar="ID", help="the store: it must be this till's")
    parser.add_argument("--till", metavar="ID", help="at this till alone, which it must be; else at all of the store")
    parser.add_argument("--by", required=True, type=name, metavar="PERSON", help="who says so")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why")
    add_config(parser)
    parser.set_defaults(run=run)
