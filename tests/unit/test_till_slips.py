"""What the till prints by its template: beside the host's receipt, with a faulty logo, what was agreed to, and the shift."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from pos_loyalty import wiring
from pos_loyalty.cli.main import main
from pos_loyalty.engine.model import Lot, Tender
from pos_loyalty.errors import ConfigError
from pos_loyalty.till.model import EnrolRequest, QuoteRequest, SaleRequest, VoidRequest
from pos_loyalty.till.receipt_of import expiring, waiting
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import Minor, Points, Thousandths
from receipts.self_test import self_test_bytes
from tests.emulators.escpos import judge
from tests.shop import CONFIG, NOW, OTHER_CARD, PROGRAMME, Shop, make_basket

PRINTER = CONFIG + '\n[printer]\nkind = "file"\npath = "printed.bin"\n'


def _papers(shop: Shop) -> list[tuple[str, str]]:
    """Kind and text of every slip that was queued."""
    return [(kind, "".join(slip.text for slip in judge(body).slips)) for kind, body in shop.slips()]


def _sell_to_nobody(shop: Shop, sale_id: str, tender: str = "cash", given_minor: int | None = None) -> Minor:
    quote = shop.till.quote(QuoteRequest(basket=replace(make_basket(), basket_id=sale_id, opened_at=shop.now)))
    assert quote.quote_id is not None
    paid = (Tender(kind=tender, amount_minor=Minor(quote.due_minor if given_minor is None else given_minor)),)
    request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True, tenders=paid)
    shop.till.authorise(request, f"key {sale_id}")
    return quote.due_minor


def test_beside_the_hosts_printer_only_members_get_a_slip(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER + '[receipt]\nsale = "loyalty"\n')
    _sell_to_nobody(shop, "sale-1")
    assert _papers(shop) == []
    shop.sell("sale-2")
    ((kind, text),) = _papers(shop)
    assert kind == "sale" and "БОНУСНЫЙ ЧЕК" in text and "БАЛЛЫ" in text and "К ОПЛАТЕ" not in text
    shop.till.return_goods("sale-1", ReturnRequest(return_id="r1", all=True), "key r1")
    assert len(_papers(shop)) == 1


def test_the_template_of_the_config_is_the_one_that_is_printed(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(
        PRINTER + '[receipt]\nsections = ["footer", "points", "header"]\nheader = { ru = ["Лавка"], en = ["Shop"] }\n'
        'footer = ["До встречи"]\n'
    )
    shop.sell("sale-1")
    ((_, text),) = _papers(shop)
    assert text.index("До встречи") < text.index("БАЛЛЫ") < text.index("Лавка")
    assert "К ОПЛАТЕ" not in text
    assert "Shop" in shop.till.receipt_text("sale-1", "en")


def test_a_faulty_logo_never_stops_a_sale_and_is_told(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER + '[receipt]\nlogo = "logo.png"\n')
    shop.sell("sale-1")
    assert "К ОПЛАТЕ" in _papers(shop)[0][1]
    assert [text for text in shop.till.health().problems if "without the logo" in text and "logo.png" in text]
    with pytest.raises(ConfigError, match=r"receipt\.logo"):
        wiring.check_files(wiring.settings(shop.config))


def test_words_that_the_code_page_lacks_are_found_before_the_first_receipt(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER + '[receipt]\nfooter = ["До встречи 🙂"]\n')
    with pytest.raises(ConfigError, match=r"receipt\.footer.*🙂"):
        wiring.check_files(wiring.settings(shop.config))


def test_what_a_new_member_agreed_to_is_printed_to_be_signed(make_shop: Callable[..., Shop]) -> None:
    consent = '[consent]\ndata = "2026-11"\ndata_text = { ru = "Магазин хранит имя.\\nВы можете отозвать согласие." }\n'
    shop = make_shop(PRINTER + consent + "[receipt]\nconsent_slip = true\n")
    shop.till.enrol(EnrolRequest(card=OTHER_CARD, name="Анна Петрова", consents=("data",), cashier="Ольга"), "key e")
    ((kind, text),) = _papers(shop)
    assert kind == "enrolment"
    for words in ("Магазин хранит имя.", "Вы можете отозвать согласие.", "2026-11", "Подпись", "0026"):
        assert words in text
    assert "Петрова" not in text and OTHER_CARD not in text and "рекламные" not in text
    shop.till.enrol(EnrolRequest(phone="+79161234567"), "key e2")
    assert len(_papers(shop)) == 1


def test_no_consent_slip_unless_asked_for(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    shop.till.enrol(EnrolRequest(card=OTHER_CARD, consents=("data",)), "key e")
    assert _papers(shop) == []


def test_the_shift_report_adds_up_what_stands_in_the_store(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    due = _sell_to_nobody(shop, "sale-1", given_minor=500_000)
    _sell_to_nobody(shop, "sale-2", "card")
    _sell_to_nobody(shop, "sale-3")
    shop.sell("sale-4")
    shop.till.void("sale-3", VoidRequest(), "key v")
    back = ReturnRequest(
        return_id="r1", lines=(LineBack(line_id="1", quantity_milli=Thousandths(1000)),), tenders=(), cashier="C7"
    )
    refund = shop.till.return_goods("sale-2", back, "key r").refund_minor
    shop.now += timedelta(days=1)
    _sell_to_nobody(shop, "sale-5")
    said = wiring.shift_text(shop.config, (shop.now - timedelta(days=1)).date(), "en")
    rows = {line[:30].strip(): line[30:].strip() for line in said.splitlines()}
    sold = shop.db.execute("SELECT SUM(due_minor), SUM(accrued_centi) FROM sale WHERE sale_id IN ('sale-1', 'sale-2', 'sale-4')")
    total, accrued = sold.fetchone()
    assert rows["Sales: 3"] == f"{total / 100:,.2f} RUB"
    assert rows["of them with a card"] == "1"
    assert rows["Voided: 1"] == f"{due / 100:,.2f}"
    assert rows["Returns: 1"] == f"−{refund / 100:,.2f} RUB"
    assert rows["Card"].split() and f"{due / 100:,.2f}" in said.split("RECEIVED")[1]
    assert rows["Earned"] == f"+{accrued / 100:g} points"
    received = {line[:30].strip(): line[30:].strip() for line in said.split("RECEIVED")[1].split("TOTAL")[0].splitlines()}
    assert received["Cash"] == f"{(total - due) / 100:,.2f}"  # the change is not in the drawer


def test_the_shift_report_is_printed_again_as_often_as_asked(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    _sell_to_nobody(shop, "sale-1")
    for copy in range(2):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            day = str(shop.now.date())
            assert main(["receipt", "shift", "--day", day, "--print", "--config", str(shop.config)]) == 0
        assert "ОТЧЁТ ЗА СМЕНУ" in out.getvalue() and "queued" in out.getvalue()
        assert [kind for kind, _ in _papers(shop)].count("shift") == copy + 1


def test_what_runs_out_within_a_month_is_told_by_date_and_of_the_rest_only_the_next() -> None:
    def lot(name: str, centi: int, days: int | None, *, usable_in: int = -1) -> Lot:
        ends = None if days is None else NOW + timedelta(days=days)
        return Lot(lot_id=name, centi=Points(centi), usable_from=NOW + timedelta(days=usable_in), expires_at=ends)

    def told(*lots: Lot) -> list[tuple[int, int]]:
        return [((each.at - NOW).days, each.centi) for each in expiring(lots, NOW)]

    far, later = lot("far", 500, 100), lot("later", 70, 200)
    assert told() == told(lot("ever", 900, None)) == told(lot("gone", 900, -3)) == []
    assert told(later, far) == [(100, 500)]
    assert told(lot("a", 100, 20), lot("b", 30, 5), lot("c", 7, 20), far) == [(5, 30), (20, 107)]
    assert told(*(lot(str(day), day, day) for day in range(1, 9))) == [(1, 1), (2, 2), (3, 3)]
    (soon,) = waiting((lot("w", 5, 90, usable_in=9), lot("v", 6, 60, usable_in=9), far), NOW)
    assert (soon.at, soon.centi) == (NOW + timedelta(days=9), 11)


def test_a_tier_ahead_is_told_on_the_receipt(make_shop: Callable[..., Shop]) -> None:
    tiers = (
        '\n[tiers]\nwindow = "calendar"\nmonths = 12\n[[tier]]\nid = "base"\ntitle = { ru = "База" }\nfrom_spent = "0"\n'
        '[[tier]]\nid = "gold"\ntitle = { ru = "Золото" }\nfrom_spent = "10000"\n'
    )
    shop = make_shop(PRINTER)
    shop.publish(PROGRAMME.replace("version = 1", "version = 2") + tiers)
    answer = shop.sell("sale-1")
    missing = 1_000_000 - answer.quote.total_minor
    text = " ".join(shop.till.receipt_text("sale-1", "ru").split())
    assert f"Осталось до «Золото» по 31.12.2026 {missing // 100:,}".replace(",", " ") in text


def test_the_self_test_page_goes_the_way_of_every_receipt_and_tries_every_likely_slot(
    make_shop: Callable[..., Shop], capsys: pytest.CaptureFixture[str]
) -> None:
    shop = make_shop(PRINTER)
    config = str(shop.folder / "config.toml")
    assert [main(["receipt", "self-test", "--config", config]) for _ in range(2)] == [0, 0]
    assert capsys.readouterr().out.count("queued") == 2
    rows = shop.db.execute("SELECT kind, state, body FROM print_job").fetchall()
    assert [row[:2] for row in rows] == [("self_test", "queued")] * 2
    (body,) = {row[2] for row in rows}
    assert body == self_test_bytes(columns=48, page="cp866", slot=17, language="ru")


def test_without_a_printer_there_is_nothing_to_test(make_shop: Callable[..., Shop], capsys: pytest.CaptureFixture[str]) -> None:
    shop = make_shop(CONFIG)
    assert main(["receipt", "self-test", "--config", str(shop.folder / "config.toml")]) != 0
    assert "No printer stands in the till's config" in capsys.readouterr().err
