"""The cash drawer: opened by itself when a sale is paid in cash, and by a cashier who says why. Never twice for one asking."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pos_loyalty import log
from pos_loyalty.engine.model import Id
from pos_loyalty.errors import ConflictError
from pos_loyalty.store import drawer
from pos_loyalty.store.db import write
from pos_loyalty.store.drawer import KickState
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.values import Value

CASH = "cash"


class DrawerRequest(Value):
    """Open the drawer now."""

    cashier: Id
    reason: Annotated[str, Meta(max_length=120)] = ""


class DrawerAnswer(Value):
    """The drawer was asked to open. Whether it did, nobody can tell but the cashier."""

    kick_id: int
    state: KickState


def queue(desk: Desk, stored: StoredSale) -> None:
    """Ask for the drawer when a completed sale took cash, inside its transaction. Again for the same sale does nothing."""
    printer = desk.config.printer
    if printer is None or not (printer.drawer and printer.drawer_at_cash):
        return
    if any(tender.kind == CASH and tender.amount_minor > 0 for tender in stored.tenders):
        drawer.ask(desk.db, sale_id=stored.sale_id, cashier=stored.basket.cashier, reason="", now=desk.now())


def open_now(desk: Desk, request: DrawerRequest, key: str) -> DrawerAnswer:
    """Ask for the drawer, once for a key. Raises ConflictError when none hangs on this till's printer."""
    printer = desk.config.printer
    if printer is None or not printer.drawer:
        raise ConflictError("No drawer hangs on this till's printer; open it with its key.")

    def act(keep: Keep[DrawerAnswer]) -> DrawerAnswer:
        with write(desk.db):
            kick_id = drawer.ask(desk.db, sale_id=None, cashier=request.cashier, reason=request.reason, now=desk.now())
            assert kick_id is not None, "only a sale can have asked before"
            return keep(DrawerAnswer(kick_id=kick_id, state="asked"))

    answer = desk.once(key, "drawer", request, DrawerAnswer, act)
    log.info("drawer.asked", kick=answer.kick_id, cashier=request.cashier, reason=request.reason)
    return answer
