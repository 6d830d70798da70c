"""Opening balances out of a table: points of a member with one pair of dates are one lot, once, out of the adjustment account."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.engine.figures import points_text
from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.model import RefusedError, Row
from pos_loyalty.spreadsheet.people import People, needed, read
from pos_loyalty.store import imports
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.imports import Opening


class BalanceWork:
    """The Work of balances. ``name`` tells this import of balances from another one: each opens a balance once."""

    def __init__(self, db: Connection, people: People, name: str) -> None:
        self._db = db
        self._people = people
        self._name = name

    def read(self, row: Row) -> Opening:
        """Whose the points are, how many, and when they hold."""
        setting = self._people.setting
        centi = needed(row, "points", cells.points)
        usable_from = read(row, "usable_from", lambda text: cells.moment(text, setting.zone))
        expires_at = read(row, "expires", lambda text: cells.end(text, setting.zone))
        now = setting.now()
        if expires_at is not None and expires_at <= max(now, usable_from or now):
            raise RefusedError("expires", "these points have expired, or expire before they may be used")
        member = self._people.member(row, by_card=True)
        return Opening(member_id=member, centi=centi, name=self._name, usable_from=usable_from, expires_at=expires_at)

    def is_new(self, row: int, one: Opening) -> bool:
        """Whether it was not opened before; a row of no points is nothing to do."""
        self._people.check_once({"points": one.lot_id}, "the same member and dates stand in a row before; add them up")
        opened = imports.opened_centi(self._db, one)
        if opened not in (None, one.centi):
            raise RefusedError(
                "points",
                f"were opened with {points_text(opened or 0)} before and are not changed by an import; adjust them by hand",
                "taken",
            )
        self._people.note(row, {"points": one.lot_id})
        return opened is None and one.centi > 0

    def ready(self, one: Opening) -> Opening:
        """Nothing takes long."""
        return one

    def write(self, batch: Sequence[Opening]) -> None:
        """Open."""
        booking = self._people.booking()
        with write(self._db):
            for one in batch:
                imports.open_balance(self._db, one, booking)
