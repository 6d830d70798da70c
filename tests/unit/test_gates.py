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
