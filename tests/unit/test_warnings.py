"""What is legal and doubtful in a programme: every doubt by its place, and none where all is in order."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.engine.toml_text import BOM
from pos_loyalty.engine.warnings import FAULTS_MAX, looked_through
from pos_loyalty.values import encode
from tests.worlds import HEAD, basket, line

ROOT = Path(__file__).parents[2]
TITLE = 'title = { en = "A title" }\n'


def doubts_of(toml: str) -> dict[str, str]:
    """Place to sentence; the programme has no fault."""
    found = looked_through((HEAD + toml).encode())
    assert found.faults == () and found.name is not None
    return {each.place: each.text for each in found.warnings}


def rule(name: str, then: str = 'do = "percent", percent = "5%"', when: str = "", more: str = "", stage: str = "item") -> str:
    said = f'stage = "{stage}"\n' if stage else ""
    return f'[[rule]]\nid = "{name}"\n{TITLE}{said}{more}\nwhen = [{when}]\nthen = [{{ {then} }}]\n'


CARD = '{ is = "customer", member = true }'
MONDAY = '{ is = "when", weekdays = ["mon"] }'
LADDER = 'do = "ladder", steps = [{ from = "100", percent = "3%" }, { from = "200", percent = "5%" }]'
DOUBTS = [
    (rule("r").replace(TITLE, ""), "rule[0].title", 'the receipt will say "r"'),
    ('[[tier]]\nid = "low"\n[[tier]]\nid = "high"\n', "tier[1]", 'no rule mentions the tier "high"'),
    ('[[coupon]]\nid = "c"\n', "coupon[0]", 'no rule asks for a coupon of "c"'),
    ('[[coupon]]\nid = "c"\n' + rule("r", 'do = "issue_coupon", series = "c"', stage=""), "rule[0].then[0].series", "no rule asks for one"),
    ('[[coupon]]\nid = "c"\ncode = "X"\n' + rule("r", 'do = "issue_coupon", series = "c"', stage="") + rule("s", when='{ is = "coupon", series = "c" }'), "rule[0].then[0].series", "one code for all"),
    ('[[coupon]]\nid = "c"\nuntil = 2026-01-31\n' + rule("r", when='{ is = "coupon", series = "c" }, { is = "when", since = 2026-02-01 }'), "rule[0].when", "never good in the window"),
    ('[[coupon]]\nid = "c"\nsince = 2026-02-01\n' + rule("r", when='{ is = "coupon", series = "c" }, { is = "when", until = 2026-01-31 }'), "rule[0].when", "never good in the window"),
    ('[[group]]\nid = "g"\n', "group[0]", "no rule stands in the group"),
    ('[[price_list]]\nid = "l"\nrows = "sku,store,since,until,price,member_price"\n', "price_list[0].rows", "has no price"),
    ('[[plan]]\nid = "p"\nsku = "1"\ndays = 30\n', "plan[0]", "no rule asks for paid"),
    (rule("r", 'do = "points", rate = "1%"', stage=""), "redeem", "no [redeem] and no redeem_for"),
    ('[redeem]\nlimit = "30%"\n', "redeem", "no rule gives any"),
    (rule("r", 'do = "tier_progress"', stage=""), "rule[0].then[0]", "there are none"),
    (rule("r", 'do = "counter_add", key = "k"', stage=""), "rule[0].then[0].key", 'no rule asks for the counter "k"'),
    (rule("r", when='{ is = "counter", key = "k", n = 6 }'), "rule[0].when[0].key", "no rule adds to the counter"),
    (rule("r", LADDER, when='{ is = "basket_amount", max = "150" }', stage="order"), "rule[0].then[0].steps[1].from", "cannot be reached"),
    (rule("r", LADDER, when='{ is = "basket_amount", max = "50" }', stage="order"), "rule[0].then[0].steps[0].from", "up to 50.00 only"),
    (rule("r", LADDER.replace("5%", "2%"), stage="order"), "rule[0].then[0].steps[1].percent", "less than the step before"),
    (rule("r", 'do = "ladder", steps = [{ from = "1", amount = "9" }, { from = "2", amount = "8" }]', stage="order"), "rule[0].then[0].steps[1].amount", "less than the step before"),
    (rule("r", 'do = "percent", percent = "5%", on = { category = "tobacco/cigars" }'), "rule[0].then[0].on", "the law restricts"),
    (rule("r", 'do = "percent", percent = "5%", on = { tag = "nicotine" }'), "rule[0].then[0].on", "the law restricts"),
    (rule("low") + rule("top", 'do = "percent", percent = "6%"'), "rule[0]", '"top" holds whenever it does'),
    (rule("b", when=f"{CARD}, {MONDAY}") + rule("a", when=MONDAY), "rule[0]", '"a" holds whenever'),
    (rule("low", 'do = "percent", percent = "5%", on = { sku = "1" }') + rule("top", 'do = "percent", percent = "6%"'), "rule[0]", '"top" holds'),
    (rule("a") + rule("b", more="priority = 1"), "rule[0]", '"b" holds whenever'),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "place", "sentence"), DOUBTS, ids=[f"{place} {sentence}"[:60] for _, place, sentence in DOUBTS])
def test_a_doubt_is_told_with_its_place(toml: str, place: str, sentence: str) -> None:
    assert sentence in doubts_of(toml)[place]


NINE = "".join(f'[[group]]\nid = "g{number}"\n' for number in range(10))
EIGHT_PAIRS = "[compatibility.g0]\n" + "".join(f'g{number} = "exclusive"\n' for number in range(1, 9))
RISING = 'do = "ladder", steps = [{ from = "1000", %s }, { from = "2000", %s }]'
USES = '{ is = "uses", scope = "day", max = 3 }'
MORE_DOUBTS = [
    (rule("r", RISING % ('percent = "10%"', 'amount = "199.99"'), stage="order"), "rule[0].then[0].steps[1].amount", "less than the step before"),
    (rule("r", RISING % ('amount = "100"', 'percent = "4.99%"'), stage="order"), "rule[0].then[0].steps[1].percent", "less than the step before"),
    (rule("r", (RISING % ('amount = "100"', 'percent = "9%"')).replace("steps", 'max_base = "1000", steps'), stage="order"), "rule[0].then[0].steps[1].percent", "less than the step"),
    (rule("r", 'do = "points", rate = "100.01%"', stage=""), "rule[0].then[0].rate", "more than 100%"),
    (rule("r", 'do = "points", steps = [{ from = "1", rate = "101%" }]', stage=""), "rule[0].then[0].steps[0].rate", "more than 100%"),
    ('[points]\nvalue = "0.10"\n' + rule("r", 'do = "points", rate = "1001%"', stage=""), "rule[0].then[0].rate", "more than 100%"),
    ('[[coupon]]\nid = "c"\nprefix = "A"\ndigits = 7\n', "coupon[0].digits", "codes of 7 digits are soon guessed"),
    (NINE + EIGHT_PAIRS + 'g9 = "exclusive"\n', "compatibility", "9 exclusive pairs: the till tries 256 choices and may miss the best"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("toml", "place", "sentence"), MORE_DOUBTS, ids=[f"{place} {sentence}"[:60] for _, place, sentence in MORE_DOUBTS]
)
def test_what_costs_more_than_was_meant_is_doubted(toml: str, place: str, sentence: str) -> None:
    assert sentence in doubts_of(toml)[place]


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        (rule("r", RISING % ('percent = "10%"', 'amount = "200"'), stage="order"), "rule[0].then[0].steps[1].amount"),
        (rule("r", RISING % ('amount = "100"', 'percent = "5%"'), stage="order"), "rule[0].then[0].steps[1].percent"),
        (rule("r", (RISING % ('amount = "100"', 'percent = "1%"')).replace("steps", 'by = "spent", steps'), stage="order"), "rule[0].then[0].steps[1].percent"),
        (rule("r", 'do = "points", rate = "100%"', stage=""), "rule[0].then[0].rate"),
        ('[points]\nvalue = "0.10"\n' + rule("r", 'do = "points", rate = "1000%"', stage=""), "rule[0].then[0].rate"),
        ('[[coupon]]\nid = "c"\nprefix = "A"\ndigits = 8\n', "coupon[0].digits"),
        ('[[coupon]]\nid = "c"\nprefix = "A"\ndigits = 7\nunique = false\ncheck = "luhn"\n', "coupon[0].digits"),
        (NINE + EIGHT_PAIRS + '[compatibility.g1]\ng0 = "exclusive"\n', "compatibility"),
    ],
)  # fmt: skip
def test_as_much_as_may_be_meant_is_not_doubted(toml: str, place: str) -> None:
    assert place not in doubts_of(toml)


def test_a_doubt_names_its_rule() -> None:
    found = looked_through((HEAD + rule("low") + rule("top", 'do = "percent", percent = "6%"')).encode())
    assert [(each.place, each.rule) for each in found.warnings] == [("rule[0]", "low")]


IN_ORDER = [
    rule("low", when=USES) + rule("top", 'do = "percent", percent = "6%"', when=USES),
    rule("low", when='{ is = "all", of = [{ is = "budget" }] }', more='budget = "5"') + rule("top", 'do = "percent", percent = "6%"', when='{ is = "all", of = [{ is = "budget" }] }', more='budget = "5"'),
    rule("low", more="limits = { day = 1 }") + rule("top", 'do = "percent", percent = "6%"'),
    rule("low") + rule("top", 'do = "percent", percent = "6%"', when=CARD),
    rule("low") + rule("top", 'do = "percent", percent = "6%"', more="limits = { member = 1 }"),
    rule("low") + rule("top", 'do = "percent", percent = "6%"', more='control = "10%"'),
    rule("low") + rule("top", 'do = "percent", percent = "6%", max_amount = "9"'),
    rule("low") + rule("top", 'do = "percent", percent = "6%"', stage="customer"),
    rule("low", 'do = "percent", percent = "5%", on = { sku = "1" }') + rule("top", 'do = "percent", percent = "6%", on = { sku = "2" }'),
    '[[group]]\nid = "g"\n[compatibility.g]\ng = "stack"\n' + rule("low", more='group = "g"') + rule("top", 'do = "percent", percent = "6%"', more='group = "g"'),
    '[[tier]]\nid = "low"\n[[tier]]\nid = "mid"\n[[tier]]\nid = "high"\n' + rule("r", when='{ is = "customer", tier_from = "mid" }'),
    '[[tier]]\nid = "low"\n[[tier]]\nid = "high"\n' + rule("r", when='{ is = "not", of = { is = "customer", tier = "high" } }'),
    '[[coupon]]\nid = "c"\nuntil = 2026-02-01\n' + rule("r", when='{ is = "coupon", series = "c" }, { is = "when", since = 2026-02-01 }'),
    rule("r", 'do = "percent", percent = "5%", on = { category = ["tobacco", "bakery"] }'),
    rule("r", 'do = "points", rate = "1%"', stage="") + rule("s", 'do = "redeem_for", points = "5", amount = "1"', stage="payment"),
    rule("r", LADDER, when='{ is = "basket_amount", max = "50", on = { sku = "1" } }', stage="order"),
]  # fmt: skip


@pytest.mark.parametrize("toml", IN_ORDER)
def test_what_is_meant_is_not_doubted(toml: str) -> None:
    assert doubts_of(toml) == {}


@pytest.mark.parametrize("path", sorted([*(ROOT / "demo").glob("*.toml"), *(ROOT / "demo/programmes").glob("*.toml")]), ids=str)
def test_the_programmes_of_the_demo_have_neither_faults_nor_doubts(path: Path) -> None:
    found = looked_through(path.read_bytes())
    assert (found.faults, found.warnings) == ((), ())


def test_the_command_names_the_rule_of_a_fault_and_of_a_doubt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.toml"
    path.write_text(HEAD + rule("card-5", 'do = "percent", percent = "120%"'), encoding="utf-8")
    assert main(["programme", "check", str(path)]) == 1
    place = "rule[0].then[0].percent"
    assert capsys.readouterr().err == f'{path}: {place}: "120%" is more than 100% (rule "card-5")\n'
    path.write_text(HEAD + rule("low").replace(TITLE, ""), encoding="utf-8")
    assert main(["programme", "check", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith('the receipt will say "low" (rule "low")')


def test_the_command_quote_reads_json_behind_a_mark_of_utf_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: tmp_path / name for name in ("programme", "basket", "member", "state")}
    files["programme"].write_bytes(BOM + HEAD.encode())
    files["basket"].write_bytes(BOM + encode(basket(line("1"))))
    files["member"].write_bytes(BOM + b'{"member_id": "M1"}')
    files["state"].write_bytes(BOM + b"{}")
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert main(["quote", *options, "--json"]) == 0
    assert '"due_minor":10000' in capsys.readouterr().out


def test_no_more_faults_are_listed_than_anybody_reads() -> None:
    found = looked_through((HEAD + rule("r", 'do = "percent", percent = "0%"') * 200).encode())
    assert len(found.faults) == FAULTS_MAX


def test_what_is_no_programme_has_one_fault() -> None:
    found = looked_through(b"[[rule")
    assert [each.place for each in found.faults] == ["programme"]
    assert (found.name, found.warnings) == (None, ())
