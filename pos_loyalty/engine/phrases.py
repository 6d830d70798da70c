"""Tokens of a refusal (``have``, ``need``) as words for cashier and customer. A token that nobody knows is said as it stands."""

from __future__ import annotations

from collections.abc import Mapping

from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.saying import Language, figure, is_figure, listed, ordinal, quoted, weekday

Pair = tuple[str, str]
"""The same words in Russian and in English."""

PHRASES: Mapping[str, Pair] = {
    "member": ("карта участника", "a member's card"),
    "none": ("покупка без карты", "a sale without a card"),
    "staff": ("карта сотрудника", "a card of staff"),
    "not_staff": ("покупатель не из сотрудников", "somebody who is not staff"),
    "paid": ("оплаченная подписка", "a paid membership"),
    "not_paid": ("покупатель без подписки", "nobody with a paid membership"),
    "bought": ("прежняя покупка таких товаров", "an earlier purchase of such goods"),
    "not_bought": ("никогда не купленные раньше товары", "goods never bought before"),
    "line": ("выбранная строка", "a chosen line"),
    "budget": ("бюджет", "a budget"),
    "unused": ("неиспользованный купон", "an unused coupon"),
    "in_dates": ("купон в срок его действия", "a coupon in its dates"),
    "known": ("купон этой программы", "a coupon of this programme"),
    "unknown": ("неизвестно", "not known"),
}
"""Words that stand alone."""
KINDS: Mapping[str, Pair] = {
    "tier": ("уровень {0}", "tier {0}"),
    "tier_from": ("уровень {0} или выше", "tier {0} or higher"),
    "segment": ("группа покупателей {0}", "the group {0}"),
    "coupon": ("купон {0}", "the coupon {0}"),
    "store": ("магазин {0}", "store {0}"),
    "till": ("касса {0}", "till {0}"),
    "tender": ("оплата: {0}", "payment by {0}"),
    "at_most": ("не больше {0}", "at most {0}"),
    "visits": ("покупок: {0}", "purchases: {0}"),
    "goods": ("{0} шт. по набору", "{0} of the set"),
    "uses": ("использований: {0}", "uses: {0}"),
    "uses_left": ("неисчерпанный лимит", "a use that is left"),
    "entered_days": ("дата, указанная за {0} дн. до этого", "a date entered {0} days ago"),
    "profile": ("анкета: {0}", "profile: {0}"),
    "paid": ("подписка до {0}", "membership until {0}"),
    "set": ("дата указана {0}", "date entered on {0}"),
    "privilege": ("привилегия {0}", "the privilege {0}"),
}
TENDERS: Mapping[str, Pair] = {
    "cash": ("наличными", "cash"),
    "card": ("картой", "card"),
    "gift_card": ("подарочной картой", "gift card"),
    "sbp": ("СБП", "faster payments"),
}
CONDITIONS: Mapping[str, Pair] = {
    "basket_amount": ("при такой сумме чека", "with such an amount"),
    "basket_qty": ("при таком количестве", "with such a quantity"),
    "contains": ("с таким набором товаров", "with such goods together"),
    "customer": ("для этого покупателя", "for this customer"),
    "birthday": ("в день рождения", "around the birthday"),
    "named_date": ("в эту дату", "around that date"),
    "profile": ("при такой анкете", "with such a profile"),
    "first_purchase": ("при первой покупке", "on the first purchase"),
    "nth_purchase": ("при этой по счёту покупке", "on a purchase of this number"),
    "counter": ("на этой по счёту штуке", "on a unit of this number"),
    "history": ("при таких прежних покупках", "after such purchases"),
    "coupon": ("с этим купоном", "with that coupon"),
    "when": ("в это время", "at this time"),
    "store": ("в этом магазине", "in this store"),
    "till": ("на этой кассе", "at this till"),
    "tender": ("при такой оплате", "with such a payment"),
    "uses": ("при таком числе использований", "after so many uses"),
    "budget": ("при таком бюджете", "with such a budget"),
    "not": ("при этом условии", "under that condition"),
    "all": ("при этих условиях", "under those conditions"),
    "any": ("при этих условиях", "under those conditions"),
}
"""What stands after "does not act", by the word of a condition."""


def pick(pair: Pair, language: Language) -> str:
    """The words of one language."""
    return pair[0] if language == "ru" else pair[1]


def phrase(tokens: str, programme: Programme, language: Language) -> str:
    """Tokens as words; those joined by " / " are alternatives."""
    ways = [way.strip("()") for way in tokens.split(" / ") if way]
    joiner = " или " if language == "ru" else " or "
    return joiner.join(_phrase(way, programme, language) for way in dict.fromkeys(ways))


def _phrase(token: str, programme: Programme, language: Language) -> str:
    if is_figure(token):
        return figure(token, language)
    if token in PHRASES:
        return pick(PHRASES[token], language)
    kind, separator, rest = token.partition(":")
    if not separator:
        return token
    values = rest.split("|")
    match kind:
        case "when":
            return window(values, language)
        case "holds":
            return pick(CONDITIONS.get(rest, (rest, rest)), language)
        case "not":
            words = pick(CONDITIONS.get(rest, (rest, rest)), language)
            return f"{'не' if language == 'ru' else 'not'} {words}"
        case "nth" | "every":
            return _nth(kind, values[0], language)
        case "birthday" | "named_date":
            return around(kind, values, language)
        case "goods":
            return pick(KINDS[kind], language).format(" + ".join(values))
        case "profile":
            among = f" = {listed(values[1:], language)}" if values[1:] else ""
            return pick(KINDS[kind], language).format(values[0] + among)
        case _ if kind in KINDS:
            names = [_name(kind, value, programme, language) for value in values]
            return pick(KINDS[kind], language).format(listed(names, language))
        case _:
            return f"{kind}: {', '.join(values)}"


def _name(kind: str, value: str, programme: Programme, language: Language) -> str:
    if kind in ("tier", "tier_from"):
        return quoted(in_language(programme.tier_titles.get(value, {}), language) or value, language)
    if kind == "coupon":
        series = programme.series.get(value)
        return quoted(in_language(series.title if series is not None else {}, language) or value, language)
    if kind == "tender":
        return pick(TENDERS.get(value, (value, value)), language)
    return figure(value, language)


def in_language(titles: Mapping[str, str], language: Language) -> str:
    """A title in the language, or in the other one; empty when there is none."""
    return titles.get(language) or next(iter(titles.values()), "")


def window(values: list[str], language: Language) -> str:
    """A window of local time: days, days of the week, hours, zone."""
    said = []
    for value in values:
        since, dots, until = value.partition("..")
        if dots:
            said.append(_days(since, until, language))
        elif value.startswith("@"):
            said.append(f"({value[1:]})")
        elif ":" in value:
            said.append(value.replace("-", "–"))
        else:
            said.append(", ".join(weekday(name, language) for name in value.split(",")))
    return " ".join(part for part in said if part)


def _days(since: str, until: str, language: Language) -> str:
    from_word, to_word = ("с", "по") if language == "ru" else ("from", "to")
    parts = [f"{from_word} {figure(since, language)}"] if since else []
    parts += [f"{to_word} {figure(until, language)}"] if until else []
    return " ".join(parts)


def _nth(kind: str, number: str, language: Language) -> str:
    said = ordinal(number, language)
    if kind == "nth":
        return f"{said} покупка" if language == "ru" else f"the {said} purchase"
    return f"каждая {said} покупка" if language == "ru" else f"every {said} purchase"


def around(kind: str, values: list[str], language: Language) -> str:
    """So many days before a date and after it."""
    name, days = ("", values) if kind == "birthday" else (values[0], values[1:])
    before, after = (*days, "0", "0")[:2]
    if language == "ru":
        date = f"даты {quoted(name, language)}" if name else "дня рождения"
        return f"с {before} дн. до {date} по {after} дн. после" if (before, after) != ("0", "0") else f"в сам день {date}"
    date = f"the date {quoted(name, language)}" if name else "the birthday"
    return f"from {before} days before {date} to {after} days after" if (before, after) != ("0", "0") else f"on {date} itself"
