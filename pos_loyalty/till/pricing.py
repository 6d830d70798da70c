"""Asking the engine for the till: the member with rights, the programme in force, and the quote held under an id."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from pos_loyalty.engine import quote as ask_engine
from pos_loyalty.engine.model import Basket, Member, Quote, Refusal, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.redeem import REDEEM
from pos_loyalty.errors import InputError, NotFoundError
from pos_loyalty.store import ledger, members
from pos_loyalty.till import buyer_names, coupon_rights, known, person
from pos_loyalty.till.answers import redeemable_lots
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.holdings import cut
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.till.quotes import Held
from pos_loyalty.till.rights import is_silent, rights_of
from pos_loyalty.values import Points, Value


class Asked(Value):
    """What a quote is asked with."""

    member: Member | None
    state: State
    online: bool
    programme: Programme
    """By which it is priced, and for whose rules the state was gathered: another may come in force meanwhile."""
    is_cut: bool = False
    """The member has more points than this till holds rights to."""
    is_clock_lost: bool = False
    """Points of the member's were left out because the clock is wrong by more than a day."""


def ask(desk: Desk, request: QuoteRequest, now: datetime) -> Quote:
    """Price the basket at its own time and hold the answer. Raises InputError, NotFoundError."""
    seq = ledger.head(desk.db).seq
    asked = _asked(desk, request, now, asks=True)
    quote = ask_engine(request.basket, asked.member, asked.programme, asked.state, request.basket.opened_at)
    if asked.is_cut:
        quote = replace(quote, refusals=tuple(_by_rights(refusal) for refusal in quote.refusals))
    if asked.is_clock_lost and request.basket.redeem is not None:
        refused = Refusal(rule=REDEEM, condition="clock", have="", need="")
        quote = replace(quote, refusals=tuple(sorted((*quote.refusals, refused), key=lambda refusal: refusal.rule)))
    quote_id = desk.new_id().hex
    expires_at = desk.trusted().at + timedelta(seconds=desk.config.till.quote_life_s)
    quote = replace(quote, quote_id=quote_id, expires_at=expires_at)
    held = Held(
        request=request,
        quote=quote,
        expires_at=expires_at,
        online=asked.online,
        owed_centi=asked.member.owed_centi if asked.member is not None else Points(0),
        member=_lean(asked.member),
        state=asked.state,
        seq=seq,
    )
    desk.quotes.put(quote_id, held)
    desk.buyer.tell(buyer_names.priced(desk, request, quote, asked.member))
    return quote


def _by_rights(refusal: Refusal) -> Refusal:
    """The points that stopped a redemption are those that this till holds, not all that the member has."""
    return replace(refusal, condition="rights") if refusal.condition == "balance" else refusal


def still_stands(desk: Desk, held: Held, now: datetime) -> bool:
    """Whether the same figures come out now, though sales were stored since. Points are looked at elsewhere: lots stay."""
    if ledger.head(desk.db).seq == held.seq:
        return True
    asked = _asked(desk, held.request, now)
    member = asked.member
    if member is not None and held.member is not None:
        then = held.member
        member = replace(member, lots=then.lots, redeemable_centi=then.redeemable_centi, owed_centi=then.owed_centi)
    if (_lean(member), asked.state) == (held.member, held.state):
        return True
    basket = held.request.basket
    quote = ask_engine(basket, member, asked.programme, asked.state, basket.opened_at)
    figures = {"quote_id": held.quote.quote_id, "expires_at": held.quote.expires_at, "refusals": held.quote.refusals}
    return replace(quote, **figures) == held.quote


def check_ours(desk: Desk, basket: Basket) -> None:
    """A basket of another till or store is a mistake of the host. Raises InputError."""
    if basket.till != desk.config.till.id:
        raise InputError("basket.till", f'this is till "{desk.config.till.id}", the basket says "{basket.till}"')
    if any(tender.card is not None or tender.pin is not None for tender in basket.tenders):
        raise InputError("basket.tenders", "a plan names kinds and amounts; a gift card is named when it pays")
    if basket.store != desk.config.store.id:
        raise InputError("basket.store", f'this is store "{desk.config.store.id}", the basket says "{basket.store}"')


def _lean(member: Member | None) -> Member | None:
    """Without what was bought, which may be long: it changes only when the sum of the member's sales does."""
    return member if member is None or member.purchases is None else replace(member, purchases=None)


def _asked(desk: Desk, request: QuoteRequest, now: datetime, *, asks: bool = False) -> Asked:
    """``asks``: rights to codes that this till does not hold are asked for."""
    basket = request.basket
    programme, wants = desk.shelf.in_force(desk.db)
    biz_day = desk.business_day(basket.opened_at)
    trusted = desk.trusted()
    silent = is_silent(desk.db, desk.config, now, trusted)
    here = known.Here(trusted, coupon_rights.gate(desk, wants, trusted, silent=silent, asks=asks))
    state = known.state_of(desk.db, basket, request.member_id, biz_day, wants, here)
    if request.member_id is None:
        return Asked(member=None, state=state, online=True, programme=programme)
    member = members.by_id(desk.db, request.member_id)
    if member is None:
        raise NotFoundError("This member is not known at this till; read the card again or sell without it.")
    rights = rights_of(desk.db, desk.config, member.member_id, desk.allowance_since(trusted), now, trusted)
    # A host's opened_at revives no lot and hastens none, nor does a clock turned back: it must be usable by trusted time too.
    whole = redeemable_lots(member.lots, trusted)
    lots = tuple(lot for lot in cut(desk, whole) if lot.centi > 0)
    member = person.with_profile(desk, known.with_past(desk.db, member, biz_day, wants), wants)
    if member.paid_until is not None and member.paid_until <= trusted.at:
        member = replace(member, paid_until=None)
    return Asked(
        member=replace(member, lots=lots, redeemable_centi=rights.cap_centi),
        state=state,
        online=rights.online,
        programme=programme,
        is_cut=sum(lot.centi for lot in lots) < sum(lot.centi for lot in whole),
        is_clock_lost=trusted.is_lost and any(lot.expires_at is not None for lot in member.lots),
    )
