"""Baskets and programmes made to hurt: ``python -m bench.adversarial [--quotes N] [--only FAMILY …] [--seed N] [--json]``.

Asks N quotes (10,000) of generated programmes, family by family in turn, and reports the worst CPU time of one (at most 200 ms).
Fails on any exception but a LoyaltyError, on a line below its floor, and where a quote's sums do not agree. A quote over the
bound is timed twice more and the least time counts, as the machine is shared.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice

from bench.adversarial_families import FAMILIES, Question
from bench.common import NS_PER_MS, finish, series, void
from pos_loyalty.engine import Programme, load_programme, quote
from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import LoyaltyError, ProgrammeError
from pos_loyalty.values import MILLI_PER_UNIT

QUOTES, SEED = 10_000, 20261121
WORST_MS = 200.0
AGAIN = 2
QUOTES_A_PROGRAMME = 25
SHOWN_MAX, DRAWS_MAX = 10, 50
APPLIED_MIN = 0.5


@dataclass
class Tally:
    """What was seen, by family."""

    times: dict[str, list[int]] = field(default_factory=dict)
    worst_ns: dict[str, int] = field(default_factory=dict)
    proven: Counter[str] = field(default_factory=Counter)
    applied: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def questions(count: int, families: list[str], seed: int) -> Iterator[tuple[str, int, Question]]:
    """(family, number, question): the families take turns; each question follows from the seed, its family and its number."""
    number = dict.fromkeys(families, 0)
    for family in islice(cycle(families), count):
        rng = random.Random(f"{seed}/{family}/{number[family]}")
        yield family, number[family], FAMILIES[family].ask(rng)
        number[family] += 1


def ask(question: Question, programme: Programme) -> tuple[int, Quote]:
    """CPU nanoseconds and the answer."""
    before = time.process_time_ns()
    answer = quote(question.basket, question.member, programme, question.state, question.basket.opened_at)
    return time.process_time_ns() - before, answer


def faults_of(question: Question, answer: Quote) -> Iterator[str]:
    """What may not be: a line below its floor, sums that do not agree, a bound below the value.

    A weighed line that the host brought to its floor or below may fall by the kopecks that its fiscal form needs, for it may
    not rise above what the host asks.
    """
    lines = {line.line_id: line for line in question.basket.lines}
    for line in answer.lines:
        given = lines[line.line_id]
        floor = (given.floor_minor * given.quantity_milli + MILLI_PER_UNIT // 2) // MILLI_PER_UNIT
        before = max(0, line.gross_minor - given.prior_off_minor)
        is_hosts = all(each.rule in ("prior", "fiscal") for each in line.adjustments)
        moved = sum(each.off_minor for each in line.adjustments if each.rule == "fiscal") if is_hosts else 0
        if line.net_minor - line.points_minor + max(0, moved) < min(before, floor):
            yield f"line {line.line_id} is below its floor"
        if line.gross_minor - line.net_minor != sum(each.off_minor for each in line.adjustments):
            yield f"the adjustments of line {line.line_id} do not sum up"
        if not 0 <= line.points_minor <= line.net_minor:
            yield f"line {line.line_id} is paid with more than it costs"
    if answer.total_minor != sum(line.net_minor for line in answer.lines):
        yield "the lines do not sum up to the total"
    if answer.proof.bound_minor < answer.proof.value_minor:
        yield "the bound is below the value"


def run(count: int, families: list[str], seed: int) -> Tally:
    """Ask all, and tally."""
    tally = Tally(times={family: [] for family in families}, worst_ns=dict.fromkeys(families, 0))
    programmes: dict[tuple[str, int], Programme] = {}
    for family, number, question in questions(count, families, seed):
        key = (family, number // QUOTES_A_PROGRAMME)
        if key not in programmes:
            rng = random.Random(f"{seed}/{family}/programme/{key[1]}")
            programmes = {kept: each for kept, each in programmes.items() if kept[0] != family}
            programmes[key] = loaded(family, rng)
        _one(tally, family, number, question, programmes[key])
    return tally


def loaded(family: str, rng: random.Random) -> Programme:
    """A programme of the family; one that is refused, as drawn conditions may contradict one another, is drawn again."""
    for _ in range(DRAWS_MAX - 1):
        with suppress(ProgrammeError):
            return load_programme(FAMILIES[family].programme(rng).encode())
    return load_programme(FAMILIES[family].programme(rng).encode())


def _one(tally: Tally, family: str, number: int, question: Question, programme: Programme) -> None:
    try:
        spent, answer = ask(question, programme)
        for _ in range(AGAIN if spent > WORST_MS * NS_PER_MS else 0):
            spent = min(spent, ask(question, programme)[0])
    except LoyaltyError:
        tally.refused[family] += 1
        return
    except Exception as error:  # noqa: BLE001 - any other is what this bench looks for
        tally.faults.append(f"{family} {number}: {type(error).__name__}: {error}")
        return
    tally.times[family].append(spent)
    tally.worst_ns[family] = max(tally.worst_ns[family], spent)
    tally.proven[family] += answer.proof.proven
    tally.applied[family] += len(answer.applied)
    tally.faults += [f"{family} {number}: {fault}" for fault in faults_of(question, answer)]


def main() -> int:
    """Ask, print, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quotes", type=int, default=QUOTES, help=f"how many quotes ({QUOTES})")
    parser.add_argument("--only", nargs="*", choices=sorted(FAMILIES), default=sorted(FAMILIES), help="families (all)")
    parser.add_argument("--seed", type=int, default=SEED, help=f"another seed ({SEED})")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    tally = run(args.quotes, args.only, args.seed)
    asked = {family: len(times) for family, times in tally.times.items() if times}
    idle = [family for family, count in asked.items() if tally.applied[family] / count < APPLIED_MIN]
    if (idle or not asked) and not tally.faults:
        return void("adversarial", f"hardly any rule acts in {', '.join(idle) or 'any family'}")
    for fault in tally.faults[:SHOWN_MAX]:
        print(fault, file=sys.stderr)
    figures: dict[str, object] = {"seed": args.seed}
    for family, count in asked.items():
        figures[family] = series(tally.times[family])
        figures[f"{family}, answers"] = (
            f"worst {tally.worst_ns[family] / NS_PER_MS:.1f} ms, proven {tally.proven[family] / count:.1%},"
            f" {tally.applied[family] / count:.1f} rules applied, {tally.refused[family]} baskets refused"
        )
    worst = max(asked, key=tally.worst_ns.__getitem__)
    worst_ms = tally.worst_ns[worst] / NS_PER_MS
    figures["quotes, faults"] = f"{sum(asked.values())}, {len(tally.faults)}"
    figures["worst of all"] = f"{worst}, {worst_ms:.1f} ms CPU, at most {WORST_MS:g} allowed"
    return finish("adversarial", figures, worst_ms <= WORST_MS and not tally.faults, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
