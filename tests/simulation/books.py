"""The simulator's own books: what the logs say of lots and rights, read as plain JSON, without a line of production code."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

HELD_BY = ("member:", "gift:")
"""Accounts of members, and of gift cards, each of which is a lot of its own."""
Holder = tuple[str, int]
"""Till and epoch."""


class Given(NamedTuple):
    """A grant. ``giver``: the hub that gives out of its own; None for head office."""

    grant_id: str
    whose: Holder
    lines: tuple[tuple[str, int], ...]
    giver: Holder | None


@dataclass(frozen=True)
class Told:
    """What one fact says."""

    id: bytes
    till: str
    epoch: int
    seq: int
    kind: str
    moves: tuple[tuple[str, int], ...]
    """Lot, or gift card, and what its member's points in it, or its money, gain or lose."""
    ends: tuple[tuple[str, datetime | None], ...]
    """Lots that it makes, with their ends."""
    grant: Given | None
    back: tuple[tuple[str, int], ...]
    to: Holder | None
    """The hub that ``back`` goes to; None for head office."""

    @property
    def lots(self) -> set[str]:
        """All lots that it speaks of."""
        granted = () if self.grant is None else self.grant.lines
        return {lot for lot, _ in (*self.moves, *self.back, *granted)}


@dataclass
class Books:
    """The sums."""

    left: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    held: defaultdict[Holder, defaultdict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    on_its_way: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    ends: dict[str, datetime | None] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    """Lots of which head office booked that they ended: what tills still hold of them is of no use to anybody."""


_known: dict[tuple[bytes, bytes], Told] = {}
"""By the whole payload: a world that is played again without a fault has facts of the same ids that say something else."""


def read(id_: bytes, payload: bytes) -> Told:
    """A fact, read once."""
    key = id_, payload
    if key not in _known:
        if len(_known) > 20_000:
            _known.clear()
        _known[key] = _told(id_, json.loads(payload))
    return _known[key]


def fold(
    facts: Iterable[Told],
    own: str,
    live: Container[Holder] = frozenset(),
    gone: Container[Holder] = frozenset(),
    had: Container[str] = frozenset(),
) -> Books:
    """Lots and rights as of these facts, in any order. ``own``: the name of head office's own log, which holds nothing.

    ``live``: who may still take what is on its way to them. ``gone``: hubs whose own log may be lost; what was given to them they
    had. ``had``: grants that were taken whatever became of the log that says so. A hub that gave has less, whether its own log
    tells of it or only that of the till that took it. What was on its way when head office began anew never comes.
    """
    books = Books()
    given: dict[str, Given] = {}
    given_in: dict[str, int] = {}
    own_epoch = 0
    taken: set[str] = set()
    for fact in facts:
        holder = (fact.till, fact.epoch)
        if fact.till == own:
            own_epoch = max(own_epoch, fact.epoch)
        for lot, centi in fact.moves:
            books.left[lot] += centi
            if fact.till != own:
                books.held[holder][lot] += centi
            elif fact.kind == "points.expired":
                books.expired.add(lot)
        books.ends.update(fact.ends)
        for lot, centi in fact.back:
            books.held[holder][lot] -= centi
            if fact.to is not None:
                books.held[fact.to][lot] += centi
        if fact.grant is not None:
            grant = fact.grant
            given.setdefault(grant.grant_id, grant)
            if fact.kind == "rights.granted":
                given_in[grant.grant_id] = fact.epoch
                continue
            if grant.grant_id in taken:
                raise AssertionError(f"I4: grant {grant.grant_id} was taken twice")
            taken.add(grant.grant_id)
    for grant in given.values():
        is_had = grant.grant_id in taken or grant.grant_id in had or grant.whose in gone
        for lot, centi in grant.lines:
            if grant.giver is not None:
                books.held[grant.giver][lot] -= centi
            if is_had:
                books.held[grant.whose][lot] += centi
            elif grant.whose in live and (grant.giver is not None or given_in[grant.grant_id] == own_epoch):
                books.on_its_way[lot] += centi
    return books


def _told(id_: bytes, fact: dict[str, Any]) -> Told:
    moves: list[tuple[str, int]] = []
    ends: list[tuple[str, datetime | None]] = []
    for entry in fact.get("entries") or ():
        lot = entry.get("lot_id")
        assert entry["amount"] > 0 and entry["debit"] != entry["credit"], "I7: an entry moves something from one to another"
        if lot is None:
            continue
        gain = entry["credit"].startswith(HELD_BY) - entry["debit"].startswith(HELD_BY)
        if gain:
            moves.append((lot, gain * entry["amount"]))
        if gain > 0 and entry["kind"] == "accrue":
            ends.append((lot, None if entry["expires_at"] is None else datetime.fromisoformat(entry["expires_at"])))
    grant, back = fact.get("grant"), fact.get("give_back")
    return Told(
        id=id_,
        till=fact["till"],
        epoch=fact["epoch"],
        seq=fact["seq"],
        kind=fact["kind"],
        moves=tuple(moves),
        ends=tuple(ends),
        grant=None if grant is None else Given(grant["grant_id"], _holder(grant), _lines(grant["lines"]), _other(grant, "giver")),
        back=() if back is None else _lines(back["lines"]),
        to=None if back is None else _other(back, "to"),
    )


def _holder(said: dict[str, Any]) -> Holder:
    return said["till"], said["epoch"]


def _other(said: dict[str, Any], name: str) -> Holder | None:
    return _holder(said[name]) if said.get(name) else None


def _lines(lines: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    """Rights to a unique code are another matter: who sold for it tells (``papers.codes_pay_once``)."""
    return tuple((line["lot_id"], line["centi"]) for line in lines if not line["lot_id"].startswith("coupon:"))
