"""The store's rights at its hub: given to the till where a member stands, out of what it holds, and called back from others.

Rule: what the hub gives stands in its own log before the answer goes out, and is its own no more. What a till gave back is its
own once that till's signed log says so. So the sum over all logs stays what head office granted, whatever is lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pos_loyalty.clock import NewId
from pos_loyalty.engine.model import CENTI_MAX
from pos_loyalty.store import epochs, follow, relay, relay_cards, relay_income, right_holds
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import AFTER_MAX, LINES_MAX, GrantFact, LogPart, RightHolder, RightLine
from pos_loyalty.store.right_moves import is_lent
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Points, Value, decode, encode
from sync.hub import lending
from sync.identity import Credential
from sync.rights import GRANTS_MAX, RightsAnswer, RightsRequest, Want

GIVEN_MAX: Final = 500
CALLED_FOR: Final = timedelta(minutes=1)
CALLED: Final = "called"
"""A word of what the hub keeps: what head office would have."""


class Called(Value):
    """A member stands at a till, or a card or a code was presented there, and another one may hold rights to it. ``till`` is
    empty when it was presented in another store: head office would have it."""

    till: str
    at: datetime


def note_called(relay_db: Connection, lots: Sequence[str], now: datetime) -> None:
    """Head office would have these cards and codes: the hub's line says so to who answers its tills."""
    outside = Called(till="", at=now)
    with write(relay_db):
        relay.put_word(relay_db, CALLED, encode(dict.fromkeys(lots, outside)))


def called_outside(relay_db: Connection) -> dict[str, Called]:
    """What head office said last that it would have."""
    kept = relay.word(relay_db, CALLED)
    return {} if kept is None else decode(kept, dict[str, Called])


class Terms(NamedTuple):
    """On which terms this answer is given. ``lease``: the longest for which a till may use what it gets."""

    new_id: NewId
    now: datetime
    lease: timedelta


def note_income(db: Connection, hub: RightHolder, facts: Sequence[Fact], now: datetime) -> None:
    """What tills gave back to this hub in facts that come now, and what these say of gift cards. On disk before the facts count
    as kept; again changes nothing."""
    ours = {fact.id for fact in facts if fact.give_back is not None and fact.give_back.to and fact.give_back.to.till == hub.till}
    told = [fact for fact in facts if fact.id in ours or fact.gift_card is not None or fact.grant is not None]
    if not told:
        return
    with write(db):
        for fact in told:
            relay_cards.hear(db, fact)
            if fact.id in ours and fact.give_back is not None and fact.give_back.to:
                by = LogPart(till=fact.till, epoch=fact.epoch, seq=fact.seq)
                relay_income.add(db, by, fact.give_back.lines, fact.give_back.to.epoch)
                relay_income.came(db, by)
                relay_cards.rests(db, [line.lot_id for line in fact.give_back.lines], now)


def is_behind(db: Connection, seen: Place | None) -> bool:
    """Whether somebody was told of a fact of the hub's own log that is not there: its file was put back from a backup."""
    here = epochs.place_of(db)
    if seen is None or seen.epoch != here.epoch:
        return seen is not None and seen.epoch > here.epoch
    return right_holds.hash_of_own(db, seen.epoch, seen.seq) != seen.hash


def answer(
    db: Connection, relay_db: Connection, hub: RightHolder, asker: Credential, asked: RightsRequest, terms: Terms
) -> RightsAnswer:
    """What the till gets, durably noted when this returns; the same grants again until its log says that it took them."""
    now = terms.now
    with write(db):
        known = relay_income.known_from(db, asker.till)
        if known is None or known[0] < asked.head.epoch:  # whatever it gives back to this hub comes after its head now
            relay_income.put_known_from(db, asker.till, asked.head.epoch, _known_of(known, asker, asked.head))
        lent = lending.held(db, hub, lending.shown(db, asked), now)
        lines = (*(line for line, _ in lent), *_lines(db, hub, asked.wants, now))[:LINES_MAX]
        if lines:
            grant = GrantFact(
                grant_id=terms.new_id().hex,
                till=asker.till,
                epoch=asker.epoch,
                lease_until=_lease(db, hub, lines, terms),
                lines=lines,
                cards=tuple(one.card for _, one in lent if one.card is not None),
                giver=hub,
                after=relay_income.logs_of(db, hub, (line.lot_id for line in lines), asker.till)[:AFTER_MAX],
            )
            follow.book(db, Draft(id=terms.new_id(), kind="rights.granted", store=asker.store, body=grant), now)
        given = right_holds.given_by(db, asker.till, asker.epoch, hub, GIVEN_MAX)
        head = epochs.place_of(db)
    fresh = tuple(grant for grant in given if not relay.is_taken(relay_db, grant.grant_id))[:GRANTS_MAX]
    return RightsAnswer(ask_id=asked.ask_id, head=head, server_time=now, grants=fresh, hub=hub)


def _known_of(known: tuple[int, int] | None, asker: Credential, head: Place) -> int:
    """Up to which fact of its log a machine that asks for the first time gave this hub nothing back that the hub does not know.

    One that goes on from its own log may have given back before it was enrolled anew, past this hub.
    """
    place = asker.continues
    if known is None or place is None or known[0] != place.epoch:
        return head.seq
    return min(known[1], place.seq)


def called_back(
    db: Connection, hub: RightHolder, asker: Credential, called: dict[str, Called], now: datetime
) -> tuple[RightLine, ...]:
    """What the till should give back: what the hub gave it of members who stand elsewhere by now, and whatever it holds of
    cards and codes that were presented elsewhere."""
    wanted = {name for name, one in called.items() if one.till != asker.till and one.at <= now < one.at + CALLED_FOR}
    if not wanted:
        return ()
    lots = {
        name: RightLine(lot_id=name, member_id=name.partition(":")[2], centi=Points(CENTI_MAX))
        for name in sorted(wanted)
        if is_lent(name)
    }
    for grant in right_holds.given_by(db, asker.till, asker.epoch, hub, GIVEN_MAX):
        for line in grant.lines:
            if line.member_id in wanted:
                lots[line.lot_id] = RightLine(lot_id=line.lot_id, member_id=line.member_id, centi=Points(CENTI_MAX))
    return tuple(lots.values())[:LINES_MAX]


def is_called(asker: str, called: dict[str, Called], now: datetime) -> bool:
    """Whether a till may hold rights of somebody who stands elsewhere by now."""
    return any(one.till != asker and one.at <= now < one.at + CALLED_FOR for one in called.values())


def _lines(db: Connection, hub: RightHolder, wants: Iterable[Want], now: datetime) -> tuple[RightLine, ...]:
    """All that the hub may use of those who stand there; it holds the store's rights, so nobody else asks for a share."""
    lines: list[RightLine] = []
    for member_id in dict.fromkeys(want.member_id for want in wants if want.much == "all"):
        for lot_id, held in right_holds.lots_held(db, hub, member_id, now).items():
            if held.usable_centi > 0:
                lines.append(RightLine(lot_id=lot_id, member_id=member_id, centi=held.usable_centi))
    return tuple(lines[:LINES_MAX])


def _lease(db: Connection, hub: RightHolder, lines: Iterable[RightLine], terms: Terms) -> datetime:
    """No longer than the hub itself may use any of it."""
    ends = (right_holds.lease_end(db, hub, line.lot_id) for line in lines)
    return min((terms.now + terms.lease, *(end for end in ends if end is not None and end > terms.now)))
