"""Gift cards that are good at every till. Laws, in words of their own: what cards paid never comes to more than was sold on them,
cut off or not; what tills hold of a card is on it; no money is lost, and every file verifies.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.errors import ConflictError, NotFoundError
from pos_loyalty.store import right_holds
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardRequest, PayBackRequest
from pos_loyalty.till.model import CancelRequest, CompleteRequest, QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Minor, Thousandths
from tests.simulation.escrow import STORES, Counter, Waiting, World

LENDING = '[gift_cards]\noffline = "escrow"'
FACE = 10_000


def made(folder: Path, seed: int = 0) -> World:
    world = World(folder, seed, LENDING)
    world.is_faulty = False
    for counter in world.counters.values():
        counter.till._desk.reserver = Waiting()
    return world


def trade(counter: Counter, sku: str, price_minor: int, *tenders: Tender, complete: bool = True) -> SaleAnswer:
    """One piece is sold; what the tenders do not pay comes in cash."""
    counter.n += 1
    sale_id = f"{counter.name}-{counter.n}"
    line = Line(line_id="1", sku=sku, quantity_milli=Thousandths(1_000), price_minor=Minor(price_minor))
    basket = Basket(
        basket_id=sale_id,
        store=STORES[counter.name],
        till=counter.name,
        opened_at=counter.world.now,
        currency="RUB",
        lines=(line,),
    )
    quote = counter.till.quote(QuoteRequest(basket=basket))
    rest = quote.due_minor - sum(tender.amount_minor for tender in tenders)
    cash = (Tender(kind="cash", amount_minor=Minor(rest)),) if rest else ()
    request = SaleRequest(
        sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor, tenders=(*tenders, *cash), complete=complete
    )
    return counter.till.authorise(request, f"sell {sale_id}")


def sold_card(counter: Counter) -> str:
    """Its code, which is on the slip alone."""
    code = trade(counter, "GC", FACE).gift_cards[0].code
    assert code is not None
    return code


def pay(counter: Counter, code: str, minor: int, *, complete: bool = True) -> SaleAnswer:
    return trade(counter, "1", minor, Tender(kind="gift", amount_minor=Minor(minor), card=code), complete=complete)


def holds(counter: Counter, code: str) -> int:
    return counter.till.gift_card(GiftCardRequest(card=code)).balance_minor


def stand(counter: Counter, code: str) -> None:
    """Head office answers while the card lies there."""
    counter.stand("gift:" + sha256(code.encode()).hexdigest())
    counter._syncer = None
    counter.till._desk.reserver = Waiting()


def check(world: World) -> None:
    assert [case for case in world.cases() if "gift" in str(case[2])] == []
    assert verify(world.office.db) == ()
    for counter in world.counters.values():
        assert verify(counter.db) == ()
    for account, amount in world.office.rows("SELECT account, amount FROM balance WHERE account GLOB 'gift:*'"):
        assert 0 <= right_holds.held_by_all(world.office.db, str(account)) <= int(str(amount)), "what tills hold is on the card"


def test_a_card_pays_at_any_till_that_head_office_lends_its_money(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, third = world.counters.values()
    code = sold_card(first)
    assert holds(first, code) == FACE
    with pytest.raises(NotFoundError, match="being asked"):
        holds(second, code)
    world.quiet(2)
    answer = first.till.gift_card(GiftCardRequest(card=code))
    assert (answer.balance_minor, answer.state, answer.asking) == (0, "active", True), "it went back"
    with pytest.raises(ConflictError):
        pay(first, code, 100)
    stand(second, code)
    assert holds(second, code) == FACE
    pay(second, code, 6_000)  # the line may be cut now
    with pytest.raises(ConflictError, match="holds 4000 minor units"):
        second.till._desk.reserver = None
        pay(second, code, 4_001)
    stand(third, code)
    with pytest.raises(NotFoundError):
        holds(third, code)
    paid = pay(second, code, 1_500)
    second.till.return_goods(paid.sale_id, ReturnRequest(return_id="r1", all=True), "back")
    assert holds(second, code) == 4_000
    world.quiet(2)
    stand(third, code)
    assert holds(third, code) == 4_000
    pay(third, code, 4_000)
    world.quiet(2)
    check(world)
    assert world.office.rows("SELECT amount FROM balance WHERE account GLOB 'gift:*'") in ([], [(0,)])
    world.close()


def test_what_is_done_with_a_card_but_paying_is_done_where_it_was_sold(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    boss = Approval(person="S1", pin="998877")
    for counter in (first, second):
        staff.add(counter.db, boss.person, "senior", boss.pin or "", counter.till._desk.secrets.pepper)
    sale = trade(first, "GC", FACE)
    code = sale.gift_cards[0].code
    assert code is not None
    world.quiet(2)
    stand(second, code)
    for act in (
        lambda: second.till.freeze_gift_card(FreezeRequest(card=code, by=boss, reason="lost"), "f"),
        lambda: second.till.pay_back_gift_card(PayBackRequest(card=code, by=boss, reason="x"), "p"),
    ):
        with pytest.raises(ConflictError, match="sold at till T1: here it can only pay"):
            act()
    first.till._desk.reserver = Waiting()
    with pytest.raises(ConflictError, match="head office is being asked"):
        first.till.void(sale.sale_id, VoidRequest(), "v1")
    world.now = world.office.now = world.now.replace(hour=23)
    world.quiet(1)
    stand(first, code)
    assert holds(first, code) == FACE
    first.till.freeze_gift_card(FreezeRequest(card=code, by=boss, reason="lost"), "f1")
    world.quiet(2)
    stand(second, code)
    with pytest.raises(ConflictError):
        pay(second, code, 100)
    check(world)
    world.close()


def test_a_card_is_not_undone_while_money_of_a_later_top_up_is_lent_to_another_till(tmp_path: Path) -> None:
    world = made(tmp_path)
    first, second, _ = world.counters.values()
    sale = trade(first, "GC", FACE)
    code = sale.gift_cards[0].code
    assert code is not None
    world.quiet(2)
    stand(second, code)
    line = Line(line_id="1", sku="GC", quantity_milli=Thousandths(1_000), price_minor=Minor(FACE))
    basket = Basket(basket_id="top-up", store="S1", till="T1", opened_at=world.now, currency="RUB", lines=(line,))
    quote = first.till.quote(QuoteRequest(basket=basket))
    top_up = SaleRequest(
        sale_id="top-up", quote_id=quote.quote_id or "", due_minor=quote.due_minor, complete=True, top_ups={"1": code}
    )  # fmt: skip
    first.till.authorise(top_up, "top-up")
    assert (holds(first, code), holds(second, code)) == (FACE, FACE)
    with pytest.raises(ConflictError, match="topped up since"):
        first.till.void(sale.sale_id, VoidRequest(), "void")
    first.till.void("top-up", VoidRequest(), "void of the top-up")
    with pytest.raises(ConflictError, match="head office is being asked"):
        first.till.void(sale.sale_id, VoidRequest(), "void")
    pay(second, code, FACE)
    world.quiet(3)
    check(world)
    world.close()


@pytest.mark.parametrize("seed", range(20))
def test_no_money_of_a_card_is_spent_twice_whatever_happens_on_the_way(tmp_path: Path, seed: int) -> None:
    """Cards are sold, pay in parts, sales are cancelled, voided and brought back; messages go lost, head office is restored."""
    world = made(tmp_path, seed)
    world.is_faulty = True
    rng, codes, open_sales, paid = world.rng, [], [], []
    for step in range(100):
        counter = rng.choice(list(world.counters.values()))
        with suppress(ConflictError, NotFoundError):
            match rng.randrange(9):
                case 0:
                    if len(codes) < 3:
                        codes.append(sold_card(counter))
                case 1 | 2 if codes:
                    code, complete = rng.choice(codes), world.chance(0.7)
                    sale = pay(counter, code, rng.randrange(1, FACE), complete=complete)
                    (paid if complete else open_sales).append((counter, sale.sale_id))
                case 3 if open_sales:
                    at, sale_id = open_sales.pop(rng.randrange(len(open_sales)))
                    if world.chance(0.5):
                        at.till.cancel(sale_id, CancelRequest(), f"c{step}")
                    else:
                        at.till.complete(sale_id, CompleteRequest(), f"e{step}")
                        paid.append((at, sale_id))
                case 4 if paid:
                    at, sale_id = paid.pop(rng.randrange(len(paid)))
                    at.till.return_goods(sale_id, ReturnRequest(return_id=f"r{step}", all=True), f"r{step}")
                case 5 | 6 if codes:
                    code = rng.choice(codes)
                    stand(counter, code)
                    paid.append((counter, pay(counter, code, rng.randrange(1, FACE)).sale_id))
                case 7:
                    world.now += timedelta(minutes=20)
                    for each in world.counters.values():
                        each.go()
                case _:
                    world.step()
    for at, sale_id in open_sales:
        at.till.complete(sale_id, CompleteRequest(), f"last {sale_id}")
    world.quiet()
    check(world)
    sums = (
        "SELECT coalesce(SUM(CASE WHEN account GLOB 'gift:*' THEN amount ELSE 0 END), 0), coalesce(SUM(amount), 0) FROM balance"
    )
    ((on_cards, everything),) = world.office.rows(f"{sums} WHERE account GLOB 'gift*'")
    assert everything == 0, "what was sold is on cards, or paid"
    assert 0 <= int(str(on_cards)) <= FACE * len(codes)
    world.close()
