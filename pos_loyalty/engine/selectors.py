"""Which goods a condition or an effect is about, and the indexes that find them without asking every rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import field

from pos_loyalty.engine.model import Line
from pos_loyalty.values import Value

CATEGORY_SEPARATOR = "/"

Names = str | tuple[str, ...] | None


class Goods(Value):
    """Goods named by any of these: SKU, category with all below it, brand, tag. Nothing named means all goods."""

    sku: Names = None
    category: Names = None
    brand: Names = None
    tag: Names = None


class Selector(Goods):
    """Goods named, less the goods excepted."""

    exclude: Goods | None = field(name="except", default=None)


ALL = Selector()


class Keys(Value):
    """The names of some goods as sets, made once when the programme is loaded."""

    sku: frozenset[str]
    category: frozenset[str]
    brand: frozenset[str]
    tag: frozenset[str]

    def has(self, line: Line) -> bool:
        """Whether the line is among these goods; sets without a name hold nothing."""
        return (
            line.sku in self.sku
            or line.brand in self.brand
            or any(tag in self.tag for tag in line.tags)
            or any(category in self.category for category in categories_of(line.category))
        )


class SelectorIndex(Value):
    """From a name on a line to the numbers of the selectors that hold it. Selectors are numbered from 0."""

    everything: tuple[int, ...]
    by_sku: Mapping[str, tuple[int, ...]]
    by_category: Mapping[str, tuple[int, ...]]
    by_brand: Mapping[str, tuple[int, ...]]
    by_tag: Mapping[str, tuple[int, ...]]
    excepted: Mapping[int, Keys]


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


def names_nothing(goods: Goods) -> bool:
    """Whether no name is given at all."""
    return goods.sku is None and goods.category is None and goods.brand is None and goods.tag is None


def faults_of(selector: Goods) -> Iterator[tuple[str, str]]:
    """(field, sentence) for every name that no line can carry."""
    for kind in ("sku", "category", "brand", "tag"):
        names: Names = getattr(selector, kind)
        if names == ():
            yield kind, "an empty list names nothing; leave it out"
        for name in names_of(names):
            if not name or name != name.strip():
                yield kind, f'"{name[:64]}" is empty or has spaces around it'
            elif kind == "category" and (name[0] == CATEGORY_SEPARATOR or name[-1] == CATEGORY_SEPARATOR):
                yield kind, f'"{name[:64]}" begins or ends with "{CATEGORY_SEPARATOR}"'


def index_of(selectors: Sequence[Selector]) -> SelectorIndex:
    """The indexes of numbered selectors."""
    keys = [keys_of(selector) for selector in selectors]
    return SelectorIndex(
        everything=tuple(i for i, selector in enumerate(selectors) if names_nothing(selector)),
        by_sku=_inverted(k.sku for k in keys),
        by_category=_inverted(k.category for k in keys),
        by_brand=_inverted(k.brand for k in keys),
        by_tag=_inverted(k.tag for k in keys),
        excepted={i: keys_of(s.exclude) for i, s in enumerate(selectors) if s.exclude is not None},
    )


def found_by(index: SelectorIndex, lines: Sequence[Line]) -> dict[int, list[int]]:
    """For each selector that holds at least one line: the places of its lines, ascending. Cost follows the lines."""
    found: dict[int, list[int]] = {}
    excepted = index.excepted
    for place, line in enumerate(lines):
        numbers = set(index.everything)
        numbers.update(index.by_sku.get(line.sku, ()))
        if index.by_category:
            for category in categories_of(line.category):
                numbers.update(index.by_category.get(category, ()))
        numbers.update(index.by_brand.get(line.brand, ()))
        for tag in line.tags:
            numbers.update(index.by_tag.get(tag, ()))
        for number in numbers:
            if number in excepted and excepted[number].has(line):
                continue
            places = found.get(number)
            if places is None:
                found[number] = [place]
            else:
                places.append(place)
    return found


def categories_of(category: str) -> Iterator[str]:
    """A category and every one above it: "drinks/coffee", "drinks"."""
    while category:
        yield category
        category = category.rpartition(CATEGORY_SEPARATOR)[0]


def _inverted(sets: Iterable[frozenset[str]]) -> dict[str, tuple[int, ...]]:
    lists: dict[str, list[int]] = {}
    for number, names in enumerate(sets):
        for name in names:
            lists.setdefault(name, []).append(number)
    return {name: tuple(numbers) for name, numbers in sorted(lists.items())}
