"""Codes of gift cards that were just made, for the answer that hands them out. Memory only: a restart forgets them."""

from __future__ import annotations

from collections import OrderedDict

from msgspec.structs import replace

from pos_loyalty.store.gift_codes import Code
from pos_loyalty.till.gift_card_model import GiftCardAnswer

CODES_MAX = 512


class GiftCodes:
    """The last codes made, oldest forgotten first."""

    def __init__(self) -> None:
        self._codes: OrderedDict[str, Code] = OrderedDict()

    def put(self, card_id: str, code: Code) -> None:
        """Hold a code."""
        self._codes[card_id] = code
        while len(self._codes) > CODES_MAX:
            self._codes.popitem(last=False)

    def told(self, answer: GiftCardAnswer) -> GiftCardAnswer:
        """The answer with its code, when the card was made by this process and not long ago."""
        code = self._codes.get(answer.card_id)
        return answer if code is None else replace(answer, code=code.text, pin=code.pin)
