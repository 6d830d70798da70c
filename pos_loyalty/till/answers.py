"""Stored rows turned into the till's answers."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import from_ms
from pos_loyalty.engine.model import Member
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import ledger, outbox, sales
from pos_loyalty.store.db import Connection
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import MemberAnswer, SaleAnswer
from pos_loyalty.till.rights import rights_of
from pos_loyalty.values import Points


def stored_sale(desk: Desk, sale_id: str) -> StoredSale:
    """The sale of this till with this id. Raises NotFoundError."""
    stored = sales.by_id(desk.db, desk.config.till.id, sale_id)
    if stored is None:
        raise NotFoundError(f"Sale {sale_id} is not known at this till.")
    return stored


def of_sale(desk: Desk, sale_id: str) -> SaleAnswer:
    """The answer about a sale, read inside or outside of a transaction."""
    return sale_answer(desk.db, stored_sale(desk, sale_id))


def sale_answer(db: Connection, stored: StoredSale) -> SaleAnswer:
    """A stored sale with the member's points as they stand now."""
    member_id = stored.quote.member_id
    return SaleAnswer(
        sale_id=stored.sale_id,
        state=stored.state,
        receipt_no=stored.receipt_no,
        quote=stored.quote,
        tenders=stored.tenders,
        balance_centi=None if member_id is None else Points(sum(lot.centi for lot in ledger.lots_of(db, member_id))),
        authorised_at=stored.authorised_at,
        ended_at=stored.ended_at,
        fiscal=stored.fiscal,
    )


def of_member(desk: Desk, member: Member, card: str | None, now: datetime) -> MemberAnswer:
    """A member as the cashier sees them. ``card`` is masked already."""
    alive = [lot for lot in member.lots if lot.centi and (lot.expires_at is None or lot.expires_at > now)]
    usable_centi = sum(lot.centi for lot in alive if lot.usable_from is None or lot.usable_from <= now)
    rights = rights_of(desk.db, desk.config, member.member_id, desk.day_start(now), now)
    redeemable_centi = usable_centi if rights.cap_centi is None else min(usable_centi, rights.cap_centi)
    next_expiry = min((lot.expires_at for lot in alive if lot.expires_at is not None), default=None)
    heard_ms = outbox.state(desk.db).heard_ms
    return MemberAnswer(
        member_id=member.member_id,
        card=card,
        tier=member.tier,
        balance_centi=Points(sum(lot.centi for lot in alive)),
        usable_centi=Points(usable_centi),
        redeemable_centi=Points(redeemable_centi),
        owed_centi=member.owed_centi,
        next_expiry=next_expiry,
        next_expiry_centi=Points(sum(lot.centi for lot in alive if lot.expires_at == next_expiry)) if next_expiry else Points(0),
        known_at=None if heard_ms is None else from_ms(heard_ms),
    )
