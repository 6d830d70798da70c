"""Laws of lots: what is held, waiting and lost adds up; what is taken comes in order, and nothing of a lot that has nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random

from pos_loyalty.engine import lots
from pos_loyalty.engine.model import Lot
from pos_loyalty.values import Points
from tests.property.seeded_worlds import effort
from tests.worlds import NOW

COUNT = effort(few=300, some=1_000, many=20_000)
SECOND = timedelta(seconds=1)
YEAR_MAX = timedelta(days=365 * 7_900)


def some_lots(chance: Random) -> list[Lot]:
    """Up to six lots whose dates lie around NOW, often at the very second; now and then empty, or with no date at all."""
    dates = (None, NOW - SECOND, NOW, NOW + SECOND, NOW + 2 * SECOND, NOW + YEAR_MAX, NOW - timedelta(days=365 * 2_000))
    return [
        Lot(
            lot_id=f"lot-{chance.randrange(9)}{n}",
            centi=Points(chance.choice((0, 0, 1, 1, 5, 70))),
            usable_from=chance.choice(dates),
            expires_at=chance.choice(dates),
        )
        for n in range(chance.randrange(7))
    ]


def is_lost(lot: Lot) -> bool:
    return lot.expires_at is not None and not lot.expires_at > NOW


def waits(lot: Lot) -> bool:
    return lot.usable_from is not None and lot.usable_from > NOW


def test_usable_pending_and_lost_are_all_there_is() -> None:
    for seed in range(COUNT):
        held = some_lots(Random(f"lots {seed}"))
        usable = [lot for lot in held if lot.centi and not is_lost(lot) and not waits(lot)]
        assert {lot.lot_id for lot in lots.usable(held, NOW)} == {lot.lot_id for lot in usable}
        assert lots.usable_centi(held, NOW) == sum(lot.centi for lot in usable)
        waiting = sum(lot.centi for lot in held if waits(lot) and not is_lost(lot))
        assert lots.total_centi(held, NOW) == lots.usable_centi(held, NOW) + waiting


def test_the_order_of_redemption_never_goes_back() -> None:
    for seed in range(COUNT):
        ordered = lots.in_order(some_lots(Random(f"lots {seed}")))
        for one, other in pairwise(ordered):
            if one.expires_at != other.expires_at:
                assert one.expires_at is not None and (other.expires_at is None or one.expires_at < other.expires_at)
            elif one.usable_from != other.usable_from:
                assert other.usable_from is not None and (one.usable_from is None or one.usable_from < other.usable_from)
            else:
                assert one.lot_id <= other.lot_id


def test_the_next_loss_is_the_soonest_ahead_of_something() -> None:
    for seed in range(COUNT):
        held = some_lots(Random(f"lots {seed}"))
        ahead = [(lot.expires_at, lot.centi) for lot in held if lot.centi and lot.expires_at and not is_lost(lot)]
        found = lots.next_expiry(held, NOW)
        if not ahead:
            assert found is None
            continue
        soonest = min(at for at, _ in ahead)
        assert found == lots.Expiry(at=soonest, centi=Points(sum(centi for at, centi in ahead if at == soonest)))


def test_what_is_taken_comes_in_order_and_is_all_that_there_is() -> None:
    for seed in range(COUNT):
        chance = Random(f"lots {seed}")
        held = some_lots(chance)
        wish = chance.choice((0, 1, 2, 6, 75, 1_000))
        uses = lots.take(held, wish)
        assert sum(use.centi for use in uses) == min(wish, sum(lot.centi for lot in held))
        assert all(use.centi > 0 for use in uses)
        drained = [lot.lot_id for lot in held if lot.centi][: len(uses)]
        assert [use.lot_id for use in uses] == drained
        assert all(use.centi == lot.centi for use, lot in zip(uses[:-1], (lot for lot in held if lot.centi), strict=False))
