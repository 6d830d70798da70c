"""What people are told of a quote: a sentence in both languages for every condition and every kind of token."""

# ruff: noqa: E501 — one case a row reads better than one case in six rows

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from pos_loyalty.engine import load_programme
from pos_loyalty.engine.conditions import Condition
from pos_loyalty.engine.explain import (
    Language,
    beaten_text,
    floor_text,
    hint_text,
    is_told,
    issue_text,
    line_refusal_text,
    privilege_text,
    redemption_text,
    refusal_reason,
    refusal_text,
    title_of,
    told,
    told_to_member,
)
from pos_loyalty.engine.model import (
    Beaten,
    FloorStop,
    Hint,
    HintAdd,
    Issue,
    LineRefusal,
    Proof,
    Quote,
    Redemption,
    Refusal,
)
from pos_loyalty.engine.phrases import CONDITIONS
from pos_loyalty.engine.returnable import PointsFor
from pos_loyalty.values import Minor, Points, Thousandths
from tests.worlds import HEAD, NOW, programme

SHOP = programme(
    """
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
[[tier]]
id = "gold"
title = { ru = "Золото", en = "Gold" }
[[coupon]]
id = "summer"
title = { ru = "Лето", en = "Summer" }
[[plan]]
id = "club"
sku = "900"
days = 365
title = { ru = "Клуб", en = "The club" }
[[rule]]
id = "cheese"
stage = "item"
title = { ru = "Три сыра", en = "Three cheeses" }
then = [{ do = "percent", percent = "5%" }, { do = "privilege", name = "queue", title = { ru = "Без очереди", en = "No queue" } }]
[[rule]]
id = "bare"
stage = "order"
when = [{ is = "coupon", series = "summer" }, { is = "customer", tier_from = "silver" }]
then = [{ do = "percent", percent = "5%" }]
"""
)

REASONS: list[tuple[str, str, str, str, str]] = [
    # condition, have, need, ru, en
    ("basket_amount", "1499.99", "1500.00", "нужна сумма от 1 500,00, сейчас 1 499,99", "needs 1,500.00, there is 1,499.99"),
    ("basket_amount", "400.00", "at_most:300.00", "сумма выше 300,00: 400,00", "400.00 is more than 300.00"),
    ("ladder", "499.99", "500.00", "первая ступень — от 500,00, сейчас 499,99", "the first step is 500.00, there is 499.99"),
    ("ladder", "visits:2", "visits:5", "первая ступень — от покупок: 5, сейчас покупок: 2", "the first step is purchases: 5, there is purchases: 2"),
    ("basket_qty", "2", "3", "нужно 3 шт., в чеке 2", "needs 3, the receipt has 2"),
    ("quantity", "2", "3", "нужно 3 шт., в чеке 2", "needs 3, the receipt has 2"),
    ("contains", "goods:1|0", "goods:2|1", "нужно 2 + 1 шт. по набору, в чеке 1 + 0 шт. по набору", "needs 2 + 1 of the set, the receipt has 1 + 0 of the set"),
    ("customer", "none", "member", "нужна карта участника", "needs a member's card"),
    ("customer", "none", "tier:gold", "нужно: уровень «Золото»", "needs tier “Gold”"),
    ("customer", "tier:silver", "tier:gold|platinum", "нужно: уровень «Золото» или «platinum»; сейчас уровень «Серебро»", "needs tier “Gold” or “platinum”; now tier “Silver”"),
    ("customer", "no_tier", "tier_from:silver", "нужно: уровень «Серебро» или выше; уровня пока нет", "needs tier “Silver” or higher; no tier yet"),
    ("customer", "not_segment", "segment:a|b", "нужно: группа покупателей a или b", "needs the group a or b"),
    ("customer", "not_staff", "staff", "нужно: карта сотрудника", "needs a card of staff"),
    ("customer", "staff", "not_staff", "нужно: покупатель не из сотрудников; предъявлена карта сотрудника", "needs somebody who is not staff; the card is one of staff"),
    ("customer", "not_paid", "paid", "нужно: оплаченная подписка", "needs a paid membership"),
    ("customer", "member", "none", "нужно: покупка без карты; предъявлена карта", "needs a sale without a card; a card was shown"),
    ("birthday", "days:12", "birthday:3|7", "нужно: с 3 дн. до дня рождения по 7 дн. после; до начала 12 дн.", "needs from 3 days before the birthday to 7 days after; 12 days until then"),
    ("birthday", "days:12", "birthday:0|0", "нужно: в сам день дня рождения; до начала 12 дн.", "needs on the birthday itself; 12 days until then"),
    ("birthday", "unknown", "birthday:3|7", "касса этого не знает, а нужно: с 3 дн. до дня рождения по 7 дн. после", "the till does not know; needed: from 3 days before the birthday to 7 days after"),
    ("birthday", "entered_days:2", "entered_days:7", "нужно: дата, указанная за 7 дн. до этого; дата указана 2 дн. назад", "needs a date entered 7 days ago; the date was entered 2 days ago"),
    ("named_date", "no_date", "named_date:child|3|0", "нужно: с 3 дн. до даты «child» по 0 дн. после; дата не указана", "needs from 3 days before the date “child” to 0 days after; no such date is known"),
    ("profile", "not_profile", "profile:pet|cat|dog", "нужно: анкета: pet = cat или dog", "needs profile: pet = cat or dog"),
    ("profile", "not_profile", "profile:pet", "нужно: анкета: pet", "needs profile: pet"),
    ("any", "holds:when / none", "not:when / member", "нужно: не в это время или карта участника; есть: в это время или покупка без карты", "needs not at this time or a member's card; there is at this time or a sale without a card"),
    ("first_purchase", "nth:4", "nth:1", "нужна 1-я покупка, эта — 4-я", "needs the 1st purchase, this is the 4th"),
    ("nth_purchase", "nth:11", "every:5", "нужна каждая 5-я покупка, эта — 11-я", "needs every 5th purchase, this is the 11th"),
    ("counter", "4", "6", "действует на каждую 6-ю штуку, сейчас 4", "acts on every 6th unit, this makes 4"),
    ("history", "499.99", "500.00", "нужно: 500,00; сейчас 499,99", "needs 500.00; now 499.99"),
    ("history", "visits:2", "visits:3", "нужно: покупок: 3; сейчас покупок: 2", "needs purchases: 3; now purchases: 2"),
    ("history", "bought", "not_bought", "для тех, кто таких товаров ещё не покупал", "for those who never bought such goods"),
    ("history", "not_bought", "bought", "для тех, кто уже покупал такие товары", "for those who bought such goods before"),
    ("coupon", "none", "coupon:summer", "нужен купон «Лето»", "needs the coupon “Summer”"),
    ("coupon", "ended:2026-08-31|S-1", "coupon:summer", "купон S-1 закончился 31.08.2026", "the coupon S-1 ended on 31 Aug 2026"),
    ("coupon", "begins:2026-06-01|S-1", "coupon:summer", "купон S-1 начнёт действовать 01.06.2026", "the coupon S-1 begins on 1 Jun 2026"),
    ("coupon", "used:S-1", "coupon:summer", "купон S-1 уже использован", "the coupon S-1 is used up"),
    ("coupon", "unknown:S-1", "coupon", "купона S-1 нет в этой программе", "the coupon S-1 is not of this programme"),
    ("coupon", "check:S-1", "coupon", "в номере купона S-1 опечатка", "the coupon S-1 is mistyped"),
    ("coupon", "per_receipt:S-1", "per_receipt:1", "купон S-1 в этот чек уже не идёт", "the coupon S-1 is one too many for this receipt"),
    ("coupon", "S-1 ended on 2026-08-31", "a coupon in its dates", "купон S-1 закончился 31.08.2026", "the coupon S-1 ended on 31 Aug 2026"),
    ("when", "2026-11-21 05:59", "when:2026-11-01..2026-11-20|fri,sat|22:00-06:00", "действует с 01.11.2026 по 20.11.2026 пт, сб 22:00–06:00; сейчас 21.11.2026 05:59", "acts from 1 Nov 2026 to 20 Nov 2026 Fri, Sat 22:00–06:00; it is 21 Nov 2026 05:59"),
    ("when", "2026-11-21 05:59", "when:..2026-11-20|@Asia/Tokyo", "действует по 20.11.2026 (Asia/Tokyo); сейчас 21.11.2026 05:59", "acts to 20 Nov 2026 (Asia/Tokyo); it is 21 Nov 2026 05:59"),
    ("store", "store:S1", "store:S2|S3", "действует не здесь: магазин S2 или S3", "acts elsewhere: store S2 or S3"),
    ("till", "till:T1", "till:T2", "действует не здесь: касса T2", "acts elsewhere: till T2"),
    ("tender", "none", "tender:card|sbp", "действует не здесь: оплата: картой или СБП", "acts elsewhere: payment by card or faster payments"),
    ("uses", "3", "uses:3", "больше использовать нельзя", "it is used up"),
    ("uses", "unknown", "uses:3", "касса этого не знает, а нужно: использований: 3", "the till does not know; needed: uses: 3"),
    ("budget", "0.00", "budget", "бюджет акции исчерпан", "the budget of the offer is spent"),
    ("not", "holds:when", "not:when", "не действует в это время", "does not act at this time"),
    ("any", "499.99 / none", "500.00 / member", "нужно: 500,00 или карта участника; есть: 499,99 или покупка без карты", "needs 500.00 or a member's card; there is 499.99 or a sale without a card"),
    ("nothing_left", "0.00", "0.01", "скидывать больше нечего", "nothing more can come off"),
    ("nothing_earned", "0.00", "0.01", "начислять не на что", "there is nothing to earn on"),
    ("goods", "0", "1", "товара по акции нет в чеке: нужно 1 шт.", "the goods of the offer are not in the receipt: 1 needed"),
    ("choice", "none", "line", "выберите строку", "choose a line"),
    ("choice", "none", "250.00", "можно взять за баллы: 250", "can be had for 250 points"),
    ("redeemed", "60.00", "0.00", "баллы не начисляются, когда ими платят", "points are not earned when points pay"),
    ("points", "12.50", "250.00", "нужно баллов: 250, есть 12,5", "needs 250 points, there are 12.5"),
    ("balance", "0.00", "1.00", "доступно баллов: 0, нужно 1", "there are 0 points, 1 needed"),
    ("rights", "5.00", "10.00", "на этой кассе доступно баллов: 5, нужно 10", "5 points may be paid at this till, 10 needed"),
    ("limit", "30.00", "40.00", "баллами можно оплатить 30, просили 40", "30 points may pay here, 40 were asked"),
    ("programme", "0.00", "1.00", "баллами здесь не платят", "points do not pay here"),
    ("minimum_money", "30.00", "40.00", "часть чека платится деньгами: баллами 30", "part of the receipt stays in money: 30 points"),
    ("per_day", "3.00", "4.00", "дневной предел баллов: ещё 3, нужно 4", "the day's limit of points: 3 left, 4 needed"),
    ("least", "3.00", "4.00", "списывается не меньше 4, а можно 3", "no fewer than 4 points are paid, and 3 could be"),
    ("line", "5.00", "9.00", "со строки можно снять 5,00, просили 9,00", "5.00 can come off the line, 9.00 was asked"),
    ("role", "5.00", "9.00", "эта должность снимает не больше 5,00, просили 9,00", "this role may take 5.00 off, 9.00 was asked"),
    ("exclusive", "x", "y", "не действует вместе с другой акцией", "does not act together with another offer"),
    ("something_new", "5", "kind:a|b", "нужно: kind: a, b; есть: 5", "needs kind: a, b; there is 5"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "have", "need", "ru", "en"), REASONS, ids=[f"{c} {h} {n}" for c, h, n, _, _ in REASONS])
def test_a_reason_is_a_sentence_in_both_languages(condition: str, have: str, need: str, ru: str, en: str) -> None:
    refusal = Refusal(rule="cheese", condition=condition, have=have, need=need)
    assert refusal_reason(refusal, SHOP, "ru").replace("\u00a0", " ") == ru
    assert refusal_reason(refusal, SHOP, "en") == en
    assert refusal_text(refusal, SHOP, "ru") == f"«Три сыра»: {refusal_reason(refusal, SHOP, 'ru')}"


def test_every_condition_has_words_for_what_it_excludes() -> None:
    assert set(CONDITIONS) == {str(word.__struct_config__.tag) for word in get_args(Condition)}
    assert {condition for condition, *_ in REASONS} >= set(CONDITIONS) - {"all"}, "an all is refused by the part that fails"


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("text", ["", "none", "unknown", ":", "a:|", "when:", "birthday:", "named_date:", "nth:", "nth:x", "ended:", "not:", " / ", "()", "{x}", "01-99", "2026-99-99"])  # fmt: skip
def test_nothing_that_may_stand_in_a_refusal_raises(language: Language, text: str) -> None:
    for condition in [*CONDITIONS, "quantity", "choice", "points", "line", "xyz", ""]:
        assert isinstance(refusal_text(Refusal(rule="?", condition=condition, have=text, need=text), SHOP, language), str)


def test_pilots_and_control_groups_are_never_told() -> None:
    assert [is_told(refused(condition)) for condition in ("pilot", "control", "when")] == [False, False, True]


def refused(condition: str) -> Refusal:
    return Refusal(rule="cheese", condition=condition, have="in", need="out")


def test_titles() -> None:
    assert (title_of("cheese", SHOP, "ru"), title_of("cheese", SHOP, "en")) == ("Три сыра", "Three cheeses")
    assert (title_of("bare", SHOP, "ru"), title_of("manual", SHOP, "en")) == ("bare", "Cashier's discount")
    assert title_of("club", SHOP, "ru") == "Клуб"


def test_what_was_beaten() -> None:
    lost = Beaten(rule="bare", by="cheese", difference_minor=Minor(150))
    assert beaten_text(lost, SHOP, "ru") == "«bare»: действует «Три сыра», это выгоднее на 1,50"
    assert beaten_text(lost, SHOP, "en") == "“bare”: “Three cheeses” acts, which is worth 1.50 more"
    assert beaten_text(Beaten(rule="bare", by="cheese", difference_minor=Minor(0)), SHOP, "en").endswith(
        "“Three cheeses” acts instead"
    )


def test_hints() -> None:
    one = Hint(rule="cheese", add=HintAdd(sku="7", quantity_milli=Thousandths(1000)), saves_minor=Minor(15_000))
    assert hint_text(one, SHOP, "ru", {"7": "Бри"}) == "Ещё 1 × Бри — и скидка 150,00: «Три сыра»"
    assert hint_text(one, SHOP, "en") == "Add 1 × 7 and save 150.00: “Three cheeses”"
    more = Hint(rule="bare", add=HintAdd(amount_minor=Minor(12_000)), saves_minor=Minor(5_000))
    assert hint_text(more, SHOP, "ru") == "Ещё на 120,00 — и скидка 50,00: «bare»"
    assert hint_text(more, SHOP, "en") == "Add 120.00 more and save 50.00: “bare”"
    gift = Hint(rule="cheese", add=HintAdd(), saves_minor=Minor(0))
    assert hint_text(gift, SHOP, "ru") == "Добавьте товар по акции: «Три сыра»"


def test_floors_and_lines_that_may_not_be_sold() -> None:
    stop = FloorStop(line_id="1", floor="legal", stopped_minor=Minor(500))
    assert floor_text(stop, SHOP, "ru", {"1": "Водка"}) == "Водка: скидка меньше на 5,00, минимальная цена по закону"
    assert floor_text(stop, SHOP, "en") == "Line 1: 5.00 less off, the legal minimum price"
    low = LineRefusal(line_id="1", reason="legal_minimum")
    assert "продать нельзя" in line_refusal_text(low, SHOP, "ru", {"1": "Водка"})
    assert line_refusal_text(low, SHOP, "en") == "Line 1: costs less than the law allows and cannot be sold"


def test_what_is_issued_with_its_last_day() -> None:
    dates = {"usable_from": NOW, "expires_at": datetime(2026, 12, 20, 21, tzinfo=UTC)}
    coupon = Issue(rule="cheese", kind="coupon", series="summer", count=2, **dates)
    assert issue_text(coupon, SHOP, "ru") == "Купон «Лето» × 2, с 21.11.2026 по 20.12.2026"
    assert issue_text(coupon, SHOP, "en") == "Coupon “Summer” × 2, from 21 Nov 2026 to 20 Dec 2026"
    assert issue_text(Issue(rule="club", kind="plan", series="club"), SHOP, "en") == "Membership “The club”"
    assert issue_text(Issue(rule="cheese", kind="privilege", series="queue"), SHOP, "ru") == "Привилегия: Без очереди"
    assert privilege_text("queue", SHOP, "en") == "Privilege: No queue"
    assert privilege_text("nobody-knows", SHOP, "en") == "Privilege: nobody-knows"


@pytest.mark.parametrize(
    ("centi", "most", "ru", "en"),
    [
        (3000, 9000, "Оплачено баллами 30,00 (30 баллов из 90 баллов)", "Points paid 30.00 (30 points of 90 points)"),
        (100, 100, "Оплачено баллами 1,00 (1 балл)", "Points paid 1.00 (1 point)"),
        (150, 150, "Оплачено баллами 1,50 (1,5 балла)", "Points paid 1.50 (1.5 points)"),
        (1100, 1100, "Оплачено баллами 11,00 (11 баллов)", "Points paid 11.00 (11 points)"),
        (2100, 2100, "Оплачено баллами 21,00 (21 балл)", "Points paid 21.00 (21 points)"),
        (1200, 1200, "Оплачено баллами 12,00 (12 баллов)", "Points paid 12.00 (12 points)"),
        (11_300, 11_300, "Оплачено баллами 113,00 (113 баллов)", "Points paid 113.00 (113 points)"),
        (0, 2200, "Можно списать 22 балла", "Points can pay: 22 points"),
        (0, 0, "", ""),
    ],
)
def test_redemptions(centi: int, most: int, ru: str, en: str) -> None:
    redemption = Redemption(centi=Points(centi), off_minor=Minor(centi), max_centi=Points(most))
    assert redemption_text(redemption, SHOP, "ru").replace("\u00a0", " ") == ru
    assert redemption_text(redemption, SHOP, "en").replace("\u00a0", " ") == en


def test_things_bought_with_points_are_told_apart_from_what_points_paid() -> None:
    things = (PointsFor(rule="cheese", times=2, centi=Points(51_000)),)
    bought = Redemption(centi=Points(51_000), off_minor=Minor(0), max_centi=Points(0), things=things)
    assert redemption_text(bought, SHOP, "en") == "Bought with points: “Three cheeses” × 2, 510\u00a0points"
    both = Redemption(centi=Points(52_000), off_minor=Minor(1000), max_centi=Points(1000), things=things)
    assert redemption_text(both, SHOP, "ru").endswith("510\u00a0баллов; Оплачено баллами 10,00 (10\u00a0баллов)")


def test_rules_that_only_count_or_tell_are_not_missed() -> None:
    shop = programme(
        """
        [[rule]]
        id = "bag"
        then = [{ do = "message", text = { ru = "Пакет?" } }, { do = "counter_add", key = "bags" }]
        [[rule]]
        id = "thanks"
        then = [{ do = "message", text = { ru = "Спасибо" } }, { do = "privilege", name = "queue" }]
        """
    )
    refusals = tuple(Refusal(rule=rule, condition="basket_qty", have="1", need="2") for rule in ("bag", "thanks"))
    assert [sentence.rule for sentence in told(quote_with(refusals=refusals), shop, "ru")] == ["thanks"]


def test_money_has_the_digits_of_its_currency() -> None:
    lost = Beaten(rule="a", by="b", difference_minor=Minor(1500))
    yen = load_programme(HEAD.replace("RUB", "JPY").encode())
    dinar = load_programme(HEAD.replace("RUB", "KWD").encode())
    assert beaten_text(lost, yen, "en").endswith("worth 1,500 more")
    assert beaten_text(lost, dinar, "ru").endswith("на 1,500")


def quote_with(**more: object) -> Quote:
    nothing = {
        "basket_id": "B", "programme": SHOP.name, "at": NOW, "member_id": None, "gross_minor": 0, "total_minor": 0, "due_minor": 0,
        "lines": (), "redemption": Redemption(centi=Points(0), off_minor=Minor(0), max_centi=Points(0)), "accruals": (),
        "applied": (), "refusals": (), "proof": Proof(value_minor=Minor(0), bound_minor=Minor(0), proven=True, nodes=0),
    }  # fmt: skip
    return Quote(**(nothing | more))  # type: ignore[arg-type]


def test_a_cashier_hears_all_but_pilots_and_a_customer_what_concerns_them() -> None:
    quote = quote_with(
        refusals=(refused("pilot"), refused("control"), Refusal(rule="bare", condition="customer", have="none", need="member")),
        beaten=(Beaten(rule="bare", by="cheese", difference_minor=Minor(1)),),
        hints=(Hint(rule="bare", add=HintAdd(amount_minor=Minor(1)), saves_minor=Minor(1)),),
        floors=(FloorStop(line_id="1", floor="shop", stopped_minor=Minor(1)),),
        line_refusals=(LineRefusal(line_id="1", reason="maximum_price"),),
        privileges=("queue",),
        issued=(Issue(rule="cheese", kind="coupon", series="summer"),),
        redemption=Redemption(centi=Points(0), off_minor=Minor(0), max_centi=Points(100)),
    )
    kinds = [sentence.kind for sentence in told(quote, SHOP, "ru")]
    assert kinds == ["line", "redemption", "hint", "refusal", "beaten", "floor", "privilege", "issue"]
    assert [sentence.kind for sentence in told_to_member(quote, SHOP, "en")] == ["redemption", "hint", "privilege", "issue"]
    assert all(not sentence.text.endswith(".") for sentence in told(quote, SHOP, "en"))
    assert told(quote_with(), SHOP, "en") == ()
