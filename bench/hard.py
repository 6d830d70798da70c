"""How good and how fast the search is on hard overlapping bundles: ``python -m bench.hard [--file PATH] [--per N] [--json]``.

Cells of ``units x offers, overlap``: units of one price each, offers "any n for a price", "2 + 1" and "one of these and one of
those", on random units. The bundles are made from a seed, or read from a file of the same form. Cells of at most ``--oracle``
units are solved by HiGHS too, in its own process, and by the two greedies that simpler engines use.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.common import NS_PER_MS, finish
from pos_loyalty.engine.packing import Effort, Packed
from pos_loyalty.engine.search import pack
from tests.oracles.greedies import by_priority, by_value
from tests.oracles.problems import SCALE, Json, Oracle, asked

SEED = 20261121
UNITS, OFFERS, OVERLAPS, EACH = (6, 10, 16, 24, 40, 60), (3, 6, 12), (0.3, 0.6), 10
RUNS = 3
SMALL, MIDDLE, LARGE = 10, 16, 24
MIDDLE_PROVEN, LARGE_REGRET, CPU_MS = 0.95, 0.01, 100.0


class Solved(NamedTuple):
    """One bundle: what the search said and how long it took; the optimum and what the greedies reach, when asked."""

    packed: Packed
    cpu_ms: float
    optimum: int | None
    greedy: int | None
    ordered: int | None


def main() -> int:
    """Print a row for every cell; exit 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, help="read the bundles instead of making them")
    parser.add_argument("--per", type=int, default=EACH, help="so many bundles of each cell")
    parser.add_argument("--oracle", type=int, default=LARGE, help="ask HiGHS up to so many units")
    parser.add_argument("--nodes", type=int, default=2_000)
    parser.add_argument("--applications", type=int, default=4_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    bundles = json.loads(chosen.file.read_text("utf-8"))["instances"] if chosen.file else made()
    cells: dict[tuple[int, int, float], list[Json]] = {}
    for bundle in bundles:
        cells.setdefault((bundle["m"], bundle["b"], bundle["over"]), []).append(bundle)
    effort = Effort(applications=chosen.applications, nodes=chosen.nodes)
    figures: dict[str, object] = {}
    kept = True
    middle: list[bool] = []
    for (units, offers, overlap), members in cells.items():
        solved = _solved([told(one) for one in members[: chosen.per]], effort, with_oracle=units <= chosen.oracle)
        figures[f"{units} x {offers}, {overlap}"] = _row(solved)
        kept = kept and _holds(units, solved)
        middle += [one.packed.proven for one in solved if units <= MIDDLE]
    figures[f"proven up to {MIDDLE} units"] = f"{sum(middle)}/{len(middle)}"
    kept = kept and sum(middle) >= MIDDLE_PROVEN * len(middle)
    return finish("hard bundles", figures, kept, as_json=chosen.json)


def made(seed: int = SEED) -> list[Json]:
    """Bundles of every cell, in the order of the cells."""
    source = random.Random(seed)
    return [
        _bundle(source, units, offers, overlap)
        for units in UNITS
        for offers in OFFERS
        for overlap in OVERLAPS
        for _ in range(EACH)
    ]


def _bundle(source: random.Random, units: int, offers: int, overlap: float) -> Json:
    prices = [source.randrange(800, 28_500, 10) for _ in range(units)]
    size = max(3, int(overlap * units))
    made_offers: list[Json] = []
    for _ in range(offers):
        items = sorted(source.sample(range(units), size))
        kind = source.choice(("nfor", "2+1", "mix"))
        if kind == "mix":
            source.shuffle(items)
            halves = {"items": sorted(items[: size // 2]), "items2": sorted(items[size // 2 :])}
            made_offers.append({"t": kind, **halves, "bp": source.choice((1000, 2000, 3000))})
        elif kind == "nfor":
            n = source.randint(2, min(4, size))
            fixed = sum(prices[i] for i in items) * n * source.randint(50, 95) // (size * 100)
            made_offers.append({"t": kind, "n": n, "fixed": fixed, "items": items})
        else:
            made_offers.append({"t": kind, "n": 3, "items": items})
    return {"m": units, "b": offers, "over": overlap, "prices": prices, "offers": made_offers}


def told(bundle: Json) -> Json:
    """A bundle as a packing problem."""
    kinds = [[price * SCALE, price * SCALE, 1] for price in bundle["prices"]]
    return {"kinds": kinds, "offers": [_offer(number, one) for number, one in enumerate(bundle["offers"])]}


def _offer(number: int, one: Json) -> Json:
    offer: dict[str, Any] = {"id": f"o{number:02}", "priority": 0, "times": None, "money": None, "is_whole": False}
    if one["t"] == "2+1":
        flags = {"is_dearest": False, "is_partial": True, "is_basket": False}
        return offer | {"form": "group", "kinds": sorted(one["items"]), "n": one["n"], "k": 1, "rate_bp": 10_000} | flags
    money: Json = {"fixed": None, "rate_bp": None, "amount": None}
    if one["t"] == "nfor":
        slots = [{"kinds": sorted(one["items"]), "count": one["n"]}]
        return offer | {"form": "set", "slots": slots} | money | {"fixed": one["fixed"] * SCALE}
    slots = [{"kinds": sorted(one[name]), "count": 1} for name in ("items", "items2")]
    return offer | {"form": "set", "slots": slots} | money | {"rate_bp": one["bp"]}


def _solved(problems: list[Json], effort: Effort, *, with_oracle: bool) -> list[Solved]:
    optima: list[int | None] = [None] * len(problems)
    if with_oracle:
        with tempfile.TemporaryDirectory() as folder:
            optima = list(Oracle("highs", problems, Path(folder)).optima())
    solved = []
    for problem, optimum in zip(problems, optima, strict=True):
        kinds, offers = asked(problem)
        best_ns = 0
        for _ in range(RUNS):
            begin_ns = time.process_time_ns()
            packed = pack(kinds, offers, effort)
            took_ns = time.process_time_ns() - begin_ns
            best_ns = min(best_ns or took_ns, took_ns)
        greedies = (by_value(problem), by_priority(problem)) if with_oracle else (None, None)
        solved.append(Solved(packed, best_ns / NS_PER_MS, optimum, *greedies))
    return solved


def _row(solved: list[Solved]) -> str:
    proven = sum(one.packed.proven for one in solved)
    nodes = sorted(one.packed.nodes for one in solved)
    times = sorted(one.cpu_ms for one in solved)
    row = f"proven {proven}/{len(solved)}, nodes {statistics.median(nodes):.0f} max {nodes[-1]}, "
    row += f"CPU ms {statistics.median(times):.2f} max {times[-1]:.2f}, "
    if solved[0].optimum is None:
        gaps = [1 - one.packed.value / one.packed.bound for one in solved if one.packed.bound]
        return row + f"gap to the bound {statistics.mean(gaps):.3%} max {max(gaps):.3%}"
    mine, greedy, ordered = ([_regret(one, value) for one in solved] for value in ("value", "greedy", "ordered"))
    row += f"regret {statistics.mean(mine):.3%} max {max(mine):.3%}, "
    row += f"best saving first {statistics.mean(greedy):.1%} max {max(greedy):.1%}, "
    return row + f"in priority order {statistics.mean(ordered):.1%} max {max(ordered):.1%}"


def _regret(solved: Solved, of: str) -> float:
    value = solved.packed.value if of == "value" else getattr(solved, of)
    return 1 - value / solved.optimum if solved.optimum else 0.0


def _holds(units: int, solved: list[Solved]) -> bool:
    """The promises: proof, regret, never below either greedy, no bound below the optimum, and the time."""
    proven = sum(one.packed.proven for one in solved)
    promises = [max(one.cpu_ms for one in solved) <= CPU_MS]
    if units <= SMALL:
        promises.append(proven == len(solved))
    for one in solved:
        if one.optimum is not None and one.greedy is not None and one.ordered is not None:
            promises.append(max(one.greedy, one.ordered) <= one.packed.value <= one.optimum <= one.packed.bound)
    if units <= LARGE:
        promises.append(statistics.mean(_regret(one, "value") for one in solved) <= LARGE_REGRET)
    return all(promises)


if __name__ == "__main__":
    sys.exit(main())
