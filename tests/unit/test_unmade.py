"""A receipt that is composed after its sale says what it would have said at once, down to the byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from pos_loyalty import wiring
from pos_loyalty.config import PrinterConfig
from pos_loyalty.errors import InputError
from pos_loyalty.i18n import Language
from pos_loyalty.till.unmade import SlipMaker, kept
from pos_loyalty.values import Points
from receipts.compose import compose
from receipts.escpos import to_escpos
from receipts.logo import logo
from receipts.model import PointsAt
from receipts.samples import full_sale, plain_sale, sale_sample
from tests.emulators.escpos import judge
from tests.golden.samples import FOLDER, LOOK
from tests.shop import CONFIG, MEMBER, PROGRAMME, Shop

PRINTER = CONFIG + '\n[printer]\nkind = "file"\npath = "printed.bin"\n'
KINDS = ("full", "plain", "copy", "reversed", "cancelled", "offers")
ZONE = "Europe/Moscow"


def _said(shop: Shop, place: int = 0) -> str:
    return "".join(slip.text for slip in judge(shop.slips()[place][1]).slips)


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_gives_the_same_bytes_later(
    make_shop: Callable[..., Shop], kind: str, language: Language, columns: int
) -> None:
    known = wiring.settings(make_shop(PRINTER).config).config
    config = replace(known, printer=PrinterConfig(kind="file", path="x", columns=columns))
    receipt = replace(sale_sample(kind), look=LOOK)
    receipt = replace(receipt, at=receipt.at.astimezone(ZoneInfo(ZONE)), logo=None)
    at_once = to_escpos(compose(receipt, language), columns=columns, page="cp866", slot=17)
    later = kept(receipt, language, ZONE)
    assert SlipMaker(config)(later) == SlipMaker(config)(later) == at_once


def test_the_logo_comes_back(make_shop: Callable[..., Shop]) -> None:
    place = FOLDER.parent / "logo.bmp"
    known = wiring.settings(make_shop(PRINTER + f'[receipt]\nlogo = "{place}"\n').config).config
    receipt = replace(plain_sale(), look=LOOK, logo=logo(place, 576))
    at_once = to_escpos(compose(receipt, "ru"), columns=48, page="cp866", slot=17)
    later = kept(receipt, "ru", ZONE)
    assert len(later) < len(at_once) + 4000 and b"\x1dv0" in at_once
    assert SlipMaker(known)(later) == at_once


def test_the_dates_of_another_season_are_those_of_the_shop(make_shop: Callable[..., Shop]) -> None:
    """In November it is one o'clock earlier in Berlin than in July: an offset alone would tell the day before."""
    known = wiring.settings(make_shop(PRINTER).config).config
    zone = ZoneInfo("Europe/Berlin")
    night = datetime(2027, 7, 1, 22, 30, tzinfo=UTC)
    receipt = replace(full_sale(), look=LOOK, logo=None, at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC).astimezone(zone))
    receipt = replace(receipt, expiring=(PointsAt(centi=Points(7700), at=night),))
    at_once = to_escpos(compose(receipt, "ru"), columns=48, page="cp866", slot=17)
    assert SlipMaker(known)(kept(receipt, "ru", "Europe/Berlin")) == at_once


def test_the_balance_is_that_of_the_sale_however_late_it_is_printed(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(PRINTER)
    shop.sell("sale-1", redeem="max")
    first = shop.till.receipt_text("sale-1", "ru")
    balance = next(line for line in first.splitlines() if "баланс" in line.lower() or "остаток" in line.lower())
    shop.sell("sale-2", redeem="max")
    shop.publish(PROGRAMME.replace("version = 1", "version = 2").replace("Кофе -10%", "Другое"))
    assert shop.usable_centi(MEMBER) != 0
    later = _said(shop)
    assert " ".join(balance.split()) in " ".join(later.split())
    assert "Кофе -10%" in later and "Другое" not in later
    assert shop.till.receipt_text("sale-1", "ru") != first, "the receipt as it would be told now is another one"


def test_what_a_job_of_another_version_holds_is_refused(make_shop: Callable[..., Shop]) -> None:
    known = wiring.settings(make_shop(PRINTER).config).config
    with pytest.raises(InputError):
        SlipMaker(known)(b'{"language":"ru","zone":"Europe/Moscow","has_logo":false,"receipt":{},"new":1}')
