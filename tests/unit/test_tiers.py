"""Tiers by example: up at once, warned, kept in grace, down, what came back, month ends, leap days, calendar years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.tier_rules import TierRules, months_after, months_before, to_date, to_day
from pos_loyalty.engine.tiers import TierBase, TierMove, TierState, tier_of, tier_steps
from pos_loyalty.engine.warnings import looked_through
from pos_loyalty.errors import ProgrammeError

HEAD = 'format = 1\nid = "shop"\nversion = 1\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'
LADDER = """
[[tier]]
id = "bronze"
from_spent = "0"
[[tier]]
id = "silver"
from_spent = "100.00"
[[tier]]
id = "gold"
from_spent = "500.00"
"""


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def rules_of(table: str = "", ladder: str = LADDER) -> TierRules:
    rules = load_programme((HEAD + table + ladder).encode()).tier_rules
    assert rules is not None
    return rules


def bought(on: str, rubles: int, *, told: str | None = None) -> TierMove:
    return TierMove(day=day(on), told=day(told or on), spent_minor=rubles * 100, visits=1 if rubles > 0 else 0)


def at(on: str, rules: TierRules, *moves: TierMove, base: TierBase | None = None) -> TierState:
    return tier_of(moves, rules, day(on), base or TierBase(tier=None, day=day("2025-01-01")))


def told(rules: TierRules, until: str, *moves: TierMove, base: TierBase | None = None) -> list[str]:
    steps = tier_steps(moves, rules, day(until), base or TierBase(tier=None, day=day("2025-01-01")))
    return [f"{to_date(step.day)} {step.reason} {step.tier}" for step in steps]


def test_up_at_once_and_down_only_at_the_end() -> None:
    rules = rules_of("[tiers]\ngrace_days = 10\n")
    moves = bought("2025-01-31", 600), bought("2025-06-01", 200)
    assert told(rules, "2027-03-01", *moves) == [
        "2025-01-01 reached bronze",
        "2025-01-31 reached gold",
        "2026-01-01 warned gold",
        "2026-02-10 fell silver",
        "2027-01-11 warned silver",
        "2027-02-20 fell bronze",
    ]
    state = at("2026-01-15", rules, *moves)
    assert (state.tier, to_date(state.until or 0), state.missing_to_keep) == ("gold", date(2026, 1, 30), 30_000)
    assert at("2026-02-09", rules, *moves).tier == "gold", "grace lasts"
    assert at("2026-02-09", rules, *moves).until == day("2026-02-09"), "and says its last day"


def test_what_is_missing_for_the_next_tier() -> None:
    state = at("2025-02-01", rules_of(), bought("2025-02-01", 120))
    assert (state.tier, state.next_tier, state.missing, state.have) == ("silver", "gold", 38_000, 12_000)
    assert at("2025-02-01", rules_of(), bought("2025-02-01", 500)).next_tier is None


def test_a_threshold_is_reached_by_its_very_amount() -> None:
    rules = rules_of()
    assert at("2025-02-01", rules, TierMove(day=day("2025-02-01"), told=day("2025-02-01"), spent_minor=9_999)).tier == "bronze"
    assert at("2025-02-01", rules, TierMove(day=day("2025-02-01"), told=day("2025-02-01"), spent_minor=10_000)).tier == "silver"


def test_a_rolling_window_leaves_the_same_date_of_last_year_out() -> None:
    rules = rules_of()
    halves = bought("2025-03-10", 60), bought("2026-03-10", 60)
    assert at("2026-03-10", rules, *halves).tier == "bronze"
    assert at("2026-03-09", rules, bought("2025-03-10", 60), bought("2026-03-09", 60)).tier == "silver"


def test_one_purchase_does_not_renew_what_it_reached() -> None:
    rules = rules_of()
    assert at("2026-01-30", rules, bought("2025-01-31", 600)).tier == "gold"
    assert at("2026-01-31", rules, bought("2025-01-31", 600)).tier == "bronze"


@pytest.mark.parametrize("last", ["2025-02-01", "2026-01-30"])
def test_what_is_bought_within_the_period_renews_it(last: str) -> None:
    moves = bought("2025-01-31", 600), bought(last, 500)
    state = at("2026-01-31", rules_of(), *moves)
    assert (state.tier, state.reason, to_date(state.until or 0)) == ("gold", "renewed", date(2027, 1, 30))


def test_a_day_ends_a_tier_before_its_own_purchases() -> None:
    steps = told(rules_of("[tiers]\nwarn_days = 0\n"), "2026-01-31", bought("2025-01-31", 600), bought("2026-01-31", 500))
    assert steps[-2:] == ["2026-01-31 fell bronze", "2026-01-31 reached gold"]


def test_grace_gives_more_days_to_buy_what_is_missing() -> None:
    rules = rules_of("[tiers]\ngrace_days = 10\nwarn_days = 0\n")
    moves = bought("2025-01-31", 600), bought("2025-12-01", 300)
    kept = told(rules, "2027-02-09", *moves, bought("2026-02-09", 200))
    assert kept[-1] == "2026-02-09 renewed gold"
    lost = told(rules, "2026-02-10", *moves, bought("2026-02-10", 200))
    assert "2026-02-10 fell silver" in lost


def test_goods_brought_back_never_made_a_tier() -> None:
    moves = bought("2025-02-01", 600), bought("2025-02-01", -200, told="2025-02-20")
    assert at("2025-02-19", rules_of(), *moves).tier == "gold", "nobody knows yet"
    assert at("2025-02-20", rules_of(), *moves).tier == "silver"
    waiting = rules_of('[tiers]\nreturned = "at_period_end"\n')
    assert at("2025-02-20", waiting, *moves).tier == "gold"
    assert at("2026-02-01", waiting, *moves).tier == "bronze"
    assert at("2025-03-01", waiting, *moves, bought("2025-03-01", 10)).have == 41_000, "and never counts again"


def test_a_return_is_known_on_its_own_day() -> None:
    waiting = rules_of('[tiers]\nreturned = "at_period_end"\n')
    moves = bought("2025-02-01", 60), bought("2025-02-01", -60, told="2025-02-10"), bought("2025-02-10", 60)
    assert at("2025-02-10", waiting, *moves).tier == "bronze"


def test_month_ends_and_leap_days() -> None:
    assert to_date(months_before(day("2024-03-31"), 1)) == date(2024, 2, 29)
    assert to_date(months_before(day("2024-02-29"), 12)) == date(2023, 2, 28)
    assert to_date(months_after(day("2024-02-29"), 12)) == date(2025, 3, 1)
    assert to_date(months_after(day("2025-01-31"), 1)) == date(2025, 3, 1)
    assert to_date(months_after(day("2025-11-30"), 3)) == date(2026, 3, 1)
    monthly = rules_of("[tiers]\nmonths = 1\nwarn_days = 0\n")
    assert at("2025-02-28", monthly, bought("2025-01-31", 600)).tier == "gold"
    assert at("2025-03-01", monthly, bought("2025-01-31", 600)).tier == "bronze"


def test_a_calendar_tier_lasts_to_the_end_of_the_next_year() -> None:
    rules = rules_of('[tiers]\nwindow = "calendar"\nwarn_days = 0\n')
    moves = bought("2025-05-05", 60), bought("2025-12-31", 50)
    assert at("2025-12-31", rules, *moves).until == day("2026-12-31")
    assert at("2026-12-31", rules, *moves).tier == "silver"
    assert at("2027-01-01", rules, *moves).tier == "bronze"
    assert at("2027-01-01", rules, *moves, bought("2026-01-01", 100)).until == day("2027-12-31")
    apart = bought("2025-12-31", 60), bought("2026-01-01", 60)
    assert at("2026-01-01", rules, *apart).tier == "bronze", "years are not added up"


def test_an_imported_tier_lasts_a_period_from_its_day() -> None:
    base = TierBase(tier="gold", day=day("2025-06-15"))
    assert at("2026-06-14", rules_of(), base=base).tier == "gold"
    assert at("2026-06-15", rules_of(), base=base).tier == "bronze"


def test_after_a_persons_decision_what_was_bought_meanwhile_counts() -> None:
    frozen = TierBase(tier="silver", day=day("2025-07-01"), since=day("2025-03-01"), until=day("2025-06-30"))
    assert at("2025-07-01", rules_of(), bought("2025-04-01", 600), base=frozen).tier == "gold"
    assert at("2025-07-01", rules_of(), bought("2025-04-01", 150), base=frozen).until == day("2026-06-30")
    assert at("2025-07-01", rules_of(), bought("2024-06-30", 150), base=frozen).tier == "bronze"
    assert at("2025-07-01", rules_of(), bought("2024-07-01", 150), base=frozen).tier == "bronze", "the window ends the same date"
    assert at("2025-07-01", rules_of(), bought("2024-07-02", 150), base=frozen).tier == "silver"


def test_visits_and_points_are_measures_too() -> None:
    visits = rules_of("", '[[tier]]\nid = "often"\nfrom_visits = 3\n')
    days = ["2025-02-01", "2025-02-02", "2025-02-03"]
    assert at("2025-02-03", visits, *(bought(on, 1) for on in days)).tier == "often"
    assert at("2025-02-03", visits, *(bought(on, 1) for on in days[1:])).missing == 1
    points = rules_of("", '[[tier]]\nid = "keen"\nfrom_points = "10"\n')
    move = TierMove(day=day("2025-02-01"), told=day("2025-02-01"), centi=1_000)
    assert at("2025-02-01", points, move).tier == "keen"


def test_a_tier_that_only_persons_give_is_not_kept_by_buying() -> None:
    rules = rules_of("[tiers]\nwarn_days = 0\n", LADDER + '[[tier]]\nid = "partner"\n')
    base = TierBase(tier="partner", day=day("2025-06-15"))
    assert at("2026-06-15", rules, bought("2026-01-01", 900), base=base).tier == "gold"


FAULTS = {
    '[[tier]]\nid = "a"\nfrom_spent = "1"\n[[tier]]\nid = "b"\nfrom_visits = 2\n': "one of them",
    '[[tier]]\nid = "a"\nfrom_spent = "2"\n[[tier]]\nid = "b"\nfrom_spent = "1"\n': "tiers rise",
    '[[tier]]\nid = "a"\nfrom_spent = "2"\n[[tier]]\nid = "b"\nfrom_spent = "2"\n': "nobody would ever be",
    '[tiers]\nmonths = 6\n[[tier]]\nid = "a"\n': "no tier has a threshold",
    '[tiers]\nmeasure = "visits"\n[[tier]]\nid = "a"\nfrom_spent = "2"\n': "asks for from_visits",
    '[tiers]\nwindow = "calendar"\nmonths = 5\n[[tier]]\nid = "a"\nfrom_spent = "2"\n': "do not make calendar years",
    '[tiers]\nmonths = 1\nwarn_days = 30\n[[tier]]\nid = "a"\nfrom_spent = "2"\n': "as long as the period",
}


@pytest.mark.parametrize("tables", FAULTS)
def test_a_ladder_that_cannot_be_is_refused_with_its_mend(tables: str) -> None:
    with pytest.raises(ProgrammeError, match=FAULTS[tables]):
        load_programme((HEAD + tables).encode())


def test_a_tier_without_a_threshold_in_a_ladder_is_doubtful() -> None:
    found = looked_through((HEAD + LADDER + '[[tier]]\nid = "partner"\n').encode())
    assert any("only a person gives" in doubt.text for doubt in found.warnings)


def test_nothing_moves_a_member_without_thresholds() -> None:
    assert load_programme((HEAD + '[[tier]]\nid = "a"\n').encode()).tier_rules is None


def test_days_are_numbers_of_dates() -> None:
    assert to_day(date(1970, 1, 1) + timedelta(days=20_000)) == 20_000
