"""XLSX through openpyxl, read as a stream, with limits on what a small file may unpack to. Of formulas the last value is read."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet.cells import LOST

PACKED_BYTES_MAX = 64 * 1024 * 1024
UNPACKED_BYTES_MAX = 1024 * 1024 * 1024
HELD_BYTES_MAX = 128 * 1024 * 1024
"""What openpyxl holds in memory: everything but the sheets, shared texts above all."""
PARTS_MAX = 2000
SHEETS = "xl/worksheets/"
EXACT_DIGITS = 15
"""A spreadsheet's numbers are binary floats: so many digits are exact, and so many it shows."""
EXACT_BELOW = 10**EXACT_DIGITS
ZIP_MARK, OLD_MARK = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
NEEDED = "needs openpyxl and defusedxml: run pip install 'pos-loyalty[spreadsheet]', or save it as CSV"
NOT_XLSX = (zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError)
"""How a file that is not one, or was cut or made to harm, fails on its way through openpyxl."""


def is_xlsx(path: Path) -> bool:
    """By the first bytes, whatever it is called. Raises InputError for the old XLS."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == OLD_MARK:
        raise InputError(str(path), "is an old XLS file or one with a password; save it as XLSX without a password, or as CSV")
    return start == ZIP_MARK


def first_sheet(path: Path) -> tuple[str, int]:
    """The title of the sheet that is read, and how many there are. Raises InputError."""
    with _book(path) as book:
        return str(book.worksheets[0].title), len(book.worksheets)


def xlsx_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of the first sheet with their number, cells as text. Raises InputError."""
    with _book(path) as book:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what a file says of its size is not believed
        try:
            for number, cells in enumerate(sheet.iter_rows(), start=1):
                yield number, [text_of(cell) for cell in cells]
        except NOT_XLSX as error:
            raise _unsound(path, error) from error


def text_of(cell: Any) -> str:
    """A cell as a person sees it. A number of more digits than are exact is LOST: its last ones are not what was typed."""
    value = cell.value
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value, str(cell.number_format or ""))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _number(value: int | float, form: str) -> str:
    if not -EXACT_BELOW < value < EXACT_BELOW:
        return LOST
    exact = Decimal(value) if isinstance(value, int) else Decimal(format(value, f".{EXACT_DIGITS}g"))
    if "%" in form:
        return format((exact * 100).normalize(), "f") + "%"
    return format(exact, "f")


@contextmanager
def _book(path: Path) -> Iterator[Any]:
    _check_size(path)
    try:
        import openpyxl
    except ImportError as error:
        raise InputError(str(path), NEEDED) from error
    if not openpyxl.DEFUSEDXML:
        raise InputError(str(path), NEEDED)
    with path.open("rb") as file:  # openpyxl would judge a name by its ending
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # styles and checks that openpyxl does not know are not read here
                book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        except NOT_XLSX as error:
            raise _unsound(path, error) from error
        try:
            if not book.worksheets:
                raise InputError(str(path), "has no sheet")
            yield book
        finally:
            book.close()


def _unsound(path: Path, error: Exception) -> InputError:
    return InputError(str(path), f"is not a sound XLSX file ({type(error).__name__}); open it and save it anew")


def _check_size(path: Path) -> None:
    """Refuse what would unpack to more than a table needs; unpacking never passes the sizes that the file states."""
    size = path.stat().st_size
    if size > PACKED_BYTES_MAX:
        raise InputError(str(path), f"is larger than {PACKED_BYTES_MAX} bytes; save it as CSV, or split it")
    try:
        with zipfile.ZipFile(path) as parts:
            listed = parts.infolist()
    except NOT_XLSX as error:
        raise _unsound(path, error) from error
    held = sum(part.file_size for part in listed if not part.filename.startswith(SHEETS))
    whole = sum(part.file_size for part in listed)
    if len(listed) > PARTS_MAX or whole > UNPACKED_BYTES_MAX or held > HELD_BYTES_MAX:
        raise InputError(
            str(path),
            f"unpacks to {whole} bytes in {len(listed)} parts; at most {UNPACKED_BYTES_MAX} in {PARTS_MAX} are read, "
            f"{HELD_BYTES_MAX} of them outside the sheets. Save the table as CSV",
        )
