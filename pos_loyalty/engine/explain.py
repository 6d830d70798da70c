"""Sentences for cashier and customer, in Russian and English, from the data of a quote. They change nothing and decide nothing.

Whatever stands in a quote is said: a word or a token that is not known here is said as it stands, so nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from pos_loyalty.engine.effects import CounterAdd, Message, Privilege, TierProgress
from pos_loyalty.engine.model import Beaten, FloorStop, Hint, Issue, LineRefusal, Quote, Redemption, Refusal
from pos_loyalty.engine.phrases import Pair, in_language, pick
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.reasons import reason_of
from pos_loyalty.engine.returnable import PointsFor
from pos_loyalty.engine.saying import Language, day_of, figure, money, points, quoted
from pos_loyalty.values import Value

__all__ = ["Language", "Sentence", "told", "told_to_member"]

Names = Mapping[str, str]
"""SKU and line_id to the name of the goods."""
Kind = Literal["line", "refusal", "beaten", "hint", "floor", "redemption", "privilege", "issue"]

NEVER_TOLD = ("control", "pilot")
RESERVED: Mapping[str, Pair] = {
    "manual": ("Скидка кассира", "Cashier's discount"),
    "fiscal": ("Округление", "Rounding"),
    "coupon": ("Купон", "Coupon"),
    "redeem": ("Списание баллов", "Paying with points"),
    "prior": ("Скидка по цене", "Price reduction"),
    "referral": ("Приведи друга", "Bring a friend"),
}
FLOORS: Mapping[str, Pair] = {
    "shop": ("минимальная цена магазина", "the shop's lowest price"),
    "margin": ("закупочная цена с наценкой", "cost and margin"),
    "legal": ("минимальная цена по закону", "the legal minimum price"),
    "no_volume": (
        "не указан объём товара, цена по закону зависит от него",
        "its volume is missing, and its legal price depends on it",
    ),
    "no_strength": (
        "не указана крепость товара, цена по закону зависит от неё",
        "its strength is missing, and its legal price depends on it",
    ),
    "alcohol": ("на алкоголь скидки нет", "no discount on alcohol"),
    "tobacco": ("на табак скидки нет", "no discount on tobacco"),
    "gift_card": ("подарочная карта продаётся по номиналу", "a gift card is sold at its face value"),
    "cap": ("предел скидок на чек", "the limit of discounts on a receipt"),
    "price": ("больше цены товара не снять", "no more than the price can come off"),
}
LAWFUL = frozenset({"legal", "no_volume", "no_strength", "alcohol", "tobacco"})
"""Floors that the law sets."""
LINES: Mapping[str, Pair] = {
    "legal_minimum": ("цена ниже установленной законом, продать нельзя", "costs less than the law allows and cannot be sold"),
    "no_volume": (
        "не указан объём, без него дешевле продать нельзя",
        "its volume is missing, without which it cannot be sold for less",
    ),
    "no_strength": (
        "не указана крепость, без неё дешевле продать нельзя",
        "its strength is missing, without which it cannot be sold for less",
    ),
    "maximum_price": ("цена выше напечатанной на пачке, продать нельзя", "costs more than its printed price and cannot be sold"),
    "gift_card": (
        "подарочная карта продаётся только по своему номиналу, поштучно",
        "a gift card is sold at one of its face values only, by the piece",
    ),
}
ISSUES: Mapping[str, Pair] = {
    "coupon": ("Купон {0}", "Coupon {0}"),
    "privilege": ("Привилегия: {0}", "Privilege: {0}"),
    "plan": ("Подписка {0}", "Membership {0}"),
}


class Sentence(Value, gc=False):
    """One thing to say. ``rule``: the rule it is about; for the kinds ``line`` and ``floor`` the line."""

    kind: Kind
    rule: str
    text: str


def told(quote: Quote, programme: Programme, language: Language, names: Names | None = None) -> tuple[Sentence, ...]:
    """All that a cashier may hear, what needs a hand first. Pilots and control groups are never told, nor are rules that only
    count or show words.
    """
    return tuple(_told(quote, programme, language, names or {}))


def told_to_member(quote: Quote, programme: Programme, language: Language, names: Names | None = None) -> tuple[Sentence, ...]:
    """What may stand before the customer: what would save money, what points paid, what the sale brings."""
    kinds = ("hint", "redemption", "privilege", "issue")
    return tuple(each for each in _told(quote, programme, language, names or {}) if each.kind in kinds)


def _told(quote: Quote, programme: Programme, language: Language, names: Names) -> Iterator[Sentence]:
    for refused in quote.line_refusals:
        yield Sentence(kind="line", rule=refused.line_id, text=line_refusal_text(refused, programme, language, names))
    paid = redemption_text(quote.redemption, programme, language)
    if paid:
        yield Sentence(kind="redemption", rule="redeem", text=paid)
    for hint in quote.hints:
        yield Sentence(kind="hint", rule=hint.rule, text=hint_text(hint, programme, language, names))
    quiet = _quiet(quote, programme)
    for refusal in _by_law(quote):
        if is_told(refusal) and refusal.rule not in quiet:
            yield Sentence(kind="refusal", rule=refusal.rule, text=refusal_text(refusal, programme, language))
    for lost in quote.beaten:
        yield Sentence(kind="beaten", rule=lost.rule, text=beaten_text(lost, programme, language))
    for stop in quote.floors:
        yield Sentence(kind="floor", rule=stop.line_id, text=floor_text(stop, programme, language, names))
    issued = _once(quote.issued)
    dated = {issue.series for issue in issued if issue.kind == "privilege"}
    for privilege in quote.privileges:
        if privilege not in dated:
            yield Sentence(kind="privilege", rule=privilege, text=privilege_text(privilege, programme, language))
    for issue in issued:
        yield Sentence(kind="issue", rule=issue.rule, text=issue_text(issue, programme, language))


def _by_law(quote: Quote) -> Iterator[Refusal]:
    """The refusals. Where a floor of the law stopped something, a rule with nothing left may have met the law."""
    lawful = any(stop.floor in LAWFUL for stop in quote.floors)
    for refusal in quote.refusals:
        yield replace(refusal, condition="held_by_law") if lawful and refusal.condition == "nothing_left" else refusal


def _once(issued: Sequence[Issue]) -> list[Issue]:
    """What is issued; of a privilege that more than one rule gives, the one that lasts longest."""
    longest: dict[str, Issue] = {}
    for issue in issued:
        best = longest.get(issue.series)
        if issue.kind == "privilege" and (best is None or _end(issue) > _end(best)):
            longest[issue.series] = issue
    return [issue for issue in issued if issue.kind != "privilege" or issue is longest[issue.series]]


def _end(issue: Issue) -> datetime:
    return issue.expires_at if issue.expires_at is not None else datetime.max.replace(tzinfo=UTC)


def _quiet(quote: Quote, programme: Programme) -> frozenset[str]:
    """Refused rules that only count or tell: nobody at a till misses them."""
    refused = {refusal.rule for refusal in quote.refusals}
    return frozenset(
        rule.id
        for rule in programme.rules
        if rule.id in refused
        and not (rule.money or rule.points)
        and all(isinstance(act.effect, CounterAdd | Message | TierProgress) for act in rule.later)
    )


def is_told(refusal: Refusal) -> bool:
    """Whether people may hear of it: who is in a pilot or a control group is drawn, and they are not to know."""
    return refusal.condition not in NEVER_TOLD


def refusal_text(refusal: Refusal, programme: Programme, language: Language) -> str:
    """Which rule did not act and why."""
    return f"{_titled(refusal.rule, programme, language)}: {refusal_reason(refusal, programme, language)}"


def refusal_reason(refusal: Refusal, programme: Programme, language: Language) -> str:
    """Why a rule did not act, without its title."""
    return reason_of(refusal, programme, language)


def beaten_text(lost: Beaten, programme: Programme, language: Language) -> str:
    """Which rule held and lost, to which one, and by how much."""
    rule, winner = _titled(lost.rule, programme, language), _titled(lost.by, programme, language)
    if not lost.difference_minor:
        return f"{rule}: действует {winner}" if language == "ru" else f"{rule}: {winner} acts instead"
    difference = money(lost.difference_minor, programme.exponent, language)
    if language == "ru":
        return f"{rule}: действует {winner}, это выгоднее на {difference}"
    return f"{rule}: {winner} acts, which is worth {difference} more"


def hint_text(hint: Hint, programme: Programme, language: Language, names: Names | None = None) -> str:
    """What to add, and what it saves."""
    add, title = hint.add, _titled(hint.rule, programme, language)
    if add.sku is not None:
        goods = (names or {}).get(add.sku, add.sku)
        quantity = figure(add.quantity_milli.text if add.quantity_milli is not None else "1", language)
        more = f"Ещё {quantity} × {goods}" if language == "ru" else f"Add {quantity} × {goods}"
    elif add.amount_minor is not None:
        amount = money(add.amount_minor, programme.exponent, language)
        more = f"Ещё на {amount}" if language == "ru" else f"Add {amount} more"
    else:
        more = "Добавьте товар по акции" if language == "ru" else "Add goods of the offer"
    if hint.saves_minor > 0:
        saves = money(hint.saves_minor, programme.exponent, language)
        return f"{more} — и скидка {saves}: {title}" if language == "ru" else f"{more} and save {saves}: {title}"
    return f"{more}: {title}"


def floor_text(stop: FloorStop, programme: Programme, language: Language, names: Names | None = None) -> str:
    """Which floor kept how much of a discount, and on which line."""
    line = (names or {}).get(stop.line_id, _line(stop.line_id, language))
    floor = pick(FLOORS.get(stop.floor, (stop.floor, stop.floor)), language)
    kept = money(stop.stopped_minor, programme.exponent, language)
    return f"{line}: скидка меньше на {kept}, {floor}" if language == "ru" else f"{line}: {kept} less off, {floor}"


def line_refusal_text(refused: LineRefusal, programme: Programme, language: Language, names: Names | None = None) -> str:
    """Which line may not be sold so, and why."""
    line = (names or {}).get(refused.line_id, _line(refused.line_id, language))
    return f"{line}: {pick(LINES.get(refused.reason, (refused.reason, refused.reason)), language)}"


def issue_text(issue: Issue, programme: Programme, language: Language) -> str:
    """What the sale issues, how many, and when it is good."""
    if issue.kind == "coupon":
        series = programme.series.get(issue.series)
        title = quoted(in_language(series.title if series is not None else {}, language) or issue.series, language)
    elif issue.kind == "privilege":
        title = _privilege(issue.series, programme, language)
    else:
        title = _titled(issue.series, programme, language)
    said = pick(ISSUES[issue.kind], language).format(title)
    if issue.count > 1:
        said += f" × {issue.count}"
    return said + _good(issue, programme, language)


def privilege_text(privilege: str, programme: Programme, language: Language) -> str:
    """A right that is not money."""
    return pick(ISSUES["privilege"], language).format(_privilege(privilege, programme, language))


def redemption_text(redemption: Redemption, programme: Programme, language: Language) -> str:
    """What points bought and paid, or could pay; empty when neither."""
    said = [_bought(thing, programme, language) for thing in redemption.things]
    centi = redemption.centi - sum(thing.centi for thing in redemption.things)
    paid, most = points(centi, language), points(redemption.max_centi, language)
    if centi:
        off = money(redemption.off_minor, programme.exponent, language)
        more = redemption.max_centi > centi
        if language == "ru":
            said.append(f"Оплачено баллами {off} ({paid}{f' из {most}' if more else ''})")
        else:
            said.append(f"Points paid {off} ({paid}{f' of {most}' if more else ''})")
    elif redemption.max_centi:
        said.append(f"Можно списать {most}" if language == "ru" else f"Points can pay: {most}")
    return "; ".join(said)


def _bought(thing: PointsFor, programme: Programme, language: Language) -> str:
    title, paid = _titled(thing.rule, programme, language), points(thing.centi, language)
    times = f" × {thing.times}" if thing.times > 1 else ""
    return f"Куплено за баллы: {title}{times}, {paid}" if language == "ru" else f"Bought with points: {title}{times}, {paid}"


def title_of(rule: str, programme: Programme, language: Language) -> str:
    """What people call a rule, a price list or a plan, or a word of the quote that is none; its id when it has no title."""
    if rule in RESERVED:
        return pick(RESERVED[rule], language)
    return in_language(programme.titles.get(rule, {}), language) or rule


def _titled(rule: str, programme: Programme, language: Language) -> str:
    title = title_of(rule, programme, language)
    return title if rule in RESERVED else quoted(title, language)


def _line(line_id: str, language: Language) -> str:
    return f"Строка {line_id}" if language == "ru" else f"Line {line_id}"


def _privilege(name: str, programme: Programme, language: Language) -> str:
    for rule in programme.rules:
        for act in rule.later:
            if isinstance(act.effect, Privilege) and act.effect.name == name and act.effect.title:
                return in_language({str(key): words for key, words in act.effect.title.items()}, language)
    return name


def _good(issue: Issue, programme: Programme, language: Language) -> str:
    """When an issue is good; its last day stands, not the instant at which it ends."""
    parts = []
    if issue.usable_from is not None:
        start = day_of(issue.usable_from.astimezone(programme.zone), language)
        parts.append(f"с {start}" if language == "ru" else f"from {start}")
    if issue.expires_at is not None:
        last = day_of(_last(issue.expires_at, programme), language)
        parts.append(f"по {last}" if language == "ru" else f"to {last}")
    return f", {' '.join(parts)}" if parts else ""


def _last(expires_at: datetime, programme: Programme) -> datetime:
    return (expires_at - timedelta(microseconds=1)).astimezone(programme.zone)
