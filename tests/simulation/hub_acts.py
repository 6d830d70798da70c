"""What happens to a store's hub and its lines, in worlds that have one. Rule: as in ``acts.py``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from pos_loyalty.errors import ConflictError, NotFoundError, StoreError
from pos_loyalty.store import outbox
from sync.server import enrol
from tests.simulation import acts, machines, selling, template
from tests.simulation.books import read
from tests.simulation.chronicle import rows_in
from tests.simulation.net import HUB, Line
from tests.simulation.store_hub import OUTSIDE, StoreHub
from tests.simulation.template import FIRST_HUB, HUB_STORE, MEMBERS, STORES

if TYPE_CHECKING:
    from tests.simulation.acts import Act
    from tests.simulation.counter import Counter
    from tests.simulation.world import World

LEASES = timedelta(days=400)
"""Longer than any lease."""
HOUR_MS = 3_600_000


def is_there(seed: int) -> bool:
    """Whether a hub stands in the first store of this world."""
    return Random(f"has hub {seed}").random() < 0.6


def planned(seed: int, has_hub: bool) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """How often what happens in this world, and what never stays out.

    In half of the worlds with a hub head office is not restored: then nothing excuses a case there.
    """
    if not has_hub:
        return acts.WEIGHTS, acts.NEVER_WITHOUT
    if Random(f"restores {seed}").random() < 0.5:
        return {**acts.WEIGHTS, **WEIGHTS}, (*acts.NEVER_WITHOUT, *NEVER_WITHOUT)
    return {**acts.WEIGHTS, **WEIGHTS, "restore office": 0}, ("trouble disk", *NEVER_WITHOUT)


def furnish(world: World, chance: Random) -> None:
    """The store's hub, its line, and those of its tills to it."""
    world.near_s = chance.choice((600.0, 1200.0))
    world.hub = StoreHub(world, world.folder / FIRST_HUB, FIRST_HUB, chance)
    for name in (OUTSIDE, *(name + HUB for name in with_hub())):
        world.net.lines[name] = Line()


def with_hub() -> tuple[str, ...]:
    """The tills of the store where it stands."""
    return tuple(name for name, store in STORES.items() if store == HUB_STORE)


def lines_of(world: World, counter: Counter, chance: Random) -> list[Line]:
    """What is cut or spoilt together at this till: its own line; that to the hub; the hub's own; all that leave the store."""
    own = [counter.name]
    if counter.has_hub:
        outside = [OUTSIDE, *with_hub()]
        own = chance.choice((own, [counter.name + HUB], [OUTSIDE], outside, outside))
    return [world.net.lines[name] for name in own]


def go_round(world: World, counter: Counter, chance: Random) -> None:
    """A member goes from till to till of the store, and buys at each."""
    member_id = chance.choice(list(MEMBERS))
    for name in chance.sample(with_hub(), len(with_hub())):
        here = world.counters[name]
        acts.verb(world, here, lambda here=here: selling.show(here, member_id))
        world.pass_ms(chance.choice((2_000, 5_000, 70_000)))
        acts.verb(world, here, lambda here=here: selling.sell(here, chance, (member_id,)))
        world.pass_ms(chance.choice((1_000, 4_000, 70_000)))


def trouble_disk(world: World, counter: Counter, chance: Random) -> None:
    """The hub's disk: as a till's."""
    assert world.hub is not None
    acts.trouble(world, world.hub.machine.disk, chance, 80)


def cut_power(world: World, counter: Counter, chance: Random) -> None:
    """The hub goes dark, and comes back at once or in a while."""
    hub = world.hub
    assert hub is not None
    if hub.is_up:
        world.at(hub)
        hub.die()
    world.after(chance.choice((1, 60_000, HOUR_MS)), lambda: boot(world, hub))


def turn_clock(world: World, counter: Counter, chance: Random) -> None:
    """The hub's clock is wrong, or set right."""
    assert world.hub is not None
    far = chance.choice((0, 0, 3 * 60_000, HOUR_MS, 24 * HOUR_MS, 40 * 24 * HOUR_MS))
    world.hub.machine.off_ms = far * chance.choice((-1, 1))


def save(world: World, counter: Counter, chance: Random) -> None:
    """The hub's files are backed up."""
    hub = world.hub
    assert hub is not None
    if not hub.is_up:
        return
    folder = world.folder / f"{hub.name}-night{len(hub.saved)}"
    world.at(hub)
    with hub.machine.disk.at_peace(), suppress(StoreError):
        hub.save(folder)
        hub.saved.append(folder)


def lose(world: World, counter: Counter, chance: Random) -> None:
    """The hub's machine is gone; or somebody puts its files back, which a person finds out later; or what it kept is gone."""
    hub = world.hub
    assert hub is not None
    if hub.name in world.chronicle.enrolling:
        return
    world.at(hub)
    what = chance.choice(("gone", "put back", "put back", "relay"))
    world.say(f"  hub: {what}")
    if what == "gone":
        replace(world)
    elif what == "relay":
        hub.lose_relay()
        world.after(60_000, lambda: boot(world, hub))
    elif hub.saved:
        before, holder = hub.told(), hub.holder()
        hub.put_back(chance.choice(hub.saved))
        is_behind = before > hub.head()  # else a later backup has all again, where an earlier one lacked some
        for those in (world.chronicle.gone_hubs, world.chronicle.put_back_hubs):
            (those.add if is_behind else those.discard)(holder)
        world.chronicle.hub_began_anew()
        world.after(60_000, lambda: boot(world, hub))
        world.after(chance.choice((1, 5, 30)) * HOUR_MS, lambda: mend(world))


def call_lost(world: World, counter: Counter, chance: Random) -> None:
    """A person at head office calls hubs lost whose place another took."""
    _call_lost(world, world.office.machine.wall())


def replace(world: World) -> None:
    """Another machine takes the hub's place, under a name of its own and with an empty file: docs/hub.md."""
    old = world.hub
    assert old is not None
    if not world.office.is_up or old.name in world.chronicle.enrolling:
        return
    if old.is_up:
        world.at(old)
        old.die()
    world.at(world.office)
    with world.office.machine.disk.at_peace():
        world.chronicle.gone(old, set())
        if old.holder() not in world.chronicle.put_back_hubs:
            told = (read(row.id, row.payload) for row in rows_in(old))
            took = {fact.grant.grant_id for fact in told if fact.grant and fact.kind == "rights.taken"}
            world.chronicle.took[old.holder()] = took
    old.is_retired = True
    world.chronicle.gone_hubs.add(old.holder())
    name = f"HUB{len(world.chronicle.gone_hubs) + 1}"
    template.furnish_hub(world.folder / name, name)
    world.net.forget_answers(OUTSIDE)
    world.hub = StoreHub(world, world.folder / name, name, old.chance)
    world.chronicle.hub_began_anew()
    machines.enrol(world, world.hub)


def mend(world: World) -> None:
    """A person sees that the hub gives no rights any more, or that head office does not take it for what it was."""
    hub = world.hub
    if hub is None or not hub.is_up:
        return
    world.at(hub)
    with hub.machine.disk.at_peace():
        is_done_for = hub.node.is_restored or "enrol" in (outbox.state(hub.db).trouble or "")
    if is_done_for:
        world.say(f"  {hub.name} is replaced")
        replace(world)


def mend_for_good(world: World) -> None:
    """At quiet: what lost hubs held is free, for all that they gave is known and nobody uses it."""
    mend(world)
    _call_lost(world, world.office.machine.wall() + LEASES)


def boot(world: World, hub: StoreHub) -> None:
    """A hub starts, unless another took its place or it waits to be enrolled."""
    if not (hub.is_up or hub.is_retired or hub.name in world.chronicle.enrolling):
        world.at(hub)
        hub.boot()


def come_back(world: World, hub: StoreHub) -> None:
    """A hub that died starts; one that was about to be enrolled is so after all."""
    if hub.name in world.chronicle.enrolling and not hub.is_retired:
        machines.enrol(world, hub)
    boot(world, hub)


def _call_lost(world: World, now: datetime) -> None:
    """As docs/hub.md wants it: when all tills of the store have synced since."""
    tills = [world.counters[name] for name in with_hub()]
    if not world.office.is_up or any(not till.is_up or till.unsent() for till in tills):
        return
    for hub in sorted(world.chronicle.gone_hubs - world.chronicle.lost_hubs):
        with suppress(ConflictError, NotFoundError):  # its leases run; or a restored head office never knew it
            if acts.at_office(world, lambda hub=hub: enrol.lose(world.office.ledger, hub[0], None, "boss", now)) is not None:
                world.chronicle.lost_hubs.add(hub)


ACTS: Mapping[str, Act] = {
    "go round": go_round,
    "trouble hub disk": trouble_disk,
    "cut hub power": cut_power,
    "turn hub clock": turn_clock,
    "save hub": save,
    "lose hub": lose,
    "call lost": call_lost,
}
WEIGHTS: Mapping[str, int] = {
    "go round": 10, "trouble hub disk": 5, "cut hub power": 3, "turn hub clock": 2, "save hub": 3, "lose hub": 2, "call lost": 2,
}  # fmt: skip
NEVER_WITHOUT = ("trouble hub disk", "save hub", "lose hub")
