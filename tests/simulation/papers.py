"""Worlds in which gift cards and unique codes go from till to till by rights: what people do with them, and what must hold.

Rule: whoever has a paper may have copied it: it is shown at one till and at the next, whatever anybody has heard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from pos_loyalty.engine.model import Tender
from pos_loyalty.till.gift_card_model import GiftCardRequest
from pos_loyalty.values import Minor
from tests.simulation import acts, selling
from tests.simulation.chronicle import plainly
from tests.simulation.template import Terms

if TYPE_CHECKING:
    from pos_loyalty.store.db import Connection
    from tests.simulation.acts import Act
    from tests.simulation.books import Books
    from tests.simulation.counter import Counter
    from tests.simulation.world import World

FACE = Minor(10_000)
CARDS_MAX, SHOWN_MAX = 5, 6
"""So few cards, and of the codes the newest, that the same one is shown again and again."""
TERMS = Terms(
    settings='[gift_cards]\noffline = "escrow"\n[coupons]\noffline = "escrow"\n',
    rules="""
[[gift_card]]
id = "standard"
sku = "GC"
amounts = ["100"]
[[coupon]]
id = "thanks"
title = { ru = "Спасибо", en = "Thank you" }
[[rule]]
id = "use-thanks"
stage = "order"
title = { ru = "Купон", en = "Coupon" }
when = [{ is = "coupon", series = "thanks" }]
then = [{ do = "amount", amount = "5.00" }]
[[rule]]
id = "give"
title = { ru = "Дарим", en = "We give" }
when = [{ is = "basket_amount", min = "120.00" }]
then = [{ do = "issue_coupon", series = "thanks", days = 300 }]
""",
)


def sell_card(world: World, counter: Counter, chance: Random) -> None:
    """Somebody buys a gift card."""
    if len(world.chronicle.cards) < CARDS_MAX:
        acts.verb(world, counter, lambda: selling.sell_sku(counter, chance, "GC", FACE))


def pay_by_card(world: World, counter: Counter, chance: Random) -> None:
    """A card, or a copy of its code, is shown at some tills, one after another, and pays what lies on the counter."""
    if not world.chronicle.cards:
        return
    code = chance.choice(sorted(world.chronicle.cards))
    for here in _some(world, counter, chance):
        minor = Minor(chance.choice((FACE, FACE // 2, chance.randrange(100, FACE))))
        acts.verb(world, here, lambda here=here: _show(here, code))
        world.pass_ms(chance.choice((1, 2_000, 6_000)))
        gift = Tender(kind="gift", amount_minor=minor, card=code)
        acts.verb(world, here, lambda here=here, gift=gift: selling.sell_sku(here, chance, "2", gift.amount_minor, (gift,)))
        world.pass_ms(chance.choice((1, 3_000, 20_000)))


def use_code(world: World, counter: Counter, chance: Random) -> None:
    """The same with a coupon: it is asked for with the first price, and good with the second, or not."""
    codes = list(world.chronicle.codes)[-SHOWN_MAX:]
    if not codes:
        return
    code = chance.choice(codes)
    for here in _some(world, counter, chance):
        price = Minor(chance.randrange(1_000, 9_000))
        for wait_ms in chance.choice(((1,), (3_000, 1), (6_000, 1))):
            sells = lambda here=here, price=price: selling.sell_sku(here, chance, "3", price, coupons=(code,))  # noqa: E731
            acts.verb(world, here, sells if wait_ms == 1 else lambda here=here, price=price: selling.price(here, price, (code,)))
            world.pass_ms(wait_ms)


def _some(world: World, counter: Counter, chance: Random) -> list[Counter]:
    others = [each for each in world.counters.values() if each is not counter]
    return [counter, *chance.sample(others, chance.choice((0, 1, 1, 2)))]


def _show(counter: Counter, code: str) -> None:
    answer = counter.till.gift_card(GiftCardRequest(card=code))
    counter.world.say(f"  a card holds {answer.balance_minor} {answer.state} {answer.asking}")


# Laws.


def codes_pay_once(world: World) -> None:
    """I1: no two sales that stand take one code, by the tills' own files, and head office's of those that are in none.

    But one that was paid after it was let go: its code was free again meanwhile, and the sale happened. A case tells it.
    """
    taken: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    known: set[tuple[str, str]] = set()
    for name, counter in world.counters.items():
        if counter.is_up:
            known |= {(name, sale) for (sale,) in plainly(counter.db, "SELECT sale_id FROM sale WHERE till = ?", (name,))}
            _add(taken, counter.db, {name})
    if world.office.is_up:
        held = defaultdict(set)
        _add(held, world.office.db, set(world.counters))
        for code, sales in held.items():
            taken[code] |= sales - known
    for code, sales in taken.items():
        assert len(sales) < 2 or _is_of_lost(world, code), f"I1: code {code} pays for {sorted(sales)}"


def cards_pay_what_was_sold(world: World, books: Books) -> None:
    """I7, at quiet: what head office has on each card is what the logs say, and no more than was ever sold on it."""
    accounts = plainly(world.office.db, "SELECT account, amount FROM balance WHERE account GLOB 'gift:*' AND amount <> 0", ())
    there = dict(accounts)
    by_log = {lot: minor for lot, minor in books.left.items() if lot.startswith("gift:") and minor}
    assert there == by_log, f"I7: on cards {there}, by the logs {by_log}"
    assert all(0 < minor <= FACE for minor in there.values()), f"I1: on cards {there}"


def _add(taken: defaultdict[str, set[tuple[str, str]]], db: Connection, tills: set[str]) -> None:
    for code, till, sale_id in plainly(db, USES, ()):
        if till in tills:
            taken[code].add((till, sale_id))


def _is_of_lost(world: World, code: str) -> bool:
    """Facts about it went down with a machine, or with head office's past."""
    told = (*world.chronicle.lost_rows, *world.chronicle.forgotten)
    return any(code.encode() in row.payload for row in told)


USES = """SELECT u.code, u.till, u.sale_id FROM coupon_use AS u JOIN sale AS s ON (s.till, s.sale_id) = (u.till, u.sale_id)
WHERE s.state IN ('authorised', 'completed')
AND NOT EXISTS (SELECT 1 FROM txn AS t WHERE (t.till, t.sale_id) = (s.till, s.sale_id) AND t.kind = 'sale.cancelled')"""
ACTS: Mapping[str, Act] = {"sell card": sell_card, "pay by card": pay_by_card, "use code": use_code}
WEIGHTS: Mapping[str, int] = {"sell card": 5, "pay by card": 16, "use code": 16}
