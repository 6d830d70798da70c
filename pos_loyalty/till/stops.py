"""A person stops one rule at this till, at once and without the network, and lets it act again; for all tills of the store, the
others hear of it through head office."""

from __future__ import annotations

from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.near import nearest
from pos_loyalty.store import follow, outbox, rule_stops
from pos_loyalty.store.db import write
from pos_loyalty.store.decision_facts import RuleStopFact
from pos_loyalty.store.facts import FactKind
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import refuse_numbers


def stop(desk: Desk, said: RuleStopFact) -> bool:
    """Leave the rule out from the next quote on; quotes that wait to be paid must be asked anew. False: it stands so already.

    Raises NotFoundError for a rule that is not in the programme in force.
    """
    rules = [rule.id for rule in desk.shelf.current(desk.db).rules]
    if said.rule not in rules:
        near = nearest(said.rule, rules)
        raise NotFoundError(f'The programme in force has no rule "{said.rule}"{f"; did you mean {near}?" if near else "."}')
    return _book(desk, "rule.stopped", said)


def resume(desk: Desk, said: RuleStopFact) -> bool:
    """Let the rule act again. False: it is not stopped here."""
    return _book(desk, "rule.resumed", said)


def unsent(desk: Desk) -> int | None:
    """Facts that head office does not hold yet: so long no other till hears of a stop. None for a till that stands alone."""
    return None if desk.config.head_office.url is None else outbox.unsent_count(desk.db)


def check_here(desk: Desk, store: str, till: str | None) -> None:
    """Who names another store or till than this one means another machine. Raises InputError."""
    here = desk.config
    if store != here.store.id:
        raise InputError(
            "--store", f'this is a till of store "{here.store.id}", not of "{store}"; run it at a till of that store'
        )
    if till is not None and till != here.till.id:
        raise InputError("--till", f'this is till "{here.till.id}", not "{till}"; run it there')


def _book(desk: Desk, kind: FactKind, said: RuleStopFact) -> bool:
    refuse_numbers(by=said.by, reason=said.reason)
    if desk.config.head_office.url is None:  # alone
        said = replace(said, is_wide=False)
    with write(desk.db):
        is_stop = kind == "rule.stopped"
        store = desk.config.store.id
        wide = any(word.is_stopped for word in rule_stops.of_store(desk.db, store) if word.rule == said.rule)
        if (said.rule in rule_stops.here(desk.db)) == is_stop and (not said.is_wide or wide == is_stop):
            return False
        follow.book(desk.db, Draft(id=desk.new_id(), kind=kind, store=store, body=said), desk.now())
    log.info(kind, rule=said.rule, by=said.by)
    return True
