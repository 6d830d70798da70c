"""Random packing problems of every shape, by seed, as plain JSON; and the same as the engine's own values."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

from pos_loyalty.engine.packing import EachUnit, GiftOf, Kind, NOfGroup, Offer, SetOf, Slot

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
SCALE = 10_000
RATES = (1000, 2500, 5000, 10_000)


def problem(seed: int, units_max: int = 12) -> Json:
    """A small problem in which most offers compete; equal prices, floors, limits and money are common."""
    random = Random(seed)
    kinds: list[list[int]] = []
    units = random.randint(2, units_max)
    prices = [random.randint(1, 40) * 50 for _ in range(6)]
    while units > 0:
        count = min(units, random.choice((1, 1, 1, 2, 3)))
        price = random.choice(prices) * SCALE
        room = random.choice((price, price, price, price // 2, price // 10 * 7, 0))
        kinds.append([price, room, count])
        units -= count
    has_floors = random.random() < 0.4
    if not has_floors:
        kinds = [[price, price, count] for price, _, count in kinds]
    offers = [_offer(random, kinds, number) for number in range(random.randint(1, 5))]
    return {"kinds": kinds, "offers": offers}


def _offer(random: Random, kinds: list[list[int]], number: int) -> Json:
    form = random.choice(("each", "group", "group", "group", "set", "set", "set", "gift"))
    offer: Json = {
        "id": f"o{number}",
        "priority": random.randint(0, 2),
        "form": form,
        "times": random.choice((None, None, None, 1, 2)),
        "money": None,
        "is_whole": False,
    }
    if random.random() < 0.25:
        offer["money"] = random.randint(1, 60) * 50 * SCALE
        offer["is_whole"] = random.random() < 0.5
    offer |= _shape(random, kinds, form)
    return offer


def _some(random: Random, kinds: list[list[int]]) -> list[int]:
    share = random.choice((0.4, 0.7, 1.0))
    return sorted({number for number in range(len(kinds)) if random.random() < share} or {random.randrange(len(kinds))})


def _shape(random: Random, kinds: list[list[int]], form: str) -> Json:
    rate_bp = random.choice(RATES)
    if form == "each":
        values = [[kind, min(kinds[kind][1], random.randint(1, 20) * 10 * SCALE)] for kind in _some(random, kinds)]
        return {"values": [pair for pair in values if pair[1] > 0]}
    if form == "group":
        n = random.randint(2, 4)
        flags = {
            name: random.random() < chance for name, chance in (("is_dearest", 0.3), ("is_partial", 0.7), ("is_basket", 0.15))
        }
        return {"kinds": _some(random, kinds), "n": n, "k": random.randint(1, min(n, 2)), "rate_bp": rate_bp} | flags
    if form == "set":
        slots = [{"kinds": _some(random, kinds), "count": random.randint(1, 2)} for _ in range(random.choice((1, 1, 2, 2, 3)))]
        money: Json = {"fixed": None, "rate_bp": None, "amount": None}
        which = random.choice(("fixed", "rate_bp", "amount"))
        money[which] = rate_bp if which == "rate_bp" else random.randint(1, 60) * 50 * SCALE
        return {"slots": slots} | money
    gifts = _some(random, kinds)
    gifts.sort(key=lambda kind: (kinds[kind][0], kind), reverse=random.random() < 0.3)
    buy = [{"kinds": _some(random, kinds), "count": random.randint(1, 2)} for _ in range(random.choice((1, 1, 2)))]
    return {"buy": buy, "gifts": gifts, "qty": random.randint(1, 2), "rate_bp": rate_bp}


def beside(one: Json, other: Json) -> Json:
    """Two problems as one: they share no unit."""
    moved = json.loads(json.dumps(other))
    step = len(one["kinds"])
    for offer in moved["offers"]:
        offer["id"] += "b"
        offer["kinds"] = [kind + step for kind in offer.get("kinds", ())]
        offer["gifts"] = [kind + step for kind in offer.get("gifts", ())]
        offer["values"] = [[kind + step, value] for kind, value in offer.get("values", ())]
        for slot in (*offer.get("slots", ()), *offer.get("buy", ())):
            slot["kinds"] = [kind + step for kind in slot["kinds"]]
    return {"kinds": one["kinds"] + moved["kinds"], "offers": one["offers"] + moved["offers"]}


def asked(told: Json) -> tuple[list[Kind], list[Offer]]:
    """A problem in the engine's words."""
    kinds = [Kind(price=price, room=room, count=count) for price, room, count in told["kinds"]]
    return kinds, [_as_offer(offer) for offer in told["offers"]]


def _as_offer(told: Json) -> Offer:
    shape: EachUnit | NOfGroup | SetOf | GiftOf
    if told["form"] == "each":
        shape = EachUnit(values=tuple((kind, value) for kind, value in told["values"]))
    elif told["form"] == "group":
        shape = NOfGroup(
            kinds=tuple(told["kinds"]),
            n=told["n"],
            k=told["k"],
            rate_bp=told["rate_bp"],
            is_dearest=told["is_dearest"],
            is_partial=told["is_partial"],
            is_basket=told["is_basket"],
        )
    elif told["form"] == "set":
        shape = SetOf(slots=_slots(told["slots"]), fixed=told["fixed"], rate_bp=told["rate_bp"], amount=told["amount"])
    else:
        shape = GiftOf(buy=_slots(told["buy"]), gifts=tuple(told["gifts"]), qty=told["qty"], rate_bp=told["rate_bp"])
    return Offer(
        id=told["id"],
        priority=told["priority"],
        shape=shape,
        times=told["times"],
        money=told["money"],
        is_whole=told["is_whole"],
    )


def _slots(told: list[Json]) -> tuple[Slot, ...]:
    return tuple(Slot(kinds=tuple(slot["kinds"]), count=slot["count"]) for slot in told)


class Oracle:
    """A solver in a process of its own, at work on problems while the caller does something else."""

    def __init__(self, name: str, problems: list[Json], folder: Path) -> None:
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(told) + "\n" for told in problems), encoding="utf-8")
        command = [sys.executable, "-m", f"tests.oracles.{name}"]
        self._answers = folder / f"{name}.answers"
        with path.open("rb") as asked_of_it, self._answers.open("wb") as answers:
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=asked_of_it, stdout=answers)

    def optima(self) -> list[int]:
        """The answers to all problems, in their order."""
        assert self._process.wait() == 0
        return [int(line) for line in self._answers.read_text(encoding="utf-8").splitlines()]
