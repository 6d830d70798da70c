"""At a store's hub: what it knows of gift cards by its tills' logs, and since when rights to cards and codes rest there.

Rule: both stand in the hub's own file, which outlives what it keeps of its tills' logs. A card whose money it got and of which it
knows nothing, it could give to nobody: that goes back to head office at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pos_loyalty.clock import to_ms
from pos_loyalty.store import gift_cards
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.right_facts import GiftCardWord
from pos_loyalty.store.right_moves import GIFT, is_lent
from pos_loyalty.store.witness import watched
from pos_loyalty.values import decode, encode

AT_ONCE_MS: Final = 0
HASH: Final = re.compile("[0-9a-f]{64}")


def hear(db: Connection, fact: Fact) -> None:
    """What a till's fact says of gift cards: that it made one, that head office lent it one, that one was frozen, let go or
    undone."""
    said = fact.gift_card
    if said is not None and said.made is not None:
        word = GiftCardWord(
            card_id=said.card_id,
            till=fact.till,
            series=said.made.series,
            kind=said.made.kind,
            currency=said.made.currency,
            face_minor=said.amount_minor,
            code_hash=said.made.code_hash,
            pin_hash=said.made.pin_hash,
            expires_at=said.made.expires_at,
        )
        _put_word(db, word)
    if said is not None and said.act in gift_cards.STATES:
        row = {"id": said.card_id, "state": gift_cards.STATES[said.act], "hlc": fact.hlc, "till": fact.till}
        with watched(db, "relay_card", "id = :id", {"id": said.card_id}):
            db.execute(STATE_UPSERT, row)
    for word in fact.grant.cards if fact.grant is not None and fact.kind == "rights.taken" else ():
        _put_word(db, word)


def by_mark(db: Connection, mark: str) -> GiftCardWord | None:
    """The card of a mark, its id or the hex hash of its code: as a till's log told of it, or as head office lent it here."""
    is_hash = HASH.fullmatch(mark) is not None  # a till may give back money of whatever it calls a card
    told = db.execute(WORD_SELECT, {"id": mark, "hash": bytes.fromhex(mark) if is_hash else None}).fetchone()
    if told is not None:
        return decode(told[0].encode(), GiftCardWord)
    lent = gift_cards.by_mark(db, mark) if is_hash else gift_cards.by_id(db, mark)
    return None if lent is None else gift_cards.word_of(db, lent.card_id)


def may_pay(db: Connection, card_id: str) -> bool:
    """Whether no till of the store said that a card is frozen or undone."""
    row = db.execute("SELECT state FROM relay_card WHERE id = :id", {"id": card_id}).fetchone()
    return row is None or row[0] == "active"


def rests(db: Connection, lots: Iterable[str], now: datetime) -> None:
    """Rights to these lots come here now; of points nothing is noted."""
    for lot in lots:
        if not is_lent(lot):
            continue
        is_known = not lot.startswith(GIFT) or by_mark(db, lot.removeprefix(GIFT)) is not None
        row = {"lot": lot, "since": to_ms(now) if is_known else AT_ONCE_MS}
        with watched(db, "relay_rest", "lot = :lot", {"lot": lot}):
            db.execute("INSERT OR REPLACE INTO relay_rest (lot, since_ms) VALUES (:lot, :since)", row)


def rested(db: Connection, before: datetime, now: datetime, limit: int) -> tuple[str, ...]:
    """Lots to which rights came before an instant; what came later than now came by a clock that was wrong, and is as old as
    any."""
    key = {"before": to_ms(before), "now": to_ms(now), "limit": limit}
    return tuple(lot for (lot,) in db.execute(RESTED_SELECT, key))


def goes(db: Connection, lots: Iterable[str]) -> None:
    """These rest here no more."""
    for lot in lots:
        with watched(db, "relay_rest", "lot = :lot", {"lot": lot}):
            db.execute("DELETE FROM relay_rest WHERE lot = :lot", {"lot": lot})


def _put_word(db: Connection, word: GiftCardWord) -> None:
    row = {
        "id": word.card_id, "hash": bytes.fromhex(word.code_hash), "word": encode(word).decode(), "till": word.till,
    }  # fmt: skip
    with watched(db, "relay_card", "id = :id", {"id": word.card_id}):
        db.execute(WORD_UPSERT, row)


WORD_UPSERT = """INSERT INTO relay_card (id, code_hash, word, state, state_hlc, state_till)
VALUES (:id, :hash, :word, 'active', 0, :till)
ON CONFLICT (id) DO UPDATE SET code_hash = excluded.code_hash, word = excluded.word WHERE word IS NULL"""
STATE_UPSERT = """INSERT INTO relay_card (id, state, state_hlc, state_till) VALUES (:id, :state, :hlc, :till)
ON CONFLICT (id) DO UPDATE SET state = :state, state_hlc = :hlc, state_till = :till
WHERE state <> 'void' AND (:state = 'void' OR (state_hlc, state_till) < (:hlc, :till))"""
WORD_SELECT = """SELECT word FROM relay_card WHERE word IS NOT NULL AND (id = :id OR code_hash = :hash)
ORDER BY id = :id DESC, id LIMIT 1"""
RESTED_SELECT = """SELECT lot FROM relay_rest WHERE since_ms <= :before OR since_ms > :now ORDER BY since_ms, lot LIMIT :limit"""
