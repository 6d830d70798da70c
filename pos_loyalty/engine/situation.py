"""What conditions look at, and what is said when one does not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pos_loyalty.engine.coupons import CouponUse
from pos_loyalty.engine.lines import CalcLine
from pos_loyalty.engine.model import Basket, Member, State
from pos_loyalty.values import Value

NOBODY = "none"
UNKNOWN = "unknown"


class Situation(Value):
    """All that a condition may look at. ``running_minor`` is what earlier stages left of each line."""

    lines: Sequence[CalcLine]
    found: Mapping[int, Sequence[int]]
    running_minor: Sequence[int]
    list_sums: Mapping[int, int]
    """Money before any discount by selector, for those that a condition measures; of whole lines."""
    member: Member | None
    basket: Basket
    state: State
    coupons: Mapping[str, CouponUse]
    local: datetime
    """The instant of the decision in the shop's zone."""
    tiers: Mapping[str, int]
    exponent: int
    clean_minor: Sequence[int] = ()
    """Money of each line's units that nothing has reduced yet: those that ``not_discounted`` means.

    Empty before the first stage: then those are the lines of which neither the host nor a price tag took anything.
    """
    clean_units: Sequence[int] = ()
    """How many units those are; a weighed line is one unit. Empty together with ``clean_minor``."""

    def clean_minor_at(self, place: int) -> int:
        """Money of the units of one line that nothing has reduced yet."""
        line = self.lines[place]
        return self.clean_minor[place] if self.clean_minor else line.list_minor if line.list_minor == line.gross_minor else 0

    def clean_units_at(self, place: int) -> int:
        """How many units of one line nothing has reduced yet."""
        line = self.lines[place]
        return self.clean_units[place] if self.clean_units else line.units if line.list_minor == line.gross_minor else 0


class Lack(Value, gc=False):
    """Why a condition does not hold. What would make it hold: ``amount_minor`` more money or ``quantity_milli`` more of the goods
    of a selector; both 0 when nothing that can be put into a basket would.

    ``is_unknown``: the condition may hold, but what it asks is not known here; then ``not`` of it does not hold either.
    """

    condition: str
    have: str
    need: str
    selector: int = -1
    amount_minor: int = 0
    quantity_milli: int = 0
    is_unknown: bool = False

    @property
    def is_finite(self) -> bool:
        """Whether something that can be put into a basket would make the condition hold."""
        return self.amount_minor > 0 or self.quantity_milli > 0


def unknown(word: str, need: str) -> Lack:
    """What the condition asks of the member or the till is not known."""
    return Lack(condition=word, have=UNKNOWN, need=need, is_unknown=True)


def nobody(word: str, need: str) -> Lack:
    """No card was shown, so what the condition asks of the member is not known."""
    return Lack(condition=word, have=NOBODY, need=need, is_unknown=True)
