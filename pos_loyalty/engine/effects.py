"""The *then* of a rule: every effect as data."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.conditions import DAYS_MAX, Base, Count, Key, Wanted
from pos_loyalty.engine.figures import MoneyFigure, MultiplierFigure, PointsFigure, PointsRateFigure, RateFigure
from pos_loyalty.engine.selectors import ALL, PLAIN_PATTERN, Names, Selector
from pos_loyalty.values import BP_PER_UNIT, Value

Which = Literal["cheapest", "dearest", "scanned"]
Days = Annotated[int, Meta(ge=0, le=DAYS_MAX)]
Months = Annotated[int, Meta(ge=1, le=1200)]
Titles = dict[Literal["ru", "en"], Annotated[str, Meta(min_length=1, max_length=256, pattern=PLAIN_PATTERN)]]
ALL_OF_IT = RateFigure(BP_PER_UNIT)


class Limited(Value):
    """What an effect on goods may do in one receipt.

    ``max_amount``: money in all, the last discount cut to fit unless ``whole``. ``max_units``, ``max_units_per_line``: so many
    units, picked by ``which``.
    """

    on: Selector = ALL
    max_amount: MoneyFigure | None = None
    whole: bool = False
    max_units: Count | None = None
    max_units_per_line: Count | None = None
    which: Which = "cheapest"


class Percent(Limited, tag_field="do", tag="percent", kw_only=True):
    """A share off matching units."""

    percent: RateFigure


class AmountEach(Limited, tag_field="do", tag="amount_each", kw_only=True):
    """A sum off each matching unit, never more than it costs."""

    amount: MoneyFigure


class FixedPrice(Limited, tag_field="do", tag="fixed_price", kw_only=True):
    """A matching unit costs this; the price never rises."""

    price: MoneyFigure


class Amount(Value, tag_field="do", tag="amount"):
    """A sum off the matching lines together; never more than they cost."""

    amount: MoneyFigure
    on: Selector = ALL


class NForM(Value, tag_field="do", tag="n_for_m"):
    """Of ``n`` matching units ``k`` get ``percent`` off.

    ``which`` orders units inside the group. ``spread`` set lays the discount over all units of the group by price, unit leaves it
    on the units that got it. ``partial_group``: in a last group whose paid part is complete the units present get it too.
    ``pool`` basket rewards only the cheapest (dearest) of all matching units of the receipt.
    """

    n: Count
    k: Count = 1
    percent: RateFigure = ALL_OF_IT
    on: Selector = ALL
    which: Literal["cheapest", "dearest"] = "cheapest"
    spread: Literal["set", "unit"] = "set"
    partial_group: bool = True
    pool: Literal["group", "basket"] = "group"
    max_times: Count | None = None
    max_amount: MoneyFigure | None = None


class Bundle(Value, tag_field="do", tag="bundle"):
    """One set of goods per slot: all for ``fixed``, or ``percent`` or ``amount`` off together. A fixed price never raises
    the sum.
    """

    slots: tuple[Wanted, ...]
    fixed: MoneyFigure | None = None
    percent: RateFigure | None = None
    amount: MoneyFigure | None = None
    max_times: Count | None = None
    max_amount: MoneyFigure | None = None


class Gift(Value, tag_field="do", tag="gift"):
    """For each complete ``buy`` group up to ``qty`` units of ``on`` that are in the basket get ``percent`` off.

    ``choice`` cashier: the line that the basket's choices name. ``worth``: what a gift costs, for the hint when it is not there.
    """

    buy: tuple[Wanted, ...]
    on: Selector
    qty: Count = 1
    percent: RateFigure = ALL_OF_IT
    choice: Literal["cheapest", "dearest", "cashier"] = "cheapest"
    max_times: Count | None = None
    max_amount: MoneyFigure | None = None
    worth: MoneyFigure | None = None


class Step(Value):
    """From this much on (money, or visits): a share, or a sum."""

    from_: MoneyFigure = field(name="from")
    percent: RateFigure | None = None
    amount: MoneyFigure | None = None


class Ladder(Value, tag_field="do", tag="ladder"):
    """The highest step reached acts on the whole matching amount, on at most ``max_base`` of it.

    What is reached: the money of the receipt (``by`` basket), or what the member bought (spent) or how often they came (visits,
    whole numbers) before this sale, over the last ``days`` days or all time.
    """

    steps: tuple[Step, ...]
    on: Selector = ALL
    max_base: MoneyFigure | None = None
    base: Base = "list"
    by: Literal["basket", "spent", "visits"] = "basket"
    days: Count | None = None


class PointsStep(Value):
    """From so much money of the receipt on: a rate of points."""

    from_: MoneyFigure = field(name="from")
    rate: PointsRateFigure


class GivePoints(Value, tag_field="do", tag="points"):
    """Points: a ``rate`` of the money paid for matching lines, ``steps`` of such rates by the receipt's money, a ``fixed`` number
    for the receipt or each matching unit (``per``), or a ``multiplier`` of what other rules give there.
    """

    rate: PointsRateFigure | None = None
    steps: tuple[PointsStep, ...] = ()
    fixed: PointsFigure | None = None
    per: Literal["receipt", "unit"] = "receipt"
    multiplier: MultiplierFigure | None = None
    on: Selector = ALL
    max_points: PointsFigure | None = None
    delay_days: Days | None = None
    lifetime_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None
    lifetime_months: Months | None = None
    month_end: bool | None = None


class RedeemFor(Value, tag_field="do", tag="redeem_for"):
    """So many points buy a thing, when the basket's choices name the rule: a unit of ``on`` (the line chosen) becomes free,
    ``amount`` or ``percent`` comes off the matching lines, or a coupon or a privilege is issued. Exactly one.
    """

    points: PointsFigure
    on: Selector | None = None
    amount: MoneyFigure | None = None
    percent: RateFigure | None = None
    off: Selector = ALL
    coupon: Key | None = None
    privilege: Key | None = None
    days: Count | None = None
    max_times: Count = 1


class RoundTotal(Value, tag_field="do", tag="round_total"):
    """What is due falls to a whole ``step``, when all planned tenders are of these kinds; any plan or none when not given."""

    step: MoneyFigure
    tenders: Names = None


class IssueCoupon(Value, tag_field="do", tag="issue_coupon"):
    """The sale issues ``count`` coupons of the series, good from ``delay_days`` on for ``days`` days."""

    series: str
    count: Annotated[int, Meta(ge=1, le=20)] = 1
    delay_days: Days = 0
    days: Count | None = None


class Privilege(Value, tag_field="do", tag="privilege"):
    """A right that is not money, shown and printed; until a date or for so many days, else for this sale."""

    name: Key
    title: Titles = field(default_factory=dict)
    days: Count | None = None
    until: date | None = None


class CounterAdd(Value, tag_field="do", tag="counter_add"):
    """The member's counter grows by the matching units, or by one for the receipt."""

    key: Key
    on: Selector = ALL
    per: Literal["unit", "receipt"] = "unit"


class TierProgress(Value, tag_field="do", tag="tier_progress"):
    """What was paid for the matching lines counts towards the member's tier; without such a rule everything paid counts."""

    on: Selector = ALL


class Message(Value, tag_field="do", tag="message"):
    """Words for the screen, the receipt or both."""

    text: Titles
    where: Literal["screen", "receipt", "both"] = "both"


ItemMoney = Percent | AmountEach | FixedPrice | NForM | Bundle | Gift
OrderMoney = Percent | Amount | Ladder
PaymentMoney = RedeemFor | RoundTotal
Effect = (
    Percent
    | AmountEach
    | FixedPrice
    | Amount
    | NForM
    | Bundle
    | Gift
    | Ladder
    | GivePoints
    | RedeemFor
    | RoundTotal
    | IssueCoupon
    | Privilege
    | CounterAdd
    | TierProgress
    | Message
)


class Act(Value):
    """An effect made ready: the number of its selector, and those of its wanted goods (slots, buy) in their order."""

    effect: Effect
    selector: int = -1
    wanted: tuple[int, ...] = ()
