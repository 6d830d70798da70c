"""Gift cards as they stand: rows that follow from their facts. Their money is the balance of ``gift:{id}``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, cast

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.gift_ledger import gift_account
from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.doubt import Doubt
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.right_facts import GiftCardWord
from pos_loyalty.values import Minor, Value

State = Literal["active", "frozen", "void"]
STATES: dict[str, State] = {"cancelled": "void", "frozen": "frozen", "unfrozen": "active"}
"""What an act makes of the state; other acts leave it."""


class StoredGiftCard(Value):
    """A gift card as it stands now. ``sale_id`` and ``line_id`` of ``till`` sold it; None when a person gave it."""

    card_id: str
    kind: Literal["bought", "gratis"]
    series: str
    currency: str
    face_minor: Minor
    balance_minor: Minor
    """What can be spent: without what open sales reserved."""
    expires_at: datetime | None
    pin_hash: bytes | None
    state: State
    till: str
    sale_id: str | None
    line_id: str | None


def follow(db: Connection, fact: Fact) -> None:
    """The row of a new card, or its new state. What contradicts leaves the first row standing."""
    assert fact.gift_card is not None
    if fact.gift_card.made is not None:
        db.execute(CARD_INSERT, card_row(fact))
    state = STATES.get(fact.gift_card.act)
    if state is not None:
        row = {"id": fact.gift_card.card_id, "state": state, "hlc": fact.hlc, "till": fact.till}
        db.execute(STATE_UPDATE, row)


def hear_of(db: Connection, fact: Fact) -> None:
    """At a till: rows of cards that others sold and that it was lent money of. Head office has them from who sold them, and so
    has a hub that gives them on."""
    assert fact.grant is not None
    if meta(db, "role") == "till" and fact.kind == "rights.taken":
        db.executemany(CARD_INSERT, [lent_row(fact, word) for word in fact.grant.cards])


def doubts(db: Connection, fact: Fact) -> Iterator[Doubt]:
    """What a till's fact about a gift card contradicts at head office."""
    assert fact.gift_card is not None
    body = fact.gift_card
    card = by_id(db, body.card_id)
    if body.made is not None:
        if card is not None:
            yield Doubt(reason="gift_card.twice", detail=f"gift card {body.card_id} is there already")
        elif by_mark(db, body.made.code_hash) is not None:
            yield Doubt(reason="gift_card.code_twice", detail=f"gift card {body.card_id} has the code of another one")
    elif card is None:
        yield Doubt(reason="gift_card.unknown", detail=f"{body.act} of gift card {body.card_id}, which is unknown")
    elif card.state == "void":
        yield Doubt(reason="gift_card.void", detail=f"{body.act} of gift card {body.card_id}, which is void")
    if moved_minor(fact) != body.amount_minor:
        yield Doubt(reason="gift_card.amount", detail=f"gift card {body.card_id}: its entries do not make {body.amount_minor}")


def moved_minor(fact: Fact) -> int:
    """What the entries of a fact bring onto its card, or take from it: never both."""
    assert fact.gift_card is not None
    account = gift_account(fact.gift_card.card_id)
    return abs(sum((entry.credit == account) * entry.amount - (entry.debit == account) * entry.amount for entry in fact.entries))


def by_id(db: Connection, card_id: str) -> StoredGiftCard | None:
    """The gift card with this id."""
    return _card(db.execute(f"{CARD_SELECT} WHERE c.id = :id", {"id": card_id}).fetchone())


def by_mark(db: Connection, mark: str) -> StoredGiftCard | None:
    """The gift card of a mark: its id, or the hex hash of its code. Of two with one code the first by id."""
    found = by_id(db, mark)
    if found is not None or len(mark) != 64:
        return found
    return _card(
        db.execute(f"{CARD_SELECT} WHERE c.code_hash = :hash ORDER BY c.id LIMIT 1", {"hash": bytes.fromhex(mark)}).fetchone()
    )


def turned_at(db: Connection, card_id: str) -> tuple[int, str] | None:
    """The logical clock and the till of the fact that gave a card its state."""
    row = db.execute("SELECT state_hlc, state_till FROM gift_card WHERE id = :id", {"id": card_id}).fetchone()
    return None if row is None else (row[0], row[1])


def due(db: Connection, now: datetime, cards_max: int) -> tuple[StoredGiftCard, ...]:
    """Cards of this file's owner that have run out and still hold money, which did not go back to head office; by id."""
    rows = db.execute(DUE_SELECT, {"now": to_ms(now), "most": cards_max}).fetchall()
    return tuple(card for row in rows if (card := _card(row)) is not None)


def card_row(fact: Fact) -> dict[str, Any]:
    """The columns of a card as the fact that made it says."""
    assert fact.gift_card is not None and fact.gift_card.made is not None
    body, made = fact.gift_card, fact.gift_card.made
    return {
        "id": body.card_id,
        "code_hash": bytes.fromhex(made.code_hash),
        "pin_hash": None if made.pin_hash is None else bytes.fromhex(made.pin_hash),
        "kind": made.kind,
        "series": made.series,
        "currency": made.currency,
        "face_minor": body.amount_minor,
        "expires_ms": None if made.expires_at is None else to_ms(made.expires_at),
        "txn": bytes.fromhex(fact.id),
        "till": fact.till,
        "sale_id": body.sale_id,
        "line_id": body.line_id,
        "state": "active",
        "state_hlc": fact.hlc,
        "state_till": fact.till,
    }


def lent_row(fact: Fact, word: GiftCardWord) -> dict[str, Any]:
    """The columns of a card as the fact says that lent money of it."""
    return {
        "id": word.card_id,
        "code_hash": bytes.fromhex(word.code_hash),
        "pin_hash": None if word.pin_hash is None else bytes.fromhex(word.pin_hash),
        "kind": word.kind,
        "series": word.series,
        "currency": word.currency,
        "face_minor": word.face_minor,
        "expires_ms": None if word.expires_at is None else to_ms(word.expires_at),
        "txn": bytes.fromhex(fact.id),
        "till": word.till,
        "sale_id": None,
        "line_id": None,
        "state": "active",
        "state_hlc": fact.hlc,
        "state_till": word.till,
    }


def word_of(db: Connection, card_id: str) -> GiftCardWord | None:
    """What a till that did not sell a card has to know of it."""
    row = db.execute(f"SELECT {', '.join(COLUMNS)} FROM gift_card WHERE id = :id", {"id": card_id}).fetchone()
    if row is None:
        return None
    seen = dict(zip(COLUMNS, row, strict=True))
    return GiftCardWord(
        card_id=seen["id"],
        till=seen["till"],
        series=seen["series"],
        kind=seen["kind"],
        currency=seen["currency"],
        face_minor=Minor(seen["face_minor"]),
        code_hash=seen["code_hash"].hex(),
        pin_hash=None if seen["pin_hash"] is None else seen["pin_hash"].hex(),
        expires_at=None if seen["expires_ms"] is None else from_ms(seen["expires_ms"]),
    )


def _card(row: tuple[Any, ...] | None) -> StoredGiftCard | None:
    if row is None:
        return None
    seen = dict(zip(SEEN, row, strict=True))
    return StoredGiftCard(
        card_id=seen["id"],
        kind=seen["kind"],
        series=seen["series"],
        currency=seen["currency"],
        face_minor=Minor(seen["face_minor"]),
        balance_minor=Minor(seen["balance"]),
        expires_at=None if seen["expires_ms"] is None else from_ms(seen["expires_ms"]),
        pin_hash=seen["pin_hash"],
        state=cast(State, seen["state"]),
        till=seen["till"],
        sale_id=seen["sale_id"],
        line_id=seen["line_id"],
    )


COLUMNS = (
    "id", "code_hash", "pin_hash", "kind", "series", "currency", "face_minor", "expires_ms", "txn", "till", "sale_id", "line_id",
    "state", "state_hlc", "state_till",
)  # fmt: skip
SEEN = (
    "id", "kind", "series", "currency", "face_minor", "expires_ms", "pin_hash", "state", "till", "sale_id", "line_id", "balance",
)  # fmt: skip
CARD_INSERT = f"""INSERT INTO gift_card ({", ".join(COLUMNS)}) VALUES ({", ".join(":" + name for name in COLUMNS)})
ON CONFLICT (id) DO NOTHING"""
STATE_UPDATE = """UPDATE gift_card SET state = :state, state_hlc = :hlc, state_till = :till
WHERE id = :id AND state <> 'void' AND (:state = 'void' OR (state_hlc, state_till) < (:hlc, :till))"""
CARD_SELECT = f"""SELECT {", ".join("c." + name for name in SEEN[:-1])}, coalesce(b.amount, 0) AS balance
FROM gift_card AS c LEFT JOIN balance AS b ON b.account = 'gift:' || c.id AND b.unit = c.currency"""
DUE_SELECT = f"""{CARD_SELECT} WHERE c.expires_ms <= :now AND b.amount > 0 AND b.amount > (
  SELECT coalesce(SUM(r.centi), 0) FROM right_return AS r WHERE r.lot = 'gift:' || c.id AND r.till = c.till
) - (
  SELECT coalesce(SUM(l.centi), 0) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  WHERE l.lot = 'gift:' || c.id AND g.till = c.till
)
AND c.till = (SELECT value FROM meta WHERE key = 'owner') ORDER BY c.id LIMIT :most"""
