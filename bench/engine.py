"""The engine alone: ``python -m bench.engine [--workloads DIR] [--rounds N] [--only PART …] [--json]``.

CPU time of ``quote`` with all its reasons, in one process, always taking turns call by call with what it is compared with.
Parts: ``mixed`` (20 lines × 100 mixed rules under each reading of them), ``lines`` (percentages, points and thresholds only,
against ``json.loads`` of the same basket), ``growth`` (more rules, rules about other goods, more lines). The run is void when
hardly any multi-buy could act.
"""

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import msgspec

from bench.common import NS_PER_MS, Series, finish, series, void
from bench.workloads import (
    LINE_AND_BASKET,
    MEANINGS,
    MULTIBUYS,
    NO_HINTS,
    GivenBasket,
    GivenRule,
    Meaning,
    Source,
    asked,
    programme,
    strangers,
    units_of,
)
from pos_loyalty.engine import Programme, load_programme, quote
from pos_loyalty.engine.decide import decide
from pos_loyalty.engine.model import Basket, Member, Quote, State

PARTS = ("mixed", "lines", "growth")
MIXED, LINES, BASKETS = 100, 20, 1_000
LIVE_MIN, ACTING_MIN = 2.0, 0.5
MEDIAN_MS, P99_MS, PROVEN = 0.5, 5.0, 0.99
LINE_MEDIAN_MS, LINE_P99_MS, JSON_RATIO = 0.2, 0.6, 12
RULES_GROWTH, STRANGERS_GROWTH, LINES_GROWTH = 30, 1.2, 30

Call = Callable[[int], object]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where workloads come from and how often each basket is asked."""

    source: Source
    rounds: int


@dataclass
class Found:
    """Figures under their names, and the bounds that do not hold."""

    figures: dict[str, object]
    broken: list[str]

    def bound(self, name: str, value: float, most: float) -> None:
        """Note a figure with its bound."""
        self.figures[name] = f"{value:.3g}, at most {most:g} allowed"
        if value > most:
            self.broken.append(name)


def take_turns(calls: Sequence[Call], count: int, rounds: int) -> list[list[int]]:
    """CPU nanoseconds of each call for the numbers 0 to count − 1, so many rounds, after one round for warming up."""
    times: list[list[int]] = [[] for _ in calls]
    clock = time.process_time_ns
    for turn in range(-1, rounds):
        for number in range(count):
            for mine, call in zip(times, calls, strict=True):
                before = clock()
                call(number)
                spent = clock() - before
                if turn >= 0:
                    mine.append(spent)
    return times


def ready(rules: Sequence[GivenRule], meaning: Meaning = "best", tables: str = "") -> Programme:
    """The rules as a loaded programme."""
    return load_programme(programme(rules, meaning, tables).encode())


def quoting(loaded: Programme, given: Sequence[GivenBasket]) -> Call:
    """A call that quotes the basket of a number."""
    pairs: list[tuple[Basket, Member]] = [asked(basket) for basket in given]
    state = State()

    def call(number: int) -> Quote:
        basket, member = pairs[number]
        return quote(basket, member, loaded, state, basket.opened_at)

    return call


def deciding(loaded: Programme, given: Sequence[GivenBasket]) -> Call:
    """A call that only decides about the basket of a number: the money, without reasons."""
    pairs: list[tuple[Basket, Member]] = [asked(basket) for basket in given]
    state = State()

    def call(number: int) -> object:
        basket, member = pairs[number]
        return decide(basket, member, loaded, state, basket.opened_at)

    return call


def live(rules: Sequence[GivenRule], given: Sequence[GivenBasket]) -> float:
    """Multi-buys that could act, for each quote: the member's tier is enough and so are the units."""
    offers = [rule for rule in rules if rule.kind in MULTIBUYS]
    return fmean(
        sum(basket.tier >= rule.tier and units_of(rule, basket) >= (rule.n or rule.min_qty) for rule in offers)
        for basket in given
    )


def mixed(bench: Bench, found: Found) -> str | None:
    """Twenty lines under a hundred mixed rules; the value says why the run is void, if it is."""
    rules = bench.source.rules(MIXED)
    given = bench.source.baskets(LINES, BASKETS)
    alive = live(rules, given)
    found.figures["baskets, multi-buys that could act in a quote"] = f"{len(given)}, {alive:.2f}"
    if alive < LIVE_MIN:
        return f"{alive:.2f} multi-buys could act in a quote"
    multibuys = {f"r{rule.id}" for rule in rules if rule.kind in MULTIBUYS}
    acting = 0.0
    loaded = [ready(rules, meaning) for meaning in MEANINGS]
    calls = [quoting(each, given) for each in loaded]
    less = [quoting(ready(rules, tables=NO_HINTS), given), deciding(loaded[0], given)]
    *measured_calls, no_hints, decided = take_turns([*calls, *less], len(given), bench.rounds)
    found.figures["mixed, best, without hints, CPU"] = series(no_hints)
    found.figures["mixed, best, decide() alone, CPU"] = series(decided)
    for meaning, each, call, times in zip(MEANINGS, loaded, calls, measured_calls, strict=True):
        quotes = [call(number) for number in range(len(given))]
        assert all(isinstance(answer, Quote) for answer in quotes)
        acting = note(found, f"mixed, {meaning}", each, [answer for answer in quotes if isinstance(answer, Quote)], multibuys)
        measured = series(times)
        found.figures[f"mixed, {meaning}, CPU"] = measured
        if meaning == "best":
            found.bound("mixed median ms", measured.median, MEDIAN_MS)
            found.bound("mixed p99 ms", measured.p99, P99_MS)
        if acting < ACTING_MIN:
            return f"{acting:.2f} multi-buys act in a quote ({meaning})"
    found.figures["mixed, best, CPU, collector off"] = without_collector(calls[0], len(given), bench.rounds)
    return None


def note(found: Found, name: str, loaded: Programme, quotes: Sequence[Quote], multibuys: set[str]) -> float:
    """What stands in the answers: how far the search went, how much was proven; the value: how many multi-buys act in a quote."""
    proven = fmean(answer.proof.proven for answer in quotes)
    gaps = [(answer.proof.bound_minor - answer.proof.value_minor) / max(1, answer.gross_minor) for answer in quotes]
    nodes = sorted(answer.proof.nodes for answer in quotes)
    acted = fmean(sum(rule in multibuys for rule in answer.applied) for answer in quotes)
    found.figures[f"{name}, programme"] = loaded.name[:40]
    found.figures[f"{name}, answers"] = (
        f"proven {proven:.2%}, mean gap {fmean(gaps):.4%} of the basket, nodes mean {fmean(nodes):.1f} median {median(nodes):g}"
        f" p99 {nodes[len(nodes) * 99 // 100]} max {nodes[-1]}; in a quote {acted:.2f} multi-buys act,"
        f" {fmean(len(answer.applied) for answer in quotes):.1f} rules applied,"
        f" {fmean(len(answer.beaten) for answer in quotes):.1f} beaten,"
        f" {fmean(len(answer.refusals) for answer in quotes):.1f} refused"
    )
    if name == "mixed, best":
        found.bound("mixed share not proven", 1 - proven, 1 - PROVEN)
    return acted


def without_collector(call: Call, count: int, rounds: int) -> Series:
    """The same with the garbage collector off, as a till may have it during a sale."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        return series(take_turns([call], count, rounds)[0])
    finally:
        gc.enable()
        gc.unfreeze()


def lines(bench: Bench, found: Found) -> None:
    """Percentages, points and thresholds only: the sixty of the hundred mixed rules, and a hundred of such."""
    given = bench.source.baskets(LINES, BASKETS)
    texts = [msgspec.json.encode(basket).decode() for basket in given]
    sixty = [rule for rule in bench.source.rules(MIXED) if rule.kind in LINE_AND_BASKET]
    hundred = bench.source.line_and_basket_rules(100)
    calls = [quoting(ready(rules), given) for rules in (sixty, hundred)]
    of_sixty, of_hundred, decided, floor = take_turns(
        [*calls, deciding(ready(hundred), given), lambda number: json.loads(texts[number])], len(given), bench.rounds
    )
    found.figures["100 line and basket rules, decide() alone, CPU"] = series(decided)
    found.figures["60 line and basket rules, CPU"] = series(of_sixty)
    found.figures["60 line and basket rules ÷ json.loads"] = f"{median(of_sixty) / median(floor):.1f}"
    measured = series(of_hundred)
    found.figures["100 line and basket rules, CPU"] = measured
    found.figures["json.loads of the basket, CPU"] = series(floor)
    found.figures["quotes a second and core, 100 line and basket rules"] = (
        f"{len(of_hundred) * NS_PER_MS * 1_000 / sum(of_hundred):.0f}"
    )
    found.bound("100 line and basket rules ÷ json.loads", median(of_hundred) / median(floor), JSON_RATIO)
    found.bound("100 line and basket rules, median ms", measured.median, LINE_MEDIAN_MS)
    found.bound("100 line and basket rules, p99 ms", measured.p99, LINE_P99_MS)


def growth(bench: Bench, found: Found) -> None:
    """What more rules and more lines cost."""
    given = bench.source.baskets(LINES, 100)
    counts = (10, 100, 1_000, 10_000)
    calls = [quoting(ready(bench.source.line_and_basket_rules(count)), given) for count in counts]
    medians = medians_of(calls, len(given), bench.rounds)
    found.figures["ms by line and basket rules"] = said(counts, medians)
    found.bound("10,000 line and basket rules ÷ 10", medians[-1] / medians[0], RULES_GROWTH)
    mixes = (10, 100, 500, 1_000)
    mixed_calls = [quoting(ready(bench.source.rules(count)), given) for count in mixes]
    found.figures["ms by mixed rules"] = said(mixes, medians_of(mixed_calls, len(given), 1))
    for name, rules in (("line and basket", bench.source.line_and_basket_rules(100)), ("mixed", bench.source.rules(MIXED))):
        few, many = ready(rules), ready([*rules, *strangers(9_900)])
        before, after = medians_of([quoting(few, given), quoting(many, given)], len(given), bench.rounds)
        found.bound(f"9,900 rules about other goods added to 100 {name} ones, times", after / before, STRANGERS_GROWTH)
    long = bench.source.baskets(500, 4) * 25
    hundred = ready(bench.source.line_and_basket_rules(100))
    short, longer = medians_of([quoting(hundred, given), quoting(hundred, long)], len(given), bench.rounds)
    found.figures["ms by lines, 100 line and basket rules"] = said((20, 500), (short, longer))
    found.bound("500 lines ÷ 20", longer / short, LINES_GROWTH)
    mixes_ready = ready(bench.source.rules(MIXED))
    found.figures["ms by lines, 100 mixed rules"] = said(
        (20, 500), medians_of([quoting(mixes_ready, given), quoting(mixes_ready, long)], 20, 1)
    )


def medians_of(calls: Sequence[Call], count: int, rounds: int) -> list[float]:
    """CPU medians in milliseconds of calls that take turns."""
    return [median(times) / NS_PER_MS for times in take_turns(calls, count, rounds)]


def said(counts: Sequence[int], times_ms: Sequence[float]) -> str:
    """Counts and their times in words."""
    return ", ".join(f"{count:,}: {time_ms:.3f}" for count, time_ms in zip(counts, times_ms, strict=True))


def main() -> int:
    """Measure, print, and say by the exit status whether every bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", type=Path, help="a folder of workload files to read (generated)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each basket is asked (3)")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS), help="parts to run (all)")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    bench = Bench(source=Source(args.workloads), rounds=args.rounds)
    found = Found(figures={}, broken=[])
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if "mixed" in args.only:
        reason = mixed(bench, found)
        if reason is not None:
            return void("engine", reason)
    if "lines" in args.only:
        lines(bench, found)
    if "growth" in args.only:
        growth(bench, found)
    found.figures["RSS growth MB"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) // 1_000
    found.figures["bounds that do not hold"] = ", ".join(found.broken) or "none"
    return finish("engine", found.figures, not found.broken, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
