"""Unique codes that one till at a time may redeem. Laws, in words of their own: no code pays for two sales that stand, whatever
is lost, doubled, late, restored or enrolled anew; what was sold is at head office; a good code that nobody used can be used after
all; every file verifies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from pos_loyalty.clock import new_id
from pos_loyalty.engine import load_programme
from pos_loyalty.engine.model import Basket, Line, Quote, Tender
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError, TokenError
from pos_loyalty.store import right_holds
from pos_loyalty.store.code_book import CodeBook
from pos_loyalty.store.coupon_import import Row
from pos_loyalty.store.db import Connection
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.values import Minor, Thousandths
from sync.server import enrol
from sync.server.sqlite_rights import SqliteRightStore
from sync.server.steps import publish_programme
from tests.simulation.escrow import PROGRAMME, STORES, Counter, World

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


class Waiting:
    """Who asks head office, when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def wake(self, whom: str) -> bool:
        """Note it; once."""
        if whom in self.asked:
            return False
        self.asked.append(whom)
        return True

    def close(self) -> None:
        """Nothing to let go of."""


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


def test_a_code_is_good_at_the_till_that_holds_it_and_at_no_other(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, third = world.counters.values()
    code = given(first)
    assert why(first, code) == "", "who gave it holds it at once"
    assert why(second, code) == "unknown"
    world.quiet(2)
    hear(world)
    assert why(second, code) == "asking", "it went back to head office"
    assert why(second, code) == "elsewhere", "it was asked for and did not come"
    stand(second, code)
    stand(third, code)
    assert (why(third, code), why(first, code)) == ("asking", "asking"), "one of them got it"
    assert takes(second, code) and not takes(third, code)
    assert why(second, code) == "used"
    world.quiet(2)
    stand(third, code)
    assert not takes(third, code)
    check(world)
    assert world.cases() == []
    world.close()


def test_what_is_held_is_good_while_the_line_is_cut_and_the_rest_is_refused_at_once(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    imported(world, "PAPER-1", "PAPER-2")
    own, *_ = printed(second, 3)
    first.go()
    stand(first, "PAPER-1")
    world.now += timedelta(hours=1)  # nobody answers any more
    assert why(first, "PAPER-2") == "silent"
    assert first.till._desk.reserver.asked == [], "a line that is cut is not asked"  # type: ignore[union-attr]
    answer = sell(first, ("PAPER-2", "summer"))
    assert answer.quote.total_minor == PRICE - 100, "the sale goes on, and everybody's code with it"
    assert takes(first, "PAPER-1")
    assert takes(second, own), "who printed it holds it at once"
    world.quiet(2)
    check(world)
    world.close()


def test_what_was_taken_from_a_file_is_held_by_nobody(tmp_path: Path) -> None:
    """Two tills take in the same file: the codes are in other hands already."""
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    for counter in (first, second):
        rows = [Row(line=1, code="PAPER-1")]
        book(counter.db, world, STORES[counter.name]).take_in("thanks", rows, (None, None), dry_run=False)
        counter.go()
        assert why(counter, "PAPER-1") == "asking"
    world.quiet(1)
    stand(first, "PAPER-1")
    stand(second, "PAPER-1")
    assert takes(first, "PAPER-1") and not takes(second, "PAPER-1")
    world.quiet(1)
    check(world)
    world.close()


def test_a_print_run_that_head_office_took_in_from_a_file_is_the_printers(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    (code,) = printed(first, 1)
    imported(world, code)  # head office's row names its own fact
    first.go()
    second.go()
    assert not takes_after_asking(second, code)
    assert takes(first, code)
    world.quiet(1)
    check(world)
    world.close()


def takes_after_asking(counter: Counter, code: str) -> bool:
    stand(counter, code)
    return takes(counter, code)


def test_a_code_that_all_share_needs_no_right(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    for _ in range(3):
        given(first)
    world.quiet(2)
    sent = world.office.rows("SELECT COUNT(*) FROM right_return WHERE lot = 'coupon:SUMMER'")[0][0]
    assert sent in (0, 1), "what everybody has is nobody's to give back"
    listen(world)
    assert sell(second, ("SUMMER",)).quote.total_minor == PRICE - 100
    assert second.till._desk.reserver.asked == []  # type: ignore[union-attr]
    world.close()


def test_a_lost_till_frees_its_codes_after_the_lease_and_no_sooner(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    imported(world, "PAPER-1")
    first.go()
    stand(first, "PAPER-1")
    with pytest.raises(ConflictError, match="may redeem by itself until"):
        enrol.lose(world.office.store, "T1", None, "Boss", world.now)
    world.now = world.office.now = world.now + timedelta(days=12)
    second.go()
    stand(second, "PAPER-1")
    assert not takes(second, "PAPER-1"), "the lease ended, and nobody said that the till is lost"
    enrol.lose(world.office.store, "T1", None, "Boss", world.now)
    stand(second, "PAPER-1")
    assert not takes(first, "PAPER-1") and takes(second, "PAPER-1")
    used_once(world)
    world.close()


def test_a_restored_head_office_gives_no_code_until_every_till_said_hello(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, third = world.counters.values()
    imported(world, "PAPER-1")
    world.quiet(1)
    backup = tmp_path / "night.db"
    world.office.db.execute("VACUUM INTO ?", (str(backup),))
    stand(first, "PAPER-1")
    world.office.restore(backup)
    second.go()
    stand(second, "PAPER-1")
    third.go()
    stand(second, "PAPER-1")
    assert not takes(second, "PAPER-1")
    first.go()
    stand(second, "PAPER-1")
    assert not takes(second, "PAPER-1"), "it is known again who holds it"
    assert takes(first, "PAPER-1")
    world.quiet(2)
    check(world)
    assert world.cases() == []
    world.close()


def test_refuse_takes_no_code_while_head_office_is_silent(tmp_path: Path) -> None:
    world = made(tmp_path, config='[coupons]\noffline = "refuse"')
    first = world.counters["T1"]
    code = given(first)
    first.go()
    assert why(first, code) == ""
    world.now += timedelta(hours=1)
    assert why(first, code) == "silent", "not even its own"
    assert sell(first, ("SUMMER",)).quote.total_minor == PRICE - 100
    world.close()


SEEDS = range(8)


def step(world: World, codes: list[str]) -> None:
    """What people and the line do next."""
    counter = world.rng.choice(list(world.counters.values()))
    with suppress(ConflictError, InputError, NotAllowedError, NotFoundError):  # a strange code may look like a payment card
        match world.rng.randrange(14):
            case 0 | 1 if len(codes) < 20:
                codes.append(given(counter))
            case 2 | 3 | 4 if codes:
                sell(counter, {world.rng.choice(codes), world.rng.choice(codes)}, complete=world.chance(0.7))
            case 5 | 6 | 7 if codes:
                code = world.rng.choice(codes)
                for each in world.rng.sample(list(world.counters.values()), world.rng.choice([1, 2])):  # there is a copy of it
                    stand(each, code)
                    sell(each, (code,), complete=world.chance(0.8))
            case 8 if counter.open_sales:
                counter.end_one()
            case 9 if counter.sold:
                sale_id = world.rng.choice(sorted(counter.sold))
                counter.till.void(sale_id, VoidRequest(), f"void {sale_id}")
                del counter.sold[sale_id]
            case 10:
                world.now += timedelta(minutes=20)
                for each in world.counters.values():
                    each.go()
            case 11 if world.chance(0.5) and len(codes) < 20:
                codes += printed(counter, 1)
            case 12 if world.chance(0.15):
                enrolled_anew(counter)
            case _:
                world.step()


def enrolled_anew(counter: Counter) -> None:
    """The machine got a new code; a person says that nothing comes of its former epoch any more, once its leases ended."""
    world = counter.world
    for _ in range(3):  # all of its log is at head office: else the end that it goes on from is not
        world.is_faulty = False
        counter._syncer = None
        counter.go()
    counter.enrol()
    world.is_faulty = True
    counter.late.clear()
    counter._syncer = None


def run(folder: Path, seed: int, steps: int = 150) -> tuple[World, list[str]]:
    world, codes = made(folder, seed), [f"PAPER-{n}" for n in range(3)]
    imported(world, *codes)
    world.is_faulty = True
    for _ in range(steps):
        step(world, codes)
        used_once(world)
    return world, codes


@pytest.mark.parametrize("seed", SEEDS)
def test_no_code_pays_twice_whatever_happens_on_the_way(tmp_path: Path, seed: int) -> None:
    world, codes = run(tmp_path, seed)
    world.quiet(8)
    check(world)
    world.now = world.office.now = world.now + timedelta(days=12)  # every lease has ended
    world.quiet(3)
    check(world)
    used, at = used_by_all(world), world.counters["T2"]
    for code in sorted(set(codes) - used.keys()):
        if is_good(world, code) and not is_of_a_former_machine(world, code):
            stand(at, code)
            assert takes(at, code), "what nobody used is not lost"
    world.quiet(2)
    check(world)
    world.close()


def is_good(world: World, code: str) -> bool:
    """By head office: it was taken in or printed, or its sale stands with all its goods."""
    back = "SELECT 1 FROM sale_return AS r WHERE (r.sale_till, r.sale_id) = (s.till, s.sale_id)"
    stands = f"s.state = 'completed' AND NOT EXISTS ({back})"
    sold = f"SELECT 1 FROM issue AS i JOIN sale AS s ON s.txn = i.txn WHERE i.code = ? AND {stands}"
    taken_in = "SELECT 1 FROM coupon_code WHERE code = ?"
    return any(world.office.db.execute(sql, (code,)).fetchone() for sql in (sold, taken_in))


def is_of_a_former_machine(world: World, code: str) -> bool:
    """Held in an epoch that is over: a person has to say that it is lost."""
    newest = {name: counter.signer.credential.epoch for name, counter in world.counters.items() if counter.signer is not None}
    return any(epoch < newest[till] for till, epoch in right_holds.holders(world.office.db, f"coupon:{code}"))


def test_granting_twice_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head office that looks at sales alone, and not at who holds the code."""

    def grants_twice(self: SqliteRightStore, code: str, now: object) -> bool:
        found = self._db.execute("SELECT 1 FROM coupon_use WHERE code = ?", (code,)).fetchone()
        return found is None

    monkeypatch.setattr(SqliteRightStore, "is_code_free", grants_twice)
    noticed = 0
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            run(folder, seed)[0].close()
        except AssertionError as error:
            assert "a code pays once" in str(error)
            noticed += 1
    assert noticed
