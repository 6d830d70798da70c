"""Facts of a till that lies: good ones with a value, a list or a name changed, signed and chained as a till's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from hashlib import sha256
from random import Random
from typing import Any

from pos_loyalty.errors import InputError
from pos_loyalty.store.facts import fact_of, payload_of
from sync import identity
from sync.wire import BatchHeader, deflate, plain_batch
from tests.simulation.shop import signer_of

NUMBERS = (0, 1, -1, 2, 100, -100, 2**31, 10**15, 10**17, 2**53, 2**62, 2**63 - 1, -(2**63))
WORDS = (
    "", "x", "M" * 64, "x" * 5000, "0" * 32, "f" * 32, "1", "-", "٣", "\u0000", "\n", "é", "🙂" * 10, "\ud7ff", "a/b", "* ? [a",
    "'; DROP TABLE txn;--", "member:", "gift:", "suspense", "owed:member-1", "member:member-1", "T1", "point", "RUB",
)  # fmt: skip
INSTANTS = (
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2026-11-21T12:00:00",
    "2026-03-29T02:30:00+14:00", "2026-11-21T09:30:05.123456Z", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999Z",
)  # fmt: skip
ITS_PLACE = {("schema",), ("till",), ("epoch",), ("seq",), ("hlc",), ("id",)}
Json = Any


def words_of(facts: Sequence[Json]) -> tuple[str, ...]:
    """Every text that stands in some facts: a name in the place of another is the likeliest lie."""
    return tuple(sorted({value for fact in facts for path in _paths(fact) if isinstance(value := _at(fact, path), str)}))


def forged(fact: Json, random: Random, words: Sequence[str]) -> Json:
    """The fact with one to three places changed."""
    made = deepcopy(fact)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        path = random.choice([path for path in _paths(made) if path not in ITS_PLACE])
        _change(_at(made, path[:-1]), path[-1], random, words)
    return made


def placed(fact: Json, seq: int, random: Random) -> bytes:
    """Its bytes as the ``seq``-th of a log: canonical, where it can be read at all."""
    fact = {**fact, "seq": seq, "hlc": 10**17 + seq, "id": f"{random.getrandbits(128):032x}"}
    try:
        return payload_of(fact_of(json.dumps(fact).encode()))
    except (InputError, UnicodeEncodeError):
        return json.dumps(fact, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def signed(payload: bytes, seq: int, prev_hash: bytes, random: Random) -> tuple[bytes, bytes]:
    """A batch of till T1 with this fact alone, and the hash of its head."""
    signer, head = signer_of("T1"), sha256(prev_hash + payload).digest()
    header = BatchHeader(
        protocol=1, schema=0, till="T1", epoch=1, first_seq=seq, prev_hash=prev_hash.hex(), head_hash=head.hex(),
        count=1, member_keys=_keys(payload, random), credential=signer.credential,
        signature=identity.sign(identity.head_said("T1", 1, seq, head.hex()), signer.private_key),
    )  # fmt: skip
    return deflate(plain_batch(header, [payload])), head


def _keys(payload: bytes, random: Random) -> dict[str, bytes]:
    """A data key of the member whom the fact is about, at times of a length that no cipher has."""
    fact = json.loads(payload)
    about = fact.get("enrolment") or fact.get("change") or {}
    member = about.get("member_id") if isinstance(about, dict) else None
    if not (isinstance(member, str) and 0 < len(member) <= 64):
        return {}
    return {member: random.randbytes(random.choice((16, 20, 32, 32, 64)))}


def _change(whole: Json, place: Json, random: Random, words: Sequence[str]) -> None:
    value, chance = whole[place], random.random()
    if chance < 0.08:
        del whole[place]
    elif chance < 0.12:
        whole[place] = None
    elif isinstance(value, bool):
        whole[place] = not value
    elif isinstance(value, int):
        whole[place] = random.choice((*NUMBERS, value + 1, value - 1, -value, value * 10))
    elif place == "quantity":
        whole[place] = random.choice(("0", "0.001", "1", "2.5", "1000", "9999999.999"))
    elif isinstance(value, str):
        is_instant = len(value) > 18 and value[4] == "-" and value[10] == "T"
        whole[place] = random.choice(INSTANTS if is_instant else WORDS if random.random() < 0.4 else words)
    elif isinstance(value, list) and value:
        whole[place] = random.choice(([], [*value, deepcopy(random.choice(value))], deepcopy(value) * 4))


def _paths(value: Json, path: tuple[Json, ...] = ()) -> Iterator[tuple[Json, ...]]:
    """Every place but the whole."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from _paths(part, (*path, key))


def _at(value: Json, path: tuple[Json, ...]) -> Json:
    for key in path:
        value = value[key]
    return value
