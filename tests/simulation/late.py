"""Worlds in which words come too late: an answer or a question from before head office's restore, and sales of a till that was
cut off over the end of what it redeemed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from tests.simulation import acts, selling
from tests.simulation.template import HUB_STORE, MEMBERS, STORES

if TYPE_CHECKING:
    from tests.simulation.acts import Act
    from tests.simulation.counter import Counter
    from tests.simulation.net import Line
    from tests.simulation.world import World

ROUND_MS = 21 * 60_000
FAR = next(name for name, store in STORES.items() if store != HUB_STORE)
"""A till that never has a hub."""


def late_word(world: World, counter: Counter, chance: Random) -> None:
    """Head office grants, is put back to before that, grants the same to another till; and then its first answer comes."""
    first, member_id = world.counters[FAR], chance.choice(list(MEMBERS))
    line = world.net.lines[first.outside]
    for each in world.net.lines.values():
        each.heal()
    acts.save(world, counter, chance)
    if not world.backups or not world.office.is_up:
        return
    line.answers = False
    acts.verb(world, first, lambda: selling.show(first, member_id))
    world.pass_ms(8_000)
    late = dict(world.net.old)
    acts.restore_to(world, world.backups[-1])
    line.answers = True
    for _ in range(2):
        world.pass_ms(ROUND_MS)
    for other in (each for each in world.counters.values() if each is not first):
        acts.verb(world, other, lambda other=other: selling.show(other, member_id))
        world.pass_ms(8_000)
    world.net.old.update({key: reply for key, reply in late.items() if key[1] == "rights" and key[2] == FAR})
    line.stale = 1.0
    acts.verb(world, first, lambda: selling.show(first, member_id))
    world.pass_ms(8_000)
    line.stale = 0.0
    for here in world.counters.values():
        acts.verb(world, here, lambda here=here: selling.sell(here, chance, (member_id,)))


def late_question(world: World, counter: Counter, chance: Random) -> None:
    """A till's question is long under way. It asks once more, takes what it gets, and is cut off; head office is put back to
    before that, and then the question arrives."""
    first, member_id = world.counters[FAR], chance.choice(list(MEMBERS))
    line = world.net.lines[first.outside]
    for each in world.net.lines.values():
        each.heal()
    world.pass_ms(ROUND_MS)
    acts.save(world, counter, chance)
    if not world.backups or not world.office.is_up:
        return
    line.slow_ms = ROUND_MS
    acts.verb(world, first, lambda: selling.show(first, member_id))
    world.pass_ms(8_000)
    line.heal()
    acts.verb(world, first, lambda: selling.show(first, member_id))
    world.pass_ms(8_000)
    _cut([line])
    acts.restore_to(world, world.backups[-1])
    for _ in range(3):
        world.pass_ms(ROUND_MS)
    for other in (each for each in world.counters.values() if each is not first):
        acts.verb(world, other, lambda other=other: selling.show(other, member_id))
        world.pass_ms(8_000)
    for here in world.counters.values():
        acts.verb(world, here, lambda here=here: selling.sell(here, chance, (member_id,)))
    line.asks = line.answers = True


def over_an_end(world: World, counter: Counter, chance: Random) -> None:
    """A till redeems while it is cut off; what it took from ends, and head office's night comes before the till is back."""
    member_id = chance.choice(list(MEMBERS))
    acts.verb(world, counter, lambda: selling.show(counter, member_id))
    world.pass_ms(8_000)
    lines = [line for name, line in world.net.lines.items() if name.startswith(counter.name)]
    _cut(lines)
    for _ in range(3):
        acts.verb(world, counter, lambda: selling.sell(counter, chance, (member_id,)))
        world.pass_ms(2_000)
    for _ in range(chance.choice((1, 3, 12, 34))):
        world.skip_ms(acts.DAY_MS)
    acts.office_night(world, counter, chance)
    for line in lines:
        line.asks = line.answers = True


def _cut(lines: list[Line]) -> None:
    for line in lines:
        line.asks = line.answers = False


ACTS: Mapping[str, Act] = {"late word": late_word, "late question": late_question, "over an end": over_an_end}
WEIGHTS: Mapping[str, int] = {"late word": 1, "late question": 1, "over an end": 3}
