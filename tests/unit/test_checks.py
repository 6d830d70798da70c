"""Faults of a programme file: every one by its place and a part of its sentence. A programme without the fault loads."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

import pytest

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.rules import RULES_MAX
from pos_loyalty.engine.warnings import looked_through
from pos_loyalty.errors import ProgrammeError
from tests.worlds import HEAD

Case = tuple[str, str, str]

MONEY = '[[rule]]\nid = "{id}"\nstage = "{stage}"\nthen = [{{ {effect} }}]\n'


def faults_of(toml: str) -> dict[str, str]:
    """Place to sentence."""
    return {each.place: each.text for each in looked_through((HEAD + toml).encode()).faults}


def rule(effect: str, stage: str = "item", id: str = "r", more: str = "") -> str:
    return MONEY.format(id=id, stage=stage, effect=effect).replace("then =", f"{more}\nthen =") if more else MONEY.format(
        id=id, stage=stage, effect=effect
    )  # fmt: skip


def points(effect: str, more: str = "") -> str:
    return f'[[rule]]\nid = "r"\n{more}\nthen = [{{ {effect} }}]\n'


THEN = "rule[0].then[0]"
EFFECTS: list[tuple[str, str, str, str]] = [
    # stage, effect, place, sentence
    ("item", 'do = "percent", percent = "0%"', f"{THEN}.percent", "takes nothing off"),
    ("item", 'do = "percent", percent = "5%", max_amount = "0"', f"{THEN}.max_amount", "leave the cap out"),
    ("item", 'do = "percent", percent = "5%", whole = true', f"{THEN}.whole", "give max_amount too"),
    ("item", 'do = "percent", percent = "5%", max_units = 0', f"{THEN}.max_units", "write a whole number from 1"),
    ("item", 'do = "percent", percent = "5%", max_units = 1, max_units_per_line = 2', f"{THEN}.max_units_per_line", "more than max"),
    ("order", 'do = "percent", percent = "5%", max_units = 1', f"{THEN}.max_units", 'stage = "item"'),
    ("order", 'do = "percent", percent = "5%", max_units_per_line = 1', f"{THEN}.max_units_per_line", "is about units"),
    ("item", 'do = "amount_each", amount = "0"', f"{THEN}.amount", "takes nothing off"),
    ("item", 'do = "amount_each", amount = "1.005"', f"{THEN}.amount", "is not money"),
    ("item", 'do = "fixed_price", price = "1", max_amount = "0"', f"{THEN}.max_amount", "takes nothing off"),
    ("item", 'do = "n_for_m", n = 3, k = 3', f"{THEN}.k", "k is less than n"),
    ("item", 'do = "n_for_m", n = 1', f"{THEN}.n", "give 2 or more"),
    ("item", 'do = "n_for_m", n = 3, percent = "0%"', f"{THEN}.percent", "takes nothing off"),
    ("item", 'do = "n_for_m", n = 5000', f"{THEN}.n", "needs 5000 units at once"),
    ("item", 'do = "n_for_m", n = 3, max_amount = "0"', f"{THEN}.max_amount", "takes nothing off"),
    ("item", 'do = "n_for_m", n = 3, max_times = 0', f"{THEN}.max_times", "a whole number from 1"),
    ("item", 'do = "bundle", slots = [], fixed = "1"', f"{THEN}.slots", "without any it never happens"),
    ("item", 'do = "bundle", slots = [{ count = 2 }]', THEN, "exactly one of fixed, percent, amount; there is none"),
    ("item", 'do = "bundle", slots = [{}], fixed = "1", percent = "5%"', THEN, "there is fixed and percent"),
    ("item", 'do = "bundle", slots = [{}], percent = "0%"', f"{THEN}.percent", "takes nothing off"),
    ("item", 'do = "bundle", slots = [{}], amount = "0"', f"{THEN}.amount", "takes nothing off"),
    ("item", 'do = "bundle", slots = [{ count = 600 }, { count = 600 }], fixed = "1"', f"{THEN}.slots", "needs 1200 units at once"),
    ("item", 'do = "bundle", slots = [{ on = { sku = "" } }], fixed = "1"', f"{THEN}.slots[0].on.sku", "is empty"),
    ("item", 'do = "gift", buy = [], on = { sku = "a" }', f"{THEN}.buy", "without any it never happens"),
    ("item", 'do = "gift", on = { sku = "a" }', THEN, '"buy" is missing'),
    ("item", 'do = "gift", buy = [{}], on = { sku = "a" }, percent = "0%"', f"{THEN}.percent", "takes nothing off"),
    ("item", 'do = "gift", buy = [{}], on = { sku = "a" }, qty = 2000', f"{THEN}.qty", "needs 2000 units at once"),
    ("item", 'do = "gift", buy = [{}], on = { sku = [] }', f"{THEN}.on.sku", "leave it out"),
    ("order", 'do = "amount", amount = "0"', f"{THEN}.amount", "takes nothing off"),
    ("order", 'do = "ladder", steps = []', f"{THEN}.steps", "1 to 100 steps"),
    ("order", 'do = "ladder", steps = [{ from = "2", percent = "1%" }, { from = "2", percent = "2%" }]', f"{THEN}.steps[1].from", "do not overlap"),
    ("order", 'do = "ladder", days = 3, steps = [{ from = "2", percent = "1%" }]', f"{THEN}.days", 'by = "spent"'),
    ("order", 'do = "ladder", by = "visits", steps = [{ from = "2.50", percent = "1%" }]', f"{THEN}.steps[0].from", "whole numbers"),
    ("order", 'do = "ladder", max_base = "0", steps = [{ from = "2", percent = "1%" }]', f"{THEN}.max_base", "takes nothing off"),
    ("order", 'do = "ladder", steps = [{ from = "2", amount = "0" }]', f"{THEN}.steps[0]", "takes nothing off"),
    ("payment", 'do = "redeem_for", points = "5"', THEN, "exactly one of on, amount, percent, coupon, privilege; there is none"),
    ("payment", 'do = "redeem_for", points = "5", amount = "1", percent = "1%"', THEN, "there is amount and percent"),
    ("payment", 'do = "redeem_for", points = "0", amount = "1"', f"{THEN}.points", "costs no points"),
    ("payment", 'do = "redeem_for", points = "5", amount = "0"', f"{THEN}.amount", "takes nothing off"),
    ("payment", 'do = "redeem_for", points = "5", percent = "0%"', f"{THEN}.percent", "takes nothing off"),
    ("payment", 'do = "redeem_for", points = "5", coupon = "x"', f"{THEN}.coupon", "is not among the [[coupon]] series"),
    ("payment", 'do = "redeem_for", points = "5", amount = "1", days = 3', f"{THEN}.days", "there is neither"),
    ("payment", 'do = "redeem_for", points = "5", privilege = "p", off = { sku = "a" }', f"{THEN}.off", "there is neither"),
    ("payment", 'do = "redeem_for", points = "5", amount = "1", off = { sku = "" }', f"{THEN}.off.sku", "is empty"),
    ("payment", 'do = "round_total", step = "0"', f"{THEN}.step", "more than nothing"),
    ("payment", 'do = "round_total", step = "-1"', f"{THEN}.step", "is not money"),
    ("payment", 'do = "round_total", step = "1", tenders = []', f"{THEN}.tenders", "leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "effect", "place", "sentence"), EFFECTS, ids=[effect for _, effect, _, _ in EFFECTS])
def test_an_effect_that_does_nothing_or_cannot_be(stage: str, effect: str, place: str, sentence: str) -> None:
    assert sentence in faults_of(rule(effect, stage))[place]


LATER: list[Case] = [
    ('do = "points"', THEN, "exactly one; there is none"),
    ('do = "points", rate = "1%", fixed = "5"', THEN, "there is rate and fixed"),
    ('do = "points", rate = "1%", steps = [{ from = "1", rate = "1%" }]', THEN, "there is rate and steps"),
    ('do = "points", rate = "0%"', f"{THEN}.rate", "gives no points"),
    ('do = "points", fixed = "0"', f"{THEN}.fixed", "gives no points"),
    ('do = "points", multiplier = "1"', f"{THEN}.multiplier", "more than 1"),
    ('do = "points", rate = "1%", per = "unit"', f"{THEN}.per", "only a fixed number"),
    ('do = "points", rate = "1%", max_points = "0"', f"{THEN}.max_points", "leave it out"),
    ('do = "points", rate = "1%", lifetime_days = 3, lifetime_months = 1', f"{THEN}.lifetime_months", "one lifetime"),
    ('do = "points", steps = [{ from = "5", rate = "1%" }, { from = "4", rate = "2%" }]', f"{THEN}.steps[1].from", "steps rise"),
    ('do = "points", steps = [{ from = "5", rate = "0%" }]', f"{THEN}.steps[0].rate", "gives no points"),
    ('do = "points", rate = "20000%"', f"{THEN}.rate", "more than 10000%"),
    ('do = "issue_coupon", series = "x"', f"{THEN}.series", "is not among the [[coupon]] series"),
    ('do = "issue_coupon", series = "x", count = 21', f"{THEN}.count", "from 1 to 20"),
    ('do = "privilege", name = "p", days = 3, until = 2026-12-01', f"{THEN}.until", "one end"),
    ('do = "message", text = {}', f"{THEN}.text", "says nothing"),
    (
        'do = "message", text = { fr = "x" }',
        f"{THEN}.text.fr",
        '"fr" is not one of the words that may stand here; write one of "en", "ru"',
    ),
    ('do = "counter_add", key = "A"', f"{THEN}.key", "a name is small letters"),
    ('do = "counter_add", key = "a", on = { tag = "" }', f"{THEN}.on.tag", "is empty"),
    ('do = "tier_progress", on = { tag = "" }', f"{THEN}.on.tag", "is empty"),
]


@pytest.mark.parametrize(("effect", "place", "sentence"), LATER, ids=[effect for effect, _, _ in LATER])
def test_a_later_effect_that_does_nothing_or_cannot_be(effect: str, place: str, sentence: str) -> None:
    found = faults_of(points(effect))
    assert sentence in next(text for where, text in found.items() if where.startswith(place))


RULES: list[Case] = [
    (rule('do = "amount", amount = "5"'), f"{THEN}.do", 'acts in stage "order", not in "item"'),
    (rule('do = "n_for_m", n = 3', "customer"), f"{THEN}.do", 'acts in stage "item", not in "customer"'),
    (rule('do = "percent", percent = "5%"', "payment"), f"{THEN}.do", 'acts in stage "item" or "customer" or "order"'),
    (rule('do = "round_total", step = "1"', "order"), f"{THEN}.do", 'acts in stage "payment"'),
    (rule('do = "percent", percent = "5%" }, { do = "amount", amount = "5"'), "rule[0].then[1].do", "one stage: write another rule"),
    (rule('do = "percent", percent = "5%"', "points"), "rule[0].stage", 'says when it acts: "item" or "customer" or "order"'),
    (points('do = "gift", buy = [{}], on = { sku = "a" }'), "rule[0].stage", 'says when it acts: "item"'),
    (rule('do = "points", rate = "1%"', "order"), "rule[0].stage", "leave stage out"),
    (rule('do = "percent", percent = "5%"', "act", more='act = "review"'), f"{THEN}.do", 'not in "act"'),
    (rule('do = "points", fixed = "5"', "act"), "rule[0].act", 'names its act, such as "review"'),
    (points('do = "points", fixed = "5"', 'act = "review"'), "rule[0].act", 'acts in stage "act"'),
    (rule('do = "percent", percent = "5%"', more='act = "review"'), "rule[0].act", 'acts in stage "act"'),
    (rule('do = "points", rate = "5%"', "act", more='act = "review"'), THEN, "give a fixed number of points"),
    (rule('do = "points", fixed = "5", per = "unit"', "act", more='act = "review"'), THEN, "give a fixed number of points"),
    (rule('do = "counter_add", key = "a"', "act", more='act = "review"'), f"{THEN}.do", "an act buys nothing"),
    (rule('do = "tier_progress"', "act", more='act = "review"'), f"{THEN}.do", "an act buys nothing"),
    (rule('do = "points", fixed = "5"', "act", more='act = "review"\nwhen = [{ is = "basket_qty", min = "2" }]'), "rule[0].when[0].is", "an act has none"),
    (rule('do = "percent", percent = "5%"', more='group = "x"'), "rule[0].group", "is not among the [[group]] tables"),
    (rule('do = "percent", percent = "5%"', more='pilot = "0%"'), "rule[0].pilot", "leave the rule out"),
    (rule('do = "percent", percent = "5%"', more='control = "100%"'), "rule[0].control", 'less than "100%"'),
    (rule('do = "percent", percent = "5%"', more='control = "0%"'), "rule[0].control", 'more than "0%"'),
    (rule('do = "percent", percent = "5%"', more='budget = "0"'), "rule[0].budget", "never acts"),
    (points('do = "counter_add", key = "a"', 'budget = "5"'), "rule[0].budget", "use limits instead"),
    (points('do = "counter_add", key = "a"', "suggest = true"), "rule[0].suggest", "no goods to hint at"),
    (rule('do = "percent", percent = "5%"', more="limits = { member = 0 }"), "rule[0].limits.member", "from 1"),
    (points('do = "points", rate = "1%" }, { do = "points", rate = "2%"'), "rule[0].then[1]", "gives points once"),
    (rule('do = "gift", choice = "cashier", buy = [{}], on = { sku = "a" } }, { do = "gift", choice = "cashier", buy = [{}], on = { sku = "b" }'), "rule[0].then[1]", "asks for one choice"),
    (rule('do = "redeem_for", points = "1", amount = "1" }, { do = "redeem_for", points = "1", amount = "2"', "payment"), "rule[0].then[1]", "asks for one choice"),
    (rule('do = "ladder", steps = [{ from = "1", percent = "1%" }] }, { do = "ladder", steps = [{ from = "2", percent = "2%" }]', "order"), "rule[0].then[1]", "write their steps into one ladder"),
    (rule('do = "ladder", on = { sku = "a" }, steps = [{ from = "1", percent = "1%" }] }, { do = "ladder", on = { sku = ["b", "a"] }, steps = [{ from = "2", percent = "2%" }]', "order"), "rule[0].then[1]", "the ladder in then[0] too"),
    (rule('do = "n_for_m", n = 2 }, { do = "n_for_m", n = 3', more="limits = { day = 1 }"), "rule[0].then[1]", "by one effect; write a second rule"),
    (rule('do = "percent", percent = "5%" }, { do = "n_for_m", n = 3', more='budget = "5"'), "rule[0].then[1]", "by one effect"),
    (rule('do = "percent", percent = "5%" }, { do = "percent", percent = "6%"', "customer", more='when = [{ is = "all", of = [{ is = "budget" }] }]'), "rule[0].then[1]", "by one effect"),
    (rule('do = "percent", percent = "5%" }, { do = "percent", percent = "6%"', "customer", more='when = [{ is = "uses", scope = "day", max = 3 }]'), "rule[0].then[1]", "by one effect"),
    (rule('do = "percent", percent = "5%"') * 2, "rule[1].id", '"r" is already the id of rule[0]'),
    (rule('do = "percent", percent = "5%"') + '[[price_list]]\nid = "r"\nrows = "sku,store,since,until,price,member_price"', "rule[0].id", '"r" is already the id of price_list[0]'),
    ('[[plan]]\nid = "p"\nsku = "1"\ndays = 30\n[[plan]]\nid = "p"\nsku = "2"\ndays = 30', "plan[1].id", "already the id of plan[0]"),
    ('[[tier]]\nid = "a"\n[[tier]]\nid = "a"', "tier[1].id", "already the id of tier[0]"),
    ('[[group]]\nid = "a"\n[[group]]\nid = "a"', "group[1].id", "already the id of group[0]"),
    ('[[coupon]]\nid = "a"\n[[coupon]]\nid = "a"', "coupon[1].id", "already the id of coupon[0]"),
    *((rule('do = "percent", percent = "5%"', id=word), "rule[0].id", "is a word of the quote") for word in ("prior", "manual", "fiscal", "redeem", "coupon", "referral")),
    ('[[price_list]]\nid = "redeem"\nrows = "sku,store,since,until,price,member_price"', "price_list[0].id", "is a word of the quote"),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "place", "sentence"), RULES, ids=[f"{place} {sentence}"[:60] for _, place, sentence in RULES])
def test_a_rule_that_cannot_be(toml: str, place: str, sentence: str) -> None:
    assert sentence in faults_of(toml)[place]


ROWS = "sku,store,since,until,price,member_price\\n"
TABLES: list[Case] = [
    ('[pilot]', "pilot", "leave the table out"),
    ('[pilot]\nshare = "0%"', "pilot.share", "leave the table out"),
    ('[pilot]\nsegment = []', "pilot.segment", "leave it out"),
    ('[points]\nvalue = "0"', "points.value", "more than nothing"),
    ('[points]\nstep = "0"', "points.step", "more than nothing"),
    ('[points]\nper_receipt = "0"', "points.per_receipt", "nobody gets points"),
    ('[points]\nper_day = "0"', "points.per_day", "nobody gets points"),
    ('[points]\nlifetime_days = 3\nlifetime_months = 3', "points.lifetime_months", "one lifetime"),
    ('[points]\nmonth_end = true', "points.month_end", "give lifetime_months"),
    ('[points]\non = { sku = "" }', "points.on.sku", "is empty"),
    ('[redeem]\nlimit = "0%"', "redeem.limit", "leave the table"),
    ('[redeem]\nlimit = "30%"\nstep = "0"', "redeem.step", "more than nothing"),
    ('[redeem]\nlimit = "30%"\nleast = "0"', "redeem.least", "leave it out"),
    ('[redeem]\nlimit = "30%"\nper_day = "0"', "redeem.per_day", "leave it out"),
    ('[redeem]\nlimit = "30%"\nleast = "50"\nper_day = "20"', "redeem.least", "more than per_day"),
    ('[redeem]\nlimit = "30%"\non = { sku = "" }', "redeem.on.sku", "is empty"),
    ('[floors.tobacco]\ntreat = "restricted"\non = {}', "floors.tobacco.on", "everything would be restricted"),
    ('[floors.alcohol]\ntreat = "forbidden"\non = { tag = "alcohol" }', "floors.alcohol.treat", '"forbidden" is not one of the words'),
    ('[floors.alcohol]\ntreat = "priced"\non = { tag = "a", not_discounted = true }', "floors.alcohol.on.not_discounted", "leave it out"),
    ('[floors.alcohol]\ntreat = "priced"\non = { tag = "a" }\nonly_in = []', "floors.alcohol.only_in", "leave it out"),
    ('[floors]\nmargin = "-1%"', "floors.margin", "is not a rate"),
    ('[[floors.minimum]]\nkind = "vodka"\non = {}\nprice = "409"', "floors.minimum[0].on", "for a kind of goods"),
    ('[[floors.minimum]]\nkind = "vodka"\non = { tag = "v" }\nprice = "0"', "floors.minimum[0].price", "leave it out"),
    ('[[floors.minimum]]\nkind = "vodka"\non = { tag = "v" }\nprice = "409"\nvolume = "0"', "floors.minimum[0].volume", "more than 0 litres"),
    ('[[floors.minimum]]\nkind = "vodka"\non = { tag = "v" }\nprice = "409"\nstrength_from = "40%"\nstrength_to = "28%"', "floors.minimum[0].strength_to", "less than strength_from"),
    ('[[floors.minimum]]\nkind = "vodka"\non = { tag = "v" }\nprice = "409"\nsince = 2027-01-01\nuntil = 2026-01-01', "floors.minimum[0].until", "is before"),
    ('[caps]\npercent = "0%"', "caps.percent", "leave the rules out"),
    ('[caps]\namount = "0"', "caps.amount", "leave the rules out"),
    ('[caps]\npercent = "120%"', "caps.percent", "more than 100%"),
    ('[caps.manual]\n" senior" = "5%"', "caps.manual", "spaces around it"),
    ('[referral]\nreferrer = "0"\nfriend = "0"', "referral", "leave the table out"),
    ('[[plan]]\nid = "a"\nsku = "1"\ndays = 0', "plan[0].days", "from 1"),
    ('[[plan]]\nid = "a"\nsku = "1"\ndays = 30\n[[plan]]\nid = "b"\nsku = "1"\ndays = 30', "plan[1].sku", "already sells plan[0]"),
    ('[[plan]]\nid = "a"\nsku = " 1"\ndays = 30', "plan[0].sku", "spaces around it"),
    ('[[price_list]]\nid = "l"\nrows = ""', "price_list[0].rows", "row 1: the heading is"),
    (f'[[price_list]]\nid = "l"\nrows = "{ROWS}1,,,,9.999,"', "price_list[0].rows", "row 2: "),
    (f'[[price_list]]\nid = "l"\nrows = "{ROWS}1,,,,9.90,\\n,,,,5,"', "price_list[0].rows", "row 3: names no SKU"),
    (f'[[price_list]]\nid = "l"\nrows = "{ROWS}1,,2026-02-30,,5,"', "price_list[0].rows", "row 2: "),
    (f'[[price_list]]\nid = "l"\nrows = "{ROWS}1,,2026-02-20,2026-02-01,5,"', "price_list[0].rows", "is before"),
    (f'[[price_list]]\nid = "l"\nrows = "{ROWS}1,S1,,,,"', "price_list[0].rows", "row 2: gives neither"),
    (f'[[price_list]]\nid = "l"\nrows = "{ROWS}1,2,3"', "price_list[0].rows", "row 2: has 3 cells"),
    ('[[coupon]]\nid = "a"\ncode = "X"\n[[coupon]]\nid = "b"\ncode = " x"', "coupon[1].code", "already the code"),
    ('[[coupon]]\nid = "a"\ncode = "X"\ndigits = 6', "coupon[0].code", "all coupons share one code"),
    ('[[coupon]]\nid = "a"\ndigits = 6\nunique = false', "coupon[0].check", "give the codes check digits"),
    ('[[coupon]]\nid = "a"\ndigits = 6\nunique = false\ncheck = "luhn"\n[[coupon]]\nid = "b"\ndigits = 6\nunique = false\ncheck = "luhn"', "coupon[1].prefix", "change one"),
    ('[[coupon]]\nid = "a"\nsince = 2026-02-02\nuntil = 2026-02-01', "coupon[0].until", "is before"),
    ('[search]\nnodes = -1', "search.nodes", "from 0"),
    ('[search]\nmode = "best"', "search.mode", '"best" is not one of the words'),
    ('[compatibility.A]\nb = "stack"', "compatibility.A", "a name is small letters"),
    ('[hints]\nmost = 11', "hints.most", "from 0 to 10"),
    ('[rounding]\ndiscount = "up"', "rounding.discount", '"up" is not one of the words'),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "place", "sentence"), TABLES, ids=[toml for toml, _, _ in TABLES])
def test_a_table_that_cannot_be(toml: str, place: str, sentence: str) -> None:
    assert sentence in faults_of(toml)[place]


SOUND = [
    rule('do = "fixed_price", price = "0", on = { sku = "bag" }'),
    rule('do = "percent", percent = "100%", max_units = 2, max_units_per_line = 2, max_amount = "5", whole = true'),
    rule('do = "bundle", slots = [{ count = 400 }, { count = 600 }], fixed = "0"'),
    rule('do = "percent", percent = "5%" }, { do = "points", rate = "1%" }, { do = "message", text = { en = "x" }', more='budget = "5"'),
    rule('do = "amount", amount = "5" }, { do = "percent", percent = "1%"', "order", more='budget = "5"'),
    rule('do = "n_for_m", n = 2 }, { do = "n_for_m", n = 3, on = { sku = "b" }'),
    rule('do = "ladder", by = "visits", days = 30, steps = [{ from = "2", percent = "1%" }, { from = "3", amount = "1" }]', "order"),
    rule('do = "ladder", on = { sku = "a" }, steps = [{ from = "2", percent = "1%" }] }, { do = "ladder", on = { sku = "b" }, steps = [{ from = "2", percent = "1%" }]', "order"),
    rule('do = "redeem_for", points = "5", privilege = "p", days = 30', "payment"),
    rule('do = "round_total", step = "1", tenders = "cash"', "payment"),
    rule('do = "points", fixed = "5" }, { do = "message", text = { ru = "Спасибо" }', "act", more='act = "review"'),
    rule('do = "percent", percent = "5%" }, { do = "points", rate = "1%" }, { do = "message", text = { en = "x" }'),
    points('do = "points", rate = "1%"', 'budget = "5"'),
    '[pilot]\nsegment = "staff"',
    '[floors]\nmargin = "100%"',
]  # fmt: skip


@pytest.mark.parametrize("toml", SOUND)
def test_what_is_unusual_but_sound_loads(toml: str) -> None:
    assert faults_of(toml) == {}
    assert load_programme((HEAD + toml).encode()).id == "trial"


def test_all_faults_of_a_file_are_listed_in_its_order() -> None:
    found = looked_through((HEAD + '[caps]\npercent = "0%"\n' + rule('do = "percent", percent = "0%"') * 2).encode())
    assert [each.place for each in found.faults] == [
        "rule[1].id",
        "caps.percent",
        "rule[0].then[0].percent",
        "rule[1].then[0].percent",
    ]
    assert found.name is None
    with pytest.raises(ProgrammeError, match=r"rule\[1\]\.id"):
        load_programme((HEAD + rule('do = "percent", percent = "0%"') * 2).encode())


@pytest.mark.parametrize(
    "one", [points('do = "points", rate = "1%"'), '[[rule]]\nid = "r"\n"then" = [{ do = "tier_progress" }]\n']
)
def test_a_hundred_thousand_rules_are_refused_at_once(one: str) -> None:
    data = (HEAD + one * 100_000).encode()
    with pytest.raises(ProgrammeError, match=f"100000 rules are more than the {RULES_MAX}") as caught:
        load_programme(data)
    assert caught.value.place == "rule"


def test_as_many_rules_as_a_programme_may_hold_are_read() -> None:
    with pytest.raises(ProgrammeError, match=f"{RULES_MAX + 1} rules are more"):
        load_programme((HEAD + points('do = "points", rate = "1%"') * (RULES_MAX + 1)).encode())
    with pytest.raises(ProgrammeError, match="already the id"):
        load_programme((HEAD + points('do = "points", rate = "1%"') * 2).encode())
