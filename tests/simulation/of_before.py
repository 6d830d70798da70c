"""Machines of the version before in a world: their code is today's, and on the line they say and read no word that came since.

Rule: which words those are stands in ``tests/versions/before/words.json.gz``, the schema that the version before made of its own
types, with their limits. A till of before asks in protocol 0 alone, and must be able to read every answer. A head office of then
refuses whole what it would have refused. What else that version did otherwise, between reading and answering, is not played.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from pos_loyalty.errors import WireError
from pos_loyalty.values import encode
from sync.wire import PLAIN_BYTES_MAX, Reply, inflate, problem
from tests.versions.before_files import SAID, read

if TYPE_CHECKING:
    from tests.simulation.acts import Act
    from tests.simulation.counter import Counter
    from tests.simulation.net import Question
    from tests.simulation.store_hub import StoreHub
    from tests.simulation.world import Node, World

OFFICE = "HO"
ASKED = {"enrol": "EnrolRequest", "changes": "ChangesRequest", "rights": "RightsRequest", "sold": "SaleQuestion"}
ANSWERED = {
    "enrol": "EnrolAnswer", "log": "Ack", "changes": "Changes", "rights": "RightsAnswer", "sold": "SaleFound",
    "snapshot": "Manifest",
}  # fmt: skip


def not_said(asker: Counter | StoreHub, kind: str, body: bytes) -> Reply | None:
    """What a till of before would never ask: it asks otherwise at once. All else it asks in words of its time."""
    if asker.name not in asker.world.old:
        return None
    if kind in ("log", "changes") and _protocol(kind, body) != 0:
        return _refused("words of another time")
    if kind == "sold" and "after" in json.loads(body):
        return _refused("words of another time")
    trouble = _unknown(kind, body)
    assert not trouble, f"versions: {asker.name} is of before and asks {kind}: {trouble}"
    return None


def check_read(asker: Counter | StoreHub, kind: str, reply: Reply) -> None:
    """A till of before can read what it is told."""
    if asker.name in asker.world.old:
        _check_answer(asker.name, kind, reply)


def answer(world: World, node: Node, question: Question) -> Reply:
    """What a node answers; a head office of before refuses what it does not know."""
    if node is not world.office or OFFICE not in world.old:
        return node.answer(question)
    if question.kind == "log" and question.by and question.by != question.till:
        return _refused("this token is of another till", "token", 401)
    trouble = _unknown(question.kind, question.body)
    if trouble:
        return _refused(trouble)
    reply = node.answer(question)
    _check_answer(OFFICE, question.kind, reply)
    return reply


def upgrade(world: World, counter: Counter, chance: Random) -> None:
    """A machine of before is brought up: it stops and goes on as one of today."""
    if world.old:
        _upgrade(world, chance.choice(sorted(world.old)))


def upgrade_rest(world: World) -> None:
    """At quiet nothing of before is left, where the world is not one in which it stays."""
    if not world.kind.stays_old:
        for name in sorted(world.old):
            _upgrade(world, name)


def _upgrade(world: World, name: str) -> None:
    from tests.simulation import acts

    world.old.discard(name)
    world.say(f"  {name} is of this version now")
    if name == OFFICE:
        if world.office.is_up:
            world.at(world.office)
            world.office.die()
        acts.boot_office(world)
    else:
        acts.cut_power(world, world.counters[name], Random(0))


def _check_answer(who: str, kind: str, reply: Reply) -> None:
    if reply.status == 200 and reply.content_type == "application/json" and kind in ANSWERED:
        trouble = _read_by(ANSWERED[kind], reply.body)
        assert not trouble, f"versions: {kind} as {who} of before reads it: {trouble}"


def _unknown(kind: str, body: bytes) -> str:
    """Why a head office of before refuses this question; empty: it does not."""
    if kind == "log":
        return _unknown_batch(body)
    if kind == "changes" and (trouble := _other_build(json.loads(body)["peer"])):
        return trouble
    return _read_by(ASKED[kind], body) if kind in ASKED else ""


def _unknown_batch(body: bytes) -> str:
    try:
        header, *facts, _ = inflate(body, PLAIN_BYTES_MAX).split(b"\n")
        said = json.loads(header)
    except (WireError, ValueError):
        return ""  # noise: the one of today says what is wrong with it
    if trouble := _other_build(said) or _read_by("BatchHeader", header):
        return trouble
    return next((trouble for fact in facts if (trouble := _read_by("Fact", fact))), "")


def _other_build(said: Mapping[str, Any]) -> str:
    return "" if (said["protocol"], said.get("build")) == (0, SAID["build"]) else "the other side is of another build"


def _protocol(kind: str, body: bytes) -> int:
    if kind == "log":
        body = inflate(body, PLAIN_BYTES_MAX).partition(b"\n")[0]
    said = json.loads(body)
    return int((said if kind == "log" else said["peer"])["protocol"])


@lru_cache(50_000)
def _read_by(name: str, body: bytes) -> str:
    """What stands in the way of reading these bytes in the version before; empty: nothing."""
    try:
        said = json.loads(body)
    except ValueError:
        return "no JSON"
    error = next(_reader(name).iter_errors(said), None)
    return "" if error is None else f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"


@cache
def _reader(name: str) -> Any:
    return jsonschema_rs.validator_for({"$ref": f"#/$defs/{name}", "$defs": json.loads(read("words.json.gz"))})


def _refused(why: str, kind: str = "wire", status: int = 422) -> Reply:
    body = encode(problem(kind, status, why))  # type: ignore[arg-type]
    return Reply(status=status, content_type="application/problem+json", body=body)


ACTS: Mapping[str, Act] = {"upgrade": upgrade}
WEIGHTS: Mapping[str, int] = {"upgrade": 2}
