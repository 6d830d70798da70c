"""Coupons that were presented: which series they belong to, and whether they are good; and the codes of new ones.

A unique code is good when the till knows it as unused. A code that no till can look up is good when its length, prefix and check
digits fit; such a series is not ``unique``. Check digits find slips of the hand and nothing else: whoever makes codes that must
not be guessed gives random serials and enough digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from pos_loyalty.engine.check_digits import CHECK_SIGNS, Check, checked, has_check
from pos_loyalty.engine.model import CouponState, CouponTaken, Refusal
from pos_loyalty.engine.money import rest_in
from pos_loyalty.engine.selectors import PLAIN_PATTERN, Plain
from pos_loyalty.values import Value

COUPON = "coupon"
PREFIX_PATTERN = r"^[0-9A-Z-]{0,16}(?!\n)$"
PRINTED_DIGITS = 39
"""Of a printed code whose series does not say how many: every serial of 128 bits has its own."""
CODE_SIGNS = (4, 64)
SERIAL_DIGITS = 20
"""Of a code whose series does not say how many: enough for a serial of 64 bits."""


ALIKE = str.maketrans({"O": "0", "\N{CYRILLIC CAPITAL LETTER O}": "0", "I": "1", "L": "1"})
"""Letters that people type for digits."""


class Series(Value):
    """A series of coupons. With ``code`` all share one; without, each has its own: ``prefix`` and so many ``digits``.

    ``digits`` count the ``check`` digits, which stand last. ``unique``: each code is used once, and the till knows which are
    left. ``per_receipt``: so many coupons of the series count in one receipt.

    ``offline``: whether a code that another till or head office made is taken while head office is silent.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}(?!\n)$")]
    code: Annotated[str, Meta(min_length=1, max_length=64, pattern=PLAIN_PATTERN)] | None = None
    prefix: Annotated[str, Meta(pattern=PREFIX_PATTERN)] = ""
    digits: Annotated[int, Meta(ge=4, le=40)] | None = None
    check: Check | None = None
    unique: bool = True
    per_receipt: Annotated[int, Meta(ge=1, le=32)] = 1
    offline: Literal["accept", "refuse"] = "refuse"
    since: date | None = None
    until: date | None = None
    title: dict[Plain, Plain] = field(default_factory=dict)


class Codes(Value):
    """What codes look like, made once: shared codes as spelled, and by length the series whose own codes are so long."""

    series: Mapping[str, Series]
    shared: Mapping[str, Series]
    by_length: Mapping[int, tuple[Series, ...]]
    """Those with the longest prefix first."""


class CouponUse(Value):
    """The coupons of one series that were presented, judged by the best of them. ``codes``: those that count, sorted."""

    code: str
    is_good: bool
    have: str = ""
    need: str = ""
    codes: tuple[str, ...] = ()


class Presented(Value):
    """All coupons of a basket by series, and refusals of those that no series knows or that are too many."""

    by_series: Mapping[str, CouponUse]
    unknown: tuple[Refusal, ...]


NONE = Presented(by_series={}, unknown=())


def spelled(code: str) -> str:
    """One spelling for a code: people type small letters and spaces."""
    return code.strip().upper()


def codes_of(series: Mapping[str, Series]) -> Codes:
    """Make the look-up of a programme's series."""
    by_length: dict[int, list[Series]] = {}
    for each in series.values():
        if each.code is None and each.digits is not None:
            by_length.setdefault(len(each.prefix) + each.digits, []).append(each)
    return Codes(
        series=series,
        shared={spelled(each.code): each for each in series.values() if each.code is not None},
        by_length={n: tuple(sorted(alike, key=lambda one: (-len(one.prefix), one.id))) for n, alike in by_length.items()},
    )


def present(codes: Sequence[str], known: Codes, state: Mapping[str, CouponState], today: date) -> Presented:
    """Judge the codes of a basket on a local day. Their order does not matter."""
    if not codes:
        return NONE
    judged: dict[str, list[CouponUse]] = {}
    unknown: list[Refusal] = []
    for code in sorted({spelled(code): _known_as(code, state) for code in sorted(codes)}.values()):
        held = state.get(code)
        series = _series_of(spelled(code), known, held)
        if series is None:
            unknown.append(_refused(f"{_strangeness(spelled(code), known)}:{code}", COUPON))
        else:
            judged.setdefault(series.id, []).append(_judge(code, series, held, today))
    by_series: dict[str, CouponUse] = {}
    for name, uses in judged.items():
        most = known.series[name].per_receipt
        good = [use for use in uses if use.is_good]
        first = good[0] if good else uses[0]
        counting = tuple([use.code for use in good[:most]])
        by_series[name] = CouponUse(code=first.code, is_good=first.is_good, have=first.have, need=first.need, codes=counting)
        unknown += [_refused(f"per_receipt:{use.code}", f"per_receipt:{most}") for use in good[most:]]
        unknown += [_refused(use.have, use.need) for use in uses if good and not use.is_good]
    return Presented(by_series=by_series, unknown=tuple(unknown))


def _known_as(code: str, state: Mapping[str, CouponState]) -> str:
    """The spelling by which the till knows a code: what a sale takes is stored under it and looked up by it again."""
    return code if code in state and spelled(code) not in state else spelled(code)


def taken(presented: Presented, known: Codes, series: Iterable[str]) -> tuple[CouponTaken, ...]:
    """The unique coupons that a sale uses up: those that count, of the series that its acting rules ask for."""
    return tuple(
        [
            CouponTaken(code=code, series=name)
            for name in sorted(set(series))
            if name in presented.by_series and known.series[name].unique and known.series[name].code is None
            for code in presented.by_series[name].codes
        ]
    )


def coupon_code(series: Series, serial: int) -> str:
    """The code of a unique coupon: prefix, serial and check digits.

    A serial that has more digits than the code loses the highest ones: whoever makes serials looks whether the code exists, and
    picks them at random where codes must not be guessed.
    """
    assert series.code is None and serial >= 0
    digits = SERIAL_DIGITS + _check_signs(series) if series.digits is None else series.digits
    body = digits - _check_signs(series)
    text = f"{series.prefix}{rest_in(serial, 10**body):0{body}d}"
    return text if series.check is None else checked(text, series.check)


def own_fault(code: str, series: Series, known: Codes) -> str | None:
    """Why a code from outside cannot be a unique one of a series, as a sentence; None when it can. ``code`` as spelled."""
    other = known.shared.get(code)
    if other is not None:
        return f"is the code that all coupons of {other.id} share"
    if not CODE_SIGNS[0] <= len(code) <= CODE_SIGNS[1]:
        return f"has {len(code)} signs; a code has {CODE_SIGNS[0]} to {CODE_SIGNS[1]}"
    if not code.isprintable():
        return "has signs that cannot be printed"
    if series.digits is not None and not (len(code) == len(series.prefix) + series.digits and _fits(code, series)):
        return f'is not "{series.prefix}" and {series.digits} digits, as codes of {series.id} are'
    if series.check is not None and not has_check(code, series.check):
        return "is mistyped: its check digits do not fit"
    alike = next((each for each in known.by_length.get(len(code), ()) if not each.unique and _fits(code, each)), None)
    return None if alike is None else f"looks like a code of {alike.id}, which nobody looks up"


def printed_code(series: Series, serial: int) -> str:
    """A code of a print run: as the series says; where it does not say how many digits, of a serial of 128 bits."""
    if series.digits is None:
        series = replace(series, digits=PRINTED_DIGITS + _check_signs(series))
    return coupon_code(series, serial)


def codes_possible(series: Series) -> int:
    """So many different codes a series may have."""
    return int(10 ** (PRINTED_DIGITS if series.digits is None else series.digits - _check_signs(series)))


def pattern_faults(series: Series) -> Iterator[tuple[str, str]]:
    """(field, sentence) for each word about codes that cannot hold."""
    if series.code is not None:
        if series.prefix or series.digits is not None:
            yield "code", "all coupons share one code; prefix and digits are for series whose coupons have their own"
        elif series.check is not None and not has_check(spelled(series.code), series.check):
            yield "code", f'"{series.code}" does not end with the right check digit'
    elif series.digits is None and (series.prefix or not series.unique):
        yield "digits", "say how many digits follow the prefix, check digits included"
    elif not series.unique and series.check is None:
        yield "check", "whoever invents a number would have a coupon; give the codes check digits, or make them unique"


def _check_signs(series: Series) -> int:
    return 0 if series.check is None else CHECK_SIGNS[series.check]


def _series_of(code: str, known: Codes, held: CouponState | None) -> Series | None:
    """The series of a code: the one that shares it, the one the till knows it by, or the one whose codes look so."""
    mine = known.shared.get(code)
    if mine is None and held is not None:
        mine = known.series.get(held.series)
    if mine is not None:
        return mine
    alike = [each for each in known.by_length.get(len(code), ()) if _fits(code, each)]
    return next((each for each in alike if each.check is None or has_check(code, each.check)), alike[0] if alike else None)


def _strangeness(code: str, known: Codes) -> str:
    """What is wrong with a code that is of no series: mistyped, not known to this till, or not of this programme."""
    own = [each for each in known.series.values() if each.code is None]
    if any(each.digits is not None and _is_near(code, each.prefix, each.digits) for each in own):
        return "check"
    return "unknown" if any(each.digits is None for each in own) else "no_series"


def _is_near(code: str, prefix: str, digits: int) -> bool:
    """Whether a code is one of a series but for letters that look like digits, or one digit too many or too few."""
    meant, stem = code.translate(ALIKE), prefix.translate(ALIKE)
    serial = meant[len(stem) :]
    return meant.startswith(stem) and serial.isascii() and serial.isdigit() and abs(len(serial) - digits) <= 1


def _fits(code: str, series: Series) -> bool:
    serial = code[len(series.prefix) :]
    return code.startswith(series.prefix) and serial.isascii() and serial.isdigit()


def _judge(code: str, series: Series, held: CouponState | None, today: date) -> CouponUse:
    need = f"{COUPON}:{series.id}"
    if series.code is None and held is None:
        if series.check is not None and not has_check(spelled(code), series.check):
            return CouponUse(code=code, is_good=False, have=f"check:{code}", need=need)
        if series.unique:
            return CouponUse(code=code, is_good=False, have=f"unknown:{code}", need=need)
    if series.since is not None and today < series.since:
        return CouponUse(code=code, is_good=False, have=f"begins:{series.since.isoformat()}|{code}", need=need)
    if series.until is not None and today > series.until:
        return CouponUse(code=code, is_good=False, have=f"ended:{series.until.isoformat()}|{code}", need=need)
    if held is not None and not held.usable:
        return CouponUse(code=code, is_good=False, have=f"{held.why_not}:{code}", need=need)
    return CouponUse(code=code, is_good=True)


def _refused(have: str, need: str) -> Refusal:
    return Refusal(rule=COUPON, condition=COUPON, have=have, need=need)
