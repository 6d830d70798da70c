"""The cashier page: one screen, rendered once for each language; its script asks the same API as any host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pos_loyalty.config import Language
from pos_loyalty.i18n import SIGNS, catalogue, tr
from pos_loyalty.values import encode
from pos_loyalty.web.acts_page import render_acts
from pos_loyalty.web.api import JSON, Worker
from pos_loyalty.web.body import language_of
from pos_loyalty.web.display import render_display
from pos_loyalty.web.openapi import FILE as OPENAPI_FILE
from pos_loyalty.web.shown import shown
from pos_loyalty.web.terms import Terms
from pos_loyalty.web.verbs import Shop, Verbs

HOME = Path(__file__).parent
PAGE = "page."
SCRIPT_WORDS = (PAGE, "point.", "rule.", "tender.")
"""Which words the script is given: those of the page, forms of a point, names of what is no rule, and of what pays."""

AskTerms = Callable[[], Terms]
Titles = Callable[[], Mapping[str, Mapping[str, str]]]
"""Titles by id and language."""


def nothing() -> dict[str, Any]:
    """Names of nothing: the page shows ids."""
    return {}


class Names(NamedTuple):
    """What the programme in force names besides its rules. Asked in the till's thread, anew whenever the programme changes."""

    tiers: Titles = nothing
    terms: AskTerms = Terms


def routes(till: Verbs, shop: Shop, worker: Worker, titles: Titles, names: Names) -> list[Route | Mount]:
    """The page and what its script reads."""

    def all_names() -> dict[str, object]:
        return {"rules": titles(), "tiers": names.tiers(), "terms": names.terms()}

    loader = Environment(loader=FileSystemLoader(HOME / "templates"), autoescape=True, undefined=StrictUndefined, finalize=shown)
    template = loader.get_template("cashier.html")
    display_template = loader.get_template("display.html")
    acts_template = loader.get_template("acts.html")
    goods = {product.sku: product.name or product.sku for product in shop.products}
    products = msgspec.json.encode(shop.products)
    openapi = OPENAPI_FILE.read_bytes()

    async def page(request: Request) -> Response:
        return HTMLResponse(_render(template, shop, language_of(request, shop.languages) or shop.languages[0]))

    async def product_list(request: Request) -> Response:
        return Response(products, media_type=JSON)

    async def name_list(request: Request) -> Response:
        return Response(msgspec.json.encode(await worker.run(all_names)), media_type=JSON)

    async def told(request: Request) -> Response:
        language = language_of(request, shop.languages) or shop.languages[0]
        return Response(encode(await worker.run(till.told, request.path_params["quote_id"], language, goods)), media_type=JSON)

    async def acts(request: Request) -> Response:
        language = language_of(request, shop.languages) or shop.languages[0]
        told = await worker.run(till.acts)
        return HTMLResponse(render_acts(acts_template, shop, told, language))

    async def display(request: Request) -> Response:
        return HTMLResponse(render_display(display_template, shop, language_of(request, shop.languages) or shop.languages[0]))

    async def description(request: Request) -> Response:
        return Response(openapi, media_type=JSON)

    return [
        Route("/", page),
        Route("/display", display),
        Route("/manager/acts", acts),
        Route("/openapi.json", description),
        Route("/page/products.json", product_list),
        Route("/page/names.json", name_list),
        Route("/page/told/{quote_id}", told),
        Mount("/static", StaticFiles(directory=HOME / "static")),
    ]


def _render(template: Template, shop: Shop, language: Language) -> str:
    words = {key.removeprefix(PAGE): text for key, text in catalogue(language).items() if key.startswith(SCRIPT_WORDS)}
    return template.render(
        tr=partial(tr, language),
        language=language,
        shop=shop,
        sign=SIGNS.get(shop.currency, shop.currency) if language == "ru" else shop.currency,
        makes_cards=any(card.own_prefix for card in shop.cards),
        words=msgspec.json.encode(words).decode(),
        other_languages=[other for other in shop.languages if other != language],
    )
