"""Receipts on their way to paper: composed from the stored sale, laid into the spool in the sale's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from drivers.symbology import mask
from pos_loyalty.config import Language
from pos_loyalty.engine.explain import issue_text, privilege_text
from pos_loyalty.engine.lots import next_expiry
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import ledger, members, prints, returned, sales
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till import gift_sales
from pos_loyalty.till.answers import balance_of, coupons_of, of_return, owed_of, released_by, voided_of
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import PrintAnswer
from pos_loyalty.till.rights import head_office_answers
from pos_loyalty.till.tiers import notes_of
from pos_loyalty.values import Points
from receipts.compose import PaperCoupon, Receipt, compose
from receipts.compose_return import ReturnSlip, compose_return
from receipts.escpos import to_escpos
from receipts.text import to_text

COPIES_MAX = 20
TEXT_COLUMNS = 48
SlipKind = Literal["sale", "void", "cancelled", "return"]
Titles = Mapping[str, Mapping[str, str]]


def queue(desk: Desk, stored: StoredSale) -> None:
    """Lay the slip of a finished sale into the spool. Called inside its transaction; an unprintable sign stops nothing."""
    if desk.config.printer is not None:
        _enqueue(desk, stored, 0, desk.config.receipt.language)


def queue_return(desk: Desk, fact: Fact) -> None:
    """Lay the slip of a return into the spool. Called inside its transaction; an unprintable sign stops nothing."""
    if desk.config.printer is not None:
        _enqueue_return(desk, _return_slip(desk, fact, 0), desk.config.receipt.language)


def queue_return_copy(desk: Desk, return_id: str, language: Language | None) -> PrintAnswer:
    """Lay a marked copy of a return's slip into the spool. Raises NotFoundError, ConflictError as ``queue_copy`` does."""
    fact = _return_of(desk, return_id)
    copy = _next_copy(desk, fact.receipt_no or "", "return")
    return _enqueue_return(desk, _return_slip(desk, fact, copy), language or desk.config.receipt.language)


def return_text(desk: Desk, return_id: str, language: Language | None) -> str:
    """The slip of a return of this till, as text. Raises NotFoundError."""
    slip = _return_slip(desk, _return_of(desk, return_id), 0)
    return to_text(compose_return(slip, language or desk.config.receipt.language), _columns(desk))


def _return_of(desk: Desk, return_id: str) -> Fact:
    stored = returned.by_id(desk.db, desk.config.till.id, return_id)
    fact = None if stored is None else ledger.by_id(desk.db, stored.txn)
    if fact is None:
        raise NotFoundError(f"Return {return_id} is not known at this till.")
    return fact


def _enqueue_return(desk: Desk, slip: ReturnSlip, language: Language) -> PrintAnswer:
    printer = desk.config.printer
    assert printer is not None
    body, note = b"", None
    for tried in (slip, replace(slip, names={})):
        try:
            body = to_escpos(compose_return(tried, language), columns=printer.columns, page=printer.page, slot=printer.slot)
            break
        except InputError as error:
            note = str(error)
    kind: SlipKind = "return"
    draft = prints.PrintDraft(sale_id=None, receipt_no=slip.receipt_no, kind=kind, copy=slip.copy_no, body=body)
    job_id = prints.enqueue(desk.db, draft, desk.now())
    if not body:
        prints.move(desk.db, job_id, "failed", desk.now(), note)
    state = "queued" if body else "failed"
    return PrintAnswer(receipt_no=slip.receipt_no, kind=kind, copy_no=slip.copy_no, state=state, note=note)


def _return_slip(desk: Desk, fact: Fact, copy: int) -> ReturnSlip:
    answer = of_return(desk, fact)
    assert fact.returned is not None
    return ReturnSlip(
        header=desk.config.receipt.header or (desk.config.store.name,),
        receipt_no=answer.receipt_no,
        sale_id=answer.sale_id,
        sale_till=answer.sale_till,
        at=answer.at.astimezone(desk.zone),
        cashier=fact.cashier or "",
        currency=desk.config.store.currency,
        names=fact.returned.names,
        lines=answer.lines,
        charged_minor=answer.charged_minor,
        unpaid_minor=answer.unpaid_minor,
        refund_minor=answer.refund_minor,
        tenders=answer.tenders,
        restored_centi=answer.restored_centi,
        taken_back_centi=answer.taken_back_centi,
        owed_centi=answer.owed_in_all_centi,
        balance_centi=answer.balance_centi,
        withdrawn=answer.withdrawn,
        withdrawn_used=answer.withdrawn_used,
        is_offline=_is_cut_off(desk),
        copy_no=copy,
    )


def queue_copy(desk: Desk, stored: StoredSale, language: Language | None) -> PrintAnswer:
    """Lay a marked copy into the spool. Raises ConflictError when there is no printer or no end to the copies."""
    if stored.state == "authorised":
        raise ConflictError(f"Sale {stored.sale_id} is not completed yet; there is nothing to print.")
    copy = _next_copy(desk, stored.receipt_no, _kind(stored))
    return _enqueue(desk, stored, copy, language or desk.config.receipt.language)


def _next_copy(desk: Desk, receipt_no: str, kind: SlipKind) -> int:
    if desk.config.printer is None:
        raise ConflictError("No printer stands in the till's config; the receipt can be shown as text or picture.")
    copy = prints.next_copy(desk.db, receipt_no, kind)
    if copy > COPIES_MAX:
        raise ConflictError(f"Receipt {receipt_no} was printed {COPIES_MAX} times; that is enough.")
    return copy


def text_of(desk: Desk, stored: StoredSale, language: Language | None) -> str:
    """The receipt as text."""
    tongue = language or desk.config.receipt.language
    return to_text(compose(_receipt(desk, stored, tongue, 0), tongue), _columns(desk))


def png_of(desk: Desk, stored: StoredSale, language: Language | None) -> bytes:
    """The receipt as a picture. Raises LoyaltyError when no font is found."""
    from receipts.png import to_png

    tongue = language or desk.config.receipt.language
    return to_png(compose(_receipt(desk, stored, tongue, 0), tongue), _columns(desk), desk.config.receipt.font)


def _enqueue(desk: Desk, stored: StoredSale, copy: int, language: Language) -> PrintAnswer:
    receipt = _receipt(desk, stored, language, copy)
    body, note = b"", None
    try:
        body = _bytes(desk, receipt, language)
    except InputError as error:
        note = str(error)
        body = _plain_bytes(desk, receipt, language)
    kind = _kind(stored)
    state = "queued" if body else "failed"
    draft = prints.PrintDraft(sale_id=stored.sale_id, receipt_no=stored.receipt_no, kind=kind, copy=copy, body=body)
    job_id = prints.enqueue(desk.db, draft, desk.now())
    if not body:
        prints.move(desk.db, job_id, "failed", desk.now(), note)
    return PrintAnswer(receipt_no=stored.receipt_no, kind=kind, copy_no=copy, state=state, note=note)


def _bytes(desk: Desk, receipt: Receipt, language: Language) -> bytes:
    printer = desk.config.printer
    assert printer is not None
    return to_escpos(compose(receipt, language), columns=printer.columns, page=printer.page, slot=printer.slot)


def _plain_bytes(desk: Desk, receipt: Receipt, language: Language) -> bytes:
    """The receipt with SKUs for names, when a name has a sign that the page lacks; empty when even that cannot be printed."""
    basket = replace(receipt.basket, lines=tuple(replace(line, name="") for line in receipt.basket.lines))
    coupons = tuple(replace(coupon, title={}) for coupon in receipt.coupons)
    quote = replace(receipt.quote, messages=())
    plain = replace(receipt, basket=basket, quote=quote, titles={}, notes=(), coupons=coupons)
    try:
        return _bytes(desk, plain, language)
    except InputError:
        return b""


def _receipt(desk: Desk, stored: StoredSale, language: Language, copy: int) -> Receipt:
    member_id = stored.quote.member_id
    expiry = next_expiry(ledger.lots_of(desk.db, member_id), desk.trusted().at) if member_id else None
    cards = members.cards_of(desk.db, member_id) if member_id else ()
    gone = voided_of(desk, stored)
    return Receipt(
        kind="reversed" if stored.state == "reversed" else "cancelled" if stored.state == "cancelled" else "sale",
        header=desk.config.receipt.header or (desk.config.store.name,),
        footer=desk.config.receipt.footer,
        receipt_no=stored.receipt_no,
        sale_id=stored.sale_id,
        at=(stored.ended_at or stored.authorised_at).astimezone(desk.zone),
        basket=stored.basket,
        quote=stored.quote,
        titles=_titles(desk),
        tenders=stored.tenders,
        card=mask(cards[0]) if cards else None,
        balance_centi=balance_of(desk, member_id),
        expiring_centi=expiry.centi if expiry else Points(0),
        expiring_at=expiry.at if expiry else None,
        is_offline=_is_cut_off(desk),
        notes=_notes(desk, stored, language),
        coupons=tuple(
            PaperCoupon(code=each.code, title=each.title, usable_from=each.usable_from, expires_at=each.expires_at)
            for each in coupons_of(desk, stored)
        ),
        gift_left=gift_sales.balances_of(desk, stored),
        copy_no=copy,
        settled_centi=sales.settled_centi(desk.db, stored),
        owed_centi=owed_of(desk, member_id),
        withdrawn=gone.codes,
        withdrawn_used=gone.used,
        released=released_by(desk, stored),
    )


def _notes(desk: Desk, stored: StoredSale, language: Language) -> tuple[str, ...]:
    """What the member is told of privileges, memberships and the tier; coupons have a place of their own."""
    quote = stored.quote
    if stored.state != "completed":
        return ()
    try:
        programme = desk.shelf.current(desk.db)
    except NotFoundError:
        return ()
    standing = notes_of(desk, stored, programme, language)
    dated = [issue for issue in quote.issued if issue.kind != "coupon"]
    names = {issue.series for issue in dated if issue.kind == "privilege"}
    told = [privilege_text(name, programme, language) for name in quote.privileges if name not in names]
    told += [issue_text(issue, programme, language) for issue in dated]
    return (*told, *standing)


def _is_cut_off(desk: Desk) -> bool:
    """Whether the balance on the slip is preliminary: head office does not answer."""
    return desk.config.head_office.url is not None and not head_office_answers(desk.db, desk.config, desk.now(), desk.trusted())


def _titles(desk: Desk) -> Titles:
    try:
        return desk.shelf.current(desk.db).titles
    except NotFoundError:
        return {}


def _kind(stored: StoredSale) -> SlipKind:
    match stored.state:
        case "reversed":
            return "void"
        case "cancelled":
            return "cancelled"
        case _:
            return "sale"


def _columns(desk: Desk) -> int:
    return desk.config.printer.columns if desk.config.printer is not None else TEXT_COLUMNS
