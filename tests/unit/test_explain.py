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
    ("ladder", "499.99", "500.00", "первая ступень — от 500,00, сейчас 499,99", "the first step is at 500.00; now 499.99"),
    ("ladder", "visits:2", "visits:5", "первая ступень — от 5 прежних покупок, сейчас 2", "the first step is at 5 earlier purchases; now 2"),
    ("basket_qty", "2", "3", "нужно 3 шт., в чеке 2", "needs 3, the receipt has 2"),
    ("quantity", "2", "3", "нужно 3 шт., в чеке 2", "needs 3, the receipt has 2"),
    ("contains", "goods:1|0", "goods:2|1", "в наборе не хватает: 1-го товара — 1 шт. и 2-го товара — 1 шт.", "missing from the set: 1 of the 1st and 1 of the 2nd goods"),
    ("customer", "none", "member", "нужна карта участника", "needs a member's card"),
    ("customer", "none", "tier:gold", "нужна карта участника и уровень «Золото»", "needs a member's card and tier “Gold”"),
    ("customer", "tier:silver", "tier:gold|platinum", "нужен уровень «Золото» или «platinum»; сейчас уровень «Серебро»", "needs tier “Gold” or “platinum”; now tier “Silver”"),
    ("customer", "no_tier", "tier_from:silver", "нужен уровень «Серебро» или выше; уровня пока нет", "needs tier “Silver” or higher; no tier yet"),
    ("customer", "not_segment", "segment:a|b", "нужна группа покупателей a или b", "needs the group a or b"),
    ("customer", "not_staff", "staff", "нужна карта сотрудника", "needs a card of staff"),
    ("customer", "staff", "not_staff", "не для сотрудников", "not for staff"),
    ("customer", "not_paid", "paid", "нужна оплаченная подписка", "needs a paid membership"),
    ("customer", "member", "none", "нужна покупка без карты; предъявлена карта", "needs a sale without a card; a card was shown"),
    ("birthday", "days:12", "birthday:3|7", "действует за 3 дня до дня рождения и 7 дней после; начнётся через 12 дней", "acts from 3 days before the birthday to 7 days after; starts in 12 days"),
    ("birthday", "days:12", "birthday:0|0", "действует в сам день рождения; начнётся через 12 дней", "acts on the birthday itself; starts in 12 days"),
    ("birthday", "unknown", "birthday:3|7", "касса не знает дня рождения; действует за 3 дня до дня рождения и 7 дней после", "the till does not know the birthday; acts from 3 days before the birthday to 7 days after"),
    ("birthday", "entered_days:2", "entered_days:7", "день рождения должен быть указан за 7 дней; указан 2 дня назад", "needs a birthday entered 7 days ahead; it was entered 2 days ago"),
    ("named_date", "no_date", "named_date:child|3|0", "действует за 3 дня до даты «child» и в сам день; дата не указана", "acts from 3 days before the date “child” to the day itself; no such date is known"),
    ("profile", "not_profile", "profile:pet|cat|dog", "для покупателей, у которых в анкете pet = cat или dog", "for customers whose profile says pet = cat or dog"),
    ("profile", "not_profile", "profile:pet", "для покупателей, у которых в анкете есть pet", "for customers whose profile has pet"),
    ("any", "holds:when / none", "not:when / member", "действует в другое время или нужна карта участника", "acts at other times or needs a member's card"),
    ("first_purchase", "nth:4", "nth:1", "действует на 1-ю покупку; эта — 4-я", "acts on the 1st purchase; this is the 4th"),
    ("nth_purchase", "nth:11", "every:5", "действует на каждую 5-ю покупку; эта — 11-я", "acts on every 5th purchase; this is the 11th"),
    ("counter", "4", "6", "действует на каждую 6-ю штуку; сейчас 4", "acts on every 6th unit; now 4"),
    ("history", "499.99", "500.00", "нужны прежние покупки на 500,00; сейчас 499,99", "needs earlier purchases of 500.00; now 499.99"),
    ("history", "visits:2", "visits:3", "нужно прежних покупок: 3; сейчас 2", "needs 3 earlier purchases; now 2"),
    ("history", "bought", "not_bought", "для тех, кто таких товаров ещё не покупал", "for those who never bought such goods"),
    ("history", "not_bought", "bought", "для тех, кто уже покупал такие товары", "for those who bought such goods before"),
    ("coupon", "none", "coupon:summer", "нужен купон «Лето»", "needs the coupon “Summer”"),
    ("coupon", "ended:2026-08-31|S-1", "coupon:summer", "купон S-1 закончился 31.08.2026", "the coupon S-1 ended on 31 Aug 2026"),
    ("coupon", "begins:2026-06-01|S-1", "coupon:summer", "купон S-1 начнёт действовать 01.06.2026", "the coupon S-1 begins on 1 Jun 2026"),
    ("coupon", "used:S-1", "coupon:summer", "купон S-1 уже использован", "the coupon S-1 is used up"),
    ("coupon", "no_series:S-1", "coupon", "купона S-1 нет в этой программе", "the coupon S-1 is not of this programme"),
    ("coupon", "unknown:S-1", "coupon:summer", "касса не знает купона S-1", "this till does not know the coupon S-1"),
    ("coupon", "check:S-1", "coupon", "в номере купона S-1 опечатка", "the coupon S-1 is mistyped"),
    ("coupon", "per_receipt:S-1", "per_receipt:1", "купон S-1 в этот чек уже не идёт", "the coupon S-1 is one too many for this receipt"),
    ("when", "2026-11-21 05:59", "when:2026-11-01..2026-11-20|fri,sat|22:00-06:00", "действует с 01.11.2026 по 20.11.2026 пт, сб 22:00–06:00; сейчас 21.11.2026 05:59", "acts from 1 Nov 2026 to 20 Nov 2026 Fri, Sat 22:00–06:00; it is 21 Nov 2026 05:59"),
    ("when", "2026-11-21 05:59", "when:..2026-11-20|@Asia/Tokyo", "действует по 20.11.2026 (Asia/Tokyo); сейчас 21.11.2026 05:59", "acts to 20 Nov 2026 (Asia/Tokyo); it is 21 Nov 2026 05:59"),
    ("store", "store:S1", "store:S2|S3", "действует в магазине S2 или S3", "acts in store S2 or S3"),
    ("till", "till:T1", "till:T2", "действует на кассе T2", "acts at till T2"),
    ("tender", "none", "tender:card|sbp", "действует при оплате картой или через СБП", "acts when paid by card or SBP"),
    ("uses", "3", "uses:3", "больше использовать нельзя", "it is used up"),
    ("uses", "unknown", "uses:3", "касса не знает, сколько раз акция уже использована (можно 3)", "the till does not know how often it was used (limit 3)"),
    ("budget", "0.00", "budget", "бюджет акции исчерпан", "the budget of the offer is spent"),
    ("not", "holds:when", "not:when", "не действует в это время", "does not act at this time"),
    ("any", "499.99 / none", "500.00 / member", "нужно 500,00 (сейчас 499,99) или нужна карта участника", "needs 500.00 (now 499.99) or a member's card"),
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
    ("least_money", "0.30", "0.49", "часть чека остаётся деньгами", "part of the receipt stays in money"),
    ("per_day", "3.00", "4.00", "дневной предел баллов: ещё 3, нужно 4", "the day's limit of points: 3 left, 4 needed"),
    ("least", "3.00", "4.00", "списывается не меньше 4, а можно 3", "no fewer than 4 points are paid, and 3 could be"),
    ("line", "5.00", "9.00", "со строки можно снять 5,00, просили 9,00", "5.00 can come off the line, 9.00 was asked"),
    ("role", "5.00", "9.00", "эта должность снимает не больше 5,00, просили 9,00", "this role may take 5.00 off, 9.00 was asked"),
    ("exclusive", "x", "y", "не действует вместе с другой акцией", "does not act together with another offer"),
    ("something_new", "5", "kind:a|b", "нужно kind: a, b; сейчас 5", "needs kind: a, b; now 5"),
    ("ladder", "0.00", "5.00", "первая ступень — от 5,00, сейчас 0,00", "the first step is at 5.00; now 0.00"),
    ("ladder", "visits:0", "visits:1", "первая ступень — от 1 прежней покупки, сейчас 0", "the first step is at 1 earlier purchase; now 0"),
    ("ladder", "unknown", "500.00", "касса не знает, сколько уже куплено (первая ступень — от 500,00)", "the till does not know what was bought before (the first step is at 500.00)"),
    ("ladder", "unknown", "visits:5", "касса не знает, сколько уже куплено (первая ступень — от 5 прежних покупок)", "the till does not know what was bought before (the first step is at 5 earlier purchases)"),
    ("contains", "goods:0|2|0", "goods:1|1|3", "в наборе не хватает: 1-го товара — 1 шт. и 3-го товара — 3 шт.", "missing from the set: 1 of the 1st and 3 of the 3rd goods"),
    ("contains", "goods:0|0|0|0|0", "goods:1|0|0|0|2", "в наборе не хватает: 1-го товара — 1 шт. и 5-го товара — 2 шт.", "missing from the set: 1 of the 1st and 2 of the 5th goods"),
    ("customer", "none", "staff", "нужна карта сотрудника", "needs a card of staff"),
    ("customer", "none", "paid", "нужна карта участника и оплаченная подписка", "needs a member's card and a paid membership"),
    ("customer", "none", "segment:a|b", "нужна карта участника и группа покупателей a или b", "needs a member's card and the group a or b"),
    ("customer", "none", "tier_from:silver", "нужна карта участника и уровень «Серебро» или выше", "needs a member's card and tier “Silver” or higher"),
    ("customer", "paid", "not_paid", "не для тех, у кого оплачена подписка", "not for those with a paid membership"),
    ("birthday", "days:4", "birthday:3|3", "действует за 3 дня до дня рождения и 3 дня после; начнётся через 4 дня", "acts from 3 days before the birthday to 3 days after; starts in 4 days"),
    ("birthday", "days:21", "birthday:1|0", "действует за 1 день до дня рождения и в сам день; начнётся через 21 день", "acts from 1 day before the birthday to the day itself; starts in 21 days"),
    ("birthday", "days:1", "birthday:0|5", "действует в сам день рождения и 5 дней после; начнётся через 1 день", "acts from the birthday to 5 days after; starts in 1 day"),
    ("birthday", "none", "birthday:3|3", "нужна карта участника (действует за 3 дня до дня рождения и 3 дня после)", "needs a member's card (acts from 3 days before the birthday to 3 days after)"),
    ("birthday", "unknown", "entered_days:7", "касса не знает, когда указан день рождения; день рождения должен быть указан за 7 дней", "the till does not know when the birthday was entered; needs a birthday entered 7 days ahead"),
    ("birthday", "entered_days:0", "entered_days:1", "день рождения должен быть указан за 1 день; указан сегодня", "needs a birthday entered 1 day ahead; it was entered today"),
    ("named_date", "unknown", "named_date:child|0|0", "касса не знает дат покупателя; действует в саму дату «child»", "the till does not know the customer's dates; acts on the date “child” itself"),
    ("named_date", "none", "named_date:child|0|2", "нужна карта участника (действует в саму дату «child» и 2 дня после)", "needs a member's card (acts from the date “child” to 2 days after)"),
    ("profile", "none", "profile:pet|cat|dog", "нужна карта участника (для покупателей, у которых в анкете pet = cat или dog)", "needs a member's card (for customers whose profile says pet = cat or dog)"),
    ("profile", "unknown", "profile:pet", "касса не знает анкеты; для покупателей, у которых в анкете есть pet", "the till does not know the profile; for customers whose profile has pet"),
    ("first_purchase", "none", "nth:1", "нужна карта участника (действует на 1-ю покупку)", "needs a member's card (acts on the 1st purchase)"),
    ("first_purchase", "unknown", "1", "касса не знает, какая это покупка по счёту", "the till does not know the number of this purchase"),
    ("nth_purchase", "none", "every:5", "нужна карта участника (действует на каждую 5-ю покупку)", "needs a member's card (acts on every 5th purchase)"),
    ("nth_purchase", "unknown", "every:5", "касса не знает, какая это покупка по счёту; действует на каждую 5-ю покупку", "the till does not know the number of this purchase; acts on every 5th purchase"),
    ("counter", "none", "6", "нужна карта участника (действует на каждую 6-ю штуку)", "needs a member's card (acts on every 6th unit)"),
    ("counter", "unknown", "6", "касса не знает, сколько штук уже куплено; действует на каждую 6-ю штуку", "the till does not know how many units were bought before; acts on every 6th unit"),
    ("history", "none", "500.00", "нужна карта участника и прежние покупки на 500,00", "needs a member's card and earlier purchases of 500.00"),
    ("history", "none", "visits:3", "нужна карта участника (нужно прежних покупок: 3)", "needs a member's card and 3 earlier purchases"),
    ("history", "none", "bought", "нужна карта участника (для тех, кто уже покупал такие товары)", "needs a member's card (for those who bought such goods before)"),
    ("history", "unknown", "500.00", "касса не знает прежних покупок; нужны прежние покупки на 500,00", "the till does not know the earlier purchases; needs earlier purchases of 500.00"),
    ("history", "visits:0", "visits:1", "нужна прежняя покупка; сейчас 0", "needs an earlier purchase; now 0"),
    ("uses", "none", "uses:2", "нужна карта участника", "needs a member's card"),
    ("uses", "unknown", "uses:2", "касса не знает, сколько раз акция уже использована (можно 2)", "the till does not know how often it was used (limit 2)"),
    ("budget", "unknown", "budget", "касса не знает, сколько осталось в бюджете акции", "the till does not know what is left of the offer's budget"),
    ("per_day", "unknown", "250.00", "касса не знает, сколько баллов уже было сегодня (можно 250)", "the till does not know how many points there were today (limit 250)"),
    ("tender", "tender:cash", "tender:sbp", "действует при оплате через СБП", "acts when paid by SBP"),
    ("tender", "tender:card", "tender:cash", "действует при оплате наличными", "acts when paid in cash"),
    ("tender", "tender:cash", "tender:sbp|card", "действует при оплате через СБП или картой", "acts when paid by SBP or card"),
    ("tender", "none", "tender:card|cash|meal", "действует при оплате картой, наличными или через meal", "acts when paid in cash, by card or meal"),
    ("not", "none", "not:tender", "касса не знает, чем будут платить", "the till does not know how it will be paid"),
    ("not", "none", "not:birthday", "нужна карта участника", "needs a member's card"),
    ("not", "unknown", "not:history", "касса не знает прежних покупок", "the till does not know the earlier purchases"),
    ("not", "unknown", "not:all", "касса этого не знает", "the till does not know"),
    ("not", "holds:when", "not:when:fri,sat|22:00-06:00", "действует всегда, но не пт, сб 22:00–06:00", "acts always except Fri, Sat 22:00–06:00"),
    ("any", "holds:when / none", "not:when:2026-11-01..2026-11-20 / member", "действует всегда, но не с 01.11.2026 по 20.11.2026 или нужна карта участника", "acts always except from 1 Nov 2026 to 20 Nov 2026 or needs a member's card"),
    ("any", "none / none / 1.00", "member / uses:2 / 5.00", "нужна карта участника или нужно 5,00 (сейчас 1,00)", "needs a member's card or 5.00 (now 1.00)"),
    ("any", "weight:0.5 / none", "weight:2 / member", "нужно 2 кг (сейчас 0,5 кг) или нужна карта участника", "needs 2 kg (now 0.5 kg) or a member's card"),
    ("basket_qty", "weight:1.5", "weight:2", "нужно 2 кг, в чеке 1,5 кг", "needs 2 kg, the receipt has 1.5 kg"),
    ("least", "asked:150.00", "200.00", "списывается не меньше 200, просили 150", "no fewer than 200 points are paid, and 150 were asked"),
    ("quantity", "goods:1|0", "goods:2|0", "в наборе не хватает: 1-го товара — 1 шт.", "missing from the set: 1 of the 1st goods"),
    ("goods", "not_discounted", "discounted", "действует на уже уценённые товары, а таких в чеке нет", "acts on goods that are reduced already; there are none"),
    ("goods", "discounted", "not_discounted", "действует на товары без скидки, а на эти скидка уже есть", "acts on goods that nothing has reduced; these are reduced already"),
    ("price", "89.00", "99.00", "сейчас и так 89,00, цена по акции 99,00", "costs 89.00 as it is, 99.00 by the offer"),
    ("choice", "line:7", "line", "выбранной строки нет среди подарков", "the chosen line is not among the gifts"),
    ("choice", "line:7", "goods", "выбранной строки нет среди товаров акции", "the chosen line is not among the goods of the offer"),
    ("choice", "line:7", "rule", "в этой акции выбирать нечего", "there is nothing to choose in this offer"),
    ("any", "none / none", "tender:card / coupon:summer", "действует при оплате картой или нужен купон «Лето»", "acts when paid by card or needs the coupon “Summer”"),
    ("any", "none / none", "tier:gold / birthday:3|3", "нужна карта участника; нужен уровень «Золото» или действует за 3 дня до дня рождения и 3 дня после", "needs a member's card; needs tier “Gold” or acts from 3 days before the birthday to 3 days after"),
    ("any", "unknown / days:45", "budget / birthday:3|3", "действует, пока есть бюджет (касса этого не знает) или действует за 3 дня до дня рождения и 3 дня после (до начала 45 дней)", "acts while there is a budget (the till does not know) or from 3 days before the birthday to 3 days after (45 days until it starts)"),
    ("any", "nth:3 / nth:3", "nth:1 / nth:5", "действует на 1-ю и 5-ю покупку; эта — 3-я", "acts on the 1st and the 5th purchase; this is the 3rd"),
    ("any", "nth:3 / nth:3", "nth:1 / every:5", "действует на 1-ю и каждую 5-ю покупку; эта — 3-я", "acts on the 1st and every 5th purchase; this is the 3rd"),
    ("any", "none / none", "nth:1 / nth:5", "нужна карта участника; действует на 1-ю и 5-ю покупку", "needs a member's card; acts on the 1st and the 5th purchase"),
    ("any", "(store:S1 / till:T1) / ended:2026-08-31|S-1", "(store:S2 / till:T2) / coupon:summer", "действует в магазине S2 или на кассе T2 или нужен купон «Лето» (купон S-1 закончился 31.08.2026)", "acts in store S2 or at till T2 or needs the coupon “Summer” (the coupon S-1 ended on 31 Aug 2026)"),
    ("any", "2026-11-21 05:59 / holds:store", "when:fri|22:00-06:00 / not:store", "действует пт 22:00–06:00 (сейчас 21.11.2026 05:59) или не в этом магазине", "acts Fri 22:00–06:00 (it is 21 Nov 2026 05:59) or except in this store"),
    ("any", "2 / not_staff", "uses:2 / staff", "можно использовать раз: 2 (сейчас 2) или нужна карта сотрудника", "may be used 2 times (now 2) or needs a card of staff"),
    ("restricted", "tobacco", "ordinary", "на табак скидок и баллов не бывает", "no discounts or points on tobacco"),
    ("restricted", "alcohol", "ordinary", "на алкоголь здесь скидок и баллов не бывает", "no discounts or points on alcohol here"),
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
@pytest.mark.parametrize("text", ["", "none", "unknown", ":", "a:|", "when:", "birthday:", "named_date:", "nth:", "nth:x", "every:", "unit:", "days:", "visits:", "entered_days:", "goods:1|x", "tender:", "profile:", "ended:", "not:", " / ", "()", "{x}", "01-99", "2026-99-99"])  # fmt: skip
def test_nothing_that_may_stand_in_a_refusal_raises(language: Language, text: str) -> None:
    for condition in [*CONDITIONS, "quantity", "choice", "points", "line", "ladder", "per_day", "restricted", "xyz", ""]:
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
    unknown = FloorStop(line_id="1", floor="no_volume", stopped_minor=Minor(500))
    assert floor_text(unknown, SHOP, "en") == "Line 1: 5.00 less off, its volume is missing, and its legal price depends on it"
    dear = FloorStop(line_id="1", floor="price", stopped_minor=Minor(500))
    assert floor_text(dear, SHOP, "ru", {"1": "Сыр"}) == "Сыр: скидка меньше на 5,00, больше цены товара не снять"
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


def test_a_privilege_with_days_is_told_once_with_its_dates() -> None:
    def queue(day: int) -> Issue:
        return Issue(
            rule="cheese", kind="privilege", series="queue", usable_from=NOW, expires_at=datetime(2026, 12, day, tzinfo=UTC)
        )

    quote = quote_with(privileges=("lounge", "queue"), issued=(queue(5), queue(20)))
    assert [(one.kind, one.text) for one in told_to_member(quote, SHOP, "en")] == [
        ("privilege", "Privilege: lounge"),
        ("issue", "Privilege: No queue, from 21 Nov 2026 to 20 Dec 2026"),
    ]


@pytest.mark.parametrize(("floor", "text"), [("alcohol", "больше снять нельзя"), ("shop", "скидывать больше нечего")])
def test_there_is_something_left_where_the_law_keeps_it(floor: str, text: str) -> None:
    refusals = (Refusal(rule="cheese", condition="nothing_left", have="0.00", need="0.01"),)
    floors = (FloorStop(line_id="1", floor=floor, stopped_minor=Minor(1)),)
    sentences = told(quote_with(refusals=refusals, floors=floors), SHOP, "ru")
    assert sentences[0].text == f"«Три сыра»: {text}"


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
