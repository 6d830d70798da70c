"""Gift cards and unique codes at a store's hub: which of those that are presented at a till of the store it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pos_loyalty.engine.gift_ledger import gift_account
from pos_loyalty.store import coupon_rights, relay_cards, right_holds
from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_facts import GiftCardWord, RightHolder, RightLine
from pos_loyalty.values import Value
from sync.rights import RightsRequest


class Shown(Value):
    """A card or a code that was presented at a till. ``card``: what that till has to know of a card."""

    lot_id: str
    name: str
    card: GiftCardWord | None = None


def shown(db: Connection, asked: RightsRequest) -> tuple[Shown, ...]:
    """What is asked for, each once; of cards those that are known here."""
    words = (relay_cards.by_mark(db, mark) for mark in asked.gifts)
    cards = (Shown(lot_id=gift_account(word.card_id), name=word.card_id, card=word) for word in words if word is not None)
    lines = (coupon_rights.line_of(code) for code in asked.coupons)
    codes = (Shown(lot_id=line.lot_id, name=line.member_id) for line in lines)
    return tuple({one.lot_id: one for one in (*cards, *codes)}.values())


def held(db: Connection, hub: RightHolder, found: Iterable[Shown], now: datetime) -> tuple[tuple[RightLine, Shown], ...]:
    """What of them the hub may give, all that it holds; nothing of a card that is frozen."""
    lines = []
    for one in found:
        holding = right_holds.held(db, hub.till, hub.epoch, (one.lot_id,), now).get(one.lot_id)
        if holding is None or holding.usable_centi <= 0 or not relay_cards.may_pay(db, one.name):
            continue
        lines.append((RightLine(lot_id=one.lot_id, member_id=one.name, centi=holding.usable_centi), one))
    return tuple(lines)
