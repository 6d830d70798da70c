"""Entries of gift cards, in the currency's unit: what a sale reserves on them, settles, releases and gives back.

Accounts: ``gift:{id}``, ``gifts:sold``, ``gifts:gratis``, ``gifts:held:{sale_ref}``, ``gifts:redeemed``, ``gifts:paid_back``,
``gifts:expired``. ``lot_id`` of every entry is the card's account: head office may put suspense into its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pos_loyalty.engine.ledger import SUSPENSE
from pos_loyalty.engine.model import Entry, EntryKind, Tender
from pos_loyalty.values import Minor, Value

GIFT = "gift"
"""The kind of a tender that a gift card pays."""
PREFIX = "gift:"
SOLD, GRATIS, REDEEMED = "gifts:sold", "gifts:gratis", "gifts:redeemed"
PAID_BACK, EXPIRED = "gifts:paid_back", "gifts:expired"
FROM: Mapping[str, str] = {"bought": SOLD, "gratis": GRATIS}
"""Where the money of a new card comes from, by its kind."""


class GiftRefund(Value):
    """What of a refund goes back onto gift cards, and what is left to be paid out otherwise."""

    entries: tuple[Entry, ...]
    tenders: tuple[Tender, ...]
    rest_minor: Minor


def gift_account(card_id: str) -> str:
    """Where a card's money stands."""
    return f"{PREFIX}{card_id}"


def held_account(sale_ref: str) -> str:
    """Where a card's money stands between authorise and complete. sale_ref is ``{till}/{sale_id}``."""
    return f"gifts:held:{sale_ref}"


def move(kind: EntryKind, *, debit: str, credit: str, amount_minor: int, unit: str) -> Entry:
    """One entry of a card, which is one of the two sides."""
    account = debit if debit.startswith(PREFIX) else credit
    return Entry(kind=kind, debit=debit, credit=credit, amount=amount_minor, unit=unit, lot_id=account)


def load(card_id: str, source: Literal["gifts:sold", "gifts:gratis"], amount_minor: int, unit: str) -> Entry:
    """Money comes onto a card: sold, topped up or given."""
    return move("accrue", debit=source, credit=gift_account(card_id), amount_minor=amount_minor, unit=unit)


def unload(card_id: str, kind: EntryKind, to: str, amount_minor: int, unit: str) -> Entry:
    """Money leaves a card without buying anything."""
    return move(kind, debit=gift_account(card_id), credit=to, amount_minor=amount_minor, unit=unit)


def reserve(tenders: Iterable[Tender], sale_ref: str, unit: str) -> tuple[Entry, ...]:
    """Set the money of gift tenders aside; each names its card by id."""
    held = held_account(sale_ref)
    return tuple(
        move("redeem", debit=gift_account(tender.card or ""), credit=held, amount_minor=tender.amount_minor, unit=unit)
        for tender in tenders
        if tender.kind == GIFT and tender.amount_minor
    )


def settle(entries: Iterable[Entry], tenders: Iterable[Tender], sale_ref: str, unit: str) -> tuple[Entry, ...]:
    """What was set aside pays, as far as the tenders at completion say so; the rest goes back to its cards.

    ``entries`` are all of the sale's. What the tenders name beyond that was paid by nobody's card: it comes from suspense.
    """
    held = held_account(sale_ref)
    left = _left_in(entries, held)
    made: list[Entry] = []
    for tender in tenders:
        if tender.kind != GIFT or not tender.amount_minor:
            continue
        account = gift_account(tender.card or "")
        paid = min(tender.amount_minor, left.get(account, 0))
        if paid:
            left[account] -= paid
            made.append(_of(account, "redeem", held, REDEEMED, paid, unit))
        if tender.amount_minor > paid:
            made.append(_of(account, "redeem", SUSPENSE, REDEEMED, tender.amount_minor - paid, unit))
    return tuple(made) + _given_back(left, held, unit)


def release(entries: Iterable[Entry], sale_ref: str, unit: str) -> tuple[Entry, ...]:
    """The sale did not come about: what is still set aside goes back to its cards."""
    held = held_account(sale_ref)
    return _given_back(_left_in(entries, held), held, unit)


def refund(entries: Iterable[Entry], refund_minor: int, unit: str) -> GiftRefund:
    """Give a refund back: onto the cards first that paid, each up to what it paid and did not get back yet.

    ``entries`` are all of the sale's, its returns included. What suspense paid for a card goes back to suspense.
    """
    rest = refund_minor
    made: list[Entry] = []
    tenders: list[Tender] = []
    for (account, source), paid in _paid(entries, unit).items():
        part = min(paid, rest)
        if part <= 0:
            continue
        rest -= part
        made.append(_of(account, "reverse", REDEEMED, account if source != SUSPENSE else SUSPENSE, part, unit))
        tenders.append(
            Tender(kind=GIFT, amount_minor=Minor(part), card=account.removeprefix(PREFIX) or None, fiscal="advance_tender")
        )
    return GiftRefund(entries=tuple(made), tenders=tuple(tenders), rest_minor=Minor(rest))


def _paid(entries: Iterable[Entry], unit: str) -> dict[tuple[str, str], int]:
    """What paid for the sale and did not get back yet: card and suspense apart, in the order in which they paid."""
    paid: dict[tuple[str, str], int] = {}
    for entry in entries:
        if entry.unit != unit or entry.lot_id is None:
            continue
        if entry.credit == REDEEMED:
            key = entry.lot_id, SUSPENSE if entry.debit == SUSPENSE else entry.lot_id
            paid[key] = paid.get(key, 0) + entry.amount
        elif entry.debit == REDEEMED:
            key = entry.lot_id, entry.credit
            paid[key] = paid.get(key, 0) - entry.amount
    return paid


def _left_in(entries: Iterable[Entry], held: str) -> dict[str, int]:
    """What stands in an account, by the card that it came from."""
    left: dict[str, int] = {}
    for entry in entries:
        if held in (entry.debit, entry.credit):
            account = entry.lot_id or ""
            left[account] = left.get(account, 0) + (entry.amount if entry.credit == held else -entry.amount)
    return left


def _given_back(left: Mapping[str, int], held: str, unit: str) -> tuple[Entry, ...]:
    return tuple(_of(account, "reverse", held, account, minor, unit) for account, minor in left.items() if minor > 0)


def _of(account: str, kind: EntryKind, debit: str, credit: str, amount_minor: int, unit: str) -> Entry:
    return Entry(kind=kind, debit=debit, credit=credit, amount=amount_minor, unit=unit, lot_id=account)
