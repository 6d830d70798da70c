"""Conditions on the sale: time, store, till, tenders, coupons, uses, budget; and conditions made of conditions."""

from __future__ import annotations

import pytest

from pos_loyalty.engine.model import State, Tender, UsesSoFar
from pos_loyalty.values import Minor
from tests.unit.conditions import Said, asked, lack, moment, presented, said
from tests.worlds import basket, line, member

NIGHT = 'is = "when", weekdays = ["fri"], from = "22:00", to = "06:00"'


@pytest.mark.parametrize(
    ("utc", "inside"),
    [
        ("2026-11-20 18:59", False),
        ("2026-11-20 19:00", True),  # Friday 22:00 in Moscow
        ("2026-11-20 21:30", True),  # Saturday 00:30, still Friday's night
        ("2026-11-21 02:59", True),
        ("2026-11-21 03:00", False),
        ("2026-11-20 01:00", False),  # Friday 04:00 is Thursday's night
        ("2026-11-21 19:00", False),
    ],
)
def test_a_night_belongs_to_the_day_it_begins(utc: str, inside: bool) -> None:
    assert (said(NIGHT, at=moment(utc)) is None) is inside


@pytest.mark.parametrize(
    ("utc", "inside"),
    [
        ("2026-12-31 20:59", True),  # 31 December 23:59
        ("2026-12-31 21:00", True),  # 1 January 00:00: the night of 31 December
        ("2027-01-01 02:59", True),
        ("2027-01-01 03:00", False),
        ("2027-01-01 19:00", False),  # the next night begins after the last date
        ("2026-12-31 02:00", False),  # the night of 30 December
    ],
)
def test_a_night_over_new_year(utc: str, inside: bool) -> None:
    when = 'is = "when", since = "2026-12-31", until = "2026-12-31", from = "22:00", to = "06:00"'
    assert (said(when, at=moment(utc)) is None) is inside


@pytest.mark.parametrize(
    ("utc", "inside"),
    [
        ("2026-03-29 00:59", False),  # 01:59 in Berlin; at 01:00 UTC the clock goes on to 03:00
        ("2026-03-29 01:00", True),
        ("2026-03-29 01:59", True),  # 03:59
        ("2026-03-29 02:00", False),  # 04:00
        ("2026-10-25 00:29", False),  # 02:29, the first time
        ("2026-10-25 00:30", True),
        ("2026-10-25 00:59", True),  # 02:59
        ("2026-10-25 01:00", False),  # 02:00, the second time
        ("2026-10-25 01:30", True),
        ("2026-10-25 02:59", True),  # 03:59
        ("2026-10-25 03:00", False),
    ],
)
def test_both_changes_of_the_clock_in_berlin(utc: str, inside: bool) -> None:
    when = 'is = "when", from = "02:30", to = "04:00"'
    assert (said(when, at=moment(utc), zone="Europe/Berlin") is None) is inside
    assert (said(f'{when}, zone = "Europe/Berlin"', at=moment(utc)) is None) is inside


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ('weekdays = ["sat"], from = "12:00", to = "12:31"', None),
        ('weekdays = ["mon", "sun"]', ("2026-11-21 12:30", "when:mon,sun")),
        ('from = "12:31", to = "24:00"', ("2026-11-21 12:30", "when:12:31-24:00")),
        ('until = "2026-11-20"', ("2026-11-21 12:30", "when:..2026-11-20")),
        ('since = "2026-11-22"', ("2026-11-21 12:30", "when:2026-11-22..")),
        (
            'since = "2026-11-01", until = "2026-11-20", weekdays = ["sat"], from = "08:00", to = "20:00"',
            ("2026-11-21 12:30", "when:2026-11-01..2026-11-20|sat|08:00-20:00"),
        ),
        (
            'from = "12:00", to = "13:00", zone = "Asia/Vladivostok"',
            ("2026-11-21 19:30", "when:12:00-13:00|@Asia/Vladivostok"),
        ),
    ],
)
def test_when_tells_the_local_time_and_the_window(when: str, told: Said) -> None:
    assert said(f'is = "when", {when}') == told


def test_store_and_till() -> None:
    of = basket(store="S2", till="T9")
    assert said('is = "store", store = ["S1", "S2"]', of) is None
    assert said('is = "store", store = ["S1", "S3"]', of) == ("store:S2", "store:S1|S3")
    assert said('is = "store", store = "S"', of) == ("store:S2", "store:S"), "a whole name, not a part of one"
    assert said('is = "till", till = "T9"', of) is None
    assert said('is = "till", till = "T1"', of) == ("till:T9", "till:T1")


@pytest.mark.parametrize(
    ("planned", "told"),
    [
        (("sbp",), None),
        (("sbp", "card"), None),
        (("cash", "sbp"), ("tender:cash|sbp", "tender:card|sbp")),
        (("cash", "cash"), ("tender:cash", "tender:card|sbp")),
        ((), ("none", "tender:card|sbp")),
    ],
)
def test_every_planned_tender_is_of_the_kinds(planned: tuple[str, ...], told: Said) -> None:
    of = basket(tenders=tuple(Tender(kind=kind, amount_minor=Minor(100)) for kind in planned))
    assert said('is = "tender", kind = ["card", "sbp"]', of) == told


def test_a_coupon() -> None:
    when = 'is = "coupon", series = "welcome"'
    assert said(when) == ("none", "coupon:welcome")
    assert said(when, coupons=presented(welcome=(True, "", ""))) is None
    assert said(when, coupons=presented(welcome=(False, "is old", "a new one"))) == ("is old", "a new one")


def used(total: int, member: int, today: int) -> State:
    return State(
        uses={"r": UsesSoFar(total=total, member=member, today=today), "other": UsesSoFar(total=99, member=99, today=99)}
    )


@pytest.mark.parametrize(("scope", "most"), [("programme", 7), ("customer", 5), ("day", 3)])
def test_uses_that_are_left(scope: str, most: int) -> None:
    """Used 6 times in all, 4 times by the member, 2 times today: one more each time."""
    state = used(6, 4, 2)
    when = f'is = "uses", scope = "{scope}", max = '
    assert said(f"{when}{most}", who=member(), state=state) is None
    assert said(f"{when}{most - 1}", who=member(), state=state) == (str(most - 1), f"uses:{most - 1}")
    assert said(f"{when}1", who=member(), state=State(uses={})) is None, "never used"
    assert said(f"{when}1", who=member()) == ("unknown", "uses:1")


def test_uses_of_a_member_need_one() -> None:
    assert said('is = "uses", scope = "customer", max = 9', state=used(0, 0, 0)) == ("none", "uses:9")
    assert said('is = "uses", scope = "day", max = 9', state=used(0, 0, 0)) is None


def test_a_budget() -> None:
    assert said('is = "budget"', state=State(budgets={"r": 1})) is None
    assert said('is = "budget"', state=State(budgets={"r": 0})) == ("0.00", "budget")
    assert said('is = "budget"', state=State(budgets={"r": -5})) == ("0.00", "budget")
    assert said('is = "budget"', state=State(budgets={"other": 9})) == ("unknown", "budget")


def test_uses_and_budgets_of_two_rules_are_two_conditions() -> None:
    whens = ('is = "budget"', 'is = "any", of = [{ is = "not", of = { is = "budget" } }]', 'is = "store", store = "S1"')
    rule = '[[rule]]\nid = "{}"\nstage = "order"\nwhen = [{}]\nthen = [{{ do = "percent", percent = "10%" }}]\n'
    for when, shares in zip(whens, (False, False, True), strict=True):
        tables = "".join(rule.format(name, f"{{ {when} }}") for name in ("a", "b"))
        loaded = asked('is = "customer", member = true', tables)
        one, other = (next(each.terms[0] for each in loaded.rules if each.id == name) for name in ("a", "b"))
        assert (one.number == other.number) is shares, when


CARD = '{ is = "customer", member = true }'
MANY = '{ is = "basket_qty", min = 3 }'
MUCH = '{ is = "basket_amount", min = "350.00" }'
CHEAP = '{ is = "basket_amount", max = "1.00" }'
TWO = basket(line("1"), line("2"))
"""200.00 and two units."""


def test_not() -> None:
    assert said(f'is = "not", of = {CARD}') is None
    assert said(f'is = "not", of = {CARD}', who=member()) == ("holds:customer", "not:customer")
    assert said(f'is = "not", of = {{ is = "not", of = {CARD} }}') == ("holds:not", "not:not")


@pytest.mark.parametrize(
    "inner",
    [
        'is = "birthday"',
        'is = "first_purchase"',
        'is = "history", bought = true, days = 9',
        'is = "profile", key = "pet"',
        'is = "uses", scope = "day", max = 1',
        'is = "tender", kind = "cash"',
        f'is = "all", of = [{CARD}, {{ is = "birthday" }}]',
        'is = "any", of = [{ is = "customer", staff = true }, { is = "birthday" }]',
    ],
)
def test_what_is_not_known_is_not_known_the_other_way_round(inner: str) -> None:
    negated = f'is = "any", of = [{{ is = "not", of = {{ {inner} }} }}]'  # any: a bare "not uses" is a fault
    assert lack(inner, who=member()) is not None
    found = lack(negated, who=member())
    assert found is not None and found.is_unknown


def test_of_parts_the_first_that_is_not_known_is_named() -> None:
    pets = 'is = "any", of = [{ is = "customer", staff = true }, { is = "all", of = [{ is = "profile", key = "pet" }] }]'
    assert said(f'is = "not", of = {{ {pets} }}', who=member()) == ("unknown", "not:profile")
    assert said('is = "not", of = { is = "tender", kind = "cash" }') == ("none", "not:tender")


def test_not_of_a_time_tells_which() -> None:
    night = '{ is = "when", from = "12:00", to = "20:00", weekdays = ["fri", "sat"] }'
    assert said(f'is = "not", of = {night}') == ("holds:when", "not:when:fri,sat|12:00-20:00")


def test_one_part_that_certainly_fails_decides_all() -> None:
    inner = 'is = "all", of = [{ is = "birthday" }, { is = "customer", staff = true }]'
    assert said(inner, who=member()) == ("unknown", "birthday:0|0")
    assert said(f'is = "not", of = {{ {inner} }}', who=member()) is None


def test_without_a_card_it_is_known_that_nobody_is_there_and_nothing_else() -> None:
    assert said('is = "not", of = { is = "customer", tier = "gold" }') is None
    assert said('is = "not", of = { is = "birthday" }') == ("none", "not:birthday")


def test_all_tells_the_first_part_that_fails_and_is_far_when_two_do() -> None:
    one = lack(f'is = "all", of = [{MANY}, {CARD}]', TWO, member())
    assert one is not None
    assert (one.condition, one.have, one.need, one.quantity_milli) == ("basket_qty", "2", "3", 1_000)
    two = lack(f'is = "all", of = [{MANY}, {CARD}]', TWO)
    assert two is not None
    assert (two.condition, two.have, two.need, two.quantity_milli, two.selector) == ("basket_qty", "2", "3", 0, -1)
    assert said(f'is = "all", of = [{MANY}, {CARD}]', basket(line("1", quantity="3")), member()) is None


def test_any_tells_every_part_and_is_as_far_as_the_nearest() -> None:
    assert said(f'is = "any", of = [{CHEAP}, {CARD}]', TWO, member()) is None
    far = lack(f'is = "any", of = [{CHEAP}, {CARD}]', TWO)
    assert far is not None
    assert (far.condition, far.have, far.need) == ("any", "200.00 / none", "at_most:1.00 / member")
    assert (far.amount_minor, far.quantity_milli, far.selector) == (0, 0, -1)
    near = lack(f'is = "any", of = [{CHEAP}, {MUCH}, {{ is = "basket_amount", min = "300.00" }}]', TWO)
    assert near is not None
    assert (near.amount_minor, near.quantity_milli) == (10_000, 0)
    units = lack(f'is = "any", of = [{MUCH}, {MANY}, {{ is = "basket_qty", min = 9 }}]', TWO)
    assert units is not None
    assert (units.amount_minor, units.quantity_milli) == (0, 1_000), "units are told before money"


def test_any_inside_any_stands_in_brackets() -> None:
    inner = f'{{ is = "any", of = [{MANY}, {CARD}] }}'
    assert said(f'is = "any", of = [{inner}, {CHEAP}]', TWO) == ("(2 / none) / 200.00", "(3 / member) / at_most:1.00")
