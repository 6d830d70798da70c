"""The till's web application: API and cashier page behind one door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from pos_loyalty.errors import LoyaltyError
from pos_loyalty.web import api, page, problems
from pos_loyalty.web.figures import figures_route
from pos_loyalty.web.guard import LOCAL_HOSTS, guarded
from pos_loyalty.web.scans import ScanBoard
from pos_loyalty.web.verbs import Shop, Verbs


def application(
    till: Verbs,
    shop: Shop,
    *,
    scans: ScanBoard,
    titles: page.Titles | None = None,
    names: page.Names | None = None,
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS,
) -> ASGIApp:
    """The ASGI application. It calls the till in one thread of its own, and leaves closing the till to its owner.

    ``titles`` are those of the rules in force, ``names`` what else the programme names; without them the cashier page shows ids.
    ``allowed_hosts`` are the names, without a port, under which browsers may reach the till.
    """
    worker = api.Worker()

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        yield
        worker.stop()

    app = Starlette(
        routes=[
            *api.routes(till, worker, scans, shop.languages),
            *page.routes(till, shop, worker, titles or page.nothing, names or page.Names()),
            figures_route(till, worker),
        ],
        exception_handlers={
            LoyaltyError: problems.on_loyalty_error,
            HTTPException: problems.on_http_error,
            Exception: problems.on_fault,
        },
        lifespan=life,
    )
    return guarded(app, allowed_hosts)
