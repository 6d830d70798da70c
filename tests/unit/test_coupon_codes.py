"""Unique codes from outside: imported, again, in part, made for print; used once at a till; forged rows found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.symbology import scan_of
from pos_loyalty.cli.main import main
from pos_loyalty.engine.check_digits import has_check
from pos_loyalty.engine.model import Quote
from pos_loyalty.reports.coupons import as_lines, coupon_report
from pos_loyalty.store import coupon_import
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import CancelRequest, QuoteRequest, VoidRequest
from tests.shop import CARD, PROGRAMME, Shop, make_basket

COUPONS = """
[[coupon]]
id = "flyer"
[[coupon]]
id = "ean"
prefix = "99"
digits = 11
check = "mod10"
[[coupon]]
id = "all"
code = "SPRING"
[[coupon]]
id = "loose"
prefix = "77"
digits = 11
check = "mod10"
unique = false
[[rule]]
id = "flyer-coupon"
stage = "order"
when = [{ is = "coupon", series = "flyer" }]
then = [{ do = "amount", amount = "20.00" }]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path, programme=PROGRAMME + COUPONS)
    yield made
    made.close()


def take_in(shop: Shop, text: str, *more: str, series: str = "flyer") -> int:
    path = shop.folder / "codes.csv"
    path.write_text(text, encoding="utf-8")
    return main(["import", "coupons", "--config", str(shop.config), "--series", series, str(path), *more])


def codes(shop: Shop) -> list[str]:
    return [code for (code,) in shop.db.execute("SELECT code FROM coupon_code ORDER BY code")]


def price(shop: Shop, *presented: str) -> Quote:
    return shop.till.quote(QuoteRequest(basket=make_basket(coupons=presented), card=CARD))


def refusal(quote: Quote) -> str:
    return next((each.have for each in quote.refusals if each.rule == "coupon"), "") or next(
        each.have for each in quote.refusals if each.condition == "coupon"
    )


def test_codes_are_taken_in_and_again_changes_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(shop, "aaaa-1\nAAAA-2\n\n AAAA-3 \nAAAA-1\n") == 0
    assert "3 codes added, 0 here already, 1 twice in the file, 0 refused" in capsys.readouterr().out
    assert codes(shop) == ["AAAA-1", "AAAA-2", "AAAA-3"]
    before = shop.rows()
    assert take_in(shop, "AAAA-1\nAAAA-2\nAAAA-3\n") == 0
    assert "0 codes added, 3 here already" in capsys.readouterr().out
    assert {**shop.rows(), "idempotency": []} == {**before, "idempotency": []}
    assert verify(shop.db) == ()


def test_an_import_that_was_cut_off_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coupon_import, "CODES_OF_FACT", 2)
    wanted = [f"CODE-{n}" for n in range(7)]
    take_in(shop, "\n".join(wanted[:3]))
    take_in(shop, "\n".join(wanted))
    assert codes(shop) == wanted
    facts = [
        fact_of(payload) for (payload,) in shop.db.execute("SELECT payload FROM txn WHERE kind = 'coupons.added' ORDER BY seq")
    ]
    assert sorted(code for fact in facts if fact.coupons for code in fact.coupons.codes) == wanted
    assert max(len(fact.coupons.codes) for fact in facts if fact.coupons) == 2
    assert verify(shop.db) == ()


def test_every_bad_row_is_refused_with_its_reason(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(shop, "FLYER-0001\n") == 0
    capsys.readouterr()
    text = "name;code\nx;SPRING\nx;A\nx;7700000000123\nx;GOOD-0001\n"
    assert take_in(shop, text, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["added"], told["refused_rows"]) == (4, 1, 3)
    assert [(row["line"], row["why"]) for row in told["refused"]] == [
        (2, "is the code that all coupons of all share"),
        (3, "has 1 signs; a code has 4 to 64"),
        (4, "looks like a code of loose, which nobody looks up"),
    ]
    assert take_in(shop, "FLYER-0001\n9900000000127\n9900000000128\n", "--json", series="ean") == 1
    whys = [row["why"] for row in json.loads(capsys.readouterr().out)["refused"]]
    assert whys == ['is not "99" and 11 digits, as codes of ean are', "is mistyped: its check digits do not fit"]
    assert take_in(shop, "FLYER-0001\n", "--until", "2027-01-31") == 1
    assert "other dates" in capsys.readouterr().err


def test_a_dry_run_writes_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    before = shop.rows()
    assert take_in(shop, "AAAA-1\n", "--dry-run") == 0
    assert "1 would be added" in capsys.readouterr().out
    assert shop.rows() == before


@pytest.mark.parametrize(
    ("series", "said"), [("none", "is not a [[coupon]] series"), ("all", "share"), ("loose", "nobody looks")]
)
def test_a_series_without_own_codes_takes_none(shop: Shop, capsys: pytest.CaptureFixture[str], series: str, said: str) -> None:
    assert take_in(shop, "AAAA-1\n", series=series) == 2
    assert said in capsys.readouterr().err


def test_an_imported_code_is_used_once(shop: Shop) -> None:
    take_in(shop, "AAAA-1\n", "--from", "2026-11-01", "--until", "2026-11-30")
    assert price(shop, "aaaa-1").total_minor == 27_000 - 2_000
    assert price(shop, "AAAA-9").total_minor == 27_000
    basket = make_basket(coupons=("AAAA-1",))
    request = shop.ask(basket)
    shop.till.authorise(request, "k1")
    assert refusal(price(shop, "AAAA-1")) == "used:AAAA-1"
    shop.till.cancel("sale-1", CancelRequest(), "k2")
    assert price(shop, "AAAA-1").total_minor == 25_000
    shop.till.authorise(replace(shop.ask(basket), sale_id="sale-2", complete=True), "k3")
    assert price(shop, "AAAA-1").total_minor == 27_000
    shop.till.void("sale-2", VoidRequest(), "k4")
    assert price(shop, "AAAA-1").total_minor == 25_000
    assert verify(shop.db) == ()


def test_a_code_is_good_on_its_days_only(shop: Shop) -> None:
    take_in(shop, "LATE-1\n", "--from", "2026-11-22")
    take_in(shop, "PAST-1\n", "--until", "2026-11-20")
    take_in(shop, "TODAY-1\n", "--from", "2026-11-21", "--until", "2026-11-21")
    assert [price(shop, code).total_minor for code in ("LATE-1", "PAST-1", "TODAY-1")] == [27_000, 27_000, 25_000]


def test_a_print_run_is_made_once_and_known(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    out = shop.folder / "run.txt"
    asked = ["coupons", "make", "--config", str(shop.config), "--series", "flyer", "--count", "50", "--out", str(out)]
    assert main(asked) == 0
    made = out.read_text().split()
    assert len(set(made)) == 50 and {len(code) for code in made} == {39}
    assert sorted(made) == codes(shop)
    assert price(shop, made[0]).total_minor == 25_000
    assert main(asked) == 2, "the file is there"
    capsys.readouterr()
    ean = ["coupons", "make", "--config", str(shop.config), "--series", "ean", "--out", str(shop.folder / "ean.txt"), "--count"]
    assert main([*ean, "20"]) == 0
    assert all(
        code.startswith("99") and len(code) == 13 and has_check(code, "mod10")
        for code in (shop.folder / "ean.txt").read_text().split()
    )
    assert oct(out.stat().st_mode & 0o777) == "0o600"


def test_no_code_of_a_print_run_is_taken_for_a_payment_card(shop: Shop) -> None:
    out = shop.folder / "run.txt"
    asked = ["coupons", "make", "--config", str(shop.config), "--series", "flyer", "--count", "1000", "--out", str(out)]
    assert main(asked) == 0
    assert {scan_of(code, ()).kind for code in out.read_text().split()} == {"code"}


def test_a_series_whose_codes_are_all_like_payment_cards_is_not_printed(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    like_visa = 'prefix = "42"\ndigits = 14\ncheck = "luhn"'
    series = COUPONS.replace('id = "flyer"\n', f'id = "flyer"\n{like_visa}\n')
    shop.publish((PROGRAMME + series).replace("version = 1", "version = 2"))
    out = shop.folder / "visa.txt"
    assert main(["coupons", "make", "--config", str(shop.config), "--series", "flyer", "--count", "5", "--out", str(out)]) == 2
    assert "look like payment cards" in capsys.readouterr().err and not out.exists()


def test_a_series_with_few_digits_is_not_printed_in_masses(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.publish((PROGRAMME + COUPONS).replace("version = 1", "version = 2").replace("digits = 11", "digits = 6"))
    out = str(shop.folder / "few.txt")
    assert main(["coupons", "make", "--config", str(shop.config), "--series", "ean", "--count", "5000", "--out", out]) == 2
    assert "soon guessed" in capsys.readouterr().err


def test_verify_finds_a_forged_code_and_a_lost_one(shop: Shop) -> None:
    take_in(shop, "AAAA-1\nAAAA-2\n")
    (txn,) = shop.db.execute("SELECT txn FROM coupon_code LIMIT 1").fetchone()
    with write(shop.db):
        shop.db.execute("INSERT INTO coupon_code (code, series, txn) VALUES ('FORGED-01', 'flyer', ?)", (txn,))
    assert [said for said in verify(shop.db) if "not what the log says" in said] != []
    with write(shop.db):
        shop.db.execute("DELETE FROM coupon_code WHERE code <> 'AAAA-1'")
    assert any("is missing" in said for said in verify(shop.db))
    with write(shop.db):
        (other,) = shop.db.execute("SELECT id FROM txn WHERE kind <> 'coupons.added' LIMIT 1").fetchone()
        shop.db.execute("INSERT INTO coupon_code (code, series, txn) VALUES ('FORGED-02', 'flyer', ?)", (other,))
    assert any("a fact that added no codes" in said for said in verify(shop.db))


def test_the_report_counts_by_series(shop: Shop) -> None:
    take_in(shop, "AAAA-1\nAAAA-2\nAAAA-3\n")
    for n in (1, 2):
        request = shop.ask(make_basket(coupons=(f"AAAA-{n}",)))
        shop.till.authorise(replace(request, sale_id=f"s{n}", complete=n == 1), f"k{n}")
    report = coupon_report(shop.folder / "till.db")
    row = next(row for row in report.series if row.series == "flyer")
    assert (row.made, row.reserved, row.used, row.twice, row.given_minor) == (3, 1, 1, 0, 2_000)
    assert "flyer" in as_lines(report, "RUB") and report.unconfirmed == 0
