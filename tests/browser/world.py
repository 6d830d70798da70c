"""A shop with all that the cashier page's dialogs need: tiers, gift cards, returns without a receipt, a senior, claims."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from pos_loyalty.config import CardConfig
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.web.page import Names
from pos_loyalty.web.terms import terms_of
from tests.browser import serving as web_serving
from tests.browser.serving import Web, serving
from tests.shop import PROGRAMME, Shop

ANNA = Approval(person="Анна", pin="998877")
WORLD = (
    PROGRAMME.replace("version = 1", "version = 2").replace("lifetime_days = 180", "lifetime_days = 180\nclaim_days = 7")
    + """
[returns]
days = 14
without_receipt = "approved"

[tiers]
months = 12
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
from_spent = "300.00"
[[tier]]
id = "gold"
title = { ru = "Золото", en = "Gold" }
from_spent = "5000.00"

[[gift_card]]
id = "standard"
title = { ru = "Подарочная карта", en = "Gift card" }
sku = "GC"
amounts = ["500", "1000"]
top_up = true

[[gift_card]]
id = "secret"
title = { ru = "Карта с ПИН", en = "Card with a PIN" }
sku = "GC-PIN"
amount_from = "100"
amount_to = "5000"
code = "pin"
"""
)


def furnished(shop: Shop, programme: str = WORLD) -> Shop:
    """The shop with that programme and a senior, Anna."""
    shop.publish(programme)
    staff.add(shop.db, ANNA.person, "senior", ANNA.pin, shop.till._desk.secrets.pepper)
    return shop


@contextmanager
def serving_world(shop: Shop) -> Iterator[Web]:
    """The web of a furnished shop, with the names and terms of its programme."""
    names = Names(tiers=lambda: shop.till.programme().tier_titles, terms=lambda: terms_of(shop.till.programme()))
    with serving(shop.till, shop.till.rule_titles, names) as web:
        yield web


def cards_made_here() -> object:
    """The shop as it is when the till makes cards of its own and verifies phones."""
    card = CardConfig(prefix="22", length=13, own_prefix="2291", symbologies=("ean13", "qr"))
    return replace(web_serving.SHOP, cards=(card,), verifies_phones=True)
