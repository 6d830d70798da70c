"""What of a gift card's money this till may take by itself.

Rule: under ``gift_cards.offline = "escrow"`` no more than it holds, whoever sold the card; what nobody wants here goes back to
head office. Under ``"refuse"`` what stands in its own ledger, which is the money of cards that it sold. A till that stands alone
knows all cards.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from pos_loyalty.config import Config
from pos_loyalty.engine.gift_ledger import gift_account
from pos_loyalty.engine.lots import NEVER
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import epochs, right_holds
from pos_loyalty.store.gift_cards import StoredGiftCard
from pos_loyalty.store.gift_codes import label_of
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import Minor

ASKS: Final = "gift:"
"""Before the mark of a gift card: no member is asked for so."""
MARKS: Final = (32, 64)
"""Signs of a card's id, and of the hash of its code."""


def is_lending(config: Config) -> bool:
    """Whether cards are good at every till, by rights."""
    return config.head_office.url is not None and config.gift_cards.offline == "escrow"


def cut(desk: Desk, card: StoredGiftCard) -> StoredGiftCard:
    """The card with what this till may take from it.

    While the clock is wrong by more than a day nobody can tell whether a lease has ended: what came with one is left out.
    """
    account = gift_account(card.card_id)
    if desk.config.head_office.url is None:
        return card
    if not is_lending(desk.config):  # it may have been otherwise before: what went back is not here any more
        lent_minor = min(0, right_holds.lent_minor(desk.db, account))
        return replace(card, balance_minor=Minor(max(0, card.balance_minor + lent_minor)))
    trusted = desk.trusted()
    at = NEVER if trusted.is_lost else trusted.at
    held = right_holds.held(desk.db, desk.config.till.id, epochs.epoch_of(desk.db), (account,), at).get(account)
    return replace(card, balance_minor=Minor(held.usable_centi if held else 0))


def ask(desk: Desk, mark: str) -> bool:
    """Have head office asked for a card's money; answers whether an answer is on its way. Nobody waits for it."""
    if not is_lending(desk.config) or desk.reserver is None or len(mark) not in MARKS:
        return False
    return desk.reserver.wake(ASKS + mark)


def refuse_sold_elsewhere(desk: Desk, card: StoredGiftCard) -> None:
    """Raises ConflictError: with a card that another till sold nothing is done here but paying."""
    if card.till != desk.config.till.id:
        raise ConflictError(f"Gift card {label_of(card.card_id)} was sold at till {card.till}: here it can only pay.")
