"""How a till's fact is booked when it contradicts what head office knows. Rule: the sale happened, so nothing is refused.

A lot gives and takes what it can, suspense the rest, and a person gets a case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from pos_loyalty.engine.by_hand import is_carrying
from pos_loyalty.engine.lapsed import GIVEN, is_handing_back
from pos_loyalty.engine.ledger import ADJUSTMENT
from pos_loyalty.engine.model import Entry
from pos_loyalty.engine.owed import is_settling, is_unsettling
from pos_loyalty.errors import WireError
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.sales import MOVES
from pos_loyalty.values import Points
from sync.server.ledger_store import Case, Known, LotHold, Posting

SUSPENSE: Final = "suspense"
MEMBER: Final = "member:"
GIFT: Final = "gift:"
OWED: Final = "owed:"
UNDOES_SALE: Final = ("sale.cancelled", "sale.reversed")


def post(fact: Fact, payload: bytes, prev_hash: bytes, hash_: bytes, known: Known) -> Posting:
    """Book one fact. Raises WireError for entries that no till of ours makes."""
    booking = _Booking(fact.seq, known, may_repay=_ends_well(fact, known))
    for entry in booking.without_doubled(fact.entries):
        booking.book(entry)
    moves_sale = booking.check_sale(fact)
    adds_member, adds_card = booking.check_enrolment(fact)
    booking.check_member(fact)
    booking.note_doubts()
    return Posting(
        fact=fact,
        payload=payload,
        prev_hash=prev_hash,
        hash=hash_,
        entries=tuple(booking.entries),
        cases=tuple(booking.cases),
        moves_sale=moves_sale,
        adds_member=adds_member,
        adds_card=adds_card,
        doubled=tuple(booking.doubled),
    )


class _Booking:
    """One fact on its way into the ledger: lots as they stand after each entry, entries and cases so far."""

    def __init__(self, seq: int, known: Known, *, may_repay: bool) -> None:
        self._seq = seq
        self._known = known
        self._lots = dict(known.lots)
        self._lent = {lot: max(0, centi) for lot, centi in known.lent_centi.items()} if may_repay else {}
        self._came_back = {lot: max(0, -centi) for lot, centi in known.lent_centi.items()}
        self._gifts = dict(known.gifts)
        self._owed = dict(known.owed_centi)
        self._lost = dict(known.lost_centi)
        self._on_way: Counter[str] = Counter()
        self._debt_on_way: Counter[str] = Counter()
        self.entries: list[Entry] = []
        self.cases: list[Case] = []
        self.doubled: list[tuple[Entry, Entry]] = []

    def without_doubled(self, entries: tuple[Entry, ...]) -> Iterator[Entry]:
        """The entries; of what a lot gives back to one that paid, no more than the one holds and the other lacks.

        The same of what it gives back to a debt, and by that to a lot that settled it: they stand together. Head office or
        another till may have given it back before. The rest stays where it is.
        """
        n = 0
        while n < len(entries):
            together = entries[n : n + _together(entries[n : n + 3])]
            n += len(together)
            if len(together) == 1:
                yield together[0]
                continue
            first, last = together[0], together[-1]
            source = self._lot(first)
            part = min(int(first.amount), self._room(last), source.centi if source else 0)
            if part < first.amount:
                short = Points(first.amount - part)
                self.doubled.append((replace(first, amount=short), replace(last, amount=short)))
                self._open("given_back.twice", f"{short} hundredths of a point of lot {first.lot_id} were given back before")
            yield from (replace(entry, amount=Points(part)) for entry in together if part > 0)

    def _room(self, entry: Entry) -> int:
        """How much an entry can bring to its lot, or off what is owed."""
        lot = self._lot(entry)
        if entry.lot_id is None:
            return self._owed.get(entry.member_id or "", 0)
        return lot.amount_centi - lot.centi if lot else 0

    def book(self, entry: Entry) -> None:
        """Book one entry, split where its lot cannot give or take all of it."""
        if entry.debit.startswith(GIFT) or entry.credit.startswith(GIFT):
            self._move_gift(entry)
            return
        if is_settling(entry):
            self._settle(entry)
            return
        if is_carrying(entry):
            self._carry(entry)
            return
        for side, sign in ((entry.debit, 1), (entry.credit, -1)):
            if side.startswith(OWED):
                member = side.removeprefix(OWED)
                self._owed[member] = self._owed.get(member, 0) + sign * entry.amount
        takes, gives = entry.debit.startswith(MEMBER), entry.credit.startswith(MEMBER)
        if not takes and not gives:
            self.entries.append(entry)
            return
        self._check_named(entry)
        if takes:
            self._take(entry)
        elif entry.kind == "accrue":
            self._make(entry)
        else:
            self._give_back(entry)

    def _check_named(self, entry: Entry) -> None:
        sides = (entry.debit, entry.credit)
        if all(side.startswith(MEMBER) for side in sides) or f"{MEMBER}{entry.member_id}" not in sides:
            raise WireError(f"fact {self._seq} moves points between members, or of a member it does not name")

    def check_sale(self, fact: Fact) -> bool:
        """Whether the fact begins a sale or moves it on, as far as head office can follow."""
        state = self._known.sale_state
        if fact.sale is not None:
            if state is not None:
                self._open("sale.twice", f"sale {fact.sale.sale_id} came before, in another fact")
            return state is None
        if fact.end is None:
            return False
        if fact.kind == "sale.completed" and fact.end.reason:
            self._open("sale.contradicted", f"sale {fact.end.sale_id}: {fact.end.reason}")
        if (state, fact.kind) not in MOVES:
            self._open("sale.out_of_order", f"{fact.kind} of sale {fact.end.sale_id}, which is {state or 'unknown'}")
            return False
        return True

    def check_enrolment(self, fact: Fact) -> tuple[bool, bool]:
        """Whether the member and whether the card can be added."""
        if fact.enrolment is None:
            return False, False
        if self._known.is_member_taken:
            self._open("member.twice", f"member {fact.enrolment.member_id} is enrolled already")
            return False, False
        if self._known.card_holder is not None:
            self._open("card.taken", f"the card of member {fact.enrolment.member_id} belongs to member {self._known.card_holder}")
            return True, False
        return True, True

    def check_member(self, fact: Fact) -> None:
        """Open a case for each member who is not known or not active. Their points are booked all the same."""
        for member, state in self._known.others.items():
            if state != "active":
                self._open(f"member.{state or 'unknown'}", f"{fact.kind} gives points to member {member}")
        # A change that unblocks a member is about a blocked one.
        has_own_doubts = fact.enrolment is not None or fact.merge is not None or fact.change is not None
        if fact.member is None or has_own_doubts or self._known.member_state == "active":
            return
        self._open(f"member.{self._known.member_state or 'unknown'}", f"{fact.kind} of member {fact.member}")

    def note_doubts(self) -> None:
        """Open a case for each contradiction that the store found."""
        for doubt in self._known.doubts:
            self._open(doubt.reason, doubt.detail)

    def _take(self, entry: Entry) -> None:
        """What paid for the sale and came back before head office heard of it, suspense gives before the lot gives any."""
        lot = self._lot(entry)
        early = min(entry.amount, self._came_back.get(entry.lot_id or "", 0)) if entry.kind == "redeem" else 0
        if early:
            self._came_back[entry.lot_id or ""] -= early
        from_lot = min(entry.amount - early, lot.centi) if lot else 0
        if lot is not None:
            self._lots[lot.lot_id] = replace(lot, centi=lot.centi - from_lot)
        self._append(entry, from_lot)
        left = entry.amount - early - from_lot
        short = left - self._take_lost(entry, left)
        self._append(replace(entry, debit=SUSPENSE), early + short)
        if short:
            self._open("lot.overdrawn" if lot else "lot.unknown", f"{short} hundredths of a point short in lot {entry.lot_id}")

    def _take_lost(self, entry: Entry, short: int) -> int:
        """Goods take back what left a lot when it ended, at a till that had not heard of it: it is as if that came first.

        What settled a debt is owed again, and no lot's any more.
        """
        lot_id, found = entry.lot_id or "", 0
        left = dict(self._lost.get(lot_id, ())) if entry.kind == "reverse" else {}
        for account, lost in left.items():
            part = min(short - found, lost)
            found += part
            left[account] = lost - part
            self._append(replace(entry, debit=account, lot_id=None if account.startswith(OWED) else lot_id), part)
        if found:
            self._lost[lot_id] = tuple(left.items())
            self._open("lot.ended", f"{found} hundredths of a point of lot {entry.lot_id} were booked as ended before")
        return found

    def _settle(self, entry: Entry) -> None:
        """Of what is owed no more than is still owed, and out of the lot no more than it holds: the rest stays where it is."""
        lot, owed = self._lot(entry), self._owed.get(entry.member_id or "", 0)
        settled = min(entry.amount, owed, lot.centi if lot else 0)
        if lot is not None:
            self._lots[lot.lot_id] = replace(lot, centi=lot.centi - settled)
        self._owed[entry.member_id or ""] = owed - settled
        self._append(entry, settled)
        if settled < entry.amount:
            short = entry.amount - settled
            self._open("owed.settled_twice", f"{short} hundredths of a point of lot {entry.lot_id} are not owed any more")

    def _carry(self, entry: Entry) -> None:
        """Nothing goes over that is not there any more, neither points nor a debt: another till may have carried it over."""
        if entry.debit.startswith(MEMBER):
            self._check_named(entry)
            lot = self._lot(entry)
            part = min(entry.amount, lot.centi if lot else 0)
            if lot is not None:
                self._lots[lot.lot_id] = replace(lot, centi=lot.centi - part)
            self._on_way[entry.credit] += part
            self._book_part(entry, part)
        elif entry.credit.startswith(MEMBER):
            self._check_named(entry)
            part = min(entry.amount, self._on_way[entry.debit])
            self._on_way[entry.debit] -= part
            if part:
                self._make(replace(entry, amount=part))
        elif entry.credit.startswith(OWED):
            member = entry.credit.removeprefix(OWED)
            part = min(entry.amount, self._owed.get(member, 0))
            self._owed[member] = self._owed.get(member, 0) - part
            self._debt_on_way[entry.debit] += part
            self._book_part(entry, part)
        elif entry.debit.startswith(OWED):
            member = entry.debit.removeprefix(OWED)
            part = min(entry.amount, self._debt_on_way[entry.credit])
            self._debt_on_way[entry.credit] -= part
            self._owed[member] = self._owed.get(member, 0) + part
            self._append(entry, part)
        else:
            self.entries.append(entry)

    def _book_part(self, entry: Entry, part: int) -> None:
        self._append(entry, part)
        if part < entry.amount:
            what = "are not owed" if entry.lot_id is None else f"of lot {entry.lot_id} are not there"
            self._open("merge.short", f"{entry.amount - part} hundredths of a point {what} any more")

    def _give_back(self, entry: Entry) -> None:
        """What suspense lent for this sale goes back to suspense before the lot gets any."""
        lot = self._lot(entry)
        repaid = min(entry.amount, self._lent.get(entry.lot_id or "", 0))
        if repaid:
            self._lent[entry.lot_id or ""] -= repaid
        room = lot.amount_centi - lot.centi if lot else 0
        to_lot = min(entry.amount - repaid, room)
        if lot is not None:
            self._lots[lot.lot_id] = replace(lot, centi=lot.centi + to_lot)
        self._append(entry, to_lot)
        self._append(replace(entry, credit=SUSPENSE), entry.amount - to_lot)
        over = entry.amount - to_lot - repaid
        if over:
            self._open("lot.overfilled" if lot else "lot.unknown", f"{over} hundredths of a point over in lot {entry.lot_id}")

    def _move_gift(self, entry: Entry) -> None:
        """A gift card gives what it holds, suspense the rest; what suspense lent for a sale goes back to suspense first."""
        account = entry.debit if entry.debit.startswith(GIFT) else entry.credit
        if entry.lot_id != account or entry.debit.startswith((GIFT, MEMBER)) == entry.credit.startswith((GIFT, MEMBER)):
            raise WireError(f"fact {self._seq} moves money between gift cards, or of one it does not name")
        held_minor = self._gifts.get((account, entry.unit), 0)
        if entry.debit == account:
            given = min(entry.amount, max(0, held_minor))
            self._gifts[account, entry.unit] = held_minor - given
            self._append(entry, given)
            self._append(replace(entry, debit=SUSPENSE), entry.amount - given)
            if given < entry.amount:
                self._open("gift_card.overdrawn", f"{entry.amount - given} minor units short on {account}")
            return
        repaid = min(entry.amount, self._lent.get(account, 0)) if entry.kind == "reverse" else 0
        self._lent[account] = self._lent.get(account, 0) - repaid
        self._gifts[account, entry.unit] = held_minor + entry.amount - repaid
        self._append(entry, entry.amount - repaid)
        self._append(replace(entry, credit=SUSPENSE), repaid)

    def _make(self, entry: Entry) -> None:
        if entry.lot_id is None or entry.lot_id in self._lots:
            self._append(replace(entry, credit=SUSPENSE), entry.amount)
            self._open("lot.taken", f"lot {entry.lot_id} is there already")
            return
        assert entry.member_id is not None
        self._lots[entry.lot_id] = LotHold(
            lot_id=entry.lot_id, member_id=entry.member_id, amount_centi=Points(entry.amount), centi=Points(entry.amount)
        )
        self.entries.append(entry)

    def _lot(self, entry: Entry) -> LotHold | None:
        """The named lot, when it is that member's."""
        lot = self._lots.get(entry.lot_id or "")
        return lot if lot is not None and lot.member_id == entry.member_id else None

    def _append(self, entry: Entry, centi: int) -> None:
        if centi:
            self.entries.append(replace(entry, amount=centi))

    def _open(self, reason: str, detail: str) -> None:
        self.cases.append(Case(seq=self._seq, reason=reason, detail=detail))


def _together(entries: tuple[Entry, ...]) -> int:
    """How many of the first entries bring the same points from a lot to who paid for others: 1 where they are none such."""
    first, after, third = (*entries, *entries[-1:] * 2)[:3]
    if first is after or first.rule != GIVEN or first.credit != ADJUSTMENT or first.lot_id is None:
        return 1
    if is_handing_back(first, after):
        return 2
    is_to_debt = (after.rule, after.debit) == (GIVEN, ADJUSTMENT) and after.credit.startswith(OWED)
    return (3 if is_unsettling(third) else 2) if is_to_debt else 1


def _ends_well(fact: Fact, known: Known) -> bool:
    """Whether the fact undoes a sale that stands, or a part of it: only then is there a debt to suspense to settle, once."""
    if fact.returned is not None:
        return known.sale_state == "completed"
    return fact.kind in UNDOES_SALE and (known.sale_state, fact.kind) in MOVES
