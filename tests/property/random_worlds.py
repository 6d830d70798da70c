"""Random baskets, members and programmes for the laws of the engine."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from pos_loyalty.engine.model import Basket, Line, Lot, ManualOff, Member
from pos_loyalty.values import Minor, Points, Thousandths
from tests.worlds import NOW

DAY = timedelta(days=1)
CATEGORIES = ("drinks/coffee", "drinks/tea", "bakery", "household", "")
SKUS = tuple(f"s{n}" for n in range(6))
MONEY = st.integers(0, 50_000)


@st.composite
def a_line(draw: st.DrawFn, line_id: str) -> Line:
    """A piece or weighed line; now and then with a floor, an off of the host's, marks."""
    sku = draw(st.sampled_from(SKUS))
    is_weight = sku == "s5"
    milli = draw(st.integers(1, 9_999)) if is_weight else 1000 * draw(st.integers(1, 7))
    price = draw(st.one_of(st.sampled_from((0, 1, 99, 333, 9_990)), MONEY))
    has_marks = not is_weight and draw(st.booleans()) and draw(st.booleans())
    return Line(
        line_id=line_id,
        sku=sku,
        quantity_milli=Thousandths(milli),
        price_minor=Minor(price),
        category=draw(st.sampled_from(CATEGORIES)),
        tags=draw(st.sampled_from(((), ("hot",), ("hot", "own")))),
        measure="weight" if is_weight else "piece",
        floor_minor=Minor(draw(st.sampled_from((0, 0, 0, price // 2, price, price + 1)))),
        prior_off_minor=Minor(draw(st.sampled_from((0, 0, 0, 7, price)))),
        vat_bp=draw(st.sampled_from((None, 0, 1000, 2200))),
        marks=tuple(f"m{n}" for n in range(milli // 1000)) if has_marks else (),
    )


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """A basket of up to eight lines."""
    ids = draw(st.lists(st.sampled_from(("1", "2", "10", "a", "B", "я", "07", "z")), unique=True, max_size=8))
    lines = tuple(draw(a_line(line_id)) for line_id in ids)
    manual = tuple(
        ManualOff(line_id=line_id, off_minor=Minor(draw(st.integers(0, 3000)))) for line_id in ids if draw(st.integers(0, 5)) == 0
    )
    return Basket(
        basket_id="B",
        store="S",
        till="T",
        opened_at=NOW,
        currency="RUB",
        lines=lines,
        manual=manual,
        coupons=draw(st.sampled_from(((), ("WELCOME",), ("OLD", "x")))),
        redeem=draw(st.one_of(st.none(), st.just("max"), st.integers(0, 60_000).map(Points))),
    )


@st.composite
def members(draw: st.DrawFn) -> Member | None:
    """Nobody, or a member with some lots."""
    if draw(st.integers(0, 3)) == 0:
        return None
    dates = st.one_of(st.none(), st.integers(-3, 9).map(lambda days: NOW + days * DAY))
    lots = tuple(
        Lot(lot_id=f"lot-{n}", centi=Points(draw(st.integers(0, 40_000))), usable_from=draw(dates), expires_at=draw(dates))
        for n in range(draw(st.integers(0, 4)))
    )
    return Member(
        member_id="M",
        tier=draw(st.sampled_from((None, "silver", "gold", "other"))),
        segments=draw(st.sampled_from(((), ("students",)))),
        lots=lots,
        owed_centi=Points(draw(st.sampled_from((0, 0, 500)))),
        redeemable_centi=draw(st.sampled_from((None, None, Points(0), Points(777)))),
    )


SELECTORS = (
    "",
    ', on = { category = "drinks" }',
    ', on = { tag = "hot", sku = "s1" }',
    ', on = { except = { category = "household" } }',
)
CONDITIONS = (
    "",
    '{ is = "basket_amount", min = "100.00" }',
    '{ is = "basket_amount", max = "300.00", base = "running" }',
    '{ is = "basket_qty", min = "3", on = { category = "drinks" } }',
    '{ is = "customer", tier_from = "silver" }',
    '{ is = "customer", member = false }',
    '{ is = "coupon", series = "welcome" }',
    '{ is = "coupon", series = "old" }',
    '{ is = "when", weekdays = ["sat"], from = "12:00", to = "13:00" }',
    '{ is = "not", of = { is = "when", from = "12:00", to = "13:00" } }',
    '{ is = "any", of = [{ is = "basket_qty", min = "9" }, { is = "customer", segment = "students" }] }',
)
RATES = st.one_of(st.sampled_from(("1%", "7.5%", "33.33%", "99.99%", "100%")), st.integers(1, 100).map(lambda whole: f"{whole}%"))


@st.composite
def a_rule(draw: st.DrawFn, name: str) -> str:
    """One rule table."""
    stage = draw(st.sampled_from(("item", "customer", "order", "order", "points")))
    on = draw(st.sampled_from(SELECTORS))
    rate = draw(RATES)
    then = f'{{ do = "percent", percent = "{rate}"{on} }}'
    if stage == "order":
        other = (
            f'{{ do = "amount", amount = "{draw(st.integers(1, 90))}.01"{on} }}',
            f'{{ do = "ladder", steps = [{{ from = "50", percent = "{rate}" }}, {{ from = "300", amount = "70" }}]{on} }}',
            f'{{ do = "ladder", steps = [{{ from = "0", percent = "{rate}" }}], max_base = "99.99"{on} }}',
            then.replace(" }", ', max_amount = "20" }') if not on else then,
            f'{then}, {{ do = "amount", amount = "3.33" }}',
        )
        then = draw(st.sampled_from((then, *other)))
    if stage == "points":
        then = draw(
            st.sampled_from((f'{{ do = "points", rate = "{rate}"{on} }}', f'{{ do = "points", multiplier = "1.5"{on} }}'))
        )
    when = draw(st.sampled_from(CONDITIONS))
    if stage == "points" and "member = false" in when:
        when = ""
    priority = draw(st.integers(-1, 1))
    return f'[[rule]]\nid = "{name}"\nstage = "{stage}"\npriority = {priority}\nwhen = [{when}]\nthen = [{then}]\n'


TABLES = """
[[tier]]
id = "silver"
[[tier]]
id = "gold"
[[coupon]]
id = "welcome"
code = "WELCOME"
[[coupon]]
id = "old"
code = "OLD"
until = "2026-01-01"
"""


@st.composite
def rule_tables(draw: st.DrawFn) -> list[str]:
    """Up to seven rules, each a table of its own."""
    return [draw(a_rule(f"r{n}")) for n in range(draw(st.integers(0, 7)))]


@st.composite
def other_tables(draw: st.DrawFn) -> str:
    """Tiers, coupons, how points are earned and how they pay."""
    value = draw(st.sampled_from(("1.00", "0.50", "0.30", "3.00")))
    step = draw(st.sampled_from(("0.01", "1", "0.25")))
    limit = draw(st.sampled_from(("30%", "99.99%", "100%")))
    least = draw(st.sampled_from(("0", "1.00", "50.00")))
    redeem = f'[redeem]\nlimit = "{limit}"\nminimum_money = "{least}"\non = {{ except = {{ category = "household" }} }}\n'
    points = f'[points]\nvalue = "{value}"\nstep = "{step}"\nlifetime_days = 30\n'
    return TABLES + points + draw(st.sampled_from((redeem, redeem, "")))
