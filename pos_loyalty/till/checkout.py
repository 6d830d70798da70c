"""The two steps of a sale and its undoing. Each is one transaction: sale, entries, lots, print job, log row, kept answer."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.engine.explain import line_refusal_text
from pos_loyalty.engine.gift_ledger import settle as settle_gifts
from pos_loyalty.engine.grace import graced
from pos_loyalty.engine.lapsed import lots_after
from pos_loyalty.engine.ledger import GRACE, release, reserve, settle
from pos_loyalty.engine.ledger import reverse as reverse_entries
from pos_loyalty.engine.lots import is_usable
from pos_loyalty.engine.model import POINT, Entry, Tender
from pos_loyalty.engine.paid_part import as_paid, missing_minor
from pos_loyalty.engine.programme import Programme
from pos_loyalty.errors import ConflictError, EarlierDayError, InputError, NotFoundError, QuoteStaleError
from pos_loyalty.store import claims, ledger, members, sales
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import FactKind, SaleEnd, SaleFact
from pos_loyalty.store.lapsed import with_given_back, with_lapsed
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till import (
    answers,
    claiming,
    confirming,
    coupons,
    drawer,
    exchange,
    gift_sales,
    merging,
    person,
    returned_sale,
    returns,
    slips,
    staff,
    tenders,
)
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.holdings import cut, held_all_lots_of, reach
from pos_loyalty.till.model import (
    SALE_ID_PATTERN,
    CancelRequest,
    CompleteRequest,
    SaleAnswer,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.till.pricing import ask, still_stands
from pos_loyalty.till.quotes import Held
from pos_loyalty.till.rights import rights_of
from pos_loyalty.till.said import Said
from pos_loyalty.till.settling import with_owed
from pos_loyalty.till.tiers import tier_facts_after
from pos_loyalty.values import Minor, Points, encode


def authorise(desk: Desk, request: SaleRequest, said: Said, keep: Keep[SaleAnswer]) -> SaleAnswer:
    """Reserve what the held quote takes, or settle it at once. Raises QuoteStaleError, ConflictError, NotAllowedError; then
    nothing was sold.

    ``request`` is without what is ``said``.
    """
    now = desk.now()
    content_hash = sha256(encode(request)).digest()
    _check_sale_id(request.sale_id)
    tenders.check(request.tenders)
    stored = sales.by_id(desk.db, desk.config.till.id, request.sale_id)
    if stored is not None:
        with write(desk.db):
            return keep(_same_sale(desk, stored, content_hash))
    held = _fresh(desk, request, now)
    confirming.check(desk, held.quote, request.sale_id, said.confirmation)
    swap = exchange.swap_of(desk, request, said.approval)
    txn_id = _attempt(desk, request.sale_id, content_hash, now)
    desk.quotes.sold(request.quote_id, request.sale_id)  # noted before the try: a COMMIT of unknown outcome may stand
    paid = gift_sales.opened(desk, request, said.pins, desk.trusted().at)
    with write(desk.db):
        _check_points(desk, held, now)
        if not still_stands(desk, held, now):
            raise _stale(desk, held, "A limit, a budget or a coupon was used since the quote", now)
        paid = replace(paid, tenders=paid.tenders + exchange.give_back(desk, swap, request.sale_id, held, now))
        if request.complete:
            tenders.check_paid(paid.tenders, held.quote.due_minor)
        stored = _add(desk, txn_id, paid, held, now)
        if request.complete:
            gift_sales.activate(desk, stored, now)
            tier_facts_after(desk.db, desk, held.quote.member_id, now)
            slips.queue(desk, stored)
            drawer.queue(desk, stored)
        return keep(answers.sale_answer(desk, stored))


def _add(desk: Desk, txn_id: UUID, request: SaleRequest, held: Held, now: datetime) -> StoredSale:
    """Write a sale as it was quoted and paid. Called inside the transaction. Raises ConflictError."""
    basket, ref = held.request.basket, _ref(desk, request.sale_id)
    gifts = gift_sales.reserve_entries(desk, request.tenders, held.quote, ref, desk.trusted().at)
    entries = reserve(held.quote, ref) + gifts
    if request.complete:
        settled = with_owed(desk, settle(held.quote, ref, now))
        entries += settled + settle_gifts(gifts, request.tenders, ref, basket.currency)
    draft = Draft(
        id=txn_id,
        kind="sale.completed" if request.complete else "sale.authorised",
        store=desk.config.store.id,
        entries=entries,
        programme=held.quote.programme,
        receipt_no=desk.receipt_no(),
        cashier=basket.cashier,
        member=held.quote.member_id,
        body=SaleFact(
            sale_id=request.sale_id,
            basket=basket,
            quote=replace(held.quote, refusals=person.without_days(held.quote.refusals)),
            tenders=request.tenders,
            offline_centi=Points(0) if held.online else held.quote.redemption.centi,
            biz_day=desk.business_day(basket.opened_at),
            completed=request.complete,
            fiscal=request.fiscal,
            coupons_made=coupons.made(desk, held.quote.issued),
            gift_lines=gift_sales.gift_lines(desk, request, basket, held.quote, now),
        ),
    )
    stored = sales.add(desk.db, ledger.append(desk.db, draft, now))
    merging.carry_over(desk, (entry for entry in entries if entry.kind == "accrue"), basket.cashier)
    return stored


def complete(desk: Desk, sale_id: str, request: CompleteRequest, keep: Keep[SaleAnswer]) -> SaleAnswer:
    """Settle. The sale happened: contradictions become cases for head office, the answer is never a refusal."""
    now = desk.now()
    tenders.check_amounts(request.tenders)
    with write(desk.db):  # the state is read inside: the nightly job may release the sale meanwhile
        stored = answers.stored_sale(desk, sale_id)
        paid = gift_sales.paid_by(desk, stored, tenders.told(request.tenders)) or stored.tenders
        quote = as_paid(stored.quote, paid) if stored.state in ("authorised", "cancelled") else stored.quote
        entries: tuple[Entry, ...] = ()
        problem, unpaid = _contradiction(desk, stored, request), _unpaid(stored, request)
        if stored.state == "authorised":
            entries = with_owed(desk, settle(quote, _ref(desk, sale_id), now))
        elif stored.state == "cancelled":
            late = with_owed(desk, settle(quote, _ref(desk, sale_id), now))
            entries = tuple(_from_suspense(entry, _ref(desk, sale_id)) for entry in late)
        if stored.state in ("authorised", "cancelled"):
            gifts = gift_sales.settle_entries(desk, stored, paid)
            unpaid = unpaid or gift_sales.strange_in(gifts)
            entries, problem = entries + gifts, problem or unpaid
        end = SaleEnd(
            sale_id=sale_id,
            tenders=paid,
            fiscal=request.fiscal,
            reason=problem or "",
            accrued_centi=Points(sum(accrual.centi for accrual in quote.accruals)),
        )
        _end(desk, stored, "sale.completed", end, entries)
        if problem is not None:
            ledger.open_case(desk.db, reason="sale.completed", detail=f"{sale_id}: {problem}")
        if stored.state in ("authorised", "cancelled"):
            gift_sales.activate(desk, stored, now, unpaid or "")
            tier_facts_after(desk.db, desk, quote.member_id, now)
            ended = answers.stored_sale(desk, sale_id)
            slips.queue(desk, ended)
            drawer.queue(desk, ended)
        return keep(answers.of_sale(desk, sale_id))


def cancel(desk: Desk, sale_id: str, request: CancelRequest, keep: Keep[SaleAnswer]) -> SaleAnswer:
    """Give back what an authorised sale reserved. Cancelling twice changes nothing."""
    with write(desk.db):
        stored = answers.stored_sale(desk, sale_id)
        if stored.state in ("completed", "reversed"):
            raise ConflictError(f"Sale {sale_id} is {stored.state}; it cannot be cancelled. Void it instead.")
        if stored.state == "authorised":
            let_go(desk, stored, request.reason)
        return keep(answers.of_sale(desk, sale_id))


def let_go(desk: Desk, stored: StoredSale, reason: str) -> None:
    """Cancel an authorised sale, inside a transaction in which it was read."""
    released = with_given_back(reach(desk), release(stored.quote, _ref(desk, stored.sale_id)))
    grace, member_id = desk.grace(released), stored.quote.member_id
    lots = () if grace is None or member_id is None else held_all_lots_of(desk, member_id)
    entries = with_owed(desk, graced(released, lots, grace))
    entries += gift_sales.release_entries(desk, stored)
    _end(desk, stored, "sale.cancelled", SaleEnd(sale_id=stored.sale_id, reason=reason), entries)


def void(desk: Desk, sale_id: str, request: VoidRequest, keep: Keep[SaleAnswer]) -> SaleAnswer:
    """Reverse a completed sale as a whole. Voiding twice changes nothing. Raises ConflictError, NotAllowedError."""
    now, approved_by = desk.trusted().at, returns.approver_of(desk, request.approval)
    stored = answers.stored_sale(desk, sale_id)
    if stored.state == "completed" and returned_sale.has_returns(desk, stored.till, sale_id):
        raise ConflictError(f"Goods of sale {sale_id} came back already: take back what is left as a return instead.")
    with write(desk.db):
        stored = answers.stored_sale(desk, sale_id)
        if stored.state in ("authorised", "cancelled"):
            raise ConflictError(f"Sale {sale_id} is {stored.state}, not completed; cancel it instead.")
        if stored.state == "completed":
            _check_void(desk, stored, request.cashier, approved_by)
            gift_sales.check_undone(desk, stored)
            due_minor = stored.quote.due_minor
            refund_minor = Minor(due_minor - missing_minor(stored.tenders, due_minor))
            entries = _reversal(desk, stored, now) + gift_sales.refund_entries(desk, stored, refund_minor).entries
            end = SaleEnd(
                sale_id=sale_id,
                cashier=request.cashier,
                reason=request.reason,
                refund_minor=refund_minor,
                approved_by=approved_by,
            )
            _end(desk, stored, "sale.reversed", end, entries)
            gift_sales.undo(desk, stored, desk.now())
            tier_facts_after(desk.db, desk, stored.quote.member_id, desk.now())
            slips.queue(desk, answers.stored_sale(desk, sale_id))
        return keep(answers.of_sale(desk, sale_id))


def _check_void(desk: Desk, stored: StoredSale, cashier: str, approved_by: str) -> None:
    """A void mends a slip: on the day of the sale a cashier may, later a senior answers for it, and after the days for returns
    goods come back. Raises ConflictError, NotAllowedError.
    """
    sold_at = stored.ended_at or stored.authorised_at
    late = returns.why_late(desk, stored.biz_day, sold_at)
    if late:
        raise ConflictError(f"{late}: it cannot be voided. Take its goods back as a return, which a senior approves.")
    days = returns.days_since(desk, stored.biz_day, sold_at)
    if days and not staff.is_second(approved_by, cashier):
        when = "an earlier day" if days > 0 else "a day that is yet to come"  # the clock was ahead: nobody knows when it was
        who = "a second person must approve its void (approval), a senior and not the cashier alone"
        raise EarlierDayError(f"The sale is of {when}: {who}.")


def _reversal(desk: Desk, stored: StoredSale, now: datetime) -> tuple[Entry, ...]:
    """What undoes the entries of a sale, for its member and for others who got points by it."""
    sold = [entry for entry in ledger.sale_entries(desk.db, stored.till, stored.sale_id) if entry.unit == POINT]
    done = [*sold, *claims.entries_of(desk.db, stored.till, stored.sale_id)]
    lots = {member: held_all_lots_of(desk, member) for member in {entry.member_id for entry in done} if member is not None}
    holder = claiming.holder_of(desk, stored) or ""
    own = lots.pop(holder, ())
    ref = _ref(desk, stored.sale_id)
    brought = [entry for entry in done if entry.kind == "accrue" and entry.rule != GRACE]
    used = [entry for entry in done if entry.kind != "accrue"]
    given = with_given_back(reach(desk), reverse_entries(used, own, ref, now))
    lots = {member: lots_after(each, given) for member, each in lots.items()}
    taken = reverse_entries(brought, lots_after(own, given), ref, now, others=lots)
    entries = with_lapsed(reach(desk), given + taken, brought)
    return with_owed(desk, graced(entries, own, desk.grace(entries)))


def _same_sale(desk: Desk, stored: StoredSale, content_hash: bytes) -> SaleAnswer:
    attempt = sales.attempt(desk.db, stored.sale_id)
    if attempt is None or attempt.content_hash != content_hash:
        raise ConflictError(
            f"Sale id {stored.sale_id} stands for another sale ({stored.state}); take a new sale id for a new sale."
        )
    return answers.sale_answer(desk, stored)


def _fresh(desk: Desk, request: SaleRequest, now: datetime) -> Held:
    """The held quote, if everything in it still stands; else a stale-quote error that carries a new one."""
    held = desk.quotes.get(request.quote_id)
    if held is None:
        raise QuoteStaleError(
            f"Quote {request.quote_id} is not held here (the till may have been restarted); send the basket again."
        )
    sold_as = desk.quotes.sold_as(request.quote_id)
    if sold_as not in (None, request.sale_id) and sales.by_id(desk.db, desk.config.till.id, str(sold_as)) is not None:
        raise ConflictError(f"This quote became sale {sold_as} already; ask for a new quote to sell the same goods again.")
    programme = desk.shelf.current(desk.db)
    reason = None
    if held.expires_at <= desk.trusted().at:
        reason = "The quote has run out"
    elif held.quote.programme != programme.name:
        reason = "The programme has changed since the quote"
    elif held.quote.due_minor != request.due_minor:
        reason = "The due is not the one that was quoted"
    if reason is not None:
        raise _stale(desk, held, reason, now)
    if held.quote.line_refusals:
        raise ConflictError(_unsellable(held, programme))
    if desk.shelf.wants(desk.db).tenders and not tenders.as_planned(held.request.basket, request.tenders):
        basket = replace(held.request.basket, tenders=request.tenders)
        planned = replace(held, request=replace(held.request, basket=basket))
        raise _stale(desk, planned, f"The price hangs on how it is paid: {tenders.named(request.tenders)}", now)
    return held


def _unsellable(held: Held, programme: Programme) -> str:
    """The first line that the law or the maker's price forbids to sell so, by its name."""
    refused = held.quote.line_refusals[0]
    names = {line.line_id: line.name or line.sku for line in held.request.basket.lines}
    text = line_refusal_text(refused, programme, "en", names)
    return f"{text}. Take it off the basket or put its price right; nothing was sold."


def _check_points(desk: Desk, held: Held, now: datetime) -> None:
    """The points must still be there and still be ours to redeem. Called inside the transaction."""
    quote = held.quote
    if not quote.redemption.centi or quote.member_id is None:
        return
    member = members.by_id(desk.db, quote.member_id)
    if member is None or member.owed_centi > held.owed_centi:
        raise _stale(desk, held, "The member may not redeem as quoted any more", now)
    remaining = {lot.lot_id: lot for lot in cut(desk, member.lots)}
    trusted = desk.trusted()
    rights = rights_of(desk.db, desk.config, quote.member_id, desk.allowance_since(trusted), now, trusted)
    for use in quote.redemption.lots:
        lot = remaining.get(use.lot_id)
        if lot is None or lot.centi < use.centi or not is_usable(lot, trusted.at):
            raise _stale(desk, held, "The member's points have changed since the quote", now)
    if rights.online != held.online or (rights.cap_centi is not None and quote.redemption.centi > rights.cap_centi):
        raise _stale(desk, held, "What may be redeemed without head office has changed since the quote", now)


def _stale(desk: Desk, held: Held, reason: str, now: datetime) -> ConflictError:
    """The refusal with a new quote; without one when the member may not be used any more."""
    try:
        quote = ask(desk, held.request, now)
    except NotFoundError as error:
        return ConflictError(f"{reason}: {error}")
    return QuoteStaleError(f"{reason}. Show the new quote and ask again.", encode(quote))


def _attempt(desk: Desk, sale_id: str, content_hash: bytes, now: datetime) -> UUID:
    """Store the id before the first try, in a commit of its own; a try that never stood lends its id to the next one."""
    attempt = sales.attempt(desk.db, sale_id)
    if attempt is not None and attempt.content_hash == content_hash:
        return attempt.txn
    txn_id = attempt.txn if attempt is not None else desk.new_id()
    with write(desk.db):
        sales.put_attempt(desk.db, sale_id=sale_id, txn=txn_id, content_hash=content_hash, now=now)
    return txn_id


def _ref(desk: Desk, sale_id: str) -> str:
    return f"{desk.config.till.id}/{sale_id}"


def _end(desk: Desk, stored: StoredSale, kind: FactKind, end: SaleEnd, entries: tuple[Entry, ...]) -> None:
    draft = Draft(
        id=desk.new_id(),
        kind=kind,
        store=desk.config.store.id,
        entries=entries,
        programme=stored.quote.programme,
        cashier=end.cashier or stored.cashier,
        member=stored.quote.member_id,
        reverses=stored.txn if kind == "sale.reversed" else None,
        body=end,
    )
    sales.end(desk.db, ledger.append(desk.db, draft, desk.now()))
    merging.carry_over(desk, entries, end.cashier)


def _contradiction(desk: Desk, stored: StoredSale, request: CompleteRequest) -> str | None:
    if stored.state in ("completed", "reversed", "cancelled"):
        return f"completed again while {stored.state}"
    return _unpaid(stored, request) or _paid_otherwise(desk, stored, request.tenders)


def _unpaid(stored: StoredSale, request: CompleteRequest) -> str | None:
    """Why money of the due did not come."""
    if any(tender.kind == tenders.EXCHANGE for tender in request.tenders):
        return "paid by an exchange, and no goods came back for it"
    return _shortfall(stored, request.tenders or stored.tenders)


def _paid_otherwise(desk: Desk, stored: StoredSale, paid: tuple[Tender, ...]) -> str | None:
    """The price was made for other kinds of payment than those that came."""
    if not desk.shelf.wants(desk.db).tenders or tenders.as_planned(stored.basket, paid):
        return None
    return f"paid by {tenders.named(paid)}, priced for {tenders.named(stored.basket.tenders)}"


def _shortfall(stored: StoredSale, paid: tuple[Tender, ...]) -> str | None:
    missing = missing_minor(paid, stored.quote.due_minor)
    if not missing:
        return None
    return f"tenders of {stored.quote.due_minor - missing} do not cover the due of {stored.quote.due_minor}"


def _check_sale_id(sale_id: str) -> None:
    """Callers in this process are not checked by a decoder."""
    if re.fullmatch(SALE_ID_PATTERN, sale_id, re.ASCII) is None:
        raise InputError("$.sale_id", "has signs that may not stand in a link; use Latin letters, digits and . _ ~ : - only")


def _from_suspense(entry: Entry, ref: str) -> Entry:
    """Points of a cancelled sale went back to the member; a late payment takes them from suspense, for a person to settle."""
    from msgspec.structs import replace

    return replace(entry, debit="suspense", lot_id=None) if entry.debit == f"held:{ref}" else entry
