"""What the buyer sees now. The till tells what happened and goes on; displays and pages look when they are woken.

Rule: nothing here waits, and nothing that names the member stands in a view: points, and a first name where the shop wants it
and the member agreed. ``tell`` keeps what it is given and wakes; the work is done by who looks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, NamedTuple

from msgspec import field

from pos_loyalty.clock import monotonic_ns
from pos_loyalty.engine.model import Basket, Line, Lot, Quote
from pos_loyalty.engine.receipt_code import receipt_code
from pos_loyalty.till.model import SaleAnswer
from pos_loyalty.values import Minor, Points, Thousandths, Value

NS_PER_S = 1_000_000_000
LINES_MAX = 60
MEMBER_LIFE_S = 60
QUOTE_LIFE_S, THANKS_S = 600, 15

Phase = Literal["greeting", "member", "goods", "paying", "thanks", "returned"]


class BuyerLine(Value):
    """One row of the basket. ``sum_minor``: after adjustments, before points."""

    name: str
    quantity_milli: Thousandths = field(name="quantity")
    measure: Literal["piece", "weight"]
    gross_minor: Minor
    sum_minor: Minor


class BuyerView(Value):
    """All that turns to the buyer at one moment. Lines are the basket's last ones; ``hidden`` more stand before them."""

    phase: Phase
    lines: tuple[BuyerLine, ...] = ()
    hidden: int = 0
    added: int | None = None
    """Which of the lines is new or changed its quantity; None when none did."""
    is_new_member: bool = False
    """The card was presented just now."""
    gross_minor: Minor = Minor(0)
    saved_minor: Minor = Minor(0)
    points_minor: Minor = Minor(0)
    """Paid with points."""
    due_minor: Minor = Minor(0)
    balance_centi: Points | None = None
    """None without a member."""
    earned_centi: Points = Points(0)
    """What the sale brings."""
    first_name: str = ""
    change_minor: Minor = Minor(0)
    refund_minor: Minor = Minor(0)
    receipt_no: str = ""
    receipt_code: str = ""
    """What the QR symbol of the receipt holds; empty while nothing is sold."""
    referral_code: str = ""
    """The member's own code for friends, where the shop tells of it."""


class Known(NamedTuple):
    """A card was presented, with no price yet."""

    balance_centi: Points


class Priced(NamedTuple):
    """A basket has a price."""

    basket: Basket
    quote: Quote
    lots: tuple[Lot, ...] | None
    """The member's usable points; None without a member."""
    first_name: str = ""
    referral_code: str = ""


class Sold(NamedTuple):
    """A sale was authorised, completed, cancelled or voided."""

    answer: SaleAnswer


class CameBack(NamedTuple):
    """Goods came back."""

    refund_minor: Minor


class Cleared(NamedTuple):
    """There is no basket any more."""


Happened = Known | Priced | Sold | CameBack | Cleared
GREETING = BuyerView(phase="greeting")


class _Now(NamedTuple):
    """The last thing that happened, and the last price before it."""

    happened: Happened
    before: Priced | None
    at_ns: int


class Seen(NamedTuple):
    """A view, and for how many seconds it stands; None while nothing happens."""

    view: BuyerView
    left_s: float | None


class Buyer:
    """What happened last at one till. ``tell`` from the till's thread; ``seen`` and ``listen`` from any."""

    def __init__(
        self, till: str, *, quote_life_s: int = QUOTE_LIFE_S, thanks_s: int = THANKS_S, now_ns: Callable[[], int] = monotonic_ns
    ) -> None:
        self._till = till
        self._lives_s: dict[Phase, int] = {
            "member": MEMBER_LIFE_S, "goods": quote_life_s, "paying": quote_life_s, "thanks": thanks_s, "returned": thanks_s,
        }  # fmt: skip
        self._now_ns = now_ns
        self._now = _Now(Cleared(), None, now_ns())
        self._wakes: tuple[Callable[[], None], ...] = ()
        self._lock = threading.Lock()

    def tell(self, happened: Happened) -> None:
        """This happened. Returns at once."""
        last = self._now
        before = last.happened if isinstance(last.happened, Priced) else None if _ends(last.happened) else last.before
        self._now = _Now(happened, before, self._now_ns())
        for wake in self._wakes:
            wake()

    def clear(self) -> BuyerView:
        """There is no basket any more: the greeting."""
        self.tell(Cleared())
        return GREETING

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` called whenever something happens; it may neither wait nor raise. Answers what ends that."""
        with self._lock:
            self._wakes += (wake,)

        def leave() -> None:
            with self._lock:
                self._wakes = tuple(each for each in self._wakes if each is not wake)

        return leave

    def seen(self) -> Seen:
        """What is to be seen now, and how long."""
        now = self._now
        view = _view(now, self._till)
        life_s = self._lives_s.get(view.phase)
        if life_s is None:
            return Seen(view, None)
        left_s = life_s - (self._now_ns() - now.at_ns) / NS_PER_S
        return Seen(view, left_s) if left_s > 0 else Seen(GREETING, None)


def _ends(happened: Happened) -> bool:
    """The basket before this is no basket of the next buyer's."""
    return isinstance(happened, Cleared | CameBack) or (isinstance(happened, Sold) and happened.answer.state != "authorised")


def _view(now: _Now, till: str) -> BuyerView:
    match now.happened:
        case Known() if now.before is not None:
            return _goods(now.before, now.before)  # a look at somebody's card does not break a sale off; its price comes anew
        case Known(balance_centi=balance):
            return BuyerView(phase="member", balance_centi=balance, is_new_member=True)
        case Priced() as priced:
            return _goods(priced, now.before) if priced.basket.lines else GREETING
        case Sold(answer=answer):
            return _sold(answer, now.before, till)
        case CameBack(refund_minor=refund):
            return BuyerView(phase="returned", refund_minor=refund)
        case Cleared():
            return GREETING


def _goods(priced: Priced, before: Priced | None) -> BuyerView:
    quote, shown = priced.quote, priced.basket.lines[-LINES_MAX:]
    earlier = before if before is not None and before.basket.basket_id == priced.basket.basket_id else None
    known = {} if earlier is None else {line.line_id: line.quantity_milli for line in earlier.basket.lines}
    changed = [place for place, line in enumerate(shown) if known.get(line.line_id, 0) < line.quantity_milli]
    prices = {line.line_id: (line.gross_minor, line.net_minor) for line in quote.lines}
    return BuyerView(
        phase="goods",
        lines=tuple(_line(line, *prices.get(line.line_id, (Minor(0), Minor(0)))) for line in shown),
        hidden=len(priced.basket.lines) - len(shown),
        added=changed[-1] if changed else None,
        is_new_member=priced.lots is not None and (earlier is None or earlier.quote.member_id != quote.member_id),
        gross_minor=quote.gross_minor,
        saved_minor=Minor(quote.gross_minor - quote.total_minor),
        points_minor=quote.redemption.off_minor,
        due_minor=quote.due_minor,
        balance_centi=None if priced.lots is None else Points(sum(lot.centi for lot in priced.lots)),
        earned_centi=Points(sum(accrual.centi for accrual in quote.accruals)),
        first_name=priced.first_name,
    )


def _line(line: Line, gross_minor: Minor, net_minor: Minor) -> BuyerLine:
    return BuyerLine(
        name=line.name or line.sku,
        quantity_milli=line.quantity_milli,
        measure=line.measure,
        gross_minor=gross_minor,
        sum_minor=net_minor,
    )


def _sold(answer: SaleAnswer, before: Priced | None, till: str) -> BuyerView:
    quote = answer.quote
    if answer.state == "reversed":
        return BuyerView(phase="returned", refund_minor=quote.due_minor)
    ours = before if before is not None and before.quote.quote_id == quote.quote_id else None
    if answer.state == "cancelled":
        return GREETING if ours is None else _goods(ours, ours)
    is_done = answer.state == "completed"
    paid_minor = sum(tender.amount_minor for tender in answer.tenders)
    return BuyerView(
        phase="thanks" if is_done else "paying",
        gross_minor=quote.gross_minor,
        saved_minor=Minor(quote.gross_minor - quote.total_minor),
        points_minor=quote.redemption.off_minor,
        due_minor=quote.due_minor,
        balance_centi=answer.balance_centi,
        earned_centi=Points(sum(accrual.centi for accrual in quote.accruals)),
        first_name="" if ours is None else ours.first_name,
        change_minor=Minor(max(0, paid_minor - quote.due_minor)) if is_done else Minor(0),
        receipt_no=answer.receipt_no if is_done else "",
        receipt_code=receipt_code(till, answer.sale_id) if is_done else "",
        referral_code=ours.referral_code if is_done and ours is not None else "",
    )
