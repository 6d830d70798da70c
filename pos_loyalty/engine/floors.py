"""Under which price nothing may fall: the shop's minimum, the law's, cost and margin; goods that the law restricts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pos_loyalty.engine.gift_cards import GIFT_CARD, face_refusal, sold_by_sku
from pos_loyalty.engine.model import Line
from pos_loyalty.engine.money import share_up, with_margin
from pos_loyalty.engine.rules import FloorsTable, GiftCard, LegalMinimum, Restricted
from pos_loyalty.engine.selectors import CATEGORY_SEPARATOR, Selector, Sieve, keys_of, names_of, sieve_of
from pos_loyalty.values import Value

SHOP, MARGIN, LEGAL, ALCOHOL, TOBACCO = "shop", "margin", "legal", "alcohol", "tobacco"
NO_VOLUME, NO_STRENGTH = "no_volume", "no_strength"
"""Where the host does not tell what a legal minimum goes by: then no less than the price is surely lawful."""
LAWFUL = (LEGAL, NO_VOLUME, NO_STRENGTH, GIFT_CARD)
"""Floors that nothing the host took off may pass."""


class Named(Value):
    """All that restrictions and legal minimums name. A line without any of it is none of their goods."""

    sku: frozenset[str]
    roots: tuple[str, ...]
    """The first parts of the categories."""
    brand: frozenset[str]
    tag: frozenset[str]


class ReadyRestricted(Value):
    """A restriction made ready."""

    name: str
    is_hidden: bool
    goods: Sieve
    stores: frozenset[str]


class ReadyMinimum(Value):
    """A legal minimum made ready."""

    minimum: LegalMinimum
    goods: Sieve


class ReadyFloors(Value):
    """The table [floors] made ready; restrictions that treat goods as ordinary are left out."""

    margin_bp: int | None
    restricted: tuple[ReadyRestricted, ...]
    minimum: tuple[ReadyMinimum, ...]
    gift_cards: Mapping[str, GiftCard]
    """By the SKU that sells them: they cost their face, and no rule sees them."""
    named: Named | None
    """None when every line is to be looked at, because there is a margin."""


class Floor(Value, gc=False):
    """The floor of one line: per unit or kilogram, its name, whether rules may see the line, why the line may not be sold."""

    each_minor: int
    name: str
    is_hidden: bool = False
    refusal: str = ""


NO_FLOOR = Floor(each_minor=0, name=SHOP)


def floors_of(table: FloorsTable, gift_cards: Iterable[GiftCard] = ()) -> ReadyFloors:
    """Make the table ready."""
    sold = sold_by_sku(gift_cards)
    pairs = [(name, each) for name, each in ((ALCOHOL, table.alcohol), (TOBACCO, table.tobacco)) if each.treat != "ordinary"]
    goods = [each.on for _, each in pairs] + [each.on for each in table.minimum]
    return ReadyFloors(
        margin_bp=table.margin,
        restricted=tuple(_restricted(name, each) for name, each in pairs),
        minimum=tuple(ReadyMinimum(minimum=each, goods=sieve_of(each.on, {})) for each in table.minimum),
        gift_cards=sold,
        named=_named(goods, sold) if table.margin is None else None,
    )


def _restricted(name: str, table: Restricted) -> ReadyRestricted:
    return ReadyRestricted(
        name=name,
        is_hidden=table.treat == "restricted",
        goods=sieve_of(table.on, {}),
        stores=frozenset(names_of(table.only_in)),
    )


def _named(goods: Sequence[Selector], skus: Iterable[str]) -> Named:
    keys = [keys_of(on) for on in goods]
    return Named(
        sku=frozenset(skus).union(*[each.sku for each in keys]),
        roots=tuple(sorted({category.partition(CATEGORY_SEPARATOR)[0] for each in keys for category in each.category})),
        brand=frozenset().union(*[each.brand for each in keys]),
        tag=frozenset().union(*[each.tag for each in keys]),
    )


def floors_by_line(lines: Sequence[Line], floors: ReadyFloors, store: str, day: date) -> list[Floor]:
    """The floor of each line. Most are goods that nothing names and have none."""
    named = floors.named
    if named is None:
        return [floor_of(line, floors, store, day) for line in lines]
    sku, roots, brand, tag = named.sku, named.roots, named.brand, named.tag
    return [
        floor_of(line, floors, store, day)
        if (
            line.floor_minor
            or line.max_price_minor is not None
            or line.category.startswith(roots)
            or line.brand in brand
            or line.sku in sku
            or not tag.isdisjoint(line.tags)
        )
        else NO_FLOOR
        for line in lines
    ]


def floor_of(line: Line, floors: ReadyFloors, store: str, day: date) -> Floor:
    """The highest floor of a line. Where two are equal the law's name is told, then the shop's."""
    gift_card = floors.gift_cards.get(line.sku)
    if gift_card is not None:
        return Floor(each_minor=line.price_minor, name=GIFT_CARD, is_hidden=True, refusal=face_refusal(line, gift_card))
    restricted = _restriction_of(line, floors.restricted, store)
    legal = max((_legal(line, each.minimum) for each in _minimums(line, floors.minimum, day)), key=_each, default=NO_FLOOR)
    refusal = _refusal(line, legal.each_minor)
    if restricted is not None:
        return Floor(each_minor=line.price_minor, name=restricted.name, is_hidden=restricted.is_hidden, refusal=refusal)
    margin = 0
    if floors.margin_bp is not None and line.cost_minor is not None:
        margin = with_margin(line.cost_minor, floors.margin_bp)
    each = max(legal.each_minor, line.floor_minor, margin)
    name = legal.name if each and legal.each_minor == each else SHOP if line.floor_minor == each else MARGIN
    return Floor(each_minor=each, name=name, refusal=refusal)


def _restriction_of(line: Line, restricted: Sequence[ReadyRestricted], store: str) -> ReadyRestricted | None:
    for each in restricted:
        if (not each.stores or store in each.stores) and each.goods.has(line):
            return each
    return None


def _minimums(line: Line, minimums: Sequence[ReadyMinimum], day: date) -> list[ReadyMinimum]:
    found = []
    for each in minimums:
        since, until = each.minimum.since, each.minimum.until
        if (since is None or since <= day) and (until is None or day <= until) and each.goods.has(line):
            found.append(each)
    return found


def _each(floor: Floor) -> int:
    return floor.each_minor


def _legal(line: Line, minimum: LegalMinimum) -> Floor:
    """The least price of a unit; what is not known about the goods never lowers it: then the price itself."""
    low, high = minimum.strength_from, minimum.strength_to
    if low is not None or high is not None:
        if line.strength_bp is None:
            return Floor(each_minor=line.price_minor, name=NO_STRENGTH)
        if not (low or 0) <= line.strength_bp <= (high if high is not None else line.strength_bp):
            return NO_FLOOR
    if minimum.volume is None:
        return Floor(each_minor=minimum.price, name=LEGAL)
    if line.volume_ml is None:
        return Floor(each_minor=line.price_minor, name=NO_VOLUME)
    return Floor(each_minor=share_up(minimum.price, line.volume_ml, minimum.volume), name=LEGAL)


def _refusal(line: Line, legal: int) -> str:
    if line.price_minor < legal:
        return "legal_minimum"
    if line.max_price_minor is not None and line.price_minor > line.max_price_minor:
        return "maximum_price"
    return ""
