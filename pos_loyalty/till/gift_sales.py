"""Gift cards in a sale: lines that sell them or top one up, and tenders that they pay. Called from the sale's own steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from pos_loyalty.engine.gift_cards import expires_at
from pos_loyalty.engine.gift_ledger import GIFT, SOLD, GiftRefund, load, refund, release, reserve, settle, unload
from pos_loyalty.engine.ledger import SUSPENSE
from pos_loyalty.engine.model import Basket, Entry, FiscalPosition, Line, Quote, Tender
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import ledger
from pos_loyalty.store.gift_card_facts import GiftCardFact, GiftLine
from pos_loyalty.store.gift_cards import by_id, by_mark, turned_at
from pos_loyalty.store.gift_codes import Code, label_of
from pos_loyalty.store.sales import StoredSale
from pos_loyalty.till import gift_slips
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.gift_card_model import GiftCardAnswer
from pos_loyalty.till.gift_cards import answer_of, book, check_pin, find, known, make, masked, note, refuse_unusable
from pos_loyalty.till.gift_rights import ask, refuse_sold_elsewhere
from pos_loyalty.till.model import CompleteRequest, SaleRequest
from pos_loyalty.till.tenders import EXCHANGE
from pos_loyalty.values import MILLI_PER_UNIT, Minor, Value

CARDS_MAX = 50
"""New gift cards of one sale: each is a fact, and a slip."""


class Pins(Value):
    """PINs of a request's tenders, in their order: they are looked at and never kept."""

    of_tenders: tuple[str | None, ...] = ()


def without_secrets(desk: Desk, tenders: Sequence[Tender]) -> tuple[Tender, ...]:
    """The tenders with hashes for codes and without PINs: only these are hashed, kept and logged."""
    return tuple(_plain(desk, tender) for tender in tenders)


def _plain(desk: Desk, tender: Tender) -> Tender:
    if tender.kind != GIFT:
        return Tender(kind=tender.kind, amount_minor=tender.amount_minor)
    card = None if tender.card is None else masked(desk, tender.card)
    return Tender(kind=GIFT, amount_minor=tender.amount_minor, card=card, fiscal="advance_tender")


def pins_of(tenders: Sequence[Tender]) -> Pins:
    """The PINs, apart."""
    return Pins(of_tenders=tuple(tender.pin for tender in tenders))


def sale_request(desk: Desk, request: SaleRequest) -> SaleRequest:
    """A request that may be kept."""
    top_ups = {line_id: masked(desk, card) for line_id, card in request.top_ups.items()}
    return replace(request, tenders=without_secrets(desk, request.tenders), top_ups=top_ups, confirmation=None)


def complete_request(desk: Desk, request: CompleteRequest) -> CompleteRequest:
    """A request that may be kept."""
    return replace(request, tenders=without_secrets(desk, request.tenders))


def opened(desk: Desk, request: SaleRequest, pins: Pins, now: datetime) -> SaleRequest:
    """The request with the ids of its gift cards. Raises NotFoundError, InputError, ConflictError. Outside of a transaction."""
    tenders = []
    for number, tender in enumerate(request.tenders):
        if tender.kind == GIFT:
            if tender.card is None:
                raise InputError(f"$.tenders[{number}].card", "is missing: scan the gift card that pays")
            card = find(desk, tender.card, now)
            check_pin(desk, card, pins.of_tenders[number] if number < len(pins.of_tenders) else None, now)
            tender = replace(tender, card=card.card_id)
        tenders.append(tender)
    top_ups = {line_id: find(desk, mark, now).card_id for line_id, mark in request.top_ups.items()}
    return replace(request, tenders=tuple(tenders), top_ups=top_ups)


def reserve_entries(desk: Desk, tenders: Sequence[Tender], quote: Quote, ref: str, now: datetime) -> tuple[Entry, ...]:
    """Set the money of gift cards aside, inside the transaction. Raises ConflictError: then nothing was sold."""
    asked: dict[str, int] = {}
    for tender in tenders:
        if tender.kind == GIFT:
            asked[tender.card or ""] = asked.get(tender.card or "", 0) + tender.amount_minor
    if not asked:
        return ()
    for card_id, minor in asked.items():
        card = known(desk, card_id)
        if card is None:
            raise NotFoundError("This gift card is not known; scan it again.")
        refuse_unusable(card, now)
        if card.currency != desk.config.store.currency:
            raise ConflictError(f"Gift card {label_of(card_id)} holds {card.currency}, which this till does not take.")
        if minor > card.balance_minor and ask(desk, card_id):
            raise ConflictError(
                f"This till may take {card.balance_minor} minor units of gift card {label_of(card_id)}, not {minor}; "
                "head office is being asked for the rest: try again in a moment."
            )
        if minor > card.balance_minor:
            raise ConflictError(
                f"Gift card {label_of(card_id)} holds {card.balance_minor} minor units, not {minor}; take the rest otherwise."
            )
    advance = sum(line.net_minor for line in quote.lines if _is_advance(line.fiscal))
    exchanged = sum(tender.amount_minor for tender in tenders if tender.kind == EXCHANGE)
    most = max(0, quote.due_minor - max(advance, exchanged))
    if sum(asked.values()) > most:
        raise ConflictError(
            f"Gift cards pay at most {most} minor units here: no more than the due, and never for another gift card."
        )
    return reserve(tenders, ref, desk.config.store.currency)


def gift_lines(desk: Desk, request: SaleRequest, basket: Basket, quote: Quote, now: datetime) -> tuple[GiftLine, ...]:
    """The lines that sell gift cards or top one up. Raises InputError, ConflictError."""
    programme = desk.shelf.current(desk.db)
    if not programme.gift_series and not request.top_ups:
        return ()
    faces = {line.line_id for line in quote.lines if _is_advance(line.fiscal)}
    for line_id in request.top_ups:
        if line_id not in faces:
            raise InputError("$.top_ups", f'line "{line_id}" sells no gift card, so it cannot top one up')
    made = tuple(_gift_line(desk, line, request.top_ups.get(line.line_id), now) for line in basket.lines if line.line_id in faces)
    count = sum(line.count for line in made if line.card_id is None)
    if count > CARDS_MAX:
        raise ConflictError(f"{count} gift cards are more than the {CARDS_MAX} that one sale may sell; divide it.")
    return made


def settle_entries(desk: Desk, stored: StoredSale, tenders: Sequence[Tender]) -> tuple[Entry, ...]:
    """What the tenders at completion make of the money that was set aside."""
    done = ledger.sale_entries(desk.db, stored.till, stored.sale_id)
    return settle(done, tenders, ref_of(stored), stored.basket.currency)


def release_entries(desk: Desk, stored: StoredSale) -> tuple[Entry, ...]:
    """The sale did not come about: its gift cards have their money again."""
    return release(ledger.sale_entries(desk.db, stored.till, stored.sale_id), ref_of(stored), stored.basket.currency)


def refund_entries(desk: Desk, stored: StoredSale, refund_minor: int) -> GiftRefund:
    """What of a refund goes back onto the gift cards that paid, before any other tender. For returns, and for a void."""
    return refund(ledger.sale_entries(desk.db, stored.till, stored.sale_id), refund_minor, stored.basket.currency)


def paid_by(desk: Desk, stored: StoredSale, tenders: Sequence[Tender]) -> tuple[Tender, ...]:
    """Tenders at completion with ids for their gift cards; one that names no card means the one that was set aside for it."""
    waiting = [tender for tender in stored.tenders if tender.kind == GIFT]
    return tuple(_named(desk, tender, waiting) for tender in tenders)


def _named(desk: Desk, tender: Tender, waiting: list[Tender]) -> Tender:
    if tender.kind != GIFT:
        return tender
    if tender.card is None:
        like = next((each for each in waiting if each.amount_minor == tender.amount_minor), waiting[0] if waiting else None)
        if like is not None:
            waiting.remove(like)
        return replace(tender, card=None if like is None else like.card)
    card = by_mark(desk.db, tender.card)
    return replace(tender, card=None if card is None else card.card_id)


def strange_in(entries: Sequence[Entry]) -> str | None:
    """What a person has to settle: more was paid by gift cards than they had set aside."""
    strange = sum(entry.amount for entry in entries if entry.debit == SUSPENSE and entry.lot_id is not None)
    return f"gift cards paid {strange} more than was set aside on them" if strange else None


def activate(desk: Desk, stored: StoredSale, now: datetime, unpaid: str = "") -> None:
    """The sale is paid: its gift cards are made and topped up, and their slip is queued. Never refused.

    ``unpaid`` says why money of the due is missing: then the cards are frozen, for a senior to look at.
    """
    slips: list[tuple[GiftCardAnswer, Code]] = []
    for line in lines_of(desk, stored):
        if line.card_id is not None:
            _top_up(desk, stored, line, now)
            _freeze_unpaid(desk, stored, line.card_id, unpaid, now)
            continue
        for _ in range(line.count):
            card, code = _sell(desk, stored, line, now)
            slips.append((_freeze_unpaid(desk, stored, card.card_id, unpaid, now) or card, code))
    gift_slips.queue(desk, stored.receipt_no, stored.sale_id, slips)


def _freeze_unpaid(desk: Desk, stored: StoredSale, card_id: str, why: str, now: datetime) -> GiftCardAnswer | None:
    """Freeze a card whose sale was not paid in full; None when it is not to be frozen."""
    card = known(desk, card_id)
    if not why or card is None or card.state != "active":
        return None
    body = GiftCardFact(card_id=card_id, act="frozen", amount_minor=Minor(0), sale_id=stored.sale_id, reason=why)
    note(desk, body, now, stored.cashier)
    frozen = known(desk, card_id)
    return None if frozen is None else answer_of(desk, frozen, now)


def check_undone(desk: Desk, stored: StoredSale, line_ids: frozenset[str] | None = None) -> None:
    """Raises ConflictError when a gift card that the sale sold or topped up is spent in part. None means all lines."""
    loads = _loads(desk, stored, line_ids)
    for body in loads:
        card = known(desk, body.card_id)
        loaded_minor = sum(each.amount_minor for each in loads if each.card_id == body.card_id)
        if card is not None and card.state == "frozen" and not _is_frozen_by(desk, stored, card.card_id):
            raise ConflictError(
                f"Gift card {label_of(card.card_id)} of this sale is frozen; let it go before the sale is undone."
            )
        if card is not None and card.balance_minor < loaded_minor and ask(desk, card.card_id):
            raise ConflictError(
                f"This till does not hold all money of gift card {label_of(card.card_id)} of this sale; "
                "head office is being asked for it: try again in a moment."
            )
        if card is None or card.balance_minor < loaded_minor:
            raise ConflictError(
                f"Gift card {label_of(body.card_id)} of this sale is spent in part: the sale cannot be undone. "
                "Pay back what is left on it instead."
            )
        if body.act == "sold" and _whole_minor(desk, body.card_id) > loaded_minor:
            raise ConflictError(
                f"Gift card {label_of(body.card_id)} of this sale was topped up since: undo the top-up first, "
                "or its money would be lost with the card."
            )


def _whole_minor(desk: Desk, card_id: str) -> int:
    """What a card of this till holds by its ledger, wherever it may be spent: only here is it topped up."""
    card = by_id(desk.db, card_id)
    return 0 if card is None else card.balance_minor


def _is_frozen_by(desk: Desk, stored: StoredSale, card_id: str) -> bool:
    """Whether a card is frozen because this sale was not paid in full, and nobody of the staff has turned it since."""
    facts = ledger.sale_facts(desk.db, stored.till, stored.sale_id)
    frozen = [fact.hlc for fact in facts if fact.gift_card is not None and _is_freeze(fact.gift_card, card_id)]
    return turned_at(desk.db, card_id) in [(hlc, stored.till) for hlc in frozen]


def _is_freeze(body: GiftCardFact, card_id: str) -> bool:
    return (body.card_id, body.act) == (card_id, "frozen")


def undo(desk: Desk, stored: StoredSale, now: datetime, line_ids: frozenset[str] | None = None) -> None:
    """Cancel the gift cards that the sale sold and take its top-ups off; looked at by ``check_undone`` before."""
    for body in _loads(desk, stored, line_ids):
        act = "cancelled" if body.act == "sold" else "taken_back"
        fact = GiftCardFact(
            card_id=body.card_id, act=act, amount_minor=body.amount_minor, sale_id=stored.sale_id, line_id=body.line_id  # type: ignore[arg-type]
        )  # fmt: skip
        book(desk, fact, unload(body.card_id, "reverse", SOLD, body.amount_minor, stored.basket.currency), now, stored.cashier)


def sold_by(desk: Desk, stored: StoredSale, now: datetime) -> tuple[GiftCardAnswer, ...]:
    """The gift cards that a sale made, as they stand now."""
    made = [body.card_id for body in _acts(desk, stored) if body.act == "sold"]
    return tuple(answer_of(desk, card, now) for card_id in made if (card := known(desk, card_id)) is not None)


def balances_of(desk: Desk, stored: StoredSale) -> dict[str, Minor]:
    """What the cards that paid for a sale or were topped up by it hold now, by card id."""
    named = [tender.card for tender in stored.tenders if tender.kind == GIFT and tender.card is not None]
    named += [body.card_id for body in _acts(desk, stored) if body.act == "topped_up"]
    found = {card_id: known(desk, card_id) for card_id in named}
    return {card_id: card.balance_minor for card_id, card in found.items() if card is not None}


def has_gifts(stored: StoredSale) -> bool:
    """Whether gift cards pay for the sale or stand in it: else nothing is looked up."""
    return any(tender.kind == GIFT for tender in stored.tenders) or any(_is_advance(line.fiscal) for line in stored.quote.lines)


def lines_of(desk: Desk, stored: StoredSale) -> tuple[GiftLine, ...]:
    """The lines of a stored sale that sell gift cards or top one up."""
    if not any(_is_advance(line.fiscal) for line in stored.quote.lines):
        return ()
    fact = ledger.by_id(desk.db, stored.txn)
    return () if fact is None or fact.sale is None else fact.sale.gift_lines


def ref_of(stored: StoredSale) -> str:
    """How accounts name a sale."""
    return f"{stored.till}/{stored.sale_id}"


def _gift_line(desk: Desk, line: Line, mark: str | None, now: datetime) -> GiftLine:
    programme = desk.shelf.current(desk.db)
    series = programme.floors.gift_cards[line.sku]
    count = line.quantity_milli // MILLI_PER_UNIT
    if mark is not None:
        card = known(desk, mark)
        assert card is not None
        refuse_unusable(card, now)
        refuse_sold_elsewhere(desk, card)
        if not series.top_up or card.series != series.id or card.kind != "bought":
            raise ConflictError(f"Gift card {label_of(card.card_id)} cannot be topped up by this line; sell a new card.")
        if count != 1:
            raise InputError("$.top_ups", f'line "{line.line_id}" has a quantity of {count}; a top-up has a line of its own')
    return GiftLine(
        line_id=line.line_id,
        series=series.id,
        count=count,
        amount_minor=line.price_minor,
        code=series.code,
        expires_at=expires_at(series, now, programme.zone),
        card_id=mark,
    )


def _sell(desk: Desk, stored: StoredSale, line: GiftLine, now: datetime) -> tuple[GiftCardAnswer, Code]:
    (card_id, made), code = make(desk, kind="bought", series=line.series, code=line.code, end=line.expires_at)
    body = GiftCardFact(
        card_id=card_id, act="sold", amount_minor=line.amount_minor, made=made, sale_id=stored.sale_id, line_id=line.line_id
    )
    book(desk, body, load(card_id, "gifts:sold", line.amount_minor, made.currency), now, stored.cashier)
    card = known(desk, card_id)
    assert card is not None
    return answer_of(desk, card, now), code


def _top_up(desk: Desk, stored: StoredSale, line: GiftLine, now: datetime) -> None:
    """A card that became void meanwhile is topped up all the same, for it was paid: a person settles it."""
    card = known(desk, line.card_id or "")
    assert card is not None
    body = GiftCardFact(
        card_id=card.card_id, act="topped_up", amount_minor=line.amount_minor, sale_id=stored.sale_id, line_id=line.line_id
    )
    book(desk, body, load(card.card_id, "gifts:sold", line.amount_minor, card.currency), now, stored.cashier)
    if card.state == "void":
        ledger.open_case(desk.db, reason="gift_card.void", detail=f"gift card {card.card_id} was topped up, and is void")


def _loads(desk: Desk, stored: StoredSale, line_ids: frozenset[str] | None) -> list[GiftCardFact]:
    """What the sale brought onto cards and was not undone, of these lines."""
    acts = _acts(desk, stored)
    undone = {(body.card_id, body.line_id) for body in acts if body.act in ("cancelled", "taken_back")}
    return [
        body
        for body in acts
        if body.act in ("sold", "topped_up")
        and (body.card_id, body.line_id) not in undone
        and (line_ids is None or body.line_id in line_ids)
    ]


def _acts(desk: Desk, stored: StoredSale) -> list[GiftCardFact]:
    if not any(_is_advance(line.fiscal) for line in stored.quote.lines):
        return []
    facts = ledger.sale_facts(desk.db, stored.till, stored.sale_id)
    return [fact.gift_card for fact in facts if fact.gift_card is not None]


def _is_advance(positions: Sequence[FiscalPosition]) -> bool:
    return any(position.kind == "advance" for position in positions)
