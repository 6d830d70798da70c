"""The pages of the books that are kept beside a till: a lot, a sale, a gift card. See ``books.py``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class LotBook:
    """A lot. ``ends_ms`` is the first instant at which it is lost. ``used``: of its points, those that went for something else
    than the goods that brought them."""

    member: str
    centi: int
    usable_ms: int
    ends_ms: int | None
    used: int = 0
    given: int = 0
    """What it got back of what it had settled."""
    went_to: list[LotBook] = field(default_factory=list)
    """Lots of another member that hold what went over."""

    def is_dead(self, at_ms: int) -> bool:
        return self.ends_ms is not None and self.ends_ms <= at_ms

    @property
    def all_lots(self) -> list[LotBook]:
        """This one and all to which its points went over."""
        return [self, *(lot for other in self.went_to for lot in other.all_lots)]

    @property
    def used_anywhere(self) -> int:
        return self.used + sum(lot.used_anywhere for lot in self.went_to)


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
    unpaid_minor: int = 0
    """What of the due never came."""
    refunded_minor: int = 0
    goods_back: Counter[str] = field(default_factory=Counter)
    """Refunds of goods by the rule that brings points for them."""
    restored: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    payers: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """By rule, from which lots points were had that its own lot did not hold any more, in order; "" for the member who owes."""

    @property
    def ref(self) -> str:
        return f"T1/{self.sale_id}"

    @property
    def paid_minor(self) -> int:
        return self.due_minor - self.unpaid_minor

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
    frozen_by: str | None = None
    """The sale that was not paid in full and froze it, until a person turns it."""
