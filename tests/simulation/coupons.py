"""The real tills of escrow.py with coupons: sales bring and take codes, others come out of files and print runs; and the laws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from pos_loyalty.clock import new_id
from pos_loyalty.engine import load_programme
from pos_loyalty.engine.model import Basket, Line, Quote, Tender
from pos_loyalty.errors import TokenError
from pos_loyalty.store.code_book import CodeBook
from pos_loyalty.store.coupon_import import Row
from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import QuoteRequest, SaleAnswer, SaleRequest
from pos_loyalty.values import Minor, Thousandths
from sync.server.steps import publish_programme
from tests.simulation.escrow import PROGRAMME, STORES, Counter, Waiting, World

ESCROW = '[coupons]\noffline = "escrow"'
COUPONS = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[[coupon]]
id = "thanks"
title = { ru = "Спасибо", en = "Thank you" }
[[coupon]]
id = "all"
code = "SUMMER"
[[rule]]
id = "use-thanks"
stage = "order"
title = { ru = "Купон", en = "Coupon" }
when = [{ is = "coupon", series = "thanks" }]
then = [{ do = "amount", amount = "5.00" }]
[[rule]]
id = "use-all"
stage = "order"
title = { ru = "Всем", en = "All" }
when = [{ is = "coupon", series = "all" }]
then = [{ do = "amount", amount = "1.00" }]
[[rule]]
id = "give"
title = { ru = "Дарим", en = "We give" }
when = [{ is = "basket_amount", min = "40.00" }]
then = [{ do = "issue_coupon", series = "thanks", days = 300 }, { do = "issue_coupon", series = "all", days = 300 }]
"""
)
PRICE, DEAR = Minor(3_000), Minor(5_000)
"""A sale that brings no coupon, and one that brings one."""


class Shop(World):
    """Whose tills make codes of chance: two never make one."""

    def make_counter(self, name: str, more: str) -> Counter:
        return Seeded(self, name, more)


class Seeded(Counter):
    def new_id(self) -> UUID:
        self.n += 1
        return UUID(bytes=sha256(f"{self.name} {self.n}".encode()).digest()[:16])


def made(folder: Path, seed: int = 0, config: str = ESCROW) -> World:
    world = Shop(folder, seed, config)
    world.is_faulty = False
    publish_programme(world.office.store, COUPONS.encode(), world.now)
    world.quiet(1)
    listen(world)
    return world


def hear(world: World) -> None:
    """Head office answers every till now."""
    for counter in world.counters.values():
        counter.go()
    listen(world)


def listen(world: World) -> None:
    for counter in world.counters.values():
        counter.till._desk.reserver = Waiting()


def priced(counter: Counter, codes: Iterable[str] = (), price: Minor = PRICE) -> tuple[str, Quote]:
    counter.n += 1
    sale_id = f"{counter.name}-{counter.n}"
    line = Line(line_id="1", sku="1", quantity_milli=Thousandths(1_000), price_minor=price)
    basket = Basket(
        basket_id=sale_id, store=STORES[counter.name], till=counter.name, opened_at=counter.world.now, currency="RUB",
        lines=(line,), coupons=tuple(codes),
    )  # fmt: skip
    return sale_id, counter.till.quote(QuoteRequest(basket=basket))


def sell(counter: Counter, codes: Iterable[str] = (), price: Minor = PRICE, *, complete: bool = True) -> SaleAnswer:
    """Goods are sold, whether or not the coupon counts."""
    sale_id, quote = priced(counter, codes, price)
    if counter.world.is_faulty and counter.world.chance(0.2):
        counter.go()  # the daemon comes between
    request = SaleRequest(
        sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor,
        tenders=(Tender(kind="cash", amount_minor=quote.due_minor),), complete=complete,
    )  # fmt: skip
    answer = counter.till.authorise(request, f"sell {sale_id}")
    if complete:
        counter.sold[sale_id] = counter.world.now
    else:
        counter.open_sales.append(sale_id)
    return answer


def takes(counter: Counter, code: str) -> bool:
    """Sells for the code when the till takes it."""
    return bool(sell(counter, (code,)).quote.coupons)


def why(counter: Counter, code: str) -> str:
    """Why the till does not take it; empty when it does."""
    _, quote = priced(counter, (code,))
    said = {each.have for each in quote.refusals if each.have.endswith(f":{code}")}
    assert len(said) == (not quote.coupons), "a coupon is taken, or refused in one word"
    return said.pop().partition(":")[0] if said else ""


def given(counter: Counter) -> str:
    """The code of a coupon that a sale brought."""
    (coupon,) = [each for each in sell(counter, price=DEAR).coupons if each.code != "SUMMER"]
    return coupon.code


def stand(counter: Counter, code: str) -> None:
    """Head office answers while the customer shows the coupon; the till's log goes first."""
    with suppress(TokenError):
        counter.go()
        counter.stand("coupon:" + code)
    counter._syncer = None
    counter.till._desk.reserver = Waiting()


def book(db: Connection, world: World, store: str) -> CodeBook:
    return CodeBook(db, load_programme(COUPONS.encode()), store, lambda: world.now, new_id)


def imported(world: World, *codes: str) -> None:
    rows = [Row(line=n, code=code) for n, code in enumerate(codes, start=1)]
    book(world.office.db, world, "head-office").take_in("thanks", rows, (None, None), dry_run=False)


def printed(counter: Counter, count: int) -> list[str]:
    of_till = book(counter.db, counter.world, STORES[counter.name])
    codes = of_till.new_codes("thanks", count)
    of_till.add_made("thanks", codes, (None, None))
    return codes


def uses(db: Connection) -> dict[str, set[tuple[str, str]]]:
    """Sales that stand, by the code that they take."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    rows = "SELECT u.code, u.till, u.sale_id FROM coupon_use AS u JOIN sale AS s ON (s.till, s.sale_id) = (u.till, u.sale_id)"
    for code, till, sale_id in db.execute(f"{rows} WHERE s.state IN ('authorised', 'completed')"):
        found[code].add((till, sale_id))
    return dict(found)


def used_by_all(world: World) -> dict[str, set[tuple[str, str]]]:
    """The same, by what the tills themselves sold."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for counter in world.counters.values():
        for code, sales in uses(counter.db).items():
            found[code] |= sales
    return dict(found)


def used_once(world: World) -> None:
    twice = {code: sales for code, sales in used_by_all(world).items() if len(sales) > 1}
    assert twice == {}, "a code pays once"


def check(world: World) -> None:
    used_once(world)
    assert uses(world.office.db) == used_by_all(world), "nothing that was sold is lost"
    assert verify(world.office.db) == ()
    for counter in world.counters.values():
        assert verify(counter.db) == ()
