"""Caps on a receipt, limits by role, the due rounded to a rouble."""

from __future__ import annotations

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Line, ManualOff, Quote, State, Tender
from pos_loyalty.values import Minor
from tests.worlds import NOBODY, NOW, basket, line, lot, member, off_by_rule, programme, why

TEN = '[[rule]]\nid = "ten"\nstage = "item"\nthen = [{ do = "percent", percent = "10%" }]\n'
SUM = '[[rule]]\nid = "sum"\nstage = "order"\nthen = [{ do = "amount", amount = "50.00" }]\n'


def ask(tables: str, *lines: Line, **more: object) -> Quote:
    who = member(lots=(lot("a", 1_000_000),)) if "redeem" in more else None
    return quote(basket(*lines, **more), who, programme(tables), NOBODY, NOW)


def test_the_cap_takes_from_the_last_stage_first() -> None:
    answer = ask('[caps]\npercent = "12%"\n' + TEN + SUM, line("1", 10_000), line("2", 30_000))
    assert off_by_rule(answer) == {"ten": 4_000, "sum": 800}
    assert sum(stop.stopped_minor for stop in answer.floors if stop.floor == "cap") == 4_200
    small = ask('[caps]\namount = "30.00"\n' + TEN + SUM, line("1", 10_000), line("2", 30_000))
    assert off_by_rule(small) == {"ten": 3_000}
    assert "sum" not in small.applied


def test_points_and_the_cashiers_hand_stay_under_the_cap_too() -> None:
    tables = '[caps]\npercent = "30%"\n[redeem]\nlimit = "100%"\n' + TEN
    answer = ask(tables, line("1", 10_000), redeem="max", manual=(ManualOff(line_id="1", off_minor=Minor(500)),))
    assert off_by_rule(answer) == {"ten": 1_000, "manual": 500}
    assert (answer.redemption.off_minor, answer.due_minor) == (1_500, 7_000)
    much = ask(tables, line("1", 10_000), manual=(ManualOff(line_id="1", off_minor=Minor(5_000)),))
    assert off_by_rule(much) == {"ten": 1_000, "manual": 2_000}


def test_a_role_has_its_limit() -> None:
    tables = '[caps]\nmanual = { cashier = "5%", senior = "20%" }\n'

    def by(role: str, off: int) -> Quote:
        return ask(tables, line("1", 10_000), manual=(ManualOff(line_id="1", off_minor=Minor(off), role=role),))

    assert by("cashier", 500).total_minor == 9_500
    assert by("cashier", 501).total_minor == 9_500
    assert why(by("cashier", 501), "manual") == ("role", "5.00", "5.01")
    assert by("senior", 2_000).total_minor == 8_000
    assert by("", 100).total_minor == 10_000


ROUND = '[[rule]]\nid = "round"\nstage = "payment"\nthen = [{ do = "round_total", step = "1.00", tenders = "cash" }]\n'
CASH = (Tender(kind="cash", amount_minor=Minor(0)),)


def test_the_due_falls_to_a_whole_rouble() -> None:
    answer = ask(ROUND, line("1", 10_049), line("2", 5_020), tenders=CASH)
    assert (answer.due_minor, off_by_rule(answer)) == (15_000, {"round": 69})
    assert answer.applied == ("round",)
    card = ask(ROUND, line("1", 10_049), tenders=(Tender(kind="card", amount_minor=Minor(0)),))
    assert (card.due_minor, why(card, "round")) == (10_049, ("tender", "tender:card", "tender:cash"))
    assert ask(ROUND, line("1", 10_049)).due_minor == 10_049
    assert ask(ROUND, line("1", 10_000), tenders=CASH).applied == ()


def test_rounding_comes_after_points_and_keeps_floors() -> None:
    tables = '[redeem]\nlimit = "50%"\n' + ROUND
    answer = ask(tables, line("1", 10_099), tenders=CASH, redeem="max")
    assert (answer.redemption.off_minor, answer.due_minor) == (5_049, 5_000)
    floored = ask(ROUND, line("1", 10_049, floor_minor=10_010), tenders=CASH)
    assert (floored.due_minor, why(floored, "round")) == (10_049, ("floor", "0.39", "0.49"))


def test_rounding_leaves_the_least_money() -> None:
    tables = '[redeem]\nlimit = "100%"\nminimum_money = "5.00"\n' + ROUND.replace("1.00", "10.00")
    answer = ask(tables, line("1", 10_000), tenders=CASH, redeem=9_500)
    assert (answer.due_minor, why(answer, "round")) == (500, ("least_money", "0.00", "5.00"))
    assert ask(tables, line("1", 10_000), tenders=CASH, redeem=8_500).due_minor == 1_000
    assert ask(tables, line("1", 400), tenders=CASH).due_minor == 0, "the least money is for points"


def test_rounding_keeps_its_budget() -> None:
    tables = ROUND.replace("1.00", "100.00").replace('stage = "payment"', 'stage = "payment"\nbudget = "500.00"')

    def left(minor: int) -> Quote:
        return quote(basket(line("1", 49_900), tenders=CASH), None, programme(tables), State(budgets={"round": minor}), NOW)

    assert (left(9_899).due_minor, why(left(9_899), "round")) == (49_900, ("budget", "98.99", "99.00"))
    assert left(9_900).due_minor == 40_000
