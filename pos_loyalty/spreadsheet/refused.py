"""Rows that were not taken, as a table of their own: the reason beside each, to be mended and imported again."""

from __future__ import annotations

import csv
import os
from typing import Any

from pos_loyalty.errors import InputError
from pos_loyalty.payment_cards import without_numbers
from pos_loyalty.spreadsheet.columns import OURS, REASON_HEADING, ROW_HEADING, plain
from pos_loyalty.spreadsheet.escape import guarded
from pos_loyalty.spreadsheet.model import Row
from pos_loyalty.spreadsheet.sheet import Sheet

PRIVATE_MODE = 0o600
SUFFIX = ".refused.csv"


class RefusedFile:
    """``<file>.refused.csv``, made with the first refused row; one of an earlier import is removed. Others may not read it."""

    def __init__(self, sheet: Sheet) -> None:
        self.path = sheet.path.with_name(sheet.path.name + SUFFIX)
        self._heading = tuple(_own(sheet, sheet.heading))
        self._sheet = sheet
        self._file: Any = None
        self._writer: Any = None
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(str(self.path), f"cannot be removed: {error.strerror}") from error

    @property
    def is_there(self) -> bool:
        """Whether a row was refused."""
        return self._file is not None

    def add(self, row: Row, error: InputError) -> None:
        """One row with its reason."""
        if self._file is None:
            self._begin()
        cells = _own(self._sheet, row.raw)
        cells += [""] * (len(self._heading) - len(cells))
        self._writer.writerow([guarded(cell) for cell in (*cells, str(row.number), f"{error.place}: {error.message}")])

    def close(self) -> None:
        """All is on its way to the disk."""
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
        except OSError as error:
            raise InputError(str(self.path), f"cannot be written: {error.strerror}") from error
        self._file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=";")
        self._writer.writerow([guarded(cell) for cell in (*self._heading, ROW_HEADING, REASON_HEADING)])


def _own(sheet: Sheet, cells: tuple[str, ...]) -> list[str]:
    """Cells without those that a file of refused rows added before, and without payment cards' numbers."""
    added = {place for place, heading in enumerate(sheet.heading) if plain(heading) in OURS}
    return [without_numbers(cell) for place, cell in enumerate(cells) if place not in added]
