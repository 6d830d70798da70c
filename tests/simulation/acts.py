"""What happens in a world: at the counters, on the lines, to the machines, at head office.

Rule: an act draws all its chance from its own step, so that dropping other steps changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from pos_loyalty.errors import (
    ConflictError,
    HeadOfficeGoneError,
    InputError,
    LoyaltyError,
    NotAllowedError,
    NotFoundError,
    StoreError,
)
from pos_loyalty.store import outbox
from sync.server import enrol, steps
from tests.simulation import hub_acts, rogue, selling, template
from tests.simulation.counter import Counter
from tests.simulation.disk import DiedError, Disk
from tests.simulation.ground import Machine
from tests.simulation.net import Line

if TYPE_CHECKING:
    from tests.simulation.world import World

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
Act = Callable[["World", Counter, Random], None]


def sell(world: World, counter: Counter, chance: Random) -> None:
    """A basket, priced and paid; now and then it stays open."""
    verb(world, counter, lambda: selling.sell(counter, chance))


def end_one(world: World, counter: Counter, chance: Random) -> None:
    """An open sale is completed or cancelled."""
    verb(world, counter, lambda: selling.end(counter, chance))


def stand(world: World, counter: Counter, chance: Random) -> None:
    """A member shows the card: whatever is free is asked for beside the checkout."""
    verb(world, counter, lambda: selling.stand(counter, chance))


def take_back(world: World, counter: Counter, chance: Random) -> None:
    """Goods of a sale come back, here or at another till, or it is voided."""
    others = [each for each in world.counters.values() if each is not counter and each.done_sales]
    of = chance.choice(others) if others and chance.random() < 0.2 else counter
    verb(world, counter, lambda: selling.take_back(counter, of, chance))


def enrol_member(world: World, counter: Counter, chance: Random) -> None:
    """Somebody joins."""
    verb(world, counter, lambda: selling.join(counter, chance))


def night(world: World, counter: Counter, chance: Random) -> None:
    """The nightly jobs of a till, and a backup of its file."""
    from tests.simulation import machines

    verb(world, counter, lambda: counter.till.nightly())
    machines.save(world, counter, chance)


def rest(world: World, counter: Counter, chance: Random) -> None:
    """Some minutes go by."""
    world.pass_ms(chance.choice((1_000, 5_000, 60_000, 3 * 60_000, 16 * 60_000)))


def long_time(world: World, counter: Counter, chance: Random) -> None:
    """A day, some days, a month."""
    world.skip_ms(chance.choice((DAY_MS // 2, DAY_MS, 3 * DAY_MS, 12 * DAY_MS, 32 * DAY_MS)))


def cut(world: World, counter: Counter, chance: Random) -> None:
    """A line is cut: whole, or one way, so that questions arrive and answers do not."""
    ways = chance.choice(((False, False), (False, True), (True, False)))
    until = chance.choice((60_000, 20 * 60_000, 5 * HOUR_MS, 30 * DAY_MS))
    for line in hub_acts.lines_of(world, counter, chance):
        line.asks, line.answers = ways
        world.after(until, lambda line=line: _join(line))


def worsen(world: World, counter: Counter, chance: Random) -> None:
    """A line loses, doubles, delays, mixes up or answers like a hotel."""
    line = hub_acts.lines_of(world, counter, chance)[0]
    line.loss, line.double = chance.choice((0.0, 0.1, 0.4)), chance.choice((0.0, 0.1, 0.4))
    line.slow_ms = chance.choice((10, 100, 2_000, 6_000))
    line.portal, line.stale = chance.choice((0.0, 0.0, 0.2)), chance.choice((0.0, 0.0, 0.3))


def mend_line(world: World, counter: Counter, chance: Random) -> None:
    """A good line."""
    for line in hub_acts.lines_of(world, counter, chance):
        line.heal()


def swizzle(world: World, counter: Counter, chance: Random) -> None:
    """All lines stop one after another, and come back in another order."""
    lines = list(world.net.lines.values())
    for place, line in enumerate(chance.sample(lines, len(lines))):
        world.after(place * 20_000 + 1, lambda line=line: _part(line))
    for place, line in enumerate(chance.sample(lines, len(lines))):
        world.after((len(lines) + place) * 30_000, lambda line=line: _join(line))


def trouble_disk(world: World, counter: Counter, chance: Random) -> None:
    """A till's disk: soon a statement or a COMMIT kills the machine, fails, or finds no room."""
    trouble(world, counter.machine.disk, chance, 60)


def trouble_office_disk(world: World, counter: Counter, chance: Random) -> None:
    """The same at head office."""
    trouble(world, world.office.machine.disk, chance, 120)


def trouble(world: World, disk: Disk, chance: Random, far: int) -> None:
    """Something goes wrong within so many statements, and a full disk is emptied after a while."""
    kind = chance.choice(("die", "die in commit", "die in commit", "lost commit", "ghost commit", "full"))
    left = chance.randrange(1, far) if kind in ("die", "full") else chance.randrange(1, 4)
    disk.plan(kind, left, Random(chance.randrange(2**32)), for_ever=kind == "full")  # type: ignore[arg-type]
    world.after(far * 10_000, disk.heal)


def cut_power(world: World, counter: Counter, chance: Random) -> None:
    """A till's machine goes dark, whatever waits for an answer, and comes back."""
    if counter.is_up:
        world.at(counter)
        counter.die()
    boot(world, counter)


def turn_clock(world: World, counter: Counter, chance: Random) -> None:
    """A clock jumps, stands still, or is set right."""
    machine = world.office.machine if chance.random() < 0.15 else counter.machine
    machine.stands_at = None
    match chance.randrange(5):
        case 0:
            machine.off_ms = 0
        case 1:
            machine.stands_at = machine.wall()
            world.after(90_000, lambda: _run_again(machine))
        case _:
            far = chance.choice((1_000, 3 * 60_000, HOUR_MS, DAY_MS, 40 * DAY_MS, 3_650 * DAY_MS))
            if machine is world.office.machine:
                far = min(far, HOUR_MS)  # its hours are what everybody goes by
            machine.off_ms = far * chance.choice((-1, 1))


def save(world: World, counter: Counter, chance: Random) -> None:
    """Head office is backed up."""
    if not world.office.is_up:
        return
    path = world.folder / f"night{len(world.backups)}.db"
    with world.office.machine.disk.at_peace():
        at_office(world, lambda: world.office.save(path))
    if path.exists():
        world.backups.append(path)


def restore_office(world: World, counter: Counter, chance: Random) -> None:
    """Head office is lost, and goes on from any backup; the mark beside it is no part of it and stays, as docs/sync.md asks."""
    if not world.backups:
        save(world, counter, chance)
    if world.backups:
        restore_to(world, chance.choice(world.backups))


def restore_to(world: World, saved: Path) -> None:
    """Head office goes on from this backup."""
    boot_office(world)
    world.at(world.office)
    world.office.machine.disk.heal()
    world.chronicle.before_restore()
    world.office.restore(saved)
    world.chronicle.after_restore()


def office_night(world: World, counter: Counter, chance: Random) -> None:
    """What head office does by itself: points expire, members move, sales are asked again."""
    if not world.office.is_up:
        return

    def work() -> None:
        world.office.night()
        if chance.random() < 0.3:
            world.office.look_again()

    at_office(world, work)


def publish(world: World, counter: Counter, chance: Random) -> None:
    """New rules, at once or dated."""
    if not world.office.is_up:
        return
    version, rate = chance.randrange(2, 10**9), chance.randrange(5, 60)
    hours = chance.choice((None, None, 1, 30))
    since = None if hours is None else world.office.machine.wall() + timedelta(hours=hours)
    body = template.programme(world.style, version, rate, world.kind.terms.rules)
    at_office(
        world, lambda: world.office.act(lambda store: steps.publish_programme(store, body, world.office.machine.wall(), since))
    )


def new_machine(world: World, counter: Counter, chance: Random) -> None:
    """A till's machine is lost, or its file goes back to a backup; it is enrolled anew under the next epoch."""
    from tests.simulation import machines

    machines.replace(world, counter, chance)


def revoke(world: World, counter: Counter, chance: Random) -> None:
    """A till's key is taken away by mistake, and it is enrolled anew."""
    from tests.simulation import machines

    if not world.office.is_up or counter.name in world.chronicle.enrolling:
        return
    with suppress(LoyaltyError):
        at_office(world, lambda: world.office.act(lambda store: enrol.revoke(store, counter.name, "boss", world.true.at)))
        machines.enrol_again(world, counter)


def attack(world: World, counter: Counter, chance: Random) -> None:
    """Somebody on the line sends what no till would."""
    rogue.attack(world, chance)


def boot(world: World, counter: Counter) -> None:
    """A machine starts, unless it is gone for good or waits to be enrolled."""
    if counter.is_up or counter.is_retired or counter.name in world.chronicle.enrolling:
        return
    world.at(counter)
    counter.boot()
    selling.look_up(counter)


def come_back(world: World, counter: Counter) -> None:
    """A machine that died starts; one that was about to be enrolled is so after all."""
    from tests.simulation import machines

    if counter.name in world.chronicle.enrolling and not counter.is_retired:
        machines.enrol(world, counter)
    boot(world, counter)


def boot_office(world: World) -> None:
    """Head office starts."""
    if not world.office.is_up:
        world.at(world.office)
        world.office.boot()


def mend_all(world: World) -> None:
    """Good lines, good disks, right clocks, everybody up."""
    boot_office(world)
    for machine in (world.office.machine, *(each.machine for each in world.writers.values())):
        machine.disk.heal()
        machine.stands_at, machine.off_ms = None, 0
    for line in world.net.lines.values():
        line.heal()
    for counter in world.counters.values():
        boot(world, counter)
    if world.hub is not None:
        hub_acts.boot(world, world.hub)


def do_as_told(world: World) -> None:
    """A person reads what the tills say is in the way, and enrols anew whom head office does not take for the till."""
    from tests.simulation import machines

    for counter in list(world.counters.values()):
        if counter.is_up and "enrol" in (outbox.state(counter.db).trouble or ""):
            machines.enrol_again(world, counter)
    if world.hub is not None:
        hub_acts.mend_for_good(world)


def end_all(world: World, counter: Counter) -> None:
    """No sale stays open."""
    while counter.is_up and counter.open_sales and not counter.busy:
        verb(world, counter, lambda: selling.end(counter, Random(len(counter.open_sales))))


def sell_first(world: World, counter: Counter) -> None:
    """A new machine without a fact sells to somebody without a card: a restored head office that forgot it knows it by that."""
    if counter.is_up and not counter.busy and counter.place()[1] == 0:
        verb(world, counter, lambda: selling.sell(counter, Random(0), (None,)))


def verb(world: World, counter: Counter, act: Callable[[], object]) -> None:
    """A verb at a till that is up and does nothing else; what it refuses is no fault."""
    if not counter.is_up or counter.busy is not None:
        return

    def whole() -> None:
        try:
            selling.look_up(counter)
            act()
        except (ConflictError, NotFoundError, NotAllowedError, InputError, HeadOfficeGoneError, StoreError) as error:
            world.say(f"  {counter.name}: {type(error).__name__}: {error}")
        finally:
            counter.busy = None

    counter.busy = counter.spawn(whole)
    world.pass_ms(0)


def at_office(world: World, what: Callable[[], object]) -> object:
    """Head office does something by itself; a failing disk puts it off, a dying machine ends it: None then."""
    world.at(world.office)
    try:
        return what()
    except DiedError:
        world.office.die()
        world.after(60_000, lambda: boot_office(world))
    except StoreError:
        world.office._forget()
    return None


def _run_again(machine: Machine) -> None:
    machine.stands_at = None


def _part(line: Line) -> None:
    line.asks = line.answers = False


def _join(line: Line) -> None:
    line.asks = line.answers = True


ACTS: Mapping[str, Act] = {
    "sell": sell,
    "end": end_one,
    "stand": stand,
    "take back": take_back,
    "enrol": enrol_member,
    "night": night,
    "rest": rest,
    "long time": long_time,
    "cut": cut,
    "worsen": worsen,
    "mend line": mend_line,
    "swizzle": swizzle,
    "trouble disk": trouble_disk,
    "trouble office disk": trouble_office_disk,
    "cut power": cut_power,
    "turn clock": turn_clock,
    "save": save,
    "restore office": restore_office,
    "office night": office_night,
    "publish": publish,
    "new machine": new_machine,
    "revoke": revoke,
    "attack": attack,
}
WEIGHTS: Mapping[str, int] = {
    "sell": 44, "end": 20, "stand": 16, "take back": 14, "enrol": 3, "night": 2, "rest": 44, "long time": 4, "cut": 7,
    "worsen": 6, "mend line": 8, "swizzle": 2, "trouble disk": 6, "trouble office disk": 5, "cut power": 3, "turn clock": 5,
    "save": 4,
    "restore office": 2, "office night": 5, "publish": 3, "new machine": 1, "revoke": 1, "attack": 8,
}  # fmt: skip
NEVER_WITHOUT = ("trouble disk", "save", "restore office")
