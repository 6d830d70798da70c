"""Conditions on the member: attributes, birthdays over the turn of the year, numbers of sales, what was bought before."""

from __future__ import annotations

import pytest

from pos_loyalty.engine.lacks import lack_of
from pos_loyalty.engine.model import Member, MemberDay, Purchase, SalesSoFar
from pos_loyalty.values import Minor, Thousandths
from tests.unit.conditions import Said, asked, lack, moment, said, situation, term_of
from tests.worlds import basket, member


@pytest.mark.parametrize(
    ("when", "who", "told"),
    [
        ("member = true", None, ("none", "member")),
        ("member = true", member(), None),
        ("member = false", member(), ("member", "none")),
        ("member = false", None, None),
        ('tier = "gold"', member(tier="gold"), None),
        ('tier = "gold"', member(tier="silver"), ("tier:silver", "tier:gold")),
        ('tier = ["gold", "silver"]', member(tier="silver"), None),
        ('tier = ["gold", "silver"]', member(), ("no_tier", "tier:gold|silver")),
        ('tier = "gold"', None, ("none", "tier:gold")),
        ('tier_from = "silver"', member(tier="gold"), None),
        ('tier_from = "silver"', member(tier="silver"), None),
        ('tier_from = "silver"', member(tier="bronze"), ("tier:bronze", "tier_from:silver")),
        ('tier_from = "bronze"', member(tier="unheard-of"), ("tier:unheard-of", "tier_from:bronze")),
        ('tier_from = "bronze"', member(), ("no_tier", "tier_from:bronze")),
        ('tier = "gold", tier_from = "silver"', member(tier="silver"), ("tier:silver", "tier:gold")),
        ('segment = "students"', member(segments=("students", "x")), None),
        ('segment = ["students", "teachers"]', member(segments=("x",)), ("not_segment", "segment:students|teachers")),
        ('segment = "students"', None, ("none", "segment:students")),
        ("staff = true", member(staff=True), None),
        ("staff = true", member(), ("not_staff", "staff")),
        ("staff = false", member(staff=True), ("staff", "not_staff")),
        ("staff = false", None, ("none", "member")),
        ("staff = true", None, ("none", "staff")),
        ("paid = true", member(), ("not_paid", "paid")),
        ("paid = false", member(), None),
        ("paid = true", None, ("none", "paid")),
        ('segment = "a", staff = true', member(segments=("a",)), ("not_staff", "staff")),
    ],
)
def test_customer(when: str, who: Member | None, told: Said) -> None:
    assert said(f'is = "customer", {when}', who=who) == told


def test_a_paid_membership_holds_until_its_instant() -> None:
    until = member(paid_until=moment("2026-11-21 09:30"))
    assert said('is = "customer", paid = true', who=until, at=moment("2026-11-21 09:29")) is None
    assert said('is = "customer", paid = true', who=until, at=moment("2026-11-21 09:30")) == ("not_paid", "paid")
    assert said('is = "customer", paid = false', who=until, at=moment("2026-11-21 09:29")) == ("paid", "not_paid")


def test_a_membership_that_ends_in_the_repeated_hour_ends_once() -> None:
    """In Berlin 02:30 comes twice on 2026-10-25: at 00:30 and 01:30 UTC."""
    loaded = asked('is = "customer", paid = true', zone="Europe/Berlin")
    first = member(paid_until=moment("2026-10-25 00:45").astimezone(loaded.zone))
    before, after = (situation(loaded, basket(), first, moment(f"2026-10-25 {hour}:30")) for hour in ("00", "01"))
    assert lack_of(term_of(loaded), before) is None
    assert lack_of(term_of(loaded), after) is not None


WEEK = 'is = "birthday", before = 3, after = 7'


@pytest.mark.parametrize(
    ("birthday", "day", "inside"),
    [
        ("11-21", "2026-11-21", True),
        ("11-24", "2026-11-21", True),
        ("11-25", "2026-11-21", False),
        ("11-14", "2026-11-21", True),
        ("11-13", "2026-11-21", False),
        ("01-02", "2026-12-30", True),
        ("01-03", "2026-12-30", False),
        ("01-02", "2026-12-31", True),
        ("12-31", "2027-01-07", True),
        ("12-31", "2027-01-08", False),
        ("12-28", "2027-01-04", True),
        ("02-29", "2026-02-25", True),  # 28 February less 3
        ("02-29", "2026-02-24", False),
        ("02-29", "2026-03-07", True),  # 28 February and 7
        ("02-29", "2026-03-08", False),
        ("02-29", "2028-02-25", False),  # a leap year: 29 February less 3 is the 26th
        ("02-29", "2028-02-26", True),
        ("02-29", "2028-03-07", True),
        ("02-29", "2028-03-08", False),
    ],
)
def test_days_around_a_birthday(birthday: str, day: str, inside: bool) -> None:
    found = lack(WEEK, who=member(birthday=birthday), at=moment(f"{day} 09:00"))
    assert (found is None) is inside


def test_a_birthday_is_a_local_day() -> None:
    who = member(birthday="11-22")
    assert said('is = "birthday"', who=who, at=moment("2026-11-21 20:59")) == ("days:1", "birthday:0|0")
    assert said('is = "birthday"', who=who, at=moment("2026-11-21 21:00")) is None, "midnight in Moscow"


@pytest.mark.parametrize(
    ("birthday", "day", "told"),
    [
        ("11-25", "2026-11-21", "days:1"),
        ("11-13", "2026-11-21", "days:354"),  # until 2027-11-10
        ("01-05", "2026-12-30", "days:3"),
        ("02-29", "2027-03-08", "days:355"),  # until 2028-02-26
    ],
)
def test_it_is_told_how_many_days_are_left(birthday: str, day: str, told: str) -> None:
    assert said(WEEK, who=member(birthday=birthday), at=moment(f"{day} 09:00")) == (told, "birthday:3|7")


def test_a_birthday_entered_too_late() -> None:
    early = 'is = "birthday", set_before = 7'
    birthday = {"birthday": "11-21"}
    assert said(early, who=member(**birthday)) == ("unknown", "entered_days:7")
    assert said(early, who=member(**birthday, birthday_set_at=moment("2026-11-14 20:59"))) is None
    late = member(**birthday, birthday_set_at=moment("2026-11-14 21:00"))  # the 15th in Moscow
    assert said(early, who=late) == ("entered_days:6", "entered_days:7")
    ahead = member(**birthday, birthday_set_at=moment("2026-11-30 00:00"))
    assert said(early, who=ahead) == ("entered_days:0", "entered_days:7")
    other_day = member(birthday="12-21", birthday_set_at=moment("2026-11-20 09:00"))
    assert said(early, who=other_day) == ("days:30", "birthday:0|0"), "the window is told first"


def test_a_birthday_that_is_not_known_is_refused() -> None:
    assert said(WEEK, who=member()) == ("unknown", "birthday:3|7")
    assert said(WEEK) == ("none", "birthday:3|7")
    assert said(WEEK, who=member(birthday="02-30")) == ("unknown", "birthday:3|7")
    assert said(WEEK, who=member(birthday="13-01")) == ("unknown", "birthday:3|7")


def test_a_date_of_the_profile() -> None:
    wedding = 'is = "named_date", key = "wedding", before = 1'
    assert said(wedding, who=member(dates={"wedding": "11-22"})) is None
    assert said(wedding, who=member(dates={"wedding": "11-23"})) == ("days:1", "named_date:wedding|1|0")
    assert said(wedding, who=member(dates={"child-1": "11-22"})) == ("no_date", "named_date:wedding|1|0")
    assert said(wedding, who=member()) == ("unknown", "named_date:wedding|1|0")
    assert said(wedding) == ("none", "named_date:wedding|1|0")


def test_an_attribute_of_the_profile() -> None:
    pet, cat = 'is = "profile", key = "pet"', 'is = "profile", key = "pet", value = ["cat", "dog"]'
    assert said(pet, who=member(profile={"pet": "fish"})) is None
    assert said(cat, who=member(profile={"pet": "dog"})) is None
    assert said(cat, who=member(profile={"pet": "fish"})) == ("not_profile", "profile:pet|cat|dog")
    assert said(pet, who=member(profile={})) == ("not_profile", "profile:pet")
    assert said(pet, who=member()) == ("unknown", "profile:pet")
    assert said(pet) == ("none", "profile:pet")


def sales(count: int, spent: int = 0) -> Member:
    return member(sales=SalesSoFar(count=count, spent_minor=Minor(spent)))


def test_the_number_of_this_sale() -> None:
    first = 'is = "first_purchase"'
    assert said(first, who=sales(0)) is None
    assert said(first, who=sales(1)) == ("nth:2", "nth:1")
    assert said(first, who=member()) == ("unknown", "nth:1")
    assert said(first) == ("none", "nth:1")
    third, every = 'is = "nth_purchase", n = 3', 'is = "nth_purchase", n = 3, every = true'
    assert [said(third, who=sales(count)) is None for count in range(7)] == [False, False, True, False, False, False, False]
    assert [said(every, who=sales(count)) is None for count in range(7)] == [False, False, True, False, False, True, False]
    assert said(third, who=sales(3)) == ("nth:4", "nth:3")
    assert said(every, who=sales(3)) == ("nth:4", "every:3")
    assert said(third, who=member()) == ("unknown", "nth:3")


def day(text: str, net: int, visits: int = 1) -> MemberDay:
    return MemberDay(day=text, net_minor=Minor(net), visits=visits)


DAYS = member(
    days=(
        day("2026-11-22", 99_900),  # a clock ran ahead: after today, never counted
        day("2026-11-21", 10_000),
        day("2026-11-15", 20_000, 2),
        day("2026-11-14", 40_000),
        day("2026-10-01", 80_000),
        day("2026-09-30", 160_000),
        day("2026-01-01", 320_000),
        day("2025-12-31", 640_000),
    )
)


@pytest.mark.parametrize(
    ("window", "spent", "visits"),
    [
        ("days = 1", "100.00", 1),
        ("days = 6", "100.00", 1),
        ("days = 7", "300.00", 3),
        ("days = 8", "700.00", 4),
        ('period = "month"', "700.00", 4),
        ('period = "quarter"', "1500.00", 5),
        ('period = "year"', "6300.00", 7),
        ("days = 36500", "12700.00", 8),
    ],
)
def test_history_in_a_window(window: str, spent: str, visits: int) -> None:
    """Today is 2026-11-21, a Saturday of the last quarter."""
    assert said(f'is = "history", amount = "{spent}", visits = {visits}, {window}', who=DAYS) is None
    more = f"{int(spent[:-3]) + 1}.00"
    assert said(f'is = "history", amount = "{more}", {window}', who=DAYS) == (spent, more)
    assert said(f'is = "history", visits = {visits + 1}, {window}', who=DAYS) == (f"visits:{visits}", f"visits:{visits + 1}")


@pytest.mark.parametrize(
    ("month", "first"), [("01", "01"), ("03", "01"), ("04", "04"), ("06", "04"), ("07", "07"), ("09", "07"), ("12", "10")]
)
def test_quarters_begin_in_january_april_july_and_october(month: str, first: str) -> None:
    day_before = {"01": "2025-12-31", "04": "2026-03-31", "07": "2026-06-30", "10": "2026-09-30"}[first]
    who = member(days=(day(f"2026-{first}-01", 100), day(day_before, 900)))
    at = moment(f"2026-{month}-28 09:00")
    assert said('is = "history", amount = "9", period = "quarter"', who=who, at=at) == ("1.00", "9.00")


def test_history_of_all_time() -> None:
    who = sales(4, 123_400)
    assert said('is = "history", amount = "1234.00", visits = 4', who=who) is None
    assert said('is = "history", amount = "1234.01"', who=who) == ("1234.00", "1234.01")
    assert said('is = "history", visits = 5', who=who) == ("visits:4", "visits:5")


def test_a_day_of_history_is_the_shop_s() -> None:
    """At 21:30 UTC it is the next day in Moscow: a window of one day is then empty."""
    assert said('is = "history", visits = 1, days = 1', who=DAYS, at=moment("2026-11-23 20:59")) == ("visits:0", "visits:1")
    late = member(days=(day("2026-11-21", 100),))
    assert said('is = "history", visits = 1, days = 1', who=late, at=moment("2026-11-21 20:59")) is None
    assert said('is = "history", visits = 1, days = 1', who=late, at=moment("2026-11-21 21:00")) == ("visits:0", "visits:1")


def bought(text: str, sku: str, net: int, category: str = "", units: int = 1) -> Purchase:
    return Purchase(
        day=text, sku=sku, category=category, net_minor=Minor(net), quantity_milli=Thousandths(units * 1000), tags=("own",)
    )


PAST = member(
    purchases=(
        bought("2026-11-20", "beans", 50_000, "drinks/coffee"),
        bought("2026-11-20", "latte", 20_000, "drinks/coffee"),
        bought("2026-11-01", "latte", 20_000, "drinks/coffee"),
        bought("2026-11-19", "mug", 0, "ware", units=0),  # returned
        bought("2026-11-20", "smokes", 90_000, "tobacco"),
    )
)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ('bought = true, days = 7, on = { category = "drinks" }', None),
        ('bought = false, days = 7, on = { category = "drinks" }', ("bought", "not_bought")),
        ('bought = true, days = 7, on = { category = "ware" }', ("not_bought", "bought")),
        ('bought = false, days = 7, on = { category = "ware" }', None),
        ('bought = true, days = 7, on = { sku = "latte", except = { tag = "own" } }', ("not_bought", "bought")),
        ('amount = "700.01", days = 7, on = { category = "drinks" }', ("700.00", "700.01")),
        ('amount = "900.00", visits = 2, on = { category = "drinks" }', None),
        ('visits = 3, on = { category = "drinks" }', ("visits:2", "visits:3")),
        ('amount = "1", on = { category = "tobacco" }', ("0.00", "1.00")),
        ('amount = "900.01", on = { tag = "own" }', ("900.00", "900.01")),
    ],
)
def test_history_of_goods(when: str, told: Said) -> None:
    assert said(f'is = "history", {when}', who=PAST) == told


def test_tobacco_counts_in_history_where_the_programme_lets_it() -> None:
    free = '[floors]\ntobacco = { on = { category = "tobacco" }, treat = "priced" }\n'
    assert said('is = "history", amount = "900.01", on = { category = "tobacco" }', who=PAST, tables=free) == ("900.00", "900.01")
    without = 'is = "history", amount = "1", on = { category = "tobacco", not_restricted = "tobacco" }'
    assert said(without, who=PAST, tables=free) == ("0.00", "1.00")


def test_whether_anything_was_bought() -> None:
    assert said('is = "history", bought = false, days = 90', who=member(days=())) is None
    assert said('is = "history", bought = false, days = 90', who=DAYS) == ("bought", "not_bought")
    assert said('is = "history", bought = true', who=sales(0)) == ("not_bought", "bought")


@pytest.mark.parametrize(
    ("when", "need"),
    [
        ('visits = 1, days = 1, on = { sku = "latte" }', "visits:1"),
        ("visits = 1, days = 1", "visits:1"),
        ("visits = 1", "visits:1"),
        ('amount = "1", visits = 1', "1.00"),
        ("bought = false, days = 9", "not_bought"),
    ],
)
def test_a_history_that_is_not_known_is_refused(when: str, need: str) -> None:
    assert said(f'is = "history", {when}', who=member()) == ("unknown", need)
    assert said(f'is = "history", {when}') == ("none", need)
