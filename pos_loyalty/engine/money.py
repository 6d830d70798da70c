"""All division of money: shares, splits and VAT, by whole numbers only. Nothing is lost and nothing is made by rounding."""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.values import BP_PER_UNIT, MILLI_PER_UNIT, Minor

NOTHING_MINOR = Minor(0)


def half_up(numerator: int, denominator: int) -> int:
    """numerator ÷ denominator to the nearest whole number, a half going up. ``numerator`` >= 0, ``denominator`` > 0."""
    assert numerator >= 0 and denominator > 0
    return (2 * numerator + denominator) // (2 * denominator)


def up(numerator: int, denominator: int) -> int:
    """numerator ÷ denominator, rounded up: for upper bounds. ``denominator`` > 0."""
    assert denominator > 0
    return -(-numerator // denominator)


def percent_of(amount_minor: int, rate_bp: int) -> Minor:
    """Share of an amount, rounded half up to a minor unit."""
    assert amount_minor >= 0 and rate_bp >= 0
    return Minor((amount_minor * rate_bp + BP_PER_UNIT // 2) // BP_PER_UNIT)


def percent_within(amount_minor: int, rate_bp: int) -> Minor:
    """Share of an amount, rounded down: for limits, which may not be passed by a fraction."""
    assert amount_minor >= 0 and rate_bp >= 0
    return Minor(amount_minor * rate_bp // BP_PER_UNIT)


def with_margin(cost_minor: int, margin_bp: int) -> Minor:
    """A cost and so much more, rounded up: a floor may not be passed by a fraction."""
    return Minor(-(-cost_minor * (BP_PER_UNIT + margin_bp) // BP_PER_UNIT))


def share_up(amount_minor: int, part: int, whole: int) -> Minor:
    """amount × part ÷ whole, rounded up: for floors. ``whole`` > 0."""
    assert amount_minor >= 0 and part >= 0 and whole > 0
    return Minor(-(-amount_minor * part // whole))


def sum_of(price_minor: int, quantity_milli: int) -> Minor:
    """price × quantity, rounded half up to a minor unit."""
    assert price_minor >= 0 and quantity_milli >= 0
    return Minor((price_minor * quantity_milli + MILLI_PER_UNIT // 2) // MILLI_PER_UNIT)


def vat_in(amount_minor: int, rate_bp: int | None) -> Minor:
    """The VAT inside a gross amount, rounded half up; nothing for None (without VAT)."""
    if not rate_bp:
        return NOTHING_MINOR
    assert amount_minor >= 0 and rate_bp > 0
    return Minor(half_up(amount_minor * rate_bp, BP_PER_UNIT + rate_bp))


def unit_price_within(sum_minor: int, quantity_milli: int) -> Minor:
    """The largest price for which price × quantity, rounded half up, is not more than the sum. ``quantity_milli`` > 0."""
    assert sum_minor >= 0 and quantity_milli > 0
    half = MILLI_PER_UNIT // 2
    return Minor((sum_minor * MILLI_PER_UNIT + MILLI_PER_UNIT - 1 - half) // quantity_milli)


def unit_price_nearest(sum_minor: int, quantity_milli: int) -> Minor:
    """The price nearest to sum ÷ quantity; price × quantity rounds to the sum whenever some price does."""
    return Minor(half_up(sum_minor * MILLI_PER_UNIT, quantity_milli))


def split_evenly(sum_minor: int, pieces: int) -> tuple[int, int]:
    """(price, dearer): ``pieces - dearer`` pieces at ``price`` and ``dearer`` pieces at ``price + 1`` make the sum exactly."""
    assert sum_minor >= 0 and pieces > 0
    return divmod(sum_minor, pieces)


def allocate(weights: Sequence[int], amount: int, caps: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights by largest remainder; no part passes its cap.

    The parts sum to the smaller of the amount and the caps of all that have a weight. What a cap stops goes to the others.
    Of equal remainders the larger weight comes first, then the earlier place: give the weights in an order that does not
    depend on how the basket was scanned.
    """
    assert amount >= 0 and len(weights) == len(caps)
    parts = [0] * len(weights)
    if not amount:
        return parts
    takers = [i for i, weight in enumerate(weights) if weight > 0 and caps[i] > 0]
    left = min(amount, sum([caps[i] for i in takers]))
    while left > 0 and takers:
        whole = sum([weights[i] for i in takers])
        full = [i for i in takers if left * weights[i] >= caps[i] * whole]
        if full:
            for i in full:
                parts[i] = caps[i]
                left -= caps[i]
            takers = [i for i in takers if not parts[i]]
            continue
        missing = left
        claims = []
        for i in takers:
            parts[i], rest = divmod(left * weights[i], whole)
            missing -= parts[i]
            claims.append((-rest, -weights[i], i))
        if missing:
            claims.sort()
            for _, _, i in claims[:missing]:
                parts[i] += 1
        break
    return parts


def whole_in(amount: int, divisor: int) -> int:
    """How many whole steps or grains an amount holds."""
    assert amount >= 0 and divisor > 0
    return amount // divisor


def rest_in(amount: int, step: int) -> int:
    """What is over after whole steps."""
    assert amount >= 0 and step > 0
    return amount % step
