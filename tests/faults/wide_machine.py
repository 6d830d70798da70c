"""The state machine of a shop with a grace for points, coupons, awards, and members whose papers change and who are erased.

All that ``machine.py`` does is done here too; what differs is told in ``wide.py``. See docs/testing.md.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from msgspec.structs import replace

from pos_loyalty.clock import to_ms
from pos_loyalty.engine.model import Basket
from pos_loyalty.till.member_model import ChangeRequest, EraseRequest, GiveConsent, SetAttribute, SetName, Wish
from pos_loyalty.till.model import AwardRequest, CancelRequest, QuoteRequest, SaleAnswer
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest
from pos_loyalty.values import Points
from tests.faults.accounts import POINT
from tests.faults.crashing import ANNA, BORIS, CLAIM_DAYS, MEMBERS
from tests.faults.machine import DAY_S, ITEMS, NEVER_BELOW, NUMBERS, TillMachine
from tests.faults.pages import LotBook, SaleBook
from tests.faults.shopping import GIFT_SKU, accruals_of, basket_of
from tests.faults.wide import AWARDS_MAX, GRACE_DAYS, WideBooks

DAY_MS = 86_400_000
AWARD_CENTI = 2_500
PERSONS = st.sampled_from(tuple(MEMBERS))
LONG_AGO_MS = 2**61
"""No lot ends so late but one without an end."""


class WideMachine(TillMachine):
    """That shop at work."""

    books: WideBooks

    def __init__(self) -> None:
        super().__init__()
        self.names: defaultdict[str, list[str]] = defaultdict(list)
        """By member, what they were called."""
        self.graced: set[str] = set()
        """Lots that a grace made."""

    def new_books(self) -> WideBooks:
        return WideBooks(to_ms(self.shop.now))

    # coupons

    def _sell(
        self, basket: Basket, who: str | None, number: int, complete: bool, back: tuple[SaleBook, list[LineBack]] | None
    ) -> None:
        """Most buyers show a coupon, good or not; some show two."""
        codes = sorted(self.books.coupons)
        shown = {codes[number % len(codes)], codes[-1 - number // 7 % min(len(codes), 4)]} if number % 3 else set()
        super()._sell(replace(basket, coupons=tuple(sorted(shown))), who, number, complete, back)

    def told(self, sale: SaleBook, answer: SaleAnswer) -> None:
        """The coupons of a sale that was just authorised, completed, cancelled or voided."""
        books = self.books
        if sale.sale_id not in books.takes:
            taken = tuple(each.code for each in answer.quote.coupons)
            assert all(books.stands(code) and books.is_in_time(code) for code in taken), "a coupon that is not good was taken"
            books.takes[sale.sale_id] = taken
            assert all(books.user_of(code) == sale.sale_id for code in taken)
            self.done["coupon taken"] += len(taken)
        elif sale.is_lent and sale.state == "completed":
            books.takes[sale.sale_id] = tuple(code for code in books.takes[sale.sale_id] if not books.others_of(code, sale))
        if sale.state == "completed":
            books.issue(sale, answer.coupons)
            assert (answer.withdrawn, answer.withdrawn_used, answer.released) == ((), (), ())
            self.done["coupon issued"] += len(answer.coupons)
        elif sale.state in ("cancelled", "reversed"):
            self._undone(sale, answer)

    def _undone(self, sale: SaleBook, answer: SaleAnswer) -> None:
        books = self.books
        made = books.made_by(sale) if sale.state == "reversed" else set()
        assert set(answer.withdrawn) == made and len(answer.withdrawn) == len(made)
        assert set(answer.withdrawn_used) == {code for code in made if books.user_of(code)}
        free = {code for code in books.takes[sale.sale_id] if books.stands(code) and books.user_of(code) is None}
        assert {code for code in free if books.is_in_time(code)} <= set(answer.released) <= free
        self.done["coupon released"] += len(answer.released)
        self.done["coupon withdrawn"] += len(made)

    def _returned(self, sale: SaleBook, answer: ReturnAnswer) -> None:
        books = self.books
        made, gone = books.made_by(sale), set(answer.withdrawn)
        assert gone <= made and len(gone) == len(answer.withdrawn)
        assert set(answer.withdrawn_used) == {code for code in gone if books.user_of(code)}
        for code in gone:
            books.coupons[code].is_withdrawn = True
        super()._returned(sale, answer)
        assert not sale.is_all_back or gone == made, "with the last of the goods goes all that the sale issued"
        self.done["coupon withdrawn"] += len(gone)

    @rule(number=NUMBERS)
    def show_a_coupon(self, number: int) -> None:
        """It is taken when it is good, and refused when it is not."""
        codes = sorted(self.books.coupons)
        code = codes[number % len(codes)]
        basket = replace(basket_of([("coffee", 1)], -1, self.shop.now), coupons=(code,))
        quote = self.till.quote(QuoteRequest(basket=basket))
        is_taken = [each.code for each in quote.coupons] == [code]
        is_good = self.books.stands(code) and self.books.user_of(code) is None and self.books.is_in_time(code)
        is_dated = self.books.coupons[code].ends_ms is not None
        assert is_taken == is_good or (is_good and is_dated and not self.books.is_sure), code
        self.done["coupon good" if is_taken else "coupon refused"] += 1

    @rule(items=ITEMS, who=PERSONS, days=st.sampled_from((2, 4, 8, 31)))
    def a_sale_hangs(self, items: list[tuple[str, int]], who: str, days: int) -> None:
        """Points are set aside, and let go days later: some of them have died meanwhile, or had a grace before."""
        before = len(self.books.sales)
        self._sell(basket_of(items, 60_000, self.shop.now), who, 0, False, None)
        if len(self.books.sales) > before:
            sale, key = list(self.books.sales.values())[-1], self.name("x")
            self.books.wall_ms = to_ms(self.shop.turn(days * DAY_S))
            answer = self.do("cancel late", lambda: self.till.cancel(sale.sale_id, CancelRequest(), key))
            assert answer is not None, self.refusal
            self.books.cancel(sale)
            self.told(sale, answer)

    # members

    @rule(who=PERSONS, number=NUMBERS)
    def award(self, who: str, number: int) -> None:
        member, key = self.books.person(who), self.name("w")
        answer = self.do("award", lambda: self.till.award(member, AwardRequest(act="review", cashier="C7"), key))
        given = self.books.awards.get(member, 0)
        assert answer is not None or given == AWARDS_MAX or member in self.books.erased or self.books.into, self.refusal
        if answer is not None:
            assert member not in self.books.erased and given < AWARDS_MAX
            assert answer.accrued_centi == AWARD_CENTI and 0 <= answer.settled_centi <= AWARD_CENTI
            self.books.awards[member] = given + 1

    @rule(who=PERSONS, number=NUMBERS)
    def change(self, who: str, number: int) -> None:
        key, name = self.name("p"), f"Nadezhda{self.number}Q"
        wishes: tuple[Wish, ...] = (
            SetName(name=name),
            GiveConsent(purpose="advertising", given=number % 2 == 0),
            SetAttribute(name="pet", value=f"{name} cat"),
        )
        request = ChangeRequest(changes=wishes[: 1 + number % 3], cashier="C7")
        answer = self.do("change", lambda: self.till.change(who, request, key))
        is_here = self.books.person(who) == who and who not in self.books.erased
        assert (answer is not None) == is_here, self.refusal
        if answer is not None:
            self.names[who].append(name)

    @rule(who=PERSONS, rare=st.integers(0, 9))
    def erase(self, who: str, rare: int) -> None:
        """Nothing that names the person stands in the files any more; what was answered about them is kept without it."""
        if rare:
            return
        key = self.name("e")
        answer = self.do("erase", lambda: self.till.erase(who, EraseRequest(by=BORIS, reason="asked"), key))
        assert (answer is not None) == (self.books.person(who) == who), self.refusal
        if answer is not None:
            gone = {member for member in MEMBERS if self.books.person(member) == who}
            self.books.erased |= gone
            self.asked.clear()
            held = b"".join(path.read_bytes() for path in self.shop.folder.glob("till.db*"))
            names = [name for member in gone for name in self.names.pop(member, [])]
            assert answer.is_clean and not [name for name in names if name.encode() in held]

    # what the other shop's books foretell to the point

    def adjust_by(self, member: str, centi: int, *, owe: bool) -> None:
        if member in self.books.erased:
            return
        request = AdjustRequest(centi=Points(centi), reason="till was down", by=ANNA, approval=BORIS, owe=owe)
        if 0 < abs(centi) <= 1_000:
            request = replace(request, by=BORIS, approval=None)
        key, had, owed = self.name("a"), self.books.alive(member), self.books.owes(member)
        answer = self.do("adjust", lambda: self.till.adjust(member, request, key))
        assert (answer is None) == (centi == 0 or (had < -centi and not owe)), self.refusal
        if answer is not None:
            assert answer.settled_centi == max(0, min(centi, owed))
            assert answer.owed_centi == max(0, -centi - had)
        self._look()

    @rule(number=NUMBERS, who=PERSONS)
    def claim(self, number: int, who: str) -> None:
        sale = self.pick("completed", number)
        if sale is None or sale.holder is not None:
            return
        key, request = self.name("f"), ClaimRequest(card=MEMBERS[who], by="C7", approval=BORIS)
        answer = self.do("claim", lambda: self.till.claim(sale.sale_id, request, key))
        if answer is not None:
            assert answer.member_id == self.books.person(who) not in self.books.erased
            assert self.books.days_since(sale) <= CLAIM_DAYS
            sale.claimed_by, sale.accruals = answer.member_id, accruals_of(answer.accruals)
            sale.goods_back.clear()

    @rule(who=PERSONS, into=PERSONS, rare=st.integers(0, 3))
    def merge(self, who: str, into: str, rare: int) -> None:
        if rare or who == into:
            return
        key, request = self.name("m"), MergeRequest(into=into, reason="one person", by=ANNA, approval=BORIS)
        had = self.books.alive(who)
        answer = self.do("merge", lambda: self.till.merge(who, request, key))
        if answer is not None:
            assert not {who, into} & self.books.erased
            assert answer.moved_centi == had
            self.books.into[who] = into

    @rule(who=PERSONS, centi=st.integers(0, 3_000), rare=st.integers(0, 2))
    def return_without_receipt(self, who: str, centi: int, rare: int) -> None:
        if self.books.person(who) not in self.books.erased:
            self.take_without_receipt(who, centi, rare)

    # what must hold

    @invariant()
    def the_file_says_what_the_books_say(self) -> None:
        balances = self._look()
        money = {key: amount for key, amount in balances.items() if key[1] != POINT}
        assert money == {key: amount for key, amount in self.books.balances().items() if key[1] != POINT}
        assert all(amount >= 0 for (account, _), amount in balances.items() if account.startswith(NEVER_BELOW))
        for unit in {unit for _, unit in balances}:
            assert sum(amount for (_, each), amount in balances.items() if each == unit) == 0, unit
        for member in self.books.debtors():
            assert self.books.has_undone_time or not self.books.alive(member), "who owes holds points that could be redeemed"
        states = dict(self.shop.db.execute("SELECT sale_id, state FROM sale"))
        assert states == {sale_id: sale.state for sale_id, sale in self.books.sales.items()}
        for code in self.books.coupons:
            self.books.user_of(code)
        for lot_id, ends_ms in self.shop.db.execute(GRACED_SELECT).fetchall():
            if lot_id not in self.graced:
                most_ms = self.books.trusted_ms + GRACE_DAYS * DAY_MS
                assert self.books.trusted_ms < ends_ms <= most_ms, "a grace is as long as the programme says"
                self.graced.add(lot_id)

    def _look(self) -> dict[tuple[str, str], int]:
        """The books take over what the file says of points."""
        lots = {
            lot_id: LotBook(member, centi, usable, None if ends > LONG_AGO_MS else ends)
            for lot_id, member, centi, usable, ends in self._lots()
        }
        balances = {(account, unit): amount for account, unit, amount in self.shop.db.execute(BALANCES_SELECT) if amount}
        self.books.read(lots, balances)
        for member in MEMBERS:
            held = sum(lot.centi for lot in lots.values() if lot.member == member)
            assert held == balances.get((f"member:{member}", POINT), 0), member
        return balances

    def night(self) -> None:
        super().night()
        self._look()
        dead = [lot_id for lot_id, lot in self.books.lots.items() if lot.centi and lot.is_dead(self.books.trusted_ms)]
        assert not dead or not self.books.is_sure, "what is dead is booked at night"

    def teardown(self) -> None:
        try:
            for sale in self.books.sales.values():
                if sale.state in ("cancelled", "reversed") or sale.is_all_back:
                    self._nothing_is_left_of(sale)
            assert self.shop.db.execute(GRACED_TWICE_SELECT).fetchall() == [], "points have a grace once"
            self.done["grace"] += len(self.graced)
        finally:
            super().teardown()

    def _nothing_is_left_of(self, sale: SaleBook) -> None:
        """What it took came back, whatever it was for; what it brought was taken back, but for what died in its own lot."""
        net: defaultdict[str, int] = defaultdict(int)
        for debit, credit, amount in self.shop.db.execute(OF_SALE_SELECT, (sale.sale_id,)):
            net[debit] -= amount
            net[credit] += amount
        assert net["programme:test:redeemed"] == net[f"held:{sale.ref}"] == net[f"gifts:held:{sale.ref}"] == 0, dict(net)
        if sale.claimed_by is None:  # a claim is a fact of its own, which names no sale
            assert net["programme:test:issued"] <= 0, "more was taken back than was brought"
        has_cards = any(sku == GIFT_SKU for sku, _ in sale.lines.values())
        assert net["gifts:redeemed"] == 0 and (not has_cards or net["gifts:sold"] == 0)


BALANCES_SELECT = "SELECT account, unit, amount FROM balance"
OF_SALE_SELECT = "SELECT e.debit_acct, e.credit_acct, e.amount FROM entry AS e JOIN txn AS t ON t.id = e.txn WHERE t.sale_id = ?"
GRACED_SELECT = """SELECT l.id, l.expires_at FROM entry AS e JOIN lot AS l ON l.id = e.lot
WHERE e.rule = 'points.grace_days' AND e.kind = 'accrue'"""
GRACED_TWICE_SELECT = """SELECT e.lot FROM entry AS e WHERE e.rule = 'points.grace_days' AND e.kind = 'adjust'
AND e.lot IN (SELECT lot FROM entry WHERE rule = 'points.grace_days' AND kind = 'accrue')"""
