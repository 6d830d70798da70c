"""What the buyer sees, in two lines of a display. Pure: a view becomes two texts that fit its columns and its code page."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import NamedTuple

from pos_loyalty.config import Language
from pos_loyalty.errors import InputError
from pos_loyalty.i18n import NO_BREAK, amount, number, quantity_text, tr
from pos_loyalty.till.buyer import BuyerLine, BuyerView
from receipts.glyphs import clean, fit

ONE = 1000
PLACE = "display"


class Look(NamedTuple):
    """How a shop's display speaks: its language and page, its columns, and the greeting in its own words."""

    language: Language
    page: str
    columns: int
    greeting: str


def lines_of(view: BuyerView, look: Look) -> tuple[str, str]:
    """Both lines. A label gives way to its amount; an amount is never cut."""
    say, pair = partial(tr, look.language), partial(_pair, look)
    money, points = partial(amount, look.language), partial(number, look.language)
    due = pair(say("display.due"), money(view.due_minor))
    match view.phase:
        case "greeting":
            return _centred(look, look.greeting or say("display.greeting"))
        case "member":
            return _plain(look, say("display.hello")), pair(say("display.balance"), points(view.balance_centi or 0))
        case "goods":
            return _news(view, look), due
        case "paying":
            return (pair(say("display.saved"), money(-view.saved_minor)) if view.saved_minor else say("display.pay")), due
        case "thanks":
            return _thanks(view, look)
        case "returned":
            return _plain(look, say("display.refund")), pair("", money(view.refund_minor))


def _news(view: BuyerView, look: Look) -> str:
    """What changed last: the goods that were added, the member that came, else what comes off."""
    say, pair = partial(tr, look.language), partial(_pair, look)
    if view.added is not None:
        line = view.lines[view.added]
        return pair(_named(line, look.language), amount(look.language, line.sum_minor))
    if view.is_new_member and view.balance_centi is not None:
        return pair(view.first_name or say("display.balance"), number(look.language, view.balance_centi))
    if view.points_minor:
        return pair(say("display.by_points"), amount(look.language, -view.points_minor))
    if view.saved_minor:
        return pair(say("display.saved"), amount(look.language, -view.saved_minor))
    return pair(say("display.lines"), str(view.hidden + len(view.lines)))


def _named(line: BuyerLine, language: Language) -> str:
    if line.measure == "weight":
        return f"{quantity_text(language, line.quantity_milli)} {tr(language, 'display.kg')} {line.name}"
    return line.name if line.quantity_milli == ONE else f"{quantity_text(language, line.quantity_milli)}x {line.name}"


def _thanks(view: BuyerView, look: Look) -> tuple[str, str]:
    say, pair = partial(tr, look.language), partial(_pair, look)
    thanks = _plain(look, say("display.thanks"))[: look.columns]
    earned = pair(say("display.earned"), f"+{number(look.language, view.earned_centi)}") if view.earned_centi else ""
    if view.change_minor:
        return pair(say("display.change"), amount(look.language, view.change_minor)), earned or thanks
    if earned:
        return thanks, earned
    if view.balance_centi is not None:
        return thanks, pair(say("display.balance"), number(look.language, view.balance_centi))
    return thanks, pair(say("display.paid"), amount(look.language, view.due_minor))


def _pair(look: Look, left: str, right: str) -> str:
    """A label and what it is of, at both ends of the line."""
    shown = _plain(look, right)
    room = look.columns - len(shown) - 1
    return f"{_plain(look, left)[: max(room, 0)]:<{max(room + 1, 0)}}{shown}"[: max(look.columns, len(shown))]


def _centred(look: Look, text: str) -> tuple[str, str]:
    rows = [row.center(look.columns).rstrip() for row in textwrap.wrap(_plain(look, text), look.columns)[:2]]
    upper, lower = (*rows, "", "")[:2]
    return upper, lower


def _plain(look: Look, text: str) -> str:
    """In signs that the display has; one that it has no substitute for is a space, as there is no other way to write it."""
    try:
        fitted = fit(look.page, text, PLACE)
    except InputError:
        fitted = "".join(_sign(look.page, sign) for sign in clean(text))
    return fitted.replace(NO_BREAK, " ")


def _sign(page: str, sign: str) -> str:
    try:
        return fit(page, sign, PLACE)
    except InputError:
        return " "
