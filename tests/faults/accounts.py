"""The accounts of the books that are kept beside a till, its clocks, and the lots of its members. See ``books.py``."""

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


class Accounts:
    """Time, accounts, and lots by their dates."""

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
        self.settlers: list[tuple[int, LotBook, int]] = []
        """Which lots settled what was owed, in which act, and how much."""
        self.acts = 0
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
        self.acts += 1
        yield
        for lot_id in tuple(self.touched):
            lot = self.lots[lot_id]
            if not lot.is_dead(self.trusted_ms):
                more = lot.centi - before.get(lot_id, 0)
                part = max(0, min(more, self.owes(lot.member)))
                self._out(lot_id, f"owed:{lot.member}", part)
                self.settled[lot.member] += part
                self._note_settler(lot, part)

    def _note_settler(self, lot: LotBook, centi: int) -> None:
        if centi:
            self.settlers.append((self.acts, lot, centi))
