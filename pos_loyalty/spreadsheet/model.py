"""What an import speaks of: columns, rows, refusals. A row is accepted, stands already, or is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pos_loyalty.config import CardConfig, Language
from pos_loyalty.errors import InputError
from pos_loyalty.values import Value

Kind = Literal["members", "cards", "balances", "catalogue", "gift-cards"]
Why = Literal["wrong", "twice", "taken"]


class Column(Value):
    """A column by our name, and the headings under which it is known; the first of each language is written by an export."""

    name: str
    en: tuple[str, ...]
    ru: tuple[str, ...]
    needed: bool = False

    def heading(self, language: Language) -> str:
        """What an export writes above it."""
        return (self.ru if language == "ru" else self.en)[0]


class Columns(Value):
    """All columns of one kind of table. Of the names in ``one_of`` at least one must be there."""

    kind: Kind
    columns: tuple[Column, ...]
    one_of: tuple[str, ...] = ()


class Row(Value):
    """A row below the heading. ``number`` as a spreadsheet counts it; ``cells`` by our names, trimmed; ``raw`` as they stand.

    ``over``: how many cells stand beyond the heading; a separator inside a cell moves all that follow.
    """

    number: int
    cells: dict[str, str]
    raw: tuple[str, ...]
    over: int = 0


class Setting(Value):
    """What an import needs to know besides its file. ``tiers``: id by any name of it, in small letters; None: any may stand."""

    store: str
    zone: ZoneInfo
    exponent: int
    currency: str
    cards: tuple[CardConfig, ...]
    tiers: dict[str, str] | None
    pepper: str
    master_key: str
    by: str
    is_office: bool
    now: Callable[[], datetime]


class RefusedError(InputError):
    """A row that is not taken. ``place`` is the column. Twice: the file says it before; taken: the store holds it otherwise."""

    def __init__(self, place: str, message: str, why: Why = "wrong") -> None:
        super().__init__(place, message)
        self.why: Why = why


class Refused(Value):
    """A row that was not taken, for the report."""

    row: int
    column: str
    reason: str
