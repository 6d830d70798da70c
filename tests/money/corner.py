"""The corner shop of the money laws: prices that can be reckoned in the head, and words to buy and bring back in one line.

Anna (``MEMBER``) comes in with 500 points, good for a year. A point is a ruble; 5 % of what is paid in money comes as points.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Entry, Line, Tender
from pos_loyalty.store import ledger
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import SaleAnswer, SaleRequest
from pos_loyalty.till.returns_model import LineBack, ReturnAnswer, ReturnRequest
from pos_loyalty.values import Minor, quantity
from tests.shop import CARD, MEMBER, NOW, Shop

PROGRAMME = """
format = 1
id = "test"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
title = { ru = "Угол", en = "Corner" }

[points]
value = "1.00"
lifetime_days = 180
claim_days = 14

[redeem]
limit = "50%"
minimum_money = "1.00"

[[coupon]]
id = "paper"
title = { ru = "Купон", en = "Paper" }

[[gift_card]]
id = "standard"
sku = "gift-card"
amounts = ["1000"]

[[rule]]
id = "coffee"
stage = "item"
then = [{ do = "percent", percent = "10%", on = { sku = "coffee" } }]

[[rule]]
id = "jam"
stage = "order"
then = [{ do = "percent", percent = "10%", on = { sku = "jam" } }]

[[rule]]
id = "plates"
stage = "order"
then = [{ do = "amount", amount = "10.00", on = { sku = ["plate-a", "plate-b", "plate-c"] } }]

[[rule]]
id = "tea-once"
stage = "item"
limits = { total = 1 }
then = [{ do = "amount_each", amount = "10.00", on = { sku = "tea" } }]

[[rule]]
id = "cups"
when = [{ is = "customer", member = true }]
then = [{ do = "counter_add", key = "cups", on = { sku = "coffee" } }]

[[rule]]
id = "with-the-paper"
stage = "order"
when = [{ is = "coupon", series = "paper" }]
then = [{ do = "amount", amount = "20.00" }]

[[rule]]
id = "points"
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "5%" }]
"""
SILVER_FROM_500 = """
[tiers]
months = 12
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
from_spent = "500.00"
"""
TENTH_OFF_ALL = """
[[rule]]
id = "all"
stage = "order"
then = [{ do = "percent", percent = "10%" }]
"""
VERA, OLGA = Approval(person="Vera", pin="1357"), Approval(person="Olga", pin="998877")
Goods = tuple[str, int, str]
"""SKU, price in kopecks, how many or how much."""


class Corner(Shop):
    """The shop. ``said``: what stands after the programme's own text."""

    def __init__(self, folder: object, said: str = "") -> None:
        super().__init__(folder, programme=PROGRAMME + said)  # type: ignore[arg-type]

    def staffed(self) -> Corner:
        """Vera, a cashier, and Olga, a senior, have their PINs."""
        pepper = self.till._desk.secrets.pepper
        staff.add(self.db, VERA.person, "cashier", VERA.pin, pepper)
        staff.add(self.db, OLGA.person, "senior", OLGA.pin, pepper)
        return self

    def priced(self, sale_id: str, *goods: Goods, card: str | None = CARD, **more: object) -> SaleRequest:
        """A basket that was priced and is about to be paid in cash, as one step."""
        request = self.ask(basket_of(*goods, **more), card=card)
        return replace(request, sale_id=sale_id, complete=True)

    def buys(self, sale_id: str, *goods: Goods, card: str | None = CARD, **more: object) -> SaleAnswer:
        """Someone buys; Anna, unless another card is named or none."""
        return self.till.authorise(self.priced(sale_id, *goods, card=card, **more), f"key {sale_id}")

    def brings_back(self, sale_id: str, *lines: tuple[str, str], return_id: str = "") -> ReturnAnswer:
        """So much of these goods comes back; all that is left when none are named."""
        name = return_id or f"back-{sale_id}-{'-'.join(sku + count for sku, count in lines)}"
        parts = tuple(LineBack(line_id=sku, quantity_milli=quantity(count)) for sku, count in lines)
        request = ReturnRequest(return_id=name, lines=parts, all=not parts, cashier="Vera")
        return self.till.return_goods(sale_id, request, f"key {name}")

    def is_given(self, lot_id: str, centi: int, days: int, member_id: str = MEMBER) -> None:
        """Points from nowhere, good for so many days."""
        entry = Entry(
            kind="accrue",
            debit="programme:test:issued",
            credit=f"member:{member_id}",
            amount=centi,
            member_id=member_id,
            lot_id=lot_id,
            usable_from=NOW,
            expires_at=NOW + timedelta(days=days),
        )
        with write(self.db):
            draft = Draft(id=self.new_id(), kind="points.adjusted", store="S1", member=member_id, entries=(entry,))
            ledger.append(self.db, draft, self.now)

    def account(self, name: str) -> int:
        """What stands in an account, by plain sums over the entries."""
        select = """SELECT coalesce(SUM(CASE WHEN credit_acct = :name THEN amount ELSE -amount END), 0)
        FROM entry WHERE :name IN (credit_acct, debit_acct)"""
        return int(self.db.execute(select, {"name": name}).fetchone()[0])

    def lots(self, member_id: str = MEMBER) -> list[tuple[int, int | None]]:
        """What the member's lots hold, and in how many days each is lost, None for never; soonest first."""
        select = "SELECT remaining, expires_at FROM lot WHERE member = ? AND remaining > 0 ORDER BY expires_at, remaining"
        start_ms = int(NOW.timestamp() * 1000)
        return [
            (centi, None if ends_ms is None else (ends_ms - start_ms) // 86_400_000)
            for centi, ends_ms in self.db.execute(select, (member_id,))
        ]


def basket_of(*goods: Goods, **more: object) -> Basket:
    """Goods, each a line that bears its SKU as its id; what has a point in its quantity is weighed."""
    lines = tuple(
        Line(
            line_id=sku,
            sku=sku,
            name=sku,
            price_minor=Minor(price),
            quantity_milli=quantity(count),
            measure="weight" if "." in count else "piece",
        )
        for sku, price, count in goods
    )
    asked = {"basket_id": "B", "store": "S1", "till": "T1", "cashier": "Vera", "opened_at": NOW, "currency": "RUB"} | more
    return Basket(lines=lines, **asked)  # type: ignore[arg-type]


def cash(minor: int) -> Tender:
    """Money."""
    return Tender(kind="cash", amount_minor=Minor(minor))
