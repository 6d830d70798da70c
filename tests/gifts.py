"""The small shop with gift cards: a programme that sells, tops up and gives them, under rules that take all they can."""

from __future__ import annotations

from msgspec.structs import replace

from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.gift_card_model import GiftCardAnswer
from pos_loyalty.till.model import CompleteRequest, QuoteRequest, SaleAnswer, SaleRequest
from pos_loyalty.values import Minor, Thousandths
from tests.shop import NOW, PROGRAMME, Shop

GIFT_PROGRAMME = (
    PROGRAMME
    + """
[[rule]]
id = "all"
stage = "order"
then = [{ do = "percent", percent = "10%" }]

[[gift_card]]
id = "standard"
sku = "GC"
amounts = ["500", "1000"]
top_up = true

[[gift_card]]
id = "secret"
sku = "GC-PIN"
amount_from = "100"
amount_to = "5000"
code = "pin"

[[gift_card]]
id = "thanks"
kind = "gratis"
amounts = ["300"]
expires_days = 30
"""
)
IVANOVA = Approval(person="Ivanova", pin="998877")


def gift_shop(folder: object, config: str | None = None) -> Shop:
    """A till with that programme and no printer: codes come in the answers."""
    from pathlib import Path

    assert isinstance(folder, Path)
    shop = Shop(folder, programme=GIFT_PROGRAMME) if config is None else Shop(folder, config, GIFT_PROGRAMME)
    add_ivanova(shop)
    return shop


def add_ivanova(shop: Shop) -> None:
    """The senior who answers for gift cards."""
    staff.add(shop.db, IVANOVA.person, "senior", IVANOVA.pin, shop.till._desk.secrets.pepper)


def line(line_id: str, sku: str, price_minor: int, count: int = 1) -> Line:
    """Goods by the piece."""
    return Line(line_id=line_id, sku=sku, quantity_milli=Thousandths(1000 * count), price_minor=Minor(price_minor))


def basket_of(*lines: Line, till: str = "T1") -> Basket:
    """A basket of these lines."""
    return Basket(basket_id="B", store="S1", till=till, cashier="C7", opened_at=NOW, currency="RUB", lines=lines)


def cash(minor: int) -> Tender:
    """Money."""
    return Tender(kind="cash", amount_minor=Minor(minor))


def gift(minor: int, card: str | None, pin: str | None = None) -> Tender:
    """A gift card that pays."""
    return Tender(kind="gift", amount_minor=Minor(minor), card=card, pin=pin)


def asked(shop: Shop, basket: Basket, sale_id: str, tenders: tuple[Tender, ...] | None = None, **more: object) -> SaleRequest:
    """Quote a basket and make the request that pays it, in cash when no tenders are told."""
    quote = shop.till.quote(QuoteRequest(basket=replace(basket, basket_id=sale_id)))
    assert quote.quote_id is not None
    paid = (cash(quote.due_minor),) if tenders is None else tenders
    return SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=paid, **more)  # type: ignore[arg-type]


def sell(
    shop: Shop, basket: Basket, sale_id: str, tenders: tuple[Tender, ...] | None = None, *, complete: bool = True, **more: object
) -> SaleAnswer:
    """One sale."""
    request = asked(shop, basket, sale_id, tenders, complete=complete, **more)
    return shop.till.authorise(request, f"key {sale_id}")


def sold_card(shop: Shop, amount_minor: int = 100_000, sku: str = "GC", sale_id: str = "card") -> GiftCardAnswer:
    """A new gift card."""
    return sell(shop, basket_of(line("1", sku, amount_minor)), sale_id).gift_cards[0]


def completed(shop: Shop, sale_id: str, tenders: tuple[Tender, ...] = ()) -> SaleAnswer:
    """The second step."""
    return shop.till.complete(sale_id, CompleteRequest(tenders=tenders), f"complete {sale_id}")


def on_card(shop: Shop, card: GiftCardAnswer) -> int:
    """What the ledger says that a card holds."""
    account = f"gift:{card.card_id}"
    select = """SELECT coalesce(SUM(CASE WHEN credit_acct = :a THEN amount ELSE -amount END), 0)
    FROM entry WHERE :a IN (credit_acct, debit_acct)"""
    return int(shop.db.execute(select, {"a": account}).fetchone()[0])


def accounts(shop: Shop) -> dict[str, int]:
    """Accounts of gift cards that are not at nothing, but for the cards themselves."""
    rows = shop.db.execute("SELECT account, amount FROM balance WHERE unit = 'RUB' AND account NOT LIKE 'gift:%'")
    return {str(account): int(amount) for account, amount in rows}
