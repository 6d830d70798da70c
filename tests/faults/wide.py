"""The shop of the wide machine: a grace for points, coupons of both kinds, awards, people with names; and its books.

With a grace, what becomes of each lot hangs on the whole past of its points, so these books keep no lots of their own: lots and
accounts of points are read from the file after each step, and held to laws. Money, gift cards, sales and coupons are booked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pos_loyalty.clock import to_ms
from pos_loyalty.till.model import CouponAnswer
from tests.faults.accounts import POINT
from tests.faults.books import Books
from tests.faults.crashing import PROGRAMME
from tests.faults.pages import LotBook, SaleBook

GRACE_DAYS = 5
AWARDS_MAX = 2
FLYERS = tuple(f"770000{n:02d}" for n in range(10))
WIDE = (
    PROGRAMME.replace("claim_days = 14", f"claim_days = 14\ngrace_days = {GRACE_DAYS}")
    + """
[[coupon]]
id = "flyer"
[[coupon]]
id = "thanks"

[[rule]]
id = "flyer-off"
stage = "order"
when = [{ is = "coupon", series = "flyer" }]
then = [{ do = "amount", amount = "20.00" }]

[[rule]]
id = "thank"
when = [{ is = "basket_amount", min = "250.00" }]
then = [{ do = "issue_coupon", series = "thanks", days = 20 }]

[[rule]]
id = "use-thanks"
stage = "order"
when = [{ is = "coupon", series = "thanks" }]
then = [{ do = "amount", amount = "5.00" }]

[[rule]]
id = "review"
stage = "act"
act = "review"
limits = { member = 2 }
then = [{ do = "points", fixed = "25", lifetime_days = 12 }]
"""
)


@dataclass
class CouponBook:
    """A coupon with a code of its own. ``maker``: the sale that issued it; None for a flyer."""

    series: str
    maker: str | None
    usable_ms: int
    ends_ms: int | None
    is_withdrawn: bool = False


class WideBooks(Books):
    """Money, gift cards, sales and coupons by the books; points as the file tells them."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self.coupons = {code: CouponBook("flyer", None, 0, None) for code in FLYERS}
        self.takes: dict[str, tuple[str, ...]] = {}
        """By sale, the codes that it uses up."""
        self.erased: set[str] = set()
        self.awards: dict[str, int] = {}

    # coupons

    def issue(self, sale: SaleBook, coupons: tuple[CouponAnswer, ...]) -> None:
        """What a completed sale gives away."""
        for coupon in coupons:
            assert coupon.code not in self.coupons, "a code is given once"
            starts = 0 if coupon.usable_from is None else to_ms(coupon.usable_from)
            ends = None if coupon.expires_at is None else to_ms(coupon.expires_at)
            self.coupons[coupon.code] = CouponBook(coupon.series, sale.sale_id, starts, ends)

    def made_by(self, sale: SaleBook) -> set[str]:
        return {code for code, book in self.coupons.items() if book.maker == sale.sale_id and not book.is_withdrawn}

    def user_of(self, code: str) -> str | None:
        """The standing sale that uses it up."""
        standing = [
            sale for sale, codes in self.takes.items() if code in codes and self.sales[sale].state in ("authorised", "completed")
        ]
        assert len(standing) <= 1, f"{code} is used twice: {standing}"
        return standing[0] if standing else None

    def others_of(self, code: str, sale: SaleBook) -> list[str]:
        """Other standing sales that use it up."""
        users = [each for each, codes in self.takes.items() if code in codes and each != sale.sale_id]
        return [each for each in users if self.sales[each].state in ("authorised", "completed")]

    def stands(self, code: str) -> bool:
        """Issued by a sale that stands, and not withdrawn."""
        book = self.coupons[code]
        return not book.is_withdrawn and (book.maker is None or self.sales[book.maker].state == "completed")

    def is_in_time(self, code: str) -> bool:
        """By the clock and by trusted time alike."""
        book = self.coupons[code]
        is_begun = book.usable_ms <= self.wall_ms
        return is_begun and (book.ends_ms is None or max(self.wall_ms, self.trusted_ms) < book.ends_ms)

    # points: as the file tells them

    def read(self, lots: dict[str, LotBook], balances: dict[tuple[str, str], int]) -> None:
        """What the file says now."""
        self.lots = lots
        for key in [key for key in self.accounts if key[1] == POINT]:
            del self.accounts[key]
        self.accounts.update({key: amount for key, amount in balances.items() if key[1] == POINT})

    def debtors(self) -> list[str]:
        return [member for member in super().debtors() if member not in self.erased]

    def move(self, debit: str, credit: str, amount: int, unit: str = POINT) -> None:
        if unit != POINT:
            super().move(debit, credit, amount, unit)

    @contextmanager
    def act(self) -> Iterator[None]:
        yield

    def _leave(self, lot_id: str, credit: str, centi: int) -> None:
        pass

    def _in(self, lot_id: str, debit: str, centi: int) -> None:
        pass

    def _out(self, lot_id: str, credit: str, centi: int) -> None:
        pass

    def new_lot(self, lot_id: str, lot: LotBook, debit: str) -> None:
        pass

    def carry(self, member: str) -> None:
        pass

    def _undo(self, sale: SaleBook, restored: list[tuple[str, int]], taken: list[tuple[str, int]]) -> None:
        """``give_back`` asks how much was taken in all, which the other books count on the way."""
        for rule, centi in taken:
            sale.taken[rule] += centi
