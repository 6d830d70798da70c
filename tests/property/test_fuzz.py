"""No input makes the engine raise anything but a LoyaltyError with a word in it: spoilt baskets, members, states and files."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import Basket, Member, Quote, State
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.values import decode, encode
from tests.property.seeded_worlds import World, effort, wild_world
from tests.worlds import NOW

COUNT = effort(few=300, some=2_000, many=20_000)
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**13, 10**30, 0.5, 1e300),
    *("", " ", "x", "1e3", "-1", "NaN", "0.0001", "999999999", "100%", "100.001%", "25:00", "2026-02-30", "0", "ü" * 300, "\x00"),
    *([], {}, [[]], [None], {"": None}, ["a", "a"], {"is": "member"}, {"do": "percent"}),
)
WORDS = (
    "percent",
    "points",
    "order",
    "item",
    "r0",
    "r1",
    "aa",
    "best_of",
    "exclusive",
    "max",
    "cheapest",
    "scanned",
    "0.01",
    "3.00",
)


def spoilt(chance: Random, document: Any) -> Any:
    """The document with one to three places changed: junk, another word, a thing doubled or taken away."""
    document = deepcopy(document)
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            return document
        holder, key = chance.choice(places)
        what = chance.random()
        if what < 0.3 and type(holder[key]) is int:
            holder[key] = chance.choice((0, 1, holder[key] + 1, holder[key] - 1, 10 * holder[key], 10**9))
        elif what < 0.4:
            holder[key] = deepcopy(chance.choice(JUNK))
        elif what < 0.6:
            holder[key] = chance.choice(WORDS)
        elif what < 0.85:
            del holder[key]
        elif isinstance(holder, list):
            holder.append(deepcopy(holder[key]))
        else:
            other_holder, other = chance.choice(places)
            holder[key] = deepcopy(other_holder.get(other)) if isinstance(other_holder, dict) else deepcopy(other_holder[-1:])
    return document


def _places(node: Any) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            yield node, key
            yield from _places(value)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield node, number
            yield from _places(value)


def asked(text: bytes, basket: bytes, member: bytes, state: bytes) -> Quote:
    """From bytes to a quote, as a till does."""
    programme = load_programme(text)
    who = decode(member, Member | None)  # type: ignore[arg-type]
    return quote(decode(basket, Basket), who, programme, decode(state, State), NOW)


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def spoilt_text(chance: Random, text: str) -> bytes:
    """A file with a stretch of it doubled, moved, cut or overwritten."""
    start = chance.randrange(len(text))
    end = min(len(text), start + chance.choice((1, 2, 5, 40)))
    piece = chance.choice(("", text[start:end] * 2, '"', "[", "{", "\n", "=", "0", "x", ",", "я", "\x00", chance.choice(WORDS)))
    data = (text[:start] + piece + text[end:]).encode()
    return data[:-1] + b"\xff" if chance.random() < 0.02 else data


def test_spoilt_worlds_raise_nothing_but_ours() -> None:
    told: Counter[str] = Counter()
    for seed in range(COUNT):
        chance = Random(f"spoilt {seed}")
        world = wild_world(seed)
        parts: list[Any] = [world.programme, world.basket, world.member, world.state]
        number = chance.choice((0, 0, 1, 1, 2, 3))
        parts[number] = spoilt(chance, parts[number])
        try:
            text = World(parts[0], {}, None, {}).text.encode()
        except (AttributeError, TypeError, ValueError):
            told["not a table"] += 1
            continue
        if chance.random() < 0.1:
            text = spoilt_text(chance, world.text)
        _try(told, seed, text, [_bytes(part) for part in parts[1:]])
    print(f"\nspoilt worlds: {dict(told)}")
    assert told["answered"] and told["refused"]


def _try(told: Counter[str], seed: int, text: bytes, parts: list[bytes]) -> None:
    basket, member, state = parts
    try:
        answer = asked(text, basket, member, state)
    except LoyaltyError as error:
        assert str(error)
        told["refused"] += 1
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 - any other exception is what this looks for
        shown = f"{text.decode(errors='replace')}\n# basket = {basket.decode()}\n# member = {member.decode()}"
        pytest.fail(f"seed {seed}: {type(error).__name__}: {error}\n{shown}\n# state = {state.decode()}")
    else:
        assert decode(encode(answer), Quote) == answer
        assert 0 <= answer.due_minor <= answer.total_minor <= answer.gross_minor
        told["answered"] += 1
