"""Gift cards out of a table: codes made elsewhere, with the money that is on them. A code that may be guessed needs a PIN."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec.structs import replace

from drivers.symbology import is_payment_card, mask
from pos_loyalty.engine.figures import money_text
from pos_loyalty.near import nearest
from pos_loyalty.spreadsheet import cells
from pos_loyalty.spreadsheet.model import RefusedError, Row
from pos_loyalty.spreadsheet.people import People, needed, read
from pos_loyalty.store import gift_codes
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.gift_openings import NO_SERIES, GiftOpening, open_gift_card, opened_minor
from pos_loyalty.values import Value

GIFT_CODE = re.compile(r"[A-Za-z0-9|-]{6,64}", re.ASCII)
PIN = re.compile(r"[A-Za-z0-9]{4,16}", re.ASCII)
KINDS: dict[str, Literal["bought", "gratis"]] = {
    "bought": "bought", "sold": "bought", "куплена": "bought", "куплен": "bought", "продана": "bought",
    "gratis": "gratis", "free": "gratis", "подарена": "gratis", "бесплатная": "gratis", "бесплатный": "gratis",
}  # fmt: skip
A_NEW_CARD = "or give its holder a new card (pos-loyalty gift-card issue) and take the old one in"


class GiftTerms(Value):
    """What the programme in force says of gift cards. ``series``: kind by id."""

    series: Mapping[str, Literal["bought", "gratis"]]
    bought_expire: bool


class GiftCardWork:
    """The Work of gift cards. ``terms`` None: there is no programme yet, and any series may be named."""

    def __init__(self, db: Connection, people: People, terms: GiftTerms | None) -> None:
        self._db = db
        self._people = people
        self._terms = terms

    def read(self, row: Row) -> GiftOpening:
        """A code, its money, and until when."""
        setting = self._people.setting
        if setting.is_office:
            raise RefusedError("gift_card", "no till could take it: import gift cards at a till that stands alone")
        mark, can_be_guessed = needed(row, "gift_card", self._code)
        pin = read(row, "pin", _pin)
        if can_be_guessed and pin is None:
            raise RefusedError("pin", f"this code is short enough to be guessed; fill in a PIN of 4 to 16 signs, {A_NEW_CARD}")
        series, kind = read(row, "series", self._series), read(row, "kind", _kind)
        meant = None if series is None or self._terms is None else self._terms.series[series]
        if None not in (meant, kind) and meant != kind:
            raise RefusedError("kind", f'gift cards "{series}" are {meant} by the programme')
        is_gratis = (kind or meant) == "gratis"
        expires_at = read(row, "expires", lambda text: cells.end(text, setting.zone))
        if expires_at is not None:
            self._check_end(is_gratis)
            if expires_at <= setting.now():
                raise RefusedError("expires", "lies in the past")
        return GiftOpening(
            mark=mark,
            kind="gratis" if is_gratis else "bought",
            series=series or NO_SERIES,
            currency=setting.currency,
            amount_minor=needed(row, "amount", lambda text: cells.money(text, setting.exponent)),
            expires_at=expires_at,
            pin=pin,
        )

    def is_new(self, row: int, one: GiftOpening) -> bool:
        """Whether it was not opened before; a card without money is nothing to do."""
        self._people.check_once({"gift_card": one.mark})
        opened = opened_minor(self._db, one)
        if opened == -1:
            raise RefusedError("gift_card", "a gift card of this shop has this code already", "taken")
        if opened not in (None, one.amount_minor):
            before = money_text(opened or 0, self._people.setting.exponent)
            raise RefusedError("amount", f"was opened with {before} before and is not changed by an import", "taken")
        self._people.note(row, {"gift_card": one.mark})
        return opened is None and one.amount_minor > 0

    def ready(self, one: GiftOpening) -> GiftOpening:
        """Hash the PIN, slowly on purpose."""
        if one.pin is None:
            return one
        hashed = gift_codes.pin_hash(one.card_id, one.pin, self._people.setting.pepper).hex()
        return replace(one, pin=None, pin_hash=hashed)

    def write(self, batch: Sequence[GiftOpening]) -> None:
        """Open."""
        booking = self._people.booking()
        with write(self._db):
            for one in batch:
                open_gift_card(self._db, one, booking)

    def _code(self, text: str) -> tuple[str, bool]:
        """The hash of a code, and whether the code may be guessed."""
        code, pepper = text.replace(" ", ""), self._people.setting.pepper
        if is_payment_card(code):
            raise ValueError("looks like a payment card; nothing of it may be kept")
        if not GIFT_CODE.fullmatch(code):
            raise ValueError(f"{mask(code[:64])} is not a code: letters a to z, digits and dashes, 6 to 64 of them")
        if gift_codes.ID_PATTERN.fullmatch(code):
            raise ValueError(f"{mask(code)} looks like an id of a gift card of ours; write its letters in capitals")
        own = gift_codes.mark_of(code, pepper)
        if own is not None:
            return own, gift_codes.QR_PATTERN.fullmatch(code.upper()) is None
        found = gift_codes.foreign_mark(code, pepper)
        if found is None:
            raise ValueError(f"{mask(code[:64])} is not a code: fewer than 6 letters and digits")
        return found, gift_codes.can_be_guessed(code)

    def _series(self, text: str) -> str:
        if self._terms is not None and text not in self._terms.series:
            near = nearest(text, self._terms.series)
            hint = "" if near is None else f'; did you mean "{near}"?'
            raise ValueError(f'"{text[: cells.SHOWN_MAX]}" is not the id of a [[gift_card]] of the programme{hint}')
        return cells.words(text, 64)

    def _check_end(self, is_gratis: bool) -> None:
        if not is_gratis and (self._terms is None or not self._terms.bought_expire):
            raise RefusedError(
                "expires",
                "a bought gift card does not expire; leave it empty, write gratis under kind, or set gift_cards.bought_expire",
            )


def _kind(text: str) -> Literal["bought", "gratis"]:
    kind = KINDS.get(text.casefold())
    if kind is None:
        raise ValueError(f'"{text[: cells.SHOWN_MAX]}" is not a kind; write bought or gratis')
    return kind


def _pin(text: str) -> str:
    if not PIN.fullmatch(text):
        raise ValueError("is not a PIN: 4 to 16 letters and digits")
    return text
