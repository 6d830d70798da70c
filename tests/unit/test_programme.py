"""Loading a programme: what it becomes, and every fault named by its place."""

from __future__ import annotations

import hashlib

import pytest
import tzdata

from pos_loyalty.engine import load_programme
from pos_loyalty.errors import InputError, ProgrammeError
from tests.worlds import HEAD, programme

RULE = """
[[tier]]
id = "gold"
[[coupon]]
id = "welcome"
code = "WELCOME10"
until = "2026-12-31"
[redeem]
limit = "30%"
[[rule]]
id = "first"
stage = "order"
title = { ru = "Первое", en = "First" }
when = [{ is = "customer", tier = "gold" }, { is = "coupon", series = "welcome" }]
then = [{ do = "percent", percent = "7.5%", on = { category = "drinks", except = { sku = "1" } } }]
[[rule]]
id = "base"
then = [{ do = "points", rate = "3%" }]
"""


def test_a_programme_knows_its_name_and_its_rules() -> None:
    data = (HEAD + RULE).encode()
    loaded = load_programme(data)
    expected = hashlib.sha256(data + b"\0tzdata " + tzdata.__version__.encode()).hexdigest()
    assert loaded.name == f"trial@3#sha256:{expected}"
    assert (loaded.id, loaded.version, loaded.currency, loaded.timezone) == ("trial", 3, "RUB", "Europe/Moscow")
    assert [rule.id for rule in loaded.rules] == ["base", "first"], "sorted by id"
    assert loaded.titles["first"] == {"ru": "Первое", "en": "First"}


def test_the_same_bytes_make_the_same_programme() -> None:
    one, other = load_programme((HEAD + RULE).encode()), load_programme((HEAD + RULE).encode())
    assert (one.name, one.rules, one.index) == (other.name, other.rules, other.index)
    assert load_programme((HEAD + RULE).encode()).name != load_programme((HEAD + RULE + "\n").encode()).name


def test_a_programme_without_rules_is_one() -> None:
    assert programme("").rules == ()


@pytest.mark.parametrize(
    ("old", "new", "place", "sentence"),
    [
        ('"7.5%"', '"120%"', "rule[0].then[0].percent", '"120%" is more than 100%'),
        (
            '"7.5%"',
            '"7.555%"',
            "rule[0].then[0].percent",
            '"7.555%" is not a rate: at most 2 digits stand after the point; write it such as "7.5%"',
        ),
        ('"7.5%"', '"-7%"', "rule[0].then[0].percent", "is not a rate"),
        ('"7.5%"', '"0%"', "rule[0].then[0].percent", "takes nothing off"),
        ('"7.5%"', "7.5", "rule[0].then[0].percent", "in quotation marks"),
        ('"7.5%"', '"٣%"', "rule[0].then[0].percent", "is not a rate"),
        (
            'do = "percent"',
            'do = "percents"',
            "rule[0].then[0].do",
            '"percents" is not one of the words that may stand here; did you mean "percent"?',
        ),
        ('is = "coupon"', 'is = "cupon"', "rule[0].when[1].is", 'did you mean "coupon"?'),
        ('stage = "order"', 'stage = "late"', "rule[0].stage", '"late" is not one of the words'),
        ('stage = "order"', "", "rule[0].stage", "says when it acts"),
        ('stage = "order"', 'stage = "points"', "rule[0].stage", "says when it acts"),
        ('id = "first"', 'id = "base"', "rule[1].id", '"base" is already the id of rule[0]'),
        ('id = "first"', 'id = "fiscal"', "rule[0].id", "is a word of the quote"),
        ('id = "first"', 'id = "First"', "rule[0].id", "a name is small letters"),
        ('id = "first"', 'id = "first\\n"', "rule[0].id", "a name is small letters"),
        ('id = "first"', 'ids = "first"', "rule[0].ids", 'did you mean "id"?'),
        ('tier = "gold"', 'tier = "god"', "rule[0].when[0].tier", '"god" is not among the [[tier]] tables'),
        ('tier = "gold"', 'tier_from = "god"', "rule[0].when[0].tier_from", '"god" is not among'),
        ('tier = "gold"', "staff = 1", "rule[0].when[0].staff", "write true or false"),
        (', tier = "gold"', "", "rule[0].when[0]", "says nothing about the customer"),
        ('tier = "gold"', "tier = []", "rule[0].when[0].tier", "leave it out"),
        ('tier = "gold"', 'segment = ""', "rule[0].when[0].segment", "leave it out"),
        ('sku = "1"', "sku = []", "rule[0].then[0].on.except.sku", "leave it out"),
        ('tier = "gold"', 'member = false, tier = "gold"', "rule[0].when[0].member", "asks for nobody"),
        ('series = "welcome"', 'series = "w"', "rule[0].when[1].series", '"w" is not among the [[coupon]] series'),
        ('category = "drinks"', 'category = "/drinks"', "rule[0].then[0].on.category", "begins or ends"),
        ('sku = "1"', 'sku = ""', "rule[0].then[0].on.except.sku", "is empty"),
        ('sku = "1"', "", "rule[0].then[0].on.except", "names no goods"),
        ('sku = "1"', "sku = 1", "rule[0].then[0].on.except.sku", 'write it in quotation marks: "1"'),
        ('"2026-12-31"', '"2026-02-30"', "coupon[0].until", '"2026-02-30" is not a date'),
        ('until = "2026-12-31"', 'since = "2027-01-01"\nuntil = "2026-12-31"', "coupon[0].until", "is before"),
        ('limit = "30%"', 'limit = "0%"', "redeem.limit", "leave the table"),
        ('limit = "30%"', "", "redeem", '"limit" is missing'),
        (
            'rate = "3%"',
            'rate = "3%", multiplier = "2"',
            "rule[1].then[0]",
            "either a rate, steps, a fixed number or a multiplier",
        ),
        ('rate = "3%"', 'multiplier = "1"', "rule[1].then[0].multiplier", "more than 1"),
        ('rate = "3%"', 'rate = "3%", delay_days = -1', "rule[1].then[0].delay_days", "a whole number from 0"),
        ('"Europe/Moscow"', '"Europe/Moskau"', "timezone", '"Europe/Moskau" is not a time zone'),
        ('"RUB"', '"RUR"', "currency", '"RUR" is not a currency'),
        ("format = 1", "format = 2", "format", "this version reads format 1"),
        ("version = 3", "version = 0", "version", "a whole number from 1"),
        ("version = 3", 'version = "3"', "version", "without quotation marks"),
        ("[redeem]", "[redem]", "redem", 'did you mean "redeem"?'),
        ("[[tier]]", "[[tier", "programme", "is not TOML"),
    ],
)
def test_a_fault_names_its_place(old: str, new: str, place: str, sentence: str) -> None:
    text = HEAD + RULE
    assert old in text
    with pytest.raises(ProgrammeError) as caught:
        load_programme(text.replace(old, new, 1).encode())
    assert caught.value.place == place
    assert sentence in caught.value.message
    assert str(caught.value) == f"{place}: {caught.value.message}"


def faulty(effect: str = "", when: str = "", stage: str = "order") -> InputError:
    then = effect or 'do = "amount", amount = "1"'
    with pytest.raises(ProgrammeError) as caught:
        programme(f'[[rule]]\nid = "r"\nstage = "{stage}"\nwhen = [{when}]\nthen = [{{ {then} }}]')
    return caught.value


@pytest.mark.parametrize(
    ("effect", "place"),
    [
        ('do = "amount", amount = "0"', "amount"),
        ('do = "amount", amount = "1e3"', "amount"),
        ('do = "amount", amount = "1.005"', "amount"),
        ('do = "amount", amount = "-1"', "amount"),
        ('do = "amount", amount = "99999999999999999"', "amount"),
        ('do = "amount", amount = 5', "amount"),
        ('do = "ladder", steps = []', "steps"),
        ('do = "ladder", steps = [{ from = "1", percent = "1%" }, { from = "1.00", percent = "2%" }]', "steps[1].from"),
        ('do = "ladder", steps = [{ from = "1" }]', "steps[0]"),
        ('do = "ladder", steps = [{ from = "1", percent = "1%", amount = "1" }]', "steps[0]"),
        ('do = "ladder", steps = [{ from = "1", percent = "0%" }]', "steps[0]"),
        ('do = "ladder", steps = [{ from = "1", percent = "1%" }], max_base = "0"', "max_base"),
    ],
)
def test_faults_of_effects(effect: str, place: str) -> None:
    assert faulty(effect).place == f"rule[0].then[0].{place}"


def test_a_sum_and_a_ladder_act_on_the_receipt_only() -> None:
    assert faulty('do = "amount", amount = "1"', stage="item").place == "rule[0].then[0].do"
    assert faulty('do = "ladder", steps = [{ from = "1", percent = "1%" }]', stage="customer").place == "rule[0].then[0].do"
    assert faulty('do = "percent", percent = "1%", max_units = 2').place == "rule[0].then[0].max_units"


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ('is = "basket_amount"', ""),
        ('is = "basket_amount", min = "2", max = "1"', ".max"),
        ('is = "basket_amount", min = "x"', ".min"),
        ('is = "basket_qty", min = "0"', ".min"),
        ('is = "basket_qty", min = "1e3"', ".min"),
        ('is = "basket_qty"', ""),
        ('is = "when"', ""),
        ('is = "when", from = "17:00"', ""),
        ('is = "when", from = "17:00", to = "17:00"', ".from"),
        ('is = "when", from = "24:00", to = "17:00"', ".from"),
        ('is = "when", from = "7:00", to = "17:00"', ".from"),
        ('is = "when", from = "24:01", to = "17:00"', ".from"),
        ('is = "when", weekdays = ["monday"]', ".weekdays[0]"),
        ('is = "when", weekdays = ["mon"], zone = "Moscow"', ".zone"),
        ('is = "when", since = "2026-02-02", until = "2026-02-01"', ".until"),
        ('is = "any", of = []', ".of"),
        ('is = "not", of = { is = "basket_qty", min = "0" }', ".of.min"),
        ('is = "all", of = [{ is = "customer", member = true }, { is = "coupon", series = "x" }]', ".of[1].series"),
    ],
)
def test_faults_of_conditions(condition: str, place: str) -> None:
    assert faulty(when=f"{{ {condition} }}").place == f"rule[0].when[0]{place}"


def test_a_rule_gives_points_once() -> None:
    with pytest.raises(ProgrammeError, match=r"rule\[0\]\.then\[1\]: a rule gives points once"):
        programme('[[rule]]\nid = "r"\nthen = [{ do = "points", rate = "1%" }, { do = "points", rate = "2%" }]')


def test_two_series_share_no_code() -> None:
    with pytest.raises(ProgrammeError, match=r"coupon\[1\]\.code"):
        programme('[[coupon]]\nid = "a"\ncode = "X"\n[[coupon]]\nid = "b"\ncode = " x"')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"format = 1",
        b"a = " + b"[" * 5000 + b"]" * 5000,
        b"a = " + b"{b=" * 5000 + b"1" + b"}" * 5000,
        b"format = " + b"9" * 6000,
        b"\0",
        HEAD.encode() + b'[[rule]]\nid = "r"\nstage="item"\nthen=[{do="percent",percent="1%"}]\nwhen = ['
        + b'{is="not",of=' * 60 + b'{is="customer",member=true}' + b"}" * 60 + b"]",
    ],
)  # fmt: skip
def test_hostile_bytes_are_a_fault_of_the_programme(data: bytes) -> None:
    with pytest.raises(ProgrammeError):
        load_programme(data)


def test_a_currency_has_its_own_digits() -> None:
    yen = HEAD.replace("RUB", "JPY") + '[[rule]]\nid = "r"\nstage = "order"\nthen = [{ do = "amount", amount = "%s" }]'
    assert load_programme((yen % "150").encode()).exponent == 0
    with pytest.raises(ProgrammeError, match="is not money"):
        load_programme((yen % "150.00").encode())
