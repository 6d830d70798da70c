"""The last figure that is allowed and the first that is not; which of two limits counts. All worked out by hand."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import LINES_MAX, MARKS_MAX, RECEIPT_MINOR_MAX, Line, Quote, State
from pos_loyalty.errors import InputError
from tests.worlds import NOBODY, NOW, basket, line, off_by_rule, offs, programme

TEN = '[[rule]]\nid = "ten"\nstage = "item"\nthen = [{ do = "percent", percent = "10%" }]\n'


def ask(tables: str, *lines: Line, state: State = NOBODY) -> Quote:
    return quote(basket(*lines), None, programme(tables), state, NOW)


def test_a_receipt_may_cost_the_most_and_no_more() -> None:
    assert ask("", line("1", RECEIPT_MINOR_MAX)).due_minor == RECEIPT_MINOR_MAX
    with pytest.raises(InputError, match="costs more than a receipt may hold"):
        ask("", line("1", RECEIPT_MINOR_MAX), line("2", 1))


def test_a_basket_may_hold_the_most_lines_and_marks_and_no_more() -> None:
    full = [line(f"{number:04}", 100) for number in range(LINES_MAX)]
    assert len(ask("", *full).lines) == LINES_MAX
    with pytest.raises(InputError, match="more than"):
        ask("", *full, line("x", 100))
    marked = line("1", 100, str(MARKS_MAX), marks=tuple(f"m{number}" for number in range(MARKS_MAX)))
    assert len(ask("", marked).lines[0].fiscal) == MARKS_MAX
    with pytest.raises(InputError, match="marks"):
        ask("", marked, line("2", 100, marks=("one more",)))


def test_of_a_budget_and_a_maximum_the_smaller_counts() -> None:
    half = '{ do = "percent", percent = "50%", max_amount = "30.00" }'
    text = f'[[rule]]\nid = "r"\nstage = "order"\nbudget = "900.00"\nthen = [{half}]\n'

    def off(left_minor: int) -> int:
        return off_by_rule(ask(text, line("1", 20_000), state=State(budgets={"r": left_minor})))["r"]

    assert [off(2_999), off(3_000), off(50_000)] == [2_999, 3_000, 3_000]


def test_a_budget_is_one_for_two_effects_and_a_maximum_is_of_each() -> None:
    two = '{ do = "percent", percent = "50%", max_amount = "30.00" }, { do = "amount", amount = "25.00" }'
    text = f'[[rule]]\nid = "r"\nstage = "order"\nbudget = "900.00"\nthen = [{two}]\n'

    def off(left_minor: int) -> int:
        return off_by_rule(ask(text, line("1", 20_000), state=State(budgets={"r": left_minor})))["r"]

    assert [off(90_000), off(5_500), off(5_000), off(3_000), off(1_000)] == [5_500, 5_500, 5_000, 3_000, 1_000]


def test_units_are_limited_by_line_and_in_all() -> None:
    goods = (line("1", 1_000, "5"), line("2", 2_000, "5"))
    each = TEN.replace('"10%"', '"10%", max_units_per_line = 2')
    assert offs(ask(each, *goods)) == {"1": {"ten": 200}, "2": {"ten": 400}}
    both = TEN.replace('"10%"', '"10%", max_units_per_line = 2, max_units = 3, which = "dearest"')
    assert offs(ask(both, *goods)) == {"1": {"ten": 100}, "2": {"ten": 400}}
    cheap = TEN.replace('"10%"', '"10%", max_units_per_line = 2, max_units = 3, which = "cheapest"')
    assert offs(ask(cheap, *goods)) == {"1": {"ten": 200}, "2": {"ten": 200}}


@pytest.mark.parametrize(("choice", "given"), [("cheapest", {"g1": 500}), ("dearest", {"g3": 900})])
def test_a_gift_is_the_cheapest_or_the_dearest(choice: str, given: dict[str, int]) -> None:
    text = f"""[[rule]]
id = "g"
stage = "item"
then = [{{ do = "gift", buy = [{{ on = {{ sku = "tea" }}, count = 1 }}], on = {{ tag = "gift" }}, choice = "{choice}" }}]
"""
    gifts = [line(f"g{number}", price, tags=("gift",)) for number, price in ((1, 500), (2, 700), (3, 900))]
    got = offs(ask(text, line("1", 1_000, sku="tea"), *gifts))
    assert {line_id: sum(found.values()) for line_id, found in got.items() if found} == given


def test_two_percentages_in_a_row_on_a_line_are_exact() -> None:
    """1.05 less 10 % is 0.945, less 50 % of that is 0.4725: 0.5775 off, half up 0.58 in one rounding, not in two."""
    text = '[[group]]\nid = "a"\n[[group]]\nid = "b"\n[compatibility.a]\nb = "stack"\n'
    text += TEN.replace("stage", 'group = "a"\npriority = 2\nstage')
    text += TEN.replace("ten", "half").replace("10%", "50%").replace("stage", 'group = "b"\npriority = 1\nstage')
    answer = ask(text, line("1", 105))
    assert answer.total_minor == 105 - 58
    assert sum(off_by_rule(answer).values()) == 58


def test_a_price_tag_takes_off_what_the_host_left_above_it() -> None:
    text = '[[price_list]]\nid = "tags"\nrows = """\nsku,store,since,until,price,member_price\n1,,,,80.00,\n"""\n'
    given = ask(text, line("1", 10_000, prior_off_minor=500))
    assert given.total_minor == 8_000
    assert sum(off_by_rule(given).values()) == 2_000
    assert off_by_rule(given)["tags"] == 1_500
