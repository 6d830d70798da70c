"""Whose a row is: members by id, card or phone, as the store and the rows before know them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from drivers.symbology import mask, member_card
from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet.cells import words
from pos_loyalty.spreadsheet.model import RefusedError, Row, Setting
from pos_loyalty.store import imports, seal
from pos_loyalty.store.db import Connection
from pos_loyalty.store.imports import Booking
from pos_loyalty.store.scratch import Scratch

ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
SEVERAL = "*"
"""No id of a member: several share the phone."""
V = TypeVar("V")


class People:
    """Members who are here, and keys that the file has named so far. Close it when done."""

    def __init__(self, db: Connection, setting: Setting, *, with_phones: bool) -> None:
        self._db = db
        self._seen = Scratch()
        self.setting = setting
        if with_phones:
            self._seen.note_once("holder", imports.phones(db, setting.master_key), SEVERAL)

    def close(self) -> None:
        """Forget what was seen."""
        self._seen.close()

    def booking(self) -> Booking:
        """Who imports, now."""
        setting = self.setting
        return Booking(store=setting.store, by=setting.by, is_office=setting.is_office, now=setting.now())

    def check_once(self, keys: dict[str, str | None], said: str = "") -> None:
        """Each key stands once among the rows that were not refused. Raises RefusedError naming the first row."""
        for column, key in keys.items():
            before = None if key is None else self._seen.find(column, key)
            if before is not None:
                raise RefusedError(column, said or f"stands in row {before} already", "twice")

    def note(self, row: int, keys: dict[str, str | None]) -> None:
        """A row that was not refused names these keys."""
        for column, key in keys.items():
            if key is not None:
                self._seen.note(column, key, str(row))

    def state(self, member_id: str) -> str | None:
        """active, blocked or erased; None for nobody."""
        return imports.member_state(self._db, member_id)

    def holder_of_card(self, card: str | None) -> str | None:
        """Whose card it is."""
        return None if card is None else imports.card_holder(self._db, card)

    def holder_of_phone(self, phone: str | None) -> str | None:
        """Whose phone it is; SEVERAL when members share it."""
        return None if phone is None else self._seen.find("holder", phone)

    def member(self, row: Row, *, by_card: bool) -> str:
        """The active member whom a row names. What it names besides must be theirs too. Raises RefusedError."""
        named = {
            "member": read(row, "member", member_id),
            "card": card_number(row, "card", self.setting) if by_card else None,
            "phone": read(row, "phone", seal.normal_phone),
        }
        found = {
            "member": named["member"],
            "card": self.holder_of_card(named["card"]),
            "phone": self.holder_of_phone(named["phone"]),
        }
        given = [column for column, key in named.items() if key is not None]
        if not given:
            raise RefusedError("member", "the row says of nobody whose it is; fill in a member, a card or a phone")
        for column in given:
            if found[column] is None:
                raise RefusedError(column, "belongs to nobody here; import the member first")
            if found[column] == SEVERAL:
                raise RefusedError(column, "several members share this phone; name the member or the card")
            if found[column] != found[given[0]]:
                raise RefusedError(column, f"belongs to member {found[column]}, the {given[0]} to another one", "taken")
        member = found[given[0]]
        assert member is not None
        state = self.state(member)
        if state != "active":
            raise RefusedError(given[0], f"is {'unknown here; import the member first' if state is None else state}")
        return member


def read(row: Row, column: str, meaning: Callable[[str], V]) -> V | None:
    """What stands in a column, None when nothing does. Raises RefusedError naming it."""
    text = row.cells.get(column, "")
    if not text:
        return None
    try:
        words(text, 4096)
        return meaning(text)
    except InputError as error:
        raise RefusedError(column, error.message) from error
    except ValueError as error:
        raise RefusedError(column, str(error)) from error


def needed(row: Row, column: str, meaning: Callable[[str], V]) -> V:
    """What stands in a column that may not be empty."""
    found = read(row, column, meaning)
    if found is None:
        raise RefusedError(column, "is empty")
    return found


def member_id(text: str) -> str:
    """An id that may stand in a link and in a log."""
    if not ID.fullmatch(text):
        raise ValueError("is not an id: letters a to z, digits, points and dashes, at most 64; leave it empty to get one")
    return text


def card_number(row: Row, column: str, setting: Setting) -> str | None:
    """A card of the shop's ranges; a message masks it."""

    def number(text: str) -> str:
        bare = text.replace(" ", "")
        if member_card(bare, None, setting.cards) is None:
            raise ValueError(f"{mask(text[:64])} is not a member card of this shop by [[card]] of the config")
        return bare

    return read(row, column, number)
