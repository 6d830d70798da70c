"""What a programme asks of the till: each kind of question, and nothing that is not asked."""

from __future__ import annotations

import pytest

from pos_loyalty.till.wants import PERIOD_DAYS, PURCHASE_DAYS, Wants, wants_of
from tests.worlds import programme

NOTHING = Wants(
    uses=False, budgets={}, counters=False, days_back=0, purchases_back=0, plans=False, shared_codes=frozenset(),
    refused_offline=frozenset(),
    privilege_titles={}, tenders=False,
)  # fmt: skip
RULE = """
[[rule]]
id = "r"
stage = "order"
when = [{when}]
then = [{{ do = "percent", percent = "5%" }}]
"""


def asked(tables: str) -> dict[str, object]:
    """The answers that differ from those of a programme without rules."""
    wants = wants_of(programme(tables))
    names = Wants.__struct_fields__
    return {name: getattr(wants, name) for name in names if getattr(wants, name) != getattr(NOTHING, name)}


def test_a_programme_that_asks_nothing() -> None:
    assert asked("") == {}
    assert asked(RULE.format(when='{ is = "customer", member = true }')) == {}


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ('{ is = "uses", scope = "customer", max = 1 }', {"uses": True}),
        ('{ is = "any", of = [{ is = "not", of = { is = "uses", scope = "day", max = 1 } }] }', {"uses": True}),
        ('{ is = "history", amount = "100.00", days = 30 }', {"days_back": 30}),
        ('{ is = "history", bought = true, days = 30 }', {"days_back": 30}),
        ('{ is = "history", visits = 3, period = "month" }', {"days_back": PERIOD_DAYS}),
        ('{ is = "history", amount = "100.00" }', {}),
        ('{ is = "history", amount = "100.00", on = { sku = "1" } }', {"purchases_back": PURCHASE_DAYS}),
        ('{ is = "history", bought = false, days = 500, on = { sku = "1" } }', {"purchases_back": 500}),
        ('{ is = "tender", kind = "card" }', {"tenders": True}),
    ],
)
def test_conditions(when: str, wanted: dict[str, object]) -> None:
    assert asked(RULE.format(when=when)) == wanted


@pytest.mark.parametrize(
    ("tables", "wanted"),
    [
        (RULE.format(when="").replace("stage", "limits = { day = 1 }\nstage"), {"uses": True}),
        (RULE.format(when="").replace("stage", 'budget = "10.00"\nstage'), {"budgets": {"r": 1000}}),
        ('[points]\nper_day = "10"\n', {"days_back": 1}),
        ('[redeem]\nlimit = "50%"\nper_day = "10"\n', {"days_back": 1}),
        ('[[plan]]\nid = "club"\nsku = "P"\ndays = 30\n', {"plans": True}),
        (
            '[[coupon]]\nid = "c"\ncode = "Spring"\n[[coupon]]\nid = "own"\n',
            {"shared_codes": frozenset({"SPRING"}), "refused_offline": frozenset({"c", "own"}), "unique": frozenset({"own"})},
        ),
        (
            '[[rule]]\nid = "r"\nstage = "payment"\nthen = [{ do = "round_total", step = "1.00", tenders = ["cash"] }]\n',
            {"tenders": True},
        ),
        ('[[rule]]\nid = "r"\nstage = "payment"\nthen = [{ do = "round_total", step = "1.00" }]\n', {}),
        (
            '[[rule]]\nid = "r"\nstage = "order"\nthen = [{ do = "ladder", by = "visits", days = 90, '
            'steps = [{ from = "3", percent = "5%" }] }]\n',
            {"days_back": 90},
        ),
        (
            '[[rule]]\nid = "r"\nthen = [{ do = "privilege", name = "queue", title = { ru = "Р", en = "E" }, days = 3 }]\n',
            {"privilege_titles": {"queue": {"ru": "Р", "en": "E"}}},
        ),
    ],
)
def test_tables_and_effects(tables: str, wanted: dict[str, object]) -> None:
    assert asked(tables) == wanted
