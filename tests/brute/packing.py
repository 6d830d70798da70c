"""Every way in which the rules of one pool can act on a few units, by trying all of them.

A unit is claimed once. What counts as best is the exact value before any rounding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Literal, NamedTuple

from tests.brute.figures import Row, Table, UnsureError, fits, half_up, money, share, shares_of

UNITS_MAX = 9
WAYS_MAX = 400
Doubt = Literal["", "kopecks", "cut"]
"""Nothing is open; who of several bore the odd kopeck; who bore what a limit cut off."""
GROUP_WORDS = ("n_for_m", "bundle", "gift")


@dataclass(frozen=True, order=True)
class Unit:
    """One piece or one weighed thing, as the stages before left it."""

    row: int
    price: Fraction
    floor: Fraction

    @property
    def room(self) -> Fraction:
        """How far the price may fall."""
        return max(Fraction(0), self.price - self.floor)


@dataclass(frozen=True)
class Go:
    """An offer that acts once: units claimed, and what comes off each of them."""

    offer: int
    claimed: tuple[int, ...]
    off: tuple[tuple[int, Fraction], ...]
    value: Fraction


class Left(NamedTuple):
    """What a claim may still do; None without a limit. ``quota``: how many of a kind may still be picked, where not all may."""

    times: int | None
    purse: Fraction | None
    quota: tuple[tuple[Unit, int], ...]


@dataclass(frozen=True)
class Claim:
    """A rule's effect in this pool, with what limits it."""

    rule: str
    effect: Table
    goes: tuple[Go, ...]
    left: Left
    wish: Fraction = Fraction(0)
    """What an effect on single units would take off all its goods, were there neither floors nor limits."""

    @property
    def money(self) -> Fraction | None:
        """The most it may give."""
        return self.left.purse


def claims_of(rules: Sequence[Table], units: Sequence[Unit], rows: Sequence[Row], limits: Mapping[str, Table]) -> list[Claim]:
    """All goes of all rules. ``limits``: rule → times left, money left."""
    claims = []
    for number, rule in enumerate(rules):
        money_effects = [each for each in rule["then"] if each["do"] in ("percent", "amount_each", "fixed_price", *GROUP_WORDS)]
        if len(money_effects) != 1:
            raise UnsureError("two effects")
        effect, limit = money_effects[0], limits[rule["id"]]
        on = [i for i, unit in enumerate(units) if fits(effect.get("on", {}), rows[unit.row])]
        most = [Fraction(money(effect["max_amount"]))] if "max_amount" in effect else []
        most += [Fraction(limit["money"])] if limit.get("money") is not None else []
        times = [effect["max_times"]] if "max_times" in effect else []
        times += [limit["times"]] if limit.get("times") is not None and effect["do"] in GROUP_WORDS else []
        picked = _picked(effect, on, units, rows)
        kinds = Counter(units[i] for i in picked)
        quota = tuple((kind, count) for kind, count in sorted(kinds.items()) if count < units.count(kind))
        alike = [i for i in on if units[i] in kinds]  # of like units any may be the picked one
        goes = tuple(go for go in _goes(number, effect, alike, units, rows) if go.value > 0)
        left = Left(min(times) if times else None, min(most) if most else None, quota)
        bare = [Unit(units[i].row, units[i].price, Fraction(0)) for i in on]
        wish = sum((_unit_off(effect, each) for each in bare), Fraction(0)) if effect["do"] not in GROUP_WORDS else Fraction(0)
        claims.append(Claim(rule=rule["id"], effect=effect, goes=goes, left=left, wish=wish))
    picked_from = [kind for claim in claims for kind, _ in claim.left.quota]
    if len(picked_from) != len(set(picked_from)):
        raise UnsureError("two picks among like units")
    return claims


def _goes(number: int, effect: Table, on: Sequence[int], units: Sequence[Unit], rows: Sequence[Row]) -> Iterator[Go]:
    match effect["do"]:
        case "percent" | "amount_each" | "fixed_price":
            for i in on:
                off = _unit_off(effect, units[i])
                yield Go(number, (i,), ((i, off),), off)
        case "n_for_m":
            yield from _n_for_m(number, effect, on, units)
        case "bundle":
            yield from _bundle(number, effect, units, rows)
        case "gift":
            yield from _gift(number, effect, on, units, rows)


def _unit_off(effect: Table, unit: Unit) -> Fraction:
    if effect["do"] == "percent":
        off = share(effect["percent"]) * unit.price
    elif effect["do"] == "amount_each":
        off = Fraction(money(effect["amount"]))
    else:
        off = max(Fraction(0), unit.price - money(effect["price"]))
    return min(off, unit.room)


def _picked(effect: Table, on: Sequence[int], units: Sequence[Unit], rows: Sequence[Row]) -> Sequence[int]:
    """The units that an effect may reduce at all: the cheapest or dearest so many, or those that may be gifts."""
    which, sign = effect.get("which", "cheapest"), 1
    if effect["do"] == "gift":
        return _gift_pool(effect, on, units, rows)
    if "max_units" not in effect and "max_units_per_line" not in effect:
        return on
    if which == "scanned":
        raise UnsureError("scanned")
    sign = -1 if which == "dearest" else 1
    if "max_units_per_line" in effect:
        by_row: dict[int, list[int]] = {}
        for i in on:
            by_row.setdefault(units[i].row, []).append(i)
        on = [i for mine in by_row.values() for i in _first(mine, effect["max_units_per_line"], units, sign)]
    return _first(on, effect.get("max_units", len(on)), units, sign)


def _first(places: Sequence[int], count: int, units: Sequence[Unit], sign: int) -> list[int]:
    """The cheapest (dearest) units; nobody says which of two kinds with one price comes first."""
    ordered = sorted(places, key=lambda i: (sign * units[i].price, units[i]))
    if 0 < count < len(ordered):
        last = units[ordered[count - 1]].price
        like = {units[i] for i in ordered if units[i].price == last}
        if len(like) > 1 and units[ordered[count]].price == last:
            raise UnsureError("two kinds at one price")
    return ordered[:count]


def _n_for_m(number: int, effect: Table, on: Sequence[int], units: Sequence[Unit]) -> Iterator[Go]:
    if effect.get("pool") == "basket":
        raise UnsureError("pool")
    n, k, rate = effect["n"], effect.get("k", 1), share(effect.get("percent", "100%"))
    sign = -1 if effect.get("which") == "dearest" else 1
    for size in range(n - k + 1 if effect.get("partial_group", True) else n, n + 1):
        for group in combinations(on, size):
            ordered = sorted(group, key=lambda i: (sign * units[i].price, units[i].room))
            free, paid = ordered[: size - (n - k)], ordered[size - (n - k) :]
            bearing = {(units[i].price, units[i].room) for i in free}
            if any(_other_rooms(units[i], bearing) for i in paid):
                raise UnsureError("who of equal price is free")
            off = tuple((i, min(rate * units[i].price, units[i].room)) for i in free)
            yield Go(number, group, off, sum((each for _, each in off), Fraction(0)))


def _other_rooms(unit: Unit, bearing: set[tuple[Fraction, Fraction]]) -> set[Fraction]:
    return {room for price, room in bearing if price == unit.price and room != unit.room}


def _fills(group: Sequence[int], slots: Sequence[tuple[set[int], int]]) -> bool:
    """Whether the group can be dealt out so that every slot gets just its count."""
    if not slots:
        return not group
    goods, count = slots[0]
    return any(
        _fills([i for i in group if i not in chosen], slots[1:])
        for chosen in combinations([i for i in group if i in goods], count)
    )


def _slots(wanted: Sequence[Table], units: Sequence[Unit], rows: Sequence[Row]) -> list[tuple[set[int], int]]:
    return [
        ({i for i, unit in enumerate(units) if fits(each.get("on", {}), rows[unit.row])}, each.get("count", 1)) for each in wanted
    ]


def _bundle(number: int, effect: Table, units: Sequence[Unit], rows: Sequence[Row]) -> Iterator[Go]:
    slots = _slots(effect["slots"], units, rows)
    size = sum(count for _, count in slots)
    places = sorted(set().union(*(goods for goods, _ in slots)))
    for group in combinations(places, size):
        if not _fills(group, slots):
            continue
        cost, room = sum((units[i].price for i in group), Fraction(0)), sum((units[i].room for i in group), Fraction(0))
        if "percent" in effect:
            rate = share(effect["percent"])
            off = tuple((i, min(rate * units[i].price, units[i].room)) for i in group)
            yield Go(number, group, off, sum((each for _, each in off), Fraction(0)))
        else:
            wish = money(effect["amount"]) if "amount" in effect else max(Fraction(0), cost - money(effect["fixed"]))
            yield Go(number, group, (), min(Fraction(wish), room))


def _gift_pool(effect: Table, on: Sequence[int], units: Sequence[Unit], rows: Sequence[Row]) -> Sequence[int]:
    slots = _slots(effect["buy"], units, rows)
    if len(slots) != 1 or slots[0][0] & set(on) or effect.get("qty", 1) != 1 or effect.get("choice") == "cashier":
        raise UnsureError("gift")
    times = min(len(slots[0][0]) // slots[0][1], effect.get("max_times", UNITS_MAX))
    return _first(on, times, units, -1 if effect.get("choice") == "dearest" else 1)


def _gift(number: int, effect: Table, on: Sequence[int], units: Sequence[Unit], rows: Sequence[Row]) -> Iterator[Go]:
    ((goods, count),) = _slots(effect["buy"], units, rows)
    rate = share(effect.get("percent", "100%"))
    for bought in combinations(sorted(goods), count):
        for gift in on:
            off = min(rate * units[gift].price, units[gift].room)
            yield Go(number, tuple(sorted((*bought, gift))), ((gift, off),), off)


Lefts = tuple[Left, ...]


def best_ways(claims: Sequence[Claim], units: Sequence[Unit]) -> tuple[Fraction, list[tuple[Go, ...]]]:
    """The best value, and every way to reach it (one of each that differ only in which of like units they take)."""
    if len(units) > UNITS_MAX:
        raise UnsureError("too many units")
    goes_at: list[list[Go]] = [[] for _ in units]
    for claim in claims:
        for go in claim.goes:
            goes_at[min(go.claimed)].append(go)
    known: dict[object, Fraction] = {}

    def steps(free: frozenset[int], lefts: Lefts) -> Iterator[tuple[Go | None, Fraction, frozenset[int], Lefts]]:
        first = min(free)
        yield None, Fraction(0), free - {first}, lefts
        for go in goes_at[first]:
            if free.issuperset(go.claimed) and (done := _taken(go, lefts[go.offer], claims[go.offer], units)):
                gain, left = done
                yield go, gain, free.difference(go.claimed), (*lefts[: go.offer], left, *lefts[go.offer + 1 :])

    def best(free: frozenset[int], lefts: Lefts) -> Fraction:
        if not free:
            return Fraction(0)
        if (free, lefts) not in known:
            known[free, lefts] = max(gain + best(rest, after) for _, gain, rest, after in steps(free, lefts))
        return known[free, lefts]

    ways: dict[object, tuple[Go, ...]] = {}
    seen: set[object] = set()

    def walk(free: frozenset[int], lefts: Lefts, taken: tuple[Go, ...]) -> None:
        key = _kinds_of(taken, units)
        if (free, key) in seen:
            return
        seen.add((free, key))
        if not free:
            ways.setdefault(key, taken)
            if len(ways) > WAYS_MAX or len(seen) > 50 * WAYS_MAX:
                raise UnsureError("too many ties")
            return
        aim = best(free, lefts)
        for go, gain, rest, after in steps(free, lefts):
            if gain + best(rest, after) == aim:
                walk(rest, after, taken if go is None else (*taken, go))

    whole, start = frozenset(range(len(units))), tuple(claim.left for claim in claims)
    walk(whole, start, ())
    return best(whole, start), list(ways.values())


def _taken(go: Go, left: Left, claim: Claim, units: Sequence[Unit]) -> tuple[Fraction, Left] | None:
    """What one more go gives, and what its claim may do after it; None when it may not."""
    if left.times == 0:
        return None
    quota = dict(left.quota)
    for i, _ in go.off:
        if units[i] in quota:
            quota[units[i]] -= 1
    gain = go.value if left.purse is None else min(go.value, left.purse)
    if any(count < 0 for count in quota.values()) or gain <= 0 or (claim.effect.get("whole") and gain < go.value):
        return None
    times = None if left.times is None else left.times - 1
    return gain, Left(times, None if left.purse is None else left.purse - gain, tuple(quota.items()))


def _kinds_of(taken: Sequence[Go], units: Sequence[Unit]) -> object:
    return tuple(
        sorted(
            (go.offer, tuple(sorted(units[i] for i in go.claimed)), tuple(sorted((units[i], off) for i, off in go.off)), go.value)
            for go in taken
        )
    )


def lays_sums(claim: Claim, units: Sequence[Unit]) -> bool:
    """Whether a claim's money is a sum on whole kopecks, not a share of each unit."""
    word = claim.effect["do"]
    if not claim.goes:
        return False
    if word in GROUP_WORDS and not (word == "n_for_m" and claim.effect.get("spread") == "unit"):
        return True
    if claim.money is None or word in GROUP_WORDS:
        return claim.money is not None
    if {"max_units", "max_units_per_line"} & set(claim.effect):
        return True
    if claim.wish <= claim.money < claim.wish + len(units):
        raise UnsureError("a limit that is nearly reached")
    return claim.wish > claim.money


def laid_on_units(way: Sequence[Go], claims: Sequence[Claim], units: Sequence[Unit]) -> tuple[list[Unit], Doubt]:
    """The units as this way leaves them, and what the documents leave open about it."""
    price = [unit.price for unit in units]
    doubt: Doubt = ""
    for number, claim in enumerate(claims):
        goes = [go for go in way if go.offer == number]
        worth = sum((go.value for go in goes), Fraction(0))
        total = min(worth, claim.money) if claim.money is not None else worth
        doubt = "cut" if total < worth else doubt
        is_unit = claim.effect["do"] == "n_for_m" and claim.effect.get("spread") == "unit"
        if claim.effect["do"] in GROUP_WORDS and not is_unit:
            is_even = _lay_groups(goes, half_up(total), claim, units, price)
            doubt = doubt or ("" if is_even else "kopecks")
            continue
        for go in goes:
            for i, off in go.off:
                price[i] -= min(off, total)
                total -= min(off, total)
    return [Unit(unit.row, now, unit.floor) for unit, now in zip(units, price, strict=True)], doubt


def _lay_groups(goes: Sequence[Go], total: int, claim: Claim, units: Sequence[Unit], price: list[Fraction]) -> bool:
    """Lay the total on the goes, then on their units by price; whether no kopeck had to be given to one of several rows."""
    values = [go.value for go in goes]
    rooms = [sum((units[i].room for i in go.claimed), Fraction(0)) for go in goes]
    parts = shares_of(total, values, [int(room) for room in rooms])
    is_even = _is_even(total, values, parts)
    rows: set[int] = set()
    for go, part in zip(goes, parts, strict=True):
        bearing = [i for i, _ in go.off] if claim.effect["do"] == "gift" else go.claimed
        rows |= {units[i].row for i in bearing}
        weights = [units[i].price for i in bearing]
        each = shares_of(part, weights, [int(units[i].room) for i in bearing])
        is_even &= _is_even(part, weights, each)
        for i, off in zip(bearing, each, strict=True):
            price[i] -= off
    return is_even or len(rows) == 1


def _is_even(total: int, weights: Sequence[Fraction], parts: Sequence[int]) -> bool:
    whole = sum(weights, Fraction(0))
    return all(part * whole == total * weight for part, weight in zip(parts, weights, strict=True))
