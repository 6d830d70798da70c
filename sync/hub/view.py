"""A member as the hub tells them: head office's word, with what the store's tills did since on top. Values in, values out.

Rule: a view decides no money: what may be redeemed is bounded by rights, and head office's own word replaces it as soon as that
counts the same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.model import Entry
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.member_facts import CardAdded, CardStateChange, StateChange
from pos_loyalty.store.sales import advance_minor
from pos_loyalty.values import Minor, Points, Value
from sync.wire import CardChange, LotChange, MemberChange

MEMBER = "member:"
OWED = "owed:"
Authorised = Callable[[str, str], Fact | None]
"""The fact that authorised a sale of a till; None when the hub does not keep it."""


class LotSum(Value):
    """A lot while facts are added up: ``amount_centi`` is what it began with."""

    amount_centi: int
    centi: int
    usable_from: datetime | None
    expires_at: datetime | None


def fresh(member_id: str) -> MemberChange:
    """A member whom head office has not told of."""
    return MemberChange(member_id=member_id)


def begun(member_id: str, facts: Iterable[Fact]) -> dict[str, LotSum]:
    """Lots that these facts brought the member, with nothing in them: head office never told of one that was empty again by
    then, and points may come back into it."""
    return {
        entry.lot_id: LotSum(amount_centi=entry.amount, centi=0, usable_from=entry.usable_from, expires_at=entry.expires_at)
        for fact in facts
        for entry in fact.entries
        if entry.lot_id is not None and entry.kind == "accrue" and entry.credit == MEMBER + member_id
    }


def with_facts(word: MemberChange, empty_lots: dict[str, LotSum], facts: Iterable[Fact], authorised: Authorised) -> MemberChange:
    """The word with facts that head office's figures do not count, in the order in which they came.

    ``empty_lots``: lots of the member that hold nothing by the word: points may come back into them.
    """
    lots = empty_lots | {lot.lot_id: _sum_of(lot) for lot in word.lots}
    told = word
    for fact in facts:
        for entry in fact.entries:
            _move(lots, entry, word.member_id)
        told = _with(told, fact, authorised)
    return replace(told, lots=tuple(_lot(lot_id, lots[lot_id]) for lot_id in sorted(lots) if _kept(lots[lot_id]) > 0))


def _sum_of(lot: LotChange) -> LotSum:
    return LotSum(amount_centi=lot.amount_centi, centi=lot.centi, usable_from=lot.usable_from, expires_at=lot.expires_at)


def _move(lots: dict[str, LotSum], entry: Entry, member_id: str) -> None:
    """What an entry brings into a lot of the member, or takes out of it."""
    if entry.lot_id is None:
        return
    account = MEMBER + member_id
    if entry.credit == account:
        known = lots.get(entry.lot_id)
        if known is None and entry.kind == "accrue":
            known = LotSum(amount_centi=entry.amount, centi=0, usable_from=entry.usable_from, expires_at=entry.expires_at)
        if known is not None:
            lots[entry.lot_id] = replace(known, centi=known.centi + entry.amount)
    elif entry.debit == account and entry.lot_id in lots:
        lots[entry.lot_id] = replace(lots[entry.lot_id], centi=lots[entry.lot_id].centi - entry.amount)


def _kept(lot: LotSum) -> int:
    return max(0, min(lot.amount_centi, lot.centi))


def _lot(lot_id: str, lot: LotSum) -> LotChange:
    return LotChange(
        lot_id=lot_id,
        centi=Points(_kept(lot)),
        amount_centi=Points(lot.amount_centi),
        usable_from=lot.usable_from,
        expires_at=lot.expires_at,
    )


def _with(told: MemberChange, fact: Fact, authorised: Authorised) -> MemberChange:
    owed = OWED + told.member_id
    moved = sum(
        entry.amount if entry.debit == owed else -entry.amount for entry in fact.entries if owed in (entry.debit, entry.credit)
    )
    if moved:
        told = replace(told, owed_centi=Points(max(0, told.owed_centi + moved)))
    if fact.member != told.member_id:
        return told
    if fact.enrolment is not None:
        return _enrolled(told, fact)
    if fact.change is not None:
        return _changed(told, fact)
    if fact.kind in ("sale.completed", "sale.reversed"):
        return _counted(told, fact, 1 if fact.kind == "sale.completed" else -1, authorised)
    return told


def _enrolled(told: MemberChange, fact: Fact) -> MemberChange:
    said = fact.enrolment
    assert said is not None
    card = () if said.card is None or any(each.number == said.card for each in told.cards) else (CardChange(number=said.card),)
    if told.version:
        return told
    return replace(
        told,
        tier=said.tier,
        segments=said.segments,
        referred_by=said.referred_by,
        joined_at=said.joined_at or fact.at,
        cards=told.cards + card,
    )


def _changed(told: MemberChange, fact: Fact) -> MemberChange:
    """Cards, and whether the member may act. What else changed is told by head office."""
    assert fact.change is not None
    cards = {card.number: card for card in told.cards}
    for change in fact.change.changes:
        match change:
            case CardAdded(card=number):
                cards.setdefault(number, CardChange(number=number))
            case CardStateChange(card=number, state=state):
                cards[number] = CardChange(number=number, state=state)
            case StateChange(state=state) if told.state != "erased":
                told = replace(told, state=state)
            case _:
                pass
    return replace(told, cards=tuple(cards.values()))


def _counted(told: MemberChange, fact: Fact, sign: int, authorised: Authorised) -> MemberChange:
    """One sale more or less, as far as the hub knows it."""
    sale = fact.sale
    if sale is None and fact.end is not None:
        first = authorised(fact.till, fact.end.sale_id)
        sale = None if first is None else first.sale
    if sale is None:
        return told
    spent = told.sales.spent_minor + sign * (sale.quote.total_minor - advance_minor(sale.quote))
    return replace(told, sales=replace(told.sales, count=max(0, told.sales.count + sign), spent_minor=Minor(max(0, spent))))
