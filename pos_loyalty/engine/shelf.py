"""Stage 1: price tags. Imported lists of SKU, store and dates; the lowest tag holds, and a tag never raises a price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pos_loyalty.engine.figures import money_figure
from pos_loyalty.engine.model import Line
from pos_loyalty.engine.rules import PriceList
from pos_loyalty.values import Value

HEADER = ("sku", "store", "since", "until", "price", "member_price")
ROWS_MAX = 200_000


class Tag(Value, gc=False):
    """One row: what a unit costs everybody, and members, in a store (empty: in all) and between two days."""

    sku: str
    store: str
    since: date | None
    until: date | None
    price_minor: int | None
    member_minor: int | None
    list_id: str = ""


class TagPrice(Value, gc=False):
    """The tag that holds for a line: what a unit costs, and the list that says so."""

    each_minor: int
    list_id: str


def parse_rows(text: str, exponent: int) -> list[Tag]:
    """Read the CSV of a price list. Raises ValueError with the row and the mend."""
    rows = [row.strip() for row in text.strip().splitlines()]
    if not rows or tuple(name.strip() for name in rows[0].split(",")) != HEADER:
        raise ValueError(f'row 1: the heading is "{",".join(HEADER)}"')
    if len(rows) > ROWS_MAX + 1:
        raise ValueError(f"row {ROWS_MAX + 2}: a list holds at most {ROWS_MAX} rows; split it")
    tags = []
    first: dict[tuple[object, ...], int] = {}
    for number, row in enumerate(rows[1:], start=2):
        if row:
            try:
                tag = _tag(row, exponent)
            except ValueError as error:
                raise ValueError(f"row {number}: {error}") from error
            before = first.setdefault((tag.sku, tag.store, tag.since, tag.until), number)
            if before != number:
                raise ValueError(f"row {number}: the same goods, store and dates stand in row {before}")
            tags.append(tag)
    return tags


def _tag(row: str, exponent: int) -> Tag:
    cells = [_unquoted(cell.strip()) for cell in row.split(",")]
    if len(cells) != len(HEADER):
        raise ValueError(f"has {len(cells)} cells, not {len(HEADER)}")
    sku, store, since, until, price, member = cells
    if not sku:
        raise ValueError("names no SKU")
    if not price and not member:
        raise ValueError("gives neither a price nor a member price")
    first, last = _day(since), _day(until)
    if first is not None and last is not None and last < first:
        raise ValueError(f"{last.isoformat()} is before {first.isoformat()}")
    price_minor = _price(price, exponent)
    member_minor = _price(member, exponent)
    if price_minor is not None and member_minor is not None and member_minor > price_minor:
        raise ValueError("the member price is more than the price")
    return Tag(sku=sku, store=store, since=first, until=last, price_minor=price_minor, member_minor=member_minor)


def _price(cell: str, exponent: int) -> int | None:
    if not cell:
        return None
    price = money_figure(cell, exponent)
    if not price:
        raise ValueError("a price of nothing gives goods away; leave the cell empty")
    return int(price)


def _unquoted(cell: str) -> str:
    """A cell as spreadsheets write it: quotation marks around it are not part of it."""
    bare = cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell
    if '"' in bare:
        raise ValueError(f"{cell[:20]} holds a quotation mark; a comma inside a cell is not read either")
    return bare


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError as error:
        raise ValueError(f'"{cell[:20]}" is not a date: write it such as 2026-12-31') from error


def tags_of(lists: Sequence[PriceList], exponent: int) -> dict[str, tuple[Tag, ...]]:
    """All tags by SKU. The lists were looked through for faults before."""
    tags: dict[str, list[Tag]] = {}
    for each in sorted(lists, key=lambda price_list: price_list.id):
        for tag in parse_rows(each.rows, exponent):
            made = Tag(
                sku=tag.sku,
                store=tag.store,
                since=tag.since,
                until=tag.until,
                price_minor=tag.price_minor,
                member_minor=tag.member_minor,
                list_id=each.id,
            )
            tags.setdefault(tag.sku, []).append(made)
    return {sku: tuple(found) for sku, found in tags.items()}


class Place(Value, gc=False):
    """Where and when a basket is sold, and whether a card was shown."""

    store: str
    day: date
    has_member: bool


def tag_price(line: Line, tags: Mapping[str, tuple[Tag, ...]], place: Place) -> TagPrice | None:
    """The lowest tag under the line's own price; of equal ones the first list's. None when there is none."""
    best: TagPrice | None = None
    for tag in tags.get(line.sku, ()):
        if tag.store not in ("", place.store):
            continue
        if (tag.since is not None and place.day < tag.since) or (tag.until is not None and tag.until < place.day):
            continue
        prices = [tag.price_minor, tag.member_minor if place.has_member else None]
        for each in prices:
            if each is not None and each < (line.price_minor if best is None else best.each_minor):
                best = TagPrice(each_minor=each, list_id=tag.list_id)
    return best
