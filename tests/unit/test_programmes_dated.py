"""Programmes with a date: signed by head office, told ahead, in force at their instant at every till alike."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import QuoteStaleError
from pos_loyalty.store import programmes, publications
from pos_loyalty.store.db import backup, write
from pos_loyalty.store.publications import Publication
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import QuoteRequest
from sync import programme_list
from sync.local import apply_changes, begin_pull, next_question
from sync.server import steps
from sync.wire import Changes, ProgrammeBody, read_changes
from tests.shop import PROGRAMME, Shop, make_basket
from tests.simulation.shop import NOW, HeadOffice, Till

HOUR = timedelta(hours=1)


def text(version: int) -> bytes:
    return PROGRAMME.replace("version = 1", f"version = {version}").encode()


def office_in(folder: Path) -> HeadOffice:
    folder.mkdir()
    return HeadOffice(folder)


def pull_all(till: Till, office: HeadOffice, now: datetime = NOW) -> list[Changes]:
    pages = []
    while not pages or not pages[-1].complete:
        question = next_question(till.db, till.here, begin_pull(till.db, now), now).send
        assert question is not None
        pages.append(read_changes(office.changes(question, now)))
        apply_changes(till.db, till.here, pages[-1], now)
    return pages


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return office_in(tmp_path / "office")


def test_tills_know_the_next_one_ahead_and_change_at_its_instant(office: HeadOffice, tmp_path: Path) -> None:
    steps.publish_programme(office.store, text(1), NOW)
    steps.publish_programme(office.store, text(2), NOW, NOW + HOUR)
    tills = [Till(tmp_path, name) for name in ("T1", "T2")]
    for till in tills:
        pull_all(till, office)
    instants = [NOW, NOW + HOUR - timedelta(milliseconds=1), NOW + HOUR, NOW + 100 * HOUR]
    for till in tills:
        assert [publications.body_in_force(till.db, at) for at in instants] == [text(1), text(1), text(2), text(2)]
        assert verify(till.db) == ()
    assert verify(office.db) == ()


def test_which_is_in_force_follows_from_dates_and_order(tmp_path: Path) -> None:
    """The law in words of its own: walk through all publications by date, and those of one date by order; the last one counts."""
    rng = random.Random(6)
    for world in range(30):
        office = office_in(tmp_path / f"office{world}")
        now, told = NOW, list[tuple[datetime, int, int]]()
        till = Till(tmp_path / f"office{world}", "T1")
        for version in range(1, 9):
            now += timedelta(minutes=rng.randint(0, 90))
            date = None if version == 1 or rng.random() < 0.4 else now + rng.choice((-3, -1, 1, 2, 2, 4)) * HOUR
            body = text(version if rng.random() < 0.7 else rng.randint(1, version))
            in_force = max((one for one in told if one[0] <= now), default=None)
            steps.publish_programme(office.store, body, now, date)
            number = int(body.decode().split("version = ")[1].split()[0])
            is_same = date is None and in_force is not None and in_force[2] == number
            if not is_same:
                at_once = datetime(1970, 1, 1, tzinfo=NOW.tzinfo) if in_force is None else in_force[0]
                told.append((date or at_once, len(told), number))
            if rng.random() < 0.5:
                pull_all(till, office, now)
        pull_all(till, office, now)
        for minutes in range(0, 600, 7):
            at = now + timedelta(minutes=minutes)
            expected = text(max(one for one in told if one[0] <= at)[2])
            assert publications.body_in_force(till.db, at) == publications.body_in_force(office.db, at) == expected
        assert verify(till.db) == () and verify(office.db) == ()
        till.db.close()
        office.db.close()


@pytest.mark.parametrize("fault", ["signature", "body", "date", "other office"])
def test_what_head_office_did_not_sign_is_left_out(office: HeadOffice, tmp_path: Path, fault: str) -> None:
    steps.publish_programme(office.store, text(1), NOW)
    till = Till(tmp_path, "T1")
    pull_all(till, office)
    steps.publish_programme(office.store, text(2), NOW)
    question = next_question(till.db, till.here, begin_pull(till.db, NOW), NOW).send
    assert question is not None
    page = read_changes(office.changes(question))
    assert page.programmes is not None
    apply_changes(till.db, till.here, replace(page, programmes=tuple(spoilt(one, fault) for one in page.programmes)), NOW)
    assert publications.body_in_force(till.db, NOW) == text(1)
    apply_changes(till.db, till.here, page, NOW)
    assert publications.body_in_force(till.db, NOW) == text(2)


def spoilt(one: ProgrammeBody, fault: str) -> ProgrammeBody:
    match fault:
        case "signature":
            return replace(one, signature=one.signature[:-1] + ("0" if one.signature[-1] != "0" else "1"))
        case "body":
            return replace(one, body=text(9), sha256=sha256(text(9)).hexdigest())
        case "date":
            return replace(one, effective_from=one.effective_from + HOUR)
        case _:
            return programme_list.signed(one, "0c" * 32)


def test_the_same_list_is_not_sent_again(office: HeadOffice, tmp_path: Path) -> None:
    steps.publish_programme(office.store, text(1), NOW)
    steps.publish_programme(office.store, text(2), NOW, NOW + HOUR)
    till = Till(tmp_path, "T1")
    assert [page.programmes is None for page in pull_all(till, office)] == [False]
    assert [page.programmes is None for page in pull_all(till, office)] == [True]


def test_a_head_office_that_forgot_a_dated_one_takes_it_back(office: HeadOffice, tmp_path: Path) -> None:
    steps.publish_programme(office.store, text(1), NOW)
    till = Till(tmp_path, "T1")
    backup(office.db, tmp_path / "old.db")
    steps.publish_programme(office.store, text(2), NOW, NOW + HOUR)
    pull_all(till, office)
    office.restore(tmp_path / "old.db")
    pull_all(till, office)
    assert publications.body_in_force(till.db, NOW + 2 * HOUR) == text(1)


def test_a_quote_from_before_the_instant_is_quoted_again_when_it_is_paid_after(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    try:
        first = PROGRAMME.encode()
        second = PROGRAMME.replace("version = 1", "version = 2").replace('"10%"', '"20%"').encode()
        with write(shop.db):
            programmes.keep(shop.db, "test", 2, second, shop.now)
            begins = shop.now + timedelta(minutes=2)
            rows = [(1, first, 0), (2, second, int(begins.timestamp() * 1000))]
            told = [Publication(number=n, sha256=sha256(body).digest(), effective_ms=ms) for n, body, ms in rows]
            publications.put_list(shop.db, told)
        request = shop.ask()
        shop.now = begins
        with pytest.raises(QuoteStaleError, match="programme has changed") as caught:
            shop.till.authorise(replace(request, sale_id="s1", complete=True), "key 1")
        assert caught.value.quote is not None and "@2#" in shop.till.programme().name
        answer = shop.till.quote(QuoteRequest(basket=make_basket()))
        sold = shop.till.authorise(replace(shop.ask(), sale_id="s2", complete=True), "key 2")
        assert "@2#" in shop.db.execute("SELECT programme FROM sale").fetchone()[0]
        assert sold.state == "completed" and answer.due_minor >= 0
    finally:
        shop.close()


@pytest.mark.parametrize("looks", range(8))
def test_a_quote_is_of_one_programme_when_the_instant_comes_in_its_midst(tmp_path: Path, looks: int) -> None:
    """The second has a budget, of which a till must ask its file: a quote by it knows what is left."""
    shop = Shop(tmp_path)
    try:
        first = PROGRAMME.encode()
        second = (
            PROGRAMME.replace("version = 1", "version = 2").replace('id = "coffee"', 'id = "coffee"\nbudget = "1000.00"').encode()
        )
        with write(shop.db):
            programmes.keep(shop.db, "test", 2, second, shop.now)
            rows = [(1, first, 0), (2, second, int(shop.now.timestamp() * 1000) + 1)]
            told = [Publication(number=n, sha256=sha256(body).digest(), effective_ms=ms) for n, body, ms in rows]
            publications.put_list(shop.db, told)
        asked = iter([shop.now] * looks)
        shop.till._desk.shelf._time = lambda: next(asked, shop.now + HOUR)
        quote = shop.till.quote(QuoteRequest(basket=make_basket()))
        assert quote.due_minor == 27_000 and not [one for one in quote.refusals if one.rule == "coffee"]
    finally:
        shop.close()
