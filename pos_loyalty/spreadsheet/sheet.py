"""A table in a file, whatever its form: its heading is matched with the columns that are known, then row after row comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pos_loyalty.errors import InputError
from pos_loyalty.near import nearest
from pos_loyalty.spreadsheet.cells import trimmed
from pos_loyalty.spreadsheet.columns import OURS, names_of, plain
from pos_loyalty.spreadsheet.csv_file import DELIMITERS, FILE_BYTES_MAX, csv_rows, delimiter_of, encoding_of
from pos_loyalty.spreadsheet.model import Columns, Row
from pos_loyalty.spreadsheet.xlsx_file import first_sheet, is_xlsx, xlsx_rows
from pos_loyalty.values import Value

ROWS_MAX = 1_048_576
"""As many as a sheet of XLSX has."""
COLUMNS_MAX = 200
CELL_SIGNS_MAX = 4096


class Sheet(Value):
    """A table that can be read. ``names`` by place: our name, or None for a column that is not read.

    ``form``: how its bytes were understood, for people; ``unread``: headings that nobody knows.
    """

    path: Path
    form: str
    heading: tuple[str, ...]
    heading_row: int
    names: tuple[str | None, ...]
    unread: tuple[str, ...]
    encoding: str = ""
    delimiter: str = ""

    def rows(self) -> Iterator[Row]:
        """Rows below the heading that are not empty. Raises InputError for a file that is not whole, or too large."""
        for number, cells in _numbered(self.path, self.encoding, self.delimiter):
            if number <= self.heading_row:
                continue
            if number > ROWS_MAX:
                raise InputError(f"{self.path}:{number}", f"a file holds at most {ROWS_MAX} rows; split it")
            raw = _cut(cells)
            if raw:
                over = max(0, len(raw) - len(self.heading))
                yield Row(number=number, cells=_named(self.names, raw), raw=raw, over=over)


def open_sheet(path: Path, columns: Columns, encoding: str | None) -> Sheet:
    """Find out what the file is, and match its first row that is not empty. Raises InputError with the mend."""
    try:
        if is_xlsx(path):
            title, count = first_sheet(path)
            others = f", the first of {count} sheets" if count > 1 else ""
            return _matched(path, columns, f'XLSX, sheet "{title}"{others}')
        if path.stat().st_size > FILE_BYTES_MAX:
            raise InputError(str(path), f"is larger than {FILE_BYTES_MAX} bytes; split it")
        names = names_of(columns)
        found = encoding_of(path, encoding)
        delimiter = delimiter_of(path, found, lambda cells: len({plain(cell) for cell in cells} & names.keys()))
        return _matched(path, columns, f"CSV, {found}, columns apart by {DELIMITERS[delimiter]}", found, delimiter)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error


def _matched(path: Path, columns: Columns, form: str, encoding: str = "", delimiter: str = "") -> Sheet:
    number, cells = next(((n, cells) for n, cells in _numbered(path, encoding, delimiter) if _cut(cells)), (1, []))
    heading = tuple(trimmed(cell) for cell in _cut(cells))
    if len(heading) > COLUMNS_MAX:
        raise InputError(f"{path}:{number}", f"has {len(heading)} columns, at most {COLUMNS_MAX} are read")
    known = names_of(columns)
    names = tuple(known.get(plain(each)) for each in heading)
    place = f"{path}:{number}"
    _check_heading(place, columns, heading, names)
    unread = [each for each, name in zip(heading, names, strict=True) if name is None and each and plain(each) not in OURS]
    return Sheet(
        path=path,
        form=form,
        heading=heading,
        heading_row=number,
        names=names,
        unread=tuple(_hinted(each, known, names) for each in unread),
        encoding=encoding,
        delimiter=delimiter,
    )


def _check_heading(place: str, columns: Columns, heading: Sequence[str], names: Sequence[str | None]) -> None:
    for column in columns.columns:
        double = [each for each, name in zip(heading, names, strict=True) if name == column.name]
        if len(double) > 1:
            raise InputError(place, f'"{double[0]}" and "{double[1]}" both mean {column.name}; rename or remove one of them')
        if column.needed and not double:
            raise InputError(place, f'there is no column for {column.name}; name one "{column.en[0]}" or "{column.ru[0]}"')
    if columns.one_of and not set(columns.one_of) & set(names):
        ways = " or ".join(f'"{column.en[0]}" / "{column.ru[0]}"' for column in columns.columns if column.name in columns.one_of)
        raise InputError(place, f"no column says whose a row is; name one {ways}")


def _hinted(heading: str, known: dict[str, str], taken: Sequence[str | None]) -> str:
    near = nearest(plain(heading), [each for each, name in known.items() if name not in taken])
    return heading if near is None else f'{heading} (did you mean "{near}"?)'


def _numbered(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    return csv_rows(path, encoding, delimiter) if delimiter else xlsx_rows(path)


def _cut(cells: Sequence[Any]) -> tuple[str, ...]:
    """Cells without the empty ones at the end; an empty row is nothing."""
    end = len(cells)
    while end and not trimmed(cells[end - 1]):
        end -= 1
    return tuple(cells[:end])


def _named(names: Sequence[str | None], raw: Sequence[str]) -> dict[str, str]:
    """Cells by our names. Of a cell that is too long so much stands that it is refused where it is read."""
    pairs = zip(names, raw, strict=False)
    return {name: trimmed(cell)[: CELL_SIGNS_MAX + 1] for name, cell in pairs if name is not None}
