"""Rights over the line: what a till asks and head office answers; at the till, taking grants and giving back. No sockets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from pos_loyalty.clock import NewId
from pos_loyalty.engine.model import Id, Instant
from pos_loyalty.errors import WireError
from pos_loyalty.store import coupon_rights, epochs, follow, right_asking, right_holds
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import LINES_MAX, GiveBackFact, GrantFact, HubHead, RightHolder, RightLine
from pos_loyalty.store.right_moves import COUPON, GIFT, coupon_lot, is_lent
from pos_loyalty.store.till_facts import Epoch, Place
from pos_loyalty.values import Points, Value
from sync import idle
from sync.wire import Reply, checked, value_of
from sync.wire_members import Count

WANTS_MAX: Final = 500
GIFTS_MAX: Final = 20
GRANTS_MAX: Final = 100
LOGS_MAX: Final = 500
"""Logs that a hub asks about at once."""
GIVEN_MAX: Final = 500
"""Facts of one log that are told of at once."""
STANDS_HERE_FOR: Final = timedelta(minutes=15)
"""What was granted because a member stood here is offered back after so long, and money of gift cards given back."""

Mark = Annotated[str, Meta(pattern="^([0-9a-f]{32}|[0-9a-f]{64})$")]
"""A gift card's id, or the hash of its code."""
CouponCode = Annotated[str, Meta(min_length=1, max_length=64)]

Much = Literal["all", "home", "store"]
HeldBack = Literal["", "log", "hello", "frozen", "called"]


class Want(Value):
    """Points of a member. ``all``: whatever is free, the member stands here; ``home``: this till's part in the share of the store
    that they visit; ``store``: the whole of it, for the store's hub."""

    member_id: Id
    much: Much


class Asks(Value):
    """What a till would have. ``gifts``: marks of gift cards that stand here: all that is free of their money. ``coupons``:
    unique codes that were presented here."""

    wants: Annotated[tuple[Want, ...], Meta(max_length=WANTS_MAX)] = ()
    gifts: Annotated[tuple[Mark, ...], Meta(max_length=GIFTS_MAX)] = ()
    coupons: Annotated[tuple[CouponCode, ...], Meta(max_length=GIFTS_MAX)] = ()


class LogKnown(Value, omit_defaults=True):
    """At a hub: up to which fact of a till's log it knows all that was given back to it. ``heard``: the last fact after that
    which gave it something back, as far as it heard; 0 for none."""

    till: Id
    epoch: Epoch
    seq: Count
    heard: Count = 0


class GivenBack(Value):
    """What a fact of a till's log gave back to the hub."""

    seq: Annotated[int, Meta(ge=1)]
    lines: Annotated[tuple[RightLine, ...], Meta(max_length=LINES_MAX)]


class Income(Value):
    """Of a log that a hub named: all that was given back to the hub after the fact that it named, up to fact ``seq``. With fewer
    facts than are told at once head office has no more of this log than up to there, unless it ``goes_on``: these have too many
    lines."""

    till: Id
    epoch: Epoch
    seq: Count
    given: Annotated[tuple[GivenBack, ...], Meta(max_length=GIVEN_MAX)] = ()
    goes_on: bool | UnsetType = UNSET


class RightsRequest(Value, omit_defaults=True):
    """A till says what it knows, and asks. ``head``: the last fact of its log. ``seen``: the newest fact of head office's own log
    that it was told of: by it a head office that was restored from a backup finds out.

    ``ask_id``: of chance; the till takes only what answers its newest question. ``logs``: a hub's tills, and the machines that
    were these tills before: head office tells what they gave back past the hub.
    """

    ask_id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    head: Place
    seen: Place | None = None
    wants: Annotated[tuple[Want, ...], Meta(max_length=WANTS_MAX)] = ()
    gifts: Annotated[tuple[Mark, ...], Meta(max_length=GIFTS_MAX)] = ()
    hub_seen: HubHead | None = None
    coupons: Annotated[tuple[CouponCode, ...], Meta(max_length=GIFTS_MAX)] = ()
    logs: Annotated[tuple[LogKnown, ...], Meta(max_length=LOGS_MAX)] = ()


class RightsAnswer(Value):
    """What the till may redeem by itself besides what it holds. ``held_back``: why nothing new is granted now.

    ``back``: what head office would have back: the till holds it and the member is not at home there.
    """

    ask_id: str
    head: Place
    server_time: Instant
    grants: Annotated[tuple[GrantFact, ...], Meta(max_length=GRANTS_MAX)] = ()
    back: Annotated[tuple[RightLine, ...], Meta(max_length=5_000)] = ()
    held_back: HeldBack = ""
    hub: RightHolder | UnsetType = UNSET
    """The store's hub, when it is who answers: ``head`` is of its log, and what is given back goes to it."""
    income: Annotated[tuple[Income, ...], Meta(max_length=LOGS_MAX)] | UnsetType = UNSET
    """To a hub: what logs that it named gave back to it and it does not know."""


def lacks(answer: RightsAnswer, asked: Asks | RightsRequest) -> bool:
    """Whether some gift card or code that was asked for is not among what is granted."""
    granted = {line.lot_id for grant in answer.grants for line in grant.lines}
    cards = {mark for grant in answer.grants for card in grant.cards for mark in (card.card_id, card.code_hash)}
    return not (cards.issuperset(asked.gifts) and granted.issuperset(map(coupon_lot, asked.coupons)))


class Taken(Value):
    """What an answer changed: how many grants were new, and whether facts were written that head office should hear of."""

    grants: int = 0
    wrote: bool = False
    is_stale: bool = False
    """A newer question was asked meanwhile: nothing was taken."""


def question(db: Connection, ask_id: UUID, asks: Asks, logs: tuple[LogKnown, ...] = ()) -> RightsRequest:
    """What to ask, as of the log's end now. From now on the answer to no earlier question counts. ``logs``: of a hub's tills."""
    with write(db):
        right_asking.asks(db, ask_id.hex)
        known, head = right_asking.state(db), epochs.place_of(db)
    return RightsRequest(
        ask_id=ask_id.hex,
        head=head,
        seen=known.told,
        wants=asks.wants,
        gifts=asks.gifts,
        coupons=asks.coupons,
        hub_seen=known.hub_head,
        logs=logs,
    )


def read_answer(reply: Reply, asked: RightsRequest) -> RightsAnswer:
    """The answer to this very question. Raises WireError for one to another, and what the reply says instead."""
    answer = value_of(checked(reply), RightsAnswer, "rights")
    if answer.ask_id != asked.ask_id:
        raise WireError("head office answers another question about rights")
    return answer


class Lends(Value):
    """What else goes from till to till by rights: money of gift cards, unique codes."""

    gifts: bool = False
    coupons: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """How the names of their lots begin."""
        return (GIFT,) * self.gifts + (COUPON,) * self.coupons


NOTHING_LENT: Final = Lends()


def give_back_idle(db: Connection, till: str, store: str, lends: Lends, new_id: NewId, now: datetime) -> bool:
    """Give back the money of gift cards and the codes that nobody used here for a while; answers whether there was any."""
    before = now - STANDS_HERE_FOR
    with write(db):
        found = [right_holds.idle_gifts(db, till, epochs.epoch_of(db), before, now)] if lends.gifts else []
        found += [coupon_rights.idle(db, till, before, now)] if lends.coupons else []
        said = [GiveBackFact(lines=lines) for lines in found if lines]
        for each in said:
            follow.book(db, Draft(id=new_id(), kind="rights.returned", store=store, body=each), now)
    return bool(said)


class Taker(Value):
    """Who takes what was granted: a till of a store, and what it lends besides points."""

    till: str
    store: str
    lends: Lends = NOTHING_LENT


def take(db: Connection, taker: Taker, answer: RightsAnswer, new_id: NewId, now: datetime) -> Taken:
    """Take what was granted, each grant once, and give back what head office asks for; of cards and codes where they are lent.

    A head office that was restored counts on what our newest question said: what an earlier answer grants is not ours any more.
    """
    with write(db):
        known = right_asking.state(db)
        if known.ask_id != answer.ask_id:
            return Taken(is_stale=True)
        _note_told(db, known, answer)
        epoch = epochs.epoch_of(db)
        fresh = [grant for grant in answer.grants if _is_ours(db, grant, taker.till, epoch)]
        for grant in fresh:
            follow.book(db, Draft(id=new_id(), kind="rights.taken", store=taker.store, body=grant), now)
        back = [] if answer.held_back else _back(db, taker, epoch, answer, now)
        given = [said for said in back if said.lines or said.closes]
        for said in given:
            follow.book(db, Draft(id=new_id(), kind="rights.returned", store=taker.store, body=said), now)
    return Taken(grants=len(fresh), wrote=bool(fresh or given))


def hear(db: Connection, answer: RightsAnswer) -> None:
    """Note up to which fact head office has told us, and take nothing: what this file holds is of an earlier day."""
    with write(db):
        known = right_asking.state(db)
        if known.ask_id == answer.ask_id:
            _note_told(db, known, answer)


def _note_told(db: Connection, known: right_asking.Asking, answer: RightsAnswer) -> None:
    """Up to which fact who answers has told us, where that is another than before."""
    hub_head = HubHead(hub=answer.hub.till, head=answer.head) if answer.hub else None
    if hub_head is None and known.told != answer.head:
        right_asking.told(db, answer.head)
    elif hub_head is not None and known.hub_head != hub_head:
        right_asking.told_by_hub(db, hub_head)


def _back(db: Connection, taker: Taker, epoch: int, answer: RightsAnswer, now: datetime) -> list[GiveBackFact]:
    """What goes back, to each of those whom it goes to: what is wished and what nobody needs here to who answers; the rest of
    what ended to who gave it."""
    till, kinds = taker.till, taker.lends.kinds
    ended = right_holds.ended(db, till, epoch, now)
    wished = [line for line in answer.back if not is_lent(line.lot_id) or line.lot_id.startswith(kinds)]
    if answer.hub:
        wished += idle.lines(db, till, epoch, now, kinds)
    back = _joined(_surplus(db, till, epoch, _once(wished), now))
    facts = [GiveBackFact(lines=back, to=answer.hub)]
    taken: dict[str, int] = {line.lot_id: line.centi for line in back}
    for giver in dict.fromkeys(grant.giver for grant in ended):
        theirs = [grant for grant in ended if grant.giver == giver]
        rest = _rest(db, till, epoch, theirs, taken, now)
        facts.append(GiveBackFact(lines=_joined(rest), closes=tuple(grant.grant_id for grant in theirs), to=giver))
    return facts


def _is_ours(db: Connection, grant: GrantFact, till: str, epoch: int) -> bool:
    return (grant.till, grant.epoch) == (till, epoch) and not right_holds.is_known(db, grant.grant_id)


def _surplus(db: Connection, till: str, epoch: int, wished: Iterable[RightLine], now: datetime) -> list[RightLine]:
    """What of the wish is there. What a sale set aside is not: it left the lot already."""
    lines = []
    for line in wished:
        held = right_holds.held(db, till, epoch, (line.lot_id,), now).get(line.lot_id)
        centi = min(line.centi, held.usable_centi) if held else 0
        if centi > 0:
            lines.append(RightLine(lot_id=line.lot_id, member_id=line.member_id, centi=Points(centi)))
    return lines


def _once(wished: Iterable[RightLine]) -> Iterable[RightLine]:
    """One wish for each lot, the greatest."""
    most: dict[str, RightLine] = {}
    for line in wished:
        if line.lot_id not in most or most[line.lot_id].centi < line.centi:
            most[line.lot_id] = line
    return most.values()


def _rest(
    db: Connection, till: str, epoch: int, ended: Sequence[GrantFact], given: dict[str, int], now: datetime
) -> list[RightLine]:
    """What is left of grants whose lease ended: no more than the till holds besides what it gave back of the lots just now (noted
    in ``given``), and no more than came with them."""
    lines = []
    for line in _joined(line for grant in ended for line in grant.lines):
        held = right_holds.held(db, till, epoch, (line.lot_id,), now).get(line.lot_id)
        centi = min(line.centi, held.centi - given.get(line.lot_id, 0)) if held else 0
        if centi > 0:
            given[line.lot_id] = given.get(line.lot_id, 0) + centi
            lines.append(RightLine(lot_id=line.lot_id, member_id=line.member_id, centi=Points(centi)))
    return lines


def _joined(lines: Iterable[RightLine]) -> tuple[RightLine, ...]:
    """A line for each lot. What is wished back is never of what ended."""
    sums: dict[str, RightLine] = {}
    for line in lines:
        before = sums.get(line.lot_id)
        centi = line.centi + (before.centi if before else 0)
        sums[line.lot_id] = RightLine(lot_id=line.lot_id, member_id=line.member_id, centi=Points(centi))
    return tuple(sums[lot_id] for lot_id in sorted(sums))
