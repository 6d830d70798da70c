"""Till machines that are lost, set back to a backup or copied, and what a person does then: enrol the till anew."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from pos_loyalty.errors import HeadOfficeGoneError, LoyaltyError, StoreError
from pos_loyalty.store.db import backup
from tests.simulation.chronicle import ids_in
from tests.simulation.counter import Counter

if TYPE_CHECKING:
    from tests.simulation.store_hub import StoreHub
    from tests.simulation.world import World

AGAIN_MS = 10 * 60_000


def save(world: World, counter: Counter, chance: Random) -> None:
    """A till's file is backed up."""
    if not counter.is_up:
        return
    path = world.folder / f"{counter.name}-{len(counter.saved)}-{counter.made}.db"
    world.at(counter)
    if not path.exists():
        with suppress(StoreError):
            backup(counter.db, path)
            counter.saved.append(path)


def replace(world: World, counter: Counter, chance: Random) -> None:
    """The machine is gone; another begins with an empty file, with a backup, or with the file as it is."""
    if counter.is_retired or counter.name in world.chronicle.enrolling or not world.office.is_up:
        return
    world.at(counter)
    what = chance.choice(("empty", "backup", "backup", "copy"))
    successor = counter.retire(world.folder / f"{counter.name}-machine{counter.made}-{world.true.ms}")
    counter.machine.disk.restart()
    if what == "copy":
        successor.machine.disk.lay(counter.machine.disk._files())
    elif what == "backup" and counter.saved:
        successor.machine.disk.lay({"": chance.choice(counter.saved).read_bytes()})
    world.say(f"  {counter.name} goes on from {what}")
    with world.office.machine.disk.at_peace():
        world.chronicle.gone(counter, ids_in(successor))
    world.counters[counter.name] = successor
    enrol(world, successor)


def enrol_again(world: World, counter: Counter) -> None:
    """The same machine gets another key."""
    if counter.is_retired or counter.name in world.chronicle.enrolling:
        return
    if counter.is_up:
        world.at(counter)
        counter.die()
    enrol(world, counter)


def enrol(world: World, counter: Counter | StoreHub) -> None:
    """A person asks for a code and types it in, again and again until the till, or the hub, is in."""
    world.chronicle.enrolling.add(counter.name)
    world.net.forget_answers(counter.name)
    counter.machine.disk.restart()
    counter.machine.boot()

    def whole() -> None:
        code = ""
        for _ in range(200):
            try:
                code = code or _code(world, counter)
                counter.enrol(code)
                break
            except HeadOfficeGoneError:
                pass  # the same code again
            except LoyaltyError as error:
                world.say(f"  {counter.name} is not enrolled: {error}")
                code = ""
            world.sleep(AGAIN_MS / 1000)
        else:
            raise AssertionError(f"I10: {counter.name} cannot be enrolled")
        world.chronicle.enrolling.discard(counter.name)
        world.after(0, lambda: _boot(world, counter))

    counter.spawn(whole)


def _code(world: World, counter: Counter | StoreHub) -> str:
    from tests.simulation import acts

    code = acts.at_office(world, lambda: world.office.code(counter.name)) if world.office.is_up else None
    world.at(counter)
    if not isinstance(code, str):
        raise HeadOfficeGoneError("nobody there makes a code")
    return code


def _boot(world: World, counter: Counter | StoreHub) -> None:
    from tests.simulation import acts, hub_acts

    if isinstance(counter, Counter):
        acts.boot(world, counter)
    else:
        hub_acts.boot(world, counter)
