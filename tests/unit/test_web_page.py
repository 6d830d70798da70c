"""The cashier page as it is served: complete words, labelled inputs, no inline script or style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pos_loyalty.i18n import LANGUAGES, catalogue
from tests.browser.serving import PRODUCTS, Web, serving
from tests.browser.world import furnished, serving_world
from tests.shop import Shop

HOME = Path(__file__).parents[2] / "pos_loyalty" / "web"
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted((HOME / "static").glob("*.js"))}
TEMPLATE = "".join((HOME / "templates" / f"{name}.html").read_text(encoding="utf-8") for name in ("cashier", "dialogs"))
KEYS_OF_THE_BROWSER = {"F1", "F5", "F11", "F12"}
"""Help, reload, full screen, tools. To search the page, its address bar and a caret (F3, F6, F7) a till does not need."""


@pytest.fixture
def web(shop: Shop) -> Iterator[Web]:
    with serving(shop.till, shop.till.rule_titles) as web:
        yield web


class Elements(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))


def used_words() -> set[str]:
    in_scripts = {f"page.{key}" for text in SCRIPTS.values() for key in re.findall(r'word\("([a-z_]+)"', text)}
    in_template = set(re.findall(r'tr\("(page\.[a-z_]+)"\)', TEMPLATE))
    quoted = {f"page.{key}" for text in SCRIPTS.values() for key in re.findall(r'"([a-z_]+)"', text)}
    known = {key for key in catalogue("en") if key.startswith("page.")}
    return in_scripts | in_template | (quoted & known)


def test_every_word_used_is_known_and_every_known_word_is_used() -> None:
    known = {key for key in catalogue("en") if key.startswith("page.")}
    assert used_words() == known


def test_scripts_fill_only_holes_that_the_words_have() -> None:
    for language in LANGUAGES:
        words = catalogue(language)
        for text in SCRIPTS.values():
            for key, fields in re.findall(r'word\("([a-z_]+)", \{ ([^}]*) \}', text):
                given = set(re.findall(r"(?:^|, )([a-z]+)", fields))
                assert set(re.findall(r"\{([a-z_]+)\}", words[f"page.{key}"])) <= given, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_its_language(web: Web, language: str) -> None:
    page = web.get(f"/?language={language}")
    assert page.status == 200
    text = page.body.decode()
    assert f'<html lang="{language}">' in text
    body = next(attributes for tag, attributes in Elements(text).seen if tag == "body")
    words = json.loads(body["data-words"])
    assert words["lost"] == catalogue(language)["page.lost"]  # type: ignore[index]
    assert (body["data-store"], body["data-till"], body["data-currency"]) == ("S1", "T1", "RUB")


def test_the_page_opens_in_the_first_language_and_refuses_others(web: Web) -> None:
    assert '<html lang="ru">' in web.get("/").body.decode()
    assert web.get("/?language=de").status == 422


def test_nothing_is_inline_and_nothing_is_foreign(web: Web) -> None:
    for tag, attributes in Elements(web.get("/").body.decode()).seen:
        assert "style" not in attributes and not any(name.startswith("on") for name in attributes)
        assert tag != "style"
        assert tag != "script" or attributes["src"].startswith("/static/")
        for name in ("src", "href"):
            assert attributes.get(name, "/").startswith("/")
    for text in SCRIPTS.values():
        assert "innerHTML" not in text and "http://" not in text and "https://" not in text


def test_every_input_has_a_label_and_every_file_is_served(web: Web) -> None:
    seen = Elements(web.get("/").body.decode()).seen
    labelled = {attributes["for"] for tag, attributes in seen if tag == "label"}
    assert {attributes["id"] for tag, attributes in seen if tag == "input"} <= labelled
    for name in (*SCRIPTS, "cashier.css", "dialogs.css", "icon.svg"):
        assert web.get(f"/static/{name}").status == 200


def test_no_consent_is_ticked_beforehand(web: Web) -> None:
    seen = {attributes.get("id"): attributes for tag, attributes in Elements(web.get("/").body.decode()).seen if tag == "input"}
    for name in ("enrol-data", "enrol-advertising"):
        assert seen[name]["type"] == "checkbox" and "checked" not in seen[name]
    assert "enrol-new-card" not in seen, "this shop makes no cards"


def test_no_key_of_the_browser_is_taken() -> None:
    bound = set(re.findall(r"\bF\d+\b", SCRIPTS["cashier.js"] + TEMPLATE))
    assert bound and not bound & KEYS_OF_THE_BROWSER


def test_products_and_titles_are_what_the_shop_has(web: Web) -> None:
    products = web.get("/page/products.json").json
    assert [product["sku"] for product in products] == [product.sku for product in PRODUCTS]
    names = web.get("/page/names.json").json
    assert names["rules"]["coffee"] == {"ru": "Кофе -10%", "en": "Coffee 10% off"}
    assert names["tiers"] == {}
    assert names["terms"] == {"confirm": "none", "without_receipt": False, "claim_days": 0, "gift_cards": []}


def test_the_page_knows_what_the_programme_lets_the_cashier_do(shop: Shop) -> None:
    with serving_world(furnished(shop)) as web:
        terms = web.get("/page/names.json").json["terms"]
    assert (terms["confirm"], terms["without_receipt"], terms["claim_days"]) == ("none", True, 7)
    assert [
        (each["sku"], each["amounts_minor"], each["from_minor"], each["to_minor"], each["top_up"]) for each in terms["gift_cards"]
    ] == [
        ("GC", [50_000, 100_000], None, None, True),
        ("GC-PIN", [], 10_000, 500_000, False),
    ]


def test_the_page_knows_the_stores_zone_and_cards(web: Web) -> None:
    body = next(attributes for tag, attributes in Elements(web.get("/").body.decode()).seen if tag == "body")
    assert body["data-timezone"] == "Europe/Moscow"


def test_what_a_shop_is_called_stays_text(shop: Shop) -> None:
    assert "{{ shop.name" in TEMPLATE and "|safe" not in TEMPLATE and "| safe" not in TEMPLATE
