"""Slips of every kind with made-up goods, for a shop to see its own template, and for the golden receipts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from msgspec import field
from msgspec.structs import replace

from pos_loyalty.engine.model import Accrual, Adjustment, Basket, Line, Message, Proof, Quote, QuoteLine, Redemption, Tender
from pos_loyalty.engine.money import vat_in
from pos_loyalty.engine.returns import ReturnedLine
from pos_loyalty.i18n import Language
from pos_loyalty.values import Minor, Points, Thousandths, Value
from receipts.card_slip import CardSlip, compose_card
from receipts.compose import compose
from receipts.compose_return import ReturnSlip, compose_return
from receipts.elements import Element, Image
from receipts.enrolment_slip import ConsentPaper, EnrolmentSlip, compose_enrolment
from receipts.gift_slip import GiftPaper, GiftSlip, compose_gifts
from receipts.look import Look
from receipts.model import PaperCoupon, PointsAt, Receipt, TierProgress
from receipts.self_test import compose_self_test
from receipts.shift_slip import ShiftSlip, compose_shift

ZONE = ZoneInfo("Europe/Moscow")
AT = datetime(2026, 11, 21, 12, 30, 5, tzinfo=ZONE)
SALE_ID = "01968f2a-7c31-7d52-9b1e-5f3a44c0de21"
RECEIPT_NO = "T1-1-000123"
CARD = "•••• 4821"
RATE_BP, LOW_RATE_BP = 2200, 1000
TITLES = {
    "happy-coffee": {"ru": "Счастливый час для участников клуба «Речной»: −10 %", "en": "Happy hour of the River club: −10%"},
    "dairy": {"ru": "Молочный день", "en": "Dairy day"},
}
KINDS = (
    "sale", "plain", "copy", "loyalty", "offers", "exchange", "return", "reversed", "cancelled", "gift_card", "card", "enrolment",
    "shift", "self_test",
)  # fmt: skip


class Shop(Value):
    """What a sample takes from the shop: its template, its logo, and what its printer is told."""

    look: Look = field(default_factory=Look)
    logo: Image | None = None
    columns: int = 48
    page: str = "cp866"
    slot: int = 17
    consent_texts: Mapping[str, str] = field(default_factory=dict)


def sample(kind: str, shop: Shop, language: Language) -> tuple[Element, ...]:
    """A slip of one of ``KINDS``."""
    header = shop.look.header
    match kind:
        case "return":
            return compose_return(replace(_return(), header=header, logo=shop.logo), language)
        case "gift_card":
            return compose_gifts(GiftSlip(header=header, logo=shop.logo, receipt_no=RECEIPT_NO, at=AT, papers=_gifts()), language)
        case "card":
            slip = CardSlip(
                number="2291000004829",
                shown="PL1:2291000004829:7K3MQXDCB4FAHTNE",
                header=header,
                logo=shop.logo,
                footer=shop.look.footer,
            )
            return compose_card(slip, language)
        case "enrolment":
            return compose_enrolment(_enrolment(shop, language), language)
        case "shift":
            return compose_shift(replace(_shift(), header=header), language)
        case "self_test":
            return compose_self_test(shop.columns, shop.page, shop.slot, language)
        case _:
            return compose(replace(sale_sample(kind), look=_look(kind, shop), logo=shop.logo), language)


def sale_sample(kind: str) -> Receipt:
    """The receipt of a sale: as it is, as a copy, undone, exchanged, or with what the member takes along."""
    receipt = full_sale()
    match kind:
        case "plain":
            return plain_sale()
        case "copy":
            return replace(receipt, copy_no=1, is_offline=True)
        case "offers":
            return _offers(receipt)
        case "exchange":
            tenders = (Tender(kind="exchange", amount_minor=Minor(18_000)),)
            return replace(plain_sale(), tenders=tenders, exchanged_no="T1-1-000119")
        case "reversed":
            return replace(receipt, kind="reversed", balance_centi=Points(115_200), waiting=(), expiring=())
        case "cancelled":
            return replace(receipt, kind="cancelled", tenders=(), balance_centi=Points(115_200), waiting=(), expiring=())
        case _:
            return receipt


def full_sale() -> Receipt:
    """Four lines, four reasons, points paid, earned and waiting, a tier ahead, points that run out, cash with change."""
    lines = (
        _line("1", "Кофе в зёрнах «Арабика Сантос», тёмная обжарка, пакет с клапаном, 1 кг", 2000, 149_950, RATE_BP),
        _line("2", "Хлеб бородинский", 1000, 6_490, LOW_RATE_BP),
        replace(_line("3", "Сыр «Костромской» 45 %", 345, 89_900, LOW_RATE_BP), measure="weight"),
        _line("4", "Молоко 3,2 % — 0,93 л", 3000, 9_900, LOW_RATE_BP),
    )
    priced = (
        _quoted(lines[0], 299_900, {"happy-coffee": 29_990}, 10_000),
        _quoted(lines[1], 6_490, {}, 0),
        _quoted(lines[2], 31_016, {"dairy": 3_102}, 0),
        _quoted(lines[3], 29_700, {"dairy": 2_970, "manual": 30}, 0),
    )
    accruals = (
        Accrual(rule="base", centi=Points(16_050), usable_from=AT, expires_at=None),
        Accrual(rule="bonus", centi=Points(2_200), usable_from=_day(2026, 11, 22), expires_at=None),
    )
    redemption = Redemption(centi=Points(10_000), off_minor=Minor(10_000), max_centi=Points(93_000))
    return Receipt(
        receipt_no=RECEIPT_NO,
        sale_id=SALE_ID,
        at=AT,
        basket=_basket(lines),
        quote=_quote(priced, redemption, accruals),
        titles=TITLES,
        tenders=(Tender(kind="cash", amount_minor=Minor(330_000)),),
        card=CARD,
        balance_centi=Points(123_450),
        waiting=(PointsAt(centi=Points(2_200), at=_day(2026, 11, 22)),),
        tier=TierProgress(
            title={"ru": "Серебро", "en": "Silver"},
            next_title={"ru": "Золото", "en": "Gold"},
            missing=124_000,
            by=date(2026, 12, 31),
        ),
        expiring=(PointsAt(centi=Points(2_100), at=_day(2026, 12, 31)),),
    )


def plain_sale() -> Receipt:
    """One line, no member, no discount."""
    line = _line("1", "Эспрессо двойной", 1000, 18_000, RATE_BP)
    return Receipt(
        receipt_no=RECEIPT_NO,
        sale_id=SALE_ID,
        at=AT,
        basket=_basket((line,)),
        quote=_quote((_quoted(line, 18_000, {}, 0),)),
        tenders=(Tender(kind="card", amount_minor=Minor(18_000)),),
    )


def _offers(receipt: Receipt) -> Receipt:
    """A sale that says something, gives a privilege and issues two coupons; the member owes points and has a code."""
    said = Message(rule="news", where="both", text={"ru": "В субботу — дегустация сыров!", "en": "Cheese tasting on Saturday!"})
    unsaid = Message(rule="till", where="screen", text={"ru": "Предложите пакет", "en": "Offer a bag"})
    title = {"ru": "−15 % на весь чек", "en": "15% off the whole receipt"}
    plain = plain_sale()
    return replace(
        receipt,
        basket=plain.basket,
        quote=replace(plain.quote, messages=(said, unsaid)),
        tenders=plain.tenders,
        notes=("Бесплатная доставка — по 21.11.2027",),
        waiting=(PointsAt(centi=Points(2_200), at=_day(2026, 11, 22)), PointsAt(centi=Points(500), at=_day(2026, 12, 5))),
        settled_centi=Points(600),
        owed_centi=Points(1_500),
        tier=TierProgress(title={"ru": "Платина", "en": "Platinum"}, measure="visits"),
        coupons=(
            PaperCoupon(code="NEXT-7K3M-9QXD-R", title=title, usable_from=_day(2026, 11, 22), expires_at=_day(2026, 12, 22)),
            PaperCoupon(code="2200000000019", usable_from=AT, expires_at=_day(2027, 1, 1)),
        ),
        referral_code="ANNA-7K3M",
    )


def _return() -> ReturnSlip:
    return ReturnSlip(
        receipt_no="T1-1-000130",
        sale_till="T1",
        sale_id=SALE_ID,
        at=AT,
        cashier="Ольга К.",
        currency="RUB",
        names={"1": "Кофе в зёрнах «Арабика Сантос», тёмная обжарка, 1 кг", "4": "Молоко 3,2 % — 0,93 л"},
        lines=(
            _returned("1", 1000, 129_955, 5_000),
            _returned("4", 2000, 17_800, 0),
        ),
        charged_minor=Minor(4_900),
        unpaid_minor=Minor(0),
        refund_minor=Minor(142_855),
        tenders=(Tender(kind="card", amount_minor=Minor(142_855)),),
        restored_centi=Points(5_000),
        taken_back_centi=Points(7_300),
        owed_centi=Points(250),
        balance_centi=Points(0),
        withdrawn=("NEXT-7K3M-9QXD-R", "COFFEE-2B4F-T"),
        withdrawn_used=("COFFEE-2B4F-T",),
    )


def _gifts() -> tuple[GiftPaper, ...]:
    first = GiftPaper(
        label="C0DE21",
        title={"ru": "С днём рождения!", "en": "Happy birthday!"},
        amount_minor=Minor(300_000),
        currency="RUB",
        code="PLG1|7K3M9QXD2B4F8HTN",
        pin=None,
        expires_at=_day(2027, 11, 22),
        is_bought=True,
    )
    return first, replace(first, label="C0DE22", title={}, code="9908123456781234", pin="4821", is_bought=False)


def _enrolment(shop: Shop, language: Language) -> EnrolmentSlip:
    texts = SAMPLE_TEXTS[language]
    return EnrolmentSlip(
        header=shop.look.header,
        number="01968F2A",
        at=AT,
        cashier="Ольга К.",
        card=CARD,
        consents=(
            ConsentPaper(purpose="data", version="2026-11", text=shop.consent_texts.get("data") or texts["data"]),
            ConsentPaper(purpose="advertising", version="2", text=shop.consent_texts.get("advertising") or texts["advertising"]),
        ),
    )


SAMPLE_TEXTS: Mapping[Language, Mapping[str, str]] = {
    "ru": {
        "data": "Здесь стоит текст согласия из config.toml, таблица [consent], ключ data_text: кто и зачем хранит данные.",
        "advertising": "Здесь стоит текст из ключа advertising_text: какие сообщения и как от них отказаться.",
    },
    "en": {
        "data": "The text of data_text in the table [consent] of config.toml stands here: who keeps which data, and what for.",
        "advertising": "The text of advertising_text stands here: which messages, and how to stop them.",
    },
}


def _shift() -> ShiftSlip:
    return ShiftSlip(
        till="T1",
        day=date(2026, 11, 21),
        at=AT,
        currency="RUB",
        sales=184,
        with_card=121,
        gross_minor=Minor(24_518_000),
        total_minor=Minor(22_904_150),
        due_minor=Minor(22_410_650),
        accrued_centi=Points(1_120_500),
        redeemed_centi=Points(493_500),
        reversed_sales=1,
        reversed_minor=Minor(18_000),
        cancelled_sales=2,
        returns=3,
        refunded_minor=Minor(161_200),
        restored_centi=Points(5_000),
        taken_centi=Points(7_300),
        paid={"card": 16_240_500, "cash": 6_020_150, "gift": 150_000},
        paid_back={"card": 142_855, "cash": 18_345},
    )


def _look(kind: str, shop: Shop) -> Look:
    return replace(shop.look, is_extra=True) if kind == "loyalty" else shop.look


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=ZONE)


def _line(line_id: str, name: str, milli: int, price: int, vat_bp: int) -> Line:
    return Line(
        line_id=line_id,
        sku=f"46000000000{line_id}",
        name=name,
        quantity_milli=Thousandths(milli),
        price_minor=Minor(price),
        vat_bp=vat_bp,
    )


def _quoted(line: Line, gross: int, off: dict[str, int], points_minor: int) -> QuoteLine:
    net = gross - sum(off.values())
    return QuoteLine(
        line_id=line.line_id,
        gross_minor=Minor(gross),
        net_minor=Minor(net),
        points_minor=Minor(points_minor),
        vat_minor=vat_in(net - points_minor, line.vat_bp),
        adjustments=tuple(Adjustment(rule=rule, off_minor=Minor(minor)) for rule, minor in off.items()),
        fiscal=(),
    )


def _returned(line_id: str, milli: int, refund: int, points_minor: int) -> ReturnedLine:
    return ReturnedLine(
        line_id=line_id,
        quantity_milli=Thousandths(milli),
        units=(),
        progress_minor=Minor(0),
        fiscal=(),
        refund_minor=Minor(refund),
        points_minor=Minor(points_minor),
    )


def _basket(lines: tuple[Line, ...]) -> Basket:
    return Basket(basket_id="T1-000123", store="S1", till="T1", opened_at=AT, currency="RUB", lines=lines, cashier="Ольга К.")


def _quote(lines: tuple[QuoteLine, ...], redemption: Redemption | None = None, accruals: tuple[Accrual, ...] = ()) -> Quote:
    total = sum(line.net_minor for line in lines)
    redemption = redemption or Redemption(centi=Points(0), off_minor=Minor(0), max_centi=Points(0))
    return Quote(
        basket_id="T1-000123",
        programme="shop@7#sha256:00",
        at=AT,
        member_id="M1",
        gross_minor=Minor(sum(line.gross_minor for line in lines)),
        total_minor=Minor(total),
        due_minor=Minor(total - redemption.off_minor),
        lines=lines,
        redemption=redemption,
        accruals=accruals,
        applied=(),
        refusals=(),
        proof=Proof(value_minor=Minor(0), bound_minor=Minor(0), proven=True, nodes=0),
    )
