"""CSV as spreadsheets save it: UTF-8, UTF-16 or windows-1251, columns apart by ; , or a tab. Only one line is in memory."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet.escape import bare

FILE_BYTES_MAX = 256 * 1024 * 1024
LINE_SIGNS_MAX = 65_536
RECORD_LINES_MAX = 100
READ_BYTES = 1 << 20
DELIMITERS = {";": "semicolons", ",": "commas", "\t": "tabs"}
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CYRILLIC = "cp1251"
EXCEL_MARK = "sep="
Cells = list[str]


def encoding_of(path: Path, wish: str | None) -> str:
    """The wish, or else by the first bytes, or UTF-8 when all of it is that, or windows-1251. Raises InputError."""
    if wish is not None:
        try:
            wished = codecs.lookup(wish).name
        except LookupError as error:
            raise InputError("--encoding", f'"{wish[:40]}" is not an encoding; write utf-8, cp1251, cp866 or utf-16') from error
        candidates: tuple[str, ...] = ("utf-8-sig" if wished == "utf-8" else wished,)
    else:
        with path.open("rb") as file:
            start = file.read(4)
        marked = next((name for bom, name in BOMS if start.startswith(bom)), None)
        candidates = (marked,) if marked is not None else ("utf-8", CYRILLIC)
    for candidate in candidates:
        if _reads(path, candidate):
            return candidate
    names = " nor ".join(candidates)
    raise InputError(str(path), f"is not {names}; save it as CSV UTF-8, or name the encoding with --encoding")


def _reads(path: Path, encoding: str) -> bool:
    """Whether every byte of the file is of this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as file:
            while part := file.read(READ_BYTES):
                decoder.decode(part)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def delimiter_of(path: Path, encoding: str, known: Callable[[Cells], int]) -> str:
    """What stands between columns: the sign that makes most known headings out of the first row that is not empty.

    ``known`` counts them. Raises InputError when none makes any.
    """
    marks = {}
    for sign in DELIMITERS:
        heading = next((cells for _, cells in csv_rows(path, encoding, sign) if any(cells)), [])
        marks[sign] = known(heading)
    best = max(marks, key=lambda sign: marks[sign])
    if not marks[best]:
        raise InputError(
            f"{path}:1",
            'the first row names no column that is known here. Separate columns by ";", "," or a tab, and name them '
            "as docs/import.md does",
        )
    return best


def csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, Cells]]:
    """Rows with their number, the first included. Raises InputError with the row for what is not CSV."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(_lines(path, file), delimiter=delimiter, strict=True)
        number = 1
        try:
            for number, cells in enumerate(reader, start=1):
                yield number, [bare(cell) for cell in cells]
        except csv.Error as error:
            mend = 'a cell that holds the separator, a quotation mark or a line end stands in "…", with "" for each " in it'
            raise InputError(f"{path}:{number + 1}", f"is not CSV ({error}): {mend}") from error


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """Lines with their ends, none too long to be held; Excel's own first line ``sep=;`` is a blank one."""
    is_first = True
    for line in iter(lambda: file.readline(LINE_SIGNS_MAX), ""):
        if len(line) >= LINE_SIGNS_MAX:
            raise InputError(str(path), f"has a line of more than {LINE_SIGNS_MAX} signs; is it a table?")
        if is_first and line.lower().startswith(EXCEL_MARK):
            line = "\n"
        is_first = False
        yield line
