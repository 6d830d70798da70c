"""A stored sale made ready to be told: with the shop's template, the programme's titles, and what the member has after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from drivers.symbology import mask
from pos_loyalty.config import Language
from pos_loyalty.engine.explain import issue_text, privilege_text
from pos_loyalty.engine.lots import SOON, dated, total_centi
from pos_loyalty.engine.model import Lot
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import ledger, members, profiles, returned, sales
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till import gift_sales, paper
from pos_loyalty.till.answers import coupons_of, owed_of, released_by, voided_of
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.rights import head_office_answers
from pos_loyalty.till.tenders import EXCHANGE
from pos_loyalty.till.tier_model import TierAnswer
from pos_loyalty.till.tiers import answer_of, notes_of, progress_of
from pos_loyalty.values import Points
from receipts.model import PaperCoupon, PointsAt, Receipt

DATES_MAX = 3
"""So many dates of points that wait or run out; the page tells all."""


def receipt_of(desk: Desk, stored: StoredSale, language: Language, copy: int = 0) -> Receipt:
    """The receipt of a sale of this till as it stands now."""
    look, gone = paper.look(desk, language), voided_of(desk, stored)
    bare = Receipt(
        kind="reversed" if stored.state == "reversed" else "cancelled" if stored.state == "cancelled" else "sale",
        look=look,
        logo=desk.logo() if "logo" in look.sections else None,
        receipt_no=stored.receipt_no,
        sale_id=stored.sale_id,
        at=(stored.ended_at or stored.authorised_at).astimezone(desk.zone),
        basket=stored.basket,
        quote=stored.quote,
        titles=_titles(desk),
        tenders=stored.tenders,
        is_offline=is_cut_off(desk),
        coupons=tuple(
            PaperCoupon(code=each.code, title=each.title, usable_from=each.usable_from, expires_at=each.expires_at)
            for each in coupons_of(desk, stored)
        ),
        gift_left=gift_sales.balances_of(desk, stored),
        withdrawn=gone.codes,
        withdrawn_used=gone.used,
        released=released_by(desk, stored),
        exchanged_no=_exchanged_no(desk, stored),
        copy_no=copy,
    )
    return bare if stored.quote.member_id is None else _with_member(desk, stored, stored.quote.member_id, bare, language)


def is_cut_off(desk: Desk) -> bool:
    """Whether the balance on a slip is preliminary: head office does not answer."""
    return desk.config.head_office.url is not None and not head_office_answers(desk.db, desk.config, desk.now(), desk.trusted())


def _with_member(desk: Desk, stored: StoredSale, member_id: str, receipt: Receipt, language: Language) -> Receipt:
    from msgspec.structs import replace

    trusted, sections = desk.trusted(), receipt.look.sections
    lots = ledger.lots_of(desk.db, member_id)
    cards = members.cards_of(desk.db, member_id)
    profile = profiles.by_id(desk.db, member_id) if "referral" in sections else None
    is_sold = stored.state == "completed"
    standing = answer_of(desk, member_id, desk.now()) if is_sold and {"tier", "words"} & set(sections) else None
    return replace(
        receipt,
        card=mask(cards[0]) if cards else None,
        balance_centi=total_centi(lots, trusted.at),
        waiting=waiting(lots, trusted.at),
        settled_centi=sales.settled_centi(desk.db, stored),
        owed_centi=owed_of(desk, member_id),
        expiring=expiring(lots, trusted.at),
        tier=progress_of(desk, standing),
        notes=_notes(desk, stored, language, standing),
        referral_code=(profile.referral_code or "") if profile is not None else "",
    )


def waiting(lots: Iterable[Lot], now: datetime) -> tuple[PointsAt, ...]:
    """What is not usable yet, by the instant from which it is; soonest first."""
    sums: dict[datetime, int] = {}
    for each in dated(lots, now):
        if each.phase == "pending" and each.usable_from is not None:
            sums[each.usable_from] = sums.get(each.usable_from, 0) + each.centi
    return tuple(PointsAt(centi=Points(sums[at]), at=at) for at in sorted(sums))[:DATES_MAX]


def expiring(lots: Iterable[Lot], now: datetime) -> tuple[PointsAt, ...]:
    """The soonest loss, and the others that come soon; soonest first."""
    sums: dict[datetime, int] = {}
    for each in dated(lots, now):
        if each.phase != "expired" and each.expires_at is not None:
            sums[each.expires_at] = sums.get(each.expires_at, 0) + each.centi
    ordered = [PointsAt(centi=Points(sums[at]), at=at) for at in sorted(sums)][:DATES_MAX]
    return tuple(each for place, each in enumerate(ordered) if place == 0 or each.at <= now + SOON)


def _notes(desk: Desk, stored: StoredSale, language: Language, standing: TierAnswer | None) -> tuple[str, ...]:
    """What the member is told of privileges, memberships and the tier; coupons have a place of their own."""
    quote = stored.quote
    if stored.state != "completed":
        return ()
    try:
        programme = desk.shelf.current(desk.db)
    except NotFoundError:
        return ()
    told_of_tier = notes_of(desk, stored, programme, language, standing)
    ended = [issue for issue in quote.issued if issue.kind != "coupon"]
    names = {issue.series for issue in ended if issue.kind == "privilege"}
    told = [privilege_text(name, programme, language) for name in quote.privileges if name not in names]
    told += [issue_text(issue, programme, language) for issue in ended]
    return (*told, *told_of_tier)


def _exchanged_no(desk: Desk, stored: StoredSale) -> str:
    """Only a sale that an exchange paid is looked up."""
    if all(tender.kind != EXCHANGE for tender in stored.tenders):
        return ""
    found = returned.of_exchange(desk.db, stored.till, stored.sale_id)
    fact = None if found is None else ledger.by_id(desk.db, found.txn)
    return "" if fact is None else fact.receipt_no or ""


def _titles(desk: Desk) -> Mapping[str, Mapping[str, str]]:
    try:
        return desk.shelf.current(desk.db).titles
    except NotFoundError:
        return {}
