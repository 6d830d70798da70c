"""What a till must hold after what it has answered: books of whole numbers, kept without a line of the engine or the store.

Every answer is booked once, by hand: accounts, lots by their dates, what of each sale came back. Then the file must say the same.
"""

from __future__ import annotations

from collections import Counter

from tests.faults.accounts import EXPIRED, ISSUED, LIFE_MS, RATES, REDEEMED, RUB, Accounts
from tests.faults.pages import CardBook, LotBook, SaleBook


class Books(Accounts):
    """All of it."""

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
            if sale.unpaid_minor and self.cards[card].state == "active":
                self.cards[card].state, self.cards[card].frozen_by = "frozen", sale.sale_id
            sale.cards.append((card, line, minor))
        if sale.member is not None and (sale.uses or sale.accruals):
            self.carry(sale.member)

    def paid_with(self, sale: SaleBook, minor: int) -> None:
        """Less than the due: each rule brings the same part of its points, less what is below a hundredth."""
        sale.unpaid_minor = sale.due_minor - minor
        part = [(rule, centi * minor // sale.due_minor, *dates) for rule, centi, *dates in sale.accruals]
        sale.accruals = [each for each in part if each[1]]

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
            self._pay_back([lot_id for lot_id, _ in sale.uses])
        for card, minor, _ in sale.gifts:
            self.move(f"gifts:held:{sale.ref}", f"gift:{card}", int(minor), RUB)
        if sale.member is not None and sale.uses:
            self.carry_all(sale.member)

    def void(self, sale: SaleBook) -> None:
        if sale.state != "completed":
            return
        sale.state = "reversed"
        self._undo(sale, [*sale.uses], [(rule, centi) for rule, centi, _, _ in sale.accruals])
        self.refund_gifts(sale, sale.paid_minor)
        self.unload(sale, set(sale.lines))

    def give_back(self, sale: SaleBook, restored: list[tuple[str, int]], taken: list[tuple[str, int]]) -> None:
        """A return, as far as points go: nothing comes back twice, and no more is taken than was brought."""
        self._undo(sale, restored, taken)
        sale.restored.update(dict(restored))
        used, earned = dict(sale.uses), {rule: centi for rule, centi, _, _ in sale.accruals}
        assert all(centi <= used.get(lot, 0) for lot, centi in sale.restored.items()), "more came back than was spent"
        assert all(centi <= earned.get(rule, 0) for rule, centi in sale.taken.items()), "more was taken than was earned"
        for rule in earned:
            due = RATES[rule] * sale.goods_back[rule] * sale.paid_minor // max(1, sale.due_minor)
            assert abs(sale.taken[rule] * 10_000 - due) <= 10_000 * (2 + len(sale.lines)), (sale.taken, sale.goods_back)
        if sale.is_all_back:
            assert +sale.restored == Counter(used) and +sale.taken == Counter(earned) and sale.refunded_minor == sale.paid_minor

    def _undo(self, sale: SaleBook, restored: list[tuple[str, int]], taken: list[tuple[str, int]]) -> None:
        if sale.holder is None:
            return
        with self.act():
            for lot_id, centi in restored:
                if sale.is_lent:
                    self.move(REDEEMED, "suspense", centi)
                else:
                    self._in(lot_id, REDEEMED, centi)
            self._pay_back([] if sale.is_lent else [lot_id for lot_id, _ in restored])
            self._claw_back(sale.holder, sale, taken)
        if restored or taken:
            self.carry_all(sale.holder)

    def _claw_back(self, member: str, sale: SaleBook, taken: list[tuple[str, int]]) -> None:
        """Out of the sale's own lots, then out of others, and the rest is owed.

        What died in an own lot is let go. Of what went for something else before is had again what, with all that was asked,
        comes to above what was earned, and was not had before.
        """
        missing, had = [], []
        for rule, centi in taken:
            lot_id = f"{sale.ref}:{rule}"
            lot = self.lots[lot_id]
            part = min(lot.centi, centi)
            self._leave(lot_id, ISSUED, part)
            (had if lot.is_dead(self.trusted_ms) else missing).append((rule, centi - part))
            sale.taken[rule] += centi
        for rule, centi in missing:
            self._have(member, sale, rule, centi)
        for rule, centi in had:
            self._have(member, sale, rule, min(centi, -self._paid_too_much(sale, rule)))

    def _have(self, member: str, sale: SaleBook, rule: str, centi: int) -> None:
        if centi <= 0:
            return
        uses = self.greedy(self.in_order(member, self.trusted_ms), centi)
        for lot_id, part in uses:
            self._out(lot_id, ISSUED, part)
        owed = centi - sum(part for _, part in uses)
        self.move(f"owed:{member}", ISSUED, owed)
        sale.payers.setdefault(rule, []).extend([*uses, ("", owed)] if owed else uses)

    def _paid_too_much(self, sale: SaleBook, rule: str) -> int:
        earned = next(centi for each, centi, _, _ in sale.accruals if each == rule)
        due = max(0, sale.taken[rule] + self.lots[f"{sale.ref}:{rule}"].used_anywhere - earned)
        return sum(part for _, part in sale.payers.get(rule, [])) - due

    def _pay_back(self, lot_ids: list[str]) -> None:
        """Lots to which points came back give to those who paid for points of theirs, who give on in their turn."""
        todo = list(dict.fromkeys(lot_ids))
        while todo:
            lot_id = todo.pop(0)
            for sale in self.sales.values():
                for rule in sale.payers:
                    if self.lots[lot_id] in self.lots[f"{sale.ref}:{rule}"].all_lots:
                        todo += self._give_from(lot_id, sale, rule)

    def _give_from(self, lot_id: str, sale: SaleBook, rule: str) -> list[str]:
        left = min(self._paid_too_much(sale, rule), self.lots[lot_id].centi)
        assert left <= 0 or sale.holder is not None
        kept, given = [], []
        totals: dict[str, int] = {}
        for payer, part in sale.payers[rule]:
            totals[payer] = totals.get(payer, 0) + part
        for payer, part in reversed(totals.items()):
            back = min(max(0, left), part)
            done = [(payer, back)] if payer else self._to_debtor(self.person(sale.holder or ""), back)
            for to, centi in done:
                self._leave(lot_id, "adjustment", centi)
                if to:
                    self._in(to, "adjustment", centi)
                    self.lots[to].given += 0 if payer else centi
                    given.append(to)
                else:
                    self.move("adjustment", f"owed:{self.person(sale.holder or '')}", centi)
            went = sum(centi for _, centi in done)
            left -= went
            kept.insert(0, (payer, part - went))
        sale.payers[rule] = [(payer, part) for payer, part in kept if part]
        return [lot for lot in given if lot]

    def _to_debtor(self, member: str, centi: int) -> list[tuple[str, int]]:
        """Off what is owed; where it was settled since, to the lots that settled it, the last one first."""
        part = min(centi, self.owes(member))
        done = [("", part)] if part else []
        last: dict[str, int] = {}
        rooms: Counter[str] = Counter()
        for act, lot, settled in self.settlers:
            if lot.member == member:
                name = next(lot_id for lot_id, each in self.lots.items() if each is lot)
                last[name] = act
                rooms[name] += settled
        centi -= part
        for name in sorted(last, key=lambda name: (-last[name], name)):
            part = min(centi, rooms[name] - self.lots[name].given)
            if part > 0:
                done.append((name, part))
                centi -= part
        return done

    def carry_all(self, member: str) -> None:
        """The same for others who were merged and whose lots got back what they had paid."""
        self.carry(member)
        for other in self.into:
            if other != member and self.in_order(other, self.trusted_ms):
                self.carry(other)

    def carry(self, member: str) -> None:
        """What a merged member got or owes goes on to the one who stays, whose points settle it: those that come first."""
        into = self.person(member)
        if into == member:
            return
        self.settled.clear()
        self.acts += 1
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
            self._note_settler(lot.went_to[-1], part)
            self.fresh.append(lot.went_to[-1])
        for lot_id, part in self.greedy(own, self.owes(into)):
            self._out(lot_id, f"owed:{into}", part)
            self._note_settler(self.lots[lot_id], part)
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
        held = [(sale.at_ms, sale_id) for sale_id, sale in self.sales.items() if sale.state == "authorised"]
        for _, sale_id in sorted(each for each in held if each[0] < before):  # of one instant: by their ids
            self.cancel(self.sales[sale_id])
        assert not any(lot.is_dead(self.trusted_ms) for lot in self.fresh), "only what is alive is carried over"
        for lot_id, lot in self.lots.items():
            if lot.is_dead(self.trusted_ms):
                self._leave(lot_id, EXPIRED, lot.centi)
        for card, book in self.cards.items():
            if book.ends_ms is not None and book.ends_ms <= self.trusted_ms:
                self.move(f"gift:{card}", "gifts:expired", self.on_card(card), RUB)
