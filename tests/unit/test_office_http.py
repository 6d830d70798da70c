"""Who may look at head office's pages, who may close a case there, and what a monitor is told."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pos_loyalty import gauges
from pos_loyalty.gauges import Figure, label
from pos_loyalty.web.office_door import password_of
from tests.browser.serving import serving
from tests.browser.test_office_pages import PASSWORD, Served, filled
from tests.shop import Shop
from tests.simulation.shop import OFFICE

PAGES = ("/manager", "/manager/cases", "/metrics")
ELSEWHERE = (
    {"Host": "office.example"}, {"X-Forwarded-For": "203.0.113.5"}, {"Forwarded": "for=203.0.113.5"}, {"Via": "1.1 proxy"},
    {"Host": "127.0.0.1.evil.example"}, {"Host": "localhost@evil.example"},
)  # fmt: skip
OPERATIONS = Path("docs/operations.md")
FORM = {"case": "T2/1/1/member.twice", "note": "one person", "by": "M9"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(filled(tmp_path_factory.mktemp("office")))
    yield server
    server.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_from_elsewhere_the_password_is_asked_for(served: Served, path: str, headers: dict[str, str]) -> None:
    asked = requests.get(served.url + path, headers=headers, timeout=60)
    assert asked.status_code == 401 and asked.headers["WWW-Authenticate"].startswith("Basic")
    assert "member.twice" not in asked.text and "T1" not in asked.text
    for wrong in ("", "x", PASSWORD[:-1], PASSWORD + "A"):
        assert requests.get(served.url + path, headers=headers, auth=("anna", wrong), timeout=60).status_code == 401
    assert requests.get(served.url + path, headers=headers, auth=("anna", PASSWORD), timeout=60).status_code == 200
    assert requests.get(served.url + path, headers=headers, auth=("anna", PASSWORD.lower()), timeout=60).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_this_machine_may_look(served: Served, path: str) -> None:
    assert requests.get(served.url + path, timeout=60).status_code == 200


def test_the_password_follows_from_the_key_file_alone() -> None:
    assert re.fullmatch(r"([A-Z2-7]{4}-){7}[A-Z2-7]{4}", PASSWORD)
    assert password_of(OFFICE.token_secret) == PASSWORD
    assert password_of("0c" * 32) != PASSWORD


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}], ids=str
)
def test_no_page_from_elsewhere_closes_a_case(served: Served, headers: dict[str, str]) -> None:
    assert requests.post(served.url + "/manager/cases", data=FORM, headers=headers, timeout=60).status_code == 403


def own(served: Served) -> dict[str, str]:
    return {"Origin": served.url}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        (FORM | {"note": " "}, 422), (FORM | {"by": ""}, 422), (FORM | {"case": "T2"}, 422), (FORM | {"case": "T2/1/9/no"}, 422),
        ({}, 422), ({"note": "x" * 20_000}, 422), (FORM | {"note": "x" * 300}, 422),
    ],
)  # fmt: skip
def test_a_form_that_says_too_little_or_too_much_changes_nothing(served: Served, form: dict[str, str], status: int) -> None:
    answer = requests.post(served.url + "/manager/cases", data=form, headers=own(served), timeout=60)
    assert answer.status_code == status


def test_a_case_is_closed_once(served: Served) -> None:
    first = requests.post(served.url + "/manager/cases", data=FORM, headers=own(served), timeout=60, allow_redirects=False)
    assert first.status_code == 303
    twice = requests.post(served.url + "/manager/cases", data=FORM, headers=own(served), timeout=60, allow_redirects=False)
    assert twice.status_code == 303, "the button was pressed twice"
    other = FORM | {"note": "other words"}
    again = requests.post(served.url + "/manager/cases", data=other, headers=own(served), timeout=60)
    assert again.status_code == 409 and "closed by M9" in again.text


def test_every_figure_is_documented_and_counts_what_there_is(served: Served) -> None:
    text, asked_again = "", 'pos_loyalty_sales_recomputed_total{verdict="unknown"} 9'
    deadline = time.monotonic() + 60
    while asked_again not in text:
        assert time.monotonic() < deadline, "the sales are not asked again"
        text = requests.get(served.url + "/metrics", timeout=60).text
    names = re.findall(r"^# TYPE (\w+) (?:counter|gauge)$", text, re.M)
    told = OPERATIONS.read_text(encoding="utf-8")
    assert names and {name for name in names if f"`{name}" not in told} == set()
    assert 'pos_loyalty_till_applied_seq{till="T1"} 5' in text
    assert "pos_loyalty_facts_taken_total 12" in text
    assert 'pos_loyalty_till_lag_seconds{till="T3"}' not in text, "one that never asked has no lag to tell"


def test_labels_cannot_break_the_format() -> None:
    bad = 'T"1\n\\x'
    text = gauges.text_of([Figure(name="n", help="h", kind="gauge", samples={label("till", bad): 1.5})])
    assert text == '# HELP n h\n# TYPE n gauge\nn{till="T\\"1\\n\\\\x"} 1.5\n'


def test_the_tills_figures_are_documented(shop: Shop) -> None:
    with serving(shop.till, shop.till.rule_titles) as web:
        text = web.get("/metrics").body.decode()
        assert web.ask("GET", "/metrics", None, {"Host": "till.example"}).status == 421, "this machine alone"
    names = re.findall(r"^# TYPE (\w+) gauge$", text, re.M)
    told = OPERATIONS.read_text(encoding="utf-8")
    assert len(names) == 9 and {name for name in names if f"`{name}`" not in told} == set()
    assert re.search(r"^pos_loyalty_till_unsent_facts \d+$", text, re.M)
