"""Where the points of an accrual went, who pays for those that are gone when its goods come back, and what the payers get back.

Rule: from elsewhere is had what was asked back and what went for something else together come to above the accrual, no more and
no less. What was lost counts first for what is asked. These are sums: the order of returns, and their split, change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from pos_loyalty.engine.by_hand import is_carrying
from pos_loyalty.engine.ledger import ADJUSTMENT, GRACE, SUSPENSE, member_account, owed_account, take_back
from pos_loyalty.engine.lots import is_expired
from pos_loyalty.engine.model import Entry, Instant, Lot
from pos_loyalty.engine.owed import SETTLES
from pos_loyalty.values import Points, Value

ISSUED = ":issued"
EXPIRED = ":expired"
GIVEN = "points.given_back"
"""Stands as the rule of entries that give points back to those who paid for others; no rule can be called so."""
TWICE = "points.given_twice"
"""The same of entries that take back what head office gave to one who paid, because a till gave it too."""
EVENED = "points.evened"
"""The same of entries by which head office brings a member to what one till would have left."""
OWED, FORGIVEN = "", " "
"""Payers that are no lots: the member who owes, and the shop that let them."""


class Step(Value):
    """An entry that touches the points of an accrual. ``is_own``: it took them back, from wherever, for the accrual's goods.

    ``to``: of an entry that gives back, where it comes to; None where what was forgiven is taken back. ``whence``: who had got
    what comes again by this one.
    """

    entry: Entry
    is_own: bool = False
    to: Entry | None = None
    whence: Entry | None = None


class Trail(Value):
    """An accrual and what became of it. ``lots``: its own and those to which its points moved on. ``asked_centi``: in all."""

    accrual: Entry
    asked_centi: Points
    lots: frozenset[str]
    steps: tuple[Step, ...] = ()


def after(trail: Trail, entries: Sequence[Entry], *, is_asked: bool) -> Trail:
    """The trail after the entries of one more fact. ``is_asked``: by it goods of the accrual come back."""
    return replace(trail, steps=trail.steps + tuple(steps_of(trail, entries, is_asked=is_asked)))


def steps_of(trail: Trail, entries: Sequence[Entry], *, is_asked: bool) -> Iterator[Step]:
    """What of the entries of one fact touches the accrual's points."""
    for n, entry in enumerate(entries):
        next_ = entries[n + 1] if n + 1 < len(entries) else None
        if is_asked and _takes_back(entry, trail.accrual):
            yield Step(entry=entry, is_own=True)
        elif entry.lot_id in trail.lots:
            is_given = entry.rule == GIVEN and next_ is not None and (next_.rule, next_.debit) == (GIVEN, ADJUSTMENT)
            is_again = entry.rule == TWICE and entry.debit == ADJUSTMENT
            yield Step(entry=entry, to=next_ if is_given else None, whence=entries[n - 1] if is_again else None)


def _takes_back(entry: Entry, accrual: Entry) -> bool:
    if (entry.rule, entry.member_id) != (accrual.rule, accrual.member_id):
        return False
    is_forgiving = entry.debit == ADJUSTMENT and entry.credit == owed_account(accrual.member_id or "")
    return is_forgiving or (entry.kind == "reverse" and entry.credit.endswith(ISSUED))


def is_forgiving(entry: Entry) -> bool:
    """Whether an entry lets a member what they came to owe."""
    is_letting = (entry.kind, entry.debit, entry.credit) == ("adjust", ADJUSTMENT, owed_account(entry.member_id or ""))
    return is_letting and entry.rule != GIVEN


def gone_centi(trail: Trail) -> int:
    """What of the accrual went for something else and did not come back: not what was lost, moved on or taken for its goods."""
    return sum(_gone(step.entry) for step in trail.steps if not step.is_own)


def _gone(entry: Entry) -> int:
    account = member_account(entry.member_id or "")
    if entry.credit == account:
        is_back = entry.rule in (GIVEN, SETTLES) and not entry.debit.endswith(EXPIRED)
        return -entry.amount if entry.kind == "reverse" or (entry.kind == "adjust" and is_back) else 0
    if entry.debit != account or entry.kind == "expire" or entry.rule in (GRACE, GIVEN, EVENED) or is_carrying(entry):
        return 0
    return entry.amount


def paid_by(trail: Trail) -> dict[str, int]:
    """Who paid for points that were gone, by lot, in the order in which they were asked; less what they got back."""
    paid: dict[str, int] = {}
    for step in trail.steps:
        entry = step.entry
        if step.is_own and entry.debit == ADJUSTMENT:
            _move(paid, OWED, -entry.amount)
            _move(paid, FORGIVEN, entry.amount)
        elif step.is_own and entry.lot_id not in trail.lots and entry.debit != SUSPENSE:
            _move(paid, entry.lot_id or OWED, entry.amount)
    # After all that was paid: clocks of several tills may turn the two about.
    for step in trail.steps:
        if step.whence is not None:
            _move(paid, step.whence.lot_id or OWED, step.entry.amount)
    for step in trail.steps:
        if not step.is_own and step.entry.rule == GIVEN and step.entry.debit == member_account(step.entry.member_id or ""):
            to = FORGIVEN if step.to is None else step.to.lot_id or OWED
            _move(paid, to if to in paid else OWED, -step.entry.amount)
    return {payer: centi for payer, centi in paid.items() if centi > 0}


def had_centi(trail: Trail) -> int:
    """What was had for the goods that came back, from wherever: what payers got back is not."""
    own = (step.entry for step in trail.steps if step.is_own and step.entry.kind == "reverse")
    from_lots = sum(entry.amount for entry in own if entry.lot_id in trail.lots or entry.debit == SUSPENSE)
    return from_lots + sum(paid_by(trail).values())


def expires(trail: Trail) -> Iterator[tuple[str, Entry, int]]:
    """The accrual's lots that ran out: the entry that says so, and how much of it did not come back since."""
    for lot in sorted(trail.lots):
        of_lot = [step.entry for step in trail.steps if step.entry.lot_id == lot]
        ended = [entry for entry in of_lot if entry.kind == "expire"]
        revived = sum(entry.amount for entry in of_lot if entry.debit.endswith(EXPIRED))
        if ended:
            yield lot, ended[-1], sum(entry.amount for entry in ended) - revived


def _move(paid: dict[str, int], payer: str, centi: int) -> None:
    paid[payer] = paid.get(payer, 0) + centi


def overpaid_centi(trail: Trail) -> int:
    """What payers are to get back, as far as the accrual's lots hold it."""
    return sum(paid_by(trail).values()) - max(0, trail.asked_centi + gone_centi(trail) - trail.accrual.amount)


def take_lapsed(
    trail: Trail, asked_centi: int, lots: Sequence[Lot], now: Instant, *, whole: Sequence[Lot] | None = None
) -> tuple[Entry, ...]:
    """What is still to be had for an accrual whose lot has ended: from the member's lots that live, soonest to end first; the
    rest is owed.

    ``trail``, ``lots``: as they stand now; ``asked_centi``: what was asked just now and its lot did not give. ``whole``: the lots
    with what may not be taken from them here, where that is more.
    """
    accrual = trail.accrual
    alive = sum(lot.centi for lot in whole or lots if lot.lot_id in trail.lots and not is_expired(lot, now))
    due = trail.asked_centi + gone_centi(trail) + alive - accrual.amount - sum(paid_by(trail).values())
    centi = Points(min(asked_centi, due))
    if centi <= 0:
        return ()
    programme_id = accrual.debit.removeprefix("programme:").removesuffix(ISSUED)
    taken = take_back(accrual.member_id or "", centi, lots, programme_id, now)
    return tuple(replace(entry, rule=accrual.rule) for entry in taken)


def give_back(lot_id: str, member_id: str, to: Entry | None, centi: int) -> tuple[Entry, ...]:
    """Points of a lot go to who paid for others of its accrual. ``to``: the entry that brings them there; None: nowhere."""
    went = Entry(
        kind="adjust",
        debit=member_account(member_id),
        credit=ADJUSTMENT,
        amount=Points(centi),
        member_id=member_id,
        lot_id=lot_id,
        rule=GIVEN,
    )
    return (went,) if to is None else (went, to)


def to_payer(account: str, lot_id: str | None, member_id: str, centi: int) -> Entry:
    """What brings points to a lot that paid, or off what a member owes."""
    return Entry(
        kind="adjust",
        debit=ADJUSTMENT,
        credit=account,
        amount=Points(centi),
        member_id=member_id,
        lot_id=lot_id,
        rule=GIVEN,
    )


def is_handing_back(entry: Entry, after: Entry) -> bool:
    """Whether an entry takes points that the one after it gives back to a lot that paid."""
    goes = entry.rule == GIVEN and entry.credit == ADJUSTMENT and entry.lot_id is not None
    return goes and after.rule == GIVEN and after.debit == ADJUSTMENT and after.lot_id is not None


def taken_again(given: Entry, got: Entry, centi: int) -> tuple[Entry, Entry]:
    """What undoes a part of a giving back: ``given`` by its lot, ``got`` by one that paid."""
    back = replace(got, debit=got.credit, credit=ADJUSTMENT, amount=Points(centi), rule=TWICE)
    return back, replace(given, debit=ADJUSTMENT, credit=given.debit, amount=Points(centi), rule=TWICE)


def lots_after(lots: Sequence[Lot], entries: Iterable[Entry]) -> tuple[Lot, ...]:
    """Lots as entries leave them; what is no longer the member's or not yet is not among them."""
    moves: dict[str, int] = {}
    for entry in entries:
        account = member_account(entry.member_id or "")
        if entry.lot_id is not None and account in (entry.debit, entry.credit):
            moves[entry.lot_id] = moves.get(entry.lot_id, 0) + (entry.amount if entry.credit == account else -entry.amount)
    return tuple(replace(lot, centi=Points(lot.centi + moves[lot.lot_id])) if lot.lot_id in moves else lot for lot in lots)
