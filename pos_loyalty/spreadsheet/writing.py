"""A table into a new file, CSV or XLSX by its name, row by row. Nothing in it runs when a spreadsheet opens it."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from pos_loyalty.config import Language
from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet.escape import guarded
from pos_loyalty.spreadsheet.exporting import Cell, Table
from pos_loyalty.spreadsheet.refused import PRIVATE_MODE

FORMS = (".csv", ".xlsx")


def write_table(path: Path, table: Table, language: Language) -> int:
    """Write it and answer how many rows. The file must not exist; others may not read it. Raises InputError."""
    form = path.suffix.lower()
    if form not in FORMS:
        raise InputError(str(path), f"name a file that ends with {' or '.join(FORMS)}")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), PRIVATE_MODE)
    except FileExistsError as error:
        raise InputError(str(path), "exists already; name a new file") from error
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            return (_csv if form == ".csv" else _xlsx)(file, table, language)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _csv(file: BinaryIO, table: Table, language: Language) -> int:
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow([column.heading(language) for column in table.columns])
    count = 0
    for row in table.rows:
        writer.writerow([_said(cell, language) for cell in row])
        count += 1
    text.flush()
    text.detach()
    return count


def _said(cell: Cell, language: Language) -> str:
    if isinstance(cell, Decimal):
        return str(cell).replace(".", ",") if language == "ru" else str(cell)
    return guarded(cell)


def _xlsx(file: BinaryIO, table: Table, language: Language) -> int:
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise InputError("FILE", "XLSX needs openpyxl: run pip install 'pos-loyalty[spreadsheet]', or write CSV") from error
    book = Workbook(write_only=True)
    sheet = book.create_sheet("pos_loyalty")

    def put(row: Sequence[Cell]) -> None:
        sheet.append([_cell(sheet, cell) for cell in row])

    put([column.heading(language) for column in table.columns])
    count = 0
    for row in table.rows:
        put(row)
        count += 1
    book.save(file)
    return count


def _cell(sheet: object, value: Cell) -> object:
    """A cell that is a number, or surely a text: what begins with = is not to be run."""
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.number_format = "@"
    else:
        cell.number_format = "0." + "0" * max(0, -int(value.as_tuple().exponent)) if value.as_tuple().exponent else "0"
    return cell
