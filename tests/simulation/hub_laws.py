"""What holds of a store's hub: it gives no more than it has, its file says the same as the logs, nothing stands in it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pos_loyalty.store import right_holds
from tests.simulation.books import Books, Holder

if TYPE_CHECKING:
    from tests.simulation.world import World


def bounded_giving(world: World, books: Books, void: set[str]) -> None:
    """I1: nobody holds less than nothing of a lot; a hub gives no more than it got.

    Of a hub that is gone facts may be missing everywhere, and head office counts what it holds as nothing at least; of one that a
    person called lost it counts nothing. One whose files were put back gives nothing, so what it holds nobody can have twice.
    What a destroyed till gave back to a hub nobody else may know.
    """
    hubs = world.chronicle.gone_hubs | ({world.hub.holder()} if world.hub is not None else set())
    for holder, lots in books.held.items():
        for lot, centi in lots.items():
            is_excused = holder in world.chronicle.gone_hubs or (holder in hubs and lot in void)
            assert centi >= 0 or is_excused, f"I1: {holder} holds {centi} of lot {lot}"
    for holder in world.chronicle.gone_hubs:
        for lot, centi in books.held[holder].items():
            is_nothing = holder in world.chronicle.lost_hubs or holder in world.chronicle.put_back_hubs
            books.held[holder][lot] = 0 if is_nothing else max(0, centi)


def at_quiet(world: World, books: Books, void: set[str]) -> None:
    """I10: all is brought and the hub gives rights. I6: what it says that it holds is what the logs say."""
    hub = world.hub
    if hub is None:
        return
    world.at(hub)
    health = hub.node.health(hub.machine.wall())
    assert (health.state, health.waiting_facts, health.refused) == ("ok", 0, ()), f"I10: {health}"
    holder: Holder = hub.holder()
    for lot in sorted((books.left.keys() | books.held[holder].keys()) - void):
        said = right_holds.held(hub.db, *holder, (lot,), hub.machine.wall()).get(lot)
        there = 0 if said is None else said.centi
        assert there == max(0, books.held[holder][lot]), (
            f"I6: {hub.name} holds {there} of {lot}, by the logs {books.held[holder][lot]}"
        )
