"""Tokens of a refusal (``need``) as words for cashier and customer. A token that nobody knows is said as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.saying import Language, all_listed, days, figure, is_figure, listed, ordinal, quoted, weekday

Pair = tuple[str, str]
"""The same words in Russian and in English."""

CLAUSES: Mapping[str, Pair] = {
    "member": ("нужна карта участника", "needs a member's card"),
    "none": ("нужна покупка без карты", "needs a sale without a card"),
    "staff": ("нужна карта сотрудника", "needs a card of staff"),
    "not_staff": ("не для сотрудников", "not for staff"),
    "paid": ("нужна оплаченная подписка", "needs a paid membership"),
    "not_paid": ("не для тех, у кого оплачена подписка", "not for those with a paid membership"),
    "bought": ("для тех, кто уже покупал такие товары", "for those who bought such goods before"),
    "not_bought": ("для тех, кто таких товаров ещё не покупал", "for those who never bought such goods"),
    "budget": ("действует, пока есть бюджет", "acts while there is a budget"),
}
"""Words that stand alone."""
KINDS: Mapping[str, Pair] = {
    "tier": ("нужен уровень {0}", "needs tier {0}"),
    "tier_from": ("нужен уровень {0} или выше", "needs tier {0} or higher"),
    "segment": ("нужна группа покупателей {0}", "needs the group {0}"),
    "coupon": ("нужен купон {0}", "needs the coupon {0}"),
    "store": ("действует в магазине {0}", "acts in store {0}"),
    "till": ("действует на кассе {0}", "acts at till {0}"),
    "at_most": ("нужно не больше {0}", "needs at most {0}"),
    "weight": ("нужно {0} кг", "needs {0} kg"),
    "visits": ("нужно прежних покупок: {0}", "needs {0} earlier purchases"),
    "spent": ("нужны прежние покупки на {0}", "needs earlier purchases of {0}"),
    "uses": ("можно использовать раз: {0}", "may be used {0} times"),
}
"""Words for what stands after the colon."""
ONCE: Mapping[str, Pair] = {
    "visits": ("нужна прежняя покупка", "needs an earlier purchase"),
    "uses": ("можно использовать один раз", "may be used once"),
}
ENTERED: Pair = ("день рождения должен быть указан за {0}", "needs a birthday entered {0} ahead")
TENDERS: Mapping[str, Pair] = {
    "cash": ("наличными", "in cash"),
    "card": ("картой", "card"),
    "gift_card": ("подарочной картой", "gift card"),
    "sbp": ("через СБП", "SBP"),
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


def clause(need: str, programme: Programme, language: Language) -> str:
    """What one token asks for, with its verb: "нужна карта участника", "acts in store S2"."""
    if need in CLAUSES:
        return pick(CLAUSES[need], language)
    kind, separator, rest = need.partition(":")
    values = rest.split("|")
    if not separator or is_figure(need):
        return _needs(figure(need, language), language)
    match kind:
        case "when":
            return f"{'действует' if language == 'ru' else 'acts'} {window(values, language)}"
        case "not":
            return _not(rest, language)
        case "tender":
            return _paid_by(values, language)
        case "nth" | "every":
            return on_purchases([need], language)
        case "unit":
            return on_unit(rest, language)
        case "birthday" | "named_date":
            return _around(kind, values, language)
        case "entered_days":
            return pick(ENTERED, language).format(days(rest, language))
        case "profile":
            return _profile(values, language)
        case "goods":
            return _needs(" + ".join(values), language)
        case "visits" | "uses" if rest == "1":
            return pick(ONCE[kind], language)
        case _ if kind in KINDS:
            names = [_name(kind, value, programme, language) for value in values]
            return pick(KINDS[kind], language).format(listed(names, language))
        case _:
            return _needs(f"{kind}: {', '.join(values)}", language)


def title_in(titles: Mapping[str, str], name: str, language: Language) -> str:
    """A title in quotation marks: in the language, else in the other one, else the name."""
    return quoted(in_language(titles, language) or name, language)


def in_language(titles: Mapping[str, str], language: Language) -> str:
    """A title in the language, or in the other one; empty when there is none."""
    return titles.get(language) or next(iter(titles.values()), "")


def on_purchases(needs: Sequence[str], language: Language) -> str:
    """Purchases of certain numbers, by tokens ``nth:1`` and ``every:5``; each of them would do."""
    said = []
    for need in needs:
        kind, _, number = need.partition(":")
        if language == "ru":
            said.append(f"{'каждую ' if kind == 'every' else ''}{accusative(number)}")
        else:
            said.append(f"{'every' if kind == 'every' else 'the'} {ordinal(number, language)}")
    each = all_listed(said, language)
    return f"действует на {each} покупку" if language == "ru" else f"acts on {each} purchase"


def on_unit(number: str, language: Language) -> str:
    """Every nth unit of a counter."""
    if language == "ru":
        return f"действует на каждую {accusative(number)} штуку"
    return f"acts on every {ordinal(number, language)} unit"


def accusative(number: str) -> str:
    """A Russian ordinal: "5-ю"."""
    return ordinal(number, "ru").replace("-я", "-ю")


def window(values: Sequence[str], language: Language) -> str:
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


def _needs(words: str, language: Language) -> str:
    return f"нужно {words}" if language == "ru" else f"needs {words}"


def _name(kind: str, value: str, programme: Programme, language: Language) -> str:
    if kind in ("tier", "tier_from"):
        return title_in(programme.tier_titles.get(value, {}), value, language)
    if kind == "coupon":
        series = programme.series.get(value)
        return title_in(series.title if series is not None else {}, value, language)
    return figure(value, language)


def _not(rest: str, language: Language) -> str:
    """The condition of that word must not hold; of a window of time it is told which."""
    word, _, values = rest.partition(":")
    if word == "when":
        times = window(values.split("|"), language)
        if times:
            return f"действует всегда, но не {times}" if language == "ru" else f"acts always except {times}"
        return "действует в другое время" if language == "ru" else "acts at other times"
    words = pick(CONDITIONS.get(word, (word, word)), language)
    return f"действует не {words}" if language == "ru" else f"acts except {words}"


def _paid_by(kinds: Sequence[str], language: Language) -> str:
    """Kinds of tender; one that has no words here is the host's own."""
    if language == "ru":
        return f"действует при оплате {listed([TENDERS.get(kind, (f'через {kind}',))[0] for kind in kinds], language)}"
    others = [TENDERS.get(kind, ("", kind))[1] for kind in kinds if kind != "cash"]
    said = ([TENDERS["cash"][1]] if "cash" in kinds else []) + ([f"by {others[0]}", *others[1:]] if others else [])
    return f"acts when paid {listed(said, language)}"


def _days(since: str, until: str, language: Language) -> str:
    from_word, to_word = ("с", "по") if language == "ru" else ("from", "to")
    parts = [f"{from_word} {figure(since, language)}"] if since else []
    parts += [f"{to_word} {figure(until, language)}"] if until else []
    return " ".join(parts)


def _around(kind: str, values: Sequence[str], language: Language) -> str:
    """So many days before a date and after it."""
    name, window_days = ("", values) if kind == "birthday" else (values[0], values[1:])
    before, after = (*window_days, "0", "0")[:2]
    earlier, later = days(before, language), days(after, language)
    if language == "ru":
        date, of_date = (
            (f"дату {quoted(name, 'ru')}", f"даты {quoted(name, 'ru')}") if name else ("день рождения", "дня рождения")
        )
        if before == "0":
            itself = f"в {'саму' if name else 'сам'} {date}"
            return f"действует {itself}" if after == "0" else f"действует {itself} и {later} после"
        return (
            f"действует за {earlier} до {of_date} и {later if after != '0' else 'в сам день'}{' после' if after != '0' else ''}"
        )
    date = f"the date {quoted(name, 'en')}" if name else "the birthday"
    if before == "0":
        return f"acts on {date} itself" if after == "0" else f"acts from {date} to {later} after"
    return f"acts from {earlier} before {date} to {f'{later} after' if after != '0' else 'the day itself'}"


def _profile(values: Sequence[str], language: Language) -> str:
    key, among = values[0], listed(values[1:], language)
    if language == "ru":
        return f"для покупателей, у которых в анкете {f'{key} = {among}' if among else f'есть {key}'}"
    return f"for customers whose profile {f'says {key} = {among}' if among else f'has {key}'}"
