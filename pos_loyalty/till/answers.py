"""Stored rows turned into the till's answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from pos_loyalty.clock import from_ms
from pos_loyalty.engine.lapsed import is_forgiving
from pos_loyalty.engine.ledger import member_account, owed_account
from pos_loyalty.engine.lots import Dated, Phase, dated, is_usable, next_expiry, total_centi, usable_centi
from pos_loyalty.engine.model import Entry, Lot, Member
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import coupon_words, issues, ledger, members, merges, outbox, profiles, returned, sales
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.issues import Held
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.store.trusted_time import Trusted
from pos_loyalty.till import gift_sales, tiers
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.holdings import cut
from pos_loyalty.till.known import paid_until_of, privileges_of
from pos_loyalty.till.model import CouponAnswer, LotAnswer, MemberAnswer, PrivilegeAnswer, SaleAnswer
from pos_loyalty.till.returns_model import ReturnAnswer
from pos_loyalty.till.rights import rights_of
from pos_loyalty.values import Points, Value

LOTS_SHOWN_MAX: Final = 50
"""Dates shown of one member, soonest to be lost first; the sums are over all."""


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
    return None if member_id is None else total_centi(ledger.lots_of(desk.db, member_id), desk.trusted().at)


def owed_of(desk: Desk, member_id: str | None) -> Points:
    """What a member, or the one they went over into, owes as known here and now; nothing without a member."""
    return Points(0) if member_id is None else members.owed_of(desk.db, merges.current(desk.db, member_id))


def sale_answer(desk: Desk, stored: StoredSale) -> SaleAnswer:
    """A stored sale with the member's points as they stand now."""
    gone = voided_of(desk, stored)
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
        gift_cards=gift_sales.sold_by(desk, stored, desk.now()),
        gift_balances=gift_sales.balances_of(desk, stored),
        returned=_exchanged(desk, stored),
        settled_centi=sales.settled_centi(desk.db, stored),
        owed_centi=owed_of(desk, stored.quote.member_id),
        withdrawn=gone.codes,
        withdrawn_used=gone.used,
        released=released_by(desk, stored),
    )


def of_return(desk: Desk, fact: Fact) -> ReturnAnswer:
    """A return as it was booked, with the member's points as they stand now."""
    assert fact.returned is not None
    mine, made = fact.returned, fact.returned.returned
    now_id = None if fact.member is None else merges.current(desk.db, fact.member)
    member = None if now_id is None else members.by_id(desk.db, now_id)
    gone = withdrawn_of(desk, mine.sale_till, mine.sale_id, mine.withdrawn)
    return ReturnAnswer(
        return_id=mine.return_id,
        sale_till=mine.sale_till,
        sale_id=mine.sale_id,
        receipt_no=fact.receipt_no or "",
        at=fact.at,
        refund_minor=mine.refund_minor,
        charged_minor=made.charged_minor,
        unpaid_minor=mine.unpaid_minor,
        tenders=mine.tenders,
        lines=made.lines,
        restored_centi=restored_by(fact.entries, fact.member),
        taken_back_centi=taken_back_by(fact.entries, fact.member),
        owed_centi=owed_by(fact.entries, fact.member),
        member_id=fact.member,
        owed_in_all_centi=Points(0) if member is None else member.owed_centi,
        balance_centi=balance_of(desk, now_id),
        is_last=made.is_last,
        withdrawn=gone.codes,
        withdrawn_used=gone.used,
    )


class Withdrawn(Value):
    """Codes of coupons that a return or a void withdraws, and of these the ones that a sale has used."""

    codes: tuple[str, ...]
    used: tuple[str, ...]


def withdrawn_of(desk: Desk, sale_till: str, sale_id: str, numbers: Sequence[int]) -> Withdrawn:
    """The coupons among what a sale issued under these numbers, as far as this till knows their codes."""
    codes = issues.codes_of(desk.db, sale_till, sale_id, numbers)
    known = coupon_words.known(desk.db, codes)
    return Withdrawn(codes=codes, used=tuple(code for code, coupon in known.items() if coupon.taken_sale is not None))


def voided_of(desk: Desk, stored: StoredSale) -> Withdrawn:
    """The coupons that a sale issued, once it is voided: only what it issued while it was completed is on paper."""
    if stored.state != "reversed" or not stored.quote.issued:
        return Withdrawn(codes=(), used=())
    count = sum(1 for _ in issues.each_one(stored.quote.issued))
    return withdrawn_of(desk, stored.till, stored.sale_id, range(count))


def released_by(desk: Desk, stored: StoredSale) -> tuple[str, ...]:
    """Of the coupons that a voided or cancelled sale took, those with a code of their own that are good again now."""
    if stored.state not in ("reversed", "cancelled") or not stored.quote.coupons:
        return ()
    now = desk.trusted().at
    known = coupon_words.known(desk.db, [taken.code for taken in stored.quote.coupons])
    return tuple(
        code
        for code, coupon in known.items()
        if coupon.is_live and coupon.taken_sale is None and (coupon.expires_at is None or coupon.expires_at > now)
    )


def restored_by(entries: Sequence[Entry], member_id: str | None) -> Points:
    """What entries of a return give back to its member's lots."""
    return Points(
        sum(entry.amount for entry in entries if entry.kind == "reverse" and entry.credit == member_account(member_id or ""))
    )


def taken_back_by(entries: Sequence[Entry], member_id: str | None) -> Points:
    """What they take back, owed or not; what is forgiven is not taken."""
    own = (member_account(member_id or ""), owed_account(member_id or ""))
    taken = (entry for entry in entries if entry.kind == "reverse" and entry.debit in own and entry.credit not in own)
    let = (entry for entry in entries if is_forgiving(entry) and entry.member_id == member_id)
    return Points(sum(entry.amount for entry in taken) - sum(entry.amount for entry in let))


def owed_by(entries: Sequence[Entry], member_id: str | None) -> Points:
    """What they made their member owe."""
    account = owed_account(member_id or "")
    return Points(sum(entry.amount * ((entry.debit == account) - (entry.credit == account)) for entry in entries))


def _exchanged(desk: Desk, stored: StoredSale) -> ReturnAnswer | None:
    """The goods that came back for these. Tenders do not tell: a refund of nothing pays nothing, nor does one for free goods."""
    found = returned.of_exchange(desk.db, stored.till, stored.sale_id)
    fact = None if found is None else ledger.by_id(desk.db, found.txn)
    return None if fact is None else of_return(desk, fact)


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
    """A member as the cashier sees them. ``card`` is masked already; what has run out is decided by trusted time."""
    trusted = desk.trusted()
    usable = usable_centi(member.lots, trusted.at)
    rights = rights_of(desk.db, desk.config, member.member_id, desk.allowance_since(trusted), now, trusted)
    free_centi = max(0, usable_centi(cut(desk, redeemable_lots(member.lots, trusted)), trusted.at) - member.owed_centi)
    expiry = next_expiry(member.lots, trusted.at)
    by_date = dated(member.lots, trusted.at)
    heard_ms = outbox.state(desk.db).heard_ms
    held = issues.held(desk.db, member.member_id)
    profile = profiles.by_id(desk.db, member.member_id)
    return MemberAnswer(
        member_id=member.member_id,
        card=card,
        tier=member.tier,
        balance_centi=total_centi(member.lots, trusted.at),
        usable_centi=usable,
        redeemable_centi=Points(free_centi if rights.cap_centi is None else min(free_centi, rights.cap_centi)),
        owed_centi=member.owed_centi,
        next_expiry=expiry.at if expiry else None,
        next_expiry_centi=expiry.centi if expiry else Points(0),
        known_at=None if heard_ms is None else from_ms(heard_ms),
        privileges=_privileges(desk, held, trusted.at),
        paid_until=paid_until_of(held),
        phone=profile.phone if profile else "none",
        consents=profiles.consents_in_force(desk.db, member.member_id),
        referral_code=profile.referral_code if profile else None,
        pending_centi=_in_phase(by_date, "pending"),
        expiring_centi=_in_phase(by_date, "expiring"),
        expired_centi=_in_phase(by_date, "expired"),
        lots=tuple(
            LotAnswer(phase=each.phase, centi=each.centi, usable_from=each.usable_from, expires_at=each.expires_at)
            for each in by_date[:LOTS_SHOWN_MAX]
        ),
        standing=tiers.answer_of(desk, member.member_id, now),
    )


def redeemable_lots(lots: Sequence[Lot], trusted: Trusted) -> tuple[Lot, ...]:
    """Lots that may be redeemed now; while the clock is wrong by more than a day, only those without an end."""
    return tuple(lot for lot in lots if is_usable(lot, trusted.at) and not (trusted.is_lost and lot.expires_at is not None))


def _in_phase(by_date: Sequence[Dated], phase: Phase) -> Points:
    return Points(sum(each.centi for each in by_date if each.phase == phase))


def _privileges(desk: Desk, held: tuple[Held, ...], now: datetime) -> tuple[PrivilegeAnswer, ...]:
    """One for each name: the one that holds longest."""
    longest = {each.name: each for each in privileges_of(held, now)}
    titles = desk.shelf.wants(desk.db).privilege_titles if longest else {}
    return tuple(
        PrivilegeAnswer(name=name, title=titles.get(name, {}), expires_at=each.expires_at) for name, each in longest.items()
    )
