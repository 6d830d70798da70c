"""From a quote to entries: what a sale reserves, settles, releases and reverses. Every entry moves points, none makes any.

Accounts: ``member:{id}``, ``held:{sale_ref}``, ``owed:{id}``, ``programme:{id}:issued``, ``:redeemed``, ``:expired``.
sale_ref is ``{till}/{sale_id}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.lots import in_order, is_expired, take
from pos_loyalty.engine.model import Accrual, Entry, EntryKind, Lot, Quote
from pos_loyalty.engine.returns import Returned
from pos_loyalty.values import Points

SUSPENSE = "suspense"
ADJUSTMENT = "adjustment"
GRACE = "points.grace_days"
"""Stands as the rule of entries that move points out of a dead lot; no rule can be called so."""


def member_account(member_id: str) -> str:
    """Where a member's points stand."""
    return f"member:{member_id}"


def held_account(sale_ref: str) -> str:
    """Where points stand between authorise and complete."""
    return f"held:{sale_ref}"


def owed_account(member_id: str) -> str:
    """What a member owes after a reversal; below zero by as much."""
    return f"owed:{member_id}"


def issued_account(programme_id: str) -> str:
    """Where a programme's points come from."""
    return f"programme:{programme_id}:issued"


def redeemed_account(programme_id: str) -> str:
    """Where redeemed points go."""
    return f"programme:{programme_id}:redeemed"


def expired_account(programme_id: str) -> str:
    """Where expired points go."""
    return f"programme:{programme_id}:expired"


def programme_id_of(quote: Quote) -> str:
    """The programme's id out of its name, ``shop@7#sha256:…``."""
    return quote.programme.partition("@")[0]


def reserve(quote: Quote, sale_ref: str) -> tuple[Entry, ...]:
    """Set aside the points that the quote spends: one entry a lot."""
    return _moves(quote, "redeem", debit=member_account(quote.member_id or ""), credit=held_account(sale_ref))


def settle(quote: Quote, sale_ref: str, now: datetime) -> tuple[Entry, ...]:
    """What was set aside is redeemed, and the sale's points are accrued, one lot a rule; another member's points make their lot.

    The dates of the lots were decided with the quote; ``now``, the time of payment, never moves them.
    """
    if quote.member_id is None:
        return ()
    programme_id = programme_id_of(quote)
    redeemed = _moves(quote, "redeem", debit=held_account(sale_ref), credit=redeemed_account(programme_id))
    accrued = tuple(accrue_entry(accrual, quote.member_id, sale_ref, programme_id) for accrual in quote.accruals)
    return redeemed + accrued


def own_lot(sale_ref: str, rule: str) -> str:
    """The lot that a rule makes for the member of a sale or of an act."""
    return f"{sale_ref}:{rule}"


def others_lot(sale_ref: str, rule: str, member_id: str) -> str:
    """The lot that a rule makes for somebody else."""
    return f"{sale_ref}:{rule}:{member_id}"


def accrue_entry(accrual: Accrual, member_id: str, ref: str, programme_id: str) -> Entry:
    """The entry of an accrual. ``member_id``: whose sale or act it is; ``ref``: its name."""
    who = accrual.member_id or member_id
    return Entry(
        kind="accrue",
        debit=issued_account(programme_id),
        credit=member_account(who),
        amount=accrual.centi,
        member_id=who,
        lot_id=own_lot(ref, accrual.rule) if accrual.member_id is None else others_lot(ref, accrual.rule, who),
        rule=accrual.rule,
        usable_from=accrual.usable_from,
        expires_at=accrual.expires_at,
    )


def release(quote: Quote, sale_ref: str) -> tuple[Entry, ...]:
    """The sale did not come about: what was set aside goes back to its lots."""
    return _moves(quote, "reverse", debit=held_account(sale_ref), credit=member_account(quote.member_id or ""))


def _moves(quote: Quote, kind: EntryKind, *, debit: str, credit: str) -> tuple[Entry, ...]:
    if quote.member_id is None:
        return ()
    return tuple(
        Entry(
            kind=kind,
            debit=debit,
            credit=credit,
            amount=use.centi,
            member_id=quote.member_id,
            lot_id=use.lot_id,
        )
        for use in quote.redemption.lots
    )


def reverse(
    entries: Iterable[Entry],
    lots: Sequence[Lot],
    sale_ref: str,
    now: datetime,
    *,
    others: Mapping[str, Sequence[Lot]] | None = None,
) -> tuple[Entry, ...]:
    """Undo a completed sale. ``entries`` are all of the sale's; ``lots`` are the member's as they stand now.

    Points redeemed go back to their own lots first, with their old dates. Points earned are then taken back: from the sale's
    own lots, then from the member's others that have not expired, soonest to expire first; what is still missing is owed.
    Of an own lot that has expired only what it holds is taken: the rest may be booked as expired, and is never taken twice.
    ``lots`` may hold less than nothing where head office has overdrawn them; what suspense lent goes back to suspense.
    ``others``: lots by member for those who got points by somebody else's sale; of one who is not in it everything is owed.
    """
    done = tuple(entries)
    held = held_account(sale_ref)
    back = [entry for entry in done if entry.kind == "redeem" and entry.debit == held and entry.member_id is not None]
    earned = [entry for entry in done if entry.kind == "accrue" and entry.member_id is not None and entry.rule != GRACE]
    own = [entry for entry in earned if entry.lot_id == own_lot(sale_ref, entry.rule or "")]
    restored = tuple(
        replace(entry, kind="reverse", debit=entry.credit, credit=member_account(entry.member_id or "")) for entry in back
    )
    lent = tuple(
        replace(entry, kind="reverse", debit=entry.credit, credit=entry.debit)
        for entry in done
        if entry.kind == "redeem" and entry.debit == SUSPENSE
    )
    taken = _taken_back(own, _with_restored(lots, restored), now)
    for entry in earned:
        if entry not in own:
            theirs = (others or {}).get(entry.member_id or "", ())
            taken += _taken_back([entry], {lot.lot_id: lot for lot in theirs}, now)
    return restored + lent + taken


def settle_return(
    quote: Quote,
    returned: Returned,
    sale_ref: str,
    lots: Sequence[Lot],
    now: datetime,
    *,
    others: Mapping[str, Sequence[Lot]] | None = None,
) -> tuple[Entry, ...]:
    """The entries of a return: points that paid go back to their lots, then points earned are taken back as ``reverse`` does.

    What is owed by this is forgiven when the programme says so: it stands in the ledger all the same.
    """
    if quote.member_id is None:
        return ()
    programme_id = programme_id_of(quote)
    restored = tuple(
        Entry(
            kind="reverse",
            debit=redeemed_account(programme_id),
            credit=member_account(quote.member_id),
            amount=use.centi,
            member_id=quote.member_id,
            lot_id=use.lot_id,
        )
        for use in returned.restored
    )
    taking = undone_by(quote, returned, sale_ref)
    own = [entry for entry in taking if entry.lot_id == own_lot(sale_ref, entry.rule or "")]
    taken = _taken_back(own, _with_restored(lots, restored), now)
    for entry in taking:
        if entry not in own:
            taken += _taken_back([entry], {lot.lot_id: lot for lot in (others or {}).get(entry.member_id or "", ())}, now)
    is_forgiven = quote.earning is not None and quote.earning.owed == "forgive"
    return restored + taken + (forgive(taken) if is_forgiven else ())


def undone_by(quote: Quote, returned: Returned, sale_ref: str) -> tuple[Entry, ...]:
    """What a return is to take back, as accruals of so many points."""
    accruals = {(accrual.rule, accrual.member_id): accrual for accrual in quote.accruals}
    return tuple(
        accrue_entry(replace(accrual, centi=each.centi), quote.member_id or "", sale_ref, programme_id_of(quote))
        for each in returned.taken_back
        if (accrual := accruals.get((each.rule, each.member_id))) is not None
    )


def repay(quote: Quote, returned: Returned) -> tuple[Entry, ...]:
    """Points that paid and were lent by suspense, because the sale was paid after it was cancelled: they go back there.

    In place of what ``settle_return`` would restore: the member had them back when the sale was cancelled.
    """
    redeemed = redeemed_account(programme_id_of(quote))
    return tuple(
        Entry(kind="reverse", debit=redeemed, credit=SUSPENSE, amount=use.centi, member_id=quote.member_id)
        for use in returned.restored
    )


def take_back(member_id: str, centi: Points, lots: Sequence[Lot], programme_id: str, now: datetime) -> tuple[Entry, ...]:
    """Points taken from a member for goods that came without their receipt: soonest to expire first; what is missing is owed."""
    wanted = Entry(
        kind="accrue",
        debit=issued_account(programme_id),
        credit=member_account(member_id),
        amount=centi,
        member_id=member_id,
    )
    return _taken_back([wanted], {lot.lot_id: lot for lot in lots}, now)


def forgive(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """What these entries made members owe, forgiven: the adjustment account bears it."""
    return tuple(
        Entry(
            kind="adjust", debit=ADJUSTMENT, credit=entry.debit, amount=entry.amount, member_id=entry.member_id, rule=entry.rule
        )
        for entry in entries
        if entry.member_id is not None and entry.debit == owed_account(entry.member_id)
    )


def _with_restored(lots: Sequence[Lot], restored: Sequence[Entry]) -> dict[str, Lot]:
    holdings = {lot.lot_id: lot for lot in lots}
    for entry in restored:
        lot_id = entry.lot_id or ""
        lot = holdings.get(lot_id) or Lot(lot_id=lot_id, centi=Points(0))
        holdings[lot_id] = replace(lot, centi=Points(lot.centi + entry.amount))
    return holdings


def _taken_back(accrued: Sequence[Entry], holdings: dict[str, Lot], now: datetime) -> tuple[Entry, ...]:
    made: list[Entry] = []
    owing: list[tuple[Entry, int]] = []
    for entry in accrued:
        own = holdings.get(entry.lot_id or "")
        missing = int(entry.amount) - _take(made, entry, (own,) if own is not None else (), entry.amount, holdings)
        if own is None or not is_expired(own, now):
            owing.append((entry, missing))
    for entry, missing in owing:
        others = in_order(lot for lot in holdings.values() if not is_expired(lot, now))
        left = missing - _take(made, entry, others, missing, holdings)
        if left > 0:
            made.append(
                Entry(
                    kind="reverse",
                    debit=owed_account(entry.member_id or ""),
                    credit=entry.debit,
                    amount=Points(left),
                    member_id=entry.member_id,
                    rule=entry.rule,
                )
            )
    return tuple(made)


def _take(made: list[Entry], entry: Entry, lots: Sequence[Lot], centi: int, holdings: dict[str, Lot]) -> int:
    uses = take(lots, centi)
    for use in uses:
        holdings[use.lot_id] = replace(holdings[use.lot_id], centi=Points(holdings[use.lot_id].centi - use.centi))
        made.append(
            Entry(
                kind="reverse",
                debit=member_account(entry.member_id or ""),
                credit=entry.debit,
                amount=use.centi,
                member_id=entry.member_id,
                lot_id=use.lot_id,
                rule=entry.rule,
            )
        )
    return sum(use.centi for use in uses)


def expire(member_id: str, lots: Iterable[Lot], programme_id: str, now: datetime) -> tuple[Entry, ...]:
    """What the member lost up to an instant: one entry for each lot whose last instant has passed and that still holds points."""
    return tuple(
        Entry(
            kind="expire",
            debit=member_account(member_id),
            credit=expired_account(programme_id),
            amount=lot.centi,
            member_id=member_id,
            lot_id=lot.lot_id,
        )
        for lot in in_order(lots)
        if lot.centi > 0 and is_expired(lot, now)
    )
