"""Why a rule did not act, as a sentence: one for each condition, made of what there is and what is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.phrases import CONDITIONS, Pair, in_language, phrase, pick
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.saying import Language, figure, is_figure, ordinal, quoted

NONE, UNKNOWN = "none", "unknown"

FIGURES: Mapping[str, Pair] = {
    "basket_amount": ("нужна сумма от {need}, сейчас {have}", "needs {need}, there is {have}"),
    "ladder": ("первая ступень — от {need}, сейчас {have}", "the first step is {need}, there is {have}"),
    "basket_qty": ("нужно {need} шт., в чеке {have}", "needs {need}, the receipt has {have}"),
    "quantity": ("нужно {need} шт., в чеке {have}", "needs {need}, the receipt has {have}"),
    "contains": ("нужно {need}, в чеке {have}", "needs {need}, the receipt has {have}"),
    "goods": ("товара по акции нет в чеке: нужно {need} шт.", "the goods of the offer are not in the receipt: {need} needed"),
    "nothing_left": ("скидывать больше нечего", "nothing more can come off"),
    "nothing_earned": ("начислять не на что", "there is nothing to earn on"),
    "floor": ("цена уже минимальная", "the price is at its lowest"),
    "floors": ("товары уже по минимальной цене", "the goods are at their lowest price"),
    "cap": ("достигнут предел скидок на чек", "the limit of discounts on a receipt is reached"),
    "line": ("со строки можно снять {have}, просили {need}", "{have} can come off the line, {need} was asked"),
    "exclusive": ("не действует вместе с другой акцией", "does not act together with another offer"),
    "redeemed": ("баллы не начисляются, когда ими платят", "points are not earned when points pay"),
    "points": ("нужно баллов: {need}, есть {have}", "needs {need} points, there are {have}"),
    "uses": ("больше использовать нельзя", "it is used up"),
    "limits": ("больше использовать нельзя", "it is used up"),
    "budget": ("бюджет акции исчерпан", "the budget of the offer is spent"),
    "counter": ("действует на каждую {nth} штуку, сейчас {have}", "acts on every {nth} unit, this makes {have}"),
    "role": ("эта должность снимает не больше {have}, просили {need}", "this role may take {have} off, {need} was asked"),
    "programme": ("баллами здесь не платят", "points do not pay here"),
    "balance": ("доступно баллов: {have}, нужно {need}", "there are {have} points, {need} needed"),
    "rights": ("на этой кассе доступно баллов: {have}, нужно {need}", "{have} points may be paid at this till, {need} needed"),
    "limit": ("баллами можно оплатить {have}, просили {need}", "{have} points may pay here, {need} were asked"),
    "minimum_money": ("часть чека платится деньгами: баллами {have}", "part of the receipt stays in money: {have} points"),
    "per_day": ("дневной предел баллов: ещё {have}, нужно {need}", "the day's limit of points: {have} left, {need} needed"),
    "per_receipt": ("предел баллов на чек: {have}, нужно {need}", "the receipt's limit of points: {have}, {need} needed"),
    "step": ("баллы списываются ступенями: {have} вместо {need}", "points are paid in steps: {have} instead of {need}"),
    "least": ("списывается не меньше {need}, а можно {have}", "no fewer than {need} points are paid, and {have} could be"),
    "whole_minor_units": ("{need} не делится на копейки, можно {have}", "{need} points do not make whole money, {have} do"),
}
"""Conditions whose reason is one sentence, with the figures in it. ``{nth}`` is ``need`` as an ordinal."""
POINTS = frozenset(
    {"points", "balance", "rights", "limit", "minimum_money", "per_day", "per_receipt", "step", "least", "whole_minor_units"}
)
"""Conditions whose figures are points."""
COUPONS: Mapping[str, Pair] = {
    "ended": ("купон {code} закончился {day}", "the coupon {code} ended on {day}"),
    "begins": ("купон {code} начнёт действовать {day}", "the coupon {code} begins on {day}"),
    "used": ("купон {code} уже использован", "the coupon {code} is used up"),
    "unknown": ("купона {code} нет в этой программе", "the coupon {code} is not of this programme"),
    "per_receipt": ("купон {code} в этот чек уже не идёт", "the coupon {code} is one too many for this receipt"),
    "check": ("в номере купона {code} опечатка", "the coupon {code} is mistyped"),
    "member": ("купон {code} принадлежит другому участнику", "the coupon {code} belongs to another member"),
}
HAVE: Mapping[str, Pair] = {
    "tier": ("сейчас {0}", "now {0}"),
    "no_tier": ("уровня пока нет", "no tier yet"),
    "staff": ("предъявлена карта сотрудника", "the card is one of staff"),
    "member": ("предъявлена карта", "a card was shown"),
    "paid": ("подписка оплачена", "the membership is paid"),
    "no_date": ("дата не указана", "no such date is known"),
    "days": ("до начала {0} дн.", "{0} days until then"),
    "entered_days": ("дата указана {0} дн. назад", "the date was entered {0} days ago"),
    "visits": ("сейчас {0}", "now {0}"),
}

_OLD_COUPON = re.compile(r"(.*) (is not known|is used up|begins on|ended on) ?([0-9-]*)")
_OLD_KINDS = {"is not known": "unknown", "is used up": "used", "begins on": "begins", "ended on": "ended"}
_CUSTOMER = ("customer", "profile", "birthday", "named_date", "history", "first_purchase", "nth_purchase")


def reason_of(refusal: Refusal, programme: Programme, language: Language) -> str:
    """The sentence, without the rule's title and without a full stop."""
    condition, have, need = refusal.condition, refusal.have, refusal.need
    if condition in _CUSTOMER and have == NONE and need in ("", "member"):
        return "нужна карта участника" if language == "ru" else "needs a member's card"
    if have == UNKNOWN:
        return _unknown(need, programme, language)
    match condition:
        case "coupon":
            return _coupon(have, need, programme, language)
        case "when":
            return _when(have, need, programme, language)
        case "not":
            word = have.removeprefix("holds:")
            held = pick(CONDITIONS.get(word, (word, word)), language)
            return f"не действует {held}" if language == "ru" else f"does not act {held}"
        case "customer" | "profile" | "history" | "birthday" | "named_date" | "first_purchase" | "nth_purchase":
            return _of_member(condition, have, need, (programme, language))
        case "basket_amount" if need.startswith("at_most:"):
            most, there = figure(need.partition(":")[2], language), figure(have, language)
            return f"сумма выше {most}: {there}" if language == "ru" else f"{there} is more than {most}"
        case "store" | "till" | "tender":
            words = phrase(need, programme, language)
            return f"действует не здесь: {words}" if language == "ru" else f"acts elsewhere: {words}"
        case "choice":
            return _choice(need, language)
        case _ if condition in FIGURES:
            return _figures(condition, have, need, (programme, language))
        case _:
            return _plain(have, need, programme, language)


def _unknown(need: str, programme: Programme, language: Language) -> str:
    words = phrase(need, programme, language)
    if language == "ru":
        return "касса этого не знает" + (f", а нужно: {words}" if words else "")
    return "the till does not know" + (f"; needed: {words}" if words else "")


def _plain(have: str, need: str, programme: Programme, language: Language) -> str:
    asked, there = phrase(need, programme, language), phrase(have, programme, language)
    if language == "ru":
        return f"нужно: {asked}" + (f"; есть: {there}" if have not in ("", NONE) else "")
    return f"needs {asked}" + (f"; there is {there}" if have not in ("", NONE) else "")


def _choice(need: str, language: Language) -> str:
    if not is_figure(need):
        return "выберите строку" if language == "ru" else "choose a line"
    points = figure(_trimmed(need), language)
    return f"можно взять за баллы: {points}" if language == "ru" else f"can be had for {points} points"


def _trimmed(points: str) -> str:
    """Points without needless zeros."""
    return points.rstrip("0").rstrip(".") if is_figure(points) and "." in points else points


def _figures(condition: str, have: str, need: str, to: tuple[Programme, Language]) -> str:
    programme, language = to
    if condition in POINTS:
        have, need = _trimmed(have), _trimmed(need)
    asked, there = phrase(need, programme, language), phrase(have, programme, language)
    nth = ordinal(need, language).replace("-я", "-ю")
    return pick(FIGURES[condition], language).format(need=asked, have=there if have != NONE else "0", nth=nth)


def _coupon(have: str, need: str, programme: Programme, language: Language) -> str:
    old = _OLD_COUPON.fullmatch(have)
    if old is not None:
        code, kind, day = old.group(1), _OLD_KINDS[old.group(2)], old.group(3)
    else:
        kind, _, rest = have.partition(":")
        first, _, second = rest.partition("|")
        code, day = (second, first) if kind in ("ended", "begins") else (first, "")
    if kind in COUPONS:
        return pick(COUPONS[kind], language).format(code=code, day=figure(day, language)).replace("  ", " ")
    series = programme.series.get(need.partition(":")[2] or need)
    title = in_language(series.title, language) or series.id if series is not None else need.partition(":")[2] or need
    return f"нужен купон {quoted(title, language)}" if language == "ru" else f"needs the coupon {quoted(title, language)}"


def _when(have: str, need: str, programme: Programme, language: Language) -> str:
    window, now = phrase(need, programme, language), figure(have, language)
    return f"действует {window}; сейчас {now}" if language == "ru" else f"acts {window}; it is {now}"


def _of_member(condition: str, have: str, need: str, to: tuple[Programme, Language]) -> str:
    """What is asked of the member: a card when there is none, else the attribute and what it is now."""
    programme, language = to
    asked = phrase(need, programme, language)
    if need.startswith(("nth:", "every:")) or condition in ("first_purchase", "nth_purchase"):
        return _nth(have, asked, language)
    if condition == "history" and need in ("bought", "not_bought"):
        return _bought(need, language)
    now = _now(have, programme, language)
    if language == "ru":
        return f"нужно: {asked}" + (f"; {now}" if now else "")
    return f"needs {asked}" + (f"; {now}" if now else "")


def _now(have: str, programme: Programme, language: Language) -> str:
    """What there is now; empty where that says nothing new."""
    kind, _, value = have.partition(":")
    if kind in HAVE:
        said = value if kind in ("days", "entered_days") else phrase(have, programme, language)
        return pick(HAVE[kind], language).format(said)
    if have and is_figure(have):
        return f"сейчас {figure(have, language)}" if language == "ru" else f"now {figure(have, language)}"
    return ""


def _nth(have: str, asked: str, language: Language) -> str:
    number = have.partition(":")[2] or have
    this = ordinal(number, language) if number.isdigit() else ""
    if language == "ru":
        return f"нужна {asked}" + (f", эта — {this}" if this else "")
    return f"needs {asked}" + (f", this is the {this}" if this else "")


def _bought(need: str, language: Language) -> str:
    if need == "bought":
        return "для тех, кто уже покупал такие товары" if language == "ru" else "for those who bought such goods before"
    return "для тех, кто таких товаров ещё не покупал" if language == "ru" else "for those who never bought such goods"
