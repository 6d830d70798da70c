"""Slips of the shape of a programme file, and files that are no text: each by its place, with what to write instead."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

import pytest

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.warnings import looked_through
from pos_loyalty.errors import ProgrammeError
from tests.unit.test_checks import THEN, Case, faults_of, points, rule
from tests.worlds import HEAD

CONTROL = "holds a control sign"
SLIPS: list[Case] = [
    (rule('do = "procent", percent = "5%"'), f"{THEN}.do", 'did you mean "percent"? write one of "percent", "amount_each"'),
    (rule('do = "nothing", percent = "5%"'), f"{THEN}.do", 'may stand here; write one of "percent"'),
    (rule('do = 3'), f"{THEN}.do", "3 is not one of the words"),
    (rule('percent = "5%"'), THEN, '"do" is missing; it is one of "percent"'),
    (rule('do = "percent", procent = "5%"'), f"{THEN}.procent", 'is not a key that may stand here; did you mean "percent"?'),
    (rule('do = "percent", percent = "5%", colour = "red"'), f"{THEN}.colour", "leave it out; what may stand here: on, max_amount"),
    (rule('do = "percent", percent = "5%"').replace("[{", "{").replace("}]", "}"), "rule[0].then", "write a list: then = [{ … }]"),
    (rule('do = "percent", percent = "5%"').replace("[{", '["').replace("}]", '"]').replace('do = "percent", percent = "5%"', "x"), THEN, "write a table: { do = "),
    (rule('do = "percent", percent = "5%"').partition("then")[0], "rule[0]", '"then" is missing'),
    ('[[rule]]\nid = "r"\nthen = []', "rule[0].then", "write 1 or more"),
    (rule('do = "percent", percent = "5%"', more='title = "Five"'), "rule[0].title", 'write { ru = "…", en = "…" }'),
    (rule('do = "percent", percent = "5%"', more='title = { ru = "" }'), "rule[0].title.ru", "is empty"),
    (rule('do = "percent", percent = "5%"', more=f'title = {{ ru = "{"a" * 257}" }}'), "rule[0].title.ru", "has 257 signs, more than the 256"),
    (rule('do = "percent", percent = "5%", on = { sku = 4601 }'), f"{THEN}.on.sku", 'write it in quotation marks: "4601"'),
    (rule('do = "percent", percent = "5%", on = { sku = ["a", 4601] }'), f"{THEN}.on.sku[1]", 'write it in quotation marks: "4601"'),
    (rule('do = "percent", percent = "5%", on = "milk"'), f"{THEN}.on", "write a table"),
    (rule('do = "percent", percent = "5%", max_units = "2"'), f"{THEN}.max_units", "without quotation marks"),
    (rule('do = "percent", percent = "5%", max_units = 2.5'), f"{THEN}.max_units", "write a whole number from 1 to 100000"),
    (rule('do = "percent", percent = "5%", max_units = true'), f"{THEN}.max_units", "write a whole number"),
    (rule('do = "percent", percent = "5%"', more="suggest = 1"), "rule[0].suggest", "write true or false"),
    (rule('do = "percent", percent = "5%"', more="priority = 9999999"), "rule[0].priority", "from -1000000 to 1000000"),
    *((rule('do = "percent", percent = "5%"', more=f'when = [{{ is = "when", until = {given} }}]'), "rule[0].when[0].until", told) for given, told in (
        ('"31.12.2026"', '"31.12.2026" is not a date: write 2026-12-31'),
        ('"1/2/2026"', "write 2026-02-01"),
        ('"31.13.2026"', "write one such as 2026-12-31"),
        ('"20261231"', "write one such as 2026-12-31"),
        ("20261231", "20261231 is not a date"),
        ("2026-12-31T10:00:00", "has no time of day: write 2026-12-31"),
    )),
    (rule('do = "percent", percent = "5%"', more='when = [{ is = "when", weekdays = "mon" }]'), "rule[0].when[0].weekdays", 'write a list: weekdays = ["mon"]'),
    (rule('do = "percent", percent = "5%"', more='when = [{ is = "when", weekdays = ["mo"] }]'), "rule[0].when[0].weekdays[0]", 'did you mean "mon"?'),
    (rule('do = "percent", percent = "5%"', more='when = [{ is = "not", of = [{ is = "budget" }] }]'), "rule[0].when[0].of", "write a table"),
    ('[rule]\nid = "r"', "rule", "write [[rule]] with two brackets"),
    ('[[points]]', "points", "stands once: write [points]"),
    ('[compatibility.leaflet]\nclub = "stak"', "compatibility.leaflet.club", 'did you mean "stack"?'),
    ('[caps.manual]\nsenior = "500%"', "caps.manual.senior", "more than 100%"),
    ('[caps.manual]\n"Старший кассир" = "500%"', 'caps.manual."Старший кассир"', "more than 100%"),
    ('[[coupon]]\nid = "c"\nprefix = "new"\ndigits = 9', "coupon[0].prefix", "a prefix is capital letters"),
    (rule('do = "percent", percent = "5%"', more='title = { ru = "две\\nстроки" }'), "rule[0].title.ru", CONTROL),
    (points('do = "message", text = { en = "a\\u0007" }'), f"{THEN}.text.en", CONTROL),
    (points('do = "message", text = { en = "a\\n" }'), f"{THEN}.text.en", CONTROL),
    (rule('do = "percent", percent = "5%"', more='funded_by = "a\\tb"'), "rule[0].funded_by", CONTROL),
    (rule('do = "percent", percent = "5%", on = { sku = ["a", "b\\u001bc"] }'), f"{THEN}.on.sku", CONTROL),
    (rule('do = "percent", percent = "5%"', more='when = [{ is = "customer", segment = "a\\tb" }]'), "rule[0].when[0].segment", CONTROL),
    ('[pilot]\nsegment = "a\\tb"', "pilot.segment", CONTROL),
    ('[[coupon]]\nid = "c"\ntitle = { ru = "a\\tb" }', "coupon[0].title.ru", CONTROL),
]  # fmt: skip


@pytest.mark.parametrize(("toml", "place", "sentence"), SLIPS, ids=[f"{place} {sentence}"[:60] for _, place, sentence in SLIPS])
def test_a_slip_is_told_with_its_mend(toml: str, place: str, sentence: str) -> None:
    found = faults_of(toml)
    assert sentence in found[place]
    assert len(found) == 1, "one slip is one fault"
    with pytest.raises(ProgrammeError) as caught:
        load_programme((HEAD + toml).encode())
    assert caught.value.place == place


def test_every_slip_of_every_rule_is_told() -> None:
    slips = (
        rule('do = "procent", percent = "5%"', id="a") + rule('do = "percent", percent = 5', "itm", id="b") + "[searc]\nnodes = 1"
    )
    found = looked_through((HEAD + slips).encode()).faults
    assert {each.place: each.rule for each in found} == {
        "rule[0].then[0].do": "a",
        "rule[1].stage": "b",
        "rule[1].then[0].percent": "b",
        "searc": None,
    }


def test_a_file_of_another_format_has_one_fault() -> None:
    text = HEAD.replace("format = 1", "format = 2") + "[searc]\nnodes = 1"
    assert [(each.place, each.text) for each in looked_through(text.encode()).faults] == [
        ("format", "this version reads format 1")
    ]


SAVE = "save the file as UTF-8"
ONE_LINE = "stands on one line"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ((HEAD + '# Кофе').encode("cp1251"), f"(line 7); {SAVE}"),
        (HEAD.encode("utf-16"), SAVE),
        (HEAD.encode("utf-16-le"), SAVE),
        ((HEAD + 'title = { ru = "а",\n  en = "b" }').encode(), f"line 7: a table {{ … }} {ONE_LINE}"),
        ((HEAD + 'title = { ru = "а"').encode(), f"line 7: a table {{ … }} {ONE_LINE}"),
        ((HEAD.replace("\n", "\r\n") + "points = { # so\r\n}").encode(), f"line 7: a table {{ … }} {ONE_LINE}"),
        ((HEAD + 'a = """\n{\n"""\nb = [\n"{",\n]\nc = \'{\'\nd = ').encode(), "is not TOML: "),
        ((HEAD + "x = {a = [\n1, # }\n2]}\ny =").encode(), "is not TOML: "),
    ],
)  # fmt: skip
def test_bytes_that_are_not_toml_are_told_what_to_do(data: bytes, sentence: str) -> None:
    found = looked_through(data).faults
    assert [each.place for each in found] == ["programme"]
    assert sentence in found[0].text


def test_a_mark_of_utf_8_is_skipped() -> None:
    assert load_programme(b"\xef\xbb\xbf" + HEAD.encode()).id == "trial"
