"""A quote as a table for people: what is bought, what comes off and why, what is to be paid, and what the engine has to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from unicodedata import category

from pos_loyalty.engine.explain import Language, title_of, told
from pos_loyalty.engine.model import Basket, Line, Quote, QuoteLine
from pos_loyalty.engine.phrases import Pair, pick
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.saying import figure, money, points

GAP = "  "
WORDS: Mapping[str, Pair] = {
    "gross": ("Сумма", "Gross"),
    "total": ("После скидок", "After discounts"),
    "by_points": ("Баллами", "Paid with points"),
    "due": ("К оплате", "To pay"),
    "earns": ("Начислится", "Earns"),
    "inviter": ("Другу, который пригласил:", "The friend who invited:"),
    "proven": ("доказано: лучше сочетания нет", "proven the best"),
    "unproven": ("до лучшего не больше {0}", "at most {0} from the best"),
    "offers": ("Скидки на товары, до округления строк", "Offers for goods, before lines are rounded"),
}

Row = tuple[str, str, str]
"""What, how many, how much."""


def quote_table(quote: Quote, basket: Basket, programme: Programme, language: Language) -> str:
    """Lines of text without a trailing newline."""
    names = {line.line_id: line.name or line.sku for line in basket.lines} | {
        line.sku: line.name or line.sku for line in basket.lines
    }
    priced = {line.line_id: line for line in quote.lines}
    rows = [row for line in basket.lines for row in _line_rows(line, priced[line.line_id], programme, language)]
    rows += [("", "", ""), *_sums(quote, programme, language)]
    table = _aligned([(_clean(what), count, amount) for what, count, amount in rows])
    said = [sentence.text for sentence in told(quote, programme, language, names)]
    said += [message.text.get(language) or next(iter(message.text.values()), "") for message in quote.messages]
    return "\n".join([*table, *([""] if said else []), *(f"- {_clean(text)}" for text in said)])


def _line_rows(bought: Line, line: QuoteLine, programme: Programme, language: Language) -> Iterator[Row]:
    exponent = programme.exponent
    count = f"{figure(bought.quantity_milli.text, language)} × {money(bought.price_minor, exponent, language)}"
    yield f"{line.line_id}. {bought.name or bought.sku}", count, money(line.gross_minor, exponent, language)
    for adjustment in line.adjustments:
        yield f"   {title_of(adjustment.rule, programme, language)}", "", money(-adjustment.off_minor, exponent, language)


def _sums(quote: Quote, programme: Programme, language: Language) -> Iterator[Row]:
    def say(word: str) -> str:
        return pick(WORDS[word], language)

    def shown(minor: int) -> str:
        return money(minor, programme.exponent, language)

    yield say("gross"), "", shown(quote.gross_minor)
    yield say("total"), "", shown(quote.total_minor)
    if quote.redemption.centi:
        yield say("by_points"), points(quote.redemption.centi, language), shown(-quote.redemption.off_minor)
    yield say("due"), "", shown(quote.due_minor)
    for accrual in quote.accruals:
        is_mine = accrual.member_id in (None, quote.member_id)
        what = f"{say('earns')}: {title_of(accrual.rule, programme, language)}" if is_mine else say("inviter")
        yield what, "", points(accrual.centi, language)
    if quote.proof.bound_minor:
        yield say("offers"), _proof(quote, programme, language), shown(quote.proof.value_minor)


def _proof(quote: Quote, programme: Programme, language: Language) -> str:
    if quote.proof.proven:
        return pick(WORDS["proven"], language)
    gap = quote.proof.bound_minor - quote.proof.value_minor
    return pick(WORDS["unproven"], language).format(money(gap, programme.exponent, language))


def _clean(text: str) -> str:
    """Names and titles without signs that would move a terminal's cursor, break a line or turn the direction of writing."""
    return "".join(" " if category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text if category(sign) not in ("Cf", "Cs"))


def _aligned(rows: Sequence[Row]) -> list[str]:
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return [
        (row[0].ljust(widths[0]) + GAP + row[1].rjust(widths[1]) + GAP + row[2].rjust(widths[2])).rstrip() if any(row) else ""
        for row in rows
    ]
