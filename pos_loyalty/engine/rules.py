"""The words of a programme file, table by table: what a rule is before it is made ready."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.conditions import Condition
from pos_loyalty.engine.coupons import Series
from pos_loyalty.engine.effects import Days, Effect
from pos_loyalty.engine.figures import MoneyFigure, PointsFigure, RateFigure
from pos_loyalty.engine.selectors import ALL, Selector
from pos_loyalty.values import Value

RULES_MAX = 20_000
PARTS_MAX = 100
PRIORITY_MAX = 1_000_000

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(?!\n)$")]
Language = Literal["ru", "en"]
Titles = dict[Language, Annotated[str, Meta(min_length=1, max_length=256)]]
Stage = Literal["item", "customer", "order", "points"]


class Rule(Value):
    """One when-then. All of ``when`` must hold; ``stage`` says when it acts and may be left out when it only gives points."""

    id: Name
    then: Annotated[tuple[Effect, ...], Meta(min_length=1, max_length=PARTS_MAX)]
    title: Titles = field(default_factory=dict)
    stage: Stage | None = None
    priority: Annotated[int, Meta(ge=-PRIORITY_MAX, le=PRIORITY_MAX)] = 0
    when: Annotated[tuple[Condition, ...], Meta(max_length=PARTS_MAX)] = ()


class Tier(Value):
    """A level of members. Tiers stand from the lowest to the highest."""

    id: Name
    title: Titles = field(default_factory=dict)


class PointsTable(Value):
    """How points are earned and kept. Days are local calendar days; a delay of 0 means at once."""

    value: MoneyFigure | None = None
    """What one point pays; one unit of the currency when absent."""
    step: PointsFigure = PointsFigure(1)
    earn_on: Literal["paid", "before_redemption"] = "paid"
    delay_days: Days = 0
    lifetime_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class RedeemTable(Value):
    """How points pay: at most ``limit`` of the matching lines, and at least ``minimum_money`` of the receipt stays in money."""

    limit: RateFigure
    minimum_money: MoneyFigure = MoneyFigure(0)
    on: Selector = ALL


class ProgrammeText(Value):
    """The whole file."""

    format: Literal[1]
    id: Name
    version: Annotated[int, Meta(ge=1, le=2**31)]
    currency: str
    timezone: str
    title: Titles = field(default_factory=dict)
    points: PointsTable = PointsTable()
    redeem: RedeemTable | None = None
    tier: Annotated[tuple[Tier, ...], Meta(max_length=PARTS_MAX)] = ()
    coupon: Annotated[tuple[Series, ...], Meta(max_length=RULES_MAX)] = ()
    rule: Annotated[tuple[Rule, ...], Meta(max_length=RULES_MAX)] = ()
