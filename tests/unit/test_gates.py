"""Pilot and control groups, limits and budgets."""

from __future__ import annotations

import hashlib

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Member, Quote, State, UsesSoFar
from tests.worlds import NOBODY, NOW, basket, line, member, off_by_rule, programme, why


def ten(more: str) -> str:
    return f'[[rule]]\nid = "ten"\nstage = "item"\n{more}\nthen = [{{ do = "percent", percent = "10%" }}]\n'


def ask(more: str, who: Member | None, state: State = NOBODY, head: str = "") -> Quote:
    return quote(basket(line("1", 10_000, "2")), who, programme(head + ten(more)), state, NOW)


def part(salt: str, member_id: str) -> int:
    """The draw, written again: the first eight bytes of SHA-256, in ten thousandths."""
    return int(hashlib.sha256(f"{salt}/{member_id}".encode()).hexdigest()[:16], 16) % 10_000


MEMBERS = [f"M{n}" for n in range(400)]


def test_a_pilot_takes_its_share_of_members_and_always_the_same() -> None:
    for name in MEMBERS:
        has_it = bool(off_by_rule(ask('pilot = "25%"', member(member_id=name))))
        assert has_it is (part("trial/ten", name) < 2_500)
    assert 60 < sum(part("trial/ten", name) < 2_500 for name in MEMBERS) < 140
    assert why(ask('pilot = "25%"', None), "ten") == ("pilot", "out", "in")


def test_a_control_member_is_refused_and_that_is_recorded() -> None:
    for name in MEMBERS:
        answer = ask('control = "25%"', member(member_id=name))
        is_control = part("trial/ten/control", name) < 2_500
        assert (why(answer, "ten") == ("control", "in", "out")) is is_control
        assert bool(off_by_rule(answer)) is not is_control


def test_a_whole_programme_on_trial_gives_others_nothing() -> None:
    head = '[pilot]\nshare = "25%"\nsegment = "friends"\n'
    for name in MEMBERS:
        assert bool(off_by_rule(ask("", member(member_id=name), head=head))) is (part("trial", name) < 2_500)
    assert off_by_rule(ask("", member(member_id="M1", segments=("friends",)), head=head)) == {"ten": 2_000}
    assert off_by_rule(ask("", None, head=head)) == {}


@pytest.mark.parametrize(
    ("limits", "uses", "refused"),
    [
        ("{ member = 2 }", UsesSoFar(member=1, today=9, total=9), None),
        ("{ member = 2 }", UsesSoFar(member=2), ("uses", "2", "uses:2")),
        ("{ day = 3 }", UsesSoFar(today=3), ("uses", "3", "uses:3")),
        ("{ total = 3 }", UsesSoFar(total=4), ("uses", "4", "uses:3")),
        ("{ total = 3 }", None, None),
    ],
)
def test_limits_count_what_was_used(limits: str, uses: UsesSoFar | None, refused: tuple[str, str, str] | None) -> None:
    state = State(uses={"ten": uses} if uses is not None else {})
    answer = ask(f"limits = {limits}", member(), state)
    assert why(answer, "ten") == refused
    assert [(each.rule, each.times) for each in answer.uses] == ([] if refused else [("ten", 1)])


def test_what_is_not_known_refuses_the_rule() -> None:
    assert why(ask("limits = { total = 3 }", member()), "ten") == ("uses", "unknown", "uses:3")
    assert why(ask('budget = "5.00"', member()), "ten") == ("budget", "unknown", "budget")


@pytest.mark.parametrize("state", [NOBODY, State(uses={"ten": UsesSoFar(total=9)})])
def test_a_limit_for_each_member_asks_for_a_card_first(state: State) -> None:
    assert why(ask("limits = { member = 1, total = 3 }", None, state), "ten") == ("customer", "none", "member")


def test_a_ladder_of_money_spent_asks_for_a_card_first() -> None:
    ladder = 'then = [{ do = "ladder", by = "spent", steps = [{ from = "5.00", percent = "1%" }] }]'
    shop = programme(f'[[rule]]\nid = "ten"\nstage = "order"\n{ladder}\n')
    answers = [quote(basket(line("1")), who, shop, NOBODY, NOW) for who in (None, member())]
    assert [why(answer, "ten") for answer in answers] == [("customer", "none", "member"), ("ladder", "unknown", "5.00")]


@pytest.mark.parametrize(("left", "off"), [(10_000, 2_000), (2_000, 2_000), (1_999, 1_999), (1, 1), (0, 0), (-5, 0)])
def test_a_budget_is_never_passed(left: int, off: int) -> None:
    answer = ask('budget = "100.00"', member(), State(budgets={"ten": left}))
    assert off_by_rule(answer).get("ten", 0) == off
    assert (why(answer, "ten") is None) is bool(off)


def test_complete_groups_are_the_uses_of_a_group_offer() -> None:
    rules = """
[[rule]]
id = "three-for-two"
stage = "item"
limits = { member = 3 }
then = [{ do = "n_for_m", n = 3 }]
"""
    state = State(uses={"three-for-two": UsesSoFar(member=1)})
    answer = quote(basket(line("1", 1_000, "9")), member(), programme(rules), state, NOW)
    assert off_by_rule(answer) == {"three-for-two": 2_000}
    assert [(each.rule, each.times) for each in answer.uses] == [("three-for-two", 2)]


@pytest.mark.parametrize("word", ["any", "all"])
def test_uses_are_counted_wherever_the_condition_stands(word: str) -> None:
    inner = '{ is = "uses", scope = "customer", max = 1 }'
    more = f'when = [{{ is = "{word}", of = [{inner}, {{ is = "customer", staff = {"true" if word == "any" else "false"} }}] }}]'
    fresh = ask(more, member(), State(uses={}))
    assert [(each.rule, each.times) for each in fresh.uses] == [("ten", 1)]
    used = ask(more, member(), State(uses={"ten": UsesSoFar(member=1)}))
    assert used.applied == ()


def test_a_limit_inside_all_bounds_group_offers() -> None:
    rules = """
[[rule]]
id = "pairs"
stage = "item"
when = [{ is = "all", of = [{ is = "uses", scope = "customer", max = 1 }, { is = "customer", member = true }] }]
then = [{ do = "n_for_m", n = 2 }]
"""
    answer = quote(basket(line("1", 1_000, "6")), member(), programme(rules), State(uses={}), NOW)
    assert off_by_rule(answer) == {"pairs": 1_000}


def test_a_limit_that_is_not_reached_changes_no_kopeck() -> None:
    item = '[[rule]]\nid = "item"\nstage = "item"\nthen = [{ do = "percent", percent = "77%" }]\n'
    card = '[[rule]]\nid = "card"\nstage = "customer"\nthen = [{ do = "percent", percent = "5%"MORE }]\n'
    goods = basket(line("1", 9_522))
    free = quote(goods, None, programme(item + card.replace("MORE", "")), NOBODY, NOW)
    capped = quote(goods, None, programme(item + card.replace("MORE", ', max_amount = "49.99"')), NOBODY, NOW)
    assert free.total_minor == capped.total_minor == 9_522 - 7_441


def test_what_a_limit_cuts_is_given_to_the_kopeck() -> None:
    each = '[[rule]]\nid = "e"\nstage = "item"\nthen = [{ do = "amount_each", amount = "15.00", max_amount = "25.00" }]\n'
    answer = quote(basket(*(line(str(n), 1_000) for n in range(3))), None, programme(each), NOBODY, NOW)
    assert off_by_rule(answer) == {"e": 2_500}
    assert answer.proof.value_minor == 2_500
