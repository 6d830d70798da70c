"""What a sale issues: coupons, privileges, plans, counters, tier progress, words and uses. Dates are worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import CounterMove, Issue, Line, Quote, RuleUse, State, UsesSoFar
from pos_loyalty.engine.returnable import CountedOn
from tests.worlds import NOBODY, NOW, basket, line, lot, member, programme, why

TODAY_ENDS = datetime(2026, 11, 21, 21, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(name: str, then: str, more: str = "") -> str:
    return f'[[rule]]\nid = "{name}"\n{more}\nthen = [{{ {then} }}]\n'


def ask(tables: str, *lines: Line, nobody: bool = False, state: State = NOBODY, **more: object) -> Quote:
    who = None if nobody else member(**{key: more.pop(key) for key in list(more) if key in ("paid_until", "lots")})
    return quote(basket(*(lines or (line("1"),)), **more), who, programme(tables), state, NOW)


def test_coupons_for_the_next_purchase() -> None:
    tables = '[[coupon]]\nid = "next"\n' + rule("r", 'do = "issue_coupon", series = "next", count = 2, delay_days = 1, days = 14')
    answer = ask(tables, nobody=True)
    assert answer.issued == (
        Issue(rule="r", kind="coupon", series="next", count=2, usable_from=TODAY_ENDS, expires_at=TODAY_ENDS + 14 * DAY),
    )
    assert answer.applied == ("r",)


def test_a_coupon_ends_with_its_series() -> None:
    tables = '[[coupon]]\nid = "next"\nuntil = "2026-11-30"\n' + rule("r", 'do = "issue_coupon", series = "next", days = 14')
    (issue,) = ask(tables).issued
    assert (issue.usable_from, issue.expires_at) == (NOW, TODAY_ENDS + 9 * DAY)
    (issue,) = ask(tables.replace("days = 14", "days = 3")).issued
    assert issue.expires_at == TODAY_ENDS + 2 * DAY
    (issue,) = ask(tables.replace(", days = 14", "").replace('until = "2026-11-30"', "")).issued
    assert issue.expires_at is None


def test_what_does_not_hold_issues_nothing() -> None:
    tables = '[[coupon]]\nid = "next"\n' + rule(
        "r", 'do = "issue_coupon", series = "next"', 'when = [{ is = "basket_amount", min = "500.00" }]'
    )
    assert ask(tables).issued == ()
    assert len(ask(tables, line("1", 50_000)).issued) == 1


def test_privileges_last_for_days_until_a_date_or_for_the_sale() -> None:
    tables = (
        rule("a", 'do = "privilege", name = "delivery", days = 365')
        + rule("b", 'do = "privilege", name = "queue", until = "2026-12-31"')
        + rule("c", 'do = "privilege", name = "tea"')
    )
    answer = ask(tables)
    assert answer.privileges == ("delivery", "queue", "tea")
    assert [(each.series, each.usable_from, each.expires_at) for each in answer.issued] == [
        ("delivery", NOW, datetime(2027, 11, 20, 21, tzinfo=UTC)),
        ("queue", NOW, datetime(2026, 12, 31, 21, tzinfo=UTC)),
    ]


def test_counters_count_units_or_receipts() -> None:
    tables = (
        rule("a", 'do = "counter_add", key = "coffee", on = { category = "coffee" }')
        + rule("b", 'do = "counter_add", key = "visits", per = "receipt"')
        + rule("c", 'do = "counter_add", key = "coffee", on = { sku = "latte" }')
    )
    lines = (
        line("1", 100, "2", category="coffee"),
        line("2", 100, "0.300", category="coffee", measure="weight"),
        line("3", 100, sku="latte"),
    )
    answer = ask(tables, *lines)
    assert answer.counters == (CounterMove(key="coffee", add=4), CounterMove(key="visits", add=1))
    assert [each.counted for each in answer.lines] == [
        (CountedOn(key="coffee", add=2), CountedOn(key="visits", add=0)),
        (CountedOn(key="coffee", add=1), CountedOn(key="visits", add=0)),
        (CountedOn(key="coffee", add=1), CountedOn(key="visits", add=0)),
    ]
    assert ask(tables, *lines, nobody=True).counters == ()


def test_a_joined_line_s_counts_stand_on_each_of_its_parts() -> None:
    tables = rule("a", 'do = "counter_add", key = "coffee"')
    answer = ask(tables, line("1", 100, "2", sku="c"), line("2", 100, "3", sku="c"))
    assert answer.counters == (CounterMove(key="coffee", add=5),)
    assert [each.counted for each in answer.lines] == [(CountedOn(key="coffee", add=2),), (CountedOn(key="coffee", add=3),)]


def test_everything_paid_counts_towards_the_tier_unless_a_rule_says_what() -> None:
    lines = (line("1", 1000, category="tobacco"), line("2", 2000), line("3", 3000, category="coffee"))
    assert ask("", *lines).tier_progress_minor == 5000
    assert ask("", *lines, nobody=True).tier_progress_minor == 0
    only = rule("t", 'do = "tier_progress", on = { category = "coffee" }')
    answer = ask(only, *lines)
    assert answer.tier_progress_minor == 3000
    assert [each.progress_minor for each in answer.lines] == [0, 0, 3000]
    twice = only + rule("u", 'do = "tier_progress", on = { sku = "3" }')
    assert ask(twice, *lines).tier_progress_minor == 3000
    sleeping = only.replace("then", 'when = [{ is = "basket_amount", min = "1000.00" }]\nthen')
    assert ask(sleeping, *lines).tier_progress_minor == 0


def test_points_do_not_count_towards_the_tier() -> None:
    answer = ask('[redeem]\nlimit = "50%"\n', line("1", 2000), redeem="max", lots=(lot("a", 10_000),))
    assert answer.tier_progress_minor == 1000


def test_messages_are_said_where_they_belong() -> None:
    tables = rule("m", 'do = "message", text = { ru = "Спасибо", en = "Thanks" }, where = "receipt"')
    (message,) = ask(tables).messages
    assert (message.rule, message.where, message.text) == ("m", "receipt", {"ru": "Спасибо", "en": "Thanks"})


PLANS = '[[plan]]\nid = "club"\nsku = "club-30"\ndays = 30\n'


def test_a_plan_is_bought_as_a_line() -> None:
    answer = ask(PLANS, line("1", 19_900, sku="club-30"))
    assert answer.issued == (
        Issue(rule="club", kind="plan", series="club", usable_from=NOW, expires_at=TODAY_ENDS + 29 * DAY),
    )  # fmt: skip


def test_a_plan_that_runs_is_extended_from_its_end() -> None:
    until = datetime(2026, 12, 1, 21, tzinfo=UTC)
    (issue,) = ask(PLANS, line("1", sku="club-30", quantity="2"), paid_until=until).issued
    assert (issue.count, issue.usable_from, issue.expires_at) == (2, until, until + 60 * DAY)
    (issue,) = ask(PLANS, line("1", sku="club-30"), paid_until=NOW - DAY).issued
    assert issue.usable_from == NOW
    at_once = PLANS + "at_once = true\n"
    (issue,) = ask(at_once, line("1", sku="club-30")).issued
    assert (issue.usable_from, issue.expires_at) == (NOW, TODAY_ENDS + 29 * DAY)


def test_two_plans_follow_one_another() -> None:
    tables = PLANS + '[[plan]]\nid = "week"\nsku = "club-7"\ndays = 7\n'
    club, week = ask(tables, line("1", sku="club-7"), line("2", sku="club-30")).issued
    assert (club.usable_from, club.expires_at) == (NOW, TODAY_ENDS + 29 * DAY)
    assert (week.usable_from, week.expires_at) == (TODAY_ENDS + 29 * DAY, TODAY_ENDS + 36 * DAY)


def test_a_plan_needs_somebody_to_belong_to() -> None:
    answer = ask(PLANS, line("1", sku="club-30"), nobody=True)
    assert (answer.issued, why(answer, "club")) == ((), ("customer", "none", "member"))


def test_uses_are_counted_for_rules_with_limits() -> None:
    tables = rule("a", 'do = "percent", percent = "10%"', 'stage = "item"\nlimits = { total = 5 }') + rule(
        "b", 'do = "points", rate = "1%"'
    )
    answer = ask(tables, state=State(uses={"a": UsesSoFar(total=4)}))
    assert answer.uses == (RuleUse(rule="a", times=1),)


LAST = datetime(2199, 12, 30, 21, tzinfo=UTC)
"""Nothing ends later than the last day of 2199 begins."""


def test_what_would_last_for_ever_lasts_as_long_as_the_calendar() -> None:
    coupon = '[[coupon]]\nid = "next"\nuntil = "9999-12-31"\n' + rule("r", 'do = "issue_coupon", series = "next"')
    privilege = rule("r", 'do = "privilege", name = "queue", until = "9999-12-31"')
    plan = '[[plan]]\nid = "club"\nsku = "1"\ndays = 36500\nat_once = true\n'
    assert [each.expires_at for each in ask(coupon).issued] == [LAST]
    assert [each.expires_at for each in ask(privilege).issued] == [LAST]
    assert [each.expires_at for each in ask(plan, line("1", 1, "1000")).issued] == [LAST]
    for far in (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(2199, 12, 31, 23, tzinfo=UTC)):
        (issue,) = ask(plan, paid_until=far).issued
        assert (issue.usable_from, issue.expires_at) == (LAST, LAST)


@pytest.mark.parametrize("life", ["lifetime_days = 36500", "lifetime_months = 1200", "lifetime_months = 1200\nmonth_end = true"])
@pytest.mark.parametrize("year", [2026, 2150, 2198])
def test_points_live_no_longer_than_the_calendar(life: str, year: int) -> None:
    tables = f"[points]\ndelay_days = 36500\n{life}\n" + rule("p", 'do = "points", rate = "10%"')
    (accrual,) = quote(basket(line("1")), member(), programme(tables), NOBODY, NOW.replace(year=year)).accruals
    assert accrual.expires_at is not None and accrual.usable_from <= accrual.expires_at <= LAST


@pytest.mark.parametrize(
    "at", [datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-DAY / 2)), datetime(1, 1, 1, tzinfo=timezone(DAY / 2))]
)
def test_a_member_s_dates_at_the_ends_of_the_calendar_raise_nothing(at: datetime) -> None:
    tables = (
        '[[plan]]\nid = "club"\nsku = "1"\ndays = 30\nat_once = true\n'
        + rule("a", 'do = "percent", percent = "1%"', 'stage = "order"\nwhen = [{ is = "customer", paid = true }]')
        + rule("b", 'do = "message", text = { ru = "а", en = "a" }', 'when = [{ is = "birthday", set_before = 7 }]')
    )
    who = member(paid_until=at, birthday="11-21", birthday_set_at=at, joined_at=at, lots=(lot("x", 100, expires_at=at),))
    assert quote(basket(line("1")), who, programme(tables), NOBODY, NOW).issued != ()
