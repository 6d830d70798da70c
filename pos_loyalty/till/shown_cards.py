"""A card that is shown as a QR which proves itself: whose number it is. A rotating code is good once at this till."""

from __future__ import annotations

from msgspec.structs import replace

from drivers.symbology import mask, member_card
from pos_loyalty.errors import InputError, NotAllowedError
from pos_loyalty.store import members, profiles
from pos_loyalty.till import card_qr
from pos_loyalty.till.card_qr import CardQr
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.holder_secret import secret_of
from pos_loyalty.till.model import IdentifyRequest
from pos_loyalty.till.totp import step_of

PLACE = "$.card"
REMEMBERED_MAX = 10_000
"""Members whose last code is remembered; the oldest is forgotten, long after its code has run out."""


def number_of(desk: Desk, code: str) -> str:
    """The card number in a code that was read or typed. Raises InputError when it is not one of our cards."""
    shown = card_qr.parsed(code)
    if shown is None:
        return _of_shop(desk, code)
    number = _of_shop(desk, shown.card)
    if shown.kind == card_qr.ROTATING:
        raise InputError(PLACE, "a rotating QR is good once: identify the member with it, and send the member_id from then on")
    if not card_qr.is_signed(shown, card_qr.key_of(desk.secrets.master_key)):
        raise InputError(
            PLACE, f"the QR of {mask(number)} was not made by this shop: its signature is wrong; ask for the card itself"
        )
    return number


def taken(desk: Desk, request: IdentifyRequest) -> IdentifyRequest:
    """The request by number, once the code of a rotating QR is proven and used up. Raises InputError, NotAllowedError."""
    shown = None if request.card is None else card_qr.parsed(request.card)
    if shown is None or shown.kind != card_qr.ROTATING:
        return request
    number = _of_shop(desk, shown.card)
    member = members.by_card(desk.db, number)
    if member is not None:
        _use(desk, member.member_id, shown)
    return replace(request, card=number)


def fixed_texts(desk: Desk, member_id: str) -> tuple[str, ...]:
    """The fixed QR of each card of a member that is in use."""
    key = card_qr.key_of(desk.secrets.master_key)
    return tuple(card_qr.fixed(card.number, key) for card in profiles.cards_of(desk.db, member_id) if card.state == "active")


def _use(desk: Desk, member_id: str, shown: CardQr) -> None:
    secret = secret_of(desk, member_id)
    if secret is None or not secret.qr_key:
        raise NotAllowedError("This till holds no rotating QR of this member: ask for the card itself.", "")
    used, drift = desk.used_steps.get(member_id), desk.config.card_qr.drift_steps
    step = card_qr.rotating_step(shown, bytes.fromhex(secret.qr_key), step_of(desk.now()), used, drift)
    if step is None:
        raise NotAllowedError("This QR has run out or was shown here before: wait for the next one, and scan that.", "")
    desk.used_steps.pop(member_id, None)
    desk.used_steps[member_id] = step
    if len(desk.used_steps) > REMEMBERED_MAX:
        del desk.used_steps[next(iter(desk.used_steps))]


def _of_shop(desk: Desk, code: str) -> str:
    number = member_card(code, None, desk.config.card)
    if number is None:
        raise InputError(PLACE, f"{mask(code)} is not a member card of this shop")
    return number
