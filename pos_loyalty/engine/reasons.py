"""Why a rule did not act, as a sentence: one for each condition, made of what there is and what is needed."""

from __future__ import annotations

from collections.abc import Mapping

from pos_loyalty.engine.model import Refusal
from pos_loyalty.engine.phrases import CLAUSES, CONDITIONS, Pair, clause, on_purchases, pick, window
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.saying import Language, days, figure, is_figure, ordinal
from pos_loyalty.engine.set_reasons import set_lacks

NONE, UNKNOWN, OR = "none", "unknown", " / "

FIGURES: Mapping[str, Pair] = {
    "basket_amount": ("нужна сумма от {need}, сейчас {have}", "needs {need}, there is {have}"),
    "basket_qty": ("нужно {need} шт., в чеке {have}", "needs {need}, the receipt has {have}"),
    "quantity": ("нужно {need} шт., в чеке {have}", "needs {need}, the receipt has {have}"),
    "price": ("сейчас и так {have}, цена по акции {need}", "costs {have} as it is, {need} by the offer"),
    "goods": ("товара по акции нет в чеке: нужно {need} шт.", "the goods of the offer are not in the receipt: {need} needed"),
    "nothing_left": ("скидывать больше нечего", "nothing more can come off"),
    "held_by_law": ("больше снять нельзя", "no more may come off"),
    "nothing_earned": ("начислять не на что", "there is nothing to earn on"),
    "floor": ("цена уже минимальная", "the price is at its lowest"),
    "floors": ("товары уже по минимальной цене", "the goods are at their lowest price"),
    "cap": ("достигнут предел скидок на чек", "the limit of discounts on a receipt is reached"),
    "line": ("со строки можно снять {have}, просили {need}", "{have} can come off the line, {need} was asked"),
    "exclusive": ("не действует вместе с другой акцией", "does not act together with another offer"),
    "redeemed": ("баллы не начисляются, когда ими платят", "points are not earned when points pay"),
    "points": ("нужно баллов: {need}, есть {have}", "needs {need} points, there are {have}"),
    "uses": ("больше использовать нельзя", "it is used up"),
    "stopped": ("акция здесь остановлена", "the offer is stopped here"),
    "budget": ("бюджет акции исчерпан", "the budget of the offer is spent"),
    "role": ("эта должность снимает не больше {have}, просили {need}", "this role may take {have} off, {need} was asked"),
    "programme": ("баллами здесь не платят", "points do not pay here"),
    "balance": ("доступно баллов: {have}, нужно {need}", "there are {have} points, {need} needed"),
    "rights": ("на этой кассе доступно баллов: {have}, нужно {need}", "{have} points may be paid at this till, {need} needed"),
    "clock": (
        "часы кассы расходятся больше чем на сутки: баллы со сроком не списываются",
        "the till's clock is wrong by more than a day: points that expire are not paid",
    ),
    "limit": ("баллами можно оплатить {have}, просили {need}", "{have} points may pay here, {need} were asked"),
    "minimum_money": ("часть чека платится деньгами: баллами {have}", "part of the receipt stays in money: {have} points"),
    "least_money": ("часть чека остаётся деньгами", "part of the receipt stays in money"),
    "per_day": ("дневной предел баллов: ещё {have}, нужно {need}", "the day's limit of points: {have} left, {need} needed"),
    "per_receipt": ("предел баллов на чек: {have}, нужно {need}", "the receipt's limit of points: {have}, {need} needed"),
    "step": ("баллы списываются ступенями: {have} вместо {need}", "points are paid in steps: {have} instead of {need}"),
    "least": ("списывается не меньше {need}, а можно {have}", "no fewer than {need} points are paid, and {have} could be"),
    "whole_minor_units": ("{need} не делится на копейки, можно {have}", "{need} points do not make whole money, {have} do"),
}
"""Conditions whose reason is one sentence, with the figures in it."""
POINTS = frozenset(
    {"points", "balance", "rights", "limit", "minimum_money", "per_day", "per_receipt", "step", "least", "whole_minor_units"}
)
"""Conditions whose figures are points."""
COUPONS: Mapping[str, Pair] = {
    "ended": ("купон {code} закончился {day}", "the coupon {code} ended on {day}"),
    "begins": ("купон {code} начнёт действовать {day}", "the coupon {code} begins on {day}"),
    "used": ("купон {code} уже использован", "the coupon {code} is used up"),
    "silent": (
        "купон {code} проверит только офис, а он не отвечает",
        "only head office can check the coupon {code}, and it is silent",
    ),
    "asking": (
        "про купон {code} спрашивают офис, через секунду станет ясно",
        "head office is being asked about the coupon {code}; a second more",
    ),
    "elsewhere": (
        "офис сейчас не даёт купон {code} этой кассе",
        "head office does not give the coupon {code} to this till now",
    ),
    "unknown": ("касса не знает купона {code}", "this till does not know the coupon {code}"),
    "no_series": ("купона {code} нет в этой программе", "the coupon {code} is not of this programme"),
    "per_receipt": ("купон {code} в этот чек уже не идёт", "the coupon {code} is one too many for this receipt"),
    "check": ("в номере купона {code} опечатка", "the coupon {code} is mistyped"),
}
RESTRICTED: Mapping[str, Pair] = {
    "tobacco": ("на табак скидок и баллов не бывает", "no discounts or points on tobacco"),
    "alcohol": ("на алкоголь здесь скидок и баллов не бывает", "no discounts or points on alcohol here"),
    "gift_card": ("на подарочные карты скидок и баллов не бывает", "no discounts or points on gift cards"),
}
NOT_KNOWN: Mapping[str, Pair] = {
    "uses": ("касса не знает, сколько раз акция уже использована", "the till does not know how often it was used"),
    "budget": ("касса не знает, сколько осталось в бюджете акции", "the till does not know what is left of the offer's budget"),
    "ladder": ("касса не знает, сколько уже куплено", "the till does not know what was bought before"),
    "per_day": ("касса не знает, сколько баллов уже было сегодня", "the till does not know how many points there were today"),
    "birthday": ("касса не знает дня рождения", "the till does not know the birthday"),
    "entered_days": ("касса не знает, когда указан день рождения", "the till does not know when the birthday was entered"),
    "named_date": ("касса не знает дат покупателя", "the till does not know the customer's dates"),
    "profile": ("касса не знает анкеты", "the till does not know the profile"),
    "history": ("касса не знает прежних покупок", "the till does not know the earlier purchases"),
    "counter": ("касса не знает, сколько штук уже куплено", "the till does not know how many units were bought before"),
    "first_purchase": ("касса не знает, какая это покупка по счёту", "the till does not know the number of this purchase"),
    "nth_purchase": ("касса не знает, какая это покупка по счёту", "the till does not know the number of this purchase"),
}
"""What the till does not know, by condition."""
LIMITS: Mapping[str, Pair] = {
    "uses": (" (можно {0})", " (limit {0})"),
    "per_day": (" (можно {0})", " (limit {0})"),
    "ladder": (" (первая ступень — от {0})", " (the first step is at {0})"),
}
"""What stands behind some of these."""
HAVE: Mapping[str, Pair] = {
    "no_tier": ("уровня пока нет", "no tier yet"),
    "member": ("предъявлена карта", "a card was shown"),
    "no_date": ("дата не указана", "no such date is known"),
}
STATES: Mapping[str, Pair] = {
    "discounted": (
        "действует на уже уценённые товары, а таких в чеке нет",
        "acts on goods that are reduced already; there are none",
    ),
    "not_discounted": (
        "действует на товары без скидки, а на эти скидка уже есть",
        "acts on goods that nothing has reduced; these are reduced already",
    ),
}
"""What a rule asks of its goods, when all that are there are otherwise."""
CHOSEN: Mapping[str, Pair] = {
    "line": ("выбранной строки нет среди подарков", "the chosen line is not among the gifts"),
    "goods": ("выбранной строки нет среди товаров акции", "the chosen line is not among the goods of the offer"),
    "rule": ("в этой акции выбирать нечего", "there is nothing to choose in this offer"),
}
"""What is wrong with a choice."""
WEIGHT: Pair = ("нужно {need} кг, в чеке {have} кг", "needs {need} kg, the receipt has {have} kg")
WISH: Pair = ("списывается не меньше {need}, просили {have}", "no fewer than {need} points are paid, and {have} were asked")
UNSURE: Pair = ("касса этого не знает", "the till does not know")
STARTS: Pair = ("начнётся через {0}", "starts in {0}")
UNTIL: Pair = ("до начала {0}", "{0} until it starts")

_MEMBER_CONDITIONS = frozenset(
    {"customer", "profile", "birthday", "named_date", "history", "first_purchase", "nth_purchase", "counter", "uses"}
)
"""Conditions that somebody without a card cannot meet."""
_MEMBER_KINDS = frozenset(
    {
        *("tier", "tier_from", "segment", "paid", "not_paid", "not_staff", "profile", "birthday", "named_date", "entered_days"),
        *("nth", "every", "unit", "visits", "spent", "bought", "not_bought", "uses"),
    }
)
"""Tokens that ask something of a member whose card was shown; ``member`` and ``staff`` ask for the card itself."""


def reason_of(refusal: Refusal, programme: Programme, language: Language) -> str:
    """The sentence, without the rule's title and without a full stop."""
    condition, have, need = refusal.condition, refusal.have, refusal.need
    to = (programme, language)
    match condition:
        case "any":
            return _any(have, need, to)
        case "not":
            return _not(have, need, to)
        case "coupon":
            return _coupon(have, need, to)
        case "choice":
            return _choice(have, need, language)
        case "contains":
            return set_lacks(refusal, programme, language)
        case "quantity" if said := set_lacks(refusal, programme, language):
            return said
        case "goods" if need in STATES:
            return pick(STATES[need], language)
        case "basket_qty" if need.startswith("weight:"):
            return _filled_in(WEIGHT, have.removeprefix("weight:"), need.removeprefix("weight:"), language)
        case "least" if have.startswith("asked:"):
            return _filled_in(WISH, _trimmed(have.removeprefix("asked:")), _trimmed(need), language)
        case "restricted" if have in RESTRICTED:
            return pick(RESTRICTED[have], language)
        case _ if have == NONE and condition in _MEMBER_CONDITIONS:
            return _with_card(_asked(condition, need), to)
        case _ if have == UNKNOWN:
            return _not_known(condition, need, to)
        case "ladder":
            return _ladder(have, need, language)
        case "basket_amount" if need.startswith("at_most:"):
            most, there = figure(need.partition(":")[2], language), figure(have, language)
            return f"сумма выше {most}: {there}" if language == "ru" else f"{there} is more than {most}"
        case _ if condition in FIGURES:
            return _figures(condition, have, need, language)
        case _:
            now = _now(have, need, to)
            return clause(_asked(condition, need), programme, language) + (f"; {now}" if now else "")


def _asked(condition: str, need: str) -> str:
    """The token, with a kind where a bare figure would not say what it counts."""
    if not is_figure(need):
        return need
    return {"history": f"spent:{need}", "counter": f"unit:{need}"}.get(condition, need)


def _with_card(need: str, to: tuple[Programme, Language]) -> str:
    """Without a card nothing else that a condition asks of a member helps, so the card comes first."""
    programme, language = to
    card, kind = pick(CLAUSES["member"], language), need.partition(":")[0]
    if need in ("staff", NONE):
        return clause(need, programme, language)
    if kind not in _MEMBER_KINDS or kind == "uses":
        return card
    asked = clause(need, programme, language)
    verb, _, rest = asked.partition(" ")
    if verb in ("нужен", "нужна", "нужны", "needs"):
        return f"{card} {'и' if language == 'ru' else 'and'} {rest}"
    return f"{card} ({asked})"


def _not_known(condition: str, need: str, to: tuple[Programme, Language]) -> str:
    programme, language = to
    kind, _, value = need.partition(":")
    word = kind if kind == "entered_days" else condition
    if word not in NOT_KNOWN:
        this = pick(UNSURE, language)
        return f"{this}; {clause(need, programme, language)}" if need not in ("", UNKNOWN) else this
    said = pick(NOT_KNOWN[word], language)
    if word in LIMITS:
        limit = {"uses": value, "per_day": _trimmed(need)}.get(word) or _step(need, language)
        return said + pick(LIMITS[word], language).format(figure(limit, language))
    asked = _asked(condition, need)
    return said if is_figure(asked) or need in ("", "budget") else f"{said}; {clause(asked, programme, language)}"


def _any(have: str, need: str, to: tuple[Programme, Language]) -> str:
    """Each way with what there is of it. Where every way asks for a card, the card is said once, first."""
    language = to[1]
    needs, haves = _ways(need), _ways(have)
    if len(haves) != len(needs):
        haves = [""] * len(needs)
    if all(there == NONE and _is_of_member(asked) for there, asked in zip(haves, needs, strict=True)):
        card = pick(CLAUSES["member"], language)
        return card if "member" in needs else f"{card}; {_either([''] * len(needs), needs, to)}"
    return _either(haves, needs, to)


def _either(haves: list[str], needs: list[str], to: tuple[Programme, Language]) -> str:
    """A verb that stood before is not said again."""
    programme, language = to
    if all(each.startswith(("nth:", "every:")) for each in needs) and NONE not in haves:
        now = _now(haves[0], needs[0], to)
        return on_purchases(needs, language) + (f"; {now}" if now else "")
    ways: list[str] = []
    for there, asked in zip(haves, needs, strict=True):
        way = _with_card(asked, to) if there == NONE and _is_of_member(asked) else clause(asked, programme, language)
        now = pick(UNSURE, language) if there == UNKNOWN else _now(there, "" if there.startswith("days:") else asked, to)
        ways.append(way + (f" ({now})" if now else ""))
    said: list[str] = []
    verb = ""
    for way in dict.fromkeys(ways):
        first, _, rest = way.partition(" ")
        said.append(rest if first == verb else way)
        verb = first
    return (" или " if language == "ru" else " or ").join(said)


def _ways(tokens: str) -> list[str]:
    """Tokens joined by " / "; brackets around those of an ``any`` inside are dropped."""
    ways = []
    for way in tokens.split(OR):
        way = way.lstrip("(")
        while way.endswith(")") and way.count(")") > way.count("("):
            way = way[:-1]
        ways.append(way)
    return ways


def _is_of_member(need: str) -> bool:
    kind, _, rest = need.partition(":")
    return is_figure(need) or need == "member" or kind in _MEMBER_KINDS or (kind == "not" and rest in _MEMBER_CONDITIONS)


def _not(have: str, need: str, to: tuple[Programme, Language]) -> str:
    language = to[1]
    word, inner = have.removeprefix("holds:"), need.removeprefix("not:")
    if word == "when" and window(inner.partition(":")[2].split("|"), language):
        return clause(need, *to)
    if word != have:
        held = pick(CONDITIONS.get(word, (word, word)), language)
        return f"не действует {held}" if language == "ru" else f"does not act {held}"
    if inner == "tender":
        return "касса не знает, чем будут платить" if language == "ru" else "the till does not know how it will be paid"
    if have == NONE and inner in _MEMBER_CONDITIONS:
        return pick(CLAUSES["member"], language)
    return pick(NOT_KNOWN.get(inner, UNSURE) if have == UNKNOWN else UNSURE, language)


def _choice(have: str, need: str, language: Language) -> str:
    if have.startswith("line:") and need in CHOSEN:
        return pick(CHOSEN[need], language)
    if not is_figure(need):
        return "выберите строку" if language == "ru" else "choose a line"
    points = figure(_trimmed(need), language)
    return f"можно взять за баллы: {points}" if language == "ru" else f"can be had for {points} points"


def _trimmed(points: str) -> str:
    """Points without needless zeros."""
    return points.rstrip("0").rstrip(".") if is_figure(points) and "." in points else points


def _figures(condition: str, have: str, need: str, language: Language) -> str:
    if condition in POINTS:
        have, need = _trimmed(have), _trimmed(need)
    return _filled_in(FIGURES[condition], have, need, language)


def _filled_in(words: Pair, have: str, need: str, language: Language) -> str:
    return pick(words, language).format(need=figure(need, language), have=figure(have, language))


def _ladder(have: str, need: str, language: Language) -> str:
    first, now = _step(need, language), figure(have.removeprefix("visits:"), language)
    return f"первая ступень — от {first}, сейчас {now}" if language == "ru" else f"the first step is at {first}; now {now}"


def _step(need: str, language: Language) -> str:
    """Where the first step of a ladder stands: money, or a number of earlier visits."""
    visits = need.removeprefix("visits:")
    if visits == need:
        return figure(need, language)
    if language == "ru":
        return f"{visits} {'прежней покупки' if visits == '1' else 'прежних покупок'}"
    return f"{visits} earlier purchase{'' if visits == '1' else 's'}"


def _coupon(have: str, need: str, to: tuple[Programme, Language]) -> str:
    programme, language = to
    return _of_coupon(have, language) or clause(need, programme, language)


def _of_coupon(have: str, language: Language) -> str:
    """What is wrong with a presented coupon; empty when none was."""
    kind, colon, rest = have.partition(":")
    if not colon or kind not in COUPONS:
        return ""
    first, _, second = rest.partition("|")
    code, day = (second, first) if kind in ("ended", "begins") else (first, "")
    return pick(COUPONS[kind], language).format(code=code, day=figure(day, language))


def _now(have: str, need: str, to: tuple[Programme, Language]) -> str:
    """What there is now; empty where that says nothing new."""
    programme, language = to
    kind, _, value = have.partition(":")
    asked = need.partition(":")[0]
    if have in HAVE:
        return pick(HAVE[have], language)
    if have and is_figure(have):
        there = figure(have, language)
        return f"сейчас {there}" if language == "ru" else f"{'it is' if asked == 'when' else 'now'} {there}"
    match kind:
        case "tier":
            title = clause(have, programme, language).partition(" ")[2]
            return f"сейчас {title}" if language == "ru" else f"now {title}"
        case "days":
            return pick(STARTS if asked in ("birthday", "named_date") else UNTIL, language).format(days(value, language))
        case "entered_days":
            if value == "0":
                return "указан сегодня" if language == "ru" else "it was entered today"
            return f"указан {days(value, language)} назад" if language == "ru" else f"it was entered {days(value, language)} ago"
        case "nth":
            return f"эта — {ordinal(value, language)}" if language == "ru" else f"this is the {ordinal(value, language)}"
        case "weight":
            there = figure(value, language)
            return f"сейчас {there} кг" if language == "ru" else f"now {there} kg"
        case "visits":
            return f"сейчас {value}" if language == "ru" else f"now {value}"
        case _:
            return _of_coupon(have, language)
