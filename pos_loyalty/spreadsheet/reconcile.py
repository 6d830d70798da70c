"""A shift against the host's own totals: which receipts are missing on either side, doubled, or of another sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from pos_loyalty.engine.figures import money_figure
from pos_loyalty.errors import InputError
from pos_loyalty.spreadsheet.csv_file import csv_rows, delimiter_of, encoding_of
from pos_loyalty.store.day_totals import DayReceipt
from pos_loyalty.values import Minor, Value

COLUMNS = ("sale", "receipt", "total", "till", "count")
ROWS_MAX = 1_000_000
DIGITS_MAX = 9

What = Literal["missing here", "missing there", "doubled", "different", "count", "sum"]


class HostRow(Value):
    """One row of the host's file. ``id``: None in a file of totals alone; ``count``: so many receipts."""

    row: int
    till: str | None
    id: str | None
    total_minor: Minor
    count: int


class HostFile(Value):
    """What the host says. ``by``: which of our names its receipts bear."""

    by: Literal["sale", "receipt", "total"]
    rows: tuple[HostRow, ...]

    @property
    def has_returns(self) -> bool:
        """Whether goods that came back stand in it, below nothing."""
        return any(row.total_minor < 0 for row in self.rows)


class Difference(Value):
    """One thing that does not agree. ``here_minor``, ``there_minor``: our figure and the host's, as far as there is one."""

    what: What
    receipt: str
    here_minor: int | None
    there_minor: int | None


class Reconciled(Value):
    """The whole answer."""

    receipts_here: int
    receipts_there: int
    sum_here_minor: int
    sum_there_minor: int
    differences: tuple[Difference, ...]


def read_host(path: Path, exponent: int) -> HostFile:
    """The host's file. Raises InputError with row and column."""
    if not path.is_file():
        raise InputError(str(path), "there is no such file")
    encoding = encoding_of(path, None)
    delimiter = delimiter_of(path, encoding, lambda cells: len({cell.strip().lower() for cell in cells} & set(COLUMNS)))
    heading: list[str] = []
    rows: list[HostRow] = []
    for number, cells in csv_rows(path, encoding, delimiter):
        if not any(cell.strip() for cell in cells):
            continue
        if not heading:
            heading = [cell.strip().lower() for cell in cells]
            _check_heading(path, number, heading)
            continue
        rows.append(_row(f"{path}:{number}", number, dict(zip(heading, cells, strict=False)), exponent))
        if len(rows) > ROWS_MAX:
            raise InputError(str(path), f"has more than {ROWS_MAX} rows; reconcile one shift")
    by: Literal["sale", "receipt", "total"] = "sale" if "sale" in heading else "receipt" if "receipt" in heading else "total"
    return HostFile(by=by, rows=tuple(rows))


def reconciled(ours: Sequence[DayReceipt], host: HostFile, till: str | None = None) -> Reconciled:
    """Compare. Without goods that came back in the host's file, ours are left out too. Of one till alone: what the file says of
    others is left out. Raises InputError for ids of two tills."""
    if till is not None:
        host = replace(host, rows=tuple(row for row in host.rows if row.till in (None, till)))
    here = [each for each in ours if host.has_returns or each.total_minor >= 0]
    found = _of_totals(here, host) if host.by == "total" else _of_receipts(here, host)
    return Reconciled(
        receipts_here=len(here),
        receipts_there=sum(row.count for row in host.rows),
        sum_here_minor=sum(each.total_minor for each in here),
        sum_there_minor=sum(row.total_minor for row in host.rows),
        differences=tuple(found),
    )


def _of_totals(here: Sequence[DayReceipt], host: HostFile) -> Iterator[Difference]:
    count, total = sum(row.count for row in host.rows), sum(row.total_minor for row in host.rows)
    if count != len(here):
        yield Difference(what="count", receipt="", here_minor=len(here), there_minor=count)
    if total != sum(each.total_minor for each in here):
        yield Difference(what="sum", receipt="", here_minor=sum(each.total_minor for each in here), there_minor=total)


def _of_receipts(here: Sequence[DayReceipt], host: HostFile) -> Iterator[Difference]:
    names_till = any(row.till is not None for row in host.rows)
    known: dict[str, DayReceipt] = {}
    for each in here:
        name = _name(each.till if names_till else None, each.id if host.by == "sale" else each.receipt_no, each.total_minor)
        if name in known:
            raise InputError(name, "is of two tills here: name the till in a column till, or with --till")
        known[name] = each
    seen: Counter[str] = Counter()
    for row in host.rows:
        name = _name(row.till, row.id or "", row.total_minor)
        seen[name] += 1
        ours = known.get(name)
        if seen[name] > 1:
            yield Difference(what="doubled", receipt=name, here_minor=None, there_minor=row.total_minor)
        elif ours is None:
            yield Difference(what="missing here", receipt=name, here_minor=None, there_minor=row.total_minor)
        elif ours.total_minor != row.total_minor:
            yield Difference(what="different", receipt=name, here_minor=ours.total_minor, there_minor=row.total_minor)
    for name, ours in known.items():
        if not seen[name]:
            yield Difference(what="missing there", receipt=name, here_minor=ours.total_minor, there_minor=None)


def _name(till: str | None, id_: str, total_minor: int) -> str:
    """A sale and the void that undid it later bear one id: the void is told apart."""
    return f"{f'{till}/' if till is not None else ''}{id_}{' (back)' if total_minor < 0 else ''}"


def _check_heading(path: Path, number: int, heading: Sequence[str]) -> None:
    doubled = [name for name in COLUMNS if heading.count(name) > 1]
    if "total" not in heading or doubled or ("sale" in heading and "receipt" in heading):
        raise InputError(f"{path}:{number}", 'has a column "total", and beside it "sale" or "receipt", each once')


def _row(place: str, number: int, cells: dict[str, str], exponent: int) -> HostRow:
    id_ = cells.get("sale", cells.get("receipt"))
    if id_ is not None and not id_.strip():
        raise InputError(place, "names no receipt")
    count = (cells.get("count", "").strip() if id_ is None else "") or "1"  # of goods, say, beside a receipt
    if not (count.isascii() and count.isdigit() and len(count) <= DIGITS_MAX):
        raise InputError(f"{place}, count", f'"{count[:20]}" is not a number of receipts')
    till = cells.get("till", "").strip() or None
    total = _money(f"{place}, total", cells.get("total", ""), exponent)
    return HostRow(row=number, till=till, id=None if id_ is None else id_.strip(), total_minor=total, count=int(count))


def _money(place: str, text: str, exponent: int) -> Minor:
    """As registers write it: 1 270,00 or -35.50."""
    plain = "".join(text.split()).replace("\u00a0", "").replace("\u202f", "").replace(",", ".")
    is_back, digits = plain.startswith(("-", "\u2212")), plain.lstrip("-\u2212")
    try:
        amount = money_figure(digits, exponent)
    except ValueError as error:
        raise InputError(place, str(error)) from error
    return Minor(-amount if is_back else amount)
