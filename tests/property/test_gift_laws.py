"""Whatever a programme says, a gift card costs its face: no discount, no points on it or for it, and it lifts nothing else."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import Basket, Line, ManualOff, Member, State, Tender
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import InputError, ProgrammeError
from pos_loyalty.values import Minor, Thousandths, convert
from tests.property.seeded_worlds import World, effort, wild_world
from tests.worlds import NOW

SKU = "GIFT"
TABLE = '\n[[gift_card]]\nid = "gift-card"\nsku = "GIFT"\namount_from = "1"\namount_to = "100000"\n'
WORLDS = effort(few=60, some=250, many=5_000)


def with_gifts(world: World, chance: Random) -> tuple[Basket, Basket]:
    """The basket of a world, and the same with lines of gift cards that look as tempting as can be."""
    bare = convert(world.basket, Basket)
    like = chance.choice(bare.lines) if bare.lines else None
    lines = tuple(
        Line(
            line_id=f"gift{number}",
            sku=SKU,
            quantity_milli=Thousandths(1000 * chance.choice((1, 1, 2))),
            price_minor=Minor(chance.choice((100, 50_000, 1_000_000))),
            category=like.category if like is not None else "",
            brand=like.brand if like is not None else "",
            tags=like.tags if like is not None else (),
            cost_minor=Minor(1),
        )
        for number in range(chance.choice((1, 1, 2)))
    )
    by_hand = (ManualOff(line_id="gift0", off_minor=Minor(50)),) if chance.random() < 0.3 else ()
    return bare, replace(bare, lines=bare.lines + lines, manual=bare.manual + by_hand)


def programme_of(world: World) -> Programme | None:
    """None for a world whose programme is faulty anyway: some are, on purpose."""
    try:
        load_programme(world.text.encode())
    except ProgrammeError:
        return None
    return load_programme((world.text + TABLE).encode())


@pytest.mark.parametrize("block", range(10))
def test_a_gift_card_costs_its_face_under_any_rules(block: int) -> None:
    judged = 0
    for seed in range(block * WORLDS // 10, (block + 1) * WORLDS // 10):
        world, chance = wild_world(seed), Random(f"gift {seed}")
        programme = programme_of(world)
        if programme is None:
            continue
        member = None if world.member is None else convert(world.member, Member)
        state = convert(world.state, State)
        _, both = with_gifts(world, chance)
        try:
            answer = quote(both, member, programme, state, NOW)
        except InputError:
            continue  # the world's own basket is faulty
        judged += 1
        for line in answer.lines:
            if line.line_id.startswith("gift"):
                assert line.net_minor == line.gross_minor and not line.adjustments, (seed, line)
                assert line.points_minor == 0 and line.earning_minor == 0 and not line.earned, (seed, line)
                assert not line.counted and line.progress_minor == 0, (seed, line)
                assert sum(p.price_minor * p.quantity_milli for p in line.fiscal) == line.gross_minor * 1000
                assert {position.kind for position in line.fiscal} == {"advance"}
    assert judged


@pytest.mark.parametrize("block", range(5))
def test_a_gift_card_brings_nothing_for_the_other_lines(block: int) -> None:
    """Where nothing speaks of the whole due, the other lines cost and earn what they do without it."""
    compared = 0
    for seed in range(block * WORLDS // 5, (block + 1) * WORLDS // 5):
        world, chance = wild_world(seed), Random(f"gift {seed}")
        programme = programme_of(world)
        if programme is None:
            continue
        member = None if world.member is None else convert(world.member, Member)
        state = convert(world.state, State)
        bare, both = with_gifts(world, chance)
        both = replace(both, manual=bare.manual)
        if any(rule.stage == "payment" for rule in programme.rules) or bare.redeem is not None:
            continue
        try:
            without = quote(bare, member, programme, state, NOW)
        except InputError:
            continue
        answer = quote(both, member, programme, state, NOW)
        assert [line for line in answer.lines if not line.line_id.startswith("gift")] == list(without.lines), seed
        assert answer.accruals == without.accruals and answer.counters == without.counters, seed
        assert answer.issued == without.issued and answer.tier_progress_minor == without.tier_progress_minor, seed
        compared += 1
    assert compared


def test_a_gift_card_is_paid_by_no_points_in_any_form() -> None:
    head = 'format = 1\nid = "t"\nversion = 1\ncurrency = "RUB"\ntimezone = "Europe/Moscow"\n'
    member = convert({"member_id": "m", "lots": [{"lot_id": "l", "centi": 10**7}]}, Member)
    line = Line(line_id="gift0", sku=SKU, quantity_milli=Thousandths(1000), price_minor=Minor(100_000))
    for form in ("discount", "counter_provision"):
        programme = load_programme(f'{head}[redeem]\nlimit = "100%"\nform = "{form}"\n{TABLE}'.encode())
        basket = Basket(
            basket_id="b", store="S", till="T", opened_at=NOW, currency="RUB", lines=(line,), redeem="max",
            tenders=(Tender(kind="cash", amount_minor=Minor(100_000)),),
        )  # fmt: skip
        answer = quote(basket, member, programme, State(), NOW)
        assert (answer.redemption.centi, answer.due_minor) == (0, 100_000)
