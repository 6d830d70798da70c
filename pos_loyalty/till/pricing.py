"""Asking the engine for the till: the member with rights, the programme in force, and the quote held under an id."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from pos_loyalty.engine import quote as ask_engine
from pos_loyalty.engine.lots import is_usable
from pos_loyalty.engine.model import Basket, Member, Quote, State
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.store import members
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.till.quotes import Held
from pos_loyalty.till.rights import rights_of
from pos_loyalty.values import Points


def ask(desk: Desk, request: QuoteRequest, now: datetime) -> Quote:
    """Price the basket at its own time and hold the answer. Raises InputError, NotFoundError."""
    basket = request.basket
    member, online = _member(desk, request, now)
    owed_centi = member.owed_centi if member is not None else Points(0)
    quote = ask_engine(basket, member, desk.shelf.current(desk.db), State(), basket.opened_at)
    quote_id = desk.new_id().hex
    expires_at = now + timedelta(seconds=desk.config.till.quote_life_s)
    quote = replace(quote, quote_id=quote_id, expires_at=expires_at)
    desk.quotes.put(quote_id, Held(request=request, quote=quote, expires_at=expires_at, online=online, owed_centi=owed_centi))
    return quote


def check_ours(desk: Desk, basket: Basket) -> None:
    """A basket of another till or store is a mistake of the host. Raises InputError."""
    if basket.till != desk.config.till.id:
        raise InputError("$.till", f'this is till "{desk.config.till.id}", the basket says "{basket.till}"')
    if basket.store != desk.config.store.id:
        raise InputError("$.store", f'this is store "{desk.config.store.id}", the basket says "{basket.store}"')


def _member(desk: Desk, request: QuoteRequest, now: datetime) -> tuple[Member | None, bool]:
    if request.member_id is None:
        return None, True
    member = members.by_id(desk.db, request.member_id)
    if member is None:
        raise NotFoundError("This member is not known at this till; read the card again or sell without it.")
    rights = rights_of(desk.db, desk.config, member.member_id, desk.day_start(now), now)
    # A host's opened_at revives no lot and hastens none: it must be usable by the till's own clock too.
    lots = tuple(lot for lot in member.lots if is_usable(lot, now))
    return replace(member, lots=lots, redeemable_centi=rights.cap_centi), rights.online
