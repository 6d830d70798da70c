"""What the engine is asked and what it answers: baskets, members, lots, quotes and entries, as values."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.returnable import CountedOn, EarnedOn, Earning, GiftGiven, PointsFor
from pos_loyalty.values import DAY_OF_YEAR_PATTERN, DAY_PATTERN, MONTH_DAY_PATTERN, Minor, Points, Thousandths, Value

ENGINE_VERSION = "3"
"""Stands in every fact: head office asks the same engine again. It grows when an answer may change."""
LINES_MAX = 1000
MINOR_MAX = CENTI_MAX = 10**13
RECEIPT_MINOR_MAX = 10**11
"""A receipt of more than this is a slip of the hand, such as a bar code typed for a price."""
MARKS_MAX = LINES_MAX  # of one line, and of a whole basket
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=256)]
Label = Annotated[str, Meta(max_length=128)]
LotId = Annotated[str, Meta(min_length=1, max_length=200)]
Instant = Annotated[datetime, Meta(tz=True)]
Money = Annotated[Minor, Meta(ge=0, le=MINOR_MAX)]
Centi = Annotated[Points, Meta(ge=0, le=CENTI_MAX)]
Rate = Annotated[int, Meta(ge=0, le=10_000)]
Day = Annotated[str, Meta(pattern=DAY_PATTERN)]
MonthDay = Annotated[str, Meta(pattern=MONTH_DAY_PATTERN)]
DayOfYear = Annotated[str, Meta(pattern=DAY_OF_YEAR_PATTERN)]
"""A month and a day that there is. What is stored and sent keeps to ``MonthDay``: no log is refused for a slip of long ago."""


class Line(Value, gc=False):
    """One row of a basket. Prices are gross: VAT is inside."""

    line_id: Id
    sku: Id
    quantity_milli: Thousandths = field(name="quantity")
    price_minor: Money
    name: Text = ""
    category: Label = ""
    brand: Label = ""
    tags: Annotated[tuple[Label, ...], Meta(max_length=64)] = ()
    measure: Literal["piece", "weight"] = "piece"
    cost_minor: Money | None = None
    floor_minor: Money = Minor(0)
    vat_bp: Rate | None = None
    prior_off_minor: Money = Minor(0)
    marks: Annotated[tuple[Text, ...], Meta(max_length=MARKS_MAX)] = ()
    seller: Label = ""
    volume_ml: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    """Of one unit, for legal minimum prices."""
    strength_bp: Rate | None = None
    max_price_minor: Money | None = None
    """The price printed by the maker that may not be passed (tobacco)."""


class ManualOff(Value, gc=False):
    """Money the cashier takes off a line by hand."""

    line_id: Id
    off_minor: Money
    role: Label = ""


class Tender(Value, gc=False, omit_defaults=True):
    """How a due is paid: cash, card, gift … A gift card is presented by code and PIN; what is stored has its id and no PIN."""

    kind: Label
    amount_minor: Money
    card: Id | None = None
    pin: Annotated[str, Meta(max_length=16)] | None = None
    fiscal: Literal["advance_tender"] | None = None


class Basket(Value):
    """What is being bought. ``opened_at`` is the time of every decision."""

    basket_id: Id
    store: Id
    till: Id
    opened_at: Instant
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    lines: Annotated[tuple[Line, ...], Meta(max_length=LINES_MAX)]
    cashier: Label = ""
    coupons: Annotated[tuple[Label, ...], Meta(max_length=32)] = ()
    redeem: Centi | Literal["max"] | None = None
    manual: Annotated[tuple[ManualOff, ...], Meta(max_length=LINES_MAX)] = ()
    tenders: Annotated[tuple[Tender, ...], Meta(max_length=32)] = ()
    choices: Annotated[dict[Label, Id], Meta(max_length=100)] = field(default_factory=dict)


class Lot(Value, gc=False):
    """Points of one accrual that are still to be redeemed: usable in [usable_from, expires_at)."""

    lot_id: Annotated[str, Meta(min_length=1, max_length=200)]
    centi: Centi
    usable_from: Instant | None = None
    expires_at: Instant | None = None


class SalesSoFar(Value):
    """Completed sales of a member, returns deducted."""

    count: Annotated[int, Meta(ge=0)] = 0
    spent_minor: Money = Minor(0)


class MemberDay(Value):
    """One business day of a member."""

    day: Day
    net_minor: Money = Minor(0)
    visits: Annotated[int, Meta(ge=0)] = 0
    earned_centi: Centi = Points(0)
    redeemed_centi: Centi = Points(0)


class Purchase(Value, gc=False):
    """Goods that a member bought on one business day, returns deducted."""

    day: Day
    sku: Id
    category: Label = ""
    brand: Label = ""
    tags: Annotated[tuple[Label, ...], Meta(max_length=64)] = ()
    quantity_milli: Thousandths = field(name="quantity", default=Thousandths(1000))
    net_minor: Money = Minor(0)


class Member(Value):
    """A person in the programme, as far as the till knows them. What is None is not known; a rule that asks for it is refused."""

    member_id: Id
    tier: Label | None = None
    segments: tuple[Label, ...] = ()
    birthday: DayOfYear | None = None
    birthday_set_at: Instant | None = None
    joined_at: Instant | None = None
    sales: SalesSoFar | None = None
    lots: tuple[Lot, ...] = ()
    redeemable_centi: Centi | None = None
    """Rights: how much of the lots may be redeemed here and now; None means all."""
    owed_centi: Centi = Points(0)
    counters: dict[str, Annotated[int, Meta(ge=0)]] | None = None
    days: tuple[MemberDay, ...] | None = None
    """Days with a sale, ascending or not; days that are not here had none."""
    referred_by: Id | None = None
    staff: bool = False
    paid_until: Instant | None = None
    purchases: tuple[Purchase, ...] | None = None
    profile: dict[str, Text] | None = None
    dates: dict[str, DayOfYear] | None = None


class UsesSoFar(Value):
    """How often a rule has been used."""

    total: Annotated[int, Meta(ge=0)] = 0
    member: Annotated[int, Meta(ge=0)] = 0
    today: Annotated[int, Meta(ge=0)] = 0


class CouponState(Value):
    """A unique coupon that was presented."""

    series: Id
    usable: bool
    why_not: Literal["used", "silent", "asking", "elsewhere"] = "used"


class State(Value):
    """What the till knows besides the member: uses, budgets, unique coupons, and rules that a person stopped here."""

    uses: dict[str, UsesSoFar] | None = None
    """By rule; a rule that is not named was never used. None: uses are not known here."""
    budgets: dict[str, int] = field(default_factory=dict)
    coupons: dict[str, CouponState] = field(default_factory=dict)
    stopped: tuple[Label, ...] = ()


class Adjustment(Value, gc=False):
    """Money off one line by one rule. Only rule ``fiscal`` may be negative."""

    rule: str
    off_minor: Minor


class FiscalPosition(Value, gc=False, omit_defaults=True):
    """A position of the fiscal receipt: quantity × price is its sum; money for a gift card is an advance. Source: 54-FZ."""

    quantity_milli: Thousandths = field(name="quantity")
    price_minor: Minor
    kind: Literal["advance"] | None = None


class QuoteLine(Value, gc=False):
    """One line, priced. net = gross − adjustments; what is paid in money = net − points."""

    line_id: str
    gross_minor: Minor
    net_minor: Minor
    points_minor: Minor
    vat_minor: Minor
    adjustments: tuple[Adjustment, ...]
    fiscal: tuple[FiscalPosition, ...]
    units: Annotated[int, Meta(ge=0, le=10_000_000)] = 1
    """Pieces; a weighed line is one."""
    earned: tuple[EarnedOn, ...] = ()
    earning_minor: Minor = Minor(0)
    """The money of the line that earned points, as the programme counts it."""
    counted: tuple[CountedOn, ...] = ()
    progress_minor: Minor = Minor(0)
    """What of the line counts towards the tier."""


class LotUse(Value, gc=False):
    """Points taken from one lot."""

    lot_id: str
    centi: Points


class Redemption(Value):
    """Points redeemed in this quote, and the most that could be (``max_centi``), beside the things. ``lots`` in their order.

    ``centi`` and ``lots`` are all points used; ``off_minor`` is what points pay of the due, without what ``things`` took off.
    """

    centi: Points
    off_minor: Minor
    max_centi: Points
    lots: tuple[LotUse, ...] = ()
    things: tuple[PointsFor, ...] = ()


class Accrual(Value, gc=False):
    """Points that the sale will bring, usable in [usable_from, expires_at). ``member_id``: another one's (a referrer's)."""

    rule: str
    centi: Points
    usable_from: Instant
    expires_at: Instant | None
    member_id: str | None = None


class Refusal(Value, gc=False):
    """A rule that did not apply: which condition failed, what there is and what is needed."""

    rule: str
    condition: str
    have: str
    need: str


class Beaten(Value, gc=False):
    """A rule that held and lost to a better one."""

    rule: str
    by: str
    difference_minor: Minor


class LineRefusal(Value):
    """A line that may not be sold so."""

    line_id: str
    reason: str


class FloorStop(Value):
    """A floor that stopped part of a discount."""

    line_id: str
    floor: str
    stopped_minor: Minor


class Message(Value):
    """Words for screen and receipt, by language."""

    rule: str
    where: str
    text: dict[str, str]


class HintAdd(Value):
    """What to put into the basket for a rule to apply."""

    sku: str | None = None
    quantity_milli: Thousandths | None = field(name="quantity", default=None)
    amount_minor: Minor | None = None


class Hint(Value):
    """What is missing for a rule to apply, and what it would save."""

    rule: str
    add: HintAdd
    saves_minor: Minor


class CounterMove(Value):
    """A counter of the member that the sale moves."""

    key: str
    add: int


class Issue(Value):
    """Something the sale issues: coupons of a series, a privilege, a plan. Good in [usable_from, expires_at)."""

    rule: str
    kind: Literal["coupon", "privilege", "plan"]
    series: str
    """The series, the privilege's name or the plan's id."""
    count: int = 1
    usable_from: Instant | None = None
    expires_at: Instant | None = None


class RuleUse(Value, gc=False):
    """How often the sale uses a rule that has limits: complete applications of a group offer, else once."""

    rule: str
    times: int


class CouponTaken(Value, gc=False):
    """A presented coupon that the sale uses up."""

    code: str
    series: str


class Proof(Value):
    """Value reached on units in stages item and customer, a bound, and whether every choice is proven."""

    value_minor: Minor
    bound_minor: Minor
    proven: bool
    nodes: int


class Quote(Value, kw_only=True):
    """The engine's whole answer, with its reasons. Lines sort by line_id, all else by rule id."""

    basket_id: str
    programme: str
    at: Instant
    member_id: str | None
    gross_minor: Minor
    total_minor: Minor
    due_minor: Minor
    lines: tuple[QuoteLine, ...]
    redemption: Redemption
    accruals: tuple[Accrual, ...]
    earning: Earning | None = None
    coupons: tuple[CouponTaken, ...] = ()
    counters: tuple[CounterMove, ...] = ()
    uses: tuple[RuleUse, ...] = ()
    gifts: tuple[GiftGiven, ...] = ()
    tier_progress_minor: Minor = Minor(0)
    issued: tuple[Issue, ...] = ()
    tenders: tuple[Tender, ...] = ()
    applied: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    beaten: tuple[Beaten, ...] = ()
    hints: tuple[Hint, ...] = ()
    messages: tuple[Message, ...] = ()
    privileges: tuple[str, ...] = ()
    floors: tuple[FloorStop, ...] = ()
    line_refusals: tuple[LineRefusal, ...] = ()
    proof: Proof
    quote_id: str | None = None
    expires_at: Instant | None = None


POINT = "point"
EntryKind = Literal["accrue", "redeem", "expire", "adjust", "reverse"]


class Entry(Value, gc=False):
    """One transfer: from ``debit`` to ``credit``, always more than nothing.

    ``amount``: hundredths of a point, or minor units of the currency that is the unit. An accrue entry makes the lot ``lot_id``
    with its dates; any other entry that touches a member's points names the lot.
    """

    kind: EntryKind
    debit: Text
    credit: Text
    amount: Annotated[int, Meta(gt=0, le=CENTI_MAX)]
    unit: Id = POINT
    member_id: Id | None = None
    lot_id: LotId | None = None
    rule: str | None = None
    usable_from: Instant | None = None
    expires_at: Instant | None = None
