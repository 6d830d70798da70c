"""The words of a programme file, table by table: what a rule is before it is made ready."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.conditions import DAYS_MAX, Condition, Count
from pos_loyalty.engine.coupons import Series
from pos_loyalty.engine.effects import Days, Effect, Months, Titles
from pos_loyalty.engine.figures import MoneyFigure, PointsFigure, RateFigure
from pos_loyalty.engine.selectors import ALL, PLAIN_PATTERN, Names, Selector
from pos_loyalty.values import Thousandths, Value

RULES_MAX = 20_000
PARTS_MAX = 100
PRIORITY_MAX = 1_000_000
ROWS_BYTES_MAX = 8 * 1024 * 1024
VISITS_MAX = 100_000
TIER_MONTHS_MAX = 60
TIER_DAYS_MAX = 366

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}(?!\n)$"
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Stage = Literal["item", "customer", "order", "payment", "points", "act"]
"""``payment``: effects that stand beside redeeming; ``act``: rules for acts other than buying."""
Relation = Literal["stack", "best_of", "exclusive"]


class Limits(Value):
    """How often a rule may be used: by one member, on one local day, in all."""

    member: Count | None = None
    day: Count | None = None
    total: Count | None = None


class Rule(Value):
    """One when-then. All of ``when`` must hold; ``stage`` says when it acts and may be left out when it takes no money off.

    ``pilot``: only so large a share of the members has the rule. ``control``: so large a share is silently left out, to compare.
    ``budget``: money that the rule may give in all. ``suggest``: hint at it when it holds and only its goods are missing.
    """

    id: Name
    then: Annotated[tuple[Effect, ...], Meta(min_length=1, max_length=PARTS_MAX)]
    title: Titles = field(default_factory=dict)
    stage: Stage | None = None
    group: Name | None = None
    priority: Annotated[int, Meta(ge=-PRIORITY_MAX, le=PRIORITY_MAX)] = 0
    when: Annotated[tuple[Condition, ...], Meta(max_length=PARTS_MAX)] = ()
    limits: Limits = Limits()
    budget: MoneyFigure | None = None
    pilot: RateFigure | None = None
    control: RateFigure | None = None
    funded_by: Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN_PATTERN)] | None = None
    suggest: bool = False
    act: Name | None = None
    """The act that a rule of stage ``act`` pays for: review, survey, profile, friend, enrol …"""


class Group(Value):
    """A label of rules. ``force``: where it excludes another group, it wins untested."""

    id: Name
    title: Titles = field(default_factory=dict)
    force: bool = False


class Tier(Value):
    """A level of members. Tiers stand from the lowest to the highest. ``from_…``: from so much on in a window."""

    id: Name
    title: Titles = field(default_factory=dict)
    from_spent: MoneyFigure | None = None
    from_visits: Annotated[int, Meta(ge=0, le=VISITS_MAX)] | None = None
    from_points: PointsFigure | None = None


class TiersTable(Value):
    """How members move between tiers. ``calendar`` periods of 1, 2, 3, 4, 6 or 12 months begin with the year.

    ``returned``: when a tier is lost that only goods brought back had reached. ``hold``: what a person decided is frozen.
    """

    measure: Literal["spent", "visits", "points"] | None = None
    window: Literal["rolling", "calendar"] = "rolling"
    months: Annotated[int, Meta(ge=1, le=TIER_MONTHS_MAX)] = 12
    grace_days: Annotated[int, Meta(ge=0, le=TIER_DAYS_MAX)] = 0
    warn_days: Annotated[int, Meta(ge=0, le=TIER_DAYS_MAX)] = 30
    returned: Literal["at_once", "at_period_end"] = "at_once"
    hold: bool = True


class Pilot(Value):
    """The whole programme is tried on a share of the members, or on those of a segment; others get nothing."""

    share: RateFigure | None = None
    segment: Names = None


class PointsTable(Value):
    """How points are earned and kept. Days are local calendar days; a delay of 0 means at once.

    ``month_end``: points live to the end of the month in which they would expire. ``per_receipt``, ``per_day``: the most.
    """

    value: MoneyFigure | None = None
    """What one point pays; one unit of the currency when absent."""
    step: PointsFigure = PointsFigure(1)
    round: Literal["down", "up"] = "down"
    earn_on: Literal["paid", "before_redemption"] = "paid"
    earn_base: Literal["gross", "net"] = "gross"
    earn_if_redeemed: bool = True
    on: Selector = ALL
    per_receipt: PointsFigure | None = None
    per_day: PointsFigure | None = None
    delay_days: Days = 0
    lifetime_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None
    lifetime_months: Months | None = None
    month_end: bool = False
    grace_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None
    take_back: Literal["kept", "each_return"] = "kept"
    """A return leaves the points of what is kept; ``each_return`` floors every return by itself, as some systems do."""
    owed: Literal["keep", "forgive"] = "keep"
    claim_days: Annotated[int, Meta(ge=0, le=366)] = 0
    """So many days after a purchase without a card its points may still be given, on a senior's word; 0: never."""


class RedeemTable(Value):
    """How points pay: at most ``limit`` of the matching lines, and at least ``minimum_money`` of the receipt stays in money.

    ``step``: only multiples of so many points. ``form`` counter_provision: prices stay, points stand as a tender.
    """

    limit: RateFigure
    minimum_money: MoneyFigure = MoneyFigure(0)
    on: Selector = ALL
    step: PointsFigure | None = None
    least: PointsFigure | None = None
    per_day: PointsFigure | None = None
    form: Literal["discount", "counter_provision"] = "discount"
    confirm: Literal["none", "pin", "code", "qr"] = "none"
    """How the holder confirms: a PIN of their own, a one-time code on their phone, or a rotating QR."""
    confirm_free: PointsFigure | None = None
    """So many points on one business day need no confirmation."""


class RoundingTable(Value):
    """How discounts are rounded. ``after`` stage: once after every stage instead of once for the chain of percentages.

    ``overflow`` spread: what a floor stops of an order percentage moves to the other lines.
    """

    discount: Literal["half_up", "down"] = "half_up"
    after: Literal["chain", "stage"] = "chain"
    overflow: Literal["stop", "spread"] = "stop"


class SearchTable(Value):
    """How offers are combined, and how much effort a quote may take. All scenarios of a quote share it."""

    mode: Literal["best_for_customer", "priority"] = "best_for_customer"
    nodes: Annotated[int, Meta(ge=0, le=1_000_000)] = 2_000
    applications: Annotated[int, Meta(ge=1, le=1_000_000)] = 4_000


class HintsTable(Value):
    """How many hints stand in a quote, and from which share of its cost on an addition is worth telling."""

    most: Annotated[int, Meta(ge=0, le=10)] = 2
    worth: RateFigure = RateFigure(3_000)


class Restricted(Value):
    """Goods that the law restricts. ``treat`` restricted: no discount, no points, no gift, outside every threshold and counter.

    ``priced``: no discount, but points are earned and thresholds count. ``ordinary``: as all other goods, above the floors.
    ``only_in``: stores where this holds; everywhere when absent.
    """

    on: Selector
    treat: Literal["restricted", "priced", "ordinary"]
    only_in: Names = None


class LegalMinimum(Value):
    """From ``since`` to ``until`` such goods may not be sold below ``price``: for ``volume`` litres when given, else for a unit.

    ``strength_from`` and ``strength_to`` bound the strength by volume, both inclusive.
    """

    kind: Name
    on: Selector
    price: MoneyFigure
    volume: Thousandths | None = None
    strength_from: RateFigure | None = None
    strength_to: RateFigure | None = None
    since: date | None = None
    until: date | None = None


class FloorsTable(Value):
    """Under which price nothing falls. ``margin``: cost and so much more."""

    margin: RateFigure | None = None
    alcohol: Restricted = Restricted(on=Selector(tag="alcohol", category="alcohol"), treat="ordinary")
    tobacco: Restricted = Restricted(on=Selector(tag=("nicotine", "tobacco"), category="tobacco"), treat="restricted")
    minimum: Annotated[tuple[LegalMinimum, ...], Meta(max_length=1000)] = ()


class CapsTable(Value):
    """The most that all discounts and points of a receipt may take off; what the cashier may by hand, by role."""

    percent: RateFigure | None = None
    amount: MoneyFigure | None = None
    manual: dict[Annotated[str, Meta(max_length=64, pattern=PLAIN_PATTERN)], RateFigure] = field(default_factory=dict)


class PriceList(Value):
    """Price tags: CSV rows ``sku,store,since,until,price,member_price``; an empty store means all, empty dates no bound."""

    id: Name
    rows: Annotated[str, Meta(max_length=ROWS_BYTES_MAX)]
    title: Titles = field(default_factory=dict)


class Plan(Value):
    """A paid membership that is sold as a line of its SKU, for so many days. ``at_once``: it holds in the sale that buys it."""

    id: Name
    sku: Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN_PATTERN)]
    days: Count
    title: Titles = field(default_factory=dict)
    at_once: bool = False


class GiftCard(Value):
    """Gift cards of one series. A bought one is sold as a line of its ``sku`` at face value; a gratis one is given by a person.

    The face is one of ``amounts``, or lies in [amount_from, amount_to]. ``expires_days``: good for so many days, today included.
    """

    id: Name
    sku: Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN_PATTERN)] | None = None
    title: Titles = field(default_factory=dict)
    kind: Literal["bought", "gratis"] = "bought"
    amounts: Annotated[tuple[MoneyFigure, ...], Meta(max_length=PARTS_MAX)] = ()
    amount_from: MoneyFigure | None = None
    amount_to: MoneyFigure | None = None
    expires_days: Count | None = None
    top_up: bool = False
    code: Literal["qr", "pin"] = "qr"


class GiftCardsTable(Value):
    """What the law of the country says of gift cards: whether bought ones may expire, and whether unspent money is paid back."""

    bought_expire: bool = False
    pay_back: bool = True


class Referral(Value):
    """Points for both sides when a referred friend completes the first sale, of at least ``min_amount`` paid."""

    referrer: PointsFigure
    friend: PointsFigure
    min_amount: MoneyFigure = MoneyFigure(0)
    delay_days: Days | None = None
    lifetime_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] | None = None


class ReturnsTable(Value):
    """What may come back, and how. ``gifts``: a gift that stays when its goods come back is charged, or kept.

    ``days``: so long after the sale; later, and without a receipt, only when a second person approves.
    """

    gifts: Literal["charge", "keep"] = "charge"
    days: Count | None = None
    without_receipt: Literal["refuse", "approved"] = "refuse"


class ProgrammeText(Value):
    """The whole file."""

    format: Literal[1]
    id: Name
    version: Annotated[int, Meta(ge=1, le=2**31)]
    currency: str
    timezone: str
    title: Titles = field(default_factory=dict)
    pilot: Pilot | None = None
    points: PointsTable = PointsTable()
    redeem: RedeemTable | None = None
    rounding: RoundingTable = RoundingTable()
    search: SearchTable = SearchTable()
    hints: HintsTable = HintsTable()
    floors: FloorsTable = FloorsTable()
    caps: CapsTable = CapsTable()
    referral: Referral | None = None
    returns: ReturnsTable = ReturnsTable()
    group: Annotated[tuple[Group, ...], Meta(max_length=PARTS_MAX)] = ()
    compatibility: dict[Name, dict[Name, Relation]] = field(default_factory=dict)
    tier: Annotated[tuple[Tier, ...], Meta(max_length=PARTS_MAX)] = ()
    tiers: TiersTable | None = None
    plan: Annotated[tuple[Plan, ...], Meta(max_length=PARTS_MAX)] = ()
    gift_cards: GiftCardsTable = GiftCardsTable()
    gift_card: Annotated[tuple[GiftCard, ...], Meta(max_length=PARTS_MAX)] = ()
    price_list: Annotated[tuple[PriceList, ...], Meta(max_length=PARTS_MAX)] = ()
    coupon: Annotated[tuple[Series, ...], Meta(max_length=RULES_MAX)] = ()
    rule: Annotated[tuple[Rule, ...], Meta(max_length=RULES_MAX)] = ()
