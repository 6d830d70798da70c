"""Worlds in which members who joined buy too, two of them turn out to be one person, and some have themselves erased."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from pos_loyalty.store import staff as rows
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.member_model import EraseRequest
from pos_loyalty.till.staff_model import MergeRequest
from tests.simulation import acts, selling
from tests.simulation.chronicle import Row, plainly

if TYPE_CHECKING:
    from tests.simulation.acts import Act
    from tests.simulation.counter import Counter
    from tests.simulation.world import World

CASHIER, SENIOR = Approval(person="C7", pin="246800"), Approval(person="S1", pin="998877")
SALT = bytes(staff.SALT_BYTES)
"""One for all: a slow hash is made once a process (``ground.py``)."""
NEWEST = 6
ALLOWED = {"member.merged", "merge.short", "merge.contradicted", "member.erased", "member.unknown"}
"""Cases of tills that had not heard that two members were one, or that one was erased; or merged the same two."""


def buy(world: World, counter: Counter, chance: Random) -> None:
    """Somebody who joined buys."""
    if who := _newest(world):
        acts.verb(world, counter, lambda: selling.sell(counter, chance, who))


def merge(world: World, counter: Counter, chance: Random) -> None:
    """Two members are one person. Another till, which has not heard of it, may say so too, or the other way round."""
    known = _newest(world)
    if not known:
        return
    loser, into = chance.choice((*known, "M2")), chance.choice((*known, "M1"))
    if loser == into:
        return
    n = world.events["merge"]
    tills = [counter, *world.counters.values()]
    for here in tills[: chance.choice((1, 1, 1, 3))]:
        acts.verb(world, here, lambda here=here: _merge(here, loser, into, n))


def erase(world: World, counter: Counter, chance: Random) -> None:
    """A member has themselves erased."""
    if who := _newest(world):
        member_id, n = chance.choice(who), world.events["erase"]
        acts.verb(world, counter, lambda: _erase(counter, member_id, n))


def _newest(world: World) -> tuple[str, ...]:
    return tuple(world.chronicle.joined[-NEWEST:])


def _merge(counter: Counter, loser: str, into: str, n: int) -> None:
    _staff(counter)
    request = MergeRequest(into=into, reason="one person", by=CASHIER, approval=SENIOR)
    answer = counter.till.merge(loser, request, f"merge {counter.name} {n} {counter.made}")
    counter.world.say(f"  {loser} into {into}: {answer.lots} lots, {answer.moved_centi}")


def _erase(counter: Counter, member_id: str, n: int) -> None:
    _staff(counter)
    counter.till.erase(member_id, EraseRequest(by=SENIOR, reason="asked for it"), f"erase {counter.name} {n} {counter.made}")
    counter.world.say(f"  {member_id} is erased")


def _staff(counter: Counter) -> None:
    """They are private to a till's file, and a new machine does not know them."""
    if plainly(counter.db, "SELECT COUNT(*) FROM staff", ()).fetchone()[0] == 0:
        desk = counter.till._desk
        for who, role in ((CASHIER, "cashier"), (SENIOR, "senior")):
            hidden = staff.pin_hash(who.pin or "", SALT, desk.secrets.pepper)
            rows.put(desk.db, who.person, role, SALT, hidden)  # type: ignore[arg-type]


# Laws.


def look_at_quiet(world: World, held: list[Row]) -> None:
    """I13: of whom head office holds that they are erased nobody has a key. I7: between two who became one nothing is left."""
    erased = set()
    for row in held:
        if b'"state":"erased"' in row.payload:
            erased.add(json.loads(row.payload)["member"])
    for node in (world.office, *world.writers.values()):
        world.at(node)
        keyed = {member for (member,) in plainly(node.db, "SELECT member FROM member_key", ())}
        assert not erased & keyed, f"I13: {node.name} has keys of {sorted(erased & keyed)}"
        sealed = "SELECT id FROM member WHERE personal IS NOT NULL OR phone_index IS NOT NULL"
        open_ = erased & {member for (member,) in plainly(node.db, sealed, ())}
        assert not open_, f"I13: {node.name} still has fields of {sorted(open_)}"
    cases = plainly(world.office.db, "SELECT COUNT(*) FROM suspense_case", ()).fetchone()[0]
    between = plainly(world.office.db, "SELECT account, amount FROM balance WHERE account GLOB 'merge:*' AND amount <> 0", ())
    assert cases or not (left := between.fetchall()), f"I7: {left}"


ACTS: Mapping[str, Act] = {"buy": buy, "merge": merge, "erase": erase}
WEIGHTS: Mapping[str, int] = {"enrol": 8, "buy": 12, "merge": 4, "erase": 2}
