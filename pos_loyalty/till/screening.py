"""What stands before every verb of a till: no payment card's number gets past it, in whatever field of whatever request.

Rule: before money is taken such a request is refused, with the place and never the value. Once it is taken (``AFTER_PAYMENT``,
and a sale that is authorised and completed in one) nothing is refused for its words: they are hidden, sign by sign. Only the
names of things, by which a return finds them and is found itself, cannot be hidden.

What goods are called is hidden always: a catalogue may hold such a row of digits, and nobody should have to stop a queue for it.

The walk goes over the types themselves, so a field that is added later is looked at too: as words, which is the strictest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, wraps
from types import FunctionType
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from drivers import nomenclature
from drivers.symbology import TORN_STRIPE, scan_of
from pos_loyalty.engine.coupons import own_fault, spelled
from pos_loyalty.engine.model import Line
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.payment_cards import DIGITS_MAX, DIGITS_MIN, HIDDEN, holds_number, without_numbers
from pos_loyalty.store import coupon_words, gift_cards, gift_codes, returned, sales
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import SaleRequest
from pos_loyalty.till.returns_model import UnsoldLine
from pos_loyalty.values import PAYMENT_CARD

AFTER_PAYMENT = {
    "complete": "all", "cancel": "all", "void": "all", "return_goods": "words", "return_by_receipt": "words"
}  # fmt: skip
"""What of their requests is hidden instead of refused; of an exchange that is completed at once ``words`` too."""
CODES = frozenset(
    {
        "basket_id", "quote_id", "sale_id", "return_id", "member_id", "line_id", "into", "sku", "marks", "coupons", "card",
        "lost", "found", "referrer_card", "referrer_code", "top_ups", "choices", "receipt", "qr", "fn", "fd", "fp",
    }
)  # fmt: skip
"""Fields that hold codes: in these a long row of digits is nothing odd, and no number is looked for in the midst of one."""
HOST_NAMES = frozenset({"basket_id", "quote_id", "sale_id", "return_id", "member_id", "into", "line_id"})
"""Names that programs give."""
SCANNED = frozenset({"coupons", "card", "lost", "found", "referrer_card", "referrer_code", "top_ups", "receipt", "qr"})
"""What a reader may have sent as it came: no piece of a stripe stays in it."""
FEWEST = dict.fromkeys({"phone", "sku", *HOST_NAMES}, DIGITS_MIN + 1)
"""Phones abroad have 13 digits at times, and so have articles that are no EAN, and programs count so; cards of 13 digits are
issued no more."""
DATED = re.compile(r"(?P<day>[0-9]{6})(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{1,7}", re.ASCII)
DATED_DAYS, DATED_AHEAD_DAYS = 400, 2
"""Names by year, month, day and time of so many days are names of sales: in 2026 they look like Mastercard's."""
THINGS = frozenset(
    {"sale_id", "return_id", "sale_till", "receipt", "line_id", "marks", "sku", "member_id", "quote_id", "top_ups"}
)
"""Hidden, they would name nothing, or something else."""
COUPON_FIELDS, GIFT_FIELDS = frozenset({"coupons"}), frozenset({"card", "top_ups"})
RECEIPT_FIELDS = frozenset({"receipt", "sale_id", "return_id"})
BLANKS = str.maketrans("", "", " \u00a0-")

T = TypeVar("T")


class _Look(NamedTuple):
    """One request on its way in."""

    desk: Desk
    hides: str
    """``all``, ``words``, or empty: nothing is hidden, all is refused."""


def screened(kind: type[T]) -> type[T]:
    """The class, each public verb of which looks at the texts of its requests first."""
    for name, verb in tuple(vars(kind).items()):
        if isinstance(verb, FunctionType) and not name.startswith("_"):
            setattr(kind, name, _screening(verb, AFTER_PAYMENT.get(name, "")))
    return kind


def _screening(verb: Callable[..., Any], hides: str) -> Callable[..., Any]:
    @wraps(verb)
    def act(till: Any, *given: Any, **named: Any) -> Any:
        desk: Desk = till._desk
        seen = tuple(_request(desk, each, hides) for each in given)
        return verb(till, *seen, **{name: _request(desk, each, hides) for name, each in named.items()})

    return act


def _request(desk: Desk, given: Any, hides: str) -> Any:
    if not isinstance(given, Struct):
        return given
    if isinstance(given, SaleRequest) and given.complete:
        hides = "words"
    return _looked(_Look(desk, hides), given, "$", "")


def _looked(look: _Look, value: Any, place: str, field: str) -> Any:
    """The value as it may go on: itself, or with hidden words. Raises InputError."""
    if isinstance(value, str):
        return value if len(value) < DIGITS_MIN else _text(look, value, place, field)
    if isinstance(value, Struct):
        return _struct(look, value, place)
    if isinstance(value, tuple):
        seen = tuple(_looked(look, each, f"{place}[{number}]", field) for number, each in enumerate(value))
        return value if all(new is old for new, old in zip(seen, value, strict=True)) else seen
    if isinstance(value, dict):
        pairs = {_looked(look, key, place, field): _looked(look, each, place, field) for key, each in value.items()}
        return value if pairs == value else pairs
    return value


def _struct(look: _Look, value: Struct, place: str) -> Struct:
    changed = {}
    for name, told in _fields(type(value)):
        given = getattr(value, name)
        if not given or (type(given) is str and len(given) < DIGITS_MIN):
            continue
        is_said_of_goods = told == "name" and isinstance(value, Line | UnsoldLine)
        seen = _looked(look._replace(hides="all") if is_said_of_goods else look, given, f"{place}.{told}", told)
        if seen is not given:
            changed[name] = seen
    return replace(value, **changed) if changed else value


def _text(look: _Look, text: str, place: str, field: str) -> str:
    is_code = field in CODES
    if not _holds_foreign(look.desk, text, field):
        return text
    if look.hides == "all" or (look.hides and field not in THINGS):
        return HIDDEN * min(len(text), DIGITS_MAX) if is_code else without_numbers(text, closely=True)
    raise InputError(place.removeprefix("$.") if place.startswith("$.basket") else place, PAYMENT_CARD)


def _holds_foreign(desk: Desk, text: str, field: str) -> bool:
    """A number, or a piece of a stripe, that is none of the shop's own."""
    rules = desk.config.nomenclature
    if holds_number(text, closely=field not in CODES, fewest=FEWEST.get(field, DIGITS_MIN)):
        return not (field in HOST_NAMES and _is_dated(desk, text)) and not _is_ours(desk, text, field)
    if nomenclature.holds_behind(text, rules):
        return True
    return field in SCANNED and scan_of(text, rules).rule == TORN_STRIPE and not _is_ours(desk, text, field)


def _is_dated(desk: Desk, text: str) -> bool:
    found = DATED.fullmatch(text)
    if found is None:
        return False
    try:
        day = datetime.strptime(found["day"], "%y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    return timedelta(days=-DATED_DAYS) <= day - desk.now() <= timedelta(days=DATED_AHEAD_DAYS)


def _is_ours(desk: Desk, text: str, field: str) -> bool:
    """A card, a coupon, a gift card of the shop's own, or a sale that stands here: its number only looks like a bank's.

    It is asked only when a number was found, so it may be slow.
    """
    rules = desk.config.nomenclature
    bare = text.translate(BLANKS)
    if field not in CODES:
        return any(nomenclature.holding(each, None, rules, closely=True) is not None for each in (text, bare))
    if any(scan_of(each, rules).kind not in ("code", "payment") for each in (text, bare)):
        return True
    if field in COUPON_FIELDS and _is_coupon(desk, spelled(text)):
        return True
    if field in GIFT_FIELDS and _is_gift_card(desk, text):
        return True
    return field in RECEIPT_FIELDS and _stands_here(desk, text.rpartition("|")[2])


def _is_coupon(desk: Desk, code: str) -> bool:
    if coupon_words.known(desk.db, (code,)):
        return True
    try:
        programme = desk.shelf.current(desk.db)
    except NotFoundError:
        return False
    codes = programme.codes
    if code in codes.shared:
        return True
    named = (series for series in codes.by_length.get(len(code), ()) if series.prefix)
    return any(code.startswith(series.prefix) and own_fault(code, series, codes) is None for series in named)


def _is_gift_card(desk: Desk, text: str) -> bool:
    pepper = desk.secrets.pepper
    marks = (gift_codes.mark_of(text, pepper), gift_codes.foreign_mark(text, pepper))
    return any(mark is not None and gift_cards.by_mark(desk.db, mark) is not None for mark in marks)


def _stands_here(desk: Desk, name: str) -> bool:
    till = desk.config.till.id
    return sales.by_id(desk.db, till, name) is not None or returned.by_id(desk.db, till, name) is not None


@lru_cache(maxsize=256)
def _fields(kind: type[Struct]) -> tuple[tuple[str, str], ...]:
    """Fields that may hold a text somewhere: the attribute, and its name in JSON."""
    from msgspec import inspect  # the types are asked once, and not at start

    told = inspect.type_info(kind)
    assert isinstance(told, inspect.StructType)
    return tuple((field.name, field.encode_name) for field in told.fields if _may_hold_text(field.type))


def _may_hold_text(kind: Any) -> bool:
    from msgspec import inspect

    match kind:
        case inspect.Metadata(type=inner):
            return _may_hold_text(inner)
        case inspect.UnionType(types=types):
            return any(map(_may_hold_text, types))
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner):
            return _may_hold_text(inner)
        case inspect.IntType() | inspect.BoolType() | inspect.NoneType() | inspect.LiteralType() | inspect.DateTimeType():
            return False
        case inspect.DateType() | inspect.CustomType():
            return False
        case _:
            return True
