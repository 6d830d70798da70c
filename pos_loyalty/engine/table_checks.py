"""Faults of the tables beside the rules: points, redeem, floors, caps, price lists, plans, referral, pilot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from pos_loyalty.engine.condition_checks import selector_faults
from pos_loyalty.engine.gift_cards import gift_card_faults
from pos_loyalty.engine.known import Known
from pos_loyalty.engine.rules import (
    CapsTable,
    FloorsTable,
    LegalMinimum,
    Pilot,
    Plan,
    PointsTable,
    PriceList,
    ProgrammeText,
    RedeemTable,
    Referral,
    Restricted,
)
from pos_loyalty.engine.selectors import CONTROL, Names, has_control, names_nothing, names_of
from pos_loyalty.engine.shelf import parse_rows
from pos_loyalty.engine.tier_checks import tier_faults

Fault = tuple[str, str]


def table_faults(text: ProgrammeText, known: Known) -> Iterator[Fault]:
    """Every fault of the tables, in the order in which docs/programme.md tells of them."""
    if text.pilot is not None:
        yield from _pilot_faults(text.pilot)
    yield from _points_faults(text.points)
    if text.redeem is not None:
        yield from _redeem_faults(text.redeem)
    yield from _floor_faults(text.floors)
    yield from _cap_faults(text.caps)
    if text.referral is not None:
        yield from _referral_faults(text.referral)
    yield from _plan_faults(text.plan)
    plans = {plan.sku: f"plan[{number}]" for number, plan in enumerate(text.plan)}
    yield from gift_card_faults(text.gift_card, text.gift_cards, plans)
    yield from tier_faults(text)
    for number, price_list in enumerate(text.price_list):
        yield from _price_list_faults(price_list, f"price_list[{number}]", known)


def dates_fault(since: date | None, until: date | None, place: str) -> Iterator[Fault]:
    """A window that ends before it begins."""
    if since is not None and until is not None and since > until:
        yield f"{place}.until", f"{until.isoformat()} is before {since.isoformat()}"


def names_faults(names: Names, place: str) -> Iterator[Fault]:
    """A list that names nothing, or an empty name."""
    if names == () or any(name != name.strip() or not name for name in names_of(names)):
        yield place, "an empty list or name asks for nothing; leave it out"
    if any(has_control(name) for name in names_of(names)):
        yield place, CONTROL


def life_faults(days: int | None, months: int | None, place: str) -> Iterator[Fault]:
    """A lifetime is told once."""
    if days is not None and months is not None:
        yield f"{place}.lifetime_months", "lifetime_days is given too; points have one lifetime"


def some(figure: int | None, place: str, sentence: str) -> Iterator[Fault]:
    """A figure that may be left out but is not nothing."""
    if figure is not None and figure <= 0:
        yield place, sentence


def _pilot_faults(pilot: Pilot) -> Iterator[Fault]:
    if pilot.share is None and pilot.segment is None:
        yield "pilot", "give a share of the members or a segment; or leave the table out"
    yield from some(pilot.share, "pilot.share", 'with "0%" of the members nobody has the programme; leave the table out')
    yield from names_faults(pilot.segment, "pilot.segment")


def _points_faults(table: PointsTable) -> Iterator[Fault]:
    yield from some(table.value, "points.value", "a point pays more than nothing")
    yield from some(table.step, "points.step", "a step is more than nothing")
    for word, most in (("per_receipt", table.per_receipt), ("per_day", table.per_day)):
        yield from some(most, f"points.{word}", "with a limit of nothing nobody gets points; leave it out, or the rules")
    yield from life_faults(table.lifetime_days, table.lifetime_months, "points")
    if table.month_end and table.lifetime_days is None and table.lifetime_months is None:
        yield "points.month_end", "points without a lifetime never expire; give lifetime_months or lifetime_days"
    if table.grace_days is not None and table.lifetime_days is None and table.lifetime_months is None:
        yield (
            "points.grace_days",
            "points without a lifetime never expire; give lifetime_months or lifetime_days, or leave it out",
        )
    yield from selector_faults(table.on, "points.on")


def _redeem_faults(table: RedeemTable) -> Iterator[Fault]:
    yield from some(table.limit, "redeem.limit", 'with "0%" no points could be redeemed; leave the table [redeem] out instead')
    yield from some(table.step, "redeem.step", "a step is more than nothing")
    yield from some(table.least, "redeem.least", "nothing is the least anyway; leave it out")
    yield from some(table.per_day, "redeem.per_day", "with a limit of nothing no points could be redeemed; leave it out")
    if table.least is not None and table.per_day is not None and table.least > table.per_day:
        yield "redeem.least", "is more than per_day, so no points could be redeemed"
    yield from selector_faults(table.on, "redeem.on")
    yield from some(table.confirm_free, "redeem.confirm_free", "without free points every redemption is confirmed; leave it out")
    if table.confirm_free is not None and table.confirm == "none":
        yield "redeem.confirm_free", 'nothing is confirmed; give confirm = "pin", "code" or "qr", or leave it out'


def _floor_faults(table: FloorsTable) -> Iterator[Fault]:
    for word, restricted in (("alcohol", table.alcohol), ("tobacco", table.tobacco)):
        yield from _restricted_faults(restricted, f"floors.{word}")
    for number, minimum in enumerate(table.minimum):
        yield from _minimum_faults(minimum, f"floors.minimum[{number}]")


def _restricted_faults(restricted: Restricted, place: str) -> Iterator[Fault]:
    if names_nothing(restricted.on):
        yield f"{place}.on", "names no goods, so everything would be restricted; name a category, a tag, a brand or a sku"
    yield from selector_faults(restricted.on, f"{place}.on")
    yield from _shelf_only(restricted.on, f"{place}.on")
    yield from names_faults(restricted.only_in, f"{place}.only_in")


def _minimum_faults(minimum: LegalMinimum, place: str) -> Iterator[Fault]:
    if names_nothing(minimum.on):
        yield f"{place}.on", "names no goods; a legal minimum is for a kind of goods: name a category, a tag, a brand or a sku"
    yield from selector_faults(minimum.on, f"{place}.on")
    yield from _shelf_only(minimum.on, f"{place}.on")
    yield from some(minimum.price, f"{place}.price", "a minimum of nothing holds nothing; leave it out")
    yield from some(minimum.volume, f"{place}.volume", 'a volume is more than 0 litres: write it such as "0.5"')
    low, high = minimum.strength_from, minimum.strength_to
    if low is not None and high is not None and low > high:
        yield f"{place}.strength_to", "is less than strength_from"
    yield from dates_fault(minimum.since, minimum.until, place)


def _shelf_only(on: object, place: str) -> Iterator[Fault]:
    """Floors are known before any discount, so they cannot ask what was discounted."""
    for word in ("not_discounted", "discounted", "not_restricted"):
        if getattr(on, word):
            yield f"{place}.{word}", "the law asks for the goods, not for what was taken off them; leave it out"


def _cap_faults(table: CapsTable) -> Iterator[Fault]:
    sentence = "a cap of nothing stops every discount; leave the rules out instead"
    yield from some(table.percent, "caps.percent", sentence)
    yield from some(table.amount, "caps.amount", sentence)
    for role in table.manual:
        if role != role.strip():
            yield "caps.manual", f'"{role[:64]}" has spaces around it'


def _referral_faults(table: Referral) -> Iterator[Fault]:
    if table.referrer <= 0 and table.friend <= 0:
        yield "referral", "gives neither side any points; give referrer or friend some, or leave the table out"


def _plan_faults(plans: Iterable[Plan]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for number, plan in enumerate(plans):
        if plan.sku != plan.sku.strip():
            yield f"plan[{number}].sku", f'"{plan.sku}" has spaces around it'
        if plan.sku in first:
            yield f"plan[{number}].sku", f'"{plan.sku}" already sells plan[{first[plan.sku]}]'
        first.setdefault(plan.sku, number)


def _price_list_faults(price_list: PriceList, place: str, known: Known) -> Iterator[Fault]:
    try:
        parse_rows(price_list.rows, known.exponent)
    except ValueError as error:
        yield f"{place}.rows", str(error)
