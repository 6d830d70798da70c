"""Which goods a condition or an effect is about, and the indexes that find them without asking every rule."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.figures import MoneyFigure
from pos_loyalty.engine.model import MINOR_MAX, Line, Purchase
from pos_loyalty.values import Value

CATEGORY_SEPARATOR = "/"

PLAIN_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*(?!\n)$"
"""Text without control signs: it stands on one line of a receipt, and a name is what it looks like."""
CONTROL = "holds a control sign, such as a line break or a tab; write it in one line"
_PLAIN = re.compile(PLAIN_PATTERN)
Plain = Annotated[str, Meta(pattern=PLAIN_PATTERN)]
Names = str | tuple[str, ...] | None
"""Their signs are looked at by the checks: msgspec 0.22 frees a pattern beside a tuple twice."""


class Goods(Value):
    """Goods named by any of these: SKU, category with all below it, brand, tag. Nothing named means all goods."""

    sku: Names = None
    category: Names = None
    brand: Names = None
    tag: Names = None


class Selector(Goods):
    """Goods named, less the goods excepted and the kinds ``not_restricted``; their regular price lies in [price_from, price_to].

    ``not_discounted``: only units that nothing has reduced yet; ``discounted``: only units that something has.
    """

    exclude: Goods | None = field(name="except", default=None)
    price_from: MoneyFigure | None = None
    price_to: MoneyFigure | None = None
    not_discounted: bool = False
    discounted: bool = False
    not_restricted: Names = None


ALL = Selector()


class Keys(Value):
    """The names of some goods as sets, made once when the programme is loaded."""

    sku: frozenset[str]
    category: frozenset[str]
    brand: frozenset[str]
    tag: frozenset[str]

    def has(self, line: Line | Purchase) -> bool:
        """Whether the line is among these goods; sets without a name hold nothing."""
        if line.sku in self.sku or line.brand in self.brand or (line.tags and not self.tag.isdisjoint(line.tags)):
            return True
        category = line.category if self.category else ""
        while category and category not in self.category:
            category = category.rpartition(CATEGORY_SEPARATOR)[0]
        return bool(category)


class Sieve(Value):
    """One selector as a question about one line. ``names`` None: all goods. The price is that of a unit, or of a kilogram."""

    names: Keys | None = None
    excepted: Keys | None = None
    restricted: tuple[Sieve, ...] = ()
    price_from: int = 0
    price_to: int = MINOR_MAX

    def has(self, line: Line) -> bool:
        """Whether the selector holds the line."""
        return (self.names is None or self.names.has(line)) and self.lets(line)

    def lets(self, line: Line) -> bool:
        """Whether a line that is named stays in: price, exceptions and restrictions do not keep it out."""
        return (
            self.price_from <= line.price_minor <= self.price_to
            and (self.excepted is None or not self.excepted.has(line))
            and not (self.restricted and any(kind.has(line) for kind in self.restricted))
        )

    def had(self, bought: Purchase) -> bool:
        """Whether the selector holds goods of an earlier sale. Their regular price is not known, so prices are not looked at."""
        return (
            (self.names is None or self.names.has(bought))
            and (self.excepted is None or not self.excepted.has(bought))
            and not (self.restricted and any(kind.had(bought) for kind in self.restricted))
        )


class SelectorIndex(Value):
    """From a name on a line to the numbers of the selectors that hold it. Selectors are numbered from 0.

    A category leads to the selectors that name it or one above it; a line looks up its own, else the nearest one above it.
    """

    everything: tuple[int, ...]
    by_sku: Mapping[str, tuple[int, ...]]
    by_category: Mapping[str, tuple[int, ...]]
    by_brand: Mapping[str, tuple[int, ...]]
    by_tag: Mapping[str, tuple[int, ...]]
    sieves: Mapping[int, Sieve]
    """What may keep a named line out, for the selectors that have such a thing."""
    wide: tuple[tuple[Sieve, tuple[int, ...]], ...]
    """Selectors of all goods but some, those with equal sieves together."""
    dynamic: Mapping[int, Literal["discounted", "not_discounted"]]
    """Selectors of some units of their lines only, by what earlier stages did to them. ``found_by`` gives the whole lines."""


def names_of(names: Names) -> tuple[str, ...]:
    """One name, many or none, always as a tuple."""
    return (names,) if isinstance(names, str) else names or ()


def keys_of(goods: Goods) -> Keys:
    """The names of goods as sets."""
    return Keys(
        sku=frozenset(names_of(goods.sku)),
        category=frozenset(names_of(goods.category)),
        brand=frozenset(names_of(goods.brand)),
        tag=frozenset(names_of(goods.tag)),
    )


def has_control(name: str) -> bool:
    """Whether a name holds a sign that nobody sees, such as a line break."""
    return _PLAIN.search(name) is None


def names_nothing(goods: Goods) -> bool:
    """Whether no name is given at all."""
    return goods.sku is None and goods.category is None and goods.brand is None and goods.tag is None


def takes_out_all(selector: Selector) -> bool:
    """Whether every name is excepted too, a category also by one above it: then no goods are left."""
    out = selector.exclude
    if out is None or names_nothing(selector):
        return False
    roots = set(names_of(out.category))
    return (
        set(names_of(selector.sku)) <= set(names_of(out.sku))
        and set(names_of(selector.brand)) <= set(names_of(out.brand))
        and set(names_of(selector.tag)) <= set(names_of(out.tag))
        and all(not roots.isdisjoint(categories_of(name)) for name in names_of(selector.category))
    )


def faults_of(selector: Goods) -> Iterator[tuple[str, str]]:
    """(field, sentence) for every name that no line can carry."""
    for kind in ("sku", "category", "brand", "tag"):
        names: Names = getattr(selector, kind)
        if names == ():
            yield kind, "an empty list names nothing; leave it out"
        for name in names_of(names):
            if not name or name != name.strip():
                yield kind, f'"{name[:64]}" is empty or has spaces around it'
            elif has_control(name):
                yield kind, CONTROL
            elif kind == "category" and (name[0] == CATEGORY_SEPARATOR or name[-1] == CATEGORY_SEPARATOR):
                yield kind, f'"{name[:64]}" begins or ends with "{CATEGORY_SEPARATOR}"'


def sieve_of(selector: Selector, restricted: Mapping[str, Selector], always: Iterable[str] = ()) -> Sieve:
    """A selector made ready. ``restricted``: the goods of each kind; ``always``: kinds kept out without being named."""
    kinds = sorted({*names_of(selector.not_restricted), *always})
    return Sieve(
        names=None if names_nothing(selector) else keys_of(selector),
        excepted=keys_of(selector.exclude) if selector.exclude is not None else None,
        restricted=tuple(sieve_of(restricted[kind], {}) for kind in kinds),
        price_from=selector.price_from or 0,
        price_to=selector.price_to if selector.price_to is not None else MINOR_MAX,
    )


def index_of(selectors: Sequence[Selector], restricted: Mapping[str, Selector] | None = None) -> SelectorIndex:
    """The indexes of numbered selectors. ``restricted``: the goods of each kind that ``not_restricted`` may name."""
    keys = [keys_of(selector) for selector in selectors]
    sieves: dict[int, Sieve] = {}
    wide: dict[tuple[object, ...], list[int]] = {}
    for number, selector in enumerate(selectors):
        if not _is_sieved(selector):
            continue
        if names_nothing(selector):
            wide.setdefault(_sieve_key(selector), []).append(number)
        else:
            sieves[number] = sieve_of(selector, restricted or {})
    return SelectorIndex(
        everything=tuple(i for i, selector in enumerate(selectors) if names_nothing(selector) and not _is_sieved(selector)),
        by_sku=_inverted(k.sku for k in keys),
        by_category=_with_those_above(_inverted(k.category for k in keys)),
        by_brand=_inverted(k.brand for k in keys),
        by_tag=_inverted(k.tag for k in keys),
        sieves=sieves,
        wide=tuple((sieve_of(selectors[group[0]], restricted or {}), tuple(group)) for group in wide.values()),
        dynamic={
            number: "discounted" if selector.discounted else "not_discounted"
            for number, selector in enumerate(selectors)
            if selector.discounted or selector.not_discounted
        },
    )


def found_by(index: SelectorIndex, lines: Sequence[Line], hidden: Collection[int] = ()) -> dict[int, list[int]]:
    """For each selector that holds at least one line: the places of its lines, ascending. Cost follows the lines.

    Lines at the places ``hidden`` are held by none. Selectors of the same lines may share one list: do not change it.
    """
    found: dict[int, list[int]] = {}
    by_sku, by_category, by_brand, by_tag = index.by_sku, index.by_category, index.by_brand, index.by_tag
    sieves = index.sieves
    seen = [place for place in range(len(lines)) if place not in hidden] if hidden else list(range(len(lines)))
    for place in seen:
        line = lines[place]
        numbers = by_sku.get(line.sku, ()) if by_sku else ()
        category = line.category if by_category else ""
        while category:
            if category in by_category:
                numbers += by_category[category]
                break
            category = category.rpartition(CATEGORY_SEPARATOR)[0]
        if line.brand in by_brand:
            numbers += by_brand[line.brand]
        for tag in line.tags if by_tag else ():
            numbers += by_tag.get(tag, ())
        for number in numbers:
            if sieves and number in sieves and not sieves[number].lets(line):
                continue
            places = found.get(number)
            if places is None:
                found[number] = [place]
            elif places[-1] != place:
                places.append(place)
    if seen:
        found.update(dict.fromkeys(index.everything, seen))
    if index.wide:
        _add_wide(found, index, lines, seen)
    return found


def _add_wide(found: dict[int, list[int]], index: SelectorIndex, lines: Sequence[Line], seen: Sequence[int]) -> None:
    for sieve, numbers in index.wide:
        low, high = sieve.price_from, sieve.price_to
        kept = [place for place in seen if low <= lines[place].price_minor <= high]
        if kept and (sieve.excepted is not None or sieve.restricted):
            kept = [place for place in kept if sieve.lets(lines[place])]
        if kept:
            found.update(dict.fromkeys(numbers, kept))


def categories_of(category: str) -> Iterator[str]:
    """A category and every one above it: "drinks/coffee", "drinks"."""
    while category:
        yield category
        category = category.rpartition(CATEGORY_SEPARATOR)[0]


def _is_sieved(selector: Selector) -> bool:
    return (
        selector.exclude is not None
        or selector.price_from is not None
        or selector.price_to is not None
        or bool(names_of(selector.not_restricted))
    )


def _sieve_key(selector: Selector) -> tuple[object, ...]:
    return (selector.exclude, selector.price_from, selector.price_to, names_of(selector.not_restricted))


def _inverted(sets: Iterable[frozenset[str]]) -> dict[str, tuple[int, ...]]:
    lists: dict[str, list[int]] = {}
    for number, names in enumerate(sets):
        for name in names:
            lists.setdefault(name, []).append(number)
    return {name: tuple(numbers) for name, numbers in sorted(lists.items())}


def _with_those_above(named: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Each category with the selectors of itself and of all above it."""
    return {
        category: tuple(sorted({number for above in categories_of(category) for number in named.get(above, ())}))
        for category in named
    }
