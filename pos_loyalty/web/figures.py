"""The till's figures for a monitor on this machine: what ``/healthz`` says, as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pos_loyalty import gauges
from pos_loyalty.clock import utc_now
from pos_loyalty.gauges import Figure, alone
from pos_loyalty.till.model import Health
from pos_loyalty.web.api import Worker
from pos_loyalty.web.verbs import Verbs

BYTES_PER_MB: Final = 1024 * 1024


def figures_route(till: Verbs, worker: Worker) -> Route:
    """``GET /metrics``."""

    async def metrics(request: Request) -> Response:
        health = await worker.run(till.health)
        return Response(gauges.text_of(figures(health, utc_now())), media_type=gauges.MEDIA)

    return Route("/metrics", metrics)


def figures(health: Health, now: datetime) -> Iterator[Figure]:
    """Everything, in the order of docs/operations.md."""
    heard = {} if health.heard_at is None else alone(max(0, int((now - health.heard_at).total_seconds())))
    road = health.road
    silent = {} if road is None or road.hub_at is None else alone(max(0, int((now - road.hub_at).total_seconds())))
    by_hub = {} if road is None else alone(int(road.road == "hub"))
    told = (
        ("unsent_facts", "Facts that head office has not confirmed.", alone(health.unsent_facts)),
        ("heard_age_seconds", "Time since all of head office's changes were here.", heard),
        ("by_hub", "1: the store's hub answers; 0: straight to head office.", by_hub),
        ("hub_silent_seconds", "Time since the store's hub last answered.", silent),
        ("unfinished_sales", "Sales neither completed nor cancelled.", alone(len(health.unfinished_sales))),
        ("prints_waiting", "Slips on their way to paper.", alone(health.prints_waiting)),
        ("offline_redeemed_centi", "Points redeemed without head office's word.", alone(health.offline_redeemed_centi)),
        ("free_disk_bytes", "Free space where the file lies.", alone(health.free_disk_mb * BYTES_PER_MB)),
        ("problems", "What a person should look at.", alone(len(health.problems))),
    )
    for name, help_, samples in told:
        yield Figure(name=f"pos_loyalty_till_{name}", help=help_, kind="gauge", samples=samples)
