"""A till under watch: whatever is done with it may be killed, repeated or come at a wrong time, and is looked at after each step.

The rules by which a shop works stand in ``machine.py``; here are kills, clocks and nights, and what must hold.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError, QuoteStaleError
from pos_loyalty.store.verify import verify
from pos_loyalty.till import Till
from pos_loyalty.values import Value
from tests import refold
from tests.faults.accounts import ISSUED, NEVER_MS
from tests.faults.books import Books
from tests.faults.crashing import MEMBERS, CrashingShop
from tests.faults.pages import LotBook
from tests.faults.shopping import (
    GOODS,
    plain,
)

A = TypeVar("A", bound=Value)
NUMBERS = st.integers(0, 10_000)
DAY_S = 86_400
JUMPS_S = (60, 3_600, DAY_S, 3 * DAY_S, 10 * DAY_S, 31 * DAY_S, -3_600, -2 * DAY_S, -20 * DAY_S)
ITEMS = st.lists(st.tuples(st.sampled_from(tuple(GOODS)), st.integers(1, 5_000)), min_size=1, max_size=3)
WHO = st.sampled_from((None, *MEMBERS))
MADE_SELECT = """SELECT lot.id FROM lot JOIN entry ON entry.lot = lot.id JOIN txn ON txn.id = entry.txn
WHERE entry.kind = 'accrue' ORDER BY txn.seq, entry.n"""
NEVER_BELOW = ("member:", "gift:", "held:", "gifts:held:")


class CheckedTill(RuleBasedStateMachine):
    """One till, three members, two persons of the staff; nothing is sold yet."""

    template: ClassVar[Path]
    folder: ClassVar[Path]
    done: ClassVar[Counter[str]] = Counter()
    """How often each thing was done, and refused, over all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = CrashingShop(self.folder, self.template)
        self.books = self.new_books()
        for lot_id, member, centi, usable_ms, ends_ms in self._lots():
            source = ISSUED if lot_id.startswith("opening") else "adjustment"
            self.books.new_lot(lot_id, LotBook(member, centi, usable_ms, ends_ms), source)
        self.fault: tuple[str, int] | None = None
        self.asked: list[tuple[Callable[[], Value], Value]] = []
        self.refusal = ""
        self.number = 0
        self.done["runs"] += 1

    def new_books(self) -> Books:
        """The books of a shop at its first moment."""
        return Books(to_ms(self.shop.now))

    # doing things

    @property
    def till(self) -> Till:
        return self.shop.till

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def do(self, what: str, verb: Callable[[], A]) -> A | None:
        """Do something as a host does: whatever happens, ask again under the same key until there is an answer.

        None: it was refused, and nothing may have moved.
        """
        fault, self.fault = self.fault, None
        try:
            if fault is not None and fault[0] == "inside":
                died = self.shop.crash_inside(verb, fault[1]) is None
                self.books.note()  # the till was opened anew, or has done it
                self.done["killed inside" if died else "done before the kill"] += 1
            elif fault is not None:
                first = verb()
                if fault[0] == "after":
                    self.shop.crash()
                assert plain(verb()) == plain(first)
            answer = verb()
        except (ConflictError, InputError, NotAllowedError, NotFoundError) as error:
            self.done[f"{what} refused"] += 1
            self.refusal = str(error)
            assert not isinstance(error, QuoteStaleError) or "authorise" in what, error
            return None
        assert plain(verb()) == plain(answer), "the same key answered twice otherwise"
        self.books.note()
        self.asked.append((verb, answer))
        self.done[what] += 1
        return answer

    @rule(kind=st.sampled_from(("inside", "inside", "after", "twice")), looks=st.integers(1, 150))
    def plan_fault(self, kind: str, looks: int) -> None:
        """The next thing goes wrong on its way."""
        self.fault = kind, looks

    @rule(rare=st.integers(0, 2))
    def crash_and_reopen(self, rare: int) -> None:
        if rare:
            return
        self.shop.crash()
        self.books.note()
        assert verify(self.shop.db) == ()
        self.done["crash"] += 1

    @rule(number=NUMBERS)
    def ask_again(self, number: int) -> None:
        """An old key, days later: the answer that was given then."""
        if self.asked:
            verb, answer = self.asked[number % len(self.asked)]
            assert plain(verb()) == plain(answer)

    @rule(seconds=st.sampled_from(JUMPS_S))
    def clock_jumps(self, seconds: int) -> None:
        self.books.wall_ms = to_ms(self.shop.turn(seconds))
        self.done["clock back" if seconds < 0 else "clock ahead"] += 1

    @rule(days=st.sampled_from((3, 10, 32)))
    def nights_later(self, days: int) -> None:
        self.books.wall_ms = to_ms(self.shop.turn(days * DAY_S))
        self.night()

    @precondition(lambda self: not self.books.is_sure)
    @rule()
    def clock_confirmed(self) -> None:
        self.shop.confirm_clock()
        self.books.confirm()

    @rule(rare=st.integers(0, 4))
    def a_night(self, rare: int) -> None:
        if not rare:
            self.night()

    def night(self) -> None:
        fault, self.fault = self.fault, None
        if fault is not None and fault[0] == "inside":
            self.shop.crash_inside(self.till.nightly, fault[1])
            self.books.note()
        assert set(self.shop.night().values()) == {None}
        self.books.night()
        self.done["night" if self.books.is_sure else "night that waits"] += 1

    # what must hold

    @invariant()
    def the_file_says_what_the_books_say(self) -> None:
        lots = {lot_id: (member, centi, usable, ends) for lot_id, member, centi, usable, ends in self._lots()}
        self._adopt(lots)
        books = self.books
        expected = {key: (lot.member, lot.centi, lot.usable_ms, lot.ends_ms or NEVER_MS) for key, lot in books.lots.items()}
        assert lots == expected
        rows = self.shop.db.execute("SELECT account, unit, amount FROM balance").fetchall()
        balances = {(account, unit): amount for account, unit, amount in rows}
        assert balances == books.balances()
        assert all(amount >= 0 for (account, _), amount in balances.items() if account.startswith(NEVER_BELOW))
        sums: Counter[str] = Counter()
        for (_, unit), amount in balances.items():
            sums[unit] += amount
        assert not +sums and not -sums, sums
        for member in books.debtors():
            assert books.has_undone_time or not books.alive(member), "who owes holds points that could be redeemed"
        states = dict(self.shop.db.execute("SELECT sale_id, state FROM sale"))
        assert states == {sale_id: sale.state for sale_id, sale in books.sales.items()}

    def _adopt(self, lots: dict[str, tuple[str, int, int, int]]) -> None:
        """Lots that were carried over bear ids of the till's own: they must be exactly those that are due."""
        new = {lot_id: lots[lot_id] for (lot_id,) in self.shop.db.execute(MADE_SELECT) if lot_id not in self.books.lots}
        due = [(lot.member, lot.centi, lot.usable_ms, lot.ends_ms or NEVER_MS) for lot in self.books.fresh]
        assert list(new.values()) == due
        self.books.lots.update(zip(new, self.books.fresh, strict=True))
        self.books.fresh.clear()

    def _lots(self) -> list[tuple[str, str, int, int, int]]:
        select = "SELECT id, member, remaining, usable_from, coalesce(expires_at, ?) FROM lot"
        return list(self.shop.db.execute(select, (NEVER_MS,)))

    def teardown(self) -> None:
        """The file agrees with itself, and follows from its log to the byte; open sales can still be ended."""
        try:
            assert verify(self.shop.db) == ()
            again = self.shop.path.with_name("again.db")
            assert refold.differences(self.shop.db, again) == []
        finally:
            self.shop.close()
            shutil.rmtree(self.folder, ignore_errors=True)
