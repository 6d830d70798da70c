"""Stored rows turned into the till's answers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pos_loyalty.clock import from_ms
from pos_loyalty.engine.lots import next_expiry, total_centi, usable_centi
from pos_loyalty.engine.model import Member
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import issues, ledger, outbox, sales
from pos_loyalty.store.issues import Held
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till import tiers
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.known import paid_until_of, privileges_of
from pos_loyalty.till.model import CouponAnswer, MemberAnswer, PrivilegeAnswer, SaleAnswer
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
    return sale_answer(desk, stored_sale(desk, sale_id))


def balance_of(desk: Desk, member_id: str | None) -> Points | None:
    """A member's points that are not lost, as known here and now; None without a member."""
    return None if member_id is None else total_centi(ledger.lots_of(desk.db, member_id), desk.now())


def sale_answer(desk: Desk, stored: StoredSale) -> SaleAnswer:
    """A stored sale with the member's points as they stand now."""
    return SaleAnswer(
        sale_id=stored.sale_id,
        state=stored.state,
        receipt_no=stored.receipt_no,
        quote=stored.quote,
        tenders=stored.tenders,
        balance_centi=balance_of(desk, stored.quote.member_id),
        authorised_at=stored.authorised_at,
        ended_at=stored.ended_at,
        fiscal=stored.fiscal,
        coupons=coupons_of(desk, stored),
    )


def coupons_of(desk: Desk, stored: StoredSale) -> tuple[CouponAnswer, ...]:
    """The coupons that a completed sale issued, with the titles of the programme in force."""
    if stored.state != "completed" or not stored.quote.issued:
        return ()
    return made_coupons(desk, stored.txn)


def made_coupons(desk: Desk, txn: UUID) -> tuple[CouponAnswer, ...]:
    """The coupons that a fact issued."""
    series = desk.shelf.series(desk.db)
    return tuple(
        CouponAnswer(
            code=made.code,
            series=made.series,
            title={str(language): words for language, words in series[made.series].title.items()}
            if made.series in series
            else {},
            usable_from=made.usable_from,
            expires_at=made.expires_at,
        )
        for made in issues.made_by(desk.db, txn)
    )


def of_member(desk: Desk, member: Member, card: str | None, now: datetime) -> MemberAnswer:
    """A member as the cashier sees them. ``card`` is masked already."""
    usable = usable_centi(member.lots, now)
    rights = rights_of(desk.db, desk.config, member.member_id, desk.day_start(now), now)
    free_centi = max(0, usable - member.owed_centi)
    expiry = next_expiry(member.lots, now)
    heard_ms = outbox.state(desk.db).heard_ms
    held = issues.held(desk.db, member.member_id)
    return MemberAnswer(
        member_id=member.member_id,
        card=card,
        tier=member.tier,
        balance_centi=total_centi(member.lots, now),
        usable_centi=usable,
        redeemable_centi=Points(free_centi if rights.cap_centi is None else min(free_centi, rights.cap_centi)),
        owed_centi=member.owed_centi,
        next_expiry=expiry.at if expiry else None,
        next_expiry_centi=expiry.centi if expiry else Points(0),
        known_at=None if heard_ms is None else from_ms(heard_ms),
        privileges=_privileges(desk, held, now),
        paid_until=paid_until_of(held),
        standing=tiers.answer_of(desk, member.member_id, now),
    )


def _privileges(desk: Desk, held: tuple[Held, ...], now: datetime) -> tuple[PrivilegeAnswer, ...]:
    """One for each name: the one that holds longest."""
    longest = {each.name: each for each in privileges_of(held, now)}
    titles = desk.shelf.wants(desk.db).privilege_titles if longest else {}
    return tuple(
        PrivilegeAnswer(name=name, title=titles.get(name, {}), expires_at=each.expires_at) for name, each in longest.items()
    )
