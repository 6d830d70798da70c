"""The demo's cashier: reads a card, asks for a quote, authorises, completes; keeps a row of figures for each visit."""

from __future__ import annotations

import json
from typing import Literal

from demo import shop
from demo.processes import DemoError
from demo.till_http import STALE, Json, Scans, Till
from demo.visits import Visit
from drivers.camera import PictureReader
from pos_loyalty.config import CardConfig
from pos_loyalty.engine.model import Basket
from pos_loyalty.values import Value
from tests.emulators.camera import card_picture
from tests.emulators.scanner import PtyScanner

SEED = 1000
SHOTS_MAX = 4
"""A cashier takes another picture when one cannot be read, but not for ever."""
UNDO: Json = {"cashier": "C7", "reason": "wrong goods", "approval": {"person": shop.SENIOR, "pin": shop.SENIOR_PIN}}
CARDS = (CardConfig(prefix=shop.CARD_PREFIX, length=13),)
How = Literal["scan", "picture", "-"]


class Sold(Value):
    """One visit in figures. ``due_minor`` is what was paid in money, ``unsent`` what head office had not got just after it."""

    number: int
    receipt_no: str
    card: str
    how: How
    gross_minor: int
    saved_minor: int
    redeemed_centi: int
    due_minor: int
    earned_centi: int
    is_online: bool
    unsent: int
    state: str
    notes: tuple[str, ...]


class Cashier:
    """Sells at one till, with a scanner on a serial line and a camera."""

    def __init__(self, till: Till, scanner: PtyScanner, scans: Scans) -> None:
        self._till = till
        self._scanner = scanner
        self._scans = scans
        self._camera = PictureReader(CARDS)
        self._members = shop.members()
        self.second_pictures = 0

    def serve(self, visit: Visit) -> Sold:
        """One visit from the first to the last step."""
        basket = shop.basket(visit.number)
        card = self._card(visit)
        holder = None if card is None else self._till.identify(card)
        quote = self._till.quote(basket, card)
        sale, quote = self._authorise(visit, basket, quote)
        sale = self._end(visit, sale)
        health = self._till.health()
        is_online = health["head_office"] == "answers"
        return Sold(
            number=visit.number,
            receipt_no=sale["receipt_no"],
            card="-" if holder is None else "…" + holder["card"][-4:],
            how="-" if visit.source == "none" else visit.source,
            gross_minor=quote["gross_minor"],
            saved_minor=quote["gross_minor"] - quote["total_minor"],
            redeemed_centi=quote["redemption"]["centi"],
            due_minor=quote["due_minor"],
            earned_centi=sum(accrual["centi"] for accrual in quote["accruals"]),
            is_online=is_online,
            unsent=health["unsent_facts"],
            state=sale["state"],
            notes=_quote_notes(quote, is_online) + _notes(visit),
        )

    def _card(self, visit: Visit) -> str | None:
        if visit.member is None:
            return None
        number = self._members[visit.member].card
        seen = self._scanned(number) if visit.source == "scan" else self._pictured(number, SEED + visit.number)
        if seen != number:
            raise DemoError(f"the card of visit {visit.number} was read as another one")
        return seen

    def _scanned(self, number: str) -> str:
        self._scanner.scan(number)
        return self._scans.next_code()

    def _pictured(self, number: str, seed: int) -> str | None:
        for shot in range(SHOTS_MAX):
            self.second_pictures += shot == 1
            read = self._camera.read(card_picture(number, seed + 100 * shot))
            if read is not None:
                return read.card
        return None

    def _authorise(self, visit: Visit, basket: Basket, quote: Json) -> tuple[Json, Json]:
        """The sale and the quote that it stands on: head office may fall silent in between, and then the till quotes anew."""
        for _ in range(3):
            body = {
                "sale_id": basket.basket_id,
                "quote_id": quote["quote_id"],
                "due_minor": quote["due_minor"],
                "tenders": [{"kind": ("card", "cash")[visit.number % 2], "amount_minor": quote["due_minor"]}],
                "complete": visit.in_one_step,
            }
            key = f"{basket.basket_id} authorise {quote['quote_id']}"
            status, answer = self._till.try_post("/v1/sales", body, key)
            if status == STALE and json.loads(answer).get("quote") is not None:
                quote = json.loads(answer)["quote"]
                continue
            if status != 200:
                raise DemoError(f"sale {basket.basket_id} was refused with {status}: {answer.decode(errors='replace')[:500]}")
            if visit.is_posted_twice:
                self._post_again(body, key, answer)
            sale: Json = json.loads(answer)
            return sale, quote
        raise DemoError(f"the quote of {basket.basket_id} went stale three times")

    def _post_again(self, body: Json, key: str, answer: bytes) -> None:
        """A host that lost the answer sends the same again; nothing may be sold twice."""
        if self._till.try_post("/v1/sales", body, key) != (200, answer):
            raise DemoError("the same sale posted twice was answered in two ways")

    def _end(self, visit: Visit, sale: Json) -> Json:
        sale_id = sale["sale_id"]
        path = f"/v1/sales/{sale_id}"
        if visit.end == "cancelled":
            return self._till.post(f"{path}/cancel", {"reason": "the bank card was declined"}, f"{sale_id} cancel")
        if not visit.in_one_step:
            sale = self._till.post(f"{path}/complete", {}, f"{sale_id} complete")
        if visit.end == "voided":
            sale = self._till.post(f"{path}/void", UNDO, f"{sale_id} void")
        return sale


def _quote_notes(quote: Json, is_online: bool) -> tuple[str, ...]:
    """What the engine refused and why, as far as it makes the row plain."""
    notes = []
    if quote["redemption"]["centi"] and not is_online:
        notes.append(f"redeemed without head office, within the allowance of {shop.CAP_POINTS} points")
    for refusal in quote["refusals"]:
        if (refusal["rule"], refusal["condition"]) == ("redeem", "rights"):
            notes.append("redemption refused: the day's allowance is used up")
        if refusal["condition"] == "coupon" and refusal["have"] != "none":
            notes.append(f"coupon refused: {refusal['have']}")
    return tuple(notes)


def _notes(visit: Visit) -> tuple[str, ...]:
    notes = ["posted twice: one sale, one answer"] if visit.is_posted_twice else []
    if visit.end == "cancelled":
        notes.append("bank card declined: cancelled, all given back")
    elif visit.end == "voided":
        notes.append("voided: receipt reversed")
    return tuple(notes)
