"""For ``verify``: gift cards against the log. Their balances are compared with all others, by account and unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from pos_loyalty.errors import InputError
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact, fact_of
from pos_loyalty.store.gift_cards import COLUMNS, STATES, card_row, lent_row, moved_minor
from pos_loyalty.store.right_holds import lent_minor

MADE_COLUMNS = COLUMNS[: COLUMNS.index("state")]


def differences(db: Connection) -> Iterator[str]:
    """A sentence for each difference. A card of which some fact is a person's to settle may rightly differ."""
    for card_id, rows in groupby(db.execute(FACTS_SELECT), key=itemgetter(0)):
        acts = list(rows)
        try:
            facts = [fact_of(payload) for _, payload, _ in acts]
        except InputError:
            continue  # the log itself is told of
        if not any(has_case for _, _, has_case in acts):
            yield from _card_differences(db, card_id, facts)
    for (card_id,) in db.execute(FACTLESS_SELECT):
        yield f"Gift card {card_id}: no fact in the log made it."
    for payload, *stored in db.execute(LENT_CARDS_SELECT):
        fact = fact_of(payload)
        words = {word.card_id: lent_row(fact, word) for word in (fact.grant.cards if fact.grant else ())}
        if [words.get(stored[0], {}).get(name) for name in COLUMNS] != stored:
            yield f"Gift card {stored[0]}: it is not the one that was lent."
    for account, amount in db.execute(OVERDRAWN_SELECT):
        if amount + lent_minor(db, account) >= 0:
            continue
        yield f"Account {account} stands at {amount}, below nothing."
    for (account,) in db.execute(HELD_SELECT):
        yield f"Account {account} holds money of gift cards, but its sale is not open."


def _card_differences(db: Connection, card_id: str, facts: list[Fact]) -> Iterator[str]:
    made = [fact for fact in facts if fact.gift_card is not None and fact.gift_card.made is not None]
    stored = db.execute(CARD_SELECT, {"id": card_id}).fetchone()
    if len(made) != 1 or stored is None:
        yield f"Gift card {card_id}: {len(made)} facts made it, and its row is {'missing' if stored is None else 'here'}."
        return
    expected = card_row(made[0])
    for name, value in zip(MADE_COLUMNS, stored, strict=False):
        if expected[name] != value:
            yield f"Gift card {card_id}: {name} is not what the log says."
    state, hlc, till = _state(facts, made[0])
    if stored[len(MADE_COLUMNS) :] != (state, hlc, till):
        yield f"Gift card {card_id} is {stored[len(MADE_COLUMNS)]}, by the log it is {state}."
    for fact in facts:
        if fact.gift_card is not None and moved_minor(fact) != fact.gift_card.amount_minor:
            yield f"Till {fact.till}, fact {fact.seq}: its entries do not make the amount of gift card {card_id}."


def _state(facts: list[Fact], made: Fact) -> tuple[str, int, str]:
    """``facts`` stand in the order of their clocks."""
    state, hlc, till = "active", made.hlc, made.till
    for fact in facts:
        after = STATES.get(fact.gift_card.act) if fact.gift_card is not None else None
        if after is not None and state != "void" and (after == "void" or (hlc, till) < (fact.hlc, fact.till)):
            state, hlc, till = after, fact.hlc, fact.till
    return state, hlc, till


FACTS_SELECT = f"""SELECT CAST(t.payload AS TEXT) ->> '$.gift_card.card_id' AS card, t.payload,
  EXISTS (SELECT 1 FROM suspense_case AS s WHERE s.till = t.till AND s.epoch = t.epoch AND s.seq = t.seq)
FROM txn AS t WHERE t.kind = 'gift_card.changed' AND t.{OF_ACTS} ORDER BY card, t.hlc, t.till"""
CARD_SELECT = f"SELECT {', '.join(COLUMNS)} FROM gift_card WHERE id = :id"
FACTLESS_SELECT = """SELECT c.id FROM gift_card AS c LEFT JOIN txn AS t ON t.id = c.txn
WHERE t.id IS NULL OR t.kind NOT IN ('gift_card.changed', 'rights.taken')
OR (t.kind = 'gift_card.changed' AND CAST(t.payload AS TEXT) ->> '$.gift_card.card_id' <> c.id)"""
LENT_CARDS_SELECT = f"""SELECT t.payload, {", ".join("c." + name for name in COLUMNS)}
FROM gift_card AS c JOIN txn AS t ON t.id = c.txn WHERE t.kind = 'rights.taken' ORDER BY c.id"""
OVERDRAWN_SELECT = "SELECT account, amount FROM balance WHERE account >= 'gift:' AND account < 'gift;' AND amount < 0"
HELD_SELECT = """SELECT b.account FROM balance AS b
WHERE b.account >= 'gifts:held:' AND b.account < 'gifts:held;' AND NOT EXISTS (
  SELECT 1 FROM sale WHERE state = 'authorised' AND 'gifts:held:' || till || '/' || sale_id = b.account
) AND NOT EXISTS (
  SELECT 1 FROM txn AS t JOIN suspense_case AS s ON s.till = t.till AND s.epoch = t.epoch AND s.seq = t.seq
  WHERE t.sale_id IS NOT NULL AND 'gifts:held:' || t.till || '/' || t.sale_id = b.account
)"""
