"""What a till must hold after what it has answered: books of whole numbers, kept without a line of the engine or the store.

Every answer is booked once, by hand: accounts, lots by their dates, what of each sale came back. Then the file must say the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.pages import CardBook, LotBook, SaleBook

POINT, RUB = "point", "RUB"
ISSUED, REDEEMED, EXPIRED = "programme:test:issued", "programme:test:redeemed", "programme:test:expired"
NEVER_MS = 2**62
LIFE_MS = 72 * 3_600_000
AGREE_MS = 5 * 60_000
RATES = {"base": 333, "slow": 500}
"""Of the programme: hundredths of a percent of what is paid, one point a ruble. The better one stands: slow for drinks."""


class Books:
    """All of it."""

    def __init__(self, now_ms: int) -> None:
        self.accounts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.lots: dict[str, LotBook] = {}
        self.fresh: list[LotBook] = []
        """Lots whose ids the till chooses. The file must show exactly these, in this order."""
        self.sales: dict[str, SaleBook] = {}
        self.cards: dict[str, CardBook] = {}
        self.into: dict[str, str] = {}
        self.wall_ms = now_ms
        self.noted_ms, self.noted_wall_ms = now_ms, now_ms
        self.has_undone_time = False
        """A person took hours back that had been believed: what was dead lives again, beside what is owed."""
        self.settled: Counter[str] = Counter()
        """By member, what their points settled in the last act."""
        self.moved = 0
        """What went over to another member in the last act."""
        self.touched: dict[str, None] = {}
        """The lots of the last act, in the order in which it came to them."""

    # time

    @property
    def trusted_ms(self) -> int:
        """Time goes on from what was noted; a clock turned back takes nothing of it away."""
        return self.noted_ms + max(0, self.wall_ms - self.noted_wall_ms)

    @property
    def is_sure(self) -> bool:
        return abs(self.wall_ms - self.trusted_ms) <= AGREE_MS

    def note(self) -> None:
        """The till wrote something: it noted the time."""
        self.noted_ms, self.noted_wall_ms = self.trusted_ms, self.wall_ms

    def confirm(self) -> None:
        """A person said that the clock is right."""
        self.has_undone_time |= self.wall_ms < self.trusted_ms
        self.noted_ms, self.noted_wall_ms = self.wall_ms, self.wall_ms

    def day(self, at_ms: int) -> int:
        """The shop's: it lies three hours east."""
        return (at_ms + 3 * 3_600_000) // 86_400_000

    def days_since(self, sale: SaleBook) -> int:
        """A clock turned back makes nothing younger."""
        return self.day(self.trusted_ms) - self.day(sale.at_ms)

    # accounts

    def move(self, debit: str, credit: str, amount: int, unit: str = POINT) -> None:
        assert amount >= 0
        self.accounts[debit, unit] -= amount
        self.accounts[credit, unit] += amount

    def balances(self) -> dict[tuple[str, str], int]:
        return {key: amount for key, amount in self.accounts.items() if amount}

    def on_card(self, card: str) -> int:
        return self.accounts[f"gift:{card}", RUB]

    def person(self, member: str) -> str:
        """Who the member is now."""
        while member in self.into:
            member = self.into[member]
        return member

    def owes(self, member: str) -> int:
        return -self.accounts[f"owed:{member}", POINT]

    def alive(self, member: str) -> int:
        """All that is not dead, usable or not yet."""
        return sum(self.lots[lot].centi for lot in self.in_order(member, self.trusted_ms))

    def debtors(self) -> list[str]:
        """Members who owe and were not merged."""
        return sorted(
            account.removeprefix("owed:")
            for (account, _), amount in self.accounts.items()
            if account.startswith("owed:") and amount < 0
        )

    def in_order(self, member: str, at_ms: int) -> list[str]:
        """Lots of a member that are not dead, soonest to end first."""
        alive = [
            (lot_id, lot) for lot_id, lot in self.lots.items() if lot.member == member and lot.centi and not lot.is_dead(at_ms)
        ]
        alive.sort(key=lambda each: (each[1].ends_ms or NEVER_MS, each[1].usable_ms, each[0]))
        return [lot_id for lot_id, _ in alive]

    def usable(self, member: str) -> list[str]:
        """Usable by the clock and by trusted time alike."""
        now_ms = min(self.trusted_ms, self.wall_ms)
        return [lot for lot in self.in_order(member, self.trusted_ms) if self.lots[lot].usable_ms <= now_ms]

    def greedy(self, lot_ids: list[str], centi: int) -> list[tuple[str, int]]:
        """So much from these lots, one after the other."""
        taken = []
        for lot_id in lot_ids:
            part = min(centi, self.lots[lot_id].centi)
            if part:
                taken.append((lot_id, part))
                centi -= part
        return taken

    def _out(self, lot_id: str, credit: str, centi: int) -> None:
        """For something: it was spent, taken, or paid what was owed."""
        self.lots[lot_id].used += centi
        self._leave(lot_id, credit, centi)

    def _leave(self, lot_id: str, credit: str, centi: int) -> None:
        lot = self._touch(lot_id)
        lot.centi -= centi
        assert lot.centi >= 0, lot_id
        self.move(f"member:{lot.member}", credit, centi)

    def _in(self, lot_id: str, debit: str, centi: int) -> None:
        lot = self._touch(lot_id)
        lot.centi += centi
        lot.used -= centi
        self.move(debit, f"member:{lot.member}", centi)

    def new_lot(self, lot_id: str, lot: LotBook, debit: str) -> None:
        assert lot_id not in self.lots
        self.lots[lot_id] = lot
        self._touch(lot_id)
        self.move(debit, f"member:{lot.member}", lot.centi)

    def _touch(self, lot_id: str) -> LotBook:
        self.touched[lot_id] = None
        return self.lots[lot_id]

    # what is owed

    @contextmanager
    def act(self) -> Iterator[None]:
        """Something that is done at once. What a living lot has more after it than before pays what its member owes then."""
        before = {lot_id: lot.centi for lot_id, lot in self.lots.items()}
        self.settled.clear()
        self.touched.clear()
        yield
        for lot_id in tuple(self.touched):
            lot = self.lots[lot_id]
            if not lot.is_dead(self.trusted_ms):
                more = lot.centi - before.get(lot_id, 0)
                part = max(0, min(more, self.owes(lot.member)))
                self._out(lot_id, f"owed:{lot.member}", part)
                self.settled[lot.member] += part

    # sales

    def authorise(self, sale: SaleBook) -> None:
        if sale.member is not None:
            centi = sum(part for _, part in sale.uses)
            assert sale.uses == self.greedy(self.usable(sale.member), centi), "not the soonest to end first, or not usable"
            owed = self.owes(sale.member)
            assert centi == 0 or centi + owed <= sum(self.lots[lot].centi for lot in self.usable(sale.member)), (
                "owed was forgotten"
            )
        else:
            assert not sale.uses and not sale.accruals
        for lot_id, centi in sale.uses:
            self._out(lot_id, f"held:{sale.ref}", centi)
        for card, minor, _ in sale.gifts:
            self.move(f"gift:{card}", f"gifts:held:{sale.ref}", int(minor), RUB)
        self.sales[sale.sale_id] = sale

    def complete(self, sale: SaleBook, cards: list[tuple[str, str, int]]) -> None:
        """Settle. After a cancel the payment stands all the same: suspense lends what was given back."""
        if sale.state not in ("authorised", "cancelled"):
            return
        sale.is_lent = sale.state == "cancelled"
        sale.state = "completed"
        for _, centi in sale.uses:
            self.move("suspense" if sale.is_lent else f"held:{sale.ref}", REDEEMED, centi)
        for _, minor, _ in sale.gifts:
            self.move("suspense" if sale.is_lent else f"gifts:held:{sale.ref}", "gifts:redeemed", int(minor), RUB)
        if sale.member is not None:
            self.accrue(sale, sale.member)
        for card, line, minor in cards:
            if line not in sale.top_ups:
                self.cards[card] = CardBook("bought", "active", None)
            self.load(card, "gifts:sold", minor)
            sale.cards.append((card, line, minor))
        if sale.member is not None and (sale.uses or sale.accruals):
            self.carry(sale.member)

    def accrue(self, sale: SaleBook, member: str) -> None:
        with self.act():
            for rule, centi, usable_ms, ends_ms in sale.accruals:
                self.new_lot(f"{sale.ref}:{rule}", LotBook(member, centi, usable_ms, ends_ms), ISSUED)

    def cancel(self, sale: SaleBook) -> None:
        if sale.state != "authorised":
            return
        sale.state = "cancelled"
        with self.act():
            for lot_id, centi in sale.uses:
                self._in(lot_id, f"held:{sale.ref}", centi)
        for card, minor, _ in sale.gifts:
            self.move(f"gifts:held:{sale.ref}", f"gift:{card}", int(minor), RUB)
        if sale.member is not None and sale.uses:
            self.carry(sale.member)

    def void(self, sale: SaleBook) -> None:
        if sale.state != "completed":
            return
        sale.state = "reversed"
        self._undo(sale, [*sale.uses], [(rule, centi) for rule, centi, _, _ in sale.accruals])
        self.refund_gifts(sale, sale.due_minor)
        self.unload(sale, set(sale.lines))

    def give_back(self, sale: SaleBook, restored: list[tuple[str, int]], taken: list[tuple[str, int]]) -> None:
        """A return, as far as points go: nothing comes back twice, and no more is taken than was brought."""
        self._undo(sale, restored, taken)
        sale.restored.update(dict(restored))
        sale.taken.update(dict(taken))
        used, earned = dict(sale.uses), {rule: centi for rule, centi, _, _ in sale.accruals}
        assert all(centi <= used.get(lot, 0) for lot, centi in sale.restored.items()), "more came back than was spent"
        assert all(centi <= earned.get(rule, 0) for rule, centi in sale.taken.items()), "more was taken than was earned"
        for rule in earned:
            due = RATES[rule] * sale.goods_back[rule]
            assert abs(sale.taken[rule] * 10_000 - due) <= 10_000 * (2 + len(sale.lines)), (sale.taken, sale.goods_back)
        if sale.is_all_back:
            assert +sale.restored == Counter(used) and +sale.taken == Counter(earned) and sale.refunded_minor == sale.due_minor

    def _undo(self, sale: SaleBook, restored: list[tuple[str, int]], taken: list[tuple[str, int]]) -> None:
        if sale.holder is None:
            return
        with self.act():
            for lot_id, centi in restored:
                if sale.is_lent:
                    self.move(REDEEMED, "suspense", centi)
                else:
                    self._in(lot_id, REDEEMED, centi)
            self._claw_back(sale.holder, sale, taken)
        if restored or taken:
            self.carry(sale.holder)

    def _claw_back(self, member: str, sale: SaleBook, taken: list[tuple[str, int]]) -> None:
        """Out of the sale's own lots, then out of others, and the rest is owed.

        What died in an own lot is let go; what of it had gone for something before, less what was asked of it, is had again.
        """
        missing, had = [], []
        for rule, centi in taken:
            lot_id = f"{sale.ref}:{rule}"
            lot = self.lots[lot_id]
            used = max(0, lot.used_anywhere - sale.taken[rule])
            part = min(lot.centi, centi)
            self._out(lot_id, ISSUED, part)
            if lot.is_dead(self.trusted_ms):
                had.append(min(used, centi - part))
            else:
                missing.append(centi - part)
        for centi in missing + had:
            uses = self.greedy(self.in_order(member, self.trusted_ms), centi)
            for lot_id, part in uses:
                self._out(lot_id, ISSUED, part)
            self.move(f"owed:{member}", ISSUED, centi - sum(part for _, part in uses))

    def carry(self, member: str) -> None:
        """What a merged member got or owes goes on to the one who stays, whose points settle it: those that come first."""
        into = self.person(member)
        if into == member:
            return
        self.settled.clear()
        coming = self.in_order(member, self.trusted_ms)
        owed = self.owes(member)
        self.moved = sum(self.lots[lot].centi for lot in coming)
        self.move(f"owed:{into}", f"owed:{member}", owed)
        if not coming and not owed:
            return
        own = self.in_order(into, self.trusted_ms)
        before = self.owes(into)
        for lot_id in coming:
            lot = self.lots[lot_id]
            part = min(lot.centi, self.owes(into))
            lot.went_to.append(LotBook(into, lot.centi - part, lot.usable_ms, lot.ends_ms, used=part))
            self._leave(lot_id, f"member:{into}", lot.centi)
            self.move(f"member:{into}", f"owed:{into}", part)
            self.fresh.append(lot.went_to[-1])
        for lot_id, part in self.greedy(own, self.owes(into)):
            self._out(lot_id, f"owed:{into}", part)
        self.settled = Counter({into: before - self.owes(into)})

    # gift cards

    def load(self, card: str, source: str, minor: int) -> None:
        self.move(source, f"gift:{card}", minor, RUB)

    def refund_gifts(self, sale: SaleBook, minor: int) -> None:
        """The cards that paid get their money first."""
        for gift in sale.gifts:
            part = min(int(gift[1]) - int(gift[2]), minor)
            gift[2] = int(gift[2]) + part
            minor -= part
            self.move("gifts:redeemed", "suspense" if sale.is_lent else f"gift:{gift[0]}", part, RUB)

    def unload(self, sale: SaleBook, lines: set[str]) -> None:
        """Cards that the sale sold are void, top-ups are taken off again."""
        for card, line, minor in [each for each in sale.cards if each[1] in lines]:
            self.move(f"gift:{card}", "gifts:sold", minor, RUB)
            if line not in sale.top_ups:
                self.cards[card].state = "void"
            sale.cards.remove((card, line, minor))

    # the night

    def night(self) -> None:
        """Old reservations go back, then what is dead is booked, by sure time only."""
        self.note()
        if not self.is_sure:
            return
        before = min(self.trusted_ms, self.wall_ms) - LIFE_MS
        for sale in [each for each in self.sales.values() if each.state == "authorised" and each.at_ms < before]:
            self.cancel(sale)
        assert not any(lot.is_dead(self.trusted_ms) for lot in self.fresh), "only what is alive is carried over"
        for lot_id, lot in self.lots.items():
            if lot.is_dead(self.trusted_ms):
                self._leave(lot_id, EXPIRED, lot.centi)
        for card, book in self.cards.items():
            if book.ends_ms is not None and book.ends_ms <= self.trusted_ms:
                self.move(f"gift:{card}", "gifts:expired", self.on_card(card), RUB)
