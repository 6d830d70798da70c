"""What somebody on the line sends who has no till's key: genuine batches again, changed, under another name; bombs and noise."""

from __future__ import annotations

import gzip
from random import Random
from typing import TYPE_CHECKING

from sync import identity
from tests.simulation.net import HUB, Question
from tests.simulation.office import OFFICE

if TYPE_CHECKING:
    from tests.simulation.world import World


BOMB = gzip.compress(bytes(9 * 1024 * 1024))


def attack(world: World, chance: Random) -> None:
    """One message. Head office refuses it, or has it already: what it holds is what it held."""
    seen = [each for each in world.net.seen if not each.by.endswith(HUB)]
    if not world.office.is_up or not seen:
        return
    genuine = chance.choice(seen)
    kind = chance.choice(("again", "again", "changed", "other till", "other key", "bomb", "noise", "no token", "gap"))
    question = _question(kind, genuine, chance, world)
    world.at(world.office)
    world.office.machine.disk.heal()
    before = _held(world)
    reply = world.answer(question)
    assert reply is not None
    world.say(f"  attack: {kind} {reply.status}")
    if kind == "again":
        return  # a genuine batch that was lost on its way may well come this way
    assert reply.status in (401, 409, 413, 422), f"I4: {kind} was answered with {reply.status}"
    assert _held(world) == before, f"I4: {kind} changed what head office holds"


def _held(world: World) -> list[tuple[object, ...]]:
    db = world.office.db
    return [
        *db.execute("SELECT COUNT(*), MAX(rowid) FROM txn").fetchall(),
        *db.execute("SELECT id, epoch, applied_seq, applied_hash, frozen FROM till ORDER BY id").fetchall(),
        *db.execute("SELECT COUNT(*), SUM(remaining) FROM lot").fetchall(),
    ]


def _question(kind: str, genuine: Question, chance: Random, world: World) -> Question:
    till, token, body = genuine.till, genuine.token, genuine.body
    match kind:
        case "changed" | "other key" | "gap":
            lines = gzip.decompress(body).split(b"\n")
            body = gzip.compress(b"\n".join(_changed(kind, lines, chance)))
        case "other till":
            till = chance.choice([name for name in world.counters if name != till])
            token = identity.token_of(OFFICE.token_secret, till, 1) if chance.random() < 0.5 else token
        case "bomb":
            body = BOMB
        case "noise":
            body = chance.randbytes(chance.randrange(1, 400))
        case "no token":
            token = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    return Question("log", till, token, body)


def _changed(kind: str, lines: list[bytes], chance: Random) -> list[bytes]:
    """A batch whose signature does not hold any more: a fact with another amount, another key's signature, a number left out."""
    header = lines[0]
    if kind == "changed" and b'"amount":' in lines[-2]:
        return [header, *lines[1:-2], lines[-2].replace(b'"amount":', b'"amount":9', 1), lines[-1]]
    if kind == "gap":
        at = header.index(b'"first_seq":') + len(b'"first_seq":')
        return [header[:at] + b"9" + header[at:], *lines[1:]]
    at = header.index(b'"signature":"', header.index(b"}"))
    forged = identity.sign(header, "77" * 32).encode()
    start = at + len(b'"signature":"')
    return [header[:start] + forged + header[start + 128 :], *lines[1:]]
