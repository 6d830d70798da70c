"""Points and gifts for acts other than buying."""

from __future__ import annotations

from datetime import UTC, datetime

from pos_loyalty.engine.acts import Award, Done, award, settle_award
from pos_loyalty.engine.model import Member, RuleUse, State, UsesSoFar
from tests.worlds import NOBODY, NOW, member, programme

TABLES = """
[points]
lifetime_days = 30
[[coupon]]
id = "thanks"
[[rule]]
id = "review"
stage = "act"
act = "review"
limits = { member = 2 }
then = [{ do = "points", fixed = "20" }]
[[rule]]
id = "review-gift"
stage = "act"
act = "review"
when = [{ is = "customer", segment = "critics" }, { is = "store", store = "S1" }]
then = [
  { do = "issue_coupon", series = "thanks", days = 7 },
  { do = "privilege", name = "tea", days = 7 },
  { do = "message", text = { en = "Thank you" } },
]
[[rule]]
id = "survey"
stage = "act"
act = "survey"
then = [{ do = "points", fixed = "5", delay_days = 1 }]
"""
FRESH = State(uses={})


def ask(act: str, who: Member | None = None, state: State = FRESH, store: str = "S1") -> Award:
    return award(programme(TABLES), Done(act_id="A1", act=act, store=store, till="T1"), who or member(), state, NOW)


def test_an_act_brings_fixed_points() -> None:
    answer = ask("survey")
    (accrual,) = answer.accruals
    assert (accrual.rule, accrual.centi, accrual.usable_from) == ("survey", 500, datetime(2026, 11, 21, 21, tzinfo=UTC))
    assert accrual.expires_at == datetime(2026, 12, 21, 21, tzinfo=UTC)
    assert (answer.refusals, answer.uses) == ((), ())


def test_limits_count_for_the_member() -> None:
    assert ask("review").uses == (RuleUse(rule="review", times=1),)
    used = State(uses={"review": UsesSoFar(total=9, member=1)})
    assert len(ask("review", state=used).accruals) == 1
    full = ask("review", state=State(uses={"review": UsesSoFar(total=9, member=2)}))
    assert (full.accruals, [each.condition for each in full.refusals]) == ((), ["uses", "customer"])
    unknown = ask("review", state=NOBODY)
    assert (unknown.refusals[0].rule, unknown.refusals[0].have) == ("review", "unknown")


def test_an_act_may_bring_gifts_under_conditions() -> None:
    answer = ask("review", member(segments=("critics",)))
    assert [(each.kind, each.series) for each in answer.issued] == [("coupon", "thanks"), ("privilege", "tea")]
    assert (answer.privileges, answer.messages[0].text) == (("tea",), {"en": "Thank you"})
    assert answer.refusals == ()
    elsewhere = ask("review", member(segments=("critics",)), store="S2")
    assert [(each.rule, each.condition) for each in elsewhere.refusals] == [("review-gift", "store")]


def test_an_act_that_nobody_speaks_of_brings_nothing() -> None:
    assert ask("dance") == Award(act_id="A1")


def test_a_programme_on_trial_gives_to_those_in_it_only() -> None:
    tables = '[pilot]\nsegment = "brave"\n' + TABLES
    done = Done(act_id="A1", act="survey", store="S1", till="T1")
    assert award(programme(tables), done, member(), FRESH, NOW) == Award(act_id="A1")
    assert len(award(programme(tables), done, member(segments=("brave",)), FRESH, NOW).accruals) == 1


def test_a_quote_does_not_look_at_acts() -> None:
    from pos_loyalty.engine import quote
    from tests.worlds import basket, line

    answer = quote(basket(line("1")), member(), programme(TABLES), FRESH, NOW)
    assert (answer.accruals, answer.refusals) == ((), ())


def test_an_award_becomes_entries() -> None:
    (entry,) = settle_award(ask("survey"), "M1", "trial", "T1/A1")
    assert (entry.kind, entry.debit, entry.credit, entry.lot_id) == (
        "accrue",
        "programme:trial:issued",
        "member:M1",
        "T1/A1:survey",
    )
    assert (entry.amount, entry.member_id, entry.rule) == (500, "M1", "survey")


def test_an_act_keeps_to_the_rule_s_most() -> None:
    tables = TABLES.replace('fixed = "5"', 'fixed = "5", max_points = "2"')
    done = Done(act_id="A1", act="survey", store="S1", till="T1")
    assert award(programme(tables), done, member(), FRESH, NOW).accruals[0].centi == 200
