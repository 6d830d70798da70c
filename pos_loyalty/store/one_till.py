"""What one till that had seen all facts of a member, in the order of their time, would have left: their lots and what they owe.

Rule: a function of the set of facts. In which order they came in, and what the tills that made them knew, changes nothing: how
much was bought, redeemed, given and brought back is taken from the facts; from which lots it comes is decided here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from msgspec.structs import replace

from pos_loyalty.engine.grace import Grace, graced
from pos_loyalty.engine.lapsed import GIVEN, TWICE, Trail, after, lots_after
from pos_loyalty.engine.ledger import GRACE, SUSPENSE, forgive, member_account, others_lot, owed_account, own_lot
from pos_loyalty.engine.ledger import reverse as reverse_entries
from pos_loyalty.engine.lots import in_order, is_expired, says_grace, take
from pos_loyalty.engine.model import Entry, Instant, Lot
from pos_loyalty.engine.owed import SETTLES, settle_owed
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.lapsed import with_given_back, with_lapsed
from pos_loyalty.store.reach import Reach
from pos_loyalty.values import Points

DECIDED_HERE = (SETTLES, GIVEN, TWICE, GRACE)
"""Rules of entries that say only from which lot something came."""
HELD = "held:"


class OneTill:
    """A member as one till would know them. Give it facts with ``play``, in order; it is a Past."""

    def __init__(self, db: Connection, member_id: str, grace_days: Callable[[Fact], int | None]) -> None:
        self._db = db
        self._who = member_id
        self._grace_days = grace_days
        self._account, self._owed_account = member_account(member_id), owed_account(member_id)
        self.lots: dict[str, Lot] = {}
        self.owed_centi = 0
        self.accounts: Counter[str] = Counter()
        self._made: dict[str, Entry] = {}
        self._root: dict[str, str] = {}
        self._brought: defaultdict[str, list[str]] = defaultdict(list)
        self._asked: Counter[str] = Counter()
        self._used: defaultdict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
        self._lent: Counter[tuple[str, str]] = Counter()
        self._letting: set[str] = set()
        self._written: list[tuple[tuple[Entry, ...], frozenset[str]]] = []
        self._about: defaultdict[str, list[int]] = defaultdict(list)

    # What the file of such a till would tell.

    def trail_of(self, lot_id: str, asked: Mapping[str, Entry], done: Sequence[Entry]) -> Trail | None:
        """By what was written."""
        root = self._root.get(lot_id, lot_id)
        made = self._made.get(root)
        if made is None or (root not in self._asked and root not in asked):
            return None
        now_asked = asked[root].amount if root in asked else 0
        lots = frozenset(lot for lot, began in self._root.items() if began == root)
        trail = Trail(accrual=made, asked_centi=Points(self._asked[root] + now_asked), lots=lots)
        for n in self._about[root]:
            entries, roots = self._written[n]
            trail = after(trail, entries, is_asked=root in roots)
        return after(trail, done, is_asked=root in asked)

    def lots_of(self, member_id: str) -> tuple[Lot, ...]:
        """As they are now."""
        return tuple(self.lots[lot] for lot in sorted(self.lots)) if member_id == self._who else ()

    def amount_of(self, lot_id: str) -> int:
        """By the entry that made it."""
        return int(self._made[lot_id].amount) if lot_id in self._made else 0

    def owed_of(self, member_id: str) -> int:
        """As it is now."""
        return self.owed_centi if member_id == self._who else 0

    def settled_from(self, member_id: str) -> Iterable[tuple[str, int]]:
        """By what was written."""
        rooms: dict[str, int] = {}
        for entries, _ in self._written:
            for entry in entries:
                if entry.rule == SETTLES and entry.lot_id is not None and member_id == self._who:
                    room = rooms.get(entry.lot_id, 0)
                    if entry.credit == self._owed_account:
                        rooms.pop(entry.lot_id, None)  # the last to settle stands last
                    rooms[entry.lot_id] = room + (entry.amount if entry.credit == self._owed_account else -entry.amount)
        return reversed(rooms.items())

    def current(self, member_id: str) -> str:
        """Nobody here went over into another."""
        return member_id

    # Facts.

    def play(self, fact: Fact, booked: Sequence[Entry]) -> None:
        """One more fact. ``booked``: its entries as they stand in the ledger, of this member, in points."""
        told = tuple(entry for entry in fact.entries if entry.member_id == self._who and entry.unit == "point")
        match fact.kind:
            case "points.settled" | "points.expired":
                return  # how, not how much
            case "sale.returned" if fact.returned is not None and fact.returned.sale_id:
                self._return(fact, told)
            case "sale.reversed" | "sale.cancelled" if fact.end is not None:
                ref = f"{fact.till}/{fact.end.sale_id}"
                lots = self._brought[ref] if fact.kind == "sale.reversed" else []
                self._bring_back(fact, ref, told, {lot: self._made[lot].amount for lot in lots})
            case _:
                self._book(fact, booked)

    def _return(self, fact: Fact, told: Sequence[Entry]) -> None:
        about = fact.returned
        assert about is not None
        ref, asked = f"{about.sale_till}/{about.sale_id}", Counter[str]()
        for each in about.returned.taken_back:
            if each.member_id is None and fact.member == self._who:
                asked[own_lot(ref, each.rule)] += each.centi
            elif each.member_id == self._who:
                asked[others_lot(ref, each.rule, self._who)] += each.centi
        self._bring_back(fact, ref, told, {lot: centi for lot, centi in asked.items() if lot in self._made})

    def _bring_back(self, fact: Fact, ref: str, told: Sequence[Entry], asked: Mapping[str, int]) -> None:
        """As a till does it that takes the goods back. No lot is asked for more than it brought."""
        here = Reach(self._db, fact.at, past=self)
        lots = self.lots_of(self._who)
        given = with_given_back(here, tuple(self._restored(ref, told)))
        room = {lot: min(centi, self._made[lot].amount - self._asked[lot]) for lot, centi in asked.items()}
        taking = [replace(self._made[lot], amount=Points(centi)) for lot, centi in room.items() if centi > 0]
        now = lots_after(lots, given)
        is_letting = fact.kind == "sale.returned" and ref in self._letting
        taken = reverse_entries(taking, now, ref, fact.at, others={self._who: now})
        if is_letting:
            taken += forgive(taken)
        entries = with_lapsed(here, given + taken, taking, forgives=is_letting)
        entries = graced(entries, lots, self._grace(fact, entries))
        self._write(self._with_owed(entries, fact.at), frozenset(self._brought[ref]) if taking else frozenset())
        for each in taking:
            self._asked[each.lot_id or ""] += each.amount

    def _restored(self, ref: str, told: Iterable[Entry]) -> Iterator[Entry]:
        """What paid goes back where it came from: what suspense lent, then what is owed for it, the lot that was named last."""
        for entry in told:
            if entry.kind == "reverse" and entry.credit == SUSPENSE:
                yield entry
            if (entry.kind, entry.credit) != ("reverse", self._account) or entry.lot_id is None or entry.rule is not None:
                continue
            key = (ref, entry.lot_id)
            lent = min(entry.amount, self._lent[key])
            self._lent[key] -= lent
            if lent:
                yield replace(entry, amount=Points(lent), credit=SUSPENSE)
            left, used = entry.amount - lent, self._used[key]
            while left > 0 and used:
                lot_id, centi = used.pop()
                part = min(left, centi)
                left -= part
                if part < centi:
                    used.append((lot_id, centi - part))
                is_lot = bool(lot_id)
                yield replace(
                    entry, amount=Points(part), lot_id=lot_id or None, credit=self._account if is_lot else self._owed_account
                )

    def _grace(self, fact: Fact, entries: Iterable[Entry]) -> Grace | None:
        days = self._grace_days(fact)
        if days is None:
            return None
        lots = {entry.lot_id for entry in entries if entry.lot_id is not None}
        used_up = frozenset(lot for lot in lots if says_grace(lot))
        return Grace(until=fact.at + timedelta(days=days), ref=f"{fact.till}/{fact.id}", used_up=used_up)

    def _book(self, fact: Fact, booked: Iterable[Entry]) -> None:
        """What is given and taken by no goods that come back."""
        till, sale_id = sale_of(fact)
        ref = f"{till}/{sale_id}" if sale_id else ""
        if fact.sale is not None and fact.sale.quote.earning is not None and fact.sale.quote.earning.owed == "forgive":
            self._letting.add(ref)
        made: tuple[Entry, ...] = ()
        for entry in booked:
            if entry.rule in DECIDED_HERE:
                continue
            if entry.debit in (self._account, self._owed_account):
                made += tuple(self._taken(entry, ref, made, fact.at))
                continue
            made += (entry,)
            if entry.kind == "redeem" and entry.debit == SUSPENSE and entry.lot_id is not None:
                self._lent[ref, entry.lot_id] += entry.amount
            if entry.kind == "accrue" and entry.credit == self._account and entry.lot_id is not None and ref:
                self._brought[ref].append(entry.lot_id)
        self._write(self._with_owed(made, fact.at), frozenset())

    def _taken(self, entry: Entry, ref: str, made: Sequence[Entry], now: Instant) -> Iterator[Entry]:
        """From the lot that is named, then from those that live, soonest to end first; what nobody has is owed."""
        lots = {lot.lot_id: lot for lot in lots_after(self.lots_of(self._who), made)}
        named = lots.get(entry.lot_id or "")
        others = in_order(lot for lot in lots.values() if lot is not named and not is_expired(lot, now))
        uses = take(((named,) if named is not None else ()) + others, entry.amount)
        parts = [(use.lot_id, int(use.centi)) for use in uses]
        short = entry.amount - sum(centi for _, centi in parts)
        parts += [("", short)] if short else []
        if entry.credit.startswith(HELD) and entry.lot_id is not None:
            self._used[ref, entry.lot_id] += parts
        for lot_id, centi in parts:
            yield replace(
                entry, amount=Points(centi), lot_id=lot_id or None, debit=self._account if lot_id else self._owed_account
            )

    def _with_owed(self, entries: tuple[Entry, ...], now: Instant) -> tuple[Entry, ...]:
        dead = {lot.lot_id for lot in self.lots.values() if is_expired(lot, now)}
        dead |= {entry.lot_id or "" for entry in entries if entry.expires_at is not None and entry.expires_at <= now}
        return entries + settle_owed(entries, {self._who: self.owed_centi}, dead)

    def _write(self, entries: tuple[Entry, ...], roots: frozenset[str]) -> None:
        before: Entry | None = None
        about = set(roots)
        for entry in entries:
            if entry.kind == "accrue" and entry.credit == self._account and entry.lot_id is not None:
                is_moved = entry.rule == GRACE and before is not None and before.lot_id is not None
                self._root[entry.lot_id] = self._root.get(before.lot_id or "", "") if is_moved and before else entry.lot_id
                self._made.setdefault(entry.lot_id, entry)
                self.lots[entry.lot_id] = Lot(
                    lot_id=entry.lot_id, centi=Points(0), usable_from=entry.usable_from, expires_at=entry.expires_at
                )
            about |= {self._root[entry.lot_id]} if entry.lot_id in self._root else set()
            self._move(entry)
            before = entry
        for root in about:
            self._about[root].append(len(self._written))
        self._written.append((entries, roots))

    def _move(self, entry: Entry) -> None:
        self.accounts[entry.debit] -= entry.amount
        self.accounts[entry.credit] += entry.amount
        self.owed_centi += entry.amount * ((entry.debit == self._owed_account) - (entry.credit == self._owed_account))
        if entry.lot_id in self.lots and self._account in (entry.debit, entry.credit):
            lot = self.lots[entry.lot_id]
            sign = 1 if entry.credit == self._account else -1
            self.lots[entry.lot_id] = replace(lot, centi=Points(lot.centi + sign * entry.amount))


def sale_of(fact: Fact) -> tuple[str, str]:
    """The till and the id of the sale that a fact made, ended, claimed or took goods back of; no id where none."""
    for about in (fact.claim, fact.returned):
        if about is not None:
            return about.sale_till, about.sale_id
    sale = fact.sale or fact.end
    return fact.till, "" if sale is None else sale.sale_id
