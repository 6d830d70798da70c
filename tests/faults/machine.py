"""A state machine over a real till and its file: everything that a shop does, in any order, with kills and clocks that jump.

After each step the file must say what the books say, which know nothing of the engine. See docs/testing.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace

from pos_loyalty.clock import to_ms
from pos_loyalty.engine.model import Basket, Tender
from pos_loyalty.errors import LoyaltyError, QuoteStaleError
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardAnswer, IssueRequest, PayBackRequest
from pos_loyalty.till.model import CancelRequest, CompleteRequest, QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer, ReturnRequest, UnsoldLine
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest
from pos_loyalty.values import Minor, Points, Thousandths, Value
from tests.faults.accounts import ISSUED, RUB
from tests.faults.crashing import ANNA, BORIS, CLAIM_DAYS, MEMBERS, RETURN_DAYS
from tests.faults.pages import CardBook, LotBook, SaleBook
from tests.faults.shopping import (
    GIFT_SKU,
    GOODS,
    accruals_of,
    basket_of,
    cards_of,
    part_of,
    sale_book,
    tenders_of,
    top_ups_of,
)
from tests.faults.watched import CheckedTill

A = TypeVar("A", bound=Value)
NUMBERS = st.integers(0, 10_000)
DAY_S = 86_400
JUMPS_S = (60, 3_600, DAY_S, 3 * DAY_S, 10 * DAY_S, 31 * DAY_S, -3_600, -2 * DAY_S, -20 * DAY_S)
ITEMS = st.lists(st.tuples(st.sampled_from(tuple(GOODS)), st.integers(1, 5_000)), min_size=1, max_size=3)
CENTI = st.one_of(st.sampled_from((-90_000, -90_000, -60_000, 20_000)), st.integers(-1_200, 1_200))
WHO = st.sampled_from((None, *MEMBERS))
NEVER_BELOW = ("member:", "gift:", "held:", "gifts:held:")


class TillMachine(CheckedTill):
    """A shop at work."""

    # sales

    def pick(self, state: str, number: int) -> SaleBook | None:
        sales = [sale for sale in self.books.sales.values() if sale.state == state]
        return sales[number % len(sales)] if sales else None

    @rule(items=ITEMS, who=WHO, points=st.integers(-1, 60_000), number=NUMBERS, complete=st.booleans())
    def sell(self, items: list[tuple[str, int]], who: str | None, points: int, number: int, complete: bool) -> None:
        self._sell(basket_of(items, points, self.shop.now), who, number, complete, None)

    @rule(items=ITEMS, who=st.sampled_from(tuple(MEMBERS)), points=st.integers(0, 60_000), number=NUMBERS)
    def sell_to_a_member(self, items: list[tuple[str, int]], who: str, points: int, number: int) -> None:
        self._sell(basket_of(items, points, self.shop.now), who, number, number % 5 > 0, None)

    @precondition(lambda self: self.books.debtors())
    @rule(items=ITEMS, number=NUMBERS, centi=st.integers(100, 60_000))
    def a_debtor_buys(self, items: list[tuple[str, int]], number: int, centi: int) -> None:
        """Who owes gets some points, and spends all that may be spent."""
        self.done["debtor buys"] += 1
        who = self.books.debtors()[number % len(self.books.debtors())]
        self.adjust_by(who, centi, owe=False)
        card = next(member for member in MEMBERS if self.books.person(member) == who)
        self._sell(basket_of(items, 60_000, self.shop.now), card, 0, True, None)

    @rule(items=ITEMS, number=NUMBERS)
    def sell_a_gift_card(self, items: list[tuple[str, int]], number: int) -> None:
        self._sell(basket_of([(GIFT_SKU, 1), *items[1:]], -1, self.shop.now), None, number, number % 5 > 0, None)

    @rule(items=ITEMS, who=WHO, number=NUMBERS, part=NUMBERS)
    def exchange(self, items: list[tuple[str, int]], who: str | None, number: int, part: int) -> None:
        sale = self.pick("completed", number)
        if sale is not None and not sale.is_exchange:
            lines = part_of(sale, part)
            if lines:
                self._sell(basket_of(items, -1, self.shop.now), who, 0, True, (sale, lines))

    def _sell(
        self, basket: Basket, who: str | None, number: int, complete: bool, back: tuple[SaleBook, list[LineBack]] | None
    ) -> None:
        sale_id = self.name("s")
        given = None if back is None else ReturnRequest(return_id=self.name("r"), sale_id=back[0].sale_id, lines=tuple(back[1]))
        asked: list[SaleRequest] = []

        def verb() -> SaleAnswer:
            """As a host: the till that was opened anew holds no quotes, so ask for the price again unless the sale stands."""
            try:
                if asked:
                    return self.till.authorise(asked[-1], f"key {sale_id} {len(asked)}")
            except QuoteStaleError:
                pass
            quote = self.till.quote(QuoteRequest(basket=replace(basket, basket_id=sale_id), card=MEMBERS.get(who or "")))
            assert quote.quote_id is not None
            tenders = tenders_of(self.books, quote.due_minor, number) if given is None else self._rest_of(given, quote.due_minor)
            top_ups = top_ups_of(self.books, basket, number) if back is None else {}
            request = SaleRequest(
                sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders, complete=complete,
                top_ups=top_ups, returns=given,
            )  # fmt: skip
            asked.append(request)
            return self.till.authorise(request, f"key {sale_id} {len(asked)}")

        answer = self.do("authorise" if back is None else "authorise exchange", verb)
        if answer is None:
            return
        if back is not None:
            assert answer.returned is not None
            self._returned(back[0], answer.returned)
        sale = sale_book(answer, asked[-1], basket)
        sale.is_exchange = back is not None
        self.books.authorise(sale)
        if complete:
            self.books.complete(sale, cards_of(sale, answer))
        self.told(sale, answer)

    def told(self, sale: SaleBook, answer: SaleAnswer) -> None:
        """What else was answered about a sale that was just booked: a shop with more to tell looks at it here."""

    def _rest_of(self, given: ReturnRequest, due_minor: Minor) -> tuple[Tender, ...]:
        """What an exchange leaves to be paid."""
        try:
            would = self.till.preview_return(given).would
        except LoyaltyError:
            return ()
        rest = due_minor - (0 if would is None else would.refund_minor)
        return (Tender(kind="cash", amount_minor=Minor(rest)),) if rest > 0 else ()

    @rule(number=NUMBERS)
    def complete(self, number: int) -> None:
        sale = self.pick("authorised", number) if number % 4 else self.pick("cancelled", number)
        if sale is not None:
            key = self.name("c")
            answer = self.do("complete", lambda: self.till.complete(sale.sale_id, CompleteRequest(), key))
            assert answer is not None, f"money was taken: nothing is refused: {self.refusal}"
            self.books.complete(sale, cards_of(sale, answer))
            self.told(sale, answer)

    @rule(number=NUMBERS, part=st.integers(0, 99))
    def complete_short(self, number: int, part: int) -> None:
        """Less came than was due: it is a sale all the same, and a case. What gift cards set aside is paid."""
        sale = self.pick("authorised" if number % 4 else "cancelled", number)
        if sale is None or sale.gifts or not sale.due_minor:
            return
        key, paid = self.name("c"), sale.due_minor * part // 100
        request = CompleteRequest(tenders=(Tender(kind="cash", amount_minor=Minor(paid)),))
        answer = self.do("complete short", lambda: self.till.complete(sale.sale_id, request, key))
        assert answer is not None, f"money was taken: nothing is refused: {self.refusal}"
        self.books.paid_with(sale, paid)
        self.books.complete(sale, cards_of(sale, answer))
        assert all(card.state == self.books.cards[card.card_id].state == "frozen" for card in answer.gift_cards)
        self.told(sale, answer)

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        sale = self.pick("authorised", number)
        if sale is not None:
            key = self.name("x")
            answer = self.do("cancel", lambda: self.till.cancel(sale.sale_id, CancelRequest(), key))
            assert answer is not None, self.refusal
            self.books.cancel(sale)
            self.told(sale, answer)

    @rule(number=NUMBERS, senior=st.booleans())
    def void(self, number: int, senior: bool) -> None:
        sale = self.pick("completed", number)
        if sale is not None:
            key, days = self.name("v"), self.books.days_since(sale)
            request = VoidRequest(cashier="C7", approval=BORIS if senior else None)
            answer = self.do("void", lambda: self.till.void(sale.sale_id, request, key))
            may = days == 0 or (senior and days <= RETURN_DAYS)  # below nothing: the clock was ahead, and a person put it right
            assert answer is not None or sale.cards or +sale.back or not may, (
                f"a whole sale without gift cards can be undone: {self.refusal}"
            )
            assert answer is None or may, "after its own day a senior answers for it, and after so many days goods come back"
            if answer is not None:
                self.books.void(sale)
                self.told(sale, answer)

    @rule(number=NUMBERS, part=NUMBERS, senior=st.booleans())
    def return_goods(self, number: int, part: int, senior: bool) -> None:
        sale = self.pick("completed", number)
        if sale is None:
            return
        return_id = self.name("r")
        lines = part_of(sale, part)
        request = ReturnRequest(return_id=return_id, lines=tuple(lines))
        if sale.is_exchange or not lines:
            rest = Minor(sale.due_minor - sale.refunded_minor)
            cash = (Tender(kind="cash", amount_minor=rest),) if rest and sale.is_exchange else ()
            request = ReturnRequest(return_id=return_id, all=True, tenders=cash)
        is_late = self.books.days_since(sale) > RETURN_DAYS
        if senior:
            request = replace(request, approval=BORIS)
        answer = self.do("return", lambda: self.till.return_goods(sale.sale_id, request, return_id))
        assert answer is not None or sale.cards or sale.is_all_back or (is_late and not senior), (
            f"what was sold can come back: {self.refusal}"
        )
        assert answer is None or not is_late or senior, "after so many days a senior answers for it"
        if answer is not None:
            self._returned(sale, answer)

    @rule(who=st.sampled_from(tuple(MEMBERS)), centi=st.integers(0, 3_000), rare=st.integers(0, 2))
    def return_without_receipt(self, who: str, centi: int, rare: int) -> None:
        self.take_without_receipt(who, centi, rare)

    def take_without_receipt(self, who: str, centi: int, rare: int) -> None:
        if rare:
            return
        member, return_id = self.books.person(who), self.name("u")
        goods = UnsoldLine(line_id="1", sku="unheard of", quantity_milli=Thousandths(1000), price_minor=Minor(5_000))
        request = ReturnRequest(
            return_id=return_id, goods=(goods,), member_id=member, take_back_centi=Points(centi), cashier="C7", approval=BORIS,
            tenders=(Tender(kind="cash", amount_minor=Minor(5_000)),),
        )  # fmt: skip
        answer = self.do("return without receipt", lambda: self.till.return_goods(None, request, return_id))
        assert answer is not None, self.refusal
        uses = self.books.greedy(self.books.in_order(member, self.books.trusted_ms), centi)
        for lot_id, part in uses:
            self.books._out(lot_id, ISSUED, part)
        self.books.move(f"owed:{member}", ISSUED, centi - sum(part for _, part in uses))

    def _returned(self, sale: SaleBook, answer: ReturnAnswer) -> None:
        """Book a return by its answer, and by what its row says of lots and rules."""
        for line in answer.lines:
            sale.back[line.line_id] += line.quantity_milli
            sku, milli = sale.lines[line.line_id]
            assert sale.back[line.line_id] <= milli, "more came back than was sold"
            if sku != GIFT_SKU:
                sale.goods_back["slow" if GOODS[sku][0] == "drinks" else "base"] += line.refund_minor
        sale.refunded_minor += answer.refund_minor
        assert answer.is_last == sale.is_all_back and sale.refunded_minor <= sale.paid_minor
        body = json.loads(
            self.shop.db.execute("SELECT body FROM sale_return WHERE return_id = ?", (answer.return_id,)).fetchone()[0]
        )
        restored = [(each["lot_id"], each["centi"]) for each in body.get("restored", ())]
        taken = [(each["rule"], each["centi"]) for each in body.get("taken_back", ())]
        self.books.refund_gifts(sale, sum(each.amount_minor for each in answer.tenders if each.kind == "gift"))
        paid = sum(int(minor) for _, minor, _ in sale.gifts)
        assert sum(int(back) for _, _, back in sale.gifts) == min(paid, sale.refunded_minor), "gift cards get their money first"
        self.books.unload(sale, {line.line_id for line in answer.lines})
        self.books.give_back(sale, restored, taken)

    @rule(number=NUMBERS, who=st.sampled_from(tuple(MEMBERS)))
    def claim(self, number: int, who: str) -> None:
        """The card was forgotten."""
        sale = self.pick("completed", number)
        if sale is None or sale.holder is not None:
            return
        key, request = self.name("f"), ClaimRequest(card=MEMBERS[who], by="C7", approval=BORIS)
        answer = self.do("claim", lambda: self.till.claim(sale.sale_id, request, key))
        if answer is not None:
            assert answer.member_id == self.books.person(who)
            assert self.books.days_since(sale) <= CLAIM_DAYS, "too late to have been forgotten"
            sale.claimed_by, sale.accruals = answer.member_id, accruals_of(answer.accruals)
            sale.goods_back.clear()  # what came back before brings nothing
            self.books.accrue(sale, answer.member_id)
            assert answer.settled_centi == self.books.settled[answer.member_id]

    # by hand

    @rule(who=st.sampled_from(tuple(MEMBERS)), centi=CENTI, owe=st.booleans())
    def adjust(self, who: str, centi: int, owe: bool) -> None:
        self.adjust_by(self.books.person(who), centi, owe=owe)

    def adjust_by(self, member: str, centi: int, *, owe: bool) -> None:
        request = AdjustRequest(centi=Points(centi), reason="till was down", by=ANNA, approval=BORIS, owe=owe)
        if 0 < abs(centi) <= 1_000:
            request = replace(request, by=BORIS, approval=None)
        key = self.name("a")
        answer = self.do("adjust", lambda: self.till.adjust(member, request, key))
        held = self.books.in_order(member, self.books.trusted_ms)
        had = sum(self.books.lots[lot].centi for lot in held)
        assert (answer is None) == (centi == 0 or (had < -centi and not owe)), self.refusal
        if answer is None:
            return
        if centi > 0:
            ends_ms = None if answer.expires_at is None else to_ms(answer.expires_at)
            lot = LotBook(member, centi, self.books.wall_ms, ends_ms)
            with self.books.act():
                self.books.new_lot(f"T1/{answer.adjust_id}:by-hand", lot, "adjustment")
            assert answer.settled_centi == self.books.settled[member]
            assert answer.owed_in_all_centi == self.books.owes(member)
            return
        for lot_id, part in self.books.greedy(held, -centi):
            self.books._out(lot_id, "adjustment", part)
        assert answer.owed_centi == max(0, -centi - had)
        self.books.move(f"owed:{member}", "adjustment", answer.owed_centi)

    @rule(who=st.sampled_from(tuple(MEMBERS)), into=st.sampled_from(tuple(MEMBERS)), rare=st.integers(0, 3))
    def merge(self, who: str, into: str, rare: int) -> None:
        if rare or who == into:
            return
        key, request = self.name("m"), MergeRequest(into=into, reason="one person", by=ANNA, approval=BORIS)
        answer = self.do("merge", lambda: self.till.merge(who, request, key))
        if answer is not None:
            self.books.into[who] = into
            self.books.carry(who)
            assert answer.moved_centi == self.books.moved
            assert answer.settled_centi == self.books.settled[into]

    # gift cards

    @rule(rare=st.integers(0, 5))
    def give_card(self, rare: int) -> None:
        if rare:
            return
        key = self.name("g")
        request = IssueRequest(series="thanks", amount_minor=Minor(30_000), by=BORIS, reason="thanks")
        card = self.do("gift card given", lambda: self.till.issue_gift_card(request, key))
        assert card is not None and card.expires_at is not None, self.refusal
        self.books.cards[card.card_id] = CardBook("gratis", "active", to_ms(card.expires_at))
        self.books.load(card.card_id, "gifts:gratis", card.face_minor)

    @rule(number=NUMBERS, act=st.sampled_from(("freeze", "unfreeze", "pay back")))
    def turn_card(self, number: int, act: str) -> None:
        if not self.books.cards:
            return
        card, book = sorted(self.books.cards.items())[number % len(self.books.cards)]
        key, freeze = self.name("z"), FreezeRequest(card=card, by=BORIS, reason="lost")
        before = self.books.on_card(card)
        verbs: dict[str, Callable[[], GiftCardAnswer]] = {
            "freeze": lambda: self.till.freeze_gift_card(freeze, key),
            "unfreeze": lambda: self.till.unfreeze_gift_card(freeze, key),
            "pay back": lambda: self.till.pay_back_gift_card(PayBackRequest(card=card, by=BORIS, reason="asked"), key),
        }
        answer = self.do(act, verbs[act])
        may = book.state != "void" and (act != "pay back" or (book.state, book.kind, before > 0) == ("active", "bought", True))
        assert (answer is not None) == may, self.refusal
        if answer is not None and act == "pay back":
            self.books.move(f"gift:{card}", "gifts:paid_back", before, RUB)
            assert answer.paid_minor == before
        elif answer is not None:
            wanted = "frozen" if act == "freeze" else "active"
            book.frozen_by = book.frozen_by if book.state == wanted else None
            book.state = wanted
