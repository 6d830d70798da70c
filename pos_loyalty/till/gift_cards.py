"""Gift cards at the till: look one up, give one, freeze it, pay it back, let it run out. Codes come in and are hashed at once."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from drivers.symbology import is_payment_card
from pos_loyalty.engine.gift_cards import expires_at, is_face
from pos_loyalty.engine.gift_ledger import EXPIRED, FROM, PAID_BACK, load, unload
from pos_loyalty.engine.model import Entry
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store import follow, gift_cards, gift_codes, gift_tries
from pos_loyalty.store.db import write
from pos_loyalty.store.gift_card_facts import GiftCardAct, GiftCardFact, GiftCardMade
from pos_loyalty.store.gift_cards import StoredGiftCard
from pos_loyalty.store.gift_codes import Code, label_of
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till import gift_rights, gift_slips, staff
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.expiry import NOT_SURE
from pos_loyalty.till.gift_card_model import (
    FreezeRequest,
    GiftCardAnswer,
    GiftCardRequest,
    GiftCardState,
    IssueRequest,
    PayBackRequest,
)
from pos_loyalty.till.nightly_model import JobDone
from pos_loyalty.values import Minor

UNKNOWN = "unknown"
"""Stands for what is no code of ours: it is looked up in vain, like a code that nobody has."""
EXPIRED_MAX = 500


def masked(desk: Desk, presented: str) -> str:
    """What is kept, hashed and logged of a presented gift card: the hash of its code, or its id; of a payment card nothing."""
    pepper = desk.secrets.pepper
    mark = gift_codes.mark_of(presented, pepper)
    if mark is None and not is_payment_card(presented.replace(" ", "")):
        mark = gift_codes.foreign_mark(presented, pepper)
    return mark or UNKNOWN


def find(desk: Desk, mark: str, now: datetime) -> StoredGiftCard:
    """The card of a mark. Raises NotFoundError, ConflictError when too many were tried in vain. Outside of a transaction."""
    until = gift_tries.locked_until(desk.db, gift_tries.ANY_CODE, now)
    if until is not None:
        raise ConflictError(f"Too many unknown gift cards were tried at this till; try again after {_clock(desk, until)}.")
    card = gift_cards.by_mark(desk.db, mark)
    if card is not None:
        return gift_rights.cut(desk, card)
    if gift_rights.ask(desk, mark):
        raise NotFoundError("This gift card is not known here yet; head office is being asked: scan it again in a moment.")
    _count_unknown(desk, mark, now)
    if gift_rights.is_lending(desk.config):
        raise NotFoundError(
            "Head office has no money of this gift card for this till now, or does not answer: take other money, or try it later."
        )
    if desk.config.head_office.url is not None:
        raise NotFoundError(
            "This gift card was not sold at this till: here it cannot be used. Ask at the till that sold it, or take other money."
        )
    raise NotFoundError("This gift card is not known; scan it again.")


def _count_unknown(desk: Desk, mark: str, now: datetime) -> None:
    """The same card again is no new guess: a cashier shows it until the line is back."""
    if mark in desk.unknown_gifts and mark != UNKNOWN:
        return
    with write(desk.db):
        gift_tries.count(desk.db, gift_tries.ANY_CODE, gift_tries.CODE_LIMIT, now)
    if len(desk.unknown_gifts) >= gift_tries.CODE_LIMIT.tries:
        desk.unknown_gifts.clear()
    desk.unknown_gifts.add(mark)


def check_pin(desk: Desk, card: StoredGiftCard, pin: str | None, now: datetime) -> None:
    """Raises InputError, ConflictError. A wrong PIN is counted in a transaction of its own, so that no refusal forgets it."""
    if card.pin_hash is None:
        return
    if pin is None:
        raise InputError("$.pin", f"gift card {label_of(card.card_id)} has a PIN; ask its holder to type it")
    until = gift_tries.locked_until(desk.db, card.card_id, now)
    if until is not None:
        raise ConflictError(
            f"Gift card {label_of(card.card_id)} is locked after wrong PINs; try again after {_clock(desk, until)}."
        )
    if gift_codes.pin_hash(card.card_id, pin, desk.secrets.pepper) != card.pin_hash:
        with write(desk.db):
            gift_tries.count(desk.db, card.card_id, gift_tries.PIN_LIMIT, now)
        raise ConflictError(f"The PIN of gift card {label_of(card.card_id)} is wrong.")
    if gift_tries.any_of(desk.db, card.card_id):
        with write(desk.db):
            gift_tries.forget(desk.db, card.card_id)


def lookup(desk: Desk, request: GiftCardRequest) -> GiftCardAnswer:
    """What a presented card holds. Raises InputError, NotFoundError, ConflictError."""
    now = desk.trusted().at
    card = find(desk, masked(desk, request.card), now)
    check_pin(desk, card, request.pin, now)
    answer = answer_of(desk, card, now)
    if card.balance_minor or not gift_rights.ask(desk, card.card_id):
        return answer
    return replace(answer, asking=True, state="active" if answer.state == "spent" else answer.state)


def issue(desk: Desk, request: IssueRequest, keep: Keep[GiftCardAnswer]) -> GiftCardAnswer:
    """Give a gratis card. Raises NotAllowedError, NotFoundError, InputError."""
    by = staff.check(desk, request.by, senior=True)
    now = desk.now()
    programme = desk.shelf.current(desk.db)
    series = programme.gift_series.get(request.series)
    if series is None:
        raise NotFoundError(f'The programme has no gift cards "{request.series}"; look at its [[gift_card]] tables.')
    if series.kind != "gratis":
        raise InputError("$.series", f'gift cards "{series.id}" are sold, not given; sell one as a line of its sku')
    if not is_face(request.amount_minor, series):
        raise InputError("$.amount_minor", f'there are no gift cards "{series.id}" of this amount')
    end = expires_at(series, now, programme.zone)
    with write(desk.db):
        receipt_no = desk.receipt_no()
        card, code = make(desk, kind="gratis", series=series.id, code=series.code, end=end)
        fact = GiftCardFact(
            card_id=card[0], act="issued", amount_minor=request.amount_minor, made=card[1], by=by, reason=request.reason
        )
        entry = load(card[0], "gifts:gratis", request.amount_minor, desk.config.store.currency)
        _book(desk, fact, (entry,), now, receipt_no=receipt_no)
        made = answer_of(desk, _known(desk, card[0]), now)
        gift_slips.queue(desk, receipt_no, None, ((made, code),))
        return keep(made)


def make(desk: Desk, *, kind: str, series: str, code: str, end: datetime | None) -> tuple[tuple[str, GiftCardMade], Code]:
    """A new card's id and body, with its code, which is held in memory for the answer."""
    card_id = desk.new_id().hex
    drawn = gift_codes.new_code(code)
    pepper = desk.secrets.pepper
    made = GiftCardMade(
        series=series,
        kind="gratis" if kind == "gratis" else "bought",
        currency=desk.config.store.currency,
        code_hash=gift_codes.mark_of(drawn.text, pepper) or "",
        pin_hash=None if drawn.pin is None else gift_codes.pin_hash(card_id, drawn.pin, pepper).hex(),
        expires_at=end,
    )
    desk.gift_codes.put(card_id, drawn)
    return (card_id, made), drawn


def freeze(desk: Desk, request: FreezeRequest, keep: Keep[GiftCardAnswer]) -> GiftCardAnswer:
    """Stop a card; nothing pays with it. Freezing twice changes nothing."""
    return _turn(desk, request, keep, act="frozen", wanted="active")


def unfreeze(desk: Desk, request: FreezeRequest, keep: Keep[GiftCardAnswer]) -> GiftCardAnswer:
    """Let a frozen card pay again."""
    return _turn(desk, request, keep, act="unfrozen", wanted="frozen")


def _turn(desk: Desk, request: FreezeRequest, keep: Keep[GiftCardAnswer], *, act: GiftCardAct, wanted: str) -> GiftCardAnswer:
    by = staff.check(desk, request.by, senior=act == "unfrozen")
    now = desk.now()
    found = find(desk, request.card, desk.trusted().at)
    gift_rights.refuse_sold_elsewhere(desk, found)
    with write(desk.db):
        card = _known(desk, found.card_id)
        if card.state == "void":
            raise ConflictError(f"Gift card {label_of(card.card_id)} is void: its sale was undone.")
        if card.state == wanted:
            _book(
                desk,
                GiftCardFact(card_id=card.card_id, act=act, amount_minor=Minor(0), by=by, reason=request.reason),
                (),
                now,
            )
        return keep(answer_of(desk, _known(desk, card.card_id), now))


def pay_back(desk: Desk, request: PayBackRequest, pin: str | None, keep: Keep[GiftCardAnswer]) -> GiftCardAnswer:
    """Take all that is unspent off a bought card, to be paid out. Raises NotAllowedError; ConflictError when nothing may be."""
    by = staff.check(desk, request.by, senior=True)
    now = desk.now()
    found = find(desk, request.card, desk.trusted().at)
    check_pin(desk, found, pin, desk.trusted().at)
    gift_rights.refuse_sold_elsewhere(desk, found)
    if not desk.shelf.current(desk.db).gift_cards.pay_back:
        raise ConflictError("The programme does not pay gift cards back (gift_cards.pay_back).")
    with write(desk.db):
        card = _known(desk, found.card_id)
        label = label_of(card.card_id)
        if card.kind == "gratis":
            raise ConflictError(f"Gift card {label} was given, not bought: there is no money to pay back.")
        if card.state != "active":
            raise ConflictError(f"Gift card {label} is {card.state}; nothing can be paid back.")
        if not card.balance_minor:
            raise ConflictError(f"Gift card {label} holds nothing that could be paid back.")
        body = GiftCardFact(card_id=card.card_id, act="paid_back", amount_minor=card.balance_minor, by=by, reason=request.reason)
        _book(desk, body, (unload(card.card_id, "adjust", PAID_BACK, card.balance_minor, card.currency),), now)
        after = answer_of(desk, _known(desk, card.card_id), now)
        return keep(replace(after, paid_minor=card.balance_minor))


def expire_due(desk: Desk) -> JobDone:
    """Book the money of this till's cards that have run out, a nightly job. Again changes nothing."""
    trusted = desk.trusted()
    if not trusted.is_sure:
        return JobDone(count=0, waits=NOT_SURE)
    ended = 0
    while True:
        now = desk.now()
        before = ended
        with write(desk.db):
            cards = gift_cards.due(desk.db, trusted.at, EXPIRED_MAX)
            for card in [held for card in cards if (held := gift_rights.cut(desk, card)).balance_minor > 0]:
                body = GiftCardFact(card_id=card.card_id, act="expired", amount_minor=card.balance_minor)
                _book(desk, body, (unload(card.card_id, "expire", EXPIRED, card.balance_minor, card.currency),), now)
                ended += 1
        if len(cards) < EXPIRED_MAX or ended == before:
            return JobDone(count=ended)


def refuse_unusable(card: StoredGiftCard, now: datetime) -> None:
    """Raises ConflictError with the reason when a card may neither pay nor be topped up."""
    state = state_of(card, now)
    if state in ("frozen", "void", "expired"):
        words = {"frozen": "is frozen", "void": "is void: its sale was undone", "expired": "has run out"}
        raise ConflictError(f"Gift card {label_of(card.card_id)} {words[state]}; take other money. Nothing was sold.")


def state_of(card: StoredGiftCard, now: datetime) -> GiftCardState:
    """The state as people see it: a card without money is spent, one past its last day has expired."""
    if card.state != "active":
        return card.state
    if card.expires_at is not None and card.expires_at <= now:
        return "expired"
    return "active" if card.balance_minor > 0 else "spent"


def answer_of(desk: Desk, card: StoredGiftCard, now: datetime) -> GiftCardAnswer:
    """A card as the cashier sees it, without its code."""
    try:
        series = desk.shelf.current(desk.db).gift_series.get(card.series)
    except NotFoundError:
        series = None
    return GiftCardAnswer(
        card_id=card.card_id,
        label=label_of(card.card_id),
        series=card.series,
        title={} if series is None else {str(language): words for language, words in series.title.items()},
        kind=card.kind,
        state=state_of(card, now),
        currency=card.currency,
        face_minor=card.face_minor,
        balance_minor=card.balance_minor,
        expires_at=card.expires_at,
        line_id=card.line_id,
    )


def known(desk: Desk, card_id: str) -> StoredGiftCard | None:
    """The card with this id, as it stands in the open transaction."""
    card = gift_cards.by_id(desk.db, card_id)
    return None if card is None else gift_rights.cut(desk, card)


def book(desk: Desk, body: GiftCardFact, entry: Entry, now: datetime, cashier: str) -> None:
    """Append a fact about a card of a sale, inside its transaction."""
    _book(desk, body, (entry,), now, cashier=cashier)


def note(desk: Desk, body: GiftCardFact, now: datetime, cashier: str) -> None:
    """Append a fact about a card of a sale that moves no money, inside its transaction."""
    _book(desk, body, (), now, cashier=cashier)


def source_of(card_kind: str) -> str:
    """The account that a card's money came from."""
    return FROM[card_kind]


def _known(desk: Desk, card_id: str) -> StoredGiftCard:
    card = known(desk, card_id)
    assert card is not None
    return card


def _book(
    desk: Desk,
    body: GiftCardFact,
    entries: tuple[Entry, ...],
    now: datetime,
    *,
    receipt_no: str | None = None,
    cashier: str | None = None,
) -> None:
    draft = Draft(
        id=desk.new_id(),
        kind="gift_card.changed",
        store=desk.config.store.id,
        entries=entries,
        receipt_no=receipt_no,
        cashier=cashier or body.by or None,
        body=body,
    )
    follow.book(desk.db, draft, now)


def _clock(desk: Desk, at: datetime) -> str:
    return at.astimezone(desk.zone).strftime("%H:%M")
