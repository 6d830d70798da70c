"""Codes over two tills and head office: known everywhere, used once, refused or risked in silence, and seen when used twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pos_loyalty import wiring
from pos_loyalty.cli.main import main
from pos_loyalty.engine.model import Quote
from pos_loyalty.reports.coupons import coupon_report
from pos_loyalty.store import coupon_words
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import QuoteRequest, VoidRequest
from sync.local import Here
from sync.server import steps
from tests.shop import CONFIG, PROGRAMME, Shop, make_basket
from tests.simulation.shop import KEY, NOW, OFFICE_PUBLIC, HeadOffice, pull_all, push_all, signer_of

ONLINE = CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\nanswers_for_s = 60.0\n'
COUPONS = """
[[coupon]]
id = "strict"
offline = "refuse"
[[coupon]]
id = "easy"
offline = "accept"
[[rule]]
id = "strict-coupon"
stage = "order"
when = [{ is = "coupon", series = "strict" }]
then = [{ do = "amount", amount = "20.00" }]
[[rule]]
id = "easy-coupon"
stage = "order"
when = [{ is = "coupon", series = "easy" }]
then = [{ do = "amount", amount = "10.00" }]
"""
FULL = 27_000
Told = tuple[bool, tuple[str, str] | None]


class Second(Shop):
    """A shop whose ids are its own."""

    def new_id(self) -> UUID:
        return UUID(int=super().new_id().int | 1 << 50)


class Linked:
    """A whole till, and the hands that the sync's steps need."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.name = name
        make = Shop if name == "T1" else Second
        self.shop = make(folder, ONLINE.replace('id = "T1"', f'id = "{name}"'), programme="")
        self.here = Here(till=name, master_key=KEY, signer=signer_of(name), head_office_key=OFFICE_PUBLIC)
        self.shop.now = NOW

    @property
    def db(self) -> Connection:
        return self.shop.db

    def price(self, *codes: str) -> Quote:
        basket = make_basket(coupons=codes)
        return self.shop.till.quote(QuoteRequest(basket=replace(basket, till=self.name, opened_at=self.shop.now)))

    def sell(self, sale_id: str, *codes: str) -> int:
        basket = make_basket(coupons=codes)
        request = self.shop.ask(replace(basket, till=self.name, opened_at=self.shop.now), card=None)
        answer = self.shop.till.authorise(replace(request, sale_id=sale_id, complete=True), f"key {sale_id}")
        return int(answer.quote.total_minor)


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    made = HeadOffice(tmp_path)
    steps.publish_programme(made.store, (PROGRAMME + COUPONS).encode(), NOW)
    return made


@pytest.fixture
def tills(tmp_path: Path, office: HeadOffice) -> Iterator[tuple[Linked, Linked]]:
    made = Linked(tmp_path / "one", "T1"), Linked(tmp_path / "two", "T2")
    yield made
    for till in made:
        till.shop.close()


def imported(office: HeadOffice, series: str, *codes: str) -> None:
    from pos_loyalty.clock import new_id
    from pos_loyalty.engine import load_programme
    from pos_loyalty.store.code_book import CodeBook
    from pos_loyalty.store.coupon_import import Row

    book = CodeBook(office.db, load_programme((PROGRAMME + COUPONS).encode()), "head-office", lambda: NOW, new_id)
    rows = [Row(line=n, code=code) for n, code in enumerate(codes, start=1)]
    assert book.take_in(series, rows, (None, None), dry_run=False).added == len(codes)


def sync(till: Linked, office: HeadOffice) -> None:
    push_all(till, office)  # type: ignore[arg-type]
    pull_all(till, office)  # type: ignore[arg-type]


def cases(office: HeadOffice) -> list[tuple[object, ...]]:
    return office.rows("SELECT reason FROM suspense_case WHERE reason LIKE 'coupon%' ORDER BY id")


def coupons_right(office: HeadOffice, *tills: Linked) -> None:
    for db in (office.db, *(till.db for till in tills)):
        assert [said for said in verify(db) if "oupon" in said] == []


def test_codes_of_head_office_are_good_at_every_till_once(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    one, two = tills
    imported(office, "strict", "CODE-1", "CODE-2")
    for till in tills:
        sync(till, office)
    assert one.sell("a", "CODE-1") == FULL - 2_000
    sync(one, office)
    sync(two, office)
    assert two.price("CODE-1").total_minor == FULL
    assert two.price("CODE-2").total_minor == FULL - 2_000
    pull_all(one, office)  # type: ignore[arg-type]
    one.shop.till.void("a", VoidRequest(), "void a")
    assert one.price("CODE-1").total_minor == FULL - 2_000, "of our own sale our own log knows better"
    sync(one, office)
    sync(two, office)
    assert two.price("CODE-1").total_minor == FULL - 2_000, "a void gives it back everywhere"
    assert one.price("CODE-1").total_minor == FULL - 2_000
    assert cases(office) == []
    coupons_right(office, *tills)


def test_a_silent_head_office_makes_strict_codes_wait(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    one, _ = tills
    imported(office, "strict", "CODE-1")
    imported(office, "easy", "EASY-1")
    sync(one, office)
    one.shop.now += timedelta(seconds=61)
    quote = one.price("CODE-1")
    assert quote.total_minor == FULL
    assert "silent:CODE-1" in {each.have for each in quote.refusals}
    assert one.price("EASY-1").total_minor == FULL - 1_000


def test_a_code_of_this_till_is_good_though_head_office_is_silent(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    one, _ = tills
    sync(one, office)
    path = one.shop.folder / "codes.txt"
    path.write_text("MINE-1\n")
    assert main(["import", "coupons", "--config", str(one.shop.config), "--series", "strict", str(path)]) == 0
    one.shop.now += timedelta(seconds=61)
    assert one.price("MINE-1").total_minor == FULL - 2_000


def test_a_code_used_twice_is_a_case_and_a_figure(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    one, two = tills
    imported(office, "easy", "EASY-1")
    for till in tills:
        sync(till, office)
    assert one.sell("a", "EASY-1") == two.sell("b", "EASY-1") == FULL - 1_000
    assert one.shop.till.health().unconfirmed_coupons == 1
    for till in tills:
        sync(till, office)
    assert one.shop.till.health().unconfirmed_coupons == 0
    assert cases(office) == [("coupon.twice",)]
    (detail,) = office.db.execute("SELECT detail FROM suspense_case WHERE reason = 'coupon.twice'").fetchone()
    assert "sale a of till T1 used it before" in detail and "EASY-1" not in detail
    row = next(row for row in coupon_report(office.path).series if row.series == "easy")
    assert (row.made, row.used, row.twice, row.given_minor) == (1, 1, 1, 2_000)
    coupons_right(office, *tills)


def open_cases(office: HeadOffice) -> list[str]:
    with office.store.write():
        return [str(case.name) for case in office.store.truth.cases(10) if case.name.reason == "coupon.twice"]


def test_a_case_of_a_code_ends_when_one_of_its_sales_comes_off_again(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    one, two = tills
    imported(office, "easy", "EASY-1", "EASY-2")
    for till in tills:
        sync(till, office)
    for code, sales in (("EASY-1", "ab"), ("EASY-2", "cd")):
        assert one.sell(sales[0], code) == two.sell(sales[1], code) == FULL - 1_000
    one.sell("other")
    for till in tills:
        sync(till, office)
    assert open_cases(office) == ["T2/1/3/coupon.twice", "T2/1/4/coupon.twice"]
    one.shop.till.void("other", VoidRequest(), "void other")
    sync(one, office)
    assert len(open_cases(office)) == 2, "both sales of each stand"
    one.shop.till.void("a", VoidRequest(), "void a")
    sync(one, office)
    assert open_cases(office) == ["T2/1/4/coupon.twice"]
    two.shop.till.void("d", VoidRequest(), "void d")
    sync(two, office)
    assert open_cases(office) == []
    with office.store.write():
        closings = [case.closed.by for case in office.store.truth.all_cases(10) if case.closed is not None]
    assert closings == ["head office", "head office"]
    assert verify(office.db) == ()


def test_a_restored_head_office_that_hears_of_the_void_last_leaves_no_case(
    office: HeadOffice, tills: tuple[Linked, Linked], tmp_path: Path
) -> None:
    """T1 took the code and voided the sale, T2 took it after that; then all of it is told again, T2's log first."""
    one, two = tills
    imported(office, "easy", "EASY-1")
    for till in tills:
        sync(till, office)
    saved = tmp_path / "saved.db"
    office.db.execute("VACUUM INTO ?", (str(saved),))
    one.sell("a", "EASY-1")
    one.shop.till.void("a", VoidRequest(), "void a")
    for till in tills:
        sync(till, office)
    assert two.sell("b", "EASY-1") == FULL - 1_000
    sync(two, office)
    assert cases(office) == []
    office.restore(saved)
    for till in (two, one):
        for _ in range(2):
            pull_all(till, office)  # type: ignore[arg-type]
            push_all(till, office)  # type: ignore[arg-type]
    assert cases(office) == [("coupon.twice",)] and open_cases(office) == []
    coupons_right(office, *tills)


def test_codes_that_two_tills_import_are_one_each(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    for till in tills:
        sync(till, office)
        path = till.shop.folder / "codes.txt"
        path.write_text("SAME-1\nSAME-2\n")
        assert main(["import", "coupons", "--config", str(till.shop.config), "--series", "easy", str(path)]) == 0
    for till in tills:
        sync(till, office)
    assert office.rows("SELECT COUNT(*) FROM coupon_code") == [(2,)]
    assert cases(office) == []
    coupons_right(office, *tills)


def test_codes_with_other_dates_are_a_case_and_the_first_stand(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    for till, more in zip(tills, ((), ("--until", "2027-01-31")), strict=True):
        sync(till, office)
        path = till.shop.folder / "codes.txt"
        path.write_text("SAME-1\n")
        assert main(["import", "coupons", "--config", str(till.shop.config), "--series", "easy", str(path), *more]) == 0
    for till in tills:
        sync(till, office)
    assert cases(office) == [("coupon.other",)]
    assert office.rows("SELECT expires_at FROM coupon_code") == [(None,)]
    coupons_right(office, *tills)


SOLD, USED = ("T8", "sale-1"), ("T9", "sale-2")


@pytest.mark.parametrize(
    ("word", "added", "stands"),
    [
        (None, (True, None), (True, None)),
        (None, (False, None), None),
        ((True, None), (True, SOLD), (True, SOLD)),
        ((True, SOLD), (True, None), (True, SOLD)),
        ((True, SOLD), (True, USED), (True, SOLD)),
        ((True, None), (False, None), (False, None)),
        ((False, None), (True, None), (False, None)),
    ],
)
def test_what_a_hub_adds_frees_no_code_and_makes_none_good_again(
    tills: tuple[Linked, Linked], word: Told | None, added: Told, stands: Told | None
) -> None:
    """A till to which head office spoke last: the hub knows of the store's tills alone."""
    db = tills[0].db
    with write(db):
        coupon_words.put_words(db, [] if word is None else [_coupon(word)])
        coupon_words.add_to_words(db, [_coupon(added)])
    assert coupon_words.known(db, ("CODE",)) == ({} if stands is None else {"CODE": _coupon(stands)})
    assert list(verify(db)) == []


def _coupon(told: Told) -> coupon_words.KnownCoupon:
    is_live, taken = told
    till, sale = taken or (None, None)
    return coupon_words.KnownCoupon(
        code="CODE", series="easy", is_live=is_live, is_ours=False, usable_from=None, expires_at=None, taken_till=till,
        taken_sale=sale,
    )  # fmt: skip


def test_many_codes_come_in_pages_with_the_members(
    office: HeadOffice, tills: tuple[Linked, Linked], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "COUPONS_MAX", 3)
    monkeypatch.setattr(steps, "MEMBERS_MAX", 2)
    imported(office, "easy", *(f"PAGE-{n}" for n in range(8)))
    for n in range(5):
        office.give_points(f"G{n}", f"22000000001{n}0", 100)
    imported(office, "easy", *(f"LATE-{n}" for n in range(4)))
    one, _ = tills
    pages = pull_all(one, office)  # type: ignore[arg-type]
    assert len(pages) > 5 and pages[-1].complete
    assert one.db.execute("SELECT COUNT(*) FROM coupon_word").fetchone() == (12,)
    assert one.db.execute("SELECT COUNT(*) FROM member WHERE id LIKE 'G%'").fetchone() == (5,)
    assert pull_all(one, office)[-1].coupons == ()  # type: ignore[arg-type]


def test_the_import_at_head_office_is_a_command(office: HeadOffice, tills: tuple[Linked, Linked]) -> None:
    one, _ = tills
    path = one.shop.folder / "codes.txt"
    path.write_text("HO-CODE-1\n")
    config = str(one.shop.config)
    asked = ["import", "coupons", "--config", config, "--series", "easy", "--database", str(office.path), str(path)]
    assert main(asked) == 0
    sync(one, office)
    assert one.price("HO-CODE-1").total_minor == FULL - 1_000
    assert wiring.settings(one.shop.config).config.till.id == "T1"
