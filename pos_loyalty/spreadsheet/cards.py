"""Cards of members out of a table, and gift cards with their money. What books them is in later.py."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.symbology import is_payment_card, mask
from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.later import NewCard, OpenedGiftCard, add_cards, open_gift_cards
from pos_loyalty.spreadsheet.model import RefusedError, Row
from pos_loyalty.spreadsheet.people import People, card_number, needed, read
from pos_loyalty.store.db import Connection, write

STATES = {
    "active": "active", "активна": "active", "действует": "active",
    "lost": "lost", "утеряна": "lost", "потеряна": "lost", "заблокирована": "lost",
}  # fmt: skip
GIFT_CODE = re.compile(r"[A-Za-z0-9-]{6,64}", re.ASCII)


class CardWork:
    """The Work of cards."""

    def __init__(self, db: Connection, people: People) -> None:
        self._db = db
        self._people = people

    def read(self, row: Row) -> NewCard:
        """A card and whose it is."""
        number = card_number(row, "number", self._people.setting)
        if number is None:
            raise RefusedError("number", "is empty")
        state = read(row, "state", _state) or "active"
        return NewCard(number=number, member_id=self._people.member(row, by_card=False), state=state)

    def is_new(self, row: int, one: NewCard) -> bool:
        """Whether nobody has it."""
        self._people.check_once({"number": one.number})
        holder = self._people.holder_of_card(one.number)
        if holder not in (None, one.member_id):
            raise RefusedError("number", f"belongs to member {holder} already", "taken")
        self._people.note(row, {"number": one.number})
        return holder is None

    def ready(self, one: NewCard) -> NewCard:
        """Nothing takes long."""
        return one

    def write(self, batch: Sequence[NewCard]) -> None:
        """Add."""
        with write(self._db):
            add_cards(self._db, batch, self._people.booking())


class GiftCardWork:
    """The Work of gift cards."""

    def __init__(self, db: Connection, people: People) -> None:
        self._db = db
        self._people = people

    def read(self, row: Row) -> OpenedGiftCard:
        """A code, its money, and until when."""
        setting = self._people.setting
        code = needed(row, "gift_card", _gift_code)
        amount_minor = needed(row, "amount", lambda text: cells.money(text, setting.exponent))
        expires_at = read(row, "expires", lambda text: cells.end(text, setting.zone))
        if expires_at is not None and expires_at <= setting.now():
            raise RefusedError("expires", "lies in the past")
        return OpenedGiftCard(code=code, amount_minor=amount_minor, expires_at=expires_at)

    def is_new(self, row: int, one: OpenedGiftCard) -> bool:
        """A gift card without money is nothing to do."""
        self._people.check_once({"gift_card": one.code})
        self._people.note(row, {"gift_card": one.code})
        return one.amount_minor > 0

    def ready(self, one: OpenedGiftCard) -> OpenedGiftCard:
        """Nothing takes long."""
        return one

    def write(self, batch: Sequence[OpenedGiftCard]) -> None:
        """Open."""
        with write(self._db):
            open_gift_cards(self._db, batch, self._people.booking())


def _state(text: str) -> str:
    state = STATES.get(text.casefold())
    if state is None:
        raise ValueError(f'"{text[: cells.SHOWN_MAX]}" is not a state; write active or lost')
    return state


def _gift_code(text: str) -> str:
    code = text.replace(" ", "")
    if is_payment_card(code):
        raise ValueError("looks like a payment card; nothing of it may be kept")
    if not GIFT_CODE.fullmatch(code):
        raise ValueError(f"{mask(code[:64])} is not a code: letters a to z, digits and dashes, 6 to 64 of them")
    return code
