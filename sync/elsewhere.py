"""Head office as a return asks it for a sale of another till: one short question, and no second try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.store.sold import SoldSale
from sync.client import HttpHeadOffice
from sync.wire import SaleQuestion, read_sale

WAIT_S: Final = 3.0
"""A person waits at the till: an answer that takes longer is none."""


class HeadOfficeSales:
    """Asks over a connection of its own, made for each question: returns are rare. ``token()``: as it is now."""

    def __init__(self, url: str, till: str, token: Callable[[], str]) -> None:
        self._url = url
        self._till = till
        self._token = token

    def sold(self, name: SaleName | FiscalSign) -> SoldSale | None:
        """The sale with all returns that head office holds. Raises HeadOfficeGoneError, WireError, ConfigError."""
        client = HttpHeadOffice(self._url, self._till, self._token(), WAIT_S, whole_factor=1)
        try:
            return read_sale(client.sale(question_of(name)))
        finally:
            client.close()


def question_of(name: SaleName | FiscalSign) -> SaleQuestion:
    """The question for a sale."""
    if isinstance(name, SaleName):
        return SaleQuestion(till=name.till, sale_id=name.sale_id)
    return SaleQuestion(fn=name.fn, i=name.fd, fp=name.fp)
