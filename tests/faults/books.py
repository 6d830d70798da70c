"""What a till must hold after what it has answered: books of whole numbers, kept without a line of the engine or the store.

Every answer is booked once, by hand: accounts, lots by their dates, what of each sale came back. Then the file must say the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

POINT, RUB = "point", "RUB"
ISSUED, REDEEMED, EXPIRED = "programme:test:issued", "programme:test:redeemed", "programme:test:expired"
NEVER_MS = 2**62
LIFE_MS = 72 * 3_600_000
AGREE_MS = 5 * 60_000
RATES = {"base": 333, "slow": 500}
"""Of the programme: hundredths of a percent of what is paid, one point a ruble. The better one stands: slow for drinks."""


@dataclass
class LotBook:
    """A lot. ``ends_ms`` is the first instant at which it is lost."""

    member: str
    centi: int
    usable_ms: int
    ends_ms: int | None

    def is_dead(self, at_ms: int) -> bool:
        return self.ends_ms is not None and self.ends_ms <= at_ms


@dataclass
class SaleBook:
    """A sale as its answers told it, and what of it came back."""

    sale_id: str
    member: str | None
    due_minor: int
    at_ms: int
    lines: dict[str, tuple[str, int]]
    """Line id: sku and thousandths."""
    uses: list[tuple[str, int]]
    accruals: list[tuple[str, int, int, int | None]]
    """Rule, hundredths, from, to."""
    gifts: list[list[int | str]]
    """Card that paid, how much, how much of it came back."""
    top_ups: dict[str, tuple[str, int]] = field(default_factory=dict)
    state: str = "authorised"
    is_lent: bool = False
    is_exchange: bool = False
    claimed_by: str | None = None
    cards: list[tuple[str, str, int]] = field(default_factory=list)
    """Cards that it loads: card, line, how much."""
    back: Counter[str] = field(default_factory=Counter)
    refunded_minor: int = 0
    goods_back: Counter[str] = field(default_factory=Counter)
    """Refunds of goods by the rule that brings points for them."""
    restored: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def ref(self) -> str:
        return f"T1/{self.sale_id}"

    @property
    def holder(self) -> str | None:
        return self.member or self.claimed_by

    @property
    def is_all_back(self) -> bool:
        return all(self.back[line] == milli for line, (_, milli) in self.lines.items())


@dataclass
class CardBook:
    """A gift card, but for its balance, which is an account."""

    kind: str
    state: str
    ends_ms: int | None


class Books:
    """All of it."""

    def __init__(self, now_ms: int) -> None:
        self.accounts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.lots: dict[str, LotBook] = {}
        self.fresh: list[tuple[str, int, int, int]] = []
        """Lots whose ids the till chooses: member, hundredths, dates. The file must show exactly these."""
        self.sales: dict[str, SaleBook] = {}
        self.cards: dict[str, CardBook] = {}
        self.into: dict[str, str] = {}
        self.wall_ms = now_ms
        self.noted_ms, self.noted_wall_ms = now_ms, now_ms

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
        self.noted_ms, self.noted_wall_ms = self.wall_ms, self.wall_ms

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
        lot = self.lots[lot_id]
        lot.centi -= centi
        assert lot.centi >= 0, lot_id
        self.move(f"member:{lot.member}", credit, centi)

    def _in(self, lot_id: str, debit: str, centi: int) -> None:
        lot = self.lots[lot_id]
        lot.centi += centi
        self.move(debit, f"member:{lot.member}", centi)

    def new_lot(self, lot_id: str, lot: LotBook, debit: str) -> None:
        assert lot_id not in self.lots
        self.lots[lot_id] = lot
        self.move(debit, f"member:{lot.member}", lot.centi)

    # sales

    def authorise(self, sale: SaleBook) -> None:
        if sale.member is not None:
            centi = sum(part for _, part in sale.uses)
            assert sale.uses == self.greedy(self.usable(sale.member), centi), "not the soonest to end first, or not usable"
            owed = -self.accounts[f"owed:{sale.member}", POINT]
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
        for rule, centi, usable_ms, ends_ms in sale.accruals:
            self.new_lot(f"{sale.ref}:{rule}", LotBook(member, centi, usable_ms, ends_ms), ISSUED)

    def cancel(self, sale: SaleBook) -> None:
        if sale.state != "authorised":
            return
        sale.state = "cancelled"
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
        for lot_id, centi in restored:
            if sale.is_lent:
                self.move(REDEEMED, "suspense", centi)
            else:
                self._in(lot_id, REDEEMED, centi)
        self._claw_back(sale.holder, [(f"{sale.ref}:{rule}", centi) for rule, centi in taken])
        if restored or taken:
            self.carry(sale.holder)

    def _claw_back(self, member: str, taken: list[tuple[str, int]]) -> None:
        """Out of the sale's own lots, then out of others, and the rest is owed; what died in an own lot is let go."""
        missing = []
        for lot_id, centi in taken:
            lot = self.lots[lot_id]
            part = min(lot.centi, centi)
            self._out(lot_id, ISSUED, part)
            missing.append(0 if lot.is_dead(self.trusted_ms) else centi - part)
        for centi in missing:
            uses = self.greedy(self.in_order(member, self.trusted_ms), centi)
            for lot_id, part in uses:
                self._out(lot_id, ISSUED, part)
            self.move(f"owed:{member}", ISSUED, centi - sum(part for _, part in uses))

    def carry(self, member: str) -> None:
        """What a merged member got goes on to the one who stays."""
        into = self.person(member)
        if into == member:
            return
        for lot_id in self.in_order(member, self.trusted_ms):
            lot = self.lots[lot_id]
            self.fresh.append((into, lot.centi, lot.usable_ms, lot.ends_ms or NEVER_MS))
            self._out(lot_id, f"member:{into}", lot.centi)
        owed = -self.accounts[f"owed:{member}", POINT]
        self.move(f"owed:{into}", f"owed:{member}", owed)

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
        assert all(ends_ms > self.trusted_ms for _, _, _, ends_ms in self.fresh), "only what is alive is carried over"
        for lot_id, lot in self.lots.items():
            if lot.is_dead(self.trusted_ms):
                self._out(lot_id, EXPIRED, lot.centi)
        for card, book in self.cards.items():
            if book.ends_ms is not None and book.ends_ms <= self.trusted_ms:
                self.move(f"gift:{card}", "gifts:expired", self.on_card(card), RUB)
