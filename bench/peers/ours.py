"""Our own engine as one of the peers: the same work, the same measure, a process of its own. Needs the project on PYTHONPATH."""

import msgspec
from common_peer import read_work, report

from bench.workloads import MEANINGS, GivenBasket, GivenRule, asked, programme
from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.decide import decide
from pos_loyalty.engine.model import ENGINE_VERSION, Basket, Member, State


def main() -> None:
    """Quote with all reasons, or decide without them, and report."""
    work = read_work()
    rules = msgspec.convert(work["rules"], type=tuple[GivenRule, ...])
    (meaning,) = [each for each in MEANINGS if each == work["meaning"]]
    ready = load_programme(programme(rules, meaning).encode())
    state = State()

    def decided(pair: tuple[Basket, Member]) -> int:
        decide(pair[0], pair[1], ready, state, pair[0].opened_at)
        return 0

    def quoted(pair: tuple[Basket, Member]) -> int:
        answered = quote(pair[0], pair[1], ready, state, pair[0].opened_at)
        return len(answered.applied) + len(answered.beaten)

    baskets = msgspec.convert(work["baskets"], type=tuple[GivenBasket, ...])
    answer = decided if work["ask"] == "decide" else quoted
    report(f"engine {ENGINE_VERSION}, {meaning}", work, [asked(given) for given in baskets], answer)


if __name__ == "__main__":
    main()
