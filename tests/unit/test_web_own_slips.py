"""The shift report and the self-test page over HTTP: shown without a printer, queued once for a key with one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.serving import Web, serving
from tests.shop import CONFIG, Shop

PRINTER = '[printer]\nkind = "file"\npath = "slips"\n'
PATHS = {"shift": "/v1/shifts/today/print", "self_test": "/v1/printer/self-test"}


@pytest.fixture
def printing(tmp_path: Path) -> Iterator[tuple[Shop, Web]]:
    shop = Shop(tmp_path, CONFIG + PRINTER)
    with serving(shop.till, shop.till.rule_titles) as web:
        yield shop, web
    shop.close()


def jobs(shop: Shop) -> list[tuple[str, int, str]]:
    return shop.db.execute("SELECT kind, copy, state FROM print_job ORDER BY id").fetchall()


def test_the_report_of_a_day_as_text(printing: tuple[Shop, Web]) -> None:
    shop, web = printing
    shop.sell()
    today, named, before = (web.get(f"/v1/shifts/{day}.txt?language=ru") for day in ("today", "2026-11-21", "2026-11-20"))
    assert today.status == 200 and today.body == named.body
    assert "270,00" in today.body.decode() and "270,00" not in before.body.decode()
    assert web.get("/v1/shifts/today.txt?language=en").body != today.body


@pytest.mark.parametrize("kind", PATHS)
def test_one_key_prints_one_slip(printing: tuple[Shop, Web], kind: str) -> None:
    shop, web = printing
    first, again = web.post(PATHS[kind], {"language": "ru"}, "k1"), web.post(PATHS[kind], {"language": "ru"}, "k1")
    assert first.status == again.status == 200 and first.json == again.json
    assert (first.json["kind"], first.json["state"]) == (kind, "queued")
    assert jobs(shop) == [(kind, 0, "queued")]
    assert web.post(PATHS[kind], {}, "k2").status == 200
    assert len(jobs(shop)) == 2


@pytest.mark.parametrize("kind", PATHS)
def test_a_key_for_one_slip_is_not_for_the_other(printing: tuple[Shop, Web], kind: str) -> None:
    shop, web = printing
    other = next(path for name, path in PATHS.items() if name != kind)
    assert web.post(PATHS[kind], {}, "k1").status == 200
    assert web.post(other, {}, "k1").status == 409
    assert len(jobs(shop)) == 1


@pytest.mark.parametrize("kind", PATHS)
def test_without_a_printer_or_a_key_nothing_is_queued(shop: Shop, kind: str) -> None:
    with serving(shop.till, shop.till.rule_titles) as web:
        assert web.post(PATHS[kind], {}, "k1").status == 409
        assert web.post(PATHS[kind], {}).status == 400
        assert web.get("/v1/shifts/today.txt").status == 200
    assert jobs(shop) == []


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "1", "2026-11-21x"])
def test_what_is_no_day(shop: Shop, day: str) -> None:
    with serving(shop.till, shop.till.rule_titles) as web:
        answer = web.get(f"/v1/shifts/{day}.txt")
        assert answer.status == 422 and "is no day" in answer.json["detail"]
        assert web.post(f"/v1/shifts/{day}/print", {}, "k1").status == 422
