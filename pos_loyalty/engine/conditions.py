"""The *when* of a rule: every condition as data. What it means for a basket stands in lacks.py."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, field

from pos_loyalty.engine.figures import MinuteFigure, MoneyFigure
from pos_loyalty.engine.selectors import ALL, Names, Selector, Sieve
from pos_loyalty.engine.windows import Weekday
from pos_loyalty.values import Thousandths, Value

DAYS_MAX = 36_500
COUNT_MAX = 100_000
Base = Literal["list", "running"]
DayCount = Annotated[int, Meta(ge=0, le=DAYS_MAX)]
Count = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
Key = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(?!\n)$")]


class BasketAmount(Value, tag_field="is", tag="basket_amount"):
    """Money of the matching lines lies in [min, max]. ``list``: before any discount; ``running``: as earlier stages left it."""

    on: Selector = ALL
    min: MoneyFigure | None = None
    max: MoneyFigure | None = None
    base: Base = "list"


class BasketQty(Value, tag_field="is", tag="basket_qty"):
    """At least so many units. A weighed line counts as one unit; with ``measure`` weight only weights count, in kilograms."""

    min: Thousandths
    on: Selector = ALL
    measure: Literal["units", "weight"] = "units"


class Wanted(Value):
    """So many units of some goods."""

    on: Selector = ALL
    count: Count = 1


class Contains(Value, tag_field="is", tag="contains"):
    """Every entry is filled, and no unit fills two."""

    goods: tuple[Wanted, ...]


class MemberIs(Value, tag_field="is", tag="customer"):
    """All that is given holds of the member. ``tier_from``: this tier or one that stands later in the programme.

    ``paid``: the paid membership has not run out.
    """

    member: bool | None = None
    tier: Names = None
    tier_from: str | None = None
    segment: Names = None
    staff: bool | None = None
    paid: bool | None = None


class Birthday(Value, tag_field="is", tag="birthday"):
    """The local day lies at most ``before`` days before the birthday or ``after`` days after it.

    29 February is 28 February in common years. ``set_before``: the date was entered at least so many days ago.
    """

    before: DayCount = 0
    after: DayCount = 0
    set_before: DayCount | None = None


class NamedDate(Value, tag_field="is", tag="named_date"):
    """As ``birthday``, for a date of the member's profile."""

    key: Key
    before: DayCount = 0
    after: DayCount = 0


class Profile(Value, tag_field="is", tag="profile"):
    """The member's profile holds the attribute; with ``value`` it is one of these."""

    key: Key
    value: Names = None


class FirstPurchase(Value, tag_field="is", tag="first_purchase"):
    """The member has no completed sale yet."""


class NthPurchase(Value, tag_field="is", tag="nth_purchase"):
    """This sale is the member's nth completed one, itself included; with ``every`` each nth one."""

    n: Count
    every: bool = False


class Counter(Value, tag_field="is", tag="counter"):
    """At least one matching unit is an nth one, counted across sales; the rule acts on those units only.

    Which units of the receipt they are: the cheapest, the dearest, or the last ones scanned.
    """

    key: Key
    n: Count
    on: Selector = ALL
    which: Literal["cheapest", "dearest", "scanned"] = "cheapest"


class History(Value, tag_field="is", tag="history"):
    """What the member bought before this sale, returns deducted: at least ``amount`` of money, ``visits``, or both.

    Over the last ``days`` days, today included, or over the running calendar ``period``; over all time when neither is given.
    With ``on`` (needs the member's purchases): ``bought`` true asks for any such goods, false for none.
    """

    amount: MoneyFigure | None = None
    visits: Count | None = None
    on: Selector = ALL
    bought: bool | None = None
    days: Count | None = None
    period: Literal["month", "quarter", "year"] | None = None


class Coupon(Value, tag_field="is", tag="coupon"):
    """A good coupon of the series was presented."""

    series: str


class When(Value, tag_field="is", tag="when"):
    """Local time. Dates are inclusive, ``from`` too, ``to`` is not. A window past midnight belongs to its first day."""

    since: date | None = None
    until: date | None = None
    weekdays: tuple[Weekday, ...] = ()
    from_: MinuteFigure | None = field(name="from", default=None)
    to: MinuteFigure | None = None
    zone: str | None = None


class StoreIs(Value, tag_field="is", tag="store"):
    """The basket is sold in one of these stores."""

    store: Names


class TillIs(Value, tag_field="is", tag="till"):
    """The basket is sold at one of these tills."""

    till: Names


class TenderIs(Value, tag_field="is", tag="tender"):
    """Every tender that the basket plans is of one of these kinds, and there is at least one."""

    kind: Names


class Uses(Value, tag_field="is", tag="uses"):
    """The rule has been used fewer than ``max`` times: by this member, in the whole programme, or today."""

    scope: Literal["customer", "programme", "day"]
    max: Count


class Budget(Value, tag_field="is", tag="budget"):
    """Money is left in the rule's budget; the rule gives no more than that."""


class Not(Value, tag_field="is", tag="not"):
    """The condition inside does not hold."""

    of: Condition


class All(Value, tag_field="is", tag="all"):
    """Every condition inside holds."""

    of: tuple[Condition, ...]


class Any(Value, tag_field="is", tag="any"):
    """At least one condition inside holds."""

    of: tuple[Condition, ...]


Condition = (
    BasketAmount
    | BasketQty
    | Contains
    | MemberIs
    | Birthday
    | NamedDate
    | Profile
    | FirstPurchase
    | NthPurchase
    | Counter
    | History
    | Coupon
    | When
    | StoreIs
    | TillIs
    | TenderIs
    | Uses
    | Budget
    | Not
    | All
    | Any
)


class Term(Value, gc=False):
    """A condition made ready: its own number (equal conditions share one), its selectors' numbers, its zone, its parts.

    ``rule`` is the rule's id where the answer depends on it (uses, budget), else empty.
    """

    number: int
    word: str
    condition: Condition
    selector: int = -1
    selectors: tuple[int, ...] = ()
    zone: ZoneInfo | None = None
    parts: tuple[Term, ...] = ()
    rule: str = ""
    needs: tuple[str, ...] = ()
    """What it asks for, as tokens, in the order of needs.py."""
    goods: Sieve | None = None
    """The goods of a history: those of earlier sales stand in no index."""
