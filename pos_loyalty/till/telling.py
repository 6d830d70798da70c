"""What a held quote says to the cashier, in sentences of the page's language. Pilots and control groups are never told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from pos_loyalty.config import Language
from pos_loyalty.engine.conditions import Coupon, Not, Term
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.explain import is_told, refusal_reason, title_of, told
from pos_loyalty.engine.model import Quote, Refusal
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import NotFoundError
from pos_loyalty.i18n import WORDS, day_text, tr
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import Told
from pos_loyalty.till.quotes import Held

COUPON = "coupon"


def tell(desk: Desk, quote_id: str, language: Language, goods: Mapping[str, str]) -> Told:
    """Sentences about a held quote, and why coupons do not act. ``goods``: SKU to name. Raises NotFoundError."""
    held = desk.quotes.get(quote_id)
    if held is None:
        raise NotFoundError(f"Quote {quote_id} is not held here; ask for the price again.")
    programme = desk.shelf.current(desk.db)
    lines = held.request.basket.lines
    names = {
        **goods,
        **{line.sku: line.name or line.sku for line in lines},
        **{line.line_id: line.name or line.sku for line in lines},
    }
    return Told(
        sentences=told(held.quote, programme, language, names),
        coupons={code: reason for code in held.request.basket.coupons if (reason := _why_not(code, held, programme, language))},
    )


def _why_not(code: str, held: Held, programme: Programme, language: Language) -> str:
    """Why a presented coupon gives nothing; empty when it acts, or nothing speaks against it."""
    quote = held.quote
    if spelled(code) in {spelled(taken.code) for taken in quote.coupons}:
        return ""
    fault = next((said for each in quote.refusals for said in _faults(each, code, programme, language)), None)
    if fault is not None:
        return fault
    rules = _rules_of(code, held, programme)
    lost = next((each for each in quote.beaten if each.rule in rules), None)
    if lost is not None:
        return tr(language, "coupon.beaten", rule=title_of(lost.by, programme, language))
    return _reason(quote, rules, programme, language)


def _reason(quote: Quote, rules: frozenset[str], programme: Programme, language: Language) -> str:
    found = next((each for each in quote.refusals if each.rule in rules and is_told(each)), None)
    return "" if found is None else refusal_reason(found, programme, language)


def _faults(refusal: Refusal, code: str, programme: Programme, language: Language) -> Iterator[str]:
    """What is wrong with this very coupon: the token that names its code, in words that need not name it again."""
    if refusal.condition != COUPON:
        return
    for token in refusal.have.split("; "):
        kind, _, values = token.partition(":")
        others = [value for value in values.split("|") if spelled(value) != spelled(code)]
        if len(others) == len(values.split("|")):
            continue
        key = f"coupon.{kind}"
        yield tr(language, key, day=_day(others, language)) if key in WORDS else refusal_reason(refusal, programme, language)


def _day(values: list[str], language: Language) -> str:
    return day_text(language, datetime.fromisoformat(values[0])) if values else ""


def _rules_of(code: str, held: Held, programme: Programme) -> frozenset[str]:
    """Rules that the coupon's series turns on."""
    state = held.state.coupons.get(code)
    shared = (
        series.id for series in programme.series.values() if series.code is not None and spelled(series.code) == spelled(code)
    )
    series = state.series if state is not None else next(shared, None)
    return frozenset(rule.id for rule in programme.rules if series is not None and series in set(_series_of(rule.terms)))


def _series_of(terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        if isinstance(term.condition, Coupon):
            yield term.condition.series
        elif not isinstance(term.condition, Not):
            yield from _series_of(term.parts)
