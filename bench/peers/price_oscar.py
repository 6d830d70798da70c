"""django-oscar: the CPU time of applying its site offers to a basket, on an SQLite database in memory."""

from collections.abc import Sequence
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import django
from common_peer import read_work, report
from django.conf import settings

MINOR = Decimal(100)


def set_up() -> None:
    """Django with Oscar's own settings and an empty database."""
    from oscar import INSTALLED_APPS
    from oscar.defaults import __dict__ as defaults

    settings.configure(
        **{name: value for name, value in defaults.items() if name.startswith("OSCAR_")},
        INSTALLED_APPS=INSTALLED_APPS,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        SITE_ID=1,
        SECRET_KEY="bench",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def write_goods(work: dict[str, Any]) -> dict[str, tuple[Any, dict[str, Any]]]:
    """A product with its price for each SKU that some basket holds."""
    from oscar.core.loading import get_model

    product_class = get_model("catalogue", "ProductClass").objects.create(name="goods", track_stock=False)
    partner = get_model("partner", "Partner").objects.create(name="shop")
    category_model = get_model("catalogue", "Category")
    categories: dict[str, Any] = {}
    made: dict[str, tuple[Any, dict[str, Any]]] = {}
    for line in (line for basket in work["baskets"] for line in basket["lines"]):
        if line["sku"] in made:
            continue
        product = get_model("catalogue", "Product").objects.create(
            upc=line["sku"], title=line["sku"], product_class=product_class, structure="standalone"
        )
        if line["cat"] not in categories:
            categories[line["cat"]] = category_model.add_root(name=line["cat"])
        product.categories.add(categories[line["cat"]])
        get_model("partner", "StockRecord").objects.create(
            product=product, partner=partner, partner_sku=line["sku"], price=line["price"] / MINOR, price_currency="GBP"
        )
        made[line["sku"]] = (product, line)
    return made


def write_offer(rule: dict[str, Any], goods: dict[str, tuple[Any, dict[str, Any]]]) -> None:
    """A rule as a site offer. Points have no like and are left out; tiers are left out, so every member has every offer."""
    from oscar.core.loading import get_model

    if rule["kind"] == "points":
        return
    everything = rule["kind"] == "threshold"
    about = get_model("offer", "Range").objects.create(name=f"range {rule['id']}", includes_all_products=everything)
    for product, line in goods.values() if not everything else ():
        if line["sku"] in rule.get("skus", ()) or line["cat"] in rule.get("cats", ()) or line["brand"] in rule.get("brands", ()):
            about.add_product(product)
    condition_type, needed, benefit_type, value = _words(rule)
    condition = get_model("offer", "Condition").objects.create(range=about, type=condition_type, value=needed)
    benefit = get_model("offer", "Benefit").objects.create(
        range=None if benefit_type == "Fixed price" else about, type=benefit_type, value=value
    )
    get_model("offer", "ConditionalOffer").objects.create(
        name=f"offer {rule['id']}",
        offer_type="Site",
        status="Open",
        condition=condition,
        benefit=benefit,
        priority=rule["priority"],
        exclusive=False,
    )


def _words(rule: dict[str, Any]) -> tuple[str, Decimal, str, Decimal | None]:
    """(condition, its figure, benefit, its figure) in Oscar's words."""
    match rule["kind"]:
        case "multibuy" | "nthfree":
            return "Count", Decimal(rule["n"]), "Multibuy", None
        case "bundle":
            return "Count", Decimal(rule["n"]), "Fixed price", rule["fixed"] / MINOR
        case "abs":
            return "Count", Decimal(rule["min_qty"]), "Absolute", rule["off"] / MINOR
        case "threshold":
            return "Value", rule["min_amount"] / MINOR, "Percentage", rule["bp"] / MINOR
        case _:
            return "Count", Decimal(1), "Percentage", rule["bp"] / MINOR


def write_baskets(work: dict[str, Any], goods: dict[str, tuple[Any, dict[str, Any]]]) -> Sequence[Any]:
    """The baskets, each with the strategy that prices it."""
    from oscar.core.loading import get_class, get_model

    strategy = get_class("partner.strategy", "Selector")().strategy()
    baskets = []
    for given in work["baskets"]:
        basket = get_model("basket", "Basket").objects.create()
        basket.strategy = strategy
        for line in given["lines"]:
            basket.add_product(goods[line["sku"]][0], line["qty"])
        baskets.append(basket)
    return baskets


def main() -> None:
    """Price and report."""
    work = read_work()
    set_up()
    from django.contrib.auth.models import AnonymousUser
    from oscar.core.loading import get_class

    goods = write_goods(work)
    for rule in work["rules"]:
        write_offer(rule, goods)
    applicator = get_class("offer.applicator", "Applicator")()
    anonymous = AnonymousUser()

    def answer(basket: Any) -> int:
        basket.reset_offer_applications()
        applicator.apply(basket, anonymous)
        return len(basket.offer_applications.offers)

    report(version("django-oscar"), work, write_baskets(work, goods), answer)


if __name__ == "__main__":
    main()
