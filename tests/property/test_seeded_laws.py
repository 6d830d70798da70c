"""The laws over thousands of worlds of the whole language. LAWS=long tries 20,000 of them, else 2,000."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from pos_loyalty.errors import LoyaltyError
from tests.property.busy_shop import busy_world
from tests.property.quote_laws import broken_laws
from tests.property.same_worlds import everything_off, fewer_kopecks, shuffled, split, under_control
from tests.property.seeded_worlds import World, ask, effort, judged_world, smaller, wild_world

COUNT = effort(few=150, some=2_000, many=20_000)
Law = Callable[[World, int], Iterator[str]]


def kept(world: World, _seed: int) -> Iterator[str]:
    """The laws of one quote."""
    yield from broken_laws(world, ask(world))


CASES: dict[str, tuple[Law, Callable[[int], World], int]] = {
    "wild worlds keep every law": (kept, wild_world, 1),
    "small worlds keep every law": (kept, judged_world, 2),
    "busy receipts keep every law": (kept, busy_world, 10),
    "the order of lines, rules and lots does not matter": (shuffled, wild_world, 4),
    "splitting a piece line does not matter": (split, judged_world, 4),
    "an added unit never costs more than its price": (fewer_kopecks, judged_world, 4),
    "everything off leaves nothing": (everything_off, wild_world, 8),
    "a control member gets no rule": (under_control, judged_world, 8),
}


@pytest.mark.parametrize("name", CASES)
def test_law(name: str) -> None:
    law, make, part = CASES[name]
    told: Counter[str] = Counter()
    first: tuple[int, str] | None = None
    for seed in range(COUNT // part):
        found = _broken(law, make(seed), seed)
        told["refused" if found is None else "broken" if found else "kept"] += 1
        if found and first is None:
            first = seed, found
    print(f"\n{name}: {dict(told)}")
    if first is not None:
        seed, found = first
        kind = found.partition(":")[0]

        def is_so_too(world: World) -> bool:
            return (_broken(law, world, seed) or "").partition(":")[0] == kind

        least = smaller(make(seed), is_so_too)
        pytest.fail(f"{told['broken']} broken; seed {seed}: {_broken(law, least, seed)}\n{least.told}")
    assert told["kept"] * 2 > COUNT // part, "most worlds must be able to be asked"


def _broken(law: Law, world: World, seed: int) -> str | None:
    """The first breach; empty when there is none; None when the engine refuses the world in its own words."""
    try:
        return next(law(world, seed), "")
    except LoyaltyError as error:
        return None if str(error) else "a fault without a word"
    except Exception as error:  # noqa: BLE001 - any other exception is what this looks for
        return f"{type(error).__name__}: {error}"
