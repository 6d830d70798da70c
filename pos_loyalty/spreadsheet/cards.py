"""Cards of members out of a table. What books them is in later.py."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.later import NewCard, add_cards
from pos_loyalty.spreadsheet.model import RefusedError, Row
from pos_loyalty.spreadsheet.people import People, card_number, read
from pos_loyalty.store.db import Connection, write

STATES = {
    "active": "active", "активна": "active", "действует": "active",
    "lost": "lost", "утеряна": "lost", "потеряна": "lost", "заблокирована": "lost",
}  # fmt: skip


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


def _state(text: str) -> str:
    state = STATES.get(text.casefold())
    if state is None:
        raise ValueError(f'"{text[: cells.SHOWN_MAX]}" is not a state; write active or lost')
    return state
